"""The merchant's desk over HTTP: every page and form, what is refused, and what belongs to another shop."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from api_world import World, a_world, open_shop
from fairkey.business.basics import PLATFORM
from fairkey.business.listings import Terms
from fairkey.engine.attendance import SAID_EVERY_MS
from fairkey.engine.people import Role
from merchant_desk import Desk, Fields, at_the_desk, value_in

PAGES = (
    "/desk",
    "/desk/open",
    "/desk/listings",
    "/desk/listings/new",
    "/desk/batches",
    "/desk/batches/import",
    "/desk/orders",
    "/desk/complaints",
    "/desk/coupons",
    "/desk/money",
    "/desk/deposit",
    "/desk/figures",
    "/desk/figures?by=week",
    "/desk/staff",
    "/desk/keys",
    "/desk/settings",
)


@pytest.fixture
async def world(database_url: str, state_dir: Path) -> AsyncIterator[World]:
    async with a_world(database_url, state_dir) as world:
        yield world


@pytest.fixture
async def owner(world: World) -> AsyncIterator[Desk]:
    async with at_the_desk(world, "owner@example.com") as desk:
        yield desk


async def test_every_page_shows_in_both_languages(owner: Desk, world: World) -> None:
    placed = await world.paid()
    listing = f"/desk/listings/{world.vault_id}"
    more = [listing, f"{listing}/edit", f"/desk/orders/{placed['reference']}"]
    for path in (*PAGES, *more):
        for lang in ("zh-CN", "en"):
            answer = await owner.show(path, lang=lang)
            assert answer.status_code == 200, (path, answer.text)
            assert answer.text.count("<h1") == 1, path


async def test_being_at_the_desk_is_recorded_at_most_twice_a_day(owner: Desk, world: World) -> None:
    async def attended() -> int:
        kinds = "SELECT count(*) FROM events WHERE shop_id = $1 AND kind = 'shop.attended'"
        return int(await world.opened.pool.fetchval(kinds, world.shop_id))

    world.clock.ms += SAID_EVERY_MS - world.clock.ms % SAID_EVERY_MS
    for path in ("/desk/orders", "/desk/complaints", "/desk/orders"):
        assert (await owner.show(path)).status_code == 200
    assert await attended() == 1
    world.clock.ms += SAID_EVERY_MS - 1
    await owner.show("/desk")
    assert await attended() == 1
    world.clock.ms += 1
    await owner.show("/desk")
    assert await attended() == 2


@pytest.fixture
async def staff(world: World) -> AsyncIterator[Desk]:
    async with at_the_desk(world, "staff@example.com", Role.STAFF) as desk:
        yield desk


@pytest.fixture
async def rival(world: World) -> AsyncIterator[Desk]:
    """The owner of another shop."""
    shop_id, _ = await open_shop(world.opened, "隔壁店")
    async with at_the_desk(world, "rival@example.com", Role.OWNER, shop_id) as desk:
        yield desk


def listing_form(**changes: str) -> dict[str, str | list[str]]:
    plain = {
        "product": "Game Pass 12 months",
        "category": "game",
        "face_value": "12 months",
        "region": "global",
        "edition": "",
        "redeem_by": "2027-01-31",
        "instructions": "Redeem it.\r\nThen play.",
        "after_sale": "",
        "price_fen": "199.90",
        "quantity_min": "1",
        "quantity_max": "10",
        "per_buyer_max": "",
        "tier_least_0": "5",
        "tier_price_0": "180",
        "delivery": "vault",
        "promise_min": "",
        "step": "publish",
        "base": "0",
    }
    return {**plain, **changes}


async def publish(desk: Desk, **changes: str) -> str:
    listing_id = value_in((await desk.show("/desk/listings/new")).text, "listing_id")
    fields = listing_form(listing_id=listing_id, **changes)
    answer = await desk.send("/desk/listings/new", "/desk/listings/new", fields)
    assert answer.status_code == 303, answer.text
    return listing_id


async def terms_of(world: World, listing_id: str) -> Terms:
    line = await world.opened.house.questions.shop_desk.listing(world.shop_id, listing_id)
    assert line is not None
    assert line.listing.terms is not None
    return line.listing.terms


# ---------------------------------------------------------------- opening


async def test_an_account_without_a_shop_is_led_to_opening_one(world: World) -> None:
    async with at_the_desk(world, "new@example.com", None) as desk:
        assert (await desk.http.get("/desk")).headers["location"] == "/desk/open"
        assert (await desk.http.get("/desk/listings")).status_code == 403
        shop_id = value_in((await desk.show("/desk/open")).text, "shop_id")
        fields: Fields = {"shop_id": shop_id, "name": "<b>新店</b>", "contact": "me@example.com", "payout_account": ""}
        short = await desk.send("/desk/open", "/desk/open", {**fields, "name": "x"})
        assert short.status_code == 422
        assert "me@example.com" in short.text
        for _ in range(2):
            answer = await desk.send("/desk/open", "/desk/open", fields)
            assert answer.status_code == 303, answer.text
        page = await desk.show("/desk")
        assert "&lt;b&gt;新店&lt;/b&gt;" in page.text
        assert "<b>新店" not in page.text
        assert len(await world.opened.house.people.staff.of_shop(shop_id)) == 1


@pytest.mark.parametrize("shop_id", [PLATFORM, "no id", "00000000-0000-4000-8000-000000000001"])
async def test_nobody_chooses_the_number_of_his_shop(world: World, shop_id: str) -> None:
    async with at_the_desk(world, "new@example.com", None) as desk:
        fields: Fields = {"shop_id": shop_id, "name": "mine now", "contact": "me@example.com"}
        assert (await desk.send("/desk/open", "/desk/open", fields)).status_code == 403
        assert await world.opened.house.people.staff.of_shop(PLATFORM) == ()


async def test_nobody_opens_the_shop_of_another(world: World, owner: Desk) -> None:
    async with at_the_desk(world, "thief@example.com", None) as thief:
        fields: Fields = {"shop_id": world.shop_id, "name": "mine now", "contact": "me@example.com"}
        assert (await thief.send("/desk/open", "/desk/open", fields)).status_code == 403
        assert (await thief.http.get("/desk")).headers["location"] == "/desk/open"


async def test_an_application_waits_for_the_operator(database_url: str, state_dir: Path) -> None:
    async with (
        a_world(database_url, state_dir, codes=0, FAIRKEY_SHOP_ADMISSION="by_operator") as world,
        at_the_desk(world, "new@example.com", None) as desk,
    ):
        shop_id = value_in((await desk.show("/desk/open")).text, "shop_id")
        fields: Fields = {"shop_id": shop_id, "name": "later", "contact": "me@example.com", "payout_account": ""}
        assert (await desk.send("/desk/open", "/desk/open", fields)).status_code == 303
        assert "Waiting for admission" in (await desk.show("/desk")).text
        listing_id = value_in((await desk.show("/desk/listings/new")).text, "listing_id")
        form = listing_form(listing_id=listing_id)
        assert (await desk.send("/desk/listings/new", "/desk/listings/new", form)).status_code == 409


async def test_somebody_with_two_shops_switches_between_them(world: World, owner: Desk) -> None:
    second, _ = await open_shop(world.opened, "第二家")
    await world.opened.house.people.staff.add(second, owner.account_id, Role.STAFF)
    assert (await owner.send("/desk", "/desk/switch", shop_id=second)).status_code == 303
    assert "<h1>第二家</h1>" in (await owner.show("/desk")).text
    assert (await owner.http.get("/desk/staff")).status_code == 403
    assert (await owner.send("/desk", "/desk/switch", shop_id=world.opened.house.new_id())).status_code == 404
    assert (await owner.send("/desk", "/desk/switch", shop_id=world.shop_id)).status_code == 303
    assert (await owner.http.get("/desk/staff")).status_code == 200


# ---------------------------------------------------------------- who may


async def test_staff_works_but_does_not_own(world: World, staff: Desk) -> None:
    for path in ("/desk", "/desk/orders", "/desk/money", "/desk/settings"):
        assert (await staff.http.get(path)).status_code == 200, path
    for path in ("/desk/staff", "/desk/keys"):
        assert (await staff.http.get(path)).status_code == 403, path
    [batch] = await world.opened.house.questions.shop_desk.batches(world.shop_id)
    for path in ("/desk/money/payout", "/desk/settings/close", f"/desk/batches/{batch.batch_id}/unsold.txt"):
        assert (await staff.send("/desk/settings", path)).status_code == 403, path


async def test_staff_does_not_say_where_the_money_goes(world: World, staff: Desk) -> None:
    fields: Fields = {"name": "小满卡铺", "announcement": "back at nine", "payout_account": "my own account"}
    page = (await staff.show("/desk/settings")).text
    assert "6222" not in page
    assert (await staff.send("/desk/settings", "/desk/settings", fields)).status_code == 303
    record = await world.opened.house.questions.shop_desk.shop(world.shop_id)
    assert record is not None
    assert (record.shop.announcement, record.payout_account) == ("back at nine", "6222 0000 0000 0001")


async def test_what_belongs_to_another_shop_is_as_unknown_as_nothing(world: World, rival: Desk) -> None:
    placed = await world.paid()
    [batch] = await world.opened.house.questions.shop_desk.batches(world.shop_id)
    key = (await world.opened.house.people.api_keys.of_shop(world.shop_id))[0].key_id
    for path in (
        f"/desk/orders/{placed['reference']}",
        f"/desk/listings/{world.vault_id}",
        f"/desk/listings/{world.vault_id}/edit",
        f"/desk/batches/{batch.batch_id}",
        f"/desk/batches/{batch.batch_id}/live",
        f"/desk/batches/{batch.batch_id}/refused.csv",
    ):
        assert (await rival.http.get(path)).status_code == 404, path
    for path in (
        f"/desk/orders/{placed['reference']}/deliver",
        f"/desk/orders/{placed['reference']}/accept",
        f"/desk/orders/{placed['reference']}/contest",
        f"/desk/listings/{world.vault_id}/edit",
        f"/desk/listings/{world.vault_id}/withdraw",
        f"/desk/listings/{world.vault_id}/resume",
        f"/desk/listings/{world.vault_id}/low-stock",
        f"/desk/batches/{batch.batch_id}/withdraw",
        f"/desk/batches/{batch.batch_id}/unsold.txt",
        f"/desk/batches/{batch.batch_id}/taken-out.txt",
        f"/desk/coupons/{world.vault_id}/withdraw",
        f"/desk/keys/{key}/revoke",
        f"/desk/staff/{key}/remove",
    ):
        answer = await rival.send("/desk/settings", path, codes="AAAA-1", text="not mine at all")
        assert answer.status_code == 404, (path, answer.text[:2000])
    assert (await world.opened.house.questions.shop_desk.listings(world.shop_id))[0].listing.on_sale
    found = await rival.show(f"/desk/orders?text={placed['reference']}")
    assert "no such order" in found.text


@pytest.mark.parametrize("path", ["listings/nonsense", "orders/nonsense", "batches/nonsense", "batches/" + "9" * 200])
async def test_addresses_that_cannot_be_are_not_found(owner: Desk, path: str) -> None:
    assert (await owner.http.get(f"/desk/{path}")).status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        "orders?after=9.x",
        "orders?after=99999999999999999999.01890000-0000-7000-8000-000000000000",
        "orders?since=2026-99-99&until=0001-01-01",
        "orders?since=9999-12-31&until=9999-12-31",
        "orders?listing='; DROP TABLE streams;--&stage=<b>",
        "orders?text=%00%FF'; DROP TABLE streams;--",
        "listings?after=1.2.3",
        "batches?listing=x&after=..",
        "money?after=1.2.3.4",
        "money?after=1.01890000-0000-7000-8000-000000000000.99999999999.1",
        "figures?by=<script>",
        "complaints?after=-1.01890000-0000-7000-8000-000000000000",
        "coupons?after=1.01890000-0000-7000-8000-000000000000",
    ],
)
async def test_made_up_queries_show_a_page(owner: Desk, query: str) -> None:
    answer = await owner.http.get(f"/desk/{query}")
    assert answer.status_code == 200, answer.text
    assert "<script>" not in answer.text


# ---------------------------------------------------------------- listings


async def test_a_listing_is_shown_before_it_is_published_and_every_term_is_kept(world: World, owner: Desk) -> None:
    listing_id = value_in((await owner.show("/desk/listings/new")).text, "listing_id")
    fields = listing_form(listing_id=listing_id)
    shown = await owner.send("/desk/listings/new", "/desk/listings/new", {**fields, "step": "check"})
    assert shown.status_code == 200
    assert "Publish this listing?" in shown.text
    assert await world.opened.house.questions.shop_desk.listing(world.shop_id, listing_id) is None
    again = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', shown.text))
    again["instructions"] = re.findall(r'<textarea name="instructions"[^>]*>\n([^<]*)</textarea>', shown.text)[0]
    again.pop("_csrf_token")
    back = await owner.send("/desk/listings/new", "/desk/listings/new", {**again, "step": "edit"})
    assert 'value="199.90"' in back.text
    answer = await owner.send("/desk/listings/new", "/desk/listings/new", {**again, "step": "publish"})
    assert answer.status_code == 303, answer.text
    terms = await terms_of(world, listing_id)
    assert terms == Terms(
        product="Game Pass 12 months",
        category="game",
        face_value="12 months",
        region="global",
        edition="",
        redeem_by="2027-01-31",
        instructions="Redeem it.\nThen play.",
        after_sale="",
        price_fen=19_990,
        delivery="vault",
        promise_min=0,
        tiers=((5, 18_000),),
        quantity_min=1,
        quantity_max=10,
        per_buyer_max=0,
    )


async def test_publishing_twice_makes_one_revision(world: World, owner: Desk) -> None:
    listing_id = await publish(owner)
    fields = listing_form(listing_id=listing_id, base="1")
    answer = await owner.send("/desk/listings/new", f"/desk/listings/{listing_id}/edit", fields)
    assert answer.headers["location"].endswith("?done=same")
    line = await world.opened.house.questions.shop_desk.listing(world.shop_id, listing_id)
    assert line is not None
    assert line.listing.revision == 1


async def test_a_change_shows_what_changes_and_keeps_the_old_revision(world: World, owner: Desk) -> None:
    listing_id = await publish(owner)
    path = f"/desk/listings/{listing_id}"
    fields = listing_form(listing_id=listing_id, base="1", price_fen="188", step="check")
    shown = await owner.send(f"{path}/edit", f"{path}/edit", fields)
    assert "¥199.90" in shown.text
    assert "¥188.00" in shown.text
    assert "global" not in re.findall(r"<tbody>.*</tbody>", shown.text, re.DOTALL)[0]
    assert (await owner.send(f"{path}/edit", f"{path}/edit", {**fields, "step": "publish"})).status_code == 303
    page = (await owner.show(path)).text
    assert page.count("Revision ") >= 2
    old = (await owner.show(f"{path}?revision=1")).text
    assert "¥199.90" in old
    assert "Orders placed on it keep these terms." in old
    assert (await owner.show(f"{path}?revision=9")).status_code == 404


async def test_whoever_is_overtaken_is_told_before_anything_is_published(world: World, owner: Desk) -> None:
    listing_id = await publish(owner)
    path = f"/desk/listings/{listing_id}/edit"
    first = listing_form(listing_id=listing_id, base="1", price_fen="150", tier_price_0="140")
    assert (await owner.send(path, path, first)).status_code == 303
    late = listing_form(listing_id=listing_id, base="1", price_fen="170", tier_price_0="160")
    answer = await owner.send(path, path, late)
    assert answer.status_code == 200
    assert "Somebody published another revision" in answer.text
    assert (await terms_of(world, listing_id)).price_fen == 15_000


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("price_fen", "-1"),
        ("price_fen", "0"),
        ("price_fen", "1.005"),
        ("price_fen", "1e3"),
        ("price_fen", "9" * 40),
        ("product", ""),
        ("product", "x" * 121),
        ("redeem_by", "2026-02-30"),
        ("quantity_max", "0"),
        ("quantity_max", "99999999999999"),
        ("per_buyer_max", "some"),
        ("tier_price_0", "500"),
        ("tier_least_0", "one"),
        ("delivery", "pigeon"),
        ("category", "\x07"),
    ],
)
async def test_terms_that_cannot_be_meant_stand_beside_their_field_and_the_rest_is_kept(
    world: World, owner: Desk, field: str, value: str
) -> None:
    listing_id = value_in((await owner.show("/desk/listings/new")).text, "listing_id")
    fields = listing_form(listing_id=listing_id, **{field: value})
    answer = await owner.send("/desk/listings/new", "/desk/listings/new", fields)
    assert answer.status_code == 422, answer.text
    assert "field-error" in answer.text
    assert ("Game Pass 12 months" in answer.text) or field == "product"
    assert await world.opened.house.questions.shop_desk.listing(world.shop_id, listing_id) is None


async def test_a_manual_listing_promises_one_number_of_minutes(world: World, owner: Desk) -> None:
    listing_id = value_in((await owner.show("/desk/listings/new")).text, "listing_id")
    for promise, status in (("", 422), ("soon", 422), ("0", 422), ("1441", 422), ("15", 303)):
        fields = listing_form(listing_id=listing_id, delivery="manual", promise_min=promise)
        answer = await owner.send("/desk/listings/new", "/desk/listings/new", fields)
        assert answer.status_code == status, (promise, answer.text)
    assert (await terms_of(world, listing_id)).promise_min == 15


async def test_a_listing_leaves_the_store_and_comes_back(world: World, owner: Desk) -> None:
    path = f"/desk/listings/{world.vault_id}"
    assert (await owner.send(path, f"{path}/withdraw")).status_code == 303
    assert (await owner.send(path, f"{path}/withdraw")).status_code == 404
    assert (
        await world.post("/api/v1/orders", world.order_body(), idempotency_key="while-it-is-off-sale")
    ).status_code == 409
    assert (await owner.send(path, f"{path}/resume")).status_code == 303
    assert (await world.place(revision=2))["reference"]


async def test_low_stock_stands_on_the_desk_as_soon_as_the_mark_is_reached(world: World, owner: Desk) -> None:
    path = f"/desk/listings/{world.vault_id}"
    assert "30 codes left" not in (await owner.show("/desk")).text
    assert (await owner.send(path, f"{path}/low-stock", below="31")).status_code == 303
    assert "30 codes left" in (await owner.show("/desk")).text
    assert (await owner.send(path, f"{path}/low-stock", below="-5")).status_code == 404
    assert (await owner.send(path, f"{path}/low-stock", below="")).status_code == 303
    assert "30 codes left" not in (await owner.show("/desk")).text
