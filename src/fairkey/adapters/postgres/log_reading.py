"""A house's own log as its tables have it, for audits and exports. Nothing here writes."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import asyncpg

_SIZES: Final = """
SELECT size, cosigned IS NOT NULL AS published FROM log_heads WHERE log_no = $1 ORDER BY size
"""
_HEAD: Final = "SELECT coalesce(cosigned, note) FROM log_heads WHERE (log_no, size) = ($1, $2)"
_ENTRIES: Final = """
SELECT l.log_index, l.leaf_hash, e.body FROM log_entries l LEFT JOIN events e USING (recorded)
WHERE l.log_no = $1 AND l.log_index >= $2 AND l.log_index < $3 ORDER BY l.log_index
"""


class RecordedEntry(NamedTuple):
    """An entry as the tables have it; `body` is None when its event is gone."""

    log_index: int
    leaf: bytes
    body: bytes | None


class PostgresLogReading:
    """One log of this installation, read."""

    def __init__(self, pool: asyncpg.Pool, log_no: int) -> None:
        self._pool = pool
        self._log_no = log_no

    async def head_sizes(self) -> dict[int, bool]:
        """The size of every head that was signed, smallest first, and whether it was published."""
        rows = await self._pool.fetch(_SIZES, self._log_no)
        return {row["size"]: row["published"] for row in rows}

    async def head(self, size: int) -> bytes | None:
        """The signed note of a head, with the witnesses' lines when it was published."""
        data: bytes | None = await self._pool.fetchval(_HEAD, self._log_no, size)
        return data

    async def entries(self, start: int, end: int) -> Sequence[RecordedEntry]:
        """The entries `[start, end)` in order, as far as the tables have them."""
        rows = await self._pool.fetch(_ENTRIES, self._log_no, start, end)
        return [RecordedEntry(row["log_index"], row["leaf_hash"], row["body"]) for row in rows]
