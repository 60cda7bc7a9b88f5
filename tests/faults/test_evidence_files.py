"""The evidence store with real folders, buckets, scanners, full disks and killed writers."""

import asyncio
import hashlib
import os
import resource
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from obstore.store import LocalStore, MemoryStore

from evidence_world import MP4, PDF, png, read, sent
from fairkey.adapters.files.places import BucketPlace, FolderPlace, Place
from fairkey.adapters.files.store import SealedFiles
from fairkey.engine.evidence_port import (
    EvidenceIsChanged,
    EvidenceIsGone,
    EvidenceLimits,
    EvidenceStoreFailed,
    FileIsRefused,
    WhyRefused,
)

BEGINNING_OF_MARKER = b"Error: this code was redeemed. "
LONG = BEGINNING_OF_MARKER * 12_000  # 372 kB: six pieces
PIECE = 64 * 1024
FAR_MS = 2**42


@pytest.fixture(params=["folder", "memory", "local"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "folder":
        return FolderPlace(tmp_path / "evidence")
    return BucketPlace(MemoryStore() if request.param == "memory" else LocalStore(str(tmp_path)))


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


async def none_known(addresses: list[str]) -> set[str]:
    del addresses
    return set()


@pytest.mark.parametrize("size", [1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, len(LONG)])
async def test_what_is_kept_comes_back(place: Place, size: int) -> None:
    store = SealedFiles(place)
    kept = await store.keep(sent(LONG[:size]))
    assert await read(store, kept) == LONG[:size]
    assert (kept.sha256, kept.size_bytes) == (hashlib.sha256(LONG[:size]).digest(), size)


async def test_the_same_bytes_twice_are_two_files_and_one_can_go_alone(place: Place) -> None:
    store = SealedFiles(place)
    one, other = await store.keep(sent(PDF)), await store.keep(sent(PDF))
    assert one.sha256 == other.sha256
    assert one.address != other.address
    await store.remove(one.address)
    await store.remove(one.address)
    assert await read(store, other) == PDF
    with pytest.raises(EvidenceIsGone):
        await read(store, one)


async def test_the_disk_holds_ciphertext_under_its_own_hash(tmp_path: Path) -> None:
    kept = await SealedFiles(FolderPlace(tmp_path / "evidence")).keep(sent(LONG))
    (file,) = files_in(tmp_path)
    assert BEGINNING_OF_MARKER not in file.read_bytes()
    assert hashlib.sha256(file.read_bytes()).hexdigest() == kept.address == file.parent.name + file.name
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


@pytest.mark.parametrize("change", ["bit", "short", "swap", "longer", "empty", "piece"])
async def test_a_changed_file_is_never_given_out_as_the_one_that_was_kept(tmp_path: Path, change: str) -> None:
    store = SealedFiles(FolderPlace(tmp_path / "evidence"))
    kept = await store.keep(sent(LONG[: 3 * PIECE]))
    (file,) = files_in(tmp_path)
    data, sealed = file.read_bytes(), PIECE + 16
    pieces = [data[1 + n * sealed : 1 + (n + 1) * sealed] for n in range(3)]
    file.write_bytes(
        {
            "bit": data[:-1] + bytes([data[-1] ^ 1]),
            "short": data[: 1 + 2 * sealed],
            "swap": data[:1] + pieces[1] + pieces[0] + pieces[2],
            "longer": data + b"x",
            "empty": b"",
            "piece": data[:1] + pieces[0] + pieces[2],
        }[change]
    )
    with pytest.raises(EvidenceIsChanged):
        await read(store, kept)


async def test_an_address_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    store = SealedFiles(FolderPlace(tmp_path / "evidence"))
    (tmp_path / "other").write_text("mine")
    for address in ("../other", "", "..", "/etc/passwd", "A" * 64, "../" + "a" * 61):
        with pytest.raises(EvidenceIsGone):
            await store.remove(address)
    assert (tmp_path / "other").read_text() == "mine"


async def test_what_is_refused_leaves_nothing(tmp_path: Path) -> None:
    store = SealedFiles(FolderPlace(tmp_path), EvidenceLimits(text_bytes=100_000, video_bytes=70_000))
    for data, why in (
        (b"", WhyRefused.EMPTY),
        (b"<svg/>", WhyRefused.KIND_NOT_TAKEN),
        (LONG[:100_001], WhyRefused.TOO_LARGE),
        (MP4.ljust(70_001, b"\x00"), WhyRefused.TOO_LARGE),
        (LONG[:70_000] + b"\xff", WhyRefused.KIND_NOT_TAKEN),
        (png(10_001, 10_000), WhyRefused.TOO_MANY_PIXELS),
    ):
        with pytest.raises(FileIsRefused) as refused:
            await store.keep(sent(data))
        assert refused.value.why == why
    assert files_in(tmp_path) == []
    assert (await store.keep(sent(LONG[:100_000], by=1000))).size_bytes == 100_000


async def test_an_upload_over_the_limit_is_not_read_to_its_end(tmp_path: Path) -> None:
    asked = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal asked
        while True:
            asked += 1
            yield b"x" * PIECE

    with pytest.raises(FileIsRefused):
        await SealedFiles(FolderPlace(tmp_path), EvidenceLimits(text_bytes=10 * PIECE)).keep(endless())
    assert asked == 11


async def test_an_upload_that_breaks_off_or_is_cancelled_leaves_nothing(tmp_path: Path) -> None:
    store = SealedFiles(FolderPlace(tmp_path))
    waiting, forever = asyncio.Event(), asyncio.Event()

    async def broken() -> AsyncIterator[bytes]:
        yield LONG
        raise ConnectionResetError

    async def hanging() -> AsyncIterator[bytes]:
        yield LONG
        waiting.set()
        await forever.wait()

    with pytest.raises(ConnectionResetError):
        await store.keep(broken())
    task = asyncio.create_task(store.keep(hanging()))
    await waiting.wait()
    assert len(files_in(tmp_path)) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert files_in(tmp_path) == []


async def test_a_disk_that_takes_no_more_keeps_nothing_and_says_so(tmp_path: Path) -> None:
    store = SealedFiles(FolderPlace(tmp_path))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    try:
        with pytest.raises(EvidenceStoreFailed):
            await store.keep(sent(LONG))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert files_in(tmp_path) == []
    assert await read(store, await store.keep(sent(LONG))) == LONG


KILLED = """
import asyncio, sys
from pathlib import Path
from fairkey.adapters.files.places import FolderPlace
from fairkey.adapters.files.store import SealedFiles

async def chunks():
    yield b"x" * 300_000
    print("half", flush=True)
    await asyncio.Event().wait()

asyncio.run(SealedFiles(FolderPlace(Path(sys.argv[1]))).keep(chunks()))
"""


async def test_what_a_killed_writer_leaves_is_no_file_and_is_tidied(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    writer = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, str(tmp_path), stdout=asyncio.subprocess.PIPE, env=environment
    )
    assert writer.stdout is not None
    assert await writer.stdout.readline() == b"half\n"
    writer.send_signal(signal.SIGKILL)
    await writer.wait()
    place = FolderPlace(tmp_path)
    assert len(files_in(tmp_path)) == 1
    assert await place.older(FAR_MS) == []
    assert await SealedFiles(place).tidy(none_known, int(time.time() * 1000) - 3_600_000) == 0
    assert await SealedFiles(place).tidy(none_known, FAR_MS) == 1
    assert files_in(tmp_path) == []


async def test_tidying_takes_only_old_files_that_no_fact_speaks_of(place: Place) -> None:
    store = SealedFiles(place)
    fact, orphan = await store.keep(sent(PDF)), await store.keep(sent(PDF))

    async def known(addresses: list[str]) -> set[str]:
        assert sorted(addresses) == sorted([fact.address, orphan.address])
        return {fact.address}

    assert await store.tidy(none_known, 0) == 0
    assert await store.tidy(known, FAR_MS) == 1
    assert await read(store, fact) == PDF
    with pytest.raises(EvidenceIsGone):
        await read(store, orphan)


@pytest.fixture
def scanner(tmp_path: Path) -> list[str]:
    """A real one, that knows one virus."""
    script = tmp_path / "scan.sh"
    script.write_text('#!/bin/sh\ngrep -q VIRUS && exit 1\n[ "$1" = broken ] && exit 2\nexit 0\n')
    script.chmod(0o700)
    return [str(script)]


async def test_the_scanner_decides(tmp_path: Path, scanner: list[str]) -> None:
    folder = tmp_path / "evidence"
    store = SealedFiles(FolderPlace(folder), scanner=scanner)
    assert await read(store, await store.keep(sent(LONG))) == LONG
    kept = files_in(folder)
    for data in (b"VIRUS\n" + LONG, LONG + b"\nVIRUS"):  # one found at once, its scanner gone before the end
        with pytest.raises(FileIsRefused) as refused:
            await store.keep(sent(data))
        assert refused.value.why == WhyRefused.SCANNER_SAYS_NO
    assert files_in(folder) == kept


@pytest.mark.parametrize("command", [["/nonexistent/scanner"], ["BROKEN", "broken"], ["/bin/sh", "-c", "kill -9 $$"]])
async def test_a_scanner_that_cannot_tell_lets_nothing_pass(
    tmp_path: Path, scanner: list[str], command: list[str]
) -> None:
    folder = tmp_path / "evidence"
    command = [*scanner, *command[1:]] if command[0] == "BROKEN" else command
    with pytest.raises(EvidenceStoreFailed):
        await SealedFiles(FolderPlace(folder), scanner=command).keep(sent(LONG))
    assert files_in(folder) == []


@pytest.mark.parametrize("data", [b"short", LONG], ids=["asked", "fed"])
async def test_a_scanner_that_hangs_is_ended(tmp_path: Path, data: bytes) -> None:
    store = SealedFiles(FolderPlace(tmp_path), scanner=["/bin/sh", "-c", "sleep 600"], scanner_wait_s=0.2)
    with pytest.raises(EvidenceStoreFailed):
        await store.keep(sent(data))
    assert files_in(tmp_path) == []
