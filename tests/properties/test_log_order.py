"""The order of the log over many connections at once: long transactions, rollbacks, writers that come and go.

Each connection reads some log-wide facts before it writes (as the engine reads a file before it appends), so its event
names what it has seen; whatever it has seen must come before it. And nothing is lost, however the floor moves.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from log_world import LogWorld, log_world, record

pytestmark = pytest.mark.pg

WRITERS = 6
SEEN = "SELECT body FROM events ORDER BY recorded DESC LIMIT 5"


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[LogWorld]:
    async with log_world(database_url, tmp_path / "1") as world:
        yield world


async def one_writer(dsn: str, name: int, chance: random.Random, committed: list[bytes], rounds: int) -> None:
    """Transactions of one or several statements; some wait in the middle, some give up."""
    connection = await asyncpg.connect(dsn)
    try:
        for number in range(rounds):
            transaction = connection.transaction()
            await transaction.start()
            written = []
            for part in range(chance.randint(1, 3)):
                seen = [row["body"].split(b" ")[0] for row in await connection.fetch(SEEN)]
                body = b" ".join([b"%d.%d.%d" % (name, number, part), *seen])
                await record(connection, [body], uuid4())
                written.append(body)
                for _ in range(chance.randint(0, 6)):  # others go on meanwhile
                    await connection.execute("SELECT 1")
            if chance.random() < 0.2:
                await transaction.rollback()
            else:
                await transaction.commit()
                committed += written
    finally:
        await connection.close()


async def sequenced(world: LogWorld, busy: asyncio.Task[None], chance: random.Random) -> None:
    """Writers of the log that follow each other while events come in."""
    while not busy.done():
        async with world.writer() as writer:
            for _ in range(chance.randint(1, 12)):
                await writer.step()
    await world.grow()


@pytest.mark.parametrize("seed", range(4))
async def test_what_was_seen_comes_before_who_saw_it_and_nothing_is_lost(world: LogWorld, seed: int) -> None:
    chance = random.Random(seed)
    committed: list[bytes] = []

    async def write_all() -> None:
        each = [one_writer(world.dsn, name, chance, committed, 12) for name in range(WRITERS)]
        await asyncio.gather(*each)

    busy = asyncio.create_task(write_all())
    await sequenced(world, busy, chance)
    await busy
    entries = await world.audited()
    assert sorted(entries) == sorted(committed)
    places = {entry.split(b" ")[0]: index for index, entry in enumerate(entries)}
    for index, entry in enumerate(entries):
        for seen in entry.split(b" ")[1:]:
            # What it saw of its own transaction, or of one that was committed, stands before it.
            assert places[seen] < index


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["write", "commit", "give_up", "step"])), max_size=40))
def test_any_interleaving_of_four_transactions(
    database_url: str, tmp_path_factory: pytest.TempPathFactory, moves: list[tuple[int, str]]
) -> None:
    asyncio.run(_interleaved(database_url, tmp_path_factory.mktemp("log"), moves))


async def _interleaved(dsn: str, folder: Path, moves: list[tuple[int, str]]) -> None:
    """One after the other, in exactly this order: nothing waits for anything, so every interleaving can be tried."""
    chief = await asyncpg.connect(dsn)
    await chief.execute("TRUNCATE events, logs CASCADE")
    await chief.close()
    async with log_world(dsn, folder) as world:
        connections = [await asyncpg.connect(dsn) for _ in range(4)]
        running: dict[int, tuple[asyncpg.transaction.Transaction, list[bytes]]] = {}
        committed: list[bytes] = []
        try:
            async with world.writer() as writer:
                for number, (who, what) in enumerate(moves):
                    if what == "step":
                        await writer.step()
                    elif what == "write":
                        if who not in running:
                            running[who] = (connections[who].transaction(), [])
                            await running[who][0].start()
                        body = b"%d" % number
                        await record(connections[who], [body], uuid4())
                        running[who][1].append(body)
                    elif who in running:
                        transaction, written = running.pop(who)
                        await (transaction.commit() if what == "commit" else transaction.rollback())
                        committed += written if what == "commit" else []
                for transaction, written in running.values():
                    await transaction.commit()
                    committed += written
                await writer.step()
            assert sorted(await world.audited()) == sorted(committed)
        finally:
            for connection in connections:
                await connection.close()
