"""The SQL of `fairkey.read_tables.floor`."""

from collections.abc import Callable
from typing import Final

import asyncpg

from fairkey.adapters.postgres.moments import moment

from .order_book import Opener

_ORDERS_BY_STAGE: Final = """
SELECT stage, count(*)::int AS orders FROM streams
WHERE kind = 'order' AND (NOT $1 OR due_at < $2) GROUP BY 1 ORDER BY 1
"""


class PostgresFloor:
    """Implements `fairkey.read_tables.floor.Floor`."""

    def __init__(self, pool: asyncpg.Pool, opener: Opener, now_ms: Callable[[], int]) -> None:
        self._pool = pool
        self._opener = opener
        self._now_ms = now_ms

    async def orders_by_stage(self, *, stuck_only: bool = False) -> dict[str, int]:
        """How many orders are in each stage."""
        rows = await self._pool.fetch(_ORDERS_BY_STAGE, stuck_only, moment(self._now_ms()))
        return {row["stage"]: row["orders"] for row in rows}
