"""What a merchant sees of his own shop. Amounts in fen, moments in milliseconds UTC; lists newest first.

A list goes on after a `Place`: where the page before ended.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from fairkey.business.batches import Batch
from fairkey.business.coupons import Coupon
from fairkey.business.listings import Listing
from fairkey.business.payouts import Payout
from fairkey.business.shops import Shop
from fairkey.read_tables.order_book import OrderLine


class Place(NamedTuple):
    """Where a page of a list ended: the moment of its last row, and what tells rows of one moment apart."""

    at_ms: int
    id: str


class LedgerPlace(NamedTuple):
    """Where a page of the ledger ended."""

    at_ms: int
    stream_id: str
    version: int
    row_no: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingLine:
    """One listing with its newest revision and the codes of it that lie sealed in the vault now."""

    listing_id: str
    listing: Listing
    stock: int
    created_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLine:
    """One registered batch; `unsold` of its codes are still on sale."""

    batch_id: str
    batch: Batch
    unsold: int
    created_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponLine:
    """One coupon. `code` is the word itself: the shop may read its own."""

    coupon_id: str
    coupon: Coupon
    created_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutLine:
    """One payout."""

    payout_id: str
    payout: Payout
    created_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """One row of the shop's ledger: `amount_fen` moved from `debit` to `credit` because of one event."""

    stream_kind: str
    stream_id: str
    version: int
    row_no: int
    debit: str
    credit: str
    amount_fen: int
    currency: str
    at_ms: int
    event_kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopRecord:
    """The shop itself, with what only its own people may read."""

    shop: Shop
    payout_account: str


class ShopDesk(Protocol):
    """Questions of a shop's people."""

    async def shop(self, shop_id: str) -> ShopRecord | None:
        """The shop."""

    async def orders(
        self,
        shop_id: str,
        *,
        stages: Sequence[str] = (),
        listing_id: str | None = None,
        after: Place | None = None,
        lines_max: int = 30,
    ) -> list[OrderLine]:
        """Its orders; `stages` empty: all."""

    async def listings(self, shop_id: str, *, after: Place | None = None, lines_max: int = 30) -> list[ListingLine]:
        """Its listings, also withdrawn ones."""

    async def listing(self, shop_id: str, listing_id: str) -> ListingLine | None:
        """One of them."""

    async def batches(
        self, shop_id: str, *, listing_id: str | None = None, after: Place | None = None, lines_max: int = 30
    ) -> list[BatchLine]:
        """Its registered batches."""

    async def batch(self, shop_id: str, batch_id: str) -> BatchLine | None:
        """One of them."""

    async def coupons(self, shop_id: str, *, after: Place | None = None, lines_max: int = 30) -> list[CouponLine]:
        """Its coupons, also ended ones."""

    async def payouts(self, shop_id: str, *, after: Place | None = None, lines_max: int = 30) -> list[PayoutLine]:
        """Its payouts."""

    async def balances(self, shop_id: str) -> Mapping[str, int]:
        """Account -> balance in fen; accounts that were never touched are missing."""

    async def ledger(
        self, shop_id: str, *, after: LedgerPlace | None = None, rows_max: int = 30
    ) -> list[LedgerRow]:
        """Rows of its ledger."""
