"""The standard as it was published here, and what judging a case needs that the order itself does not know."""

from collections.abc import Sequence
from typing import Protocol

from fairkey.business.standards import Published


class StandardBook(Protocol):
    """Questions about the standard."""

    async def published(self) -> list[Published]:
        """All published versions, in order of publication."""

    async def custody(self, shop_id: str, code_ids: Sequence[str]) -> dict[str, str]:
        """The custody class (C0, C1, C2) of each of these codes."""

    async def failed_buyers(self, shop_id: str, code_id: str, order_id: str) -> int:
        """How many other buyers lost a code of the same batch by a complaint that ended for them, each counted once."""
