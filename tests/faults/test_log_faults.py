"""Every write of the log's writer goes wrong once: not done, done without anybody being told, and the process killed.

Afterwards another writer goes on, everything committed is logged once and in order, the files prove it by themselves,
and no size was ever signed with two roots.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import TypeVar

import pytest

import fairkey.log.sequencer as sequencer_module
from fairkey.adapters.log.bucket import BucketTiles, bucket_of
from fairkey.log.ports import Lost, StoreFailed
from fairkey.proofs.checkpoints import Checkpoint, open_checkpoint, sign_checkpoint
from fairkey.proofs.notes import Note, SignerKey
from fairkey.proofs.tiles import bundles_of, tiles_of
from log_breaking import Breaking, Way
from log_world import LogWorld, audit_folder, bodies, log_world

pytestmark = [pytest.mark.pg, pytest.mark.slow]

T = TypeVar("T")
FIRST, EACH_ROUND = 100, 256  # every round fills a tile and begins another: the same operations each time


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[LogWorld]:
    async with log_world(database_url, tmp_path / "state" / "log" / "1") as world:
        yield world


@pytest.fixture
def signed(monkeypatch: pytest.MonkeyPatch) -> dict[int, bytes]:
    """Every size that was ever signed, whether it was stored or not; a second root for one fails at once."""
    roots: dict[int, bytes] = {}

    def sign(checkpoint: Checkpoint, key: SignerKey) -> Note:
        assert roots.setdefault(checkpoint.size, checkpoint.root) == checkpoint.root, "a fork was signed"
        return sign_checkpoint(checkpoint, key)

    monkeypatch.setattr(sequencer_module, "sign_checkpoint", sign)
    return roots


@pytest.mark.parametrize("way", ["not_done", "done"])
async def test_any_write_may_fail(world: LogWorld, signed: dict[int, bytes], way: Way) -> None:
    breaking = Breaking(world.folder)
    recorded = bodies(0, FIRST)
    await world.record(*recorded)
    await world.grow()
    met: set[str] = set()
    at = 0
    while True:
        new = bodies(len(recorded), len(recorded) + EACH_ROUND)
        await world.record(*new)
        recorded += new
        breaking.arm(at, way)
        with breaking.installed():
            try:
                await world.grow()
            except (Lost, StoreFailed):
                met.add(breaking.done[at])
        if not breaking.struck:
            break
        await world.grow()
        if at % 8 == 0:
            assert await world.audited() == recorded
        at += 1
    assert await world.audited() == recorded
    assert {"open", "write", "fsync", "close", "rename"} <= met
    assert {"WITH mine AS MATERIALIZED", "INSERT INTO log_heads (log_no,", "UPDATE log_heads SET cosigned"} <= met
    assert max(signed) == len(recorded)


class Mortal:
    """Writers that kill themselves in the middle of an operation, each forked from one warm process."""

    def __init__(self, world: LogWorld, signed: Path) -> None:
        paths = os.pathsep.join([str(Path(__file__).parents[1]), *filter(None, sys.path)])
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).parent / "log_writer.py", world.dsn, str(world.folder), str(signed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": paths},
        )

    def write(self, at: int, way: Way) -> int:
        """The exit code of a writer that is killed at operation `at`: 0 when it came to no such operation."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{at} {way}\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture
def mortal(world: LogWorld, tmp_path: Path) -> Iterator[Mortal]:
    one = Mortal(world, tmp_path / "signed")
    yield one
    one.close()


@pytest.mark.parametrize("way", ["killed_before", "killed_after"])
async def test_the_writer_may_be_killed_at_any_write(
    world: LogWorld, mortal: Mortal, signed: dict[int, bytes], tmp_path: Path, way: Way
) -> None:
    recorded = bodies(0, FIRST)
    await world.record(*recorded)
    await world.grow()
    at = 0
    while True:
        new = bodies(len(recorded), len(recorded) + EACH_ROUND)
        await world.record(*new)
        recorded += new
        code = mortal.write(at, way)
        if code != -signal.SIGKILL:
            assert code == 0
            break
        await world.grow()
        if at % 8 == 0:
            assert await world.audited() == recorded
        at += 1
    assert await world.audited() == recorded
    assert at > 40
    for line in (tmp_path / "signed").read_text().splitlines():
        size, root = line.split()
        assert signed.setdefault(int(size), bytes.fromhex(root)) == bytes.fromhex(root), "a fork was signed"


class Flaky(BucketTiles):
    """A bucket whose request number `at` fails, before or after it was done."""

    def __init__(self) -> None:
        super().__init__(bucket_of("memory:///"), "1/")
        self.at, self.is_done, self.requests = -1, False, 0

    async def _flaky(self, request: Awaitable[T]) -> T:
        self.requests += 1
        if self.requests - 1 == self.at and not self.is_done:
            asyncio.ensure_future(request).cancel()
            raise StoreFailed("as the test wants it")
        answer = await request
        if self.requests - 1 == self.at:
            raise StoreFailed("as the test wants it")
        return answer

    async def _write(self, path: str, data: bytes) -> None:
        await self._flaky(super()._write(path, data))

    async def _read(self, path: str) -> bytes | None:
        return await self._flaky(super()._read(path))

    async def publish(self, checkpoint: bytes) -> None:
        await self._flaky(super().publish(checkpoint))

    async def remove_partials(self, full: Sequence[str]) -> None:
        await self._flaky(super().remove_partials(full))


@pytest.mark.parametrize("is_done", [False, True])
async def test_any_request_to_a_bucket_may_fail(world: LogWorld, signed: dict[int, bytes], *, is_done: bool) -> None:
    world.store = bucket = Flaky()
    recorded: list[bytes] = []
    for at in count():
        new = bodies(len(recorded), len(recorded) + EACH_ROUND + 1)
        await world.record(*new)
        recorded += new
        bucket.at, bucket.is_done, bucket.requests = at, is_done, 0
        with contextlib.suppress(StoreFailed):
            await world.grow()
        struck = bucket.requests > at
        bucket.at = -1
        await world.grow()
        if not struck:
            break
    assert at > 10
    assert max(signed) == len(recorded)
    data = await bucket.published()
    assert data
    checkpoint, _ = open_checkpoint(data, world.own.key.verifier)
    names = [name.path for name in (*tiles_of(checkpoint.size), *bundles_of(checkpoint.size))]
    for path, found in zip(names, await bucket.read(names), strict=True):
        assert found is not None
        (world.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (world.folder / path).write_bytes(found)
    assert audit_folder(world.folder, checkpoint) == recorded
