"""What follows from what: the whole causal web on one page. All of it happens in the same transaction."""

from . import (
    admissions,
    claims,
    codes,
    complaints,
    coupons,
    crediting,
    deposit_events,
    deposits,
    dispute_events,
    escrow,
    liquidations,
    orders,
    panel_events,
    panels,
    pool,
    restoring,
    shops,
    vanishing,
)
from .basics import PLATFORM, Command, Event, Stream

VANISHED_ROW = "R18"


def consequences_of(stream: Stream, event: Event) -> list[Command]:
    """The commands that `event` on `stream` brings with it, in order."""
    shop_id, order_id = stream.shop_id, stream.id
    match event:
        case orders.OrderPlaced():
            follow: list[Command] = []
            if event.delivery is orders.Delivery.VAULT:
                follow.append(
                    codes.ReserveCodes(
                        shop_id=shop_id, order_id=order_id, listing_id=event.listing_id, quantity=event.quantity
                    )
                )
            if event.coupon_id:
                follow.append(coupons.UseCoupon(shop_id=shop_id, coupon_id=event.coupon_id, order_id=order_id))
            return follow
        case escrow.PaymentReceived():
            return [
                orders.ConfirmPayment(shop_id=shop_id, order_id=order_id),
                escrow.JudgePayment(shop_id=shop_id, order_id=order_id),
            ]
        case orders.OrderPaid():
            return _paid(stream, event)
        case codes.CodesDelivered():
            return [orders.MarkDelivered(shop_id=shop_id, order_id=order_id)]
        case orders.OrderExpired():
            return [
                codes.ReleaseCodes(shop_id=shop_id, order_id=order_id),
                escrow.RefundHeld(shop_id=shop_id, order_id=order_id, amount_fen=-1, why="expired"),
                *_coupon_back(stream, event.coupon_id),
            ]
        case orders.OrderWithdrawn():
            return [
                codes.ReleaseCodes(shop_id=shop_id, order_id=order_id),
                escrow.RefundHeld(shop_id=shop_id, order_id=order_id, amount_fen=-1, why="withdrawn"),
                *_coupon_back(stream, event.coupon_id),
            ]
        case orders.OrderWoundUp():
            return [
                codes.ReleaseCodes(shop_id=shop_id, order_id=order_id),
                escrow.RefundHeld(shop_id=shop_id, order_id=order_id, amount_fen=-1, why="shop_vanished"),
            ]
        case orders.OrderCutShort():
            return [
                codes.ReleaseCodes(shop_id=shop_id, order_id=order_id),
                escrow.RefundHeld(
                    shop_id=shop_id, order_id=order_id, amount_fen=event.refund_fen, why="not_delivered_in_time"
                ),
                complaints.RuleLateDelivery(shop_id=shop_id, order_id=order_id),
            ]
        case orders.OrderCancelled():
            return [
                codes.ReleaseCodes(shop_id=shop_id, order_id=order_id),
                escrow.RefundHeld(
                    shop_id=shop_id, order_id=order_id, amount_fen=event.refund_fen, why="not_delivered_in_time"
                ),
                escrow.ReleaseHeld(shop_id=shop_id, order_id=order_id),
                *(_coupon_back(stream, event.coupon_id) if not event.charged_units else []),
                complaints.RuleLateDelivery(shop_id=shop_id, order_id=order_id),
            ]
        case admissions.ApplicationPassed():
            renewed = shops.RenewCheck(shop_id=shop_id, until_ms=event.checked_until_ms)
            return [shops.AdmitShop(shop_id=shop_id, fee_bp=event.fee_bp), renewed] if event.admits else [renewed]
        case orders.OrderCompleted():
            return [
                escrow.ReleaseHeld(shop_id=shop_id, order_id=order_id),
                crediting.NoteClean(shop_id=shop_id, order_id=order_id),
            ]
        case dispute_events.ComplaintOpened():
            return [orders.FreezeOrder(shop_id=shop_id, order_id=order_id)]
        case dispute_events.ReplacementSent():
            return [codes.ReplaceCodes(shop_id=shop_id, order_id=order_id, instead_of=event.instead_of)]
        case dispute_events.ComplaintEscalated():
            convene = panels.ConvenePanel(
                shop_id=PLATFORM,
                panel_id=event.panel_id,
                order_shop_id=shop_id,
                order_id=order_id,
                level=event.level,
                value_fen=event.value_fen,
                stake_fen=event.stake_fen,
            )
            if event.stake_fen and event.by == dispute_events.Side.SHOP:
                lock = deposits.LockStake(shop_id=shop_id, panel_id=event.panel_id, amount_fen=event.stake_fen)
                return [lock, convene]
            return [convene]
        case dispute_events.StakeSettled(by=dispute_events.Side.SHOP):
            if event.returned:
                return [deposits.ReturnStake(shop_id=shop_id, panel_id=event.panel_id)]
            return [deposits.ForfeitStake(shop_id=shop_id, panel_id=event.panel_id)]
        case panel_events.PanelDecided():
            return [
                complaints.TakePanelVerdict(
                    shop_id=event.order_shop_id,
                    order_id=event.order_id,
                    panel_id=stream.id,
                    level=event.level,
                    refund_fen=event.refund_fen,
                    row=event.row,
                    case="",
                    text_sha256=event.text_sha256,
                )
            ]
        case panel_events.PanelLapsed():
            return [complaints.TakePanelLapse(shop_id=event.order_shop_id, order_id=event.order_id, panel_id=stream.id)]
        case dispute_events.RulingExecuted():
            return _executed(stream, event)
        case dispute_events.ComplaintClosed():
            return [
                orders.CloseDisputed(
                    shop_id=shop_id, order_id=order_id, refund_fen=event.refund_fen, by=event.outcome.value
                )
            ]
        case orders.OrderRefunded():
            refund = escrow.RefundHeld(shop_id=shop_id, order_id=order_id, amount_fen=event.refund_fen, why="complaint")
            if event.partly:
                return [refund, escrow.ReleaseHeld(shop_id=shop_id, order_id=order_id)]
            return [codes.ReleaseCodes(shop_id=shop_id, order_id=order_id), refund]
        case deposit_events.DepositDeducted():
            return _deducted(shop_id, event)
        case vanishing.ShopVanished():
            return [liquidations.KeepForClaims(shop_id=shop_id, order_id=event.order_id, amount_fen=0)]
        case claims.ClaimAccepted():
            return [
                liquidations.NoteClaim(shop_id=shop_id, order_id=order_id, row=event.row, claim_fen=event.claim_fen)
            ]
        case liquidations.DepositShared() if event.rest_fen:
            return [_into_pool(shop_id, event.rest_fen, "liquidated")]
        case liquidations.SharePaid():
            return _share_paid(shop_id, event)
        case deposit_events.OwedCollected():
            return [_into_pool(shop_id, event.amount_fen, "owed")]
        case deposit_events.StakeForfeited():
            return [_into_pool(shop_id, event.amount_fen, "stake")]
        case pool.PoolPaid() if event.amount_fen:
            return [
                restoring.RestorePayment(
                    shop_id=event.order_shop_id, order_id=event.order_id, amount_fen=event.amount_fen, source="pool"
                )
            ]
        case _:
            return []


def _executed(stream: Stream, event: dispute_events.RulingExecuted) -> list[Command]:
    follow: list[Command] = [
        crediting.NoteDefect(shop_id=stream.shop_id, order_id=stream.id, ruling_no=event.ruling_no)
    ]
    if event.row == VANISHED_ROW:
        follow.append(shops.NoteVanished(shop_id=stream.shop_id, order_id=stream.id, ruling_no=event.ruling_no))
    if event.deposit_fen or event.deduct_fen:
        follow.append(
            deposits.ChargeDeposit(
                shop_id=stream.shop_id,
                order_id=stream.id,
                ruling_no=event.ruling_no,
                row=event.row,
                deduct_fen=event.deduct_fen,
                refund_fen=event.deposit_fen,
            )
        )
    if event.pool_fen:
        follow.append(
            pool.PayFromPool(
                shop_id=PLATFORM,
                pool_id=pool.POOL_ID,
                order_shop_id=stream.shop_id,
                order_id=stream.id,
                ruling_no=event.ruling_no,
                row=event.row,
                amount_fen=event.pool_fen,
            )
        )
    return follow


def _paid(stream: Stream, event: orders.OrderPaid) -> list[Command]:
    shop_id, order_id = stream.shop_id, stream.id
    follow: list[Command] = []
    if event.late and event.coupon_id:
        follow.append(coupons.UseCoupon(shop_id=shop_id, coupon_id=event.coupon_id, order_id=order_id, again=True))
    if event.delivery is orders.Delivery.VAULT:
        if event.late:
            follow.append(
                codes.ReserveCodes(
                    shop_id=shop_id, order_id=order_id, listing_id=event.listing_id, quantity=event.quantity
                )
            )
        follow.append(codes.DeliverReserved(shop_id=shop_id, order_id=order_id))
    return follow


def _coupon_back(stream: Stream, coupon_id: str) -> list[Command]:
    if not coupon_id:
        return []
    return [coupons.ReturnCoupon(shop_id=stream.shop_id, coupon_id=coupon_id, order_id=stream.id)]


def _deducted(shop_id: str, event: deposit_events.DepositDeducted) -> list[Command]:
    """The buyer is paid, the penalty goes to the pool, and what the deposit is short of the buyer gets from there."""
    follow: list[Command] = []
    if event.refund_fen:
        follow.append(
            restoring.RestorePayment(
                shop_id=shop_id, order_id=event.order_id, amount_fen=event.refund_fen, source="deposit"
            )
        )
    if event.penalty_fen and event.row == VANISHED_ROW:
        follow.append(
            liquidations.KeepForClaims(shop_id=shop_id, order_id=event.order_id, amount_fen=event.penalty_fen)
        )
    elif event.penalty_fen:
        follow.append(_into_pool(shop_id, event.penalty_fen, "deducted"))
        follow.append(
            pool.PayBounty(
                shop_id=PLATFORM,
                pool_id=pool.POOL_ID,
                order_shop_id=shop_id,
                order_id=event.order_id,
                ruling_no=event.ruling_no,
                row=event.row,
                most_fen=event.penalty_fen,
            )
        )
    if event.short_fen:
        follow.append(
            pool.PayFromPool(
                shop_id=PLATFORM,
                pool_id=pool.POOL_ID,
                order_shop_id=shop_id,
                order_id=event.order_id,
                ruling_no=event.ruling_no,
                row=event.row,
                amount_fen=event.short_fen,
                for_what="short",
            )
        )
    return follow


def _share_paid(shop_id: str, event: liquidations.SharePaid) -> list[Command]:
    """The buyer has his share of the deposit, and what that is short of the pool is asked for."""
    follow: list[Command] = []
    if event.share_fen:
        follow.append(
            restoring.RestorePayment(
                shop_id=shop_id, order_id=event.order_id, amount_fen=event.share_fen, source="deposit"
            )
        )
    if event.short_fen:
        follow.append(
            pool.PayFromPool(
                shop_id=PLATFORM,
                pool_id=pool.POOL_ID,
                order_shop_id=shop_id,
                order_id=event.order_id,
                ruling_no=1,
                row=event.row,
                amount_fen=event.short_fen,
                for_what=pool.CLAIM,
            )
        )
    return follow


def _into_pool(shop_id: str, amount_fen: int, why: str) -> Command:
    return pool.TakeIntoPool(
        shop_id=PLATFORM, pool_id=pool.POOL_ID, from_shop_id=shop_id, amount_fen=amount_fen, why=why
    )
