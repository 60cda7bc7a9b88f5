"""Storage that cannot be reached: programs and people are told to come again, and nothing of it is called a bug."""

import asyncio
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from api_world import World, a_world
from engine_world import PlainSealer
from fairkey.adapters.postgres.store import PostgresStore
from fairkey.engine.answers import StoreIsAway
from fairkey.engine.event_store import Wants


async def answers_of(world: World) -> dict[str, int]:
    """Statuses of a page and of calls that need storage."""
    order = world.order_body()
    return {
        "page": (await world.get(f"/shops/{world.shop_no}")).status_code,
        "listing page": (await world.get(f"/listings/{world.shop_no}/{world.vault_id}")).status_code,
        "read": (await world.get(f"/api/v1/shops/{world.shop_no}")).status_code,
        "place": (await world.post("/api/v1/orders", order, idempotency_key=str(uuid4()))).status_code,
        "ready": (await world.get("/api/v1/ready")).status_code,
    }


async def test_everything_says_come_again(database_url: str, state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fairkey.app.wiring.STORE_PAUSE_S", 0)
    async with a_world(database_url, state_dir, codes=9) as world:
        assert set((await answers_of(world)).values()) == {200, 201}
        for pool in (world.opened.pool, world.opened.performer._store._pool):
            pool.terminate()
        assert set((await answers_of(world)).values()) == {503}


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress"),
        asyncpg.CrashShutdownError("the server died"),
        asyncpg.CannotConnectNowError("it is starting"),
        asyncpg.TooManyConnectionsError("no room"),
        asyncpg.InterfaceError("the connection is closed"),
        ConnectionRefusedError("nobody listens"),
        TimeoutError("too long"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_whatever_the_driver_raises_when_the_server_dies_is_told_as_away(
    error: Exception, database_url: str
) -> None:
    """A driver that lost its place in the middle of an answer said `InternalClientError`, once in some kills."""
    async with asyncpg.create_pool(database_url, min_size=1, max_size=1) as pool:
        with pytest.raises(StoreIsAway):
            await read_and_fail(PostgresStore(pool, PlainSealer()), error)
        assert await asyncio.wait_for(pool.fetchval("SELECT 1"), 5) == 1


async def read_and_fail(store: PostgresStore, error: Exception) -> None:
    async with store.transaction() as transaction:
        await transaction.read(Wants(command_ids={"one"}))
        raise error
