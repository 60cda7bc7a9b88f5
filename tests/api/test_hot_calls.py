"""The hot calls answer what the routes behind them answer: status, body and headers, byte for byte."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from api_world import HERE, PRICE_FEN, World, a_world, signed
from fairkey.api.hot import found
from fairkey.app import make_asgi_app


@pytest.fixture
async def both(database_url: str, state_dir: Path) -> AsyncIterator[tuple[World, World]]:
    """The same house behind two doors: with the shortcut, and the long way."""
    async with a_world(database_url, state_dir) as short:
        app = make_asgi_app(short.opened, shortcut=False)
        transport = httpx.ASGITransport(app=app, client=(HERE, 4_711))
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as http:
            yield short, replace(short, app=app, http=http)


def same(one: httpx.Response, other: httpx.Response) -> None:
    assert one.status_code == other.status_code
    assert one.content == other.content
    assert sorted(one.headers.multi_items()) == sorted(other.headers.multi_items())


async def test_an_order_told_twice_is_the_same_either_way(both: tuple[World, World]) -> None:
    short, long = both
    body, key = short.order_body(quantity=2), str(uuid4())
    one = await short.post("/api/v1/orders", body, idempotency_key=key)
    assert one.status_code == 201
    same(one, await long.post("/api/v1/orders", body, idempotency_key=key))
    placed = one.json()
    same(await short.of_order(placed, "reveal"), await long.of_order(placed, "reveal"))  # not paid yet
    told = short.notice(placed["reference"], 2 * PRICE_FEN)
    taken = await short.tell(told)
    assert taken.text == "success"
    same(taken, await long.tell(told))
    opened = await short.of_order(placed, "reveal")
    assert len(opened.json()["codes"]) == 2
    same(opened, await long.of_order(placed, "reveal"))
    same(await short.of_order(placed, "reveal", {}), await long.of_order(placed, "reveal", {}))
    same(await short.of_order(placed, "reveal", {"x": 1}), await long.of_order(placed, "reveal", {"x": 1}))
    same(
        await short.post("/api/v1/orders", {**body, "quantity": 1}, idempotency_key=key),
        await long.post("/api/v1/orders", {**body, "quantity": 1}, idempotency_key=key),
    )


async def test_every_way_to_fail_is_the_same_either_way(both: tuple[World, World]) -> None:
    short, long = both
    good = json.dumps(short.order_body()).encode()
    key = {"idempotency-key": str(uuid4()), "content-type": "application/json"}
    placed = await short.place()
    reveal = f"/api/v1/orders/{placed['reference']}/reveal"
    told = short.notice(placed["reference"])
    cases: list[tuple[str, str, bytes, dict[str, str]]] = [
        ("POST", "/api/v1/orders", b"", key),
        ("POST", "/api/v1/orders", b"{", key),
        ("POST", "/api/v1/orders", b"[]", key),
        ("POST", "/api/v1/orders", b"x" * 100_000, key),
        ("POST", "/api/v1/orders", good, {}),
        ("POST", "/api/v1/orders", good, {**key, "idempotency-key": "short"}),
        ("POST", "/api/v1/orders", good, {**key, "content-type": "text/plain"}),
        ("POST", "/api/v1/orders", good, {**key, "authorization": "Bearer fk_test_wrong"}),
        ("POST", "/api/v1/orders", good, {**key, "authorization": "Basic eDp5"}),
        ("POST", "/api/v1/orders", json.dumps(short.order_body(shop_no=9_999)).encode(), key),
        ("POST", "/api/v1/orders", json.dumps(short.order_body(quantity=-1)).encode(), key),
        ("POST", "/api/v1/orders", json.dumps(short.order_body(quantity=20, listing_id="x")).encode(), key),
        ("GET", "/api/v1/orders", b"", {}),
        ("PUT", "/api/v1/orders", good, key),
        ("DELETE", reveal, b"", {}),
        ("POST", "/api/v1/orders/", b"", key),
        ("POST", "/api/v1/orders?x=1", b"", key),
        ("POST", "/api/v1//orders", b"", key),
        ("POST", reveal, b"", {}),
        ("POST", reveal, b"", {"order-secret": "wrong"}),
        ("POST", reveal, b"", {"order-secret": placed["secret"]}),
        ("POST", reveal.lower(), b"", {"order-secret": placed["secret"]}),
        ("POST", reveal + "/", b"", {"order-secret": placed["secret"]}),
        ("POST", "/api/v1/orders//reveal", b"", {"order-secret": placed["secret"]}),
        ("POST", "/api/v1/orders/a%2Fb/reveal", b"", {"order-secret": placed["secret"]}),
        ("POST", "/api/v1/orders/%00%E4/reveal", b"", {"order-secret": placed["secret"]}),
        ("POST", reveal, b"{}", {"order-secret": placed["secret"], "content-type": "text/csv"}),
        ("POST", reveal, b'{"codes":["x"]}', {"order-secret": placed["secret"], "content-type": "application/json"}),
        ("POST", "/callbacks/sandbox", told, {}),
        ("POST", "/callbacks/sandbox", told, signed(told, short.clock(), "another secret")),
        ("POST", "/callbacks/sandbox", told + b" ", signed(told, short.clock())),
        ("POST", "/callbacks/sandbox", b"{}", signed(b"{}", short.clock())),
        ("POST", "/callbacks/sandbox", b"x" * 20_000, signed(told, short.clock())),
        ("POST", "/callbacks/unknown", told, signed(told, short.clock())),
        ("POST", "/callbacks/", told, signed(told, short.clock())),
        ("POST", "/callbacks/sandbox/more", told, signed(told, short.clock())),
        ("GET", "/callbacks/sandbox", b"", {}),
        ("OPTIONS", "/api/v1/orders", b"", {}),
        ("HEAD", "/api/v1/orders", b"", {}),
    ]
    statuses = set()
    for method, path, body, headers in cases:
        one = await short.http.request(method, path, content=body, headers=headers)
        other = await long.http.request(method, path, content=body, headers=headers)
        try:
            same(one, other)
        except AssertionError as error:
            raise AssertionError(f"{method} {path} {headers}") from error
        statuses.add(one.status_code)
    assert {400, 401, 404, 405, 409, 413, 415, 422} <= statuses


def test_only_the_three_calls_are_taken() -> None:
    for method, path, endpoint in (
        ("POST", "/api/v1/orders", "/api/v1/orders"),
        ("POST", "/callbacks/sandbox", "/callbacks/{provider}"),
        ("POST", "/api/v1/orders/X/reveal", "/api/v1/orders/{ref}/reveal"),
    ):
        hot = found(method, path)
        assert hot is not None
        assert hot[0].path == endpoint
    for method, path in (
        ("GET", "/api/v1/orders"),
        ("POST", "/api/v1/orders/X"),
        ("POST", "/api/v1/orders/X/confirm"),
        ("POST", "/api/v1/orders/reveal"),
        ("POST", "/callbacks/a/b"),
    ):
        assert found(method, path) is None
