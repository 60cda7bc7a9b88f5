"""Trusted timestamps over published checkpoints, in PostgreSQL.

Whoever makes a receipt with trusted time asks `newest_stamped` for a head at least as large as the entry needs, proves
to that head instead of the newest, and puts `tokens_for` that head into the receipt.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import asyncpg

from fairkey.adapters.postgres.moments import moment, ms_of
from fairkey.log.stamping import Published, Token
from fairkey.proofs.notes import read_note

_NEWEST_PUBLISHED: Final = """
SELECT log_no, size, cosigned FROM log_heads
WHERE log_no = (SELECT max(log_no) FROM logs) AND published_at IS NOT NULL
ORDER BY size DESC LIMIT 1
"""
_KEEP: Final = """
INSERT INTO log_tokens (log_no, size, tsa, token, serial, gen_time) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (log_no, size, tsa) DO NOTHING
"""


class KeptToken(NamedTuple):
    """One token over the checkpoint of `size` entries: who stamped, the raw DER, and the time that it says."""

    size: int
    tsa: str
    token: bytes
    gen_time_ms: int


class PostgresLogTokens:
    """Implements `fairkey.log.stamping.Tokens`, and gives tokens to receipts and exports."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def newest_published(self) -> Published | None:
        """The newest published head; None before the first."""
        row = await self._pool.fetchrow(_NEWEST_PUBLISHED)
        return Published(row["log_no"], row["size"], read_note(row["cosigned"]).text) if row else None

    async def last_gen_times(self, log_no: int) -> Mapping[str, int]:
        """When each authority last stamped a checkpoint of this log."""
        rows = await self._pool.fetch(
            "SELECT tsa, max(gen_time) AS last FROM log_tokens WHERE log_no = $1 GROUP BY tsa", log_no
        )
        return {row["tsa"]: ms_of(row["last"]) for row in rows}

    async def stamped_by(self, log_no: int, size: int) -> frozenset[str]:
        """The authorities that have stamped this head."""
        return frozenset(one.tsa for one in await self.tokens_for(log_no, size))

    async def keep(self, published: Published, tsa: str, token: Token) -> None:
        """Keep a token; a second one of the same authority over the same head is dropped."""
        serial, gen_time = str(token.stamp.serial), moment(token.stamp.gen_time_ms)
        await self._pool.execute(_KEEP, published.log_no, published.size, tsa, token.token, serial, gen_time)

    async def tokens_for(self, log_no: int, size: int) -> Sequence[KeptToken]:
        """The tokens over the checkpoint of exactly `size` entries, by authority; empty when there are none."""
        rows = await self._pool.fetch(
            "SELECT size, tsa, token, gen_time FROM log_tokens WHERE (log_no, size) = ($1, $2) ORDER BY tsa",
            log_no,
            size,
        )
        return [_kept(row) for row in rows]

    async def newest_stamped(self, log_no: int, at_least_size: int) -> int | None:
        """The size of the newest checkpoint that has a token and at least `at_least_size` entries; None without one."""
        size: int | None = await self._pool.fetchval(
            "SELECT max(size) FROM log_tokens WHERE log_no = $1 AND size >= $2", log_no, at_least_size
        )
        return size

    async def all_tokens(self, log_no: int) -> Sequence[KeptToken]:
        """Every token over this log, by size and authority: what an export puts beside the checkpoints."""
        rows = await self._pool.fetch(
            "SELECT size, tsa, token, gen_time FROM log_tokens WHERE log_no = $1 ORDER BY size, tsa", log_no
        )
        return [_kept(row) for row in rows]


def _kept(row: asyncpg.Record) -> KeptToken:
    return KeptToken(row["size"], row["tsa"], row["token"], ms_of(row["gen_time"]))
