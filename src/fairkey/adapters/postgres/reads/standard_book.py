"""The SQL of `fairkey.read_tables.standard_book`."""

from collections.abc import Sequence
from typing import Final, cast
from uuid import UUID

import asyncpg

from fairkey.business.basics import PLATFORM
from fairkey.business.files import StandardFile
from fairkey.business.standards import STANDARD_ID, Published
from fairkey.engine.codec import decode_file

_PUBLISHED: Final = "SELECT state FROM streams WHERE shop_id = $1 AND kind = 'standard' AND id = $2"
_CUSTODY: Final = "SELECT code_id, custody FROM vault WHERE shop_id = $1 AND code_id = ANY ($2::uuid[])"
_FAILED: Final = """
SELECT count(DISTINCT o.buyer_key)
FROM codes mine
JOIN codes c ON c.shop_id = mine.shop_id AND c.batch_id = mine.batch_id AND c.stage = 'revealed'
JOIN streams o ON o.shop_id = c.shop_id AND o.kind = 'order' AND o.id = c.order_id
JOIN streams own ON own.shop_id = c.shop_id AND own.kind = 'order' AND own.id = $3
WHERE mine.shop_id = $1 AND mine.code_id = $2 AND o.id <> $3 AND o.buyer_key <> own.buyer_key
  AND o.stage IN ('refunded', 'partly_refunded')
  AND o.state -> 'complaint' ->> 'outcome' IN ('accepted', 'ruled')
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

    async def failed_buyers(self, shop_id: str, code_id: str, order_id: str) -> int:
        """Other buyers who lost a code of the same batch."""
        count: int = await self._pool.fetchval(_FAILED, UUID(shop_id), UUID(code_id), UUID(order_id))
        return count
