"""What the operator does on the floor: rule, admit and suspend, send money back, look; and who may not."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from api_world import World, a_world
from fairkey.business.askers import Asker
from fairkey.business.complaints import ContestComplaint, OpenComplaint
from fairkey.business.dispute_events import Reason
from fairkey.business.references import read_reference

PASSWORD = "correct horse battery"
OPERATOR = "operator@example.com"


@pytest.fixture
async def world(database_url: str, state_dir: Path) -> AsyncIterator[World]:
    async with a_world(database_url, state_dir) as world:
        yield world


@pytest.fixture
async def operator(world: World) -> AsyncIterator[httpx.AsyncClient]:
    accounts = world.opened.house.people.accounts
    registration = await accounts.register(email=OPERATOR, password=PASSWORD)
    assert registration.account is not None
    await accounts.make_operator(registration.account.account_id)
    async with browser(world) as client:
        answer = await sign_in(client, OPERATOR)
        assert answer.headers["location"] == "/floor"
        yield client


def browser(world: World) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=world.app), base_url=world.opened.house.settings.origin
    )


async def sign_in(client: httpx.AsyncClient, email: str, password: str = PASSWORD) -> httpx.Response:
    return await submit(client, "/login", "/login", email=email, password=password)


async def submit(client: httpx.AsyncClient, page: str, action: str, **fields: str) -> httpx.Response:
    shown = await client.get(page)
    token = re.search(r'name="_csrf_token" value="([^"]+)"', shown.text)
    assert token is not None, shown.text[:500]
    return await client.post(action, data={"_csrf_token": token.group(1), **fields})


async def contested(world: World) -> tuple[str, str]:
    """A paid, opened, complained about and contested order: (reference, order id)."""
    placed = await world.paid()
    await world.of_order(placed, "reveal")
    read = read_reference(placed["reference"])
    assert read is not None
    ask = world.opened.house.ask
    complaint = OpenComplaint(
        shop_id=world.shop_id, order_id=read[1], reason=Reason.ALREADY_USED, text="It says <b>already</b> used."
    )
    assert not (await ask(Asker.BUYER, complaint)).refusal
    contest = ContestComplaint(shop_id=world.shop_id, order_id=read[1], text="It was fresh; see the invoice.")
    assert not (await ask(Asker.MERCHANT, contest)).refusal
    return placed["reference"], read[1]


@pytest.mark.parametrize(
    "path", ["/floor", "/floor/shops", "/floor/complaints", "/floor/unmatched", "/floor/audit", "/floor/health"]
)
async def test_every_page_of_the_floor_shows(operator: httpx.AsyncClient, path: str) -> None:
    for language in ("zh-CN", "en"):
        answer = await operator.get(f"{path}?lang={language}")
        assert answer.status_code == 200, answer.text


async def test_nobody_else_enters(world: World) -> None:
    async with browser(world) as guest:
        assert (await guest.get("/floor")).status_code in {303, 401, 403}
        await world.opened.house.people.accounts.register(email="somebody@example.com", password=PASSWORD)
        await sign_in(guest, "somebody@example.com")
        assert (await guest.get("/floor")).status_code == 403


async def test_both_sides_texts_are_shown_escaped_and_nobody_sets_an_outcome(
    world: World, operator: httpx.AsyncClient
) -> None:
    reference, order_id = await contested(world)
    path = f"/floor/complaints/{reference}"
    page = await operator.get(f"{path}?lang=en")
    assert "It says &lt;b&gt;already&lt;/b&gt; used." in page.text
    assert "see the invoice" in page.text
    assert "Nothing to do here" in page.text
    for fields in ({"outcome": "refund"}, {"review": "nonsense"}):
        answer = await submit(operator, path, path, text="long enough", **fields)
        assert answer.status_code == 422, answer.text
    answer = await submit(operator, path, path, review="confirm", text="long enough")
    assert answer.status_code == 409, "nobody asked for it"
    record = await world.opened.house.questions.order_book.find(world.shop_id, order_id)
    assert record is not None
    assert record.file.order.stage == "disputed"


async def test_a_suspended_shop_takes_no_order_and_reads_why(world: World, operator: httpx.AsyncClient) -> None:
    path = f"/floor/shops/{world.shop_no}"
    assert (await submit(operator, "/floor/shops", f"{path}/suspend", reason="")).status_code == 422
    answer = await submit(operator, "/floor/shops", f"{path}/suspend", reason="Sold the same code twice elsewhere.")
    assert answer.status_code == 303
    refused = await world.post("/api/v1/orders", world.order_body(), idempotency_key="after-suspension")
    assert refused.status_code == 409, refused.text
    assert "Sold the same code twice" in (await operator.get("/floor/shops")).text
    await submit(operator, "/floor/shops", f"{path}/reinstate", reason="Cleared after review.")
    assert (await world.place())["reference"]


async def test_money_without_an_order_is_seen_and_sent_back_once(world: World, operator: httpx.AsyncClient) -> None:
    assert (await world.tell(world.notice("NO-SUCH-ORDER", 1_234))).text == "success"
    page = await operator.get("/floor/unmatched?lang=en")
    assert "NO-SUCH-ORDER" in page.text
    assert "12.34" in page.text
    [line] = await world.opened.house.questions.floor.unmatched()
    path = f"/floor/unmatched/{line.payment_id}/refund"
    assert (await submit(operator, "/floor/unmatched", path)).status_code == 303
    assert (await submit(operator, "/floor", path)).status_code == 409
    assert (await submit(operator, "/floor", "/floor/unmatched/nonsense/refund")).status_code == 404


async def test_an_order_is_found_and_its_buyer_stays_sealed(world: World, operator: httpx.AsyncClient) -> None:
    placed = await world.paid(contact="secret.person@example.com")
    found = await operator.get(f"/floor/orders?ref={placed['reference'].lower()}", follow_redirects=True)
    assert found.status_code == 200
    assert "payment.received" in found.text
    assert "secret.person" not in found.text
    assert (await operator.get("/floor/orders?ref=<script>")).status_code == 200
