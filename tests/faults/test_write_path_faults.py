"""Every statement of the write path fails once, in each way a database can fail. Asked again with the same id, a
command comes to exactly one effect.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import cast, get_args

import asyncpg
import pytest
from msgspec.structs import replace

from engine_world import TERMS, PlainSealer, PostgresLooks, World
from fairkey.adapters.postgres.store import ENGINE_SETTINGS, PostgresStore, nothing_to_reset
from fairkey.business import batches, codes, complaints, dispute_events, escrow, listings, orders, payouts, shops
from fairkey.business.askers import Asker
from fairkey.engine.answers import Answer, StoreIsAway
from fairkey.engine.perform import Asked, Performer, Rules
from faults_world import NAMES, Fault, FaultyPool, Way, must_be_clean

pytestmark = pytest.mark.pg

WAYS: tuple[Way, ...] = get_args(Way)
WAYS_OF_READING: tuple[Way, ...] = ("server_gone", "conflict")  # what was only read is nobody's loss
COVERED = Rules(small_trial_fen=10**9, first_order_fen=10**9)  # bounds that are looked at and never reached
ONLY_IN_A_RACE = {"PICK_CODES_WAITING"}  # while another process holds the last codes: test_several_processes.py


@dataclass
class Ground:
    """One world on one database, with one performer whose connections can fail."""

    world: World
    pool: asyncpg.Pool
    faulty: FaultyPool
    performer: Performer
    numbers: "count[int]"

    def buyer(self) -> str:
        """Somebody new, so that nobody has too many unpaid orders."""
        return f"buyer{next(self.numbers)}"

    async def snapshot(self) -> Counter[str]:
        """Everything that a command can change, as numbers."""
        row = await self.pool.fetchrow(
            """
            SELECT (SELECT count(*) FROM events) AS events, (SELECT count(*) FROM answers) AS answers,
                   (SELECT count(*) FROM effects) AS effects, (SELECT count(*) FROM ledger) AS ledger,
                   (SELECT count(*) FROM sealed_fields) AS sealed, (SELECT count(*) FROM streams) AS streams,
                   (SELECT count(*) FROM listing_revisions) AS revisions,
                   (SELECT count(*) FROM imports WHERE state = 'registered') AS imports
            """
        )
        codes_now = {f"codes {stage}": number for stage, number in (await self.world.stages()).items()}
        return Counter({**dict(row), "stock": await self.world.stock(), **codes_now, **await self.world.money()})


@asynccontextmanager
async def a_ground(database_url: str) -> AsyncIterator[Ground]:
    async with asyncpg.create_pool(
        database_url,
        min_size=1,
        max_size=4,
        server_settings=ENGINE_SETTINGS | {"synchronous_commit": "off"},
        reset=nothing_to_reset,
    ) as pool:
        world = World(PostgresLooks(pool), rules=COVERED)
        faulty = FaultyPool(pool)
        performer = world.another_performer(PostgresStore(cast("asyncpg.Pool", faulty), PlainSealer()))
        yield Ground(world, pool, faulty, performer, count(1))


# What is asked. Each makes ready what it needs and says what is then to be asked.

Make = Callable[[Ground], Awaitable[Asked]]


async def place(ground: Ground) -> Asked:
    return ground.world.asked(Asker.BUYER, ground.world.placing(2, ground.buyer()))


async def place_with_coupon(ground: Ground) -> Asked:
    coupon_id = await ground.world.create_coupon(off_fen=100, uses_max=1)
    buyer = ground.buyer()
    wish = ground.world.placing(1, buyer, coupon_id=coupon_id, coupon_code="SPRING", address_key=f"net of {buyer}")
    return ground.world.asked(Asker.BUYER, wish)


async def pay(ground: Ground) -> Asked:
    order_id = await ground.world.place(1, ground.buyer())
    return ground.world.asked(Asker.PROVIDER, ground.world.paying(order_id, 1_300, order_id), f"pay:{order_id}")


async def pay_late(ground: Ground) -> Asked:
    order_id = await ground.world.place(1, ground.buyer())
    await ground.world.done(Asker.BUYER, orders.GiveUpOrder(**ground.world.of_order(order_id)))
    return ground.world.asked(Asker.PROVIDER, ground.world.paying(order_id, 1_000, order_id), f"pay:{order_id}")


async def reveal(ground: Ground) -> Asked:
    order_id = await ground.world.paid(2, ground.buyer())
    return ground.world.asked(
        Asker.BUYER, codes.RevealCodes(**ground.world.of_order(order_id), account_name="li", account_region="CN")
    )


async def close_complaint_with_refund(ground: Ground) -> Asked:
    order_id = await ground.world.paid(1, ground.buyer())
    about = ground.world.of_order(order_id)
    complain = complaints.OpenComplaint(
        **about, reason=dispute_events.Reason.NOT_VALID, text="It does not work.", demand_fen=400
    )
    await ground.world.done(Asker.BUYER, complain)
    return ground.world.asked(Asker.MERCHANT, complaints.AcceptComplaint(**about))


async def expire(ground: Ground) -> Asked:
    order_id = await ground.world.place(1, ground.buyer())
    await ground.world.pay(order_id, 999, f"short:{order_id}")
    ground.world.now_ms += orders.PAYMENT_WINDOW_MS
    return ground.world.asked(Asker.CLOCK, orders.ExpireOrder(**ground.world.of_order(order_id)))


async def register_batch(ground: Ground) -> Asked:
    batch_id, code_ids = await ground.world.stage(3)
    return ground.world.asked(Asker.MERCHANT, ground.world.register(batch_id, len(code_ids)), f"batch:{batch_id}")


async def take_codes_back(ground: Ground) -> Asked:
    batch_id = await ground.world.deposit(3)
    return ground.world.asked(Asker.MERCHANT, batches.WithdrawCodes(shop_id=ground.world.shop_id, batch_id=batch_id))


async def take_batch_off_sale(ground: Ground) -> Asked:
    batch_id = await ground.world.deposit(3)
    doubt = batches.QuarantineBatch(
        shop_id=ground.world.shop_id, batch_id=batch_id, order_id=ground.world.new_id(), row="R03"
    )
    return ground.world.asked(Asker.CLOCK, doubt)


async def let_batch_back(ground: Ground) -> Asked:
    doubt = await take_batch_off_sale(ground)
    assert isinstance(doubt.command, batches.QuarantineBatch)
    await ground.world.done(Asker.CLOCK, doubt.command)
    about = {"shop_id": ground.world.shop_id, "batch_id": doubt.command.batch_id}
    ask = batches.AskBatchReview(**about, grounds="Bought from the publisher on 2 May.")
    await ground.world.done(Asker.MERCHANT, ask)
    yes = batches.AnswerBatchReview(**about, request_no=1, granted=True, reason="The invoice names all of them.")
    return ground.world.asked(Asker.OPERATOR, yes)


async def deliver_typed(ground: Ground) -> Asked:
    order_id = await ground.world.paid(2, ground.buyer())
    code_ids = [ground.world.new_id() for _ in range(2)]
    await ground.world.looks.put_in_vault(ground.world.shop_id, order_id, code_ids, custody=2)
    command = codes.DeliverTyped(**ground.world.of_order(order_id), codes=tuple(code_ids), commitments=("aa" * 32,) * 2)
    return ground.world.asked(Asker.MERCHANT, command)


async def pay_out(ground: Ground) -> Asked:
    world = ground.world
    order_id = await world.paid(1, ground.buyer())
    await world.done(Asker.BUYER, orders.ConfirmOrder(**world.of_order(order_id)))
    settled = escrow.RecordRelease(**world.of_order(order_id), release_no=1, attempt=1, succeeded=True)
    await world.done(Asker.PROVIDER, settled)
    draw = payouts.RequestPayout(shop_id=world.shop_id, payout_id=world.new_id(), amount_fen=980)
    return world.asked(Asker.MERCHANT, draw)


async def publish(ground: Ground) -> Asked:
    terms = replace(TERMS, price_fen=1_000 + next(ground.numbers), per_buyer_max=9)
    world = ground.world
    return world.asked(
        Asker.MERCHANT, listings.PublishListing(shop_id=world.shop_id, listing_id=world.listing_id, terms=terms)
    )


async def sold_out(ground: Ground) -> Asked:
    """A refusal writes nothing, whatever goes wrong on the way."""
    ground.world.listing_id = ground.world.new_id()
    await ground.world.publish()
    return ground.world.asked(Asker.BUYER, ground.world.placing(1, ground.buyer()))


async def open_shop(ground: Ground) -> Asked:
    ground.world.shop_id, ground.world.listing_id = ground.world.new_id(), ground.world.new_id()
    command = shops.OpenShop(
        shop_id=ground.world.shop_id,
        shop_no=100 + next(ground.numbers),
        name="Shop",
        contact="a@b.c",
        payout_account="bank",
        fee_bp=200,
        admitted=True,
    )
    return ground.world.asked(Asker.MERCHANT, command)


async def first_batch(ground: Ground) -> Asked:
    """Sums of a new listing are started."""
    await ground.world.done(Asker.MERCHANT, (await open_shop(ground)).command)
    await ground.world.publish()
    return await register_batch(ground)


async def first_money(ground: Ground) -> Asked:
    """Sums of a new shop's accounts are started."""
    await ground.world.done(Asker.MERCHANT, (await first_batch(ground)).command)
    return await pay(ground)


SCENES: tuple[tuple[Make, dict[str, object]], ...] = (
    (place, {"per_buyer_max": 9}),
    (place_with_coupon, {}),
    (pay, {}),
    (pay_late, {}),
    (reveal, {}),
    (close_complaint_with_refund, {}),
    (expire, {}),
    (register_batch, {}),
    (take_codes_back, {}),
    (take_batch_off_sale, {}),
    (let_batch_back, {}),
    (deliver_typed, {"delivery": "manual", "promise_min": 30}),
    (pay_out, {}),
    (publish, {}),
    (sold_out, {}),
    (open_shop, {}),
    (first_batch, {}),
    (first_money, {}),
)


async def statements_of(ground: Ground, make: Make) -> tuple[list[str], Answer, Counter[str]]:
    """What is sent when nothing goes wrong, what it comes to, and by how much it changes what is kept."""
    asked = await make(ground)
    before = await ground.snapshot()
    ground.faulty.arm(None)
    (answer,) = await ground.performer.perform([asked])
    assert isinstance(answer, Answer)
    return ground.faulty.sent, answer, changed(before, await ground.snapshot())


def ways_of(statement: str) -> tuple[Way, ...]:
    reads = statement.startswith(("READ_", "PEEK_", "LOCK_", "PICK_", "UNPAID_", "BOUGHT_", "COUNT_"))
    return WAYS_OF_READING if reads else WAYS


def changed(before: Counter[str], after: Counter[str]) -> Counter[str]:
    return Counter({name: after[name] - before[name] for name in before | after if after[name] != before[name]})


@pytest.mark.parametrize(("make", "terms"), SCENES, ids=[make.__name__ for make, _ in SCENES])
async def test_whatever_fails_a_command_has_one_effect(make: Make, terms: dict[str, object], database_url: str) -> None:
    async with a_ground(database_url) as ground:
        await ground.world.open_shop(**terms)
        await ground.world.deposit(200)
        await ground.performer.perform([await make(ground)])  # sums that start with the first one have started
        statements, expected, effect = await statements_of(ground, make)
        assert statements[0] == "BEGIN"
        assert statements[-1] == "COMMIT"
        for at, name in enumerate(statements):
            for way in ways_of(name):
                where = f"{name} (number {at}) {way}"
                asked = await make(ground)
                before = await ground.snapshot()
                ground.faulty.arm(Fault(at, way))
                first = await asked_once(ground.performer, asked)
                after_failure = changed(before, await ground.snapshot())
                is_written = (name == "COMMIT" and way in ("answer_lost", "asker_gone")) or way == "conflict"
                assert (first is not None) == (way == "conflict"), where
                assert after_failure == (effect if is_written else Counter()), where
                (again,) = await ground.performer.perform([asked])
                assert isinstance(again, Answer), where
                assert (again.kinds, again.refusal) == (expected.kinds, expected.refusal), where
                assert changed(before, await ground.snapshot()) == effect, where
                assert await ground.performer.perform([asked]) == [again], where
                assert changed(before, await ground.snapshot()) == effect, where
        await must_be_clean(ground.pool, ground.world.now_ms)


async def asked_once(performer: Performer, asked: Asked) -> Answer | None:
    """The answer; none if the asker is left not knowing."""
    try:
        (answer,) = await performer.perform([asked])
    except (StoreIsAway, asyncio.CancelledError):
        return None
    assert isinstance(answer, Answer)
    return answer


async def test_neighbours_in_a_batch_fail_and_succeed_together(database_url: str) -> None:
    """A buyer, a payment and a merchant in one transaction: all of it is there, or none."""
    async with a_ground(database_url) as ground:
        await ground.world.open_shop()
        await ground.world.deposit(800)

        async def batch() -> list[Asked]:
            return [await make(ground) for make in (place, pay, reveal, close_complaint_with_refund, expire)]

        await ground.performer.perform(await batch())
        asked = await batch()
        before = await ground.snapshot()
        ground.faulty.arm(None)
        await ground.performer.perform(asked)
        statements, effect = ground.faulty.sent, changed(before, await ground.snapshot())
        for at, name in enumerate(statements):
            for way in ways_of(name):
                asked = await batch()
                before = await ground.snapshot()
                ground.faulty.arm(Fault(at, way))
                try:
                    await ground.performer.perform(asked)
                except (StoreIsAway, asyncio.CancelledError):
                    assert changed(before, await ground.snapshot()) in (Counter(), effect), (name, way)
                outcomes = await ground.performer.perform(asked)
                assert [getattr(one, "refusal", one) for one in outcomes] == [""] * 5, (name, way)
                assert changed(before, await ground.snapshot()) == effect, (name, way)
        await must_be_clean(ground.pool, ground.world.now_ms)


async def test_no_statement_of_the_write_path_is_left_out(database_url: str) -> None:
    sent: set[str] = set()
    async with a_ground(database_url) as ground:
        for make, terms in SCENES:
            ground.world.shop_id, ground.world.listing_id = ground.world.new_id(), ground.world.new_id()
            await ground.world.open_shop(**terms)
            await ground.world.deposit(20)
            sent.update((await statements_of(ground, make))[0])
    assert set(NAMES.values()) - sent == ONLY_IN_A_RACE
