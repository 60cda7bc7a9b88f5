"""Signed notes (C2SP signed-note v1.0.0): a text, and lines that say whose signatures stand under it.

Key kinds: Ed25519 (0x01) signs the text itself, a timestamped Ed25519 cosignature (0x04, C2SP tlog-cosignature) a
moment and the text. Lines of other kinds and of unknown keys are passed over, as the specification wants it.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ED25519: Final = 0x01
COSIGNATURE: Final = 0x04
KEY_KINDS: Final = (ED25519, COSIGNATURE)
PUBLIC_KEY_BYTES: Final = 32
KEY_ID_BYTES: Final = 4
TIMESTAMP_BYTES: Final = 8
ED25519_SIGNATURE_BYTES: Final = 64
NOTE_BYTES_MAX: Final = 1_000_000
SIGNATURES_MAX: Final = 100
TIMESTAMP_MAX: Final = 2**63 - 1

_LINE_START: Final = "\u2014 ".encode()
_NAME: Final = re.compile(r"[^\s+]+")


class NoteIsMalformed(Exception):
    """The bytes are no signed note. The argument is a sentence that says what is wrong."""


class NoteIsNotSigned(Exception):
    """No known key signed the note, or a known key's signature does not fit. The argument says which."""


class KeyIsMalformed(Exception):
    """The text is no key of a kind we know. The argument is a sentence that says what is wrong."""


class VerifierKey(NamedTuple):
    """A public key with the name it signs under; what C2SP calls a vkey."""

    name: str
    kind: int
    public: bytes

    @property
    def key_id(self) -> bytes:
        """Four bytes that say which key of this name signed."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:KEY_ID_BYTES]

    def __str__(self) -> str:
        """As one line of text: name, key id, kind and key."""
        encoded = b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"


class Signature(NamedTuple):
    """One signature line: who says he signed, with which key, and what follows the key id."""

    name: str
    key_id: bytes
    payload: bytes


class Note(NamedTuple):
    """A text (ends in a line feed) and its signature lines, none of them verified yet."""

    text: bytes
    signatures: tuple[Signature, ...]

    def encode(self) -> bytes:
        """The note's bytes."""
        return self.text + b"\n" + b"".join(signature_line(one) for one in self.signatures)


class SignerKey(NamedTuple):
    """A private key with its name. Never shown: its repr has the name only."""

    verifier: VerifierKey
    private: Ed25519PrivateKey

    def __repr__(self) -> str:
        return f"SignerKey({self.verifier.name!r})"


def signer_key(name: str, seed: bytes, kind: int = ED25519) -> SignerKey:
    """The key made from 32 secret bytes. Raises `KeyIsMalformed` for a name that cannot be one."""
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return SignerKey(VerifierKey(_checked_name(name), kind, public), private)


def read_vkey(text: str) -> VerifierKey:
    """The key that one line of text tells. Raises `KeyIsMalformed`."""
    name, _, rest = text.strip().partition("+")
    key_id_hex, _, encoded = rest.partition("+")
    try:
        raw = b64decode(encoded, validate=True)
    except (NotBase64, ValueError):
        raise KeyIsMalformed(f"the key of {name!r} is not base64") from None
    if len(raw) != 1 + PUBLIC_KEY_BYTES or raw[0] not in KEY_KINDS:
        raise KeyIsMalformed(f"the key of {name!r} is of a kind this program does not know")
    key = VerifierKey(_checked_name(name), raw[0], raw[1:])
    if key_id_hex != key.key_id.hex():
        raise KeyIsMalformed(f"the key of {name!r} does not fit its key id: a character was lost or changed")
    return key


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name) or not name.isprintable():
        raise KeyIsMalformed("a key's name has no spaces and no '+', and is not empty")
    return name


def sign_note(text: bytes, key: SignerKey) -> Signature:
    """The plain signature (kind 0x01) of `key` under `text`."""
    return Signature(key.verifier.name, key.verifier.key_id, key.private.sign(text))


def cosign_note(text: bytes, key: SignerKey, at_s: int) -> Signature:
    """The cosignature (kind 0x04) of `key` under `text` at `at_s` seconds since the epoch."""
    payload = at_s.to_bytes(TIMESTAMP_BYTES, "big") + key.private.sign(_cosigned(text, at_s))
    return Signature(key.verifier.name, key.verifier.key_id, payload)


def _cosigned(text: bytes, at_s: int) -> bytes:
    return b"cosignature/v1\ntime %d\n%s" % (at_s, text)


def signature_line(signature: Signature) -> bytes:
    """One line as it stands in a note."""
    encoded = b64encode(signature.key_id + signature.payload)
    return b"%s%s %s\n" % (_LINE_START, signature.name.encode(), encoded)


def read_note(data: bytes) -> Note:
    """Split a note's bytes into text and signature lines. Raises `NoteIsMalformed`."""
    if len(data) > NOTE_BYTES_MAX:
        raise NoteIsMalformed("the note is too long")
    split = data.rfind(b"\n\n")
    if split < 0:
        raise NoteIsMalformed("the note has no blank line before its signatures")
    text, lines = data[: split + 1], data[split + 2 :]
    try:
        text.decode()
    except UnicodeDecodeError:
        raise NoteIsMalformed("the note is not UTF-8") from None
    if any(byte < 0x20 and byte != 0x0A for byte in text):  # noqa: PLR2004 - ASCII control characters but line feed
        raise NoteIsMalformed("the note's text has control characters")
    return Note(text, read_signature_lines(lines))


def read_signature_lines(lines: bytes) -> tuple[Signature, ...]:
    """Signature lines, one or more, as a witness answers them too. Raises `NoteIsMalformed`."""
    if not lines.endswith(b"\n"):
        raise NoteIsMalformed("the signature lines do not end in a line feed")
    parts = lines[:-1].split(b"\n")
    if len(parts) > SIGNATURES_MAX:
        raise NoteIsMalformed("the note has too many signatures")
    return tuple(_signature_of(line) for line in parts)


def _signature_of(line: bytes) -> Signature:
    name_bytes, space, encoded = line.removeprefix(_LINE_START).partition(b" ")
    try:
        name = name_bytes.decode()
        raw = b64decode(encoded, validate=True)
    except (NotBase64, ValueError):
        raise NoteIsMalformed("a signature line is not UTF-8 and base64") from None
    if not line.startswith(_LINE_START) or not space or not _NAME.fullmatch(name) or len(raw) <= KEY_ID_BYTES:
        raise NoteIsMalformed("a signature line has not the form of one")
    return Signature(name, raw[:KEY_ID_BYTES], raw[KEY_ID_BYTES:])


class Verified(NamedTuple):
    """A signature that fits. `at_s` is the cosigner's time, None for a plain signature."""

    key: VerifierKey
    at_s: int | None


def verified_signatures(note: Note, keys: Iterable[VerifierKey]) -> list[Verified]:
    """The signatures by `keys`, in the note's order, each key once. Lines of others are passed over.

    Raises `NoteIsNotSigned` when a line of one of `keys` does not verify: such a note was tampered with.
    """
    known = {(key.name, key.key_id): key for key in keys}
    verified: dict[VerifierKey, Verified] = {}
    for line in note.signatures:
        key = known.get((line.name, line.key_id))
        if key is None:
            continue
        at_s = _verify(note.text, line, key)
        verified.setdefault(key, Verified(key, at_s))
    return list(verified.values())


def _verify(text: bytes, line: Signature, key: VerifierKey) -> int | None:
    payload, at_s, signed = line.payload, None, text
    if key.kind == COSIGNATURE:
        at_s = int.from_bytes(payload[:TIMESTAMP_BYTES], "big")
        payload, signed = payload[TIMESTAMP_BYTES:], _cosigned(text, at_s)
    if len(payload) != ED25519_SIGNATURE_BYTES or (at_s is not None and at_s > TIMESTAMP_MAX):
        raise NoteIsNotSigned(f"the signature of {key.name} has not the form of one")
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(payload, signed)
    except InvalidSignature:
        raise NoteIsNotSigned(f"the signature of {key.name} does not fit: the text is not what was signed") from None
    return at_s


def with_signatures(note: Note, more: Sequence[Signature]) -> Note:
    """The note with further lines under it; a line that is there already is not doubled."""
    return note._replace(signatures=tuple(dict.fromkeys((*note.signatures, *more))))
