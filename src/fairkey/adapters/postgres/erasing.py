"""Erasing in PostgreSQL: finding what is kept of a person, and shredding it in one transaction.

Rows of `sealed_fields` are deleted, never overwritten. A code's row in the vault stays, as its batch's root stands on
its commitment; its sealed text and salt go. Columns and states lose the keys by which limits knew the person. Events
are not touched at all.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol
from uuid import UUID

import asyncpg
import msgspec

from fairkey.adapters.postgres.accounts import normal_email
from fairkey.adapters.postgres.moments import moment, ms_of
from fairkey.business.basics import PLATFORM, Stream
from fairkey.business.erasures import Basis
from fairkey.business.orders import ENDED
from fairkey.effects.queue import ASK_AGAIN, MONEY, TELLING
from fairkey.engine.erasing import (
    ACCOUNT,
    RETENTION_YEARS,
    Counts,
    Erased,
    History,
    Person,
    Plan,
    Target,
    Unfinished,
    Why,
    may_be_erased_at_ms,
)

_SHORTEST_RETENTION_MS: Final = RETENTION_YEARS * 365 * 86_400_000
_ENDED: Final = sorted(stage.value for stage in ENDED)

_MONEY_UNDER_WAY: Final = """
EXISTS (SELECT FROM effects f WHERE f.shop_id = s.shop_id AND f.stream_id = s.id
        AND ((f.kind = ANY ($1::text[]) AND f.state <> 'done')
             OR (f.kind = $2 AND f.state IN ('waiting', 'sent'))))
"""
_COLUMNS: Final = f"""
s.shop_id, s.kind, s.id, s.stage, s.due_at, s.changed_at, coalesce(n.shop_no, 0) AS shop_no,
{_MONEY_UNDER_WAY} AS money_under_way,
EXISTS (SELECT FROM events e WHERE e.shop_id = s.shop_id AND e.stream_kind = s.kind AND e.stream_id = s.id
        AND e.kind = 'payment.received') AS was_paid,
EXISTS (SELECT FROM restricted_streams r
        WHERE (r.shop_id, r.stream_kind, r.stream_id) = (s.shop_id, s.kind, s.id)) AS is_restricted
"""  # noqa: S608 - constants
# No index leads here: an operator asks now and then, and waits for a look at every order.
_ORDERS_OF: Final = f"""
SELECT {_COLUMNS} FROM streams s LEFT JOIN shop_numbers n USING (shop_id)
WHERE s.kind = 'order' AND (s.buyer_key = $3 OR s.account_id = $4) ORDER BY s.created_at, s.id
"""  # noqa: S608 - constants
# A shop's records end with the last thing that moved in it.
_CLOSED_SHOPS_OF: Final = f"""
SELECT {_COLUMNS.replace("s.changed_at,", "t.last AS changed_at,")}
FROM streams s LEFT JOIN shop_numbers n USING (shop_id)
CROSS JOIN LATERAL (SELECT max(changed_at) AS last FROM streams o WHERE o.shop_id = s.shop_id) AS t
WHERE s.kind = 'shop' AND s.stage = 'closed'
  AND NOT EXISTS (SELECT FROM erased_streams g
                  WHERE (g.shop_id, g.stream_kind, g.stream_id) = (s.shop_id, s.kind, s.id))
  AND s.shop_id IN (SELECT shop_id FROM shop_staff WHERE account_id = $3 AND role = 'owner')
ORDER BY s.shop_id
"""  # noqa: S608 - constants
_LAST_OWNER_OF: Final = """
SELECT n.shop_no FROM shop_staff o JOIN shop_numbers n USING (shop_id)
LEFT JOIN streams s ON s.shop_id = o.shop_id AND s.kind = 'shop' AND s.id = o.shop_id
WHERE o.account_id = $1 AND o.role = 'owner' AND o.removed_at IS NULL AND s.stage IS DISTINCT FROM 'closed'
  AND NOT EXISTS (SELECT FROM shop_staff p WHERE p.shop_id = o.shop_id AND p.account_id <> o.account_id
                  AND p.role = 'owner' AND p.removed_at IS NULL)
ORDER BY 1
"""
_EXPIRED: Final = f"""
SELECT s.shop_id, s.kind, s.id, s.changed_at FROM streams s
WHERE s.changed_at <= $4 AND s.due_at IS NULL
  AND (s.kind IN ('payment', 'payout') OR (s.kind = 'order' AND s.stage = ANY ($3::text[])))
  AND NOT {_MONEY_UNDER_WAY}
  AND NOT EXISTS (SELECT FROM erased_streams g
                  WHERE (g.shop_id, g.stream_kind, g.stream_id) = (s.shop_id, s.kind, s.id))
ORDER BY s.changed_at, s.shop_id, s.id LIMIT $5
"""  # noqa: S608 - constants
_RESTRICT: Final = """
INSERT INTO restricted_streams (shop_id, stream_kind, stream_id, restricted_at)
SELECT u.*, $4 FROM unnest($1::uuid[], $2::text[], $3::uuid[]) AS u ON CONFLICT DO NOTHING
"""

# The targets that are still as they were planned; locked, in the order in which the engine locks.
_STILL: Final = """
SELECT s.shop_id, s.kind, s.id
FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::timestamptz[]) AS u (shop_id, kind, id, changed_at)
JOIN streams s ON s.shop_id = u.shop_id AND s.kind = u.kind AND s.id = u.id
WHERE s.changed_at <= u.changed_at AND s.due_at IS NULL
ORDER BY s.shop_id, s.kind, s.id FOR UPDATE OF s
"""
_TARGETS: Final = "unnest($1::uuid[], $2::text[], $3::uuid[]) AS u (shop_id, kind, id)"
# Codes of ended orders, and what issuers said about them, which may name an account.
_CODES: Final = f"""
SELECT c.shop_id, c.code_id FROM {_TARGETS} JOIN codes c ON c.shop_id = u.shop_id AND c.order_id = u.id
WHERE u.kind = 'order' AND c.stage IN ('delivered', 'revealed')
"""  # noqa: S608 - constants
_DELETE_SEALED: Final = f"""
DELETE FROM sealed_fields f USING {_TARGETS}
WHERE (f.shop_id, f.stream_kind, f.stream_id) = (u.shop_id, u.kind, u.id)
  AND ($4 OR NOT EXISTS (SELECT FROM events e WHERE e.kind LIKE 'review.%'
       AND (e.shop_id, e.stream_kind, e.stream_id, e.version)
         = (f.shop_id, f.stream_kind, f.stream_id, f.version)))
"""  # noqa: S608 - constants
_DELETE_SEALED_OF_CODES: Final = """
DELETE FROM sealed_fields f USING unnest($1::uuid[], $2::uuid[]) AS u (shop_id, id)
WHERE (f.shop_id, f.stream_kind, f.stream_id) = (u.shop_id, 'code', u.id)
"""
_EMPTY_VAULT: Final = """
UPDATE vault v SET sealed = NULL FROM unnest($1::uuid[], $2::uuid[]) AS u (shop_id, id)
WHERE (v.shop_id, v.code_id) = (u.shop_id, u.id) AND v.sealed IS NOT NULL
"""
_FORGET_KEYS: Final = f"""
UPDATE streams s SET buyer_key = NULL, address_key = NULL, account_id = NULL,
    state = (CASE WHEN $4 THEN s.state::jsonb #- '{{review,text}}' #- '{{review,objection}}' #- '{{review,note}}'
                                  #- '{{review,hidden_why}}' #- '{{review,objection_hidden_why}}'
                  ELSE s.state::jsonb END
             #- '{{order,buyer_key}}' #- '{{order,address_key}}' #- '{{order,account_id}}'
             #- '{{shop,name}}' #- '{{shop,announcement}}')::json
FROM {_TARGETS} WHERE (s.shop_id, s.kind, s.id) = (u.shop_id, u.kind, u.id)
"""  # noqa: S608 - constants
# What is kept of attestations for comparing them with later ones: keyed hashes of the account and of the statement.
_FORGET_ATTESTED: Final = """
UPDATE streams s SET state = jsonb_set(s.state::jsonb, '{attested,heard}', (
    SELECT jsonb_agg(h.one - 'account_key' - 'statement_key' ORDER BY h.number)
    FROM jsonb_array_elements(s.state::jsonb #> '{attested,heard}') WITH ORDINALITY AS h (one, number)
))::json
FROM unnest($1::uuid[], $2::uuid[]) AS u (shop_id, id)
WHERE (s.shop_id, s.kind, s.id) = (u.shop_id, 'code', u.id) AND s.state::jsonb #> '{attested,heard}' IS NOT NULL
"""
_DELETE_MAILS: Final = f"""
DELETE FROM effects f USING {_TARGETS}
WHERE f.shop_id = u.shop_id AND f.stream_id = u.id AND f.stream_kind = u.kind AND f.kind = ANY ($4::text[])
"""  # noqa: S608 - constants
_REMEMBER: Final = f"""
INSERT INTO erased_streams (shop_id, stream_kind, stream_id, erasure_id)
SELECT u.*, $4::uuid FROM {_TARGETS} ON CONFLICT DO NOTHING
"""  # noqa: S608 - constants
_ERASED: Final = """
SELECT g.shop_id, g.stream_kind, g.stream_id, e.basis FROM erased_streams g JOIN erasures e USING (erasure_id)
WHERE g.stream_kind <> 'code' ORDER BY 1, 2, 3
"""
_UNRESTRICT: Final = f"""
DELETE FROM restricted_streams r USING {_TARGETS}
WHERE (r.shop_id, r.stream_kind, r.stream_id) = (u.shop_id, u.kind, u.id)
"""  # noqa: S608 - constants
_CLOSE_ACCOUNT: Final = """
UPDATE accounts SET email_key = NULL, email_sealed = NULL, email_verified_at = NULL, password_hash = NULL,
    display_name = '', is_operator = false, closed_at = $2
WHERE account_id = $1 AND closed_at IS NULL
"""
# What is deleted leaves its (encrypted) bytes in the pages until they are tidied.
_TIDY: Final = "VACUUM sealed_fields, vault, streams, accounts, sessions, account_links, effects, erasures"


class PersonKeys(Protocol):
    """What finding a person needs of the keys (`fairkey.adapters.vault.keys.Keys`)."""

    def buyer_key(self, contact: str) -> bytes:
        """The same buyer anywhere on the platform."""

    def fingerprint(self, purpose: str, value: bytes) -> bytes:
        """HMAC-SHA256 under the purpose's key."""

    def open(self, purpose: str, aad: bytes, sealed: bytes) -> bytes:
        """The plaintext of a sealed value."""


class PostgresErasures:
    """Implements `fairkey.engine.erasing.Erasures`."""

    def __init__(self, pool: asyncpg.Pool, keys: PersonKeys, now_ms: Callable[[], int]) -> None:
        self._pool = pool
        self._keys = keys
        self._now_ms = now_ms

    # Finding.

    async def person_of(self, *, email: str = "", account_id: str = "") -> Person | None:
        """See `Erasures.person_of`. Raises `EmailIsInvalid`."""
        address = normal_email(email) if email else ""
        number = UUID(account_id) if account_id else None
        if address:
            email_key = self._keys.fingerprint("email_lookup", address.encode(errors="replace"))
            number = await self._pool.fetchval("SELECT account_id FROM accounts WHERE email_key = $1", email_key)
        elif number:
            address = await self._proved_address_of(number)
        buyer_key = self._keys.buyer_key(address).hex() if address else None
        effects = (sorted(MONEY), ASK_AGAIN)
        rows = await self._pool.fetch(_ORDERS_OF, *effects, buyer_key, number)
        if number:
            rows += await self._pool.fetch(_CLOSED_SHOPS_OF, *effects, number)
        is_open = number and await self._pool.fetchval(
            "SELECT closed_at IS NULL FROM accounts WHERE account_id = $1", number
        )
        if not rows and not is_open:
            return None
        shops = await self._pool.fetch(_LAST_OWNER_OF, number) if is_open else []
        return Person(
            account_id=str(number) if is_open else "",
            histories=tuple(self._history(row) for row in rows),
            stays_owner_of=tuple(row["shop_no"] for row in shops),
        )

    async def _proved_address_of(self, number: UUID) -> str:
        """The account's address, if its owner has proved that it is his; other people's orders may carry it else."""
        row = await self._pool.fetchrow(
            "SELECT email_sealed FROM accounts WHERE account_id = $1 AND email_verified_at IS NOT NULL", number
        )
        return self._keys.open("contacts", f"account:{number}".encode(), row["email_sealed"]).decode() if row else ""

    def _history(self, row: asyncpg.Record) -> History:
        changed_at_ms = ms_of(row["changed_at"])
        is_record = row["was_paid"] or row["kind"] == "shop"
        may_at_ms = may_be_erased_at_ms(changed_at_ms) if is_record else changed_at_ms
        why: Why | None = None
        if row["due_at"] is not None or (row["kind"] == "order" and row["stage"] not in _ENDED):
            why, may_at_ms = Why.OPEN, 0
        elif row["money_under_way"]:
            why, may_at_ms = Why.MONEY, 0
        elif self._now_ms() < may_at_ms:
            why = Why.RETENTION
        return History(
            stream=Stream(str(row["shop_id"]), row["kind"], str(row["id"])),
            shop_no=row["shop_no"],
            stage=row["stage"],
            changed_at_ms=changed_at_ms,
            why=why,
            may_at_ms=may_at_ms,
            is_restricted=row["is_restricted"],
        )

    async def expired(self, rows_max: int) -> Sequence[Target]:
        """See `Erasures.expired`."""
        now_ms = self._now_ms()
        latest = moment(now_ms - _SHORTEST_RETENTION_MS)
        rows = await self._pool.fetch(_EXPIRED, sorted(MONEY), ASK_AGAIN, _ENDED, latest, rows_max)
        return [
            Target(str(row["shop_id"]), row["kind"], str(row["id"]), ms_of(row["changed_at"]))
            for row in rows
            if may_be_erased_at_ms(ms_of(row["changed_at"])) <= now_ms
        ]

    async def erased(self) -> Sequence[Erased]:
        """See `Erasures.erased`."""
        rows = await self._pool.fetch(_ERASED)
        return [
            Erased(Stream(str(row["shop_id"]), row["stream_kind"], str(row["stream_id"])), Basis(row["basis"]))
            for row in rows
        ]

    async def restrict(self, streams: Sequence[Stream]) -> int:
        """See `Erasures.restrict`."""
        done = await self._pool.execute(_RESTRICT, *_columns(streams), moment(self._now_ms()))
        return _count(done)

    # Erasing.

    async def plan(self, erasure_id: str, basis: Basis, plan: Plan) -> None:
        """See `Erasures.plan`."""
        await self._pool.execute(
            "INSERT INTO erasures (erasure_id, basis, state, plan, counts, planned_at) "
            "VALUES ($1, $2, 'planned', $3, '{}', $4)",
            UUID(erasure_id),
            basis.value,
            msgspec.json.encode(plan).decode(),
            moment(self._now_ms()),
        )

    async def unfinished(self) -> Sequence[Unfinished]:
        """See `Erasures.unfinished`."""
        rows = await self._pool.fetch(
            "SELECT erasure_id, basis, state, counts FROM erasures WHERE state <> 'told' ORDER BY planned_at"
        )
        return [
            Unfinished(
                str(row["erasure_id"]),
                Basis(row["basis"]),
                None if row["state"] == "planned" else msgspec.json.decode(row["counts"], type=Counts),
            )
            for row in rows
        ]

    async def shred(self, erasure_id: str) -> Counts:
        """See `Erasures.shred`."""
        number = UUID(erasure_id)
        async with self._pool.acquire() as db, db.transaction():
            row = await db.fetchrow(
                "SELECT state, basis, plan, counts FROM erasures WHERE erasure_id = $1 FOR UPDATE", number
            )
            if row["state"] != "planned":
                return msgspec.json.decode(row["counts"], type=Counts)
            plan = msgspec.json.decode(row["plan"], type=Plan)
            now = moment(self._now_ms())
            counts = await _shred(db, number, plan, is_asked_for=row["basis"] == Basis.REQUEST.value)
            if plan.account_id:
                account = Stream(PLATFORM, ACCOUNT, plan.account_id)
                counts = counts.plus(Counts(accounts=await _close(db, UUID(plan.account_id), now)))
                await db.execute(_REMEMBER, *_columns([account]), number)
            await db.execute(
                """
                UPDATE erasures SET state = 'shredded', plan = NULL, counts = $2, shredded_at = $3
                WHERE erasure_id = $1
                """,
                number,
                msgspec.json.encode(counts).decode(),
                now,
            )
        return counts

    async def tidy(self) -> None:
        """See `Erasures.tidy`."""
        await self._pool.execute(_TIDY)

    async def told(self, erasure_id: str) -> None:
        """See `Erasures.told`."""
        await self._pool.execute(
            "UPDATE erasures SET state = 'told', told_at = $2 WHERE erasure_id = $1",
            UUID(erasure_id),
            moment(self._now_ms()),
        )


async def _shred(
    db: asyncpg.pool.PoolConnectionProxy, number: UUID, plan: Plan, *, is_asked_for: bool
) -> Counts:
    """Shred the histories of a plan. Reviews stay readable unless their writer asks: they belong to the shop's readers
    too (电商法 39).
    """
    planned_at = [moment(one.changed_at_ms) for one in plan.targets]
    rows = await db.fetch(_STILL, *_columns([one.stream for one in plan.targets]), planned_at)
    targets = _columns([Stream(str(row["shop_id"]), row["kind"], str(row["id"])) for row in rows])
    codes = await db.fetch(_CODES, *targets)
    of_codes = [row["shop_id"] for row in codes], [row["code_id"] for row in codes]
    sealed_rows = _count(await db.execute(_DELETE_SEALED, *targets, is_asked_for))
    sealed_rows += _count(await db.execute(_DELETE_SEALED_OF_CODES, *of_codes))
    emptied = _count(await db.execute(_EMPTY_VAULT, *of_codes))
    await db.execute(_FORGET_KEYS, *targets, is_asked_for)
    await db.execute(_FORGET_ATTESTED, *of_codes)
    await db.execute(_DELETE_MAILS, *targets, sorted(TELLING))
    await db.execute(_REMEMBER, *targets, number)
    await db.execute(_REMEMBER, of_codes[0], ["code"] * len(codes), of_codes[1], number)
    await db.execute(_UNRESTRICT, *targets)
    return Counts(histories=len(rows), sealed_rows=sealed_rows, codes=emptied)


async def _close(db: asyncpg.pool.PoolConnectionProxy, account_id: UUID, now: object) -> int:
    """Erase an account as its owner's own closing does; 1, or 0 when it was closed already."""
    await db.execute("SELECT 1 FROM accounts WHERE account_id = $1 FOR UPDATE", account_id)
    await db.execute(
        "UPDATE shop_staff SET removed_at = $2 WHERE account_id = $1 AND removed_at IS NULL", account_id, now
    )
    await db.execute("DELETE FROM sessions WHERE account_id = $1", account_id)
    await db.execute("DELETE FROM account_links WHERE account_id = $1", account_id)
    return _count(await db.execute(_CLOSE_ACCOUNT, account_id, now))


def _columns(streams: Sequence[Stream]) -> tuple[list[Any], list[Any], list[Any]]:
    return (
        [UUID(one.shop_id) for one in streams],
        [one.kind for one in streams],
        [UUID(one.id) for one in streams],
    )


def _count(status: str) -> int:
    return int(status.rsplit(" ", 1)[1])
