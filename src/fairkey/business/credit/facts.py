"""What credit reads: public fields of an order's events, told as moments. Where they lie in the log changes nothing."""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

COVER_KINDS = frozenset({  # what changes how much of a shop is unsettled, and what its deposit has free
    "order.placed", "order.paid", "order.expired", "order.cancelled", "order.withdrawn", "order.cut_short",
    "order.refunded", "order.wound_up", "order.completed",
    "deposit.secured", "deposit.deducted", "deposit.stake_locked", "deposit.stake_returned",
    "deposit.release_requested", "deposit.release_cut",
})  # fmt: skip
PUBLISHED_KINDS = frozenset({"credit.changed", "credit.reviewed"})  # the meter as the platform kept it
ORDER_KINDS = frozenset({
    "order.placed", "order.paid", "order.delivered", "order.completed",
    "dispute.opened", "dispute.answered", "dispute.offered", "dispute.ruled", "dispute.executed", "dispute.final",
    "review.posted", "review.amended",
})  # fmt: skip
KINDS = ORDER_KINDS | COVER_KINDS | PUBLISHED_KINDS
ANSWERS = frozenset({"dispute.answered", "dispute.offered", "dispute.final"})
FREEZING_POINTS = 92


class Fact(NamedTuple):
    """One public event. Sorted as it stands: by moment, stream and version, which no other fact shares."""

    at_ms: int
    stream: str
    version: int
    kind: str
    public: Mapping[str, object]


class What(StrEnum):
    """What a moment is to credit."""

    CLEAN = "clean"
    DEFECT = "defect"
    DELIVERED = "delivered"
    DISPUTED = "disputed"
    ANSWERED = "answered"
    REVIEWED = "reviewed"
    AMENDED = "amended"


class Moment(NamedTuple):
    """One thing that counts. `points`: of a defect; `took_ms`: of a delivery or an answer; `worked`: of a review,
    or what its amendment turned it into.
    """

    what: What
    at_ms: int
    order_id: str
    buyer: str
    fee_fen: int
    points: int = 0
    row: str = ""
    took_ms: int = 0
    worked: bool = False


class _Order:
    """What is remembered of an order while facts go by."""

    def __init__(self) -> None:
        self.buyer = ""
        self.fee_fen = 0
        self.paid_at_ms = 0
        self.opened_at_ms = 0
        self.ruling: Mapping[str, object] = {}
        self.is_defect = False
        self.worked = False


def moments(facts: Iterable[Fact]) -> Iterator[Moment]:
    """What counts, of the facts of one shop in any order.

    A ruling counts when it is carried out. What shops settle or accept by themselves is no defect. A field that is
    missing or of another shape counts as 0.
    """
    orders: dict[str, _Order] = {}
    for fact in sorted(facts, key=lambda one: one[:3]):
        kind, _, order_id = fact.stream.partition(":")
        if kind == "order" and fact.kind in ORDER_KINDS:
            yield from _of(fact, order_id, orders.setdefault(order_id, _Order()))


def _of(fact: Fact, order_id: str, order: _Order) -> Iterator[Moment]:
    told, at_ms = fact.public, fact.at_ms

    def moment(what: What, *, points: int = 0, row: str = "", took_ms: int = 0, worked: bool = False) -> Moment:
        return Moment(what, at_ms, order_id, order.buyer, order.fee_fen, points, row, took_ms, worked)

    if fact.kind in ANSWERS and order.opened_at_ms:
        if told.get("outcome") not in ("withdrawn", "merchant_silent", "shop_vanished"):
            yield moment(What.ANSWERED, took_ms=max(0, at_ms - order.opened_at_ms))
        order.opened_at_ms = 0
    match fact.kind:
        case "order.placed":
            order.buyer = str(told.get("buyer", ""))
            order.fee_fen = number_in(told, "amount_fen") * number_in(told, "fee_bp") // 10_000
        case "order.paid":
            order.paid_at_ms = at_ms
        case "order.delivered" if order.paid_at_ms:
            yield moment(What.DELIVERED, took_ms=max(0, at_ms - order.paid_at_ms))
        case "order.completed" if not order.is_defect:
            yield moment(What.CLEAN)
        case "dispute.opened":
            order.opened_at_ms = at_ms
            yield moment(What.DISPUTED)
        case "dispute.ruled":
            order.ruling = told
        case "dispute.executed" if told.get("ruling_no") == order.ruling.get("ruling_no"):
            points = points_of(order.ruling)
            if points and not order.is_defect:
                order.is_defect = True
                yield moment(What.DEFECT, points=points, row=str(order.ruling.get("row", "")))
        case "review.posted":
            order.worked = told.get("code_worked") is True
            yield moment(What.REVIEWED, worked=order.worked)
        case "review.amended" if (told.get("code_worked") is True) is not order.worked:
            order.worked = not order.worked
            yield moment(What.AMENDED, worked=order.worked)


def points_of(ruling: Mapping[str, object]) -> int:
    """What a ruling costs the shop's meter when it is carried out; a row that freezes costs enough to freeze."""
    if ruling.get("counted") is not True:
        return 0
    points = number_in(ruling, "points")
    return max(points, FREEZING_POINTS) if ruling.get("freezes_shop") is True else points


def number_in(told: Mapping[str, object], name: str) -> int:
    """A field as a positive number; 0 for anything else."""
    value = told.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
