"""A batch off sale on its pages: why, what waits, asking a person at the desk, the answer on the floor."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from api.test_quarantines import GROUNDS, WHY, batch_of, doubted, free, vouched
from api_world import World, a_world
from fairkey.business.askers import Asker
from fairkey.business.basics import HOUR_MS
from fairkey.business.batches import AnswerBatchReview, QuarantineBatch
from fairkey.business.quarantines import REVIEW_WITHIN_MS
from fairkey.engine.people import Role
from issuers_world import an_issuer
from merchant_desk import Desk, at_the_desk, token_in
from pages.test_operator_pages import browser, sign_in, submit
from pages.test_paying_pages import Mailbox

OPERATOR = "operator@example.com"
OWNER = "owner@example.com"


@pytest.fixture
async def world(database_url: str, state_dir: Path) -> AsyncIterator[World]:
    async with a_world(database_url, state_dir) as world:
        yield world


@pytest.fixture
async def operator(world: World) -> AsyncIterator[httpx.AsyncClient]:
    accounts = world.opened.house.people.accounts
    registration = await accounts.register(email=OPERATOR, password="correct horse battery")
    assert registration.account is not None
    await accounts.make_operator(registration.account.account_id)
    async with browser(world) as client:
        await sign_in(client, OPERATOR)
        yield client


@pytest.fixture
async def owner(world: World) -> AsyncIterator[Desk]:
    async with at_the_desk(world, "owner@example.com", Role.OWNER) as desk:
        yield desk


async def ask(desk: Desk, batch_id: str, grounds: str, *, invoice: bytes = b"") -> httpx.Response:
    page = f"/desk/batches/{batch_id}"
    shown = (await desk.show(page)).text
    files = [
        ("_csrf_token", (None, token_in(shown).encode())),
        ("grounds", (None, grounds.encode())),
        ("invoice_sha256", (None, b"")),
        ("invoice", ("invoice.pdf" if invoice else "", invoice)),
    ]
    return await desk.http.post(f"{page}/review?lang=en", files=files)


async def work(world: World) -> None:
    while await world.opened.worker.step():
        pass


async def test_from_the_ruling_to_the_shelf(world: World, owner: Desk, operator: httpx.AsyncClient) -> None:
    batch_id = await batch_of(world)
    page = f"/desk/batches/{batch_id}"
    await doubted(world, batch_id)
    shown = (await owner.show(page)).text
    assert "Off sale by a ruling" in shown
    assert "30" in shown.split("Waiting off sale")[1][:80]
    assert "Ask a person to let it back" in shown
    assert (await owner.show("/desk/batches")).text.count("Quarantined") == 1

    short = await ask(owner, batch_id, "Good <codes>")
    assert short.status_code == 422
    assert "Good &lt;codes&gt;" in short.text
    done = await ask(owner, batch_id, GROUNDS + " <b>", invoice=b"an invoice")
    assert (done.status_code, done.headers["location"]) == (303, f"{page}?done=batch-review-asked")
    shown = (await owner.show(page)).text
    assert "Waiting for an answer" in shown
    assert "Ask a person to let it back" not in shown

    floor = (await operator.get("/floor?lang=en")).text
    assert "Batches off sale, asked back" in floor
    listed = (await operator.get("/floor/batches?lang=en")).text
    assert "&lt;b&gt;" in listed
    assert "none was deposited with the batch" in listed
    action = f"/floor/batches/{world.shop_no}/{batch_id}"
    fields = {"decision": "grant", "request_no": "1", "reason": "yes"}
    refused = await submit(operator, "/floor", action, **fields)
    assert refused.status_code == 422
    assert await free(world) == []
    granted = await submit(operator, "/floor", action, **{**fields, "reason": WHY})
    assert granted.status_code == 303
    assert len(await free(world)) == 30
    assert "No request" in (await operator.get("/floor/batches?lang=en")).text
    shown = (await owner.show(page)).text
    assert WHY in shown
    assert "Was off sale by a ruling" in shown
    late = await submit(operator, "/floor", action, **{**fields, "reason": WHY})
    assert late.status_code == 409
    for path, decision in ((f"{action}x", "grant"), (action, "perhaps")):
        assert (await submit(operator, "/floor", path, decision=decision)).status_code == 404
    trail = await world.opened.house.people.audit.read(entries_max=5)
    assert "batch.let_back" in {one.action for one in trail}


async def test_no_and_silence_and_another_ruling_are_told(
    world: World, owner: Desk, operator: httpx.AsyncClient
) -> None:
    batch_id = await batch_of(world)
    page, action = f"/desk/batches/{batch_id}", f"/floor/batches/{world.shop_no}/{batch_id}"
    await doubted(world, batch_id)
    assert (await ask(owner, batch_id, GROUNDS)).status_code == 303
    said = await submit(operator, "/floor", action, decision="refuse", request_no="1", reason=WHY)
    assert said.status_code == 303
    shown = (await owner.show(page)).text
    assert "A person refused" in shown
    assert WHY in shown
    assert (await ask(owner, batch_id, GROUNDS)).status_code == 303
    world.clock.ms += REVIEW_WITHIN_MS
    await work(world)
    assert "Nobody answered in time" in (await owner.show(page)).text
    assert (await ask(owner, batch_id, GROUNDS)).status_code == 303
    ruling = QuarantineBatch(shop_id=world.shop_id, batch_id=batch_id, order_id=str(uuid4()), row="R10")
    assert not (await world.opened.house.ask(Asker.CLOCK, ruling)).refusal
    assert "Your request was overtaken" in (await owner.show(page)).text
    assert await free(world) == []


async def test_the_issuers_word_reaches_the_shelf_by_the_worker(world: World, owner: Desk) -> None:
    issuer, batch_id = await an_issuer(world), await batch_of(world)
    await doubted(world, batch_id)
    written = [issuer.write(text, "unused", ago_ms=0) for text in world.texts[:2]]
    assert (await issuer.send(*written)).status_code == 200
    await work(world)
    assert await free(world) == world.texts[:2]
    shown = (await owner.show(f"/desk/batches/{batch_id}")).text
    assert "Let back by their issuer" in shown
    stock = await world.http.get(f"/listings/{world.shop_no}/{world.vault_id}/stock?lang=en")
    assert "2" in stock.text
    taken = await owner.send(f"/desk/batches/{batch_id}", f"/desk/batches/{batch_id}/withdraw", {"what": "held"})
    assert taken.status_code == 303
    world.clock.ms += HOUR_MS
    await vouched(world, issuer, *world.texts)
    assert await free(world) == world.texts[:2]


async def test_a_download_is_told_first_and_shows_nothing_else(world: World, owner: Desk) -> None:
    batch_id = await batch_of(world)
    page = f"/desk/batches/{batch_id}"
    out = await owner.send(page, f"{page}/unsold.txt")
    assert sorted(out.text.split()) == world.texts
    again = await owner.send(page, f"{page}/unsold.txt")
    assert again.text == out.text
    told = "SELECT count(*) FROM events WHERE kind = 'batch.codes_exported'"
    assert await world.opened.pool.fetchval(told) == 1
    await doubted(world, batch_id)
    shown = (await owner.show(page)).text
    assert "Downloaded by you before" in shown
    assert "Ask a person to let it back" not in shown


async def test_the_owner_gets_one_letter_for_each_turn(database_url: str, state_dir: Path) -> None:
    mail = Mailbox()
    async with a_world(database_url, state_dir, mail=mail) as world, at_the_desk(world, OWNER, Role.OWNER) as desk:
        issuer, batch_id = await an_issuer(world), await batch_of(world)
        await doubted(world, batch_id)
        await work(world)
        for text in world.texts[:3]:
            assert (await issuer.say(text, "unused", ago_ms=0)).status_code == 200
            await work(world)
        assert (await ask(desk, batch_id, GROUNDS)).status_code == 303
        command = AnswerBatchReview(shop_id=world.shop_id, batch_id=batch_id, request_no=1, granted=False, reason=WHY)
        assert not (await world.opened.house.ask(Asker.OPERATOR, command)).refusal
        await work(world)
        assert (await ask(desk, batch_id, GROUNDS)).status_code == 303
        world.clock.ms += REVIEW_WITHIN_MS
        await work(world)
    told = [" ".join(one) for one in mail.letters if f"/desk/batches/{batch_id}" in one[2]]
    assert [sum(word in one for one in told) for word in ("已签名证明", "未予同意", "未获答复")] == [1, 1, 1]
    assert len(told) == 4  # and that it was taken off sale
    assert not any(GROUNDS in one or WHY in one for one in told)
