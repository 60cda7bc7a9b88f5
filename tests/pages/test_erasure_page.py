"""The operator's page about one person's data."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from api_world import BUYER, World, a_world
from fairkey.business.basics import DAY_MS

PASSWORD = "correct horse battery"
OPERATOR = "operator@example.com"
PAGE = "/floor/erasure"


@pytest.fixture
async def world(database_url: str, state_dir: Path) -> AsyncIterator[World]:
    async with a_world(database_url, state_dir) as world:
        placed = await world.paid(contact=BUYER)
        await world.of_order(placed, "reveal")
        world.clock.ms += 1000
        yield world


@pytest.fixture
async def operator(world: World) -> AsyncIterator[httpx.AsyncClient]:
    accounts = world.opened.house.people.accounts
    registration = await accounts.register(email=OPERATOR, password=PASSWORD)
    assert registration.account is not None
    await accounts.make_operator(registration.account.account_id)
    origin = world.opened.house.settings.origin
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=world.app), base_url=origin) as client:
        await submit(client, "/login", email=OPERATOR, password=PASSWORD)
        yield client


async def submit(client: httpx.AsyncClient, page: str, **fields: str) -> httpx.Response:
    token = re.search(r'name="_csrf_token" value="([^"]+)"', (await client.get(page)).text)
    assert token is not None
    return await client.post(page, data={"_csrf_token": token.group(1), **fields})


async def test_an_open_order_is_shown_and_stays(world: World, operator: httpx.AsyncClient) -> None:
    page = await submit(operator, f"{PAGE}?lang=en", who=BUYER)
    assert page.status_code == 200
    assert "when it has ended" in page.text
    done = await submit(operator, PAGE, who=BUYER, do="erase", restrict="1")
    assert done.status_code == 200
    assert await world.opened.pool.fetchval("SELECT count(*) FROM restricted_streams") == 0
    assert await world.opened.house.erasures.person_of(email=BUYER) is not None


async def test_an_old_order_goes_and_the_trail_names_nobody(world: World, operator: httpx.AsyncClient) -> None:
    world.clock.ms += 20 * DAY_MS
    await world.opened.worker.sweep()
    await world.opened.pool.execute("UPDATE effects SET state = 'done'")
    await submit(operator, "/login", email=OPERATOR, password=PASSWORD)
    kept = await submit(operator, f"{PAGE}?lang=en", who=BUYER)
    assert "E-commerce Law art. 31" in kept.text
    done = await submit(operator, f"{PAGE}?lang=en", who=BUYER, do="erase", restrict="1")
    assert "1 record that must stay is out of sight now." in done.text
    world.clock.ms += 4 * 366 * DAY_MS
    await submit(operator, "/login", email=OPERATOR, password=PASSWORD)
    done = await submit(operator, f"{PAGE}?lang=en", who=BUYER.upper(), do="erase")
    assert "Orders and other histories: 1. Codes: 1. Accounts: 0." in done.text
    assert BUYER not in done.text.lower()
    again = await submit(operator, f"{PAGE}?lang=en", who=BUYER)
    assert "Nothing is kept under this address or number." in again.text
    rows = await world.opened.pool.fetch("SELECT action, target, detail::text FROM audit_trail")
    assert {"person.looked_at", "person.erased"} <= {row["action"] for row in rows}
    assert BUYER not in str([tuple(row) for row in rows])


@pytest.mark.parametrize("who", ["", "nobody", "nobody@example.com", "00000000-0000-7000-8000-000000000009", "@"])
async def test_whoever_is_unknown_has_nothing(operator: httpx.AsyncClient, who: str) -> None:
    page = await submit(operator, f"{PAGE}?lang=zh-CN", who=who)
    assert page.status_code == 200
    assert "没有保存任何数据" in page.text


async def test_nobody_else_enters(world: World) -> None:
    origin = world.opened.house.settings.origin
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=world.app), base_url=origin) as guest:
        assert (await guest.get(PAGE)).status_code in {302, 303, 401}
        assert (await guest.post(PAGE, data={"who": BUYER})).status_code in {302, 303, 401, 403}
