"""The smallest HTTP/1.1 client that a load generator can be: one connection kept alive, one request at a time."""

import asyncio
from typing import Self, cast


class Wire(asyncio.Protocol):
    """One connection. Answers must have a `content-length`."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[tuple[int, bytes]] | None = None
        self._got = b""

    @classmethod
    async def connected(cls, port: int) -> Self:
        """A connection to a port of this machine. Raises `OSError`."""
        _, wire = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        return wire

    def post(self, path: str, headers: bytes, body: bytes) -> "asyncio.Future[tuple[int, bytes]]":
        """Ask; status and body of the answer. `headers` are whole lines. Raises `ConnectionError`."""
        self._waiting = asyncio.get_running_loop().create_future()
        if self._transport is None or self._transport.is_closing():
            self._waiting.set_exception(ConnectionResetError())
        else:
            head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {len(body)}\r\n".encode()
            self._transport.write(head + headers + b"\r\n" + body)
        return self._waiting

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As asyncio tells."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one without being derived from it

    def data_received(self, data: bytes) -> None:
        """As asyncio tells."""
        self._got = got = self._got + data if self._got else data
        head_end = got.find(b"\r\n\r\n")
        if head_end < 0 or self._waiting is None or self._waiting.done():
            return
        place = got.find(b"content-length: ", 0, head_end) + 16
        length = int(got[place : got.index(b"\r", place)])
        if len(got) >= head_end + 4 + length:
            self._got = b""
            self._waiting.set_result((int(got[9:12]), got[head_end + 4 :]))

    def connection_lost(self, _: Exception | None) -> None:
        """As asyncio tells."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(ConnectionResetError())
