"""What the engine needs from storage: one set-based read, one set-based write, one commit for a whole batch.

The PostgreSQL adapter and the memory adapter of the simulation both provide it.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from msgspec import Struct

from fairkey.business.basics import Stream
from fairkey.business.covering import Acquaintance, Exposure
from fairkey.business.deadlines import Due
from fairkey.business.files import File
from fairkey.business.postings import Posting
from fairkey.business.quarantines import Said
from fairkey.effects.queue import Effect
from fairkey.read_tables.changes import Change
from fairkey.read_tables.facets import Facets

from .answers import Answer


class Stored(Struct, frozen=True):
    """An answer given before, and the hash of the request it was given to."""

    body_hash: bytes
    answer: Answer


class Loaded(Struct, frozen=True):
    """A stream as it is stored: version 0 is a stream that does not exist yet."""

    version: int
    head: bytes
    file: File


@dataclass(slots=True)
class Wants:
    """What a batch must be told; sets, so that it is one question however many commands ask."""

    command_ids: set[str] = field(default_factory=set)
    lock: set[Stream] = field(default_factory=set)
    peek: set[Stream] = field(default_factory=set)
    codes: dict[tuple[str, str], int] = field(default_factory=dict)  # (shop, listing) -> how many free ones
    buyers: set[tuple[str, str]] = field(default_factory=set)  # (buyer key, address key)
    addresses: set[str] = field(default_factory=set)
    bought: set[tuple[str, str, str]] = field(default_factory=set)  # (shop, listing, buyer key)
    balances: set[tuple[str, str]] = field(default_factory=set)  # (shop, account)
    exposures: set[tuple[str, str]] = field(default_factory=set)  # (shop, first day that counts)
    known: set[tuple[str, str]] = field(default_factory=set)  # (shop, buyer key)
    staged: set[tuple[str, str]] = field(default_factory=set)  # (shop, batch)
    unsold: set[tuple[str, str]] = field(default_factory=set)  # (shop, batch)
    off_sale: set[tuple[str, str]] = field(default_factory=set)  # (shop, code)
    said: set[tuple[str, str, tuple[str, ...]]] = field(default_factory=set)  # (shop, batch, codes or none for all)


@dataclass(slots=True)
class Given:
    """The answers to `Wants`. `codes` may hold fewer than wanted: then there are no more."""

    answers: dict[str, Stored] = field(default_factory=dict)
    loaded: dict[Stream, Loaded] = field(default_factory=dict)
    codes: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    buyers: dict[tuple[str, str], int] = field(default_factory=dict)
    addresses: dict[str, int] = field(default_factory=dict)
    bought: dict[tuple[str, str, str], int] = field(default_factory=dict)
    balances: dict[tuple[str, str], int] = field(default_factory=dict)
    exposures: dict[tuple[str, str], Exposure] = field(default_factory=dict)
    known: dict[tuple[str, str], Acquaintance] = field(default_factory=dict)
    staged: dict[tuple[str, str], int] = field(default_factory=dict)
    unsold: dict[tuple[str, str], tuple[int, ...]] = field(default_factory=dict)
    off_sale: dict[tuple[str, str], bool] = field(default_factory=dict)
    said: dict[tuple[str, str, tuple[str, ...]], Said] = field(default_factory=dict)


class Recorded(Struct, frozen=True, kw_only=True):
    """One event as it is written."""

    stream: Stream
    version: int
    kind: str
    at_ms: int
    body: bytes
    leaf_hash: bytes
    command_id: str
    sealed: dict[str, str]
    sealing_key: bytes


class Moved(Struct, frozen=True, kw_only=True):
    """One stream before and after the batch."""

    stream: Stream
    version_before: int
    version: int
    head: bytes
    file: File
    due: Due | None
    facets: Facets


class Booked(Struct, frozen=True, kw_only=True):
    """One ledger row and the event it comes from."""

    stream: Stream
    version: int
    posting: Posting


class Commit(Struct, frozen=True, kw_only=True):
    """Everything one batch writes: all of it in one transaction, or none of it."""

    at_ms: int
    events: Sequence[Recorded]
    moved: Sequence[Moved]
    booked: Sequence[Booked]
    changes: Sequence[Change]
    effects: Sequence[Effect]
    answers: Sequence[tuple[str, Stored]]
    open_max: dict[str, int] = {}  # shop -> what may be open after this write; more is a `Conflict`


class Transaction(Protocol):
    """One open transaction."""

    async def read(self, wants: Wants) -> Given:
        """Read (and where asked, lock) everything at once. Raises `Conflict`, `StoreIsAway`."""

    async def write(self, commit: Commit) -> None:
        """Write everything at once. Raises `Conflict`, `StoreIsAway`."""


class EventStore(Protocol):
    """Where facts are kept."""

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Commit on a normal exit, roll back on any exception. Leaving may raise `Conflict`, `StoreIsAway`."""
