"""The SQL of `fairkey.read_tables.deposit_book`."""

from collections.abc import Sequence
from typing import Final, cast
from uuid import UUID

import asyncpg

from fairkey.adapters.postgres.store_sql import READ_EXPOSURE
from fairkey.business import deposits, liquidations
from fairkey.business import pool as pools
from fairkey.business.basics import PLATFORM, InstructionState
from fairkey.business.covering import Exposure, window_from
from fairkey.business.files import DepositFile, OrderFile, PoolFile
from fairkey.engine.codec import decode_file
from fairkey.read_tables.deposit_book import ShopDeposit, StuckRestore

ROWS_MAX: Final = 200
_STATE: Final = "SELECT state FROM streams WHERE shop_id = $1 AND kind = $2 AND id = $3"
_TROUBLED: Final = """
SELECT shop_id, state FROM streams WHERE kind = 'deposit' AND stage IN ('stuck', 'owes') ORDER BY changed_at LIMIT $1
"""
_STUCK: Final = """
SELECT s.shop_id, s.id, s.state
FROM (SELECT DISTINCT shop_id, stream_id FROM effects WHERE kind = 'restore' AND state = 'failed') AS failed
JOIN streams s ON s.shop_id = failed.shop_id AND s.kind = 'order' AND s.id = failed.stream_id LIMIT $1
"""


class PostgresDepositBook:
    """Implements `fairkey.read_tables.deposit_book.DepositBook`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def deposit(self, shop_id: str) -> deposits.Deposit:
        """A shop's deposit."""
        state = await self._pool.fetchval(_STATE, UUID(shop_id), "deposit", UUID(shop_id))
        return cast("DepositFile", decode_file("deposit", state)).deposit if state else deposits.INITIAL

    async def liquidation(self, shop_id: str) -> liquidations.Liquidation:
        """What is kept of a vanished shop's deposit."""
        state = await self._pool.fetchval(_STATE, UUID(shop_id), "deposit", UUID(shop_id))
        return cast("DepositFile", decode_file("deposit", state)).liquidation if state else liquidations.INITIAL

    async def exposure(self, shop_id: str, now_ms: int) -> Exposure:
        """What of the shop is unsettled."""
        return Exposure(**await self._pool.fetchrow(READ_EXPOSURE, UUID(shop_id), window_from(now_ms)))

    async def pool(self) -> pools.Pool:
        """The guarantee pool."""
        state = await self._pool.fetchval(_STATE, UUID(PLATFORM), "pool", UUID(pools.POOL_ID))
        return cast("PoolFile", decode_file("pool", state)).pool if state else pools.INITIAL

    async def troubled(self) -> Sequence[ShopDeposit]:
        """Deposits with something stuck or owed."""
        rows = await self._pool.fetch(_TROUBLED, ROWS_MAX)
        return [
            ShopDeposit(str(row["shop_id"]), cast("DepositFile", decode_file("deposit", row["state"])).deposit)
            for row in rows
        ]

    async def stuck(self) -> Sequence[StuckRestore]:
        """Payments back to buyers that the provider refused."""
        rows = await self._pool.fetch(_STUCK, ROWS_MAX)
        found: list[StuckRestore] = []
        for row in rows:
            file = cast("OrderFile", decode_file("order", row["state"]))
            found.extend(
                StuckRestore(str(row["shop_id"]), str(row["id"]), one)
                for one in file.restored.all
                if one.state is InstructionState.FAILED
            )
        return found
