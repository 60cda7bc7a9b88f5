"""Files that are whole or not there: written beside their place, made durable, then moved; and files of strangers, read
without waiting for pipes and without following links.
"""

import os
import secrets
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import Final

PRIVATE: Final = 0o600
READ_ONLY: Final = 0o444


class FileIsRefused(Exception):
    """A file is not taken. The argument ends a sentence that begins with its name."""


def open_regular(path: Path) -> FileIO:
    """A regular file, opened for reading. A link is not followed; a pipe or device is never waited for.

    Raises `FileIsRefused`.
    """
    flags = os.O_RDONLY
    for name in ("O_NONBLOCK", "O_NOFOLLOW", "O_BINARY", "O_CLOEXEC"):
        flags |= getattr(os, name, 0)
    try:
        if path.is_symlink():
            raise FileIsRefused("is a link: name the file itself")
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        raise FileIsRefused("is not there") from None
    except (OSError, ValueError) as error:
        raise FileIsRefused(f"cannot be opened ({getattr(error, 'strerror', None) or error})") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileIsRefused("is no ordinary file (a folder, pipe, socket or device)")
    return os.fdopen(descriptor, "rb", buffering=0)


def read_bounded(path: Path, bytes_max: int) -> bytes:
    """All bytes of a regular file, never more than `bytes_max`. Raises `FileIsRefused`."""
    with open_regular(path) as file:
        try:
            data = _at_most(file, bytes_max + 1)
        except OSError as error:
            raise FileIsRefused(f"cannot be read ({error.strerror})") from None
    if len(data) > bytes_max:
        raise FileIsRefused(f"has more than {bytes_max:,} bytes")
    return data


def _at_most(file: FileIO, count: int) -> bytes:
    pieces, left = [], count
    while left and (piece := file.read(min(left, 1024 * 1024))):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def write_whole(path: Path, data: bytes, *, mode: int = PRIVATE) -> None:
    """Put a file in place of what is there, so that a death at any moment leaves the old one or the new one."""
    with being_written(path.parent) as (file, temporary):
        file.write(data)
        settle(file, temporary, path, mode=mode)


@contextmanager
def being_written(folder: Path) -> Iterator[tuple[FileIO, Path]]:
    """A new file of no name that counts, in `folder`; gone afterwards unless `settle` moved it."""
    temporary = folder / f".{secrets.token_hex(8)}.part"
    try:
        with temporary.open("x+b", buffering=0) as file:
            yield file, temporary
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def settle(file: FileIO, temporary: Path, path: Path, *, mode: int = PRIVATE) -> None:
    """Make what was written durable and give it its name."""
    file.flush()
    if sys.platform != "win32":
        os.fchmod(file.fileno(), mode)
    os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make names in a folder durable, where the system lets folders be synced."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep(folder: Path) -> None:
    """Take away what a death left half-written. Only for whoever holds the lock of the folder's case."""
    for path in folder.glob(".*.part"):
        with suppress(OSError):
            path.unlink()
