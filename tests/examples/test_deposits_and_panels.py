"""What the histories in the neighbouring files leave out: each refusal and each small step once."""

from msgspec.structs import replace

from business_cases import NOW, ORDER, PAYMENT, SHOP, Case, all_of, hold
from fairkey.business import arbitrators, deposits, pool, restoring
from fairkey.business.basics import PLATFORM, FieldIsInvalid, InstructionState
from fairkey.business.deposit_events import DepositAgreed, DepositSecured, DepositToppedUp, ReleaseRequested, TopUpAsked
from golden.samples import SAMPLES

SAMPLE = {type(event): event for event in SAMPLES}
AGREED = DepositAgreed(version=deposits.TERMS_VERSION)
ASKED = TopUpAsked(top_up_id=PAYMENT, amount_fen=50_000, expires_at_ms=NOW + 1)
ARRIVED = DepositToppedUp(
    top_up_no=1, top_up_id=PAYMENT, provider="sandbox", provider_txn="t1", amount_fen=50_000, attempt=1
)
SECURED = DepositSecured(top_up_no=1, amount_fen=50_000)
FULL = (AGREED, ASKED, ARRIVED, SECURED)
NOTHING_BOUND = deposits.CoverBriefing(needed_fen=0)
RELEASE = deposits.RequestRelease(shop_id=SHOP, amount_fen=10_000)
TOP_UP = deposits.TopUpDeposit(shop_id=SHOP, top_up_id=PAYMENT, amount_fen=50_000)
REPORT = deposits.RecordTopUp(
    shop_id=SHOP, top_up_id=PAYMENT, provider="sandbox", provider_txn="t1", amount_fen=50_000, paid_at_ms=NOW
)
WAITING = ReleaseRequested(release_no=1, amount_fen=10_000, due_at_ms=NOW + deposits.NOTICE_MS)
OF_DEPOSITS = [
    Case(
        rule="old terms are not accepted",
        when=deposits.AgreeDeposit(shop_id=SHOP, version="0.9"),
        then=(deposits.TermsAreNotCurrent, {"current": deposits.TERMS_VERSION}),
    ),
    Case(rule="terms come first", when=TOP_UP, then=deposits.DepositIsNotAgreed),
    Case(rule="money nobody asked for", given=(AGREED,), when=REPORT, then=deposits.TopUpIsUnknown),
    Case(rule="money that was asked for", given=(AGREED, ASKED), when=REPORT, then=[ARRIVED]),
    Case(rule="told twice it came once", given=(AGREED, ASKED, ARRIVED), when=REPORT, then=[]),
    Case(rule="nothing is stuck", given=FULL, when=deposits.RetryDeposit(shop_id=SHOP), then=deposits.NothingIsStuck),
    Case(
        rule="more than there is",
        given=FULL,
        when=replace(RELEASE, amount_fen=50_001),
        brief=NOTHING_BOUND,
        then=(deposits.DepositIsTooLow, {"free_fen": 50_000}),
    ),
    Case(
        rule="what covers open orders stays",
        given=FULL,
        when=RELEASE,
        brief=deposits.CoverBriefing(needed_fen=40_001),
        then=(deposits.DepositIsNeeded, {"needed_fen": 40_001, "free_fen": 50_000}),
    ),
    Case(rule="the rest is asked back", given=FULL, when=RELEASE, brief=NOTHING_BOUND, then=[WAITING]),
    Case(
        rule="its notice runs",
        given=(*FULL, WAITING),
        when=deposits.EndNotice(shop_id=SHOP),
        brief=NOTHING_BOUND,
        at_ms=NOW + deposits.NOTICE_MS - 1,
        then=(deposits.ReleaseIsNotDue, {"due_at_ms": NOW + deposits.NOTICE_MS}),
    ),
]
FUNDED = SAMPLE[pool.PoolFunded]
TOOK = pool.PoolTook(from_shop_id=SHOP, amount_fen=200, why="deducted")
OF_THE_POOL = [
    Case(
        rule="a deduction comes in",
        when=pool.TakeIntoPool(
            shop_id=PLATFORM, pool_id=pool.POOL_ID, from_shop_id=SHOP, amount_fen=200, why="deducted"
        ),
        then=[TOOK],
    ),
]
RESTORE = restoring.RestorePayment(shop_id=SHOP, order_id=ORDER, amount_fen=700, source="deposit")
ONE_PAYMENT = restoring.PaymentsBriefing(
    payments=(restoring.Payable(provider="sandbox", provider_txn="t9", amount_fen=1_000),)
)
RESTORING = restoring.PaymentRestoring(
    restore_no=1, provider="sandbox", provider_txn="t9", amount_fen=700, source="deposit", attempt=1
)
RECORD = restoring.RecordRestored(shop_id=SHOP, order_id=ORDER, restore_no=1, attempt=1, succeeded=True)
REFUSED = restoring.RestoreFailed(restore_no=1, reason="closed")
AGAIN = restoring.RetryRestore(shop_id=SHOP, order_id=ORDER, restore_no=1)
OF_RESTORING = [
    Case(rule="back to the payment it came from", when=RESTORE, brief=ONE_PAYMENT, then=[RESTORING]),
    Case(
        rule="the provider confirms",
        given=(RESTORING,),
        when=RECORD,
        then=[restoring.PaymentRestored(restore_no=1, amount_fen=700)],
    ),
    Case(
        rule="or refuses",
        given=(RESTORING,),
        when=replace(RECORD, succeeded=False, reason="closed"),
        then=[REFUSED],
    ),
    Case(rule="refused it is told again", given=(RESTORING, REFUSED), when=AGAIN, then=[replace(RESTORING, attempt=2)]),
    Case(rule="else not", given=(RESTORING,), when=AGAIN, then=restoring.NothingToRestore),
]
APPLIED = SAMPLE[arbitrators.ArbitratorApplied]
WHO = {"shop_id": PLATFORM, "arbitrator_id": PAYMENT}
NO = "Too little is known about the trade."
OF_ARBITRATORS = [
    Case(
        rule="refused with a reason",
        given=(APPLIED,),
        when=arbitrators.RefuseArbitrator(**WHO, reason=NO),
        then=[arbitrators.ArbitratorRefused(reason=NO)],
    ),
    Case(
        rule="a higher panel decided otherwise",
        given=(APPLIED,),
        when=arbitrators.NoteReversed(**WHO, panel_id=ORDER, by_panel_id=PAYMENT),
        then=[arbitrators.ArbitratorReversed(panel_id=ORDER, by_panel_id=PAYMENT)],
    ),
]

JUDGED = arbitrators.ArbitratorJudged(panel_id=ORDER, voted=True, agreed=True, fee_fen=300)
PAY = arbitrators.PayFees(**WHO, amount_fen=300, note="transfer 7")
OF_ARBITRATORS += [
    Case(
        rule="fees are paid as earned",
        given=(APPLIED, JUDGED),
        when=PAY,
        then=[arbitrators.ArbitratorPaid(amount_fen=300, note="transfer 7")],
    ),
    Case(
        rule="each fen once",
        given=(APPLIED, JUDGED, arbitrators.ArbitratorPaid(amount_fen=1, note="transfer 6")),
        when=PAY,
        then=(arbitrators.FeesAreNotDue, {"due_fen": 299}),
    ),
    Case(
        rule="and not less than one",
        given=(APPLIED, JUDGED),
        when=replace(PAY, amount_fen=0),
        then=(FieldIsInvalid, {"field": "amount_fen", "why": "not_positive"}),
    ),
]


@all_of(OF_DEPOSITS)
def test_deposits(case: Case) -> None:
    hold(deposits, case)


@all_of(OF_THE_POOL)
def test_the_pool(case: Case) -> None:
    hold(pool, case)


@all_of(OF_RESTORING)
def test_restoring(case: Case) -> None:
    hold(restoring, case)


@all_of(OF_ARBITRATORS)
def test_arbitrators(case: Case) -> None:
    hold(arbitrators, case)


def test_a_refused_restoring_is_seen() -> None:
    state = restoring.evolve(restoring.evolve(restoring.INITIAL, RESTORING, NOW), REFUSED, NOW)
    assert [one.state for one in state.all] == [InstructionState.FAILED]
