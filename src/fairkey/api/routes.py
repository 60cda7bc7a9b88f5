"""The endpoints as routes of the framework: it matches paths and asks the guard; the rest is `serving.Counter`."""

import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, Receive, Scope, Send

from fairkey.api.callbacks import CALLBACK
from fairkey.api.document import document
from fairkey.api.endpoints import Endpoint
from fairkey.api.serving import Counter
from fairkey.api.v1 import (
    admission,
    batches,
    catalogue,
    deposits,
    disputes,
    evidence,
    issuers,
    messages,
    money,
    orders,
    reviews,
    seals,
    shop,
    shop_orders,
    standard,
    traces,
)
from fairkey.gates.permissions import Gate
from fairkey.gates.problems import Problems

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    *catalogue.ENDPOINTS,
    *orders.ENDPOINTS,
    *shop.ENDPOINTS,
    *shop_orders.ENDPOINTS,
    *batches.ENDPOINTS,
    *money.ENDPOINTS,
    *issuers.ENDPOINTS,
    *messages.ENDPOINTS,
    *reviews.ENDPOINTS,
    *disputes.ENDPOINTS,
    *deposits.ENDPOINTS,
    *evidence.ENDPOINTS,
    *standard.ENDPOINTS,
    *admission.ENDPOINTS,
    *traces.ENDPOINTS,
    *seals.ENDPOINTS,
    CALLBACK,
)

_PARAMETER: Final = re.compile(r"\{(\w+)\}")


def handlers(counter: Counter, written: Callable[[], bytes]) -> list[HTTPRouteHandler]:
    """One route for each endpoint, and the document about them, which `written` gives."""

    @get("/api/openapi.json", media_type="application/json", include_in_schema=False, sync_to_thread=False)
    def openapi() -> Response[bytes]:
        headers = {"cache-control": "public, max-age=300", "access-control-allow-origin": "*"}
        return Response(written(), media_type="application/json", headers=headers)

    return [*(_route(counter, endpoint) for endpoint in ENDPOINTS), openapi]


def written_about(table: Mapping[str, Gate], problems: Problems, public_url: str) -> bytes:
    """The document about all endpoints."""
    return msgspec.json.encode(document(ENDPOINTS, table, problems, public_url))


def _route(counter: Counter, endpoint: Endpoint) -> HTTPRouteHandler:
    return HTTPRouteHandler(
        _PARAMETER.sub(r"{\1:str}", endpoint.path),
        http_method=endpoint.method,
        status_code=endpoint.status,
        name=endpoint.key,
        include_in_schema=False,
        request_max_body_size=None,  # each endpoint bounds what it reads
    )(_handler(counter, endpoint))


def _handler(
    counter: Counter, endpoint: Endpoint
) -> Callable[[Request[Any, Any, Any]], Coroutine[Any, Any, ASGIApp]]:
    async def handle(request: Request[Any, Any, Any]) -> ASGIApp:
        path = request.scope["path_params"]

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            await counter.serve(endpoint, path, scope, receive, send)

        return answer

    return handle
