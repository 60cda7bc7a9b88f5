"""Daily work at the desk: depositing codes, delivering, answering complaints, money, coupons, people and keys."""

import hashlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from api_world import World, a_world
from fairkey.business.askers import Asker
from fairkey.business.complaints import OpenComplaint
from fairkey.business.dispute_events import Reason
from fairkey.business.escrow import RecordRelease
from fairkey.business.payouts import RecordPayout
from fairkey.business.references import read_reference
from fairkey.engine.people import SCOPES, Role
from fairkey.web.merchant.keys import SCOPE_WORDS
from merchant_desk import Desk, Fields, account, at_the_desk, value_in
from pages.test_operator_pages import OPERATOR, PASSWORD, browser, sign_in, submit

NASTY = "'); DROP TABLE streams;-- <script>alert(1)</script>"


@pytest.fixture
async def world(database_url: str, state_dir: Path) -> AsyncIterator[World]:
    async with a_world(database_url, state_dir) as world:
        yield world


@pytest.fixture
async def owner(world: World) -> AsyncIterator[Desk]:
    async with at_the_desk(world, "owner@example.com") as desk:
        yield desk


async def stock_of(world: World) -> int:
    line = await world.opened.house.questions.shop_desk.listing(world.shop_id, world.vault_id)
    assert line is not None
    return line.stock


async def manual_order(world: World, quantity: int = 1) -> str:
    placed = await world.paid(listing_id=world.manual_id, quantity=quantity)
    return str(placed["reference"])


async def complained(world: World) -> str:
    placed = await world.paid()
    await world.of_order(placed, "reveal")
    read = read_reference(placed["reference"])
    assert read is not None
    complaint = OpenComplaint(
        shop_id=world.shop_id, order_id=read[1], reason=Reason.ALREADY_USED, text=f"It is used {NASTY}"
    )
    assert not (await world.opened.house.ask(Asker.BUYER, complaint)).refusal
    return str(placed["reference"])


# ---------------------------------------------------------------- stock


async def test_pasted_codes_are_on_sale_and_every_refused_line_is_reported(world: World, owner: Desk) -> None:
    codes = f"NEW-0001\r\nNEW-0002\r\nNEW-0001\r\n{world.texts[0]}\r\n"
    answer = await owner.upload({"listing_id": world.vault_id, "codes": codes, "note": NASTY})
    assert answer.status_code == 303, answer.text
    assert await stock_of(world) == 32
    path = answer.headers["location"]
    page = (await owner.show(path)).text
    assert "the same as line 1" in page
    assert "already in your vault" in page
    assert world.texts[0] not in page
    assert "&lt;script&gt;" in page
    report = (await owner.http.get(f"{path}/refused.csv")).text
    assert len(report.strip().splitlines()) == 3
    assert "NEW-0001" not in report


async def test_no_cell_of_a_report_is_a_formula(world: World, owner: Desk) -> None:
    answer = await owner.upload({"listing_id": world.vault_id, "codes": "=SUM(A1:A9)\n=SUM(A1:A9)"})
    report = (await owner.http.get(f"{answer.headers['location']}/refused.csv")).text
    assert report.strip().splitlines()[1].endswith(",'=…)")


async def test_a_large_file_beside_a_wrong_field_is_read_to_its_end(world: World, owner: Desk) -> None:
    answer = await owner.upload({"listing_id": "not an id"}, file=("big.txt", b"AAAA-BBBB-CCCC\n" * 300_000))
    assert answer.status_code == 422
    assert await stock_of(world) == 30


async def test_a_file_of_10000_lines_arrives_with_its_invoice(world: World, owner: Desk) -> None:
    lines = "\n".join(f"BIG-{number:06d}-{number * 7919 % 1_000_003:06d}" for number in range(10_000))
    invoice = b"%PDF an invoice"
    answer = await owner.upload(
        {"listing_id": world.vault_id, "source": "invoice", "codes": "IGNORED-BESIDE-A-FILE"},
        file=("october.txt", lines.encode()),
        invoice=invoice,
    )
    assert answer.status_code == 303, answer.text
    assert await stock_of(world) == 10_030
    page = (await owner.show(answer.headers["location"])).text
    assert "october.txt" in page
    assert hashlib.sha256(invoice).hexdigest() in page
    assert "10,000" in page


async def test_sending_the_same_form_again_leads_to_the_same_import(world: World, owner: Desk) -> None:
    fields = {"import_id": world.opened.house.new_id(), "listing_id": world.vault_id, "codes": "ONCE-0001"}
    first, second = await owner.upload(fields), await owner.upload(fields)
    assert first.headers["location"] == second.headers["location"]
    assert await stock_of(world) == 31


@pytest.mark.parametrize(
    ("changes", "file"),
    [
        ({"codes": ""}, None),
        ({"codes": "A-0001", "listing_id": "not an id"}, None),
        ({"codes": "A-0001", "listing_id": "01890000-0000-7000-8000-000000000000"}, None),
        ({"codes": "A-0001", "source": "the street"}, None),
        ({"codes": "A-0001", "note": "x" * 501}, None),
        ({"codes": "A-0001", "invoice_sha256": "abc"}, None),
        ({"codes": "A-0001", "import_id": "1"}, None),
        ({"source": ""}, ("codes.txt", b"A-0001\nA-0002\n")),
    ],
)
async def test_imports_that_cannot_be_meant_take_nothing(
    world: World, owner: Desk, changes: dict[str, str], file: tuple[str, bytes] | None
) -> None:
    answer = await owner.upload({"listing_id": world.vault_id, **changes}, file=file)
    assert answer.status_code in {200, 422}, answer.text
    assert await stock_of(world) == 30


async def test_a_line_of_ten_megabytes_is_refused_and_the_next_is_taken(world: World, owner: Desk) -> None:
    body = b"A" * 10_000_000 + b"\nFINE-0001\n"
    answer = await owner.upload({"listing_id": world.vault_id}, file=("huge.txt", body))
    assert answer.status_code == 303, answer.text
    assert await stock_of(world) == 31
    assert "too long for a code" in (await owner.show(answer.headers["location"])).text


async def test_what_is_no_form_with_a_file_is_refused(world: World, owner: Desk) -> None:
    page = (await owner.show("/desk/batches/import")).text
    token = value_in(page, "_csrf_token")
    for content, kind in (
        (
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nAAA',
            "multipart/form-data; boundary=x",
        ),
        (b"nothing", "text/plain"),
        (b"nothing", "multipart/form-data"),
    ):
        answer = await owner.http.post(
            "/desk/batches/import", content=content, headers={"content-type": kind, "x-csrf-token": token}
        )
        assert answer.status_code in {400, 422}, answer.text
    assert await stock_of(world) == 30


async def test_too_many_lines_are_refused_whole(world: World, owner: Desk) -> None:
    body = "\n".join(f"L{number:06d}" for number in range(100_001)).encode()
    answer = await owner.upload({"listing_id": world.vault_id}, file=("big.txt", body))
    assert answer.status_code == 413, answer.status_code
    assert await stock_of(world) == 30


async def test_unsold_codes_go_out_to_the_owner_only_and_it_is_written_down(world: World, owner: Desk) -> None:
    [batch] = await world.opened.house.questions.shop_desk.batches(world.shop_id)
    path = f"/desk/batches/{batch.batch_id}"
    answer = await owner.send(path, f"{path}/unsold.txt")
    assert answer.text.split() == world.texts
    assert "attachment" in answer.headers["content-disposition"]
    assert (await owner.send(path, f"{path}/withdraw")).status_code == 303
    assert await stock_of(world) == 0
    assert (await owner.send(path, f"{path}/withdraw")).status_code == 409
    again = await owner.send(path, f"{path}/taken-out.txt")
    assert again.text.split() == world.texts
    actions = [entry.action for entry in await world.opened.house.people.audit.read()]
    assert actions[:2] == ["codes.withdrawn_exported", "codes.exported"]


async def test_an_import_is_followed_live(world: World, owner: Desk) -> None:
    answer = await owner.upload({"listing_id": world.vault_id, "codes": "LIVE-0001"})
    live = await owner.http.get(f"{answer.headers['location']}/live")
    assert "event: changed" in live.text
    assert "event: end" in live.text


# ---------------------------------------------------------------- orders


async def test_typed_codes_are_delivered_in_two_parts(world: World, owner: Desk) -> None:
    reference = await manual_order(world, 3)
    path = f"/desk/orders/{reference}"
    assert "Deliver 3 codes" in (await owner.show("/desk")).text
    first = await owner.send(path, f"{path}/deliver", codes="HAND-0001\r\n\r\n")
    assert first.headers["location"].endswith("done=in-part")
    assert "1 of 3 are there" in (await owner.show(path)).text
    rest = await owner.send(path, f"{path}/deliver", codes="HAND-0002\nHAND-0003")
    assert rest.headers["location"].endswith("done=delivered")
    page = (await owner.show(path)).text
    assert "HAND-0001" not in page
    assert "H…1" in page
    assert "Delivered" in page


@pytest.mark.parametrize(
    ("codes", "status", "words"),
    [
        ("", 422, "It is empty"),
        ("A-0001\nA-0002", 422, "more codes than the order needs"),
        ("{taken}", 422, "already in your vault"),
        ("x" * 2_000_001, 422, "It is too long"),
    ],
)
async def test_codes_the_order_cannot_take_are_refused_and_kept_on_the_page(
    world: World, owner: Desk, codes: str, status: int, words: str
) -> None:
    reference = await manual_order(world)
    path = f"/desk/orders/{reference}"
    answer = await owner.send(
        path, f"{path}/deliver", codes=codes.format(taken=world.texts[0]) if "{" in codes else codes
    )
    assert answer.status_code == status, answer.text[:3000]
    assert words in answer.text
    fine = await owner.send(path, f"{path}/deliver", codes="FRESH-0001")
    assert fine.status_code == 303


async def test_the_buyer_is_a_name_of_this_shop_and_never_an_address(world: World, owner: Desk) -> None:
    placed = await world.paid(contact="secret.person@example.com")
    reference = placed["reference"]
    for path in ("/desk", "/desk/orders", f"/desk/orders/{reference}", "/desk/money"):
        assert "secret.person" not in (await owner.show(path)).text, path
    page = (await owner.show(f"/desk/orders/{reference}")).text
    assert not [text for text in world.texts if text in page]
    assert "All recorded facts" in page


async def test_orders_are_filtered_and_found_by_number(world: World, owner: Desk) -> None:
    vault, manual = (await world.paid())["reference"], await manual_order(world)

    async def found(query: str) -> set[str]:
        page = (await owner.show(f"/desk/orders?{query}")).text
        return set(re.findall(r'href="/desk/orders/([0-9A-Z]+)"', page))

    assert await found("") == {vault, manual}
    assert await found("stage=waiting") == {manual}
    assert await found(f"listing={world.vault_id}") == {vault}
    assert await found("since=2026-05-03&until=2026-05-03") == {vault, manual}
    assert await found("since=2026-05-04") == set()
    assert await found("until=2026-05-02") == set()
    answer = await owner.http.get(f"/desk/orders?text={vault[:5]}-{vault[5:].lower()}")
    assert answer.headers["location"] == f"/desk/orders/{vault}"


async def test_lists_go_on_behind_their_first_page(world: World, owner: Desk) -> None:
    for _ in range(31):
        await world.place(listing_id=world.manual_id)
        world.clock.ms += 1_000
    first = (await owner.show("/desk/orders")).text
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older is not None
    second = (await owner.http.get(older.group(1).replace("&amp;", "&"))).text
    one, two = (set(re.findall(r'href="/desk/orders/([0-9A-Z]+)"', page)) for page in (first, second))
    assert (len(one), len(two), one & two) == (30, 1, set())


# ---------------------------------------------------------------- complaints


async def test_a_complaint_is_accepted_with_two_presses(world: World, owner: Desk) -> None:
    reference = await complained(world)
    path = f"/desk/orders/{reference}"
    desk = (await owner.show("/desk")).text
    assert "Answer the complaint" in desk
    page = (await owner.show(path)).text
    assert "&lt;script&gt;alert(1)" in page
    assert (await owner.send(path, f"{path}/accept")).status_code == 303
    assert (await owner.send(path, f"{path}/accept")).status_code == 409
    listed = (await owner.show("/desk/complaints")).text
    assert "The shop agreed" in listed


async def test_a_contest_says_why(world: World, owner: Desk) -> None:
    reference = await complained(world)
    path = f"/desk/orders/{reference}"
    short = await owner.send(path, f"{path}/contest", text="no")
    assert short.status_code == 422
    assert "It is too short" in short.text
    long = await owner.send(path, f"{path}/contest", text=f"Bought yesterday, see the invoice. {NASTY}")
    assert long.status_code == 303
    page = (await owner.show(path)).text
    assert "see the invoice" in page
    assert "what it leaves open goes to a panel" in page


# ---------------------------------------------------------------- coupons, money


async def test_a_coupon_takes_a_share_off_until_it_is_ended(world: World, owner: Desk) -> None:
    fields: Fields = {
        "code": "SPRING26",
        "kind": "share",
        "off": "12.5",
        "least_fen": "50",
        "uses_max": "3",
        "ends": "2026-12-31",
        "listing": [world.vault_id],
    }
    assert (await owner.send("/desk/coupons", "/desk/coupons", fields)).status_code == 303
    placed = await world.place(coupon_code="spring26")
    assert placed["amount_fen"] == 9_500 - 9_500 * 125 // 1_000
    assert "SPRING26" in (await owner.show("/desk/coupons")).text
    assert (await owner.send("/desk/coupons", "/desk/coupons", fields)).status_code == 409
    [line] = await world.opened.house.questions.shop_desk.coupons(world.shop_id)
    path = f"/desk/coupons/{line.coupon_id}/withdraw"
    assert (await owner.send("/desk/coupons", path)).status_code == 303
    answer = await world.post(
        "/api/v1/orders", world.order_body(coupon_code="SPRING26"), idempotency_key="after-the-coupon-ended"
    )
    assert answer.status_code == 409


@pytest.mark.parametrize(
    "changes",
    [
        {"code": "abc"},
        {"off": "-1"},
        {"off": "0"},
        {"off": "91", "kind": "share"},
        {"off": "1.234"},
        {"least_fen": "much"},
        {"uses_max": "-2"},
        {"ends": "2020-01-01"},
        {"ends": "tomorrow"},
        {"listing": "01890000-0000-7000-8000-000000000000"},
    ],
)
async def test_coupons_that_cannot_be_meant_are_refused(world: World, owner: Desk, changes: dict[str, str]) -> None:
    fields: Fields = {"code": "SPRING26", "kind": "sum", "off": "5", **changes}
    answer = await owner.send("/desk/coupons", "/desk/coupons", fields)
    assert answer.status_code == 422, answer.text
    assert "field-error" in answer.text
    assert await world.opened.house.questions.shop_desk.coupons(world.shop_id) == []


async def settled(world: World) -> None:
    """A completed order whose money the provider has settled."""
    placed = await world.paid()
    await world.of_order(placed, "reveal")
    assert (await world.of_order(placed, "confirm")).status_code == 200
    read = read_reference(placed["reference"])
    assert read is not None
    command = RecordRelease(shop_id=world.shop_id, order_id=read[1], release_no=1, attempt=1, succeeded=True)
    assert not (await world.opened.house.ask(Asker.PROVIDER, command)).refusal


async def test_available_money_is_paid_out_once_and_a_failed_payout_stands_on_the_desk(
    world: World, owner: Desk
) -> None:
    await settled(world)
    page = (await owner.show("/desk/money")).text
    assert "¥94.05" in page
    payout_id = value_in(page, "payout_id")
    for amount, status in (("", 422), ("0.5", 422), ("-3", 422), ("94.06", 409), ("94.05", 303)):
        answer = await owner.send("/desk/money", "/desk/money/payout", payout_id=payout_id, amount_fen=amount)
        assert answer.status_code == status, (amount, answer.text)
    again = await owner.send("/desk/money", "/desk/money/payout", payout_id=payout_id, amount_fen="94.05")
    assert again.status_code == 409
    report = RecordPayout(shop_id=world.shop_id, payout_id=payout_id, succeeded=False, reason="account <b>closed</b>")
    assert not (await world.opened.house.ask(Asker.PROVIDER, report)).refusal
    assert "A payout failed" in (await owner.show("/desk")).text
    page = (await owner.show("/desk/money")).text
    assert "account &lt;b&gt;closed&lt;/b&gt;" in page
    await world.opened.house.ask(Asker.PROVIDER, replace(report, succeeded=True))
    [line] = await world.opened.house.questions.floor.contradicted_payouts()
    assert (line.payout_id, line.amount_fen, line.arrived) == (payout_id, 9_405, True)
    accounts = world.opened.house.people.accounts
    registration = await accounts.register(email=OPERATOR, password=PASSWORD)
    assert registration.account is not None
    await accounts.make_operator(registration.account.account_id)
    async with browser(world) as operator:
        await sign_in(operator, OPERATOR)
        shown = (await operator.get("/floor/unmatched?lang=en")).text
        assert "it is said to have arrived" in shown
        where = f"/floor/payouts/{line.shop_no}/{payout_id}"
        for reason, status in (("", 422), ("statement, line 12", 303), ("statement, line 12", 409)):
            answer = await submit(operator, "/floor/audit", where, reason=reason)
            assert answer.status_code == status, answer.text
        assert "Payouts with two ends" not in (await operator.get("/floor/unmatched?lang=en")).text
    table = (await owner.http.get("/desk/money/ledger.csv?lang=en")).text
    assert table.startswith("\ufeffWhen,Movement")
    assert "Payout failed, money is back" in table
    assert "94.05" in table


async def test_figures_count_what_happened(world: World, owner: Desk) -> None:
    await settled(world)
    await complained(world)
    for path in ("/desk/figures", "/desk/figures?by=week"):
        page = (await owner.show(path)).text
        assert "<svg" in page
        assert page.count("chart-table") >= 4
    [day] = await world.opened.house.questions.desk_figures.spans(world.shop_id, "day", since_ms=0)
    assert (day.orders, day.paid, day.delivered, day.turnover_fen, day.complained) == (2, 2, 2, 19_000, 1)


# ---------------------------------------------------------------- people, keys, settings


async def test_owners_add_and_remove_people(world: World, owner: Desk) -> None:
    helper = await account(world, "helper@example.com")
    nobody = await owner.send("/desk/staff", "/desk/staff", email="nobody@example.com", role="staff")
    assert nobody.status_code == 422
    assert "Nobody has an account" in nobody.text
    assert (await owner.send("/desk/staff", "/desk/staff", email="helper@example.com", role="staff")).status_code == 303
    members = await world.opened.house.people.staff.of_shop(world.shop_id)
    assert {(member.account_id, member.role) for member in members} == {
        (owner.account_id, Role.OWNER),
        (helper, Role.STAFF),
    }
    assert (await owner.send("/desk/staff", f"/desk/staff/{helper}/remove")).status_code == 303
    last = await owner.send("/desk/staff", f"/desk/staff/{owner.account_id}/remove")
    assert last.status_code == 409


async def test_a_key_is_shown_once_works_and_is_dead_at_once_when_revoked(world: World, owner: Desk) -> None:
    none = await owner.send("/desk/keys", "/desk/keys", name="printer")
    assert none.status_code == 422
    unknown = await owner.send("/desk/keys", "/desk/keys", {"name": "printer", "scope": ["everything"]})
    assert unknown.status_code == 422
    made = await owner.send("/desk/keys", "/desk/keys", {"name": "<b>printer", "scope": ["orders:read"]})
    found = re.search(r"fk_[\w-]+", made.text)
    assert found is not None
    key = {"authorization": f"Bearer {found.group()}"}
    assert (await world.get("/api/v1/shop/orders", **key)).status_code == 200
    page = (await owner.show("/desk/keys")).text
    assert found.group() not in page
    assert "&lt;b&gt;printer" in page
    [made_key] = [one for one in await world.opened.house.people.api_keys.of_shop(world.shop_id) if "b>" in one.name]
    assert (await owner.send("/desk/keys", f"/desk/keys/{made_key.key_id}/revoke")).status_code == 303
    assert (await world.get("/api/v1/shop/orders", **key)).status_code == 401


def test_every_scope_is_explained() -> None:
    assert set(SCOPE_WORDS) == SCOPES


async def test_settings_keep_what_was_typed_and_closing_needs_the_owner(world: World, owner: Desk) -> None:
    fields: Fields = {"name": NASTY[:40], "announcement": f"Hello\r\n{NASTY}", "payout_account": "new account"}
    assert (await owner.send("/desk/settings", "/desk/settings", fields)).status_code == 303
    page = (await owner.show("/desk")).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
    short = await owner.send("/desk/settings", "/desk/settings", {**fields, "name": "x"})
    assert short.status_code == 422
    assert "new account" in short.text
    assert (await owner.send("/desk/settings", "/desk/settings/close")).status_code == 303
    assert "This shop is closed" in (await owner.show("/desk")).text
    assert (await owner.send("/desk/settings", "/desk/settings", fields)).status_code == 409
