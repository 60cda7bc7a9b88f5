"""Every write of the log's writer goes wrong once: not done, done without anybody being told, and the process killed.

Afterwards another writer goes on, everything committed is logged once and in order, the files prove it by themselves,
and no size was ever signed with two roots.
"""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

import fairkey.log.sequencer as sequencer_module
from fairkey.log.ports import Lost, StoreFailed
from fairkey.proofs.checkpoints import Checkpoint, sign_checkpoint
from fairkey.proofs.notes import Note, SignerKey
from log_breaking import Breaking, Way
from log_world import LogWorld, bodies, log_world

pytestmark = [pytest.mark.pg, pytest.mark.slow]

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
