"""A witness over HTTP: a small ASGI application of its own."""

import asyncio
import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final

from fairkey.proofs.notes import VerifierKey

from .judging import REQUEST_BYTES_MAX, TEXT_TYPE, Refused, TwoHistories, check_signed, read_request
from .seen import NotNoted, SeenLogs

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

AT_ONCE: Final = 20
A_SECOND: Final = 10.0
BRAKES_MAX: Final = 10_000
BODY_WITHIN_S: Final = 10.0

logger = logging.getLogger("fairkey.witness")


class WitnessApp:
    """Answers `POST /add-checkpoint` and `GET /<hex of SHA-256 of an origin>/checkpoint`, below any prefix."""

    def __init__(
        self,
        key: VerifierKey,
        logs: Mapping[str, tuple[VerifierKey, ...]],
        seen: SeenLogs,
        *,
        a_second: float = A_SECOND,
        body_within_s: float = BODY_WITHIN_S,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`a_second`: how many requests about one log may come from one address, after some at once."""
        self._key = key
        self._logs = logs
        self._seen = seen
        self._a_second = a_second
        self._body_within_s = body_within_s
        self._clock_s = clock_s
        self._room: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()
        self._origins = {hashlib.sha256(origin.encode()).hexdigest(): origin for origin in logs}

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        if scope["type"] != "http":
            return
        try:
            status, text, media_type = 200, await self._answered(scope, receive), TEXT_TYPE
        except Refused as refused:
            status, text, media_type = refused.status, refused.text.encode(), refused.media_type
            if refused.media_type == TEXT_TYPE:
                text += b"\n"
        except NotNoted:
            logger.exception("cosigned nothing")
            status, media_type = 500, TEXT_TYPE
            text = b"this witness could not note what it saw, and cosigned nothing\n"
        await _answer(send, status, text, media_type, is_head=scope["method"] == "HEAD")

    async def _answered(self, scope: Message, receive: Receive) -> bytes:
        method: str = scope["method"]
        path: str = scope["path"]
        before, last = ("", *path.split("/"))[-2:]
        if last == "add-checkpoint":
            if method != "POST":
                raise Refused(405, "add-checkpoint takes POST")
            return await self._add((scope.get("client") or ("",))[0], receive)
        if method not in ("GET", "HEAD"):
            raise Refused(405, "only add-checkpoint takes anything")
        if last == "checkpoint":
            return await self._last(before)
        if path in ("", "/"):
            return self._about()
        raise Refused(404, "there is nothing here; see C2SP tlog-witness")

    async def _add(self, host: str, receive: Receive) -> bytes:
        try:
            async with asyncio.timeout(self._body_within_s):
                body = await _body(receive)
        except TimeoutError:
            raise Refused(408, "the request came too slowly") from None
        asked = read_request(body)
        origin, size = asked.checkpoint.origin, asked.checkpoint.size
        self._brake(origin, host)
        try:
            line = await asyncio.to_thread(self._seen.cosign, check_signed(asked, self._logs))
        except TwoHistories as refused:
            logger.error("%s: %s; the proof is kept: fairkey witness seen", origin, refused.text)  # noqa: TRY400
            raise
        except Refused as refused:
            if refused.status not in (404, 409):
                logger.warning("refused %s at %d entries (%d): %s", origin, size, refused.status, refused.text)
            raise
        logger.info("cosigned %s at %d entries", origin, size)
        return line

    async def _last(self, origin_hash: str) -> bytes:
        origin = self._origins.get(origin_hash)
        note = await asyncio.to_thread(self._seen.last, origin) if origin is not None else None
        if note is None:
            raise Refused(404, "nothing was cosigned for that log")
        return note

    def _about(self) -> bytes:
        lines = ["A witness of transparency logs (C2SP tlog-witness v1.0.0).", "", str(self._key), "", "It watches:"]
        return "\n".join([*lines, *sorted(self._logs), ""]).encode()

    def _brake(self, origin: str, host: str) -> None:
        """Whoever asks too often waits. Counted by log and by address: a checkpoint is public, and a stranger who sends
        it again and again must not use up what its log may ask.
        """
        caller, now_s = (origin if origin in self._logs else "", host), self._clock_s()
        left, at_s = self._room.pop(caller, (float(AT_ONCE), now_s))
        left = min(float(AT_ONCE), left + (now_s - at_s) * self._a_second)
        may = left >= 1
        self._room[caller] = (left - may, now_s)
        if len(self._room) > BRAKES_MAX:
            self._room.popitem(last=False)
        if not may:
            raise Refused(429, "too many requests; try again in a second")


async def _body(receive: Receive) -> bytes:
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Refused(400, "the request broke off")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > REQUEST_BYTES_MAX:
            raise Refused(413, "the request is too long")
        if not message.get("more_body"):
            return b"".join(parts)


async def _answer(send: Send, status: int, text: bytes, media_type: str, *, is_head: bool) -> None:
    headers = [
        (b"content-type", media_type.encode()),
        (b"content-length", str(len(text)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    if status == 429:  # noqa: PLR2004 - HTTP's own number
        headers.append((b"retry-after", b"1"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if is_head else text})


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
