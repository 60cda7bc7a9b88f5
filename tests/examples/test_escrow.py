"""Escrow: every payment is recorded, what came in leaves once, each fen back to where it came from."""

from msgspec.structs import replace

from business_cases import NOW, ORDER, SHOP, Case, all_of, hold, state_after
from fairkey.business import escrow
from fairkey.business.basics import Broken
from fairkey.business.escrow import (
    ExistenceBriefing,
    JudgePayment,
    NothingHasFailed,
    OrderIsUnknown,
    PaymentReceived,
    PaymentRefunded,
    PaymentReleased,
    PaymentSettled,
    PaymentSurplus,
    RecordPayment,
    RecordRefund,
    RecordRelease,
    RefundFailed,
    RefundHeld,
    RefundRequested,
    ReleaseFailed,
    ReleaseHeld,
    RetryRefund,
    RetryRelease,
    StakeKept,
    StandingBriefing,
)

ID = {"shop_id": SHOP, "order_id": ORDER}
EXISTS, UNKNOWN = ExistenceBriefing(order_exists=True), ExistenceBriefing(order_exists=False)


def received(txn: str, amount_fen: int) -> PaymentReceived:
    return PaymentReceived(provider="sandbox", provider_txn=txn, amount_fen=amount_fen, paid_at_ms=NOW)


def record(txn: str, amount_fen: int) -> RecordPayment:
    return RecordPayment(**ID, provider="sandbox", provider_txn=txn, amount_fen=amount_fen, paid_at_ms=NOW)


def refund(number: int, txn: str, amount_fen: int, why: str, attempt: int = 1) -> RefundRequested:
    return RefundRequested(
        refund_no=number, provider="sandbox", provider_txn=txn, amount_fen=amount_fen, why=why, attempt=attempt
    )


def release(number: int, txn: str, shop_fen: int, fee_fen: int, attempt: int = 1) -> PaymentReleased:
    return PaymentReleased(
        release_no=number, provider="sandbox", provider_txn=txn, shop_fen=shop_fen, fee_fen=fee_fen, attempt=attempt
    )


def standing(keep_fen: int, why: str = "surplus", fee_bp: int = 250) -> StandingBriefing:
    return StandingBriefing(keep_fen=keep_fen, fee_bp=fee_bp, why=why)


A, B = received("a", 1_000), received("b", 600)
REFUND_A = refund(1, "a", 400, "complaint")
RELEASE_A = release(1, "a", 975, 25)
RECORDING = [
    Case(rule="money that arrives is a fact", when=record("a", 1_000), brief=EXISTS, then=[A]),
    Case(rule="told twice it is the same money", given=(A,), when=record("a", 1_000), brief=EXISTS, then=[]),
    Case(rule="another transaction is other money", given=(A,), when=record("b", 600), brief=EXISTS, then=[B]),
    Case(
        rule="money for no order of ours is left to the unmatched",
        when=record("a", 1_000),
        brief=UNKNOWN,
        then=OrderIsUnknown,
    ),
    Case(rule="a payment of nothing is our own bug", when=record("a", 0), brief=EXISTS, then=Broken),
]
JUDGING = [
    Case(
        rule="what the order keeps is left alone", given=(A,), when=JudgePayment(**ID), brief=standing(1_000), then=[]
    ),
    Case(rule="too little waits", given=(A,), when=JudgePayment(**ID), brief=standing(1_001), then=[]),
    Case(
        rule="one fen too much goes back",
        given=(A,),
        when=JudgePayment(**ID),
        brief=standing(999),
        then=[PaymentSurplus(amount_fen=1, why="surplus"), refund(1, "a", 1, "surplus")],
    ),
    Case(
        rule="a second payment goes back to its own payer",
        given=(A, B),
        when=JudgePayment(**ID),
        brief=standing(1_000, "second"),
        then=[PaymentSurplus(amount_fen=600, why="second"), refund(1, "b", 600, "second")],
    ),
    Case(
        rule="late money that cannot be used goes back whole",
        given=(A,),
        when=JudgePayment(**ID),
        brief=standing(0, "late"),
        then=[PaymentSurplus(amount_fen=1_000, why="late"), refund(1, "a", 1_000, "late")],
    ),
    Case(
        rule="money after the end does not touch what has left",
        given=(A, RELEASE_A, B),
        when=JudgePayment(**ID),
        brief=standing(0, "second"),
        then=[PaymentSurplus(amount_fen=600, why="second"), refund(1, "b", 600, "second")],
    ),
]


def back(rule: str, given: tuple[object, ...], amount_fen: int, then: object) -> Case:
    return Case(rule=rule, given=given, when=RefundHeld(**ID, amount_fen=amount_fen, why="complaint"), then=then)


REFUNDING = [
    back("nothing held, nothing goes back", (), -1, []),
    back("all of it", (A,), -1, [refund(1, "a", 1_000, "complaint")]),
    back("a part of it", (A,), 400, [REFUND_A]),
    back("the newest payment first", (A, B), 700, [refund(1, "b", 600, "complaint"), refund(2, "a", 100, "complaint")]),
    back("what has left cannot leave again", (A, REFUND_A), -1, [refund(2, "a", 600, "complaint")]),
    back("more than is held is our own bug", (A,), 1_001, Broken),
    back("even by the part that left before", (A, REFUND_A), 601, Broken),
]


def out(rule: str, given: tuple[object, ...], fee_bp: int, then: object) -> Case:
    return Case(rule=rule, given=given, when=ReleaseHeld(**ID), brief=standing(0, fee_bp=fee_bp), then=then)


RELEASING = [
    out("the shop gets the money less the fee", (A,), 250, [RELEASE_A]),
    out("without a fee all of it", (A,), 0, [release(1, "a", 1_000, 0)]),
    out("the fee is rounded down", (received("a", 39),), 250, [release(1, "a", 39, 0)]),
    out("and is a fen from forty on", (received("a", 40),), 250, [release(1, "a", 39, 1)]),
    out("only what is held", (A, REFUND_A), 250, [release(1, "a", 585, 15)]),
    out(
        "each payment is split on its own, the fee is taken once",
        (A, B),
        250,
        [release(1, "a", 960, 40), release(2, "b", 600, 0)],
    ),
    out(
        "a fee larger than a payment goes on to the next",
        (received("a", 1), received("c", 999)),
        250,
        [release(1, "a", 0, 1), release(2, "c", 975, 24)],
    ),
    Case(
        rule="a lost stake goes the way of the fee, and no fee is taken of it",
        given=(A,),
        when=ReleaseHeld(**ID),
        brief=replace(standing(0, fee_bp=250), stake_fen=200),
        then=[release(1, "a", 780, 220), StakeKept(amount_fen=200)],
    ),
    Case(
        rule="and is kept once",
        given=(A, release(1, "a", 780, 220), StakeKept(amount_fen=200), B),
        when=ReleaseHeld(**ID),
        brief=replace(standing(0, fee_bp=0), stake_fen=200),
        then=[release(2, "b", 600, 0)],
    ),
    out("nothing held, nothing to release", (A, REFUND_A, refund(2, "a", 600, "complaint")), 250, []),
]


def told(
    rule: str, given: tuple[object, ...], then: object, *, succeeded: bool = True, number: int = 1, attempt: int = 1
) -> Case:
    when = RecordRefund(**ID, refund_no=number, attempt=attempt, succeeded=succeeded, reason="account closed")
    return Case(rule=rule, given=given, when=when, then=then)


def told_release(
    rule: str, given: tuple[object, ...], then: object, *, succeeded: bool = True, number: int = 1, attempt: int = 1
) -> Case:
    when = RecordRelease(**ID, release_no=number, attempt=attempt, succeeded=succeeded, reason="frozen")
    return Case(rule=rule, given=given, when=when, then=then)


REFUNDED = PaymentRefunded(refund_no=1, amount_fen=400)
REFUND_FAILED = RefundFailed(refund_no=1, reason="account closed")
SETTLED = PaymentSettled(release_no=1, shop_fen=975)
RELEASE_FAILED = ReleaseFailed(release_no=1, reason="frozen")
REPORTS = [
    told("the provider paid back", (A, REFUND_A), [REFUNDED]),
    told("told twice changes nothing", (A, REFUND_A, REFUNDED), []),
    told("a failure is kept with its reason", (A, REFUND_A), [REFUND_FAILED], succeeded=False),
    told("told twice it failed once", (A, REFUND_A, REFUND_FAILED), [], succeeded=False),
    told("a failure after success is not believed", (A, REFUND_A, REFUNDED), [], succeeded=False),
    told("a success after failure is", (A, REFUND_A, REFUND_FAILED), [REFUNDED]),
    told(
        "the failure of an older attempt does not touch the newer",
        (A, REFUND_A, REFUND_FAILED, refund(1, "a", 400, "complaint", 2)),
        [],
        succeeded=False,
        attempt=1,
    ),
    told(
        "the failure of the newer does",
        (A, REFUND_A, REFUND_FAILED, refund(1, "a", 400, "complaint", 2)),
        [REFUND_FAILED],
        succeeded=False,
        attempt=2,
    ),
    told(
        "the success of any attempt counts",
        (A, REFUND_A, REFUND_FAILED, refund(1, "a", 400, "complaint", 2)),
        [REFUNDED],
        attempt=1,
    ),
    told("a report on a refund we never asked for is our own bug", (A,), Broken),
    told_release("the provider split", (A, RELEASE_A), [SETTLED]),
    told_release("a split told twice changes nothing", (A, RELEASE_A, SETTLED), []),
    told_release("a failed split is kept with its reason", (A, RELEASE_A), [RELEASE_FAILED], succeeded=False),
    told_release("a failed split told twice failed once", (A, RELEASE_A, RELEASE_FAILED), [], succeeded=False),
    told_release("a split that failed after success is not believed", (A, RELEASE_A, SETTLED), [], succeeded=False),
    told_release("a split that worked after all is", (A, RELEASE_A, RELEASE_FAILED), [SETTLED]),
    told_release(
        "an older attempt's failure does not touch a newer split",
        (A, RELEASE_A, RELEASE_FAILED, release(1, "a", 975, 25, 2)),
        [],
        succeeded=False,
    ),
    told_release(
        "a newer attempt's failure does",
        (A, RELEASE_A, RELEASE_FAILED, release(1, "a", 975, 25, 2)),
        [RELEASE_FAILED],
        succeeded=False,
        attempt=2,
    ),
    told_release("a report on a split we never asked for is our own bug", (A,), Broken),
]
AGAIN = [
    Case(
        rule="a failed refund is asked for again",
        given=(A, REFUND_A, REFUND_FAILED),
        when=RetryRefund(**ID, refund_no=1),
        then=[refund(1, "a", 400, "complaint", 2)],
    ),
    Case(rule="one under way is not", given=(A, REFUND_A), when=RetryRefund(**ID, refund_no=1), then=NothingHasFailed),
    Case(
        rule="one that is done is not",
        given=(A, REFUND_A, REFUNDED),
        when=RetryRefund(**ID, refund_no=1),
        then=NothingHasFailed,
    ),
    Case(rule="one that never was is not", when=RetryRefund(**ID, refund_no=1), then=NothingHasFailed),
    Case(
        rule="a failed split is asked for again",
        given=(A, RELEASE_A, RELEASE_FAILED),
        when=RetryRelease(**ID, release_no=1),
        then=[release(1, "a", 975, 25, 2)],
    ),
    Case(
        rule="a split under way is not",
        given=(A, RELEASE_A),
        when=RetryRelease(**ID, release_no=1),
        then=NothingHasFailed,
    ),
    Case(
        rule="a split that is done is not",
        given=(A, RELEASE_A, SETTLED),
        when=RetryRelease(**ID, release_no=1),
        then=NothingHasFailed,
    ),
    Case(rule="a split that never was is not", when=RetryRelease(**ID, release_no=1), then=NothingHasFailed),
]
CASES = [*RECORDING, *JUDGING, *REFUNDING, *RELEASING, *REPORTS, *AGAIN]


@all_of(CASES)
def test_escrow(case: Case) -> None:
    hold(escrow, case)


def test_what_came_in_is_held_or_refunded_or_released_or_fee() -> None:
    for given in (
        (A, B),
        (A, REFUND_A),
        (A, RELEASE_A, B),
        (A, REFUND_A, release(1, "a", 590, 10)),
        (A, B, refund(1, "b", 600, "x")),
    ):
        money = state_after(escrow, given)
        assert money.received_fen == money.held_fen + money.refunded_fen + money.released_fen + money.fee_fen


def test_asking_again_moves_no_money_twice() -> None:
    once = state_after(escrow, (A, REFUND_A, REFUND_FAILED))
    again = state_after(escrow, (A, REFUND_A, REFUND_FAILED, refund(1, "a", 400, "complaint", 2)))
    assert (once.held_fen, once.refunded_fen) == (again.held_fen, again.refunded_fen) == (600, 400)
