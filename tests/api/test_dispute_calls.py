"""Both sides of a dispute as programs: offers, a question, a reply, the reading, the case file."""

import io
import zipfile
from typing import Any

import httpx

from api_world import PRICE_FEN, World
from fairkey.app import publish_standard

COMPLAINT = {"reason": "already_used", "text": "提示已被兑换。"}


async def disputed(world: World) -> dict[str, Any]:
    placed = await world.paid()
    assert (await world.of_order(placed, "reveal")).status_code == 200
    assert (await world.of_order(placed, "complaint", COMPLAINT)).status_code == 200
    return placed


async def as_shop(world: World, placed: dict[str, Any], what: str, body: object = None) -> httpx.Response:
    return await world.merchant("POST", f"/api/v1/shop/orders/{placed['reference']}/{what}", body)


async def as_buyer(world: World, placed: dict[str, Any], what: str) -> httpx.Response:
    return await world.get(f"/api/v1/orders/{placed['reference']}/{what}", order_secret=placed["secret"])


async def test_offers_go_both_ways_and_one_settles(world: World) -> None:
    placed = await disputed(world)
    offered = await as_shop(world, placed, "complaint/offer", {"refund_fen": 100, "text": "退一元"})
    assert offered.json() == {"stage": "disputed", "kinds": ["dispute.offered"]}
    own = await as_shop(world, placed, "complaint/answer", {"offer_no": 1, "accepted": True})
    assert (own.status_code, own.json()["type"]) == (409, "/problems/offer-is-not-there")
    no = await world.of_order(placed, "complaint/answer", {"offer_no": 1, "accepted": False})
    assert no.json()["kinds"] == ["dispute.declined"]
    too_much = await world.of_order(placed, "complaint/offer", {"refund_fen": PRICE_FEN + 1})
    assert too_much.status_code == 422
    assert (await world.of_order(placed, "complaint/offer", {"refund_fen": 4_000})).status_code == 200

    shown = (await world.merchant("GET", f"/api/v1/shop/orders/{placed['reference']}/complaint")).json()
    assert shown == (await as_buyer(world, placed, "complaint")).json()
    assert [(one["by"], one["refund_fen"], one["text"], one["state"]) for one in shown["offers"]] == [
        ("shop", 100, "退一元", "declined"),
        ("buyer", 4_000, "", "open"),
    ]

    settled = await as_shop(world, placed, "complaint/answer", {"offer_no": 2, "accepted": True})
    assert {"dispute.accepted", "dispute.final"} <= set(settled.json()["kinds"])
    order = await world.read(placed)
    assert (order["complaint"]["outcome"], order["complaint"]["refund_fen"]) == ("settled", 4_000)
    again = await as_shop(world, placed, "complaint/answer", {"offer_no": 2, "accepted": True})
    assert again.json()["type"] == "/problems/complaint-is-in-another-stage"


async def test_the_shop_asks_once_and_the_buyer_replies(world: World) -> None:
    placed = await disputed(world)
    early = await world.of_order(placed, "complaint/reply", {"text": "国服"})
    assert early.status_code == 409
    asked = await as_shop(world, placed, "complaint/ask", {"text": "请问在哪个区服兑换？"})
    assert asked.json()["kinds"] == ["dispute.asked"]
    assert (await as_buyer(world, placed, "complaint")).json()["stage"] == "asked"
    assert (await world.of_order(placed, "complaint/reply", {"text": "国服"})).json()["kinds"] == ["dispute.replied"]
    twice = await as_shop(world, placed, "complaint/ask", {"text": "请问在哪个区服兑换？"})
    assert twice.json()["type"] == "/problems/buyer-was-asked"
    shown = (await as_buyer(world, placed, "complaint")).json()
    assert (shown["question"], shown["answer"]) == ("请问在哪个区服兑换？", "国服")


async def test_before_a_ruling_nothing_is_appealed_taken_or_reviewed(world: World) -> None:
    placed = await disputed(world)
    for what, body in (
        ("complaint/appeal", {"text": "请仲裁员看看。"}),
        ("complaint/take", None),
        ("complaint/review", {"text": "请人工看看。"}),
    ):
        for answer in (await world.of_order(placed, what, body), await as_shop(world, placed, what, body)):
            assert (answer.status_code, answer.json()["type"]) == (409, "/problems/complaint-is-in-another-stage")


async def test_without_a_complaint_there_is_none(world: World) -> None:
    placed = await world.paid()
    assert (await as_buyer(world, placed, "complaint")).json()["stage"] == "none"
    assert (await as_buyer(world, placed, "complaint/reading")).status_code == 409
    assert (await world.of_order(placed, "complaint/offer", {"refund_fen": 1})).status_code == 404


async def test_the_case_file_holds_standard_and_facts(world: World) -> None:
    placed = await disputed(world)
    answer = await as_buyer(world, placed, "case.zip")
    assert answer.headers["content-type"] == "application/zip"
    names = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    assert any("standard/" in name for name in names)
    assert any("dispute.opened" in name for name in names)
    shops = await world.merchant("GET", f"/api/v1/shop/orders/{placed['reference']}/case.zip")
    assert shops.status_code == 200


async def test_the_reading_says_row_and_what_would_change_it(world: World) -> None:
    await publish_standard(world.opened.house)
    placed = await disputed(world)
    reading = (await as_buyer(world, placed, "complaint/reading")).json()
    shops = await world.merchant("GET", f"/api/v1/shop/orders/{placed['reference']}/complaint/reading")
    assert reading == shops.json()
    assert (reading["standard"], reading["in_force"], reading["is_open"]) == ("FK-AF-1", True, True)
    [codes] = reading["codes"]
    assert codes["code_nos"] == [1]
    assert codes["row"]
    assert codes["missing"]
    assert any(change["facts"] for change in codes["changes"])
