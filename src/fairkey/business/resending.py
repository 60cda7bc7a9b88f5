"""A working code instead of one that fails: sent once, then confirmed or complained about; silence confirms.

Row R10 gives a shop 12 hours for one corrected code; wherever a buyer asks for a working code instead of his money it
may send one as well.
"""

from typing import Final

from .basics import HOUR_MS, Event, require_text
from .dispute_events import (
    CodeWasNotOpened,
    Demand,
    Reason,
    ReplacementConfirmed,
    ReplacementIsNotWanted,
    ReplacementRefused,
    ReplacementSent,
    ReplacementWasSent,
)
from .dispute_state import Complaint

CONFIRM_WITHIN_MS: Final = 48 * HOUR_MS
ANSWER_AGAIN_WITHIN_MS: Final = 48 * HOUR_MS


def resend(complaint: Complaint, opened: tuple[str, ...], wanted: tuple[str, ...], at_ms: int) -> list[Event]:
    """Replacements for the opened codes `wanted` (empty: for all of them), or a `Refusal`."""
    if complaint.resent_at_ms:
        raise ReplacementWasSent
    if complaint.demand is not Demand.RESEND and complaint.reason is not Reason.NOT_VALID:
        raise ReplacementIsNotWanted(
            demand=complaint.demand.value, reason=complaint.reason.value if complaint.reason else ""
        )
    chosen = tuple(dict.fromkeys(wanted)) or opened
    if not chosen or not set(chosen) <= set(opened):
        raise CodeWasNotOpened
    return [ReplacementSent(instead_of=chosen, confirm_by_ms=at_ms + CONFIRM_WITHIN_MS)]


def confirmed(complaint: Complaint, at_ms: int) -> list[Event]:
    """The replacement works; saying so twice is saying it once."""
    return [ReplacementConfirmed()] if at_ms < complaint.confirm_by_ms else []


def refused(text: str, at_ms: int) -> list[Event]:
    """The replacement fails as well."""
    require_text(text, "text", 4_000, 5)
    return [ReplacementRefused(text=text, answer_by_ms=at_ms + ANSWER_AGAIN_WITHIN_MS)]
