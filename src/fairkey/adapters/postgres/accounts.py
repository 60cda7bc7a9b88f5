"""Accounts in PostgreSQL: registration, proof of password, links by mail. Implements `fairkey.engine.people.Accounts`.

Addresses are sealed with the account's id as associated data and found by a keyed hash of their normal form. Hashing
a password takes tens of milliseconds and never happens inside a transaction.
"""

import hashlib
import re
import secrets
import unicodedata
import uuid
from collections.abc import Callable
from typing import Final, Protocol

import asyncpg
import uuid_utils

from fairkey.adapters.passwords import Passwords, require_strong
from fairkey.adapters.postgres import brakes
from fairkey.adapters.postgres.moments import moment, ms_of
from fairkey.business.basics import DAY_MS, HOUR_MS, require
from fairkey.engine.people import (
    Account,
    AccountIsClosed,
    DisplayNameIsInvalid,
    EmailIsInvalid,
    Errand,
    ErrandKind,
    LastOwnerMustStay,
    LinkIsSpent,
    LogInIsWrong,
    Registration,
    network_of,
)

VERIFY_LINK_MS: Final = 3 * DAY_MS
RESET_LINK_MS: Final = HOUR_MS
LINKS_PER_HOUR_MAX: Final = 3
EMAIL_LENGTH_MAX: Final = 254
DISPLAY_NAME_LENGTH_MAX: Final = 40
LOCALES: Final = frozenset({"zh_CN", "en"})

_EMAIL: Final = re.compile(r"[^\s@\"(),:;<>\[\]\\\x00-\x1f\x7f]{1,64}@[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+")

ACCOUNT_COLUMNS: Final = (
    "a.account_id, a.display_name, a.is_operator, a.locale, a.email_verified_at, a.created_at AS account_created_at"
)


class ContactKeys(Protocol):
    """What accounts need of the vault's keys (`fairkey.adapters.vault.keys.Keys`)."""

    def seal(self, purpose: str, aad: bytes, plaintext: bytes) -> bytes:
        """Encrypt under the purpose's data key."""
        ...

    def open(self, purpose: str, aad: bytes, sealed: bytes) -> bytes:
        """The plaintext of `seal`."""
        ...

    def fingerprint(self, purpose: str, value: bytes) -> bytes:
        """HMAC-SHA256 under the purpose's key: 32 bytes, the same for the same value."""
        ...


def new_token() -> str:
    """256 random bits as 43 characters that fit into a link, a header and a cookie."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """What is kept of a token. Plain SHA-256: there is nothing to guess in 256 random bits."""
    return hashlib.sha256(token.encode()).digest()


def normal_email(text: str) -> str:
    """The one form under which an address is kept and found: NFKC, lower case, host in punycode. Raises
    `EmailIsInvalid`.
    """
    email = unicodedata.normalize("NFKC", text).strip().lower()
    local, _, host = email.rpartition("@")
    try:
        email = f"{local}@{host.encode('idna').decode()}"
    except UnicodeError as error:
        raise EmailIsInvalid from error
    if len(email) > EMAIL_LENGTH_MAX or not _EMAIL.fullmatch(email):
        raise EmailIsInvalid
    return email


def account_of(row: asyncpg.Record) -> Account:
    """An account from a row with `ACCOUNT_COLUMNS`."""
    return Account(
        account_id=str(row["account_id"]),
        display_name=row["display_name"],
        is_operator=row["is_operator"],
        locale=row["locale"],
        email_verified=row["email_verified_at"] is not None,
        created_at_ms=ms_of(row["account_created_at"]),
    )


def _require_display_name(text: str) -> str:
    name = unicodedata.normalize("NFC", text).strip()
    if not name or len(name) > DISPLAY_NAME_LENGTH_MAX or "@" in name or not name.isprintable():
        raise DisplayNameIsInvalid
    return name


class PostgresAccounts:
    """Accounts, their passwords and the links mailed to them."""

    def __init__(
        self, pool: asyncpg.Pool, keys: ContactKeys, now_ms: Callable[[], int], passwords: Passwords | None = None
    ) -> None:
        """`now_ms` is the clock; `passwords` is given by tests that cannot wait for real hashing."""
        self._pool = pool
        self._keys = keys
        self._now_ms = now_ms
        self._passwords = passwords or Passwords()

    async def register(
        self, *, email: str, password: str, display_name: str = "", locale: str = "zh_CN", is_operator: bool = False
    ) -> Registration:
        """See `Accounts.register`."""
        require(locale in LOCALES, "locale", "unknown")
        address = normal_email(email)
        require_strong(password, email=address)
        # Names are shown to others, so a name made from the address would give it away.
        name = _require_display_name(display_name) if display_name.strip() else f"user-{secrets.token_hex(3)}"
        encoded = await self._passwords.make(password)
        now_ms = self._now_ms()
        account_id = str(uuid_utils.uuid7())
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(
                f"""
                INSERT INTO accounts AS a
                    (account_id, email_key, email_sealed, password_hash, display_name, is_operator, locale, created_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                ON CONFLICT (email_key) DO NOTHING
                RETURNING {ACCOUNT_COLUMNS}
                """,  # noqa: S608 - a constant list of columns
                account_id,
                self._email_key(address),
                self._seal(account_id, address),
                encoded,
                name,
                is_operator,
                locale,
                moment(now_ms),
            )
            if row is None:
                errand = Errand(
                    kind=ErrandKind.ALREADY_REGISTERED, to=address, token="", locale=locale, expires_at_ms=now_ms
                )
                return Registration(account=None, errand=errand)
            errand = await self._make_link(connection, account_id, address, locale, ErrandKind.VERIFY)
            return Registration(account=account_of(row), errand=errand)

    async def prove(self, *, email: str, password: str, address: str) -> Account:
        """See `Accounts.prove`."""
        try:
            email_key = self._email_key(normal_email(email))
        except EmailIsInvalid:
            email_key = self._email_key(email[:EMAIL_LENGTH_MAX])
        row = await self._attempt(email_key, password, address)
        if row is None:
            raise LogInIsWrong
        return account_of(row)

    async def _attempt(self, email_key: bytes, password: str, address: str) -> asyncpg.Record | None:
        """The account with this key if the password fits; counts, brakes and renews the hash on the way."""
        network_key = self._keys.fingerprint("email_lookup", b"network:" + network_of(address).encode())
        async with self._pool.acquire() as connection, connection.transaction():
            await brakes.count_attempt(connection, network_key, brakes.PER_NETWORK, self._now_ms())
            await brakes.count_attempt(connection, email_key, brakes.PER_ACCOUNT, self._now_ms())
            row = await connection.fetchrow(
                f"SELECT {ACCOUNT_COLUMNS}, a.password_hash FROM accounts a WHERE email_key = $1",  # noqa: S608
                email_key,
            )
        verdict = await self._passwords.check(row["password_hash"] if row else None, password)
        if row is None or not verdict.fits:
            return None
        renewed = await self._passwords.make(password) if verdict.stale else None
        async with self._pool.acquire() as connection, connection.transaction():
            await brakes.give_back(connection, network_key)
            await brakes.forget(connection, email_key)
            if renewed is not None:
                # Only over the hash that was checked: a password changed meanwhile must win.
                await connection.execute(
                    "UPDATE accounts SET password_hash = $3 WHERE account_id = $1 AND password_hash = $2",
                    row["account_id"],
                    row["password_hash"],
                    renewed,
                )
        return row

    async def find(self, account_id: str) -> Account | None:
        """See `Accounts.find`."""
        row = await self._pool.fetchrow(
            f"SELECT {ACCOUNT_COLUMNS} FROM accounts a WHERE account_id = $1 AND closed_at IS NULL",  # noqa: S608
            uuid.UUID(account_id),
        )
        return account_of(row) if row else None

    async def find_by_email(self, email: str) -> Account | None:
        """See `Accounts.find_by_email`."""
        try:
            email_key = self._email_key(normal_email(email))
        except EmailIsInvalid:
            return None
        row = await self._pool.fetchrow(
            f"SELECT {ACCOUNT_COLUMNS} FROM accounts a WHERE email_key = $1",  # noqa: S608 - constant
            email_key,
        )
        return account_of(row) if row else None

    async def email_of(self, account_id: str) -> str | None:
        """See `Accounts.email_of`."""
        sealed = await self._pool.fetchval(
            "SELECT email_sealed FROM accounts WHERE account_id = $1", uuid.UUID(account_id)
        )
        return self._open(account_id, sealed) if sealed is not None else None

    async def change_profile(self, account_id: str, *, display_name: str, locale: str) -> Account:
        """See `Accounts.change_profile`."""
        require(locale in LOCALES, "locale", "unknown")
        row = await self._pool.fetchrow(
            f"""
            UPDATE accounts AS a SET display_name = $2, locale = $3 WHERE account_id = $1 AND closed_at IS NULL
            RETURNING {ACCOUNT_COLUMNS}
            """,  # noqa: S608 - constant
            uuid.UUID(account_id),
            _require_display_name(display_name),
            locale,
        )
        if row is None:
            raise AccountIsClosed
        return account_of(row)

    async def change_password(
        self, account_id: str, *, old: str, new: str, address: str, keep_token: str | None
    ) -> None:
        """See `Accounts.change_password`."""
        email_key, email = await self._reach(account_id)
        require_strong(new, email=email)
        if await self._attempt(email_key, old, address) is None:
            raise LogInIsWrong
        encoded = await self._passwords.make(new)
        async with self._pool.acquire() as connection, connection.transaction():
            await self._set_password(connection, account_id, encoded, keep_token)

    async def ask_verification(self, account_id: str) -> Errand | None:
        """See `Accounts.ask_verification`."""
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(
                """
                SELECT email_sealed, locale FROM accounts
                WHERE account_id = $1 AND closed_at IS NULL AND email_verified_at IS NULL FOR UPDATE
                """,
                uuid.UUID(account_id),
            )
            if row is None or await self._asked_too_often(connection, account_id, ErrandKind.VERIFY):
                return None
            to = self._open(account_id, row["email_sealed"])
            return await self._make_link(connection, account_id, to, row["locale"], ErrandKind.VERIFY)

    async def verify_email(self, token: str) -> Account:
        """See `Accounts.verify_email`."""
        async with self._pool.acquire() as connection, connection.transaction():
            account_id = await self._spend(connection, token, ErrandKind.VERIFY)
            row = await connection.fetchrow(
                f"""
                UPDATE accounts AS a SET email_verified_at = coalesce(email_verified_at, $2)
                WHERE account_id = $1 AND closed_at IS NULL RETURNING {ACCOUNT_COLUMNS}
                """,  # noqa: S608 - constant
                account_id,
                moment(self._now_ms()),
            )
            if row is None:
                raise LinkIsSpent
            return account_of(row)

    async def ask_reset(self, email: str) -> Errand | None:
        """See `Accounts.ask_reset`."""
        try:
            to = normal_email(email)
        except EmailIsInvalid:
            return None
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(
                "SELECT account_id, locale FROM accounts WHERE email_key = $1 FOR UPDATE", self._email_key(to)
            )
            if row is None:
                return None
            account_id = str(row["account_id"])
            if await self._asked_too_often(connection, account_id, ErrandKind.RESET):
                return None
            return await self._make_link(connection, account_id, to, row["locale"], ErrandKind.RESET)

    async def reset_password(self, token: str, new: str) -> Account:
        """See `Accounts.reset_password`."""
        now_ms = self._now_ms()
        account_id = await self._pool.fetchval(
            "SELECT account_id FROM account_links WHERE token_hash = $1 AND purpose = 'reset'"
            " AND used_at IS NULL AND expires_at > $2",
            token_hash(token),
            moment(now_ms),
        )
        if account_id is None:
            raise LinkIsSpent
        try:
            email_key, email = await self._reach(str(account_id))
        except AccountIsClosed as error:
            raise LinkIsSpent from error
        require_strong(
            new, email=email
        )  # before the link is spent: a refused password must not cost the person the link
        encoded = await self._passwords.make(new)
        async with self._pool.acquire() as connection, connection.transaction():
            await self._spend(connection, token, ErrandKind.RESET)
            await self._set_password(connection, str(account_id), encoded, keep_token=None)
            await brakes.forget(connection, email_key)
            row = await connection.fetchrow(
                f"""
                UPDATE accounts AS a SET email_verified_at = coalesce(email_verified_at, $2)
                WHERE account_id = $1 AND closed_at IS NULL RETURNING {ACCOUNT_COLUMNS}
                """,  # noqa: S608 - constant
                account_id,
                moment(now_ms),
            )
            if row is None:
                raise LinkIsSpent
            return account_of(row)

    async def close(self, account_id: str, *, password: str, address: str) -> None:
        """See `Accounts.close`."""
        email_key, _ = await self._reach(account_id)
        if await self._attempt(email_key, password, address) is None:
            raise LogInIsWrong
        number = uuid.UUID(account_id)
        async with self._pool.acquire() as connection, connection.transaction():
            # The account first, then the owners, as in `PostgresStaff`: two owners cannot leave one shop at the same
            # time.
            await connection.execute("SELECT 1 FROM accounts WHERE account_id = $1 FOR UPDATE", number)
            owned = await connection.fetch(
                """
                SELECT shop_id, account_id FROM shop_staff
                WHERE shop_id IN (
                    SELECT shop_id FROM shop_staff WHERE account_id = $1 AND role = 'owner' AND removed_at IS NULL
                ) AND role = 'owner' AND removed_at IS NULL
                ORDER BY shop_id, account_id FOR UPDATE
                """,
                number,
            )
            others = {row["shop_id"] for row in owned if row["account_id"] != number}
            for row in owned:
                if row["shop_id"] not in others:
                    raise LastOwnerMustStay(shop_id=str(row["shop_id"]))
            now = moment(self._now_ms())
            await connection.execute(
                "UPDATE shop_staff SET removed_at = $2 WHERE account_id = $1 AND removed_at IS NULL", number, now
            )
            await connection.execute("DELETE FROM sessions WHERE account_id = $1", number)
            await connection.execute("DELETE FROM account_links WHERE account_id = $1", number)
            await connection.execute(
                """
                UPDATE accounts SET email_key = NULL, email_sealed = NULL, email_verified_at = NULL,
                    password_hash = NULL, display_name = '', is_operator = false, closed_at = $2
                WHERE account_id = $1
                """,
                number,
                now,
            )

    async def make_operator(self, account_id: str) -> None:
        """See `Accounts.make_operator`."""
        async with self._pool.acquire() as connection, connection.transaction():
            done = await connection.execute(
                "UPDATE accounts SET is_operator = true WHERE account_id = $1 AND closed_at IS NULL",
                uuid.UUID(account_id),
            )
            if done != "UPDATE 1":
                raise AccountIsClosed
            # Sessions opened before live by the longer hours of ordinary accounts.
            await connection.execute("DELETE FROM sessions WHERE account_id = $1", uuid.UUID(account_id))

    async def sweep(self) -> int:
        """See `Accounts.sweep`."""
        now_ms = self._now_ms()
        async with self._pool.acquire() as connection:
            # Kept an hour longer than they live: `_asked_too_often` counts them.
            done = await connection.execute("DELETE FROM account_links WHERE expires_at < $1", moment(now_ms - HOUR_MS))
            return int(done.split()[-1]) + await brakes.sweep(connection, now_ms)

    async def _set_password(
        self, connection: asyncpg.Connection, account_id: str, encoded: str, keep_token: str | None
    ) -> None:
        number = uuid.UUID(account_id)
        await connection.execute(
            "UPDATE accounts SET password_hash = $2 WHERE account_id = $1 AND closed_at IS NULL", number, encoded
        )
        await connection.execute(
            "DELETE FROM sessions WHERE account_id = $1 AND token_hash IS DISTINCT FROM $2",
            number,
            token_hash(keep_token) if keep_token else None,
        )
        await connection.execute(
            "UPDATE account_links SET used_at = $2 WHERE account_id = $1 AND purpose = 'reset' AND used_at IS NULL",
            number,
            moment(self._now_ms()),
        )

    async def _reach(self, account_id: str) -> tuple[bytes, str]:
        """The key and the address of an open account. Raises `AccountIsClosed`."""
        row = await self._pool.fetchrow(
            "SELECT email_key, email_sealed FROM accounts WHERE account_id = $1 AND closed_at IS NULL",
            uuid.UUID(account_id),
        )
        if row is None:
            raise AccountIsClosed
        return row["email_key"], self._open(account_id, row["email_sealed"])

    async def _asked_too_often(self, connection: asyncpg.Connection, account_id: str, kind: ErrandKind) -> bool:
        asked = await connection.fetchval(
            "SELECT count(*) FROM account_links WHERE account_id = $1 AND purpose = $2 AND created_at > $3",
            uuid.UUID(account_id),
            kind.value,
            moment(self._now_ms() - HOUR_MS),
        )
        return int(asked) >= LINKS_PER_HOUR_MAX

    async def _make_link(
        self, connection: asyncpg.Connection, account_id: str, to: str, locale: str, kind: ErrandKind
    ) -> Errand:
        token = new_token()
        now_ms = self._now_ms()
        expires_at_ms = now_ms + (VERIFY_LINK_MS if kind is ErrandKind.VERIFY else RESET_LINK_MS)
        await connection.execute(
            "INSERT INTO account_links (token_hash, account_id, purpose, created_at, expires_at)"
            " VALUES ($1, $2, $3, $4, $5)",
            token_hash(token),
            uuid.UUID(account_id),
            kind.value,
            moment(now_ms),
            moment(expires_at_ms),
        )
        return Errand(kind=kind, to=to, token=token, locale=locale, expires_at_ms=expires_at_ms)

    async def _spend(self, connection: asyncpg.Connection, token: str, kind: ErrandKind) -> uuid.UUID:
        account_id: uuid.UUID | None = await connection.fetchval(
            """
            UPDATE account_links SET used_at = $3
            WHERE token_hash = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > $3
            RETURNING account_id
            """,
            token_hash(token),
            kind.value,
            moment(self._now_ms()),
        )
        if account_id is None:
            raise LinkIsSpent
        return account_id

    def _email_key(self, email: str) -> bytes:
        return self._keys.fingerprint("email_lookup", email.encode(errors="replace"))

    def _seal(self, account_id: str, email: str) -> bytes:
        return self._keys.seal("contacts", b"account:" + account_id.encode(), email.encode())

    def _open(self, account_id: str, sealed: bytes) -> str:
        return self._keys.open("contacts", b"account:" + account_id.encode(), sealed).decode()
