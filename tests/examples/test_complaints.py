"""Complaints: 48 hours to answer, silence loses, the operator decides a contest."""

from msgspec.structs import replace

from business_cases import NOW, ORDER, SHOP, Case, all_of, hold
from fairkey.business import complaints
from fairkey.business.basics import HOUR_MS, FieldIsInvalid, NotFound
from fairkey.business.complaints import (
    AcceptComplaint,
    ContestComplaint,
    EndSilence,
    OpenComplaint,
    OrderBriefing,
    WithdrawComplaint,
)
from fairkey.business.dispute_events import (
    ComplaintClosed,
    ComplaintContested,
    ComplaintExists,
    ComplaintIsInAnotherStage,
    ComplaintOpened,
    NotSilentYet,
    OrderCannotBeComplainedAbout,
    Outcome,
    Reason,
)

ID = {"shop_id": SHOP, "order_id": ORDER}
H48 = 48 * HOUR_MS
DELIVERED = OrderBriefing(stage="delivered", is_delivered=True, amount_fen=2_000)
OPEN = OpenComplaint(**ID, reason=Reason.ALREADY_USED, text="It says: used.")
OPENED = ComplaintOpened(reason=Reason.ALREADY_USED, demand_fen=2_000, text="It says: used.", answer_by_ms=NOW + H48)
CONTEST = ContestComplaint(**ID, text="It was new.")
CONTESTED = ComplaintContested(text="It was new.", rule_by_ms=NOW + 5 + H48)


def closed(outcome: Outcome, refund_fen: int, text: str = "") -> ComplaintClosed:
    return ComplaintClosed(outcome=outcome, refund_fen=refund_fen, text=text)


BOTH = (OPENED, CONTESTED)
OVER = (OPENED, closed(Outcome.ACCEPTED, 2_000))
CASES = [
    Case(
        rule="without a sum all is asked back, and the merchant has 48 hours", when=OPEN, brief=DELIVERED, then=[OPENED]
    ),
    Case(
        rule="a part may be asked back",
        when=replace(OPEN, demand_fen=1),
        brief=DELIVERED,
        then=[replace(OPENED, demand_fen=1)],
    ),
    Case(rule="all may be asked back by its sum", when=replace(OPEN, demand_fen=2_000), brief=DELIVERED, then=[OPENED]),
    Case(
        rule="not more than was paid",
        when=replace(OPEN, demand_fen=2_001),
        brief=DELIVERED,
        then=(FieldIsInvalid, {"field": "demand_fen", "why": "out_of_range"}),
    ),
    Case(rule="nor less than nothing", when=replace(OPEN, demand_fen=-1), brief=DELIVERED, then=FieldIsInvalid),
    Case(
        rule="only a delivered order",
        when=OPEN,
        brief=OrderBriefing(stage="paid", is_delivered=False, amount_fen=2_000),
        then=(OrderCannotBeComplainedAbout, {"stage": "paid"}),
    ),
    Case(rule="one complaint an order", given=(OPENED,), when=OPEN, brief=DELIVERED, then=ComplaintExists),
    Case(rule="even when the first is closed", given=OVER, when=OPEN, brief=DELIVERED, then=ComplaintExists),
    Case(rule="four characters tell nothing", when=replace(OPEN, text="used"), brief=DELIVERED, then=FieldIsInvalid),
    Case(rule="five do", when=replace(OPEN, text="used!"), brief=DELIVERED, then=[replace(OPENED, text="used!")]),
    Case(
        rule="4,000 characters are enough", when=replace(OPEN, text="x" * 4_001), brief=DELIVERED, then=FieldIsInvalid
    ),
    Case(
        rule="the merchant agrees: the demand is paid",
        given=(OPENED,),
        when=AcceptComplaint(**ID),
        then=[closed(Outcome.ACCEPTED, 2_000)],
    ),
    Case(
        rule="he may still agree after contesting",
        given=BOTH,
        when=AcceptComplaint(**ID),
        then=[closed(Outcome.ACCEPTED, 2_000)],
    ),
    Case(
        rule="the merchant disagrees: the operator has 48 hours",
        given=(OPENED,),
        when=CONTEST,
        at_ms=NOW + 5,
        then=[CONTESTED],
    ),
    Case(rule="he says it once", given=BOTH, when=CONTEST, then=(ComplaintIsInAnotherStage, {"stage": "contested"})),
    Case(rule="and says why", given=(OPENED,), when=replace(CONTEST, text="no"), then=FieldIsInvalid),
    Case(
        rule="the buyer withdraws: nothing goes back",
        given=(OPENED,),
        when=WithdrawComplaint(**ID),
        then=[closed(Outcome.WITHDRAWN, 0)],
    ),
    Case(
        rule="also while it is contested", given=BOTH, when=WithdrawComplaint(**ID), then=[closed(Outcome.WITHDRAWN, 0)]
    ),
    Case(
        rule="one millisecond before 48 hours nobody was silent",
        given=(OPENED,),
        when=EndSilence(**ID),
        at_ms=NOW + H48 - 1,
        then=(NotSilentYet, {"due_at_ms": NOW + H48}),
    ),
    Case(
        rule="after 48 hours the merchant's silence loses",
        given=(OPENED,),
        when=EndSilence(**ID),
        at_ms=NOW + H48,
        then=[closed(Outcome.MERCHANT_SILENT, 2_000)],
    ),
    Case(
        rule="one millisecond before the operator's 48 hours end he may still rule",
        given=BOTH,
        when=EndSilence(**ID),
        at_ms=NOW + 5 + H48 - 1,
        then=NotSilentYet,
    ),
    Case(
        rule="the operator's silence is not the buyer's loss",
        given=BOTH,
        when=EndSilence(**ID),
        at_ms=NOW + 5 + H48,
        then=[closed(Outcome.OPERATOR_SILENT, 2_000)],
    ),
    *(
        Case(
            rule=f"{type(when).__name__} needs a complaint",
            when=when,
            brief=DELIVERED,
            at_ms=NOW + 2 * H48,
            then=(NotFound, {"what": "complaint"}),
        )
        for when in (AcceptComplaint(**ID), CONTEST, WithdrawComplaint(**ID), EndSilence(**ID))
    ),
    *(
        Case(
            rule=f"{type(when).__name__} comes too late for a closed one",
            given=OVER,
            when=when,
            brief=DELIVERED,
            at_ms=NOW + 2 * H48,
            then=(ComplaintIsInAnotherStage, {"stage": "closed"}),
        )
        for when in (AcceptComplaint(**ID), CONTEST, WithdrawComplaint(**ID), EndSilence(**ID))
    ),
]


CASES += [
    Case(
        rule=f"{type(when).__name__} with {length} characters",
        given=given,
        when=replace(when, text="x" * length),
        brief=DELIVERED,
        then=[replace(then, text="x" * length)] if length in (5, 4_000) else FieldIsInvalid,
    )
    for given, when, then in (
        ((), OPEN, OPENED),
        ((OPENED,), CONTEST, replace(CONTESTED, rule_by_ms=NOW + H48)),
    )
    for length in (4, 5, 4_000, 4_001)
]


@all_of(CASES)
def test_complaints(case: Case) -> None:
    hold(complaints, case)
