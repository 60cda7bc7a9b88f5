"""Logs to be watched, and witnesses: in this process, and as programs of their own."""

import json
import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from click.testing import CliRunner, Result

from fairkey.cli.witness import witness
from fairkey.proofs.checkpoints import Checkpoint, sign_checkpoint
from fairkey.proofs.merkle import leaf_hash, merkle_root
from fairkey.proofs.notes import SignerKey, VerifierKey, signer_key
from fairkey.witness.judging import Asked, read_request
from fairkey.witness.keeping import KEY_FILE, SEEN_FILE, read_key
from fairkey.witness.seen import SeenLogs, begin
from fairkey.witness.serving import WitnessApp

ORIGIN = "shop.example/log"
LOG = signer_key(ORIGIN, b"L" * 32)
NAME = "witness.example/w1"
NOW_S = 1_790_000_000
SRC = Path(__file__).parents[1] / "src"


def leaves(size: int, *, forked_at: int | None = None) -> list[bytes]:
    """The leaf hashes of a log; of its other history, the entries from `forked_at` on are others."""
    return [
        leaf_hash(b"%d%s" % (number, b" other" if forked_at is not None and number >= forked_at else b""))
        for number in range(size)
    ]


def consistency_proof(hashes: Sequence[bytes], size_before: int) -> list[bytes]:
    """RFC 6962 section 2.1.2, as it stands there."""
    if size_before in (0, len(hashes)):
        return []

    def subproof(before: int, part: Sequence[bytes], *, is_whole: bool) -> list[bytes]:
        if before == len(part):
            return [] if is_whole else [merkle_root(part)]
        split = 1 << ((len(part) - 1).bit_length() - 1)
        if before <= split:
            return [*subproof(before, part[:split], is_whole=is_whole), merkle_root(part[split:])]
        return [*subproof(before - split, part[split:], is_whole=False), merkle_root(part[:split])]

    return subproof(size_before, hashes, is_whole=True)


def checkpoint_of(size: int, *, forked_at: int | None = None, key: SignerKey = LOG) -> bytes:
    """The signed checkpoint of a log with so many entries."""
    root = merkle_root(leaves(size, forked_at=forked_at))
    return sign_checkpoint(Checkpoint(key.verifier.name, size, root), key).encode()


def request(size_before: int, size: int, *, forked_at: int | None = None, key: SignerKey = LOG) -> bytes:
    """The body of add-checkpoint, with a proof that the larger tree has."""
    proof = consistency_proof(leaves(size, forked_at=forked_at), min(size_before, size))
    lines = [f"old {size_before}", *(b64encode(part).decode() for part in proof), "", ""]
    return "\n".join(lines).encode() + checkpoint_of(size, forked_at=forked_at, key=key)


def asked(size_before: int, size: int, *, forked_at: int | None = None) -> Asked:
    """The same, read."""
    return read_request(request(size_before, size, forked_at=forked_at))


@dataclass(slots=True)
class Clock:
    """Seconds that pass when told."""

    now_s: int = NOW_S

    def __call__(self) -> int:
        """Now."""
        return self.now_s


@dataclass(slots=True)
class Witness:
    """A witness of this process."""

    folder: Path
    logs: dict[str, tuple[VerifierKey, ...]] = field(default_factory=lambda: {ORIGIN: (LOG.verifier,)})
    clock: Clock = field(default_factory=Clock)
    name: str = NAME

    @contextmanager
    def opened(self, *, a_second: float = 1e6) -> Iterator[tuple[WitnessApp, SeenLogs, SignerKey]]:
        """It, running, with its memory and its key."""
        key = self.key()
        seen = SeenLogs(self.folder / SEEN_FILE, key, self.clock)
        try:
            yield WitnessApp(key.verifier, self.logs, seen, a_second=a_second), seen, key
        finally:
            seen.close()

    def key(self) -> SignerKey:
        """Its key, made the first time."""
        return read_key(self.folder) if (self.folder / KEY_FILE).exists() else begin(self.folder, self.name)


def typed(*words: str | Path) -> Result:
    """`fairkey witness …` as its keeper types it."""
    return CliRunner().invoke(witness, [str(word) for word in words])


@dataclass(slots=True)
class WitnessProgram:
    """`fairkey witness serve` as a process."""

    process: subprocess.Popen[str]
    vkey: str
    url: str

    def kill(self) -> None:
        """`kill -9`."""
        self.process.kill()
        self.process.wait()


class EndedAtOnce(Exception):
    """It did not come to listen. The argument is what it said."""


PROGRAM = """
import sys
sys.modules |= dict.fromkeys(sys.argv.pop(1).split(","))
from fairkey.main import main
main()
"""


@contextmanager
def running(
    folder: Path, *, name: str = NAME, log: str = str(LOG.verifier), port: int = 0, without: Sequence[str] = ()
) -> Iterator[WitnessProgram]:
    """It runs until the end of the block; as if the packages `without` were not installed. Raises `EndedAtOnce`."""
    words = ["--state", folder, "--name", name, "--log", log, "--port", str(port), "--a-second", "1000000"]
    command = [sys.executable, "-c", PROGRAM, ",".join(without), "witness", "serve", *words]
    environment = {**os.environ, "PYTHONPATH": str(SRC)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stderr
            told: dict[str, str] = {}
            lines = []
            while "listens" not in told:
                lines.append(process.stderr.readline())
                if not lines[-1]:
                    raise EndedAtOnce("".join(lines).strip())
                what, _, rest = lines[-1].strip().partition(" ")
                told[what] = rest
            yield WitnessProgram(process, told["witness"], told["listens"])
        finally:
            process.kill()


def figures_of(folder: Path) -> dict[str, dict[str, object]]:
    """What `fairkey witness seen --json` says, by origin."""
    shown = typed("seen", "--state", folder, "--json")
    assert shown.exit_code == 0, shown.output
    return {one["origin"]: one for one in json.loads(shown.output)["logs"]}
