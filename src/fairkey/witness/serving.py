"""A witness over HTTP: a small ASGI application of its own."""

import asyncio
import hashlib
import logging
import sqlite3
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from fairkey.proofs.notes import VerifierKey

from .judging import REQUEST_BYTES_MAX, Refused, check_signed, read_request
from .seen import SeenLogs

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

TEXT: Final = "text/plain; charset=utf-8"
AT_ONCE: Final = 20
A_SECOND: Final = 10.0

logger = logging.getLogger("fairkey.witness")


class WitnessApp:
    """Answers `POST /add-checkpoint` and `GET /<hex of SHA-256 of an origin>/checkpoint`, below any prefix."""

    def __init__(
        self,
        key: VerifierKey,
        logs: dict[str, tuple[VerifierKey, ...]],
        seen: SeenLogs,
        *,
        a_second: float = A_SECOND,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`a_second`: how many requests a log may make, after some at once."""
        self._key = key
        self._logs = logs
        self._seen = seen
        self._a_second = a_second
        self._clock_s = clock_s
        self._room: dict[str, tuple[float, float]] = {}
        self._origins = {hashlib.sha256(origin.encode()).hexdigest(): origin for origin in logs}

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        try:
            status, text, media_type = 200, await self._answered(scope["method"], scope["path"], receive), TEXT
        except Refused as refused:
            status, text, media_type = refused.status, refused.text.encode(), refused.media_type
            if refused.media_type == TEXT:
                text += b"\n"
        await _answer(send, status, b"" if scope["method"] == "HEAD" else text, media_type)

    async def _answered(self, method: str, path: str, receive: Receive) -> bytes:
        *_, before, last = ("", *path.split("/"))
        if last == "add-checkpoint":
            if method != "POST":
                raise Refused(405, "add-checkpoint takes POST")
            return await self._add(receive)
        if method not in ("GET", "HEAD"):
            raise Refused(405, "only add-checkpoint takes anything")
        if last == "checkpoint":
            return await self._last(before)
        if path in ("", "/"):
            return self._about()
        raise Refused(404, "there is nothing here; see C2SP tlog-witness")

    async def _add(self, receive: Receive) -> bytes:
        asked = read_request(await _body(receive))
        self._brake(asked.checkpoint.origin)
        try:
            check_signed(asked, self._logs)
            line = await asyncio.to_thread(self._seen.cosign, asked)
        except Refused as refused:
            if refused.status not in (404, 409):
                logger.warning("refused %s: %s", asked.checkpoint.origin, refused.text)
            raise
        except sqlite3.Error as error:
            logger.exception("what was seen could not be noted")
            raise Refused(500, "this witness could not note what it saw, and cosigned nothing") from error
        logger.info("cosigned %s at %d entries", asked.checkpoint.origin, asked.checkpoint.size)
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

    def _brake(self, origin: str) -> None:
        """A log that asks too often waits; it would slow the others."""
        if origin not in self._logs:
            return
        now_s = self._clock_s()
        left, at_s = self._room.get(origin, (float(AT_ONCE), now_s))
        left = min(float(AT_ONCE), left + (now_s - at_s) * self._a_second)
        if left < 1:
            raise Refused(429, "too many requests for this log; try again in a second")
        self._room[origin] = (left - 1, now_s)


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


async def _answer(send: Send, status: int, text: bytes, media_type: str) -> None:
    headers = [
        (b"content-type", media_type.encode()),
        (b"content-length", str(len(text)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    if status == 429:  # noqa: PLR2004 - HTTP's own number
        headers.append((b"retry-after", b"1"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text})


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
