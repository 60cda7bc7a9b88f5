"""Waiting for a server that is just starting or recovering, so that house and database may be started together."""

import asyncio
import logging
import time
from typing import Final

import asyncpg

PAUSE_S: Final = 0.5
NOT_YET: Final = (asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError, OSError)

logger = logging.getLogger(__name__)


async def until_it_answers(dsn: str, wait_s: float) -> None:
    """Return when the database takes connections; after `wait_s` seconds the driver's own error is raised.

    What waiting cannot mend (a wrong password, no such database) is raised at once.
    """
    give_up_at_s = time.monotonic() + wait_s
    has_told = False
    while True:
        try:
            connection = await asyncpg.connect(dsn, timeout=max(1.0, wait_s))
        except NOT_YET as error:
            if time.monotonic() + PAUSE_S > give_up_at_s:
                raise
            if not has_told:
                logger.warning("the database does not answer yet (%s); waiting up to %.0f s", error, wait_s)
                has_told = True
            await asyncio.sleep(PAUSE_S)
        else:
            await connection.close()
            return
