"""What waits on a shop's desk, and what its days came to. Amounts in fen, moments in milliseconds UTC."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol

from fairkey.read_tables.shop_desk import Place

Span = Literal["day", "week"]
"""How figures are put together; weeks begin on Monday, days at midnight in Shanghai."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An order that waits for the shop: for typed codes (`there` of `quantity` are delivered) or for an answer."""

    order_id: str
    shop_no: int
    product: str
    quantity: int
    there: int
    amount_fen: int
    stage: str
    reason: str
    demand_fen: int
    due_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintRow:
    """One complaint against the shop. `due_at_ms` 0: nothing is waited for any more."""

    order_id: str
    shop_no: int
    product: str
    amount_fen: int
    stage: str
    reason: str
    demand_fen: int
    outcome: str
    refund_fen: int
    opened_at_ms: int
    due_at_ms: int
    created_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanFigures:
    """Orders placed within one day or week. `turnover_fen`: what was paid for them and did not go back.

    `validity` is the share of opened codes that nobody got money back for; it and the times are `None` where there is
    nothing to measure.
    """

    begins: date
    orders: int = 0
    paid: int = 0
    delivered: int = 0
    turnover_fen: int = 0
    median_ms: int | None = None
    p95_ms: int | None = None
    opened_units: int = 0
    bad_units: int = 0
    complained: int = 0

    @property
    def validity(self) -> float | None:
        """Share of opened codes that were good."""
        return 1 - self.bad_units / self.opened_units if self.opened_units else None

    @property
    def complaints_per_1000(self) -> float | None:
        """Complaints for every 1,000 delivered orders."""
        return 1_000 * self.complained / self.delivered if self.delivered else None


class DeskFigures(Protocol):
    """Questions of a shop's people about work and figures."""

    async def waiting(self, shop_id: str, *, lines_max: int = 50) -> list[Waiting]:
        """Orders that wait for the shop, the most urgent first."""

    async def complaints(
        self, shop_id: str, *, running: bool, after: Place | None = None, lines_max: int = 30
    ) -> list[ComplaintRow]:
        """Running complaints by deadline (no paging), or closed ones, newest order first."""

    async def spans(self, shop_id: str, span: Span, *, since_ms: int) -> list[SpanFigures]:
        """Figures of each day or week with orders since then, oldest first; empty ones are left out."""

    async def stages_of_batches(self, shop_id: str, batch_ids: Sequence[str]) -> Mapping[str, Mapping[str, int]]:
        """Batch -> how many of its codes are at which stage."""

    async def withdrawn_codes(self, shop_id: str, batch_id: str) -> list[str]:
        """Ids of the codes of a batch that the shop took out, in the order they were deposited."""

    async def why_payout_failed(self, shop_id: str, payout_id: str) -> str:
        """What the provider said; "" if it did not fail."""
