"""The SQL of `fairkey.read_tables.floor`."""

from collections.abc import Callable

import asyncpg

from .order_book import Opener


class PostgresFloor:
    """Implements `fairkey.read_tables.floor.Floor`."""

    def __init__(self, pool: asyncpg.Pool, opener: Opener, now_ms: Callable[[], int]) -> None:
        self._pool = pool
        self._opener = opener
        self._now_ms = now_ms
