"""An outage of the issuer: said at his door, and every clock of the orders for his products stands still (R12)."""

import asyncio
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api_world import World
from fairkey.adapters.postgres.audit import audit
from fairkey.adapters.postgres.rebuild import check
from fairkey.app import publish_standard
from fairkey.business.askers import Asker
from fairkey.business.basics import DAY_MS, HOUR_MS, MINUTE_MS, PLATFORM, Command
from fairkey.business.complaints import StopDisputeClock
from fairkey.business.orders import StopOrderClock
from fairkey.business.outages import EndOutage
from fairkey.business.stopping import STANDS_MAX_MS
from fairkey.business.verdicts import is_remade, read_document
from fairkey.engine import outaging, trade
from fairkey.engine.advising import advice_on
from fairkey.engine.answers import Answer, StoreIsAway
from issuers_world import OUTAGES, AnIssuer, an_issuer

PAGE = {"page_url": "https://status.example/", "page_sha256": "ab" * 32}


@pytest.fixture
async def issuer(world: World) -> AnIssuer:
    await publish_standard(world.opened.house)
    return await an_issuer(world, "Steam", "人工")


async def work(world: World) -> None:
    while await world.opened.worker.step():
        pass


async def wait(world: World, wait_ms: int) -> None:
    world.clock.ms += wait_ms
    await work(world)


async def facts(world: World, placed: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    where = await trade.locate(world.opened.house, placed["reference"])
    assert where is not None
    told = await world.opened.house.questions.order_book.facts(*where, with_sealed=True)
    return [{**one.public, **one.sealed, "at_ms": one.at_ms} for one in told if one.kind == kind]


async def holds(world: World) -> None:
    """The rebuilt tables are the kept ones, and nothing is off."""
    assert await check(world.opened.pool, world.opened.keys) == []
    assert [one for one in await audit(world.opened.pool, world.clock()) if not one.warning] == []


async def manual(world: World) -> dict[str, Any]:
    """An order whose codes the shop types; the promise is in its terms."""
    return await world.paid(listing_id=world.manual_id)


async def promise_ms(world: World, placed: dict[str, Any]) -> int:
    (paid,) = await facts(world, placed, "order.paid")
    return int(paid["deliver_by_ms"]) - int(paid["at_ms"])


async def test_he_says_it_signed_once_and_everybody_reads_it(world: World, issuer: AnIssuer) -> None:
    body = issuer.outage("began", ago_ms=MINUTE_MS)
    first = await world.post(OUTAGES, body)
    assert (first.status_code, first.json()["kinds"]) == (200, ["issuer.outage_began"])
    answers = await asyncio.gather(*(world.post(OUTAGES, body) for _ in range(3)))
    assert {one.status_code for one in answers} == {200}
    assert len((await world.get("/api/v1/outages")).json()["outages"]) == 1
    stranger = await world.post(OUTAGES, issuer.outage("ended", key=Ed25519PrivateKey.generate()))
    assert (stranger.status_code, stranger.json()["type"]) == (401, "/problems/issuer-signature-is-wrong")
    same_id = issuer.outage("began", statement_id="0199bbbb-0000-4000-8000-000000000001")
    assert (await world.post(OUTAGES, same_id)).status_code == 200
    other = issuer.outage("ended", statement_id="0199bbbb-0000-4000-8000-000000000001")
    assert (await world.post(OUTAGES, other)).json()["type"] == "/problems/statement-id-was-used"
    late = await world.post(OUTAGES, issuer.outage("ended", said_at_ms=world.clock() - 8 * DAY_MS, ago_ms=9 * DAY_MS))
    assert late.json()["type"] == "/problems/statement-is-out-of-time"
    assert (await world.post(OUTAGES, {"statement": "{}", "signature": ""})).status_code == 422
    code = issuer.write(world.texts[0])
    wrong = await world.post(OUTAGES, {"statement": code.statement, "signature": code.signature})
    assert wrong.json()["type"] == "/problems/statement-is-unreadable"
    assert (await issuer.say_outage("ended")).json()["kinds"] == ["issuer.outage_ended"]
    again = await issuer.say_outage("ended")
    assert (again.status_code, again.json()["type"]) == (409, "/problems/outage-is-not-running")
    (line,) = (await world.get("/api/v1/outages")).json()["outages"]
    assert (line["by"], line["ended_by"], line["issuer_name"]) == ("issuer", "issuer", "晨光游戏")
    await holds(world)


async def test_a_promise_moves_by_the_outage_and_is_missed_at_the_moved_moment(
    world: World, issuer: AnIssuer
) -> None:
    placed = await manual(world)
    promised = await promise_ms(world, placed)
    world.clock.ms += promised - 5 * MINUTE_MS
    assert (await issuer.say_outage("began")).status_code == 200
    await wait(world, 5 * MINUTE_MS)  # the deadline comes, and nothing is missed
    order = await world.read(placed)
    assert order["stage"] == "paid"
    (stands,) = await facts(world, placed, "order.clock_stopped")
    assert (stands["clock"], stands["until_ms"], stands["by_ms"]) == ("delivery", 0, 0)
    await wait(world, 2 * HOUR_MS)
    await work(world)
    assert len(await facts(world, placed, "order.clock_stopped")) == 1, "one fact, however often it is looked at"
    assert (await issuer.say_outage("ended")).status_code == 200
    await work(world)
    await work(world)
    _, moved = await facts(world, placed, "order.clock_stopped")
    assert moved["by_ms"] == 2 * HOUR_MS + 5 * MINUTE_MS
    assert moved["due_at_ms"] == moved["until_ms"] + 5 * MINUTE_MS, "what was left is left"
    await wait(world, 5 * MINUTE_MS - 1_000)
    assert (await world.read(placed))["stage"] == "paid"
    await wait(world, 1_000)
    assert (await world.read(placed))["stage"] == "cancelled"
    (ruled,) = await facts(world, placed, "dispute.ruled")
    assert ruled["row"] == "R01"
    document = read_document(ruled["verdict"])
    said = {one.fact: one.value for one in document.codes[0].statements}
    assert said["deliver_by_ms"] == moved["due_at_ms"]
    assert is_remade(document)
    await holds(world)


async def test_an_outage_that_nobody_ends_stops_a_clock_for_72_hours(world: World, issuer: AnIssuer) -> None:
    placed = await manual(world)
    promised = await promise_ms(world, placed)
    await issuer.say_outage("began")
    await wait(world, promised)
    await wait(world, STANDS_MAX_MS - promised - 1_000)
    assert (await world.read(placed))["stage"] == "paid"
    await wait(world, 1_000)
    moved = (await facts(world, placed, "order.clock_stopped"))[-1]
    assert (moved["by_ms"], moved["until_ms"]) == (STANDS_MAX_MS, world.clock.ms)
    assert (await world.read(placed))["stage"] == "paid"
    await wait(world, promised)
    assert (await world.read(placed))["stage"] == "cancelled"
    await wait(world, 4 * DAY_MS)
    (line,) = (await world.get("/api/v1/outages")).json()["outages"]
    assert line["ended_by"] == "clock", "after a week it lapses"
    await holds(world)


async def complained(world: World) -> dict[str, Any]:
    placed = await world.paid()
    await world.of_order(placed, "reveal")
    body = {"reason": "not_valid", "text": "无法兑换。"}
    assert (await world.of_order(placed, "complaint", body)).status_code in (200, 201)
    await work(world)
    return placed


async def shown(world: World, placed: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (
        await world.get(f"/api/v1/orders/{placed['reference']}/complaint", order_secret=placed["secret"])
    ).json()
    return found


async def test_a_silent_shop_has_not_lost_while_its_clock_stands(world: World, issuer: AnIssuer) -> None:
    placed = await complained(world)
    world.clock.ms += 47 * HOUR_MS
    assert (await issuer.say_outage("began")).status_code == 200
    await wait(world, 10 * HOUR_MS)
    assert (await shown(world, placed))["stage"] == "opened"
    await issuer.say_outage("ended")
    await work(world)
    moved = (await facts(world, placed, "dispute.clock_stopped"))[-1]
    assert (moved["clock"], moved["by_ms"]) == ("answer", 10 * HOUR_MS)
    await wait(world, HOUR_MS - 1_000)
    assert (await shown(world, placed))["stage"] == "opened"
    await wait(world, 1_000)
    ruled = (await shown(world, placed))["ruling"]
    assert ruled is not None
    (fact,) = await facts(world, placed, "dispute.ruled")
    said = {one.fact: one.value for one in read_document(fact["verdict"]).codes[0].statements}
    assert said["clocks_stopped_ms"] == 10 * HOUR_MS
    assert is_remade(read_document(fact["verdict"]))
    await holds(world)


async def case_of(world: World, placed: dict[str, Any]) -> str:
    house = world.opened.house
    where = await trade.locate(house, placed["reference"])
    assert where is not None
    record = await house.questions.order_book.find(*where)
    assert record is not None
    advice = await advice_on(house, record, await house.questions.order_book.facts(*where, with_sealed=True))
    assert advice is not None
    return advice.codes[0].finding.case


async def test_r12_waits_and_after_72_hours_what_is_unused_goes_back(world: World, issuer: AnIssuer) -> None:
    await issuer.say_outage("began")
    placed = await complained(world)
    assert await case_of(world, placed) == "R12a"
    assert (await issuer.say(world.texts[0], "unused", ago_ms=0)).status_code == 200
    await work(world)
    await wait(world, STANDS_MAX_MS - 1_000)
    assert (await shown(world, placed))["stage"] == "opened"
    await wait(world, 1_000)
    await work(world)
    ruled = (await shown(world, placed))["ruling"]
    assert ruled["case"] == "R12b"
    await holds(world)


async def test_an_outage_of_another_issuer_stops_nothing(world: World, issuer: AnIssuer) -> None:
    other = await an_issuer(world, "PlayStation")
    assert (await other.say_outage("began")).status_code == 200
    placed = await manual(world)
    await wait(world, await promise_ms(world, placed))
    assert (await world.read(placed))["stage"] == "cancelled"


async def test_an_outage_told_after_its_end_moves_what_still_runs(world: World, issuer: AnIssuer) -> None:
    placed = await manual(world)
    promised = await promise_ms(world, placed)
    world.clock.ms += promised - 1_000
    await issuer.say_outage("began", ago_ms=promised // 2)
    await issuer.say_outage("ended", ago_ms=promised // 4)
    await work(world)
    (moved,) = await facts(world, placed, "order.clock_stopped")
    assert moved["by_ms"] == promised // 2 - promised // 4
    await wait(world, moved["due_at_ms"] - world.clock.ms)
    assert (await world.read(placed))["stage"] == "cancelled"
    assert (await issuer.say_outage("began", ago_ms=0)).status_code == 200
    assert (await world.read(placed))["stage"] == "cancelled", "what happened stays"


async def test_the_operator_finds_one_and_the_issuer_denies_it(world: World, issuer: AnIssuer) -> None:
    house = world.opened.house
    weak = await outaging.find_outage(
        house, issuer.issuer_id, began_at_ms=world.clock(), page_url="", page_sha256="", reason="Many complain."
    )
    assert weak.refusal == "OutageIsNotShown"
    found = await outaging.find_outage(
        house, issuer.issuer_id, began_at_ms=world.clock(), reason="His page says so.", **PAGE
    )
    assert found.kinds == ("issuer.outage_began",)
    placed = await manual(world)
    promised = await promise_ms(world, placed)
    await wait(world, promised)
    assert (await world.read(placed))["stage"] == "paid"
    denied = await issuer.say_outage("none")
    assert denied.json()["kinds"] == ["issuer.outage_denied", "issuer.outage_ended"]
    await work(world)
    again = await outaging.find_outage(
        house, issuer.issuer_id, began_at_ms=world.clock() - 1, reason="His page says so.", **PAGE
    )
    assert again.refusal == "OutageWasDenied"
    await wait(world, promised)
    assert (await world.read(placed))["stage"] == "cancelled"
    over = EndOutage(shop_id=PLATFORM, issuer_id=issuer.issuer_id, ended_at_ms=world.clock(), reason="It is over.")
    assert (await house.ask(Asker.OPERATOR, over)).refusal == "OutageIsNotRunning"
    await holds(world)


async def test_the_house_counts_failures_across_shops(world: World, issuer: AnIssuer) -> None:
    for _ in range(5):
        await complained(world)
    record = await world.opened.house.questions.issuers.find(issuer.issuer_id)
    assert record is not None
    seen = await outaging.failures_since(world.opened.house, record, world.clock() - MINUTE_MS)
    assert (seen.failures, seen.shops) == (5, 1)
    assert seen.ratio >= 500
    found = await outaging.find_outage(
        world.opened.house,
        issuer.issuer_id,
        began_at_ms=world.clock() - MINUTE_MS,
        page_url="",
        page_sha256="",
        reason="All in one shop.",
    )
    assert found.refusal == "OutageIsNotShown", "one shop's trouble is no outage"


@pytest.mark.parametrize("kind", [StopOrderClock, StopDisputeClock])
async def test_who_dies_before_a_clock_is_stopped_leaves_its_deadline_unmet(
    world: World, issuer: AnIssuer, monkeypatch: pytest.MonkeyPatch, kind: type[Command]
) -> None:
    house = world.opened.house
    is_order = kind is StopOrderClock
    placed = await (manual(world) if is_order else complained(world))
    world.clock.ms += (await promise_ms(world, placed) if is_order else 48 * HOUR_MS) - MINUTE_MS
    await issuer.say_outage("began")
    ask = house.ask

    async def dies(by: Asker, command: Command, **words: object) -> Answer:
        if isinstance(command, kind):
            raise StoreIsAway
        return await ask(by, command, **words)

    before = (await world.read(placed))["stage"]
    with monkeypatch.context() as dying:
        dying.setattr(house, "ask", dies)
        await wait(world, MINUTE_MS)
        assert (await world.read(placed))["stage"] == before
    await asyncio.gather(wait(world, 2 * MINUTE_MS), world.opened.worker.step())
    assert (await world.read(placed))["stage"] == before
    stopped = await facts(world, placed, "order.clock_stopped" if is_order else "dispute.clock_stopped")
    assert len(stopped) == 1
    ended_ago = MINUTE_MS // 2
    await issuer.say_outage("ended", ago_ms=ended_ago)
    with monkeypatch.context() as dying:
        dying.setattr(house, "ask", dies)
        await work(world)
    await wait(world, HOUR_MS)  # the effect comes up again
    stopped = await facts(world, placed, "order.clock_stopped" if is_order else "dispute.clock_stopped")
    assert len(stopped) == 2
    await holds(world)
