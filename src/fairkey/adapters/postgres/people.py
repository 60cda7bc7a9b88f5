"""The people port on PostgreSQL, put together for `app.py`, the command line and the worker."""

from collections.abc import Callable
from typing import Literal

import asyncpg

from fairkey.adapters.passwords import Passwords
from fairkey.adapters.postgres.accounts import ContactKeys, PostgresAccounts
from fairkey.adapters.postgres.sessions import ORDINARY, Hours, PostgresSessions
from fairkey.adapters.postgres.staff_and_keys import PostgresApiKeys, PostgresAuditTrail, PostgresStaff
from fairkey.engine.people import People


def postgres_people(
    pool: asyncpg.Pool,
    keys: ContactKeys,
    now_ms: Callable[[], int],
    *,
    passwords: Passwords | None = None,
    key_kind: Literal["live", "test"] = "live",
    hours: Hours = ORDINARY,
) -> People:
    """All five parts on one pool. `key_kind` is `test` in demo worlds; `hours` come from the settings."""
    return People(
        accounts=PostgresAccounts(pool, keys, now_ms, passwords),
        sessions=PostgresSessions(pool, now_ms, hours),
        staff=PostgresStaff(pool, now_ms),
        api_keys=PostgresApiKeys(pool, now_ms, key_kind),
        audit=PostgresAuditTrail(pool, now_ms),
    )
