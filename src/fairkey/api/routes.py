"""The endpoints as routes of the framework: it matches paths and asks the guard; the rest is `serving.Counter`."""

import re
from collections.abc import Callable, Coroutine
from typing import Any, Final

from litestar import Request
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, Receive, Scope, Send

from fairkey.api.callbacks import CALLBACK
from fairkey.api.endpoints import Endpoint
from fairkey.api.serving import Counter
from fairkey.api.v1 import batches, catalogue, money, orders, shop, shop_orders

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    *catalogue.ENDPOINTS,
    *orders.ENDPOINTS,
    *shop.ENDPOINTS,
    *shop_orders.ENDPOINTS,
    *batches.ENDPOINTS,
    *money.ENDPOINTS,
    CALLBACK,
)

_PARAMETER: Final = re.compile(r"\{(\w+)\}")


def handlers(counter: Counter) -> list[HTTPRouteHandler]:
    """One route for each endpoint."""
    return [_route(counter, endpoint) for endpoint in ENDPOINTS]


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
