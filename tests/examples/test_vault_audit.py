"""The audit of the vault: silent on a healthy one, and naming each thing that is off."""

from collections.abc import AsyncIterator

import pytest

from fairkey.adapters.vault.auditing import audit_vault
from vault_world import LISTING, OTHER_SHOP, SHOP, VaultWorld, file_of, vault_world


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[VaultWorld]:
    async with vault_world(database_url) as world:
        for shop_id in (SHOP, OTHER_SHOP):
            staged = await world.stage(file_of(f"CODE-{shop_id}-{number}" for number in range(1_200)), shop_id=shop_id)
            await world.register(staged.import_id, shop_id=shop_id)
        await world.stage(b"STAGED-CODE-1\n")
        await world.desk.put_typed(SHOP, "00000000-0000-7000-8000-0000000000b0", ["TYPED-CODE-1"])
        yield world


async def findings(world: VaultWorld, *, open_all: bool = False) -> list[tuple[str, str]]:
    return [(finding.what, finding.where) async for finding in audit_vault(world.pool, world.keys, open_all=open_all)]


async def test_a_healthy_vault(world: VaultWorld) -> None:
    assert await findings(world, open_all=True) == []


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        ("DELETE FROM vault WHERE position = 7 AND shop_id = $1", "a code is not in the vault"),
        ("DELETE FROM vault WHERE position = 7 AND shop_id = $1", "a batch no longer has its root"),
        (
            "DELETE FROM fingerprints WHERE code_id = (SELECT code_id FROM vault WHERE position = 7 AND shop_id = $1)",
            "the fingerprint of a code is not claimed for it",
        ),
        (
            "INSERT INTO fingerprints VALUES ('\\x00', $1, gen_random_uuid())",
            "a fingerprint is claimed for a code that is not in the vault",
        ),
        (
            "UPDATE vault SET commitment = fingerprint WHERE position = 1199 AND shop_id = $1",
            "a batch no longer has its root",
        ),
        (
            "UPDATE vault SET commitment = fingerprint WHERE position = 1199 AND shop_id = $1",
            "it is not the code that was committed to",
        ),
        ("UPDATE vault SET sealed = '\\x00' WHERE position = 1199 AND shop_id = $1", "its seal is broken"),
        (
            "UPDATE imports SET state = 'failed' WHERE state = 'registered' AND shop_id = $1",
            "a code is for sale whose import was never registered",
        ),
    ],
)
async def test_each_damage_is_named_with_its_place(world: VaultWorld, damage: str, what: str) -> None:
    await world.pool.execute("ALTER TABLE vault DISABLE TRIGGER vault_keeps_its_codes")
    await world.pool.execute(damage, OTHER_SHOP)
    found = await findings(world, open_all=True)
    assert what in {finding for finding, _ in found}
    assert all(where.startswith(OTHER_SHOP) for _, where in found)
    assert LISTING not in str(found)
