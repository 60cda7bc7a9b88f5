"""Moving sealed values to a new data key, beside the running shop and through interruptions; and that no table shows
a code.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from fairkey.adapters.postgres.log_keys import LogKeys
from fairkey.adapters.postgres.store import sealed_aad
from fairkey.adapters.vault.keys import key_id_of
from fairkey.adapters.vault.resealing import (
    SEALED_COLUMNS,
    VAULT_CODES,
    reseal,
    reseal_everything,
    retire_unused,
)
from fairkey.business.basics import Stream
from vault_world import SHOP, VaultWorld, file_of, vault_world


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[VaultWorld]:
    async with vault_world(database_url) as world:
        yield world


async def key_ids(world: VaultWorld) -> set[int]:
    return {key_id_of(row["sealed"]) for row in await world.pool.fetch("SELECT sealed FROM vault")}


async def texts(world: VaultWorld) -> list[str]:
    ids = [str(row["code_id"]) for row in await world.pool.fetch("SELECT code_id FROM vault ORDER BY position")]
    opened = await world.vault.open_codes(SHOP, ids)
    return [opened[code_id].text for code_id in ids]


async def test_after_resealing_every_code_lies_under_the_new_key_and_is_the_same(world: VaultWorld) -> None:
    deposited = [f"CODE-{number:07}" for number in range(2_500)]
    await world.stage(file_of(deposited))
    old = await key_ids(world)
    new = await world.keys.rotate("codes", usable_after_ms=0)
    progress: list[int] = []

    assert await reseal(world.pool, world.keys, VAULT_CODES, on_progress=progress.append) == 2_500
    assert progress == [1_000, 2_000, 2_500]
    assert await key_ids(world) == {new}
    assert await texts(world) == deposited
    assert await reseal(world.pool, world.keys, VAULT_CODES) == 0

    assert await retire_unused(world.pool, "codes", (VAULT_CODES,), world.clock()) == []  # somebody may still write
    world.clock.at_ms += 10_000_000
    assert await retire_unused(world.pool, "codes", (VAULT_CODES,), world.clock()) == sorted(old)
    assert await retire_unused(world.pool, "codes", (VAULT_CODES,), world.clock()) == []


async def test_every_sealed_column_of_the_database_is_resealed(world: VaultWorld) -> None:
    await world.stage(b"CODE-0000001\n")
    account, order = UUID(int=5), UUID(int=6)
    await world.pool.execute(
        """
        INSERT INTO accounts (account_id, email_key, email_sealed, password_hash, display_name, locale, created_at)
        VALUES ($1, $2, $3, 'x', '', 'en', now())
        """,
        account,
        b"k" * 32,
        world.keys.seal("contacts", f"account:{account}".encode(), b"tom@example.com"),
    )
    place = sealed_aad(Stream(SHOP, "order", str(order)), 3)
    await world.pool.execute(
        "INSERT INTO sealed_fields (shop_id, stream_kind, stream_id, version, sealed) VALUES ($1, 'order', $2, 3, $3)",
        SHOP,
        order,
        world.keys.seal("contacts", place, b"fields"),
    )
    licence = b"h" * 32
    await world.pool.execute(
        "INSERT INTO admission_drafts (shop_id, sealed, changed_at) VALUES ($1, $2, now())",
        SHOP,
        world.keys.seal("contacts", f"admission:draft:{SHOP}".encode(), b"{}"),
    )
    await world.pool.execute(
        """
        INSERT INTO admission_images (shop_id, sha256, media_type, sealed, kept_at)
        VALUES ($1, $2, 'image/png', $3, now())
        """,
        SHOP,
        licence,
        world.keys.seal("contacts", f"admission:{licence.hex()}:{SHOP}".encode(), b"picture"),
    )
    own = await LogKeys(world.pool, world.keys, world.clock).newest("shop.example/log")
    new = {purpose: await world.keys.rotate(purpose, usable_after_ms=0) for purpose in ("codes", "contacts")}
    world.clock.at_ms += 10_000_000
    told: list[tuple[str, int]] = []

    def tell(table: str, count: int) -> None:
        told.append((table, count))

    renewed = await reseal_everything(world.pool, world.keys, world.clock, on_progress=tell)
    assert renewed == dict.fromkeys((where.table for where in SEALED_COLUMNS), 1)
    assert dict(told) == renewed
    for where in SEALED_COLUMNS:
        assert key_id_of(await world.pool.fetchval(f"SELECT {where.column} FROM {where.table}")) == new[where.purpose]
    assert (await LogKeys(world.pool, world.keys, world.clock).newest("")).key.verifier == own.key.verifier
    fields = await world.pool.fetchval("SELECT sealed FROM sealed_fields")
    assert world.keys.open("contacts", place, fields) == b"fields"
    retired = await world.pool.fetch("SELECT purpose FROM data_keys WHERE retired_at IS NOT NULL ORDER BY purpose")
    assert [row["purpose"] for row in retired] == ["codes", "contacts"]

    columns = await world.pool.fetch(
        """
        SELECT table_name, column_name FROM information_schema.columns
        WHERE table_schema = 'public' AND column_name LIKE '%sealed' AND data_type = 'bytea'
        """
    )
    assert {tuple(row) for row in columns} == {(where.table, where.column) for where in SEALED_COLUMNS}


async def test_an_interrupted_resealing_goes_on_where_it_is_needed(world: VaultWorld) -> None:
    await world.stage(file_of(f"CODE-{number:07}" for number in range(2_500)))
    new = await world.keys.rotate("codes", usable_after_ms=0)

    def stop(renewed: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await reseal(world.pool, world.keys, VAULT_CODES, on_progress=stop)
    assert len(await key_ids(world)) == 2
    assert await reseal(world.pool, world.keys, VAULT_CODES) == 1_500
    assert await key_ids(world) == {new}


async def test_two_resealings_at_once_and_readers_beside_them(world: VaultWorld) -> None:
    deposited = [f"CODE-{number:07}" for number in range(2_500)]
    await world.stage(file_of(deposited))
    new = await world.keys.rotate("codes", usable_after_ms=0)
    first, second, *read = await asyncio.gather(
        reseal(world.pool, world.keys, VAULT_CODES, rows_at_once=300),
        reseal(world.pool, world.keys, VAULT_CODES, rows_at_once=300),
        *(texts(world) for _ in range(5)),
    )
    assert isinstance(first, int)
    assert isinstance(second, int)
    assert first + second == 2_500
    assert all(one == deposited for one in read)
    assert await key_ids(world) == {new}


async def test_no_table_of_the_vault_shows_a_code_or_a_key(world: VaultWorld) -> None:
    codes = [f"SECRET-{number:04}-ÄÖ密码{number}" for number in range(300)]
    bad = ["SECRET-TOO-LONG" * 200, "SECRET-WITH-\x07-BELL"]
    await world.stage(file_of([*codes, codes[0], *bad]))
    await world.stage(file_of(codes[:10]))
    await world.desk.put_typed(SHOP, str(UUID(int=77)), ["SECRET-TYPED-0001"])
    await world.register(world.imports[0])
    dump = b""
    tables = await world.pool.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    assert {"vault", "fingerprints", "imports", "import_refusals", "data_keys"} <= {row["tablename"] for row in tables}
    for table in tables:
        for row in await world.pool.fetch(f"SELECT * FROM {table['tablename']}"):
            dump += b"\n".join(map(as_bytes, row.values()))
    assert b"codes.txt" in dump  # the dump has what it should have
    assert b"SECRET" not in dump
    assert "密码".encode() not in dump
    for one in world.keys._known.values():
        assert one.key not in dump


def as_bytes(value: Any) -> bytes:  # noqa: ANN401 - whatever a column holds
    return value if isinstance(value, bytes) else str(value).encode()
