"""Panels on a real database and log: from the request to the decision, drawn again offline, with two workers at once,
deaths between the steps, and files that were tampered with.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from api_world import PRICE_FEN, World, a_world
from fairkey.business.basics import MINUTE_MS
from fairkey.business.panel_events import PanelOutcome, PanelStage
from fairkey.business.panels import COMMIT_MS, CONVENE_MS
from fairkey.effects.outbox import NotYet
from fairkey.engine import docket, paneling
from fairkey.proofs.panel_files import PanelDoesNotHold, verify_panel_file
from panel_world import contested, convene, judges, panel_of
from receipt_world import policy, write_log

REASON = "The issuer's word is older than the opening."


@pytest.fixture
async def world(database_url: str, state_dir: Path) -> AsyncIterator[World]:
    async with a_world(database_url, state_dir) as world:
        yield world


async def drawn(world: World, dsn: str) -> str:
    """A panel that sits."""
    panel_id = await convene(world, await contested(world))
    house = world.opened.house
    await paneling.list_pool(house, panel_id)
    await write_log(world.opened, dsn)
    await paneling.draw_panel(house, panel_id)
    return panel_id


async def vote(world: World, panel_id: str, *refunds: int) -> None:
    house = world.opened.house
    panel = await panel_of(world, panel_id)
    for seat, refund_fen in zip(panel.seats, refunds, strict=False):
        answer = await docket.cast_vote(
            house,
            panel_id,
            seat.arbitrator_id,
            refund_fen=refund_fen,
            row="R05a" if refund_fen else "R04",
            reason=REASON,
        )
        assert not answer.refusal, answer


async def test_from_the_request_to_the_decision_and_drawn_again_offline(world: World, database_url: str) -> None:
    await judges(world)
    house = world.opened.house
    panel_id = await drawn(world, database_url)
    panel = await panel_of(world, panel_id)
    assert panel.stage is PanelStage.SITTING
    assert [seat.stratum for seat in panel.seats] == ["expert", "sellers", "buyers"]
    assert len(panel.standbys) == 6
    seated = panel.seats[0].arbitrator_id
    case = await docket.case_of(house, panel_id, seated)
    assert case.product == "Steam 充值卡 100 元"
    assert [one.panel_id for one in await docket.docket_of(house, seated)] == [panel_id]
    shown = " ".join(f"{one.kind} {one.text}" for one in case.facts)
    for hidden in ("小满卡铺", "Lin 88", "example.com", case.panel.order_id, world.shop_id):
        assert hidden not in shown

    await vote(world, panel_id, PRICE_FEN, 0, PRICE_FEN)
    assert (await panel_of(world, panel_id)).stage is PanelStage.REVEALING
    await paneling.reveal_panel(house, panel_id)
    panel = await panel_of(world, panel_id)
    assert (panel.stage, panel.outcome, panel.refund_fen) == (PanelStage.DECIDED, PanelOutcome.FOR_BUYER, PRICE_FEN)
    await paneling.settle_panel(house, panel_id)
    await paneling.settle_panel(house, panel_id)
    figures = {one.arbitrator_id: one.arbitrator for one in await house.questions.panels.arbitrators()}
    told = [figures[seat.arbitrator_id] for seat in panel.seats]
    assert [(one.seats, one.punctual, one.agreed, one.fees_fen) for one in told] == [
        (1, 1, 1, 300),
        (1, 1, 0, 300),
        (1, 1, 1, 300),
    ]

    await write_log(world.opened, database_url)
    data = await paneling.panel_file(house, panel_id)
    assert data is not None
    redrawn = verify_panel_file(data, await policy(world.opened))
    assert (redrawn.outcome, redrawn.refund_fen) == ("for_buyer", PRICE_FEN)
    assert [seat.drawn for seat in redrawn.seats] == [seat.arbitrator_id for seat in panel.seats]

    other = json.loads(data)
    at = next(number for number, one in enumerate(other["entries"]) if b"panel.drawn" in b64decode(one))
    changed = b64decode(other["entries"][at]).replace(seated.encode(), panel.standbys[0].arbitrator_id.encode())
    other["entries"][at] = b64encode(changed).decode()
    with pytest.raises(PanelDoesNotHold):
        verify_panel_file(json.dumps(other).encode(), await policy(world.opened))
    cut = {**json.loads(data), "entries": json.loads(data)["entries"][: at + 1]}
    cut["entries"][at] = other["entries"][at]
    with pytest.raises(PanelDoesNotHold, match="other seats"):
        verify_panel_file(json.dumps(cut).encode(), await policy(world.opened))


async def test_nothing_is_drawn_before_a_checkpoint_and_always_from_the_first(world: World, database_url: str) -> None:
    await judges(world)
    house = world.opened.house
    panel_id = await convene(world, await contested(world))
    await paneling.list_pool(house, panel_id)
    with pytest.raises(NotYet):
        await paneling.draw_panel(house, panel_id)
    await write_log(world.opened, database_url)
    first = (await house.log.status()).published_size
    await world.paid()
    await write_log(world.opened, database_url)
    assert (await house.log.status()).published_size > first
    await paneling.draw_panel(house, panel_id)
    drawing = [one for one in await house.questions.panels.facts(panel_id) if one.kind == "panel.drawn"]
    assert [one.public["checkpoint_size"] for one in drawing] == [first]


async def test_each_step_done_twice_is_done_once(world: World, database_url: str) -> None:
    await judges(world)
    house = world.opened.house
    panel_id = await convene(world, await contested(world))
    for _ in range(2):
        await paneling.list_pool(house, panel_id)
    await write_log(world.opened, database_url)
    for _ in range(2):
        await paneling.draw_panel(house, panel_id)
    await vote(world, panel_id, 0, 0, 0)
    for _ in range(2):
        await paneling.reveal_panel(house, panel_id)
    kinds = [one.kind for one in await house.questions.panels.facts(panel_id)]
    assert kinds.count("panel.convened") == kinds.count("panel.drawn") == kinds.count("panel.decided") == 1


async def test_whoever_traded_with_the_shop_or_judged_below_is_not_in_the_pool(world: World, database_url: str) -> None:
    known = await judges(world)
    house = world.opened.house
    buyer, account_id = next(iter(known.accounts.items()))
    await world.opened.pool.execute(
        "INSERT INTO shop_staff (shop_id, account_id, role, added_at) VALUES ($1::uuid, $2::uuid, 'staff', now())",
        world.shop_id,
        account_id,
    )
    guest = next(one for one in known.accounts if one != buyer)
    address = await house.people.accounts.email_of(known.accounts[guest])
    await world.paid(contact=address)
    panel_id = await drawn(world, database_url)
    facts = {one.kind: one for one in await house.questions.panels.facts(panel_id, with_sealed=True)}
    convened = facts["panel.convened"]
    assert convened.public["excluded_count"] == 2
    assert convened.sealed["excluded"].splitlines() == sorted([f"{buyer} trade", f"{guest} trade"])
    assert buyer not in str(convened.public["pool"])
    panel = await panel_of(world, panel_id)
    upper = await convene(world, panel.order_id, 7)
    await paneling.list_pool(house, upper)
    grounds = {one.kind: one for one in await house.questions.panels.facts(upper, with_sealed=True)}
    excluded = grounds["panel.convened"].sealed["excluded"].splitlines()
    assert sorted(excluded) == sorted(
        [f"{buyer} trade", f"{guest} trade", *(f"{seat.arbitrator_id} earlier_level" for seat in panel.seats)]
    )


async def test_a_pool_that_is_too_small_lapses_and_the_deadline_ends_one_that_nobody_draws(
    world: World, database_url: str
) -> None:
    panel_id = await drawn(world, database_url)
    assert (await panel_of(world, panel_id)).why == "pool_too_small"
    other = await convene(world, await contested(world))
    world.clock.ms += CONVENE_MS + 1
    await world.opened.worker.sweep()
    panel = await panel_of(world, other)
    assert (panel.stage, panel.why) == (PanelStage.LAPSED, "not_drawn")


async def test_the_clock_replaces_the_silent(world: World, database_url: str) -> None:
    await judges(world)
    panel_id = await drawn(world, database_url)
    before = await panel_of(world, panel_id)
    await vote(world, panel_id, 0)
    world.clock.ms += COMMIT_MS
    await world.opened.worker.sweep()
    after = await panel_of(world, panel_id)
    assert [seat.arbitrator_id for seat in after.seats] == [
        before.seats[0].arbitrator_id,
        before.standbys[0].arbitrator_id,
        before.standbys[1].arbitrator_id,
    ]


async def test_the_worker_alone_brings_a_panel_from_request_to_seats_and_from_votes_to_decision(
    world: World, database_url: str
) -> None:
    await judges(world)
    worker = world.opened.worker
    panel_id = await convene(world, await contested(world))
    await worker.do_effects()
    assert (await panel_of(world, panel_id)).stage is PanelStage.CONVENED
    await worker.do_effects()
    assert (await panel_of(world, panel_id)).stage is PanelStage.CONVENED
    await write_log(world.opened, database_url)
    world.clock.ms += MINUTE_MS
    await worker.do_effects()
    panel = await panel_of(world, panel_id)
    assert panel.stage is PanelStage.SITTING
    await vote(world, panel_id, 0, 500, 700)
    await worker.do_effects()
    panel = await panel_of(world, panel_id)
    assert (panel.outcome, panel.refund_fen) == (PanelOutcome.PARTIAL, 500)
    await worker.do_effects()
    judge = await world.opened.house.questions.panels.arbitrator(panel.seats[0].arbitrator_id)
    assert judge is not None
    assert (judge.arbitrator.seats, judge.arbitrator.agreed) == (1, 0)
