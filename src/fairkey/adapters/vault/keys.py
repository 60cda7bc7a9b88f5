"""The data keys of this installation, and what is done with them: sealing, fingerprints, order secrets, pseudonyms.

Each purpose has keys of its own, 32 random bytes made on the first start and kept in `data_keys`, wrapped by the
master key. Sealing keys (`codes`, `contacts`) rotate: new writes use the newest usable one, older ones stay readable,
and `resealing.py` moves old rows over. Keys for keyed hashes never rotate, since what they made is looked up again.

A sealed value describes itself: version (1 byte), key id (4 bytes, big-endian), nonce (12 bytes), ciphertext and tag of
AES-256-GCM. Nonces are random, so one key should seal fewer than 2^32 values: rotate long before.
"""

import hashlib
import hmac
import secrets
import struct
import unicodedata
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple, Self
from uuid import UUID

import asyncpg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fairkey.adapters.postgres.moments import moment, ms_of
from fairkey.adapters.vault.wrapping import KEY_BYTES, NONCE_BYTES, KeyWrapper
from fairkey.business.basics import MINUTE_MS
from fairkey.business.code_lines import comparable, folded

SEALING_PURPOSES: Final = ("codes", "contacts")
HASHING_PURPOSES: Final = ("fingerprints", "order_secrets", "buyer_pseudonyms", "email_lookup", "sessions", "csrf")

# Every process refreshes its keys at least each minute, so nobody meets a key in a row before he knows it.
REFRESH_EVERY_MS: Final = MINUTE_MS
USABLE_AFTER_MS: Final = 2 * MINUTE_MS

SEALED_VERSION: Final = 1
SEALED_HEADER_BYTES: Final = 5
_HEADER: Final = struct.Struct(">BI")
_TAG_BYTES: Final = 16

_BLOCK_BYTES: Final = 64  # of SHA-256
_INNER_PAD: Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PAD: Final = bytes(byte ^ 0x5C for byte in range(256))

_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended('fairkey.data_keys', 0))"
_READ: Final = "SELECT key_id, purpose, wrapped, usable_at FROM data_keys ORDER BY key_id"

_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS: Final = [first + second for first in _CROCKFORD for second in _CROCKFORD]
_MISREAD: Final = str.maketrans({"I": "1", "L": "1", "O": "0", "-": None, "–": None, "—": None, " ": None, "\t": None})
_ORDER_SECRET_BYTES: Final = 16
_ORDER_SECRET_CHARS: Final = 26
_PAIR_SHIFTS: Final = range(5 * (_ORDER_SECRET_CHARS - 2), -1, -10)
_GIVEN_CHARS_MAX: Final = 100


class PurposeIsUnknown(Exception):
    """There is no key for this purpose, or its keys do another kind of work."""


class KeyIsUnknown(Exception):
    """The value names a data key that this process does not know: refresh, then try once more."""


class SealIsBroken(Exception):
    """The value is not what was sealed for this purpose and place: changed, moved to another row, or no sealed value
    at all.
    """


class _DataKey(NamedTuple):
    key_id: int
    purpose: str
    key: bytes
    usable_at_ms: int


class _Sealing(NamedTuple):
    key_id: int
    header: bytes
    cipher: AESGCM


class _Opening(NamedTuple):
    purpose: str
    cipher: AESGCM


class _Hmac:
    """HMAC-SHA256 under one key, with the two hash states that follow from the key kept: twice as fast as
    `hmac.digest`.
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        block = key.ljust(_BLOCK_BYTES, b"\x00")
        self._inner = hashlib.sha256(block.translate(_INNER_PAD))
        self._outer = hashlib.sha256(block.translate(_OUTER_PAD))

    def digest(self, message: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()


class _Ring(NamedTuple):
    """Everything unwrapped, replaced as a whole at each refresh."""

    sealing: dict[str, _Sealing]
    opening: dict[int, _Opening]
    hashing: dict[str, _Hmac]


class Keys:
    """All data keys, unwrapped in memory. `load` it once per process and `refresh` it each minute; the rest is fast
    and synchronous.
    """

    def __init__(self, pool: asyncpg.Pool, wrapper: KeyWrapper, now_ms: Callable[[], int]) -> None:
        self._pool = pool
        self._wrapper = wrapper
        self._now_ms = now_ms
        self._known: dict[int, _DataKey] = {}
        self._ring = _Ring({}, {}, {})

    @classmethod
    async def load(cls, pool: asyncpg.Pool, wrapper: KeyWrapper, now_ms: Callable[[], int]) -> Self:
        """Read the keys, making those that are missing. Any number of processes may start at once.

        Raises `MasterKeyDoesNotFit` when the database was set up under another master key.
        """
        keys = cls(pool, wrapper, now_ms)
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(_LOCK)
            known = {row["purpose"] for row in await connection.fetch(_READ)}
            for purpose in (*SEALING_PURPOSES, *HASHING_PURPOSES):
                if purpose not in known:
                    await keys._add(connection, purpose, usable_at_ms=now_ms())
        await keys.refresh()
        return keys

    async def refresh(self) -> None:
        """Learn keys that other processes made, and start to write with those that became usable."""
        for row in await self._pool.fetch(_READ):
            # What is known is not unwrapped again: a key service is asked once, and another master key disturbs nobody.
            if row["key_id"] not in self._known:
                key = await self._wrapper.unwrap(row["wrapped"], _label(row["key_id"], row["purpose"]))
                self._known[row["key_id"]] = _DataKey(row["key_id"], row["purpose"], key, ms_of(row["usable_at"]))
        self._ring = _ring([self._known[key_id] for key_id in sorted(self._known)], self._now_ms())

    async def rotate(self, purpose: str, *, usable_after_ms: int = USABLE_AFTER_MS) -> int:
        """Make a new data key for a sealing purpose; its id. Processes write with it once it is usable and they
        refreshed.
        """
        if purpose not in SEALING_PURPOSES:
            raise PurposeIsUnknown(purpose)
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_LOCK)
            key_id = await self._add(connection, purpose, usable_at_ms=self._now_ms() + usable_after_ms)
        await self.refresh()
        return key_id

    async def rewrap(self, new_wrapper: KeyWrapper) -> int:
        """Wrap every data key by another master key, all or none; how many. Nothing sealed changes.

        From then on a start needs the new master key; processes that run already go on, but can neither learn nor
        make a data key (`MasterKeyDoesNotFit`): restart them one after another.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_LOCK)
            rows = await connection.fetch(_READ)
            for row in rows:
                label = _label(row["key_id"], row["purpose"])
                key = await self._wrapper.unwrap(row["wrapped"], label)
                wrapped = await new_wrapper.wrap(key, label)
                await connection.execute("UPDATE data_keys SET wrapped = $2 WHERE key_id = $1", row["key_id"], wrapped)
        self._wrapper = new_wrapper
        return len(rows)

    async def _add(self, connection: asyncpg.pool.PoolConnectionProxy, purpose: str, *, usable_at_ms: int) -> int:
        key_id: int = await connection.fetchval("SELECT coalesce(max(key_id), 0) + 1 FROM data_keys")
        await self._fits(connection)
        wrapped = await self._wrapper.wrap(secrets.token_bytes(KEY_BYTES), _label(key_id, purpose))
        await connection.execute(
            "INSERT INTO data_keys (key_id, purpose, wrapped, created_at, usable_at) VALUES ($1, $2, $3, $4, $5)",
            key_id,
            purpose,
            wrapped,
            moment(self._now_ms()),
            moment(usable_at_ms),
        )
        return key_id

    async def _fits(self, connection: asyncpg.pool.PoolConnectionProxy) -> None:
        """A process with the master key of before must not add a data key that the next start could not read."""
        row = await connection.fetchrow(f"{_READ} LIMIT 1")
        if row is not None:
            await self._wrapper.unwrap(row["wrapped"], _label(row["key_id"], row["purpose"]))

    # --- sealing ---

    def seal(self, purpose: str, aad: bytes, plaintext: bytes) -> bytes:
        """Encrypt under the purpose's newest usable key. `aad` names the place the value belongs to and is needed to
        open it.
        """
        try:
            sealing = self._ring.sealing[purpose]
        except KeyError:
            raise PurposeIsUnknown(purpose) from None
        nonce = secrets.token_bytes(NONCE_BYTES)
        return sealing.header + nonce + sealing.cipher.encrypt(nonce, plaintext, aad)

    def open(self, purpose: str, aad: bytes, sealed: bytes) -> bytes:
        """What was sealed. Raises `KeyIsUnknown` (refresh first) or `SealIsBroken`."""
        if len(sealed) < SEALED_HEADER_BYTES + NONCE_BYTES + _TAG_BYTES or sealed[0] != SEALED_VERSION:
            raise SealIsBroken
        try:
            opening = self._ring.opening[key_id_of(sealed)]
        except KeyError as error:
            raise KeyIsUnknown(*error.args) from None
        if opening.purpose != purpose:
            raise SealIsBroken
        nonce = sealed[SEALED_HEADER_BYTES : SEALED_HEADER_BYTES + NONCE_BYTES]
        try:
            return opening.cipher.decrypt(nonce, sealed[SEALED_HEADER_BYTES + NONCE_BYTES :], aad)
        except InvalidTag:
            raise SealIsBroken from None

    async def open_many(self, purpose: str, values: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
        """`open` for (aad, sealed) pairs, in order; a key that another process made a moment ago is fetched first."""
        pairs = list(values)
        if not all(self.knows_key_of(sealed) for _, sealed in pairs):
            await self.refresh()
        return [self.open(purpose, aad, sealed) for aad, sealed in pairs]

    def knows_key_of(self, sealed: bytes) -> bool:
        """Whether a refresh is not needed before opening this value."""
        return len(sealed) < SEALED_HEADER_BYTES or key_id_of(sealed) in self._ring.opening

    def sealing_key_id(self, purpose: str) -> int:
        """The key that new values of this purpose are sealed under."""
        try:
            return self._ring.sealing[purpose].key_id
        except KeyError:
            raise PurposeIsUnknown(purpose) from None

    def code_sealer(self) -> tuple[bytes, Callable[[bytes, bytes, bytes], bytes]]:
        """For sealing codes by the ten thousand: the header, and `encrypt(nonce, plaintext, aad)` of one and the same
        key.

        A sealed value is header + nonce + what `encrypt` gives; each nonce is 12 fresh random bytes.
        """
        sealing = self._ring.sealing["codes"]
        return sealing.header, sealing.cipher.encrypt

    # --- keyed hashes ---

    def fingerprint(self, purpose: str, value: bytes) -> bytes:
        """HMAC-SHA256 under the key of a hashing purpose: 32 bytes, the same for the same value for ever."""
        try:
            return self._ring.hashing[purpose].digest(value)
        except KeyError:
            raise PurposeIsUnknown(purpose) from None

    def code_fingerprint(self, normalised: str) -> bytes:
        """The platform-wide mark of a code (normalised text): equal for all writings of it (`folded`), telling nothing
        else.
        """
        return self._ring.hashing["fingerprints"].digest(folded(normalised).encode("utf-8"))

    def exact_fingerprint(self, normalised: str) -> bytes:
        """The mark of this very writing, which codes were given before writings were compared."""
        return self._ring.hashing["fingerprints"].digest(comparable(normalised).encode("utf-8"))

    def order_secret(self, order_id: UUID | str) -> str:
        """The secret by which a guest finds his order: 128 bits in Crockford base32, 26 characters, stored nowhere."""
        number = int.from_bytes(self.fingerprint("order_secrets", _uuid(order_id).bytes)[:_ORDER_SECRET_BYTES], "big")
        return "".join([_PAIRS[number >> shift & 1023] for shift in _PAIR_SHIFTS])

    def check_order_secret(self, order_id: UUID | str, given: str) -> bool:
        """Whether `given` is that order's secret, in constant time; case, dashes, spaces and the usual misreadings
        are forgiven.
        """
        cleaned = unicodedata.normalize("NFKC", given[:_GIVEN_CHARS_MAX]).upper().translate(_MISREAD).strip()
        return hmac.compare_digest(self.order_secret(order_id).encode(), cleaned.encode("utf-8", "replace"))

    def buyer_pseudonym(self, shop_id: UUID | str, contact: str) -> str:
        """The buyer as one shop knows him: 32 hex digits, the same for his every order there, unlike those of any
        other shop.
        """
        message = b"shop\x00" + _uuid(shop_id).bytes + _contact(contact)
        return self.fingerprint("buyer_pseudonyms", message)[:16].hex()

    def buyer_key(self, contact: str) -> bytes:
        """The buyer over the whole platform, 32 bytes: for limits and meters only, never shown to anyone."""
        return self.fingerprint("buyer_pseudonyms", b"platform\x00" + _contact(contact))


def key_id_of(sealed: bytes) -> int:
    """The id of the key a value was sealed under; `SealIsBroken` when it is too short to say."""
    if len(sealed) < SEALED_HEADER_BYTES:
        raise SealIsBroken
    return int.from_bytes(sealed[1:SEALED_HEADER_BYTES], "big")


def sealed_header(key_id: int) -> bytes:
    """The first bytes of every value sealed under this key."""
    return _HEADER.pack(SEALED_VERSION, key_id)


def _label(key_id: int, purpose: str) -> bytes:
    return f"fairkey data key {key_id} {purpose}".encode()


def _ring(known: list[_DataKey], now_ms: int) -> _Ring:
    """`known` is in the order the keys were made."""
    ring = _Ring({}, {}, {})
    for one in known:
        if one.purpose in HASHING_PURPOSES:
            ring.hashing[one.purpose] = _Hmac(one.key)
            continue
        cipher = AESGCM(one.key)
        ring.opening[one.key_id] = _Opening(one.purpose, cipher)
        if one.usable_at_ms <= now_ms:
            ring.sealing[one.purpose] = _Sealing(one.key_id, sealed_header(one.key_id), cipher)
    return ring


def _uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


def _contact(contact: str) -> bytes:
    return unicodedata.normalize("NFKC", contact).strip().casefold().encode("utf-8", "replace")
