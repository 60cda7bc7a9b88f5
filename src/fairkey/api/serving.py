"""How an endpoint is answered: read, ask, tell; every refusal becomes a problem. For the router and the hot calls."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from fairkey.api.calls import (
    KEY_HEADER,
    Call,
    CallerIsGone,
    IdempotencyKeyIsMissing,
    Reply,
    WasRefused,
    decode_body,
    decode_query,
    headers_of,
    read_body,
    require_media_type,
)
from fairkey.api.endpoints import Endpoint
from fairkey.business.basics import Refusal
from fairkey.effects.ports import NotificationIsForged, NotificationIsUnreadable, ProviderIsUnreachable, ProviderRefused
from fairkey.engine.answers import Conflict, StoreIsAway
from fairkey.engine.batching import Stopping
from fairkey.engine.house import House
from fairkey.gates.front_door import extra_headers
from fairkey.gates.problems import MEDIA_TYPE, Problems
from fairkey.gates.visits import visit_of

if TYPE_CHECKING:
    from litestar.types import Receive, Scope, Send

NOT_NOW: Final[tuple[type[Exception], ...]] = (
    StoreIsAway,
    Conflict,
    Stopping,
    ProviderIsUnreachable,
    OSError,
    TimeoutError,
)
RETRY_S: Final = b"1"
_PROBLEM: Final = MEDIA_TYPE.encode()
_JSON: Final = ("application/json",)

logger = logging.getLogger(__name__)


class Counter:
    """Where calls are answered. One per process."""

    def __init__(self, house: House, problems: Problems, away: tuple[type[Exception], ...] = ()) -> None:
        """`away`: what storage raises when it cannot be reached; the caller is then asked to come again."""
        self.house = house
        self.problems = problems
        self._not_now = (*NOT_NOW, *away)

    async def serve(
        self, endpoint: Endpoint, path: Mapping[str, str], scope: "Scope", receive: "Receive", send: "Send"
    ) -> None:
        """Answer one request whose gate it has passed."""
        try:
            answer = await self.answer(endpoint, path, scope, receive)
        except CallerIsGone:
            return
        await answer.send(send)

    async def answer(self, endpoint: Endpoint, path: Mapping[str, str], scope: "Scope", receive: "Receive") -> Reply:
        """The answer, never an exception but `CallerIsGone`."""
        try:
            return await endpoint.handle(self.house, await self._read(endpoint, path, scope, receive))
        except CallerIsGone:
            raise
        except Exception as error:  # noqa: BLE001 - every way to fail has its answer
            return self.refuse(error)

    async def _read(
        self, endpoint: Endpoint, path: Mapping[str, str], scope: "Scope", receive: "Receive"
    ) -> Call:
        headers = headers_of(scope)
        call = Call(
            scope=scope,
            receive=receive,
            visit=visit_of(scope),
            path=path,
            now_ms=self.house.now_ms(),
            headers=headers,
        )
        if endpoint.query is not None:
            call.query = decode_query(scope, endpoint.query)
        if endpoint.idempotency == "required" and KEY_HEADER not in headers:
            raise IdempotencyKeyIsMissing
        if endpoint.streams:
            require_media_type(headers, endpoint.streams)
        elif endpoint.method != "GET":
            call.body = await read_body(receive, headers, endpoint.bytes_max)
            if endpoint.body is not None and endpoint.decoder is not None:
                if endpoint.body_is_optional and not call.body:
                    call.given = endpoint.body()
                else:
                    require_media_type(headers, _JSON)
                    call.given = decode_body(call.body, endpoint.decoder)
        return call

    def refuse(self, error: Exception) -> Reply:
        """The problem that an exception means."""
        match error:
            case Refusal():
                name, details = type(error).__name__, error.details
                told = self.problems.tell(name, details)
                headers = tuple(extra_headers(error))
                if told.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                    headers = (*headers, (b"connection", b"close"))  # what is left of the body is not read
                return Reply(told.status, told.body, _PROBLEM, headers)
            case WasRefused():
                told = self.problems.tell(error.name, error.details)
            case NotificationIsForged() | NotificationIsUnreadable():
                logger.warning("a notification was turned away: %s: %s", type(error).__name__, error)
                told = self.problems.tell(type(error).__name__)
            case ProviderRefused():
                told = self.problems.tell("ProviderHasRefused")
            case _ if isinstance(error, self._not_now):
                logger.warning("an answer was not possible now: %s", type(error).__name__)
                told = self.problems.tell("Unavailable")
                return Reply(told.status, told.body, _PROBLEM, ((b"retry-after", RETRY_S),))
            case _:
                logger.error("a call failed", exc_info=error)
                told = self.problems.tell("Unexpected")
        return Reply(told.status, told.body, _PROBLEM)
