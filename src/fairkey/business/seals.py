"""That a list of sealed evidence existed by now: its SHA-256 in the public log, said by anybody about any purchase.

Nothing else is known or said: not whose list it is, not what it names. The id of the history follows from the hash, so
that the same list is one history, however often and by whomever it is sent.
"""

import re
from typing import Final

from msgspec import Struct

from .basics import PLATFORM, Command, Event, Refusal, Stream, invariant, require

_HASH: Final = re.compile(r"[0-9a-f]{64}")
_HASH_HALF: Final = 32


class EvidenceSealed(Event, frozen=True):
    """Somebody holds bytes with this SHA-256 (hexadecimal), and held them by the moment of this fact."""

    kind = "evidence.sealed"
    sha256: str


SealEvent = EvidenceSealed


class SealEvidence(Command, frozen=True):
    """Anybody: a list of what was sealed has this SHA-256. `seal_id` is `seal_id_of` it."""

    seal_id: str
    sha256: str


SealCommand = SealEvidence


class SealIsTaken(Refusal):
    """The history that this hash leads to holds another one: half of both is the same, which nobody meets by chance."""


class Seal(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The hash of one list; empty: it was never sent."""

    sha256: str = ""
    at_ms: int = 0


INITIAL = Seal()


def seal_id_of(sha256: str) -> str:
    """The id of a hash's history: a UUID of version 8 (RFC 9562 5.8) out of its first half. Raises `FieldIsInvalid`."""
    require(_HASH.fullmatch(sha256) is not None, "sha256", "not_a_hash")
    half = bytearray.fromhex(sha256[:_HASH_HALF])
    half[6] = half[6] & 0x0F | 0x80
    half[8] = half[8] & 0x3F | 0x80
    text = half.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def stream_of(sha256: str) -> Stream:
    """Where a hash is told of. Raises `FieldIsInvalid`."""
    return Stream(PLATFORM, "seal", seal_id_of(sha256))


def decide(command: SealCommand, seal: Seal, brief: None, at_ms: int) -> list[Event]:
    """What follows from `command`: the fact, nothing where it was told before, or a `Refusal`."""
    invariant(command.seal_id == seal_id_of(command.sha256), "the id of a seal is that of its hash")
    if not seal.sha256:
        return [EvidenceSealed(sha256=command.sha256)]
    if seal.sha256 != command.sha256:
        raise SealIsTaken
    return []


def evolve(seal: Seal, event: SealEvent, at_ms: int) -> Seal:
    """The seal after `event`."""
    del seal
    return Seal(sha256=event.sha256, at_ms=at_ms)
