"""Shapes of the payment tests: a sale, and a receiver that stands where our notification URL would be."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

from fairkey.adapters.payments.sandbox import SandboxProvider, wall_clock_ms
from fairkey.effects.ports import Notice

SECRET = "a secret only for tests"
PATIENCE_S = 10
MINUTE_MS = 60_000


@dataclass
class Receiver:
    """Takes notifications; answers `success` unless told otherwise."""

    provider: SandboxProvider
    url: str = ""
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    arrived: asyncio.Queue[tuple[dict[str, str], bytes]] = field(default_factory=asyncio.Queue)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head)}
            body = await reader.readexactly(int(headers["content-length"]))
            self.arrived.put_nowait((headers, body))
            status, answer = self.answers.pop(0) if self.answers else (200, b"success")
            writer.write(b"HTTP/1.1 %d x\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % (status, len(answer)))
            writer.write(answer)
            await writer.drain()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def raw(self) -> tuple[dict[str, str], bytes]:
        """The next notification as it came."""
        return await asyncio.wait_for(self.arrived.get(), PATIENCE_S)

    async def next(self) -> Notice:
        """The next notification, checked and read."""
        headers, body = await self.raw()
        return self.provider.read_notification(headers, body, wall_clock_ms())


@dataclass
class Sale:
    """One collection opened for a test."""

    reference: str
    amount_fen: int
    pay_url: str
