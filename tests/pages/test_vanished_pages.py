"""A vanished shop on its pages: for buyers, at its desk, on the floor; how it asks to return and is let in."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from api_world import World, a_world
from fairkey.app import publish_standard
from fairkey.business import shops
from fairkey.business.askers import ASKERS, Asker
from fairkey.business.basics import DAY_MS
from fairkey.business.references import read_reference
from fairkey.engine.people import Role
from issuers_world import an_issuer
from merchant_desk import Desk, at_the_desk
from pages.test_operator_pages import browser, sign_in, submit

OPERATOR = "operator@example.com"
WHY = "Our office burnt down; a new one is open."


@pytest.fixture
async def world(database_url: str, state_dir: Path) -> AsyncIterator[World]:
    async with a_world(database_url, state_dir) as world:
        yield world


@pytest.fixture
async def operator(world: World) -> AsyncIterator[httpx.AsyncClient]:
    accounts = world.opened.house.people.accounts
    registration = await accounts.register(email=OPERATOR, password="correct horse battery")
    assert registration.account is not None
    await accounts.make_operator(registration.account.account_id)
    async with browser(world) as client:
        await sign_in(client, OPERATOR)
        yield client


@pytest.fixture
async def owner(world: World) -> AsyncIterator[Desk]:
    async with at_the_desk(world, "owner@example.com", Role.OWNER) as desk:
        yield desk


async def work(world: World) -> None:
    while await world.opened.worker.step():
        pass


async def gone(world: World, placed: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ASKERS, shops.NoteVanished, frozenset({Asker.CLOCK}))
    where = read_reference(placed["reference"])
    assert where is not None
    world.clock.ms += 1
    note = shops.NoteVanished(shop_id=world.shop_id, order_id=where[1], ruling_no=1)
    assert not (await world.opened.house.ask(Asker.CLOCK, note)).refusal
    await work(world)


async def page_of(world: World, placed: dict[str, str], lang: str = "en") -> tuple[httpx.AsyncClient, str]:
    """The buyer's browser, let in by the link of his letter, and what it shows."""
    client = browser(world)
    path = f"/o/{placed['reference']}"
    await client.get(path, params={"s": placed["secret"]})
    shown = await client.get(path, params={"lang": lang}, follow_redirects=True)
    assert shown.status_code == 200, shown.text[:500]
    return client, shown.text


async def test_everybody_reads_it_and_a_person_lets_the_shop_return(
    world: World, operator: httpx.AsyncClient, owner: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await publish_standard(world.opened.house)
    placed = await world.paid()
    await gone(world, placed, monkeypatch)
    _, shown = await page_of(world, placed)
    assert "By row R18 of the published standard all its open orders are refunded" in shown
    for language, word in (("en", "The shop gave no sign of life"), ("zh-CN", "店铺无任何活动")):
        front = await owner.http.get(f"/shops/{world.shop_no}", params={"lang": language})
        assert word in front.text
    assert "We are back" in (await owner.show("/desk")).text
    short = await owner.send("/desk", "/desk/return", text="here")
    assert short.status_code == 422
    assert (await owner.send("/desk", "/desk/return", text=WHY)).status_code == 303
    assert "until then a person is to have looked at it" in (await owner.show("/desk")).text
    assert (await owner.send("/desk/deposit", "/desk/return", text=WHY)).status_code == 409
    floor = (await operator.get("/floor/shops", params={"lang": "en"})).text
    assert WHY in floor
    assert "0 are still under way" in floor
    act = f"/floor/shops/{world.shop_no}/return"
    assert (await submit(operator, "/floor/shops", act, reason="fine")).status_code == 422
    assert (await submit(operator, "/floor/shops", act, reason=WHY)).status_code == 303
    assert (await submit(operator, "/floor/shops", act, reason=WHY)).status_code == 409
    assert "We are back" not in (await owner.show("/desk")).text
    again = await world.place()
    assert (await world.read(again))["stage"] == "placed"
    assert (await world.read(placed))["stage"] == "refunded"  # and stays so


async def test_a_buyer_claims_on_his_page(world: World, owner: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await publish_standard(world.opened.house)
    issuer = await an_issuer(world)
    placed = await world.paid()
    text = (await world.of_order(placed, "reveal")).json()["codes"][0]["text"]
    assert (await world.of_order(placed, "confirm")).status_code == 200
    _, before = await page_of(world, placed)
    assert "This shop has vanished" not in before
    await gone(world, placed, monkeypatch)
    client, shown = await page_of(world, placed)
    assert "Claim it" in shown
    path = f"/o/{placed['reference']}"
    assert (await submit(client, path, f"{path}/claim")).status_code == 409
    world.clock.ms += DAY_MS
    assert (await issuer.say(text, "revoked")).status_code == 200
    assert (await submit(client, path, f"{path}/claim")).status_code == 303
    assert (await submit(client, path, f"{path}/claim")).status_code == 303  # a second press finds it done
    _, after = await page_of(world, placed)
    assert "Your claim counts" in after
    assert "Claim it" not in after
    assert "Kept for claims" in (await owner.show("/desk/deposit")).text
    await client.aclose()
