"""Words every capability shares: ids, and the shapes of commands, events and refusals.

Units: money is integer fen (`*_fen`), moments are integer milliseconds since the epoch, UTC (`*_at_ms`).
Ids are UUIDs in their canonical text form: the rules compare them and never make one.
"""

from enum import StrEnum
from typing import ClassVar, NamedTuple

from msgspec import Struct

PLATFORM = "00000000-0000-0000-0000-000000000000"  # the "shop" of facts that belong to no shop

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

AMOUNT_MAX_FEN = 100_000_00  # ¥100,000 an order: far above any honest card, far below any overflow
CURRENCY = "CNY"


class Stream(NamedTuple):
    """The address of one history: everything that ever happened to one shop, listing, order, …"""

    shop_id: str
    kind: str
    id: str


class InstructionState(StrEnum):
    """How far an instruction to the payment provider has come."""

    ASKED = "asked"
    DONE = "done"
    FAILED = "failed"


class Command(Struct, frozen=True, kw_only=True):
    """Something a person, a provider or the clock asks for. It may be refused."""

    shop_id: str


class Event(Struct, frozen=True, kw_only=True):
    """Something that happened. It is kept for ever and never edited.

    `kind` names it in the log; the fields in `sealed` never enter the public bytes, only commitments to them do.
    """

    kind: ClassVar[str] = ""
    sealed: ClassVar[frozenset[str]] = frozenset()


class Refusal(Exception):
    """A rule said no. Expected; shown to the person with its details; nothing is written."""

    def __init__(self, **details: object) -> None:
        super().__init__(type(self).__name__, details)
        self.details = details


class Broken(Exception):
    """An invariant failed: our own bug. The command leaves no trace and an operator is told."""


class FieldIsInvalid(Refusal):
    """A value is outside what this field allows. Details: field, why."""


class NotFound(Refusal):
    """There is no such thing in this shop. Details: what."""


def invariant(holds: bool, what: str) -> None:  # noqa: FBT001 - reads as a sentence at the call
    """Raise `Broken` unless `holds`; stays on in production."""
    if not holds:
        raise Broken(what)


def require(holds: bool, field: str, why: str) -> None:  # noqa: FBT001 - reads as a sentence at the call
    """Refuse a command whose `field` has a value that cannot be meant."""
    if not holds:
        raise FieldIsInvalid(field=field, why=why)


def require_text(value: str, field: str, length_max: int, length_min: int = 0) -> None:
    """Refuse text that is too short, too long, no Unicode (half of a surrogate pair), or that carries control
    characters other than line breaks and tabs.
    """
    require(len(value) >= length_min, field, "too_short")
    require(len(value) <= length_max, field, "too_long")
    require(
        all(one in "\n\r\t" or (one >= " " and one != "\x7f" and not "\ud800" <= one <= "\udfff") for one in value),
        field,
        "control_characters",
    )
