"""When each stream moves by itself, and what then happens. Every order that has not ended has a deadline here."""

from typing import NamedTuple

from . import batches, complaints, deposits, liquidations, orders, outages, panels, payments, shops
from .basics import Command, Stream, invariant
from .files import BatchFile, DepositFile, File, IssuerFile, OrderFile, PanelFile, PaymentFile, ShopFile
from .orders import ENDED, Stage
from .panel_events import PanelStage
from .stopping import standing


class Due(NamedTuple):
    """A deadline: at `due_at_ms`, `what` is asked by the clock."""

    due_at_ms: int
    what: str


_END_OF_PANEL_STAGE = {
    PanelStage.REQUESTED: "lapse_panel",
    PanelStage.CONVENED: "lapse_panel",
    PanelStage.SITTING: "close_commits",
    PanelStage.REVEALING: "close_reveals",
}


def due_of(file: File) -> Due | None:
    """The next deadline of a stream; `None` when nothing is waited for."""
    match file:
        case OrderFile():
            return _due_of_order(file)
        case PaymentFile() if file.unmatched.provider_txn and file.unmatched.refund is None:
            return Due(file.unmatched.received_at_ms + payments.HELD_FOR_MS, "return_unmatched")
        case ShopFile(shop=shop):
            moves = shops.next_deadline(shop)
            return Due(*moves) if moves else None
        case IssuerFile(outages=said) if said.running:
            return Due(said.lapses_at_ms, "lapse_outage")
        case DepositFile():
            return _due_of_deposit(file)
        case BatchFile(batch=batch) if batch.quarantine.request is not None:
            return Due(batch.quarantine.request.review_by_ms, "lapse_batch_review")
        case PanelFile(panel=panel):
            what = _END_OF_PANEL_STAGE.get(panel.stage)
            return Due(panel.due_at_ms, what) if what else None
        case _:
            return None


def _due_of_deposit(file: DepositFile) -> Due | None:
    dues = [Due(one.due_at_ms, "end_notice") for one in file.deposit.releases[:1]]
    if file.liquidation.until_ms:
        dues.append(Due(file.liquidation.until_ms, "share_deposit"))
    return min(dues, default=None)


def _due_of_order(file: OrderFile) -> Due | None:
    order = file.order
    stands = standing(orders.running(order, file.codes.first_opened_at_ms), order.stops)
    if order.stage is Stage.DISPUTED:
        stands = file.complaint.stands
    if stands is not None:  # until its outage is over
        return Due(stands.due_at_ms, "resume_dispute" if order.stage is Stage.DISPUTED else "resume_clock")
    if order.stage is Stage.PLACED:
        return Due(order.expires_at_ms, "expire")
    if order.stage is Stage.PAID:
        return Due(order.deliver_by_ms, "cancel_late")
    if order.stage is Stage.DELIVERED:
        return Due(orders.protected_until_ms(order, file.codes.first_opened_at_ms), "complete")
    if order.stage is Stage.DISPUTED:
        return Due(file.complaint.due_at_ms, "end_silence")
    invariant(order.stage in ENDED or order.stage is Stage.NEW, "every order that has not ended has a deadline")
    return None


def command_for(stream: Stream, what: str) -> Command:
    """What the clock asks when the deadline `what` of `stream` has come."""
    match what:
        case "expire":
            return orders.ExpireOrder(shop_id=stream.shop_id, order_id=stream.id)
        case "cancel_late":
            return orders.CancelLateOrder(shop_id=stream.shop_id, order_id=stream.id)
        case "complete":
            return orders.CompleteOrder(shop_id=stream.shop_id, order_id=stream.id)
        case "end_silence":
            return complaints.EndSilence(shop_id=stream.shop_id, order_id=stream.id)
        case "resume_clock":
            return orders.StopOrderClock(shop_id=stream.shop_id, order_id=stream.id)
        case "resume_dispute":
            return complaints.StopDisputeClock(shop_id=stream.shop_id, order_id=stream.id)
        case "lapse_outage":
            return outages.LapseOutage(shop_id=stream.shop_id, issuer_id=stream.id)
        case "return_unmatched":
            return payments.ReturnUnmatched(shop_id=stream.shop_id, payment_id=stream.id)
        case "remind_of_check":
            return shops.RemindOfCheck(shop_id=stream.shop_id)
        case "lapse_check":
            return shops.LapseCheck(shop_id=stream.shop_id)
        case "share_deposit":
            return liquidations.ShareDeposit(shop_id=stream.shop_id)
        case "end_notice":
            return deposits.EndNotice(shop_id=stream.shop_id)
        case "lapse_panel":
            return panels.LapsePanel(shop_id=stream.shop_id, panel_id=stream.id)
        case "close_commits":
            return panels.CloseCommits(shop_id=stream.shop_id, panel_id=stream.id)
        case "close_reveals":
            return panels.CloseReveals(shop_id=stream.shop_id, panel_id=stream.id)
        case "lapse_batch_review":
            return batches.LapseBatchReview(shop_id=stream.shop_id, batch_id=stream.id)
        case "end_suspension":
            return shops.EndSuspension(shop_id=stream.shop_id)
        case _:
            raise ValueError(what)
