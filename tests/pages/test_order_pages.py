"""An order's pages for its buyer, through every state: open, confirm, step back, wait, complain, review, find again."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from litestar.types import Message

from api_world import BUYER, World, a_world
from fairkey.business.askers import Asker
from fairkey.business.complaints import AcceptComplaint, ContestComplaint, OfferSettlement
from fairkey.business.dispute_events import Side
from fairkey.business.references import read_reference
from fairkey.engine import trade
from fairkey.read_tables.order_book import OrderRecord
from visitors import Visitor, visitor

HOUR_MS = 3_600_000
EVIL = "<script>alert('x')</script>' OR 1=1;--"


@pytest.fixture
async def world(database_url: str, state_dir: Path) -> AsyncIterator[World]:
    async with a_world(database_url, state_dir) as world:
        yield world


@pytest.fixture
async def guest(world: World) -> AsyncIterator[Visitor]:
    guest = visitor(world)
    yield guest
    await guest.http.aclose()


async def place(guest: Visitor, world: World, listing_id: str = "", quantity: int = 1) -> str:
    """Order in the browser; the reference."""
    await guest.go(f"/listings/{world.shop_no}/{listing_id or world.vault_id}")
    await guest.press("/buy", quantity=str(quantity), contact=BUYER)
    assert guest.path.endswith("/pay"), guest.text
    return guest.path.split("/")[2]


async def money_arrives(world: World, reference: str, amount_fen: int = 0) -> None:
    record = await order_of(world, reference)
    body = world.notice(reference, amount_fen or record.file.order.amount_fen)
    assert (await world.tell(body)).text == "success"


async def order_of(world: World, reference: str) -> OrderRecord:
    read = read_reference(reference)
    assert read is not None
    record = await world.opened.house.questions.order_book.find(world.shop_id, read[1])
    assert record is not None
    return record


async def bought(guest: Visitor, world: World, listing_id: str = "", quantity: int = 1) -> str:
    """A paid order, its page open."""
    reference = await place(guest, world, listing_id, quantity)
    await money_arrives(world, reference)
    await guest.go(f"/o/{reference}")
    return reference


async def typed(world: World, reference: str, *texts: str) -> None:
    read = read_reference(reference)
    assert read is not None
    answer = await trade.deliver_typed(
        world.opened.house, shop_id=world.shop_id, order_id=read[1], texts=texts, by_account=""
    )
    assert not answer.refusal, answer


def shown_codes(guest: Visitor, world: World) -> list[str]:
    return [text for text in world.texts if text in guest.html]


async def test_codes_are_sealed_until_opened_and_then_shown_again(world: World, guest: Visitor) -> None:
    reference = await bought(guest, world, quantity=2)
    assert "Your codes are here, sealed." in guest.text
    assert shown_codes(guest, world) == []
    code = next(form for form in guest.forms() if form.values.get("code")).values["code"]
    await guest.press("/open", code=code, account_name="wang_2046", account_region="CN")
    assert guest.path == f"/o/{reference}"
    assert len(shown_codes(guest, world)) == 1
    assert "For the account wang_2046" in guest.text
    assert guest.page is not None
    assert guest.page.headers["cache-control"] == "private, no-store"
    await guest.press("/open")  # the first form: all that are left
    assert len(shown_codes(guest, world)) == 2
    await guest.go(f"/o/{reference}")
    assert len(shown_codes(guest, world)) == 2
    facts = await world.opened.house.questions.order_book.facts(
        world.shop_id, (await order_of(world, reference)).order_id
    )
    assert [fact.kind for fact in facts].count("code.revealed") == 2


async def test_codes_as_a_file_hold_only_what_was_opened(world: World, guest: Visitor) -> None:
    reference = await bought(guest, world, quantity=2)
    await guest.go(f"/o/{reference}/codes.txt")
    assert guest.path == f"/o/{reference}"  # nothing is opened by asking
    code = next(form for form in guest.forms() if form.values.get("code")).values["code"]
    await guest.press("/open", code=code)
    file = await guest.http.get(f"/o/{reference}/codes.txt")
    assert file.headers["content-disposition"] == f'attachment; filename="{reference}.txt"'
    assert "no-store" in file.headers["cache-control"]
    lines = [line for line in file.text.splitlines() if line and not line.startswith("#")]
    assert lines == shown_codes(guest, world)
    assert len(lines) == 1


async def test_many_codes_are_opened_and_copied_together(world: World, guest: Visitor) -> None:
    await bought(guest, world, quantity=15)
    assert "Open all 15 codes" in guest.text
    await guest.press("/open")
    assert len(shown_codes(guest, world)) == 15
    assert guest.html.count('class="code-text"') == 1


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"code": "01890000-0000-7000-8000-000000000001"}, 409, "There is no such code to open."),
        ({"code": EVIL}, 409, "There is no such code to open."),
        ({"account_name": "a" * 201}, 422, "Account you will use it for: it is too long."),
        ({"account_name": "a\x00b"}, 422, "it contains characters that cannot be shown"),
    ],
)
async def test_a_refused_opening_opens_nothing(
    world: World, guest: Visitor, fields: dict[str, str], status: int, words: str
) -> None:
    await bought(guest, world)
    await guest.press("/open", **fields)
    assert guest.status == status
    assert words in guest.text
    assert shown_codes(guest, world) == []
    assert "<script>alert" not in guest.html


async def test_confirming_releases_the_money_once(world: World, guest: Visitor) -> None:
    reference = await bought(guest, world)
    await guest.press("/open")
    form = next(form for form in guest.forms() if form.action.endswith("/confirm"))
    first = await guest.http.post(form.action, data=form.values)
    second = await guest.http.post(form.action, data=form.values)  # pressed twice
    assert first.status_code == second.status_code == 200
    await guest.go(f"/o/{reference}")
    assert "You confirmed that all is well." in guest.text
    record = await order_of(world, reference)
    assert len(record.file.escrow.releases) == 1
    assert not [form for form in guest.forms() if form.action.endswith(("/confirm", "/withdraw"))]


async def test_stepping_back_while_sealed_gives_everything_back(world: World, guest: Visitor) -> None:
    reference = await bought(guest, world)
    await guest.press("/withdraw")
    assert guest.path == f"/o/{reference}"
    assert "Cancelled, all your money goes back" in guest.text
    assert "Refund on its way" in guest.text
    assert "you gave the sealed codes back" in guest.text
    assert (await order_of(world, reference)).file.escrow.refunded_fen == 9_500


async def test_stepping_back_after_opening_in_another_tab_is_refused(world: World, guest: Visitor) -> None:
    reference = await bought(guest, world)
    form = next(form for form in guest.forms() if form.action.endswith("/withdraw"))
    await guest.press("/open")
    guest.page = await guest.http.post(form.action, data=form.values)
    assert guest.status == 409
    assert "The codes cannot be given back any more." in guest.text
    assert (await order_of(world, reference)).file.escrow.held_fen == 9_500


async def test_silence_of_the_buyer_completes_the_order(world: World, guest: Visitor) -> None:
    reference = await bought(guest, world)
    await guest.press("/open")
    assert "then the order completes by itself" in guest.text
    world.clock.ms += 73 * HOUR_MS
    await world.opened.worker.sweep()
    await guest.go(f"/o/{reference}")
    assert "The time to complain ended and nothing was said." in guest.text
    assert len(shown_codes(guest, world)) == 1  # what was bought stays readable


async def test_a_late_shop_is_waited_for_once_and_then_refunded_by_the_clock(world: World, guest: Visitor) -> None:
    reference = await bought(guest, world, world.manual_id)
    assert "types your codes by hand" in guest.text
    wait = next(form for form in guest.forms() if form.action.endswith("/wait"))
    await guest.press("/wait")
    assert "You gave the shop more time." in guest.text
    guest.page = await guest.http.post(wait.action, data=wait.values)  # pressed again: it has what it wanted
    assert guest.status == 200
    assert not [form for form in guest.forms() if form.action.endswith("/wait")]
    world.clock.ms += 59 * 60_000
    await world.opened.worker.sweep()
    await guest.go(f"/o/{reference}")
    assert "Paid. The shop has to deliver now." in guest.text
    world.clock.ms += 2 * 60_000
    await world.opened.worker.sweep()
    await guest.go(f"/o/{reference}")
    assert "so the clock cancelled the order" in guest.text
    assert "the codes were not there in time" in guest.text


async def test_of_a_half_delivered_order_only_what_was_opened_is_paid(world: World, guest: Visitor) -> None:
    reference = await bought(guest, world, world.manual_id, quantity=2)
    await typed(world, reference, "HAND-0001-AAAA")
    await guest.go(f"/o/{reference}")
    assert "1 of 2 codes are here" in guest.text
    await guest.press("/open")
    assert "HAND-0001-AAAA" in guest.html
    world.clock.ms += 31 * 60_000
    await world.opened.worker.sweep()
    await guest.go(f"/o/{reference}")
    assert "Not delivered in full in time" in guest.text
    assert "You keep the 1 you opened, for ¥95.00; the rest is sent back." in guest.text
    assert (await order_of(world, reference)).file.escrow.refunded_fen == 9_500
    await complain(guest, reference)
    assert "Your complaint is running. The money is frozen." in guest.text
    assert (await order_of(world, reference)).file.complaint.demand_fen == 9_500


async def complain(guest: Visitor, reference: str, **fields: str) -> Visitor:
    await guest.go(f"/o/{reference}/complain")
    given = {"reason": "already_used", "text": "It says: already redeemed.", "demand": "all", **fields}
    return await guest.press("/complain", **given)


async def test_a_complaint_freezes_the_money_and_the_shop_agrees(world: World, guest: Visitor) -> None:
    reference = await bought(guest, world)
    await guest.press("/open")
    await complain(guest, reference, text=f"It says {EVIL}")
    assert guest.path == f"/o/{reference}"
    assert "Your complaint is running. The money is frozen." in guest.text
    assert EVIL in guest.text
    assert "<script>alert" not in guest.html
    await guest.go(f"/o/{reference}/complain")
    assert guest.path == f"/o/{reference}"  # one complaint an order
    record = await order_of(world, reference)
    await world.opened.house.ask(Asker.MERCHANT, AcceptComplaint(shop_id=world.shop_id, order_id=record.order_id))
    await guest.go(f"/o/{reference}")
    assert "The shop agreed with you." in guest.text
    assert "the whole price goes back" in guest.text


async def test_a_contested_complaint_shows_both_texts_and_is_settled(world: World, guest: Visitor) -> None:
    reference = await bought(guest, world, quantity=2)
    await guest.press("/open")
    await complain(guest, reference, demand="part", demand_yuan="50")
    record = await order_of(world, reference)
    ids = {"shop_id": world.shop_id, "order_id": record.order_id}
    await world.opened.house.ask(Asker.MERCHANT, ContestComplaint(**ids, text="It was fresh."))
    await guest.go(f"/o/{reference}")
    assert "The shop has answered." in guest.text
    assert "It was fresh." in guest.text
    offer = OfferSettlement(**ids, by=Side.SHOP, refund_fen=3_000, text="One of two was used.")
    await world.opened.house.ask(Asker.MERCHANT, offer)
    await guest.go(f"/o/{reference}")
    assert "The shop offers: ¥30.00 back" in guest.text
    await guest.press("/complaint/answer", yes="1")
    assert "Partly refunded" in guest.text
    assert "You and the shop agreed." in guest.text
    assert "¥30.00" in guest.text


async def test_a_silent_shop_loses(world: World, guest: Visitor) -> None:
    reference = await bought(guest, world)
    await guest.press("/open")
    await complain(guest, reference)
    world.clock.ms += 49 * HOUR_MS
    await world.opened.worker.sweep()
    await guest.go(f"/o/{reference}")
    assert "Silence does not win." in guest.text
    assert "Refunded" in guest.text


async def test_a_complaint_can_be_taken_back(world: World, guest: Visitor) -> None:
    reference = await bought(guest, world)
    await guest.press("/open")
    await complain(guest, reference)
    await guest.press("/complaint/withdraw")
    assert guest.path == f"/o/{reference}"
    assert "You took the complaint back." in guest.text


BAD_COMPLAINTS: list[tuple[dict[str, str], str]] = [
    ({"reason": ""}, "It is empty"),
    ({"reason": EVIL}, "It is empty"),
    ({"text": "no"}, "It is too short"),
    ({"text": "long enough\x00"}, "characters that cannot be shown"),
    ({"text": "a" * 4_001}, "It is too long"),
    ({"demand": "part", "demand_yuan": ""}, "outside the allowed range"),
    ({"demand": "part", "demand_yuan": "0"}, "outside the allowed range"),
    ({"demand": "part", "demand_yuan": "-5"}, "outside the allowed range"),
    ({"demand": "part", "demand_yuan": "95.01"}, "outside the allowed range"),
    ({"demand": "part", "demand_yuan": "1e9"}, "outside the allowed range"),
    ({"demand": "part", "demand_yuan": EVIL}, "outside the allowed range"),
]


async def test_a_refused_complaint_keeps_what_was_typed(world: World, guest: Visitor) -> None:
    reference = await bought(guest, world)
    for fields, words in BAD_COMPLAINTS:
        await complain(guest, reference, **fields)
        assert guest.status == 422, fields
        assert words in guest.text, fields
        assert "<script>alert" not in guest.html
        assert "text" in fields or "It says: already redeemed." in guest.text
    assert (await order_of(world, reference)).file.order.stage == "delivered"


async def test_a_review_is_written_once_and_shown(world: World, guest: Visitor) -> None:
    reference = await bought(guest, world)
    await guest.press("/open")
    await guest.press("/confirm")
    await guest.press("/review", speed="9", code_worked="yes", text="fast")
    assert guest.status == 422
    assert "fast" in guest.html
    form = next(form for form in guest.forms() if form.action.endswith("/review"))
    await guest.press("/review", speed="4", code_worked="no", text=EVIL)
    assert guest.path == f"/o/{reference}"
    assert "Your review" in guest.text
    assert EVIL in guest.text
    assert "<script>alert" not in guest.html
    again = await guest.http.post(form.action, data={**form.values, "speed": "1", "code_worked": "yes"})
    assert again.status_code == 200
    assert (await order_of(world, reference)).file.review.speed == 4


async def test_every_fact_is_listed_with_its_hash_and_never_a_code(world: World, guest: Visitor) -> None:
    reference = await bought(guest, world)
    await guest.press("/open", account_name="wang_2046")
    assert f'class="proof" href="/o/{reference}/facts#v7"' in guest.html  # beside the opened code and in the story
    await guest.go(f"/o/{reference}/facts")
    record = await order_of(world, reference)
    facts = await world.opened.house.questions.order_book.facts(world.shop_id, record.order_id)
    for fact in facts:
        assert fact.leaf_hash in guest.text
        assert f'id="v{fact.version}"' in guest.html
    assert BUYER in guest.text  # the buyer's own sealed fields
    assert "wang_2046" in guest.text
    assert shown_codes(guest, world) == []


PAGES = ("", "/pay", "/facts", "/codes.txt", "/complain", "/live")
ACTS = ("pay", "give-up", "open", "confirm", "withdraw", "wait", "complain", "complaint/withdraw", "review")


async def test_other_peoples_orders_and_unknown_ones_look_the_same(world: World, guest: Visitor) -> None:
    reference = await bought(guest, world)
    stranger = visitor(world)
    await place(stranger, world)  # has an order of his own
    unknown = "0" * 26 + reference[26:]
    for page in PAGES:
        answers = [await stranger.http.get(f"/o/{ref}{page}") for ref in (reference, unknown, "nonsense")]
        assert {answer.status_code for answer in answers} == {404}, page
        assert len({answer.text.partition("<main")[2].partition("</main>")[0] for answer in answers}) == 1, page


async def test_nobody_else_can_act_on_an_order(world: World, guest: Visitor) -> None:
    reference = await bought(guest, world)
    stranger = visitor(world)
    await place(stranger, world)
    token = stranger.forms()[0].values["_csrf_token"]
    for act in ACTS:
        answer = await stranger.http.post(f"/o/{reference}/{act}", data={"_csrf_token": token, "speed": "5"})
        assert answer.status_code == 404, act
    assert (await order_of(world, reference)).version == 6  # placed, reserved, received, paid, delivered twice


async def test_the_link_of_a_mail_opens_the_order_and_leaves_no_secret_behind(world: World, guest: Visitor) -> None:
    placed = await world.paid()
    path = f"/o/{placed['reference']}"
    answer = await guest.http.get(f"{path}?s={placed['secret']}", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    assert "secret" not in answer.text
    await guest.go(path)
    assert "Your codes are here, sealed." in guest.text
    other = visitor(world)
    for part in ("facts", "pay", "live", "complain"):
        await other.go(f"{path}/{part}?s={placed['secret']}")
        assert other.status == 404, "only the order's page takes the secret out of the address"
    for wrong in ("x", placed["secret"][:-1] + "0", "A" * 5_000):
        await other.go(f"{path}?s={wrong}")
        assert other.status == 404


async def test_orders_are_found_by_number_and_secret(world: World, guest: Visitor) -> None:
    placed = await world.paid()
    await guest.go("/orders")
    assert "No orders in this browser" in guest.text
    sloppy = "-".join(placed["reference"].lower()[at : at + 5] for at in range(0, 31, 5)).rstrip("-")
    for number, secret in (
        (placed["reference"], "wrong"),
        ("0" * 28, placed["secret"]),
        (EVIL, EVIL),
        ("", ""),
        ("\x00", "\x00"),
    ):
        await guest.press("/orders", number=number, secret=secret)
        assert guest.status == 404
        assert "Unknown numbers and wrong secrets get the same answer." in guest.text
        assert "<script>alert" not in guest.html
    await guest.press("/orders", number=sloppy, secret=placed["secret"].lower())
    assert guest.path == f"/o/{placed['reference']}"
    await guest.go("/orders")
    assert "Steam 充值卡 100 元 × 1" in guest.text
    await guest.press("/orders/forget")
    assert "No orders in this browser" in guest.text


async def test_looking_up_is_slowed_down(database_url: str, state_dir: Path) -> None:
    async with a_world(database_url, state_dir, FAIRKEY_LIMIT_PERCENT="100") as world:
        guest = visitor(world)
        await guest.go("/orders")
        form = next(form for form in guest.forms() if form.action == "/orders")
        statuses = [
            (await guest.http.post("/orders", data={**form.values, "number": "0" * 28, "secret": "x"})).status_code
            for _ in range(25)
        ]
        assert statuses[0] == 404
        assert statuses[-1] == 429


async def test_an_account_finds_its_orders_in_any_browser(world: World) -> None:
    password = "correct horse battery"
    await world.opened.house.people.accounts.register(email="li@example.com", password=password)

    async def signed_in() -> Visitor:
        person = visitor(world)
        await person.go("/login")
        return await person.press("/login", email="li@example.com", password=password)

    first = await signed_in()
    await first.go(f"/listings/{world.shop_no}/{world.vault_id}")
    assert "li@example.com" in first.html  # the form knows the address
    reference = await bought(first, world)
    second = await signed_in()
    await second.go("/orders")
    assert "Of your account" in second.text
    assert f"/o/{reference}" in second.html
    await second.go(f"/o/{reference}")
    assert "Your codes are here, sealed." in second.text


async def test_an_outdated_form_does_nothing(world: World, guest: Visitor) -> None:
    reference = await bought(guest, world)
    form = next(form for form in guest.forms() if form.action.endswith("/confirm"))
    guest.http.cookies.delete("fk_seed")
    guest.page = await guest.http.post(form.action, data=form.values)
    assert guest.status == 403
    assert "This form has expired; nothing was done." in guest.text
    assert (await order_of(world, reference)).file.order.stage == "delivered"


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_each_state_speaks_both_languages(world: World, language: str) -> None:
    guest = visitor(world, language=language)
    reference = await bought(guest, world)
    seen = [guest.html]
    await guest.press("/open")
    seen.append(guest.html)
    await complain(guest, reference)
    seen.append(guest.html)
    await guest.go(f"/o/{reference}/facts")
    seen.append(guest.html)
    for page in seen:
        assert f'<html lang="{language}"' in page
        assert page.count("<h1") == 1


async def test_a_page_follows_its_order_live_and_the_stream_ends_with_it(world: World, guest: Visitor) -> None:
    reference = await place(guest, world)
    record = await order_of(world, reference)
    sent: asyncio.Queue[bytes] = asyncio.Queue()
    cookie = "; ".join(f"{name}={value}" for name, value in guest.http.cookies.items())
    scope: Any = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": f"/o/{reference}/live",
        "raw_path": f"/o/{reference}/live".encode(),
        "root_path": "",
        "query_string": f"v={record.version}".encode(),
        "headers": [(b"host", b"localhost"), (b"cookie", cookie.encode())],
        "client": ("198.51.100.7", 4_711),
        "server": ("localhost", 80),
    }

    is_over = asyncio.Event()

    async def receive() -> dict[str, str]:
        await is_over.wait()  # as servers do: the connection ends with its answer
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            assert message["status"] == 200
        elif message["type"] == "http.response.body":
            sent.put_nowait(message["body"])
            if not message["more_body"]:
                is_over.set()

    app: Any = world.app
    stream = asyncio.ensure_future(app(scope, receive, send))
    async with asyncio.timeout(10):
        assert b"here" in await sent.get()
        await money_arrives(world, reference)
        told = await sent.get()
        assert b"event: changed" in told
        assert b"id: 6" in told
        await guest.go(f"/o/{reference}")
        await guest.press("/withdraw")
        order_id = (await order_of(world, reference)).order_id
        body = {
            "event": "instruction",
            "kind": "refund",
            "idempotency_key": f"refund:{world.shop_id}:order:{order_id}:1:1",
            "provider_ref": "r1",
            "succeeded": True,
            "amount_fen": 9_500,
            "reason": "",
        }
        assert (await world.tell(json.dumps(body).encode())).text == "success"
        while b"event: end" not in told:
            told = await sent.get()
        await stream
    await guest.go(f"/o/{reference}")
    assert "data-live-src" not in guest.html  # nothing moves any more
