"""What pages and programs ask about a shop's credit."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from fairkey.business.credit.figures import Account
from fairkey.business.crediting import Crediting


class FrozenShop(NamedTuple):
    """A shop that waits for a person to look at it."""

    shop_id: str
    crediting: Crediting


class CreditBook(Protocol):
    """Reads without locks, a moment old."""

    async def crediting(self, shop_id: str) -> Crediting:
        """The meter now."""

    async def account(self, shop_id: str, at_ms: int) -> Account:
        """All numbers and lines, made of the same public facts as `fairkey credit recompute` reads from the log; kept
        for some minutes, so `figures.at_ms` tells of when they are.
        """

    async def frozen(self) -> Sequence[FrozenShop]:
        """Frozen shops, the one that waits longest first."""
