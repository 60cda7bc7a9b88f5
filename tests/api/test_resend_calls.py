"""A replacement over the API, judged by the worker: good ones end by row R10d, one that fails is a new complaint."""

from typing import Any

from api_world import World
from fairkey.adapters.postgres.audit import audit
from fairkey.app import publish_standard
from fairkey.business.basics import HOUR_MS

COMPLAINT = {"reason": "not_valid", "text": "提示卡密不存在。", "demand": "resend"}


async def resent(world: World, *, after_ms: int = HOUR_MS, **complaint: str) -> dict[str, Any]:
    await publish_standard(world.opened.house)
    placed = await world.paid()
    assert (await world.of_order(placed, "reveal")).status_code == 200
    opened = await world.of_order(placed, "complaint", {**COMPLAINT, **complaint})
    assert opened.status_code == 200, opened.text
    await work(world)
    world.clock.ms += after_ms
    path = f"/api/v1/shop/orders/{placed['reference']}/complaint/resend"
    sent = await world.merchant("POST", path)
    assert sent.json() == {"stage": "disputed", "kinds": ["dispute.resent", "code.replaced"]}
    twice = await world.merchant("POST", path, {"codes": []})
    assert (twice.status_code, twice.json()["type"]) == (409, "/problems/replacement-was-sent")
    return placed


async def work(world: World) -> None:
    while await world.opened.worker.step():
        pass


async def ruling(world: World, placed: dict[str, Any]) -> dict[str, Any]:
    answer = await world.get(f"/api/v1/orders/{placed['reference']}/complaint", order_secret=placed["secret"])
    shown: dict[str, Any] = answer.json()
    return shown


async def test_a_replacement_that_works_ends_it_by_row_r10d(world: World) -> None:
    placed = await resent(world)
    await work(world)
    assert (await ruling(world, placed))["stage"] == "resent"  # nobody judges before the buyer has spoken
    opened = await world.of_order(placed, "reveal")
    assert len(opened.json()["codes"]) == 1
    assert (await world.of_order(placed, "complaint/confirm")).json()["kinds"] == ["dispute.resend_confirmed"]
    await work(world)
    shown = await ruling(world, placed)
    assert (shown["stage"], shown["ruling"]["case"], shown["ruling"]["refund_fen"]) == ("ruled", "R10d", 0)
    world.clock.ms += 24 * HOUR_MS
    await work(world)
    order = await world.read(placed)
    assert (order["stage"], order["complaint"]["outcome"]) == ("completed", "standard")
    assert sorted(one["stage"] for one in order["codes"]) == ["replaced", "revealed"]
    assert await audit(world.opened.pool, world.clock()) == []


async def test_silence_says_that_it_works(world: World) -> None:
    placed = await resent(world)
    world.clock.ms += 48 * HOUR_MS - 1
    await work(world)
    assert (await ruling(world, placed))["stage"] == "resent"
    world.clock.ms += 1
    await work(world)
    assert (await ruling(world, placed))["ruling"]["case"] == "R10d"


async def test_after_twelve_hours_it_is_a_settlement_and_no_correction(world: World) -> None:
    placed = await resent(world, after_ms=12 * HOUR_MS + 1)
    await world.of_order(placed, "complaint/confirm")
    await work(world)
    shown = await ruling(world, placed)
    assert (shown["stage"], shown["ruling"]) == ("closed", None)
    assert (await world.read(placed))["complaint"]["outcome"] == "resent"


async def test_one_that_fails_is_a_complaint_of_its_own_and_silence_loses_it(world: World) -> None:
    placed = await resent(world)
    assert (await world.of_order(placed, "reveal")).status_code == 200
    again = await world.of_order(placed, "complaint/again", {"text": "补发的也提示无效。"})
    assert again.json()["kinds"] == ["dispute.resend_refused"]
    await work(world)
    assert (await ruling(world, placed))["stage"] == "opened"
    third = await world.merchant("POST", f"/api/v1/shop/orders/{placed['reference']}/complaint/resend")
    assert third.json()["type"] == "/problems/replacement-was-sent"
    world.clock.ms += 48 * HOUR_MS
    await work(world)
    shown = await ruling(world, placed)
    assert (shown["stage"], shown["ruling"]["case"]) == ("ruled", "R15")
    assert await audit(world.opened.pool, world.clock()) == []
