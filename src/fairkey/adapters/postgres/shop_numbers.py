"""The small number of each shop, given once and kept; every process remembers what it has seen."""

from uuid import UUID

import asyncpg


class PostgresShopNumbers:
    """Implements `fairkey.engine.house.ShopNumbers`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._shop_of: dict[int, str] = {}
        self._number_of: dict[str, int] = {}

    async def number_for(self, shop_id: str) -> int:
        """The shop's number; a new one the first time."""
        known = await self.number_of(shop_id)
        if known is not None:
            return known
        await self._pool.execute(
            "INSERT INTO shop_numbers (shop_id) VALUES ($1) ON CONFLICT (shop_id) DO NOTHING", UUID(shop_id)
        )
        number = await self.number_of(shop_id)
        assert number is not None
        return number

    async def number_of(self, shop_id: str) -> int | None:
        """The shop's number if it has one."""
        if shop_id not in self._number_of:
            number = await self._pool.fetchval("SELECT shop_no FROM shop_numbers WHERE shop_id = $1", UUID(shop_id))
            if number is None:
                return None
            self._remember(number, shop_id)
        return self._number_of[shop_id]

    async def shop_of(self, shop_no: int) -> str | None:
        """The shop with this number."""
        if shop_no not in self._shop_of:
            found = await self._pool.fetchval("SELECT shop_id FROM shop_numbers WHERE shop_no = $1", shop_no)
            if found is None:
                return None
            self._remember(shop_no, str(found))
        return self._shop_of[shop_no]

    def _remember(self, shop_no: int, shop_id: str) -> None:
        self._shop_of[shop_no] = shop_id
        self._number_of[shop_id] = shop_no
