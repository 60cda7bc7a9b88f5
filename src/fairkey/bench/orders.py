"""Place, paid callback, delivered, revealed: how many orders a second over HTTP, beside pgbench and the engine alone.

Everything runs on this machine, load generator included, and is durable. Short rounds alternate (HTTP, pgbench, engine,
...) so that what else the machine does meets all of them alike; the medians count.
"""

import argparse
import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from fairkey.app import open_house

from . import history, pgbench, world
from .parts import Part, Serving, cpu_s
from .world import SANDBOX_SECRET, Ground, Shop

SHOPS = 16
FLAT_FROM_CODES = 10_000
SHARE_SOLD = 0.8  # of the codes, at most: random buyers never find their shop empty
WARM_UP_ORDERS = 1_000
CALLS = ("place", "callback", "reveal")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of `fairkey bench orders`."""
    parser.add_argument("--codes", type=int, default=100_000, help="codes on sale, in 16 shops")
    parser.add_argument("--past-orders", type=int, default=0, help="orders that were delivered and opened before")
    parser.add_argument("--buyers", type=int, default=64, help="buyers at once; as many clients of pgbench")
    parser.add_argument("--processes", type=int, default=1, help="processes that serve")
    parser.add_argument("--engines", type=int, default=2, help="processes of the engine alone, which share the callers")
    parser.add_argument("--orders", type=int, default=4_000, help="orders in a round")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each kind; their medians count")


@dataclass(slots=True)
class Rounds:
    """What was measured, round by round."""

    orders_per_s: dict[str, list[float]] = field(default_factory=dict)
    cpu_us: dict[str, list[float]] = field(default_factory=dict)  # per order
    calls_ms: tuple[list[float], ...] = ([], [], [])

    def add(self, kind: str, orders: int, wall_s: float, **cpu_seconds: float) -> None:
        """One round: `cpu_seconds` by who used them."""
        self.orders_per_s.setdefault(kind, []).append(orders / wall_s)
        for who, used_s in cpu_seconds.items():
            self.cpu_us.setdefault(f"{kind}_{who}", []).append(used_s / orders * 1e6)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """See docs/benchmarks.md for every figure."""
    with world.ground() as at, ExitStack() as stack:
        per_round = min(options.orders, int((options.codes * SHARE_SOLD - WARM_UP_ORDERS) / options.rounds))
        if per_round < options.buyers:
            raise SystemExit("too few codes for so many rounds and buyers")
        shops, sizes = asyncio.run(_prepare(at, options))
        small_shops = asyncio.run(_prepare_small(at)) if options.codes > FLAT_FROM_CODES else []
        start_s, rounds = _Stage(at, stack, options, shops, small_shops).play(per_round, sizes)
    names = ("codes", "past_orders", "buyers", "processes", "engines")
    size = {name: getattr(options, name) for name in names}
    return {**_figures(rounds), **size, "start_s": round(start_s, 2)}


async def _prepare(at: Ground, options: argparse.Namespace) -> tuple[list[Shop], pgbench.Sizes]:
    dsn = await world.make_database(at, "http")
    shops = await world.open_shops(at, dsn, options.codes, SHOPS)
    async with open_house(at.settings(dsn), dsn) as opened:
        sizes = await pgbench.measured(opened.house, dsn, shops[0])
    if options.past_orders:
        await history.make(dsn, options.past_orders, sizes)
    await pgbench.prepare(dsn)
    for name in ("engine", "pgbench"):
        await world.settle(await world.make_database(at, name, template="http"))
    return shops, sizes


async def _prepare_small(at: Ground) -> list[Shop]:
    dsn = await world.make_database(at, "small")
    return await world.open_shops(at, dsn, FLAT_FROM_CODES, SHOPS)


class _Stage:
    """All the processes, and one round of each kind after the other."""

    def __init__(
        self, at: Ground, stack: ExitStack, options: argparse.Namespace, shops: Sequence[Shop], small: Sequence[Shop]
    ) -> None:
        self._at = at
        self._options = options
        self._shops = [asdict(shop) for shop in shops]
        self._small = [asdict(shop) for shop in small]
        self._server = Serving(
            at.environment_for(at.server.dsn("http"), FAIRKEY_PROCESSES=str(options.processes))
        )
        stack.callback(self._server.stop)
        self._server.start()
        self._start_s = self._server.wait()
        self._engines = self._start_engines(stack, "engine")
        self._small_engines = self._start_engines(stack, "small") if small else []
        self._load = stack.enter_context(Part("fairkey.bench.load", {}))
        self._rounds = Rounds()

    def _start_engines(self, stack: ExitStack, database: str) -> list[Part]:
        environment = self._at.environment_for(self._at.server.dsn(database))
        return [
            stack.enter_context(Part("fairkey.bench.engine", environment)) for _ in range(self._options.engines)
        ]

    def play(self, per_round: int, sizes: pgbench.Sizes) -> tuple[float, Rounds]:
        """Warm up, then all the rounds; seconds that `serve` took to start, and what was measured."""
        warm_up = min(WARM_UP_ORDERS, per_round)
        self._http(warm_up)
        self._alone("engine", self._engines, self._shops, warm_up)
        self._pgbench(warm_up, apart=False, sizes=sizes)
        small = min(per_round, int((FLAT_FROM_CODES * SHARE_SOLD - warm_up) / self._options.rounds))
        if self._small_engines:
            self._alone("small", self._small_engines, self._small, warm_up)
        self._rounds = Rounds()
        for _ in range(self._options.rounds):
            self._http(per_round)
            self._pgbench(per_round, apart=False, sizes=sizes)
            self._alone("engine", self._engines, self._shops, per_round)
            self._pgbench(per_round // 2, apart=True, sizes=sizes)
            if self._small_engines:
                self._alone("small", self._small_engines, self._small, small)
        return self._start_s, self._rounds

    def _http(self, orders: int) -> None:
        server_s = self._timed(self._server.pid)
        database_s = self._database_timed()
        question = {"port": self._server.port, "secret": SANDBOX_SECRET, "shops": self._shops}
        done = self._load.ask({**question, "orders": orders, "buyers": self._options.buyers})
        self._rounds.add(
            "http", orders, done["wall_s"], server=server_s(), database=database_s(), load_generator=done["cpu_s"]
        )
        for kept, new in zip(self._rounds.calls_ms, done["calls_ms"], strict=True):
            kept.extend(new)

    def _alone(self, kind: str, engines: Sequence[Part], shops: Sequence[dict[str, Any]], orders: int) -> None:
        database_s = self._database_timed()
        each = len(engines)
        question = {"shops": shops, "orders": orders // each, "callers": max(1, self._options.buyers // each)}
        with ThreadPoolExecutor(each) as threads:
            done = list(threads.map(lambda engine: engine.ask(question), engines))
        self._rounds.add(
            kind,
            orders // each * each,
            max(one["wall_s"] for one in done),
            process=sum(one["cpu_s"] for one in done),
            database=database_s(),
        )

    def _pgbench(self, orders: int, *, apart: bool, sizes: pgbench.Sizes) -> None:
        database_s = self._database_timed()
        done = pgbench.run(
            self._at, "pgbench", SHOPS, sizes, clients=self._options.buyers, orders=orders, apart=apart
        )
        kind = "pgbench_apart" if apart else "pgbench"
        self._rounds.add(kind, done.orders, done.wall_s, process=done.cpu_s, database=database_s())

    def _database_timed(self) -> Callable[[], float]:
        pid = self._at.server.server_pid()
        assert pid is not None
        return self._timed(pid)

    @staticmethod
    def _timed(pid: int) -> Callable[[], float]:
        before_s = cpu_s(pid)
        return lambda: cpu_s(pid) - before_s


def _figures(rounds: Rounds) -> dict[str, Any]:
    pace = {kind: median(each) for kind, each in rounds.orders_per_s.items()}
    cpu_us = {name: round(median(each), 1) for name, each in rounds.cpu_us.items()}
    calls = {name: sorted(each) for name, each in zip(CALLS, rounds.calls_ms, strict=True)}
    p50_ms = {name: _percentile(each, 50) for name, each in calls.items()}
    p99_ms = {name: _percentile(each, 99) for name, each in calls.items()}
    figures: dict[str, Any] = {
        "orders_per_s": round(pace["http"], 1),
        "pgbench_per_s": round(pace["pgbench"], 1),
        "ratio": _ratio(rounds, "http", "pgbench"),
        "p50_ms": max(p50_ms.values()),
        "p99_ms": max(p99_ms.values()),
        "p50_ms_by_call": p50_ms,
        "p99_ms_by_call": p99_ms,
        "engine_per_s": round(pace["engine"], 1),
        "engine_ratio": _ratio(rounds, "engine", "pgbench"),
        "pgbench_apart_per_s": round(pace["pgbench_apart"], 1),
        "ratio_apart": _ratio(rounds, "http", "pgbench_apart"),
        "cpu_us_per_order": cpu_us,
        "cpu_ratio": _cheaper(cpu_us, "http"),
        "engine_cpu_ratio": _cheaper(cpu_us, "engine"),
    }
    if "small" in pace:
        here = cpu_us["engine_process"] + cpu_us["engine_database"]
        figures["cost_growth"] = round(here / (cpu_us["small_process"] + cpu_us["small_database"]), 3)
    return figures


def _ratio(rounds: Rounds, kind: str, beside: str) -> float:
    """Median of the ratios of neighbouring rounds: what slows the machine for a minute slows both."""
    pairs = zip(rounds.orders_per_s[kind], rounds.orders_per_s[beside], strict=True)
    return round(median(mine / other for mine, other in pairs), 3)


def _cheaper(cpu_us: dict[str, float], kind: str) -> float:
    """How many times the processor time of this an order of pgbench takes, everybody's together."""
    total_us = {
        one: sum(used_us for name, used_us in cpu_us.items() if name in _users(one)) for one in (kind, "pgbench")
    }
    return round(total_us["pgbench"] / total_us[kind], 3)


def _users(kind: str) -> set[str]:
    return {f"{kind}_{who}" for who in ("process", "server", "database", "load_generator")}


def _percentile(ordered: Sequence[float], percent: int) -> float:
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]
