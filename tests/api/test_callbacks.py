"""What a provider may tell us, true and false, once and often: nothing is lost, nothing is believed unsigned."""

from copy import copy
from dataclasses import replace
from typing import Any

import httpx
import pytest

from api_world import HERE, PRICE_FEN, World, signed
from fairkey.app import make_asgi_app
from fairkey.business.basics import MINUTE_MS, Broken
from fairkey.engine.answers import Conflict, StoreIsAway
from fairkey.engine.batching import Stopping


async def unmatched(world: World) -> list[tuple[str, int]]:
    rows = await world.opened.pool.fetch("SELECT stage, amount_fen FROM streams WHERE kind = 'payment'")
    return [(row["stage"], row["amount_fen"]) for row in rows]


async def test_told_again_changes_nothing(world: World) -> None:
    placed = await world.place()
    notice = world.notice(placed["reference"])
    for _ in range(3):
        answer = await world.tell(notice)
        assert (answer.status_code, answer.text) == (200, "success")
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    order = await world.read(placed)
    assert (order["stage"], order["money"]["received_fen"]) == ("delivered", PRICE_FEN)


async def test_too_little_waits_and_the_rest_completes_it(world: World) -> None:
    placed = await world.place()
    assert (await world.tell(world.notice(placed["reference"], PRICE_FEN - 1))).text == "success"
    order = await world.read(placed)
    assert (order["stage"], order["money"]["held_fen"]) == ("placed", PRICE_FEN - 1)
    assert (await world.tell(world.notice(placed["reference"], 1))).text == "success"
    assert (await world.read(placed))["stage"] == "delivered"


async def test_too_much_goes_back(world: World) -> None:
    placed = await world.place()
    assert (await world.tell(world.notice(placed["reference"], PRICE_FEN + 500))).text == "success"
    order = await world.read(placed)
    assert order["stage"] == "delivered"
    assert order["money"]["refunds"] == [{"amount_fen": 500, "why": "surplus", "state": "asked"}]


async def test_another_currency_pays_nothing_and_is_kept_apart(world: World) -> None:
    placed = await world.place()
    assert (await world.tell(world.notice(placed["reference"], PRICE_FEN, currency="USD"))).text == "success"
    assert (await world.read(placed))["stage"] == "placed"
    assert await unmatched(world) == [("held", PRICE_FEN)]


@pytest.mark.parametrize("reference", ["0000000000000000000000000001", "no reference at all", "", "<b>'; DROP TABLE x"])
async def test_money_for_nobody_is_kept_apart(world: World, reference: str) -> None:
    assert (await world.tell(world.notice(reference, 700))).text == "success"
    assert await unmatched(world) == [("held", 700)]


async def test_what_is_not_signed_is_not_believed(world: World) -> None:
    placed = await world.place()
    notice = world.notice(placed["reference"])
    old = signed(notice, world.clock() - 6 * MINUTE_MS)
    wrong = signed(notice, world.clock(), "another secret")
    other = signed(world.notice(placed["reference"], 1), world.clock())
    for headers in (old, wrong, other, {}, {"sandbox-signature": "t=1,v1="}, {"sandbox-signature": b"\xfc"}):
        answer = await world.http.post("/callbacks/sandbox", content=notice, headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (400, "/problems/notification-is-forged")
    assert (await world.read(placed))["stage"] == "placed"


@pytest.mark.parametrize("body", [b"{}", b"", b"[]", b"\xff", b'{"event":"gift"}'])
async def test_signed_nonsense_is_told_apart_from_forgery(world: World, body: bytes) -> None:
    answer = await world.tell(body)
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/notification-is-unreadable")


async def test_what_no_provider_means(world: World) -> None:
    placed = await world.place()
    cases: list[dict[str, object]] = [{"amount_fen": amount_fen} for amount_fen in (0, -5, 2**63, 2**80)]
    cases += [{"currency": "CNY\u0000"}, {"currency": ""}, {"provider_txn": ""}, {"provider_txn": "a\u0000b"}]
    cases += [{"paid_at_ms": -1}, {"paid_at_ms": 2**70}, {"reference": "x" * 5_000}]
    for case in cases:
        answer = await world.tell(world.notice(placed["reference"], **case))
        assert answer.status_code == 400, (case, answer.status_code, answer.text)
    assert (await world.read(placed))["money"]["received_fen"] == 0


async def test_other_doors(world: World) -> None:
    notice = world.notice("x")
    unknown = await world.tell(notice, provider="nobody")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "/problems/provider-is-unknown")
    large = b"x" * 20_000
    answer = await world.tell(large)
    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/too-large")
    assert (await world.get("/callbacks/sandbox")).status_code == 405


@pytest.mark.parametrize("failure", [StoreIsAway(), Conflict(), Stopping(), OSError(), Broken("ours")])
@pytest.mark.parametrize("shortcut", [True, False])
async def test_when_storage_is_away_the_provider_shall_tell_again(
    world: World, failure: Exception, shortcut: bool
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise failure

    house: Any = copy(world.opened.house)
    house.ask = fail
    app = make_asgi_app(replace(world.opened, house=house), shortcut=shortcut)
    placed = await world.place()
    notice = world.notice(placed["reference"])
    transport = httpx.ASGITransport(app=app, client=(HERE, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as http:
        answer = await http.post("/callbacks/sandbox", content=notice, headers=signed(notice, world.clock()))
    told = (500, "/problems/unexpected") if isinstance(failure, Broken) else (503, "/problems/unavailable")
    assert (answer.status_code, answer.json()["type"]) == told
    assert (await world.tell(notice)).text == "success"
    assert (await world.read(placed))["stage"] == "delivered"
