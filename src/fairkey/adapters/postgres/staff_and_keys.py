"""Staff of shops, API keys and the audit trail in PostgreSQL. Implements `Staff`, `ApiKeys`, `AuditTrail` of
`engine.people`.
"""

import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, Literal

import asyncpg
import msgspec
import uuid_utils

from fairkey.adapters.postgres.accounts import new_token, token_hash
from fairkey.adapters.postgres.moments import moment, ms_of
from fairkey.business.basics import MINUTE_MS, invariant
from fairkey.engine.people import (
    SCOPES,
    AccountIsClosed,
    Actor,
    ActorKind,
    ApiKey,
    AuditEntry,
    KeyNameIsInvalid,
    LastOwnerMustStay,
    NotStaffHere,
    Role,
    ScopeIsUnknown,
    StaffMember,
    TooManyKeys,
    ip_hint_of,
)

KEY: Final = re.compile(r"fk_(live|test)_[A-Za-z0-9_-]{43}")
KEYS_PER_SHOP_MAX: Final = 20
KEY_NAME_LENGTH_MAX: Final = 80
USE_NOTED_EVERY_MS: Final = MINUTE_MS
_ACCIDENT: Final = re.compile(r"fk_(live|test)_|[^\s@]+@[^\s@]+\.[^\s@]+")


class PostgresStaff:
    """Who works for which shop. A shop keeps at least one owner from the first on."""

    def __init__(self, pool: asyncpg.Pool, now_ms: Callable[[], int]) -> None:
        """`now_ms` is the clock."""
        self._pool = pool
        self._now_ms = now_ms

    async def add(self, shop_id: str, account_id: str, role: Role) -> None:
        """See `Staff.add`."""
        async with self._pool.acquire() as connection, connection.transaction():
            # The account first, then the owners: the same order as closing an account would meet them in.
            open_account = await connection.fetchval(
                "SELECT 1 FROM accounts WHERE account_id = $1 AND closed_at IS NULL FOR SHARE", uuid.UUID(account_id)
            )
            if open_account is None:
                raise AccountIsClosed
            if role is not Role.OWNER:
                await self._require_other_owner(connection, shop_id, account_id)
            await connection.execute(
                """
                INSERT INTO shop_staff AS old (shop_id, account_id, role, added_at) VALUES ($1, $2, $3, $4)
                ON CONFLICT (shop_id, account_id) DO UPDATE SET
                    role = excluded.role,
                    added_at = CASE WHEN old.removed_at IS NULL THEN old.added_at ELSE excluded.added_at END,
                    removed_at = NULL
                """,
                uuid.UUID(shop_id),
                uuid.UUID(account_id),
                role.value,
                moment(self._now_ms()),
            )

    async def remove(self, shop_id: str, account_id: str) -> None:
        """See `Staff.remove`."""
        async with self._pool.acquire() as connection, connection.transaction():
            await self._require_other_owner(connection, shop_id, account_id)
            done = await connection.execute(
                "UPDATE shop_staff SET removed_at = $3 WHERE shop_id = $1 AND account_id = $2 AND removed_at IS NULL",
                uuid.UUID(shop_id),
                uuid.UUID(account_id),
                moment(self._now_ms()),
            )
            if done != "UPDATE 1":
                raise NotStaffHere

    async def of_shop(self, shop_id: str) -> tuple[StaffMember, ...]:
        """See `Staff.of_shop`."""
        rows = await self._pool.fetch(
            """
            SELECT s.shop_id, s.account_id, s.role, s.added_at, a.display_name
            FROM shop_staff s JOIN accounts a USING (account_id)
            WHERE s.shop_id = $1 AND s.removed_at IS NULL
            ORDER BY s.role = 'owner' DESC, s.added_at, s.account_id
            """,
            uuid.UUID(shop_id),
        )
        return tuple(
            StaffMember(
                shop_id=str(row["shop_id"]),
                account_id=str(row["account_id"]),
                role=Role(row["role"]),
                display_name=row["display_name"],
                added_at_ms=ms_of(row["added_at"]),
            )
            for row in rows
        )

    async def _require_other_owner(self, connection: asyncpg.Connection, shop_id: str, account_id: str) -> None:
        """Refuse to take away the last owner. Locks the shop's owners, so that two cannot leave at the same time."""
        owners = await connection.fetch(
            """
            SELECT account_id FROM shop_staff WHERE shop_id = $1 AND role = 'owner' AND removed_at IS NULL
            ORDER BY account_id FOR UPDATE
            """,
            uuid.UUID(shop_id),
        )
        if [row["account_id"] for row in owners] == [uuid.UUID(account_id)]:
            raise LastOwnerMustStay(shop_id=shop_id)


class PostgresApiKeys:
    """Keys of programs, hashed. `kind` is `live`, in demo worlds `test`, so that a key found somewhere tells what it
    opens.
    """

    def __init__(self, pool: asyncpg.Pool, now_ms: Callable[[], int], kind: Literal["live", "test"] = "live") -> None:
        """`now_ms` is the clock."""
        self._pool = pool
        self._now_ms = now_ms
        self._kind = kind

    async def create(self, shop_id: str, *, name: str, scopes: frozenset[str]) -> tuple[str, ApiKey]:
        """See `ApiKeys.create`."""
        label = name.strip()
        if not 1 <= len(label) <= KEY_NAME_LENGTH_MAX or not label.isprintable():
            raise KeyNameIsInvalid
        for scope in sorted(scopes - SCOPES):
            raise ScopeIsUnknown(scope=scope)
        text = f"fk_{self._kind}_{new_token()}"
        row = await self._pool.fetchrow(
            """
            INSERT INTO api_keys (key_id, shop_id, name, token_hash, scopes, created_at)
            SELECT $1, $2, $3, $4, $5, $6
            WHERE (SELECT count(*) FROM api_keys WHERE shop_id = $2 AND revoked_at IS NULL) < $7
            RETURNING *
            """,
            uuid.UUID(str(uuid_utils.uuid7())),
            uuid.UUID(shop_id),
            label,
            token_hash(text),
            sorted(scopes),
            moment(self._now_ms()),
            KEYS_PER_SHOP_MAX,
        )
        if row is None:
            raise TooManyKeys(count_max=KEYS_PER_SHOP_MAX)
        return text, _key_of(row)

    async def find(self, text: str) -> ApiKey | None:
        """See `ApiKeys.find`."""
        if not KEY.fullmatch(text):
            return None
        row = await self._pool.fetchrow(
            "SELECT * FROM api_keys WHERE token_hash = $1 AND revoked_at IS NULL", token_hash(text)
        )
        if row is None:
            return None
        now_ms = self._now_ms()
        if row["last_used_at"] is None or now_ms - ms_of(row["last_used_at"]) >= USE_NOTED_EVERY_MS:
            await self._pool.execute(
                "UPDATE api_keys SET last_used_at = $2 WHERE key_id = $1", row["key_id"], moment(now_ms)
            )
        return _key_of(row)

    async def of_shop(self, shop_id: str) -> tuple[ApiKey, ...]:
        """See `ApiKeys.of_shop`."""
        rows = await self._pool.fetch(
            "SELECT * FROM api_keys WHERE shop_id = $1 ORDER BY created_at DESC, key_id DESC", uuid.UUID(shop_id)
        )
        return tuple(_key_of(row) for row in rows)

    async def revoke(self, shop_id: str, key_id: str) -> bool:
        """See `ApiKeys.revoke`."""
        done = await self._pool.execute(
            "UPDATE api_keys SET revoked_at = $3 WHERE shop_id = $1 AND key_id = $2 AND revoked_at IS NULL",
            uuid.UUID(shop_id),
            uuid.UUID(key_id),
            moment(self._now_ms()),
        )
        return str(done) == "UPDATE 1"


def _key_of(row: asyncpg.Record) -> ApiKey:
    return ApiKey(
        key_id=str(row["key_id"]),
        shop_id=str(row["shop_id"]),
        name=row["name"],
        scopes=frozenset(row["scopes"]),
        created_at_ms=ms_of(row["created_at"]),
        last_used_at_ms=ms_of(row["last_used_at"]) if row["last_used_at"] else None,
        revoked_at_ms=ms_of(row["revoked_at"]) if row["revoked_at"] else None,
    )


class PostgresAuditTrail:
    """The audit trail; a trigger of the table refuses to change or delete what is written."""

    def __init__(self, pool: asyncpg.Pool, now_ms: Callable[[], int]) -> None:
        """`now_ms` is the clock."""
        self._pool = pool
        self._now_ms = now_ms

    async def write(
        self, actor: Actor, action: str, *, target: str = "", detail: Mapping[str, object] | None = None
    ) -> None:
        """See `AuditTrail.write`."""
        for text in _texts_in((action, target, detail or {})):
            invariant(not _ACCIDENT.search(text), "the audit trail holds neither keys nor e-mail addresses")
        await self._pool.execute(
            "INSERT INTO audit_trail (at, actor, role, action, target, detail, ip_hint)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7)",
            moment(self._now_ms()),
            actor.name,
            _role_of(actor, target),
            action,
            target,
            msgspec.json.encode(detail or {}).decode(),
            ip_hint_of(actor.address),
        )

    async def read(self, *, before_entry_id: int | None = None, entries_max: int = 50) -> tuple[AuditEntry, ...]:
        """See `AuditTrail.read`."""
        rows = await self._pool.fetch(
            "SELECT * FROM audit_trail WHERE $1::bigint IS NULL OR entry_id < $1 ORDER BY entry_id DESC LIMIT $2",
            before_entry_id,
            entries_max,
        )
        return tuple(
            AuditEntry(
                entry_id=row["entry_id"],
                at_ms=ms_of(row["at"]),
                actor=row["actor"],
                role=row["role"],
                action=row["action"],
                target=row["target"],
                detail=msgspec.json.decode(row["detail"]),
                ip_hint=row["ip_hint"],
            )
            for row in rows
        )


def _role_of(actor: Actor, target: str) -> str:
    """As what the actor did it: `operator`, `system`, `api_key`, or the role in the shop named by `target`
    (`shop:<id>…`).
    """
    if actor.kind is not ActorKind.ACCOUNT:
        return actor.kind.value
    kind, _, rest = target.partition(":")
    role = actor.shop_roles.get(rest.partition("/")[0]) if kind == "shop" else None
    return role.value if role else actor.kind.value


def _texts_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts_in(key)
            yield from _texts_in(inner)
    elif isinstance(value, Iterable) and not isinstance(value, bytes | bytearray):
        for inner in value:
            yield from _texts_in(inner)
