"""Digests of a stream in one pass, in constant memory, while it is read and copied.

Processors that know SHA-256 by heart take more than twice as long for SHA-512. So a file of more than 8 MiB gets the
latter in pieces of 8 MiB that two threads hash side by side: its value is the SHA-512 of the pieces' SHA-512 in
lower-case hex, a line each. With standard tools: `split -b 8M --filter=sha512sum FILE | cut -c1-128 | sha512sum`.
A recording of more than 64 MiB (`has_second`) gets SHA-256 only: nothing that stamps or lists it rests on another.
"""

import hashlib
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, NamedTuple, Protocol

PIECE_BYTES: Final = 8 * 1024 * 1024
LONG_BYTES: Final = 64 * 1024 * 1024
_BUFFERS: Final = 6
_ALONE_BYTES: Final = 2 * 1024 * 1024  # stays near the processor from the copying to the hashing
_ALONE_BUFFERS: Final = 8


class Stream(Protocol):
    """What is read from."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Fill a part of the buffer; 0 at the end."""


class Digests(NamedTuple):
    """What a stream comes to. `piece_bytes` 0: `sha512` is that of the whole; else of its pieces, as told above.
    `sha512` is empty where it was not asked for.
    """

    sha256: str
    sha512: str
    size_bytes: int
    piece_bytes: int


class _Round(NamedTuple):
    """One buffer and who is still looking at it."""

    buffer: bytearray
    chained: Future[None]
    piece: Future[str]


def _unheard(_: int) -> None:
    """Nobody wants to hear of progress."""


def has_second(size_bytes: int) -> bool:
    """Whether a file of so many bytes is sealed with SHA-512 as well."""
    return size_bytes <= LONG_BYTES


def digest(
    stream: Stream,
    write: Callable[[memoryview], object] | None = None,
    on_progress: Callable[[int], object] = _unheard,
    *,
    piece_bytes: int = PIECE_BYTES,
    wants_sha512: bool = True,
) -> Digests:
    """Hash a stream to its end. `write` gets exactly the bytes that are hashed; `on_progress` how many there were."""
    if not wants_sha512:
        return _sha256_alone(stream, write, on_progress)
    whole = hashlib.sha256()
    lines: list[str] = []
    flying: deque[_Round] = deque()
    size = 0
    with ThreadPoolExecutor(1, "sha256") as in_order, ThreadPoolExecutor(2, "sha512") as side_by_side:
        while True:
            buffer = _landed(flying.popleft(), lines) if len(flying) == _BUFFERS else bytearray(piece_bytes)
            count = _fill(stream, memoryview(buffer))
            if not count:
                break
            view = memoryview(buffer)[:count]
            flying.append(_Round(buffer, in_order.submit(whole.update, view), side_by_side.submit(_sha512, view)))
            if write is not None:
                write(view)
            size += count
            on_progress(size)
            if count < piece_bytes:
                break
        for one in flying:
            _landed(one, lines)
    if size <= piece_bytes:
        return Digests(whole.hexdigest(), lines[0] if lines else hashlib.sha512().hexdigest(), size, 0)
    joined = "".join(f"{line}\n" for line in lines).encode()
    return Digests(whole.hexdigest(), hashlib.sha512(joined).hexdigest(), size, piece_bytes)


def _sha256_alone(
    stream: Stream, write: Callable[[memoryview], object] | None, on_progress: Callable[[int], object]
) -> Digests:
    """One thread hashes while this one reads and writes."""
    whole = hashlib.sha256()
    flying: deque[tuple[bytearray, Future[None]]] = deque()
    size = 0
    with ThreadPoolExecutor(1, "sha256") as in_order:
        while True:
            if len(flying) == _ALONE_BUFFERS:
                buffer, chained = flying.popleft()
                chained.result()
            else:
                buffer = bytearray(_ALONE_BYTES)
            view = memoryview(buffer)
            count = _fill(stream, view)
            if not count:
                break
            flying.append((buffer, in_order.submit(whole.update, view[:count])))
            if write is not None:
                write(view[:count])
            size += count
            on_progress(size)
        for _, chained in flying:
            chained.result()
    return Digests(whole.hexdigest(), "", size, 0)


def _landed(one: _Round, lines: list[str]) -> bytearray:
    one.chained.result()
    lines.append(one.piece.result())
    return one.buffer


def _sha512(view: memoryview) -> str:
    return hashlib.sha512(view).hexdigest()


def _fill(stream: Stream, view: memoryview) -> int:
    filled = 0
    while filled < len(view) and (count := stream.readinto(view[filled:])):
        filled += count
    return filled
