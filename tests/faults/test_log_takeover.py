"""Who writes the log when its writer dies, is stopped, or was replaced without knowing it; and money that waits."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import asyncpg
import pytest

from fairkey.adapters.postgres.audit import audit
from fairkey.adapters.postgres.log_writing import PostgresLogLease
from fairkey.adapters.postgres.outbox import PostgresOutbox
from fairkey.bench.parts import Part
from fairkey.log.ports import Head, Lost
from log_world import AT_MS, SHOP, LogWorld, begin_log, bodies, log_world, own_log, record

pytestmark = pytest.mark.pg
HERE = Path(__file__).parent


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[LogWorld]:
    async with log_world(database_url, tmp_path / "state" / "log" / "1") as world:
        yield world


@contextmanager
def running_writer(world: LogWorld) -> Iterator[subprocess.Popen[str]]:
    """A process that writes the log, and says so once it has begun."""
    with subprocess.Popen(
        [sys.executable, HERE / "log_runner.py", world.dsn, str(world.folder)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE.parent), *filter(None, sys.path)])},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def hear(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


async def until_published(world: LogWorld, size: int) -> None:
    while (await world.connection.fetchval("SELECT max(size) FROM log_heads WHERE published_at IS NOT NULL")) != size:
        await asyncio.sleep(0.01)


@pytest.mark.slow
async def test_a_killed_writer_is_followed_at_once(world: LogWorld) -> None:
    recorded: list[bytes] = []
    for killed in range(3):
        with running_writer(world) as first, running_writer(world) as second:
            chosen = (first, second)[killed % 2]
            for _ in range(20):
                new = bodies(len(recorded), len(recorded) + 7)
                await world.record(*new)
                recorded += new
                await asyncio.sleep(0)
            chosen.send_signal(signal.SIGKILL)
            async with asyncio.timeout(20):
                await until_published(world, len(recorded))
    await world.grow()  # the last one may have died between noting it as published and publishing it
    assert await world.audited() == recorded


@pytest.mark.slow
async def test_several_processes_write_events_while_writers_of_the_log_die(world: LogWorld) -> None:
    each, sources = 3_000, 2
    with ExitStack() as stack:
        writers = [stack.enter_context(running_writer(world)) for _ in range(3)]
        question = {"dsn": world.dsn, "events": each}
        parts = [stack.enter_context(Part("fairkey.bench.log_source", {})) for _ in range(sources)]
        asked = [asyncio.create_task(asyncio.to_thread(part.ask, question)) for part in parts]
        for writer in writers[:-1]:
            size = await world.connection.fetchval("SELECT coalesce(max(size), 0) FROM log_heads")
            async with asyncio.timeout(30):
                while await world.connection.fetchval("SELECT coalesce(max(size), 0) FROM log_heads") <= size:
                    await asyncio.sleep(0.01)
            writer.send_signal(signal.SIGKILL)
        await asyncio.gather(*asked)
        async with asyncio.timeout(30):
            await until_published(world, each * sources)
    await world.grow()
    assert len(await world.audited()) == each * sources
    assert await world.connection.fetchval("SELECT count(*) FROM events") == each * sources


@pytest.mark.slow
async def test_a_stopped_writer_is_unseated_and_writes_nothing_when_it_wakes(world: LogWorld) -> None:
    with running_writer(world) as stopped:
        assert await asyncio.to_thread(hear, stopped) == "begun"
        await world.record(b"one")
        await until_published(world, 1)
        stopped.send_signal(signal.SIGSTOP)
        await world.record(b"two")
        lease = PostgresLogLease(world.dsn, lambda: AT_MS, unseat_after_s=0.5)
        async with asyncio.timeout(20):
            while True:
                async with lease.held() as writing:
                    if writing is not None:
                        break
                await asyncio.sleep(0.05)
        lease.let_go()
        await world.grow()
        epoch = await world.connection.fetchval("SELECT epoch FROM log_lease")
        stopped.send_signal(signal.SIGCONT)
        assert await asyncio.to_thread(hear, stopped) == "lost"
        assert await world.connection.fetchval("SELECT max(epoch) FROM log_heads") == epoch
    assert await world.audited() == [b"one", b"two"]


async def test_a_writer_that_was_replaced_unnoticed_writes_nothing(world: LogWorld) -> None:
    await world.record(b"one")
    async with world.held() as old:
        # Its lock is gone, as after a failover, and it does not know.
        await old._session.execute("SELECT pg_advisory_unlock_all()")
        await world.grow()
        await world.record(b"two")
        with pytest.raises(Lost):
            await old.harvest(1, 10)
        with pytest.raises(Lost):
            await old.add_head(Head(2, bytes(32), b"", None), size_before=1)
        with pytest.raises(Lost):
            await old.publish(1, b"")
        with pytest.raises(Lost):
            await old.tell(refusal="", answers={})
    await world.grow()
    assert await world.audited() == [b"one", b"two"]


async def test_a_head_is_added_to_the_one_it_was_made_from_only(world: LogWorld) -> None:
    await world.record(b"one")
    await world.grow()
    async with world.held() as writing:
        with pytest.raises(Lost):
            await writing.add_head(Head(5, bytes(32), b"", None), size_before=0)
    for change in ("UPDATE log_heads SET root = sha256('')", "DELETE FROM log_entries", "DELETE FROM log_heads"):
        with pytest.raises(asyncpg.CheckViolationError):
            await world.connection.execute(change)


async def test_a_log_begun_anew_replaces_the_writer_and_has_every_event(world: LogWorld, tmp_path: Path) -> None:
    await world.record(*bodies(0, 300))
    async with world.writer() as writer:
        await writer.step()
        await world.connection.execute("UPDATE log_lease SET epoch = epoch + 1, floor = 0")  # what begin-anew does
        await begin_log(world.connection, 2, "shop.example/log-2")
        with pytest.raises(Lost):
            await writer.step()  # also when nothing is to be written
        await world.record(b"later")
    assert await world.audited() == bodies(0, 300)
    new = LogWorld(
        dsn=world.dsn, folder=tmp_path / "2", connection=world.connection, own=own_log(2, "shop.example/log-2")
    )
    await new.grow()
    assert new.published().origin == "shop.example/log-2"
    assert await new.audited() == [*bodies(0, 300), b"later"]


ADD_EFFECT = """
INSERT INTO effects (shop_id, key, kind, stream_kind, stream_id, payload, next_at, created_at)
SELECT shop_id, $1, $1, 'order', stream_id, '{}', at, at FROM events WHERE body = $2
"""


async def test_money_leaves_only_after_a_published_checkpoint_shows_why(world: LogWorld) -> None:
    async with asyncpg.create_pool(world.dsn, min_size=1, max_size=1) as pool:
        waiting, at_once = PostgresOutbox(pool, waits_for_log=True), PostgresOutbox(pool)
        await world.record(b"why")
        for kind in ("release", "payout", "refund", "tell_buyer"):
            await world.connection.execute(ADD_EFFECT, kind, b"why")
        later_ms = AT_MS + 10**9

        async def kinds(outbox: PostgresOutbox) -> list[str]:
            claimed = await outbox.claim(later_ms, 10)
            await pool.execute("UPDATE effects SET next_at = created_at WHERE state = 'waiting'")
            return sorted(one.kind for one in claimed)

        assert await kinds(waiting) == ["refund", "tell_buyer"]
        assert await kinds(at_once) == ["payout", "refund", "release", "tell_buyer"]
        async with world.writer() as writer:
            await writer._writing.harvest(0, 10)
            assert await kinds(waiting) == ["refund", "tell_buyer"]  # it has an index, and no head covers it
            await writer.step()
        async with world.writer() as writer:
            await writer.step()
        assert await kinds(waiting) == ["payout", "refund", "release", "tell_buyer"]
        # What the provider was told already is asked after, even under a new log that covers nothing yet.
        await pool.execute("UPDATE effects SET state = 'sent' WHERE kind = 'release'")
        await begin_log(world.connection, 2, "shop.example/log-2")
        assert await kinds(waiting) == ["refund", "release", "tell_buyer"]


async def test_what_comes_later_in_a_stream_holds_nothing_up(world: LogWorld) -> None:
    stream = SHOP
    await record(world.connection, [b"why"], stream)
    await world.connection.execute(ADD_EFFECT, "release", b"why")
    await world.grow()
    await world.connection.execute(
        """
        INSERT INTO events (shop_id, stream_kind, stream_id, version, kind, at, body, leaf_hash, command_id)
        SELECT shop_id, stream_kind, stream_id, 2, kind, at + interval '1 s', 'later', sha256('later'), command_id
        FROM events
        """
    )
    async with asyncpg.create_pool(world.dsn, min_size=1, max_size=1) as pool:
        claimed = await PostgresOutbox(pool, waits_for_log=True).claim(AT_MS + 10**9, 10)
    assert [one.kind for one in claimed] == ["release"]


async def test_the_audit_names_what_the_log_has_not_or_has_otherwise(world: LogWorld) -> None:
    await world.record(*(b'{"prev":"%d"}' % number for number in range(3)))
    await world.grow()
    now_ms = AT_MS + 10**9

    async def found() -> list[tuple[str, str]]:
        async with asyncpg.create_pool(world.dsn, min_size=1, max_size=1) as pool:
            named = [(one.what, one.where) for one in await audit(pool, now_ms)]
        return sorted((what, where) for what, where in named if "public log" in what)

    assert await found() == []
    await world.connection.execute("ALTER TABLE events DISABLE TRIGGER kept")
    await world.connection.execute("UPDATE events SET leaf_hash = sha256('other') WHERE version = 2")
    assert await found() == [("an entry of the public log is not the event it was made from", "log 1 entry 1")]
    await world.connection.execute("ALTER TABLE log_entries DISABLE TRIGGER kept")
    await world.connection.execute("DELETE FROM log_entries WHERE log_index = 1")
    assert [what for what, _ in await found()] == [
        "the public log has a gap, or a head covers more than it has",
        "the public log has passed over an event",
    ]
