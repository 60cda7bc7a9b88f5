"""A house for tests of the API: real PostgreSQL, real gates, real signatures of the sandbox, a clock in hand."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from litestar.types import ASGIApp

from fairkey.adapters.payments.sandbox import SandboxProvider
from fairkey.app import Opened, make_asgi_app, open_house
from fairkey.business.askers import Asker
from fairkey.business.listings import PublishListing, Terms
from fairkey.business.shops import OpenShop
from fairkey.effects.ports import Mail
from fairkey.engine import trade
from fairkey.engine.people import SCOPES
from fairkey.settings import Settings

SECRET = "a secret only for tests"
START_MS = 1_777_777_777_000
PRICE_FEN = 9_500
BUYER = "buyer@example.com"
HERE = "203.0.113.9"

_numbers = count(1)


@dataclass
class Clock:
    """A clock that moves when told."""

    ms: int = START_MS

    def __call__(self) -> int:
        return self.ms


@dataclass
class World:
    """One shop with listings and codes, and a program that talks to it over HTTP."""

    opened: Opened
    app: ASGIApp
    http: httpx.AsyncClient
    clock: Clock
    shop_id: str
    shop_no: int
    vault_id: str
    manual_id: str
    key: str
    texts: list[str] = field(default_factory=list)

    async def post(self, path: str, body: object = None, **headers: str) -> httpx.Response:
        return await self.send("POST", path, body, **headers)

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.send("GET", path, **headers)

    async def send(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        content = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        if content is not None and "content-type" not in given:
            given["content-type"] = "application/json"
        return await self.http.request(method, path, content=content, headers=given)

    async def merchant(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        return await self.send(method, path, body, **{"authorization": f"Bearer {self.key}", **headers})

    def order_body(self, **changes: object) -> dict[str, Any]:
        return {
            "shop_no": self.shop_no,
            "listing_id": self.vault_id,
            "revision": 1,
            "quantity": 1,
            "contact": f"buyer{next(_numbers)}@example.com",
            **changes,
        }

    async def place(self, **changes: object) -> dict[str, Any]:
        answer = await self.post("/api/v1/orders", self.order_body(**changes), idempotency_key=str(uuid4()))
        assert answer.status_code == 201, answer.text
        placed: dict[str, Any] = answer.json()
        return placed

    def notice(self, reference_: str, amount_fen_: int = PRICE_FEN, /, **changes: object) -> bytes:
        told = {
            "event": "payment",
            "provider_txn": f"txn-{next(_numbers)}",
            "reference": reference_,
            "amount_fen": amount_fen_,
            "currency": "CNY",
            "paid_at_ms": self.clock(),
            **changes,
        }
        return json.dumps(told).encode()

    async def tell(self, body: bytes, provider: str = "sandbox") -> httpx.Response:
        return await self.http.post(f"/callbacks/{provider}", content=body, headers=signed(body, self.clock()))

    async def paid(self, **changes: object) -> dict[str, Any]:
        placed = await self.place(**changes)
        answer = await self.tell(self.notice(placed["reference"], placed["amount_fen"]))
        assert answer.text == "success", answer.text
        return placed

    async def of_order(self, placed: Mapping[str, Any], what: str, body: object = None, **more: str) -> httpx.Response:
        return await self.post(
            f"/api/v1/orders/{placed['reference']}/{what}", body, **{"order_secret": placed["secret"], **more}
        )

    async def read(self, placed: Mapping[str, Any]) -> dict[str, Any]:
        answer = await self.get(f"/api/v1/orders/{placed['reference']}", order_secret=placed["secret"])
        assert answer.status_code == 200, answer.text
        order: dict[str, Any] = answer.json()
        return order

    async def new_key(self, *scopes: str, shop_id: str = "") -> str:
        text, _ = await self.opened.house.people.api_keys.create(
            shop_id or self.shop_id, name="a program", scopes=frozenset(scopes) or SCOPES
        )
        return text


def signed(body: bytes, at_ms: int, secret: str = SECRET) -> dict[str, str]:
    mac = hmac.new(secret.encode(), str(at_ms).encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"sandbox-signature": f"t={at_ms},v1={mac}", "content-type": "application/json"}


def terms(**changes: object) -> Terms:
    plain: dict[str, Any] = {
        "product": "Steam 充值卡 100 元",
        "category": "game",
        "face_value": "100 元",
        "region": "CN",
        "edition": "",
        "redeem_by": "",
        "instructions": "在客户端兑换。",
        "after_sale": "",
        "price_fen": PRICE_FEN,
        "delivery": "vault",
        "promise_min": 0,
    }
    return Terms(**{**plain, **changes})


async def open_shop(opened: Opened, name: str = "小满卡铺") -> tuple[str, int]:
    house = opened.house
    shop_id = house.new_id()
    shop_no = await house.numbers.number_for(shop_id)
    command = OpenShop(
        shop_id=shop_id,
        shop_no=shop_no,
        name=name,
        contact="shop@example.com",
        payout_account="6222 0000 0000 0001",
        fee_bp=100,
        admitted=True,
    )
    answer = await house.ask(Asker.MERCHANT, command)
    assert not answer.refusal, answer
    return shop_id, shop_no


async def publish(opened: Opened, shop_id: str, **changes: object) -> str:
    listing_id = opened.house.new_id()
    command = PublishListing(shop_id=shop_id, listing_id=listing_id, terms=terms(**changes))
    answer = await opened.house.ask(Asker.MERCHANT, command)
    assert not answer.refusal, answer
    return listing_id


async def deposit(opened: Opened, shop_id: str, listing_id: str, codes: int) -> list[str]:
    run = uuid4().hex[:8].upper()
    texts = [f"{run}-AB{number:04d}-{number * 7919 % 10_000:04d}" for number in range(codes)]

    async def chunks() -> AsyncIterator[bytes]:
        yield "\n".join(texts).encode()

    _, answer = await trade.deposit(
        opened.house,
        shop_id=shop_id,
        import_id=opened.house.new_id(),
        listing_id=listing_id,
        chunks=chunks(),
        file_name="codes.txt",
        note="",
        source="typed",
        invoice_sha256="",
        by_account="",
    )
    assert answer is not None
    assert not answer.refusal, answer
    return texts


def settings_for(database_url: str, state: Path, **more: str) -> Settings:
    return Settings.from_environment(
        {
            "FAIRKEY_MODE": "test",
            "FAIRKEY_SMALL_TRIAL_FEN": "0",
            "FAIRKEY_STATE_DIR": str(state),
            "FAIRKEY_DATABASE_URL": database_url,
            "FAIRKEY_MASTER_KEY": base64.b64encode(bytes(range(32))).decode(),
            "FAIRKEY_LIMIT_PERCENT": "0",
            **more,
        }
    )


@asynccontextmanager
async def a_world(
    database_url: str,
    state: Path,
    *,
    sandbox_url: str = "http://127.0.0.1:9",
    start_ms: int = START_MS,
    codes: int = 30,
    mail: Mail | None = None,
    **more: str,
) -> AsyncIterator[World]:
    """A house with one shop, a vault listing with `codes` codes and a manual one.

    Without a `sandbox_url` nobody is there to collect payments; notifications are signed here and really checked.
    """
    clock = Clock(start_ms)
    settings = settings_for(database_url, state, **more)
    async with (
        SandboxProvider(sandbox_url, SECRET.encode(), now_ms=clock) as provider,
        open_house(settings, database_url, now_ms=clock, providers={"sandbox": provider}, mail=mail) as opened,
    ):
        shop_id, shop_no = await open_shop(opened)
        vault_id = await publish(opened, shop_id)
        manual_id = await publish(opened, shop_id, product="人工代发", delivery="manual", promise_min=30)
        texts = await deposit(opened, shop_id, vault_id, codes) if codes else []
        app = make_asgi_app(opened)
        transport = httpx.ASGITransport(app=app, client=(HERE, 4_711), raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as http:
            text, _ = await opened.house.people.api_keys.create(shop_id, name="all scopes", scopes=SCOPES)
            yield World(
                opened=opened,
                app=app,
                http=http,
                clock=clock,
                shop_id=shop_id,
                shop_no=shop_no,
                vault_id=vault_id,
                manual_id=manual_id,
                key=text,
                texts=texts,
            )
