"""Which versions of the standard are in force, and since when. A version is published once and never changed.

What a version says is data (`standard/`); here is only that it was published, under which hash, and from when on.
"""

from collections.abc import Iterable
from typing import assert_never

from msgspec import Struct

from .basics import Command, Event, Refusal, require, require_text

STANDARD_ID = "00000000-0000-7000-8000-00000000af01"  # the one stream of FK-AF-1
SHA256_DIGITS = 64


class StandardPublished(Event, frozen=True):
    """Orders placed from `in_force_from_ms` on are judged by this version; `sha256` names the exact bytes."""

    kind = "standard.published"
    name: str
    version: str
    sha256: str
    in_force_from_ms: int


StandardsEvent = StandardPublished


class PublishStandard(Command, frozen=True):
    """Clock: a house has started that holds this version. `in_force_from_ms` 0: from now on."""

    standard_id: str
    name: str
    version: str
    sha256: str
    in_force_from_ms: int = 0


StandardsCommand = PublishStandard


class StandardWasPublished(Refusal):
    """A version is what it was when it was published; other bytes need another number. Details: version, sha256."""


class StandardIsRetroactive(Refusal):
    """No version is in force before it is published, or before the one published before it. Details: from_ms."""


class Published(Struct, frozen=True, kw_only=True):
    """One published version."""

    name: str
    version: str
    sha256: str
    in_force_from_ms: int
    published_at_ms: int


class Standards(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All published versions, in order of publication."""

    published: tuple[Published, ...] = ()


INITIAL = Standards()


def version_for(placed_at_ms: int, published: Iterable[Published]) -> Published | None:
    """The version by which an order placed then is judged: the last that was in force; None if none was yet."""
    in_force = [one for one in published if one.in_force_from_ms <= placed_at_ms]
    return in_force[-1] if in_force else None


def decide(command: StandardsCommand, standards: Standards, brief: None, at_ms: int) -> list[Event]:
    """What follows from `command`, or a `Refusal`. Publishing the same again changes nothing."""
    match command:
        case PublishStandard():
            require_text(command.name, "name", 40, 1)
            require_text(command.version, "version", 20, 1)
            is_hash = len(command.sha256) == SHA256_DIGITS and set(command.sha256) <= set("0123456789abcdef")
            require(is_hash, "sha256", "not_a_hash")
            for one in standards.published:
                if (one.name, one.version) == (command.name, command.version):
                    if one.sha256 != command.sha256:
                        raise StandardWasPublished(version=one.version, sha256=one.sha256)
                    return []
            from_ms = command.in_force_from_ms or at_ms
            earliest_ms = max([at_ms, *(one.in_force_from_ms for one in standards.published)])
            if from_ms < earliest_ms:
                raise StandardIsRetroactive(from_ms=earliest_ms)
            return [
                StandardPublished(
                    name=command.name, version=command.version, sha256=command.sha256, in_force_from_ms=from_ms
                )
            ]
        case _:
            assert_never(command)


def evolve(standards: Standards, event: StandardsEvent, at_ms: int) -> Standards:
    """The published versions after `event`."""
    match event:
        case StandardPublished():
            new = Published(
                name=event.name,
                version=event.version,
                sha256=event.sha256,
                in_force_from_ms=event.in_force_from_ms,
                published_at_ms=at_ms,
            )
            return Standards(published=(*standards.published, new))
        case _:
            assert_never(event)
