"""Due deadlines, and the lease that lets one process at a time sweep them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from fairkey.adapters.postgres.moments import moment, ms_of
from fairkey.business.basics import Stream
from fairkey.business.deadlines import Due

_DUE: Final = """
SELECT shop_id, kind, id, due_at, due_what FROM streams WHERE due_at <= $1 ORDER BY due_at LIMIT $2
"""


class PostgresClockwork:
    """Implements `fairkey.worker.Clockwork`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def due(self, now_ms: int, rows_max: int) -> list[tuple[Stream, Due]]:
        """Deadlines that have come, earliest first."""
        return [
            (Stream(str(row["shop_id"]), row["kind"], str(row["id"])), Due(ms_of(row["due_at"]), row["due_what"]))
            for row in await self._pool.fetch(_DUE, moment(now_ms), rows_max)
        ]

    @asynccontextmanager
    async def lease(self, name: str) -> AsyncIterator[bool]:
        """Whether this process holds the lease for the body; it ends with the connection if the process dies."""
        async with self._pool.acquire() as connection:
            held = await connection.fetchval("SELECT pg_try_advisory_lock(hashtextextended($1, 1))", name)
            try:
                yield held
            finally:
                if held:
                    await connection.execute("SELECT pg_advisory_unlock(hashtextextended($1, 1))", name)
