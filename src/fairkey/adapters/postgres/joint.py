"""Storage of `fairkey.engine.joint_port.JointRoom`: one row for each case that joined.

Which shop a row is about is a keyed hash; a statement lies sealed under a key that follows from the installation's. One
lock for each shop orders what its members do.
"""

import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final, Protocol
from uuid import UUID

import asyncpg
import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fairkey.adapters.postgres.moments import moment, ms_of
from fairkey.business.basics import DAY_MS, NotFound
from fairkey.casework.joint.claims import MEMBERS_MIN, REPRESENTATIVES, Claim
from fairkey.casework.joint.shops import ShopIdentity
from fairkey.engine.joint_port import GROUP_MAX, SHOWN_FROM, Bundle, Group, JointIsNotReady, Released, Speaker

_OWNED: Final = "SELECT 1 FROM cases WHERE account_id = $1 AND case_id = $2 FOR SHARE"
_KEY: Final = "SELECT shop_key FROM joint_members WHERE account_id = $1 AND case_id = $2"
_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended('fairkey.joint:' || encode($1, 'hex'), 0))"
_GROUP: Final = "SELECT * FROM joint_members WHERE shop_key = $1 ORDER BY joined_at, case_id"
_ADD: Final = """
INSERT INTO joint_members (case_id, account_id, shop_key, joined_at, problem, amount_fen, paid_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
_LEAVE: Final = "DELETE FROM joint_members WHERE account_id = $1 AND case_id = $2"
_RELEASE: Final = """
UPDATE joint_members SET released = $2, release_id = $3, speaks = $4, with_pack = $5, chosen = '{}',
    problem = $6, amount_fen = $7, paid_at = $8
WHERE case_id = $1
"""
_TAKE_BACK: Final = """
UPDATE joint_members SET released = NULL, release_id = NULL, speaks = false, with_pack = false, chosen = '{}'
WHERE account_id = $1 AND case_id = $2
"""
_CHOOSE: Final = "UPDATE joint_members SET chosen = $2 WHERE case_id = $1"
_PURPOSE: Final = "fingerprints"
_NONCE_BYTES: Final = 12
_BEIJING_MS: Final = 8 * 3_600_000


class KeyedHash(Protocol):
    """What is needed of the installation's keys."""

    def fingerprint(self, purpose: str, value: bytes) -> bytes:
        """A keyed hash, 32 bytes."""


class PostgresJoint:
    """Implements `JointRoom`."""

    def __init__(
        self, pool: asyncpg.Pool, keys: KeyedHash, now_ms: Callable[[], int], new_id: Callable[[], str]
    ) -> None:
        self._pool = pool
        self._keys = keys
        self._now_ms = now_ms
        self._new_id = new_id

    async def group(self, account_id: str, case_id: str) -> Group | None:
        """See `JointRoom.group`."""
        key = await self._pool.fetchval(_KEY, *_ids(account_id, case_id))
        if key is None:
            return None
        rows = await self._pool.fetch(_GROUP, key)
        mine = next((one for one in rows if one["case_id"] == UUID(case_id)), None)
        return self._seen(rows, mine) if mine is not None else None

    async def join(self, account_id: str, case_id: str, shop: ShopIdentity, claim: Claim) -> None:
        """See `JointRoom.join`."""
        owner, case = _ids(account_id, case_id)
        key = self._keys.fingerprint(_PURPOSE, b"joint shop\0" + shop.text)
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_LOCK, key)
            if await connection.fetchval(_OWNED, owner, case) is None:
                raise NotFound(what="case")
            if await connection.fetchval(_KEY, owner, case) == key:
                return
            rows = await connection.fetch(_GROUP, key)
            if any(one["account_id"] == owner for one in rows):
                raise JointIsNotReady(why="joined_twice")
            if len(rows) >= GROUP_MAX:
                raise JointIsNotReady(why="full")
            # The shop of the case was put right since it joined: it leaves the other group with all it released.
            await connection.execute(_LEAVE, owner, case)
            await connection.execute(_ADD, case, owner, key, moment(self._now_ms()), *_shared(claim))

    async def leave(self, account_id: str, case_id: str) -> None:
        """See `JointRoom.leave`."""
        await self._pool.execute(_LEAVE, *_ids(account_id, case_id))

    async def release(self, account_id: str, case_id: str, claim: Claim, *, speaks: bool, with_pack: bool) -> None:
        """See `JointRoom.release`."""
        sealed = self._sealed(case_id, claim)
        async with self._alone(account_id, case_id) as (connection, _, mine):
            release_id = UUID(self._new_id())
            await connection.execute(_RELEASE, mine["case_id"], sealed, release_id, speaks, with_pack, *_shared(claim))

    async def take_back(self, account_id: str, case_id: str) -> None:
        """See `JointRoom.take_back`."""
        await self._pool.execute(_TAKE_BACK, *_ids(account_id, case_id))

    async def choose(self, account_id: str, case_id: str, pair: tuple[str, ...]) -> None:
        """See `JointRoom.choose`."""
        async with self._alone(account_id, case_id) as (connection, rows, mine):
            if mine["released"] is None:
                raise JointIsNotReady(why="not_released")
            ready = {str(one["case_id"]) for one in rows if one["speaks"]}
            if len(set(pair)) != REPRESENTATIVES or not set(pair) <= ready:
                raise JointIsNotReady(why="choice")
            await connection.execute(_CHOOSE, mine["case_id"], [UUID(one) for one in sorted(pair)])

    async def bundle(self, account_id: str, case_id: str) -> Bundle:
        """See `JointRoom.bundle`."""
        async with self._alone(account_id, case_id) as (_, rows, _mine):
            agreed = _agreed(rows)
            if not agreed:
                raise JointIsNotReady(why="not_agreed")
            if case_id not in agreed:
                raise JointIsNotReady(why="not_chosen")
            released = tuple(self._opened(one) for one in rows if one["released"] is not None)
        numbers = tuple(number for number, one in enumerate(released, 1) if one.case_id in agreed)
        return Bundle(released=released, representatives=numbers)

    async def require_unchanged(self, account_id: str, case_id: str, bundle: Bundle) -> None:
        """See `JointRoom.require_unchanged`."""
        async with self._alone(account_id, case_id) as (_, rows, _mine):
            packed = {one.release_id for one in bundle.released}
            # One more does no harm: he is in the next pack. Whoever went, or said something else, must not be in this.
            still = [one for one in rows if str(one["release_id"]) in packed]
            if len(still) != len(packed) or case_id not in _agreed(still):
                raise JointIsNotReady(why="changed")

    @asynccontextmanager
    async def _alone(
        self, account_id: str, case_id: str
    ) -> AsyncIterator[tuple[asyncpg.Connection, list[asyncpg.Record], asyncpg.Record]]:
        """The group of a member under its lock. Raises `JointIsNotReady`."""
        owner, case = _ids(account_id, case_id)
        async with self._pool.acquire() as connection, connection.transaction():
            key = await connection.fetchval(_KEY, owner, case)
            if key is None:
                raise JointIsNotReady(why="not_joined")
            await connection.execute(_LOCK, key)
            rows = await connection.fetch(_GROUP, key)
            mine = next((one for one in rows if one["case_id"] == case), None)
            if mine is None:
                raise JointIsNotReady(why="not_joined")
            yield connection, rows, mine

    def _seen(self, rows: Sequence[asyncpg.Record], mine: asyncpg.Record) -> Group:
        released = [one for one in rows if one["released"] is not None]
        has_released = mine["released"] is not None
        agreed = _agreed(rows)
        seen = Group(
            members=len(rows),
            released=len(released),
            has_released=has_released,
            speaks=mine["speaks"],
            chosen=tuple(str(one) for one in mine["chosen"]),
            agreed=agreed,
            may_pack=str(mine["case_id"]) in agreed,
        )
        if has_released:  # names are told to those who gave their own word only
            speakers = [self._opened(one) for one in released if one["speaks"]]
            named = tuple(Speaker(case_id=one.case_id, name=one.claim.name) for one in speakers)
            seen = msgspec.structs.replace(seen, speakers=named)
        if len(rows) < SHOWN_FROM:
            return seen
        # Days only: the minute of the first or last payment would be one person's.
        times = [_day_ms(ms_of(one["paid_at"])) for one in rows if one["paid_at"] is not None]
        kinds = {one["problem"] for one in rows}
        counted = [(kind, sum(1 for one in rows if one["problem"] == kind)) for kind in kinds]
        return msgspec.structs.replace(
            seen,
            amount_fen=sum(one["amount_fen"] for one in rows),
            first_at_ms=min(times, default=0),
            last_at_ms=max(times, default=0),
            problems=tuple(sorted(counted, key=lambda one: (-one[1], one[0]))),
        )

    def _cipher(self, case_id: str) -> AESGCM:
        return AESGCM(self._keys.fingerprint(_PURPOSE, b"joint claim\0" + UUID(case_id).bytes))

    def _sealed(self, case_id: str, claim: Claim) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher(case_id).encrypt(nonce, msgspec.msgpack.encode(claim), b"fairkey joint claim 1")

    def _opened(self, row: asyncpg.Record) -> Released:
        case_id, sealed = str(row["case_id"]), row["released"]
        cipher = self._cipher(case_id)
        text = cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], b"fairkey joint claim 1")
        return Released(
            case_id=case_id,
            account_id=str(row["account_id"]),
            release_id=str(row["release_id"]),
            with_pack=row["with_pack"],
            claim=msgspec.msgpack.decode(text, type=Claim),
        )


def _agreed(rows: Sequence[asyncpg.Record]) -> tuple[str, ...]:
    """The two whom all who released chose; empty where they differ, or one of the two went."""
    released = [one for one in rows if one["released"] is not None]
    ready = {str(one["case_id"]) for one in released if one["speaks"]}
    choices = {tuple(str(case) for case in one["chosen"]) for one in released}
    if len(released) < MEMBERS_MIN or len(choices) != 1:
        return ()
    pair = choices.pop()
    return pair if len(pair) == REPRESENTATIVES and set(pair) <= ready else ()


def _shared(claim: Claim) -> tuple[str, int, object]:
    return claim.problem.value, claim.amount_fen, moment(claim.paid_at_ms) if claim.paid_at_ms else None


def _ids(account_id: str, case_id: str) -> tuple[UUID, UUID]:
    try:
        return UUID(account_id), UUID(case_id)
    except ValueError:
        raise NotFound(what="case") from None


def _day_ms(at_ms: int) -> int:
    """When the day of a moment began, Beijing time."""
    return (at_ms + _BEIJING_MS) // DAY_MS * DAY_MS - _BEIJING_MS
