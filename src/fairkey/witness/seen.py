"""What a witness has seen, in a file: checked and noted in one transaction, on the disk before anybody is answered.

Two requests at once, or two processes over one folder by mistake, are put in a row by the file's own lock. Whoever
comes second finds what the first noted.

The file is SQLite with a rollback journal, not a write-ahead log: there every write that fails, fails before the
answer, while the log's later copying into the file may fail unheard (decision 0011). The journal is kept and emptied,
which is as durable as deleting it and twice as fast.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from fairkey.proofs.notes import SignerKey, cosign_note, signature_line, with_signatures

from .judging import NOTHING, Asked, Refused, Seen, TwoHistories, check_extends
from .keeping import KEY_FILE, SEEN_FILE, CannotKeep, make_key

BACKWARDS_MAX_S: Final = 60  # clocks are set back a little now and then; more than this is a clock not to be believed
BUSY_S: Final = 5.0
HARMLESS: Final = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL)  # nothing was written half-way

PRIMARY_CODE: Final = 0xFF

_OLD_COPY: Final = "Do not put an older copy in its place: that would make this witness forget."

_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS keeper (vkey TEXT PRIMARY KEY) WITHOUT ROWID",
    """
    CREATE TABLE IF NOT EXISTS seen (
        origin TEXT PRIMARY KEY,
        size INTEGER NOT NULL,
        root BLOB NOT NULL,
        at_s INTEGER NOT NULL,
        note BLOB NOT NULL
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS forks (
        origin TEXT PRIMARY KEY,
        at_s INTEGER NOT NULL,
        cosigned BLOB NOT NULL,
        refused BLOB NOT NULL
    ) WITHOUT ROWID
    """,
)


class NotNoted(Exception):
    """It could not be noted, so nothing was cosigned. The argument is a sentence."""


class Fork(NamedTuple):
    """Two checkpoints of one size that a log signed with different roots: the one cosigned, the one refused."""

    at_s: int
    cosigned: bytes
    refused: bytes


class Watched(NamedTuple):
    """What is remembered of one log; `fork` is the first that it was caught at."""

    origin: str
    seen: Seen
    note: bytes
    fork: Fork | None


def begin(folder: Path, name: str) -> SignerKey:
    """Make a witness's folder: an empty memory, then its key. Raises `CannotKeep`."""
    if (folder / KEY_FILE).exists():
        raise CannotKeep(f"{folder / KEY_FILE} is there already; a witness keeps its key for life.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(_opened(folder / SEEN_FILE, "rwc")) as db:
            for table in _TABLES:
                db.execute(table)
            if db.execute("SELECT 1 FROM keeper UNION ALL SELECT 1 FROM seen").fetchone():
                raise CannotKeep(f"{folder} remembers what another witness saw; take an empty folder.")
        return make_key(folder, name)
    except (OSError, sqlite3.Error) as error:
        raise CannotKeep(f"{folder} cannot be made a witness's folder: {error}.") from None


def _opened(file: Path, mode: str) -> sqlite3.Connection:
    uri = f"{file.absolute().as_uri()}?mode={mode}"
    db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=BUSY_S)
    try:
        if mode != "ro":
            db.execute("PRAGMA journal_mode = PERSIST")
            db.execute("PRAGMA synchronous = EXTRA")
    except BaseException:
        db.close()
        raise
    return db


class SeenLogs:
    """The last cosigned checkpoint of every log."""

    def __init__(self, file: Path, key: SignerKey, now_s: Callable[[], int]) -> None:
        """Opens what `begin` made. `key` cosigns (kind 0x04). Raises `CannotKeep` when the file is missing, damaged or
        another witness's: whoever forgot what he saw would cosign any history, so he must not go on under his key.
        """
        if not file.exists():
            raise CannotKeep(
                f"{file} is missing: what this witness saw is lost, and under its key it must cosign nothing any more. "
                "Make a new witness with a new name in another folder, and tell those who believed this one."
            )
        self._key = key
        self._now_s = now_s
        self._turn = threading.Lock()
        self._is_broken = False
        try:
            self._db = _opened(file, "rw")
            self._take(str(key.verifier))
        except sqlite3.Error as error:
            raise CannotKeep(f"{file} cannot be used: {error}. {_OLD_COPY}") from None

    def _take(self, vkey: str) -> None:
        if self._db.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("it is damaged")
        self._db.execute("INSERT INTO keeper SELECT ? WHERE NOT EXISTS (SELECT 1 FROM keeper)", (vkey,))
        if self._db.execute("SELECT vkey FROM keeper").fetchone() != (vkey,):
            raise sqlite3.DatabaseError("it is another witness's")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def cosign(self, asked: Asked) -> bytes:
        """The cosignature line, when the checkpoint extends what was seen. Raises `Refused`, and `NotNoted` when the
        disk did not take it: then nothing was answered and nothing is owed.
        """
        with self._turn:
            if self._is_broken:
                raise NotNoted("the disk failed before; this witness must be started again when it was looked after")
            try:
                return self._noted(asked)
            except sqlite3.Error as error:
                # What a disk says after a failed write cannot be believed, so nothing is asked of it again.
                self._is_broken = getattr(error, "sqlite_errorcode", -1) & PRIMARY_CODE not in HARMLESS
                raise NotNoted(f"what was seen could not be noted: {error}") from error

    def _noted(self, asked: Asked) -> bytes:
        with self._transaction():
            seen, cosigned = self._seen(asked.checkpoint.origin)
            try:
                check_extends(asked, seen)
            except TwoHistories as refused:
                self._note_fork(asked, cosigned)
                refusal = refused
            else:
                return self._note_seen(asked, self._moment(seen))
        raise refusal

    def _note_seen(self, asked: Asked, at_s: int) -> bytes:
        checkpoint = asked.checkpoint
        cosignature = cosign_note(asked.note.text, self._key, at_s)
        note = with_signatures(asked.note, [cosignature]).encode()
        self._db.execute(
            "INSERT OR REPLACE INTO seen (origin, size, root, at_s, note) VALUES (?, ?, ?, ?, ?)",
            (checkpoint.origin, checkpoint.size, checkpoint.root, at_s, note),
        )
        return signature_line(cosignature)

    def _note_fork(self, asked: Asked, cosigned: bytes) -> None:
        self._db.execute(
            "INSERT OR IGNORE INTO forks (origin, at_s, cosigned, refused) VALUES (?, ?, ?, ?)",
            (asked.checkpoint.origin, self._now_s(), cosigned, asked.note.encode()),
        )

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise

    def last(self, origin: str) -> bytes | None:
        """The last checkpoint cosigned for this origin, as a note; None when there is none. Raises `NotNoted`."""
        with self._turn:
            try:
                return self._seen(origin)[1] or None
            except sqlite3.Error as error:
                raise NotNoted(f"what was seen cannot be read: {error}") from error

    def _seen(self, origin: str) -> tuple[Seen, bytes]:
        row = self._db.execute("SELECT size, root, at_s, note FROM seen WHERE origin = ?", (origin,)).fetchone()
        return (Seen(*row[:3]), row[3]) if row else (NOTHING, b"")

    def _moment(self, seen: Seen) -> int:
        """Now, and never before the last cosignature: its moment says since when the log was at least this large."""
        now_s = self._now_s()
        if now_s < seen.at_s - BACKWARDS_MAX_S:
            raise Refused(503, "this witness's clock went backwards; its keeper must look after it")
        return max(now_s, seen.at_s)


def watched(folder: Path) -> list[Watched]:
    """What the witness of this folder remembers, whether it runs or not. Raises `CannotKeep`."""
    if not (folder / SEEN_FILE).exists():
        raise CannotKeep(f"{folder} is no witness's folder.")
    try:
        with contextlib.closing(_opened(folder / SEEN_FILE, "ro")) as db:
            forks = {row[0]: Fork(*row[1:]) for row in db.execute("SELECT origin, at_s, cosigned, refused FROM forks")}
            rows = db.execute("SELECT origin, size, root, at_s, note FROM seen ORDER BY origin").fetchall()
    except sqlite3.Error as error:
        raise CannotKeep(f"{folder / SEEN_FILE} cannot be read: {error}. {_OLD_COPY}") from None
    return [Watched(row[0], Seen(*row[1:4]), row[4], forks.get(row[0])) for row in rows]
