"""What a witness answers to a request: the rules of C2SP tlog-witness v1.0.0, without network or disk."""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from typing import NamedTuple

from fairkey.proofs.checkpoints import Checkpoint, read_checkpoint
from fairkey.proofs.merkle import EMPTY_ROOT, HASH_BYTES, ConsistencyIsNotProven, check_consistency
from fairkey.proofs.notes import Note, NoteIsMalformed, NoteIsNotSigned, VerifierKey, read_note, verified_signatures

REQUEST_BYTES_MAX = 256 * 1024
PROOF_LINES_MAX = 63
SIZE_TYPE = "text/x.tlog.size"
TEXT_TYPE = "text/plain; charset=utf-8"


class Asked(NamedTuple):
    """A request to cosign: the size that the log believes was seen last, the proof from there, its checkpoint."""

    size_before: int
    proof: tuple[bytes, ...]
    note: Note
    checkpoint: Checkpoint


class Seen(NamedTuple):
    """What was cosigned last for one origin, and when (seconds since the epoch)."""

    size: int
    root: bytes
    at_s: int


NOTHING = Seen(0, EMPTY_ROOT, 0)


class Refused(Exception):
    """The answer is this status with this text."""

    def __init__(self, status: int, text: str, media_type: str = TEXT_TYPE) -> None:
        super().__init__(status, text)
        self.status = status
        self.text = text
        self.media_type = media_type


class TwoHistories(Refused):
    """The log signed two checkpoints of one size with different roots: by that alone it is convicted."""


def read_request(body: bytes) -> Asked:
    """Read the body of add-checkpoint. Raises `Refused` (400, 413)."""
    if len(body) > REQUEST_BYTES_MAX:
        raise Refused(413, "the request is too long")
    head, blank, rest = body.partition(b"\n\n")
    lines = head.split(b"\n")
    if not blank or not lines[0].startswith(b"old "):
        raise Refused(400, "invalid input: a request is an old size, a proof, an empty line, a checkpoint")
    size_before = _decimal(lines[0][len(b"old ") :])
    if len(lines) - 1 > PROOF_LINES_MAX:
        raise Refused(400, "invalid input: the proof has too many lines")
    try:
        proof = tuple(b64decode(line, validate=True) for line in lines[1:])
    except (NotBase64, ValueError):
        raise Refused(400, "invalid input: a line of the proof is not base64") from None
    if any(len(part) != HASH_BYTES for part in proof):
        raise Refused(400, "invalid input: a hash of the proof has not 32 bytes")
    try:
        note = read_note(rest)
    except NoteIsMalformed as error:
        raise Refused(400, f"invalid input: {error}") from None
    try:
        return Asked(size_before, proof, note, read_checkpoint(note.text))
    except NoteIsMalformed as error:
        raise Refused(400, f"invalid checkpoint: {error}") from None


def _decimal(text: bytes) -> int:
    is_decimal = text.isdigit() and (text == b"0" or not text.startswith(b"0")) and len(text) < 20  # noqa: PLR2004
    if not is_decimal:
        raise Refused(400, "invalid input: the old size is no decimal number")
    return int(text)


def check_signed(asked: Asked, logs: Mapping[str, tuple[VerifierKey, ...]]) -> Asked:
    """That a log we watch signed it; the same without lines of others, which are not ours to keep or show. Raises
    `Refused` (404, 403).
    """
    keys = logs.get(asked.checkpoint.origin)
    if keys is None:
        raise Refused(404, "unknown log: this witness does not watch it")
    try:
        signed = verified_signatures(asked.note, keys)
    except NoteIsNotSigned as error:
        raise Refused(403, f"invalid signature: {error}") from None
    if not signed:
        raise Refused(403, "invalid signature: none of the keys that are known for this log signed the checkpoint")
    good = {(one.key.name, one.key.key_id) for one in signed}
    lines = tuple(dict.fromkeys(one for one in asked.note.signatures if (one.name, one.key_id) in good))
    return asked._replace(note=asked.note._replace(signatures=lines))


def check_extends(asked: Asked, seen: Seen) -> None:
    """That it extends what was cosigned last. Raises `Refused` (400, 409, 422)."""
    checkpoint = asked.checkpoint
    if asked.size_before > checkpoint.size:
        raise Refused(400, "invalid input: the old size is larger than the checkpoint's")
    if asked.size_before != seen.size:
        raise Refused(409, f"{seen.size}\n", SIZE_TYPE)
    if asked.size_before == checkpoint.size and seen.size and checkpoint.root != seen.root:
        raise TwoHistories(
            422, f"another tree of {seen.size} entries was cosigned before: the log shows two histories"
        )
    try:
        check_consistency(
            size_before=seen.size,
            root_before=seen.root,
            size=checkpoint.size,
            root=checkpoint.root,
            proof=asked.proof,
        )
    except ConsistencyIsNotProven:
        what = f"that {checkpoint.size} entries begin with the {seen.size} cosigned before"
        raise Refused(422, f"consistency proof: it does not show {what}") from None
