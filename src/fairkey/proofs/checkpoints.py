"""Checkpoints (C2SP tlog-checkpoint v1.0.0): the signed head of a log, as three lines.

origin, size in decimal, root in base64. We write no extension lines and refuse them: nobody audits what they say.
"""

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from typing import NamedTuple

from .merkle import EMPTY_ROOT, HASH_BYTES
from .notes import (
    Note,
    NoteIsMalformed,
    NoteIsNotSigned,
    SignerKey,
    VerifierKey,
    read_note,
    sign_note,
    verified_signatures,
)

SIZE_MAX = 2**63 - 1


class Checkpoint(NamedTuple):
    """What a log says about itself: this many entries, under this root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> bytes:
        """The text that is signed, with its final line feed."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n".encode()


def read_checkpoint(text: bytes) -> Checkpoint:
    """Read a checkpoint's text. Raises `NoteIsMalformed`."""
    try:
        lines = text.decode().split("\n")
    except UnicodeDecodeError:
        raise NoteIsMalformed("the checkpoint is not UTF-8") from None
    if len(lines) != 4 or lines[3]:  # noqa: PLR2004 - three lines, each ended
        raise NoteIsMalformed("a checkpoint has three lines: origin, size, root")
    origin, size_text, root_text = lines[:3]
    if not origin:
        raise NoteIsMalformed("the checkpoint has no origin")
    if not (size_text.isascii() and size_text.isdigit()) or (size_text != "0" and size_text.startswith("0")):
        raise NoteIsMalformed("the checkpoint's size is no decimal number")
    size = int(size_text) if len(size_text) < 20 else SIZE_MAX + 1  # noqa: PLR2004 - digits of 2^63
    try:
        root = b64decode(root_text, validate=True)
    except (NotBase64, ValueError):
        raise NoteIsMalformed("the checkpoint's root is not base64") from None
    if size > SIZE_MAX or len(root) != HASH_BYTES or b64encode(root).decode() != root_text:
        raise NoteIsMalformed("the checkpoint's size or root is out of range")
    return Checkpoint(origin, size, root)


def sign_checkpoint(checkpoint: Checkpoint, key: SignerKey) -> Note:
    """The checkpoint as a note under the log's own key."""
    text = checkpoint.text()
    return Note(text, (sign_note(text, key),))


def open_checkpoint(data: bytes, log: VerifierKey) -> tuple[Checkpoint, Note]:
    """Read a signed checkpoint of the log whose key is `log`, and verify that log's signature.

    Raises `NoteIsMalformed`, and `NoteIsNotSigned` when the log's own line is missing or does not fit.
    """
    note = read_note(data)
    checkpoint = read_checkpoint(note.text)
    if checkpoint.origin != log.name:
        raise NoteIsNotSigned(f"the checkpoint is of the log {checkpoint.origin}, not of {log.name}")
    if not verified_signatures(note, (log,)):
        raise NoteIsNotSigned(f"{log.name} has not signed this checkpoint")
    if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
        raise NoteIsMalformed("the root of nothing is not that of the empty tree")
    return checkpoint, note
