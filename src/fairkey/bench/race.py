"""Does anybody lose an order? Several serving processes, few codes, the sandbox provider told to go wrong.

Every order is paid at the provider. Its notifications come late, repeated, in another order or not at all; beside them
the benchmark sends copies of its own to random processes. What counts is what the buyers really hold in the end: the
texts of codes they were shown, or their money, confirmed by the provider.
"""

import argparse
import asyncio
import hashlib
import hmac
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, TypeVar

import asyncpg
import httpx

from fairkey.adapters.payments.sandbox_controls import SandboxControls
from fairkey.adapters.payments.sandbox_process import running_sandbox
from fairkey.app import open_house, upkeep
from fairkey.business.basics import InstructionState
from fairkey.business.orders import Stage
from fairkey.engine import trade
from fairkey.engine.answers import StoreIsAway
from fairkey.engine.house import House
from fairkey.settings import Settings

from . import world
from .havoc import Havoc
from .load import notice_of, signature_of
from .parts import Serving
from .world import PRICE_FEN, SANDBOX_SECRET, Ground, Shop

TRIES_MAX: Final = 200
PAUSE_S: Final = 0.1
SETTLE_S: Final = 120.0
CATCH_UP_AFTER_S: Final = 3.0
COPIES: Final = 3
SHARE_LOST: Final = 0.1  # of the orders: no notification comes at all, only asking the provider finds the money
FAULTS: Final[tuple[dict[str, object], ...]] = (
    {"kind": "repeat", "copies": 2, "delay_ms": 0, "delay_up_to_ms": 400},
    {"kind": "reorder", "window": 4, "delay_ms": 300, "on": ["payment"]},
    {"kind": "delay", "delay_ms": 0, "delay_up_to_ms": 400},
)
STORAGE_IS_AWAY: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, StoreIsAway, OSError)

T = TypeVar("T")


class ProcessSaidNo(Exception):
    """A serving process answered something that it must not."""


@dataclass(slots=True)
class Bought:
    """One order as its buyer knows it, and what he got in the end."""

    reference: str
    secret: str
    txns: list[str] = field(default_factory=list)
    texts: set[str] = field(default_factory=set)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of `fairkey bench race`."""
    parser.add_argument("--processes", type=int, default=8, help="serving processes on one database")
    parser.add_argument("--orders", type=int, default=40, help="paid orders in each of the two races")
    parser.add_argument("--codes", type=int, default=30, help="codes in the second race")
    parser.add_argument("--kill", action="store_true", help="kill -9 processes and the database at random moments")
    parser.add_argument("--seed", type=int, default=1, help="of everything random")


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """{delivered, duplicates, paid_without_code, stuck, refunded} of the race with enough codes; the same under
    `scarce` of the one with too few; `audit_ok`, `rebuild_ok`, and the findings if there are any.
    """
    with world.ground() as at:
        return asyncio.run(_measure(at, options))


async def _measure(at: Ground, options: argparse.Namespace) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    findings: list[str] = []
    kills = 0
    for name, codes in (("", options.orders), ("scarce", options.codes)):
        dsn = await world.make_database(at, f"race{name}")
        async with AsyncExitStack() as stack:
            race = await _Race.start(stack, at, dsn, options, codes)
            result = await race.run(options.orders)
            kills += race.havoc.kills
        settings = at.settings(dsn)
        for check in (upkeep.audit_everything(settings), upkeep.rebuild(settings, check_only=True)):
            findings += [f"{one.rule}: {one.what} ({one.where})" for one in await check if not one.is_warning]
        figures |= {name: result} if name else result
    if options.kill:
        figures["kills"] = kills
    return {**figures, "audit_ok": not findings, "findings": findings}


class _Race:
    """One race on one database."""

    def __init__(
        self,
        house: House,
        shop: Shop,
        codes: int,
        servers: Sequence[Serving],
        worker: Serving,
        sandbox: SandboxControls,
    ) -> None:
        self._house = house
        self._shop = shop
        self._codes = codes
        self._servers = servers
        self._worker = worker
        self._sandbox = sandbox
        self._http = httpx.AsyncClient(timeout=20.0, trust_env=False, verify=False)  # noqa: S501 - plain HTTP only
        self._chance = random.Random()  # noqa: S311 - play
        self._keyed = hmac.new(SANDBOX_SECRET.encode(), digestmod=hashlib.sha256)
        self.havoc = Havoc.none()

    @classmethod
    async def start(
        cls, stack: AsyncExitStack, at: Ground, dsn: str, options: argparse.Namespace, codes: int
    ) -> "_Race":
        """Everything up and running."""
        sandbox = await stack.enter_async_context(
            running_sandbox(SANDBOX_SECRET, mode="test", seed=options.seed, more=["--first-pause-ms", "100"])
        )
        environment = at.environment_for(
            dsn, FAIRKEY_SANDBOX_URL=sandbox.url, FAIRKEY_WORKER="apart", FAIRKEY_DATABASE_CONNECTIONS="4"
        )
        opened = await stack.enter_async_context(open_house(Settings.from_environment(environment), dsn))
        shop = await world.open_shop(opened.house, codes)
        servers = [Serving(environment) for _ in range(options.processes)]
        worker = Serving(environment, command="worker")
        for each in (*servers, worker):
            stack.push_async_callback(asyncio.to_thread, each.stop)
            each.start()
        for each in (*servers, worker):
            await asyncio.to_thread(each.wait)
        # What has no collection to name an address (reports on refunds) is told to the first process.
        await sandbox.settings(notify_url=f"http://127.0.0.1:{servers[0].port}/callbacks/sandbox")
        await sandbox.go_wrong(*FAULTS, seed=options.seed)
        race = cls(opened.house, shop, codes, servers, worker, sandbox)
        stack.push_async_callback(race._http.aclose)
        race._chance.seed(options.seed)
        if options.kill:
            race.havoc = Havoc(at, servers, worker, options.seed)
        return race

    async def run(self, paid_orders: int) -> dict[str, int]:
        """Place, pay, wait until nothing moves any more, open, count."""
        async with self.havoc:
            bought = await self._place_all(paid_orders)
            lost = bought[: int(len(bought) * SHARE_LOST)]
            rules: list[dict[str, object]] = [
                {"kind": "lose", "reference": one.reference, "on": ["payment"]} for one in lost
            ]
            await self._sandbox.go_wrong(*rules)
            await asyncio.gather(*(self._pay(one, told=one not in lost) for one in bought))
            await asyncio.gather(self.havoc.enough(), *(self._open(one) for one in bought[::2]))
        self._worker.revive()
        await self._settle(bought)
        await asyncio.gather(*(self._open(one) for one in bought for _ in range(2)))
        return await self._count(bought)

    async def _place_all(self, orders: int) -> list[Bought]:
        """Place as many orders as are to be paid. When codes do not suffice for all of them at once, buyers who came
        first give up, so that others can order; they pay all the same, and must have their money back.
        """
        bought: list[Bought] = []
        while len(bought) < orders:
            more = min(orders - len(bought), self._codes)
            holding = len(bought) - self._codes + more
            if holding > 0:
                await asyncio.gather(*(self._give_up(one) for one in bought[-self._codes :][:holding]))
            bought += await asyncio.gather(*(self._place() for _ in range(more)))
        return bought

    async def _place(self) -> Bought:
        name = self._house.new_id()
        body = {
            "shop_no": self._shop.shop_no,
            "listing_id": self._shop.listing_id,
            "revision": 1,
            "contact": f"{name}@example.com",
        }
        answer = await self._ask("/api/v1/orders", body, {"idempotency-key": f"race-{name}"})
        if answer.status_code != HTTPStatus.CREATED:
            raise ProcessSaidNo(f"place: {answer.status_code} {answer.text[:500]}")
        placed = answer.json()
        one = Bought(placed["reference"], placed["secret"])
        answer = await self._ask(f"/api/v1/orders/{one.reference}/pay", {}, {"order-secret": one.secret})
        if answer.status_code != HTTPStatus.OK:
            raise ProcessSaidNo(f"pay: {answer.status_code} {answer.text[:500]}")
        return one

    async def _give_up(self, one: Bought) -> None:
        headers = {"order-secret": one.secret, "idempotency-key": f"give-up-{one.reference}"}
        answer = await self._ask(f"/api/v1/orders/{one.reference}/give-up", {}, headers)
        if answer.status_code != HTTPStatus.OK:
            raise ProcessSaidNo(f"give up: {answer.status_code} {answer.text[:500]}")

    async def _pay(self, one: Bought, *, told: bool) -> None:
        one.txns = await self._sandbox.pay(one.reference, PRICE_FEN)
        if told:
            notices = [notice_of(one.reference, txn, PRICE_FEN) for txn in one.txns for _ in range(COPIES)]
            await asyncio.gather(*(self._tell(notice) for notice in notices))

    async def _tell(self, notice: bytes) -> None:
        """A copy of our own, once, to some process; whoever is dead does not hear it."""
        await asyncio.sleep(self._chance.random() / 2)
        name, _, value = signature_of(self._keyed, notice).decode().strip().partition(": ")
        headers = {name: value, "content-type": "application/json"}
        try:
            await self._http.post(f"{self._somebody()}/callbacks/sandbox", content=notice, headers=headers)
        except httpx.TransportError:
            return

    async def _open(self, one: Bought) -> None:
        """Open, as an impatient buyer with two windows does."""
        answer = await self._ask(f"/api/v1/orders/{one.reference}/reveal", {}, {"order-secret": one.secret})
        if answer.status_code == HTTPStatus.OK:
            one.texts.update(code["text"] for code in answer.json()["codes"])

    async def _ask(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> httpx.Response:
        """Ask one process after the other until one answers for good, as a patient client does."""
        for _ in range(TRIES_MAX):
            try:
                answer = await self._http.post(f"{self._somebody()}{path}", json=body, headers=headers)
            except httpx.TransportError:
                await asyncio.sleep(PAUSE_S)
                continue
            if answer.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
                return answer
            await asyncio.sleep(PAUSE_S)
        raise ProcessSaidNo(f"nobody answered {path}")

    def _somebody(self) -> str:
        return f"http://127.0.0.1:{self._chance.choice(self._servers).port}"

    async def _settle(self, bought: Sequence[Bought]) -> None:
        """Wait until every order has its code or its money back, or patience ends. Payments nobody told us of are asked
        for, as the clock does before an order's time is over.
        """
        loop = asyncio.get_running_loop()
        started = loop.time()
        while loop.time() - started < SETTLE_S:
            open_orders = [one for one in bought if await self._stands(one) not in {"delivered", "refunded"}]
            if not open_orders:
                return
            if loop.time() - started > CATCH_UP_AFTER_S:
                for one in open_orders:
                    await self._catch_up(one)
            await asyncio.sleep(PAUSE_S * 5)

    async def _catch_up(self, one: Bought) -> None:
        where = await self._where(one)
        await _patiently(lambda: trade.catch_up_quietly(self._house, *where))

    async def _stands(self, one: Bought) -> str:
        """`delivered`, `refunded` (and the provider confirmed it), `paid`, or `unpaid`, by what the house has kept."""
        where = await self._where(one)
        record = await _patiently(lambda: self._house.questions.order_book.find(*where))
        if record is None:
            return "unpaid"
        order, escrow = record.file.order, record.file.escrow
        if order.stage in {Stage.DELIVERED, Stage.COMPLETED}:
            return "delivered"
        if not escrow.received:
            return "unpaid"
        confirmed = all(refund.state is InstructionState.DONE for refund in escrow.refunds)
        return "refunded" if escrow.refunds and confirmed and not escrow.held_fen else "paid"

    async def _where(self, one: Bought) -> tuple[str, str]:
        where = await _patiently(lambda: trade.locate(self._house, one.reference))
        assert where is not None
        return where

    async def _count(self, bought: Sequence[Bought]) -> dict[str, int]:
        stands = [await self._stands(one) for one in bought]
        shown = Counter(text for one in bought for text in one.texts)
        balances = await self._sandbox.balances()  # raises when the provider's own book does not add up
        paid_back = [not any(balances.get(f"held/{txn}") for txn in one.txns) for one in bought]
        return {
            "delivered": sum(len(one.texts) == 1 for one in bought),
            "duplicates": sum(count - 1 for count in shown.values()),
            "paid_without_code": sum(not one.texts and not back for one, back in zip(bought, paid_back, strict=True)),
            "stuck": sum(stand not in {"delivered", "refunded"} for stand in stands),
            "refunded": sum(
                stand == "refunded" and back for stand, back in zip(stands, paid_back, strict=True)
            ),
        }


async def _patiently(question: Callable[[], Awaitable[T]]) -> T:
    """Ask storage again while it is away."""
    for _ in range(TRIES_MAX):
        try:
            return await question()
        except STORAGE_IS_AWAY:
            await asyncio.sleep(PAUSE_S)
    return await question()
