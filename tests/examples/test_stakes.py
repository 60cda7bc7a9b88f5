"""Stakes on appeals: who stakes how much, what becomes of it, and where the money goes in the end."""

from collections.abc import AsyncIterator

import pytest

from dispute_world import (
    PRICE_FEN,
    before_three,
    deposit_of,
    panels_may_speak,
    pool_of,
    shop_with_deposit,
    verdict,
)
from engine_world import MemoryLooks, World
from fairkey.business import stakes
from fairkey.business.askers import Asker
from fairkey.business.basics import DAY_MS, PLATFORM
from fairkey.business.complaints import (
    AcceptComplaint,
    AppealRuling,
    EndSilence,
    TakePanelLapse,
    WithdrawComplaint,
    panel_id_of,
)
from fairkey.business.deposits import RequestRelease
from fairkey.business.dispute_events import Side
from fairkey.business.stakes import Settled, Stake

TENTH_FEN = PRICE_FEN // 10
FEE_BP = 200  # of the world's shop


@pytest.mark.parametrize(
    ("level", "value_fen", "fen"),
    [
        (3, 10_000_000, 0),
        (7, 1, 1),
        (7, 499, 499),
        (7, 500, 500),
        (7, 4_999, 500),
        (7, 5_009, 500),
        (7, 5_010, 501),
        (17, 20_000, 2_000),
    ],
)
def test_a_tenth_at_least_five_yuan_never_more_than_is_disputed(level: int, value_fen: int, fen: int) -> None:
    assert stakes.stake_fen(level, value_fen, is_appeal=True, by_buyer=False, has_won=False) == fen
    assert stakes.stake_fen(level, value_fen, is_appeal=True, by_buyer=True, has_won=False) == fen
    assert stakes.stake_fen(level, value_fen, is_appeal=True, by_buyer=True, has_won=True) == 0
    assert stakes.stake_fen(level, value_fen, is_appeal=False, by_buyer=False, has_won=False) == 0


def stake(level: int, *, by_buyer: bool, back_fen: int, cost_fen: int = 0, amount_fen: int = 1_000) -> Stake:
    return Stake(
        level=level, panel_id=str(level), by_buyer=by_buyer, amount_fen=amount_fen, back_fen=back_fen, cost_fen=cost_fen
    )


@pytest.mark.parametrize(
    ("one", "judged", "end", "returned", "kept_fen"),
    [
        (stake(7, by_buyer=True, back_fen=0), 7, (0, 0, 0), False, 0),  # who gets nothing owes nothing
        (stake(7, by_buyer=True, back_fen=5_000), 7, (5_000, 5_000, 5_000), False, 1_000),
        (stake(7, by_buyer=True, back_fen=5_000), 7, (5_001, 5_001, 5_001), True, 0),
        (stake(7, by_buyer=True, back_fen=900), 7, (900, 900, 900), False, 450),  # at most half
        (stake(7, by_buyer=True, back_fen=900), 7, (900, 0, 0), False, 0),  # the pool's money is not touched
        (stake(7, by_buyer=False, back_fen=0, cost_fen=6_000), 7, (6_000, 6_000, 6_000), False, 1_000),
        (stake(7, by_buyer=False, back_fen=0, cost_fen=6_000), 7, (6_000, 6_000, 5_999), True, 0),
        (stake(17, by_buyer=False, back_fen=0, cost_fen=6_000), 7, (6_000, 6_000, 6_000), True, 0),  # nobody judged
    ],
)
def test_a_stake_is_lost_where_nothing_was_gained(
    one: Stake, judged: int, end: tuple[int, int, int], *, returned: bool, kept_fen: int
) -> None:
    back_fen, refund_fen, cost_fen = end
    done = stakes.settled((one,), judged_level=judged, back_fen=back_fen, refund_fen=refund_fen, cost_fen=cost_fen)
    assert done == (Settled(stake=one, returned=returned, kept_fen=kept_fen),)


def test_two_lost_stakes_together_take_no_more_than_half() -> None:
    both = (stake(7, by_buyer=True, back_fen=1_500), stake(17, by_buyer=True, back_fen=1_500))
    done = stakes.settled(both, judged_level=17, back_fen=1_500, refund_fen=1_500, cost_fen=1_500)
    assert [one.kept_fen for one in done] == [750, 0]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World(MemoryLooks())
    with panels_may_speak():
        yield world


async def ruled(world: World, refund_fen: int, named: str) -> str:
    order_id = await before_three(world)
    await world.done(Asker.CLOCK, verdict(world, order_id, 3, refund_fen, named))
    return order_id


def appeal(world: World, order_id: str, by: Side) -> AppealRuling:
    return AppealRuling(**world.of_order(order_id), by=by, text="They overlooked the first fact.")


async def end(world: World, order_id: str) -> None:
    world.now_ms += DAY_MS
    await world.done(Asker.CLOCK, EndSilence(**world.of_order(order_id)))


async def test_a_shops_stake_is_locked_and_comes_back_when_it_was_right(world: World) -> None:
    await shop_with_deposit(world, 50_000)
    order_id = await ruled(world, PRICE_FEN, "R07a")
    await world.done(Asker.MERCHANT, appeal(world, order_id, Side.SHOP))
    assert (await world.money())["stake"] == TENTH_FEN
    assert (await deposit_of(world)).free_fen == 50_000 - TENTH_FEN
    await world.done(Asker.CLOCK, verdict(world, order_id, 7, 0, "R07b"))
    assert (await world.money())["stake"] == TENTH_FEN, "until it is final"
    await end(world, order_id)
    assert "stake" not in await world.money()
    assert (await deposit_of(world)).free_fen == 50_000


async def test_a_lost_stake_goes_to_the_pool_beside_the_deduction(world: World) -> None:
    await shop_with_deposit(world, 50_000)
    order_id = await ruled(world, PRICE_FEN, "R07a")
    await world.done(Asker.MERCHANT, appeal(world, order_id, Side.SHOP))
    await world.done(Asker.CLOCK, verdict(world, order_id, 7, PRICE_FEN, "R07a"))
    await end(world, order_id)
    deducted_fen = PRICE_FEN * 20 // 100
    assert (await deposit_of(world)).free_fen == 50_000 - TENTH_FEN - deducted_fen
    assert (await pool_of(world)).balance_fen == TENTH_FEN + deducted_fen
    assert "stake" not in await world.money()


async def test_a_shop_that_was_right_in_the_end_has_both_stakes_back(world: World) -> None:
    await shop_with_deposit(world, 50_000)
    order_id = await ruled(world, PRICE_FEN, "R07a")
    await world.done(Asker.MERCHANT, appeal(world, order_id, Side.SHOP))
    await world.done(Asker.CLOCK, verdict(world, order_id, 7, PRICE_FEN, "R07a"))
    await world.done(Asker.MERCHANT, appeal(world, order_id, Side.SHOP))
    assert (await world.money())["stake"] == 2 * TENTH_FEN
    await world.done(Asker.CLOCK, verdict(world, order_id, 17, 0, "R07b"))
    assert (await deposit_of(world)).free_fen == 50_000
    assert (await deposit_of(world)).stakes == {}


async def test_a_shop_without_the_money_is_told_and_the_first_panel_is_free(world: World) -> None:
    await shop_with_deposit(world, 10_000)
    await world.done(Asker.MERCHANT, RequestRelease(shop_id=world.shop_id, amount_fen=9_000))
    order_id = await ruled(world, PRICE_FEN, "R07a")
    answer = await world.ask(Asker.MERCHANT, appeal(world, order_id, Side.SHOP))
    assert (answer.refusal, answer.details) == ("DepositIsTooLow", {"free_fen": 1_000})
    assert (await world.order(order_id)).complaint.stage.value == "ruled", "the refused appeal left nothing"


async def test_a_buyers_lost_stake_comes_out_of_his_refund_and_the_shop_has_its_share(world: World) -> None:
    await shop_with_deposit(world, 50_000)
    order_id = await ruled(world, 8_000, "R13")
    await world.done(Asker.BUYER, appeal(world, order_id, Side.BUYER))
    assert "stake" not in await world.money(), "he pays nothing to appeal"
    await world.done(Asker.CLOCK, verdict(world, order_id, 7, 8_000, "R13"))
    await end(world, order_id)
    money = await world.money()
    kept_fen = TENTH_FEN
    fee_fen = (PRICE_FEN - 8_000) * FEE_BP // 10_000
    assert money["refund_payable"] == 8_000 - kept_fen
    assert money["arbitration"] == kept_fen
    assert money["platform_fee"] == fee_fen
    assert money["shop_pending"] == PRICE_FEN - 8_000 - fee_fen, "the shop gets what it would have got"
    assert (await world.looks.effects("release"))[-1]["fee_fen"] == fee_fen + kept_fen


async def test_a_buyer_who_gets_nothing_owes_nothing_and_one_who_won_below_stakes_nothing(world: World) -> None:
    await shop_with_deposit(world, 50_000)
    poor = await ruled(world, 0, "R04")
    await world.done(Asker.BUYER, appeal(world, poor, Side.BUYER))
    await world.done(Asker.CLOCK, verdict(world, poor, 7, 0, "R04"))
    await end(world, poor)
    assert "arbitration" not in await world.money()
    won = await ruled(world, PRICE_FEN, "R13")
    await world.done(Asker.MERCHANT, appeal(world, won, Side.SHOP))
    await world.done(Asker.CLOCK, verdict(world, won, 7, 9_000, "R13"))
    await world.done(Asker.BUYER, appeal(world, won, Side.BUYER))
    assert [one.by_buyer for one in (await world.order(won)).complaint.stakes] == [False]
    await world.done(Asker.CLOCK, verdict(world, won, 17, 9_000, "R13"))
    assert "arbitration" not in await world.money()
    assert (await deposit_of(world)).free_fen == 50_000, "the shop gained"


async def test_what_no_panel_judged_goes_back(world: World) -> None:
    await shop_with_deposit(world, 50_000)
    lapsed = await ruled(world, PRICE_FEN, "R13")
    await world.done(Asker.MERCHANT, appeal(world, lapsed, Side.SHOP))
    silent = TakePanelLapse(**world.of_order(lapsed), panel_id=panel_id_of(lapsed, 7))
    await world.done(Asker.CLOCK, silent)
    accepted = await ruled(world, PRICE_FEN, "R13")
    await world.done(Asker.MERCHANT, appeal(world, accepted, Side.SHOP))
    await world.done(Asker.MERCHANT, AcceptComplaint(**world.of_order(accepted)))
    withdrawn = await ruled(world, PRICE_FEN, "R13")
    await world.done(Asker.MERCHANT, appeal(world, withdrawn, Side.SHOP))
    await world.done(Asker.BUYER, WithdrawComplaint(**world.of_order(withdrawn)))
    assert (await deposit_of(world)).free_fen == 50_000
    assert "stake" not in await world.money()


async def test_giving_in_after_seven_judged_does_not_save_the_stake(world: World) -> None:
    await shop_with_deposit(world, 50_000)
    order_id = await ruled(world, PRICE_FEN, "R13")
    await world.done(Asker.MERCHANT, appeal(world, order_id, Side.SHOP))
    await world.done(Asker.CLOCK, verdict(world, order_id, 7, PRICE_FEN, "R13"))
    await world.done(Asker.MERCHANT, appeal(world, order_id, Side.SHOP))
    await world.done(Asker.MERCHANT, AcceptComplaint(**world.of_order(order_id)))
    assert (await deposit_of(world)).free_fen == 50_000 - TENTH_FEN, "seventeen never judged, seven did"
    assert (await pool_of(world)).balance_fen == TENTH_FEN
    assert await world.looks.balances(PLATFORM) == {"provider_clearing": TENTH_FEN, "guarantee_pool": TENTH_FEN}
