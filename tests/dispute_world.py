"""Disputes in the engine's small world: a shop with a deposit, an order complained about, panels that say what a test
wants. Inner commands that only panels ask are opened to the clock by `panels_may_speak`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from engine_world import World
from fairkey.business import complaints, deposits, pool, standards
from fairkey.business.askers import ASKERS, Asker
from fairkey.business.basics import HOUR_MS, PLATFORM, Stream
from fairkey.business.dispute_events import Reason
from fairkey.business.files import DepositFile, PoolFile
from fairkey.business.standard.library import newest
from fairkey.business.standard.truth import Statement, Value
from fairkey.business.verdicts import CodeCase

STANDARD: Final = newest().standard
PRICE_FEN: Final = 20_000
H48: Final = 48 * HOUR_MS


@contextmanager
def panels_may_speak() -> Iterator[None]:
    """What only follows from a panel's events is asked by the test."""
    kept = {one: ASKERS[one] for one in (complaints.TakePanelVerdict, complaints.TakePanelLapse)}
    ASKERS.update(dict.fromkeys(kept, frozenset({Asker.CLOCK})))
    try:
        yield
    finally:
        ASKERS.update(kept)


async def shop_with_deposit(world: World, deposit_fen: int) -> None:
    """The standard in force, an open shop with codes, and so much in its deposit."""
    publish = standards.PublishStandard(
        shop_id=PLATFORM,
        standard_id=standards.STANDARD_ID,
        name=STANDARD.name,
        version=STANDARD.version,
        sha256=STANDARD.sha256,
    )
    await world.done(Asker.CLOCK, publish)
    await world.open_shop(price_fen=PRICE_FEN)
    await world.deposit(20)
    await pay_in(world, deposit_fen)


async def pay_in(world: World, amount_fen: int) -> None:
    """The shop's deposit grows."""
    if not amount_fen:
        return
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
            provider_txn=f"top-up {top_up_id}",
            amount_fen=amount_fen,
            paid_at_ms=world.now_ms,
        ),
    )
    no = len((await deposit_of(world)).top_ups)
    await world.done(
        Asker.PROVIDER, deposits.RecordSecured(shop_id=world.shop_id, top_up_no=no, attempt=1, succeeded=True)
    )


async def deposit_of(world: World) -> deposits.Deposit:
    """The shop's deposit."""
    found = await world.looks.file(Stream(world.shop_id, "deposit", world.shop_id))
    if found is None:
        return deposits.INITIAL
    assert isinstance(found[1], DepositFile)
    return found[1].deposit


async def pool_of(world: World) -> pool.Pool:
    """The guarantee pool."""
    found = await world.looks.file(Stream(PLATFORM, "pool", pool.POOL_ID))
    if found is None:
        return pool.INITIAL
    assert isinstance(found[1], PoolFile)
    return found[1].pool


def judging(world: World, order_id: str, *facts: tuple[str, Value, str]) -> complaints.JudgeComplaint:
    """What the engine asks about a complaint of two days ago, with what else is known."""
    said: tuple[tuple[str, Value, str], ...] = (
        ("now_ms", world.now_ms, "E2"),
        ("amount_fen", PRICE_FEN, "E2"),
        ("asked_fen", PRICE_FEN, "E2"),
        ("units_total", 1, "E2"),
        ("units_affected", 1, "E2"),
        ("complained_at_ms", world.now_ms - H48, "E2"),
        ("form_complete", True, "E2"),
        ("sold_before", False, "E2"),
        ("merchant_answered_at_ms", world.now_ms - H48 + 1, "E2"),
        *facts,
    )
    told = tuple(Statement(fact=fact, value=value, rank=rank) for fact, value, rank in said)
    codes = (CodeCase(code_nos=(1,), statements=told),)
    return complaints.JudgeComplaint(**world.of_order(order_id), sha256=STANDARD.sha256, codes=codes)


async def complained(world: World, reason: Reason = Reason.OTHER, buyer: str = "li", demand_fen: int = 0) -> str:
    """An order about which the buyer complained and the shop disagrees, two days ago."""
    order_id = await world.paid(1, buyer)
    about = world.of_order(order_id)
    complaint = complaints.OpenComplaint(**about, reason=reason, text="It does not work.", demand_fen=demand_fen)
    await world.done(Asker.BUYER, complaint)
    await world.done(Asker.MERCHANT, complaints.ContestComplaint(**about, text="It was fresh."))
    world.now_ms += H48
    return order_id


async def before_three(world: World, buyer: str = "li") -> str:
    """An order about which the standard leaves the decision to a panel of three."""
    order_id = await complained(world, buyer=buyer)
    await world.done(Asker.CLOCK, judging(world, order_id, ("reason", "other", "E2")))
    return order_id


def verdict(world: World, order_id: str, level: int, refund_fen: int, named: str) -> complaints.TakePanelVerdict:
    """What the panel of this level decided."""
    return complaints.TakePanelVerdict(
        **world.of_order(order_id),
        panel_id=complaints.panel_id_of(order_id, level),
        level=level,
        refund_fen=refund_fen,
        row=named,
        case="",
        text_sha256="cd" * 32,
    )
