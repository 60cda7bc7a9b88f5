"""Several processes at one database want the same thing at once. Exactly as many get it as there is of it."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from api_world import Clock, deposit, open_shop, publish, settings_for
from engine_world import PlainSealer, PostgresLooks, World
from fairkey.adapters.postgres.store import ENGINE_SETTINGS, PostgresStore, nothing_to_reset
from fairkey.app import Opened, open_house
from fairkey.business import batches, codes, complaints, dispute_events, escrow, orders, payouts
from fairkey.business.askers import Asker
from fairkey.business.basics import DAY_MS, HOUR_MS, MINUTE_MS, Broken, Command
from fairkey.business.files import CouponFile
from fairkey.business.references import reference_of
from fairkey.effects.ports import PaymentNotice
from fairkey.engine import trade
from fairkey.engine.answers import Answer
from fairkey.engine.perform import Asked, Performer
from faults_world import PromptProvider, must_be_clean

pytestmark = pytest.mark.pg

PROCESSES = 8
DEADLINES = 15 * DAY_MS  # every deadline of an order has come by then


@dataclass
class Crowd:
    """Performers of several processes, each with connections of its own, and the world they share."""

    world: World
    pools: list[asyncpg.Pool]
    performers: list[Performer]

    async def race(self, asked: Sequence[Asked]) -> list[Answer]:
        """Ask all at once, one after the other process."""
        return await asyncio.gather(
            *(self.ask(self.performers[number % PROCESSES], one) for number, one in enumerate(asked))
        )

    async def ask(self, performer: Performer, asked: Asked) -> Answer:
        """Nobody gives up, nothing is broken."""
        (outcome,) = await performer.perform([asked])
        assert not isinstance(outcome, Broken), outcome
        return outcome

    async def race_of(self, by: Asker, *commands: Command) -> list[str]:
        """The refusals (nothing: it was done) of commands with an id each."""
        return [one.refusal for one in await self.race([self.world.asked(by, command) for command in commands])]

    async def must_be_clean(self) -> None:
        await must_be_clean(self.pools[0], self.world.now_ms)


@pytest.fixture
async def crowd(database_url: str) -> AsyncIterator[Crowd]:
    async with AsyncExitStack() as stack:
        pools = [
            await stack.enter_async_context(
                asyncpg.create_pool(
                    database_url, min_size=1, max_size=2, server_settings=ENGINE_SETTINGS, reset=nothing_to_reset
                )
            )
            for _ in range(PROCESSES)
        ]
        world = World(PostgresLooks(pools[0]))
        yield Crowd(world, pools, [world.another_performer(PostgresStore(pool, PlainSealer())) for pool in pools])


async def test_one_idempotency_key_at_all_processes_is_one_order(crowd: Crowd) -> None:
    """Each process makes an order id of its own for it, as edges do."""
    await (await crowd.world.open_shop()).deposit(40)
    for number in range(10):
        answers = await crowd.race(
            [crowd.world.asked(Asker.BUYER, crowd.world.placing(buyer=f"b{number}"), f"key{number}") for _ in range(16)]
        )
        assert {answer.refusal for answer in answers} == {""}
        assert len({answer.stream for answer in answers}) == 1
    assert await crowd.world.stages() == {"reserved": 10, "free": 30}
    await crowd.must_be_clean()


async def test_payment_notices_come_to_all_processes_repeated_and_in_any_order(crowd: Crowd) -> None:
    await (await crowd.world.open_shop()).deposit(20)
    order_ids = [await crowd.world.place(buyer=f"b{number}") for number in range(20)]
    notices = [
        crowd.world.asked(Asker.PROVIDER, crowd.world.paying(order_id, amount_fen, f"{order_id}{part}"), f"{part}{n}")
        for n, order_id in enumerate(order_ids)
        for part, amount_fen in (("first", 400), ("rest", 600), ("again", 1_000))
        for _ in range(4)
    ]
    random.Random(1).shuffle(notices)
    await crowd.race(notices)
    assert await crowd.world.stages() == {"delivered": 20}
    for order_id in order_ids:
        money = (await crowd.world.order(order_id)).escrow
        assert (money.received_fen, money.held_fen, money.refunded_fen) == (2_000, 1_000, 1_000)
    await crowd.must_be_clean()


async def test_stepping_back_confirming_complaining_and_the_clock_come_at_once(crowd: Crowd) -> None:
    await (await crowd.world.open_shop()).deposit(24)
    order_ids = [await crowd.world.paid(buyer=f"b{number}") for number in range(24)]
    crowd.world.now_ms += 7 * DAY_MS
    asked = []
    for order_id in order_ids:
        about = crowd.world.of_order(order_id)
        complain = complaints.OpenComplaint(**about, reason=dispute_events.Reason.OTHER, text="It does not work.")
        asked += [
            crowd.world.asked(Asker.BUYER, orders.WithdrawOrder(**about)),
            crowd.world.asked(Asker.BUYER, orders.ConfirmOrder(**about)),
            crowd.world.asked(Asker.BUYER, complain),
            crowd.world.asked(Asker.CLOCK, orders.CompleteOrder(**about)),
            crowd.world.asked(Asker.BUYER, codes.RevealCodes(**about)),
        ]
    random.Random(2).shuffle(asked)
    answers = await crowd.race(asked)
    ended = Counter(
        one.command.order_id
        for one, answer in zip(asked, answers, strict=True)
        if not answer.refusal and not isinstance(one.command, codes.RevealCodes)
    )
    assert ended == dict.fromkeys(order_ids, 1), "one of the four for each order"
    for order_id in order_ids:
        file = await crowd.world.order(order_id)
        opened = file.codes.count(codes.CodeStage.REVEALED)
        assert not (file.order.stage is orders.Stage.CANCELLED and opened), "nobody keeps an opened code and the money"
    await crowd.must_be_clean()


async def test_a_complaint_is_closed_once_whoever_closes_it(crowd: Crowd) -> None:
    await (await crowd.world.open_shop()).deposit(16)
    asked = []
    order_ids = [await crowd.world.paid(buyer=f"b{number}") for number in range(16)]
    for order_id in order_ids:
        about = crowd.world.of_order(order_id)
        complain = complaints.OpenComplaint(
            **about, reason=dispute_events.Reason.OTHER, text="It does not work.", demand_fen=600
        )
        await crowd.world.done(Asker.BUYER, complain)
        await crowd.world.done(Asker.MERCHANT, complaints.ContestComplaint(**about, text="It was new."))
        half = complaints.OfferSettlement(**about, by=dispute_events.Side.BUYER, refund_fen=300)
        await crowd.world.done(Asker.BUYER, half)
        asked += [
            crowd.world.asked(Asker.MERCHANT, complaints.AcceptComplaint(**about)),
            crowd.world.asked(Asker.BUYER, complaints.WithdrawComplaint(**about)),
            crowd.world.asked(
                Asker.MERCHANT, complaints.AnswerOffer(**about, by=dispute_events.Side.SHOP, offer_no=1, accepted=True)
            ),
            crowd.world.asked(Asker.CLOCK, complaints.EndSilence(**about)),
        ]
    crowd.world.now_ms += 48 * HOUR_MS
    random.Random(3).shuffle(asked)
    answers = await crowd.race(asked)
    assert sum(not answer.refusal for answer in answers) == len(order_ids)
    for order_id in order_ids:
        money = (await crowd.world.order(order_id)).escrow
        assert money.held_fen == 0
        assert money.refunded_fen in (0, 300, 600)
        assert money.refunded_fen + money.released_fen + money.fee_fen == 1_000
    await crowd.must_be_clean()


async def test_a_coupon_with_one_use_is_used_once(crowd: Crowd) -> None:
    world = crowd.world
    await (await world.open_shop()).deposit(20)
    coupon_id = await world.create_coupon(off_fen=100, uses_max=1)
    for number in range(5):
        wishes = [
            world.placing(buyer=f"{number}{one}", coupon_id=coupon_id, coupon_code="SPRING") for one in range(12)
        ]
        refusals = await crowd.race_of(Asker.BUYER, *wishes)
        assert Counter(refusals) == {"": 1, "CouponIsNotValid": 11}
        winner = wishes[refusals.index("")]
        give_up = orders.GiveUpOrder(**world.of_order(winner.order_id))
        assert sorted(await crowd.race_of(Asker.BUYER, *[give_up] * 4)) == ["", *["OrderIsInAnotherStage"] * 3]
    found = await world.looks.file(world.stream("coupon", coupon_id))
    assert found is not None
    assert isinstance(found[1], CouponFile)
    assert found[1].coupon.uses == 0
    await crowd.must_be_clean()


async def test_one_buyer_in_all_processes_does_not_pass_his_limits(crowd: Crowd) -> None:
    world = crowd.world
    await (await world.open_shop(per_buyer_max=2)).deposit(40)
    wishes = [world.placing(buyer="greedy") for _ in range(16)]
    refusals = await crowd.race_of(Asker.BUYER, *wishes)
    assert Counter(refusals) == {"": 2, "PurchaseLimitIsReached": 14}
    for wish, refusal in zip(wishes, refusals, strict=True):
        if not refusal:
            await world.pay(wish.order_id, 1_000)
    assert set(await crowd.race_of(Asker.BUYER, *(world.placing(buyer="greedy") for _ in range(8)))) == {
        "PurchaseLimitIsReached"
    }
    await world.publish(per_buyer_max=0)
    refusals = await crowd.race_of(Asker.BUYER, *(world.placing(buyer="hoarder", revision=2) for _ in range(16)))
    assert Counter(refusals) == {"": 3, "TooManyUnpaidOrders": 13}
    await crowd.must_be_clean()


async def test_payouts_do_not_draw_more_than_there_is(crowd: Crowd) -> None:
    world = crowd.world
    await (await world.open_shop()).deposit(4)
    released = []
    for number in range(4):
        order_id = await world.paid(buyer=f"b{number}")
        await world.done(Asker.BUYER, orders.ConfirmOrder(**world.of_order(order_id)))
        settled = escrow.RecordRelease(**world.of_order(order_id), release_no=1, attempt=1, succeeded=True)
        released.append(world.asked(Asker.PROVIDER, settled))
    draws = [
        world.asked(
            Asker.MERCHANT, payouts.RequestPayout(shop_id=world.shop_id, payout_id=world.new_id(), amount_fen=900)
        )
        for _ in range(24)
    ]
    early = await crowd.race([*released, *draws[:8]])
    late = await crowd.race(draws[8:])
    drawn = sum(not answer.refusal for answer in [*early[4:], *late])
    assert drawn == 4 * 980 // 900
    assert (await world.money())["shop_available"] == 4 * 980 - drawn * 900
    await crowd.must_be_clean()


async def test_a_batch_is_taken_off_sale_while_buyers_place(crowd: Crowd) -> None:
    world = crowd.world
    await world.open_shop()
    for number in range(6):
        batch_id = await world.deposit(10)
        take = [batches.WithdrawCodes(shop_id=world.shop_id, batch_id=batch_id)] * 2
        wishes = [world.placing(2, buyer=f"{number}{one}") for one in range(10)]
        asked = [
            *(world.asked(Asker.MERCHANT, one) for one in take),
            *(world.asked(Asker.BUYER, wish) for wish in wishes),
        ]
        random.Random(number).shuffle(asked)
        answers = await crowd.race(asked)
        taken = [answer for one, answer in zip(asked, answers, strict=True) if one.by is Asker.MERCHANT]
        assert sorted({answer.refusal for answer in taken}) in (["", "NothingIsUnsold"], ["NothingIsUnsold"])
        assert await world.stock() == 0
    sold = await world.stages()
    assert sold["reserved"] + sold["withdrawn"] == 60
    await crowd.must_be_clean()


async def test_codes_are_typed_at_the_moment_when_the_promise_ends(crowd: Crowd) -> None:
    world = crowd.world
    await world.open_shop(delivery="manual", promise_min=30)
    order_ids = [await world.paid(2, buyer=f"b{number}") for number in range(12)]
    world.now_ms += 30 * MINUTE_MS
    asked = []
    for order_id in order_ids:
        about = world.of_order(order_id)
        for _ in range(2):  # two people of the shop, each with codes of his own
            code_ids = tuple(world.new_id() for _ in range(2))
            await world.looks.put_in_vault(world.shop_id, order_id, code_ids, custody=2)
            typed = codes.DeliverTyped(**about, codes=code_ids, commitments=("aa" * 32,) * 2)
            asked.append(world.asked(Asker.MERCHANT, typed))
        asked += [
            world.asked(Asker.CLOCK, orders.CancelLateOrder(**about)),
            world.asked(Asker.BUYER, orders.AgreeToWait(**about)),
        ]
    random.Random(5).shuffle(asked)
    answers = await crowd.race(asked)
    typed_for = Counter(
        one.command.order_id
        for one, answer in zip(asked, answers, strict=True)
        if isinstance(one.command, codes.DeliverTyped) and not answer.refusal
    )
    for order_id in order_ids:
        stage = await world.stage_of(order_id)
        assert (stage, typed_for[order_id]) in (("delivered", 1), ("cancelled", 0))
    await crowd.must_be_clean()


async def test_who_came_too_early_for_the_last_codes_waits_for_whoever_holds_them(crowd: Crowd) -> None:
    """Codes that somebody else picked and then does not take are not sold out."""
    await (await crowd.world.open_shop()).deposit(2)
    async with crowd.pools[1].acquire() as other:
        holds = other.transaction()
        await holds.start()
        assert len(await other.fetch("SELECT FROM codes WHERE is_free FOR UPDATE")) == 2
        placing = asyncio.create_task(crowd.race_of(Asker.BUYER, crowd.world.placing(2)))
        while not await crowd.pools[2].fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            assert not placing.done()
        await holds.rollback()
    assert await placing == [""]
    assert await crowd.world.stages() == {"reserved": 2}


# Whole houses: workers.


@dataclass
class Houses:
    """Several houses on one database, one provider that they all talk to, one clock."""

    opened: list[Opened]
    provider: PromptProvider
    clock: Clock
    shop_id: str
    shop_no: int
    listing_id: str

    async def sold(self, number: int) -> list[str]:
        """Ids of orders that were paid through some house; each buyer paid twice."""
        order_ids = []
        for n in range(number):
            house = self.opened[n % len(self.opened)].house
            wish = trade.Placing(
                shop_id=self.shop_id, listing_id=self.listing_id, revision=1, quantity=1, contact=f"b{n}@example.com"
            )
            placed = await trade.place(house, wish)
            assert not placed.answer.refusal, placed
            order_ids.append(placed.order_id)
            for txn in ("one", "two"):
                notice = PaymentNotice(
                    provider_txn=f"{placed.order_id}{txn}",
                    reference=reference_of(self.shop_no, placed.order_id),
                    amount_fen=9_500,
                    currency="CNY",
                    paid_at_ms=self.clock(),
                )
                await trade.record_notice(house, "sandbox", notice)
        return order_ids


@asynccontextmanager
async def houses(database_url: str, state: Path, number: int) -> AsyncIterator[Houses]:
    async with AsyncExitStack() as stack:
        clock, provider = Clock(), PromptProvider()
        settings = settings_for(database_url, state, FAIRKEY_DATABASE_CONNECTIONS="4")
        opened = [
            await stack.enter_async_context(
                open_house(settings, database_url, now_ms=clock, providers={"sandbox": provider})
            )
            for _ in range(number)
        ]
        shop_id, shop_no = await open_shop(opened[0])
        listing_id = await publish(opened[0], shop_id)
        await deposit(opened[0], shop_id, listing_id, 30)
        yield Houses(opened, provider, clock, shop_id, shop_no, listing_id)


async def test_workers_share_the_outbox_and_the_clock(database_url: str, state_dir: Path) -> None:
    async with houses(database_url, state_dir, 3) as town:
        order_ids = await town.sold(20)
        pool = town.opened[0].pool
        for _ in range(4):
            await asyncio.gather(*(one.worker.do_effects() for one in town.opened for _ in range(2)))
        assert len(town.provider.asked) == 20, "the second payment of each goes back"
        assert set(town.provider.asked.values()) == {1}
        town.clock.ms += DEADLINES
        for _ in range(4):
            await asyncio.gather(*(one.worker.step() for one in town.opened for _ in range(2)))
        assert len(town.provider.asked) == 40, "and each price goes to the shop"
        assert set(town.provider.asked.values()) == {1}, "nothing is done twice"
        completed = "SELECT stream_id::text, count(*) FROM events WHERE kind = 'order.completed' GROUP BY 1"
        assert dict(await pool.fetch(completed)) == dict.fromkeys(order_ids, 1)
        assert await pool.fetchval("SELECT count(*) FROM effects WHERE state <> 'done'") == 0
        assert await pool.fetchval("SELECT count(*) FROM events WHERE kind = 'payment.settled'") == 20
        await must_be_clean(pool, town.clock(), town.opened[0].keys)


async def test_a_house_that_stops_answers_what_it_was_asked(database_url: str, state_dir: Path) -> None:
    async with houses(database_url, state_dir, 2) as town:
        first, second = (one.house for one in town.opened)
        wishes = [
            trade.Placing(
                shop_id=town.shop_id, listing_id=town.listing_id, revision=1, quantity=1, contact=f"b{n}@example.com"
            )
            for n in range(20)
        ]
        asked = [
            asyncio.create_task(trade.place(first, wish, command_id=f"key{n}")) for n, wish in enumerate(wishes)
        ]
        await asyncio.sleep(0)
        await town.opened[0].stop()
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert any(isinstance(one, trade.Placed) for one in answers)
        again = [await trade.place(second, wish, command_id=f"key{n}") for n, wish in enumerate(wishes)]
        for before, after in zip(answers, again, strict=True):
            assert not after.answer.refusal
            assert not isinstance(before, trade.Placed) or before == after
        assert len({one.order_id for one in again}) == 20
        await must_be_clean(town.opened[1].pool, town.clock(), town.opened[1].keys)
