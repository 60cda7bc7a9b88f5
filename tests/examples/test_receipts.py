"""Promises and receipts, from the commit to the published checkpoint: what each is, and that a stranger believes it."""

from pathlib import Path
from uuid import uuid4

import pytest

from api_world import BUYER, World, a_world
from fairkey.business.basics import Broken, Stream
from fairkey.business.references import read_reference
from fairkey.engine.answers import StoreIsAway
from fairkey.proofs.receipts import open_promise, read_receipt
from receipt_world import policy, write_log

CONTACT = frozenset({"contact"})


def stream_of(world: World, reference: str) -> Stream:
    read = read_reference(reference)
    assert read is not None
    return Stream(world.shop_id, "order", read[1])


async def test_a_fact_is_recorded_then_logged_then_witnessed(database_url: str, tmp_path: Path) -> None:
    async with a_world(database_url, tmp_path, codes=2) as world:
        placed = await world.place(contact=BUYER)
        stream = stream_of(world, placed["reference"])
        log = world.opened.house.log
        before = await log.places(stream)
        assert [(place.log_index, place.is_witnessed) for place in before] == [(None, False)] * len(before)
        assert await log.receipt(stream, 1) is None
        assert await log.checkpoint() is None
        assert await log.witnessed([stream]) == {}
        promise = await log.promise(stream, 1)
        assert promise is not None
        promised = open_promise(promise, await policy(world.opened))
        assert promised.leaf == before[0].leaf
        assert promised.at_ms == before[0].at_ms == world.clock()

        await write_log(world.opened, database_url)
        after = await log.places(stream)
        assert all(place.is_witnessed for place in after)
        assert [place.version for place in after] == list(range(1, len(after) + 1))
        assert await log.witnessed([stream]) == {stream: len(after)}
        status = await log.status()
        assert status.recorded == status.sequenced_size == status.signed_size == status.published_size > 0
        assert status.behind == 0
        assert await log.promise(stream, 1) == promise, "a promise is the same whenever it is asked for"


async def test_a_receipt_verifies_with_its_chain_and_shows_only_what_was_asked_for(
    database_url: str, tmp_path: Path
) -> None:
    async with a_world(database_url, tmp_path, codes=2) as world:
        placed = await world.paid(contact=BUYER)
        stream = stream_of(world, placed["reference"])
        await write_log(world.opened, database_url)
        log = world.opened.house.log
        policy_ = await policy(world.opened)
        places = await log.places(stream)
        for place in places:
            data = await log.receipt(stream, place.version, disclose=CONTACT)
            assert data is not None
            receipt = read_receipt(data)
            assert receipt.check_proof(policy_).checkpoint.size > receipt.proof.index == place.log_index
            assert receipt.check_chain() == place.version - 1
            shown = {one.name: one.value for one in receipt.check_disclosures()}
            assert shown == ({"contact": BUYER} if place.kind == "order.placed" else {})
            assert receipt.facts().kind == place.kind
        silent = read_receipt(await log.receipt(stream, 1) or b"")
        assert silent.disclosures == ()
        assert BUYER.encode() not in (await log.receipt(stream, 1) or b"")
        assert await log.receipt(stream, len(places) + 1) is None
        assert await log.promise(stream, len(places) + 1) is None
        assert await log.receipt(Stream(str(uuid4()), "order", stream.id), 1) is None


async def test_files_are_those_of_the_tile_store_and_no_others(database_url: str, tmp_path: Path) -> None:
    async with a_world(database_url, tmp_path, codes=2) as world:
        log = world.opened.house.log
        assert await log.file("tile/0/000.p/1") is None
        await write_log(world.opened, database_url)
        size = (await log.status()).published_size
        assert await log.file(f"tile/entries/000.p/{size}")
        for path in ("checkpoint", "../1/checkpoint", "tile/0/../../checkpoint", "tile/0/000.p/0", "tile/64/000", ""):
            assert await log.file(path) is None, path


async def test_tiles_that_are_gone_or_changed_give_no_receipt(database_url: str, tmp_path: Path) -> None:
    async with a_world(database_url, tmp_path, codes=2) as world:
        placed = await world.place()
        stream = stream_of(world, placed["reference"])
        await write_log(world.opened, database_url)
        size = (await world.opened.house.log.status()).published_size
        tile = tmp_path / "log" / "1" / f"tile/0/000.p/{size}"
        whole = tile.read_bytes()
        tile.chmod(0o644)
        tile.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        with pytest.raises(Broken):
            await world.opened.house.log.receipt(stream, 1)
        tile.unlink()
        with pytest.raises(StoreIsAway):
            await world.opened.house.log.receipt(stream, 1)
        tile.write_bytes(whole)
        assert await world.opened.house.log.receipt(stream, 1)
