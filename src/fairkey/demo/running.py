"""Starts everything the demo is made of, shows where it is, and takes it all down again.

One process: database, sandbox provider (a child that ends with us), world, server with the worker inside. Everything
lies in `<state>/demo`; a second start finds the world as it was left.
"""

import asyncio
import contextlib
import fcntl
import json
import logging
import random
import secrets
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO

import uvloop
from rich.console import Console

from fairkey.adapters.mail.folder import FolderMail
from fairkey.adapters.payments.sandbox_controls import SandboxControls
from fairkey.adapters.payments.sandbox_process import running_sandbox
from fairkey.adapters.postgres.embedded import EmbeddedPostgres
from fairkey.adapters.postgres.log_keys import LogKeys
from fairkey.adapters.postgres.migrate import migrated
from fairkey.app import make_asgi_app, open_house, wall_clock_ms
from fairkey.app.log_places import log_origin
from fairkey.app.processes import LivingApp, start_logging
from fairkey.proofs.policies import read_policy
from fairkey.settings import Settings, SettingsRefused
from fairkey.witness.keeping import KEY_FILE, SEEN_FILE, CannotKeep, read_key
from fairkey.witness.seen import SeenLogs, begin
from fairkey.witness.serving import WitnessApp

from .goods import COUPON
from .stage import CallbacksOnly, VirtualClock, bound_socket, listening
from .world import PASSWORD, build_world

HOST: Final = "127.0.0.1"
BUILT: Final = "world.json"  # written last: without it the folder holds half a world
OURS: Final = ("FAIRKEY_LOG_LEVEL", "FAIRKEY_PLATFORM_NAME", "FAIRKEY_LIMIT_PERCENT", "FAIRKEY_FEE_BP")
LINES_TO_TRY: Final = 500
WITNESSES: Final = 2

logger = logging.getLogger(__name__)
errors = Console(stderr=True)


def run(environ: Mapping[str, str], *, port: int, fresh: bool, seed: int) -> int:
    """The demo until Ctrl-C or SIGTERM. Returns the exit code."""
    started_s = time.monotonic()
    state = Settings.from_environment(
        {name: value for name, value in environ.items() if name == "FAIRKEY_STATE_DIR" or name[:8] != "FAIRKEY_"}
        | {"FAIRKEY_MODE": "test"}
    ).state
    folder = state / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder / "lock") as alone:
        if not alone:
            errors.print(f"A demo is running in {folder} already; stop it first, or choose another FAIRKEY_STATE_DIR.")
            return 1
        try:
            at = bound_socket(HOST, port)
        except OSError:
            errors.print(f"Port {port} is taken; try: ./run demo --port 0")
            return 1
        with at:
            given = {name: environ[name] for name in OURS if name in environ}
            plan = _Plan(folder=folder, port=at.getsockname()[1], fresh=fresh, seed=seed, given=given)
            try:
                with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                    return runner.run(_demo(plan, at, started_s))
            except SettingsRefused as refused:
                errors.print("\n".join(refused.reasons))
                return 2
            except CannotKeep as reason:
                errors.print(f"A witness of the demo cannot start: {reason} ./run demo --fresh begins anew.")
                return 1


@dataclass(frozen=True, kw_only=True)
class _Plan:
    folder: Path
    port: int
    fresh: bool
    seed: int
    given: Mapping[str, str]

    def settings(self, dsn: str, sandbox_url: str, secret: str, *, witnesses: str = "") -> Settings:
        """The settings of this demo; what the environment says about other installations is not asked."""
        return Settings.from_environment(
            {
                "FAIRKEY_LOG_LEVEL": "warning",
                **self.given,
                "FAIRKEY_MODE": "demo",
                "FAIRKEY_STATE_DIR": str(self.folder),
                "FAIRKEY_DATABASE_URL": dsn,
                "FAIRKEY_HOST": HOST,
                "FAIRKEY_PORT": str(self.port),
                "FAIRKEY_PUBLIC_URL": f"http://{HOST}:{self.port}",
                "FAIRKEY_SANDBOX_URL": sandbox_url,
                "FAIRKEY_SANDBOX_SECRET": secret,
                "FAIRKEY_WITNESSES": witnesses,
            }
        )


async def _demo(plan: _Plan, at: Any, started_s: float) -> int:  # noqa: ANN401 - a socket
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    built = plan.folder / BUILT
    if plan.fresh or not built.exists():
        await asyncio.to_thread(_clear, plan.folder)
    work = asyncio.create_task(_live(plan, at, built, stop, started_s))
    asked = asyncio.create_task(stop.wait())
    await asyncio.wait({work, asked}, return_when=asyncio.FIRST_COMPLETED)
    if not work.done() and not built.exists():
        work.cancel()  # stopped while the world was being built: the next start begins anew
    asked.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await work
    return 0


async def _live(plan: _Plan, at: Any, built: Path, stop: asyncio.Event, started_s: float) -> None:  # noqa: ANN401
    secret = secrets.token_urlsafe(24)
    address = f"http://{HOST}:{plan.port}"
    async with contextlib.AsyncExitStack() as stack:
        async with asyncio.TaskGroup() as starting:
            database = starting.create_task(stack.enter_async_context(_database(plan.folder)))
            sandbox = starting.create_task(stack.enter_async_context(_sandbox(plan, secret, address)))
        dsn, controls = database.result(), sandbox.result()
        settings = plan.settings(dsn, controls.url, secret)
        start_logging(settings)
        await migrated(dsn)
        if not await asyncio.to_thread(built.exists):
            errors.print("Building the demo world …")
            await _build(plan, settings, dsn, controls, at)
        figures = json.loads(await asyncio.to_thread(built.read_text, encoding="utf-8"))
        policy = await stack.enter_async_context(_witnesses(plan.folder, settings, dsn))
        settings = plan.settings(dsn, controls.url, secret, witnesses=str(policy))
        async with listening(LivingApp(settings, dsn), at, lifespan="on"):
            _show(plan, controls.url, figures, time.monotonic() - started_s)
            await stop.wait()
            errors.print("Stopping …")


@asynccontextmanager
async def _database(folder: Path) -> AsyncIterator[str]:
    server = EmbeddedPostgres(folder / "postgres")
    await asyncio.to_thread(server.start)
    try:
        yield server.dsn()
    finally:
        await asyncio.to_thread(server.stop)


@asynccontextmanager
async def _sandbox(plan: _Plan, secret: str, address: str) -> AsyncIterator[SandboxControls]:
    callbacks = f"{address}/callbacks/sandbox"
    state = plan.folder / "sandbox.sqlite"
    async with running_sandbox(secret, mode="demo", state=state, notify_url=callbacks, seed=plan.seed) as controls:
        await controls.settings(notify_url=callbacks, clock_offset_ms=0)
        yield controls


@asynccontextmanager
async def _witnesses(folder: Path, settings: Settings, dsn: str) -> AsyncIterator[Path]:
    """Two witnesses of the demo's log, both of whom must cosign; the policy file that names them.

    Real ones are run by others, elsewhere: these only show what it looks like.
    """
    async with open_house(settings, dsn) as opened:
        own = await LogKeys(opened.pool, opened.keys, opened.house.now_ms).newest(log_origin(settings))
    lines = [f"log {own.key.verifier} {settings.origin}/log"]
    async with contextlib.AsyncExitStack() as stack:
        for number in range(1, WITNESSES + 1):
            place = folder / "witnesses" / str(number)
            name = f"demo-witness-{number}.example"
            key = read_key(place) if (place / KEY_FILE).exists() else begin(place, name)
            seen = stack.enter_context(contextlib.closing(SeenLogs(place / SEEN_FILE, key, lambda: int(time.time()))))
            at = stack.enter_context(bound_socket(HOST, 0))
            app = WitnessApp(key.verifier, {own.origin: (own.key.verifier,)}, seen)
            await stack.enter_async_context(listening(app, at))
            lines.append(f"witness {name} {key.verifier} http://{HOST}:{at.getsockname()[1]}")
        members = " ".join(f"demo-witness-{number}.example" for number in range(1, WITNESSES + 1))
        policy = folder / "witnesses" / "policy"
        text = "\n".join([*lines, f"group both all {members}", "quorum both", ""])
        # As the house shows it, so that the fingerprints of file and page are the same.
        await asyncio.to_thread(policy.write_text, str(read_policy(text.encode())), encoding="utf-8")
        yield policy


async def _build(plan: _Plan, settings: Settings, dsn: str, controls: SandboxControls, at: Any) -> None:  # noqa: ANN401
    now_ms = wall_clock_ms()
    clock = VirtualClock(now_ms)
    mail = FolderMail(plan.folder / "mails", now_s=lambda: clock() / 1000)
    async with (
        open_house(settings, dsn, now_ms=clock, mail=mail) as opened,
        listening(CallbacksOnly(make_asgi_app(opened)), at),
    ):
        world = await build_world(opened, controls, clock, now_ms=now_ms, seed=plan.seed)
    await controls.settings(clock_offset_ms=0)
    (plan.folder / "codes-to-deposit.txt").write_text(_codes_to_try(plan.seed), encoding="utf-8")
    figures = {
        "seed": plan.seed,
        "built_at_ms": now_ms,
        "shops": {door: shop.shop_no for door, shop in world.shops.items()},
        "orders": world.orders,
        "codes": len(world.codes),
    }
    (plan.folder / BUILT).write_text(json.dumps(figures, indent=1), encoding="utf-8")


def _codes_to_try(seed: int) -> str:
    """A merchant's file as files are: most lines fine, a few that are refused."""
    rng = random.Random(f"to try {seed}")  # noqa: S311 - not secrets
    alphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
    lines = ["-".join("".join(rng.choices(alphabet, k=5)) for _ in range(3)) for _ in range(LINES_TO_TRY)]
    return "\n".join([*lines, lines[0], lines[7], "", "broken\x07line"]) + "\n"


def _clear(folder: Path) -> None:
    """Leave nothing of an older world; also takes down a database server that a killed demo left running."""
    if (folder / "postgres").exists():
        server = EmbeddedPostgres(folder / "postgres")
        server.start()
        server.stop()
    for path in folder.iterdir():
        if path.name == "lock":
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


@contextmanager
def _alone(file: Path) -> Iterator[bool]:
    """Whether nobody else runs a demo in this folder, for the body."""
    with file.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _show(plan: _Plan, sandbox_url: str, world: Mapping[str, Any], took_s: float, to: TextIO = sys.stdout) -> None:
    """The block people read; plain text, so that programs can read it too."""
    address = f"http://{HOST}:{plan.port}"
    rows = (
        ("store", f"{address}/"),
        ("log in", f"{address}/login   one click as buyer, merchant (three of them) or operator"),
        ("desk", f"{address}/desk   orders, stock and money of a shop"),
        ("floor", f"{address}/floor   complaints, stray money, health"),
        ("API", f"{address}/api/openapi.json"),
        ("payments", f"{sandbox_url}/admin   the sandbox provider: no real money; its cashier opens when you pay"),
        ("log", f"{address}/log   every fact, for everybody to check; two witnesses cosign it"),
        ("policy", f"{plan.folder / 'witnesses' / 'policy'}   whom to believe, for fairkey verify"),
        ("mails", str(plan.folder / "mails")),
        ("coupon", f"{COUPON} in shop {world['shops']['merchant']}, the honest one"),
        ("codes", f"{plan.folder / 'codes-to-deposit.txt'}   a file to deposit at the desk"),
        ("password", f"{PASSWORD}   of every account, should you want to type it"),
    )  # fmt: skip
    print(f"\nfairkey demo: {world['orders']} orders, {world['codes']} codes, up in {took_s:.1f} s\n", file=to)
    for name, text in rows:
        print(f"  {name:<10}{text}", file=to)
    print("\nCtrl-C stops everything; the next start finds it as you left it; --fresh begins anew.\n", file=to)
    to.flush()
