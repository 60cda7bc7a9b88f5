"""`kill -9` of working processes and of PostgreSQL itself: whatever was answered is there, and the audit is clean."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from engine_world import PlainSealer, PostgresLooks, World
from fairkey.adapters.postgres.audit import audit
from fairkey.adapters.postgres.embedded import EmbeddedPostgres
from fairkey.adapters.postgres.migrate import migrated
from fairkey.adapters.postgres.rebuild import check
from server_folders import server_folder

pytestmark = [pytest.mark.pg, pytest.mark.slow]

HERE = Path(__file__).parent
ORDERS = 100_000  # more than any process gets to make before it is killed


class Maker:
    """A process that makes orders; what it told is kept over its death."""

    def __init__(self, world: World, dsn: str, told: dict[int, list[str]]) -> None:
        self.world, self.dsn, self.told = world, dsn, told

    @contextmanager
    def from_order(self, first: int) -> Iterator[subprocess.Popen[str]]:
        """It starts at order `first` and is killed at the end."""
        arguments = [self.dsn, self.world.shop_id, self.world.listing_id, str(first), str(ORDERS)]
        paths = os.pathsep.join([str(HERE.parent.parent / "src"), str(HERE.parent)])
        with subprocess.Popen(
            [sys.executable, HERE / "order_maker.py", *arguments],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": paths},
        ) as process:
            try:
                yield process
            finally:
                process.kill()
                self.hear(process, ORDERS)

    def hear(self, process: subprocess.Popen[str], lines_max: int) -> None:
        """Listen to what it tells: a repeat of an order must tell the same as before."""
        assert process.stdout
        for _ in range(lines_max):
            line = process.stdout.readline()
            if not line.endswith("\n"):  # it was killed in the middle of a word
                return
            number, *opened = line.split()
            assert self.told.setdefault(int(number), opened) == opened


@pytest.fixture
def folder() -> Iterator[Path]:
    with server_folder() as folder:
        yield folder


async def test_what_was_answered_survives(folder: Path) -> None:
    chance = random.Random()  # other moments each time
    told: dict[int, list[str]] = {}
    servers = [EmbeddedPostgres(folder)]
    dsn = servers[0].start()
    try:
        await migrated(dsn)
        async with asyncpg.create_pool(dsn, min_size=1, max_size=2) as pool:
            world = World(PostgresLooks(pool))
            await world.open_shop()
            await world.deposit(2_000)
        maker = Maker(world, dsn, told)
        for kills_the_server in (False, True, False):
            with maker.from_order(max(0, len(told) - 20)) as process:
                maker.hear(process, chance.randint(40, 90))
                if kills_the_server:
                    pid = servers[-1].server_pid()
                    assert pid is not None
                    os.kill(pid, signal.SIGKILL)
                    servers.append(EmbeddedPostgres(folder))
                    assert servers[-1].start() == dsn
                    assert servers[-1].server_pid() != pid
                    maker.hear(process, chance.randint(30, 60))
        assert len(told) > 100
        async with asyncpg.create_pool(dsn, min_size=1, max_size=2) as pool:
            rows = await pool.fetch("SELECT code_id::text FROM codes WHERE stage = 'revealed'")
            opened = [code for codes in told.values() for code in codes]
            assert len(opened) == len(set(opened)), "no code twice"
            assert set(opened) <= {row["code_id"] for row in rows}, "what was answered is there"
            assert len(rows) - len(opened) <= 8 * 6, "and hardly more: what was under way"
            now_ms = await pool.fetchval("SELECT (extract(epoch FROM now()) * 1000)::bigint")
            assert await audit(pool, now_ms) == []
            assert await check(pool, PlainSealer()) == []
    finally:
        for server in servers:
            server.stop()
