"""A working code instead of one that fails: once, out of stock once, confirmed or not; silence confirms."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from msgspec.structs import replace

from business_cases import LISTING, NOW, ORDER, SHOP, Case, all_of, hold
from engine_world import MemoryLooks, PostgresLooks, World
from fairkey.adapters.postgres.store import ENGINE_SETTINGS
from fairkey.business import codes, complaints
from fairkey.business.askers import Asker
from fairkey.business.basics import HOUR_MS, SECOND_MS, Broken
from fairkey.business.codes import (
    CodesDelivered,
    CodesReplaced,
    CodesReserved,
    CodesRevealed,
    CodeStage,
    OpeningBriefing,
    ReplaceCodes,
    RevealCodes,
    StockBriefing,
    StockIsShort,
)
from fairkey.business.complaints import (
    BoxBriefing,
    ConfirmReplacement,
    EndSilence,
    RefuseReplacement,
    SendReplacement,
)
from fairkey.business.dispute_events import (
    CodeWasNotOpened,
    ComplaintClosed,
    ComplaintDemanded,
    ComplaintIsInAnotherStage,
    ComplaintOpened,
    Demand,
    NotSilentYet,
    Outcome,
    Reason,
    ReplacementConfirmed,
    ReplacementIsNotWanted,
    ReplacementRefused,
    ReplacementSent,
    ReplacementWasSent,
)
from fairkey.engine.answers import Answer

H48 = 48 * HOUR_MS
ID = {"shop_id": SHOP, "order_id": ORDER}
OPENED = ComplaintOpened(reason=Reason.NOT_VALID, demand_fen=2_000, text="No such code.", answer_by_ms=NOW + H48)
USED = ComplaintOpened(reason=Reason.ALREADY_USED, demand_fen=2_000, text="It is used.", answer_by_ms=NOW + H48)
WANTED = ComplaintDemanded(demand=Demand.RESEND, screen="")
SENT = ReplacementSent(instead_of=("c1", "c2"), confirm_by_ms=NOW + H48)
BOX = BoxBriefing(opened=("c1", "c2"))
AGAIN = RefuseReplacement(**ID, text="This one fails too.")
REFUSED = ReplacementRefused(text="This one fails too.", answer_by_ms=NOW + H48)
GOOD = ComplaintClosed(outcome=Outcome.RESENT, refund_fen=0, text="")
FLOW = [
    Case(
        rule="a code that is not valid is replaced",
        given=(OPENED,), when=SendReplacement(**ID), brief=BOX, then=[SENT],
    ),
    Case(
        rule="and any whose buyer wants a working one",
        given=(USED, WANTED), when=SendReplacement(**ID, codes=("c2", "c2")), brief=BOX,
        then=[ReplacementSent(instead_of=("c2",), confirm_by_ms=NOW + H48)],
    ),
    Case(
        rule="nobody gets another code who wants his money",
        given=(USED,), when=SendReplacement(**ID), brief=BOX,
        then=(ReplacementIsNotWanted, {"demand": "refund", "reason": "already_used"}),
    ),
    Case(rule="one a complaint", given=(OPENED, SENT), when=SendReplacement(**ID), brief=BOX, then=ReplacementWasSent),
    Case(
        rule="also after it failed",
        given=(OPENED, SENT, REFUSED), when=SendReplacement(**ID), brief=BOX, then=ReplacementWasSent,
    ),
    Case(
        rule="a sealed code is not replaced",
        given=(OPENED,), when=SendReplacement(**ID, codes=("c1", "c9")), brief=BOX, then=CodeWasNotOpened,
    ),
    Case(
        rule="nothing was opened",
        given=(OPENED,), when=SendReplacement(**ID), brief=BoxBriefing(opened=()), then=CodeWasNotOpened,
    ),
    Case(
        rule="the buyer says that it works",
        given=(OPENED, SENT), when=ConfirmReplacement(**ID), then=[ReplacementConfirmed()],
    ),
    Case(
        rule="twice is once",
        given=(OPENED, SENT, ReplacementConfirmed()), when=ConfirmReplacement(**ID), then=[],
    ),
    Case(
        rule="who said that it works does not complain again",
        given=(OPENED, SENT, ReplacementConfirmed()), when=AGAIN, then=(ComplaintIsInAnotherStage, {"stage": "resent"}),
    ),
    Case(
        rule="or that it fails",
        given=(OPENED, SENT), when=AGAIN, at_ms=NOW + H48 - 1,
        then=[replace(REFUSED, answer_by_ms=NOW + 2 * H48 - 1)],
    ),
    Case(
        rule="in time",
        given=(OPENED, SENT), when=AGAIN, at_ms=NOW + H48, then=(ComplaintIsInAnotherStage, {"stage": "resent"}),
    ),
    Case(
        rule="silence is waited for",
        given=(OPENED, SENT), when=EndSilence(**ID), at_ms=NOW + H48 - SECOND_MS,
        then=(NotSilentYet, {"due_at_ms": NOW + H48}),
    ),
    Case(rule="silence says that it works", given=(OPENED, SENT), when=EndSilence(**ID), at_ms=NOW + H48, then=[GOOD]),
    Case(
        rule="without a replacement nothing is confirmed",
        given=(OPENED,), when=ConfirmReplacement(**ID), then=(ComplaintIsInAnotherStage, {"stage": "opened"}),
    ),
    Case(
        rule="a shop that is silent about the second complaint has lost",
        given=(OPENED, SENT, (REFUSED, NOW)), when=EndSilence(**ID), at_ms=NOW + H48,
        then=[ComplaintClosed(outcome=Outcome.MERCHANT_SILENT, refund_fen=2_000, text="")],
    ),
]  # fmt: skip
HELD = (CodesReserved(codes=("c1", "c2"), listing_id=LISTING), CodesDelivered(codes=("c1", "c2"), commitments=()))
OPEN = CodesRevealed(codes=("c1",), account_name="", account_region="")
SWAPPED = CodesReplaced(codes=("n1",), instead_of=("c1",), listing_id=LISTING)
REPLACE = ReplaceCodes(**ID, instead_of=("c1",))
ONLY_NEW = OpeningBriefing(may_open=True, replacements=True)
CASES = [
    Case(
        rule="another of the listing lies in the box",
        given=(*HELD, OPEN), when=REPLACE, brief=StockBriefing(free=("n1", "n2"), listing_id=LISTING), then=[SWAPPED],
    ),
    Case(
        rule="out of stock is out of stock",
        given=(*HELD, OPEN), when=REPLACE, brief=StockBriefing(free=(), listing_id=LISTING),
        then=(StockIsShort, {"wanted": 1, "left": 0}),
    ),
    Case(
        rule="a sealed one is never replaced",
        given=HELD, when=REPLACE, brief=StockBriefing(free=("n1",), listing_id=LISTING), then=Broken,
    ),
    Case(
        rule="the new one is opened while the dispute runs, the other sealed one is not",
        given=(*HELD, OPEN, SWAPPED), when=RevealCodes(**ID), brief=ONLY_NEW,
        then=[CodesRevealed(codes=("n1",), account_name="", account_region="")],
    ),
]  # fmt: skip


@all_of(FLOW)
def test_resending(case: Case) -> None:
    hold(complaints, case)


@all_of(CASES)
def test_replaced_codes(case: Case) -> None:
    hold(codes, case)


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.pg)])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    if request.param == "memory":
        yield World(MemoryLooks())
        return
    dsn = request.getfixturevalue("database_url")
    async with asyncpg.create_pool(dsn, min_size=1, max_size=4, server_settings=ENGINE_SETTINGS) as pool:
        yield World(PostgresLooks(pool))


async def test_two_who_press_at_once_take_one_code_and_a_refund_gives_it_back(world: World) -> None:
    await world.open_shop()
    await world.deposit(3)
    order_id = await world.paid()
    about = world.of_order(order_id)
    await world.reveal(order_id)
    await world.done(
        Asker.BUYER, complaints.OpenComplaint(**about, reason=Reason.NOT_VALID, text="It fails.", demand=Demand.RESEND)
    )
    send = SendReplacement(**about)
    others = [world.another_performer() for _ in range(3)]
    answers = await asyncio.gather(
        *(one.perform([world.asked(Asker.MERCHANT, send)]) for one in others),
        world.batch(world.asked(Asker.MERCHANT, send)),
    )
    assert sorted(one.refusal for [one] in answers if isinstance(one, Answer)) == ["", *["ReplacementWasSent"] * 3]
    assert await world.stock() == 1
    held = (await world.order(order_id)).codes.held
    assert [(one.stage, one.replaces) for one in held] == [(CodeStage.REPLACED, False), (CodeStage.DELIVERED, True)]
    assert (await world.stages())["revealed"] == 1  # what was opened is never sold again

    await world.done(Asker.MERCHANT, complaints.AcceptComplaint(**about))
    assert await world.stage_of(order_id) == "refunded"
    assert await world.stock() == 2


async def test_without_stock_nothing_is_promised(world: World) -> None:
    await world.open_shop()
    await world.deposit(1)
    order_id = await world.paid()
    about = world.of_order(order_id)
    await world.reveal(order_id)
    await world.done(Asker.BUYER, complaints.OpenComplaint(**about, reason=Reason.NOT_VALID, text="It fails."))
    assert (await world.ask(Asker.MERCHANT, SendReplacement(**about))).refusal == "StockIsShort"
    assert (await world.order(order_id)).complaint.stage.value == "opened"
    assert (await world.ask(Asker.BUYER, SendReplacement(**about))).refusal == "NotYours"
