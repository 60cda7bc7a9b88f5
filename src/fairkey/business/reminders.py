"""Reminders: who is told again that a dispute waits for him, 24 hours and 2 hours before his time is over.

A reminder carries no moment of its own. When it comes up it looks at the complaint as it stands (`Complaint.waits`, as
pages do): it waits on where the deadline moved, and is dropped where nobody waits any more.
"""

from enum import StrEnum
from typing import Final

from msgspec import Struct

from .basics import HOUR_MS, Event
from .complaints import ANSWER_WITHIN_MS, APPEAL_WITHIN_MS, REPLY_WITHIN_MS
from .dispute_events import (
    BuyerAsked,
    ComplaintLapsed,
    ComplaintOpened,
    ComplaintRuled,
    ReplacementRefused,
    ReplacementSent,
    RulingReviewed,
    SettlementOffered,
    Side,
)
from .dispute_state import OFFER_STANDS_MS, Complaint, Turn
from .reopening import REOPEN_WITHIN_MS
from .resending import ANSWER_AGAIN_WITHIN_MS, CONFIRM_WITHIN_MS

BEFORE_MS: Final = (24 * HOUR_MS, 2 * HOUR_MS)


class Reminder(Struct, frozen=True, kw_only=True):
    """Remind `whom` of `turn` (`number`: of the offer or ruling), `before_ms` before its end: `wait_ms` from now."""

    whom: Side
    turn: Turn
    number: int
    before_ms: int
    wait_ms: int


class When(StrEnum):
    """What becomes of a reminder that comes up."""

    NOW = "now"
    LATER = "later"
    NEVER = "never"  # nobody waits, it is over, or the next reminder is due as well


def reminders_of(event: Event) -> list[Reminder]:
    """The reminders that `event` asks for. A time no longer than what a reminder leaves has none: the letter about the
    fact itself says until when.
    """
    match event:
        case ComplaintOpened():
            return _before(ANSWER_WITHIN_MS, Turn.ANSWER, 0, Side.SHOP)
        case ReplacementRefused():
            return _before(ANSWER_AGAIN_WITHIN_MS, Turn.ANSWER, 1, Side.SHOP)
        case ReplacementSent():
            return _before(CONFIRM_WITHIN_MS, Turn.CONFIRM, 0, Side.BUYER)
        case ComplaintLapsed():
            return _before(REOPEN_WITHIN_MS, Turn.REOPEN, 0, Side.BUYER)
        case BuyerAsked():
            return _before(REPLY_WITHIN_MS, Turn.REPLY, 0, Side.BUYER)
        case SettlementOffered():
            other = Side.BUYER if event.by is Side.SHOP else Side.SHOP
            return _before(OFFER_STANDS_MS, Turn.OFFER, event.offer_no, other)
        case ComplaintRuled():
            return _before(APPEAL_WITHIN_MS, Turn.APPEAL, event.ruling_no, *Side)
        case RulingReviewed(confirmed=True):
            return _before(APPEAL_WITHIN_MS, Turn.LAST_APPEAL, event.ruling_no, *Side)
        case _:
            return []


def _before(within_ms: int, turn: Turn, number: int, *sides: Side) -> list[Reminder]:
    return [
        Reminder(whom=side, turn=turn, number=number, before_ms=before_ms, wait_ms=within_ms - before_ms)
        for side in sides
        for before_ms in BEFORE_MS
        if before_ms < within_ms
    ]


def when(complaint: Complaint, whom: Side, turn: Turn, number: int, *, before_ms: int, now_ms: int) -> tuple[When, int]:
    """Whether this reminder is written now; with the deadline, or for `LATER` the moment to look again.

    Of two that came due together (the worker was away, the clock jumped) only the last is written, and none after the
    end.
    """
    until_ms = next(
        (one.until_ms for one in complaint.waits(now_ms) if (one.whom, one.turn, one.number) == (whom, turn, number)), 0
    )
    if now_ms >= until_ms:
        return When.NEVER, until_ms
    if now_ms < until_ms - before_ms:
        return When.LATER, until_ms - before_ms
    following_ms = max((one for one in BEFORE_MS if one < before_ms), default=0)
    if now_ms >= until_ms - following_ms:
        return When.NEVER, until_ms
    return When.NOW, until_ms
