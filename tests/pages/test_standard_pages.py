"""The standard for everybody: its page, its bytes, its versions; and what a complaint's pages say by it."""

import hashlib
import re
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from msgspec import json

from api_world import PRICE_FEN, World, a_world
from fairkey.app import publish_standard
from fairkey.business.askers import Asker
from fairkey.business.attestations import AttestCode
from fairkey.business.basics import HOUR_MS, PLATFORM, Stream
from fairkey.business.complaints import AskReview, ContestComplaint, OpenComplaint
from fairkey.business.dispute_events import Reason, Side
from fairkey.business.dispute_state import Complaint
from fairkey.business.issuers import RegisterIssuer
from fairkey.business.references import read_reference
from fairkey.business.standard import library
from fairkey.engine.advising import advice_on
from fairkey.engine.judging import judge_order

PASSWORD = "correct horse battery"
OPERATOR = "operator@example.com"
PRODUCT = "Steam"
NEWEST = library.newest().standard.version
LATER = "9.9"


@pytest.fixture
async def world(database_url: str, state_dir: Path) -> AsyncIterator[World]:
    async with a_world(database_url, state_dir) as world:
        await publish_standard(world.opened.house)
        yield world


@pytest.fixture
def two_versions(monkeypatch: pytest.MonkeyPatch) -> library.Edition:
    """A later version: another time to answer, a case less, one more text."""
    first = library.newest()
    table = json.decode(first.data)
    table["version"] = LATER
    table["thresholds"]["answer_ms"]["value"] = 24 * HOUR_MS
    rows = {row["id"]: row for row in table["rows"]}
    rows["R07"]["cases"] = [case for case in rows["R07"]["cases"] if case["id"] != "R07c"]
    rows["R13"]["reason"]["en"] = "Otherwise not as described <b>at all</b>"
    table["precedence"].remove("R07c")
    second = library.edition_of(json.encode(table))
    held = {**library.editions(), LATER: second}
    for module in ("fairkey.web.standard", "fairkey.api.v1.standard", "fairkey.app.standard_start"):
        monkeypatch.setattr(f"{module}.editions", lambda: held)
    monkeypatch.setattr("fairkey.engine.advising.editions", lambda: held)
    return second


def browser(world: World) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=world.app), base_url=world.opened.house.settings.origin)


async def submit(client: httpx.AsyncClient, page: str, action: str, **fields: str) -> httpx.Response:
    shown = await client.get(page)
    token = re.search(r'name="_csrf_token" value="([^"]+)"', shown.text)
    assert token is not None, shown.text[:500]
    return await client.post(action, data={"_csrf_token": token.group(1), **fields})


@pytest.fixture
async def operator(world: World) -> AsyncIterator[httpx.AsyncClient]:
    accounts = world.opened.house.people.accounts
    registration = await accounts.register(email=OPERATOR, password=PASSWORD)
    assert registration.account is not None
    await accounts.make_operator(registration.account.account_id)
    async with browser(world) as client:
        await submit(client, "/login", "/login", email=OPERATOR, password=PASSWORD)
        yield client


async def complained(world: World) -> tuple[str, str]:
    """A paid and opened order with a contested complaint: (reference, order id)."""
    placed = await world.paid()
    await world.of_order(placed, "reveal", {"account_name": "Lin 88", "account_region": "国区"})
    read = read_reference(placed["reference"])
    assert read is not None
    ask = world.opened.house.ask
    complaint = OpenComplaint(shop_id=world.shop_id, order_id=read[1], reason=Reason.ALREADY_USED, text="It says used.")
    assert not (await ask(Asker.BUYER, complaint)).refusal
    world.clock.ms += HOUR_MS
    contest = ContestComplaint(shop_id=world.shop_id, order_id=read[1], text="It was fresh.")
    assert not (await ask(Asker.MERCHANT, contest)).refusal
    return placed["reference"], read[1]


async def attested(
    world: World, order_id: str, happened_at_ms: int, account: str = "", says: str = "activated"
) -> None:
    """The issuer says that the order's code was activated (or the like) at this moment."""
    house = world.opened.house
    issuer_id = str(uuid4())
    register = RegisterIssuer(
        shop_id=PLATFORM,
        issuer_id=issuer_id,
        name="晨光",
        public_key=uuid4().hex * 2,
        speaks_for=(PRODUCT,),
        contact="a@b.c",
    )
    answer = await house.ask(Asker.OPERATOR, register)
    assert not answer.refusal, answer
    record = await house.questions.order_book.find(world.shop_id, order_id)
    assert record is not None
    answer = await house.ask(
        Asker.ISSUER,
        AttestCode(
            shop_id=world.shop_id,
            code_id=record.file.codes.held[0].code_id,
            listing_id=record.file.order.listing_id,
            issuer_id=issuer_id,
            key_no=1,
            says=says,
            happened_at_ms=happened_at_ms,
            said_at_ms=world.clock.ms,
            statement="{}",
            signature="c2ln",
            statement_key=uuid4().hex,
            code_salt="c2FsdA",
            account=account,
            account_key=account,
        ),
    )
    assert not answer.refusal, answer


async def test_the_page_shows_every_row_in_both_languages(world: World) -> None:
    edition = library.newest()
    for language, words in (("zh-CN", "开码之前就已被使用"), ("en", "Used before it was opened")):
        page = (await world.get(f"/standard?lang={language}")).text
        assert words in page
        assert edition.standard.sha256 in page
        for row in edition.standard.rows:
            assert f'<tr id="{row.id}">' in page
        for case_id in edition.standard.precedence:
            assert f">{case_id}<" in re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL) or case_id in page


async def test_the_file_is_the_bytes_that_were_published(world: World) -> None:
    answer = await world.get("/standard/FK-AF-1-1.0.json")
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    published = await world.opened.house.questions.standards.published()
    assert hashlib.sha256(answer.content).hexdigest() == published[0].sha256
    assert (await world.get("/api/v1/standard/1.0")).content == answer.content
    for path in ("/standard/FK-AF-1-9.8.json", "/standard/..%2Fx", "/api/v1/standard/9.8", "/standard/diff/1.0/9.8"):
        assert (await world.get(path)).status_code == 404, path


async def test_the_api_lists_versions(world: World) -> None:
    versions = (await world.get("/api/v1/standard")).json()["versions"]
    assert [(one["version"], one["in_force_from"] is not None) for one in versions] == [
        (number, True) for number in library.editions()
    ]
    assert versions[-1]["sha256"] == library.newest().standard.sha256


async def test_several_houses_publish_each_version_once(world: World) -> None:
    for _ in range(3):
        await publish_standard(world.opened.house)
    assert len(await world.opened.house.questions.standards.published()) == len(library.editions())


async def test_a_later_version_is_published_beside_and_compared(world: World, two_versions: library.Edition) -> None:
    before = await complained(world)
    world.clock.ms += 1_000
    await publish_standard(world.opened.house)
    published = await world.opened.house.questions.standards.published()
    assert [one.version for one in published] == [*library.editions(), LATER]
    page = (await world.get(f"/standard/diff/{NEWEST}/{LATER}?lang=en")).text
    assert "answer_ms / value" in page
    assert "<del>172800000</del>" in page
    assert "<ins>86400000</ins>" in page
    assert "at all&lt;/b&gt;" in page
    assert "R07 / cases / R07c" in page
    assert "Nothing differs" in (await world.get(f"/standard/diff/{LATER}/{LATER}?lang=en")).text
    assert two_versions.standard.sha256 in (await world.get("/standard")).text
    # An order is judged by the version in force when it was placed, whatever came later.
    after = await complained(world)
    house = world.opened.house
    for (_, order_id), version in ((before, NEWEST), (after, LATER)):
        record = await house.questions.order_book.find(world.shop_id, order_id)
        assert record is not None
        facts = await house.questions.order_book.facts(world.shop_id, order_id, with_sealed=True)
        advice = await advice_on(house, record, facts)
        assert advice is not None
        assert (advice.standard.version, advice.in_force) == (version, True)


async def test_the_operator_reads_what_the_standard_says_and_what_is_missing(
    world: World, operator: httpx.AsyncClient
) -> None:
    reference, _ = await complained(world)
    page = (await operator.get(f"/floor/complaints/{reference}?lang=en")).text
    assert "By the standard, as things stand" in page
    assert "R00a" in page
    assert "R03a" in page
    assert "activated before it was opened" in page
    assert "issuer: moment of activation (E1)" in page


async def test_with_the_issuers_word_it_is_decided_and_both_parties_see_it(
    world: World, operator: httpx.AsyncClient
) -> None:
    reference, order_id = await complained(world)
    await attested(world, order_id, world.clock.ms - 10 * HOUR_MS)
    page = (await operator.get(f"/floor/complaints/{reference}?lang=en")).text
    assert ">R03a<" in re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL)
    assert "Refunded at once." in page
    house = world.opened.house
    secret = house.keys.order_secret(order_id)
    async with browser(world) as buyer:
        entered = await buyer.get(f"/o/{reference}?s={secret}", follow_redirects=True)
        assert "按判定标准，就目前情况" in entered.text
        assert "立即退款" in entered.text


async def test_his_own_account_speaks_against_the_buyer(world: World, operator: httpx.AsyncClient) -> None:
    reference, order_id = await complained(world)
    await attested(world, order_id, world.clock.ms - 1, account="lin 88")
    page = (await operator.get(f"/floor/complaints/{reference}?lang=en")).text
    assert "R04" in page
    assert "rejected, the money goes to the shop" in page


async def test_an_issuer_who_contradicts_himself_decides_nothing(world: World, operator: httpx.AsyncClient) -> None:
    reference, order_id = await complained(world)
    await attested(world, order_id, world.clock.ms - 10 * HOUR_MS)
    await attested(world, order_id, world.clock.ms - 9 * HOUR_MS, says="unused")
    page = (await operator.get(f"/floor/complaints/{reference}?lang=en")).text
    assert "Equals contradict each other about: issuer: moment of activation." in page
    assert "Refunded at once." not in page


async def judged(world: World, order_id: str) -> Complaint:
    await judge_order(world.opened.house, Stream(world.shop_id, "order", order_id))
    record = await world.opened.house.questions.order_book.find(world.shop_id, order_id)
    assert record is not None
    return record.file.complaint


async def test_the_standard_rules_and_who_lost_has_a_person_look_at_it(
    world: World, operator: httpx.AsyncClient
) -> None:
    reference, order_id = await complained(world)
    await attested(world, order_id, world.clock.ms - 10 * HOUR_MS)
    complaint = await judged(world, order_id)
    assert complaint.ruling is not None
    assert (complaint.stage, complaint.ruling.case, complaint.ruling.refund_fen) == ("ruled", "R03a", PRICE_FEN)
    assert await judged(world, order_id) == complaint, "judging twice is judging once"
    about = {"shop_id": world.shop_id, "order_id": order_id}
    ask = world.opened.house.ask
    review = AskReview(**about, by=Side.SHOP, text="The issuer errs.")
    assert not (await ask(Asker.MERCHANT, review)).refusal
    path = f"/floor/complaints/{reference}"
    page = (await operator.get(f"{path}?lang=en")).text
    assert "A person was asked for: The issuer errs." in page
    assert 'name="outcome"' not in page
    assert (await submit(operator, path, path, review="confirm", text="so")).status_code == 422
    done = await submit(operator, path, path, review="confirm", text="The issuer is clear about it.")
    assert done.status_code == 303, done.text
    assert "complaint.reviewed" in (await operator.get("/floor/audit")).text
    world.clock.ms += 24 * HOUR_MS
    await world.opened.worker.sweep()
    record = await world.opened.house.questions.order_book.find(world.shop_id, order_id)
    assert record is not None
    assert record.file.escrow.refunded_fen == PRICE_FEN
    assert record.file.complaint.outcome == "standard"


async def test_or_gives_it_to_a_panel(world: World, operator: httpx.AsyncClient) -> None:
    reference, order_id = await complained(world)
    await attested(world, order_id, world.clock.ms - 10 * HOUR_MS)
    await judged(world, order_id)
    about = {"shop_id": world.shop_id, "order_id": order_id}
    review = AskReview(**about, by=Side.SHOP, text="The issuer errs.")
    assert not (await world.opened.house.ask(Asker.MERCHANT, review)).refusal
    path = f"/floor/complaints/{reference}"
    assert (await submit(operator, path, path, review="panel", text="Two codes are mixed up.")).status_code == 303
    assert (await judged(world, order_id)).stage == "panel"


async def test_without_a_published_version_the_pages_stand_without_advice(database_url: str, state_dir: Path) -> None:
    async with a_world(database_url, state_dir) as world:
        reference, order_id = await complained(world)
        record = await world.opened.house.questions.order_book.find(world.shop_id, order_id)
        assert record is not None
        assert await advice_on(world.opened.house, record, []) is None
        assert (await world.get("/standard")).status_code == 200
        assert reference
