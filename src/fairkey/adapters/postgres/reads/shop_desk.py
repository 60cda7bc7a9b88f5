"""The SQL of `fairkey.read_tables.shop_desk`."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, cast
from uuid import UUID

import asyncpg

from fairkey.adapters.postgres.moments import moment, ms_of
from fairkey.business.basics import Stream
from fairkey.business.files import BatchFile, CouponFile, ListingFile, PayoutFile, ShopFile
from fairkey.engine.codec import decode_file
from fairkey.read_tables.order_book import OrderLine
from fairkey.read_tables.shop_desk import (
    BatchLine,
    CouponLine,
    LedgerPlace,
    LedgerRow,
    ListingLine,
    PayoutLine,
    Place,
    ShopRecord,
)

from .order_book import LINES, Opener, facts_of, line_of

_ORDERS: Final = LINES.format(
    which="""o.shop_id = $1
  AND (cardinality($2::text[]) = 0 OR o.stage = ANY ($2::text[]))
  AND ($3::uuid IS NULL OR o.listing_id = $3)
  AND ($4::timestamptz IS NULL OR (o.created_at, o.id) < ($4, $5::uuid))""",
    more="",
    order="o.created_at DESC, o.id DESC",
    limit="$6",
)

_OTHERS: Final = """
SELECT s.id, s.state, s.created_at{more}
FROM streams s {join}
WHERE s.kind = '{kind}' AND s.kind <> 'order' AND s.shop_id = $1
  AND ($2::timestamptz IS NULL OR (s.created_at, s.id) < ($2, $3::uuid)) {which}
ORDER BY s.created_at DESC, s.id DESC LIMIT $4
"""
_STOCK: Final = "LEFT JOIN listing_stock k ON k.shop_id = s.shop_id AND k.listing_id = s.id"
_UNSOLD: Final = """,
  (SELECT count(*)::int FROM codes c WHERE c.shop_id = s.shop_id AND c.batch_id = s.id AND c.is_free) AS unsold"""
_LISTINGS: Final = _OTHERS.format(kind="listing", more=", coalesce(k.free, 0) AS stock", join=_STOCK, which="")
_BATCHES: Final = _OTHERS.format(
    kind="batch", more=_UNSOLD, join="", which="AND ($5::uuid IS NULL OR s.listing_id = $5)"
)
_COUPONS: Final = _OTHERS.format(kind="coupon", more="", join="", which="")
_PAYOUTS: Final = _OTHERS.format(kind="payout", more="", join="", which="")

_ONE: Final = """
SELECT s.id, s.state, s.created_at{more} FROM streams s {join} WHERE s.shop_id = $1 AND s.kind = '{kind}' AND s.id = $2
"""
_LISTING: Final = _ONE.format(kind="listing", more=", coalesce(k.free, 0) AS stock", join=_STOCK)
_BATCH: Final = _ONE.format(kind="batch", more=_UNSOLD, join="")
_SHOP: Final = _ONE.format(kind="shop", more="", join="")

_BALANCES: Final = "SELECT account, balance_fen FROM ledger_accounts WHERE shop_id = $1 AND currency = 'CNY'"

_LEDGER: Final = """
SELECT l.stream_kind, l.stream_id, l.version, l.row_no, l.debit, l.credit, l.amount_fen, l.currency, l.at, e.kind
FROM ledger l JOIN events e USING (shop_id, stream_kind, stream_id, version)
WHERE shop_id = $1
  AND ($2::timestamptz IS NULL OR (l.at, l.stream_id, l.version, l.row_no) < ($2, $3::uuid, $4::int, $5::int))
ORDER BY l.at DESC, l.stream_id DESC, l.version DESC, l.row_no DESC LIMIT $6
"""


class PostgresShopDesk:
    """Implements `fairkey.read_tables.shop_desk.ShopDesk`."""

    def __init__(self, pool: asyncpg.Pool, opener: Opener, now_ms: Callable[[], int]) -> None:
        self._pool = pool
        self._opener = opener
        self._now_ms = now_ms

    async def shop(self, shop_id: str) -> ShopRecord | None:
        """The shop, with the payout account of its newest profile."""
        row = await self._pool.fetchrow(_SHOP, UUID(shop_id), UUID(shop_id))
        if row is None:
            return None
        facts = await facts_of(self._pool, self._opener, Stream(shop_id, "shop", shop_id), with_sealed=True)
        accounts = [fact.sealed["payout_account"] for fact in facts if "payout_account" in fact.sealed]
        return ShopRecord(
            shop=cast("ShopFile", decode_file("shop", row["state"])).shop,
            payout_account=accounts[-1] if accounts else "",
        )

    async def orders(
        self,
        shop_id: str,
        *,
        stages: Sequence[str] = (),
        listing_id: str | None = None,
        after: Place | None = None,
        lines_max: int = 30,
    ) -> list[OrderLine]:
        """Its orders, newest first."""
        rows = await self._pool.fetch(
            _ORDERS, UUID(shop_id), list(stages), UUID(listing_id) if listing_id else None, *_ended(after), lines_max
        )
        return [line_of(row) for row in rows]

    async def listings(self, shop_id: str, *, after: Place | None = None, lines_max: int = 30) -> list[ListingLine]:
        """Its listings, newest first."""
        rows = await self._pool.fetch(_LISTINGS, UUID(shop_id), *_ended(after), lines_max)
        return [_listing_line(row) for row in rows]

    async def listing(self, shop_id: str, listing_id: str) -> ListingLine | None:
        """One listing."""
        row = await self._pool.fetchrow(_LISTING, UUID(shop_id), UUID(listing_id))
        return _listing_line(row) if row else None

    async def batches(
        self, shop_id: str, *, listing_id: str | None = None, after: Place | None = None, lines_max: int = 30
    ) -> list[BatchLine]:
        """Its registered batches, newest first."""
        rows = await self._pool.fetch(
            _BATCHES, UUID(shop_id), *_ended(after), lines_max, UUID(listing_id) if listing_id else None
        )
        return [_batch_line(row) for row in rows]

    async def batch(self, shop_id: str, batch_id: str) -> BatchLine | None:
        """One batch."""
        row = await self._pool.fetchrow(_BATCH, UUID(shop_id), UUID(batch_id))
        return _batch_line(row) if row else None

    async def coupons(self, shop_id: str, *, after: Place | None = None, lines_max: int = 30) -> list[CouponLine]:
        """Its coupons, newest first."""
        rows = await self._pool.fetch(_COUPONS, UUID(shop_id), *_ended(after), lines_max)
        return [
            CouponLine(
                coupon_id=str(row["id"]),
                coupon=cast("CouponFile", decode_file("coupon", row["state"])).coupon,
                created_at_ms=ms_of(row["created_at"]),
            )
            for row in rows
        ]

    async def payouts(self, shop_id: str, *, after: Place | None = None, lines_max: int = 30) -> list[PayoutLine]:
        """Its payouts, newest first."""
        rows = await self._pool.fetch(_PAYOUTS, UUID(shop_id), *_ended(after), lines_max)
        return [
            PayoutLine(
                payout_id=str(row["id"]),
                payout=cast("PayoutFile", decode_file("payout", row["state"])).payout,
                created_at_ms=ms_of(row["created_at"]),
            )
            for row in rows
        ]

    async def balances(self, shop_id: str) -> Mapping[str, int]:
        """Account -> balance in fen."""
        return {row["account"]: row["balance_fen"] for row in await self._pool.fetch(_BALANCES, UUID(shop_id))}

    async def ledger(
        self, shop_id: str, *, after: LedgerPlace | None = None, rows_max: int = 30
    ) -> list[LedgerRow]:
        """Rows of its ledger, newest first."""
        ended = (moment(after.at_ms), UUID(after.stream_id), after.version, after.row_no) if after else (None,) * 4
        return [
            LedgerRow(
                stream_kind=row["stream_kind"],
                stream_id=str(row["stream_id"]),
                version=row["version"],
                row_no=row["row_no"],
                debit=row["debit"],
                credit=row["credit"],
                amount_fen=row["amount_fen"],
                currency=row["currency"],
                at_ms=ms_of(row["at"]),
                event_kind=row["kind"],
            )
            for row in await self._pool.fetch(_LEDGER, UUID(shop_id), *ended, rows_max)
        ]


def _ended(after: Place | None) -> tuple[datetime | None, UUID | None]:
    return (moment(after.at_ms), UUID(after.id)) if after else (None, None)


def _listing_line(row: asyncpg.Record) -> ListingLine:
    return ListingLine(
        listing_id=str(row["id"]),
        listing=cast("ListingFile", decode_file("listing", row["state"])).listing,
        stock=row["stock"],
        created_at_ms=ms_of(row["created_at"]),
    )


def _batch_line(row: asyncpg.Record) -> BatchLine:
    return BatchLine(
        batch_id=str(row["id"]),
        batch=cast("BatchFile", decode_file("batch", row["state"])).batch,
        unsold=row["unsold"],
        created_at_ms=ms_of(row["created_at"]),
    )
