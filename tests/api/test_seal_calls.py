"""The hash of somebody's sealed evidence in the public log: at once a promise, then a receipt, always the same fact."""

import asyncio
from pathlib import Path

import pytest

from api_world import a_world
from fairkey.business.basics import PLATFORM
from fairkey.proofs.merkle import leaf_hash
from fairkey.proofs.receipts import open_promise, read_receipt
from receipt_world import policy, write_log

pytestmark = pytest.mark.pg

SHA256 = "3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855e"


async def test_a_promise_at_once_and_a_receipt_when_it_is_published(database_url: str, tmp_path: Path) -> None:
    async with a_world(database_url, tmp_path) as world:
        unknown = await world.get(f"/api/v1/seals/{SHA256}")
        assert (unknown.status_code, unknown.json()["type"]) == (404, "/problems/not-found")
        made = await world.post("/api/v1/seals", {"sha256": SHA256})
        assert made.status_code == 201, made.text
        seal = made.json()
        assert (seal["sha256"], seal["log_index"], seal["is_published"]) == (SHA256, None, False)
        early = await world.get(f"/api/v1/seals/{SHA256}/receipt")
        assert (early.status_code, early.json()["type"]) == (409, "/problems/receipt-is-not-ready")
        promise = await world.get(f"/api/v1/seals/{SHA256}/promise")
        assert promise.text == seal["promise"]
        await write_log(world.opened, database_url)
        world.clock.ms += 5_000
        again = await world.post("/api/v1/seals", {"sha256": SHA256})
        assert again.status_code == 201
        assert again.json()["sealed_at"] == seal["sealed_at"]
        assert again.json()["is_published"] is True
        answer = await world.get(f"/api/v1/seals/{SHA256}/receipt")
        assert answer.status_code == 200, answer.text
        receipt = read_receipt(answer.content)
        receipt.check_proof(await policy(world.opened))
        facts = receipt.facts()
        assert (facts.kind, facts.public, facts.shop, facts.sealed) == (
            "evidence.sealed", {"sha256": SHA256}, PLATFORM, {},
        )  # fmt: skip
        assert open_promise(promise.content, await policy(world.opened)).leaf == leaf_hash(receipt.entry)


async def test_ten_at_once_are_one_fact(database_url: str, tmp_path: Path) -> None:
    async with a_world(database_url, tmp_path) as world:
        answers = await asyncio.gather(*(world.post("/api/v1/seals", {"sha256": SHA256}) for _ in range(10)))
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.text for answer in answers}) == 1
        count = await world.opened.pool.fetchval("SELECT count(*) FROM events WHERE kind = 'evidence.sealed'")
        assert count == 1


@pytest.mark.parametrize("sha256", ["", "ab", "AB" * 32, "zz" * 32, "ab" * 33])
async def test_only_a_hash_is_taken(sha256: str, database_url: str, tmp_path: Path) -> None:
    async with a_world(database_url, tmp_path) as world:
        refused = await world.post("/api/v1/seals", {"sha256": sha256})
        assert (refused.status_code, refused.json()["type"]) == (422, "/problems/field-is-invalid"), refused.text
        told_more = await world.post("/api/v1/seals", {"sha256": SHA256, "name": "Wang"})
        assert told_more.status_code == 422
        assert await world.opened.pool.fetchval("SELECT count(*) FROM events WHERE kind = 'evidence.sealed'") == 0
