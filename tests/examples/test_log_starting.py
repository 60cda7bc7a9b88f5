"""What the writer does before its first signature: restored backups, other histories, witnesses that must be asked."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from fairkey.adapters.log.folder import FolderTiles
from fairkey.adapters.postgres.log_writing import PostgresLogLease
from fairkey.log.ports import LogRefuses, Prove
from fairkey.log.sequencer import LogSetting, Sequencer, begin
from fairkey.proofs.checkpoints import Checkpoint, open_checkpoint, read_checkpoint, sign_checkpoint
from fairkey.proofs.merkle import EMPTY_ROOT, check_consistency
from fairkey.proofs.notes import COSIGNATURE, Note, Signature, SignerKey, cosign_note, signer_key
from fairkey.proofs.policies import Group, Policy, WitnessKey
from log_world import AT_MS, LogWorld, bodies, log_world, own_log


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[LogWorld]:
    async with log_world(database_url, tmp_path / "1") as world:
        yield world


@dataclass(slots=True)
class Watching:
    """Witnesses of this process: each checks that what it cosigns extends what it saw, by the proof it is given."""

    keys: Mapping[str, SignerKey]
    away: set[str] = field(default_factory=set)
    seen: dict[str, bytes] = field(default_factory=dict)

    async def cosign(self, note: Note, prove: Prove) -> Sequence[Signature]:
        signatures = []
        for name in sorted(set(self.keys) - self.away):
            now = read_checkpoint(note.text)
            if name in self.seen:
                before, _ = open_checkpoint(self.seen[name], own_log().key.verifier)
                check_consistency(
                    size_before=before.size,
                    root_before=before.root,
                    size=now.size,
                    root=now.root,
                    proof=await prove(before.size),
                )
            self.seen[name] = note.encode()
            signatures.append(cosign_note(note.text, self.keys[name], AT_MS // 1000))
        return signatures

    async def latest(self) -> Mapping[str, bytes]:
        return {name: self.seen.get(name, b"") for name in self.keys if name not in self.away}

    @property
    def answers(self) -> Mapping[str, str]:
        return {name: "away" if name in self.away else "cosigned" for name in self.keys}


def watched(world: LogWorld, *, needed: int) -> Watching:
    """Two witnesses for this world, `needed` of them are enough."""
    names = ("east", "west")
    keys = {name: signer_key(f"{name}.example", bytes([at]) * 32, COSIGNATURE) for at, name in enumerate(names)}
    known = tuple(WitnessKey(name, key.verifier, "") for name, key in keys.items())
    world.policy = Policy((), known, (Group("both", needed, names),), "both")
    watching = Watching(keys)
    world.witnesses = watching
    return watching


async def copied(world: LogWorld, copy: str) -> str:
    """A backup of the database as it is now: its DSN."""
    name = urlsplit(world.dsn).path[1:]
    administering = await asyncpg.connect(world.dsn.replace(f"/{name}?", "/postgres?"))
    await world.connection.close()
    await administering.execute(f'CREATE DATABASE "{name}_{copy}" TEMPLATE "{name}"')
    await administering.close()
    world.connection = await asyncpg.connect(world.dsn)
    return world.dsn.replace(f"/{name}?", f"/{name}_{copy}?")


async def restored(world: LogWorld, dsn: str) -> LogWorld:
    """The world on a backup, beside the tiles and witnesses of now."""
    return LogWorld(
        dsn=dsn,
        folder=world.folder,
        connection=await asyncpg.connect(dsn),
        witnesses=world.witnesses,
        policy=world.policy,
    )


async def test_a_backup_beside_newer_tiles_signs_nothing_and_says_what_to_do(world: LogWorld) -> None:
    await world.record(*bodies(0, 10))
    await world.grow()
    backup = await copied(world, "old")
    await world.record(*bodies(10, 15))
    await world.grow()
    old = await restored(world, backup)
    with pytest.raises(LogRefuses, match=r"has 15 entries, this database has 10: .* older one .*begin-anew"):
        await old.grow()
    assert await old.connection.fetchval("SELECT max(size) FROM log_heads") == 10
    assert world.published().size == 15
    await old.connection.close()


async def test_a_backup_without_its_tiles_is_caught_by_any_witness(world: LogWorld, tmp_path: Path) -> None:
    watching = watched(world, needed=1)
    await world.record(*bodies(0, 10))
    await world.grow()
    backup = await copied(world, "old")
    async with world.writer() as writer:
        watching.away = {"west"}
        await world.record(*bodies(10, 15))
        await writer.step()
    watching.away = set()
    old = await restored(world, backup)
    old.folder = tmp_path / "elsewhere"
    with pytest.raises(LogRefuses, match=r"What the witness east saw last has 15 entries, this database has 10"):
        await old.grow()
    await old.connection.close()


async def test_another_history_of_the_same_length_is_refused(world: LogWorld, tmp_path: Path) -> None:
    watching = watched(world, needed=2)
    backup = await copied(world, "old")
    await world.record(b"true")
    await world.grow()
    old = await restored(world, backup)
    old.folder = tmp_path / "elsewhere"
    await old.record(b"another")
    watching.away = {"east", "west"}
    with pytest.raises(LogRefuses, match="Witnesses do not answer"):
        await old.grow()
    watching.away = set()
    async with old.held() as writing:
        await writing.harvest(0, 10)
        with pytest.raises(LogRefuses, match="different histories of the first 1 entries"):
            await begin(writing, old.setting)
    await old.connection.close()


async def test_who_has_not_been_heard_could_have_seen_more(world: LogWorld) -> None:
    watching = watched(world, needed=1)
    watching.away = {"east"}
    with pytest.raises(LogRefuses, match="Witnesses do not answer: east"):
        await world.grow()
    watching = watched(world, needed=2)
    watching.away = {"east"}
    await world.grow()  # west alone could not have published anything, and has seen nothing
    assert await world.connection.fetchval("SELECT count(*) FROM log_heads WHERE published_at IS NULL") == 1


async def test_nothing_is_published_until_the_quorum_has_cosigned(world: LogWorld) -> None:
    watching = watched(world, needed=2)
    async with world.writer() as writer:
        await writer.step()
        watching.away = {"east"}
        await world.record(b"one")
        await writer.step()
        assert world.published().size == 0
        await world.record(b"two")
        await writer.step()
        watching.away = set()
        await writer.step()
        assert world.published().size == 2
    assert await world.audited() == [b"one", b"two"]
    judged = world.policy._replace(logs=())
    assert len(judged.witnesses) == 2
    assert (world.folder / "checkpoint").read_bytes().count("\u2014".encode()) == 3
    heads = await world.connection.fetch("SELECT size FROM log_heads WHERE published_at IS NULL")
    assert [row["size"] for row in heads] == [1]


async def test_a_published_checkpoint_that_was_rolled_back_or_damaged_is_put_there_again(world: LogWorld) -> None:
    await world.record(b"one")
    await world.grow()
    older = (world.folder / "checkpoint").read_bytes()
    await world.record(b"two")
    await world.grow()
    for wrong in (older, b"garbage"):
        await FolderTiles(world.folder).publish(wrong)
        await world.grow()
        assert world.published().size == 2


async def test_an_older_checkpoint_over_a_newer_does_not_stay(
    world: LogWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fairkey.log.sequencer.STEPS_BETWEEN_LOOKS", 3)
    await world.record(b"one")
    await world.grow()
    older = (world.folder / "checkpoint").read_bytes()
    await world.record(b"two")
    async with world.writer() as writer:
        await writer.step()
        await FolderTiles(world.folder).publish(older)
        await writer.step()
        await writer.step()
        assert world.published().size == 2


async def test_a_head_of_another_root_in_the_tile_store_is_refused(world: LogWorld) -> None:
    await world.record(b"one")
    await world.grow()
    forked = sign_checkpoint(Checkpoint(world.own.origin, 1, EMPTY_ROOT), world.own.key).encode()
    await FolderTiles(world.folder).publish(forked)
    with pytest.raises(LogRefuses, match="different histories of the first 1 entries"):
        await world.grow()


async def test_events_that_were_changed_after_they_were_logged_cannot_become_tiles_again(world: LogWorld) -> None:
    await world.record(b"one", b"two")
    await world.grow()
    await world.connection.execute("ALTER TABLE events DISABLE TRIGGER kept")
    await world.connection.execute("UPDATE events SET body = 'forged' WHERE body = 'one'")
    (world.folder / "tile/entries/000.p/2").unlink()
    with pytest.raises(LogRefuses, match="do not give the head that was signed over 2 entries"):
        await world.grow()


async def test_the_refusal_stands_where_everybody_can_read_it_until_it_is_over(world: LogWorld) -> None:
    await world.record(*bodies(0, 3))
    await world.grow()
    ahead = sign_checkpoint(Checkpoint(world.own.origin, 9, bytes(32)), world.own.key).encode()
    true = (world.folder / "checkpoint").read_bytes()
    await FolderTiles(world.folder).publish(ahead)
    paused: asyncio.Queue[float] = asyncio.Queue()
    go_on: asyncio.Queue[None] = asyncio.Queue()

    async def pause(seconds: float) -> None:
        await paused.put(seconds)
        await go_on.get()

    async def setting_of(log_no: int) -> LogSetting:
        assert log_no == 1
        return world.setting

    lease = PostgresLogLease(world.dsn, lambda: AT_MS)
    running = asyncio.create_task(Sequencer(lease, setting_of, period_s=1, pause=pause).run())
    await paused.get()
    said = await world.connection.fetchval("SELECT refusal FROM log_lease")
    assert said.startswith("The published checkpoint has 9 entries, this database has 3")
    await FolderTiles(world.folder).publish(true)
    go_on.put_nowait(None)
    await paused.get()
    assert await world.connection.fetchval("SELECT refusal FROM log_lease") == ""
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_full_disk_is_told_and_tried_again(
    world: LogWorld, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await world.record(b"one")
    paused: asyncio.Queue[float] = asyncio.Queue()
    go_on: asyncio.Queue[None] = asyncio.Queue()
    really = os.write

    async def pause(seconds: float) -> None:
        await paused.put(seconds)
        await go_on.get()

    async def setting_of(log_no: int) -> LogSetting:
        return world.setting

    def full(descriptor: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device", "tile")

    monkeypatch.setattr(os, "write", full)
    lease = PostgresLogLease(world.dsn, lambda: AT_MS)
    running = asyncio.create_task(Sequencer(lease, setting_of, period_s=1, pause=pause).run())
    for _ in range(3):
        await paused.get()
        assert "No space left on device" in await world.connection.fetchval("SELECT refusal FROM log_lease")
        go_on.put_nowait(None)
    await paused.get()
    assert len([one for one in caplog.records if "No space left" in one.getMessage()]) == 1, "said once"
    monkeypatch.setattr(os, "write", really)
    go_on.put_nowait(None)
    while await world.connection.fetchval("SELECT refusal FROM log_lease"):
        await paused.get()
        go_on.put_nowait(None)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    lease.let_go()
    assert await world.audited() == [b"one"]
