"""Events to bytes and back. Old versions of an event are read as new ones here, and nowhere else."""

from collections.abc import Mapping

import msgspec

from fairkey.business.basics import Event
from fairkey.business.files import EVENT_OF_KIND, FILES, File


class _Body(msgspec.Struct):
    kind: str
    at: int
    version: int
    public: dict[str, object]
    sealed: dict[str, str]


def event_from(body: bytes, sealed: Mapping[str, str]) -> tuple[Event, int]:
    """The event that `body` (a leaf) tells, and when it happened; erased sealed fields read as empty text."""
    leaf = msgspec.json.decode(body, type=_Body)
    event_type = EVENT_OF_KIND[leaf.kind]
    hidden = {name: sealed.get(name, "") for name in event_type.sealed}
    return msgspec.convert({**leaf.public, **hidden}, event_type), leaf.at


def encode_file(file: File) -> bytes:
    """The state of a stream as JSON; fields at their defaults are left out."""
    return msgspec.json.encode(file)


def decode_file(kind: str, state: bytes | str) -> File:
    """The state that `encode_file` wrote."""
    return msgspec.json.decode(state, type=FILES[kind])
