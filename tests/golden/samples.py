"""One sample of every kind of event, each field with a value that would show if it were lost or changed."""

from fairkey.business import (
    admissions,
    arbitrators,
    attestations,
    batches,
    codes,
    coupons,
    crediting,
    deposit_events,
    dispute_events,
    erasures,
    escrow,
    evidence,
    issuers,
    listings,
    messages,
    orders,
    panel_events,
    payments,
    payouts,
    pool,
    restoring,
    reviews,
    shops,
    standards,
)
from fairkey.business.basics import Event, Stream
from fairkey.business.credit.meter import Band
from fairkey.business.lures import Lure
from fairkey.proofs.leaf import leaf_of

AT_MS = 1_760_000_000_123
VERSION = 7
PREV = bytes(range(32))
SEALING_KEY = bytes(range(32, 64))
SHOP = "01990000-0000-7000-8000-000000000001"
ID = "01990000-0000-7000-8000-000000000002"
LISTING = "01990000-0000-7000-8000-000000000003"
CODES = ("01990000-0000-7000-8000-00000000000a", "01990000-0000-7000-8000-00000000000b")
TEXT = 'text "with" \\ 中文 é 😀 </script>\n\t\x7f'

SAMPLES: tuple[Event, ...] = (
    shops.ShopApplied(shop_no=101, name="晨星", contact="owner@example.com", payout_account="bank 1"),
    shops.ShopAdmitted(basis="simple registration", fee_bp=200),
    shops.ShopChanged(name="晨星二", announcement=TEXT, payout_account="bank 2"),
    shops.ShopSuspended(reason=TEXT),
    shops.ShopReinstated(reason=TEXT),
    shops.ShopClosed(),
    shops.ShopSanctioned(number=2, measure="ban", reason_code="false_identity", clause="2", until_ms=AT_MS + 1),
    shops.SanctionAnnotated(number=2, text=TEXT),
    shops.SanctionAppealed(number=2, text=TEXT),
    shops.ShopChecked(until_ms=AT_MS + 2),
    shops.CheckCameNear(until_ms=AT_MS + 2),
    shops.CheckLapsed(until_ms=AT_MS + 2),
    shops.PayoutAccountChanged(payable_from_ms=AT_MS + 3),
    admissions.ApplicationFiled(
        round=3,
        legal_form=admissions.LegalForm.COMPANY,
        terms_hash="ab" * 32,
        uscc="91350100M000100Y43",
        registered_name="晨星商贸有限公司",
        contact_name="陈星",
        contact="owner@example.com",
        address=TEXT,
        sources=TEXT,
        licence="cd" * 32,
    ),
    admissions.ApplicationSeconded(round=3, reviewer="ef" * 16, reason=TEXT),
    admissions.MoreAsked(round=3, items=("licence", "address"), reviewer="ef" * 16, reason=TEXT),
    admissions.ApplicationPassed(
        round=3, checked_until_ms=AT_MS + 4, admits=True, fee_bp=200, reviewer="ef" * 16, reason=TEXT
    ),
    admissions.ApplicationRefused(round=3, reviewer="ef" * 16, reason=TEXT),
    listings.ListingPublished(
        revision=2, revision_hash="ab" * 32, price_fen=9_500, delivery="manual", promise_min=30, terms='{"product":"x"}'
    ),
    listings.ListingWithdrawn(by="operator"),
    coupons.CouponCreated(
        code="SPRING", off_fen=500, off_bp=0, least_fen=1_000, uses_max=10, ends_at_ms=AT_MS + 1, listings=(LISTING,)
    ),
    coupons.CouponUsed(order_id=ID),
    coupons.CouponReturned(order_id=ID),
    coupons.CouponWithdrawn(),
    batches.BatchRegistered(
        listing_id=LISTING, count=2, root="cd" * 32, source="invoice", invoice_sha256="ef" * 32, custody="C1", note=TEXT
    ),
    batches.CodesWithdrawn(listing_id=LISTING, count=3, places="0-1,4"),
    orders.OrderPlaced(
        listing_id=LISTING,
        revision=2,
        revision_hash="ab" * 32,
        quantity=2,
        unit_price_fen=9_500,
        discount_fen=500,
        amount_fen=18_500,
        fee_bp=200,
        delivery=orders.Delivery.VAULT,
        promise_min=0,
        buyer="pseudonym",
        coupon_id=ID,
        expires_at_ms=AT_MS + 900_000,
        contact="buyer@example.com",
        buyer_key="key",
        address_key="net",
        account_id="",
    ),
    orders.OrderExpired(by="clock", coupon_id=ID),
    orders.OrderPaid(
        amount_fen=18_500,
        late=True,
        delivery=orders.Delivery.MANUAL,
        deliver_by_ms=AT_MS + 1,
        listing_id=LISTING,
        quantity=2,
        coupon_id=ID,
    ),
    orders.OrderDelivered(quantity=2),
    orders.WaitAgreed(deliver_by_ms=AT_MS + 2),
    orders.OrderCutShort(quantity=1, amount_fen=9_250, refund_fen=9_250),
    orders.OrderCancelled(charged_units=1, charged_fen=9_250, refund_fen=9_250, coupon_id=""),
    orders.OrderWithdrawn(coupon_id=""),
    orders.OrderConfirmed(),
    orders.OrderDisputed(),
    orders.OrderCompleted(by="buyer"),
    orders.OrderRefunded(refund_fen=100, partly=True),
    escrow.PaymentReceived(provider="sandbox", provider_txn="t-1", amount_fen=18_501, paid_at_ms=AT_MS - 1),
    escrow.PaymentSurplus(amount_fen=1, why="surplus"),
    escrow.RefundRequested(refund_no=1, provider="sandbox", provider_txn="t-1", amount_fen=1, why="surplus", attempt=1),
    escrow.PaymentRefunded(refund_no=1, amount_fen=1),
    escrow.RefundFailed(refund_no=1, reason=TEXT),
    escrow.PaymentReleased(
        release_no=1, provider="sandbox", provider_txn="t-1", shop_fen=18_130, fee_fen=370, attempt=1
    ),
    escrow.StakeKept(amount_fen=950),
    escrow.PaymentSettled(release_no=1, shop_fen=18_130),
    escrow.ReleaseFailed(release_no=1, reason=TEXT),
    codes.CodesReserved(codes=CODES, listing_id=LISTING),
    codes.CodesReleased(codes=CODES, listing_id=LISTING, to_stock=True),
    codes.CodesDelivered(codes=CODES, commitments=("aa" * 32, "bb" * 32)),
    codes.CodesRevealed(codes=CODES, account_name="玩家", account_region="CN"),
    dispute_events.ComplaintOpened(
        reason=dispute_events.Reason.WRONG_REGION, demand_fen=18_500, text=TEXT, answer_by_ms=AT_MS + 3
    ),
    dispute_events.ComplaintContested(text=TEXT, rule_by_ms=AT_MS + 4),
    dispute_events.ComplaintClosed(outcome=dispute_events.Outcome.RULED, refund_fen=100, text=TEXT),
    dispute_events.ComplaintDemanded(demand=dispute_events.Demand.RESEND, screen="steam-duplicate"),
    dispute_events.SettlementOffered(offer_no=1, by=dispute_events.Side.SHOP, refund_fen=500, text=TEXT),
    dispute_events.SettlementAccepted(offer_no=1, by=dispute_events.Side.BUYER),
    dispute_events.SettlementDeclined(offer_no=1, by=dispute_events.Side.BUYER),
    dispute_events.BuyerAsked(reply_by_ms=AT_MS + 7, text=TEXT),
    dispute_events.BuyerReplied(text=TEXT),
    dispute_events.JudgingWaits(case="R00a", until_ms=AT_MS + 8),
    dispute_events.ComplaintEscalated(
        level=3, by="standard", case="R05d", panel_id=CODES[0], value_fen=2_000, stake_fen=0, decide_by_ms=AT_MS + 9
    ),
    dispute_events.ComplaintRuled(
        ruling_no=1,
        by="standard",
        level=0,
        standard="FK-AF-1",
        version="1.0",
        sha256="ab" * 32,
        row="R03",
        case="R03a",
        cases=("R03a", "R15"),
        outcome="refund",
        refund_fen=2_000,
        pool_fen=0,
        deduct_fen=2_000,
        bounty_fen=0,
        points=69,
        buyer_points=0,
        counted=True,
        freezes_shop=False,
        quarantines_batch=True,
        appeal_by_ms=AT_MS + 10,
        verdict=TEXT,
    ),
    dispute_events.RulingAppealed(ruling_no=1, by=dispute_events.Side.SHOP, level=3, text=TEXT),
    dispute_events.ReviewAsked(ruling_no=1, by=dispute_events.Side.BUYER, review_by_ms=AT_MS + 11, text=TEXT),
    dispute_events.RulingReviewed(ruling_no=1, confirmed=True, appeal_by_ms=AT_MS + 12, text=TEXT),
    dispute_events.RulingExecuted(
        ruling_no=1, row="R03", escrow_fen=2_000, deposit_fen=0, pool_fen=0, deduct_fen=2_000
    ),
    dispute_events.StakeSettled(
        level=7, panel_id=ID, by=dispute_events.Side.SHOP, stake_fen=950, returned=False, kept_fen=950
    ),
    dispute_events.RulingTaken(ruling_no=1, by=dispute_events.Side.SHOP),
    messages.MessageSent(
        message_no=3, by=messages.Writer.SHOP, lures=(Lure.CONTACT, Lure.LINK), letter=True, text=TEXT
    ),
    evidence.EvidenceAdded(
        evidence_id=LISTING,
        rank=evidence.Rank.RECORDING,
        piece=evidence.Piece.RECORDING,
        by=evidence.Party.BUYER,
        sha256="ab" * 32,
        media_type="video/mp4",
        size_bytes=1_000,
        recording_no=1,
        shows="already_used",
        moment_ms=AT_MS - 9,
        name=TEXT,
        note=TEXT,
        address="cd" * 32,
        file_key="ef" * 32,
    ),
    evidence.EvidenceWithdrawn(evidence_id=LISTING, by=evidence.Party.BUYER),
    evidence.EvidenceDoubted(evidence_id=LISTING, by=evidence.Party.SHOP, text=TEXT),
    evidence.EvidenceConfirmed(evidence_id=LISTING, by=evidence.Party.SHOP),
    evidence.RecordingStarted(recording_no=1, nonce="7K3MX2QP", until_ms=AT_MS + 1_800_000),
    evidence.RecordingStopped(recording_no=1, give_by_ms=AT_MS + 86_400_000),
    reviews.ReviewPosted(speed=5, code_worked=False, text=TEXT),
    payments.PaymentUnmatched(
        provider="sandbox", provider_txn="t-2", reference=TEXT, amount_fen=700, currency="USD", paid_at_ms=AT_MS - 1
    ),
    payments.UnmatchedRefundRequested(
        provider="sandbox", provider_txn="t-2", amount_fen=700, currency="USD", by="clock", attempt=1
    ),
    payments.UnmatchedRefunded(amount_fen=700, currency="USD"),
    payments.UnmatchedRefundFailed(reason=TEXT),
    payouts.PayoutRequested(amount_fen=18_130, attempt=1),
    payouts.PaidOut(amount_fen=18_130),
    payouts.PayoutFailed(amount_fen=18_130, reason=TEXT),
    erasures.PersonErased(basis=erasures.Basis.REQUEST, histories=3, sealed_rows=7, codes=4, accounts=1),
    batches.BatchAttested(
        issuer_id=ID,
        key_no=2,
        count=500,
        said_at_ms=AT_MS - 5,
        in_scope=True,
        statement_sha256="de" * 32,
        statement=TEXT,
        signature="c2lnbmF0dXJl",
    ),
    attestations.CodeActivated(
        number=3,
        issuer_id=ID,
        key_no=2,
        how="signed",
        in_scope=True,
        happened_at_ms=AT_MS - 9,
        said_at_ms=AT_MS - 5,
        conflict="other_account",
        conflicts_with=(1, 2),
        statement=TEXT,
        signature="c2lnbmF0dXJl",
        code_salt="c2FsdA",
        account="玩家",
        account_salt="c2FsdDI",
        account_key="key",
        statement_key="statement",
        answer="answer",
    ),
    attestations.CodeUnused(
        number=4,
        issuer_id=ID,
        key_no=2,
        how="pulled",
        in_scope=False,
        happened_at_ms=AT_MS - 9,
        said_at_ms=AT_MS - 5,
        conflict="used_before_unused",
        conflicts_with=(3,),
        statement=TEXT,
        signature="c2lnbmF0dXJl",
        code_salt="c2FsdA",
        statement_key="statement",
        answer="answer",
    ),
    attestations.CodeRevoked(
        number=5,
        issuer_id=ID,
        key_no=2,
        how="signed",
        in_scope=True,
        happened_at_ms=AT_MS - 9,
        said_at_ms=AT_MS - 5,
        conflict="revoked_after_use",
        conflicts_with=(3,),
        statement=TEXT,
        signature="c2lnbmF0dXJl",
        code_salt="c2FsdA",
        reason=TEXT,
        statement_key="statement",
        answer="answer",
    ),
    attestations.IssuerWasUnclear(
        number=6,
        issuer_id=ID,
        how="pulled",
        in_scope=True,
        said_at_ms=AT_MS - 5,
        word="unknown",
        statement_key="statement",
        answer="answer",
    ),
    issuers.IssuerRegistered(
        name="晨光游戏", public_key="ab" * 32, speaks_for=("点券", "Steam"), contact="a@example.com"
    ),
    issuers.IssuerKeyRotated(key_no=2, public_key="cd" * 32, old_key_until_ms=AT_MS + 5),
    issuers.IssuerScopeChanged(speaks_for=("点券",)),
    issuers.IssuerApiChanged(has_api=True, url="https://issuer.example/v1", token="token"),
    issuers.IssuerSuspended(reason=TEXT),
    issuers.IssuerReinstated(reason=TEXT),
    arbitrators.ArbitratorApplied(
        side=arbitrators.Side.SELLERS, categories=("games", "software"), account_id=ID, text=TEXT
    ),
    arbitrators.ArbitratorExamined(answers=6, hits=5),
    arbitrators.ArbitratorAdmitted(side=arbitrators.Side.EXPERT, categories=("games",)),
    arbitrators.ArbitratorRefused(reason=TEXT),
    arbitrators.ArbitratorSuspended(ground="quality", reason=TEXT),
    arbitrators.ArbitratorReinstated(reason=TEXT),
    arbitrators.ArbitratorLeft(),
    arbitrators.ArbitratorCalibrated(case_id="c07", hit=True),
    arbitrators.ArbitratorJudged(panel_id=ID, voted=True, agreed=False, fee_fen=300),
    arbitrators.ArbitratorReversed(panel_id=ID, by_panel_id=LISTING),
    panel_events.PanelRequested(
        order_shop_id=SHOP, order_id=ID, level=7, category="games", value_fen=9_500, stake_fen=1_900, lapse_by_ms=AT_MS
    ),
    panel_events.PanelConvened(
        pool=("a expert games", "b sellers software"), pool_sha256="ab" * 32, excluded_count=2, excluded="c trade"
    ),
    panel_events.PanelDrawn(
        checkpoint_size=77,
        checkpoint_root="cd" * 32,
        seats=(panel_events.Seat("a", "expert", "other_category"),),
        standbys=(panel_events.Seat("b", "any", ""),),
        commit_by_ms=AT_MS + 5,
    ),
    panel_events.VoteCommitted(seat_no=2, arbitrator_id=ID, commitment="ef" * 32, ballot=TEXT),
    panel_events.EvidenceOpened(seat_no=2, arbitrator_id=ID, evidence_id=LISTING, sha256="ab" * 32),
    panel_events.SeatReplaced(seat_no=3, before=ID, arbitrator_id=LISTING, why="silent", commit_by_ms=AT_MS + 6),
    panel_events.RevealOpened(committed=2, reveal_by_ms=AT_MS + 7),
    panel_events.VoteRevealed(
        seat_no=2,
        arbitrator_id=ID,
        refund_fen=4_750,
        row="R05a",
        salt="salt",
        reason_digest="ab" * 32,
        reason=TEXT,
        reason_salt="grain",
    ),
    panel_events.PanelDecided(
        order_shop_id=SHOP,
        order_id=LISTING,
        level=7,
        outcome=panel_events.PanelOutcome.PARTIAL,
        refund_fen=4_750,
        row="R05a",
        for_buyer=4,
        for_shop=3,
        set_aside_seat=7,
        text_sha256="cd" * 32,
    ),
    panel_events.PanelLapsed(order_shop_id=SHOP, order_id=LISTING, why="pool_too_small"),
    deposit_events.DepositAgreed(version="1.0"),
    deposit_events.TopUpAsked(top_up_id=ID, amount_fen=50_000, expires_at_ms=AT_MS + 8),
    deposit_events.DepositToppedUp(
        top_up_no=2, top_up_id=ID, provider="sandbox", provider_txn="txn 1", amount_fen=50_000, attempt=3
    ),
    deposit_events.DepositSecured(top_up_no=2, amount_fen=50_000),
    deposit_events.DepositNotSecured(top_up_no=2, reason=TEXT),
    deposit_events.DepositDeducted(
        order_id=ID, ruling_no=2, row="R03", refund_fen=1_000, penalty_fen=2_000, short_fen=3, owed_fen=4
    ),
    deposit_events.StakeLocked(panel_id=ID, amount_fen=200),
    deposit_events.StakeReturned(panel_id=ID, amount_fen=200),
    deposit_events.StakeForfeited(panel_id=ID, amount_fen=200),
    deposit_events.ReleaseRequested(release_no=4, amount_fen=7_000, due_at_ms=AT_MS + 9),
    deposit_events.ReleaseCut(release_no=4, amount_fen=300),
    deposit_events.DepositReleased(
        return_no=5, release_no=4, provider="sandbox", provider_txn="txn 1", amount_fen=6_700, attempt=1
    ),
    deposit_events.DepositReturned(return_no=5, amount_fen=6_700),
    deposit_events.DepositNotReturned(return_no=5, reason=TEXT),
    crediting.CreditChanged(
        meter=46, band=Band.THROTTLED, change=23, why="defect", order_id=ID, row="R07", buyer="b" * 64
    ),
    crediting.FreezeReviewed(meter=46, band=Band.THROTTLED, change=-50, reason=TEXT),
    orders.OrderHeldLonger(times=2, until_ms=AT_MS + 4),
    pool.PoolFunded(amount_fen=100_000, note=TEXT),
    pool.PoolTook(from_shop_id=SHOP, amount_fen=2_000, why="deducted"),
    pool.PoolPaid(
        order_shop_id=SHOP,
        order_id=ID,
        ruling_no=2,
        row="R05c",
        for_what="short",
        amount_fen=5_000,
        left_fen=100,
        why="too_large",
        identity="key",
    ),
    restoring.PaymentRestoring(
        restore_no=1, provider="sandbox", provider_txn="txn 2", amount_fen=1_000, source="deposit", attempt=2
    ),
    restoring.PaymentRestored(restore_no=1, amount_fen=1_000),
    restoring.RestoreFailed(restore_no=1, reason=TEXT),
    standards.StandardPublished(name="FK-AF-1", version="1.0", sha256="ab" * 32, in_force_from_ms=AT_MS + 3),
    dispute_events.RulingWeighed(
        standard="FK-AF-1",
        version="1.0",
        sha256="ab" * 32,
        cases=("R03a", "R00c"),
        advised_fen=9_500,
        following=dispute_events.Following.DEPARTED,
        departs=TEXT,
    ),
)


def leaf_bytes(event: Event) -> bytes:
    """The leaf of a sample, everything around it fixed."""
    return leaf_of(Stream(SHOP, "order", ID), VERSION, event, AT_MS, PREV, SEALING_KEY).body
