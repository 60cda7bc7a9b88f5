"""What the operator sees: what waits for him, every shop, quarrels, money without a home, the house's health."""

from dataclasses import dataclass
from typing import Protocol

from fairkey.business.vanishing import Vanished

from .order_book import OrderLine


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopLine:
    """One shop with what tells most about it."""

    shop_id: str
    shop_no: int
    name: str
    standing: str
    opened_at_ms: int
    orders: int
    open_orders: int
    completed: int
    complaints: int
    refunded: int
    suspended_because: str
    vanished: Vanished | None = None
    asks_back: str = ""  # what a vanished shop that is back says


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintLine:
    """One complaint that is not closed."""

    order: OrderLine
    stage: str  # opened: the merchant's turn; contested: the operator's
    reason: str
    demand_fen: int
    opened_at_ms: int
    due_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmatchedLine:
    """Money that belongs to no order."""

    payment_id: str
    provider: str
    provider_txn: str
    amount_fen: int
    currency: str
    received_at_ms: int
    state: str  # held | refund_asked | refund_done | refund_failed
    reference: str
    returns_at_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedInstruction:
    """A refund or release that the provider finally refused."""

    order: OrderLine
    what: str  # refund | release
    number: int
    amount_fen: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContradictedPayout:
    """A payout of which the provider reported two ends. `arrived`: what he reports now."""

    payout_id: str
    shop_no: int
    amount_fen: int
    arrived: bool
    ended_at_ms: int
    contradicted_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectLine:
    """One row of the outbox that is not done."""

    key: str
    kind: str
    state: str
    attempts: int
    next_at_ms: int
    last_error: str
    created_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How the house is: storage, what waits, what is late. Sizes in bytes, times in milliseconds."""

    database_version: str
    database_bytes: int
    events: int
    deadlines_overdue: int
    oldest_overdue_ms: int
    effects_waiting: int
    effects_overdue: int
    effects_failed: int
    imports_receiving: int
    orders_by_stage: dict[str, int]
    balances_fen: dict[str, int]


class Floor(Protocol):
    """Questions of the operator."""

    async def orders_by_stage(self, *, stuck_only: bool = False) -> dict[str, int]:
        """How many orders are in each stage; `stuck_only`: only those whose deadline has passed."""

    async def shops(self) -> list[ShopLine]:
        """All shops, those that wait for admission first."""

    async def complaints(self) -> list[ComplaintLine]:
        """Complaints that are not closed: the operator's turn first, then by deadline."""

    async def unmatched(self, *, lines_max: int = 100) -> list[UnmatchedLine]:
        """Payments without an order, those still held first."""

    async def failed_instructions(self) -> list[FailedInstruction]:
        """Refunds and releases that wait for the operator."""

    async def contradicted_payouts(self, *, lines_max: int = 100) -> list[ContradictedPayout]:
        """Payouts with two ends that nobody has settled, the oldest first."""

    async def effects(self, *, lines_max: int = 100) -> list[EffectLine]:
        """What the outbox holds that is not done, the oldest first."""

    async def health(self) -> Health:
        """How the house is."""
