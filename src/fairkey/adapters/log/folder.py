"""Tiles in a folder of this machine: each file whole and on the disk before anybody is told of it.

A file is written beside its place (`.new/`), forced to the disk, renamed into its place, and the folder is forced to
the disk. Folders are forced into their parents when they are made. When the disk says that it could not keep what it
took, nothing is believed any more: after a failed fsync the system may have dropped what it was to write and say so
only once, so the next fsync would pass in peace.
"""

import asyncio
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Final, TypeVar

from fairkey.log.ports import StoreFailed, StoreIsBroken

CHECKPOINT: Final = "checkpoint"
NEW: Final = ".new"
READ_ONLY: Final = 0o444
SHOWN: Final = 0o644

T = TypeVar("T")


class FolderTiles:
    """Implements `fairkey.log.ports.TileStore`."""

    def __init__(self, folder: Path) -> None:
        """`folder` is the log's root; made when it is first written to."""
        self._folder = folder
        self._broken = ""
        self._known: set[Path] = set()  # folders that this process knows to be on the disk

    @property
    def folder(self) -> Path:
        """The log's root."""
        return self._folder

    async def read(self, paths: Sequence[str]) -> list[bytes | None]:
        """The files' bytes."""
        return await asyncio.to_thread(self._told, lambda: [self._read(path) for path in paths])

    async def put(self, files: Mapping[str, bytes]) -> None:
        """Store files that never change."""
        await asyncio.to_thread(self._told, lambda: self._write(files, READ_ONLY))

    async def publish(self, checkpoint: bytes) -> None:
        """Replace the file `checkpoint`."""
        await asyncio.to_thread(self._told, lambda: self._write({CHECKPOINT: checkpoint}, SHOWN))

    async def published(self) -> bytes | None:
        """The file `checkpoint`."""
        (data,) = await self.read([CHECKPOINT])
        return data

    async def tidy(self) -> None:
        """Remove what a writer that was killed left beside its place."""
        await asyncio.to_thread(self._told, self._tidy)

    async def remove_partials(self, full: Sequence[str]) -> None:
        """Remove the partial tiles of these full ones."""
        await asyncio.to_thread(self._told, lambda: self._remove_partials(full))

    def _told(self, work: Callable[[], T]) -> T:
        """Do it, and tell what the system says in our words."""
        if self._broken:
            raise StoreIsBroken(self._broken)
        try:
            return work()
        except OSError as error:
            self._known.clear()
            raise StoreFailed(f"{error.strerror}: {error.filename}") from error

    def _read(self, path: str) -> bytes | None:
        try:
            return (self._folder / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _write(self, files: Mapping[str, bytes], mode: int) -> None:
        places = {self._folder / PurePosixPath(path): data for path, data in files.items()}
        new = self._folder / NEW
        for folder in sorted({new, *(place.parent for place in places)}):
            self._make(folder)
        for place, data in places.items():
            self._write_one(new, place, data, mode)
        for folder in sorted({place.parent for place in places}):
            self._force(folder)

    def _write_one(self, new: Path, place: Path, data: bytes, mode: int) -> None:
        beside = new / secrets.token_hex(8)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            try:
                left = memoryview(data)
                while left:
                    left = left[os.write(descriptor, left) :]
                self._fsync(descriptor, beside)
            finally:
                os.close(descriptor)
            beside.rename(place)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise

    def _make(self, folder: Path) -> None:
        """The folder with all its parents, each of them on the disk."""
        if folder in self._known:
            return
        if self._folder in folder.parents or not folder.parent.is_dir():
            self._make(folder.parent)
        folder.mkdir(exist_ok=True)
        self._force(folder.parent)  # also when it was there: whoever made it may have died before he forced it
        self._known.add(folder)

    def _force(self, folder: Path) -> None:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self._fsync(descriptor, folder)
        finally:
            os.close(descriptor)

    def _fsync(self, descriptor: int, what: Path) -> None:
        try:
            os.fsync(descriptor)
        except OSError as error:
            self._broken = f"the disk could not keep {what}: {error.strerror}"
            raise StoreIsBroken(self._broken) from error

    def _tidy(self) -> None:
        new = self._folder / NEW
        if new.is_dir():
            for left in new.iterdir():
                left.unlink()

    def _remove_partials(self, full: Sequence[str]) -> None:
        for path in full:
            place = self._folder / path
            folder = place.with_name(place.name + ".p")
            if folder.is_dir():
                for partial in folder.iterdir():
                    partial.unlink()
                folder.rmdir()
                self._known.discard(folder)
