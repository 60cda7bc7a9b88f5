"""A code's life over the API: what a holder learns and can prove, what nobody else learns; what backs a listing."""

import io
import json
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg

from api_world import BUYER, World, a_world
from fairkey.adapters.vault.tracing import Traces
from fairkey.business.askers import Asker
from fairkey.business.batches import WithdrawCodes
from fairkey.engine import trade
from fairkey.proofs.code_proofs import read_code_proof
from fairkey.proofs.receipts import open_promise, read_receipt
from receipt_world import policy, write_log


async def life(world: World, text: str) -> dict[str, Any]:
    answer = await world.post("/api/v1/trace", {"code": text})
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return dict(answer.json())


async def files_of(world: World, text: str) -> dict[str, bytes]:
    answer = await world.post("/api/v1/trace/life.zip", {"code": text})
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        return {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}


async def deposit_text(world: World, text: str) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield text.encode()

    house = world.opened.house
    staged, answer = await trade.deposit(
        house,
        shop_id=world.shop_id,
        import_id=house.new_id(),
        listing_id=world.vault_id,
        chunks=chunks(),
        file_name="short.txt",
        note="",
        source="typed",
        invoice_sha256="",
        by_account="",
    )
    assert staged.count == 1
    assert answer is not None
    assert not answer.refusal


async def opened_text(world: World, placed: dict[str, Any]) -> str:
    answer = await world.of_order(placed, "reveal")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["codes"][0]["text"])


async def test_a_code_is_traced_from_the_vault_to_its_opening_and_all_of_it_is_proven(
    database_url: str, tmp_path: Path
) -> None:
    async with a_world(database_url, tmp_path, codes=5) as world:
        placed = await world.paid(contact=BUYER)
        text = await opened_text(world, placed)
        told = await life(world, text)
        assert [step["what"] for step in told["steps"]] == [
            "deposited", "registered", "reserved", "delivered", "revealed",
        ]  # fmt: skip
        assert told["stage"] == "revealed"
        assert (told["place"], told["count"]) == (world.texts.index(text), 5)
        early = await files_of(world, text)
        assert {name.rpartition(".")[2] for name in early} == {"txt", "json", "fairkey-promise"}

        await write_log(world.opened, database_url)
        told = await life(world, text)
        assert all(step["log_index"] is not None and step["is_published"] for step in told["steps"][1:])
        files = await files_of(world, text)
        proof = read_code_proof(files["code.fairkey-code"])
        proven = proof.check()
        assert (proven.text, proven.code_id, proven.root) == (text, told["code_id"], told["root"])
        proof.check_log(await policy(world.opened))
        receipts = [read_receipt(data) for name, data in files.items() if name.endswith(".fairkey-receipt")]
        assert len(receipts) == 4
        for receipt in receipts:
            receipt.check_proof(await policy(world.opened))
            assert not receipt.chain, "the entries before it tell of the order, not of the code"
        promise = next(data for name, data in early.items() if name.endswith(".fairkey-promise"))
        open_promise(promise, await policy(world.opened))


async def test_a_code_typed_at_delivery_and_complained_about_is_traced_and_proven(
    database_url: str, tmp_path: Path
) -> None:
    async with a_world(database_url, tmp_path, codes=1) as world:
        placed = await world.paid(listing_id=world.manual_id)
        path = f"/api/v1/shop/orders/{placed['reference']}/deliver"
        done = await world.merchant("POST", path, {"codes": ["TYPED-0001-AAAA"]})
        assert done.status_code == 200, done.text
        assert await opened_text(world, placed) == "TYPED-0001-AAAA"
        complaint = {"reason": "already_used", "text": "used last week"}
        assert (await world.of_order(placed, "complaint", complaint)).status_code == 200
        await write_log(world.opened, database_url)
        told = await life(world, "TYPED-0001-AAAA")
        assert [step["what"] for step in told["steps"]] == ["delivered", "revealed", "reported"]
        assert (told["source"], told["place"], told["root"]) == ("typed", None, "")
        assert "used last week" not in json.dumps(told)
        proof = read_code_proof((await files_of(world, "TYPED-0001-AAAA"))["code.fairkey-code"])
        assert (proof.check().text, proof.check().code_id) == ("TYPED-0001-AAAA", told["code_id"])
        proof.check_log(await policy(world.opened))


async def test_after_erasure_the_life_stays_and_the_text_is_proven_no_more(database_url: str, tmp_path: Path) -> None:
    async with a_world(database_url, tmp_path, codes=2) as world:
        text = await opened_text(world, await world.paid())
        await world.opened.pool.execute("UPDATE vault SET sealed = NULL")  # as an erasure does
        await write_log(world.opened, database_url)
        told = await life(world, text)
        assert told["is_erased"]
        assert told["steps"][-1]["what"] == "revealed"
        files = await files_of(world, text)
        assert "code.fairkey-code" not in files
        assert sum(name.endswith(".fairkey-receipt") for name in files) == 4
        assert text not in repr(files)


async def test_a_code_is_found_in_another_writing(database_url: str, tmp_path: Path) -> None:
    async with a_world(database_url, tmp_path) as world:
        await deposit_text(world, "SWQDJ-7R3ZT-NAXY6")
        found = [await life(world, text) for text in ("SWQDJ-7R3ZT-NAXY6", "swqdj7r3ztnaxy6", " Swqdj 7r3zt naxy6 ")]
        assert found[0] == found[1] == found[2]
        other = await world.post("/api/v1/trace", {"code": "SWQDJ-7R3ZT-NAXY7"})
        assert other.json()["type"] == "/problems/code-is-not-known"


async def test_neither_buyer_nor_order_nor_price_is_told(database_url: str, tmp_path: Path) -> None:
    async with a_world(database_url, tmp_path, codes=2) as world:
        placed = await world.paid(contact=BUYER)
        text = await opened_text(world, placed)
        await write_log(world.opened, database_url)
        told = json.dumps(await life(world, text)) + (await files_of(world, text))["life.json"].decode()
        for secret in (BUYER, placed["reference"], placed["secret"], "9500", "amount", "order_id", "buyer"):
            assert secret not in told, secret


async def test_unknown_and_untraceable_codes_get_one_answer(database_url: str, tmp_path: Path) -> None:
    async with a_world(database_url, tmp_path, codes=2) as world:
        await deposit_text(world, "AB-1234")
        answers = set()
        for text in ("NEVER-SEEN-0001", "AB-1234", world.texts[0][:-1], world.texts[0][:7], "x", " ", "卡" * 2_000):
            answer = await world.post("/api/v1/trace", {"code": text})
            body = answer.json()
            answers.add((answer.status_code, json.dumps({k: v for k, v in body.items() if k != "instance"})))
        assert len(answers) == 1
        assert answers.pop()[0] == 404
        assert (await life(world, f"  {world.texts[0]}\n"))["stage"] == "free"


async def test_looking_takes_the_same_way_whatever_is_looked_for(database_url: str, tmp_path: Path) -> None:
    """One keyed hash and one query, for a text too short as for one nobody has: the same by construction."""
    async with a_world(database_url, tmp_path, codes=1) as world:
        queries: list[str] = []

        async def listening(connection: asyncpg.Connection) -> None:
            connection.add_query_logger(lambda record: queries.append(record.query))

        async with asyncpg.create_pool(database_url, min_size=1, max_size=1, init=listening) as pool:
            traces = Traces(pool, world.opened.keys)
            await traces.find("warm up, nobody has it")
            ways = []
            for text in ("x", "NEVER-SEEN-0001", world.texts[0][:7]):
                queries.clear()
                assert await traces.find(text) is None
                ways.append(list(queries))
            assert ways[0] == ways[1] == ways[2] != []
            assert await traces.find(world.texts[0]) is not None


async def test_whoever_tries_codes_by_the_dozen_is_braked(database_url: str, tmp_path: Path) -> None:
    async with a_world(database_url, tmp_path, codes=1, FAIRKEY_LIMIT_PERCENT="100") as world:
        statuses = [
            (await world.post("/api/v1/trace", {"code": f"TRIED-{number:04}"})).status_code for number in range(30)
        ]
        assert statuses.count(404) == 20
        assert statuses[20:] == [429] * 10


async def test_proof_of_stock_is_the_stock(database_url: str, tmp_path: Path) -> None:
    async with a_world(database_url, tmp_path, codes=6) as world:
        path = f"/api/v1/listings/{world.shop_no}/{world.vault_id}"

        async def both() -> tuple[int, int, list[dict[str, Any]]]:
            told = (await world.get(f"{path}/stock")).json()
            assert told["stock"] == (await world.get(path)).json()["stock"] == sum(b["free"] for b in told["batches"])
            return told["stock"], len(told["batches"]), told["batches"]

        assert (await both())[:2] == (6, 1)
        await world.paid()
        await world.place()
        stock, _, batches = await both()
        assert stock == 4
        assert batches[0]["count"] == 6
        assert batches[0]["log_index"] is None
        await write_log(world.opened, database_url)
        batch = (await both())[2][0]
        assert batch["is_published"]
        assert batch["log_index"] is not None
        await world.opened.house.ask(
            Asker.MERCHANT, WithdrawCodes(shop_id=world.shop_id, batch_id=batch["batch_id"])
        )
        assert (await both())[:2] == (0, 0)
        assert (await world.get(f"/api/v1/listings/{world.shop_no}/{world.manual_id}/stock")).json() == {
            "stock": 0, "batches": [],
        }  # fmt: skip
        lives = [await life(world, text) for text in world.texts]
        withdrawn = [one for one in lives if one["stage"] == "withdrawn"]
        assert [one["steps"][-1]["what"] for one in withdrawn] == ["withdrawn"] * 4
        assert all("withdrawn" not in str(one["steps"]) for one in lives if one not in withdrawn)
