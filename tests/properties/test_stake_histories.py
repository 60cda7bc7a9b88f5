"""Whatever sides and panels do with a dispute, money moves once: seeded histories through the engine."""

import asyncio
import random
from collections import Counter
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as some

from dispute_world import PRICE_FEN, before_three, deposit_of, panels_may_speak, pool_of, shop_with_deposit, verdict
from engine_world import MemoryLooks, World
from fairkey.business.askers import Asker
from fairkey.business.basics import DAY_MS, PLATFORM, Command
from fairkey.business.complaints import (
    AcceptComplaint,
    AnswerOffer,
    AppealRuling,
    EndSilence,
    OfferSettlement,
    TakePanelLapse,
    TakeRuling,
    WithdrawComplaint,
    panel_id_of,
)
from fairkey.business.dispute_events import Side
from fairkey.business.dispute_state import Complaint, ComplaintStage

NAMED: Final = ("R13", "R03b", "R05a", "R07a", "R04", "R05b")
STEPS_MAX: Final = 30
LIKELY: Final = 0.8


def wish(chance: random.Random, world: World, order_id: str, complaint: Complaint) -> tuple[Asker, Command]:
    """What is tried next; some of it is refused."""
    about, level = world.of_order(order_id), complaint.level or 3
    refund_fen = chance.choice((0, 1, 700, PRICE_FEN // 2, PRICE_FEN - 1, PRICE_FEN, chance.randint(0, PRICE_FEN)))
    side = chance.choice((Side.BUYER, Side.SHOP))
    asker = Asker.BUYER if side is Side.BUYER else Asker.MERCHANT
    if complaint.stage is ComplaintStage.PANEL:
        likely: tuple[Asker, Command] = (
            Asker.CLOCK,
            verdict(world, order_id, level, refund_fen, chance.choice(NAMED)),
        )
    else:
        likely = (asker, AppealRuling(**about, by=side, text="It was overlooked."))
    if chance.random() < LIKELY:
        return likely
    unlikely: list[tuple[Asker, Command]] = [
        (asker, TakeRuling(**about, by=side)),
        (Asker.CLOCK, TakePanelLapse(**about, panel_id=panel_id_of(order_id, level))),
        (asker, OfferSettlement(**about, by=side, refund_fen=refund_fen)),
        (asker, AnswerOffer(**about, by=side, offer_no=len(complaint.offers), accepted=True)),
        (Asker.BUYER, WithdrawComplaint(**about)),
        (Asker.MERCHANT, AcceptComplaint(**about)),
        (Asker.CLOCK, EndSilence(**about)),
    ]
    return chance.choice(unlikely)


async def balanced(world: World) -> None:
    """What the provider holds is what is owed, for the shop and for the platform; and no account is below zero."""
    for shop_id in (world.shop_id, PLATFORM):
        money = await world.looks.balances(shop_id)
        held_fen = money.pop("provider_clearing", 0)
        assert held_fen == sum(money.values()), (shop_id, held_fen, money)
        assert all(fen >= 0 for fen in money.values())
    deposit = await deposit_of(world)
    assert (await world.money()).get("stake", 0) == deposit.staked_fen


async def history(seed: int, deposit_fen: int) -> None:
    chance, world = random.Random(seed), World(MemoryLooks())
    await shop_with_deposit(world, deposit_fen)
    order_ids = [await before_three(world) for _ in range(2)]
    for _ in range(STEPS_MAX):
        order_id = chance.choice(order_ids)
        complaint = (await world.order(order_id)).complaint
        asker, command = wish(chance, world, order_id, complaint)
        if isinstance(command, EndSilence) and complaint.due_at_ms:
            world.now_ms = max(world.now_ms, complaint.due_at_ms)
        again = world.new_id()
        first = await world.ask(asker, command, again)
        assert await world.ask(asker, command, again) == first, "asked twice it is done once"
        await balanced(world)
    for order_id in order_ids:
        while (complaint := (await world.order(order_id)).complaint).stage is not ComplaintStage.CLOSED:
            world.now_ms = max(world.now_ms + DAY_MS, complaint.due_at_ms)
            await world.done(Asker.CLOCK, EndSilence(**world.of_order(order_id)))
        await balanced(world)
    await settled(world, order_ids)


async def settled(world: World, order_ids: list[str]) -> None:
    """Every stake ended once; every fen of the orders is with the buyer, the shop, the platform or the arbitrators."""
    deposit = await deposit_of(world)
    assert deposit.stakes == {}
    moves = Counter(await world.looks.kinds(world.stream("deposit", world.shop_id)))
    assert moves["deposit.stake_locked"] == moves["deposit.stake_returned"] + moves["deposit.stake_forfeited"]
    kept_fen = 0
    for order_id in order_ids:
        file = await world.order(order_id)
        kinds = Counter(await world.looks.kinds(world.stream("order", order_id)))
        assert file.complaint.stakes == ()
        assert kinds["dispute.final"] == 1
        assert kinds["dispute.executed"] <= 1
        assert kinds["payment.stake_kept"] <= 1
        assert file.escrow.held_fen == 0
        assert file.escrow.refunded_fen == file.complaint.refund_fen
        assert file.escrow.stake_fen == file.complaint.kept_fen
        assert file.complaint.kept_fen <= file.complaint.refund_fen, "half at most"
        assert file.escrow.refunded_fen + file.escrow.released_fen + file.escrow.fee_fen == PRICE_FEN
        kept_fen += file.complaint.kept_fen
    assert (await world.money()).get("arbitration", 0) == kept_fen
    pool = await pool_of(world)
    came_fen = sum(one.amount_fen for one in deposit.top_ups)
    assert deposit.free_fen + pool.took_fen == came_fen, "what left the deposit is in the pool"


@given(seed=some.integers(0, 2**32), deposit_fen=some.sampled_from((0, 10_000, 60_000)))
@settings(max_examples=60, deadline=None)
def test_money_moves_once_through_any_history(seed: int, deposit_fen: int) -> None:
    with panels_may_speak():
        asyncio.run(history(seed, deposit_fen))
