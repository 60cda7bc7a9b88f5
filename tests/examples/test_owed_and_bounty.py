"""What rulings did not find comes out of later top-ups; who reported a lure is rewarded once, out of the deduction."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from dispute_world import PRICE_FEN, complained, deposit_of, judging, pay_in, pool_of, shop_with_deposit
from engine_world import MemoryLooks, PostgresLooks, World
from fairkey.adapters.postgres.store import ENGINE_SETTINGS
from fairkey.business import deposits
from fairkey.business.askers import ASKERS, Asker
from fairkey.business.basics import DAY_MS
from fairkey.business.complaints import EndSilence
from fairkey.business.dispute_events import Reason
from fairkey.business.pool import PayBounty


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.pg)])
async def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    for command in (deposits.ChargeDeposit, PayBounty):  # asked here as if a ruling had
        monkeypatch.setitem(ASKERS, command, {Asker.CLOCK})
    if request.param == "memory":
        yield World(MemoryLooks())
        return
    dsn = request.getfixturevalue("database_url")
    async with asyncpg.create_pool(dsn, min_size=1, max_size=3, server_settings=ENGINE_SETTINGS) as pool:
        yield World(PostgresLooks(pool))


async def test_what_is_owed_comes_out_of_the_next_top_ups_and_no_more(world: World) -> None:
    await shop_with_deposit(world, 10_000)
    for deduct_fen in (8_000, 19_000):
        order_id = await world.paid()
        charge = deposits.ChargeDeposit(
            **world.of_order(order_id), ruling_no=1, row="R11", deduct_fen=deduct_fen, refund_fen=0
        )
        await world.done(Asker.CLOCK, charge)
    assert ((await deposit_of(world)).free_fen, (await deposit_of(world)).owed_fen) == (0, 17_000)
    before_fen = (await pool_of(world)).balance_fen
    for amount_fen, free_fen, owed_fen in ((10_000, 0, 7_000), (11_000, 4_000, 0), (10_000, 14_000, 0)):
        await pay_in(world, amount_fen)
        deposit = await deposit_of(world)
        assert (deposit.free_fen, deposit.owed_fen) == (free_fen, owed_fen)
    assert (await pool_of(world)).balance_fen == before_fen + 17_000
    money = await world.money()
    assert money["deposit_free"] == 14_000


LURE = (("reason", "off_platform", "E2"), ("lure_messages", 1, "E2"))


async def lured(world: World, *, units_sealed: int) -> str:
    """A ruling by R14 is carried out."""
    order_id = await complained(world, Reason.OFF_PLATFORM)
    await world.done(Asker.CLOCK, judging(world, order_id, *LURE, ("units_sealed", units_sealed, "E2")))
    assert (await world.order(order_id)).complaint.ruling.row == "R14"
    world.now_ms += DAY_MS
    await world.done(Asker.CLOCK, EndSilence(**world.of_order(order_id)))
    return order_id


async def test_who_reported_has_ten_yuan_out_of_the_deduction_once(world: World) -> None:
    await shop_with_deposit(world, 50_000)
    order_id = await lured(world, units_sealed=0)
    assert [(one.amount_fen, one.source) for one in (await world.order(order_id)).restored.all] == [(1_000, "pool")]
    assert (await pool_of(world)).balance_fen == PRICE_FEN // 2 - 1_000
    assert (await world.ask(Asker.CLOCK, EndSilence(**world.of_order(order_id)))).refusal
    again = PayBounty(
        shop_id="00000000-0000-0000-0000-000000000000", pool_id="00000000-0000-0000-0000-0000000000f0",
        order_shop_id=world.shop_id, order_id=order_id, ruling_no=2, row="R14", most_fen=5_000,
    )  # fmt: skip
    assert (await world.done(Asker.CLOCK, again)).kinds == ()
    assert len((await world.order(order_id)).restored.all) == 1


@pytest.mark.parametrize(
    ("deposit_fen", "units_sealed", "paid"), [(50_000, 1, [("bounty", 0, 1_000)]), (300, 0, [("bounty", 300, 700)])]
)
async def test_a_reward_is_no_more_than_the_deduction_and_what_can_go_back_the_way_it_came(
    world: World, deposit_fen: int, units_sealed: int, paid: list[tuple[str, int, int]]
) -> None:
    await shop_with_deposit(world, deposit_fen if deposit_fen > 10_000 else 0)
    if deposit_fen <= 10_000:
        await pay_in(world, 10_000)
        await world.done(
            Asker.CLOCK,
            deposits.ChargeDeposit(
                shop_id=world.shop_id, order_id=await world.paid(), ruling_no=1, row="R11",
                deduct_fen=10_000 - deposit_fen, refund_fen=0,
            ),
        )  # fmt: skip
    await lured(world, units_sealed=units_sealed)
    last = (await pool_of(world)).paid[-1]
    assert [("bounty", last.amount_fen, last.left_fen)] == paid


async def test_without_a_deposit_there_is_no_deduction_and_no_reward(world: World) -> None:
    await shop_with_deposit(world, 0)
    order_id = await lured(world, units_sealed=0)
    assert (await world.order(order_id)).restored.all == ()
    assert (await pool_of(world)).paid == ()
