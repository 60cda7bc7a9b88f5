"""The logs of this installation and their keys: one row an origin, the newest is written, its key lies sealed.

The key signs heads and promises. It is made once, at the first start; whoever has it could sign two histories, so it
leaves this process in no form but signatures.
"""

import secrets
from collections.abc import Callable
from typing import Final

import asyncpg

from fairkey.adapters.postgres.moments import moment, ms_of
from fairkey.adapters.vault.keys import Keys
from fairkey.log.ports import OwnLog
from fairkey.proofs.notes import signer_key

SEED_BYTES: Final = 32

_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended('fairkey.logs', 0))"
_READ: Final = "SELECT log_no, origin, vkey, seed_sealed, why, created_at FROM logs"
_NEWEST: Final = f"{_READ} ORDER BY log_no DESC LIMIT 1"
_ADD: Final = """
INSERT INTO logs (log_no, origin, vkey, seed_sealed, why, created_at) VALUES ($1, $2, $3, $4, $5, $6)
"""
_FENCE: Final = "UPDATE log_lease SET epoch = epoch + 1, floor = 0, refusal = '', answers = '{}'"


class OriginIsTaken(Exception):
    """There was a log of this origin here already."""


class LogIsUnknown(Exception):
    """No log has this number."""


def seed_aad(log_no: int) -> bytes:
    """What binds a log's sealed key to its row."""
    return f"log:{log_no}".encode()


class LogKeys:
    """The logs and their keys."""

    def __init__(self, pool: asyncpg.Pool, keys: Keys, now_ms: Callable[[], int]) -> None:
        self._pool = pool
        self._keys = keys
        self._now_ms = now_ms

    async def newest(self, origin: str) -> OwnLog:
        """The log that is written now. The first one is made, under `origin`, when there is none; any number of
        processes may start at once.
        """
        row = await self._pool.fetchrow(_NEWEST)
        if row is None:
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(_LOCK)
                row = await connection.fetchrow(_NEWEST)
                if row is None:
                    await self._add(connection, 1, origin, "the first log of this installation")
                    row = await connection.fetchrow(_NEWEST)
        return await self._opened(row)

    async def of(self, log_no: int) -> OwnLog:
        """The log with this number. Raises `LogIsUnknown`."""
        row = await self._pool.fetchrow(f"{_READ} WHERE log_no = $1", log_no)
        if row is None:
            raise LogIsUnknown(log_no)
        return await self._opened(row)

    async def all(self) -> list[OwnLog]:
        """Every log, the first one first."""
        return [await self._opened(row) for row in await self._pool.fetch(f"{_READ} ORDER BY log_no")]

    async def begin_anew(self, origin: str, why: str) -> OwnLog:
        """End the log that is written now and begin another, under a new origin and a new key: every event is logged
        again from 0. Whoever writes the old one is replaced. Raises `OriginIsTaken`, `KeyIsMalformed`.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_LOCK)
            rows = await connection.fetch(_READ)
            if any(row["origin"] == origin for row in rows):
                raise OriginIsTaken(origin)
            await connection.execute(_FENCE)
            log_no = max((row["log_no"] for row in rows), default=0) + 1
            await self._add(connection, log_no, origin, why)
        return await self.of(log_no)

    async def _add(self, connection: asyncpg.pool.PoolConnectionProxy, log_no: int, origin: str, why: str) -> None:
        seed = secrets.token_bytes(SEED_BYTES)
        vkey = str(signer_key(origin, seed).verifier)
        sealed = self._keys.seal("contacts", seed_aad(log_no), seed)
        await connection.execute(_ADD, log_no, origin, vkey, sealed, why, moment(self._now_ms()))

    async def _opened(self, row: asyncpg.Record) -> OwnLog:
        (seed,) = await self._keys.open_many("contacts", [(seed_aad(row["log_no"]), row["seed_sealed"])])
        key = signer_key(row["origin"], seed)
        return OwnLog(row["log_no"], row["origin"], key, row["why"], ms_of(row["created_at"]))
