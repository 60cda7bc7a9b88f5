"""A complaint that ended because its buyer said nothing (row R16) goes on by new evidence: once, within 48 hours.

Until then the money stays frozen: the ruling is not final, and where no standard was in force the complaint has lapsed.
"""

from typing import Final

from .basics import HOUR_MS, Event, require_text
from .dispute_events import (
    ComplaintIsInAnotherStage,
    ComplaintReopened,
    NewEvidenceIsMissing,
    ReopeningIsOver,
)
from .dispute_state import RULING_WITHIN_MS, Complaint, ComplaintStage

REOPEN_WITHIN_MS: Final = 48 * HOUR_MS  # the time that row R16 gives
CASE: Final = "R16"


def reopen(complaint: Complaint, text: str, evidence_at_ms: int, at_ms: int) -> list[Event]:
    """The complaint goes on, or a `Refusal`. `evidence_at_ms`: when the buyer last gave evidence, 0: never."""
    by_silence = complaint.ruling is not None and complaint.ruling.case == CASE
    may = complaint.stage is ComplaintStage.LAPSED or (complaint.stage is ComplaintStage.RULED and by_silence)
    if complaint.reopened_at_ms:
        raise ReopeningIsOver(why="used")
    if complaint.stage is ComplaintStage.CLOSED:
        was_asked = complaint.asked_at_ms and not complaint.replied_at_ms
        raise ReopeningIsOver(why="late" if by_silence or was_asked else "other_end")
    if complaint.stage is ComplaintStage.RULED and not by_silence:
        raise ReopeningIsOver(why="other_end")
    if not may:
        raise ComplaintIsInAnotherStage(stage=complaint.stage.value)
    if at_ms >= complaint.due_at_ms:
        raise ReopeningIsOver(why="late")
    require_text(text, "text", 4_000, 5)
    if evidence_at_ms < complaint.asked_at_ms:
        raise NewEvidenceIsMissing(asked_at_ms=complaint.asked_at_ms)
    return [ComplaintReopened(text=text, rule_by_ms=at_ms + RULING_WITHIN_MS)]
