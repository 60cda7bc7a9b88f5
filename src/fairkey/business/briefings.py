"""Where each command is decided, and what its decision must be told about other capabilities."""

from collections import Counter
from types import ModuleType
from typing import cast

from msgspec import Struct
from msgspec.structs import replace

from . import (
    admissions,
    arbitrators,
    attestations,
    batches,
    claims,
    codes,
    complaints,
    coupons,
    covering,
    crediting,
    deposits,
    dispute_endings,
    dispute_state,
    erasures,
    escrow,
    evidence,
    issuers,
    liquidations,
    listings,
    messages,
    order_briefings,
    orders,
    outages,
    panel_verdicts,
    panels,
    payments,
    payouts,
    pool,
    quarantines,
    restoring,
    reviews,
    seals,
    shops,
    standards,
    stopping,
    vanishing,
)
from .basics import PLATFORM, Command, Stream
from .codes import CodeStage
from .desk import Desk
from .files import CouponFile, CreditFile, DepositFile, IssuerFile, ListingFile, OrderFile, ShopFile, StandardFile
from .orders import Stage
from .shop_terms import PRESENT_HASH
from .shops import Standing

PROTECTED = frozenset({Stage.PAID, Stage.DELIVERED, Stage.DISPUTED})
# A partly refunded buyer has paid for the codes that he still holds.
MAY_OPEN = frozenset({Stage.PAID, Stage.DELIVERED, Stage.COMPLETED, Stage.PARTLY_REFUNDED})


_KIND_OF_HOME: dict[ModuleType, tuple[str, str]] = {
    orders: ("order", "order_id"),
    escrow: ("order", "order_id"),
    codes: ("order", "order_id"),
    complaints: ("order", "order_id"),
    reviews: ("order", "order_id"),
    messages: ("order", "order_id"),
    restoring: ("order", "order_id"),
    claims: ("order", "order_id"),
    deposits: ("deposit", "shop_id"),
    liquidations: ("deposit", "shop_id"),
    crediting: ("credit", "shop_id"),
    pool: ("pool", "pool_id"),
    evidence: ("order", "order_id"),
    listings: ("listing", "listing_id"),
    coupons: ("coupon", "coupon_id"),
    batches: ("batch", "batch_id"),
    payments: ("payment", "payment_id"),
    payouts: ("payout", "payout_id"),
    attestations: ("code", "code_id"),
    issuers: ("issuer", "issuer_id"),
    outages: ("issuer", "issuer_id"),
    erasures: ("erasure", "erasure_id"),
    seals: ("seal", "seal_id"),
    standards: ("standard", "standard_id"),
    panels: ("panel", "panel_id"),
    arbitrators: ("arbitrator", "arbitrator_id"),
    shops: ("shop", "shop_id"),
    admissions: ("shop", "shop_id"),
}
_MODULES = {module.__name__: module for module in _KIND_OF_HOME}


def home_of(command: Command) -> tuple[ModuleType, Stream]:
    """The capability that decides `command`, and the stream it decides about."""
    capability = _MODULES[type(command).__module__]
    kind, id_field = _KIND_OF_HOME[capability]
    return capability, Stream(command.shop_id, kind, getattr(command, id_field))


def brief_for(command: Command, desk: Desk) -> Struct | None:
    """What the decision must be told; `None` where its own slice is enough."""
    match command:
        case orders.PlaceOrder():
            return _placing(command, desk)
        case orders.ConfirmPayment():
            file = _order(desk, command.shop_id, command.order_id)
            return order_briefings.PaymentBriefing(
                held_fen=file.escrow.held_fen, can_be_served=_can_be_served(desk, command.shop_id, file)
            )
        case orders.CancelLateOrder() | orders.WithdrawOrder() | orders.CompleteOrder() | orders.MarkDelivered():
            return _of_codes(command, desk)
        case crediting.NoteDefect() | crediting.NoteClean():
            return _defect(command, _order(desk, command.shop_id, command.order_id))
        case escrow.RecordPayment():
            stage = _order(desk, command.shop_id, command.order_id).order.stage
            return escrow.ExistenceBriefing(order_exists=stage is not Stage.NEW)
        case escrow.JudgePayment() | escrow.ReleaseHeld():
            return _standing_of_money(_order(desk, command.shop_id, command.order_id))
        case codes.ReserveCodes():
            return codes.StockBriefing(free=desk.free_codes(command.shop_id, command.listing_id, command.quantity))
        case codes.ReleaseCodes():
            held = _order(desk, command.shop_id, command.order_id).codes
            sealed = [one.code_id for one in held.held if one.stage in codes.SEALED and not one.typed]
            off_sale = desk.off_sale(command.shop_id, sealed) if sealed else frozenset()
            return codes.ReturningBriefing(off_sale=off_sale)
        case codes.DeliverTyped():
            order = _order(desk, command.shop_id, command.order_id).order
            waits = order.stage is Stage.PAID and order.delivery is orders.Delivery.MANUAL
            return codes.TypingBriefing(waits_for_typed=waits, stage=order.stage.value, quantity=order.quantity)
        case codes.RevealCodes() | codes.ReplaceCodes() | complaints.SendReplacement():
            return _of_box(command, desk)
        case complaints.OpenComplaint():
            order = _order(desk, command.shop_id, command.order_id).order
            return complaints.OrderBriefing(
                stage=order.stage.value, is_delivered=order.stage is Stage.DELIVERED, amount_fen=order.amount_fen
            )
        case (
            orders.WindUpOrder() | complaints.WindUpComplaint() | shops.NoteVanished()
            | claims.FileClaim() | claims.AnnounceClaim()
        ):  # fmt: skip
            return _of_vanished(command, desk)
        case complaints.ReopenComplaint():
            return complaints.GivenBriefing(
                evidence_at_ms=_given_at_ms(_order(desk, command.shop_id, command.order_id).evidence)
            )
        case complaints.RuleLateDelivery():
            return _late(desk, _order(desk, command.shop_id, command.order_id))
        case complaints.TakePanelVerdict():
            return _panel_ruling(desk, command.shop_id, _order(desk, command.shop_id, command.order_id))
        case messages.SendMessage():
            order = _order(desk, command.shop_id, command.order_id).order
            return messages.ConversationBriefing(
                stage=order.stage.value,
                exists=order.stage not in (Stage.NEW, Stage.PLACED, Stage.EXPIRED),
                ended_at_ms=order.ended_at_ms,
            )
        case panels.ConvenePanel():
            order = _order(desk, command.order_shop_id, command.order_id).order
            terms = _listing(desk, command.order_shop_id, order.listing_id).terms
            return panels.PanelBriefing(category=terms.category if terms else "")
        case (
            evidence.AddEvidence() | evidence.WithdrawEvidence() | evidence.DoubtEvidence()
            | evidence.ConfirmEvidence() | evidence.StartRecording() | evidence.StopRecording()
        ):  # fmt: skip
            return dispute_of(_order(desk, command.shop_id, command.order_id))
        case reviews.PostReview():
            stage = _order(desk, command.shop_id, command.order_id).order.stage
            return reviews.CompletionBriefing(stage=stage.value, is_completed=stage is Stage.COMPLETED)
        case listings.PublishListing():
            return listings.ShopBriefing(shop_is_open=_shop(desk, command.shop_id).is_open)
        case admissions.FileApplication() | admissions.DecideApplication():
            return _reviewing(desk, command.shop_id)
        case batches.RegisterBatch():
            return _depositing(command, desk)
        case batches.LookAtWords() | batches.AskBatchReview() | batches.AnswerBatchReview():
            return _letting_back(command, desk)
        case batches.WithdrawCodes() | batches.QuarantineBatch() | batches.NoteExport():
            return batches.UnsoldBriefing(unsold=desk.unsold(command.shop_id, command.batch_id))
        case attestations.AttestCode() | attestations.RecordIssuerAnswer():
            return _attesting(command, desk)
        case orders.StopOrderClock() | complaints.StopDisputeClock():
            return _of_stops(command, _order(desk, command.shop_id, command.order_id))
        case outages.SayOutage() | outages.FindOutage() | outages.EndOutage() | outages.LapseOutage():
            return _standing_of_issuer(command, desk)
        case restoring.RestorePayment():
            return _paid_by_buyer(_order(desk, command.shop_id, command.order_id))
        case deposits.RequestRelease() | deposits.EndNotice():
            exposure = desk.exposure(command.shop_id)
            return deposits.CoverBriefing(needed_fen=covering.needed_fen(exposure, desk.cover_bp))
        case pool.PayFromPool():
            return pool.BuyerBriefing(identity=_order(desk, command.order_shop_id, command.order_id).order.buyer_key)
        case pool.PayBounty():
            return _reporter(_order(desk, command.order_shop_id, command.order_id))
        case payouts.RequestPayout() | payouts.SettlePayout():
            shop = _shop(desk, command.shop_id)
            return payouts.FundsBriefing(
                available_fen=desk.balance_fen(command.shop_id, "shop_available"),
                has_payout_account=shop.has_payout_account,
                payable_from_ms=shop.payable_from_ms,
            )
        case _:
            return None


def _of_codes(
    command: orders.CancelLateOrder | orders.WithdrawOrder | orders.CompleteOrder | orders.MarkDelivered, desk: Desk
) -> order_briefings.CodesBriefing:
    held = _order(desk, command.shop_id, command.order_id).codes
    return order_briefings.CodesBriefing(
        delivered=held.count(CodeStage.DELIVERED, CodeStage.REVEALED),
        opened=held.count(CodeStage.REVEALED),
        first_opened_at_ms=held.first_opened_at_ms,
        is_throttled=_is_throttled(command, desk),
    )


def _of_box(command: codes.RevealCodes | codes.ReplaceCodes | complaints.SendReplacement, desk: Desk) -> Struct:
    file = _order(desk, command.shop_id, command.order_id)
    match command:
        case codes.RevealCodes():
            return opening_of(file)
        case codes.ReplaceCodes():
            free = desk.free_codes(command.shop_id, file.order.listing_id, len(command.instead_of))
            return codes.StockBriefing(free=free, listing_id=file.order.listing_id)
        case complaints.SendReplacement():
            opened = tuple(one.code_id for one in file.codes.held if one.stage is CodeStage.REVEALED)
            return complaints.BoxBriefing(opened=opened)


def _standing_of_issuer(
    command: outages.SayOutage | outages.FindOutage | outages.EndOutage | outages.LapseOutage, desk: Desk
) -> outages.StandingBriefing:
    issuer = _issuer(desk, command.issuer_id)
    key_no = command.key_no if isinstance(command, outages.SayOutage) else 0
    return outages.StandingBriefing(
        exists=bool(issuer.name), is_active=issuer.is_active, takes_key=issuer.takes_key(key_no, desk.now_ms)
    )


def _of_stops(command: orders.StopOrderClock | complaints.StopDisputeClock, file: OrderFile) -> stopping.StopBriefing:
    others = file.complaint.stops if isinstance(command, orders.StopOrderClock) else file.order.stops
    return stopping.StopBriefing(
        elsewhere_ms=stopping.stood_ms(others), first_opened_at_ms=file.codes.first_opened_at_ms
    )


def claim_of(file: OrderFile, shop: shops.Shop) -> claims.ClaimBriefing:
    """What a claim about an order is told: how it ended, what went back, since when its shop has vanished."""
    restored_fen = sum(one.amount_fen for one in file.restored.all)
    return claims.ClaimBriefing(
        is_completed=file.order.stage is Stage.COMPLETED,
        ended_at_ms=file.order.ended_at_ms,
        amount_fen=file.order.amount_fen,
        went_back_fen=restored_fen,
        vanished_at_ms=shop.vanished.since_ms if shop.vanished else 0,
    )


def _of_vanished(
    command: orders.WindUpOrder | complaints.WindUpComplaint | shops.NoteVanished | claims.ClaimCommand, desk: Desk
) -> Struct:
    file = _order(desk, command.shop_id, command.order_id)
    if isinstance(command, claims.ClaimCommand):
        return claim_of(file, _shop(desk, command.shop_id))
    if isinstance(command, shops.NoteVanished):
        ruling = file.complaint.ruling
        return vanishing.RulingBriefing(ruled_at_ms=ruling.at_ms if ruling else desk.now_ms)
    has_vanished = _shop(desk, command.shop_id).has_vanished
    return order_briefings.WindingBriefing(has_vanished=has_vanished, amount_fen=file.order.amount_fen)


def _reporter(file: OrderFile) -> pool.BuyerBriefing:
    ruling = file.complaint.ruling
    paid = _paid_by_buyer(file)
    back_fen = sum(one.amount_fen for one in file.restored.all)
    return pool.BuyerBriefing(
        identity=file.order.buyer_key,
        bounty_fen=ruling.bounty_fen if ruling else 0,
        payable_fen=sum(one.amount_fen for one in paid.payments) - back_fen,
    )


def _given_at_ms(given: evidence.Evidence) -> int:
    return max((one.at_ms for one in given.items if one.by == "buyer" and not one.withdrawn), default=0)


def opening_of(file: OrderFile) -> codes.OpeningBriefing:
    """Which codes the buyer may open: while a dispute runs only the replacements that wait for his word."""
    waits = file.complaint.stage is dispute_state.ComplaintStage.RESENT
    return codes.OpeningBriefing(may_open=file.order.stage in MAY_OPEN or waits, replacements=waits)


def dispute_of(file: OrderFile) -> evidence.DisputeBriefing:
    """What evidence is told about an order: whether its time for complaints runs, or a complaint is open."""
    stage = file.order.stage
    is_open = file.complaint.stage not in (dispute_state.ComplaintStage.NONE, dispute_state.ComplaintStage.CLOSED)
    return evidence.DisputeBriefing(
        stage=stage.value,
        takes=is_open or stage is Stage.DELIVERED,
        may_open=opening_of(file).may_open,
        sealed_codes=file.codes.count(CodeStage.DELIVERED),
    )


def streams_read_by(command: Command) -> tuple[Stream, ...]:
    """Streams besides its own that the first look at `command` needs; read without a lock, all at once per batch."""
    match command:
        case orders.PlaceOrder():
            return (
                shop_stream(command.shop_id),
                Stream(command.shop_id, "listing", command.listing_id),
                deposit_stream(command.shop_id),
                credit_stream(command.shop_id),
            )
        case orders.CompleteOrder() | orders.ConfirmOrder():
            return (credit_stream(command.shop_id),)
        case listings.PublishListing() | payouts.RequestPayout() | payouts.SettlePayout():
            return (shop_stream(command.shop_id),)
        case batches.LookAtWords() | batches.AskBatchReview() | batches.AnswerBatchReview():
            return (shop_stream(command.shop_id), credit_stream(command.shop_id))
        case batches.RegisterBatch():
            listing = Stream(command.shop_id, "listing", command.listing_id)
            return (listing, issuer_stream(command.attested.issuer_id)) if command.attested else (listing,)
        case attestations.AttestCode() | attestations.RecordIssuerAnswer():
            return (Stream(command.shop_id, "listing", command.listing_id), issuer_stream(command.issuer_id))
        case _:
            return ()


def shop_stream(shop_id: str) -> Stream:
    """The stream of a shop itself."""
    return Stream(shop_id, "shop", shop_id)


def deposit_stream(shop_id: str) -> Stream:
    """The stream of a shop's deposit."""
    return Stream(shop_id, "deposit", shop_id)


def credit_stream(shop_id: str) -> Stream:
    """The stream of a shop's credit."""
    return Stream(shop_id, "credit", shop_id)


def _is_throttled(command: Command, desk: Desk) -> bool:
    return isinstance(command, orders.CompleteOrder) and credit_of(command.shop_id, desk).is_throttled


def credit_of(shop_id: str, desk: Desk) -> crediting.Crediting:
    """How a shop's meter stands."""
    return cast("CreditFile", desk.file(credit_stream(shop_id))).crediting


def _defect(command: crediting.NoteDefect | crediting.NoteClean, file: OrderFile) -> crediting.DefectBriefing:
    ruling, defect_no = file.complaint.ruling, file.complaint.defect_no
    if isinstance(command, crediting.NoteClean) or ruling is None or defect_no != command.ruling_no:
        return crediting.DefectBriefing(buyer=file.order.buyer, is_defect=bool(defect_no))
    points = crediting.defect_points(counted=ruling.counted, points=ruling.points, freezes=ruling.freezes_shop)
    return crediting.DefectBriefing(buyer=file.order.buyer, row=ruling.row, points=points, is_defect=True)


def cover_of(shop_id: str, desk: Desk) -> covering.Cover | None:
    """What stands behind the shop's next order; `None`: the house sets no bound."""
    if not desk.small_trial_fen:
        return None
    free_fen = cast("DepositFile", desk.file(deposit_stream(shop_id))).deposit.free_fen
    bounds = covering.Bounds(
        small_trial_fen=desk.small_trial_fen, cover_bp=desk.cover_bp, first_order_fen=desk.first_order_fen
    )
    is_throttled = credit_of(shop_id, desk).is_throttled
    return covering.cover_of(desk.exposure(shop_id), free_fen, bounds, is_throttled=is_throttled)


def issuer_stream(issuer_id: str) -> Stream:
    """The stream of an issuer."""
    return Stream(PLATFORM, "issuer", issuer_id)


def _depositing(command: batches.RegisterBatch, desk: Desk) -> batches.StagedBriefing:
    listing = _listing(desk, command.shop_id, command.listing_id)
    product = _product(listing)
    brief = batches.StagedBriefing(
        staged=desk.staged(command.shop_id, command.batch_id), listing_exists=listing.revision > 0, product=product
    )
    if command.attested is None:
        return brief
    issuer = _issuer(desk, command.attested.issuer_id)
    return replace(
        brief,
        issuer_is_active=issuer.is_active,
        issuer_takes_key=issuer.takes_key(command.attested.key_no, desk.now_ms),
        issuer_in_scope=issuer.makes(product),
    )


def _attesting(
    command: attestations.AttestCode | attestations.RecordIssuerAnswer, desk: Desk
) -> attestations.IssuerBriefing:
    issuer = _issuer(desk, command.issuer_id)
    key_no = command.key_no if isinstance(command, attestations.AttestCode) else 0
    return attestations.IssuerBriefing(
        is_active=issuer.is_active,
        takes_key=issuer.takes_key(key_no, desk.now_ms),
        in_scope=issuer.makes(_product(_listing(desk, command.shop_id, command.listing_id))),
    )


def _letting_back(
    command: batches.LookAtWords | batches.AskBatchReview | batches.AnswerBatchReview, desk: Desk
) -> quarantines.LettingBackBriefing:
    code_ids = command.code_ids if isinstance(command, batches.LookAtWords) else ()
    told = desk.said(command.shop_id, command.batch_id, code_ids)
    active = {one.issuer_id: _issuer(desk, one.issuer_id).is_active for one in told.words}
    why_not = "" if _shop(desk, command.shop_id).takes_orders(desk.now_ms) else "standing"
    if credit_of(command.shop_id, desk).is_frozen:
        why_not = "frozen"
    return quarantines.LettingBackBriefing(
        why_not=why_not,
        said=tuple(replace(one, counts=active[one.issuer_id]) for one in told.words),
        free=told.free,
    )


def _placing(command: orders.PlaceOrder, desk: Desk) -> orders.Briefing:
    shop = _shop(desk, command.shop_id)
    is_open = shop.takes_orders(desk.now_ms)
    listing = _listing(desk, command.shop_id, command.listing_id)
    terms = listing.terms
    if terms is None:
        return orders.Briefing(shop_is_open=is_open, fee_bp=shop.fee_bp, listing_is_on_sale=False)
    coupon = coupons.INITIAL
    if command.coupon_id:
        coupon_file = cast("CouponFile", desk.file(Stream(command.shop_id, "coupon", command.coupon_id)))
        coupon = coupon_file.coupon
    bought = 0
    if terms.per_buyer_max:
        bought = desk.bought_by_buyer(command.shop_id, command.listing_id, command.buyer_key)
    cover = cover_of(command.shop_id, desk)
    coupon_refusal = ""
    if command.coupon_code or command.coupon_id:
        coupon_refusal = coupon.refusal_for(command.listing_id, desk.now_ms)
    return orders.Briefing(
        shop_is_open=is_open,
        shop_is_frozen=credit_of(command.shop_id, desk).is_frozen,
        fee_bp=shop.fee_bp,
        listing_is_on_sale=listing.on_sale,
        revision=listing.revision,
        revision_hash=listing.revision_hash,
        price_fen=terms.price_fen,
        tiers=terms.tiers,
        quantity_min=terms.quantity_min,
        quantity_max=terms.quantity_max,
        per_buyer_max=terms.per_buyer_max,
        delivery=orders.Delivery(terms.delivery),
        promise_min=terms.promise_min,
        unpaid_by_buyer=desk.unpaid_by_buyer(command.buyer_key, command.address_key),
        unpaid_by_address=desk.unpaid_by_address(command.address_key) if command.address_key else 0,
        unpaid_per_buyer_max=desk.unpaid_per_buyer_max,
        unpaid_per_address_max=desk.unpaid_per_address_max,
        bought_by_buyer=bought,
        coupon_refusal=coupon_refusal,
        coupon_off_fen=coupon.off_fen,
        coupon_off_bp=coupon.off_bp,
        coupon_least_fen=coupon.least_fen,
        room_fen=cover.most_fen - cover.open_fen if cover else None,
        first_order_fen=cover.first_order_fen if cover else 0,
        known=desk.acquaintance(command.shop_id, command.buyer_key) if cover and cover.first_order_fen else None,
    )


def _paid_by_buyer(file: OrderFile) -> restoring.PaymentsBriefing:
    back = Counter[str]()
    for refund in file.escrow.refunds:
        back[refund.provider_txn] += refund.amount_fen
    return restoring.PaymentsBriefing(
        payments=tuple(
            restoring.Payable(
                provider=one.provider,
                provider_txn=one.provider_txn,
                amount_fen=one.amount_fen - back[one.provider_txn],
            )
            for one in file.escrow.received
        )
    )


def _can_be_served(desk: Desk, shop_id: str, file: OrderFile) -> bool:
    """Whether an order whose money came after its expiry can still be taken up."""
    order = file.order
    if order.stage is not Stage.EXPIRED or file.escrow.held_fen < order.amount_fen:
        return False
    if order.delivery is orders.Delivery.MANUAL:
        return _shop(desk, shop_id).takes_orders(desk.now_ms) and not credit_of(shop_id, desk).is_frozen
    if _shop(desk, shop_id).has_vanished:
        return False
    return len(desk.free_codes(shop_id, order.listing_id, order.quantity)) >= order.quantity


def _standing_of_money(file: OrderFile) -> escrow.StandingBriefing:
    stage = file.order.stage
    may_keep = stage in PROTECTED or stage is Stage.PLACED
    first = len(file.escrow.received) == 1
    why = "late" if stage is Stage.EXPIRED else ("surplus" if first and may_keep else "second")
    return escrow.StandingBriefing(
        keep_fen=file.order.amount_fen if may_keep else 0,
        fee_bp=file.order.fee_bp,
        why=why,
        stake_fen=file.complaint.kept_fen,
    )


def _late(desk: Desk, file: OrderFile) -> dispute_endings.LateBriefing:
    was_cut_short = file.order.stage is Stage.DELIVERED
    return dispute_endings.LateBriefing(
        sha256=_standard_for(desk, file),
        amount_fen=file.order.placed_fen,
        units_total=file.order.placed_quantity,
        units_delivered=file.order.quantity if was_cut_short else 0,
        deliver_by_ms=file.order.deliver_by_ms,
    )


def _standard_for(desk: Desk, file: OrderFile) -> str:
    """SHA-256 of the version by which an order is judged; empty: none was in force when it was placed."""
    standard = desk.file(Stream(PLATFORM, "standard", standards.STANDARD_ID))
    assert isinstance(standard, StandardFile)
    by = standards.version_for(file.order.placed_at_ms, standard.standards.published)
    return by.sha256 if by else ""


def _panel_ruling(desk: Desk, shop_id: str, file: OrderFile) -> panel_verdicts.PanelBriefing:
    deposit = cast("DepositFile", desk.file(deposit_stream(shop_id))).deposit
    return panel_verdicts.PanelBriefing(
        sha256=_standard_for(desk, file),
        amount_fen=file.order.amount_fen,
        units_total=file.order.quantity,
        units_delivered=file.codes.count(CodeStage.DELIVERED, CodeStage.REVEALED),
        units_sealed=file.codes.count(CodeStage.DELIVERED),
        in_stock=file.order.delivery is orders.Delivery.VAULT,
        deposit_fen=deposit.free_fen + deposit.noticed_fen if deposit.version else -1,
    )


def _order(desk: Desk, shop_id: str, order_id: str) -> OrderFile:
    return cast("OrderFile", desk.file(Stream(shop_id, "order", order_id)))


def _shop(desk: Desk, shop_id: str) -> shops.Shop:
    return cast("ShopFile", desk.file(shop_stream(shop_id))).shop


def _reviewing(desk: Desk, shop_id: str) -> admissions.ShopBriefing:
    shop = _shop(desk, shop_id)
    return admissions.ShopBriefing(
        exists=shop.standing is not Standing.NONE,
        is_applied=shop.standing is Standing.APPLIED,
        is_over=shop.standing in {Standing.CLOSED, Standing.BANNED},
        has_payout_account=shop.has_payout_account,
        terms_hash=PRESENT_HASH,
        approvals=desk.admission_approvals,
    )


def _issuer(desk: Desk, issuer_id: str) -> issuers.Issuer:
    return cast("IssuerFile", desk.file(issuer_stream(issuer_id))).issuer


def _product(listing: listings.Listing) -> str:
    return listing.terms.product if listing.terms else ""


def _listing(desk: Desk, shop_id: str, listing_id: str) -> listings.Listing:
    return cast("ListingFile", desk.file(Stream(shop_id, "listing", listing_id))).listing
