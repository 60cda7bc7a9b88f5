"""Issuers and what they attested, as the operator, the parties of an order and programs ask for it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from fairkey.business.basics import Stream
from fairkey.business.issuers import Issuer
from fairkey.business.outages import Outages


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerRecord:
    """One issuer as he stands now."""

    issuer_id: str
    issuer: Issuer
    outages: Outages = field(default_factory=Outages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """How often buyers of a shop complained that codes of a product do not work."""

    product: str
    shop_id: str
    complaints: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedCode:
    """Where a code lies whose plaintext somebody named."""

    shop_id: str
    code_id: str
    listing_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestationLine:
    """One attestation. `happened_at_ms` 0: it tells no moment. `account` and `reason`: only for the parties."""

    code_id: str
    number: int
    version: int
    says: str
    how: str
    word: str
    issuer_id: str
    issuer_name: str
    in_scope: bool
    happened_at_ms: int
    said_at_ms: int
    recorded_at_ms: int
    conflict: str
    conflicts_with: tuple[int, ...]
    leaf_hash: str
    account: str = ""
    reason: str = ""


class IssuerBook(Protocol):
    """Questions about issuers."""

    async def issuers(self) -> list[IssuerRecord]:
        """All issuers, the longest registered first."""

    async def find(self, issuer_id: str) -> IssuerRecord | None:
        """One issuer."""

    async def api_of(self, issuer_id: str) -> tuple[str, str] | None:
        """(address, token) of his licence API; `None` if he has none or they were erased."""

    async def named(self, fingerprints: Sequence[bytes]) -> dict[bytes, NamedCode]:
        """The registered codes that have these fingerprints."""

    async def attestations(
        self, shop_id: str, code_ids: Sequence[str], *, with_sealed: bool = False
    ) -> list[AttestationLine]:
        """What issuers said of these codes, in order of recording."""

    async def failures(self, from_ms: int, until_ms: int) -> list[Failures]:
        """Complaints of the reason `not_valid` opened in this time, by product and shop."""

    async def waiting_orders(
        self, after: tuple[int, str], *, until_ms: int, lines_max: int
    ) -> list[tuple[Stream, int]]:
        """Orders with the moment of their deadline, where it is one that an outage moves: those that come after
        (moment, order id) `after`, up to `until_ms`, in this order.
        """
