"""Credit from a log: facts are kept in a database of this process alone while the log is verified, then shop by shop
computed. Memory stays the same but for the orders of one shop.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Final, Self

import msgspec

from fairkey.business.credit.facts import KINDS, Fact
from fairkey.business.credit.figures import Account, account_of
from fairkey.proofs.receipts import ReceiptIsMalformed, read_leaf

_TABLE: Final = "CREATE TABLE facts (shop TEXT, at INTEGER, stream TEXT, version INTEGER, kind TEXT, public BLOB)"
_KEEP: Final = "INSERT INTO facts VALUES (?, ?, ?, ?, ?, ?)"
_READ: Final = "SELECT at, stream, version, kind, public FROM facts WHERE shop = ? ORDER BY at, stream, version"
_NUMBER_MAX: Final = 2**62


class CreditFacts:
    """Facts of all shops, or of `shop` alone, out of entries of a log."""

    def __init__(self, shop: str = "") -> None:
        self._shop = shop
        self.last_at_ms = 0
        self._kept = sqlite3.connect("", isolation_level=None)
        self._kept.executescript(f"PRAGMA synchronous=OFF; {_TABLE}; BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._kept.close()

    def add(self, _: int, entries: Sequence[bytes]) -> None:
        """Entries of the log; what is not ours or not about credit is passed over."""
        for entry in entries:
            try:
                facts = read_leaf(entry)
            except ReceiptIsMalformed:
                continue
            if not 0 <= facts.at < _NUMBER_MAX or not 0 < facts.version < _NUMBER_MAX:
                continue
            self.last_at_ms = max(self.last_at_ms, facts.at)
            if facts.kind in KINDS and self._shop in ("", facts.shop):
                public = msgspec.json.encode(facts.public)
                self._kept.execute(_KEEP, (facts.shop, facts.at, facts.stream, facts.version, facts.kind, public))

    def accounts(self, at_ms: int) -> Iterator[tuple[str, Account]]:
        """Each shop with its account, by shop id."""
        self._kept.execute("CREATE INDEX IF NOT EXISTS by_shop ON facts (shop, at, stream, version)")
        with closing(self._kept.execute("SELECT DISTINCT shop FROM facts ORDER BY shop")) as found:
            shops = [str(row[0]) for row in found.fetchall()]
        for shop in shops:
            yield shop, account_of(self._facts(shop), at_ms)

    def _facts(self, shop: str) -> Iterator[Fact]:
        with closing(self._kept.execute(_READ, (shop,))) as found:
            for at_ms, stream, version, kind, public in found:
                yield Fact(at_ms, stream, version, kind, msgspec.json.decode(public))
