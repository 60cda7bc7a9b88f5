"""The provider's own state: one SQLite file in WAL mode, one connection, one writer.

`synchronous=NORMAL` in WAL survives the death of the process at any moment; a power cut may lose the last moments,
which a sandbox may.
"""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

CREATE TABLE IF NOT EXISTS collections (
    reference     TEXT PRIMARY KEY,
    amount_fen    INTEGER NOT NULL CHECK (amount_fen > 0),
    currency      TEXT NOT NULL,
    subject       TEXT NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    return_url    TEXT NOT NULL,
    notify_url    TEXT NOT NULL,
    opened_at_ms  INTEGER NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS payments (
    number       INTEGER PRIMARY KEY AUTOINCREMENT,
    provider_txn TEXT NOT NULL UNIQUE,
    reference    TEXT NOT NULL,
    amount_fen   INTEGER NOT NULL CHECK (amount_fen > 0),
    currency     TEXT NOT NULL,
    paid_at_ms   INTEGER NOT NULL,
    refunded_fen INTEGER NOT NULL DEFAULT 0 CHECK (refunded_fen BETWEEN 0 AND amount_fen)
) STRICT;
CREATE INDEX IF NOT EXISTS payments_by_reference ON payments (reference);

CREATE TABLE IF NOT EXISTS instructions (
    number          INTEGER PRIMARY KEY AUTOINCREMENT,
    kind            TEXT NOT NULL CHECK (kind IN ('refund', 'release', 'payout')),
    idempotency_key TEXT NOT NULL,
    provider_ref    TEXT NOT NULL UNIQUE,
    body            TEXT NOT NULL,
    amount_fen      INTEGER NOT NULL,
    notify_url      TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('pending', 'succeeded', 'failed')),
    reason          TEXT NOT NULL DEFAULT '',
    taken_at_ms     INTEGER NOT NULL,
    settles_at_ms   INTEGER,
    will_fail       TEXT NOT NULL DEFAULT '',
    UNIQUE (kind, idempotency_key)
) STRICT;
CREATE INDEX IF NOT EXISTS instructions_due ON instructions (settles_at_ms) WHERE state = 'pending';

-- Every movement of money, append-only; balances are its sums, kept beside it. Only the outside may go below zero.
CREATE TABLE IF NOT EXISTS moves (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms      INTEGER NOT NULL,
    what       TEXT NOT NULL,
    about      TEXT NOT NULL,
    source     TEXT NOT NULL,
    target     TEXT NOT NULL CHECK (target <> source),
    currency   TEXT NOT NULL,
    amount_fen INTEGER NOT NULL CHECK (amount_fen > 0)
) STRICT;
CREATE INDEX IF NOT EXISTS moves_about ON moves (about);
CREATE TABLE IF NOT EXISTS balances (
    account     TEXT NOT NULL,
    currency    TEXT NOT NULL,
    balance_fen INTEGER NOT NULL,
    PRIMARY KEY (account, currency),
    CHECK (balance_fen >= 0 OR account LIKE 'outside/%')
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS notices (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    kind        TEXT NOT NULL,
    about       TEXT NOT NULL,
    notify_url  TEXT NOT NULL,
    body        BLOB NOT NULL,
    faults      TEXT NOT NULL DEFAULT '',
    forged      INTEGER NOT NULL DEFAULT 0,
    state       TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'lost', 'given_up', 'nowhere')),
    attempts    INTEGER NOT NULL DEFAULT 0,
    due_at_ms   INTEGER NOT NULL,
    held_by     INTEGER,
    after_id    INTEGER,
    queued_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS notices_due ON notices (due_at_ms) WHERE state = 'waiting';

CREATE TABLE IF NOT EXISTS attempts (
    notice_id   INTEGER NOT NULL,
    attempt     INTEGER NOT NULL,
    at_ms       INTEGER NOT NULL,
    forged      INTEGER NOT NULL,
    status      INTEGER,
    answer      TEXT NOT NULL,
    duration_ms INTEGER NOT NULL,
    PRIMARY KEY (notice_id, attempt)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS fault_rules (
    id INTEGER PRIMARY KEY, rule TEXT NOT NULL, struck INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS fault_draws (
    rule_id INTEGER NOT NULL, subject TEXT NOT NULL, draws INTEGER NOT NULL,
    PRIMARY KEY (rule_id, subject)
) STRICT, WITHOUT ROWID;
"""


class State:
    """The open state file. Used from one thread only (the event loop's)."""

    def __init__(self, file: Path | None) -> None:
        """Open or create; `None` keeps everything in memory."""
        self.db = sqlite3.connect(file or ":memory:", isolation_level=None, check_same_thread=True)
        self.db.row_factory = sqlite3.Row
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = NORMAL")
        self.db.executescript(SCHEMA)
        # The mark is part of every transaction number: those of a new state file never meet those of an old one.
        self.db.execute("INSERT OR IGNORE INTO facts VALUES ('mark', ?)", (secrets.token_hex(3),))
        self.mark = str(self.fact("mark"))

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing; also inside another one, of which it then is a part."""
        if self.db.in_transaction:
            yield self.db
            return
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield self.db
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def fact(self, name: str) -> str | None:
        """One remembered setting."""
        row = self.db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def remember(self, name: str, value: str) -> None:
        """Keep one setting over restarts."""
        self.db.execute(
            "INSERT INTO facts VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value)
        )

    def close(self) -> None:
        """Close the file."""
        self.db.close()
