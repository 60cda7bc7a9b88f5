"""What a witness has seen, in a file: checked and noted in one transaction, on the disk before anybody is answered.

Two requests at once, or two processes over one folder by mistake, are put in a row by the file's own lock. Whoever
comes second finds what the first noted.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from fairkey.proofs.notes import Note, SignerKey, cosign_note, signature_line, with_signatures

from .judging import NOTHING, Asked, Refused, Seen, check_extends

BACKWARDS_MAX_S: Final = 60  # clocks are set back a little now and then; more than this is a clock not to be believed
BUSY_S: Final = 5.0

_TABLE: Final = """
CREATE TABLE IF NOT EXISTS seen (
    origin TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    root BLOB NOT NULL,
    at_s INTEGER NOT NULL,
    note BLOB NOT NULL
) WITHOUT ROWID
"""


class SeenLogs:
    """The last cosigned checkpoint of every log."""

    def __init__(self, file: Path, key: SignerKey, now_s: Callable[[], int]) -> None:
        """Opens or makes `file`. `key` cosigns (kind 0x04)."""
        self._key = key
        self._now_s = now_s
        self._turn = threading.Lock()
        self._db = sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=BUSY_S)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute(_TABLE)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def cosign(self, asked: Asked) -> bytes:
        """The cosignature line, when the checkpoint extends what was seen. Raises `Refused`, and sqlite3.Error when it
        could not be noted: then nothing was answered and nothing is owed.
        """
        with self._turn:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                seen = self._seen(asked.checkpoint.origin)
                check_extends(asked, seen)
                at_s = self._moment(seen)
                cosignature = cosign_note(asked.note.text, self._key, at_s)
                note = with_signatures(self._only_known(asked), [cosignature])
                self._db.execute(
                    "INSERT OR REPLACE INTO seen (origin, size, root, at_s, note) VALUES (?, ?, ?, ?, ?)",
                    (asked.checkpoint.origin, asked.checkpoint.size, asked.checkpoint.root, at_s, note.encode()),
                )
                self._db.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                raise
        return signature_line(cosignature)

    def last(self, origin: str) -> bytes | None:
        """The last checkpoint cosigned for this origin, as a note; None when there is none."""
        with self._turn:
            row = self._db.execute("SELECT note FROM seen WHERE origin = ?", (origin,)).fetchone()
        return row[0] if row else None

    def _only_known(self, asked: Asked) -> Note:
        """The log's own lines: what others wrote under the note is not ours to show."""
        origin = asked.checkpoint.origin
        return asked.note._replace(signatures=tuple(one for one in asked.note.signatures if one.name == origin))

    def _seen(self, origin: str) -> Seen:
        row = self._db.execute("SELECT size, root, at_s FROM seen WHERE origin = ?", (origin,)).fetchone()
        return Seen(*row) if row else NOTHING

    def _moment(self, seen: Seen) -> int:
        """Now, and never before the last cosignature: its moment says since when the log was at least this large."""
        now_s = self._now_s()
        if now_s < seen.at_s - BACKWARDS_MAX_S:
            raise Refused(503, "this witness's clock went backwards; its keeper must look after it")
        return max(now_s, seen.at_s)
