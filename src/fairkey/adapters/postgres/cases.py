"""Storage of `fairkey.engine.cases_port.CaseRoom`: rows here, sealed folders beside the database.

A case's key follows from the installation's and from 32 random bytes in its row: without the row nobody can open what
lies in the folder, copies of it included.
"""

import asyncio
import contextlib
import secrets
import shutil
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol, TypeVar
from uuid import UUID

import asyncpg
from msgspec import structs

from fairkey.adapters.files import cropping
from fairkey.adapters.files.case_safe import CaseSafe, private_folder
from fairkey.adapters.postgres.moments import moment, ms_of
from fairkey.business.basics import SECOND_MS, NotFound
from fairkey.casework.folder import CaseFolder, new_case
from fairkey.casework.model import Case, CaseFile, Region
from fairkey.casework.readings import NOTES
from fairkey.engine.cases_port import CASES_MAX, JOB_WAIT_S, CaseIsBusy, CaseRow, TooManyCases

_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended('fairkey.cases:' || $1::text, 0))"
_COUNT: Final = "SELECT count(*) FROM cases WHERE account_id = $1"
_ADD: Final = "INSERT INTO cases (case_id, account_id, salt, created_at) VALUES ($1, $2, $3, $4)"
_MINE: Final = "SELECT * FROM cases WHERE account_id = $1 ORDER BY created_at DESC, case_id"
_ONE: Final = "SELECT * FROM cases WHERE account_id = $1 AND case_id = $2"
_FORGET: Final = "DELETE FROM cases WHERE account_id = $1 AND case_id = $2"
_START: Final = """
UPDATE cases SET job = $2, job_at = $3, job_failed = false
WHERE case_id = $1 AND (job = '' OR job_at < $4) RETURNING case_id
"""
_END: Final = """
UPDATE cases SET job = '', job_failed = $2, has_pack = has_pack OR $3 WHERE case_id = $1 AND job_at = $4
"""
_PURPOSE: Final = "fingerprints"
_CROP_WAIT_S: Final = 15.0

T = TypeVar("T")


class KeyedHash(Protocol):
    """What is needed of the installation's keys."""

    def fingerprint(self, purpose: str, value: bytes) -> bytes:
        """A keyed hash, 32 bytes."""


class PostgresCases:
    """Implements `CaseRoom`."""

    def __init__(self, pool: asyncpg.Pool, keys: KeyedHash, now_ms: Callable[[], int], place: Path) -> None:
        """Sealed folders lie under `place`."""
        self._pool = pool
        self._keys = keys
        self._now_ms = now_ms
        self._place = place
        self._jobs: set[asyncio.Task[None]] = set()

    async def begin(self, account_id: str, case: Case) -> None:
        """See `CaseRoom.begin`."""
        salt = secrets.token_bytes(32)
        owner, case_id = UUID(account_id), UUID(case.case_id)
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_LOCK, account_id)
            if await connection.fetchval(_COUNT, owner) >= CASES_MAX:
                raise TooManyCases(limit=CASES_MAX)
            await connection.execute(_ADD, case_id, owner, salt, moment(self._now_ms()))
            # A death before the commit leaves a folder that no key opens: only bytes.
            safe = self._safe(case.case_id, salt)
            await asyncio.to_thread(safe.begin, lambda path: new_case(path, case))

    async def mine(self, account_id: str) -> list[CaseRow]:
        """See `CaseRoom.mine`."""
        return [self._row(one) for one in await self._pool.fetch(_MINE, UUID(account_id))]

    async def row(self, account_id: str, case_id: str) -> CaseRow:
        """See `CaseRoom.row`."""
        return self._row(await self._record(account_id, case_id))

    async def look(self, account_id: str, case_id: str, work: Callable[[CaseFolder], T], *, files: bool = False) -> T:
        """See `CaseRoom.look`."""
        safe = await self._mine(account_id, case_id)
        return await asyncio.to_thread(safe.look, work, files=files)

    async def change(self, account_id: str, case_id: str, work: Callable[[CaseFolder], T]) -> T:
        """See `CaseRoom.change`."""
        safe = await self._mine(account_id, case_id)
        return await asyncio.to_thread(safe.change, work)

    async def start(self, account_id: str, case_id: str, job: str) -> None:
        """See `CaseRoom.start`."""
        safe = await self._mine(account_id, case_id)
        now_ms = self._now_ms()
        over = moment(now_ms - round(2 * JOB_WAIT_S * SECOND_MS))
        if await self._pool.fetchval(_START, UUID(case_id), job, moment(now_ms), over) is None:
            raise CaseIsBusy
        task = asyncio.create_task(self._work(case_id, safe, job, now_ms))
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)

    async def pack(self, account_id: str, case_id: str) -> bytes:
        """See `CaseRoom.pack`."""
        safe = await self._mine(account_id, case_id)
        return await asyncio.to_thread(safe.pack)

    async def forget(self, account_id: str, case_id: str) -> None:
        """See `CaseRoom.forget`."""
        safe = await self._mine(account_id, case_id)
        await self._pool.execute(_FORGET, UUID(account_id), UUID(case_id))
        with contextlib.suppress(NotFound):
            await asyncio.to_thread(safe.forget)

    async def crop(self, account_id: str, case_id: str, number: int) -> bytes:
        """See `CaseRoom.crop`."""

        def spot(folder: CaseFolder) -> tuple[bytes, Region]:
            case = folder.read()
            if not 0 < number <= len(case.proposed):
                raise NotFound(what="case")
            fact = case.proposed[number - 1]
            file = next((one for one in case.files if one.seal.sha256 == fact.file), None)
            if file is None or not file.media_type.startswith("image/"):
                raise NotFound(what="case")
            return folder.original(file).read_bytes(), fact.region

        data, region = await self.look(account_id, case_id, spot, files=True)
        picture = await _cropped(data, region)
        if not picture:
            raise NotFound(what="case")
        return picture

    def receiving(self) -> Path:
        """See `CaseRoom.receiving`."""
        return private_folder()

    async def stop(self) -> None:
        """See `CaseRoom.stop`."""
        for task in tuple(self._jobs):
            task.cancel()
        await asyncio.gather(*self._jobs, return_exceptions=True)

    async def ended(self) -> None:
        """When all that works behind the pages has come to its end."""
        await asyncio.gather(*self._jobs, return_exceptions=True)

    async def _work(self, case_id: str, safe: CaseSafe, job: str, started_ms: int) -> None:
        done = False
        try:
            done = await (_read(safe) if job == "reading" else _pack(safe))
        except NotFound:
            return  # forgotten meanwhile
        finally:
            with contextlib.suppress(asyncpg.InterfaceError, OSError):
                packed = done and job == "packing"
                await self._pool.execute(_END, UUID(case_id), not done, packed, moment(started_ms))

    async def _record(self, account_id: str, case_id: str) -> asyncpg.Record:
        try:
            found = await self._pool.fetchrow(_ONE, UUID(account_id), UUID(case_id))
        except ValueError:
            found = None
        if found is None:
            raise NotFound(what="case")
        return found

    async def _mine(self, account_id: str, case_id: str) -> CaseSafe:
        found = await self._record(account_id, case_id)
        return self._safe(str(found["case_id"]), found["salt"])

    def _safe(self, case_id: str, salt: bytes) -> CaseSafe:
        key = self._keys.fingerprint(_PURPOSE, b"case\0" + UUID(case_id).bytes + salt)
        return CaseSafe(self._place / case_id, key)

    def _row(self, record: asyncpg.Record) -> CaseRow:
        # A process that died in a job leaves its name behind; nobody waits for it.
        dead = record["job"] and ms_of(record["job_at"]) < self._now_ms() - round(2 * JOB_WAIT_S * SECOND_MS)
        return CaseRow(
            case_id=str(record["case_id"]),
            account_id=str(record["account_id"]),
            created_at_ms=ms_of(record["created_at"]),
            job="" if dead else record["job"],
            job_failed=bool(dead or record["job_failed"]),
            has_pack=record["has_pack"],
        )


async def _read(safe: CaseSafe) -> bool:
    """Read files that were not read before: in a copy, by the command, since what decodes pictures is kept apart."""
    copy = private_folder()
    try:
        before = await asyncio.to_thread(safe.look, lambda folder: _copied(folder, copy), files=True)
        # Exit code 1 says that some file cannot be read; the others were.
        if await _fairkey("case", "read", str(copy / "case"), "--json") not in {0, 1}:
            return False
        if _told_by_reading(CaseFolder(copy / "case").read()) != before:
            await asyncio.to_thread(safe.change, lambda folder: _propose(folder, copy / "case"))
        return True
    finally:
        await asyncio.to_thread(shutil.rmtree, copy, ignore_errors=True)


async def _pack(safe: CaseSafe) -> bool:
    copy = private_folder()
    try:
        await asyncio.to_thread(safe.look, lambda folder: _copied(folder, copy), files=True)
        if await _fairkey("case", "pack", str(copy / "case"), "-o", str(copy / "pack"), "--letters", "--json") != 0:
            return False
        await asyncio.to_thread(safe.keep_pack, copy / "pack.zip")
        return True
    finally:
        await asyncio.to_thread(shutil.rmtree, copy, ignore_errors=True)


def _copied(folder: CaseFolder, copy: Path) -> tuple[object, ...]:
    shutil.copytree(folder.path, copy / "case")
    return _told_by_reading(CaseFolder(copy / "case").read())


def _told_by_reading(case: Case) -> tuple[object, ...]:
    return (case.proposed, [one.checks for one in case.files])


def _as_read(file: CaseFile, seen: CaseFile | None) -> CaseFile:
    """The file with what reading found out about it."""
    if seen is None:
        return file
    checks = {name: note for name, note in file.checks.items() if name not in NOTES}
    checks |= {name: note for name, note in seen.checks.items() if name in NOTES}
    return structs.replace(file, near_duplicate_of=seen.near_duplicate_of, checks=checks)


def _propose(folder: CaseFolder, copy: Path) -> None:
    acts = CaseFolder(copy).acts()
    told = CaseFolder(copy).read()
    found = told.proposed
    read = {one.file for one in found}
    as_read = {one.seal.sha256: one for one in told.files}

    def edit(now: Case) -> Case:
        kept = tuple(one for one in now.proposed if one.file not in read)
        files = tuple(_as_read(one, as_read.get(one.seal.sha256)) for one in now.files)
        return structs.replace(now, proposed=(*kept, *found), files=files)

    folder.change("facts.proposed", edit, at_ms=acts[-1].at_ms, facts={"count": len(found)})


async def _fairkey(*words: str) -> int:
    """The command in a process of its own, with a time limit; -1 when it did not end in time."""
    program = "import sys; from fairkey.main import main; sys.argv[0] = 'fairkey'; main()"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, *words, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True
    )
    try:
        async with asyncio.timeout(JOB_WAIT_S):
            return await process.wait()
    except TimeoutError:
        return -1
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _cropped(data: bytes, region: Region) -> bytes:
    box = (str(one) for one in (region.left, region.top, region.width, region.height))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", str(Path(cropping.__file__)), *box, stdin=PIPE, stdout=PIPE, stderr=DEVNULL
    )
    try:
        async with asyncio.timeout(_CROP_WAIT_S):
            told, _ = await process.communicate(data)
    except TimeoutError:
        return b""
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return told if process.returncode == 0 else b""
