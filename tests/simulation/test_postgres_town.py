"""Several processes at once on one PostgreSQL: whatever they do to each other, the audit and the rebuild are clean."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import asyncpg
import pytest

from engine_world import PlainSealer, PostgresLooks, World
from fairkey.adapters.postgres.audit import audit
from fairkey.adapters.postgres.rebuild import check
from fairkey.adapters.postgres.store import ENGINE_SETTINGS, PostgresStore
from fairkey.business import batches, complaints, dispute_events, escrow, orders, payouts
from fairkey.business.askers import Asker
from fairkey.business.basics import DAY_MS, Stream
from fairkey.business.codes import RevealCodes
from fairkey.business.deadlines import command_for
from fairkey.engine.answers import Answer, Conflict, StoreIsAway
from fairkey.engine.perform import Asked, Performer
from fairkey.engine.rebuild import Difference

pytestmark = pytest.mark.pg


class Process:
    """One process: its own pool, its own performer, its own chance; what it knows of orders is shared."""

    def __init__(self, number: int, world: World, performer: Performer, pool: asyncpg.Pool, known: list[str]) -> None:
        self.random = random.Random(number)
        self.world, self.performer, self.pool, self.known = world, performer, pool, known
        self.outcomes: Counter[str] = Counter()

    async def work(self, rounds: int) -> None:
        for _ in range(rounds):
            batch = [asked for _ in range(self.random.randint(1, 8)) for asked in await self._some()]
            await self.perform(batch)

    async def perform(self, batch: list[Asked]) -> None:
        for _ in range(20):
            try:
                outcomes = await self.performer.perform(batch)
            except (StoreIsAway, Conflict):
                self.outcomes["again"] += 1
                continue
            for outcome in outcomes:
                assert isinstance(outcome, Answer), outcome
                self.outcomes[outcome.refusal or "done"] += 1
            return
        raise AssertionError("could not be performed")

    async def _some(self) -> list[Asked]:
        world = self.world
        act = self.random.choices(list(ACTS), [weight for _, weight in ACTS.values()])[0]
        made = ACTS[act][0](self, self.random.choice(self.known) if self.known else "")
        return [world.asked(*one) if len(one) == 2 else world.asked(one[0], one[1], one[2]) for one in await made]

    async def place(self, _: str) -> list[tuple[object, ...]]:
        command = self.world.placing(self.random.choice((1, 1, 2, 3)), self.random.choice("abcdefgh"))
        self.known.append(command.order_id)
        return [(Asker.BUYER, command)]

    async def pay(self, order_id: str) -> list[tuple[object, ...]]:
        """The same notice often reaches several processes, or one of them twice."""
        txn = f"{order_id}:{self.random.choice((1, 1, 1, 2))}"
        command = self.world.paying(order_id, self.random.choice((1_000, 1_000, 2_000, 3_000, 500)), txn)
        asked = (Asker.PROVIDER, command, f"pay:{txn}")
        return [asked] * self.random.choice((1, 2)) if order_id else []

    async def buyer(self, order_id: str) -> list[tuple[object, ...]]:
        kind = self.random.choice((orders.GiveUpOrder, orders.WithdrawOrder, orders.ConfirmOrder))
        return [(Asker.BUYER, kind(**self.world.of_order(order_id)))] if order_id else []

    async def complain(self, order_id: str) -> list[tuple[object, ...]]:
        about = self.world.of_order(order_id)
        complain = complaints.OpenComplaint(**about, reason=dispute_events.Reason.OTHER, text="It does not work.")
        return [(Asker.BUYER, complain), (Asker.MERCHANT, complaints.AcceptComplaint(**about))] if order_id else []

    async def reveal(self, order_id: str) -> list[tuple[object, ...]]:
        return [(Asker.BUYER, RevealCodes(**self.world.of_order(order_id)))] if order_id else []

    async def settle(self, order_id: str) -> list[tuple[object, ...]]:
        if not order_id or await self.pool.fetchval("SELECT stage FROM streams WHERE id = $1", order_id) != "completed":
            return []
        settled = escrow.RecordRelease(**self.world.of_order(order_id), release_no=1, attempt=1, succeeded=True)
        draw = payouts.RequestPayout(shop_id=self.world.shop_id, payout_id=self.world.new_id(), amount_fen=900)
        return [(Asker.PROVIDER, settled), (Asker.MERCHANT, draw)]

    async def stock(self, _: str) -> list[tuple[object, ...]]:
        """A new batch, and an old one taken off sale."""
        batch_id, code_ids = await self.world.stage(self.random.randint(1, 6))
        old = await self.pool.fetchval("SELECT batch_id FROM codes WHERE is_free ORDER BY random() LIMIT 1")
        made: list[tuple[object, ...]] = [(Asker.MERCHANT, self.world.register(batch_id, len(code_ids)))]
        if old:
            made.append((Asker.MERCHANT, batches.WithdrawCodes(shop_id=self.world.shop_id, batch_id=str(old))))
        return made

    async def clock(self, _: str) -> list[tuple[object, ...]]:
        """Every process sweeps; two of them may meet the same deadline."""
        self.world.now_ms += self.random.choice((0, 60_000, 600_000))
        return await due(self.pool, self.world.now_ms)


ACTS: dict[str, tuple[Callable[[Process, str], Awaitable[list[tuple[object, ...]]]], int]] = {
    "place": (Process.place, 30),
    "pay": (Process.pay, 30),
    "buyer": (Process.buyer, 10),
    "complain": (Process.complain, 3),
    "reveal": (Process.reveal, 8),
    "settle": (Process.settle, 8),
    "stock": (Process.stock, 3),
    "clock": (Process.clock, 4),
}


async def due(pool: asyncpg.Pool, now_ms: int) -> list[tuple[object, ...]]:
    rows = await pool.fetch(
        "SELECT shop_id, kind, id, due_what FROM streams WHERE due_at <= to_timestamp($1::bigint / 1000.0) LIMIT 50",
        now_ms,
    )
    return [
        (
            Asker.CLOCK,
            command_for(Stream(str(row["shop_id"]), row["kind"], str(row["id"])), row["due_what"]),
            f"clock:{row['id']}:{row['due_what']}",
        )
        for row in rows
    ]


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)])
async def test_processes_that_work_at_once_leave_a_clean_database(seed: int, database_url: str) -> None:
    async with AsyncExitStack() as stack:
        pools = [
            await stack.enter_async_context(
                asyncpg.create_pool(database_url, min_size=1, max_size=2, server_settings=ENGINE_SETTINGS)
            )
            for _ in range(4)
        ]
        pool = await stack.enter_async_context(asyncpg.create_pool(database_url, min_size=1, max_size=3))
        world = World(PostgresLooks(pools[0]))
        await world.open_shop()
        await world.deposit(25)
        known: list[str] = []
        processes = [
            Process(
                seed * 100 + number, world, world.another_performer(PostgresStore(its_pool, PlainSealer())), pool, known
            )
            for number, its_pool in enumerate(pools)
        ]
        await asyncio.gather(*(process.work(25) for process in processes))
        outcomes = sum((process.outcomes for process in processes), Counter())
        assert outcomes["done"] > 100
        assert outcomes["StockIsShort"] > 0, "they fought for codes"
        assert await audit(pool, world.now_ms, overdue_after_ms=30 * DAY_MS) == []
        differences: list[Difference] = await check(pool, PlainSealer())
        assert differences == []
        for _ in range(60):
            world.now_ms += DAY_MS
            rest = await due(pool, world.now_ms)
            await processes[0].perform([world.asked(one[0], one[1]) for one in rest])
        assert await pool.fetchval("SELECT count(*) FROM streams WHERE due_at IS NOT NULL") == 0, "every order ends"
        assert await audit(pool, world.now_ms) == []


async def test_the_last_codes_are_sold_once(database_url: str) -> None:
    """40 paid orders in 8 processes for 30 codes: 30 are delivered, 10 are refused before anybody pays."""
    async with AsyncExitStack() as stack:
        pools = [
            await stack.enter_async_context(
                asyncpg.create_pool(database_url, min_size=1, max_size=1, server_settings=ENGINE_SETTINGS)
            )
            for _ in range(8)
        ]
        world = World(PostgresLooks(pools[0]))
        await world.open_shop()
        await world.deposit(30)
        performers = [world.another_performer(PostgresStore(its_pool, PlainSealer())) for its_pool in pools]
        wishes = [world.placing(buyer=f"b{number}") for number in range(40)]
        placed = await asyncio.gather(
            *(performers[number % 8].perform([world.asked(Asker.BUYER, wish)]) for number, wish in enumerate(wishes))
        )
        assert Counter(answer.refusal for (answer,) in placed if isinstance(answer, Answer)) == {
            "": 30,
            "StockIsShort": 10,
        }
        served = [wish for wish, (answer,) in zip(wishes, placed, strict=True) if not answer.refusal]
        notices = [
            world.asked(Asker.PROVIDER, world.paying(wish.order_id, 1_000, wish.order_id), f"pay:{wish.order_id}")
            for wish in served * 3
        ]
        random.Random(4).shuffle(notices)
        await asyncio.gather(*(performers[number % 8].perform([notice]) for number, notice in enumerate(notices)))
        assert await world.stages() == {"delivered": 30}
        assert await audit(pools[0], world.now_ms) == []
