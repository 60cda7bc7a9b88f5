"""All kept state made again from events alone, and compared with what is kept.

Pure: a store feeds events in the order in which they were recorded (which respects what followed from what) and gets
back everything that follows from them. On the way each event is checked: versions without a gap, the chain of leaf
hashes, sealed texts against their commitments. Erased sealed fields read as empty and are not held against the state
that was kept from before.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeVar

import msgspec

from fairkey.business.basics import Event, Stream
from fairkey.business.deadlines import Due, due_of
from fairkey.business.files import EVENT_OF_KIND, File, evolve
from fairkey.business.postings import Posting, postings_of
from fairkey.effects.queue import MONEY, Effect, effects_of
from fairkey.proofs.commitments import commitment_digest
from fairkey.proofs.leaf import salt_of
from fairkey.read_tables.changes import BatchOnSale, changes_of
from fairkey.read_tables.facets import Facets, facets_of
from fairkey.read_tables.kept import CodeRow, Kept

from .codec import event_from
from .perform import fresh_file

K = TypeVar("K", bound=tuple[object, ...])
V = TypeVar("V")

_MASKED = frozenset(name for event in EVENT_OF_KIND.values() for name in event.sealed)
_SHOWN_CHARS_MAX = 100


class Difference(NamedTuple):
    """What is not as the events tell: `what` kind of thing, `where`, as it is kept, as it follows from the events."""

    what: str
    where: str
    kept: str
    rebuilt: str


class EventsAreBroken(Exception):
    """The events themselves contradict each other: nothing can be made again from them. Details in `differences`."""

    def __init__(self, differences: list[Difference]) -> None:
        super().__init__(f"{len(differences)} events are not what they were; the first: {differences[0]}")
        self.differences = differences


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """One event as it is stored; `sealed` and `sealing_key` are empty when they were erased."""

    stream: Stream
    version: int
    kind: str
    at_ms: int
    body: bytes
    leaf_hash: bytes
    sealed: Mapping[str, str]
    sealing_key: bytes


@dataclass(slots=True)
class Row:
    """The row of one stream. `is_erased`: some sealed text of it is gone."""

    version: int
    head: bytes
    file: File
    due: Due | None
    facets: Facets
    created_at_ms: int = 0
    changed_at_ms: int = 0
    is_erased: bool = False


LedgerKey = tuple[Stream, int, int]  # stream, version, number of the row in its event


@dataclass(slots=True)
class Picture:
    """Everything that follows from events, whether it was kept or made again."""

    streams: dict[Stream, Row] = field(default_factory=dict)
    kept: Kept = field(default_factory=Kept)
    ledger: dict[LedgerKey, Posting] = field(default_factory=dict)
    instructions: dict[tuple[str, str], Effect] = field(default_factory=dict)  # (shop, key): effects that move money


class Source(Protocol):
    """Where events come from."""

    def past(self) -> Iterable[Past]:
        """All events, in the order in which they were recorded."""

    def in_vault(self, shop_id: str, batch_id: str) -> Iterable[str]:
        """The codes of a batch, in order."""


class Rebuilder:
    """Takes events one by one; `picture` is what follows from those taken, `broken` what is wrong with themselves."""

    def __init__(self, in_vault: Callable[[str, str], Iterable[str]]) -> None:
        self.picture = Picture()
        self.broken: list[Difference] = []
        self._in_vault = in_vault

    def add(self, past: Past) -> None:
        """Take the next event."""
        before = self.picture.streams.get(past.stream)
        self._check(past, before)
        try:
            event, at_ms = event_from(past.body, past.sealed)
        except (msgspec.MsgspecError, KeyError) as error:
            self._wrong(past, "unreadable", type(error).__name__, "an event of a known kind")
            return
        row = before or _fresh_row(past.stream, at_ms)
        try:
            evolve(row.file, event, at_ms)
        except Exception as error:  # noqa: BLE001 - told, with its place, and the fold goes on
            self._wrong(past, "meaning", past.kind, str(error))
            return
        row.version, row.head, row.changed_at_ms = past.version, past.leaf_hash, at_ms
        row.is_erased = row.is_erased or any(name not in past.sealed for name in _leaf_of(past.body).sealed)
        self.picture.streams[past.stream] = row
        self._follow(past, event, row, at_ms)

    def finish(self) -> Picture:
        """The picture; deadlines and columns are looked up once, at the end. Raises `EventsAreBroken`."""
        for row in self.picture.streams.values():
            row.due, row.facets = due_of(row.file), facets_of(row.file)
        below = self.picture.kept.below_zero()
        self.broken.extend(Difference("balance", "/".join(account), "", "below zero") for account in below)
        if self.broken:
            raise EventsAreBroken(self.broken)
        return self.picture

    def _check(self, past: Past, before: Row | None) -> None:
        if past.leaf_hash != hashlib.sha256(b"\x00" + past.body).digest():
            self._wrong(past, "leaf_hash", past.leaf_hash.hex(), "the hash of the event's bytes")
        leaf = _leaf_of(past.body)
        told = (leaf.shop, leaf.stream, leaf.version, leaf.kind, leaf.at)
        stored = (past.stream.shop_id, f"{past.stream.kind}:{past.stream.id}", past.version, past.kind, past.at_ms)
        if told != stored:
            self._wrong(past, "place", str(stored), str(told))
        if past.version != (before.version if before else 0) + 1:
            self._wrong(past, "version", str(past.version), str((before.version if before else 0) + 1))
        head = before.head.hex() if before else ""
        if leaf.prev != head:
            self._wrong(past, "prev", head, leaf.prev)
        for name, text in past.sealed.items():
            digest = commitment_digest(salt_of(past.sealing_key, name), name, text).hex()
            if leaf.sealed.get(name) != digest:
                self._wrong(past, f"sealed {name}", "another text", "the text that was committed to")

    def _follow(self, past: Past, event: Event, row: Row, at_ms: int) -> None:
        stream, picture = past.stream, self.picture
        for row_no, posting in enumerate(postings_of(event)):
            picture.ledger[stream, past.version, row_no] = posting
            picture.kept.book(stream.shop_id, posting)
        for change in changes_of(stream, event, row.file, at_ms):
            in_vault: Iterable[str] = ()
            if isinstance(change, BatchOnSale):
                in_vault = self._in_vault(change.shop_id, change.batch_id)
            try:
                picture.kept.change(change, in_vault)
            except Exception as error:  # noqa: BLE001 - told, with its place, and the fold goes on
                self._wrong(past, "change", type(change).__name__, str(error))
        for effect in effects_of(stream, past.version, event):
            if effect.kind in MONEY:
                picture.instructions[stream.shop_id, effect.key] = effect

    def _wrong(self, past: Past, what: str, kept: str, rebuilt: str) -> None:
        self.broken.append(Difference(f"event {what}", f"{place_of(past.stream)} {past.version}", kept, rebuilt))


def rebuild(source: Source) -> Picture:
    """Everything again from nothing. Raises `EventsAreBroken`."""
    rebuilder = Rebuilder(source.in_vault)
    for past in source.past():
        rebuilder.add(past)
    return rebuilder.finish()


def compare(kept: Picture, rebuilt: Picture) -> list[Difference]:
    """Where what is kept is not what follows from the events."""
    differences: list[Difference] = []
    for stream in sorted(kept.streams.keys() | rebuilt.streams.keys()):
        differences += compare_row(stream, kept.streams.get(stream), rebuilt.streams.get(stream))
    differences += _compare("code", kept.kept.codes, rebuilt.kept.codes, _show_code)
    differences += _compare("sums", _filled(kept.kept.sums), _filled(rebuilt.kept.sums), str)
    differences += _compare("stock", _filled(kept.kept.stock), _filled(rebuilt.kept.stock), str)
    differences += _compare("balance", _filled(kept.kept.balances), _filled(rebuilt.kept.balances), str)
    readable = {key: terms for key, terms in rebuilt.kept.revisions.items() if terms}
    erased = rebuilt.kept.revisions.keys() - readable.keys()
    there = {key: terms for key, terms in kept.kept.revisions.items() if key not in erased}
    differences += _compare("revision", there, readable, lambda terms: hashlib.sha256(terms.encode()).hexdigest())
    differences += _compare("ledger row", kept.ledger, rebuilt.ledger, _show_posting)
    known = dict.fromkeys(kept.instructions, "asked")
    differences += _compare("instruction", known, dict.fromkeys(rebuilt.instructions, "asked"), str)
    return differences


def compare_row(stream: Stream, kept: Row | None, rebuilt: Row | None) -> list[Difference]:
    """How one stream's row differs from its events."""
    where = place_of(stream)
    if kept is None or rebuilt is None:
        if kept is rebuilt:
            return []
        return [Difference("stream", where, "a row" if kept else "no row", "events" if rebuilt else "no events")]
    pairs: list[tuple[str, object, object]] = [
        ("version", kept.version, rebuilt.version),
        ("head", kept.head.hex(), rebuilt.head.hex()),
        ("deadline", kept.due, rebuilt.due),
        *zip(Facets._fields, kept.facets, rebuilt.facets, strict=True),
    ]
    if kept.file != rebuilt.file:
        pairs += _pairs("state", kept.file, rebuilt.file)
    return [
        Difference(f"stream {name}", where, _masked(name, one), _masked(name, other))
        for name, one, other in pairs
        if one != other and not (rebuilt.is_erased and not other)
    ]


def place_of(stream: Stream) -> str:
    """A stream in words."""
    return f"{stream.shop_id} {stream.kind} {stream.id}"


def merged_file(kept: object, rebuilt: object) -> object:
    """The rebuilt state of a stream with erased texts (as JSON values), filled up with what was kept of them."""
    if isinstance(kept, dict) and isinstance(rebuilt, dict):
        return {name: merged_file(kept.get(name), rebuilt.get(name)) for name in kept | rebuilt}
    return rebuilt or kept


class _Leaf(msgspec.Struct):
    at: int = 0
    kind: str = ""
    prev: str = ""
    sealed: dict[str, str] = {}
    shop: str = ""
    stream: str = ""
    version: int = 0


def _leaf_of(body: bytes) -> _Leaf:
    try:
        return msgspec.json.decode(body, type=_Leaf)
    except msgspec.MsgspecError:
        return _Leaf()


def _fresh_row(stream: Stream, at_ms: int) -> Row:
    file = fresh_file(stream).file
    return Row(0, b"", file, None, facets_of(file), created_at_ms=at_ms)


def _compare(what: str, kept: Mapping[K, V], rebuilt: Mapping[K, V], show: Callable[[V], str]) -> list[Difference]:
    differences = []
    for key in kept.keys() | rebuilt.keys():
        one, other = kept.get(key), rebuilt.get(key)
        if one != other:
            shown = ("nothing" if value is None else show(value) for value in (one, other))
            where = " ".join(place_of(part) if isinstance(part, Stream) else str(part) for part in key)
            differences.append(Difference(what, where, *shown))
    return sorted(differences)


def _filled(sums: Mapping[K, int]) -> dict[K, int]:
    return {key: number for key, number in sums.items() if number}


def _pairs(name: str, kept: object, rebuilt: object) -> list[tuple[str, object, object]]:
    """Values of two states side by side, each under its path."""
    if isinstance(kept, msgspec.Struct) and type(kept) is type(rebuilt):
        fields = kept.__struct_fields__
        return [pair for key in fields for pair in _pairs(f"{name}.{key}", getattr(kept, key), getattr(rebuilt, key))]
    return [(name, kept, rebuilt)]


def _masked(name: str, value: object) -> str:
    if name.rpartition(".")[2] in _MASKED and value:
        return "(sealed)"
    return str(value)[:_SHOWN_CHARS_MAX]


def _show_code(row: CodeRow) -> str:
    return f"{row.stage.value} of listing {row.listing_id} batch {row.batch_id or '-'} order {row.order_id or '-'}"


def _show_posting(posting: Posting) -> str:
    return f"{posting.debit} > {posting.credit} {posting.amount_fen} {posting.currency}"
