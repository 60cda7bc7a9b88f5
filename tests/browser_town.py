"""A demo world served for a browser: real house, real sandbox provider, a clock that tests move instead of waiting."""

import asyncio
import os
import re
import shutil
import threading
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from playwright.sync_api import Browser, Page, sync_playwright

from fairkey.adapters.mail.folder import FolderMail
from fairkey.adapters.payments.sandbox_controls import SandboxControls
from fairkey.adapters.payments.sandbox_process import running_sandbox
from fairkey.app import Opened, make_asgi_app, open_house
from fairkey.business.references import read_reference
from fairkey.demo.stage import VirtualClock, bound_socket, listening
from fairkey.demo.world import World, build_world
from fairkey.settings import Settings

SECRET = "a secret only for tests"
HOST = "127.0.0.1"
START_S = 120
ANSWER_S = 60
MINUTE_MS = 60_000

Result = TypeVar("Result")


class TownClock(VirtualClock):
    """Stands where it is put until it is let go; then it runs, ahead of the machine's by what tests have skipped."""

    def __init__(self) -> None:
        super().__init__(_machine_ms())
        self.skipped_ms: int | None = None

    def __call__(self) -> int:
        return self.at_ms if self.skipped_ms is None else _machine_ms() + self.skipped_ms


def _machine_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class Town:
    """The served world, seen from the test's thread."""

    address: str
    folder: Path
    world: World
    opened: Opened
    controls: SandboxControls
    clock: TownClock
    loop: asyncio.AbstractEventLoop

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Do something inside the house."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(ANSWER_S)

    def skip(self, minutes: float) -> None:
        """Let time pass, and let everything happen that was due on the way."""
        self.run(self._skip(int(minutes * MINUTE_MS)))

    async def _skip(self, by_ms: int) -> None:
        await self.controls.drain(timeout_s=10)
        assert self.clock.skipped_ms is not None
        self.clock.skipped_ms += by_ms
        await self.controls.settings(clock_offset_ms=self.clock.skipped_ms)
        while await self.opened.worker.step():
            await self.controls.drain(timeout_s=10)

    def listing(self, word: str) -> str:
        """The address of a listing of the demo world."""
        shop = next(shop for shop in self.world.shops.values() if word in shop.listings)
        return f"{self.address}/listings/{shop.shop_no}/{shop.listings[word]}"


@contextmanager
def served_town(dsn: str, folder: Path, *, share: float = 0.2) -> Iterator[Town]:
    """Build and serve a small demo world in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="town")
    thread.start()
    stop = asyncio.Event()
    built: asyncio.Future[Town] = loop.create_future()
    living = asyncio.run_coroutine_threadsafe(_live(dsn, folder, share, built, stop), loop)
    try:
        yield asyncio.run_coroutine_threadsafe(_first(built, living), loop).result(START_S)
    finally:
        loop.call_soon_threadsafe(stop.set)
        try:
            living.result(ANSWER_S)
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()


async def _first(built: asyncio.Future[Town], living: Future[None]) -> Town:
    """The town, or why there is none."""
    ended = asyncio.wrap_future(living)
    await asyncio.wait({built, ended}, return_when=asyncio.FIRST_COMPLETED)
    if not built.done():
        ended.result()
    return built.result()


async def _live(dsn: str, folder: Path, share: float, built: asyncio.Future[Town], stop: asyncio.Event) -> None:
    with bound_socket(HOST, 0) as at:
        port = at.getsockname()[1]
        address = f"http://{HOST}:{port}"
        async with running_sandbox(SECRET, mode="test", notify_url=f"{address}/callbacks/sandbox") as controls:
            settings = Settings.from_environment(
                {
                    "FAIRKEY_MODE": "demo",
                    "FAIRKEY_SMALL_TRIAL_FEN": "0",
                    "FAIRKEY_STATE_DIR": str(folder),
                    "FAIRKEY_DATABASE_URL": dsn,
                    "FAIRKEY_PORT": str(port),
                    "FAIRKEY_PUBLIC_URL": address,
                    "FAIRKEY_SANDBOX_URL": controls.url,
                    "FAIRKEY_SANDBOX_SECRET": SECRET,
                    "FAIRKEY_LIMIT_PERCENT": "0",
                }
            )
            clock = TownClock()
            mail = FolderMail(folder / "mails", now_s=lambda: clock() / 1000)
            async with (
                open_house(settings, dsn, now_ms=clock, mail=mail) as opened,
                listening(make_asgi_app(opened), at),
            ):
                world = await build_world(opened, controls, clock, now_ms=_machine_ms(), seed=1, share=share)
                await controls.settings(clock_offset_ms=0)
                clock.skipped_ms = 0
                working = asyncio.create_task(opened.worker.run(0.1))
                built.set_result(
                    Town(
                        address=address,
                        folder=folder,
                        world=world,
                        opened=opened,
                        controls=controls,
                        clock=clock,
                        loop=asyncio.get_running_loop(),
                    )
                )
                await stop.wait()
                working.cancel()
                await asyncio.gather(working, return_exceptions=True)


@contextmanager
def a_browser() -> Iterator[Browser]:
    """Debian's Chromium (`./run test` says where it is), without anything that calls home."""
    arguments = [
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--disable-quic",
        "--disable-gpu",
    ]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")
    with sync_playwright() as playwright:
        path = os.environ.get("CHROMIUM") or shutil.which("chromium")
        started = playwright.chromium.launch(executable_path=path, args=arguments)
        yield started
        started.close()


def buy(page: Page, town: Town, word: str, contact: str, quantity: int = 1) -> None:
    """Order and pay; ends on the order's page."""
    page.goto(town.listing(word))
    page.get_by_label("Quantity").fill(str(quantity))
    page.get_by_label("E-mail").fill(contact)
    page.get_by_role("button", name="Buy and pay").click()
    page.get_by_role("button", name="Go to the payment provider").click()
    page.locator('form[action^="/cashier/"] button[name="pay"]').click()
    page.wait_for_url(re.compile(r"/o/[0-9A-Z]+(?:\?|#|$)"))


def place_of(reference: str) -> tuple[int, str]:
    """The shop's number and the order's id behind an order's number."""
    read = read_reference(reference)
    assert read is not None
    return read
