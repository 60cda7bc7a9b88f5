"""Whose turn it is in a dispute, as both sides see it: countdowns, replacements, re-opening."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api_world import World, a_world
from fairkey.app import publish_standard
from fairkey.business.basics import HOUR_MS
from fairkey.business.references import read_reference
from fairkey.engine.people import Role

PASSWORD = "correct horse battery"


@pytest.fixture
async def world(database_url: str, state_dir: Path) -> AsyncIterator[World]:
    async with a_world(database_url, state_dir) as world:
        await publish_standard(world.opened.house)
        yield world


def browser(world: World) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=world.app), base_url=world.opened.house.settings.origin,
        headers={"accept-language": "en"}, follow_redirects=True,
    )  # fmt: skip


@pytest.fixture
async def merchant(world: World) -> AsyncIterator[httpx.AsyncClient]:
    people = world.opened.house.people
    registered = await people.accounts.register(email="owner@example.com", password=PASSWORD)
    assert registered.account is not None
    await people.staff.add(world.shop_id, registered.account.account_id, Role.OWNER)
    async with browser(world) as client:
        await submit(client, "/login", "/login", email="owner@example.com", password=PASSWORD)
        yield client


@pytest.fixture
async def buyer(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(world) as client:
        yield client


async def submit(client: httpx.AsyncClient, page: str, action: str, **fields: str) -> httpx.Response:
    shown = await client.get(page)
    token = re.search(r'name="_csrf_token" value="([^"]+)"', shown.text)
    assert token is not None, shown.text[:500]
    return await client.post(action, data={"_csrf_token": token.group(1), **fields})


async def complained(world: World, buyer: httpx.AsyncClient, **complaint: str) -> tuple[str, dict[str, Any]]:
    """The buyer's page of an order that he complains about."""
    placed = await world.paid()
    await world.of_order(placed, "reveal")
    told = {"reason": "not_valid", "text": "No such code.", "demand": "resend", **complaint}
    assert (await world.of_order(placed, "complaint", told)).status_code == 200
    await buyer.get(f"/o/{placed['reference']}?s={placed['secret']}")
    return f"/o/{placed['reference']}", placed


async def waits(world: World, placed: dict[str, Any]) -> list[str]:
    """Deadlines that reminders and the API go by, as milliseconds."""
    read = read_reference(placed["reference"])
    assert read is not None
    record = await world.opened.house.questions.order_book.find(world.shop_id, read[1])
    assert record is not None
    found = [str(one.until_ms) for one in record.file.complaint.waits(world.clock())]
    assert found
    return found


async def test_a_replacement_goes_from_the_desk_to_the_box_and_is_answered(
    world: World, merchant: httpx.AsyncClient, buyer: httpx.AsyncClient
) -> None:
    mine, placed = await complained(world, buyer)
    desk = f"/desk/orders/{placed['reference']}"
    page = (await merchant.get(desk)).text
    assert "Send a replacement" in page
    assert "It is your turn" not in page  # two days are left
    world.clock.ms += 24 * HOUR_MS
    page = (await merchant.get(desk)).text
    assert "It is your turn" in page
    assert all(f'data-deadline-ms="{one}"' in page for one in await waits(world, placed))
    sent = await submit(merchant, desk, f"{desk}/complaint/resend")
    assert sent.status_code == 200
    assert "Send a replacement" not in sent.text

    page = (await buyer.get(mine)).text
    assert "Other codes lie sealed in your box" in page
    assert all(f'data-deadline-ms="{one}"' in page for one in await waits(world, placed))
    again = await submit(buyer, mine, f"{mine}/complaint/again", text="This one fails as well.")
    assert "This one fails as well." in again.text
    late = await submit(buyer, mine, f"{mine}/complaint/confirm")
    assert late.status_code == 409


async def test_who_said_nothing_is_shown_how_to_re_open(
    world: World, merchant: httpx.AsyncClient, buyer: httpx.AsyncClient
) -> None:
    mine, placed = await complained(world, buyer, reason="other")
    desk = f"/desk/orders/{placed['reference']}"
    asked = await submit(merchant, desk, f"{desk}/complaint/ask", text="Which screen?")
    assert asked.status_code == 200
    world.clock.ms += 48 * HOUR_MS
    while await world.opened.worker.step():
        pass
    page = (await buyer.get(mine)).text
    assert "Re-open the complaint" in page
    refused = await submit(buyer, mine, f"{mine}/complaint/reopen", text="Here it is, at last.")
    assert refused.status_code == 409
    assert "New evidence is missing." in refused.text


async def test_an_offer_counts_down_and_ends(
    world: World, merchant: httpx.AsyncClient, buyer: httpx.AsyncClient
) -> None:
    mine, placed = await complained(world, buyer)
    desk = f"/desk/orders/{placed['reference']}"
    await submit(merchant, desk, f"{desk}/complaint/offer", refund_yuan="10")
    page = (await buyer.get(mine)).text
    assert "then the offer has ended" in page
    assert "Agree and end it" in page
    world.clock.ms += 48 * HOUR_MS
    page = (await buyer.get(mine)).text
    assert "Agree and end it" not in page
    late = await submit(buyer, mine, f"{mine}/complaint/answer", offer="1", yes="1")
    assert late.status_code == 409
    assert "This offer has ended." in late.text
