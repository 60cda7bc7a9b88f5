"""What the edges may ask of the public log.

A fact is *recorded* when its transaction is committed, *logged* when it has an index, *witnessed* when the published
checkpoint (cosigned as the policy wants it) covers that index. Promises can be given from the first on, receipts from
the last.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from fairkey.business.basics import Stream


class Place(NamedTuple):
    """Where an event is: its index in the log, None while it has none; and whether a published checkpoint covers it."""

    version: int
    leaf: bytes
    at_ms: int
    kind: str
    log_index: int | None
    is_witnessed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LogStatus:
    """How the log is doing. Sizes are numbers of entries."""

    origin: str
    vkey: str
    policy: str
    recorded: int
    sequenced_size: int
    signed_size: int
    published_size: int
    published_at_ms: int
    witnesses: Mapping[str, str]  # name -> what it last answered
    cosigned_at_ms: Mapping[str, int]  # name -> when it cosigned the published checkpoint; missing: it did not
    refusal: str  # why nothing is signed now; empty when all is well

    @property
    def behind(self) -> int:
        """How many recorded events no published checkpoint covers yet."""
        return max(0, self.recorded - self.published_size)


class PublicLog(Protocol):
    """The log as pages, API, mails and the command line see it."""

    async def status(self) -> LogStatus:
        """How the log is doing."""

    async def checkpoint(self) -> bytes | None:
        """The published checkpoint with all its signatures; None before the first."""

    async def history(self) -> Mapping[int, int]:
        """Published checkpoints to look back on, size -> number of trusted timestamps over it: the last one of each
        hour, every stamped one, the newest.
        """

    async def published(self, size: int) -> bytes | None:
        """The checkpoint that was published at this size, whether `history` names it or not."""

    async def stamp(self, size: int, number: int) -> bytes | None:
        """The trusted timestamp with this number (from 1) over the published checkpoint of `size` entries."""

    async def file(self, path: str) -> bytes | None:
        """A tile or bundle by its path below the log's root; None when there is none (or `path` names none)."""

    async def places(self, stream: Stream) -> Sequence[Place]:
        """Every event of a stream, in order."""

    async def is_watched(self) -> bool:
        """Whether witnesses must cosign before a checkpoint is published; else the log's own signature is all."""

    async def witnessed(self, streams: Sequence[Stream]) -> Mapping[Stream, int]:
        """How many events of each stream a published checkpoint covers; for pages that follow many streams live."""

    async def promise(self, stream: Stream, version: int) -> bytes | None:
        """A signed promise for a recorded event, as a file's bytes; None when there is no such event."""

    async def receipt(
        self, stream: Stream, version: int, *, disclose: frozenset[str] = frozenset()
    ) -> bytes | None:
        """A receipt as a file's bytes, with the stream's earlier entries; None while no published checkpoint covers it.

        `disclose` names the sealed fields of this event that the asker may see in clear.
        """

    async def first_receipt(self, stream: Stream, version: int) -> bytes | None:
        """A receipt under the first published checkpoint that covers the event: always the same one, so that a draw
        from its root can be repeated.
        """
