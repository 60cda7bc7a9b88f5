"""What a vanished shop settled before is claimed by its issuer's word and paid once: out of what is left of the
deposit, in proportion, then out of the pool under its caps; whatever dies meanwhile, twice, two at once, late.
"""

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest

from api_world import PRICE_FEN, World, a_world
from dispute_world import deposit_of, pay_in, pool_of, shop_with_deposit
from examples.test_claims import REVOKED, code
from fairkey.adapters.mail.folder import FolderMail
from fairkey.app import publish_standard
from fairkey.business import claims, deposits, liquidations, orders, pool, shops
from fairkey.business.askers import ASKERS, Asker
from fairkey.business.basics import DAY_MS, PLATFORM, Stream
from fairkey.business.files import DepositFile
from fairkey.business.references import read_reference
from fairkey.business.standard.library import newest
from fairkey.engine.answers import Answer, StoreIsAway
from fairkey.engine.claiming import announce
from fairkey.engine.perform import Asked
from faults.test_vanished_shop import gone, here
from faults.test_write_path_faults import Ground, a_ground, asked_once, changed, ways_of
from faults_world import Fault, must_be_clean
from issuers_world import an_issuer

pytestmark = pytest.mark.pg

PLENTY_FEN: Final = 2_000_000
PRICE: Final = 20_000  # of the engine's world
KEPT_FEN: Final = 1_000


@pytest.fixture(autouse=True)
def doors(monkeypatch: pytest.MonkeyPatch) -> None:
    for command in (shops.NoteVanished, deposits.ChargeDeposit):
        monkeypatch.setitem(ASKERS, command, frozenset({Asker.CLOCK}))


async def settled(ground: Ground) -> str:
    """An order that its buyer confirmed."""
    order_id = await ground.world.paid(1, ground.buyer())
    await ground.world.reveal(order_id)
    await ground.world.done(Asker.BUYER, orders.ConfirmOrder(**ground.world.of_order(order_id)))
    return order_id


def claiming(ground: Ground, order_id: str, part: int = 1) -> claims.FileClaim:
    """What the engine asks with the issuer's word: revoked; `part`: of how many units."""
    at_ms = ground.world.now_ms
    (one,) = (code(1, *REVOKED, units=part),)
    said = {"now_ms": at_ms, "complained_at_ms": at_ms, "amount_fen": PRICE, "revealed_at_ms": at_ms - 2 * DAY_MS,
            "revoked_at_ms": at_ms - DAY_MS}  # fmt: skip
    statements = tuple(
        type(each)(fact=each.fact, value=said.get(each.fact, each.value), rank=each.rank) for each in one.statements
    )
    codes = (type(one)(code_nos=one.code_nos, statements=statements),)
    return claims.FileClaim(**ground.world.of_order(order_id), sha256=newest().standard.sha256, codes=codes)


async def left(ground: Ground) -> liquidations.Liquidation:
    found = await ground.world.looks.file(Stream(ground.world.shop_id, "deposit", ground.world.shop_id))
    assert found is not None
    assert isinstance(found[1], DepositFile)
    return found[1].liquidation


async def taken(ground: Ground, order_id: str, deduct_fen: int) -> None:
    """What a ruling by R18 takes of the deposit."""
    charge = deposits.ChargeDeposit(
        **ground.world.of_order(order_id), ruling_no=1, row="R18", deduct_fen=deduct_fen, refund_fen=0
    )
    await ground.world.done(Asker.CLOCK, charge)


async def a_claim(ground: Ground) -> Asked:
    await here(ground)
    order_id = await settled(ground)
    await gone(ground, order_id)
    return ground.world.asked(Asker.BUYER, claiming(ground, order_id))


async def a_division(ground: Ground) -> Asked:
    asked = await a_claim(ground)
    assert isinstance(asked.command, claims.FileClaim)
    await taken(ground, asked.command.order_id, KEPT_FEN)
    await ground.world.done(Asker.BUYER, asked.command)
    ground.world.now_ms = (await left(ground)).until_ms
    return ground.world.asked(Asker.CLOCK, liquidations.ShareDeposit(shop_id=ground.world.shop_id))


async def a_share(ground: Ground) -> Asked:
    asked = await a_division(ground)
    await ground.world.done(Asker.CLOCK, asked.command)
    (share,) = (await left(ground)).unpaid
    pay = liquidations.PayShare(shop_id=ground.world.shop_id, order_id=share.order_id)
    return ground.world.asked(Asker.CLOCK, pay)


async def ready(ground: Ground) -> None:
    await shop_with_deposit(ground.world, PLENTY_FEN)
    await ground.world.deposit(300)
    fund = pool.FundPool(shop_id=PLATFORM, pool_id=pool.POOL_ID, amount_fen=PLENTY_FEN, note="transfer 1")
    await ground.world.done(Asker.OPERATOR, fund)


@pytest.mark.parametrize("make", [a_division, a_share])
async def test_whatever_dies_while_the_deposit_is_divided_each_claim_is_paid_once(
    make: Any,  # noqa: ANN401 - one of the scenes above
    database_url: str,
) -> None:
    async with a_ground(database_url) as ground:
        await ready(ground)
        await ground.performer.perform([await make(ground)])
        if make is a_division:  # each scene begins with nothing to be paid
            await paid_out(ground)
        asked = await make(ground)
        before = await ground.snapshot()
        ground.faulty.arm(None)
        (expected,) = await ground.performer.perform([asked])
        assert isinstance(expected, Answer)
        assert not expected.refusal, expected
        statements, effect = ground.faulty.sent, changed(before, await ground.snapshot())
        for at, name in enumerate(statements):
            for way in ways_of(name):
                if make is a_division:
                    await paid_out(ground)
                asked = await make(ground)
                before = await ground.snapshot()
                ground.faulty.arm(Fault(at, way))
                await asked_once(ground.performer, asked)
                (again,) = await ground.performer.perform([asked])
                assert isinstance(again, Answer)
                assert (again.kinds, again.refusal) == (expected.kinds, ""), (name, at, way)
                assert changed(before, await ground.snapshot()) == effect, (name, at, way)
        await must_be_clean(ground.pool, ground.world.now_ms)


async def paid_out(ground: Ground) -> None:
    for share in (await left(ground)).unpaid:
        pay = liquidations.PayShare(shop_id=ground.world.shop_id, order_id=share.order_id)
        await ground.world.done(Asker.CLOCK, pay)


async def test_in_proportion_then_the_pool_and_two_at_once_are_one(database_url: str) -> None:
    async with a_ground(database_url) as ground:
        world = ground.world
        await shop_with_deposit(world, 0)
        await pay_in(world, 10_001)
        await world.deposit(20)
        fund = pool.FundPool(shop_id=PLATFORM, pool_id=pool.POOL_ID, amount_fen=7_000, note="transfer 1")
        await world.done(Asker.OPERATOR, fund)
        first, second, third = [await settled(ground) for _ in range(3)]
        await gone(ground, first)
        await taken(ground, first, 99_999)
        assert (await deposit_of(world)).free_fen == 0
        assert (await left(ground)).kept_fen == 10_001
        assert (await pool_of(world)).balance_fen == 7_000, "it is the claimants' before it is the pool's"
        for order_id in (first, second):
            await world.done(Asker.BUYER, claiming(ground, order_id))
        answer = await world.ask(Asker.BUYER, claiming(ground, second))
        assert answer.refusal == "OrderCannotBeClaimed"
        world.now_ms = (await left(ground)).until_ms
        assert (await world.ask(Asker.BUYER, claiming(ground, third))).refusal == "ClaimsAreOver"
        share = liquidations.ShareDeposit(shop_id=world.shop_id)
        performers = [world.another_performer(), world.another_performer(), ground.performer]
        await asyncio.gather(*(one.perform([world.asked(Asker.CLOCK, share)]) for one in performers))
        assert sorted(one.share_fen for one in (await left(ground)).unpaid) == [5_000, 5_001]
        pays = [liquidations.PayShare(shop_id=world.shop_id, order_id=order_id) for order_id in (first, second)]
        await asyncio.gather(*(one.perform([world.asked(Asker.CLOCK, pay)]) for one in performers for pay in pays))
        back = {
            order_id: sorted((one.source, one.amount_fen) for one in (await world.order(order_id)).restored.all)
            for order_id in (first, second)
        }
        deposit_parts = [dict(parts)["deposit"] for parts in back.values()]
        assert sorted(deposit_parts) == [5_000, 5_001]
        assert sorted(dict(parts)["pool"] for parts in back.values()) == [2_000, 5_000], "capped, then empty"
        assert (await pool_of(world)).balance_fen == 0
        assert (await left(ground)).left_fen == 0
        await must_be_clean(ground.pool, world.now_ms)


async def test_what_nobody_claims_goes_to_the_pool(database_url: str) -> None:
    async with a_ground(database_url) as ground:
        await shop_with_deposit(ground.world, 10_000)
        order_id = await settled(ground)
        await gone(ground, order_id)
        await taken(ground, order_id, 10_000)
        ground.world.now_ms = (await left(ground)).until_ms
        await ground.world.done(Asker.CLOCK, liquidations.ShareDeposit(shop_id=ground.world.shop_id))
        assert (await pool_of(ground.world)).balance_fen == 10_000
        await must_be_clean(ground.pool, ground.world.now_ms)


# By the buyer's door.


@pytest.fixture
async def world(database_url: str, state_dir: Path) -> AsyncIterator[World]:
    async with a_world(database_url, state_dir) as world:
        yield world


async def work(world: World) -> None:
    while await world.opened.worker.step():
        pass


async def test_the_issuers_word_is_a_claim_and_nothing_else_is(world: World) -> None:
    await publish_standard(world.opened.house)
    issuer = await an_issuer(world)
    placed = await world.paid()
    opened = await world.of_order(placed, "reveal")
    text = opened.json()["codes"][0]["text"]
    assert (await world.of_order(placed, "confirm")).status_code == 200
    early = await world.of_order(placed, "claim")
    assert (early.status_code, early.json()["details"]) == (409, {"why": "shop_is_there"})
    where = read_reference(placed["reference"])
    assert where is not None
    world.clock.ms += 1
    note = shops.NoteVanished(shop_id=world.shop_id, order_id=where[1], ruling_no=1)
    assert not (await world.opened.house.ask(Asker.CLOCK, note)).refusal
    nobody = await world.of_order(placed, "claim")
    assert nobody.json()["type"] == "/problems/issuer-has-not-spoken", nobody.text
    world.clock.ms += DAY_MS
    assert (await issuer.say(text, "revoked")).status_code == 200
    claimed = await world.of_order(placed, "claim")
    assert claimed.status_code == 200, claimed.text
    assert (await world.read(placed))["claim"]["claim_fen"] == PRICE_FEN
    twice = await world.of_order(placed, "claim")
    assert twice.json()["details"] == {"why": "claimed"}
    world.clock.ms += 30 * DAY_MS
    await work(world)
    liquidation = await world.opened.house.questions.deposits.liquidation(world.shop_id)
    assert (liquidation.unpaid, liquidation.until_ms) == ((), 0)
    await must_be_clean(world.opened.pool, world.clock(), world.opened.keys)


async def test_who_may_claim_gets_one_letter_wherever_the_walk_was_cut_off(
    database_url: str, state_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = FolderMail(tmp_path / "mail", "no-reply@fairkey.example")
    async with a_world(database_url, state_dir, mail=mail) as world:
        await publish_standard(world.opened.house)
        done = [await world.paid() for _ in range(3)]
        for one in done:
            assert (await world.of_order(one, "reveal")).status_code == 200
            assert (await world.of_order(one, "confirm")).status_code == 200
        sealed = await world.paid()
        where = read_reference(done[0]["reference"])
        assert where is not None
        world.clock.ms += 1
        note = shops.NoteVanished(shop_id=world.shop_id, order_id=where[1], ruling_no=1)
        house = world.opened.house
        assert not (await house.ask(Asker.CLOCK, note)).refusal
        await cut_off_after(1, house, world.shop_id, monkeypatch)
        await asyncio.gather(*(announce(house, world.shop_id) for _ in range(3)))
        await work(world)
        world.clock.ms += DAY_MS
        await work(world)
        told = [await timeline(world, one) for one in [*done, sealed]]
        assert [kinds.count("claim.announced") for kinds in told] == [1, 1, 1, 0]
        letters = [email.message_from_bytes(one.read_bytes(), policy=email.policy.default) for one in mail.letters()]
        assert len([one for one in letters if "店铺已失联" in one["subject"]]) == 3
        await must_be_clean(world.opened.pool, world.clock(), world.opened.keys)


async def cut_off_after(reached: int, house: Any, shop_id: str, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN401
    ask, left = house.ask, iter(range(reached))

    async def dying(*what: Any, **more: Any) -> Answer:  # noqa: ANN401 - as it is asked
        if next(left, None) is None:
            raise StoreIsAway("the process ends here")
        answer: Answer = await ask(*what, **more)
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(house, "ask", dying)
        with pytest.raises(StoreIsAway):
            await announce(house, shop_id)


async def timeline(world: World, placed: dict[str, Any]) -> list[str]:
    """The kinds of an order's facts."""
    where = read_reference(placed["reference"])
    assert where is not None
    return [one.kind for one in await world.opened.house.questions.order_book.facts(world.shop_id, where[1])]
