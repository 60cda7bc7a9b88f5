"""A vanished shop's open orders are refunded once each: whatever statement of an order's end dies, wherever the walk
through them is cut off, twice, two at once, and late.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import pytest

from api_world import PRICE_FEN, World, a_world
from dispute_world import shop_with_deposit
from fairkey.app import publish_standard
from fairkey.business import orders, shops
from fairkey.business.askers import ASKERS, Asker
from fairkey.business.basics import DAY_MS, Stream
from fairkey.business.complaints import OpenComplaint, WindUpComplaint
from fairkey.business.dispute_events import Reason
from fairkey.business.files import ShopFile
from fairkey.business.references import read_reference
from fairkey.engine.answers import Answer, StoreIsAway
from fairkey.engine.perform import Asked
from fairkey.engine.winding_up import wind_up
from faults.test_write_path_faults import Ground, a_ground, asked_once, changed, ways_of
from faults_world import Fault, must_be_clean

pytestmark = pytest.mark.pg

WHY: Final = "Looked at by a person of the platform."


@pytest.fixture(autouse=True)
def doors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ASKERS, shops.NoteVanished, frozenset({Asker.CLOCK}))


async def gone(ground: Ground, order_id: str) -> None:
    """The shop vanishes, as a ruling about this order would say."""
    ground.world.now_ms += 1
    note = shops.NoteVanished(shop_id=ground.world.shop_id, order_id=order_id, ruling_no=1)
    await ground.world.done(Asker.CLOCK, note)


async def here(ground: Ground) -> None:
    """It is back, so that the next order can be placed."""
    found = await ground.world.looks.file(Stream(ground.world.shop_id, "shop", ground.world.shop_id))
    assert found is not None
    assert isinstance(found[1], ShopFile)
    if found[1].shop.has_vanished:
        await ground.world.done(Asker.OPERATOR, shops.LetReturn(shop_id=ground.world.shop_id, reason=WHY))


async def unpaid(ground: Ground) -> Asked:
    await here(ground)
    order_id = await ground.world.place(1, ground.buyer())
    await ground.world.pay(order_id, 999, f"short:{order_id}")
    await gone(ground, order_id)
    return ground.world.asked(Asker.CLOCK, orders.WindUpOrder(**ground.world.of_order(order_id)))


async def opened(ground: Ground) -> Asked:
    await here(ground)
    order_id = await ground.world.paid(2, ground.buyer())
    first = (await ground.world.order(order_id)).codes.held[0].code_id
    await ground.world.reveal(order_id, first)
    await gone(ground, order_id)
    return ground.world.asked(Asker.CLOCK, orders.WindUpOrder(**ground.world.of_order(order_id)))


async def complained_about(ground: Ground) -> Asked:
    await here(ground)
    order_id = await ground.world.paid(1, ground.buyer())
    about = ground.world.of_order(order_id)
    complaint = OpenComplaint(**about, reason=Reason.NOT_VALID, text="It does not work.", demand_fen=1)
    await ground.world.done(Asker.BUYER, complaint)
    await gone(ground, order_id)
    return ground.world.asked(Asker.CLOCK, WindUpComplaint(**about))


SCENES: Final[tuple[Callable[[Ground], Awaitable[Asked]], ...]] = (unpaid, opened, complained_about)


@pytest.mark.parametrize("make", SCENES, ids=[make.__name__ for make in SCENES])
async def test_whatever_dies_while_an_order_ends_it_is_refunded_once(
    make: Callable[[Ground], Awaitable[Asked]], database_url: str
) -> None:
    async with a_ground(database_url) as ground:
        await shop_with_deposit(ground.world, 0)
        await ground.world.deposit(300)
        await ground.performer.perform([await make(ground)])
        asked = await make(ground)
        before = await ground.snapshot()
        ground.faulty.arm(None)
        (expected,) = await ground.performer.perform([asked])
        assert isinstance(expected, Answer)
        assert not expected.refusal, expected
        assert "payment.refund_requested" in expected.kinds
        statements, effect = ground.faulty.sent, changed(before, await ground.snapshot())
        for at, name in enumerate(statements):
            for way in ways_of(name):
                asked = await make(ground)
                before = await ground.snapshot()
                ground.faulty.arm(Fault(at, way))
                await asked_once(ground.performer, asked)
                (again,) = await ground.performer.perform([asked])
                assert isinstance(again, Answer)
                assert (again.kinds, again.refusal) == (expected.kinds, ""), (name, at, way)
                assert changed(before, await ground.snapshot()) == effect, (name, at, way)
        await must_be_clean(ground.pool, ground.world.now_ms)


# The walk, in a whole house.


@pytest.fixture
async def world(database_url: str, state_dir: Path) -> AsyncIterator[World]:
    async with a_world(database_url, state_dir) as world:
        yield world


def id_of(placed: dict[str, Any]) -> str:
    found = read_reference(placed["reference"])
    assert found is not None
    return found[1]


async def work(world: World) -> None:
    while await world.opened.worker.step():
        pass


async def open_orders(world: World, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """One order in each way of being open: unpaid, sealed, opened, typed by hand, argued about; and one done with."""
    await publish_standard(world.opened.house)
    sealed, unsealed, argued, done = [await world.paid() for _ in range(4)]
    for one in (unsealed, argued):
        assert (await world.of_order(one, "reveal")).status_code == 200
    complaint = {"reason": "other", "text": "与描述不符。"}
    assert (await world.of_order(argued, "complaint", complaint)).status_code == 200
    assert (await world.of_order(done, "confirm")).status_code == 200
    manual = await world.paid(listing_id=world.manual_id)
    unpaid_ = await world.place()
    await work(world)
    monkeypatch.setitem(ASKERS, shops.NoteVanished, frozenset({Asker.CLOCK}))
    world.clock.ms += 1
    note = shops.NoteVanished(shop_id=world.shop_id, order_id=id_of(argued), ruling_no=1)
    answer = await world.opened.house.ask(Asker.CLOCK, note)
    assert answer.kinds == ("shop.vanished", "deposit.kept_for_claims")
    return [unpaid_, sealed, unsealed, manual, argued, done]


ENDS: Final = ["expired", "refunded", "refunded", "refunded", "refunded", "completed"]


async def ends(world: World, placed: list[dict[str, Any]]) -> list[str]:
    return [(await world.read(one))["stage"] for one in placed]


async def refunds(world: World) -> Counter[str]:
    """How often money went back for each order."""
    rows = await world.opened.pool.fetch(
        "SELECT stream_id::text AS id, count(*) FROM events WHERE kind = 'payment.refund_requested' GROUP BY 1"
    )
    return Counter(dict(rows))


async def test_all_open_orders_end_and_what_was_done_with_stays(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    placed = await open_orders(world, monkeypatch)
    await work(world)
    assert await ends(world, placed) == ENDS
    held = [(await world.read(one))["money"]["held_fen"] for one in placed]
    assert held == [0] * 6
    assert [(await world.read(one))["money"]["refunded_fen"] for one in placed[1:3]] == [PRICE_FEN] * 2
    assert (await world.read(placed[4]))["complaint"]["outcome"] == "shop_vanished"
    late = await world.tell(world.notice(placed[0]["reference"], placed[0]["amount_fen"]))
    assert late.text == "success"
    order = await world.read(placed[0])
    assert (order["stage"], order["money"]["held_fen"], order["money"]["refunded_fen"]) == ("expired", 0, PRICE_FEN)
    refused = await world.post("/api/v1/orders", world.order_body(), idempotency_key="after-it-has-vanished")
    assert refused.json()["type"] == "/problems/shop-is-closed", refused.text
    await must_be_clean(world.opened.pool, world.clock(), world.opened.keys)


async def test_cut_off_anywhere_twice_and_two_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    placed = await open_orders(world, monkeypatch)
    house = world.opened.house
    ask = house.ask
    for reached in range(3):  # of five
        left = iter(range(reached))

        async def dying(*what: Any, left: Any = left, **more: Any) -> Answer:  # noqa: ANN401 - as it is asked
            if next(left, None) is None:
                raise StoreIsAway("the process ends here")
            return await ask(*what, **more)

        monkeypatch.setattr(house, "ask", dying)
        with pytest.raises(StoreIsAway):
            await wind_up(house, world.shop_id)
        monkeypatch.setattr(house, "ask", ask)
        if reached == 0:
            assert (await ends(world, placed))[1] == "delivered"
    await asyncio.gather(*(wind_up(house, world.shop_id) for _ in range(3)))
    await work(world)
    world.clock.ms += DAY_MS
    await work(world)
    assert await ends(world, placed) == ENDS
    assert set((await refunds(world)).values()) == {1}
    assert len(await refunds(world)) == 4
    await must_be_clean(world.opened.pool, world.clock(), world.opened.keys)


async def test_an_order_that_came_in_the_same_moment_is_found_by_the_second_look(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_orders(world, monkeypatch)
    house = world.opened.house
    shop = "UPDATE streams SET state = $2 WHERE shop_id = $1 AND kind = 'shop'"
    state = await world.opened.pool.fetchval(
        "SELECT state FROM streams WHERE shop_id = $1 AND kind = 'shop'", world.shop_id
    )
    await work(world)
    # Another process still sees the shop as it was, and places an order in the moment in which it vanishes.
    assert (await house.ask(Asker.OPERATOR, shops.LetReturn(shop_id=world.shop_id, reason=WHY))).kinds
    straggler = await world.paid()
    await world.opened.pool.execute(shop, world.shop_id, state)
    await work(world)
    assert (await world.read(straggler))["stage"] == "delivered"
    world.clock.ms += 30 * 60_000
    await work(world)
    assert (await world.read(straggler))["stage"] == "refunded"


async def test_a_ruling_that_was_made_goes_its_own_way(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await publish_standard(world.opened.house)
    ruled = await world.paid()
    assert (await world.of_order(ruled, "reveal")).status_code == 200
    complaint = {"reason": "other", "text": "与描述不符。"}
    assert (await world.of_order(ruled, "complaint", complaint)).status_code == 200
    world.clock.ms += 2 * DAY_MS
    await work(world)
    assert (await world.read(ruled))["complaint"]["stage"] == "ruled"
    monkeypatch.setitem(ASKERS, shops.NoteVanished, frozenset({Asker.CLOCK}))
    note = shops.NoteVanished(shop_id=world.shop_id, order_id=id_of(ruled), ruling_no=1)
    await world.opened.house.ask(Asker.CLOCK, note)
    await work(world)
    assert (await world.read(ruled))["complaint"]["stage"] == "ruled"
    world.clock.ms += DAY_MS
    await work(world)
    order = await world.read(ruled)
    assert (order["stage"], order["complaint"]["outcome"]) == ("refunded", "standard")
    assert set((await refunds(world)).values()) == {1}
