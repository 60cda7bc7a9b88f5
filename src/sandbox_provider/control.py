"""What demos and tests tell the sandbox: pay, go wrong, hurry. Only from this machine, never from a foreign page."""

import ipaddress
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.connection import ASGIConnection
from litestar.exceptions import PermissionDeniedException
from litestar.handlers import HTTPRouteHandler
from litestar.handlers.base import BaseRouteHandler

from sandbox_provider.api import Fen, Name, Reference, Url
from sandbox_provider.book import CURRENCY
from sandbox_provider.faults import FaultRule
from sandbox_provider.provider import Provider


def only_from_here(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Let in this machine only; a browser must not be led here by another site."""
    host = connection.client.host if connection.client else ""
    try:
        near = ipaddress.ip_address(host).is_loopback
    except ValueError:
        near = False
    if not near:
        raise PermissionDeniedException(detail="only from the machine the sandbox runs on")
    if connection.headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
        raise PermissionDeniedException(detail="not from another site's page")


class Told(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every control body is."""


class PayTold(Told, frozen=True, kw_only=True):
    """POST /control/pay: a buyer pays, whether asked to or not, in time or not."""

    reference: Reference
    amount_fen: Fen | None = None
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")] = CURRENCY


class FaultsTold(Told, frozen=True, kw_only=True):
    """POST /control/faults: `replace` takes away the rules in force; `seed` does too and begins chance anew."""

    rules: list[FaultRule] = []
    replace: bool = False
    seed: int | None = None


class SettingsTold(Told, frozen=True, kw_only=True):
    """POST /control/settings: what is left out stays."""

    notify_url: Url | None = None
    clock_offset_ms: int | None = None


class DrainTold(Told, frozen=True, kw_only=True):
    """POST /control/drain: answers when nothing is left to tell; with `hurry` waits and pauses are cut short."""

    hurry: bool = False
    timeout_ms: Annotated[int, msgspec.Meta(ge=0, le=600_000)] = 5_000


class TopUpTold(Told, frozen=True, kw_only=True):
    """POST /control/top-up: money from a bank into `platform` or `shop/<account>`."""

    account: Name
    amount_fen: Fen


def control_routes(provider: Provider) -> list[HTTPRouteHandler]:
    """All routes under /control."""

    @post("/control/pay", guards=[only_from_here])
    async def pay(request: Request[Any, Any, Any]) -> dict[str, object]:
        told = msgspec.json.decode(await request.body(), type=PayTold)
        paid = provider.pay(told.reference, told.amount_fen, told.currency)
        return {"payments": [msgspec.to_builtins(payment) for payment in paid]}

    @get("/control/faults", guards=[only_from_here])
    async def faults() -> dict[str, object]:
        struck = provider.faults.struck()
        return {
            "seed": provider.faults.seed,
            "rules": [
                {"id": number, "struck": struck[number], **msgspec.to_builtins(rule)}
                for number, rule in provider.faults.rules.items()
            ],
        }

    @post("/control/faults", guards=[only_from_here])
    async def tell_faults(request: Request[Any, Any, Any]) -> dict[str, object]:
        told = msgspec.json.decode(await request.body(), type=FaultsTold)
        with provider.state.transaction():
            if told.replace or told.seed is not None:
                provider.faults.clear(told.seed)
            numbers = provider.faults.add(told.rules)
        return {"ids": numbers}

    @delete("/control/faults", guards=[only_from_here])
    async def clear_faults() -> None:
        provider.faults.clear()

    @post("/control/settings", guards=[only_from_here])
    async def settings(request: Request[Any, Any, Any]) -> dict[str, object]:
        told = msgspec.json.decode(await request.body(), type=SettingsTold)
        if told.notify_url is not None:
            provider.notify_at(told.notify_url)
        if told.clock_offset_ms is not None:
            provider.move_clock(told.clock_offset_ms)
        return {"notify_url": provider.notify_url, "clock_offset_ms": provider.clock.offset_ms}

    @post("/control/drain", guards=[only_from_here])
    async def drain(request: Request[Any, Any, Any]) -> dict[str, object]:
        told = msgspec.json.decode(await request.body() or b"{}", type=DrainTold)
        return {"left": await provider.drain(hurry=told.hurry, timeout_s=told.timeout_ms / 1000)}

    @post("/control/top-up", guards=[only_from_here])
    async def top_up(request: Request[Any, Any, Any]) -> dict[str, object]:
        told = msgspec.json.decode(await request.body(), type=TopUpTold)
        provider.book.top_up(told.account, told.amount_fen, provider.clock.now_ms())
        return {"account": told.account, "balance_fen": provider.book.balance(told.account)}

    @post("/control/notices/{notice_id:int}/send-again", guards=[only_from_here])
    async def send_again(notice_id: int) -> dict[str, object]:
        return {"sent": provider.notices.send_again(notice_id)}

    @get("/control/notices", guards=[only_from_here])
    async def notices(request: Request[Any, Any, Any]) -> dict[str, object]:
        return {"notices": provider.notices.recent(1_000, request.query_params.get("about"))}

    @get("/control/book", guards=[only_from_here])
    async def book() -> dict[str, object]:
        return {
            "balances": [dict(row) for row in provider.book.balances()],
            "differences": provider.book.differences(),
        }

    return [pay, faults, tell_faults, clear_faults, settings, drain, top_up, send_again, notices, book]


def refused_answer(status: int, code: str, reason: str) -> Response[dict[str, str]]:
    """The shape of every refusal."""
    return Response(content={"error": code, "reason": reason}, status_code=status)
