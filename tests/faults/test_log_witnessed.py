"""A log and the witnesses that it really asks: programs of their own. One is killed, one is put back, one is asked by a
house that forgot or that tells two histories.
"""

import shutil
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from fairkey.adapters.log.witnesses import HttpWitnesses
from fairkey.proofs.checkpoints import Checkpoint, sign_checkpoint
from fairkey.proofs.merkle import leaf_hash, merkle_root
from fairkey.proofs.notes import Note, read_vkey
from fairkey.proofs.policies import Group, LogKey, Policy, WitnessKey
from fairkey.witness.keeping import SEEN_FILE
from log_world import LogWorld, bodies, log_world, own_log
from witness_world import WitnessProgram, consistency_proof, figures_of, running

LOG = own_log().key
ORIGIN = LOG.verifier.name
NAMES = ("east", "west")


def witness(folder: Path, name: str, port: int = 0) -> AbstractContextManager[WitnessProgram]:
    return running(folder / name, name=f"{name}.example", log=str(LOG.verifier), port=port)


@dataclass(slots=True)
class Town:
    """A log of the database and its two witnesses, both of whom must cosign. `now_s` is the clock of their rests."""

    folder: Path
    world: LogWorld
    http: httpx.AsyncClient
    asked: HttpWitnesses = field(init=False)
    now_s: float = 0.0

    def asks(self, *programs: WitnessProgram) -> None:
        """These, from now on."""
        keys = tuple(
            WitnessKey(name, read_vkey(one.vkey), one.url) for name, one in zip(NAMES, programs, strict=True)
        )
        self.asked = HttpWitnesses(LOG.verifier, keys, self.http, within_s=20, clock_s=lambda: self.now_s)
        self.world.witnesses = self.asked
        self.world.policy = Policy((LogKey(LOG.verifier, ""),), keys, (Group("both", 2, NAMES),), "both")

    def published(self) -> int:
        """The size of the published checkpoint, judged as a stranger does: both have cosigned it."""
        judged = self.world.policy.judge((self.world.folder / "checkpoint").read_bytes())
        assert set(judged.witnessed_at_s) == set(NAMES)
        return judged.checkpoint.size

    def seen(self, name: str) -> dict[str, object]:
        """What a witness remembers of this log."""
        return figures_of(self.folder / name)[ORIGIN]

    async def show(self, size: int, *, forked_at: int | None = None) -> str:
        """Ask with a head of our own making, properly signed; what the first witness said."""
        leaves = [
            leaf_hash(b"another" if forked_at is not None and at >= forked_at else body)
            for at, body in enumerate(bodies(0, size))
        ]
        note: Note = sign_checkpoint(Checkpoint(ORIGIN, size, merkle_root(leaves)), LOG)

        async def prove(size_before: int) -> list[bytes]:
            return consistency_proof(leaves, size_before)

        assert await self.asked.cosign(note, prove) == []
        return self.asked.answers["east"]


@pytest.fixture
async def town(database_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    async with log_world(database_url, tmp_path / "1") as world, httpx.AsyncClient(trust_env=False) as http:
        yield Town(tmp_path, world, http)


async def test_both_cosign_whatever_the_log_has_grown_by(town: Town) -> None:
    with witness(town.folder, "east") as east, witness(town.folder, "west") as west:
        town.asks(east, west)
        size = 0
        for more in (3, 1, 300, 1):
            await town.world.record(*bodies(size, size + more))
            size += more
            await town.world.grow()
            assert town.published() == size
        town.asks(east, west)  # a writer that knows nothing of their sizes
        await town.world.record(*bodies(size, size + 5))
        await town.world.grow()
        assert town.published() == town.seen("west")["size"] == size + 5


async def test_one_is_killed_and_comes_back(town: Town) -> None:
    with witness(town.folder, "east") as east, witness(town.folder, "west") as west:
        town.asks(east, west)
        async with town.world.writer() as writer:
            await town.world.record(*bodies(0, 3))
            await writer.step()
            east.kill()
            await town.world.record(*bodies(3, 5))
            await writer.step()
            assert town.published() == 3
            assert town.asked.answers == {"east": "does not answer: ConnectError", "west": "cosigned 5 entries"}
            with witness(town.folder, "east", urlsplit(east.url).port or 0):
                await town.world.record(*bodies(5, 8))
                await writer.step()
                assert town.published() == 3, "it is given a rest"
                town.now_s += 60
                await writer.step()
                assert town.published() == 8


async def test_one_that_was_put_back_by_its_keeper_gets_the_proof_from_there(town: Town) -> None:
    """Its keeper must not do that; the house cannot know, and its log is one history all the same."""
    with witness(town.folder, "west") as west:
        with witness(town.folder, "east") as east:
            town.asks(east, west)
            await town.world.record(*bodies(0, 3))
            await town.world.grow()
        memory = town.folder / "east" / SEEN_FILE
        shutil.copy(memory, town.folder / "older")
        with witness(town.folder, "east") as east:
            town.asks(east, west)
            async with town.world.writer() as writer:
                await town.world.record(*bodies(3, 300))
                await writer.step()
                east.kill()
                shutil.copy(town.folder / "older", memory)
                with witness(town.folder, "east", urlsplit(east.url).port or 0):
                    await town.world.record(*bodies(300, 301))
                    await writer.step()
        assert town.published() == 301


async def test_a_fork_and_an_old_head_are_refused_in_words(town: Town) -> None:
    with witness(town.folder, "east") as east, witness(town.folder, "west") as west:
        town.asks(east, west)
        await town.world.record(*bodies(0, 8))
        await town.world.grow()
        assert await town.show(7) == "has seen 8 entries, more than the 7 of this log"
        told = "refused (422): another tree of 8 entries was cosigned before: the log shows two histories"
        assert await town.show(8, forked_at=5) == told
        told = "refused (422): consistency proof: it does not show that 9 entries begin with the 8 cosigned before"
        assert await town.show(9, forked_at=5) == told
        # And it goes on with the history that was seen, whatever was said in between.
        await town.world.record(*bodies(8, 10))
        await town.world.grow()
        assert town.published() == 10
    fork = town.seen("east")["fork"]
    assert isinstance(fork, dict)
    assert fork["cosigned"].startswith(f"{ORIGIN}\n8\n")
    assert fork["refused"].startswith(f"{ORIGIN}\n8\n")
