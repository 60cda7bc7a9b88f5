"""The program as one ASGI application."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
from litestar import Litestar, Request, Response, get
from litestar.exceptions import HTTPException

from sandbox_provider.api import api_routes
from sandbox_provider.book import Refused
from sandbox_provider.control import control_routes, refused_answer
from sandbox_provider.pages import page_routes
from sandbox_provider.provider import Provider

MOST_BODY_BYTES = 64 * 1024


@get("/health")
async def health() -> dict[str, str]:
    """Up, and what this is."""
    return {"status": "up", "provider": "sandbox", "money": "not real"}


def _refused(_: Request[Any, Any, Any], no: Refused) -> Response[dict[str, str]]:
    return refused_answer(no.status, no.code, no.reason)


def _unreadable(_: Request[Any, Any, Any], error: msgspec.MsgspecError) -> Response[dict[str, str]]:
    return refused_answer(400, "request_is_unreadable", str(error))


def _http(_: Request[Any, Any, Any], error: HTTPException) -> Response[dict[str, str]]:
    return refused_answer(error.status_code, "request_failed", error.detail)


def make_app(provider: Provider, public_url: Callable[[], str]) -> Litestar:
    """The application; while it lives, notifications go out and pending instructions come to their ends."""

    @contextlib.asynccontextmanager
    async def at_work(_: Litestar) -> AsyncIterator[None]:
        running = asyncio.create_task(provider.run())
        try:
            yield
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
            provider.state.close()

    return Litestar(
        [health, *api_routes(provider, public_url), *control_routes(provider), *page_routes(provider)],
        lifespan=[at_work],
        openapi_config=None,
        logging_config=None,
        request_max_body_size=MOST_BODY_BYTES,
        exception_handlers={Refused: _refused, msgspec.MsgspecError: _unreadable, HTTPException: _http},
    )
