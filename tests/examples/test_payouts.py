"""Payouts: a shop draws what is settled, no more, to the account it named."""

from msgspec.structs import replace

from business_cases import NOW, PAYOUT, SHOP, Case, all_of, hold
from fairkey.business import payouts
from fairkey.business.basics import Broken, FieldIsInvalid
from fairkey.business.payouts import (
    BalanceIsTooLow,
    FundsBriefing,
    PaidOut,
    PayoutAccountIsMissing,
    PayoutAccountIsNew,
    PayoutArrived,
    PayoutContradicted,
    PayoutFailed,
    PayoutIsNotContradicted,
    PayoutRequested,
    PayoutReturned,
    PayoutWasRequested,
    RecordPayout,
    RequestPayout,
    SettlePayout,
)

ID = {"shop_id": SHOP, "payout_id": PAYOUT}
ASK = RequestPayout(**ID, amount_fen=500)
FUNDS = FundsBriefing(available_fen=500, has_payout_account=True)
ASKED = PayoutRequested(amount_fen=500, attempt=1)
PAID, FAILED = PaidOut(amount_fen=500), PayoutFailed(amount_fen=500, reason="closed")


def told(rule: str, given: tuple[object, ...], then: object, *, succeeded: bool = True) -> Case:
    return Case(rule=rule, given=given, when=RecordPayout(**ID, succeeded=succeeded, reason="closed"), then=then)


REASON = "statement of the third, line 12"
ARRIVED = PayoutContradicted(amount_fen=500, succeeded=True)
CAME_BACK = PayoutContradicted(amount_fen=500, succeeded=False)
RETURNED = PayoutReturned(amount_fen=500, reason=REASON)


def settled(
    rule: str, given: tuple[object, ...], then: object, *, brief: FundsBriefing = FUNDS, reason: str = REASON
) -> Case:
    return Case(rule=rule, given=given, when=SettlePayout(**ID, reason=reason), brief=brief, then=then)


CASES = [
    Case(rule="all that is there", when=ASK, brief=FUNDS, then=[ASKED]),
    Case(
        rule="one fen more",
        when=replace(ASK, amount_fen=501),
        brief=FUNDS,
        then=(BalanceIsTooLow, {"available_fen": 500}),
    ),
    Case(rule="a yuan at least", when=replace(ASK, amount_fen=100), brief=FUNDS, then=[replace(ASKED, amount_fen=100)]),
    Case(rule="a fen less is too little", when=replace(ASK, amount_fen=99), brief=FUNDS, then=FieldIsInvalid),
    Case(rule="a negative draw is none", when=replace(ASK, amount_fen=-500), brief=FUNDS, then=FieldIsInvalid),
    Case(
        rule="it must be said whereto",
        when=ASK,
        brief=replace(FUNDS, has_payout_account=False),
        then=PayoutAccountIsMissing,
    ),
    Case(
        rule="a new account waits to the last millisecond",
        when=ASK,
        brief=replace(FUNDS, payable_from_ms=NOW + 1),
        then=(PayoutAccountIsNew, {"payable_at_ms": NOW + 1}),
    ),
    Case(rule="and no longer", when=ASK, brief=replace(FUNDS, payable_from_ms=NOW), then=[ASKED]),
    Case(rule="one payout, one request", given=(ASKED,), when=ASK, brief=FUNDS, then=PayoutWasRequested),
    Case(rule="even after a failure", given=(ASKED, FAILED), when=ASK, brief=FUNDS, then=PayoutWasRequested),
    told("it arrived", (ASKED,), [PAID]),
    told("arrived, told twice", (ASKED, PAID), []),
    told("it failed", (ASKED,), [FAILED], succeeded=False),
    told("failed, told twice", (ASKED, FAILED), [], succeeded=False),
    told("after success a failure is noted", (ASKED, PAID), [CAME_BACK], succeeded=False),
    told("after failure a success is noted: the money may be drawn anew", (ASKED, FAILED), [ARRIVED]),
    told("a second end is noted once", (ASKED, FAILED, ARRIVED), []),
    told("and an old notice changes nothing", (ASKED, FAILED, ARRIVED), [], succeeded=False),
    settled("it arrived after all", (ASKED, FAILED, ARRIVED), [PayoutArrived(amount_fen=500, reason=REASON)]),
    settled(
        "drawn anew, it waits for the balance",
        (ASKED, FAILED, ARRIVED),
        (BalanceIsTooLow, {"available_fen": 499}),
        brief=replace(FUNDS, available_fen=499),
    ),
    settled(
        "it came back",
        (ASKED, PAID, CAME_BACK),
        [PayoutReturned(amount_fen=500, reason=REASON)],
        brief=replace(FUNDS, available_fen=0),
    ),
    settled("one end is nothing to settle", (ASKED, FAILED), PayoutIsNotContradicted),
    settled("it is settled once", (ASKED, PAID, CAME_BACK, RETURNED), PayoutIsNotContradicted),
    settled("it is said where it stands", (ASKED, FAILED, ARRIVED), FieldIsInvalid, reason=""),
    told("settled, what was believed last is repeated", (ASKED, PAID, CAME_BACK, RETURNED), [], succeeded=False),
    told("settled, the first end comes once more", (ASKED, PAID, CAME_BACK, RETURNED), []),
    told("a report on what we never asked for is our own bug", (), Broken),
]


@all_of(CASES)
def test_payouts(case: Case) -> None:
    hold(payouts, case)
