"""Heads that were verified here before, kept for each log: who signs two histories is caught by whoever remembers one.

One folder a log key, one file a head, named by its size and holding the signed note as it came: that is the evidence.
"""

import hashlib
import os
import re
import secrets
from pathlib import Path
from typing import Final

from fairkey.proofs.checkpoints import Checkpoint, open_checkpoint
from fairkey.proofs.notes import NOTE_BYTES_MAX, NoteIsMalformed, NoteIsNotSigned, VerifierKey

from .reading import FileCannotBeRead, FileIsMissing, read_regular

KEPT_MAX: Final = 256
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")


class SeenHeads:
    """What was seen of one log. Nothing in the folder is believed without the log's signature."""

    def __init__(self, folder: Path, log: VerifierKey) -> None:
        self.folder = folder / "seen" / hashlib.sha256(str(log).encode()).hexdigest()[:32]
        self._log = log

    def heads(self) -> list[Checkpoint]:
        """The remembered heads, smallest first."""
        try:
            names = [one.name for one in os.scandir(self.folder) if _SIZE.fullmatch(one.name)]
        except OSError:
            return []
        return [head for head in map(self._read, sorted(map(int, names))) if head is not None]

    def at(self, size: int) -> Checkpoint | None:
        """The head of exactly this size, if one was seen."""
        return self._read(size)

    def keep(self, head: Checkpoint, note: bytes) -> str:
        """Remember a head; the name of the file when another of this size is remembered already, else empty.

        Of two heads of one size both are kept. Raises OSError when nothing can be kept.
        """
        before = self._read(head.size)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if before is not None and before.root == head.root:
            return ""
        name = str(head.size) if before is None else f"{head.size}.other-{head.root.hex()[:16]}"
        path = self.folder / name
        beside = path.with_name(f".{name}.{secrets.token_hex(4)}")
        beside.write_bytes(note)
        beside.replace(path)
        if before is None:
            self._forget_oldest()
            return ""
        return str(path)

    def _forget_oldest(self) -> None:
        sizes = sorted(int(one.name) for one in os.scandir(self.folder) if _SIZE.fullmatch(one.name))
        for size in sizes[:-KEPT_MAX]:
            (self.folder / str(size)).unlink(missing_ok=True)

    def _read(self, size: int) -> Checkpoint | None:
        try:
            head, _ = open_checkpoint(read_regular(self.folder / str(size), NOTE_BYTES_MAX), self._log)
        except (FileIsMissing, FileCannotBeRead, NoteIsMalformed, NoteIsNotSigned):
            return None
        return head if head.size == size else None
