"""A lure outside the site counts once two buyers who are known elsewhere show it, each by a file of his own (R14)."""

import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from api_world import World, a_world, deposit, open_shop, publish
from fairkey.app import publish_standard
from fairkey.business.basics import DAY_MS, HOUR_MS

COMPLAINT = {"reason": "off_platform", "text": "客服让我加微信付款。"}
KNOWN = 3  # orders completed elsewhere


def picture(seed: int, width: int = 320) -> bytes:
    points = np.random.default_rng(seed).integers(0, 255, (8, 9, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(points).resize((width, width * 3 // 4), Image.Resampling.BICUBIC).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
async def world(database_url: str, state_dir: Path) -> AsyncIterator[World]:
    async with a_world(database_url, state_dir) as world:
        await publish_standard(world.opened.house)
        yield world


@pytest.fixture
async def elsewhere(world: World) -> dict[str, Any]:
    """Another shop, where people trade."""
    shop_id, shop_no = await open_shop(world.opened, "别家")
    listing_id = await publish(world.opened, shop_id)
    await deposit(world.opened, shop_id, listing_id, 20)
    return {"shop_no": shop_no, "listing_id": listing_id}


async def work(world: World) -> None:
    while await world.opened.worker.step():
        pass


async def reported(
    world: World, elsewhere: dict[str, Any], name: str, file: bytes, known: int = KNOWN
) -> dict[str, Any]:
    """A buyer who completed `known` orders elsewhere says that he was lured, and shows a file."""
    contact = f"{name}@example.com"
    for _ in range(known):
        done = await world.paid(contact=contact, **elsewhere)
        assert (await world.of_order(done, "confirm")).status_code == 200
    placed = await world.paid(contact=contact)
    assert (await world.of_order(placed, "complaint", COMPLAINT)).status_code == 200
    if file:
        path = f"/api/v1/orders/{placed['reference']}/evidence?piece=other&name=chat.png"
        given = await world.send("POST", path, file, order_secret=placed["secret"], content_type="image/png")
        assert given.status_code in (200, 201), given.text
    return placed


async def reporters(world: World) -> int:
    return await world.opened.house.questions.standards.lure_reporters(world.shop_id, world.clock())


async def case_of(world: World, placed: dict[str, Any]) -> str:
    answer = await world.get(f"/api/v1/orders/{placed['reference']}/complaint/reading", order_secret=placed["secret"])
    [codes] = answer.json()["codes"]
    return str(codes["case"])


async def test_two_independent_reporters_have_it_ruled_after_48_hours(world: World, elsewhere: dict[str, Any]) -> None:
    await reported(world, elsewhere, "first", picture(1))
    assert await reporters(world) == 1
    second = await reported(world, elsewhere, "second", picture(2))
    assert await reporters(world) == 2
    await work(world)
    world.clock.ms += 48 * HOUR_MS
    await work(world)
    shown = (await world.get(f"/api/v1/orders/{second['reference']}/complaint", order_secret=second["secret"])).json()
    assert shown["ruling"]["case"] == "R14"
    assert shown["ruling"]["refund_fen"] == second["amount_fen"]  # the code is sealed


@pytest.mark.parametrize(
    ("name", "file", "known"),
    [
        ("first", 2, KNOWN),  # the same buyer again
        ("second", 1, KNOWN),  # the same picture
        ("second", -1, KNOWN),  # the same picture, scaled
        ("second", 0, KNOWN),  # nothing shown
        ("second", 2, KNOWN - 1),  # somebody whom nobody else knows
    ],
)
async def test_who_is_no_second_reporter(
    world: World, elsewhere: dict[str, Any], name: str, file: int, known: int
) -> None:
    await reported(world, elsewhere, "first", picture(1))
    again = {0: b"", -1: picture(1, 640)}.get(file) if file <= 0 else picture(file)
    await reported(world, elsewhere, name, again or b"", known)
    assert await reporters(world) == 1


async def test_reports_grow_old_and_can_be_taken_back(world: World, elsewhere: dict[str, Any]) -> None:
    first = await reported(world, elsewhere, "first", picture(1))
    await reported(world, elsewhere, "second", picture(2))
    assert (await world.of_order(first, "complaint/withdraw")).status_code == 200
    assert await reporters(world) == 1
    world.clock.ms += 90 * DAY_MS
    assert await reporters(world) == 0
