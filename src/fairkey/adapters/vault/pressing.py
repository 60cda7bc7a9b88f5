"""The computing part of an import: from bytes to sealed rows. Runs in a thread, touches neither database nor event
loop.
"""

import hmac
import secrets
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import uuid_utils

from fairkey.adapters.vault.keys import Keys
from fairkey.adapters.vault.wrapping import NONCE_BYTES
from fairkey.business.code_lines import Block, CodeLines, Reason, RefusedLine, masked
from fairkey.proofs.commitments import SALT_BYTES, commitment_digest
from fairkey.proofs.commitments import commitment as committed
from fairkey.proofs.merkle import leaf_hash

OLDER_NAME = "code"  # the name in disclosures of codes deposited before names were the codes' ids


def is_committed(commitment: bytes, salt: bytes, code_id: UUID, text: str) -> bool:
    """Whether `commitment` is to `text` as the code `code_id` (or under the older name, that bound no id)."""
    return any(
        hmac.compare_digest(commitment_digest(salt, name, text), commitment) for name in (str(code_id), OLDER_NAME)
    )


def disclosure_of(commitment: bytes, salt: bytes, code_id: UUID, text: str) -> str:
    """What opens `commitment` to anybody; it must be committed to (`is_committed`)."""
    digest, disclosure = committed(salt, str(code_id), text)
    return disclosure if hmac.compare_digest(digest, commitment) else committed(salt, OLDER_NAME, text)[1]


class PressedCode(NamedTuple):
    """One code, sealed and committed to. The text is kept for its masked hint, should it turn out to be a duplicate."""

    line_no: int
    fingerprint: bytes
    code_id: bytes
    sealed: bytes
    commitment: bytes
    leaf: bytes
    text: str
    exact: bytes = b""  # the mark of this very writing, where that is another: an older code may have it


class Pressed(NamedTuple):
    """What some lines became."""

    codes: list[PressedCode]
    refused: list[RefusedLine]


class Press:
    """Presses the lines of one file; remembers the fingerprints it has seen (32 bytes a line)."""

    def __init__(self, keys: Keys) -> None:
        self.lines = CodeLines()
        self._keys = keys
        self._seen: dict[bytes, int] = {}

    def feed(self, data: bytes) -> Pressed:
        """Press what these bytes complete."""
        return self._press(self.lines.feed(data))

    def finish(self) -> Pressed:
        """Press what the end of the file completes."""
        return self._press(self.lines.finish())

    def press_lines(self, lines: Sequence[tuple[int, str]]) -> Pressed:
        """Press codes that are normalised already."""
        return self._press(Block(list(lines), []))

    def _press(self, block: Block) -> Pressed:
        pressed = Pressed([], block.refused)
        if not block.codes:
            return pressed
        seen, fingerprint_of, exact_of = self._seen, self._keys.code_fingerprint, self._keys.exact_fingerprint
        header, encrypt = self._keys.code_sealer()
        # One draw for all salts and nonces of the block: a system call for each would cost more than the encryption.
        chance = secrets.token_bytes((SALT_BYTES + NONCE_BYTES) * len(block.codes))
        at = 0
        for line_no, text in block.codes:
            fingerprint = fingerprint_of(text)
            first = seen.setdefault(fingerprint, line_no)
            if first != line_no:
                pressed.refused.append(RefusedLine(line_no, Reason.DUPLICATE_IN_FILE, masked(text), first))
                continue
            salt, nonce = chance[at : at + SALT_BYTES], chance[at + SALT_BYTES : at + SALT_BYTES + NONCE_BYTES]
            at += SALT_BYTES + NONCE_BYTES
            uuid = uuid_utils.uuid7()
            code_id = uuid.bytes
            digest = commitment_digest(salt, str(uuid), text)
            sealed = header + nonce + encrypt(nonce, salt + text.encode("utf-8"), code_id)
            exact, leaf = exact_of(text), leaf_hash(digest)
            pressed.codes.append(PressedCode(line_no, fingerprint, code_id, sealed, digest, leaf, text, exact))
        return pressed
