"""What the fault tests share: a pool whose statements go wrong where it is told, and what a clean database is."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import asyncpg

from engine_world import PlainSealer
from fairkey.adapters.postgres import store_sql
from fairkey.adapters.postgres.audit import audit, is_clean
from fairkey.adapters.postgres.rebuild import Opener, check
from fairkey.effects.ports import (
    Collection,
    Instruction,
    InstructionKind,
    Notice,
    NotificationIsForged,
    PaymentNotice,
)

NAMES: dict[str, str] = {
    text: name for name, text in vars(store_sql).items() if name.isupper() and not name.startswith("_")
}
"""Every statement of the write path -> its name in `store_sql`."""

T = TypeVar("T")
Way = Literal["not_sent", "answer_lost", "server_gone", "conflict", "asker_gone"]


@dataclass(frozen=True, slots=True)
class Fault:
    """Statement number `at` of one transaction (from 0, BEGIN and COMMIT are counted) goes wrong in a way."""

    at: int
    way: Way


@dataclass(slots=True)
class FaultyPool:
    """A pool of asyncpg whose next transaction meets `fault`, once; `sent` are the names of what that one sent."""

    pool: asyncpg.Pool
    fault: Fault | None = None
    sent: list[str] = field(default_factory=list)

    def arm(self, fault: Fault | None) -> None:
        """The next transaction goes wrong."""
        self.fault, self.sent = fault, []

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator["_Connection"]:
        """As asyncpg's."""
        async with self.pool.acquire() as connection:
            yield _Connection(connection, self)


class _Connection:
    """What the store uses of a connection."""

    def __init__(self, connection: asyncpg.pool.PoolConnectionProxy, pool: FaultyPool) -> None:
        self._connection = connection
        self._pool = pool

    async def fetch(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        return await self._send(NAMES[statement], lambda: self._connection.fetch(statement, *arguments))

    async def fetchrow(self, statement: str, *arguments: object) -> asyncpg.Record | None:
        return await self._send(NAMES[statement], lambda: self._connection.fetchrow(statement, *arguments))

    async def fetchval(self, statement: str, *arguments: object) -> Any:  # noqa: ANN401 - a value
        return await self._send(NAMES[statement], lambda: self._connection.fetchval(statement, *arguments))

    async def execute(self, statement: str, *arguments: object) -> str:
        return await self._send(NAMES[statement], lambda: self._connection.execute(statement, *arguments))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        transaction = self._connection.transaction()
        await self._send("BEGIN", transaction.start)
        try:
            yield
        except BaseException:
            if not self._connection.is_closed():
                await transaction.rollback()
            raise
        try:
            await self._send("COMMIT", transaction.commit)
        except BaseException:
            if self._connection.is_in_transaction():
                await transaction.rollback()
            raise

    async def _send(self, name: str, send: Callable[[], Awaitable[T]]) -> T:
        fault, number = self._pool.fault, len(self._pool.sent)
        self._pool.sent.append(name)
        if fault is None or fault.at != number:
            return await send()
        self._pool.fault = None
        match fault.way:
            case "not_sent":
                raise ConnectionResetError("the line was cut before it was sent")
            case "answer_lost":
                await send()
                raise ConnectionResetError("the line was cut before the answer came")
            case "server_gone":
                await self._end_backend()
                return await send()
            case "conflict":
                raise asyncpg.DeadlockDetectedError("the server chose this one")
            case "asker_gone":
                await send()
                raise asyncio.CancelledError

    async def _end_backend(self) -> None:
        """The server's process behind this connection ends, as an operator or a takeover would end it."""
        gone = asyncio.Event()
        self._connection.add_termination_listener(lambda _: gone.set())
        async with self._pool.pool.acquire() as other:
            assert await other.fetchval("SELECT pg_terminate_backend($1)", self._connection.get_server_pid())
        await gone.wait()


async def must_be_clean(pool: asyncpg.Pool, now_ms: int, opener: Opener | None = None) -> None:
    """Every promise is kept, and everything kept follows from the events."""
    found = await audit(pool, now_ms)
    assert is_clean(found), found
    differences = await check(pool, opener or PlainSealer())
    assert differences == []


@dataclass
class PromptProvider:
    """A provider in this process that does everything at once and remembers how often it was asked for what."""

    name: str = "sandbox"
    asked: Counter[str] = field(default_factory=Counter)

    async def collect(self, *, reference: str, **terms: object) -> Collection:
        return Collection(pay_url=f"https://pay.example/{reference}", qr_text=reference)

    async def query_payment(self, reference: str) -> tuple[PaymentNotice, ...]:
        return ()

    async def refund(self, *, idempotency_key: str, **terms: object) -> Instruction:
        return await self._do(idempotency_key)

    async def release(self, *, idempotency_key: str, **terms: object) -> Instruction:
        return await self._do(idempotency_key)

    async def pay_out(self, *, idempotency_key: str, **terms: object) -> Instruction:
        return await self._do(idempotency_key)

    async def query_instruction(self, kind: InstructionKind, idempotency_key: str) -> Instruction | None:
        return self._of(idempotency_key) if idempotency_key in self.asked else None

    def read_notification(self, headers: Mapping[str, str], body: bytes, now_ms: int) -> Notice:
        raise NotificationIsForged

    async def _do(self, key: str) -> Instruction:
        self.asked[key] += 1
        await asyncio.sleep(0)  # others may run meanwhile
        return self._of(key)

    @staticmethod
    def _of(key: str) -> Instruction:
        return Instruction(idempotency_key=key, provider_ref=f"ref-{key}", state="succeeded", reason="")
