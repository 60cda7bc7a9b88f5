"""The few facts of a stream's state that lists, limits and sums look for; kept in columns beside the state."""

from typing import NamedTuple

from fairkey.business.files import (
    ArbitratorFile,
    BatchFile,
    CodeFile,
    CouponFile,
    CreditFile,
    DepositFile,
    ErasureFile,
    File,
    IssuerFile,
    ListingFile,
    OrderFile,
    PanelFile,
    PaymentFile,
    PayoutFile,
    PoolFile,
    SealFile,
    ShopFile,
    StandardFile,
)
from fairkey.business.orders import ENDED, Stage


class Facets(NamedTuple):
    """Columns; empty text and 0 where the stream has no such thing."""

    stage: str
    listing_id: str = ""
    buyer_key: str = ""
    address_key: str = ""
    account_id: str = ""
    amount_fen: int = 0
    quantity: int = 0


# Stages in which an order's units do not count against a purchase limit. PostgreSQL says the same in `BOUGHT_BY_BUYER`.
NOT_BOUGHT = frozenset({Stage.NEW.value, Stage.EXPIRED.value, Stage.CANCELLED.value, Stage.REFUNDED.value})


def is_unpaid(facets: Facets) -> bool:
    """Whether it counts against the limits on unpaid orders."""
    return facets.stage == Stage.PLACED.value


def units_bought(facets: Facets) -> int:
    """How many units of an order count against the limit of units a buyer."""
    return 0 if facets.stage in NOT_BOUGHT else facets.quantity


def fen_open(facets: Facets) -> int:
    """What of an order is open with its buyer. PostgreSQL says the same in `ACQUAINTANCE`."""
    return 0 if facets.stage == Stage.NEW or facets.stage in ENDED else facets.amount_fen


def facets_of(file: File) -> Facets:
    """The columns of a stream in this state."""
    match file:
        case OrderFile(order=order):
            return Facets(
                stage=order.stage.value,
                listing_id=order.listing_id,
                buyer_key=order.buyer_key,
                address_key=order.address_key,
                account_id=order.account_id,
                amount_fen=order.amount_fen,
                quantity=order.quantity,
            )
        case ShopFile(shop=shop):
            return Facets(stage=shop.standing.value)
        case ListingFile(listing=listing):
            return Facets(stage="on_sale" if listing.on_sale else "withdrawn")
        case CouponFile(coupon=coupon):
            return Facets(stage="withdrawn" if coupon.withdrawn else "open")
        case BatchFile(batch=batch):
            return Facets(stage="registered", listing_id=batch.listing_id, quantity=batch.count)
        case PaymentFile(unmatched=unmatched):
            stage = "held" if unmatched.refund is None else f"refund_{unmatched.refund.value}"
            return Facets(stage=stage, amount_fen=unmatched.amount_fen)
        case PayoutFile(payout=payout):
            waits = payout.contradicted_at_ms and not payout.settled_at_ms
            stage = "contradicted" if waits else payout.state.value if payout.state else ""
            return Facets(stage=stage, amount_fen=payout.amount_fen)
        case CodeFile(attested=attested):
            return Facets(stage=attested.heard[-1].says.value if attested.heard else "")
        case ErasureFile(erasure=erasure):
            return Facets(stage=erasure.basis.value if erasure.basis else "")
        case StandardFile(standards=standards):
            return Facets(stage=standards.published[-1].version if standards.published else "")
        case IssuerFile(issuer=issuer):
            return Facets(stage=issuer.standing.value)
        case _:
            return _facets_of_justice(file)


def _facets_of_justice(file: File) -> Facets:
    match file:
        case SealFile():
            return Facets(stage="sealed")
        case PanelFile(panel=panel):
            return Facets(stage=panel.stage.value, amount_fen=panel.value_fen)
        case ArbitratorFile(arbitrator=arbitrator):
            return Facets(stage=arbitrator.standing.value, account_id=arbitrator.account_id)
        case DepositFile(deposit=deposit):
            owes = "owes" if deposit.owed_fen else "agreed"
            return Facets(stage="stuck" if deposit.is_stuck else owes, amount_fen=deposit.free_fen)
        case CreditFile(crediting=crediting):
            return Facets(stage=crediting.band.value, quantity=crediting.meter)
        case PoolFile(pool=pool):
            return Facets(stage="open", amount_fen=pool.balance_fen)
        case _:
            raise TypeError(type(file).__name__)
