"""What the two sides of an order see of it."""

from dataclasses import dataclass
from typing import Protocol

from fairkey.business.files import OrderFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One event of the order's stream, as a line of its timeline. `sealed` is empty unless asked for."""

    version: int
    kind: str
    at_ms: int
    leaf_hash: str
    public: dict[str, object]
    sealed: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRecord:
    """One order whole. `terms_json` are the terms of the very revision it was placed on."""

    shop_id: str
    order_id: str
    shop_no: int
    shop_name: str
    version: int
    file: OrderFile
    terms_json: str
    created_at_ms: int
    changed_at_ms: int
    due_at_ms: int | None
    due_what: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """One order in a list."""

    shop_id: str
    order_id: str
    shop_no: int
    shop_name: str
    product: str
    stage: str
    quantity: int
    amount_fen: int
    created_at_ms: int
    due_at_ms: int | None
    due_what: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLine:
    """One order that has not ended. `complaint`: the stage of its complaint."""

    order_id: str
    stage: str
    complaint: str


class OrderBook(Protocol):
    """Orders as their parties see them. Whether somebody may see one is decided at the door."""

    async def find(self, shop_id: str, order_id: str) -> OrderRecord | None:
        """One order, or `None`."""

    async def facts(self, shop_id: str, order_id: str, *, with_sealed: bool = False) -> list[Fact]:
        """Its events in order; `with_sealed` opens contact and texts too."""

    async def versions(self, orders: list[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """How many facts each order (shop id, order id) has by now: cheap, for pages that follow orders live."""

    async def commitments(self, shop_id: str, code_ids: list[str]) -> dict[str, str]:
        """What each code was committed to when it went into the vault (hex); never the code."""

    async def contact_of(self, shop_id: str, order_id: str) -> str | None:
        """The buyer's e-mail address; `None` if unknown or erased."""

    async def of_account(
        self, account_id: str, *, before_ms: int | None = None, lines_max: int = 30
    ) -> list[OrderLine]:
        """An account's orders, newest first."""

    async def of_ids(self, ids: list[tuple[str, str]]) -> list[OrderLine]:
        """These orders (shop id, order id), newest first; unknown ones are left out."""

    async def under_way(self, shop_id: str, *, after_id: str, lines_max: int) -> list[OpenLine]:
        """Orders of a shop that have not ended, by id, those after `after_id` (empty: from the first)."""

    async def completed(self, shop_id: str, *, since_ms: int, after_id: str, ids_max: int) -> list[str]:
        """Ids of a shop's orders that were completed since then, in order, those after `after_id`."""
