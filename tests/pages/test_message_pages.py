"""Buyer and shop write to each other on the order's pages and over the API."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from api_world import World, a_world
from fairkey.engine.people import Role
from pages.test_operator_pages import PASSWORD, browser, sign_in, submit

OWNER = "owner@example.com"
LURE = "加我微信 kami8899，便宜五块"


@pytest.fixture
async def world(database_url: str, state_dir: Path) -> AsyncIterator[World]:
    async with a_world(database_url, state_dir) as world:
        yield world


@pytest.fixture
async def placed(world: World) -> dict[str, str]:
    return await world.paid()


@pytest.fixture
async def buyer(world: World, placed: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    """A guest who came by his mail's link."""
    async with browser(world) as client:
        assert (await client.get(f"/o/{placed['reference']}?s={placed['secret']}")).status_code == 303
        yield client


@pytest.fixture
async def merchant(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """The owner of the shop, signed in."""
    registration = await world.opened.house.people.accounts.register(email=OWNER, password=PASSWORD)
    assert registration.account is not None
    await world.opened.house.people.staff.add(world.shop_id, registration.account.account_id, Role.OWNER)
    async with browser(world) as client:
        await sign_in(client, OWNER)
        yield client


async def test_they_write_to_each_other(
    world: World, placed: dict[str, str], buyer: httpx.AsyncClient, merchant: httpx.AsyncClient
) -> None:
    of_buyer, of_shop = f"/o/{placed['reference']}", f"/desk/orders/{placed['reference']}"
    assert (await submit(buyer, of_buyer, f"{of_buyer}/messages", text="码是<b>哪个区</b>的？")).status_code == 303
    assert "码是&lt;b&gt;哪个区&lt;/b&gt;的？" in (await merchant.get(of_shop)).text
    assert (await submit(merchant, of_shop, f"{of_shop}/messages", text="国区的。")).status_code == 303
    page = (await buyer.get(of_buyer)).text
    assert "国区的。" in page
    assert "引导您离开平台" not in page


async def test_a_shop_that_leads_away_is_warned_and_marked(
    world: World, placed: dict[str, str], buyer: httpx.AsyncClient, merchant: httpx.AsyncClient
) -> None:
    of_buyer, of_shop = f"/o/{placed['reference']}", f"/desk/orders/{placed['reference']}"
    warned = await submit(merchant, of_shop, f"{of_shop}/messages", text=LURE)
    assert warned.status_code == 409
    assert LURE in warned.text
    assert 'name="sure"' in warned.text
    assert LURE not in (await buyer.get(of_buyer)).text
    assert (await submit(merchant, of_shop, f"{of_shop}/messages", text=LURE, sure="1")).status_code == 303
    page = (await buyer.get(of_buyer)).text
    assert LURE in page
    assert "引导您离开平台" in page
    assert "平台外账号" in page


async def test_programs_write_as_well(world: World, placed: dict[str, str]) -> None:
    path = f"/api/v1/orders/{placed['reference']}/messages"
    of_shop = f"/api/v1/shop/orders/{placed['reference']}/messages"
    assert (await world.post(path, {"text": "在吗"}, order_secret=placed["secret"])).status_code == 200
    assert (await world.post(path, {"text": "在吗"}, order_secret="x" * 43)).status_code == 404
    refused = await world.merchant("POST", of_shop, {"text": LURE})
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/leads-off-the-platform")
    assert (await world.merchant("POST", of_shop, {"text": LURE, "sure": True})).status_code == 200
    listed = (await world.get(path, order_secret=placed["secret"])).json()["messages"]
    assert [(one["by"], one["text"], one["lures"]) for one in listed] == [
        ("buyer", "在吗", []),
        ("shop", LURE, ["contact"]),
    ]
    assert (await world.merchant("GET", of_shop)).json()["messages"] == listed
