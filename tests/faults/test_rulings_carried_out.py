"""Whatever dies while a ruling is carried out, it is carried out once: out of the escrow first, then the deposit, then
the pool, with every stake settled. Each statement of the transaction fails once, in each way a database can fail.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final

import pytest

from dispute_world import (
    PRICE_FEN,
    before_three,
    complained,
    deposit_of,
    judging,
    panels_may_speak,
    pool_of,
    shop_with_deposit,
    verdict,
)
from engine_world import World
from fairkey.business import deposits, orders, pool
from fairkey.business.askers import ASKERS, Asker
from fairkey.business.basics import DAY_MS, PLATFORM
from fairkey.business.complaints import AppealRuling, EndSilence
from fairkey.business.crediting import ReviewFreeze
from fairkey.business.dispute_events import Reason, Side
from fairkey.engine.answers import Answer
from fairkey.engine.perform import Asked
from faults.test_write_path_faults import Ground, a_ground, asked_once, changed, ways_of
from faults_world import Fault, must_be_clean

pytestmark = pytest.mark.pg

PLENTY_FEN: Final = 2_000_000
SMALL_FEN: Final = 3_000  # what the pool pays without fault


async def appealed(world: World, refund_fen: int, named: str, by: Side, buyer: str) -> str:
    """A panel of three ruled, one side appealed, seven ruled the same; the time for another appeal is over."""
    if refund_fen == PRICE_FEN:  # so many defects freeze a shop; a person lets it trade again
        review = ReviewFreeze(shop_id=world.shop_id, reason="Defects of a test, looked at by a person.")
        await world.ask(Asker.OPERATOR, review)
    order_id = await before_three(world, buyer)
    await world.done(Asker.CLOCK, verdict(world, order_id, 3, refund_fen, named))
    asker = Asker.BUYER if by is Side.BUYER else Asker.MERCHANT
    await world.done(asker, AppealRuling(**world.of_order(order_id), by=by, text="It was overlooked."))
    await world.done(Asker.CLOCK, verdict(world, order_id, 7, refund_fen, named))
    world.now_ms += DAY_MS
    return order_id


async def for_the_buyer(ground: Ground) -> Asked:
    order_id = await appealed(ground.world, PRICE_FEN, "R07a", Side.SHOP, ground.buyer())
    return ground.world.asked(Asker.CLOCK, EndSilence(**ground.world.of_order(order_id)))


async def a_part_for_the_buyer_who_wanted_more(ground: Ground) -> Asked:
    order_id = await appealed(ground.world, 8_000, "R13", Side.BUYER, ground.buyer())
    return ground.world.asked(Asker.CLOCK, EndSilence(**ground.world.of_order(order_id)))


async def by_seventeen(ground: Ground) -> Asked:
    order_id = await appealed(ground.world, PRICE_FEN, "R07a", Side.SHOP, ground.buyer())
    appeal = AppealRuling(**ground.world.of_order(order_id), by=Side.SHOP, text="It was overlooked.")
    ground.world.now_ms -= 1
    await ground.world.done(Asker.MERCHANT, appeal)
    return ground.world.asked(Asker.CLOCK, verdict(ground.world, order_id, 17, 0, "R07b"))


async def out_of_the_pool(ground: Ground) -> Asked:
    world = ground.world
    order_id = await complained(world, Reason.ALREADY_USED, ground.buyer(), SMALL_FEN)
    facts = (
        ("amount_fen", SMALL_FEN, "E2"), ("asked_fen", SMALL_FEN, "E2"), ("reason", "already_used", "E2"),
        ("custody", "C1", "E2"), ("pool_uses", 0, "E2"), ("revealed_at_ms", world.now_ms - 3 * DAY_MS, "E2"),
        ("is_activated", True, "E1"), ("activated_at_ms", world.now_ms - DAY_MS, "E1"),
    )  # fmt: skip
    command = judging(world, order_id)
    (one,) = command.codes
    named = {fact for fact, _, _ in facts}
    kept = tuple(each for each in one.statements if each.fact not in named)
    added = judging(world, order_id, *facts).codes[0].statements[len(one.statements) :]
    codes = (type(one)(code_nos=one.code_nos, statements=(*kept, *added)),)
    await world.done(Asker.CLOCK, type(command)(**world.of_order(order_id), sha256=command.sha256, codes=codes))
    world.now_ms += DAY_MS
    return world.asked(Asker.CLOCK, EndSilence(**world.of_order(order_id)))


async def after_the_split(ground: Ground) -> Asked:
    """The escrow is empty: the deposit pays the buyer, the penalty goes to the pool."""
    world = ground.world
    order_id = await world.paid(1, ground.buyer())
    await world.done(Asker.BUYER, orders.ConfirmOrder(**world.of_order(order_id)))
    charge = deposits.ChargeDeposit(
        **world.of_order(order_id), ruling_no=1, row="R11", deduct_fen=500, refund_fen=PRICE_FEN
    )
    return world.asked(Asker.CLOCK, charge)


SCENES: Final[tuple[Callable[[Ground], Awaitable[Asked]], ...]] = (
    for_the_buyer, a_part_for_the_buyer_who_wanted_more, by_seventeen, out_of_the_pool, after_the_split,
)  # fmt: skip


@pytest.fixture(autouse=True)
def doors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ASKERS, deposits.ChargeDeposit, frozenset({Asker.CLOCK}))


async def ready(ground: Ground) -> None:
    await shop_with_deposit(ground.world, PLENTY_FEN)
    await ground.world.deposit(200)
    fund = pool.FundPool(shop_id=PLATFORM, pool_id=pool.POOL_ID, amount_fen=PLENTY_FEN, note="transfer 1")
    await ground.world.done(Asker.OPERATOR, fund)


@pytest.mark.parametrize("make", SCENES, ids=[make.__name__ for make in SCENES])
async def test_whatever_dies_while_a_ruling_is_carried_out_it_is_carried_out_once(
    make: Callable[[Ground], Awaitable[Asked]], database_url: str
) -> None:
    with panels_may_speak():
        async with a_ground(database_url) as ground:
            await ready(ground)
            await ground.performer.perform([await make(ground)])
            asked = await make(ground)
            before = await snapshot(ground)
            ground.faulty.arm(None)
            (expected,) = await ground.performer.perform([asked])
            assert isinstance(expected, Answer)
            assert not expected.refusal, expected
            statements, effect = ground.faulty.sent, changed(before, await snapshot(ground))
            assert effect["executed"] == effect["final"] == (make is not after_the_split)
            for at, name in enumerate(statements):
                for way in ways_of(name):
                    where = f"{name} (number {at}) {way}"
                    asked = await make(ground)
                    before = await snapshot(ground)
                    ground.faulty.arm(Fault(at, way))
                    await asked_once(ground.performer, asked)
                    (again,) = await ground.performer.perform([asked])
                    assert isinstance(again, Answer), where
                    assert (again.kinds, again.refusal) == (expected.kinds, ""), where
                    assert changed(before, await snapshot(ground)) == effect, where
            await must_be_clean(ground.pool, ground.world.now_ms)


async def snapshot(ground: Ground) -> Counter[str]:
    """Everything that moves, the platform's accounts and instructions to the provider included; what the shop's meter
    makes of one defect more differs from one to the next.
    """
    row = await ground.pool.fetchrow(
        """
        SELECT count(*) FILTER (WHERE kind = 'dispute.executed') AS executed,
               count(*) FILTER (WHERE kind = 'dispute.final') AS final,
               count(*) FILTER (WHERE kind NOT LIKE 'credit.%') AS events,
               (SELECT count(*) FROM effects WHERE kind <> 'tell_merchant') AS effects,
               count(*) FILTER (WHERE kind = 'dispute.stake_settled') AS settled,
               count(*) FILTER (WHERE kind = 'payment.refund_requested') AS refunds,
               count(*) FILTER (WHERE kind = 'payment.restoring') AS restored,
               count(*) FILTER (WHERE kind = 'pool.paid') AS pool_payments
        FROM events
        """
    )
    platform = {f"platform {name}": fen for name, fen in (await ground.world.looks.balances(PLATFORM)).items()}
    return Counter({**(await ground.snapshot()), **dict(row), **platform})


async def test_escrow_first_then_deposit_then_pool_and_two_at_once_are_one(database_url: str) -> None:
    with panels_may_speak():
        async with a_ground(database_url) as ground:
            world = ground.world
            await shop_with_deposit(world, 10_000)
            order_id = await before_three(world)
            await world.done(Asker.CLOCK, verdict(world, order_id, 3, PRICE_FEN, "R07a"))
            world.now_ms += DAY_MS
            final = EndSilence(**world.of_order(order_id))
            performers = [world.another_performer(), world.another_performer(), ground.performer]
            answers = await asyncio.gather(*(one.perform([world.asked(Asker.CLOCK, final)]) for one in performers))
            refusals = sorted(one.refusal for (one,) in answers if isinstance(one, Answer))
            assert refusals == ["", "ComplaintIsInAnotherStage", "ComplaintIsInAnotherStage"]
            file = await world.order(order_id)
            assert file.escrow.refunded_fen == PRICE_FEN, "the buyer out of the escrow, whole"
            assert file.restored.all == ()
            assert (await deposit_of(world)).free_fen == 10_000 - PRICE_FEN * 20 // 100, (
                "the penalty out of the deposit"
            )
            assert (await pool_of(world)).balance_fen == PRICE_FEN * 20 // 100
            split = await world.paid(1, "wang")
            await world.done(Asker.BUYER, orders.ConfirmOrder(**world.of_order(split)))
            charge = deposits.ChargeDeposit(
                **world.of_order(split), ruling_no=1, row="R11", deduct_fen=900, refund_fen=PRICE_FEN
            )
            charged = await asyncio.gather(*(one.perform([world.asked(Asker.CLOCK, charge)]) for one in performers))
            assert all(isinstance(one, Answer) and not one.refusal for (one,) in charged)
            restored = [(one.source, one.amount_fen) for one in (await world.order(split)).restored.all]
            assert restored == [("deposit", 6_000), ("pool", 4_000)], "the escrow is empty: deposit, then pool"
            assert (await deposit_of(world)).owed_fen == 900 + PRICE_FEN - 6_000
            await must_be_clean(ground.pool, world.now_ms)
