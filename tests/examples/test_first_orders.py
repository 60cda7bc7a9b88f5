"""What stands behind a shop's next order, and how much a stranger may have open at a new shop; over either store."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from engine_world import MemoryLooks, PostgresLooks, World
from fairkey.adapters.postgres.store import ENGINE_SETTINGS
from fairkey.business import orders
from fairkey.business.askers import Asker
from fairkey.business.covering import Bounds, Exposure, cover_of
from fairkey.engine.perform import Rules

RULES = Rules(small_trial_fen=6_000, cover_bp=1_000, first_order_fen=3_000)
BOUNDS = Bounds(small_trial_fen=6_000, cover_bp=1_000, first_order_fen=3_000)


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.pg)])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    if request.param == "memory":
        yield World(MemoryLooks(), rules=RULES)
        return
    dsn = request.getfixturevalue("database_url")
    async with asyncpg.create_pool(dsn, min_size=1, max_size=3, server_settings=ENGINE_SETTINGS) as db:
        yield World(PostgresLooks(db), rules=RULES)


async def test_a_stranger_may_order_up_to_the_limit_and_no_fen_more(world: World) -> None:
    await world.open_shop()
    await world.deposit(20)
    refused = await world.ask(Asker.BUYER, world.placing(4, "li"))
    assert (refused.refusal, refused.details) == ("FirstOrderIsTooLarge", {"limit_fen": 3_000, "open_fen": 0})
    await world.done(Asker.BUYER, world.placing(3, "li"))
    again = await world.ask(Asker.BUYER, world.placing(1, "li"))
    assert again.details == {"limit_fen": 3_000, "open_fen": 3_000}
    await world.done(Asker.BUYER, world.placing(3, "wang"))


async def test_a_completed_order_ends_the_limit_and_an_expired_one_frees_it(world: World) -> None:
    await world.open_shop()
    await world.deposit(20)
    left = await world.place(3, "li")
    await world.done(Asker.BUYER, orders.GiveUpOrder(**world.of_order(left)))
    first = await world.paid(3, "li")
    assert (await world.ask(Asker.BUYER, world.placing(1, "li"))).refusal == "FirstOrderIsTooLarge"
    await world.done(Asker.BUYER, orders.ConfirmOrder(**world.of_order(first)))
    await world.place(5, "li")
    assert (await world.ask(Asker.BUYER, world.placing(4, "wang"))).refusal in {
        "FirstOrderIsTooLarge",
        "ShopIsNotCovered",
    }


async def test_two_first_orders_at_once_come_to_one(world: World) -> None:
    """In two processes, and in one batch."""
    await world.open_shop()
    await world.deposit(20)
    performers = [world.performer, world.another_performer()]
    asked = [world.asked(Asker.BUYER, world.placing(2, "li")) for _ in performers]
    done = await asyncio.gather(*(one.perform([ask]) for one, ask in zip(performers, asked, strict=True)))
    assert sorted(outcome[0].refusal for outcome in done) == ["", "FirstOrderIsTooLarge"]
    both = [world.asked(Asker.BUYER, world.placing(2, "wang")) for _ in range(2)]
    assert [outcome.refusal for outcome in await world.batch(*both)] == ["", "FirstOrderIsTooLarge"]


def test_a_shop_is_new_until_its_deposit_or_its_past_says_otherwise() -> None:
    def limit(clean_fen: int = 0, free_fen: int = 0, *, open_fen: int = 0) -> int:
        exposure = Exposure(open_fen=open_fen, clean_fen=clean_fen)
        return cover_of(exposure, free_fen, BOUNDS, is_throttled=False).first_order_fen

    assert limit() == 3_000
    assert (limit(59_999), limit(60_000)) == (3_000, 0)
    assert (limit(free_fen=600), limit(free_fen=601)) == (3_000, 0)  # ten times 600 is the trial itself


def test_what_pages_say_is_what_orders_are_admitted_by() -> None:
    exposure = Exposure(open_fen=1_000, window_fen=2_000, clean_fen=10_000)
    trial = cover_of(exposure, 0, BOUNDS, is_throttled=False)
    assert (trial.most_fen, trial.room_fen, trial.by_deposit) == (7_500, 6_500, False)
    assert cover_of(exposure, 0, BOUNDS, is_throttled=True).room_fen == 2_750
    covered = cover_of(exposure, 2_000, BOUNDS, is_throttled=False)
    assert (covered.most_fen, covered.by_deposit, covered.deposit_fen) == (18_000, True, 2_000)
    full = cover_of(Exposure(open_fen=9_000), 0, BOUNDS, is_throttled=False)
    assert full.room_fen == 0
