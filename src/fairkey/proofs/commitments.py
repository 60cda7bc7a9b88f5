"""Commitments to single values: a stranger can check a value he is shown, and cannot guess one he is not shown.

The form is that of SD-JWT disclosures (RFC 9901 section 4.2): the disclosure is base64url of the JSON array
`[salt, name, value]`, the digest is SHA-256 of the ASCII bytes of that string. The JSON is written without spaces and
escapes only what it must (RFC 8785), so the holder of salt, name and value can make the same string again.
"""

import hmac
from base64 import urlsafe_b64decode
from binascii import b2a_base64
from hashlib import sha256
from json import JSONDecodeError, loads
from json.encoder import encode_basestring
from typing import NamedTuple

SALT_BYTES = 16  # 128 bits per value: amounts, types and short codes are guessable without it
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


class Disclosed(NamedTuple):
    """What a disclosure says once it was checked against its digest."""

    salt: bytes
    name: str
    value: str


class DisclosureDoesNotFit(Exception):
    """The disclosure is not the one that was committed to, or is no disclosure at all."""


def commitment(salt: bytes, name: str, value: str) -> tuple[bytes, str]:
    """Commit to `value` under `name`: the 32-byte digest to publish, and the disclosure to keep.

    `salt` is at least 16 random bytes, used for this one value only; shorter ones raise ValueError.
    `value` must be encodable as UTF-8 (no lone surrogates).
    """
    disclosure = _disclosure(salt, name, value)
    return sha256(disclosure).digest(), disclosure.decode("ascii")


def commitment_digest(salt: bytes, name: str, value: str) -> bytes:
    """The digest of `commitment` alone: for committing by the ten thousand, and for checking what one holds."""
    return sha256(_disclosure(salt, name, value)).digest()


def _disclosure(salt: bytes, name: str, value: str) -> bytes:
    if len(salt) < SALT_BYTES:
        raise ValueError(f"a salt has at least {SALT_BYTES} bytes")
    salt_text = _base64url(salt).decode("ascii")
    return _base64url(f'["{salt_text}",{encode_basestring(name)},{encode_basestring(value)}]'.encode())


def _base64url(data: bytes) -> bytes:
    # Three calls into C; `base64.urlsafe_b64encode` takes twice the time for values of this size.
    return b2a_base64(data, newline=False).translate(_URL_SAFE).rstrip(b"=")


def check_disclosure(disclosure: str, digest: bytes) -> Disclosed:
    """Read a disclosure that somebody shows for a published `digest`; `DisclosureDoesNotFit` when it is another."""
    try:
        ascii_bytes = disclosure.encode("ascii")
        if not hmac.compare_digest(sha256(ascii_bytes).digest(), digest):
            raise DisclosureDoesNotFit
        parts = loads(_from_base64url(ascii_bytes))
        salt_text, name, value = parts
        if not (isinstance(parts, list) and isinstance(name, str) and isinstance(value, str)):
            raise DisclosureDoesNotFit
        return Disclosed(_from_base64url(salt_text.encode("ascii")), name, value)
    except (JSONDecodeError, UnicodeError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise DisclosureDoesNotFit from error


def _from_base64url(text: bytes) -> bytes:
    return urlsafe_b64decode(text + b"=" * (-len(text) % 4))
