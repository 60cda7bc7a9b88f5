"""The SQL of `fairkey.engine.statement_port`."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final
from uuid import UUID

import asyncpg

from fairkey.adapters.postgres.moments import moment
from fairkey.engine.statement_port import Claimed

_READ: Final = """
SELECT statement_key, text_hash FROM issuer_statements WHERE issuer_id = $1 AND statement_key = ANY ($2::text[])
"""
# In the order of their keys, so that two requests with the same ids wait for each other and never for themselves.
_CLAIM: Final = """
INSERT INTO issuer_statements (issuer_id, statement_key, text_hash, claimed_at)
SELECT $1, new.statement_key, new.text_hash, $4
FROM unnest($2::text[], $3::bytea[]) AS new (statement_key, text_hash) ORDER BY new.statement_key
ON CONFLICT DO NOTHING RETURNING statement_key
"""


class _SomeAreTaken(Exception):
    """Leaving the transaction by it rolls back what was claimed."""

    def __init__(self, taken: frozenset[str]) -> None:
        super().__init__()
        self.taken = taken


def _all_or_none(
    made: Iterable[asyncpg.Record], rows: Iterable[asyncpg.Record], ids: Mapping[str, bytes]
) -> Claimed:
    taken = frozenset(row["statement_key"] for row in rows if row["text_hash"] != ids[row["statement_key"]])
    if taken:
        raise _SomeAreTaken(taken)
    return Claimed(frozenset(row["statement_key"] for row in made), taken)


class PostgresStatementIds:
    """Implements `fairkey.engine.statement_port.StatementIds`."""

    def __init__(self, pool: asyncpg.Pool, now_ms: Callable[[], int]) -> None:
        self._pool = pool
        self._now_ms = now_ms

    async def known(self, issuer_id: str, ids: Mapping[str, bytes]) -> Claimed:
        """How these ids stand."""
        rows = await self._pool.fetch(_READ, UUID(issuer_id), list(ids))
        known = {row["statement_key"]: row["text_hash"] for row in rows}
        return Claimed(
            fresh=frozenset(ids.keys() - known.keys()),
            taken=frozenset(key for key, text_hash in known.items() if text_hash != ids[key]),
        )

    async def claim(self, issuer_id: str, ids: Mapping[str, bytes]) -> Claimed:
        """Claim all that are fresh, or none."""
        try:
            async with self._pool.acquire() as db, db.transaction():
                now = moment(self._now_ms())
                rows = await db.fetch(_CLAIM, UUID(issuer_id), list(ids), list(ids.values()), now)
                return _all_or_none(rows, await db.fetch(_READ, UUID(issuer_id), list(ids)), ids)
        except _SomeAreTaken as some:
            return Claimed(frozenset(), some.taken)
