"""Sessions in PostgreSQL. Implements `fairkey.engine.people.Sessions`.

A session is found by the SHA-256 of its token, together with its account and that account's roles, in one statement
by primary keys. Expiry slides with use up to an absolute end; operators have shorter hours.
"""

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import asyncpg
import msgspec

from fairkey.adapters.postgres.accounts import ACCOUNT_COLUMNS, account_of, new_token, token_hash
from fairkey.adapters.postgres.moments import moment, ms_of
from fairkey.business.basics import DAY_MS, HOUR_MS, MINUTE_MS, invariant
from fairkey.engine.people import AccountIsClosed, Role, Session

DATA_BYTES_MAX: Final = 4_096
USER_AGENT_HINT_LENGTH_MAX: Final = 80
SWEEP_ROWS_MAX: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """A session ends `idle_ms` after its last use and in any case `life_ms` after log-in."""

    idle_ms: int
    life_ms: int


ORDINARY: Final = Hours(idle_ms=14 * DAY_MS, life_ms=90 * DAY_MS)
OPERATOR: Final = Hours(idle_ms=2 * HOUR_MS, life_ms=12 * HOUR_MS)
TOUCH_EVERY_MS: Final = MINUTE_MS  # a page a second must not become a write a second

_FIND: Final = f"""
SELECT s.token_hash, s.created_at, s.last_seen_at, s.expires_at, s.user_agent_hint, s.data,
    a.closed_at, {ACCOUNT_COLUMNS},
    (SELECT coalesce(json_object_agg(t.shop_id, t.role), '{{}}') FROM shop_staff t
     WHERE t.account_id = s.account_id AND t.removed_at IS NULL) AS shop_roles
FROM sessions s LEFT JOIN accounts a USING (account_id)
"""  # noqa: S608 - a constant list of columns


def user_agent_hint(user_agent: str) -> str:
    """Browser and system, like `Firefox, Android`: enough to know one's own browsers apart, too little to follow."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return ", ".join(part for part in (browser, system) if part)


# In order: each names itself after those before it as well.
_BROWSERS: Final = (
    ("MicroMessenger", "WeChat"),
    ("AlipayClient", "Alipay"),
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
    ("curl", "curl"),
)
_SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}")


class PostgresSessions:
    """Sessions, hashed tokens only."""

    def __init__(self, pool: asyncpg.Pool, now_ms: Callable[[], int], hours: Hours = ORDINARY) -> None:
        """`now_ms` is the clock. `hours` are those of ordinary accounts; operators get at most `OPERATOR`."""
        self._pool = pool
        self._now_ms = now_ms
        self._hours_ordinary = hours
        self._hours_operator = Hours(
            idle_ms=min(hours.idle_ms, OPERATOR.idle_ms), life_ms=min(hours.life_ms, OPERATOR.life_ms)
        )

    async def open(
        self, account_id: str | None, *, user_agent: str = "", replaces: str | None = None
    ) -> tuple[str, Session]:
        """See `Sessions.open`. Raises `AccountIsClosed`."""
        token = new_token()
        now_ms = self._now_ms()
        async with self._pool.acquire() as connection, connection.transaction():
            if replaces is not None:
                await connection.execute("DELETE FROM sessions WHERE token_hash = $1", token_hash(replaces))
            is_operator = False
            if account_id is not None:
                # Locked, so that closing the account or logging out everywhere comes wholly before or wholly after.
                is_operator = await connection.fetchval(
                    "SELECT is_operator FROM accounts WHERE account_id = $1 AND closed_at IS NULL FOR SHARE",
                    uuid.UUID(account_id),
                )
                if is_operator is None:
                    raise AccountIsClosed
            await connection.execute(
                """
                INSERT INTO sessions
                    (token_hash, account_id, created_at, last_seen_at, expires_at, user_agent_hint, data)
                VALUES ($1, $2, $3, $3, $4, $5, '{}')
                """,
                token_hash(token),
                uuid.UUID(account_id) if account_id else None,
                moment(now_ms),
                moment(now_ms + self._hours(is_operator=is_operator).idle_ms),
                user_agent_hint(user_agent)[:USER_AGENT_HINT_LENGTH_MAX],
            )
            row = await connection.fetchrow(f"{_FIND} WHERE s.token_hash = $1", token_hash(token))
        invariant(row is not None, "a session that was just opened can be read")
        return token, _session_of(row)

    async def find(self, token: str) -> Session | None:
        """See `Sessions.find`."""
        if not _TOKEN.fullmatch(token):
            return None
        row = await self._pool.fetchrow(f"{_FIND} WHERE s.token_hash = $1", token_hash(token))
        now_ms = self._now_ms()
        if row is None or row["closed_at"] is not None or ms_of(row["expires_at"]) <= now_ms:
            return None
        if now_ms - ms_of(row["last_seen_at"]) < TOUCH_EVERY_MS:
            return _session_of(row)
        hours = self._hours(is_operator=bool(row["is_operator"]))
        expires_at_ms = min(now_ms + hours.idle_ms, ms_of(row["created_at"]) + hours.life_ms)
        await self._pool.execute(
            "UPDATE sessions SET last_seen_at = $2, expires_at = $3 WHERE token_hash = $1",
            row["token_hash"],
            moment(now_ms),
            moment(expires_at_ms),
        )
        return _session_of(row, last_seen_at_ms=now_ms, expires_at_ms=expires_at_ms)

    async def keep_data(self, token: str, data: Mapping[str, object]) -> None:
        """See `Sessions.keep_data`."""
        text = msgspec.json.encode(data).decode()
        invariant(len(text.encode()) <= DATA_BYTES_MAX, "what a session keeps is small")
        await self._pool.execute("UPDATE sessions SET data = $2 WHERE token_hash = $1", token_hash(token), text)

    async def close(self, token: str) -> None:
        """See `Sessions.close`."""
        await self._pool.execute("DELETE FROM sessions WHERE token_hash = $1", token_hash(token))

    async def close_all(self, account_id: str, *, keep_token: str | None = None) -> int:
        """See `Sessions.close_all`."""
        done = await self._pool.execute(
            "DELETE FROM sessions WHERE account_id = $1 AND token_hash IS DISTINCT FROM $2",
            uuid.UUID(account_id),
            token_hash(keep_token) if keep_token else None,
        )
        return int(done.split()[-1])

    async def close_one(self, account_id: str, ref: str) -> bool:
        """See `Sessions.close_one`."""
        done = await self._pool.execute(
            "DELETE FROM sessions WHERE account_id = $1 AND encode(substr(token_hash, 1, 8), 'hex') = $2",
            uuid.UUID(account_id),
            ref,
        )
        return bool(int(done.split()[-1]))

    async def of_account(self, account_id: str) -> tuple[Session, ...]:
        """See `Sessions.of_account`."""
        rows = await self._pool.fetch(
            f"{_FIND} WHERE s.account_id = $1 AND s.expires_at > $2 ORDER BY s.last_seen_at DESC",
            uuid.UUID(account_id),
            moment(self._now_ms()),
        )
        return tuple(_session_of(row) for row in rows)

    def _hours(self, *, is_operator: bool) -> Hours:
        return self._hours_operator if is_operator else self._hours_ordinary

    async def sweep(self) -> int:
        """See `Sessions.sweep`; at most `SWEEP_ROWS_MAX` at a time."""
        done = await self._pool.execute(
            """
            DELETE FROM sessions WHERE token_hash IN (
                SELECT token_hash FROM sessions WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2
                FOR UPDATE SKIP LOCKED
            )
            """,
            moment(self._now_ms()),
            SWEEP_ROWS_MAX,
        )
        return int(done.split()[-1])


def _session_of(
    row: asyncpg.Record, *, last_seen_at_ms: int | None = None, expires_at_ms: int | None = None
) -> Session:
    return Session(
        ref=row["token_hash"][:8].hex(),
        account=account_of(row) if row["account_id"] is not None else None,
        shop_roles={shop: Role(role) for shop, role in msgspec.json.decode(row["shop_roles"]).items()},
        created_at_ms=ms_of(row["created_at"]),
        last_seen_at_ms=ms_of(row["last_seen_at"]) if last_seen_at_ms is None else last_seen_at_ms,
        expires_at_ms=ms_of(row["expires_at"]) if expires_at_ms is None else expires_at_ms,
        user_agent_hint=row["user_agent_hint"],
        data=msgspec.json.decode(row["data"]),
    )
