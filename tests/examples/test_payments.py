"""Unmatched money: recorded whatever it is, back to its payer in seven days or when the operator says so."""

from msgspec.structs import replace

from business_cases import NOW, PAYMENT, SHOP, Case, all_of, hold
from fairkey.business import payments
from fairkey.business.basics import DAY_MS, Broken
from fairkey.business.payments import (
    AlreadyOnItsWayBack,
    PaymentUnmatched,
    RecordUnmatched,
    RecordUnmatchedRefund,
    RefundUnmatched,
    ReturnUnmatched,
    UnmatchedRefunded,
    UnmatchedRefundFailed,
    UnmatchedRefundRequested,
)

ID = {"shop_id": SHOP, "payment_id": PAYMENT}
WHAT = {
    "provider": "sandbox",
    "provider_txn": "t1",
    "reference": "??",
    "amount_fen": 700,
    "currency": "USD",
    "paid_at_ms": NOW - 5,
}
HELD = PaymentUnmatched(**WHAT)
WEEK_MS = 7 * DAY_MS
ASKED = UnmatchedRefundRequested(
    provider="sandbox", provider_txn="t1", amount_fen=700, currency="USD", by="operator", attempt=1
)
DONE = UnmatchedRefunded(amount_fen=700, currency="USD")
FAILED = UnmatchedRefundFailed(reason="gone")
AGAIN = replace(ASKED, attempt=2)


def told(rule: str, given: tuple[object, ...], then: object, *, succeeded: bool = True, attempt: int = 1) -> Case:
    when = RecordUnmatchedRefund(**ID, attempt=attempt, succeeded=succeeded, reason="gone")
    return Case(rule=rule, given=given, when=when, then=then)


CASES = [
    Case(rule="any money is recorded", when=RecordUnmatched(**ID, **WHAT), then=[HELD]),
    Case(rule="told twice it is the same money", given=(HELD,), when=RecordUnmatched(**ID, **WHAT), then=[]),
    Case(rule="the operator sends it back", given=(HELD,), when=RefundUnmatched(**ID), then=[ASKED]),
    Case(rule="once", given=(HELD, ASKED), when=RefundUnmatched(**ID), then=AlreadyOnItsWayBack),
    Case(rule="not after it arrived", given=(HELD, ASKED, DONE), when=RefundUnmatched(**ID), then=AlreadyOnItsWayBack),
    Case(rule="again after a failure", given=(HELD, ASKED, FAILED), when=RefundUnmatched(**ID), then=[AGAIN]),
    Case(rule="what never came cannot go back", when=RefundUnmatched(**ID), then=AlreadyOnItsWayBack),
    Case(
        rule="a millisecond before seven days it stays",
        given=(HELD,),
        when=ReturnUnmatched(**ID),
        at_ms=NOW + WEEK_MS - 1,
        then=AlreadyOnItsWayBack,
    ),
    Case(
        rule="after seven days it goes back",
        given=(HELD,),
        when=ReturnUnmatched(**ID),
        at_ms=NOW + WEEK_MS,
        then=[replace(ASKED, by="clock")],
    ),
    Case(
        rule="not if it goes already",
        given=(HELD, ASKED),
        when=ReturnUnmatched(**ID),
        at_ms=NOW + WEEK_MS,
        then=AlreadyOnItsWayBack,
    ),
    Case(
        rule="nor if it failed: that is the operator's",
        given=(HELD, ASKED, FAILED),
        when=ReturnUnmatched(**ID),
        at_ms=NOW + WEEK_MS,
        then=AlreadyOnItsWayBack,
    ),
    Case(rule="nor if it never came", when=ReturnUnmatched(**ID), at_ms=NOW + WEEK_MS, then=AlreadyOnItsWayBack),
    told("it arrived", (HELD, ASKED), [DONE]),
    told("arrived, told twice", (HELD, ASKED, DONE), []),
    told("it failed", (HELD, ASKED), [FAILED], succeeded=False),
    told("failed, told twice", (HELD, ASKED, FAILED), [], succeeded=False),
    told("a failure after success is not believed", (HELD, ASKED, DONE), [], succeeded=False),
    told("a success after failure is", (HELD, ASKED, FAILED), [DONE]),
    told("an older attempt's failure does not touch the newer", (HELD, ASKED, FAILED, AGAIN), [], succeeded=False),
    told("the newer's does", (HELD, ASKED, FAILED, AGAIN), [FAILED], succeeded=False, attempt=2),
    told("a report on what we never asked for is our own bug", (HELD,), Broken),
]


@all_of(CASES)
def test_unmatched_payments(case: Case) -> None:
    hold(payments, case)
