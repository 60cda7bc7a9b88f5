"""Receipts and promises over the API and on the pages: who gets which, what stays sealed, and what is not there."""

import io
import zipfile
from pathlib import Path
from uuid import uuid4

from api_world import BUYER, World, a_world, open_shop
from fairkey.proofs.receipts import open_promise, read_receipt
from receipt_world import policy, write_log

TEXT = "兑换时提示该卡密已被使用。"
ACCOUNT = "xiaoman_1997"


async def quarrelled(world: World) -> dict[str, str]:
    placed = await world.paid(contact=BUYER)
    opened = await world.of_order(placed, "reveal", {"account_name": ACCOUNT, "account_region": "CN"})
    assert opened.status_code == 200, opened.text
    complained = await world.of_order(placed, "complaint", {"reason": "already_used", "text": TEXT})
    assert complained.status_code == 200, complained.text
    return placed


async def test_the_buyer_gets_a_promise_at_once_and_a_receipt_when_it_is_published(
    database_url: str, tmp_path: Path
) -> None:
    async with a_world(database_url, tmp_path, codes=3) as world:
        placed = await quarrelled(world)
        ref, secret = placed["reference"], placed["secret"]
        path = f"/api/v1/orders/{ref}/facts"
        facts = (await world.get(path, order_secret=secret)).json()["facts"]
        early = await world.get(f"{path}/1/receipt", order_secret=secret)
        assert early.status_code == 409
        assert early.headers["retry-after"] == "1"
        assert early.json()["type"] == "/problems/receipt-is-not-ready"
        promise = await world.get(f"{path}/1/promise", order_secret=secret)
        assert promise.headers["content-type"] == "text/plain; charset=utf-8"
        assert open_promise(promise.content, await policy(world.opened)).leaf.hex() == facts[0]["leaf_hash"]

        await write_log(world.opened, database_url)
        shown = {}
        for fact in facts:
            answer = await world.get(f"{path}/{fact['version']}/receipt", order_secret=secret)
            assert answer.status_code == 200, answer.text
            assert answer.headers["content-type"] == "application/json"
            receipt = read_receipt(answer.content)
            receipt.check_proof(await policy(world.opened))
            assert receipt.check_chain() == fact["version"] - 1
            shown.update({(fact["kind"], one.name): one.value for one in receipt.check_disclosures()})
        assert shown == {
            ("order.placed", "contact"): BUYER,
            ("code.revealed", "account_name"): ACCOUNT,
            ("code.revealed", "account_region"): "CN",
            ("dispute.opened", "text"): TEXT,
        }


async def test_a_shop_reads_the_quarrel_and_nothing_of_the_buyer(database_url: str, tmp_path: Path) -> None:
    async with a_world(database_url, tmp_path, codes=3) as world:
        placed = await quarrelled(world)
        await write_log(world.opened, database_url)
        path = f"/api/v1/orders/{placed['reference']}/facts"
        facts = (await world.get(path, order_secret=placed["secret"])).json()["facts"]
        shown = {}
        for fact in facts:
            shop_path = f"/api/v1/shop/orders/{placed['reference']}/facts/{fact['version']}/receipt"
            answer = await world.merchant("GET", shop_path)
            assert answer.status_code == 200, answer.text
            shown.update({one.name: one.value for one in read_receipt(answer.content).check_disclosures()})
        assert shown == {"text": TEXT}
        promise = await world.merchant("GET", f"/api/v1/shop/orders/{placed['reference']}/facts/1/promise")
        assert promise.status_code == 200


async def test_strangers_get_nothing(database_url: str, tmp_path: Path) -> None:
    async with a_world(database_url, tmp_path, codes=3) as world:
        placed, other = await world.paid(), await world.paid()
        await write_log(world.opened, database_url)
        shop_id, _ = await open_shop(world.opened, "另一家")
        foreign = await world.new_key("orders:read", shop_id=shop_id)
        for what in ("receipt", "promise"):
            path = f"/api/v1/orders/{placed['reference']}/facts/1/{what}"
            for headers in ({}, {"order_secret": other["secret"]}, {"order_secret": "AAAA-BBBB-CCCC-DDDD"}):
                assert (await world.get(path, **headers)).status_code == 404
            shop_path = f"/api/v1/shop/orders/{placed['reference']}/facts/1/{what}"
            assert (await world.get(shop_path)).status_code == 401
            assert (await world.get(shop_path, authorization=f"Bearer {foreign}")).status_code == 404
            for page in (f"/o/{placed['reference']}/facts/1/{what}", f"/o/{placed['reference']}/receipts.zip"):
                assert (await world.get(page)).status_code == 404
            for page in (f"/desk/orders/{placed['reference']}/facts/1/{what}", "/floor/orders/x/receipts.zip"):
                assert (await world.get(page)).status_code in (303, 401)


async def test_versions_that_name_no_fact_are_not_found(database_url: str, tmp_path: Path) -> None:
    async with a_world(database_url, tmp_path, codes=3) as world:
        placed = await world.place()
        await write_log(world.opened, database_url)
        for version in ("0", "99", "-1", "1.0", "١", "9" * 40, "%00", "1%20", uuid4().hex):
            for what in ("receipt", "promise"):
                path = f"/api/v1/orders/{placed['reference']}/facts/{version}/{what}"
                answer = await world.get(path, order_secret=placed["secret"])
                assert answer.status_code == 404, (version, answer.text)


async def test_all_receipts_of_an_order_come_as_one_file(database_url: str, tmp_path: Path) -> None:
    async with a_world(database_url, tmp_path, codes=3) as world:
        placed = await world.paid(contact=BUYER)
        ref = placed["reference"]
        entered = await world.get(f"/o/{ref}?s={placed['secret']}")
        assert entered.status_code == 303
        promised = zipfile.ZipFile(io.BytesIO((await world.get(f"/o/{ref}/receipts.zip")).content))
        assert {name.rsplit(".", 1)[1] for name in promised.namelist()} == {"txt", "fairkey-promise"}
        await write_log(world.opened, database_url)
        answer = await world.get(f"/o/{ref}/receipts.zip")
        assert answer.headers["content-disposition"] == f'attachment; filename="{ref}-receipts.zip"'
        assert answer.headers["cache-control"] == "private, no-store"
        archive = zipfile.ZipFile(io.BytesIO(answer.content))
        names = [name for name in archive.namelist() if name.endswith(".fairkey-receipt")]
        assert len(names) == len(archive.namelist()) - 1
        assert f"{ref}/001-order.placed.fairkey-receipt" in names
        for name in names:
            read_receipt(archive.read(name)).check_proof(await policy(world.opened))
        page = (await world.get(f"/o/{ref}")).text
        assert f'href="/o/{ref}/facts/1/receipt"' in page
        assert (await world.get(f"/o/{ref}/facts/1/receipt")).content == archive.read(
            f"{ref}/001-order.placed.fairkey-receipt"
        )
