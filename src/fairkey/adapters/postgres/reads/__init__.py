"""The SQL behind the questions of `fairkey.read_tables`; plain reads, no locks."""

from collections.abc import Callable

import asyncpg

from fairkey.read_tables.questions import Questions

from .credit_book import PostgresCreditBook
from .deposit_book import PostgresDepositBook
from .desk_figures import PostgresDeskFigures
from .floor import PostgresFloor
from .issuer_book import PostgresIssuerBook
from .order_book import Opener, PostgresOrderBook
from .panel_book import PostgresPanelBook
from .quarantine_book import PostgresQuarantineBook
from .shop_desk import PostgresShopDesk
from .standard_book import PostgresStandardBook
from .storefront import PostgresStorefront


def postgres_questions(pool: asyncpg.Pool, opener: Opener, now_ms: Callable[[], int]) -> Questions:
    """Everything that can be read, on one pool."""
    return Questions(
        storefront=PostgresStorefront(pool, now_ms),
        order_book=PostgresOrderBook(pool, opener),
        shop_desk=PostgresShopDesk(pool, opener, now_ms),
        desk_figures=PostgresDeskFigures(pool, opener),
        floor=PostgresFloor(pool, opener, now_ms),
        issuers=PostgresIssuerBook(pool, opener),
        standards=PostgresStandardBook(pool),
        deposits=PostgresDepositBook(pool),
        credit=PostgresCreditBook(pool),
        panels=PostgresPanelBook(pool, opener),
        quarantines=PostgresQuarantineBook(pool, opener),
    )
