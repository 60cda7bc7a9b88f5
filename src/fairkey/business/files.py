"""One file per stream: the present state of everything whose history the stream is, a slice for each capability.

An order's file holds its stage, money, codes, complaint and review side by side; each slice is changed only by the
events of its own capability.
"""

from types import ModuleType
from typing import get_args

from msgspec import Struct

from . import (
    admissions,
    arbitrators,
    attestations,
    batches,
    claims,
    codes,
    complaints,
    coupons,
    crediting,
    deposit_events,
    deposits,
    dispute_events,
    erasures,
    escrow,
    evidence,
    issuers,
    liquidations,
    listings,
    messages,
    orders,
    outages,
    panel_events,
    panels,
    payments,
    payouts,
    pool,
    restoring,
    reviews,
    seals,
    shops,
    standards,
)
from .admissions import Admission
from .arbitrators import Arbitrator
from .attestations import Attested
from .basics import Event
from .batches import Batch
from .claims import Claim
from .codes import Codes
from .coupons import Coupon
from .crediting import Crediting
from .deposits import Deposit
from .dispute_state import Complaint
from .erasures import Erasure
from .escrow import Escrow
from .evidence import Evidence
from .issuers import Issuer
from .liquidations import Liquidation
from .listings import Listing
from .messages import Messages
from .orders import Order
from .outages import Outages
from .panels import Panel
from .payments import Unmatched
from .payouts import Payout
from .pool import Pool
from .restoring import Restored
from .reviews import Review
from .seals import Seal
from .shops import Shop
from .standards import Standards


class OrderFile(Struct, kw_only=True, omit_defaults=True):
    """Everything of one order."""

    order: Order = Order()
    escrow: Escrow = Escrow()
    codes: Codes = Codes()
    complaint: Complaint = Complaint()
    review: Review = Review()
    messages: Messages = Messages()
    restored: Restored = Restored()
    evidence: Evidence = Evidence()
    claim: Claim = Claim()


class ShopFile(Struct, kw_only=True, omit_defaults=True):
    """One shop."""

    shop: Shop = Shop()
    admission: Admission = Admission()


class ListingFile(Struct, kw_only=True, omit_defaults=True):
    """One listing."""

    listing: Listing = Listing()


class CouponFile(Struct, kw_only=True, omit_defaults=True):
    """One coupon."""

    coupon: Coupon = Coupon()


class BatchFile(Struct, kw_only=True, omit_defaults=True):
    """One batch."""

    batch: Batch = Batch()


class PaymentFile(Struct, kw_only=True, omit_defaults=True):
    """One payment that belongs to no order."""

    unmatched: Unmatched = Unmatched()


class PayoutFile(Struct, kw_only=True, omit_defaults=True):
    """One payout."""

    payout: Payout = Payout()


class CodeFile(Struct, kw_only=True, omit_defaults=True):
    """One code, as its issuer speaks of it."""

    attested: Attested = Attested()


class IssuerFile(Struct, kw_only=True, omit_defaults=True):
    """One issuer; of the platform, not of a shop."""

    issuer: Issuer = Issuer()
    outages: Outages = Outages()


class ErasureFile(Struct, kw_only=True, omit_defaults=True):
    """One erasure of somebody's data."""

    erasure: Erasure = Erasure()


class SealFile(Struct, kw_only=True, omit_defaults=True):
    """The hash of one list of sealed evidence; of nobody."""

    seal: Seal = Seal()


class StandardFile(Struct, kw_only=True, omit_defaults=True):
    """The published versions of the standard; of the platform, not of a shop."""

    standards: Standards = Standards()


class PanelFile(Struct, kw_only=True, omit_defaults=True):
    """One panel; of the platform, not of a shop."""

    panel: Panel = Panel()


class ArbitratorFile(Struct, kw_only=True, omit_defaults=True):
    """One arbitrator; of the platform, not of a shop."""

    arbitrator: Arbitrator = Arbitrator()


class DepositFile(Struct, kw_only=True, omit_defaults=True):
    """The deposit of one shop."""

    deposit: Deposit = Deposit()
    liquidation: Liquidation = Liquidation()


class CreditFile(Struct, kw_only=True, omit_defaults=True):
    """The credit of one shop."""

    crediting: Crediting = Crediting()


class PoolFile(Struct, kw_only=True, omit_defaults=True):
    """The guarantee pool; of the platform, not of a shop."""

    pool: Pool = Pool()


File = (
    OrderFile | ShopFile | ListingFile | CouponFile | BatchFile | PaymentFile | PayoutFile | CodeFile | IssuerFile
    | ErasureFile | StandardFile | PanelFile | ArbitratorFile | DepositFile | PoolFile | CreditFile | SealFile
)  # fmt: skip

FILES: dict[str, type[File]] = {
    "order": OrderFile,
    "shop": ShopFile,
    "listing": ListingFile,
    "coupon": CouponFile,
    "batch": BatchFile,
    "payment": PaymentFile,
    "payout": PayoutFile,
    "code": CodeFile,
    "issuer": IssuerFile,
    "erasure": ErasureFile,
    "seal": SealFile,
    "standard": StandardFile,
    "panel": PanelFile,
    "arbitrator": ArbitratorFile,
    "deposit": DepositFile,
    "pool": PoolFile,
    "credit": CreditFile,
}

CAPABILITIES: dict[ModuleType, str] = {  # which slice each capability owns
    orders: "order",
    escrow: "escrow",
    codes: "codes",
    complaints: "complaint",
    reviews: "review",
    messages: "messages",
    evidence: "evidence",
    claims: "claim",
    shops: "shop",
    admissions: "admission",
    listings: "listing",
    coupons: "coupon",
    batches: "batch",
    payments: "unmatched",
    payouts: "payout",
    attestations: "attested",
    issuers: "issuer",
    outages: "outages",
    erasures: "erasure",
    seals: "seal",
    standards: "standards",
    panels: "panel",
    arbitrators: "arbitrator",
    deposits: "deposit",
    liquidations: "liquidation",
    pool: "pool",
    crediting: "crediting",
    restoring: "restored",
}

_EVENT_UNIONS = {
    orders: orders.OrderEvent,
    escrow: escrow.EscrowEvent,
    codes: codes.CodesEvent,
    complaints: dispute_events.ComplaintEvent,
    reviews: reviews.ReviewEvent,
    messages: messages.MessageEvent,
    evidence: evidence.EvidenceEvent,
    claims: claims.ClaimEvent,
    shops: shops.ShopEvent,
    admissions: admissions.AdmissionEvent,
    listings: listings.ListingEvent,
    coupons: coupons.CouponEvent,
    batches: batches.BatchEvent,
    payments: payments.PaymentsEvent,
    payouts: payouts.PayoutEvent,
    attestations: attestations.AttestationEvent,
    issuers: issuers.IssuerEvent,
    outages: outages.OutageEvent,
    erasures: erasures.ErasureEvent,
    seals: seals.SealEvent,
    standards: standards.StandardsEvent,
    panels: panel_events.PanelEvent,
    arbitrators: arbitrators.ArbitratorEvent,
    deposits: deposit_events.DepositEvent,
    liquidations: liquidations.LiquidationEvent,
    pool: pool.PoolEvent,
    crediting: crediting.CreditingEvent,
    restoring: restoring.RestoringEvent,
}

HOME_OF_EVENT: dict[type[Event], ModuleType] = {
    event: capability for capability, union in _EVENT_UNIONS.items() for event in (get_args(union) or (union,))
}
EVENT_OF_KIND: dict[str, type[Event]] = {event.kind: event for event in HOME_OF_EVENT}


def evolve(file: File, event: Event, at_ms: int) -> None:
    """Change the slice of the event's capability in place."""
    capability = HOME_OF_EVENT[type(event)]
    name = CAPABILITIES[capability]
    setattr(file, name, capability.evolve(getattr(file, name), event, at_ms))
