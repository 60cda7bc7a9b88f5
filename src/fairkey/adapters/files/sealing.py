"""A file encrypted piece by piece: AES-256-GCM over 64 KiB at a time (the STREAM construction of Hoang, Reyhanitabar,
Rogaway and Vizár, 2015).

A sealed file: version (1 byte), then the pieces, each with its tag of 16 bytes. The nonce of a piece is its number (11
bytes, big-endian) and whether it is the last (1 byte), so that none can be moved, left out, or cut off at the end. A
nonce may be a number because every file has a key of its own that seals nothing else.
"""

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fairkey.engine.evidence_port import EvidenceIsChanged

PIECE_BYTES: Final = 64 * 1024
VERSION: Final = b"\x01"
_SEALED_BYTES: Final = PIECE_BYTES + 16
_CONTEXT: Final = b"fairkey evidence 1"


class Sealing:
    """Turns a file into its sealed form as it passes."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._held = bytearray()
        self._number = 0
        self._begin = VERSION

    def feed(self, plaintext: bytes) -> bytes:
        """Sealed bytes that are ready now. A whole piece is held back: it may be the last."""
        self._held += plaintext
        sealed = bytearray(self._begin)
        self._begin = b""
        while len(self._held) > PIECE_BYTES:
            sealed += self._seal(bytes(self._held[:PIECE_BYTES]), last=False)
            del self._held[:PIECE_BYTES]
        return bytes(sealed)

    def finish(self) -> bytes:
        """The last sealed bytes."""
        return self._begin + self._seal(bytes(self._held), last=True)

    def _seal(self, piece: bytes, *, last: bool) -> bytes:
        nonce = _nonce(self._number, last=last)
        self._number += 1
        return self._cipher.encrypt(nonce, piece, _CONTEXT)


class Opening:
    """Turns a sealed file back. Raises `EvidenceIsChanged` at the first piece that is not as it was sealed."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._held = bytearray()
        self._number = 0
        self._begun = False

    def feed(self, sealed: bytes) -> bytes:
        """Plaintext that is authentic."""
        self._held += sealed
        if not self._begun and self._held:
            if self._held[:1] != VERSION:
                raise EvidenceIsChanged
            del self._held[:1]
            self._begun = True
        opened = bytearray()
        while len(self._held) > _SEALED_BYTES:
            opened += self._open(bytes(self._held[:_SEALED_BYTES]), last=False)
            del self._held[:_SEALED_BYTES]
        return bytes(opened)

    def finish(self) -> bytes:
        """The last plaintext; the file is whole."""
        return self._open(bytes(self._held), last=True)

    def _open(self, piece: bytes, *, last: bool) -> bytes:
        try:
            opened = self._cipher.decrypt(_nonce(self._number, last=last), piece, _CONTEXT)
        except (InvalidTag, ValueError):
            raise EvidenceIsChanged from None
        self._number += 1
        return opened


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")
