"""A guided recording that comes to stand decides a dispute with nobody's click; a doubted one leaves it to people."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from api_world import World, a_world
from fairkey.app import publish_standard
from fairkey.business.askers import Asker
from fairkey.business.basics import HOUR_MS
from fairkey.business.complaints import ContestComplaint, OpenComplaint
from fairkey.business.dispute_events import Reason
from fairkey.business.evidence import DOUBT_WITHIN_MS, Party, WithdrawEvidence
from fairkey.business.references import read_reference
from pages.test_evidence_pages import give, listed, video


@pytest.fixture
async def world(database_url: str, state_dir: Path) -> AsyncIterator[World]:
    async with a_world(database_url, state_dir) as world:
        await publish_standard(world.opened.house)
        world.clock.ms += HOUR_MS
        yield world


async def recorded(world: World) -> tuple[dict[str, Any], str]:
    """A complaint that the shop contested before the recording's file came, eighteen hours later."""
    placed = await world.paid()
    path = f"/api/v1/orders/{placed['reference']}"
    started_ms = world.clock.ms
    assert (await world.post(f"{path}/recordings", b"", order_secret=placed["secret"])).status_code == 200
    world.clock.ms += 10_000
    assert (await world.of_order(placed, "reveal", {})).status_code == 200
    world.clock.ms += 50_000
    assert (await world.post(f"{path}/recordings/stop", b"", order_secret=placed["secret"])).status_code == 200
    read = read_reference(placed["reference"])
    assert read is not None
    about = {"shop_id": world.shop_id, "order_id": read[1]}
    ask = world.opened.house.ask
    complaint = OpenComplaint(**about, reason=Reason.ALREADY_USED, text="It says used.")
    assert not (await ask(Asker.BUYER, complaint)).refusal
    world.clock.ms += HOUR_MS
    assert not (await ask(Asker.MERCHANT, ContestComplaint(**about, text="It was fresh."))).refusal
    world.clock.ms += 18 * HOUR_MS
    said: dict[str, object] = {"piece": "recording", "recording_no": 1, "shows": "already_used"}
    given = await give(world, placed, video(), moment_ms=started_ms + 30_000, **said)
    assert given.status_code == 200, given.text
    return placed, read[1]


async def work(world: World, until_ms: int) -> None:
    """The worker alone, hour by hour."""
    while world.clock.ms < until_ms:
        world.clock.ms = min(world.clock.ms + HOUR_MS, until_ms)
        await world.opened.worker.sweep()
        await world.opened.worker.do_effects()


async def ruled(world: World, order_id: str) -> list[str]:
    facts = await world.opened.house.questions.order_book.facts(world.shop_id, order_id)
    kinds = ("dispute.ruled", "dispute.escalated")
    return [str(one.public["case"]) if one.kind == kinds[0] else "people" for one in facts if one.kind in kinds]


async def test_it_stands_after_two_days_without_a_doubt_and_rules(world: World) -> None:
    _, order_id = await recorded(world)
    stands_ms = world.clock.ms + DOUBT_WITHIN_MS
    await work(world, stands_ms - 1)
    assert await ruled(world, order_id) == [], "people are not asked while it may come to stand"
    await work(world, stands_ms)
    assert await ruled(world, order_id) == ["R03b"]


async def test_a_doubt_gives_it_to_people_at_once(world: World) -> None:
    placed, order_id = await recorded(world)
    await work(world, world.clock.ms + 40 * HOUR_MS)
    assert await ruled(world, order_id) == []
    (one,) = (await listed(world, placed))["evidence"]
    of_shop = f"/api/v1/shop/orders/{placed['reference']}/evidence/{one['evidence_id']}"
    doubted = await world.merchant("POST", of_shop, {"do": "doubt", "text": "录屏中看不到口令"})
    assert doubted.status_code == 200, doubted.text
    await world.opened.worker.do_effects()
    assert await ruled(world, order_id) == ["people"]


async def test_who_recorded_it_speaks_for_others_of_the_batch(world: World) -> None:
    """A recording counts from when it is given, a complaint alone as one of several (E6, from 1.2 on)."""
    other = await world.paid()
    read = read_reference(other["reference"])
    assert read is not None
    assert (await world.of_order(other, "reveal", {})).status_code == 200
    books = world.opened.house.questions
    order = await books.order_book.find(world.shop_id, read[1])
    assert order is not None
    code_id = order.file.codes.held[0].code_id
    assert await books.standards.batch_past(world.shop_id, code_id, read[1]) == (0, 0, 0)
    placed, recorder = await recorded(world)
    assert await books.standards.batch_past(world.shop_id, code_id, read[1]) == (1, 1, 1)
    assert await books.standards.batch_past(world.shop_id, code_id, recorder) == (1, 0, 0)
    (one,) = (await listed(world, placed))["evidence"]
    taken = WithdrawEvidence(shop_id=world.shop_id, order_id=recorder, evidence_id=one["evidence_id"], by=Party.BUYER)
    assert not (await world.opened.house.ask(Asker.BUYER, taken)).refusal
    assert await books.standards.batch_past(world.shop_id, code_id, read[1]) == (1, 1, 0)
