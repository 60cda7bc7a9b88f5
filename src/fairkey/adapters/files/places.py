"""Where sealed files lie: a folder of this machine, or a bucket.

Both write beside the place first and move the whole file into it, so that an address never holds half a file. In a
folder the file is forced to the disk before it is moved, and the folder after.
"""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final, ParamSpec, Protocol, Self, TypeVar

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore

from fairkey.engine.evidence_port import EvidenceIsGone, EvidenceStoreFailed

NEW: Final = ".new"
BUCKET_NEW: Final = "incoming"
READ_BYTES: Final = 1024 * 1024
OURS_ALONE: Final = 0o600
FOLDER_MODE: Final = 0o700
_ADDRESS_CHARS: Final = 64
_FAILURES: Final = (BaseError, OSError, NotImplementedError)

P = ParamSpec("P")
T = TypeVar("T")


class Draft(Protocol):
    """A file that is being written."""

    async def append(self, data: bytes) -> None:
        """Append."""
        ...

    async def finish(self, address: str) -> None:
        """Make it durable under its address."""
        ...

    async def abandon(self) -> None:
        """Leave nothing of it."""
        ...


class Place(Protocol):
    """Keeps sealed files by their addresses (64 hex digits). Raises `EvidenceStoreFailed`."""

    async def begin(self) -> Draft:
        """A new file."""
        ...

    def read(self, address: str) -> AsyncIterator[bytes]:
        """A file's bytes. Raises `EvidenceIsGone`."""
        ...

    async def remove(self, address: str) -> None:
        """Take a file away, if it is there."""
        ...

    async def older(self, than_ms: int) -> list[str]:
        """Addresses written before that moment."""
        ...

    async def remove_drafts(self, older_than_ms: int) -> int:
        """Remove what killed writers left beside the places; how many."""
        ...


def _spread(address: str) -> str:
    if len(address) != _ADDRESS_CHARS or not set(address) <= set("0123456789abcdef"):
        raise EvidenceIsGone
    return f"{address[:2]}/{address[2:]}"


def _told(error: Exception) -> EvidenceStoreFailed:
    return EvidenceStoreFailed(str(error).partition("\n")[0])


class _FolderDraft:
    def __init__(self, folder: Path, beside: Path, descriptor: int) -> None:
        self._folder = folder
        self._beside = beside
        self._descriptor = descriptor

    @classmethod
    def begin(cls, folder: Path) -> Self:
        new = folder / NEW
        new.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        beside = new / secrets.token_hex(16)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        return cls(folder, beside, os.open(beside, flags, OURS_ALONE))

    async def append(self, data: bytes) -> None:
        await _in_thread(self._write, data)

    async def finish(self, address: str) -> None:
        await _in_thread(self._finish, address)

    async def abandon(self) -> None:
        await _in_thread(self._abandon)

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[os.write(self._descriptor, left) :]

    def _finish(self, address: str) -> None:
        os.fsync(self._descriptor)
        self._close()
        place = self._folder / _spread(address)
        place.parent.mkdir(mode=FOLDER_MODE, exist_ok=True)
        _force(self._folder)
        self._beside.rename(place)
        _force(place.parent)

    def _abandon(self) -> None:
        self._close()
        self._beside.unlink(missing_ok=True)

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class FolderPlace:
    """Implements `Place` in a folder."""

    def __init__(self, folder: Path) -> None:
        """Made, readable by us alone, when it is first written to."""
        self._folder = folder

    async def begin(self) -> Draft:
        """A new file, beside its place."""
        return await _in_thread(_FolderDraft.begin, self._folder)

    async def read(self, address: str) -> AsyncIterator[bytes]:
        """A file's bytes, a megabyte at a time."""
        try:
            file = await asyncio.to_thread((self._folder / _spread(address)).open, "rb", buffering=0)
        except FileNotFoundError:
            raise EvidenceIsGone from None
        except OSError as error:
            raise _told(error) from error
        with file:
            while data := await _in_thread(file.read, READ_BYTES):
                yield data

    async def remove(self, address: str) -> None:
        """Unlink, and force the folder."""
        await _in_thread(self._remove, address)

    async def older(self, than_ms: int) -> list[str]:
        """By the time the file system keeps."""
        return await _in_thread(self._older, than_ms)

    async def remove_drafts(self, older_than_ms: int) -> int:
        """Unlink old drafts."""
        return await _in_thread(self._remove_drafts, older_than_ms)

    def _remove(self, address: str) -> None:
        place = self._folder / _spread(address)
        try:
            place.unlink()
        except FileNotFoundError:
            return
        _force(place.parent)

    def _older(self, than_ms: int) -> list[str]:
        return [
            folder.name + file.name
            for folder in (self._folder.iterdir() if self._folder.is_dir() else ())
            if folder.name != NEW
            for file in folder.iterdir()
            if file.stat().st_mtime_ns < than_ms * 1_000_000
        ]

    def _remove_drafts(self, older_than_ms: int) -> int:
        new = self._folder / NEW
        old = [
            draft
            for draft in (new.iterdir() if new.is_dir() else ())
            if draft.stat().st_mtime_ns < older_than_ms * 1_000_000
        ]
        for draft in old:
            draft.unlink(missing_ok=True)
        return len(old)


class _BucketDraft:
    def __init__(self, store: ObjectStore, beside: str) -> None:
        self._store = store
        self._beside = beside
        self._writer: Any = obstore.open_writer_async(store, beside)
        self._is_open = True

    async def append(self, data: bytes) -> None:
        try:
            await self._writer.write(data)
        except _FAILURES as error:
            raise _told(error) from error

    async def finish(self, address: str) -> None:
        try:
            self._is_open = False
            await self._writer.close()
            await obstore.rename_async(self._store, self._beside, _spread(address))
        except _FAILURES as error:
            raise _told(error) from error

    async def abandon(self) -> None:
        # A writer that is not closed makes no object; parts it sent are the bucket's to expire (its lifecycle rule).
        self._writer = None
        if not self._is_open:
            try:
                await obstore.delete_async(self._store, self._beside)
            except FileNotFoundError:
                return
            except _FAILURES as error:
                raise _told(error) from error


class BucketPlace:
    """Implements `Place` in anything that obstore opens."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def begin(self) -> Draft:
        """A new object, under a name of its own."""
        return _BucketDraft(self._store, f"{BUCKET_NEW}/{secrets.token_hex(16)}")

    async def read(self, address: str) -> AsyncIterator[bytes]:
        """An object's bytes."""
        try:
            found = await obstore.get_async(self._store, _spread(address))
            async for data in found.stream(min_chunk_size=READ_BYTES):
                yield bytes(data)
        except FileNotFoundError:
            raise EvidenceIsGone from None
        except _FAILURES as error:
            raise _told(error) from error

    async def remove(self, address: str) -> None:
        """Delete the object."""
        await self._remove(_spread(address))

    async def older(self, than_ms: int) -> list[str]:
        """By the time the bucket keeps."""
        return [path.replace("/", "") for path in await self._paths(than_ms) if not path.startswith(BUCKET_NEW)]

    async def remove_drafts(self, older_than_ms: int) -> int:
        """Delete old objects that were never renamed."""
        old = [path for path in await self._paths(older_than_ms) if path.startswith(BUCKET_NEW)]
        for path in old:
            await self._remove(path)
        return len(old)

    async def _paths(self, than_ms: int) -> list[str]:
        try:
            listed = await obstore.list(self._store).collect_async()
        except _FAILURES as error:
            raise _told(error) from error
        return [one["path"] for one in listed if one["last_modified"].timestamp() * 1000 < than_ms]

    async def _remove(self, path: str) -> None:
        try:
            await obstore.delete_async(self._store, path)
        except FileNotFoundError:
            return
        except _FAILURES as error:
            raise _told(error) from error


def _force(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


async def _in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The work, its failures told in our words. It is waited for also when we are cancelled: a descriptor must not
    be closed under a write.
    """
    running = asyncio.ensure_future(asyncio.to_thread(work, *args, **kwargs))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise
    except OSError as error:
        raise _told(error) from error
