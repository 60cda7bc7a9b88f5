"""What may be asked about single codes by those who hold them, and about the codes behind a listing by anybody.

Codes are found by the keyed hash of their text and by nothing else. Moments are milliseconds UTC.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from fairkey.business.basics import Stream


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFact:
    """One event in which a code plays a part; `public` are its public fields."""

    stream: Stream
    version: int
    kind: str
    at_ms: int
    public: dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedCode:
    """A registered code. `batch_id` and `place` (from 0) are None for one typed at delivery.

    `order_id` and `revision`: of the order that holds it now. `disclosure` is empty when its salt was erased.
    `facts` are in the order in which they were recorded.
    """

    shop_id: str
    code_id: str
    listing_id: str
    batch_id: str | None
    place: int | None
    stage: str
    order_id: str | None
    revision: int | None
    deposited_at_ms: int | None
    disclosure: str
    facts: tuple[CodeFact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BackingBatch:
    """A batch of which `free` codes back a listing now. `log_index` None: no place in the log yet.

    `doubted_at_ms`: when a ruling took it off sale (0: never); what is free of it was let back since.
    """

    batch_id: str
    free: int
    count: int
    root: str
    source: str
    invoice_sha256: str
    is_attested: bool
    registered_at_ms: int
    log_index: int | None
    is_published: bool
    doubted_at_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StockProof:
    """Everything that backs a listing at one moment. `stock` is the number the store shows, of the same moment."""

    stock: int
    batches: tuple[BackingBatch, ...] = field(default=())

    @property
    def free(self) -> int:
        """Committed codes that were never delivered and are for sale."""
        return sum(batch.free for batch in self.batches)


class CommittedCode(Protocol):
    """One leaf of a batch's tree."""

    @property
    def code_id(self) -> str:
        """The code's id."""

    @property
    def commitment(self) -> bytes:
        """Its 32-byte digest."""


class CodeTraces(Protocol):
    """Tracing codes."""

    async def find(self, text: str) -> TracedCode | None:
        """The registered code with this text. Takes the same way for every text that is not found, whatever it is:
        one keyed hash, one query; texts too short to be looked for are looked for under a hash that nothing has.
        """

    async def committed(self, shop_id: str, batch_id: str) -> Sequence[CommittedCode]:
        """The leaves of a registered batch, in order of their places; empty when there is no such batch."""

    async def stock(self, shop_id: str, listing_id: str) -> StockProof:
        """What backs a listing: one query, so the parts are the whole."""
