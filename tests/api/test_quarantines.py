"""A batch that a ruling took off sale: its issuer's word brings back exactly the codes that he names, whatever happens
meanwhile.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import httpx
import pytest
from click.testing import CliRunner

from api_world import World, deposit
from fairkey.adapters.postgres.audit import audit
from fairkey.adapters.postgres.rebuild import check
from fairkey.api.shapes import moment
from fairkey.business.askers import Asker
from fairkey.business.basics import HOUR_MS, Stream
from fairkey.business.batches import AnswerBatchReview, LapseBatchReview, QuarantineBatch
from fairkey.business.orders import GiveUpOrder
from fairkey.business.quarantines import REVIEW_WITHIN_MS
from fairkey.business.references import read_reference
from fairkey.business.shops import ReinstateShop, SuspendShop
from fairkey.cli.batches import answer_request, batches, requests_waiting
from fairkey.engine.quarantining import look_at_words
from fairkey.read_tables.quarantine_book import Standing
from issuers_world import AnIssuer, an_issuer

GROUNDS = "Bought from the publisher on 2 May, invoice 1234."
WHY = "The invoice names all these serials."


@pytest.fixture
async def issuer(world: World) -> AnIssuer:
    return await an_issuer(world)


async def batch_of(world: World) -> str:
    batch_id = await world.opened.pool.fetchval("SELECT batch_id FROM codes WHERE shop_id = $1 LIMIT 1", world.shop_id)
    return str(batch_id)


async def doubted(world: World, batch_id: str, order_id: str = "") -> None:
    """A ruling about this order (a new one) was carried out."""
    command = QuarantineBatch(shop_id=world.shop_id, batch_id=batch_id, order_id=order_id or str(uuid4()), row="R03")
    assert not (await world.opened.house.ask(Asker.CLOCK, command)).refusal
    world.clock.ms += HOUR_MS


async def standing(world: World, batch_id: str) -> Standing:
    found = await world.opened.house.questions.quarantines.standing(world.shop_id, batch_id)
    assert found is not None
    return found


async def free(world: World) -> list[str]:
    """The texts that are for sale."""
    rows = await world.opened.pool.fetch("SELECT code_id FROM codes WHERE shop_id = $1 AND is_free", world.shop_id)
    opened = await world.opened.house.vault.open_codes(world.shop_id, [str(row["code_id"]) for row in rows])
    return sorted(one.text for one in opened.values())


async def look(world: World, text: str) -> None:
    """What the effect of an attestation does."""
    mark = world.opened.house.keys.code_fingerprint(text)
    named = (await world.opened.house.questions.issuers.named([mark]))[mark]
    await look_at_words(world.opened.house, Stream(named.shop_id, "code", named.code_id))


async def vouched(world: World, issuer: AnIssuer, *texts: str, says: str = "unused", ago_ms: int = 0) -> None:
    written = [issuer.write(text, says, ago_ms=ago_ms) for text in texts]
    assert (await issuer.send(*written)).status_code == 200
    for text in texts:
        await look(world, text)


async def in_order(world: World) -> None:
    """The tables say what the events say, and the audit finds nothing."""
    assert await audit(world.opened.pool, world.clock()) == []
    assert await check(world.opened.pool, world.opened.keys) == []


async def stock_shown(world: World) -> tuple[int, int]:
    proof = await world.opened.house.traces.stock(world.shop_id, world.vault_id)
    return proof.stock, proof.free


async def test_exactly_those_that_the_issuer_vouches_for_come_back(world: World, issuer: AnIssuer) -> None:
    batch_id = await batch_of(world)
    now_ms = world.clock()
    await doubted(world, batch_id)
    assert await free(world) == []
    assert await stock_shown(world) == (0, 0)
    some = world.texts[3:7]
    await vouched(world, issuer, *some)
    assert await free(world) == some
    assert await stock_shown(world) == (4, 4)
    [backing] = (await world.get(f"/api/v1/listings/{world.shop_no}/{world.vault_id}/stock")).json()["batches"]
    assert (backing["free"], backing["doubted_at"]) == (4, moment(now_ms))
    now = await standing(world, batch_id)
    assert (now.held, now.came_by_issuer, now.vouched, now.stages) == (26, 4, 0, {"free": 4, "quarantined": 26})
    await vouched(world, issuer, *some)  # again: nothing is to do
    assert (await standing(world, batch_id)).batch.quarantine.let_back == 1
    await in_order(world)


async def test_a_word_counts_only_after_the_ruling_and_only_until_the_next(world: World, issuer: AnIssuer) -> None:
    batch_id, code = await batch_of(world), world.texts[0]
    await vouched(world, issuer, code)
    await doubted(world, batch_id)
    await look(world, code)
    await vouched(world, issuer, code, ago_ms=2 * HOUR_MS)
    assert await free(world) == []
    await vouched(world, issuer, code)
    assert await free(world) == [code]
    await doubted(world, batch_id)
    await look(world, code)
    assert await free(world) == []
    await vouched(world, issuer, code)
    assert await free(world) == [code]
    await in_order(world)


async def test_a_code_called_used_after_it_came_back_waits_again(world: World, issuer: AnIssuer) -> None:
    batch_id, (first, second, *_) = await batch_of(world), world.texts
    await doubted(world, batch_id)
    await vouched(world, issuer, first, second)
    await vouched(world, issuer, first, says="activated")
    assert await free(world) == [second]
    await vouched(world, issuer, first)
    now = await standing(world, batch_id)
    assert (await free(world), now.against, now.held) == ([second], 1, 29)
    await in_order(world)


async def test_a_suspended_shop_has_nothing_back_until_it_is_reinstated(world: World, issuer: AnIssuer) -> None:
    house, batch_id = world.opened.house, await batch_of(world)
    await doubted(world, batch_id)
    suspend = SuspendShop(shop_id=world.shop_id, reason="no answer", reason_code="other", measure="suspension")
    assert not (await house.ask(Asker.OPERATOR, suspend)).refusal
    some = world.texts[:3]
    await vouched(world, issuer, *some)
    assert ((await standing(world, batch_id)).vouched, await free(world)) == (3, [])
    assert not (await house.ask(Asker.OPERATOR, ReinstateShop(shop_id=world.shop_id, reason="it answers"))).refusal
    await look_at_words(house, Stream(world.shop_id, "shop", world.shop_id))
    assert await free(world) == some
    await in_order(world)


async def test_neither_exported_nor_withdrawn_codes_come_back(world: World, issuer: AnIssuer) -> None:
    batch_id = await batch_of(world)
    others = await deposit(world.opened, world.shop_id, world.vault_id, 2)
    export = await world.merchant("GET", f"/api/v1/shop/batches/{batch_id}/codes")
    assert sorted(export.text.split()) == world.texts
    await doubted(world, batch_id)
    await vouched(world, issuer, *world.texts[:2])
    assert (await free(world), (await standing(world, batch_id)).exported) == (others, 30)
    other_id = str(
        await world.opened.pool.fetchval(
            "SELECT batch_id FROM codes WHERE shop_id = $1 AND is_free LIMIT 1", world.shop_id
        )
    )
    await doubted(world, other_id)
    assert (await world.merchant("POST", f"/api/v1/shop/batches/{other_id}/withdraw", {})).status_code == 200
    await vouched(world, issuer, *others)
    assert await free(world) == []
    await in_order(world)


async def test_what_orders_hold_is_untouched_and_what_came_back_returns_to_the_shelf(
    world: World, issuer: AnIssuer
) -> None:
    batch_id = await batch_of(world)
    kept = await world.paid()
    unpaid = await world.place()  # its code goes to the shop when it expires
    await doubted(world, batch_id)
    assert (await standing(world, batch_id)).stages == {"delivered": 1, "reserved": 1, "quarantined": 28}
    assert (await world.of_order(kept, "reveal", {})).status_code == 200
    code = world.texts[-1]
    await vouched(world, issuer, code)
    again = await world.place()
    assert await free(world) == []
    for placed in (again, unpaid):
        _, order_id = read_reference(placed["reference"]) or (0, "")
        give_up = GiveUpOrder(shop_id=world.shop_id, order_id=order_id)
        assert not (await world.opened.house.ask(Asker.BUYER, give_up)).refusal
    assert await free(world) == [code]
    now = await standing(world, batch_id)
    assert now.stages == {"revealed": 1, "returned": 1, "free": 1, "quarantined": 27}
    await in_order(world)


async def test_a_life_tells_it(world: World, issuer: AnIssuer) -> None:
    await doubted(world, await batch_of(world))
    await vouched(world, issuer, world.texts[0])
    lives = [(await world.post("/api/v1/trace", {"code": text})).json() for text in world.texts[:2]]
    assert [[step["what"] for step in life["steps"]] for life in lives] == [
        ["deposited", "registered", "held", "unused", "let_back"],
        ["deposited", "registered", "held"],
    ]
    assert [life["stage"] for life in lives] == ["free", "quarantined"]


async def test_two_looks_and_a_ruling_at_once_leave_one_outcome(world: World, issuer: AnIssuer) -> None:
    batch_id = await batch_of(world)
    await doubted(world, batch_id)
    written = [issuer.write(text, "unused", ago_ms=0) for text in world.texts]
    assert (await issuer.send(*written)).status_code == 200
    ruling = QuarantineBatch(shop_id=world.shop_id, batch_id=batch_id, order_id=str(uuid4()), row="R03")
    world.clock.ms += 1
    await asyncio.gather(
        *(look(world, text) for text in world.texts[:15]),
        world.opened.house.ask(Asker.CLOCK, ruling),
        *(look(world, text) for text in world.texts[15:]),
    )
    assert (await free(world), (await standing(world, batch_id)).held) == ([], 30)
    await in_order(world)


async def ask(world: World, batch_id: str, **changes: str) -> httpx.Response:
    body = {"grounds": GROUNDS, "invoice_sha256": "ef" * 32, **changes}
    return await world.merchant("POST", f"/api/v1/shop/batches/{batch_id}/review", body)


async def decide(world: World, batch_id: str, number: int, *, granted: bool) -> str:
    command = AnswerBatchReview(
        shop_id=world.shop_id, batch_id=batch_id, request_no=number, granted=granted, reason=WHY
    )
    return (await world.opened.house.ask(Asker.OPERATOR, command)).refusal


async def off_sale(world: World, batch_id: str) -> dict[str, Any]:
    told: dict[str, Any] = (await world.merchant("GET", f"/api/v1/shop/batches/{batch_id}")).json()["off_sale"]
    return told


async def test_a_person_lets_back_what_nobody_spoke_against(world: World, issuer: AnIssuer) -> None:
    batch_id = await batch_of(world)
    assert await off_sale(world, batch_id) is None
    await doubted(world, batch_id)
    await vouched(world, issuer, world.texts[0], says="revoked")
    answer = await ask(world, batch_id)
    assert (answer.status_code, answer.json()) == (200, {"kinds": ["batch.review_asked"]})
    assert problem(await ask(world, batch_id)) == (409, "batch-review-is-under-way")
    [waits] = await world.opened.house.questions.quarantines.requests()
    assert waits.review is not None
    assert (waits.batch_id, waits.held, waits.against, waits.review.grounds) == (batch_id, 30, 1, GROUNDS)
    assert await decide(world, batch_id, 2, granted=True) == "BatchReviewIsOver"
    assert await decide(world, batch_id, 1, granted=True) == ""
    assert await decide(world, batch_id, 1, granted=False) == "BatchReviewIsOver"
    assert await free(world) == world.texts[1:]
    assert await stock_shown(world) == (29, 29)
    told = await off_sale(world, batch_id)
    assert [told[name] for name in ("held", "spoken_against", "back_by_review", "back_by_issuer")] == [1, 1, 29, 0]
    assert [(one["number"], one["state"], one["reason"]) for one in told["reviews"]] == [(1, "granted", WHY)]
    assert await world.opened.house.questions.quarantines.requests() == []
    await in_order(world)


async def test_no_and_silence_leave_it_off_sale_and_another_ruling_overtakes_a_request(world: World) -> None:
    house, batch_id = world.opened.house, await batch_of(world)
    assert problem(await ask(world, batch_id)) == (409, "nothing-is-held")
    await doubted(world, batch_id)
    assert problem(await ask(world, batch_id, grounds="good")) == (422, "field-is-invalid")
    assert (await ask(world, batch_id)).status_code == 200
    assert await decide(world, batch_id, 1, granted=False) == ""
    assert (await ask(world, batch_id, invoice_sha256="")).status_code == 200
    world.clock.ms += REVIEW_WITHIN_MS
    assert await decide(world, batch_id, 2, granted=True) == "BatchReviewIsOver"
    await world.opened.worker.sweep()
    assert (await ask(world, batch_id)).status_code == 200
    await doubted(world, batch_id)
    assert await decide(world, batch_id, 3, granted=True) == "BatchReviewIsOver"
    told = await off_sale(world, batch_id)
    assert [one["state"] for one in told["reviews"]] == ["refused", "lapsed", "over"]
    assert (await free(world), len(told["rulings"])) == ([], 2)
    lapse = LapseBatchReview(shop_id=world.shop_id, batch_id=batch_id)
    assert (await house.ask(Asker.CLOCK, lapse)).refusal == "BatchReviewIsOver"
    await in_order(world)


async def test_what_waits_is_taken_out_alone(world: World, issuer: AnIssuer) -> None:
    batch_id = await batch_of(world)
    await doubted(world, batch_id)
    await vouched(world, issuer, world.texts[0])
    assert (await ask(world, batch_id)).status_code == 200
    path = f"/api/v1/shop/batches/{batch_id}/withdraw"
    assert (await world.merchant("POST", path, {"held_only": True})).json() == {"kinds": ["batch.held_withdrawn"]}
    assert await decide(world, batch_id, 1, granted=True) == "BatchReviewIsOver"
    batch = (await world.merchant("GET", f"/api/v1/shop/batches/{batch_id}")).json()
    assert [batch[name] for name in ("unsold", "held", "withdrawn")] == [1, 0, 29]
    assert problem(await world.merchant("POST", path, {"held_only": True})) == (409, "nothing-is-unsold")
    assert (await world.merchant("POST", path)).json() == {"kinds": ["batch.codes_withdrawn"]}
    assert await free(world) == []
    await in_order(world)


async def test_a_release_and_a_second_ruling_at_once_end_off_sale(world: World) -> None:
    batch_id = await batch_of(world)
    await doubted(world, batch_id)
    assert (await ask(world, batch_id)).status_code == 200
    ruling = QuarantineBatch(shop_id=world.shop_id, batch_id=batch_id, order_id=str(uuid4()), row="R10")
    said, _, again = await asyncio.gather(
        decide(world, batch_id, 1, granted=True),
        world.opened.house.ask(Asker.CLOCK, ruling),
        decide(world, batch_id, 1, granted=True),
    )
    assert {said, again} <= {"", "BatchReviewIsOver"}
    assert "BatchReviewIsOver" in {said, again}
    assert await free(world) == []
    await in_order(world)


async def test_the_command_of_the_operator_lists_and_answers(world: World) -> None:
    batch_id = await batch_of(world)
    await doubted(world, batch_id)
    assert (await ask(world, batch_id)).status_code == 200

    @asynccontextmanager
    async def opened() -> AsyncIterator[object]:
        yield world.opened.house

    entry: Any = SimpleNamespace(house=opened)
    [row] = await requests_waiting(entry)
    assert (row["shop_no"], row["batch_id"], row["request_no"], row["held"], row["hours"]) == (
        world.shop_no, batch_id, 1, 30, 72,
    )  # fmt: skip
    short = await answer_request(entry, world.shop_no, batch_id, 1, granted=True, reason="yes")
    assert short == "FieldIsInvalid field=reason why=too_short"
    assert await answer_request(entry, world.shop_no, batch_id, 1, granted=True, reason=WHY) == ""
    assert len(await free(world)) == 30


def test_the_command_takes_no_answer_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []

    async def told(_: object, *about: object, granted: bool, reason: str) -> str:
        seen.append((*about, granted, reason))
        return "" if granted else "BatchReviewIsOver"

    monkeypatch.setattr(sys.modules[answer_request.__module__], "answer_request", told)
    batch_id, run = str(uuid4()), CliRunner().invoke
    for decision, code in (("let-back", 0), ("refuse", 1), ("perhaps", 2)):
        call = ["answer", "101", batch_id, "1", decision, "--reason", WHY]
        assert run(batches, call, obj=object()).exit_code == code
    assert run(batches, ["answer", "101", batch_id, "1", "--reason", WHY], obj=object()).exit_code == 2
    assert seen == [(101, batch_id, 1, True, WHY), (101, batch_id, 1, False, WHY)]


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")
