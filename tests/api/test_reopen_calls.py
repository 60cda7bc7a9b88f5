"""Silence ends a complaint by row R16; new evidence re-opens it once, whoever presses how often."""

import asyncio
from typing import Any

from api_world import World
from fairkey.app import publish_standard
from fairkey.business.basics import HOUR_MS

TEXT = {"text": "补充了兑换页面截图。"}


async def silent(world: World) -> dict[str, Any]:
    """The shop asked, the buyer said nothing for 48 hours, the standard ended it."""
    await publish_standard(world.opened.house)
    placed = await world.paid()
    await world.of_order(placed, "reveal")
    await world.of_order(placed, "complaint", {"reason": "other", "text": "与描述不符。"})
    path = f"/api/v1/shop/orders/{placed['reference']}/complaint/ask"
    assert (await world.merchant("POST", path, {"text": "请问哪里不符？"})).status_code == 200
    world.clock.ms += 48 * HOUR_MS
    await work(world)
    return placed


async def work(world: World) -> None:
    while await world.opened.worker.step():
        pass


async def shown(world: World, placed: dict[str, Any]) -> dict[str, Any]:
    answer = await world.get(f"/api/v1/orders/{placed['reference']}/complaint", order_secret=placed["secret"])
    found: dict[str, Any] = answer.json()
    return found


async def give(world: World, placed: dict[str, Any]) -> None:
    given = await world.send(
        "POST",
        f"/api/v1/orders/{placed['reference']}/evidence?piece=other&name=page.txt",
        b"what the page says",
        order_secret=placed["secret"],
        content_type="text/plain",
    )
    assert given.status_code in (200, 201), given.text


async def test_new_evidence_re_opens_it_once_for_two_who_press_at_once(world: World) -> None:
    placed = await silent(world)
    before = await shown(world, placed)
    assert (before["stage"], before["ruling"]["case"]) == ("ruled", "R16")
    assert (await world.of_order(placed, "complaint/reopen", TEXT)).json()[
        "type"
    ] == "/problems/new-evidence-is-missing"
    world.clock.ms += 48 * HOUR_MS - 1_000
    await work(world)
    await give(world, placed)
    answers = await asyncio.gather(*(world.of_order(placed, "complaint/reopen", TEXT) for _ in range(3)))
    assert sorted(one.status_code for one in answers) == [200, 409, 409]
    assert {one.json()["details"]["why"] for one in answers if one.status_code == 409} == {"used"}
    await work(world)
    assert (await shown(world, placed))["stage"] in ("contested", "panel")
    assert (await world.read(placed))["stage"] == "disputed"


async def test_late_is_late_and_the_shop_is_paid(world: World) -> None:
    placed = await silent(world)
    await give(world, placed)
    world.clock.ms += 48 * HOUR_MS
    late = await world.of_order(placed, "complaint/reopen", TEXT)
    assert (late.status_code, late.json()["details"]["why"]) == (409, "late")
    await work(world)
    after = await world.of_order(placed, "complaint/reopen", TEXT)
    assert (after.status_code, after.json()["details"]["why"]) == (409, "late")
    assert (await world.read(placed))["stage"] == "completed"
