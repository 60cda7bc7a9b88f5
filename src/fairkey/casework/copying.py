"""A copy that is hashed as it is made, and is on the disk nearly as soon as it is written.

Where the system copies between two files by itself (`copy_file_range`: inside the kernel, and without any copying on
file systems that share blocks), it does, and what is hashed is read back out of the copy. Elsewhere the copy is written
from the very buffer that is hashed. Either way the digest is that of the bytes that are kept, even if somebody writes
into the original meanwhile.
"""

import os
from concurrent.futures import Future, ThreadPoolExecutor
from io import FileIO
from typing import Final, Self

from .hashing import Stream

_FLUSH_BYTES: Final = 32 * 1024 * 1024


class Copying:
    """A stream that gives out what it has just put into a copy. The disk begins long before the end, so that making
    the copy durable does not wait for all of it. Leaving it raises OSError when the disk refused a part.
    """

    def __init__(self, source: Stream, copy: FileIO) -> None:
        """`copy` is empty, and open for writing and reading."""
        self._source = source
        self._copy = copy
        self._by_system = isinstance(source, FileIO) and hasattr(os, "copy_file_range")
        self._copied = self._given = self._since = 0
        self._behind = ThreadPoolExecutor(1, "durable")
        self._flushing: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        self._behind.shutdown(wait=True)
        if self._flushing is not None and error is None:
            self._flushing.result()

    def readinto(self, buffer: memoryview, /) -> int:
        """The next bytes of the copy; 0 when the source is at its end. Raises OSError."""
        if self._given == self._copied and not self._more(len(buffer)):
            return self._written_from(buffer)
        count = os.preadv(self._copy.fileno(), [buffer[: self._copied - self._given]], self._given)
        self._given += count
        return count

    def _more(self, count: int) -> int:
        """Have the system copy up to so many bytes; 0 where it does not, or at the end."""
        if not self._by_system or not isinstance(self._source, FileIO):
            return 0
        try:
            done = os.copy_file_range(self._source.fileno(), self._copy.fileno(), count)
        except OSError:  # other disks, other kernels, no room: writing finds out and says so
            done = 0
        self._by_system = done > 0
        self._count(done)
        return done

    def _written_from(self, buffer: memoryview) -> int:
        count = self._source.readinto(buffer) or 0
        left = buffer[:count]
        while left:
            left = left[self._copy.write(left) :]
        self._count(count)
        self._given = self._copied
        return count

    def _count(self, count: int) -> None:
        self._copied += count
        self._since += count
        if self._since < _FLUSH_BYTES:
            return
        if self._flushing is not None:
            if not self._flushing.done():
                return
            self._flushing.result()  # the disk tells a fault once: whoever does not listen then never hears of it
        flush = getattr(os, "fdatasync", os.fsync)
        self._flushing, self._since = self._behind.submit(flush, self._copy.fileno()), 0
