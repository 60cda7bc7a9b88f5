"""Every route of the application, asked by everybody: pages, API, callbacks. What may be is computed from the table.

Commands are answered `no` by a stand-in of the engine, so that 3,000 requests change nothing; doors, sessions, keys,
secrets, forged-form checks and reads are real.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from api_world import HERE, SECRET, World, a_world, open_shop, signed
from fairkey.adapters.payments.sandbox import wall_clock_ms
from fairkey.app import make_asgi_app
from fairkey.app.wiring import _gate_rules
from fairkey.engine import trade
from fairkey.engine.answers import Answer
from fairkey.engine.people import SCOPES, Actor, ActorKind, Role
from fairkey.gates import csrf
from fairkey.gates.order_access import OrderDoor
from fairkey.gates.permissions import Gate, Permission
from fairkey.gates.route_table import ROUTES
from fairkey.gates.rules import is_cookie_free
from fairkey.gates.sessions import SESSION_COOKIE
from fairkey.gates.visits import Visit

PATIENCE_S = 20
# Behind the door these ask for something more, and say so with the same numbers when a form comes empty.
INSIDE: Mapping[str, int] = {
    "POST /login": 401,  # wrong password
    "POST /account/close": 401,
    "POST /account/password": 401,
    "POST /desk/open": 403,  # a form of ours that was not made for this
    "POST /desk/money/payout": 403,
    "POST /desk/deposit/top-up": 403,
    "POST /o/{ref}/outside": 401,  # a case is kept for an account
}
NOT_THERE = {  # the order is, the piece of evidence is not
    "GET /api/v1/orders/{ref}/evidence/{evidence_id}",
    "GET /o/{ref}/evidence/{evidence_id}/file",
    "GET /o/{ref}/evidence/{evidence_id}/preview.jpg",
    "POST /o/{ref}/recording/{act}",
}
PASSWORD = "meine katze mag tofu"


@dataclass(frozen=True)
class Who:
    """Somebody, and by what they may be known."""

    name: str
    account: str = ""
    operator: bool = False
    works: str = ""  # staff | owner, of the shop asked about or of another one
    foreign: bool = False
    key: str = ""
    scopes: frozenset[str] = frozenset()
    secret: bool = False


@dataclass
class Stage:
    """The house, and one of everything in it."""

    world: World
    app: Any
    rules: Any
    orders: OrderDoor
    things: dict[str, str]
    secret: str
    people: list[Who] = field(default_factory=list)


@pytest.fixture
async def stage(database_url: str, state_dir: Path, sandbox_url: str) -> AsyncIterator[Stage]:
    async with a_world(database_url, state_dir, sandbox_url=sandbox_url, start_ms=wall_clock_ms()) as world:
        house = world.opened.house
        accounts: dict[str, str] = {}
        for name in ("other buyer", "buyer", "staff", "owner", "foreign owner", "operator"):
            registered = await house.people.accounts.register(
                email=f"{name.replace(' ', '.')}@example.com", password=PASSWORD, is_operator=name == "operator"
            )
            assert registered.account is not None
            accounts[name] = registered.account.account_id
        other_shop, _ = await open_shop(world.opened, "别家卡铺")
        await house.people.staff.add(world.shop_id, accounts["owner"], Role.OWNER)
        await house.people.staff.add(world.shop_id, accounts["staff"], Role.STAFF)
        await house.people.staff.add(other_shop, accounts["foreign owner"], Role.OWNER)

        wish = trade.Placing(
            shop_id=world.shop_id,
            listing_id=world.vault_id,
            revision=1,
            quantity=1,
            contact="buyer@example.com",
            account_id=accounts["buyer"],
        )
        placed = await trade.place(house, wish)
        await world.tell(world.notice(placed.reference, 9_500))
        coupon = await world.merchant("POST", "/api/v1/shop/coupons", {"code": "MATRIX-1", "off_fen": 5})
        batches = (await world.merchant("GET", "/api/v1/shop/batches")).json()["batches"]

        async def refuse(*_: object, **__: object) -> Answer:
            return Answer(refusal="NothingHasChanged")

        quiet_house: Any = copy(house)
        quiet_house.ask = refuse
        quiet = replace(world.opened, house=quiet_house)
        rules = _gate_rules(house.settings, world.opened.keys)
        stage = Stage(
            world=world,
            app=make_asgi_app(quiet),
            rules=rules,
            orders=OrderDoor(house.keys.check_order_secret, _no_account, house.now_ms),
            secret=placed.secret,
            things={
                "ref": placed.reference,
                "reference": placed.reference,
                "shop_no": str(world.shop_no),
                "listing_id": world.vault_id,
                "revision": "1",
                "version": "1",
                "path": "0/000",
                "batch_id": batches[0]["batch_id"],
                "coupon_id": coupon.json()["id"],
                "case_id": str(uuid4()),
                "panel_id": str(uuid4()),
                "arbitrator_id": str(uuid4()),
                "job": "pack",
                "channel": "platform",
                "evidence_id": str(uuid4()),
                "sha256": "ab" * 32,
                "act": "withdraw",
                "payment_id": str(uuid4()),
                "payout_id": str(uuid4()),
                "top_up_id": str(uuid4()),
                "issuer_id": str(uuid4()),
                "account_id": str(uuid4()),
                "key_id": str(uuid4()),
                "session_ref": str(uuid4()),
                "token": "no-such-token",
                "who": "buyer",
                "action": "suspend",
                "what": "refund",
                "number": "1",
                "provider": "sandbox",
                "file_path": "fairkey.css",
                "name": "stock-is-short",
                "older": "1.0",
                "newer": "1.0",
                "file": "FK-AF-1-1.0.json",
            },
        )
        stage.people = [
            Who("guest"),
            Who("guest with the secret", secret=True),
            Who("other buyer", account=accounts["other buyer"]),
            Who("buyer", account=accounts["buyer"]),
            Who("staff", account=accounts["staff"], works="staff"),
            Who("owner", account=accounts["owner"], works="owner"),
            Who("other shop's owner", account=accounts["foreign owner"], works="owner", foreign=True),
            Who("operator", account=accounts["operator"], operator=True),
            *[
                Who(f"key {scope}", key=await world.new_key(scope), scopes=frozenset({scope}))
                for scope in sorted(SCOPES)
            ],
            Who("other shop's key", key=await world.new_key(shop_id=other_shop), scopes=SCOPES, foreign=True),
            Who("wrong key", key="fk_test_nobody"),
        ]
        yield stage


async def _no_account(_: str) -> str | None:
    return None


def expected(key: str, gate: Gate, who: Who) -> int:  # noqa: PLR0911 - one line per row of the table
    """200: comes in. 401, 403, 404: turned away at the door."""
    path = key.split(" ", 1)[1]
    programs = is_cookie_free(path)
    if programs and who.key and not who.scopes:
        return 401
    known = bool(who.key) if programs else bool(who.account)
    match gate.permission:
        case Permission.PUBLIC | Permission.PROVIDER_SIGNATURE | Permission.ISSUER_SIGNATURE:
            return 200
        case Permission.GUEST_WITH_ORDER_SECRET:
            mine = who.secret or (not programs and who.name == "buyer")
            return 200 if mine else 404
        case _ if not known:
            return 401
        case _ if programs:
            return 200 if gate.scope in who.scopes else 403
        case Permission.ACCOUNT:
            return 200
        case Permission.OPERATOR:
            return 200 if who.operator else 403
        case Permission.SHOP_READ | Permission.SHOP_WRITE:
            return 200 if who.works else 403
        case Permission.SHOP_OWNER:
            return 200 if who.works == "owner" else 403
    raise AssertionError(gate)


async def call(
    stage: Stage, key: str, who: Who, *, forged: bool = False
) -> tuple[int, dict[bytes, bytes], bytes]:
    """Status, headers and the first piece of the answer."""
    method, template = key.split(" ", 1)
    path = re.sub(r"\{(\w+)\}", lambda found: stage.things[found.group(1)], template)
    headers = [(b"host", b"testserver")]
    body = b""
    door: Any = SimpleNamespace(rules=stage.rules)
    visit = Visit(door=door, actor=Actor(kind=ActorKind.GUEST, address=HERE), seed="a-seed-for-tests-01234")
    cookies = {stage.rules.cookie_name(csrf.SEED_COOKIE): visit.seed}
    if who.account:
        visit.token, _ = await stage.world.opened.house.people.sessions.open(who.account)
        cookies[stage.rules.cookie_name(SESSION_COOKIE)] = visit.token
    if who.secret:
        cookie = stage.orders.remember(visit, stage.things["ref"])
        cookies[cookie.key] = str(cookie.value)
        headers.append((b"order-secret", stage.secret.encode()))
    if who.key:
        headers.append((b"authorization", f"Bearer {who.key}".encode()))
    headers.append((b"cookie", "; ".join(f"{name}={value}" for name, value in cookies.items()).encode()))
    if method != "GET":
        if is_cookie_free(path):
            body = json.dumps({}).encode()
            headers += [(b"content-type", b"application/json"), (b"idempotency-key", str(uuid4()).encode())]
            if path.startswith("/callbacks/"):
                given = signed(body, stage.world.clock(), SECRET)
                headers.append((b"sandbox-signature", given["sandbox-signature"].encode()))
        else:
            headers.append((b"content-type", b"application/x-www-form-urlencoded"))
            if not forged:
                headers.append((csrf.HEADER, csrf.make_token(visit).encode()))
        headers.append((b"content-length", str(len(body)).encode()))
    return await _ask(stage.app, method, path, headers, body)


async def _ask(
    app: Any, method: str, path: str, headers: list[tuple[bytes, bytes]], body: bytes  # noqa: ANN401 - ASGI
) -> tuple[int, dict[bytes, bytes], bytes]:
    """One request by hand: a live stream is left as soon as it has begun."""
    begun, ended = asyncio.Event(), asyncio.Event()
    sent: list[Mapping[str, Any]] = []
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Mapping[str, Any]:
        if waiting:
            return waiting.pop()
        await ended.wait()
        return {"type": "http.disconnect"}

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)
        live = b"event-stream" in dict(sent[0]["headers"]).get(b"content-type", b"")
        if live or message["type"] == "http.response.body":
            begun.set()
        if message["type"] == "http.response.body" and not message.get("more_body"):
            ended.set()

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": (HERE, 4_711),
        "server": ("testserver", 80),
        "state": {},
    }
    task = asyncio.create_task(app(scope, receive, send))
    beginning = asyncio.create_task(begun.wait())
    await asyncio.wait([task, beginning], return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE_S)
    beginning.cancel()
    assert sent, f"{method} {path} did not begin to answer"
    start = sent[0]
    if b"event-stream" in dict(start["headers"]).get(b"content-type", b""):
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    else:
        await asyncio.wait([task], timeout=PATIENCE_S)
        assert task.done(), f"{method} {path} did not end its answer"
        task.result()
    first = b"".join(message.get("body", b"") for message in sent[1:])
    return start["status"], {name.lower(): value for name, value in start["headers"]}, first


def outcome(status: int, headers: Mapping[bytes, bytes]) -> int:
    """401 and 403 are the door's alone; being sent to log in is 401."""
    if status in {302, 303} and headers.get(b"location", b"").startswith(b"/login"):
        return 401
    return status


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_everybody_at_every_door(stage: Stage) -> None:
    wrong: list[str] = []
    for key, gate in sorted(ROUTES.items()):
        for who in stage.people:
            told = expected(key, gate, who)
            status, headers, body = await call(stage, key, who)
            came = outcome(status, headers)
            if told == 200:
                refused = came in {401, 403} and INSIDE.get(key) != came
                good = not refused and not (came == 404 and b"order-not-found" in body and not who.foreign)
                # Whoever proves an order to be theirs finds it.
                if gate.permission is Permission.GUEST_WITH_ORDER_SECRET and came == 404 and key not in NOT_THERE:
                    good = False
                if key == "POST /callbacks/{provider}":
                    good = came == 400
            else:
                good = came == told
            if status >= 500:
                good = False
            if not good:
                wrong.append(f"{key} by {who.name}: expected {told}, came {status} {body[:200]!r}")
    assert not wrong, "\n".join(wrong)


async def test_another_shop_finds_nothing_of_this_one(stage: Stage) -> None:
    for key, gate in sorted(ROUTES.items()):
        method, path = key.split(" ", 1)
        if not gate.permission.value.startswith("shop:") or "{" not in path or method != "GET":
            continue
        for who in stage.people:
            if who.foreign and expected(key, gate, who) == 200:
                status, _, body = await call(stage, key, who)
                assert status == 404, f"{key} by {who.name}: {status} {body[:200]!r}"


async def test_forms_without_our_token_are_turned_away(stage: Stage) -> None:
    for key in sorted(ROUTES):
        method, path = key.split(" ", 1)
        if method == "GET" or is_cookie_free(path):
            continue
        for who in stage.people:
            if who.name in {"guest", "buyer", "owner", "operator"}:
                status, _, _ = await call(stage, key, who, forged=True)
                assert status == 403, f"{key} by {who.name}: {status}"
