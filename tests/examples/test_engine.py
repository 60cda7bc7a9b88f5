"""The engine, on memory and on PostgreSQL: batches, repeated ids, neighbours, consequences, races within one batch."""

import dataclasses
from collections.abc import AsyncIterator
from typing import Self

import asyncpg
import pytest
from msgspec.structs import replace

from engine_world import TERMS, MemoryLooks, PostgresLooks, World
from fairkey.adapters.postgres.store import ENGINE_SETTINGS
from fairkey.business import (
    batches,
    codes,
    complaints,
    coupons,
    dispute_events,
    escrow,
    listings,
    orders,
    payments,
    payouts,
    shops,
)
from fairkey.business.askers import ASKERS, Asker
from fairkey.business.basics import DAY_MS, HOUR_MS, MINUTE_MS, PLATFORM, Broken, Stream
from fairkey.engine.answers import Answer, Conflict
from fairkey.engine.event_store import Commit, Wants
from fairkey.engine.perform import Rules

WINDOW_MS = orders.PAYMENT_WINDOW_MS


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.pg)])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    if request.param == "memory":
        yield World(MemoryLooks())
        return
    dsn = request.getfixturevalue("database_url")
    async with asyncpg.create_pool(dsn, min_size=1, max_size=3, server_settings=ENGINE_SETTINGS) as pool:
        yield World(PostgresLooks(pool))


def refusals(outcomes: list[object]) -> list[str]:
    return [outcome.refusal if isinstance(outcome, Answer) else type(outcome).__name__ for outcome in outcomes]


# Batches.


async def test_a_refused_command_leaves_no_trace_on_its_neighbours(world: World) -> None:
    await (await world.open_shop()).deposit(2)
    before = await world.looks.count_of_events()
    first, refused, second = world.placing(), world.placing(quantity=2, buyer="wang"), world.placing(buyer="zhao")
    outcomes = await world.batch(*(world.asked(Asker.BUYER, one) for one in (first, refused, second)))
    assert refusals(outcomes) == ["", "StockIsShort", ""]
    assert await world.looks.file(world.stream("order", refused.order_id)) is None
    assert await world.looks.count_of_events() == before + 4, "placed and reserved, twice"
    assert await world.stages() == {"reserved": 2}


async def test_the_same_id_is_decided_once(world: World) -> None:
    await (await world.open_shop()).deposit(5)
    command = world.placing()
    first = await world.ask(Asker.BUYER, command, "once")
    events = await world.looks.count_of_events()
    assert await world.ask(Asker.BUYER, command, "once") == first
    other = world.placing()
    assert await world.ask(Asker.BUYER, other, "once") == first, "whatever the repeat says, the first answer holds"
    assert await world.looks.count_of_events() == events
    assert await world.stock() == 4


async def test_the_same_id_twice_in_one_batch_is_decided_once(world: World) -> None:
    await (await world.open_shop()).deposit(5)
    first, second = await world.batch(
        world.asked(Asker.BUYER, world.placing(), "once"), world.asked(Asker.BUYER, world.placing(), "once")
    )
    assert first == second
    assert await world.stock() == 4


async def test_an_id_is_not_for_another_request(world: World) -> None:
    await (await world.open_shop()).deposit(5)
    done = world.asked(Asker.BUYER, world.placing(), "key", b"body")
    other = world.asked(Asker.BUYER, world.placing(), "key", b"another body")
    assert refusals(await world.batch(done, other)) == ["", "KeyWasUsedForAnotherRequest"]
    assert refusals(await world.batch(other)) == ["KeyWasUsedForAnotherRequest"]
    assert refusals(await world.batch(done)) == [""]
    assert await world.stock() == 4


async def test_a_refusal_is_not_kept(world: World) -> None:
    await world.open_shop()
    command = world.placing()
    assert (await world.ask(Asker.BUYER, command, "again")).refusal == "StockIsShort"
    await world.deposit(1)
    assert (await world.ask(Asker.BUYER, command, "again")).refusal == ""


async def test_a_broken_command_hurts_only_itself(world: World) -> None:
    await (await world.open_shop()).deposit(2)
    events = await world.looks.count_of_events()
    outcomes = await world.batch(
        world.asked(Asker.BUYER, world.placing(buyer="li")),
        world.asked(Asker.PROVIDER, world.paying(world.new_id(), 0)),
        world.asked(Asker.BUYER, world.placing(buyer="wang")),
    )
    assert refusals(outcomes) == ["", "Broken", ""]
    assert await world.looks.count_of_events() == events + 4


async def test_what_storage_cannot_take_hurts_only_itself(world: World) -> None:
    await (await world.open_shop()).deposit(2)
    half = coupons.CreateCoupon(
        shop_id=world.shop_id, coupon_id=world.new_id(), code="SPRING", off_fen=1, listings=("\ud800",)
    )
    outcomes = await world.batch(
        world.asked(Asker.BUYER, world.placing(buyer="li")),
        world.asked(Asker.MERCHANT, half),
        world.asked(Asker.BUYER, world.placing(buyer="wang")),
    )
    assert refusals(outcomes) == ["", "Broken", ""]
    with pytest.raises(Broken):
        await world.ask(Asker.MERCHANT, half)
    assert await world.stock() == 0


@pytest.mark.pg
async def test_an_id_that_is_none_hurts_only_itself(database_url: str) -> None:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=2, server_settings=ENGINE_SETTINGS) as pool:
        world = World(PostgresLooks(pool))
        await (await world.open_shop()).deposit(2)
        outcomes = await world.batch(
            world.asked(Asker.BUYER, world.placing(buyer="li")),
            world.asked(Asker.BUYER, orders.GiveUpOrder(shop_id=world.shop_id, order_id="tea")),
            world.asked(Asker.PROVIDER, world.paying(await world.place(buyer="zhao"), 2**63)),
        )
        assert refusals(outcomes) == ["", "Broken", "Broken"]


async def test_what_follows_is_never_asked_from_outside(world: World) -> None:
    await (await world.open_shop()).deposit(1)
    order_id = await world.place()
    for command in (
        orders.ConfirmPayment(**world.of_order(order_id)),
        escrow.RefundHeld(**world.of_order(order_id), amount_fen=-1, why="me"),
        escrow.ReleaseHeld(**world.of_order(order_id)),
        codes.DeliverReserved(**world.of_order(order_id)),
        orders.CloseDisputed(**world.of_order(order_id), refund_fen=0, by="me"),
    ):
        for asker in Asker:
            answer = await world.ask(asker, command)
            assert (answer.refusal, answer.details) == ("NotYours", {"asker": asker.value})
    assert await world.stage_of(order_id) == "placed"


async def test_nobody_asks_for_what_is_anothers(world: World) -> None:
    await (await world.open_shop()).deposit(1)
    order_id = await world.place()
    for command in (orders.ExpireOrder(**world.of_order(order_id)), world.paying(order_id, 1_000)):
        for asker in set(Asker) - ASKERS[type(command)]:
            assert (await world.ask(asker, command)).refusal == "NotYours"


async def test_consequences_are_atomic(world: World) -> None:
    await (await world.open_shop()).deposit(1)
    coupon_id = await world.create_coupon(off_fen=100, uses_max=1)
    refused = world.placing(2, coupon_id=coupon_id, coupon_code="SPRING")
    assert (await world.ask(Asker.BUYER, refused)).refusal == "StockIsShort"
    assert await world.looks.kinds(world.stream("coupon", coupon_id)) == ["coupon.created"]
    order_id = await world.place(coupon_id=coupon_id, coupon_code="SPRING")
    answer = await world.pay(order_id, 900)
    assert answer.kinds == ("payment.received", "order.paid", "code.delivered", "order.delivered")
    assert answer.facts["stage"] == "delivered"
    assert answer.stream == world.stream("order", order_id)


async def test_a_stale_read_is_decided_again(world: World) -> None:
    await (await world.open_shop()).deposit(1)
    order_id = await world.place()
    rival, raced = world.another_performer(), []

    class Racing:
        """Lets somebody else write after our first read of the order."""

        def transaction(self) -> object:
            return _Raced(world.looks.store.transaction())

    class _Raced:
        def __init__(self, manager: object) -> None:
            self.manager = manager

        async def __aenter__(self) -> Self:
            self.inside = await self.manager.__aenter__()
            return self

        async def __aexit__(self, *why: object) -> object:
            return await self.manager.__aexit__(*why)

        async def read(self, wants: Wants) -> object:
            given = await self.inside.read(dataclasses.replace(wants, peek=wants.peek | wants.lock, lock=set()))
            if wants.lock and not raced:
                raced.append(await rival.perform([world.asked(Asker.PROVIDER, world.paying(order_id, 1_000))]))
            return given

        async def write(self, commit: Commit) -> None:
            await self.inside.write(commit)

    performer = world.another_performer(Racing())
    (answer,) = await performer.perform([world.asked(Asker.BUYER, orders.GiveUpOrder(**world.of_order(order_id)))])
    assert raced
    assert isinstance(answer, Answer)
    assert answer.refusal == "OrderIsInAnotherStage", "it was paid meanwhile"
    assert await world.stage_of(order_id) == "delivered"


async def test_a_conflict_that_does_not_end_is_told(world: World) -> None:
    class Stubborn:
        tries = 0

        def transaction(self) -> object:
            Stubborn.tries += 1
            raise Conflict("always")

    performer = world.another_performer(Stubborn())
    with pytest.raises(Conflict):
        await performer.perform([world.asked(Asker.BUYER, world.placing())])
    assert Stubborn.tries > 1
    outcomes = await performer.perform([world.asked(Asker.BUYER, world.placing()) for _ in range(2)])
    assert refusals(outcomes) == ["Broken", "Broken"]


async def test_an_empty_batch_is_nothing(world: World) -> None:
    assert await world.batch() == []


# Races within one batch: whoever comes first in it, comes first.


async def test_a_coupons_last_use_in_one_batch(world: World) -> None:
    await (await world.open_shop()).deposit(5)
    coupon_id = await world.create_coupon(off_fen=100, uses_max=2)
    wishes = [world.placing(buyer=f"b{n}", coupon_id=coupon_id, coupon_code="SPRING") for n in range(3)]
    outcomes = await world.batch(*(world.asked(Asker.BUYER, wish) for wish in wishes))
    assert refusals(outcomes) == ["", "", "CouponIsNotValid"]
    assert outcomes[2].details == {"why": "used_up"}
    assert await world.stock() == 3


async def test_a_coupon_must_be_named_by_its_word_or_not_at_all(world: World) -> None:
    await (await world.open_shop()).deposit(5)
    coupon_id = await world.create_coupon(off_fen=100, ends_at_ms=world.now_ms + 1)
    world.now_ms += 1
    for wish in ({"coupon_id": coupon_id}, {"coupon_id": coupon_id, "coupon_code": "SPRING"}):
        assert (await world.ask(Asker.BUYER, world.placing(**wish))).details == {"why": "expired"}
    assert (await world.ask(Asker.BUYER, world.placing(coupon_code="AUTUMN"))).details == {"why": "unknown"}


async def test_a_purchase_limit_in_one_batch(world: World) -> None:
    await (await world.open_shop(per_buyer_max=3)).deposit(9)
    outcomes = await world.batch(*(world.asked(Asker.BUYER, world.placing(2)) for _ in range(2)))
    assert refusals(outcomes) == ["", "PurchaseLimitIsReached"]
    assert outcomes[1].details == {"limit": 3, "bought": 2}
    assert refusals(await world.batch(world.asked(Asker.BUYER, world.placing(2, buyer="wang")))) == [""]


async def test_a_purchase_limit_that_came_with_a_revision_in_the_same_batch(world: World) -> None:
    await (await world.open_shop()).deposit(9)
    stricter = listings.PublishListing(
        shop_id=world.shop_id, listing_id=world.listing_id, terms=replace(TERMS, per_buyer_max=3)
    )
    outcomes = await world.batch(
        world.asked(Asker.BUYER, world.placing(2)),
        world.asked(Asker.MERCHANT, stricter),
        world.asked(Asker.BUYER, world.placing(2, revision=2)),
    )
    assert refusals(outcomes) == ["", "", "PurchaseLimitIsReached"]


async def test_units_of_an_order_that_came_to_nothing_do_not_count(world: World) -> None:
    await (await world.open_shop(per_buyer_max=3)).deposit(9)
    order_id = await world.place(2)
    outcomes = await world.batch(
        world.asked(Asker.BUYER, orders.GiveUpOrder(**world.of_order(order_id))),
        world.asked(Asker.BUYER, world.placing(3)),
    )
    assert refusals(outcomes) == ["", ""]


async def test_unpaid_orders_of_one_buyer_in_one_batch(world: World) -> None:
    await (await world.open_shop()).deposit(9)
    outcomes = await world.batch(*(world.asked(Asker.BUYER, world.placing()) for _ in range(4)))
    assert refusals(outcomes) == ["", "", "", "TooManyUnpaidOrders"]


async def test_an_order_given_up_makes_room_in_the_same_batch(world: World) -> None:
    await (await world.open_shop()).deposit(9)
    given_up, paid = [await world.place() for _ in range(3)][:2]
    outcomes = await world.batch(
        world.asked(Asker.BUYER, world.placing()),
        world.asked(Asker.BUYER, orders.GiveUpOrder(**world.of_order(given_up))),
        world.asked(Asker.BUYER, world.placing()),
        world.asked(Asker.PROVIDER, world.paying(paid, 1_000)),
        world.asked(Asker.BUYER, world.placing()),
        world.asked(Asker.BUYER, world.placing()),
    )
    assert refusals(outcomes) == ["TooManyUnpaidOrders", "", "", "", "", "TooManyUnpaidOrders"]


async def test_unpaid_orders_of_one_address(world: World) -> None:
    world = World(world.looks, rules=Rules(unpaid_per_address_max=2))
    await (await world.open_shop()).deposit(9)
    outcomes = await world.batch(
        *(world.asked(Asker.BUYER, world.placing(buyer=f"b{n}", address_key="net")) for n in range(3)),
        world.asked(Asker.BUYER, world.placing(buyer="b4", address_key="elsewhere")),
    )
    assert refusals(outcomes) == ["", "", "TooManyUnpaidOrders", ""]
    assert outcomes[2].details == {"limit": 2, "whose": "address"}


async def test_stock_is_never_below_zero(world: World) -> None:
    await (await world.open_shop()).deposit(3)
    wishes = [world.placing(buyer=f"b{n}") for n in range(5)]
    outcomes = await world.batch(*(world.asked(Asker.BUYER, wish) for wish in wishes))
    assert refusals(outcomes) == ["", "", "", "StockIsShort", "StockIsShort"]
    assert outcomes[3].details == {"wanted": 1, "left": 0}
    assert await world.stock() == 0


async def test_codes_given_up_can_be_bought_in_the_same_batch(world: World) -> None:
    await (await world.open_shop()).deposit(2)
    order_id = await world.place(2)
    wish = world.placing(2, buyer="wang")
    outcomes = await world.batch(
        world.asked(Asker.BUYER, orders.GiveUpOrder(**world.of_order(order_id))), world.asked(Asker.BUYER, wish)
    )
    assert refusals(outcomes) == ["", ""]
    assert await world.stock() == 0
    held = {one.code_id for one in (await world.order(wish.order_id)).codes.held}
    assert len(held) == 2
    assert (await world.order(order_id)).codes.held == ()


async def test_codes_placed_and_given_up_and_placed_again_in_one_batch(world: World) -> None:
    await (await world.open_shop()).deposit(3)
    first = world.placing(2)
    outcomes = await world.batch(
        world.asked(Asker.BUYER, first),
        world.asked(Asker.BUYER, orders.GiveUpOrder(**world.of_order(first.order_id))),
        world.asked(Asker.BUYER, world.placing(3, buyer="wang")),
        world.asked(Asker.BUYER, world.placing(1, buyer="zhao")),
    )
    assert refusals(outcomes) == ["", "", "", "StockIsShort"]
    assert await world.stages() == {"reserved": 3}


async def test_a_batch_taken_off_sale_beside_a_buyer(world: World) -> None:
    await world.open_shop()
    batch_id = await world.deposit(2)
    await world.deposit(5)
    wishes = [world.placing(2, buyer="li"), world.placing(2, buyer="wang"), world.placing(1, buyer="zhao")]
    take = batches.WithdrawCodes(shop_id=world.shop_id, batch_id=batch_id)
    outcomes = await world.batch(
        world.asked(Asker.BUYER, wishes[2]),
        world.asked(Asker.MERCHANT, take),
        world.asked(Asker.BUYER, wishes[0]),
        world.asked(Asker.BUYER, wishes[1]),
    )
    assert refusals(outcomes) == ["", "", "", ""]
    assert await world.stages() == {"withdrawn": 1, "reserved": 5, "free": 1}
    assert await world.stock() == 1


async def test_a_batch_put_on_sale_before_its_buyer(world: World) -> None:
    await world.open_shop()
    batch_id, _ = await world.stage(2)
    outcomes = await world.batch(
        world.asked(Asker.BUYER, world.placing(buyer="early")),
        world.asked(Asker.MERCHANT, world.register(batch_id, 2)),
        world.asked(Asker.BUYER, world.placing(2)),
        world.asked(Asker.MERCHANT, world.register(batch_id, 2)),
    )
    assert refusals(outcomes) == ["StockIsShort", "", "", "BatchIsRegistered"]
    assert await world.stages() == {"reserved": 2}


async def test_settled_money_can_be_drawn_in_the_same_batch_and_only_once(world: World) -> None:
    await (await world.open_shop()).deposit(1)
    order_id = await world.paid()
    await world.done(Asker.BUYER, orders.ConfirmOrder(**world.of_order(order_id)))
    settled = escrow.RecordRelease(**world.of_order(order_id), release_no=1, attempt=1, succeeded=True)

    def draw() -> payouts.RequestPayout:
        return payouts.RequestPayout(shop_id=world.shop_id, payout_id=world.new_id(), amount_fen=980)

    assert (await world.ask(Asker.MERCHANT, draw())).refusal == "BalanceIsTooLow"
    outcomes = await world.batch(
        world.asked(Asker.PROVIDER, settled),
        world.asked(Asker.MERCHANT, draw()),
        world.asked(Asker.MERCHANT, draw()),
    )
    assert refusals(outcomes) == ["", "", "BalanceIsTooLow"]
    assert await world.money() == {"provider_clearing": 1_000, "payout_payable": 980, "platform_fee": 20}


# Money.


async def test_the_whole_way_of_the_money(world: World) -> None:
    await (await world.open_shop()).deposit(1)
    order_id = await world.place()
    await world.pay(order_id, 1_000)
    assert await world.money() == {"provider_clearing": 1_000, "escrow": 1_000}
    assert (await world.reveal(order_id)).facts["opened"]
    await world.done(Asker.BUYER, orders.ConfirmOrder(**world.of_order(order_id)))
    assert await world.money() == {"provider_clearing": 1_000, "shop_pending": 980, "platform_fee": 20}
    assert [one["amount_fen"] for one in await world.looks.effects("release")] == [980]
    report = escrow.RecordRelease(**world.of_order(order_id), release_no=1, attempt=1, succeeded=True)
    await world.done(Asker.PROVIDER, report)
    await world.done(Asker.PROVIDER, report)
    assert await world.money() == {"provider_clearing": 1_000, "shop_available": 980, "platform_fee": 20}
    payout_id = world.new_id()
    await world.done(Asker.MERCHANT, payouts.RequestPayout(shop_id=world.shop_id, payout_id=payout_id, amount_fen=980))
    await world.done(Asker.PROVIDER, payouts.RecordPayout(shop_id=world.shop_id, payout_id=payout_id, succeeded=True))
    assert await world.money() == {"provider_clearing": 20, "platform_fee": 20}
    came_back = payouts.RecordPayout(shop_id=world.shop_id, payout_id=payout_id, succeeded=False)
    for _ in range(2):
        await world.done(Asker.PROVIDER, came_back)
    assert await world.money() == {"provider_clearing": 20, "platform_fee": 20}
    await world.done(
        Asker.OPERATOR, payouts.SettlePayout(shop_id=world.shop_id, payout_id=payout_id, reason="statement, line 3")
    )
    assert await world.money() == {"provider_clearing": 1_000, "shop_available": 980, "platform_fee": 20}


async def test_short_money_waits_for_the_rest_and_else_goes_back(world: World) -> None:
    await (await world.open_shop()).deposit(2)
    slow, short = await world.place(), await world.place()
    for order_id in (slow, short):
        await world.pay(order_id, 999)
        assert await world.stage_of(order_id) == "placed"
    await world.pay(slow, 1)
    assert await world.stage_of(slow) == "delivered"
    world.now_ms += WINDOW_MS
    await world.done(Asker.CLOCK, orders.ExpireOrder(**world.of_order(short)))
    assert [one["amount_fen"] for one in await world.looks.effects("refund")] == [999]
    assert await world.money() == {"provider_clearing": 1_999, "escrow": 1_000, "refund_payable": 999}
    assert await world.stock() == 1


async def test_surplus_goes_back_and_the_order_is_delivered(world: World) -> None:
    await (await world.open_shop()).deposit(1)
    order_id = await world.place()
    await world.pay(order_id, 1_300)
    assert await world.stage_of(order_id) == "delivered"
    assert [one["amount_fen"] for one in await world.looks.effects("refund")] == [300]
    assert await world.money() == {"provider_clearing": 1_300, "escrow": 1_000, "refund_payable": 300}


async def test_a_second_payment_goes_back_whole(world: World) -> None:
    await (await world.open_shop()).deposit(1)
    order_id = await world.place()
    await world.pay(order_id, 1_000, "first")
    await world.pay(order_id, 1_000, "second")
    await world.pay(order_id, 1_000, "second")
    refunds = await world.looks.effects("refund")
    assert [(one["provider_txn"], one["amount_fen"]) for one in refunds] == [("second", 1_000)]


async def test_two_payments_in_one_batch(world: World) -> None:
    await (await world.open_shop()).deposit(1)
    order_id = await world.place()
    pays = [world.paying(order_id, 1_000, txn) for txn in ("a", "b", "a")]
    assert refusals(await world.batch(*(world.asked(Asker.PROVIDER, pay) for pay in pays))) == ["", "", ""]
    assert [one["provider_txn"] for one in await world.looks.effects("refund")] == ["b"]
    assert await world.stages() == {"delivered": 1}


async def test_late_money_takes_the_order_up_again_while_there_are_codes(world: World) -> None:
    await (await world.open_shop()).deposit(1)
    order_id = await world.place()
    world.now_ms += WINDOW_MS
    await world.done(Asker.CLOCK, orders.ExpireOrder(**world.of_order(order_id)))
    assert await world.stock() == 1
    world.now_ms += DAY_MS
    await world.pay(order_id, 1_000)
    assert await world.stage_of(order_id) == "delivered"
    assert await world.stages() == {"delivered": 1}


async def test_late_money_takes_the_order_up_again_in_the_batch_that_expired_it(world: World) -> None:
    await (await world.open_shop()).deposit(1)
    order_id = await world.place()
    world.now_ms += WINDOW_MS
    outcomes = await world.batch(
        world.asked(Asker.CLOCK, orders.ExpireOrder(**world.of_order(order_id))),
        world.asked(Asker.PROVIDER, world.paying(order_id, 1_000)),
    )
    assert refusals(outcomes) == ["", ""]
    assert await world.stage_of(order_id) == "delivered"
    assert await world.stock() == 0


async def test_late_money_goes_back_when_the_codes_are_gone(world: World) -> None:
    await (await world.open_shop()).deposit(1)
    order_id = await world.place()
    world.now_ms += WINDOW_MS
    await world.done(Asker.CLOCK, orders.ExpireOrder(**world.of_order(order_id)))
    await world.paid(buyer="wang")
    await world.pay(order_id, 1_000)
    assert await world.stage_of(order_id) == "expired"
    assert [(one["amount_fen"]) for one in await world.looks.effects("refund")] == [1_000]
    assert await world.stages() == {"delivered": 1}


async def test_a_coupon_of_a_late_order_is_used_once_all_told(world: World) -> None:
    await (await world.open_shop()).deposit(3)
    coupon_id = await world.create_coupon(off_fen=100, uses_max=1)
    with_coupon = {"coupon_id": coupon_id, "coupon_code": "SPRING"}
    late = await world.place(**with_coupon)
    world.now_ms += WINDOW_MS
    await world.done(Asker.CLOCK, orders.ExpireOrder(**world.of_order(late)))
    await world.pay(late, 900)
    assert (await world.ask(Asker.BUYER, world.placing(buyer="wang", **with_coupon))).refusal == "CouponIsNotValid"
    await world.done(Asker.BUYER, orders.WithdrawOrder(**world.of_order(late)))
    await world.place(buyer="wang", **with_coupon)
    assert (await world.ask(Asker.BUYER, world.placing(buyer="zhao", **with_coupon))).refusal == "CouponIsNotValid"


async def test_money_for_no_order_of_ours_is_kept_apart(world: World) -> None:
    await world.open_shop()
    assert (await world.ask(Asker.PROVIDER, world.paying(world.new_id(), 500))).refusal == "OrderIsUnknown"
    payment_id = world.new_id()
    record = payments.RecordUnmatched(
        shop_id=PLATFORM,
        payment_id=payment_id,
        provider="sandbox",
        provider_txn="t",
        reference="??",
        amount_fen=500,
        currency="USD",
        paid_at_ms=world.now_ms,
    )
    await world.done(Asker.PROVIDER, record)
    assert (await world.done(Asker.PROVIDER, record)).kinds == ()
    world.now_ms += 7 * DAY_MS
    await world.done(Asker.CLOCK, payments.ReturnUnmatched(shop_id=PLATFORM, payment_id=payment_id))
    assert [one["amount_fen"] for one in await world.looks.effects("refund_unmatched")] == [500]
    done = payments.RecordUnmatchedRefund(shop_id=PLATFORM, payment_id=payment_id, attempt=1, succeeded=True)
    await world.done(Asker.PROVIDER, done)
    assert await world.looks.kinds(Stream(PLATFORM, "payment", payment_id)) == [
        "payment.unmatched",
        "payment.unmatched_refund_requested",
        "payment.unmatched_refunded",
    ]
    assert await world.looks.balances(PLATFORM) == {}


async def test_a_refund_that_failed_is_asked_for_again_with_a_new_key(world: World) -> None:
    await (await world.open_shop()).deposit(1)
    order_id = await world.paid()
    await world.done(Asker.BUYER, orders.WithdrawOrder(**world.of_order(order_id)))
    failed = escrow.RecordRefund(**world.of_order(order_id), refund_no=1, attempt=1, succeeded=False, reason="closed")
    await world.done(Asker.PROVIDER, failed)
    await world.done(Asker.OPERATOR, escrow.RetryRefund(**world.of_order(order_id), refund_no=1))
    assert len(await world.looks.effects("refund")) == 2
    assert await world.money() == {"provider_clearing": 1_000, "refund_payable": 1_000}
    await world.done(
        Asker.PROVIDER, escrow.RecordRefund(**world.of_order(order_id), refund_no=1, attempt=2, succeeded=True)
    )
    assert await world.money() == {}


# Delivery.


async def test_a_part_delivered_by_hand_is_charged_as_far_as_it_was_opened(world: World) -> None:
    await world.open_shop(delivery="manual", promise_min=30)
    order_id = await world.paid(3)
    assert (await world.type_codes(order_id, 2)).refusal == ""
    assert (await world.type_codes(order_id, 2)).refusal == "TooManyCodes"
    first = (await world.order(order_id)).codes.held[0].code_id
    await world.reveal(order_id, first)
    world.now_ms += 30 * MINUTE_MS
    await world.done(Asker.CLOCK, orders.CancelLateOrder(**world.of_order(order_id)))
    assert await world.stage_of(order_id) == "delivered"
    assert await world.stages() == {"revealed": 1, "returned": 1}
    assert await world.money() == {"provider_clearing": 3_000, "refund_payable": 2_000, "escrow": 1_000}
    assert (await world.reveal(order_id, first)).facts["opened"] == [first], "what he keeps he may look at"
    assert (await world.type_codes(order_id, 1)).refusal == "OrderTakesNoCodes"
    world.now_ms += orders.PROTECTION_AFTER_REVEAL_MS
    await world.done(Asker.CLOCK, orders.CompleteOrder(**world.of_order(order_id)))
    assert await world.stage_of(order_id) == "completed"
    assert await world.money() == {
        "provider_clearing": 3_000,
        "refund_payable": 2_000,
        "shop_pending": 980,
        "platform_fee": 20,
    }


async def test_typed_codes_are_delivered_piece_by_piece(world: World) -> None:
    await world.open_shop(delivery="manual", promise_min=30)
    order_id = await world.paid(3)
    await world.type_codes(order_id, 1)
    assert await world.stage_of(order_id) == "paid"
    assert (await world.type_codes(order_id, 2)).kinds == ("code.delivered", "order.delivered")
    assert len((await world.reveal(order_id)).facts["opened"]) == 3


async def test_the_buyer_waits_once(world: World) -> None:
    await world.open_shop(delivery="manual", promise_min=30)
    order_id = await world.paid()
    await world.done(Asker.BUYER, orders.AgreeToWait(**world.of_order(order_id)))
    assert (
        await world.ask(Asker.BUYER, orders.AgreeToWait(**world.of_order(order_id)))
    ).refusal == "WaitWasAlreadyAgreed"
    world.now_ms += 60 * MINUTE_MS - 1
    assert (await world.ask(Asker.CLOCK, orders.CancelLateOrder(**world.of_order(order_id)))).refusal == "NotDueYet"
    world.now_ms += 1
    await world.done(Asker.CLOCK, orders.CancelLateOrder(**world.of_order(order_id)))
    assert await world.stage_of(order_id) == "cancelled"


async def test_stepping_back_while_sealed_puts_the_codes_on_sale_again(world: World) -> None:
    await (await world.open_shop()).deposit(2)
    order_id = await world.paid(2)
    await world.done(Asker.BUYER, orders.WithdrawOrder(**world.of_order(order_id)))
    assert await world.stock() == 2
    assert [one["amount_fen"] for one in await world.looks.effects("refund")] == [2_000]
    assert (await world.reveal(order_id)).refusal == "CodeIsNotDelivered"
    opened = await world.paid(2, buyer="wang")
    await world.reveal(opened, (await world.order(opened)).codes.held[0].code_id)
    assert (
        await world.ask(Asker.BUYER, orders.WithdrawOrder(**world.of_order(opened)))
    ).refusal == "CodeWasAlreadyOpened"


async def test_opening_twice_is_opening_once(world: World) -> None:
    await (await world.open_shop()).deposit(2)
    order_id = await world.paid(2)
    first = await world.reveal(order_id)
    version = await world.looks.file(world.stream("order", order_id))
    again = await world.reveal(order_id)
    assert again.facts["opened"] == first.facts["opened"]
    assert await world.looks.file(world.stream("order", order_id)) == version


async def test_a_complaint_freezes_and_its_end_pays(world: World) -> None:
    await (await world.open_shop()).deposit(4)
    outcomes = {}
    for name in ("refund", "part", "reject", "silence"):
        order_id = outcomes[name] = await world.paid(buyer=name)
        complain = complaints.OpenComplaint(
            **world.of_order(order_id),
            reason=dispute_events.Reason.ALREADY_USED,
            text="It was used.",
            demand_fen=400 if name == "part" else 0,
        )
        await world.done(Asker.BUYER, complain)
        assert (await world.reveal(order_id)).refusal == "CodeIsNotDelivered", "frozen"
        assert (
            await world.ask(Asker.BUYER, orders.ConfirmOrder(**world.of_order(order_id)))
        ).refusal == "OrderIsInAnotherStage"
    for name in ("refund", "part"):
        await world.done(Asker.MERCHANT, complaints.AcceptComplaint(**world.of_order(outcomes[name])))
    await world.done(
        Asker.MERCHANT, complaints.ContestComplaint(**world.of_order(outcomes["reject"]), text="It was new.")
    )
    about = world.of_order(outcomes["reject"])
    await world.done(
        Asker.MERCHANT, complaints.OfferSettlement(**about, by=dispute_events.Side.SHOP, refund_fen=0, text="Sorry.")
    )
    yes = complaints.AnswerOffer(**about, by=dispute_events.Side.BUYER, offer_no=1, accepted=True)
    await world.done(Asker.BUYER, yes)
    world.now_ms += 48 * HOUR_MS
    await world.done(Asker.CLOCK, complaints.EndSilence(**world.of_order(outcomes["silence"])))
    assert {name: await world.stage_of(order_id) for name, order_id in outcomes.items()} == {
        "refund": "refunded",
        "part": "partly_refunded",
        "reject": "completed",
        "silence": "refunded",
    }
    assert await world.stages() == {"free": 2, "delivered": 2}
    assert len((await world.reveal(outcomes["part"])).facts["opened"]) == 1, "the rest of the price is for the code"
    assert await world.money() == {
        "provider_clearing": 4_000,
        "refund_payable": 2_400,
        "shop_pending": 588 + 980,
        "platform_fee": 12 + 20,
    }


async def test_a_suspended_shop_takes_no_orders_and_finishes_the_running_ones(world: World) -> None:
    await (await world.open_shop()).deposit(2)
    order_id = await world.place()
    outcomes = await world.batch(
        world.asked(Asker.OPERATOR, shops.SuspendShop(shop_id=world.shop_id, reason="looked into")),
        world.asked(Asker.BUYER, world.placing(buyer="wang")),
        world.asked(Asker.PROVIDER, world.paying(order_id, 1_000)),
    )
    assert refusals(outcomes) == ["", "ShopIsClosed", ""]
    assert await world.stage_of(order_id) == "delivered"


async def test_a_listing_that_was_never_published_is_not_on_sale_and_takes_no_codes(world: World) -> None:
    await world.open_shop()
    world.listing_id = world.new_id()
    batch_id, _ = await world.stage(1)
    assert (await world.ask(Asker.MERCHANT, world.register(batch_id, 1))).refusal == "NotFound"
    assert (await world.ask(Asker.BUYER, world.placing())).refusal == "ListingIsNotOnSale"


async def test_every_deadline_of_an_order_stands_beside_it(world: World) -> None:
    await (await world.open_shop()).deposit(1)
    order_id = await world.paid()
    assert (await world.ask(Asker.CLOCK, orders.CompleteOrder(**world.of_order(order_id)))).refusal == "NotDueYet"
    world.now_ms += 7 * DAY_MS
    await world.done(Asker.CLOCK, orders.CompleteOrder(**world.of_order(order_id)))
    assert await world.stage_of(order_id) == "completed"
    assert len((await world.reveal(order_id)).facts["opened"]) == 1, "a completed order's codes may still be opened"
