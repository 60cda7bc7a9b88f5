"""SQLite's own disk: everything it changes in files goes through here, and each step can be made to fail or to kill.

SQLite reaches its files through tables of functions (https://www.sqlite.org/c3ref/vfs.html, io_methods.html). For a
while, those that change anything are replaced by ours, which ask the real ones.
"""

import _sqlite3
import ctypes
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, POINTER, c_int, c_int64, c_void_p
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Way = Literal["not_done", "half_done", "done", "killed_before", "killed_after"]
WAYS: Final[tuple[Way, ...]] = ("not_done", "half_done", "done", "killed_before", "killed_after")

# The extended result codes that the real ones would give (sqlite3.h).
CANTOPEN, IOERR_WRITE, IOERR_FSYNC, IOERR_TRUNCATE, IOERR_DELETE = 14, 778, 1034, 1546, 2570
OPEN_READWRITE: Final = 0x2

_OPEN = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)  # the path stays SQLite's own: it keeps it
_DELETE = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int)
_WRITE = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_TRUNCATE = CFUNCTYPE(c_int, c_void_p, c_int64)
_SYNC = CFUNCTYPE(c_int, c_void_p, c_int)


class _Vfs(ctypes.Structure):
    _fields_ = (
        *((name, c_int) for name in ("iVersion", "szOsFile", "mxPathname")),
        *((name, c_void_p) for name in ("pNext", "zName", "pAppData")),
        ("xOpen", _OPEN),
        ("xDelete", _DELETE),
    )


class _Methods(ctypes.Structure):
    _fields_ = (
        ("iVersion", c_int),
        ("xClose", c_void_p),
        ("xRead", c_void_p),
        ("xWrite", _WRITE),
        ("xTruncate", _TRUNCATE),
        ("xSync", _SYNC),
        ("others", c_void_p * 13),
    )


class _File(ctypes.Structure):
    _fields_ = (("pMethods", POINTER(_Methods)),)


@dataclass(slots=True)
class Disk:
    """Step number `at` (from 0) goes wrong in a way; -1: none. `steps` names every step that came. `code`: the answer
    then, instead of the usual one.
    """

    at: int = -1
    way: Way = "not_done"
    code: int = 0
    steps: list[str] = field(default_factory=list)

    def come(self, name: str, code: int, work: Callable[[], int], half: Callable[[], int] | None = None) -> int:
        """A step: do it, unless it is the one that goes wrong; then the answer is `code`."""
        self.steps.append(name)
        if len(self.steps) - 1 != self.at:
            return work()
        if self.way == "killed_before":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.way == "half_done" and half is not None:
            half()
        if self.way in ("done", "killed_after"):
            work()
        if self.way == "killed_after":
            os.kill(os.getpid(), signal.SIGKILL)
        return self.code or code

    @property
    def struck(self) -> bool:
        """Whether the step that was to go wrong has come."""
        return 0 <= self.at < len(self.steps)


@contextmanager
def through(disk: Disk) -> Iterator[None]:
    """Files that SQLite opens in the block are changed through `disk`, as long as they are open."""
    find = ctypes.CDLL(_sqlite3.__file__).sqlite3_vfs_find
    find.restype = POINTER(_Vfs)
    vfs = find(None).contents
    address = ctypes.addressof(vfs)
    kept = bytes((ctypes.c_char * ctypes.sizeof(_Vfs)).from_address(address))
    real = _Vfs.from_buffer_copy(kept)
    keeping: list[Any] = []  # callbacks must live as long as the files do

    def opened(given: int, path: int, file: int, flags: int, out: int) -> int:
        def work() -> int:
            answer: int = real.xOpen(given, path, file, flags, out)
            if answer == 0:
                methods = _changed(disk, _File.from_address(file).pMethods.contents)
                keeping.append(methods)
                _File.from_address(file).pMethods = ctypes.pointer(methods)
            return answer

        return disk.come("open", CANTOPEN, work) if flags & OPEN_READWRITE else work()

    def deleted(given: int, path: int, folder_too: int) -> int:
        return disk.come("delete", IOERR_DELETE, lambda: real.xDelete(given, path, folder_too))

    vfs.xOpen, vfs.xDelete = _OPEN(opened), _DELETE(deleted)
    try:
        yield
    finally:
        ctypes.memmove(address, kept, len(kept))
        _ALIVE.extend(keeping)


_ALIVE: Final[list[Any]] = []


def _changed(disk: Disk, real: _Methods) -> _Methods:
    changed = _Methods.from_buffer_copy(real)

    def write(file: int, data: int, count: int, offset: int) -> int:
        def put(part: int) -> int:
            answer: int = real.xWrite(file, data, part, offset)
            return answer

        return disk.come("write", IOERR_WRITE, lambda: put(count), lambda: put(count // 2))

    def truncate(file: int, size: int) -> int:
        return disk.come("truncate", IOERR_TRUNCATE, lambda: real.xTruncate(file, size))

    def sync(file: int, flags: int) -> int:
        return disk.come("sync", IOERR_FSYNC, lambda: real.xSync(file, flags))

    changed.xWrite, changed.xTruncate, changed.xSync = _WRITE(write), _TRUNCATE(truncate), _SYNC(sync)
    return changed
