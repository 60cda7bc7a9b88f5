"""Storage of `fairkey.engine.desk_marks`."""

from collections.abc import Mapping
from uuid import UUID

import asyncpg


class PostgresDeskMarks:
    """Implements `DeskMarks`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        """Uses connections of `pool`."""
        self._pool = pool

    async def low_stock(self, shop_id: str) -> Mapping[str, int]:
        """See `DeskMarks.low_stock`."""
        rows = await self._pool.fetch("SELECT listing_id, below FROM low_stock_marks WHERE shop_id = $1", UUID(shop_id))
        return {str(row["listing_id"]): row["below"] for row in rows}

    async def mark_low_stock(self, shop_id: str, listing_id: str, below: int) -> None:
        """See `DeskMarks.mark_low_stock`."""
        ids = UUID(shop_id), UUID(listing_id)
        if not below:
            await self._pool.execute("DELETE FROM low_stock_marks WHERE shop_id = $1 AND listing_id = $2", *ids)
            return
        await self._pool.execute(
            """
            INSERT INTO low_stock_marks (shop_id, listing_id, below) VALUES ($1, $2, $3)
            ON CONFLICT (shop_id, listing_id) DO UPDATE SET below = excluded.below
            """,
            *ids,
            below,
        )
