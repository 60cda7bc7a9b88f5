"""An outage on pages: found and ended by the operator, handed in by the issuer, told wherever a clock stands."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from api_world import World, a_world
from fairkey.app import publish_standard
from fairkey.business.basics import HOUR_MS, MINUTE_MS
from issuers_world import AnIssuer, an_issuer
from pages.test_issuer_pages import signed_in, submit

FLOOR = "/floor/issuers"
PAGE_HASH = "ab" * 32
ENGLISH = {"accept-language": "en"}


@pytest.fixture
async def world(database_url: str, state_dir: Path) -> AsyncIterator[World]:
    async with a_world(database_url, state_dir, codes=3) as world:
        await publish_standard(world.opened.house)
        yield world


@pytest.fixture
async def issuer(world: World) -> AnIssuer:
    return await an_issuer(world, "Steam", "人工")


@pytest.fixture
async def operator(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with signed_in(world, "operator@example.com", operator=True) as client:
        client.headers.update(ENGLISH)
        yield client


def typed(at_ms: int) -> str:
    """As the form sends a moment: China's time."""
    return (datetime.fromtimestamp(at_ms / 1_000, UTC) + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M")


async def work(world: World) -> None:
    while await world.opened.worker.step():
        pass


async def of_buyer(world: World, placed: dict[str, Any], path: str = "") -> str:
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=world.app), base_url=world.opened.house.settings.origin, headers=ENGLISH
    )
    async with client:
        await client.get(f"/o/{placed['reference']}?s={placed['secret']}", follow_redirects=True)
        return (await client.get(f"/o/{placed['reference']}{path}")).text


async def test_the_operator_finds_one_with_what_shows_it(
    world: World, issuer: AnIssuer, operator: httpx.AsyncClient
) -> None:
    find, over = f"{FLOOR}/{issuer.issuer_id}/outage", f"{FLOOR}/{issuer.issuer_id}/outage-over"
    weak = await submit(operator, FLOOR, find, began=typed(world.clock()), reason="Many complain.")
    assert weak.status_code == 422
    assert "This does not show an outage" in weak.text
    began = typed(world.clock() - HOUR_MS)
    fields = {"began": began, "reason": "<b>Nothing works.</b>", "page_url": "https://status.example/"}
    found = await submit(operator, FLOOR, find, page_sha256=PAGE_HASH, **fields)
    assert found.status_code == 303
    shown = (await operator.get("/outages")).text
    assert "&lt;b&gt;Nothing works.&lt;/b&gt;" in shown
    assert PAGE_HASH in shown
    assert (await submit(operator, FLOOR, find, page_sha256=PAGE_HASH, **fields)).status_code == 409
    assert (await submit(operator, FLOOR, over, ended="nonsense", reason="It is over.")).status_code == 422
    ended = await submit(operator, FLOOR, over, ended=typed(world.clock()), reason="It is over.")
    assert ended.status_code == 303
    assert "It is over." in (await operator.get("/outages")).text
    trail = (await operator.get("/floor/audit")).text
    assert "issuer.outage" in trail
    assert "issuer.outage-over" in trail


async def test_the_issuer_pastes_his_word_and_needs_no_account(world: World, issuer: AnIssuer) -> None:
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=world.app), base_url=world.opened.house.settings.origin, headers=ENGLISH
    )
    async with client:
        wrong = await submit(client, "/outages", "/outages", signed="began")
        assert wrong.status_code == 422
        forged = {**issuer.outage("began"), "signature": "AAAA"}
        refused = await submit(client, "/outages", "/outages", signed=msgspec.json.encode(forged).decode())
        assert refused.status_code == 401
        done = await submit(client, "/outages", "/outages", signed=msgspec.json.encode(issuer.outage("began")).decode())
        assert done.status_code == 303
        shown = (await client.get("/outages")).text
        assert "晨光游戏" in shown
        assert "the issuer, signed" in shown
        listing = (await client.get(f"/listings/{world.shop_no}/{world.vault_id}")).text
        assert "Outage of 晨光游戏" in listing


async def test_where_a_clock_stands_the_page_says_so(
    world: World, issuer: AnIssuer, operator: httpx.AsyncClient
) -> None:
    placed = await world.paid(listing_id=world.manual_id)
    await issuer.say_outage("began")
    page = f"/desk/orders/{placed['reference']}"
    async with signed_in(world, "owner@example.com", owner=True) as owner:
        owner.headers.update(ENGLISH)
        assert "Outage of 晨光游戏" in (await owner.get(page)).text
        world.clock.ms += 30 * MINUTE_MS
        await work(world)
        for shown in ((await owner.get(page)).text, await of_buyer(world, placed)):
            assert "the clock stands still in an outage of the issuer" in shown
            assert "Outage of 晨光游戏" in shown
        await issuer.say_outage("ended")
        await work(world)
        for shown in ((await owner.get(page)).text, await of_buyer(world, placed)):
            assert "Clock stopped: issuer outage from" in shown
            assert "the clock stands still" not in shown


async def test_a_complaint_in_an_outage_names_it(world: World, issuer: AnIssuer, operator: httpx.AsyncClient) -> None:
    await issuer.say_outage("began")
    placed = await world.paid()
    await world.of_order(placed, "reveal")
    assert "Outage of 晨光游戏" in await of_buyer(world, placed, "/complain")
    await world.of_order(placed, "complaint", {"reason": "not_valid", "text": "无法兑换。"})
    await work(world)
    shown = (await operator.get(f"/floor/complaints/{placed['reference']}")).text
    assert "Outage of 晨光游戏" in shown
    assert "R12" in await of_buyer(world, placed)
    world.clock.ms += 48 * HOUR_MS
    await work(world)
    assert "the clock stands still in an outage of the issuer" in await of_buyer(world, placed)
