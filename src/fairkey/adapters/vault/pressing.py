"""The computing part of an import: from bytes to sealed rows. Runs in a thread, touches neither database nor event
loop.
"""

import secrets
from collections.abc import Sequence
from typing import NamedTuple

import uuid_utils

from fairkey.adapters.vault.keys import Keys
from fairkey.adapters.vault.wrapping import NONCE_BYTES
from fairkey.business.code_lines import Block, CodeLines, Reason, RefusedLine, masked
from fairkey.proofs.commitments import SALT_BYTES, commitment_digest
from fairkey.proofs.merkle import leaf_hash

COMMITTED_NAME = "code"  # the name in the disclosure of a code


class PressedCode(NamedTuple):
    """One code, sealed and committed to. The text is kept for its masked hint, should it turn out to be a duplicate."""

    line_no: int
    fingerprint: bytes
    code_id: bytes
    sealed: bytes
    commitment: bytes
    leaf: bytes
    text: str


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
        seen, fingerprint_of = self._seen, self._keys.code_fingerprint
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
            code_id = uuid_utils.uuid7().bytes
            digest = commitment_digest(salt, COMMITTED_NAME, text)
            sealed = header + nonce + encrypt(nonce, salt + text.encode("utf-8"), code_id)
            pressed.codes.append(PressedCode(line_no, fingerprint, code_id, sealed, digest, leaf_hash(digest), text))
        return pressed
