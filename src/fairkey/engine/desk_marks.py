"""Marks that a shop's people set on their desk. No business facts: no order or sum depends on them."""

from collections.abc import Mapping
from typing import Final, Protocol

LOW_STOCK_MAX: Final = 100_000


class DeskMarks(Protocol):
    """Reminders a shop sets for itself."""

    async def low_stock(self, shop_id: str) -> Mapping[str, int]:
        """Listing -> the number of codes below which the desk says that the stock is low; others have no mark."""
        ...

    async def mark_low_stock(self, shop_id: str, listing_id: str, below: int) -> None:
        """Set the mark of a listing; 0 takes it away."""
        ...
