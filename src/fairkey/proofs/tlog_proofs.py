"""Proofs in the form any C2SP tool reads (c2sp.org/tlog-proof@v1): an index, a path, a signed checkpoint."""

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass

from .merkle import HASH_BYTES, InclusionIsNotProven, check_inclusion
from .notes import NOTE_BYTES_MAX
from .policies import Judged, Policy

FIRST_LINE = "c2sp.org/tlog-proof@v1"
PATH_MAX = 63
EXTRA_BYTES_MAX = 65_536


class ProofIsMalformed(Exception):
    """The bytes are no tlog-proof. The argument is a sentence that says what is wrong."""


@dataclass(frozen=True, slots=True)
class TlogProof:
    """That the entry at `index` is under `checkpoint` (a signed note's bytes, verbatim). `extra` proves nothing."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes = b""

    def encode(self) -> bytes:
        """The file's bytes."""
        lines = [FIRST_LINE]
        if self.extra:
            lines.append(f"extra {b64encode(self.extra).decode()}")
        lines.append(f"index {self.index}")
        lines += [b64encode(part).decode() for part in self.path]
        return "\n".join([*lines, "", ""]).encode() + self.checkpoint

    def check(self, leaf: bytes, policy: Policy) -> Judged:
        """Verify that `leaf` (a leaf hash) is in the log, as the policy wants it.

        Raises `NoteIsMalformed`, `NoteIsNotSigned`, `QuorumIsNotMet`, `InclusionIsNotProven`.
        """
        judged = policy.judge(self.checkpoint)
        if self.index >= judged.checkpoint.size:
            raise InclusionIsNotProven
        check_inclusion(
            leaf=leaf,
            index=self.index,
            size=judged.checkpoint.size,
            proof=self.path,
            root=judged.checkpoint.root,
        )
        return judged


def read_tlog_proof(data: bytes) -> TlogProof:
    """Read a proof file. Raises `ProofIsMalformed`; the checkpoint in it is not looked at yet."""
    if len(data) > NOTE_BYTES_MAX + EXTRA_BYTES_MAX * 2:
        raise ProofIsMalformed("the proof is too long")
    head, blank, checkpoint = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise ProofIsMalformed("the proof's first lines are not ASCII") from None
    if not blank or lines[0] != FIRST_LINE:
        raise ProofIsMalformed(f"the proof does not begin with {FIRST_LINE}")
    rest = lines[1:]
    extra = b""
    if rest and rest[0].startswith("extra "):
        extra = _decoded(rest.pop(0).removeprefix("extra "))
    if not rest or not rest[0].startswith("index "):
        raise ProofIsMalformed("the proof has no index")
    index_text = rest.pop(0).removeprefix("index ")
    is_decimal = index_text.isascii() and index_text.isdigit() and (index_text == "0" or index_text[0] != "0")
    if not is_decimal or len(index_text) >= 20:  # noqa: PLR2004 - digits of 2^63
        raise ProofIsMalformed("the proof's index is no decimal number")
    if len(rest) > PATH_MAX:
        raise ProofIsMalformed("the proof's path is too long")
    path = tuple(_decoded(line) for line in rest)
    if any(len(part) != HASH_BYTES for part in path):
        raise ProofIsMalformed("a hash of the proof's path has not 32 bytes")
    return TlogProof(int(index_text), path, checkpoint, extra)


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (NotBase64, ValueError):
        raise ProofIsMalformed("a line of the proof is not base64") from None
