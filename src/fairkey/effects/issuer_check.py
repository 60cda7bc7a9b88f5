"""Asking an issuer's licence API about one code, now. What is outside; the adapters stand in `adapters/issuers/`."""

from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceApi:
    """Where an issuer answers. `token` is secret and never written anywhere in clear."""

    url: str
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerAnswer:
    """What he answered. `says`: activated, unused, revoked, or unclear with a `word` (unknown, expired, valid, other).

    `shown`: his own words, cleaned: never the code, nothing but short plain words. `response_sha256`: of the exact
    bytes that came; as they may hold the code, they are not kept.
    """

    says: Literal["activated", "unused", "revoked", "unclear"]
    word: Literal["", "unknown", "expired", "valid", "other"]
    shown: str
    response_sha256: str


class IssuerDoesNotAnswerNow(Exception):
    """No usable answer: connection, time, size, status, shape. The argument says what, without address or code."""


class IssuerCheck(Protocol):
    """Asks about a code. Safe to repeat: asking changes nothing at the issuer's."""

    async def ask(self, api: LicenceApi, code: str) -> IssuerAnswer:
        """His answer. Raises `IssuerDoesNotAnswerNow`."""
        ...
