"""The merchant's desk over HTTP: every page and form, what is refused, and what belongs to another shop."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from api_world import World, a_world
from merchant_desk import Desk, at_the_desk

PAGES = (
    "/desk",
    "/desk/open",
    "/desk/listings",
    "/desk/listings/new",
    "/desk/batches",
    "/desk/batches/import",
    "/desk/orders",
    "/desk/complaints",
    "/desk/coupons",
    "/desk/money",
    "/desk/figures",
    "/desk/figures?by=week",
    "/desk/staff",
    "/desk/keys",
    "/desk/settings",
)


@pytest.fixture
async def world(database_url: str, state_dir: Path) -> AsyncIterator[World]:
    async with a_world(database_url, state_dir) as world:
        yield world


@pytest.fixture
async def owner(world: World) -> AsyncIterator[Desk]:
    async with at_the_desk(world, "owner@example.com") as desk:
        yield desk


async def test_every_page_shows_in_both_languages(owner: Desk, world: World) -> None:
    placed = await world.paid()
    listing = f"/desk/listings/{world.vault_id}"
    more = [listing, f"{listing}/edit", f"/desk/orders/{placed['reference']}"]
    for path in (*PAGES, *more):
        for lang in ("zh-CN", "en"):
            answer = await owner.show(path, lang=lang)
            assert answer.status_code == 200, (path, answer.text)
            assert answer.text.count("<h1") == 1, path
