"""Every stream of a log: its versions count from 1, and each entry names the one before it."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from hashlib import sha256
from typing import Final, Self

from fairkey.proofs.merkle import leaf_hash
from fairkey.proofs.receipts import LeafFacts, ReceiptIsMalformed, read_leaf

from .walking import Faults

_TABLE: Final = "CREATE TABLE last (stream BLOB PRIMARY KEY, version INTEGER, leaf BLOB, number INTEGER) WITHOUT ROWID"
_KEEP: Final = "INSERT OR REPLACE INTO last VALUES (?, ?, ?, ?)"
_CACHE_KIB: Final = 64 * 1024
_VERSION_MAX: Final = 2**62


class Streams:
    """The last entry of each stream. They lie in a database of this process alone, which goes to the disk by itself
    when they are many: memory stays the same.
    """

    def __init__(self) -> None:
        self.faults = Faults()
        self.read = 0
        self.unreadable = Faults()
        self._last = sqlite3.connect("", isolation_level=None)
        self._last.executescript(f"PRAGMA cache_size=-{_CACHE_KIB}; PRAGMA synchronous=OFF; {_TABLE}; BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._last.close()

    def add(self, first: int, entries: Sequence[bytes]) -> None:
        """The entries from number `first` on."""
        for number, entry in enumerate(entries, first):
            try:
                facts = read_leaf(entry)
            except ReceiptIsMalformed:
                self.unreadable.add(f"Entry {number} is not one of fairkey's.")
            else:
                self.read += 1
                self._add(number, entry, facts)

    def count(self) -> int:
        """How many streams there are."""
        with closing(self._last.execute("SELECT count(*) FROM last")) as found:
            return int(found.fetchone()[0])

    def _add(self, number: int, entry: bytes, facts: LeafFacts) -> None:
        key = sha256(f"{facts.shop}\0{facts.stream}".encode()).digest()
        with closing(self._last.execute("SELECT version, leaf, number FROM last WHERE stream = ?", (key,))) as found:
            version, leaf, before = found.fetchone() or (0, b"", -1)
        if fault := _fault(facts, version, leaf.hex(), before):
            self.faults.add(f"Entry {number} ({facts.kind}, version {facts.version} of {facts.stream}) {fault}.")
        kept = min(max(facts.version, 0), _VERSION_MAX)
        self._last.execute(_KEEP, (key, kept, leaf_hash(entry), number))


def _fault(facts: LeafFacts, version: int, leaf: str, before: int) -> str:
    after = f"version {version}, entry {before}" if version else "nothing"
    if facts.version <= version:
        return f"comes again or too late: before it stands {after}"
    if facts.version > version + 1:
        last = facts.version - 1
        missing = f"version {last} is" if last == version + 1 else f"versions {version + 1} to {last} are"
        return f"comes after {after}: {missing} missing"
    if facts.prev != leaf:
        return f"does not follow entry {before} as it stands here" if version else "names an entry before the first one"
    return ""
