"""What follows from what: consequences, ledger rows, deadlines, reports of the provider, effects and references."""

import pytest
from msgspec.structs import replace

from business_cases import COUPON, LISTING, NOW, ORDER, OTHER_SHOP, PAYMENT, PAYOUT, SHOP, state_after
from fairkey.business import (
    admissions,
    attestations,
    claims,
    codes,
    complaints,
    coupons,
    crediting,
    deposit_events,
    deposits,
    dispute_events,
    dispute_state,
    escrow,
    evidence,
    files,
    liquidations,
    messages,
    orders,
    outages,
    panel_events,
    panels,
    payments,
    payouts,
    pool,
    postings,
    quarantines,
    restoring,
    shops,
    vanishing,
)
from fairkey.business.basics import DAY_MS, HOUR_MS, MINUTE_MS, PLATFORM, Command, Event, Stream
from fairkey.business.consequences import consequences_of
from fairkey.business.deadlines import Due, command_for, due_of
from fairkey.business.postings import Account, Posting, postings_of
from fairkey.business.references import read_reference, reference_of
from fairkey.business.reports import report_of, report_of_instruction
from fairkey.effects.queue import effects_of, key_of, read_key
from golden.samples import CODES, SAMPLES

STREAM = Stream(SHOP, "order", ORDER)
SAMPLE: dict[type, Event] = {type(event): event for event in SAMPLES}
ID = {"shop_id": SHOP, "order_id": ORDER}
PAID = SAMPLE[orders.OrderPaid]
RELEASE = codes.ReleaseCodes(**ID)
SPLIT = escrow.ReleaseHeld(**ID)
LATE = complaints.RuleLateDelivery(**ID)
BACK = coupons.ReturnCoupon(shop_id=SHOP, coupon_id=COUPON, order_id=ORDER)


def refund(amount_fen: int, why: str) -> escrow.RefundHeld:
    return escrow.RefundHeld(**ID, amount_fen=amount_fen, why=why)


def into_pool(amount_fen: int, why: str) -> pool.TakeIntoPool:
    return pool.TakeIntoPool(shop_id=PLATFORM, pool_id=pool.POOL_ID, from_shop_id=SHOP, amount_fen=amount_fen, why=why)


PLACED = replace(SAMPLE[orders.OrderPlaced], listing_id=LISTING, coupon_id="")
RESERVE = codes.ReserveCodes(**ID, listing_id=LISTING, quantity=2)
USE = coupons.UseCoupon(shop_id=SHOP, coupon_id=COUPON, order_id=ORDER)
PAID_IN_TIME = replace(PAID, late=False, delivery=orders.Delivery.VAULT, listing_id=LISTING, coupon_id=COUPON)
CAUSES: list[tuple[str, Event, list[Command]]] = [
    ("placing reserves", PLACED, [RESERVE]),
    ("placing takes the coupon", replace(PLACED, coupon_id=COUPON), [RESERVE, USE]),
    ("a manual order reserves nothing", replace(PLACED, delivery=orders.Delivery.MANUAL), []),
    (
        "money is looked at by the order, then by the escrow",
        SAMPLE[escrow.PaymentReceived],
        [orders.ConfirmPayment(**ID), escrow.JudgePayment(**ID)],
    ),
    ("paid is delivered", PAID_IN_TIME, [codes.DeliverReserved(**ID)]),
    (
        "paid late takes coupon and codes again",
        replace(PAID_IN_TIME, late=True),
        [replace(USE, again=True), RESERVE, codes.DeliverReserved(**ID)],
    ),
    ("a manual order waits for its merchant", replace(PAID_IN_TIME, delivery=orders.Delivery.MANUAL), []),
    ("codes in the box may complete the delivery", SAMPLE[codes.CodesDelivered], [orders.MarkDelivered(**ID)]),
    (
        "expiry lets codes, money and coupon go",
        orders.OrderExpired(by="clock", coupon_id=COUPON),
        [RELEASE, refund(-1, "expired"), BACK],
    ),
    ("and withdrawal, too", orders.OrderWithdrawn(coupon_id=COUPON), [RELEASE, refund(-1, "withdrawn"), BACK]),
    (
        "a missed promise",
        orders.OrderCancelled(charged_units=0, charged_fen=0, refund_fen=9, coupon_id=COUPON),
        [RELEASE, refund(9, "not_delivered_in_time"), SPLIT, BACK, LATE],
    ),
    (
        "an opened code keeps the coupon used",
        orders.OrderCancelled(charged_units=1, charged_fen=4, refund_fen=5, coupon_id=COUPON),
        [RELEASE, refund(5, "not_delivered_in_time"), SPLIT, LATE],
    ),
    (
        "what a late merchant did not deliver goes back, the rest waits for the buyer's word",
        orders.OrderCutShort(quantity=1, amount_fen=4, refund_fen=5),
        [RELEASE, refund(5, "not_delivered_in_time"), LATE],
    ),
    (
        "completion releases, and counts as a clean order if it was one",
        orders.OrderCompleted(by="clock"),
        [SPLIT, crediting.NoteClean(**ID)],
    ),
    ("a complaint freezes", SAMPLE[dispute_events.ComplaintOpened], [orders.FreezeOrder(**ID)]),
    (
        "what people are to decide convenes a panel",
        SAMPLE[dispute_events.ComplaintEscalated],
        [
            panels.ConvenePanel(
                shop_id=PLATFORM, panel_id=CODES[0], order_shop_id=SHOP, order_id=ORDER, level=3, value_fen=2_000
            )
        ],
    ),
    (
        "what a ruling costs the shop comes out of its deposit, once for a ruling",
        dispute_events.RulingExecuted(ruling_no=2, row="R03", escrow_fen=5, deposit_fen=0, pool_fen=7, deduct_fen=9),
        [
            crediting.NoteDefect(**ID, ruling_no=2),
            deposits.ChargeDeposit(**ID, ruling_no=2, row="R03", deduct_fen=9, refund_fen=0),
            pool.PayFromPool(
                shop_id=PLATFORM,
                pool_id=pool.POOL_ID,
                order_shop_id=SHOP,
                order_id=ORDER,
                ruling_no=2,
                row="R03",
                amount_fen=7,
            ),
        ],
    ),
    (
        "a ruling by R18 says that the shop has vanished",
        dispute_events.RulingExecuted(ruling_no=1, row="R18", escrow_fen=5, deposit_fen=0, pool_fen=0, deduct_fen=0),
        [crediting.NoteDefect(**ID, ruling_no=1), shops.NoteVanished(**ID, ruling_no=1)],
    ),
    (
        "a vanished shop's order gives all back",
        orders.OrderWoundUp(refund_fen=7),
        [RELEASE, refund(-1, "shop_vanished")],
    ),
    (
        "its end closes the order",
        SAMPLE[dispute_events.ComplaintClosed],
        [orders.CloseDisputed(**ID, refund_fen=100, by="ruled")],
    ),
    ("a part back leaves the codes", orders.OrderRefunded(refund_fen=7, partly=True), [refund(7, "complaint"), SPLIT]),
    (
        "all back takes the sealed ones",
        orders.OrderRefunded(refund_fen=7, partly=False),
        [RELEASE, refund(7, "complaint")],
    ),
    (
        "who is verified for the first time opens",
        admissions.ApplicationPassed(
            round=1, checked_until_ms=9, admits=True, fee_bp=200, reviewer="r", reason="all fits"
        ),
        [shops.AdmitShop(shop_id=STREAM.shop_id, fee_bp=200), shops.RenewCheck(shop_id=STREAM.shop_id, until_ms=9)],
    ),
    (
        "who trades already is checked",
        admissions.ApplicationPassed(
            round=1, checked_until_ms=9, admits=False, fee_bp=200, reviewer="r", reason="all fits"
        ),
        [shops.RenewCheck(shop_id=STREAM.shop_id, until_ms=9)],
    ),
]
DECIDED = SAMPLE[panel_events.PanelDecided]
LAPSED = SAMPLE[panel_events.PanelLapsed]
DEDUCTED = SAMPLE[deposit_events.DepositDeducted]
FORFEITED = SAMPLE[deposit_events.StakeForfeited]
POOL_PAID = SAMPLE[pool.PoolPaid]
SHARE = SAMPLE[liquidations.SharePaid]
STAKED = SAMPLE[dispute_events.StakeSettled]
ESCALATED = SAMPLE[dispute_events.ComplaintEscalated]
CONVENE = panels.ConvenePanel(
    shop_id=PLATFORM,
    panel_id=ESCALATED.panel_id,
    order_shop_id=SHOP,
    order_id=ORDER,
    level=3,
    value_fen=ESCALATED.value_fen,
)
LOCK = deposits.LockStake(shop_id=SHOP, panel_id=ESCALATED.panel_id, amount_fen=200)
CAUSES += [
    (
        "what a panel decides goes to its order",
        DECIDED,
        [
            complaints.TakePanelVerdict(
                shop_id=DECIDED.order_shop_id,
                order_id=DECIDED.order_id,
                panel_id=STREAM.id,
                level=DECIDED.level,
                refund_fen=DECIDED.refund_fen,
                row=DECIDED.row,
                case="",
                text_sha256=DECIDED.text_sha256,
            )
        ],
    ),
    (
        "and that it decided nothing",
        LAPSED,
        [complaints.TakePanelLapse(shop_id=LAPSED.order_shop_id, order_id=LAPSED.order_id, panel_id=STREAM.id)],
    ),
    (
        "a deduction pays the buyer, then the pool; what is short the pool pays",
        DEDUCTED,
        [
            restoring.RestorePayment(
                shop_id=SHOP, order_id=DEDUCTED.order_id, amount_fen=DEDUCTED.refund_fen, source="deposit"
            ),
            into_pool(DEDUCTED.penalty_fen, "deducted"),
            pool.PayBounty(
                shop_id=PLATFORM,
                pool_id=pool.POOL_ID,
                order_shop_id=SHOP,
                order_id=DEDUCTED.order_id,
                ruling_no=DEDUCTED.ruling_no,
                row=DEDUCTED.row,
                most_fen=DEDUCTED.penalty_fen,
            ),
            pool.PayFromPool(
                shop_id=PLATFORM,
                pool_id=pool.POOL_ID,
                order_shop_id=SHOP,
                order_id=DEDUCTED.order_id,
                ruling_no=DEDUCTED.ruling_no,
                row=DEDUCTED.row,
                amount_fen=DEDUCTED.short_fen,
                for_what="short",
            ),
        ],
    ),
    (
        "a shop's appeal to seven locks its stake, then the panel is asked for",
        replace(ESCALATED, level=7, by="shop", stake_fen=200),
        [LOCK, replace(CONVENE, level=7, stake_fen=200)],
    ),
    ("a buyer's locks nothing", replace(ESCALATED, by="buyer", stake_fen=200), [replace(CONVENE, stake_fen=200)]),
    (
        "a lost stake of the shop leaves its deposit",
        STAKED,
        [deposits.ForfeitStake(shop_id=SHOP, panel_id=STAKED.panel_id)],
    ),
    (
        "and goes back when it was right",
        replace(STAKED, returned=True, kept_fen=0),
        [deposits.ReturnStake(shop_id=SHOP, panel_id=STAKED.panel_id)],
    ),
    (
        "a replacement is taken out of stock in the same moment",
        SAMPLE[dispute_events.ReplacementSent],
        [codes.ReplaceCodes(**ID, instead_of=CODES)],
    ),
    ("a buyer's is kept when the money is split", replace(STAKED, by=dispute_events.Side.BUYER), []),
    ("what was owed is the pool's", SAMPLE[deposit_events.OwedCollected], [into_pool(400, "owed")]),
    (
        "what a ruling by R18 takes is kept for claims",
        replace(DEDUCTED, row="R18", refund_fen=0, short_fen=0),
        [liquidations.KeepForClaims(shop_id=SHOP, order_id=DEDUCTED.order_id, amount_fen=DEDUCTED.penalty_fen)],
    ),
    (
        "claims can be filed when a shop has vanished, also where it has no deposit",
        SAMPLE[vanishing.ShopVanished],
        [liquidations.KeepForClaims(shop_id=SHOP, order_id=SAMPLE[vanishing.ShopVanished].order_id, amount_fen=0)],
    ),
    (
        "a good claim is noted with the deposit",
        SAMPLE[claims.ClaimAccepted],
        [liquidations.NoteClaim(**ID, row="R11", claim_fen=2_000)],
    ),
    ("what nobody claimed is the pool's", SAMPLE[liquidations.DepositShared], [into_pool(1_100, "liquidated")]),
    (
        "a share is paid to the order's payer, what is short the pool is asked for",
        SHARE,
        [
            restoring.RestorePayment(shop_id=SHOP, order_id=SHARE.order_id, amount_fen=1_900, source="deposit"),
            pool.PayFromPool(shop_id=PLATFORM, pool_id=pool.POOL_ID, order_shop_id=SHOP, order_id=SHARE.order_id,
                             ruling_no=1, row="R11", amount_fen=100, for_what="claim"),
        ],
    ),
    ("a lost stake is the pool's", FORFEITED, [into_pool(FORFEITED.amount_fen, "stake")]),
    (
        "what the pool pays reaches the order's payer",
        POOL_PAID,
        [
            restoring.RestorePayment(
                shop_id=POOL_PAID.order_shop_id,
                order_id=POOL_PAID.order_id,
                amount_fen=POOL_PAID.amount_fen,
                source="pool",
            )
        ],
    ),
]
WITH_CONSEQUENCES = {type(event) for _, event, _ in CAUSES}


@pytest.mark.parametrize(("event", "then"), [case[1:] for case in CAUSES], ids=[case[0] for case in CAUSES])
def test_consequences(event: Event, then: list[Command]) -> None:
    assert consequences_of(STREAM, event) == then


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: event.kind)
def test_whatever_else_happens_ends_there(event: Event) -> None:
    if type(event) not in WITH_CONSEQUENCES:
        assert consequences_of(STREAM, event) == []


ROWS: dict[type[Event], list[Posting]] = {
    escrow.PaymentReceived: [Posting(Account.PROVIDER_CLEARING, Account.ESCROW, 18_501)],
    escrow.RefundRequested: [Posting(Account.ESCROW, Account.REFUND_PAYABLE, 1)],
    escrow.PaymentRefunded: [Posting(Account.REFUND_PAYABLE, Account.PROVIDER_CLEARING, 1)],
    escrow.PaymentReleased: [
        Posting(Account.ESCROW, Account.SHOP_PENDING, 18_130),
        Posting(Account.ESCROW, Account.PLATFORM_FEE, 370),
    ],
    escrow.StakeKept: [Posting(Account.PLATFORM_FEE, Account.ARBITRATION, 950)],
    escrow.PaymentSettled: [Posting(Account.SHOP_PENDING, Account.SHOP_AVAILABLE, 18_130)],
    payouts.PayoutRequested: [Posting(Account.SHOP_AVAILABLE, Account.PAYOUT_PAYABLE, 18_130)],
    payouts.PaidOut: [Posting(Account.PAYOUT_PAYABLE, Account.PROVIDER_CLEARING, 18_130)],
    payouts.PayoutFailed: [Posting(Account.PAYOUT_PAYABLE, Account.SHOP_AVAILABLE, 18_130)],
    payouts.PayoutArrived: [Posting(Account.SHOP_AVAILABLE, Account.PROVIDER_CLEARING, 18_130)],
    payouts.PayoutReturned: [Posting(Account.PROVIDER_CLEARING, Account.SHOP_AVAILABLE, 18_130)],
    payments.PaymentUnmatched: [Posting(Account.PROVIDER_CLEARING, Account.UNMATCHED, 700, "USD")],
    payments.UnmatchedRefundRequested: [Posting(Account.UNMATCHED, Account.REFUND_PAYABLE, 700, "USD")],
    payments.UnmatchedRefunded: [Posting(Account.REFUND_PAYABLE, Account.PROVIDER_CLEARING, 700, "USD")],
    restoring.PaymentRestored: [Posting(Account.REFUND_PAYABLE, Account.PROVIDER_CLEARING, 1_000)],
    deposit_events.DepositSecured: [Posting(Account.DEPOSIT_COMING, Account.DEPOSIT_FREE, 50_000)],
    deposit_events.DepositDeducted: [
        Posting(Account.DEPOSIT_FREE, Account.REFUND_PAYABLE, 1_000),
        Posting(Account.DEPOSIT_FREE, Account.PROVIDER_CLEARING, 2_000),
    ],
    liquidations.KeptForClaims: [Posting(Account.PROVIDER_CLEARING, Account.DEPOSIT_LOCKED, 3_000)],
    liquidations.DepositShared: [Posting(Account.DEPOSIT_LOCKED, Account.PROVIDER_CLEARING, 1_100)],
    liquidations.SharePaid: [Posting(Account.DEPOSIT_LOCKED, Account.REFUND_PAYABLE, 1_900)],
    deposit_events.OwedCollected: [Posting(Account.DEPOSIT_FREE, Account.PROVIDER_CLEARING, 400)],
    deposit_events.StakeLocked: [Posting(Account.DEPOSIT_FREE, Account.STAKE, 200)],
    deposit_events.StakeReturned: [Posting(Account.STAKE, Account.DEPOSIT_FREE, 200)],
    deposit_events.StakeForfeited: [Posting(Account.STAKE, Account.PROVIDER_CLEARING, 200)],
    deposit_events.ReleaseRequested: [Posting(Account.DEPOSIT_FREE, Account.DEPOSIT_LOCKED, 7_000)],
    deposit_events.ReleaseCut: [Posting(Account.DEPOSIT_LOCKED, Account.DEPOSIT_FREE, 300)],
    deposit_events.DepositReleased: [Posting(Account.DEPOSIT_LOCKED, Account.PAYOUT_PAYABLE, 6_700)],
    deposit_events.DepositReturned: [Posting(Account.PAYOUT_PAYABLE, Account.PROVIDER_CLEARING, 6_700)],
    pool.PoolFunded: [Posting(Account.PROVIDER_CLEARING, Account.GUARANTEE_POOL, 100_000)],
    pool.PoolTook: [Posting(Account.PROVIDER_CLEARING, Account.GUARANTEE_POOL, 2_000)],
    pool.PoolPaid: [Posting(Account.GUARANTEE_POOL, Account.PROVIDER_CLEARING, 5_000)],
}


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: event.kind)
def test_ledger_rows(event: Event) -> None:
    assert postings_of(event) == ROWS.get(type(event), [])


def test_what_is_asked_again_moves_no_money_again() -> None:
    for kind in (escrow.RefundRequested, escrow.PaymentReleased, payments.UnmatchedRefundRequested):
        assert postings_of(replace(SAMPLE[kind], attempt=2)) == []


def test_rows_of_nothing_are_not_written() -> None:
    assert len(postings_of(replace(SAMPLE[escrow.PaymentReleased], fee_fen=0))) == 1
    assert len(postings_of(replace(SAMPLE[escrow.PaymentReleased], shop_fen=0))) == 1
    assert postings_of(replace(SAMPLE[escrow.PaymentSettled], shop_fen=0)) == []
    assert {Account.PROVIDER_CLEARING} == postings.ASSETS


ORDER_DUE = [
    (orders.Stage.NEW, None),
    (orders.Stage.PLACED, Due(1, "expire")),
    (orders.Stage.PAID, Due(2, "cancel_late")),
    (orders.Stage.DELIVERED, Due(3 + 7 * DAY_MS, "complete")),
    (orders.Stage.DISPUTED, Due(4, "end_silence")),
    *((stage, None) for stage in sorted(orders.ENDED)),
]


@pytest.mark.parametrize(("stage", "due"), ORDER_DUE)
def test_every_stage_has_its_deadline_and_an_end_has_none(stage: orders.Stage, due: Due | None) -> None:
    order = orders.Order(stage=stage, expires_at_ms=1, deliver_by_ms=2, delivered_at_ms=3)
    assert due_of(files.OrderFile(order=order, complaint=dispute_state.Complaint(due_at_ms=4))) == due


def test_every_stage_is_in_the_table_of_deadlines() -> None:
    assert {stage for stage, _ in ORDER_DUE} == set(orders.Stage)


def test_an_opened_code_shortens_the_deadline() -> None:
    order = orders.Order(stage=orders.Stage.DELIVERED, delivered_at_ms=10)
    assert due_of(files.OrderFile(order=order, codes=codes.Codes(first_opened_at_ms=20))) == Due(
        20 + 72 * HOUR_MS, "complete"
    )


def test_unmatched_money_goes_back_once() -> None:
    held = state_after(payments, ((SAMPLE[payments.PaymentUnmatched], NOW),))
    assert due_of(files.PaymentFile(unmatched=held)) == Due(NOW + 7 * DAY_MS, "return_unmatched")
    assert (
        due_of(files.PaymentFile(unmatched=payments.evolve(held, SAMPLE[payments.UnmatchedRefundRequested], NOW)))
        is None
    )
    assert due_of(files.PaymentFile()) is None
    assert due_of(files.ShopFile()) is None


def test_each_deadline_has_its_command() -> None:
    asked = {
        what: type(command_for(STREAM, what))
        for what in ("expire", "cancel_late", "complete", "end_silence", "return_unmatched")
    }
    assert asked == {
        "expire": orders.ExpireOrder,
        "cancel_late": orders.CancelLateOrder,
        "complete": orders.CompleteOrder,
        "end_silence": complaints.EndSilence,
        "return_unmatched": payments.ReturnUnmatched,
    }
    with pytest.raises(ValueError, match="tea"):
        command_for(STREAM, "tea")


NOTICE = {
    "shop_id": SHOP,
    "order_id": ORDER,
    "payment_id": PAYMENT,
    "provider": "sandbox",
    "provider_txn": "t",
    "reference": "R",
    "amount_fen": 5,
    "paid_at_ms": NOW,
}


def test_no_notice_of_money_is_dropped() -> None:
    assert isinstance(report_of(reference_is_known=True, currency="CNY", **NOTICE), escrow.RecordPayment)
    for known, currency in ((False, "CNY"), (True, "USD"), (True, "cny"), (True, "")):
        unmatched = report_of(reference_is_known=known, currency=currency, **NOTICE)
        assert isinstance(unmatched, payments.RecordUnmatched)
        assert (unmatched.shop_id, unmatched.payment_id, unmatched.currency) == (PLATFORM, PAYMENT, currency)


def test_a_report_finds_the_instruction_that_it_is_about() -> None:
    def told(what: str, kind: str) -> Command | None:
        return report_of_instruction(what, Stream(SHOP, kind, ORDER), number=2, attempt=3, succeeded=False, reason="no")

    assert told("refund", "order") == escrow.RecordRefund(**ID, refund_no=2, attempt=3, succeeded=False, reason="no")
    assert told("release", "order") == escrow.RecordRelease(**ID, release_no=2, attempt=3, succeeded=False, reason="no")
    assert told("refund", "payment") == payments.RecordUnmatchedRefund(
        shop_id=SHOP, payment_id=ORDER, attempt=3, succeeded=False, reason="no"
    )
    assert told("payout", "payout") == payouts.RecordPayout(shop_id=SHOP, payout_id=ORDER, succeeded=False, reason="no")
    for what, kind in (("payout", "order"), ("release", "payment"), ("tell", "order")):
        assert told(what, kind) is None


INSTRUCTIONS = {
    escrow.RefundRequested: ("refund", "refund", 1),
    escrow.PaymentReleased: ("release", "release", 1),
    payouts.PayoutRequested: ("payout", "payout", 1),
    payments.UnmatchedRefundRequested: ("refund_unmatched", "refund", 1),
}
TELLING = {
    escrow.RefundRequested: ["tell_buyer"],
    orders.OrderDelivered: ["tell_buyer"],
    crediting.CreditChanged: ["tell_merchant"],  # the sample changes the band
    crediting.FreezeReviewed: ["tell_merchant", "look_at_words"],
    quarantines.BatchQuarantined: ["tell_merchant"],
    quarantines.BatchReviewAnswered: ["tell_merchant"],
    quarantines.BatchReviewLapsed: ["tell_merchant"],
    shops.ShopChecked: ["look_at_words"],
    shops.ShopReinstated: ["tell_merchant", "look_at_words"],
    vanishing.ShopVanished: ["tell_merchant", "wind_up", "wind_up"],  # at once, and when the last moment is over
    vanishing.ShopReturned: ["tell_merchant", "look_at_words"],
    liquidations.DepositShared: ["pay_shares"],
    claims.ClaimAnnounced: ["tell_buyer"],
    dispute_events.RulingExecuted: ["quarantine"],
    orders.OrderPaid: ["tell_merchant", "tell_buyer"],  # the sample is a manual order
    orders.OrderExpired: ["ask_again"] * 3,
    dispute_events.ComplaintOpened: ["tell_merchant", "judge", "tell_merchant", "tell_merchant"],  # two reminders
    dispute_events.ComplaintContested: ["tell_buyer", "judge"],
    dispute_events.SettlementOffered: ["tell_buyer"] * 3,  # the sample is the shop's
    dispute_events.SettlementDeclined: ["judge"],
    dispute_events.BuyerAsked: ["tell_buyer"] * 3,
    dispute_events.BuyerReplied: ["judge"],
    dispute_events.ReplacementSent: ["tell_buyer"] * 3,
    dispute_events.ComplaintLapsed: ["tell_buyer"] * 3,
    dispute_events.ComplaintReopened: ["tell_merchant", "judge"],
    dispute_events.ReplacementConfirmed: ["tell_merchant", "judge"],
    dispute_events.ReplacementRefused: ["tell_merchant", "judge", "tell_merchant", "tell_merchant"],
    attestations.CodeActivated: ["judge", "look_at_words"],
    attestations.CodeUnused: ["judge", "look_at_words"],
    attestations.CodeRevoked: ["judge", "look_at_words"],
    dispute_events.RulingReviewed: ["tell_buyer", "tell_merchant"],  # reminders
    dispute_events.ComplaintEscalated: ["tell_buyer", "tell_merchant"],
    dispute_events.ComplaintRuled: ["tell_buyer", "tell_merchant"] * 2,
    messages.MessageSent: ["tell_buyer"],  # the sample is the shop's
    evidence.EvidenceAdded: ["judge"] * 2,  # the sample is a recording: at once, and when it comes to stand
    evidence.EvidenceWithdrawn: ["judge"],
    evidence.EvidenceDoubted: ["judge"],
    evidence.EvidenceConfirmed: ["judge"],
    panel_events.PanelRequested: ["list_pool"],
    panel_events.PanelConvened: ["draw_panel"],
    panel_events.PanelDrawn: ["tell_arbitrator"] * 2,
    panel_events.SeatReplaced: ["tell_arbitrator"] * 2,
    panel_events.RevealOpened: ["reveal_panel"],
    panel_events.PanelDecided: ["settle_panel"],
    panel_events.PanelLapsed: ["settle_panel"],
    outages.OutageEnded: ["resume_clocks"],
    deposit_events.DepositToppedUp: ["deposit_secure"],
    deposit_events.DepositReleased: ["deposit_return"],
    restoring.PaymentRestoring: ["restore"],
    dispute_events.ComplaintClosed: ["tell_buyer", "tell_merchant"],
    **{
        told: ["tell_merchant"]
        for told in (
            admissions.ApplicationPassed,
            admissions.MoreAsked,
            admissions.ApplicationRefused,
            shops.CheckCameNear,
            shops.CheckLapsed,
            shops.ShopSanctioned,
            shops.PayoutAccountChanged,
        )
    },
}


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: event.kind)
def test_effects(event: Event) -> None:
    effects = effects_of(STREAM, 7, event)
    kind, what, number = INSTRUCTIONS.get(type(event), ("", "", 0))
    assert [one.kind for one in effects] == ([kind] if kind else []) + TELLING.get(type(event), [])
    assert len({one.key for one in effects}) == len(effects)
    if kind:
        assert effects[0].key == key_of(STREAM, what, number, 1)
        assert read_key(effects[0].key) == (what, STREAM, number, 1)
        assert effects[0].payload["amount_fen"]


def test_each_attempt_has_its_own_key_and_tells_nobody_twice() -> None:
    first, again = SAMPLE[escrow.RefundRequested], replace(SAMPLE[escrow.RefundRequested], attempt=2)
    assert [one.kind for one in effects_of(STREAM, 9, again)] == ["refund"]
    assert effects_of(STREAM, 9, again)[0].key != effects_of(STREAM, 8, first)[0].key


@pytest.mark.parametrize(
    "key", ["", "a:b", "refund:s:order:i:1", "refund:s:order:i:1:x", "refund:s:order:i:-1:1", "a:b:c:d:e:f:g"]
)
def test_a_key_that_is_not_ours_is_nothing(key: str) -> None:
    assert read_key(key) is None


@pytest.mark.parametrize("shop_no", [1, 31, 32, 101, 32**5 - 1])
def test_a_reference_says_where_to_look(shop_no: int) -> None:
    for order_id in (ORDER, "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"):
        reference = reference_of(shop_no, order_id)
        assert len(reference) <= 31
        assert read_reference(reference) == (shop_no, order_id)
        spoken = f" {reference.lower()[:5]}-{reference[5:].replace('0', 'o').replace('1', 'l')} "
        assert read_reference(spoken) == (shop_no, order_id)


@pytest.mark.parametrize("text", ["", "ABC", "U" * 27, "7" * 26, "0" * 32, "Z" * 27, "0" * 26 + "!", "零" * 27])
def test_what_is_no_reference_leads_nowhere(text: str) -> None:
    assert read_reference(text) is None


def test_shops_do_not_share_addresses() -> None:
    assert Stream(SHOP, "order", ORDER) != Stream(OTHER_SHOP, "order", ORDER)
    assert Stream(SHOP, "payout", PAYOUT) != STREAM
    assert 15 * MINUTE_MS == orders.PAYMENT_WINDOW_MS
