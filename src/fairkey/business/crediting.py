"""A shop's running meter: rises with what rulings upheld, falls with clean orders; throttles and freezes new orders.

The arithmetic is `credit.meter`'s, one moment at a time; a line is published only where something changes, so that
`fairkey credit recompute` finds every one borne out by the orders' own facts. A frozen shop takes no new orders until a
person has looked at it; what it sold before goes its way (平台规则监督管理办法 27: reasons, and a person on request).
"""

from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from .basics import Command, Event, Refusal, require_text
from .credit.facts import FREEZING_POINTS, Moment, What
from .credit.meter import BUYER_REST_MS, Band, Line, Meter, band_of

REVIEW_WITHIN_MS = 72 * 3_600_000  # what the platform promises a frozen shop


class CreditChanged(Event, frozen=True):
    """The meter moved. `why`: defect, same_buyer (one buyer counts once in seven days) or clean; `buyer`: the pseudonym
    of a defect's buyer in this shop, as in `order.placed`.
    """

    kind = "credit.changed"
    meter: int
    band: Band
    change: int
    why: str
    order_id: str
    row: str
    buyer: str


class FreezeReviewed(Event, frozen=True):
    """A person looked at a frozen shop and lets it trade again, throttled."""

    kind = "credit.reviewed"
    sealed = frozenset({"reason"})
    meter: int
    band: Band
    change: int
    reason: str


CreditingEvent = CreditChanged | FreezeReviewed


class NoteDefect(Command, frozen=True):
    """Inner: a ruling was carried out."""

    order_id: str
    ruling_no: int


class NoteClean(Command, frozen=True):
    """Inner: an order was completed."""

    order_id: str


class ReviewFreeze(Command, frozen=True):
    """Operator: the shop may trade again, throttled; why, in at least twenty characters."""

    reason: str


CreditingCommand = NoteDefect | NoteClean | ReviewFreeze


class ShopIsNotFrozen(Refusal):
    """There is nothing to lift. Details: band."""


class DefectBriefing(Struct, frozen=True, kw_only=True):
    """What the order says. `points`: of the ruling that was carried out, 0 when it is no defect or not its first;
    `is_defect`: whether one was ever carried out.
    """

    buyer: str = ""
    row: str = ""
    points: int = 0
    is_defect: bool = False


class Crediting(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The meter now. `last_of`: when each buyer's last counted defect was, for seven days; `since_ms`: of the band."""

    meter: int = 0
    since_ms: int = 0
    reviews: int = 0
    last_of: dict[str, int] = {}

    @property
    def band(self) -> Band:
        """What the meter asks for."""
        return band_of(self.meter)

    @property
    def is_frozen(self) -> bool:
        """No new orders."""
        return self.band is Band.FROZEN

    @property
    def is_throttled(self) -> bool:
        """Caps halved and holds doubled; a frozen shop's too."""
        return self.band is not Band.NORMAL

    @property
    def review_by_ms(self) -> int:
        """Until when a person must have looked at it; 0: nothing is frozen."""
        return self.since_ms + REVIEW_WITHIN_MS if self.is_frozen else 0


INITIAL = Crediting()


def defect_points(*, counted: bool, points: int, freezes: bool) -> int:
    """What a ruling costs the meter when it is carried out."""
    if not counted:
        return 0
    return max(points, FREEZING_POINTS) if freezes else points


def decide(command: CreditingCommand, crediting: Crediting, brief: DefectBriefing | None, at_ms: int) -> list[Event]:
    """What follows from `command` for this shop's meter, or a `Refusal`."""
    match command:
        case NoteDefect():
            assert brief is not None
            if not brief.points:
                return []
            return _moved(
                crediting, Moment(What.DEFECT, at_ms, command.order_id, brief.buyer, 0, brief.points, brief.row)
            )
        case NoteClean():
            assert brief is not None
            if brief.is_defect:
                return []
            return _moved(crediting, Moment(What.CLEAN, at_ms, command.order_id, brief.buyer, 0))
        case ReviewFreeze():
            if not crediting.is_frozen:
                raise ShopIsNotFrozen(band=crediting.band.value)
            require_text(command.reason, "reason", 2_000, 20)
            line = Meter(crediting.meter).review(at_ms)
            return [
                FreezeReviewed(meter=line.value, band=band_of(line.value), change=line.change, reason=command.reason)
            ]
        case _:
            assert_never(command)


def _moved(crediting: Crediting, moment: Moment) -> list[Event]:
    line: Line | None = Meter(crediting.meter, crediting.last_of).take(moment)
    if line is None:
        return []
    return [
        CreditChanged(
            meter=line.value,
            band=band_of(line.value),
            change=line.change,
            why=line.why,
            order_id=line.order_id,
            row=line.row,
            buyer=moment.buyer if moment.what is What.DEFECT else "",
        )
    ]


def evolve(crediting: Crediting, event: CreditingEvent, at_ms: int) -> Crediting:
    """The meter after `event`."""
    since_ms = crediting.since_ms if event.band is crediting.band else at_ms
    match event:
        case CreditChanged():
            recent = {buyer: at for buyer, at in crediting.last_of.items() if at_ms - at < BUYER_REST_MS}
            counted = {event.buyer: at_ms} if event.buyer and event.why == "defect" else {}
            return replace(crediting, meter=event.meter, since_ms=since_ms, last_of=recent | counted)
        case FreezeReviewed():
            return replace(crediting, meter=event.meter, since_ms=since_ms, reviews=crediting.reviews + 1)
        case _:
            assert_never(event)
