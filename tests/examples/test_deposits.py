"""Given, when, then for deposits, the guarantee pool and what covers a shop's next order; over either store."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_world import MemoryLooks, PostgresLooks, World
from fairkey.adapters.postgres.audit import audit
from fairkey.adapters.postgres.store import ENGINE_SETTINGS
from fairkey.business import covering, deposit_events, deposits, orders, pool, restoring
from fairkey.business.askers import ASKERS, Asker
from fairkey.business.basics import DAY_MS, PLATFORM, Command, Event, Refusal, Stream
from fairkey.business.files import DepositFile, PoolFile
from fairkey.business.postings import Account, postings_of
from fairkey.engine.event_store import Commit, EventStore, Transaction
from fairkey.engine.perform import Rules
from fairkey.engine.rebuild import compare, rebuild
from fairkey.read_tables.kept import legs_of

RULES = Rules(small_trial_fen=3_000, cover_bp=1_000)


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.pg)])
async def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    for command in (deposits.ChargeDeposit, deposits.LockStake, deposits.ReturnStake, deposits.ForfeitStake):
        monkeypatch.setitem(ASKERS, command, frozenset({Asker.CLOCK}))  # asked here as rulings ask for them
    monkeypatch.setitem(ASKERS, pool.PayFromPool, frozenset({Asker.CLOCK}))
    if request.param == "memory":
        world = World(MemoryLooks(), rules=RULES)
        yield world
        tables = world.looks.store.tables
        assert compare(tables.picture(), rebuild(tables)) == []
        return
    dsn = request.getfixturevalue("database_url")
    async with asyncpg.create_pool(dsn, min_size=1, max_size=3, server_settings=ENGINE_SETTINGS) as db:
        world = World(PostgresLooks(db), rules=RULES)
        yield world
        assert [one for one in await audit(db, world.now_ms) if one.invariant in ("money", "refunds")] == []


async def deposit_of(world: World) -> deposits.Deposit:
    found = await world.looks.file(world.stream("deposit", world.shop_id))
    assert found is not None
    assert isinstance(found[1], DepositFile)
    return found[1].deposit


async def pool_now(world: World) -> pool.Pool:
    found = await world.looks.file(Stream(PLATFORM, "pool", pool.POOL_ID))
    assert found is not None
    assert isinstance(found[1], PoolFile)
    return found[1].pool


async def with_deposit(world: World, amount_fen: int, txn: str = "top-up") -> None:
    await world.done(Asker.MERCHANT, deposits.AgreeDeposit(shop_id=world.shop_id, version=deposits.TERMS_VERSION))
    top_up_id = world.new_id()
    await world.done(
        Asker.MERCHANT, deposits.TopUpDeposit(shop_id=world.shop_id, top_up_id=top_up_id, amount_fen=amount_fen)
    )
    await world.done(
        Asker.PROVIDER,
        deposits.RecordTopUp(
            shop_id=world.shop_id,
            top_up_id=top_up_id,
            provider="sandbox",
            provider_txn=txn,
            amount_fen=amount_fen,
            paid_at_ms=world.now_ms,
        ),
    )
    no = len((await deposit_of(world)).top_ups)
    await world.done(
        Asker.PROVIDER, deposits.RecordSecured(shop_id=world.shop_id, top_up_no=no, attempt=1, succeeded=True)
    )


async def completed(world: World, quantity: int = 1, buyer: str = "li") -> str:
    order_id = await world.paid(quantity, buyer)
    await world.done(Asker.BUYER, orders.ConfirmOrder(**world.of_order(order_id)))
    return order_id


def charging(world: World, order_id: str, no: int = 1, deduct_fen: int = 0, refund_fen: int = 0) -> Command:
    return deposits.ChargeDeposit(
        **world.of_order(order_id), ruling_no=no, row="R11", deduct_fen=deduct_fen, refund_fen=refund_fen
    )


async def test_a_top_up_counts_when_the_provider_keeps_it(world: World) -> None:
    await world.open_shop()
    await with_deposit(world, 20_000)
    assert await world.money() == {"provider_clearing": 20_000, "deposit_free": 20_000}
    assert (await world.looks.effects("deposit_secure"))[0]["amount_fen"] == 20_000


async def test_money_that_came_is_recorded_once_and_counts_not_before(world: World) -> None:
    await world.open_shop()
    await world.done(Asker.MERCHANT, deposits.AgreeDeposit(shop_id=world.shop_id, version=deposits.TERMS_VERSION))
    top_up_id = world.new_id()
    await world.done(
        Asker.MERCHANT, deposits.TopUpDeposit(shop_id=world.shop_id, top_up_id=top_up_id, amount_fen=10_000)
    )
    told = deposits.RecordTopUp(
        shop_id=world.shop_id, top_up_id=top_up_id, provider="s", provider_txn="a", amount_fen=9_000, paid_at_ms=1
    )
    await world.done(Asker.PROVIDER, told)
    await world.done(Asker.PROVIDER, told)
    assert await world.money() == {"provider_clearing": 9_000, "deposit_coming": 9_000}
    failed = deposits.RecordSecured(shop_id=world.shop_id, top_up_no=1, attempt=1, succeeded=False, reason="no")
    await world.done(Asker.PROVIDER, failed)
    await world.done(Asker.PROVIDER, failed)
    assert (await deposit_of(world)).is_stuck
    await world.done(Asker.OPERATOR, deposits.RetryDeposit(shop_id=world.shop_id))
    late = deposits.RecordSecured(shop_id=world.shop_id, top_up_no=1, attempt=1, succeeded=False, reason="late")
    await world.done(Asker.PROVIDER, late)
    assert not (await deposit_of(world)).is_stuck
    assert (await world.ask(Asker.OPERATOR, deposits.RetryDeposit(shop_id=world.shop_id))).refusal == "NothingIsStuck"


async def test_terms_come_first(world: World) -> None:
    await world.open_shop()
    top_up = deposits.TopUpDeposit(shop_id=world.shop_id, top_up_id=world.new_id(), amount_fen=10_000)
    assert (await world.ask(Asker.MERCHANT, top_up)).refusal == "DepositIsNotAgreed"
    old = deposits.AgreeDeposit(shop_id=world.shop_id, version="0.9")
    assert (await world.ask(Asker.MERCHANT, old)).refusal == "TermsAreNotCurrent"


async def test_a_shop_without_deposit_has_its_small_trial_and_it_grows_by_clean_orders(world: World) -> None:
    await world.open_shop()
    await world.deposit(20)
    assert (await world.ask(Asker.BUYER, world.placing(4))).details == {"room_fen": 3_000}
    first = await world.paid(3)
    assert (await world.ask(Asker.BUYER, world.placing(1))).refusal == "ShopIsNotCovered"
    await world.done(Asker.BUYER, orders.ConfirmOrder(**world.of_order(first)))
    assert (await world.ask(Asker.BUYER, world.placing(4))).details == {"room_fen": 3_450}
    await world.place(3)


async def test_a_deposit_covers_ten_times_itself_and_orders_of_ninety_days_count(world: World) -> None:
    await world.open_shop(quantity_max=200)
    await world.deposit(200)
    await with_deposit(world, 1_000 * 10)
    assert (await world.ask(Asker.BUYER, world.placing(101))).details == {"room_fen": 100_000}
    await completed(world, 60)
    assert (await world.ask(Asker.BUYER, world.placing(41))).details == {"room_fen": 40_000}
    world.now_ms += 91 * DAY_MS
    await world.place(100)


async def test_two_at_once_at_the_bound_come_to_one(world: World) -> None:
    """Two processes read the same room; the write of the second finds it taken."""
    await world.open_shop()
    await world.deposit(20)
    performers = [world.performer, world.another_performer()]
    asked = [world.asked(Asker.BUYER, world.placing(2, buyer)) for buyer in ("li", "wang")]
    outcomes = await asyncio.gather(*(one.perform([ask]) for one, ask in zip(performers, asked, strict=True)))
    assert sorted(outcome[0].refusal for outcome in outcomes) == ["", "ShopIsNotCovered"]
    both = [world.asked(Asker.BUYER, world.placing(1, buyer)) for buyer in ("zhao", "qian")]
    assert [outcome.refusal for outcome in await world.batch(*both)] == ["", "ShopIsNotCovered"]


class MeetingStore:
    """A store whose first writers wait for each other: all have read before any writes."""

    def __init__(self, store: EventStore, barrier: asyncio.Barrier) -> None:
        self._store, self._barrier, self._met = store, barrier, False

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        async with self._store.transaction() as transaction:
            write = transaction.write

            async def wait_and_write(commit: Commit) -> None:
                if not self._met:
                    self._met = True
                    await self._barrier.wait()
                await write(commit)

            setattr(transaction, "write", wait_and_write)  # noqa: B010
            yield transaction


@pytest.mark.pg
async def test_two_who_have_both_read_the_same_room_come_to_one(database_url: str) -> None:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=3, server_settings=ENGINE_SETTINGS) as db:
        world = World(PostgresLooks(db), rules=RULES)
        await world.open_shop()
        await world.deposit(20)
        await world.place(1, "zhao")
        barrier = asyncio.Barrier(2)
        performers = [world.another_performer(MeetingStore(world.looks.store, barrier)) for _ in range(2)]
        asked = [world.asked(Asker.BUYER, world.placing(2, buyer)) for buyer in ("li", "wang")]
        async with asyncio.timeout(20):
            done = await asyncio.gather(*(one.perform([ask]) for one, ask in zip(performers, asked, strict=True)))
        assert sorted(outcome[0].refusal for outcome in done) == ["", "ShopIsNotCovered"]


async def test_a_ruling_pays_the_buyer_first_then_the_pool_and_only_the_higher_row(world: World) -> None:
    await world.open_shop()
    await world.deposit(5)
    await with_deposit(world, 10_000)
    order_id = await completed(world)
    await world.done(Asker.CLOCK, charging(world, order_id, 1, deduct_fen=500, refund_fen=1_000))
    await world.done(Asker.CLOCK, charging(world, order_id, 1, deduct_fen=500, refund_fen=1_000))
    assert (await deposit_of(world)).free_fen == 8_500
    assert (await pool_now(world)).balance_fen == 500
    restored = (await world.order(order_id)).restored.all
    assert [(one.amount_fen, one.source) for one in restored] == [(1_000, "deposit")]
    await world.done(Asker.CLOCK, charging(world, order_id, 2, deduct_fen=300, refund_fen=1_000))
    await world.done(Asker.CLOCK, charging(world, order_id, 3, deduct_fen=2_000, refund_fen=1_000))
    assert (await deposit_of(world)).free_fen == 7_000
    assert (await pool_now(world)).balance_fen == 2_000
    effect = (await world.looks.effects("restore"))[0]
    assert effect["amount_fen"] == 1_000
    report = restoring.RecordRestored(**world.of_order(order_id), restore_no=1, attempt=1, succeeded=False, reason="x")
    await world.done(Asker.PROVIDER, report)
    await world.done(Asker.OPERATOR, restoring.RetryRestore(**world.of_order(order_id), restore_no=1))
    report = restoring.RecordRestored(**world.of_order(order_id), restore_no=1, attempt=2, succeeded=True)
    await world.done(Asker.PROVIDER, report)
    await world.done(Asker.PROVIDER, report)
    assert "refund_payable" not in await world.money()


async def test_what_the_deposit_is_short_of_the_pool_pays_and_the_rest_is_owed(world: World) -> None:
    await world.open_shop()
    await world.deposit(5)
    await with_deposit(world, 10_000)
    await world.done(Asker.CLOCK, deposits.LockStake(shop_id=world.shop_id, panel_id="p", amount_fen=9_600))
    await world.done(
        Asker.OPERATOR, pool.FundPool(shop_id=PLATFORM, pool_id=pool.POOL_ID, amount_fen=450, note="transfer 1")
    )
    order_id = await completed(world)
    await world.done(Asker.CLOCK, charging(world, order_id, 1, deduct_fen=700, refund_fen=1_000))
    deposit = await deposit_of(world)
    assert (deposit.free_fen, deposit.owed_fen) == (0, 1_300)
    paid = (await pool_now(world)).paid[-1]
    assert (paid.amount_fen, paid.left_fen) == (450, 150)
    restored = (await world.order(order_id)).restored.all
    assert [(one.amount_fen, one.source) for one in restored] == [(400, "deposit"), (450, "pool")]
    await world.done(Asker.CLOCK, deposits.ForfeitStake(shop_id=world.shop_id, panel_id="p"))
    assert (await pool_now(world)).balance_fen == 9_600


async def test_without_fault_a_buyer_is_paid_twice_in_ninety_days_and_fifty_yuan_each(world: World) -> None:
    await world.open_shop(price_fen=60)
    await world.deposit(9)
    fund = pool.FundPool(shop_id=PLATFORM, pool_id=pool.POOL_ID, amount_fen=90_000, note="transfer 1")
    await world.done(Asker.OPERATOR, fund)

    async def paid_to(buyer: str) -> tuple[int, int, str]:
        order_id = await completed(world, 1, buyer)
        command = pool.PayFromPool(
            shop_id=PLATFORM,
            pool_id=pool.POOL_ID,
            order_shop_id=world.shop_id,
            order_id=order_id,
            ruling_no=1,
            row="R05",
            amount_fen=60,
        )
        await world.done(Asker.CLOCK, command)
        await world.done(Asker.CLOCK, command)
        last = (await pool_now(world)).paid[-1]
        return last.amount_fen, last.left_fen, last.order_id

    assert [(await paid_to("li"))[:2] for _ in range(3)] == [(60, 0), (60, 0), (0, 60)]
    assert (await paid_to("wang"))[:2] == (60, 0)
    world.now_ms += 90 * DAY_MS
    assert (await paid_to("li"))[:2] == (60, 0)


async def test_a_release_waits_fifteen_days_and_keeps_what_is_needed_by_then(world: World) -> None:
    await world.open_shop()
    await world.deposit(200)
    await with_deposit(world, 10_000, "a")
    await with_deposit(world, 10_000, "b")
    order_id = await completed(world, 10)
    too_much = deposits.RequestRelease(shop_id=world.shop_id, amount_fen=19_500)
    assert (await world.ask(Asker.MERCHANT, too_much)).refusal == "DepositIsNeeded"
    await world.done(Asker.MERCHANT, deposits.RequestRelease(shop_id=world.shop_id, amount_fen=19_000))
    assert (await world.money())["deposit_locked"] == 19_000
    await world.done(Asker.CLOCK, charging(world, order_id, 1, deduct_fen=0, refund_fen=4_000))
    end = deposits.EndNotice(shop_id=world.shop_id)
    world.now_ms += deposits.NOTICE_MS - 1
    assert (await world.ask(Asker.CLOCK, end)).refusal == "ReleaseIsNotDue"
    world.now_ms += 1
    await world.done(Asker.CLOCK, end)
    back = (await deposit_of(world)).returns
    assert [(one.provider_txn, one.amount_fen) for one in back] == [("b", 10_000), ("a", 5_000)]
    for one in back:
        told = deposits.RecordReturned(shop_id=world.shop_id, return_no=one.return_no, attempt=1, succeeded=True)
        await world.done(Asker.PROVIDER, told)
        await world.done(Asker.PROVIDER, told)
    money = await world.money()
    assert (money["deposit_free"], money.get("payout_payable", 0)) == (1_000, 0)


# Properties of the rules alone: whatever happens, the books hold what the state says and nothing is below zero.

AMOUNTS = st.integers(1, 30_000)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("top_up"), AMOUNTS, st.integers(0, 0)),
        st.tuples(st.just("charge"), AMOUNTS, AMOUNTS),
        st.tuples(st.just("stake"), AMOUNTS, st.integers(0, 2)),
        st.tuples(st.just("give_back"), st.integers(0, 1), st.integers(0, 2)),
        st.tuples(st.just("release"), AMOUNTS, st.integers(0, 20_000)),
        st.tuples(st.just("end"), st.integers(0, 20_000), st.integers(0, 0)),
    ),
    max_size=25,
)


def command_of(step: tuple[str, int, int], number: int) -> tuple[deposits.DepositCommand, deposits.CoverBriefing]:
    what, one, other = step
    commands: dict[str, deposits.DepositCommand] = {
        "charge": deposits.ChargeDeposit(
            shop_id="s", order_id=str(other % 3), ruling_no=number, row="R11", deduct_fen=one, refund_fen=other
        ),
        "stake": deposits.LockStake(shop_id="s", panel_id=str(other), amount_fen=one),
        "give_back": (deposits.ReturnStake if one else deposits.ForfeitStake)(shop_id="s", panel_id=str(other)),
        "release": deposits.RequestRelease(shop_id="s", amount_fen=one),
        "end": deposits.EndNotice(shop_id="s"),
    }
    return commands[what], deposits.CoverBriefing(needed_fen=one if what == "end" else 0)


@given(STEPS)
def test_every_fen_of_a_deposit_is_somewhere(steps: list[tuple[str, int, int]]) -> None:
    deposit, books = deposits.INITIAL, dict.fromkeys(Account, 0)
    came_fen = left_fen = 0
    for number, step in enumerate(steps, 1):
        events: list[Event]
        if step[0] == "top_up":
            top_up = deposit_events.DepositToppedUp(
                top_up_no=len(deposit.top_ups) + 1,
                top_up_id="t",
                provider="s",
                provider_txn=str(number),
                amount_fen=step[1],
                attempt=1,
            )
            events = [top_up, deposit_events.DepositSecured(top_up_no=top_up.top_up_no, amount_fen=step[1])]
            came_fen += step[1]
        else:
            command, brief = command_of(step, number)
            try:
                events = deposits.decide(command, deposit, brief, number * deposits.NOTICE_MS)
            except Refusal:
                continue
        for event in events:
            deposit = deposits.evolve(deposit, event, number)
            for posting in postings_of(event):
                for account, by_fen in legs_of(posting):
                    books[Account(account)] += by_fen
            assert min(books.values()) >= 0
            if isinstance(event, deposit_events.DepositDeducted):
                left_fen += event.refund_fen + event.penalty_fen
            if isinstance(event, deposit_events.StakeForfeited | deposit_events.DepositReleased):
                left_fen += event.amount_fen
        assert books[Account.DEPOSIT_FREE] == deposit.free_fen
        assert books[Account.DEPOSIT_LOCKED] == deposit.noticed_fen
        assert books[Account.STAKE] == deposit.staked_fen
        assert came_fen == left_fen + deposit.free_fen + deposit.noticed_fen + deposit.staked_fen


@given(st.lists(st.tuples(AMOUNTS, AMOUNTS), min_size=1, max_size=6))
def test_deductions_of_an_order_are_the_highest_and_never_a_sum(charges: list[tuple[int, int]]) -> None:
    deposit = deposits.Deposit(free_fen=10**9)
    for number, (deduct_fen, refund_fen) in enumerate(charges, 1):
        command = deposits.ChargeDeposit(
            shop_id="s", order_id="o", ruling_no=number, row="R", deduct_fen=deduct_fen, refund_fen=refund_fen
        )
        for event in deposits.decide(command, deposit, None, 0):
            deposit = deposits.evolve(deposit, event, 0)
    assert 10**9 - deposit.free_fen == max(one for one, _ in charges) + max(other for _, other in charges)


@given(AMOUNTS, AMOUNTS, AMOUNTS, st.integers(1, 20_000))
def test_what_a_deposit_lets_in_it_covers(open_fen: int, window_fen: int, free_fen: int, cover_bp: int) -> None:
    exposure = covering.Exposure(open_fen=open_fen, window_fen=window_fen)
    most_fen = covering.open_max_fen(exposure, free_fen, cover_bp, 0)
    if most_fen > 0:
        after = covering.Exposure(open_fen=most_fen, window_fen=window_fen)
        assert covering.needed_fen(after, cover_bp) <= free_fen
