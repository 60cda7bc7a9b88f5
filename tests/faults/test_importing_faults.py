"""What may go wrong around a deposit: a killed process, two shops with the same codes, a clean-up beside a running
import.
"""

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fairkey.business.code_lines import Reason
from fairkey.engine.vault_port import ImportBrokeOff, ImportIsUnderWay, ImportWasAbandoned
from vault_world import OTHER_SHOP, SHOP, VaultWorld, file_of, vault_world

ROOT = Path(__file__).parent.parent.parent
IMPORT = "00000000-0000-7000-8000-0000000000aa"


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[VaultWorld]:
    async with vault_world(database_url) as world:
        yield world


DIES_HALFWAY = """
import asyncio, sys
from vault_world import SHOP, file_of, vault_world

async def halfway(world):
    yield file_of(f"CODE-{number:07}" for number in range(30_000))
    while (await world.desk.find(SHOP, sys.argv[2])).progress.accepted == 0:
        await asyncio.sleep(0)
    print("halfway", flush=True)
    await asyncio.Event().wait()

async def main():
    async with vault_world(sys.argv[1]) as world:
        await world.stage(halfway(world), import_id=sys.argv[2])

asyncio.run(main())
"""


async def test_a_killed_import_is_found_cleaned_and_may_be_given_again(world: VaultWorld, database_url: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", DIES_HALFWAY, database_url, IMPORT],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT / 'tests'}"},
    )
    assert process.stdout is not None
    with process, process.stdout:
        assert process.stdout.readline() == b"halfway\n"
        process.send_signal(signal.SIGKILL)
    codes, fingerprints = await world.counts()
    assert codes == fingerprints > 0

    with pytest.raises(ImportIsUnderWay):
        await world.stage(b"ANYTHING-0001\n", import_id=IMPORT)
    assert await world.desk.clean_abandoned(60_000) == 0
    world.clock.at_ms += 60_001
    assert await world.desk.clean_abandoned(60_000) == 1
    assert await world.counts() == (0, 0)
    record = await world.desk.find(SHOP, IMPORT)
    assert record is not None
    assert (record.state, record.progress.accepted) == ("abandoned", 0)

    staged = await world.stage(file_of(f"CODE-{number:07}" for number in range(30_000)), import_id=IMPORT)
    assert staged.count == 30_000


async def test_of_two_shops_with_the_same_codes_exactly_one_gets_each(world: VaultWorld) -> None:
    texts = [f"CODE-{number:07}" for number in range(12_000)]
    chance = random.Random(7)
    orders = [chance.sample(texts, len(texts)) for _ in range(2)]
    mine, theirs = await asyncio.gather(
        world.stage(file_of(orders[0])), world.stage(file_of(orders[1]), shop_id=OTHER_SHOP)
    )

    assert mine.count + theirs.count == len(texts)
    assert await world.counts() == (len(texts), len(texts))
    for shop_id, staged in ((SHOP, mine), (OTHER_SHOP, theirs)):
        report = await world.desk.refusal_report(shop_id, staged.import_id)
        assert len(report) == len(texts) - staged.count == staged.progress.duplicate_elsewhere
        assert {row.reason for row in report} <= {Reason.ALREADY_DEPOSITED}
    held = await world.pool.fetchval(
        "SELECT count(*) FROM vault v JOIN fingerprints f USING (fingerprint, shop_id, code_id)"
    )
    assert held == len(texts)


async def test_a_code_whose_holder_gives_up_is_free_again(world: VaultWorld) -> None:
    claimed, give_up = asyncio.Event(), asyncio.Event()

    async def gives_up() -> AsyncIterator[bytes]:
        yield file_of(f"CODE-{number:07}" for number in range(20_000))
        claimed.set()
        await give_up.wait()
        raise ConnectionResetError

    first = asyncio.create_task(world.stage(gives_up()))
    await claimed.wait()
    give_up.set()
    with pytest.raises(ImportBrokeOff):
        await first
    assert (await world.stage(b"CODE-0000001\n", shop_id=OTHER_SHOP)).count == 1


@pytest.mark.parametrize("given_again", [True, False])
async def test_an_import_that_was_cleaned_up_under_its_hands_stops_and_spoils_nothing(
    world: VaultWorld, given_again: bool
) -> None:
    half, go_on = asyncio.Event(), asyncio.Event()

    async def stands_still() -> AsyncIterator[bytes]:
        yield file_of(f"CODE-{number:07}" for number in range(30_000)) + b"\n"
        half.set()
        await go_on.wait()
        yield file_of(f"MORE-{number:07}" for number in range(30_000))

    slow = asyncio.create_task(world.stage(stands_still(), import_id=IMPORT))
    await half.wait()
    while await world.counts() == (0, 0):
        await asyncio.sleep(0)
    world.clock.at_ms += 10_000_000
    assert await world.desk.clean_abandoned(60_000) == 1
    if given_again:
        await world.stage(b"CODE-0000001\nMORE-0000001\n", import_id=IMPORT)
    before = await world.desk.find(SHOP, IMPORT)
    go_on.set()
    with pytest.raises(ImportWasAbandoned):
        await slow
    assert await world.desk.find(SHOP, IMPORT) == before
    assert await world.counts() == ((2, 2) if given_again else (0, 0))


async def test_staged_and_never_registered_is_dropped_but_not_while_it_is_being_registered(world: VaultWorld) -> None:
    staged = await world.stage(b"AAAA-1111\nBBBB-2222\n")
    world.clock.at_ms += 10_000_000
    async with world.pool.acquire() as connection, connection.transaction():
        await connection.execute("UPDATE imports SET state = 'registered' WHERE import_id = $1", staged.import_id)
        assert await world.desk.clean_abandoned(60_000) == 0
    await world.pool.execute("UPDATE imports SET state = 'staged'")
    assert await world.desk.clean_abandoned(60_000) == 1
    assert await world.counts() == (0, 0)


async def test_typed_codes_that_were_delivered_outlive_the_cleaning(world: VaultWorld) -> None:
    batch = "00000000-0000-7000-8000-0000000000b0"
    await world.desk.put_typed(SHOP, batch, ["TYPED-CODE-1"])
    await world.register(batch)
    await world.pool.execute("UPDATE imports SET state = 'staged'")  # nobody moves the row of typed codes
    await world.desk.put_typed(SHOP, batch, ["TYPED-CODE-2"])
    world.clock.at_ms += 10_000_000
    assert await world.desk.clean_abandoned(60_000) == 1
    assert await world.counts() == (1, 1)
    assert await world.pool.fetchval("SELECT state FROM imports") == "registered"


async def test_a_failing_database_in_the_middle_leaves_nothing(
    world: VaultWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.pool.execute("ALTER TABLE vault ADD CONSTRAINT disk_is_full CHECK (position < 6000)")
    with pytest.raises(Exception, match="disk_is_full"):
        await world.stage(file_of(f"CODE-{number:07}" for number in range(30_000)), import_id=IMPORT)
    assert await world.counts() == (0, 0)
    await world.pool.execute("ALTER TABLE vault DROP CONSTRAINT disk_is_full")
    assert (await world.stage(b"CODE-0000001\n", import_id=IMPORT)).count == 1
