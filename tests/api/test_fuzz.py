"""Our own document against our own answers: whatever comes in, nothing fails, nothing undocumented comes back.

Schemathesis makes requests from the document, well-formed and deliberately broken ones; a real house on PostgreSQL
answers them. Half of the well-formed ones name orders, listings and batches that exist, so that the rules behind the
doors are reached too.
"""

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.transport import Response
from schemathesis.generation import GenerationMode
from schemathesis.generation.case import Case
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api_world import World, a_world
from fairkey.adapters.payments.sandbox import wall_clock_ms
from fairkey.api.endpoints import Endpoint
from fairkey.api.routes import ENDPOINTS

EXAMPLES = 7  # of each call, valid and broken: a number, not a time, so that every machine tries the same
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]


@dataclass
class Target:
    """A house living in a thread of its own, and things in it that exist."""

    loop: asyncio.AbstractEventLoop
    world: World
    schema: Any
    orders: list[dict[str, Any]]
    batch_id: str

    def answer(self, case: Case, headers: dict[str, str]) -> Response:
        kwargs = case.as_transport_kwargs(base_url="http://testserver", headers=headers)
        kwargs.pop("timeout", None)
        prepared = requests.Request(**{k: v for k, v in kwargs.items() if k not in ("verify", "cert")}).prepare()
        started = time.perf_counter()
        sent = asyncio.run_coroutine_threadsafe(self._send(prepared), self.loop).result(30)
        listed: dict[str, list[str]] = {}
        for name, value in sent.headers.multi_items():
            listed.setdefault(name, []).append(value)
        return Response(
            sent.status_code, listed, sent.content, prepared, time.perf_counter() - started, verify=False
        )

    async def _send(self, prepared: requests.PreparedRequest) -> httpx.Response:
        body = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body
        request = httpx.Request(
            str(prepared.method),
            str(prepared.url),
            headers=[(name, value) for name, value in prepared.headers.items()],
            content=body,
        )
        return await self.world.http.send(request)


@contextmanager
def a_target(database_url: str, state: Path, sandbox_url: str) -> Iterator[Target]:
    ready: Future[Target] = Future()
    stop = asyncio.Event()
    loop = asyncio.new_event_loop()

    async def live() -> None:
        async with a_world(
            database_url, state, sandbox_url=sandbox_url, start_ms=wall_clock_ms(), codes=200
        ) as world:
            schema = schemathesis.openapi.from_dict((await world.get("/api/openapi.json")).json())
            orders = [await world.place(), await world.paid(), await world.paid(listing_id=world.manual_id)]
            opened = await world.paid()
            await world.of_order(opened, "reveal")
            disputed = await world.paid()
            await world.of_order(disputed, "complaint", {"reason": "other", "text": "兑换失败了"})
            done = await world.paid()
            await world.of_order(done, "confirm")
            batch_id = (await world.merchant("GET", "/api/v1/shop/batches")).json()["batches"][0]["batch_id"]
            ready.set_result(Target(loop, world, schema, [*orders, opened, disputed, done], batch_id))
            await stop.wait()

    def run() -> None:
        try:
            loop.run_until_complete(live())
        except BaseException as error:
            if not ready.done():
                ready.set_exception(error)
            raise
        finally:
            loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield ready.result(60)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)


@pytest.mark.slow
def test_whatever_comes_in(database_url: str, state_dir: Path, sandbox_url: str) -> None:
    tried: dict[str, int] = {}
    with a_target(database_url, state_dir, sandbox_url) as target:
        for endpoint in ENDPOINTS:
            operation = target.schema[endpoint.path][endpoint.method]
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                tried[f"{endpoint.key} {mode.value}"] = _fuzz(target, endpoint, operation, mode)
    assert sum(tried.values()) > len(ENDPOINTS) * EXAMPLES, "most calls could not be tried"


def _fuzz(target: Target, endpoint: Endpoint, operation: APIOperation, mode: GenerationMode) -> int:
    count = 0
    strategy = operation.as_strategy(generation_mode=mode)

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy, luck=st.integers(0, 2**16))
    def one(case: Case, luck: int) -> None:
        nonlocal count
        count += 1
        headers = _credentials(target, endpoint, case, luck, mode)
        if mode is GenerationMode.POSITIVE and luck % 2:
            _make_real(target, case, luck)
        # Where we put in credentials, what was broken may have been just these.
        broken = mode is GenerationMode.NEGATIVE and (not headers or _body_is_broken(case))
        checks = [*CHECKS, negative_data_rejection] if broken else CHECKS
        case.validate_response(target.answer(case, headers), checks=checks)

    with suppress(Unsatisfiable):  # nothing in this call can be broken: it takes nothing
        one()
    return count


def _body_is_broken(case: Case) -> bool:
    body = case.meta.components.get(ParameterLocation.BODY) if case.meta else None
    return body is not None and body.mode is GenerationMode.NEGATIVE


def _credentials(target: Target, endpoint: Endpoint, case: Case, luck: int, mode: GenerationMode) -> dict[str, str]:
    order = target.orders[luck % len(target.orders)]
    headers = {"Idempotency-Key": str(uuid4())} if mode is GenerationMode.POSITIVE and endpoint.idempotency else {}
    if endpoint.path.startswith("/api/v1/shop/") or endpoint.path == "/api/v1/shop":
        headers["Authorization"] = f"Bearer {target.world.key}"
    elif "{ref}" in endpoint.path:
        headers["Order-Secret"] = order["secret"]
        if luck % 5:
            case.path_parameters["ref"] = order["reference"]
    return headers


def _make_real(target: Target, case: Case, luck: int) -> None:
    """Names that exist instead of made-up ones."""
    world = target.world
    real = {
        "shop_no": world.shop_no,
        "listing_id": world.vault_id if luck % 3 else world.manual_id,
        "batch_id": target.batch_id,
        "revision": 1,
        "ref": target.orders[luck % len(target.orders)]["reference"],
        "provider": "sandbox",
    }
    for given_here in (case.path_parameters, case.query, case.body):
        if isinstance(given_here, dict):
            known = {name: value for name, value in real.items() if name in given_here and name != "batch_id"}
            given_here.update(known)
    if case.method == "GET" and "batch_id" in (case.path_parameters or {}):
        case.path_parameters["batch_id"] = target.batch_id
