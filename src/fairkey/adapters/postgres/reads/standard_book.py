"""The SQL of `fairkey.read_tables.standard_book`."""

from collections.abc import Sequence
from typing import Final, cast
from uuid import UUID

import asyncpg

from fairkey.adapters.postgres.reads.lure_reports import lure_reporters
from fairkey.business.basics import DAY_MS, PLATFORM
from fairkey.business.files import CreditFile, DepositFile, PoolFile, StandardFile
from fairkey.business.pool import POOL_ID, QUOTA_WINDOW_MS
from fairkey.business.standards import STANDARD_ID, Published
from fairkey.engine.codec import decode_file
from fairkey.read_tables.standard_book import CLEAN_ORDERS_A_USE, EXPLAINED_CASES, SIGNS_OF_LIFE, BatchPast, Past

_PUBLISHED: Final = "SELECT state FROM streams WHERE shop_id = $1 AND kind = 'standard' AND id = $2"
_CUSTODY: Final = "SELECT code_id, custody FROM vault WHERE shop_id = $1 AND code_id = ANY ($2::uuid[])"
_BATCH: Final = """
SELECT count(DISTINCT buyer_key)::int AS opened,
    (count(DISTINCT buyer_key) FILTER (WHERE failed))::int AS failed,
    (count(DISTINCT buyer_key) FILTER (WHERE failed AND recorded AND NOT ruled_by = ANY ($4::text[])))::int AS recorded
FROM (SELECT o.buyer_key,
    coalesce(o.state #>> '{complaint,ruling,case}', '') AS ruled_by,
    jsonb_path_exists(
        o.state::jsonb, '$.evidence.items[*] ? (@.piece == "recording" && !(@.withdrawn == true))'
    ) AS recorded,
    o.state #>> '{complaint,reason}' IN ('already_used', 'not_valid')
    AND coalesce(o.state #>> '{complaint,outcome}', '') NOT IN ('merchant_silent', 'withdrawn', 'shop_vanished')
    AND coalesce(o.state #>> '{complaint,ruling,row}', '') NOT IN ('R15', 'R18')
    AND (coalesce((o.state #>> '{complaint,refund_fen}')::bigint, 0) > 0
         OR coalesce((o.state #>> '{complaint,ruling,pool_fen}')::bigint, 0) > 0
         OR o.state #>> '{complaint,stage}' NOT IN ('closed', 'ruled')
         OR o.state #>> '{complaint,stage}' = 'ruled'
            AND coalesce((o.state #>> '{complaint,ruling,refund_fen}')::bigint, 0) > 0) AS failed
    FROM codes mine
    JOIN codes c ON c.shop_id = mine.shop_id AND c.batch_id = mine.batch_id AND c.stage = 'revealed'
    JOIN streams o ON o.shop_id = c.shop_id AND o.kind = 'order' AND o.id = c.order_id
    JOIN streams own ON own.shop_id = c.shop_id AND own.kind = 'order' AND own.id = $3
    WHERE mine.shop_id = $1 AND mine.code_id = $2 AND o.id <> $3 AND o.buyer_key <> own.buyer_key
) others
"""
_BATCHES: Final = """
SELECT DISTINCT batch_id FROM codes WHERE shop_id = $1 AND code_id = ANY ($2::uuid[]) AND batch_id IS NOT NULL
ORDER BY batch_id
"""
_ORDER_OF: Final = "SELECT order_id FROM codes WHERE shop_id = $1 AND code_id = $2"


_RULED: Final = """
SELECT convert_from(body, 'UTF8')::json #>> '{public,row}' AS row,
       (extract(epoch FROM at) * 1000)::bigint AS at_ms
FROM events WHERE shop_id = $1 AND kind = 'dispute.ruled' AND at >= to_timestamp($2 / 1000.0)
"""
_SEEN: Final = """
SELECT (extract(epoch FROM max(at)) * 1000)::bigint FROM events
WHERE shop_id = $1 AND at <= to_timestamp($2 / 1000.0) AND (
    kind = ANY ($3::text[])
    OR (kind = 'code.delivered' AND json_array_length(convert_from(body, 'UTF8')::json #> '{public,commitments}') > 0)
    OR ((kind LIKE 'dispute.%' OR kind = 'message.sent')
        AND convert_from(body, 'UTF8')::json #>> '{public,by}' IN ('shop', 'merchant'))
)
"""
_STATE: Final = "SELECT state FROM streams WHERE shop_id = $1 AND kind = $2 AND id = $3"
_CLEAN: Final = """
SELECT count(*) FROM streams
WHERE buyer_key = $1 AND kind = 'order' AND stage = 'completed' AND state -> 'complaint' IS NULL
"""


class PostgresStandardBook:
    """Implements `fairkey.read_tables.standard_book.StandardBook`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def published(self) -> list[Published]:
        """All published versions."""
        state = await self._pool.fetchval(_PUBLISHED, UUID(PLATFORM), UUID(STANDARD_ID))
        return list(cast("StandardFile", decode_file("standard", state)).standards.published) if state else []

    async def custody(self, shop_id: str, code_ids: Sequence[str]) -> dict[str, str]:
        """The custody class of each of these codes."""
        rows = await self._pool.fetch(_CUSTODY, UUID(shop_id), [UUID(code_id) for code_id in code_ids])
        return {str(row["code_id"]): f"C{row['custody']}" for row in rows}

    async def batch_past(self, shop_id: str, code_id: str, order_id: str) -> BatchPast:
        """How other buyers fared with codes of the same batch."""
        row = await self._pool.fetchrow(_BATCH, UUID(shop_id), UUID(code_id), UUID(order_id), list(EXPLAINED_CASES))
        return BatchPast(*row)

    async def past(self, shop_id: str, buyer_key: str, *, now_ms: int, pool_fen: int) -> Past:
        """The past of a shop and a buyer."""
        ruled = await self._pool.fetch(_RULED, UUID(shop_id), now_ms - 90 * DAY_MS)
        deposit = await self._pool.fetchval(_STATE, UUID(shop_id), "deposit", UUID(shop_id))
        credit = await self._pool.fetchval(_STATE, UUID(shop_id), "credit", UUID(shop_id))
        return Past(
            deposit_fen=cast("DepositFile", decode_file("deposit", deposit)).deposit.free_fen if deposit else None,
            silences=sum(row["row"] == "R15" for row in ruled),
            used_code_at_ms=max((row["at_ms"] for row in ruled if row["row"] == "R03"), default=0),
            lures=sum(row["row"] == "R14" for row in ruled),
            meter=cast("CreditFile", decode_file("credit", credit)).crediting.meter if credit else 0,
            seen_at_ms=await self._pool.fetchval(_SEEN, UUID(shop_id), now_ms, sorted(SIGNS_OF_LIFE)),
            pool_uses=await self._pool_uses(buyer_key, now_ms, pool_fen),
        )

    async def _pool_uses(self, buyer_key: str, now_ms: int, pool_fen: int) -> int | None:
        state = await self._pool.fetchval(_STATE, UUID(PLATFORM), "pool", UUID(POOL_ID))
        if not state or not buyer_key:
            return None
        pool = cast("PoolFile", decode_file("pool", state)).pool
        uses = sum(now_ms - at_ms < QUOTA_WINDOW_MS for at_ms in pool.quota.get(buyer_key, ()))
        clean: int = await self._pool.fetchval(_CLEAN, buyer_key)
        is_open = pool.balance_fen >= pool_fen and clean >= CLEAN_ORDERS_A_USE * (uses + 1)
        return uses if is_open else None

    async def lure_reporters(self, shop_id: str, now_ms: int) -> int:
        """Independent reporters of a lure outside."""
        return await lure_reporters(self._pool, shop_id, now_ms)

    async def batches_of(self, shop_id: str, code_ids: Sequence[str]) -> list[str]:
        """The batches of these codes."""
        rows = await self._pool.fetch(_BATCHES, UUID(shop_id), [UUID(code_id) for code_id in code_ids])
        return [str(row["batch_id"]) for row in rows]

    async def order_of(self, shop_id: str, code_id: str) -> str | None:
        """The order that holds this code."""
        order_id = await self._pool.fetchval(_ORDER_OF, UUID(shop_id), UUID(code_id))
        return str(order_id) if order_id else None
