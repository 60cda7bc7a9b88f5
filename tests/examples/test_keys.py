"""Data keys: sealing, rotation, another master key, keyed hashes."""

import asyncio
import hmac
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest

from fairkey.adapters.vault.keys import (
    HASHING_PURPOSES,
    SEALING_PURPOSES,
    KeyIsUnknown,
    Keys,
    PurposeIsUnknown,
    SealIsBroken,
    key_id_of,
)
from fairkey.adapters.vault.wrapping import (
    LocalKeyWrapper,
    MasterKeyDoesNotFit,
    MasterKeyIsMalformed,
    new_master_key,
)

ORDER = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
SHOP_A, SHOP_B = UUID(int=1), UUID(int=2)
MASTER = LocalKeyWrapper(b"m" * 32)


class Clock:
    def __init__(self) -> None:
        self.at_ms = 1_800_000_000_000

    def __call__(self) -> int:
        return self.at_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=6) as pool:
        yield pool


@pytest.fixture
async def keys(pool: asyncpg.Pool, clock: Clock) -> Keys:
    return await Keys.load(pool, MASTER, clock)


async def test_several_processes_starting_at_once_agree_on_the_keys(pool: asyncpg.Pool, clock: Clock) -> None:
    together = await asyncio.gather(*(Keys.load(pool, MASTER, clock) for _ in range(6)))
    sealed = together[0].seal("contacts", b"here", b"tom@example.com")
    assert {one.open("contacts", b"here", sealed) for one in together} == {b"tom@example.com"}
    assert len({one.order_secret(ORDER) for one in together}) == 1
    assert await pool.fetchval("SELECT count(*) FROM data_keys") == len(SEALING_PURPOSES) + len(HASHING_PURPOSES)


async def test_no_key_lies_in_the_database_in_clear(pool: asyncpg.Pool, keys: Keys) -> None:
    wrapped = b"".join(row["wrapped"] for row in await pool.fetch("SELECT wrapped FROM data_keys"))
    assert len(keys._known) == len(SEALING_PURPOSES) + len(HASHING_PURPOSES)
    assert all(one.key not in wrapped for one in keys._known.values())


async def test_a_sealed_value_opens_only_for_its_purpose_and_at_its_place(keys: Keys) -> None:
    sealed = keys.seal("codes", b"place", b"secret")
    assert keys.open("codes", b"place", sealed) == b"secret"
    assert keys.seal("codes", b"place", b"secret") != sealed
    for purpose, aad, value in (
        ("codes", b"elsewhere", sealed),
        ("contacts", b"place", sealed),
        ("codes", b"place", sealed[:-1] + bytes([sealed[-1] ^ 1])),
        ("codes", b"place", b"\x02" + sealed[1:]),
        ("codes", b"place", sealed[:20]),
        ("codes", b"place", b""),
    ):
        with pytest.raises(SealIsBroken):
            keys.open(purpose, aad, value)


async def test_purposes_do_not_mix(keys: Keys) -> None:
    with pytest.raises(PurposeIsUnknown):
        keys.seal("fingerprints", b"", b"")
    with pytest.raises(PurposeIsUnknown):
        keys.fingerprint("codes", b"")
    with pytest.raises(PurposeIsUnknown):
        await keys.rotate("fingerprints")
    assert keys.fingerprint("sessions", b"x") != keys.fingerprint("csrf", b"x")


async def test_after_a_rotation_the_old_stays_readable_and_the_new_key_is_known_before_it_is_used(
    pool: asyncpg.Pool, keys: Keys, clock: Clock
) -> None:
    neighbour = await Keys.load(pool, MASTER, clock)
    old = keys.seal("codes", b"a", b"before")
    new_id = await keys.rotate("codes", usable_after_ms=120_000)

    assert key_id_of(keys.seal("codes", b"a", b"still")) == key_id_of(old)
    await neighbour.refresh()
    clock.at_ms += 120_000
    await keys.refresh()
    new = keys.seal("codes", b"a", b"after")
    assert key_id_of(new) == new_id
    # The neighbour has not refreshed since the key became usable: he still writes with the old one, and reads the new.
    assert neighbour.open("codes", b"a", new) == b"after"
    assert key_id_of(neighbour.seal("codes", b"a", b"x")) == key_id_of(old)
    assert keys.open("codes", b"a", old) == b"before"


async def test_a_key_of_another_process_is_fetched_when_it_turns_up(
    pool: asyncpg.Pool, keys: Keys, clock: Clock
) -> None:
    neighbour = await Keys.load(pool, MASTER, clock)
    await keys.rotate("contacts", usable_after_ms=0)
    sealed = keys.seal("contacts", b"a", b"new")
    with pytest.raises(KeyIsUnknown):
        neighbour.open("contacts", b"a", sealed)
    assert await neighbour.open_many("contacts", [(b"a", sealed)]) == [b"new"]


async def test_another_master_key_wraps_everything_anew_and_opens_nothing_less(
    pool: asyncpg.Pool, keys: Keys, clock: Clock
) -> None:
    neighbour = await Keys.load(pool, MASTER, clock)
    sealed, secret = keys.seal("codes", b"a", b"kept"), keys.order_secret(ORDER)
    new_master = LocalKeyWrapper.from_base64(new_master_key())
    await keys.rewrap(new_master)
    with pytest.raises(MasterKeyDoesNotFit):
        await Keys.load(pool, MASTER, clock)
    again = await Keys.load(pool, new_master, clock)
    assert (again.open("codes", b"a", sealed), again.order_secret(ORDER)) == (b"kept", secret)
    await keys.refresh()
    await neighbour.refresh()  # still runs with the master key of before
    assert neighbour.open("codes", b"a", sealed) == b"kept"


async def test_who_runs_with_the_master_key_of_before_makes_no_data_key(
    pool: asyncpg.Pool, keys: Keys, clock: Clock
) -> None:
    neighbour = await Keys.load(pool, MASTER, clock)
    new_master = LocalKeyWrapper.from_base64(new_master_key())
    await keys.rewrap(new_master)
    with pytest.raises(MasterKeyDoesNotFit):
        await neighbour.rotate("codes")
    await pool.execute("DELETE FROM data_keys WHERE purpose = 'csrf'")  # as a newer release that knows one purpose more
    count = await pool.fetchval("SELECT count(*) FROM data_keys")
    with pytest.raises(MasterKeyDoesNotFit):
        await Keys.load(pool, MASTER, clock)
    assert await pool.fetchval("SELECT count(*) FROM data_keys") == count
    await Keys.load(pool, new_master, clock)


async def test_a_rewrapping_that_fails_changes_nothing(pool: asyncpg.Pool, keys: Keys, clock: Clock) -> None:
    class Unplugged(LocalKeyWrapper):
        left = 3

        async def wrap(self, key: bytes, label: bytes) -> bytes:
            self.left -= 1
            if not self.left:
                raise ConnectionError
            return await super().wrap(key, label)

    with pytest.raises(ConnectionError):
        await keys.rewrap(Unplugged(b"n" * 32))
    await Keys.load(pool, MASTER, clock)
    await keys.refresh()


async def test_a_wrapped_key_cannot_stand_in_for_another(pool: asyncpg.Pool, keys: Keys, clock: Clock) -> None:
    await pool.execute(
        """
        UPDATE data_keys SET wrapped = (SELECT wrapped FROM data_keys WHERE purpose = 'contacts')
        WHERE purpose = 'codes'
        """
    )
    with pytest.raises(MasterKeyDoesNotFit):
        await Keys.load(pool, MASTER, clock)


async def test_there_is_one_key_for_hashing_and_the_database_sees_to_it(pool: asyncpg.Pool, keys: Keys) -> None:
    with pytest.raises(asyncpg.UniqueViolationError):
        await pool.execute(
            """
            INSERT INTO data_keys (key_id, purpose, wrapped, created_at, usable_at)
            VALUES (99, 'fingerprints', '', now(), now())
            """
        )


async def test_fingerprints_are_plain_hmac_sha_256(keys: Keys) -> None:
    key = next(one.key for one in keys._known.values() if one.purpose == "sessions")
    for message in (b"", b"x", b"x" * 200):
        assert keys.fingerprint("sessions", message) == hmac.digest(key, message, "sha256")


@pytest.mark.parametrize("text", ["", "short", "!" * 44, "bQ==" * 11])
def test_a_malformed_master_key_is_refused(text: str) -> None:
    with pytest.raises(MasterKeyIsMalformed):
        LocalKeyWrapper.from_base64(text)


async def test_an_order_secret_is_forgiving_to_people_and_to_nobody_else(keys: Keys) -> None:
    secret = keys.order_secret(ORDER)
    assert len(secret) == 26
    assert set(secret) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    dashed = "-".join(secret[at : at + 5] for at in range(0, 26, 5))
    misread = secret.lower().replace("0", "o").replace("1", "l")
    full_width = "".join(chr(ord(character) + 0xFEE0) for character in secret)
    for given in (secret, f" {dashed} ", misread, full_width, secret.replace("1", "I")):
        assert keys.check_order_secret(str(ORDER), given)
    other = keys.order_secret(UUID(int=5))
    assert other != secret
    for given in (other, secret[:-1], secret + "0", "", "\ud800", "密码" * 1000):
        assert not keys.check_order_secret(ORDER, given)


async def test_shops_cannot_compare_their_buyers(keys: Keys) -> None:
    a, b = keys.buyer_pseudonym(SHOP_A, "Tom@Example.com "), keys.buyer_pseudonym(SHOP_B, "tom@example.com")
    assert a != b
    assert a == keys.buyer_pseudonym(str(SHOP_A), "ＴＯＭ@example.com")
    assert len(bytes.fromhex(a)) == 16
    assert keys.buyer_key("tom@example.com") == keys.buyer_key("TOM@example.com")
    assert keys.buyer_key("tom@example.com") != keys.buyer_key("ann@example.com")


async def test_codes_that_compare_equal_have_one_fingerprint(keys: Keys) -> None:
    assert keys.code_fingerprint("ABC²") == keys.code_fingerprint("ABC2")
    assert keys.code_fingerprint("ABC") != keys.code_fingerprint("abc")
    assert len(keys.code_fingerprint("ABC")) == 32
