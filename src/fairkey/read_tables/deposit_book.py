"""What pages ask about deposits, cover and the guarantee pool."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from fairkey.business.covering import Exposure
from fairkey.business.deposits import Deposit
from fairkey.business.liquidations import Liquidation
from fairkey.business.pool import Pool
from fairkey.business.restoring import One


class ShopDeposit(NamedTuple):
    """The deposit of a shop that needs the operator: something is stuck or owed."""

    shop_id: str
    deposit: Deposit


class StuckRestore(NamedTuple):
    """A payment back to a buyer that the provider refused."""

    shop_id: str
    order_id: str
    one: One


class DepositBook(Protocol):
    """Reads without locks, a moment old."""

    async def deposit(self, shop_id: str) -> Deposit:
        """A shop's deposit; an empty one where nothing was agreed."""

    async def liquidation(self, shop_id: str) -> Liquidation:
        """What is kept of a vanished shop's deposit, and who claims it."""

    async def exposure(self, shop_id: str, now_ms: int) -> Exposure:
        """What of the shop is unsettled."""

    async def pool(self) -> Pool:
        """The guarantee pool."""

    async def troubled(self) -> Sequence[ShopDeposit]:
        """Deposits with something stuck or owed."""

    async def stuck(self) -> Sequence[StuckRestore]:
        """Payments back to buyers that the provider refused."""
