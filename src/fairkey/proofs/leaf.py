"""The public bytes of one event and their leaf hash.

The leaf is canonical JSON (RFC 8785: keys sorted, no spaces, shortest escapes; only strings, integers, booleans,
arrays and objects occur). Sealed fields appear as digests of SD-JWT-style disclosures (RFC 9901). `prev` is the leaf
hash of the
stream's event before, so that a hidden event shows as a gap. The hash is RFC 6962's: SHA-256 over 0x00 and the bytes.
"""

import hashlib
import hmac
from typing import NamedTuple

import msgspec

from fairkey.business.basics import Event, Stream

from .commitments import commitment

LEAF_VERSION = 1
SALT_BYTES = 16


class Leaf(NamedTuple):
    """What one event becomes: bytes for everybody, and the plaintexts that stay apart."""

    body: bytes
    hash: bytes
    sealed: dict[str, str]


def leaf_of(stream: Stream, version: int, event: Event, at_ms: int, prev: bytes, sealing_key: bytes) -> Leaf:
    """The leaf of `event`, which is number `version` of `stream`.

    `sealing_key` is 32 random bytes for this event alone; whoever erases it (and the plaintexts) leaves digests that
    nobody can test a guess against.
    """
    public, sealed = event, {}
    if event.sealed:
        values = msgspec.to_builtins(event)
        sealed = {name: text for name in sorted(event.sealed) if (text := values.pop(name))}
        public = values
    body = msgspec.json.encode(
        {
            "at": at_ms,
            "kind": event.kind,
            "prev": prev.hex(),
            "public": public,
            "sealed": {
                name: commitment(salt_of(sealing_key, name), name, text)[0].hex() for name, text in sealed.items()
            },
            "shop": stream.shop_id,
            "stream": f"{stream.kind}:{stream.id}",
            "v": LEAF_VERSION,
            "version": version,
        },
        order="sorted",
    )
    return Leaf(body, hashlib.sha256(b"\x00" + body).digest(), sealed)


def salt_of(sealing_key: bytes, name: str) -> bytes:
    """The salt of one sealed field: derived, so that erasing one key erases all salts of the event."""
    return hmac.digest(sealing_key, name.encode(), "sha256")[:SALT_BYTES]
