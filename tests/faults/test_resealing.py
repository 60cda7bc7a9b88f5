"""Moving sealed values to a new data key, beside the running shop and through interruptions; and that no table shows
a code.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from fairkey.adapters.vault.keys import key_id_of
from fairkey.adapters.vault.resealing import VAULT_CODES, reseal, retire_unused
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
