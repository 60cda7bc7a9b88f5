"""What the parties of an order write to each other: every message is a fact, nobody can change one afterwards.

A message of the shop that leads off the platform is not sent until the shop says that it means it; then it is marked in
the log and counts as evidence for row R14 of the standard.
"""

from enum import StrEnum

from msgspec import Struct

from .basics import DAY_MS, MINUTE_MS, Command, Event, Refusal, require_text
from .lures import Lure, lures_in

TEXT_MAX = 2_000
MESSAGES_MAX = 500
BURST = 20
BURST_MS = 10 * MINUTE_MS
OPEN_AFTER_END_MS = 90 * DAY_MS  # as long as a code can still be complained about as revoked
LETTER_PAUSE_MS = 15 * MINUTE_MS


class Writer(StrEnum):
    """Whose message it is."""

    BUYER = "buyer"
    SHOP = "shop"


class MessageSent(Event, frozen=True):
    """One message. `lures`: what it leads to, by `lures_in`; of the shop such a one was confirmed before it was sent.

    `letter`: the other side is told by mail; it is not told of each message in a row.
    """

    kind = "message.sent"
    sealed = frozenset({"text"})
    message_no: int
    by: Writer
    lures: tuple[Lure, ...]
    letter: bool
    text: str


MessageEvent = MessageSent


class SendMessage(Command, frozen=True):
    """`sure`: the writer has read the warning about leaving the platform and sends it all the same."""

    order_id: str
    by: Writer
    text: str
    sure: bool = False
    own_host: str = ""


MessageCommand = SendMessage


class LeadsOffThePlatform(Refusal):
    """The shop's message leads away; whoever pays outside has no escrow. Details: lures."""


class TooManyMessages(Refusal):
    """So many in so short a time. Details: again_at_ms."""


class NoMessagesAboutThis(Refusal):
    """The order does not take messages any more, or not yet. Details: stage."""


class ConversationBriefing(Struct, frozen=True, kw_only=True):
    """What writing must be told about the order. `ended_at_ms` 0: it has not ended."""

    stage: str
    exists: bool
    ended_at_ms: int


class Messages(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The conversation about one order. `recent_…_at_ms`: when each side wrote last, newest last."""

    count: int = 0
    shop_lures: int = 0
    recent_buyer_at_ms: tuple[int, ...] = ()
    recent_shop_at_ms: tuple[int, ...] = ()
    letter_buyer_at_ms: int = 0
    letter_shop_at_ms: int = 0


INITIAL = Messages()


def decide(command: MessageCommand, messages: Messages, brief: ConversationBriefing | None, at_ms: int) -> list[Event]:
    """What follows from `command`, or a `Refusal`."""
    assert brief is not None
    if not brief.exists or (brief.ended_at_ms and at_ms >= brief.ended_at_ms + OPEN_AFTER_END_MS):
        raise NoMessagesAboutThis(stage=brief.stage)
    require_text(command.text.strip(), "text", TEXT_MAX, 1)
    own = messages.recent_buyer_at_ms if command.by is Writer.BUYER else messages.recent_shop_at_ms
    if messages.count >= MESSAGES_MAX:
        raise NoMessagesAboutThis(stage=brief.stage)
    if len(own) >= BURST and at_ms < own[-BURST] + BURST_MS:
        raise TooManyMessages(again_at_ms=own[-BURST] + BURST_MS)
    lures = lures_in(command.text, command.own_host)
    if lures and command.by is Writer.SHOP and not command.sure:
        raise LeadsOffThePlatform(lures=tuple(one.value for one in lures))
    told_at_ms = messages.letter_shop_at_ms if command.by is Writer.BUYER else messages.letter_buyer_at_ms
    return [
        MessageSent(
            message_no=messages.count + 1,
            by=command.by,
            lures=lures,
            letter=not told_at_ms or at_ms >= told_at_ms + LETTER_PAUSE_MS,
            text=command.text.strip(),
        )
    ]


def evolve(messages: Messages, event: MessageEvent, at_ms: int) -> Messages:
    """The conversation after `event`."""
    by_buyer = event.by is Writer.BUYER
    return Messages(
        count=event.message_no,
        shop_lures=messages.shop_lures + bool(event.lures and not by_buyer),
        recent_buyer_at_ms=_with(messages.recent_buyer_at_ms, at_ms) if by_buyer else messages.recent_buyer_at_ms,
        recent_shop_at_ms=messages.recent_shop_at_ms if by_buyer else _with(messages.recent_shop_at_ms, at_ms),
        letter_buyer_at_ms=at_ms if event.letter and not by_buyer else messages.letter_buyer_at_ms,
        letter_shop_at_ms=at_ms if event.letter and by_buyer else messages.letter_shop_at_ms,
    )


def _with(times: tuple[int, ...], at_ms: int) -> tuple[int, ...]:
    return (*times, at_ms)[-BURST:]
