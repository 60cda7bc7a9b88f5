"""The deposit on the merchant's desk, the pool for everybody, the operator's page."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from api_world import World, a_world
from fairkey.business.references import read_reference
from fairkey.effects.ports import Collection
from merchant_desk import Desk, at_the_desk, value_in


@pytest.fixture
async def world(database_url: str, state_dir: Path) -> AsyncIterator[World]:
    async with a_world(database_url, state_dir) as world:
        yield world


@pytest.fixture
async def owner(world: World) -> AsyncIterator[Desk]:
    async with at_the_desk(world, "owner@example.com") as desk:
        yield desk


async def test_terms_are_accepted_and_money_is_paid_in(
    world: World, owner: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, object] = {}

    async def collect(**terms: object) -> Collection:
        asked.update(terms)
        return Collection(pay_url="https://pay.example/x", qr_text="x")

    monkeypatch.setattr(world.opened.house.provider, "collect", collect)
    page = await owner.show("/desk/deposit")
    assert "Accept the terms" in page.text
    agreed = await owner.send("/desk/deposit", "/desk/deposit/agree", {"version": value_in(page.text, "version")})
    assert agreed.status_code == 303, agreed.text
    page = await owner.show("/desk/deposit")
    top_up = {"top_up_id": value_in(page.text, "top_up_id"), "amount_fen": "500"}
    for _ in range(2):
        sent = await owner.send("/desk/deposit", "/desk/deposit/top-up", top_up)
        assert (sent.status_code, sent.headers["location"]) == (303, "https://pay.example/x")
    reference = str(asked["reference"])
    read = read_reference(reference)
    assert read is not None
    assert read[1] == top_up["top_up_id"]
    told = world.notice(reference, 50_000)
    assert (await world.tell(told)).text == "success"
    assert (await world.tell(told)).text == "success"
    for lang in ("zh-CN", "en"):
        shown = await owner.show("/desk/deposit", lang=lang)
        assert "500.00" in shown.text
        assert (await owner.show("/desk/money", lang=lang)).status_code == 200
    too_little = await owner.send("/desk/deposit", "/desk/deposit/top-up", {**top_up, "amount_fen": "x"})
    assert too_little.status_code == 422
    early = await owner.send("/desk/deposit", "/desk/deposit/release", {"amount_fen": "500"})
    assert early.status_code == 409


async def test_the_pool_is_open_to_everybody(world: World) -> None:
    for lang in ("zh-CN", "en"):
        answer = await world.http.get("/guarantee", headers={"accept-language": lang})
        assert answer.status_code == 200
        assert answer.text.count("<h1") == 1
