"""What the log's one writer asks of the database, of the place where tiles lie, and of witnesses."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol

from fairkey.proofs.notes import Note, Signature, SignerKey

Prove = Callable[[int], Awaitable[Sequence[bytes]]]
"""Gives the consistency proof from an older size to the note's; IndexError for a size that is no older one."""


class Lost(Exception):
    """We no longer write the log: our lease ended, or somebody else writes with a newer epoch."""


class LogRefuses(Exception):
    """Nothing may be signed now. The argument is a sentence for the operator: what happened, and what to do."""


class StoreFailed(Exception):
    """The place where tiles lie did not do as asked. What was written may be there or not."""


class StoreIsBroken(StoreFailed):
    """The disk could not keep what it took: nothing it says can be relied on until it was looked after."""


class Head(NamedTuple):
    """A head that was signed; `cosigned` is what was published, None while it is not."""

    size: int
    root: bytes
    note: bytes
    cosigned: bytes | None


class Entry(NamedTuple):
    """An entry of the log: its index, its exact bytes and the leaf hash noted when it was indexed."""

    log_index: int
    body: bytes
    leaf: bytes


class OwnLog(NamedTuple):
    """The log that is written now, with the key that signs its heads and its promises."""

    log_no: int
    origin: str
    key: SignerKey
    why: str
    begun_at_ms: int


class LogWriting(Protocol):
    """The log's tables, for the one process that holds the lease; every write is refused (`Lost`) once it has not."""

    log_no: int

    async def size(self) -> int:
        """How many entries have an index: 0 up to this, without a gap."""

    async def harvest(self, size: int, rows_max: int) -> int:
        """Give indexes from `size` on to committed events that have none, at most `rows_max`; how many. Durable when it
        returns. Whoever saw an event committed before he recorded his own has a higher index than that event.
        """

    async def entries(self, start: int, end: int) -> Sequence[Entry]:
        """The entries `[start, end)` in order."""

    async def leaves(self, start: int, end: int) -> Sequence[bytes]:
        """The leaf hashes of `[start, end)` in order."""

    async def last_head(self) -> Head | None:
        """The largest signed head; None before the first."""

    async def last_published(self) -> Head | None:
        """The largest published head; None before the first."""

    async def head_of(self, size: int) -> Head | None:
        """The head that was signed for this size."""

    async def add_head(self, head: Head, *, size_before: int) -> None:
        """Store a signed head, if the last one still has `size_before` (-1: there is none) entries; else `Lost`."""

    async def publish(self, size: int, cosigned: bytes) -> None:
        """Note that the head of this size is published, with these signatures."""

    async def tell(self, *, refusal: str, answers: Mapping[str, str]) -> None:
        """Note for everybody who asks how the log is doing."""


class LogLease(Protocol):
    """Who writes the log."""

    def held(self) -> AbstractAsyncContextManager[LogWriting | None]:
        """The tables, when this process may write for the body; None when another process does."""


class TileStore(Protocol):
    """The files of one log, by their paths below its root. Errors are `StoreFailed`."""

    async def read(self, paths: Sequence[str]) -> list[bytes | None]:
        """The files' bytes, None where there is none."""

    async def put(self, files: Mapping[str, bytes]) -> None:
        """Store files that never change; all of them durable when it returns. What lies there already is replaced."""

    async def publish(self, checkpoint: bytes) -> None:
        """Replace the file `checkpoint`, as a whole and durably."""

    async def published(self) -> bytes | None:
        """The file `checkpoint`; None before the first."""

    async def tidy(self) -> None:
        """Remove what a writer that was killed left half-way; asked by whoever begins to write."""

    async def remove_partials(self, full: Sequence[str]) -> None:
        """Remove the partial tiles of these full tiles and bundles, given by their paths."""


class Witnesses(Protocol):
    """The witnesses of the policy, each asked at its own address."""

    async def cosign(self, note: Note, prove: Prove) -> Sequence[Signature]:
        """Ask all witnesses at once to cosign this signed checkpoint, for at most a second; the verified cosignatures.

        Knows each witness's last size itself, and learns it from a 409. A witness that is away or refuses gives none;
        what it said is in `answers`.
        """

    async def latest(self) -> Mapping[str, bytes]:
        """The last checkpoint that each witness cosigned for this log, as a note with the log's own line verified;
        b"" for a witness that answers and has none; a witness that does not answer is missing.
        """

    @property
    def answers(self) -> Mapping[str, str]:
        """What each witness last answered, in a few words, by its name in the policy."""
