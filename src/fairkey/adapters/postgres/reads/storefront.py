"""The SQL of `fairkey.read_tables.storefront`."""

from collections.abc import Callable

import asyncpg


class PostgresStorefront:
    """Implements `fairkey.read_tables.storefront.Storefront`."""

    def __init__(self, pool: asyncpg.Pool, now_ms: Callable[[], int]) -> None:
        self._pool = pool
        self._now_ms = now_ms
