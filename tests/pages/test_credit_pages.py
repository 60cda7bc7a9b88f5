"""A shop whose orders are late again and again: throttled, frozen, looked at by a person; and what everybody reads."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from api_world import World, a_world
from fairkey.adapters.postgres.clockwork import PostgresClockwork
from fairkey.app import publish_standard
from fairkey.business.askers import Asker
from fairkey.business.basics import HOUR_MS, MINUTE_MS
from fairkey.business.deadlines import command_for
from merchant_desk import at_the_desk
from pages.test_operator_pages import OPERATOR, PASSWORD, browser, sign_in, submit
from visitors import visitor

REASON = "The supplier was late and was replaced; its listing is off sale now."
LATE_POINTS = 12


@pytest.fixture
async def world(database_url: str, state_dir: Path) -> AsyncIterator[World]:
    async with a_world(database_url, state_dir, FAIRKEY_SMALL_TRIAL_FEN="44000") as world:
        await publish_standard(world.opened.house)
        yield world


async def deadlines(world: World) -> None:
    clockwork = PostgresClockwork(world.opened.pool)
    while due := await clockwork.due(world.clock(), 50):
        for stream, one in due:
            await world.opened.house.ask(Asker.CLOCK, command_for(stream, one.what), command_id=str(uuid4()))


async def late(world: World, orders: int) -> None:
    """So many buyers wait in vain."""
    for _ in range(orders):
        await world.paid(listing_id=world.manual_id)
        world.clock.ms += 31 * MINUTE_MS
        await deadlines(world)


async def credit(world: World) -> dict[str, object]:
    answer = await world.get(f"/api/v1/shops/{world.shop_no}/credit")
    assert answer.status_code == 200, answer.text
    told: dict[str, object] = answer.json()
    return told


async def tried(world: World, **changes: object) -> httpx.Response:
    return await world.post("/api/v1/orders", world.order_body(**changes), idempotency_key=str(uuid4()))


async def test_late_orders_throttle_then_freeze_and_a_person_lets_it_trade_again(world: World) -> None:
    await late(world, 3)
    told = await credit(world)
    assert (told["meter"], told["band"], told["defects"], told["review_by"]) == (36, "normal", 3, None)
    held = await world.paid()
    assert (await world.of_order(held, "reveal")).status_code == 200
    await late(world, 1)
    assert (await credit(world))["band"] == "throttled"

    world.clock.ms += 72 * HOUR_MS
    await deadlines(world)
    assert (await world.read(held))["stage"] == "delivered", "a throttled shop's money is held twice as long"
    assert (await tried(world, quantity=3)).json()["type"].endswith("shop-is-not-covered"), "half of the small trial"
    world.clock.ms += 72 * HOUR_MS
    await deadlines(world)
    assert (await world.read(held))["stage"] == "completed"
    assert (await credit(world))["meter"] == 4 * LATE_POINTS - 1

    await late(world, 4)
    told = await credit(world)
    assert (told["meter"], told["band"]) == (8 * LATE_POINTS - 1, "frozen")
    refused = await tried(world)
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (409, "shop-is-frozen")
    for lang in ("zh-CN", "en"):
        page = await world.http.get(f"/shops/{world.shop_no}", headers={"accept-language": lang})
        assert page.status_code == 200
        assert f"/shops/{world.shop_no}/credit" in page.text

    accounts = world.opened.house.people.accounts
    registration = await accounts.register(email=OPERATOR, password=PASSWORD)
    assert registration.account is not None
    await accounts.make_operator(registration.account.account_id)
    async with browser(world) as operator:
        await sign_in(operator, OPERATOR)
        path = f"/floor/shops/{world.shop_no}/review"
        assert path in (await operator.get("/floor/shops")).text
        assert (await submit(operator, "/floor/shops", path, reason="fine")).status_code == 422
        assert (await submit(operator, "/floor/shops", path, reason=REASON)).status_code == 303
        assert (await submit(operator, "/floor/shops", path, reason=REASON)).status_code == 409
    told = await credit(world)
    assert (told["meter"], told["band"]) == (46, "throttled")
    lines = told["lines"]
    assert isinstance(lines, list)
    assert [line["why"] for line in lines] == ["review", *["defect"] * 4, "clean", *["defect"] * 4]
    assert (await tried(world)).status_code == 201


async def test_the_pages_show_every_line_to_buyers_and_to_the_shop(world: World) -> None:
    await late(world, 5)
    for lang in ("zh-CN", "en"):
        page = await world.http.get(f"/shops/{world.shop_no}/credit", headers={"accept-language": lang})
        assert page.status_code == 200
        assert page.text.count(">R01</a>") == 5
        assert f"--shop {world.shop_id}" in page.text
    assert (await world.http.get(f"/shops/{world.shop_no}/credit?page=7")).status_code == 200
    for wrong in ("-1", "x", "9" * 40):
        assert (await world.http.get(f"/shops/{world.shop_no}/credit?page={wrong}")).status_code == 404
    assert (await world.http.get("/shops/99999/credit")).status_code == 404
    async with at_the_desk(world, "owner@example.com") as desk:
        for lang in ("zh-CN", "en"):
            shown = await desk.show("/desk/credit", lang=lang)
            assert shown.text.count('href="/desk/orders/') >= 5
            assert 'href="/desk/credit"' in (await desk.show("/desk", lang=lang)).text


async def test_a_shop_that_nobody_ruled_against_stands_at_zero(world: World) -> None:
    await world.paid()
    told = await credit(world)
    assert (told["meter"], told["band"], told["lines"], told["defects"]) == (0, "normal", [], 0)
    assert "R01" not in (await world.http.get(f"/shops/{world.shop_no}/credit")).text


async def test_a_listing_says_what_stands_behind_it_and_limits_strangers(database_url: str, state_dir: Path) -> None:
    async with a_world(database_url, state_dir, FAIRKEY_SMALL_TRIAL_FEN="44000") as world:
        guest = visitor(world)
        await guest.go(f"/listings/{world.shop_no}/{world.vault_id}")
        assert "Small trial: without a larger deposit at most ¥440.00 may be open; ¥0.00 is open." in guest.text
        assert "at most ¥220.00 of yours may be open" in guest.text
        told = (await world.get(f"/api/v1/listings/{world.shop_no}/{world.vault_id}")).json()["cover"]
        assert (told["by"], told["room_fen"], told["first_order_fen"]) == ("trial", 44_000, 22_000)
        refused = await world.post("/api/v1/orders", world.order_body(quantity=3), idempotency_key=str(uuid4()))
        assert refused.status_code == 409
        assert refused.json()["type"].endswith("/first-order-is-too-large")
        assert (await world.place(quantity=2))["amount_fen"] == 19_000
        await guest.go(f"/shops/{world.shop_no}")
        assert "¥190.00 is open." in guest.text
