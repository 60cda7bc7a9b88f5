"""Where the demo world is acted: a real house, a real sandbox provider, and one clock for both that moves when told.

Money moves over the same wires as always: the house asks the sandbox over HTTP, the sandbox posts its signed
notifications back to a listener on the very port that is served later.
"""

import asyncio
import heapq
import random
import socket
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import uvicorn
from litestar.types import ASGIApp, HTTPResponseStartEvent, Receive, Scope, Send

from fairkey.adapters.payments.sandbox_controls import SandboxControls
from fairkey.adapters.postgres.clockwork import PostgresClockwork
from fairkey.app import Opened
from fairkey.business.askers import Asker
from fairkey.business.basics import Broken, Command
from fairkey.engine.answers import Answer
from fairkey.engine.house import House

Story = AsyncGenerator[int, None]
"""One strand of the world: does something, then yields the moment (ms) at which it goes on."""

STILL_BEING_BUILT = b"The demo world is being built; come back in a moment.\n"


@dataclass
class VirtualClock:
    """The house's clock while its past is acted."""

    at_ms: int

    def __call__(self) -> int:
        """Now, as the story has it."""
        return self.at_ms


class TurnedAway(Exception):
    """The shop takes no such order: its meter froze it, or nothing covers it. The story ends before it began."""


@dataclass
class Stage:
    """A house and its provider in virtual time. `codes` and `contacts` are all that was ever put in, for tests."""

    opened: Opened
    controls: SandboxControls
    clock: VirtualClock
    rng: random.Random
    codes: list[str] = field(default_factory=list)
    contacts: set[str] = field(default_factory=set)
    _something_to_tell: bool = False

    @property
    def house(self) -> House:
        """The house."""
        return self.opened.house

    async def ask(self, by: Asker, command: Command) -> Answer:
        """Ask for something that must work."""
        answer = await self.house.ask(by, command)
        if answer.refusal:
            raise Broken(f"the demo's {type(command).__name__} was refused: {answer.refusal} {answer.details}")
        return answer

    async def play(self, stories: list[tuple[int, Story]], until_ms: int) -> None:
        """Act all stories, each from its first moment on, in order of time; what lies after `until_ms` is left open."""
        numbers = count()
        waiting = [(at_ms, next(numbers), story) for at_ms, story in stories]
        heapq.heapify(waiting)
        while waiting:
            at_ms, _, story = heapq.heappop(waiting)
            if at_ms > until_ms:
                await story.aclose()
                continue
            await self.move_to(at_ms)
            try:
                again_ms = await anext(story)
            except (StopAsyncIteration, TurnedAway):
                again_ms = None
            await self.settle()
            if again_ms is not None:
                heapq.heappush(waiting, (max(again_ms, at_ms), next(numbers), story))
        await self.move_to(until_ms)

    async def move_to(self, at_ms: int) -> None:
        """Let time pass; every deadline on the way is met at its moment."""
        clockwork = PostgresClockwork(self.opened.pool)
        while due := await clockwork.due(at_ms, 1):
            await self._set_clocks(max(due[0][1].due_at_ms, self.clock.at_ms))
            if not await self.opened.worker.sweep():
                raise Broken(f"the deadline {due[0][1].what} of the demo world was not met")
            await self.settle()
        await self._set_clocks(at_ms)

    async def settle(self) -> None:
        """Everything that follows is done: instructions, letters, and the provider's notifications about them."""
        while await self.opened.worker.do_effects():
            self._something_to_tell = True

    async def pay(self, reference: str, amount_fen: int | None, currency: str) -> None:
        """A buyer pays at the provider's cashier; its notification has arrived when this returns."""
        await self.controls.pay(reference, amount_fen, currency)
        self._something_to_tell = True
        await self.told()

    async def told(self) -> None:
        """The provider has told the house everything."""
        if not self._something_to_tell:
            return
        self._something_to_tell = False
        left = await self.controls.drain(timeout_s=10)
        if left:
            raise Broken(f"{left} notifications of the sandbox did not arrive")

    async def _set_clocks(self, at_ms: int) -> None:
        if at_ms == self.clock.at_ms:
            return
        # A notification is signed at the provider's time: what is under way arrives before time moves on.
        await self.told()
        self.clock.at_ms = at_ms
        await self.controls.settings(clock_offset_ms=at_ms - time.time_ns() // 1_000_000)


class CallbacksOnly:
    """The house's door while its past is acted: the provider may knock, people are asked to come back."""

    def __init__(self, house: ASGIApp) -> None:
        self._house = house

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on what goes to `/callbacks/`."""
        if not scope["path"].startswith("/callbacks/"):
            headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"retry-after", b"5")]
            start: HTTPResponseStartEvent = {"type": "http.response.start", "status": 503, "headers": headers}
            await send(start)
            await send({"type": "http.response.body", "body": STILL_BEING_BUILT, "more_body": False})
            return
        await self._house(scope, receive, send)


class QuietServer(uvicorn.Server):
    """uvicorn without its own signal handlers; says when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the business of whoever runs this."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        self.is_up.set()


@asynccontextmanager
async def listening(app: Any, at: socket.socket, *, lifespan: str = "off") -> AsyncIterator[QuietServer]:  # noqa: ANN401
    """Serve `app` on a copy of the bound socket `at`, so that it can be listened on again afterwards."""
    config = uvicorn.Config(
        app,
        http="httptools",
        lifespan="on" if lifespan == "on" else "off",
        access_log=False,
        log_config=None,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=3,
    )
    server = QuietServer(config)
    serving = asyncio.create_task(server.serve(sockets=[at.dup()]))
    up = asyncio.create_task(server.is_up.wait())
    try:
        await asyncio.wait({serving, up}, return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            serving.result()
            raise Broken("the server ended before it was up")
        yield server
    finally:
        up.cancel()
        server.should_exit = True
        await asyncio.gather(serving, return_exceptions=True)


def bound_socket(host: str, port: int) -> socket.socket:
    """A socket bound to the address; raises `OSError` when somebody else has it."""
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError:
        made.close()
        raise
    return made
