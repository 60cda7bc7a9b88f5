"""A shop that gives no sign of life: the log says when it was last seen, its silences say the rest (row R18)."""

from typing import Any

from api_world import PRICE_FEN, World
from fairkey.app import publish_standard
from fairkey.business.basics import DAY_MS, HOUR_MS

COMPLAINT = {"reason": "other", "text": "与描述不符。"}


async def work(world: World) -> None:
    while await world.opened.worker.step():
        pass


async def complained(world: World) -> dict[str, Any]:
    placed = await world.paid()
    assert (await world.of_order(placed, "reveal")).status_code == 200
    assert (await world.of_order(placed, "complaint", COMPLAINT)).status_code == 200
    return placed


async def ruling(world: World, placed: dict[str, Any]) -> str:
    answer = await world.get(f"/api/v1/orders/{placed['reference']}/complaint", order_secret=placed["secret"])
    found: dict[str, Any] | None = answer.json()["ruling"]
    return found["case"] if found else ""


async def seen_at_ms(world: World) -> int | None:
    past = await world.opened.house.questions.standards.past(
        world.shop_id, "nobody", now_ms=world.clock(), pool_fen=PRICE_FEN
    )
    return past.seen_at_ms


async def test_only_what_the_shop_itself_does_is_a_sign_of_life(world: World) -> None:
    before_ms = await seen_at_ms(world)
    assert before_ms == world.clock()  # it opened, published, deposited codes
    world.clock.ms += HOUR_MS
    placed = await complained(world)
    await work(world)
    assert await seen_at_ms(world) == before_ms  # orders, deliveries, openings, complaints are others' doing
    ask = f"/api/v1/shop/orders/{placed['reference']}/complaint/ask"
    assert (await world.merchant("POST", ask, {"text": "请问哪里不符？"})).status_code == 200
    assert await seen_at_ms(world) == world.clock()


async def test_after_three_silences_the_next_complaint_is_ruled_at_once(world: World) -> None:
    await publish_standard(world.opened.house)
    silent = [await complained(world) for _ in range(3)]
    world.clock.ms += 2 * DAY_MS
    await work(world)
    assert [await ruling(world, placed) for placed in silent] == ["R15"] * 3
    last = await complained(world)
    await work(world)
    assert await ruling(world, last) == "R18"
    world.clock.ms += DAY_MS
    await work(world)
    order = await world.read(last)
    assert (order["stage"], order["complaint"]["refund_fen"]) == ("refunded", PRICE_FEN)
    refused = await world.post("/api/v1/orders", world.order_body(), idempotency_key="after-the-freeze-of-it")
    assert refused.json()["type"] == "/problems/shop-is-closed", refused.text


async def test_a_sign_of_life_keeps_it_from_that(world: World) -> None:
    await publish_standard(world.opened.house)
    for _ in range(3):
        await complained(world)
    world.clock.ms += 2 * DAY_MS
    await work(world)
    last = await complained(world)
    ask = f"/api/v1/shop/orders/{last['reference']}/complaint/ask"
    assert (await world.merchant("POST", ask, {"text": "请问哪里不符？"})).status_code == 200
    await work(world)
    assert await ruling(world, last) == ""
