"""How the log grows: what lies in the folder after each step, and what is the same however it came there."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import asyncpg
import pytest

from fairkey.adapters.log.bucket import BucketTiles, bucket_of
from fairkey.adapters.log.folder import FolderTiles
from fairkey.log.ports import LogRefuses, StoreIsBroken
from fairkey.log.tile_reading import consistency_proof, inclusion_proof
from fairkey.proofs.merkle import EMPTY_ROOT, check_consistency, check_inclusion, leaf_hash, merkle_root
from fairkey.proofs.tiles import bundles_of, tiles_of
from log_world import LogWorld, bodies, log_world, record


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[LogWorld]:
    async with log_world(database_url, tmp_path / "state" / "log" / "1") as world:
        yield world


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "checkpoint"
    }


async def test_a_log_without_events_is_signed_and_published_too(world: LogWorld) -> None:
    await world.grow()
    assert world.published()[1:] == (0, EMPTY_ROOT)
    assert files_of(world.folder) == {}


async def test_events_are_logged_in_order_and_every_size_on_the_way_is_signed_once(world: LogWorld) -> None:
    recorded: list[bytes] = []
    async with world.writer() as writer:
        for end in (1, 2, 3, 255, 256, 257, 513, 513, 700):
            new = bodies(len(recorded), end)
            if new:
                await world.record(*new)
            recorded += new
            await writer.step()
            assert await world.audited() == recorded
    sizes = await world.connection.fetch("SELECT size FROM log_heads ORDER BY size")
    assert [row["size"] for row in sizes] == [1, 2, 3, 255, 256, 257, 513, 700]
    names = [name.path for size in (700,) for name in (*tiles_of(size), *bundles_of(size))]
    assert set(names) <= set(files_of(world.folder))
    assert not list(world.folder.glob("tile/0/000.p")), "partial tiles of full ones are removed"


async def test_a_backlog_comes_in_rounds_and_an_idle_step_signs_nothing(
    world: LogWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fairkey.log.sequencer.ENTRIES_AT_ONCE", 100)
    await world.record(*bodies(0, 250))
    async with world.writer() as writer:
        rounds = 1
        while await writer.step():
            rounds += 1
        assert rounds == 3
        assert not await writer.step()
    assert await world.audited() == bodies(0, 250)
    assert await world.connection.fetchval("SELECT count(*) FROM log_heads") == 3


async def test_an_open_transaction_is_waited_for_by_nobody_and_lost_by_nobody(world: LogWorld) -> None:
    late = await asyncpg.connect(world.dsn)
    async with world.writer() as writer:
        transaction = late.transaction()
        await transaction.start()
        await record(late, [b"late"])
        for number in range(5):
            await world.record(b"%d" % number)
            await writer.step()
            await writer.step()
        await transaction.commit()
        await writer.step()
    await late.close()
    assert await world.audited() == [b"0", b"1", b"2", b"3", b"4", b"late"]


async def test_a_number_is_drawn_by_nobody_whom_a_snapshot_does_not_show(world: LogWorld) -> None:
    """The floor rests on it. A writer is held between drawing his number and the commit, without any earlier write."""
    held = await asyncpg.connect(world.dsn)
    gate = await asyncpg.connect(world.dsn)
    await gate.execute("SELECT pg_advisory_lock(42)")
    await world.record(b"earlier")  # the first number of a sequence is written to disk, under a transaction's id
    writing = asyncio.create_task(
        held.execute(
            """
            INSERT INTO events (shop_id, stream_kind, stream_id, version, kind, at, body, leaf_hash, command_id,
                                recorded_in)
            VALUES (gen_random_uuid(), 'order', gen_random_uuid(), 1, 'test', now(), 'held',
                    sha256('\\x00'::bytea || 'held'::bytea), 'test',
                    CASE WHEN pg_advisory_lock(42) IS NULL THEN '1'::xid8 ELSE '1'::xid8 END)
            """
        )
    )
    while not await world.connection.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"):
        await asyncio.sleep(0)
    async with world.writer() as writer:
        for number in range(4):
            await world.record(b"%d" % number)
            await writer.step()
            await writer.step()
        await gate.execute("SELECT pg_advisory_unlock(42)")
        await writing
        await writer.step()
    await held.close()
    await gate.close()
    assert await world.audited() == [b"earlier", b"0", b"1", b"2", b"3", b"held"]


async def test_tiles_that_are_gone_are_made_again_from_the_events(world: LogWorld) -> None:
    await world.record(*bodies(0, 600))
    await world.grow()
    before = files_of(world.folder)
    for path in sorted(world.folder.rglob("*"), reverse=True):
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink()
    await world.record(*bodies(600, 601))
    await world.grow()
    assert await world.audited() == bodies(0, 601)
    kept = {path: data for path, data in before.items() if not path.partition(".p")[1]}
    assert kept.items() <= files_of(world.folder).items()


async def test_an_event_that_was_changed_after_it_was_indexed_is_not_signed_over(world: LogWorld) -> None:
    await world.record(b"first")
    await world.grow()
    await world.record(b"second")
    await world.connection.execute("ALTER TABLE events DISABLE TRIGGER kept")
    async with world.writer() as writer:
        writing = writer._writing
        assert await writing.harvest(1, 10) == 1
    await world.connection.execute("UPDATE events SET body = 'forged' WHERE body = 'second'")
    async with world.writer() as writer:
        with pytest.raises(LogRefuses, match="entry 1 is not what was recorded"):
            await writer.step()
    assert world.published().size == 1


async def test_proofs_need_few_files_and_prove(world: LogWorld) -> None:
    everything = bodies(0, 3_000)
    await world.record(*everything)
    await world.grow()
    leaves = [leaf_hash(body) for body in everything]
    root = merkle_root(leaves)
    read: list[int] = []

    class Counting(FolderTiles):
        async def read(self, paths: Sequence[str]) -> list[bytes | None]:
            read.append(len(paths))
            return await super().read(paths)

    for index in (0, 255, 256, 2_047, 2_999):
        proof = await inclusion_proof(Counting(world.folder), index, 3_000)
        check_inclusion(leaf=leaves[index], index=index, size=3_000, proof=proof, root=root)
    for size in (1, 256, 2_048, 2_999):
        proof = await consistency_proof(world.tiles, size, 3_000)
        check_consistency(
            size_before=size, root_before=merkle_root(leaves[:size]), size=3_000, root=root, proof=proof
        )
    assert max(read) <= 3


@pytest.mark.parametrize("url", ["memory:///", "file://{folder}"])
async def test_a_bucket_holds_the_same_bytes(world: LogWorld, tmp_path: Path, url: str) -> None:
    await world.record(*bodies(0, 300))
    await world.grow()
    in_folder = files_of(world.folder)
    bucket = tmp_path / "bucket"
    bucket.mkdir()
    await world.connection.execute("TRUNCATE log_heads CASCADE")
    world.store = BucketTiles(bucket_of(url.format(folder=bucket)), "1/")
    await world.grow()
    paths = sorted(in_folder)
    assert await world.store.read(paths) == [in_folder[path] for path in paths]
    assert await world.store.published() == (world.folder / "checkpoint").read_bytes()
    await world.record(*bodies(300, 520))
    await world.grow()
    assert await world.store.read(["tile/0/001.p/44", "tile/entries/001.p/44"]) == [None, None]
    world.store = None


async def test_a_disk_that_could_not_keep_something_is_not_believed_again(
    world: LogWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.record(b"one")
    store = FolderTiles(world.folder)
    world.store = store
    forced = os.fsync

    def fails_once(descriptor: int) -> None:
        monkeypatch.setattr(os, "fsync", forced)
        raise OSError(errno.EIO, "Input/output error")

    async with world.writer() as writer:
        monkeypatch.setattr(os, "fsync", fails_once)
        with pytest.raises(StoreIsBroken, match="the disk could not keep"):
            await writer.step()
    with pytest.raises(StoreIsBroken):
        await store.put({"tile/0/000.p/1": bytes(32)})
    assert await world.connection.fetchval("SELECT count(*) FROM log_heads") == 0
    world.store = None
    await world.grow()
    assert await world.audited() == [b"one"]


async def test_what_a_killed_writer_left_beside_is_removed(world: LogWorld) -> None:
    await world.record(b"one")
    await world.grow()
    (world.folder / ".new" / "half").write_bytes(b"ha")
    await world.grow()
    assert list((world.folder / ".new").iterdir()) == []


async def test_a_new_writer_looks_only_at_what_came_lately(world: LogWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fairkey.adapters.postgres.log_writing.FLOOR_KEPT_EVERY", 10)
    recorded = bodies(0, 25)
    await world.record(*recorded)
    late = await asyncpg.connect(world.dsn)
    transaction = late.transaction()
    await transaction.start()
    await record(late, [b"late"])
    await world.record(*bodies(25, 50))
    async with world.writer() as writer:
        for _ in range(3):
            await writer.step()
    assert await world.connection.fetchval("SELECT floor FROM log_lease") == 0  # the late one could still come
    await transaction.commit()
    await late.close()
    async with world.writer() as writer:
        for _ in range(3):
            await writer.step()
    assert await world.connection.fetchval("SELECT floor FROM log_lease") == 51
    await world.record(b"after")
    await world.grow()
    assert await world.audited() == [*bodies(0, 50), b"late", b"after"]
