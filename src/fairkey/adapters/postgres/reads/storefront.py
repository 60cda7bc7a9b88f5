"""The SQL of `fairkey.read_tables.storefront`."""

from collections.abc import Callable
from typing import Final
from uuid import UUID

import asyncpg
from msgspec import json

from fairkey.adapters.postgres.moments import moment, ms_of
from fairkey.business.basics import SECOND_MS
from fairkey.business.listings import decode_terms
from fairkey.business.reviews import Review
from fairkey.read_tables.storefront import (
    FIGURES_OF_ORDERS_MAX,
    FIGURES_OVER_MS,
    Card,
    Choices,
    Figures,
    ListingFront,
    ReviewLine,
    Revision,
    Shelf,
    ShopFigures,
    ShopFront,
    Sort,
    Wish,
)

FIGURES_AGE_MAX_MS: Final = 15 * SECOND_MS
FIGURES_KEPT_MAX: Final = 2_000

_ON_SALE: Final = """
    SELECT l.shop_id, n.shop_no, s.state -> 'shop' ->> 'name' AS shop_name, l.id AS listing_id,
           (l.state #>> '{listing,revision}')::int AS revision, coalesce(k.free, 0) AS stock,
           (l.state #>> '{listing,published_at_ms}')::bigint AS published_at_ms,
           t.product, t.category, t.face_value, t.region, t.edition, t.price_fen, t.delivery, t.promise_min,
           coalesce((t.tiers -> -1 ->> 1)::bigint, t.price_fen) AS lowest_price_fen
    FROM streams l
    JOIN streams s ON s.shop_id = l.shop_id AND s.kind = 'shop' AND s.id = l.shop_id AND s.stage = 'open'
    JOIN shop_numbers n ON n.shop_id = l.shop_id
    LEFT JOIN listing_stock k ON k.shop_id = l.shop_id AND k.listing_id = l.id
    CROSS JOIN LATERAL json_to_record(l.state #> '{listing,terms}') AS t(
        product text, category text, face_value text, region text, edition text, price_fen bigint, delivery text,
        promise_min int, tiers json)
    WHERE l.kind = 'listing' AND l.stage = 'on_sale'
"""

_KEYS: Final[dict[Sort, str]] = {
    "stock": "(CASE WHEN stock > 0 OR delivery = 'manual' THEN 0 ELSE 10000000000000000 END) - published_at_ms",
    "new": "-published_at_ms",
    "price": "price_fen",
    "price_down": "-price_fen",
    "speed": "(CASE WHEN delivery = 'manual' THEN promise_min::bigint WHEN stock > 0 THEN 0 ELSE 10000000 END)",
}

_SHELF: Final = """
WITH on_sale AS ({on_sale}),
matching AS (
    SELECT *, {key} AS sort_key FROM on_sale
    WHERE concat_ws(' ', product, face_value, region, edition, category, shop_name) ILIKE ALL ($1::text[])
      AND ($2 = '' OR category = $2) AND ($3 = '' OR region = $3) AND ($4 = '' OR delivery = $4)
      AND ($5::bigint IS NULL OR price_fen >= $5) AND ($6::bigint IS NULL OR price_fen <= $6)
      AND (NOT $7 OR stock > 0 OR delivery = 'manual') AND ($8::uuid IS NULL OR shop_id = $8)
)
SELECT *, (SELECT count(*) FROM matching) AS matches FROM matching
WHERE $9::bigint IS NULL OR (sort_key, listing_id) > ($9, $10::uuid)
ORDER BY sort_key, listing_id LIMIT $11
"""

_CHOICES: Final = """
SELECT category, region, count(*)::int AS listings
FROM ({on_sale}) AS on_sale GROUP BY GROUPING SETS ((category), (region)) ORDER BY 3 DESC, 1, 2 LIMIT 200
""".replace("{on_sale}", _ON_SALE)

_SHOP: Final = """
SELECT s.shop_id, n.shop_no, s.state -> 'shop' ->> 'name' AS name, s.stage,
       coalesce(s.state -> 'shop' ->> 'announcement', '') AS announcement,
       coalesce((s.state #>> '{shop,opened_at_ms}')::bigint, 0) AS opened_at_ms
FROM streams s JOIN shop_numbers n ON n.shop_id = s.shop_id
WHERE s.shop_id = $1 AND s.kind = 'shop' AND s.id = $1
"""

_LISTING: Final = """
SELECT l.stage, coalesce(k.free, 0) AS stock
FROM streams l LEFT JOIN listing_stock k ON k.shop_id = l.shop_id AND k.listing_id = l.id
WHERE l.shop_id = $1 AND l.kind = 'listing' AND l.id = $2
"""

_REVISIONS: Final = """
SELECT revision, revision_hash, published_at FROM listing_revisions
WHERE shop_id = $1 AND listing_id = $2 ORDER BY revision DESC
"""

_REVISION: Final = """
SELECT revision, revision_hash, published_at, terms FROM listing_revisions
WHERE shop_id = $1 AND listing_id = $2 AND revision = $3
"""

# One look at the newest orders of each shop; sums for each listing and (listing_id NULL) for the whole shop.
_FIGURES: Final = """
WITH counted AS (
    SELECT o.shop_id, o.listing_id, o.created_at, o.stage, o.quantity, o.amount_fen,
           (o.state #>> '{order,paid_at_ms}')::bigint AS paid_at_ms,
           (o.state #>> '{order,delivered_at_ms}')::bigint AS delivered_at_ms,
           o.state #>> '{order,ended_by}' AS ended_by,
           (SELECT count(*) FROM json_array_elements(o.state #> '{codes,held}') AS c
            WHERE c ->> 'stage' = 'revealed') AS opened,
           o.state #>> '{complaint,stage}' AS complaint_stage,
           CASE WHEN o.state #>> '{complaint,outcome}' IN ('ruled', 'standard')
                THEN CASE WHEN o.state #>> '{complaint,refund_fen}' IS NULL THEN 'rejected' ELSE 'ruled' END
                ELSE coalesce(o.state #>> '{complaint,outcome}', 'running') END AS outcome,
           coalesce((o.state #>> '{complaint,refund_fen}')::bigint, 0) AS refund_fen,
           (o.state #>> '{review,speed}')::int AS speed,
           coalesce((o.state #>> '{review,code_worked}')::boolean, false) AS code_worked,
           o.state #>> '{review,objected_at_ms}' AS objected_at_ms,
           coalesce((o.state #>> '{review,times_hidden}')::int, 0) AS times_hidden
    FROM unnest($1::uuid[]) AS asked(shop_id)
    CROSS JOIN LATERAL (
        SELECT * FROM streams WHERE kind = 'order' AND shop_id = asked.shop_id AND created_at >= $2
        ORDER BY created_at DESC LIMIT $3
    ) AS o
)
SELECT shop_id, listing_id, grouping(listing_id) = 1 AS is_whole, count(*)::int AS orders, min(created_at) AS oldest,
       count(paid_at_ms)::int AS paid,
       count(delivered_at_ms)::int AS delivered,
       coalesce(sum(quantity) FILTER (WHERE delivered_at_ms IS NOT NULL), 0)::int AS delivered_units,
       (count(*) FILTER (WHERE stage IN ('cancelled', 'partly_refunded') AND ended_by = 'clock'))::int AS late,
       (count(*) FILTER (WHERE stage = 'cancelled' AND ended_by = 'buyer'))::int AS withdrawn,
       percentile_disc(0.5) WITHIN GROUP (ORDER BY delivered_at_ms - paid_at_ms) AS median_ms,
       percentile_disc(0.95) WITHIN GROUP (ORDER BY delivered_at_ms - paid_at_ms) AS p95_ms,
       coalesce(sum(opened), 0)::int AS opened_units,
       coalesce(
           sum(least(opened, ceil(quantity::numeric * refund_fen / amount_fen))) FILTER (WHERE refund_fen > 0), 0
       )::int AS bad_units,
       count(complaint_stage)::int AS complained,
       (count(*) FILTER (WHERE complaint_stage IS NOT NULL AND outcome = 'running'))::int AS running,
       (count(*) FILTER (WHERE outcome = 'accepted'))::int AS accepted,
       (count(*) FILTER (WHERE outcome = 'merchant_silent'))::int AS merchant_silent,
       (count(*) FILTER (WHERE outcome = 'operator_silent'))::int AS operator_silent,
       (count(*) FILTER (WHERE outcome = 'ruled'))::int AS ruled,
       (count(*) FILTER (WHERE outcome = 'rejected'))::int AS rejected,
       (count(*) FILTER (WHERE outcome = 'settled'))::int AS settled,
       (count(*) FILTER (WHERE outcome = 'withdrawn'))::int AS taken_back,
       count(speed)::int AS reviews, avg(speed)::float AS speed_mean,
       (count(*) FILTER (WHERE code_worked))::int AS code_worked,
       count(objected_at_ms)::int AS objected, sum(times_hidden)::int AS hidden
FROM counted GROUP BY GROUPING SETS ((shop_id, listing_id), (shop_id))
"""
_OUTCOMES: Final = (
    "running", "accepted", "merchant_silent", "operator_silent", "ruled", "rejected", "settled", "taken_back",
)  # fmt: skip

_REVIEWS: Final = """
SELECT o.id AS order_id, o.listing_id, o.state #>> '{order,buyer}' AS buyer, o.state #>> '{review}' AS review,
       r.terms::json ->> 'product' AS product
FROM (
    SELECT id, state, shop_id, listing_id FROM streams
    WHERE kind = 'order' AND shop_id = $1 AND stage = 'completed' AND state #>> '{review,posted_at_ms}' IS NOT NULL
      AND ($5::uuid IS NULL OR listing_id = $5)
    ORDER BY created_at DESC LIMIT $2
) AS o
JOIN listing_revisions r ON r.shop_id = o.shop_id AND r.listing_id = o.listing_id
                        AND r.revision = (o.state #>> '{order,revision}')::int
WHERE $3::bigint IS NULL OR (o.state #>> '{review,posted_at_ms}')::bigint < $3
ORDER BY (o.state #>> '{review,posted_at_ms}')::bigint DESC LIMIT $4
"""


class PostgresStorefront:
    """Implements `fairkey.read_tables.storefront.Storefront`."""

    def __init__(self, pool: asyncpg.Pool, now_ms: Callable[[], int]) -> None:
        self._pool = pool
        self._now_ms = now_ms
        self._figures: dict[str, tuple[int, ShopFigures]] = {}

    async def shelf(self, wish: Wish) -> Shelf:
        """Listings on sale that match; the query looks at all that are on sale."""
        key, after_id = wish.after or (None, None)
        rows = await self._pool.fetch(
            _shelf_sql(wish.sort),
            [f"%{_as_itself(word)}%" for word in wish.words] or ["%"],
            wish.category,
            wish.region,
            wish.delivery,
            wish.price_least_fen,
            wish.price_most_fen,
            wish.in_stock_only,
            UUID(wish.shop_id) if wish.shop_id else None,
            key,
            UUID(after_id) if after_id else None,
            wish.cards_max + 1,
        )
        shown = rows[: wish.cards_max]
        more = len(rows) > wish.cards_max
        return Shelf(
            cards=tuple(_card(row) for row in shown),
            count=rows[0]["matches"] if rows else 0,
            after=(shown[-1]["sort_key"], str(shown[-1]["listing_id"])) if more else None,
        )

    async def choices(self) -> Choices:
        """What can be filtered by."""
        rows = await self._pool.fetch(_CHOICES)
        return Choices(
            categories=tuple((row["category"], row["listings"]) for row in rows if row["category"] is not None),
            regions=tuple((row["region"], row["listings"]) for row in rows if row["region"] is not None),
        )

    async def listing(self, shop_id: str, listing_id: str) -> ListingFront | None:
        """One listing, whether on sale or not."""
        shop = await self.shop(shop_id)
        row = await self._pool.fetchrow(_LISTING, UUID(shop_id), UUID(listing_id))
        if shop is None or row is None:
            return None
        revisions = await self._pool.fetch(_REVISIONS, UUID(shop_id), UUID(listing_id))
        newest = await self.revision(shop_id, listing_id, revisions[0]["revision"])
        if newest is None:
            return None
        return ListingFront(
            shop=shop,
            listing_id=listing_id,
            on_sale=row["stage"] == "on_sale",
            stock=row["stock"],
            newest=newest,
            revisions=tuple(
                (one["revision"], one["revision_hash"].hex(), ms_of(one["published_at"])) for one in revisions
            ),
        )

    async def revision(self, shop_id: str, listing_id: str, revision: int) -> Revision | None:
        """One revision with its terms."""
        row = await self._pool.fetchrow(_REVISION, UUID(shop_id), UUID(listing_id), revision)
        if row is None:
            return None
        return Revision(
            revision=row["revision"],
            revision_hash=row["revision_hash"].hex(),
            published_at_ms=ms_of(row["published_at"]),
            terms=decode_terms(row["terms"]),
        )

    async def shop(self, shop_id: str) -> ShopFront | None:
        """One shop."""
        row = await self._pool.fetchrow(_SHOP, UUID(shop_id))
        if row is None:
            return None
        return ShopFront(
            shop_id=shop_id,
            shop_no=row["shop_no"],
            name=row["name"] or "",
            announcement=row["announcement"],
            standing=row["stage"],
            opened_at_ms=row["opened_at_ms"],
        )

    async def figures(self, shop_ids: list[str]) -> dict[str, ShopFigures]:
        """Figures of these shops, from memory where they are fresh enough."""
        now_ms = self._now_ms()
        kept = {shop_id: self._figures[shop_id] for shop_id in shop_ids if shop_id in self._figures}
        fresh = {
            shop_id: figures for shop_id, (at_ms, figures) in kept.items() if 0 <= now_ms - at_ms < FIGURES_AGE_MAX_MS
        }
        missing = sorted(set(shop_ids) - set(fresh))
        if missing:
            counted = await self._count(missing, now_ms)
            if len(self._figures) > FIGURES_KEPT_MAX:
                self._figures.clear()
            self._figures.update({shop_id: (now_ms, figures) for shop_id, figures in counted.items()})
            fresh.update(counted)
        return fresh

    async def _count(self, shop_ids: list[str], now_ms: int) -> dict[str, ShopFigures]:
        since_ms = now_ms - FIGURES_OVER_MS
        rows = await self._pool.fetch(
            _FIGURES, [UUID(shop_id) for shop_id in shop_ids], moment(since_ms), FIGURES_OF_ORDERS_MAX
        )
        counted: dict[str, ShopFigures] = {}
        for shop_id in shop_ids:
            of_shop = [row for row in rows if str(row["shop_id"]) == shop_id]
            whole = next((row for row in of_shop if row["is_whole"]), None)
            is_cut = whole is not None and whole["orders"] >= FIGURES_OF_ORDERS_MAX
            counted[shop_id] = ShopFigures(
                whole=_figures_of(whole),
                of_listing={str(row["listing_id"]): _figures_of(row) for row in of_shop if not row["is_whole"]},
                since_ms=ms_of(whole["oldest"]) if whole is not None and is_cut else since_ms,
                until_ms=now_ms,
                is_cut=is_cut,
            )
        return counted

    async def reviews(
        self, shop_id: str, *, listing_id: str | None = None, before_ms: int | None = None, lines_max: int = 20
    ) -> list[ReviewLine]:
        """What buyers said of a shop or of one of its listings, newest first."""
        listing = UUID(listing_id) if listing_id else None
        rows = await self._pool.fetch(_REVIEWS, UUID(shop_id), FIGURES_OF_ORDERS_MAX, before_ms, lines_max, listing)
        return [
            ReviewLine(
                order_id=str(row["order_id"]),
                listing_id=str(row["listing_id"]),
                product=row["product"],
                buyer=row["buyer"],
                review=json.decode(row["review"], type=Review),
            )
            for row in rows
        ]


def _shelf_sql(sort: Sort) -> str:
    return _SHELF.replace("{on_sale}", _ON_SALE).replace("{key}", _KEYS[sort])


def _as_itself(word: str) -> str:
    """A word for ILIKE in which nothing is a wildcard."""
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _card(row: asyncpg.Record) -> Card:
    return Card(
        shop_id=str(row["shop_id"]),
        shop_no=row["shop_no"],
        shop_name=row["shop_name"] or "",
        listing_id=str(row["listing_id"]),
        revision=row["revision"],
        product=row["product"],
        category=row["category"],
        face_value=row["face_value"],
        region=row["region"],
        edition=row["edition"],
        price_fen=row["price_fen"],
        lowest_price_fen=row["lowest_price_fen"],
        delivery=row["delivery"],
        promise_min=row["promise_min"],
        stock=row["stock"],
        published_at_ms=row["published_at_ms"],
    )


def _figures_of(row: asyncpg.Record | None) -> Figures:
    if row is None:
        return Figures()
    return Figures(
        paid=row["paid"],
        delivered=row["delivered"],
        delivered_units=row["delivered_units"],
        late=row["late"],
        withdrawn=row["withdrawn"],
        delivery_median_ms=row["median_ms"],
        delivery_p95_ms=row["p95_ms"],
        opened_units=row["opened_units"],
        bad_units=row["bad_units"],
        complained=row["complained"],
        complaints={name: row[name] for name in _OUTCOMES if row[name]},
        reviews=row["reviews"],
        speed_mean=row["speed_mean"],
        code_worked=row["code_worked"],
        objected=row["objected"],
        hidden=row["hidden"],
    )
