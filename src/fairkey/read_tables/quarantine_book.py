"""Batches that a ruling took off sale: what waits, what issuers said, what the shop asked and a person answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from fairkey.business.batches import Batch

ReviewState = Literal["asked", "granted", "refused", "lapsed", "over"]
"""How a review stands; `over`: another ruling overtook it, or its codes left."""


class Look(NamedTuple):
    """Codes of a batch that an issuer has spoken of, and that may come back or must wait again."""

    batch_id: str
    code_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """A ruling that took the batch off sale."""

    order_id: str
    row: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A review that the shop asked for. `reason` is what the person wrote; empty while he has not."""

    request_no: int
    state: ReviewState
    asked_at_ms: int
    review_by_ms: int
    held: int
    invoice_sha256: str
    grounds: str
    reason: str = ""
    answered_at_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a batch stands that a ruling took off sale at least once; numbers are codes, except where said.

    `vouched`: held, and its issuer signed after the last ruling that it is unused. `against`: held, and an issuer
    called it activated or revoked. `came_by_issuer`, `came_by_review`: back since the last ruling. `exported`: of the
    held ones.
    """

    shop_id: str
    shop_no: int
    shop_name: str
    batch_id: str
    product: str
    invoice_sha256: str  # deposited with the batch; may be empty
    batch: Batch
    stages: dict[str, int]
    rulings: Sequence[Ruling]
    vouched: int
    against: int
    exported: int
    came_by_issuer: int
    came_by_review: int
    reviews: Sequence[Review]

    @property
    def held(self) -> int:
        """Codes that wait."""
        return self.batch.quarantine.held_count

    @property
    def review(self) -> Review | None:
        """The last one; None: none was asked for."""
        return self.reviews[-1] if self.reviews else None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRecord:
    """How buyers fared with a batch: codes opened, orders complained about, orders with money back."""

    opened: int
    complained: int
    refunded: int


class QuarantineBook(Protocol):
    """Questions about batches that a ruling took off sale."""

    async def to_look_at(
        self, shop_id: str, code_id: str | None, *, codes_max: int, after: tuple[str, str] | None = None
    ) -> list[Look]:
        """Codes that issuers have spoken of: this one with what else of its batch waits behind it, or (None) any of the
        shop, by batch and code, past `after`. Empty where there is nothing to look at.
        """

    async def standing(self, shop_id: str, batch_id: str) -> Standing | None:
        """How a batch stands; None where no ruling took it off sale."""

    async def requests(self) -> list[Standing]:
        """Batches whose shops wait for a person, the most urgent first."""

    async def record(self, shop_id: str, batch_id: str) -> BatchRecord:
        """How buyers fared with a batch."""
