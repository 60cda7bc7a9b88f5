"""Issuers: who makes codes and says what became of them. Registered by the operator, with the key they sign with.

An issuer's signature counts under the key that is his now, and for a day under the one before: a rotation loses nothing
that is on its way. Facts signed long ago stay: each names the number of its key, and all keys are public.
"""

import re
import unicodedata
from enum import StrEnum
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from .basics import DAY_MS, Command, Event, Refusal, require, require_text

OLD_KEY_FOR_MS = DAY_MS
BRANDS_MAX = 100

_KEY = re.compile("[0-9a-f]{64}")
# Points of small order: under such a key a signature can be made by anybody. The sign bit is left out.
_WEAK_KEYS = frozenset(
    {
        "00" * 32,
        "01" + "00" * 31,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
    }
)


class IssuerStanding(StrEnum):
    """Whether an issuer's word is taken."""

    NONE = "none"
    ACTIVE = "active"
    SUSPENDED = "suspended"


class IssuerRegistered(Event, frozen=True):
    """The operator has checked who this is. Key number 1 is `public_key` (Ed25519, hex)."""

    kind = "issuer.registered"
    sealed = frozenset({"contact"})
    name: str
    public_key: str
    speaks_for: tuple[str, ...]
    contact: str


class IssuerKeyRotated(Event, frozen=True):
    """He signs with another key from now on; the one before counts until `old_key_until_ms`."""

    kind = "issuer.key_rotated"
    key_no: int
    public_key: str
    old_key_until_ms: int


class IssuerScopeChanged(Event, frozen=True):
    """For which products and brands he speaks from now on."""

    kind = "issuer.scope_changed"
    speaks_for: tuple[str, ...]


class IssuerApiChanged(Event, frozen=True):
    """Where his licence API answers, or (`has_api` false) that there is none any more."""

    kind = "issuer.api_changed"
    sealed = frozenset({"url", "token"})
    has_api: bool
    url: str
    token: str


class IssuerSuspended(Event, frozen=True):
    """Nothing he says is taken from now on."""

    kind = "issuer.suspended"
    sealed = frozenset({"reason"})
    reason: str


class IssuerReinstated(Event, frozen=True):
    """His word is taken again."""

    kind = "issuer.reinstated"
    sealed = frozenset({"reason"})
    reason: str


IssuerEvent = (
    IssuerRegistered
    | IssuerKeyRotated
    | IssuerScopeChanged
    | IssuerApiChanged
    | IssuerSuspended
    | IssuerReinstated
)


class RegisterIssuer(Command, frozen=True):
    """Operator. `speaks_for`: words of which one stands in the name of every product that he makes."""

    issuer_id: str
    name: str
    public_key: str
    speaks_for: tuple[str, ...]
    contact: str


class RotateIssuerKey(Command, frozen=True):
    """Operator. `at_once`: the old key is in wrong hands and counts no more."""

    issuer_id: str
    public_key: str
    at_once: bool


class ChangeIssuerScope(Command, frozen=True):
    """Operator."""

    issuer_id: str
    speaks_for: tuple[str, ...]


class ChangeIssuerApi(Command, frozen=True):
    """Operator: the address under which codes are asked about, and the token for it; both empty: none."""

    issuer_id: str
    url: str
    token: str


class SuspendIssuer(Command, frozen=True):
    """Operator, with the reason."""

    issuer_id: str
    reason: str


class ReinstateIssuer(Command, frozen=True):
    """Operator, with the reason."""

    issuer_id: str
    reason: str


IssuerCommand = RegisterIssuer | RotateIssuerKey | ChangeIssuerScope | ChangeIssuerApi | SuspendIssuer | ReinstateIssuer


class IssuerIsInAnotherStanding(Refusal):
    """Details: standing."""


class IssuerKeyIsTaken(Refusal):
    """A key that was once his does not come back."""


class IssuerKey(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One of his keys. `until_ms` 0: it is the present one."""

    key_no: int
    public_key: str
    since_ms: int
    until_ms: int = 0


class Issuer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One issuer."""

    standing: IssuerStanding = IssuerStanding.NONE
    name: str = ""
    keys: tuple[IssuerKey, ...] = ()
    speaks_for: tuple[str, ...] = ()
    has_api: bool = False
    registered_at_ms: int = 0
    suspended_because: str = ""

    @property
    def is_active(self) -> bool:
        """Is his word taken?"""
        return self.standing is IssuerStanding.ACTIVE

    def takes_key(self, key_no: int, at_ms: int) -> bool:
        """Whether a signature under this key counts now."""
        return any(one.key_no == key_no and (not one.until_ms or at_ms < one.until_ms) for one in self.keys)

    def makes(self, product: str) -> bool:
        """Whether he speaks for a product of this name."""
        name = _plain(product)
        return any(_plain(word) in name for word in self.speaks_for)


INITIAL = Issuer()


def decide(command: IssuerCommand, issuer: Issuer, brief: None, at_ms: int) -> list[Event]:
    """What follows from `command` for this issuer, or a `Refusal`."""
    if isinstance(command, RegisterIssuer):
        _require(issuer, IssuerStanding.NONE)
    elif issuer.standing is IssuerStanding.NONE:
        raise IssuerIsInAnotherStanding(standing=issuer.standing.value)
    match command:
        case RegisterIssuer():
            require_text(command.name, "name", 60, 2)
            require("\n" not in command.name, "name", "control_characters")
            require_text(command.contact, "contact", 254, 3)
            _check_key(command.public_key)
            return [
                IssuerRegistered(
                    name=command.name,
                    public_key=command.public_key,
                    speaks_for=_checked_scope(command.speaks_for),
                    contact=command.contact,
                )
            ]
        case RotateIssuerKey():
            _check_key(command.public_key)
            if any(one.public_key == command.public_key for one in issuer.keys):
                raise IssuerKeyIsTaken
            until_ms = at_ms if command.at_once else at_ms + OLD_KEY_FOR_MS
            key_no = len(issuer.keys) + 1
            return [IssuerKeyRotated(key_no=key_no, public_key=command.public_key, old_key_until_ms=until_ms)]
        case ChangeIssuerScope():
            return [IssuerScopeChanged(speaks_for=_checked_scope(command.speaks_for))]
        case ChangeIssuerApi():
            require_text(command.url, "url", 500)
            require_text(command.token, "token", 2_000)
            require(not command.url or command.url.startswith(("https://", "http://")), "url", "not_an_address")
            require(all("!" <= one <= "~" for one in command.url), "url", "not_an_address")
            require(all("!" <= one <= "~" for one in command.token), "token", "control_characters")
            return [IssuerApiChanged(has_api=bool(command.url), url=command.url, token=command.token)]
        case SuspendIssuer():
            _require(issuer, IssuerStanding.ACTIVE)
            require_text(command.reason, "reason", 2_000, 5)
            return [IssuerSuspended(reason=command.reason)]
        case ReinstateIssuer():
            _require(issuer, IssuerStanding.SUSPENDED)
            require_text(command.reason, "reason", 2_000, 5)
            return [IssuerReinstated(reason=command.reason)]
        case _:
            assert_never(command)


def _check_key(public_key: str) -> None:
    require(_KEY.fullmatch(public_key) is not None, "public_key", "not_a_key")
    sign_free = public_key[:-2] + f"{int(public_key[-2:], 16) & 0x7F:02x}"
    require(sign_free not in _WEAK_KEYS, "public_key", "weak_key")


def _checked_scope(speaks_for: tuple[str, ...]) -> tuple[str, ...]:
    require(0 < len(speaks_for) <= BRANDS_MAX, "speaks_for", "out_of_range")
    for word in speaks_for:
        require_text(word, "speaks_for", 60, 2)
        require(bool(_plain(word)) and "\n" not in word, "speaks_for", "control_characters")
    return tuple(dict.fromkeys(speaks_for))


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _require(issuer: Issuer, standing: IssuerStanding) -> None:
    if issuer.standing is not standing:
        raise IssuerIsInAnotherStanding(standing=issuer.standing.value)


def evolve(issuer: Issuer, event: IssuerEvent, at_ms: int) -> Issuer:
    """The issuer after `event`."""
    match event:
        case IssuerRegistered():
            return Issuer(
                standing=IssuerStanding.ACTIVE,
                name=event.name,
                keys=(IssuerKey(key_no=1, public_key=event.public_key, since_ms=at_ms),),
                speaks_for=event.speaks_for,
                registered_at_ms=at_ms,
            )
        case IssuerKeyRotated():
            until_ms = event.old_key_until_ms
            ended = tuple(
                replace(one, until_ms=min(one.until_ms, until_ms) if one.until_ms else until_ms)
                for one in issuer.keys
            )
            new = IssuerKey(key_no=event.key_no, public_key=event.public_key, since_ms=at_ms)
            return replace(issuer, keys=(*ended, new))
        case IssuerScopeChanged():
            return replace(issuer, speaks_for=event.speaks_for)
        case IssuerApiChanged():
            return replace(issuer, has_api=event.has_api)
        case IssuerSuspended():
            return replace(issuer, standing=IssuerStanding.SUSPENDED, suspended_because=event.reason)
        case IssuerReinstated():
            return replace(issuer, standing=IssuerStanding.ACTIVE, suspended_because="")
        case _:
            assert_never(event)
