"""The store for anybody: finding listings, reading exact terms, ordering, and how ordering is refused."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from api_world import BUYER, World, a_world, deposit, open_shop, publish, terms
from fairkey.business.askers import Asker
from fairkey.business.coupons import CreateCoupon
from fairkey.business.listings import PublishListing, WithdrawListing
from fairkey.business.shops import ChangeShop, SuspendShop
from fairkey.engine import trade
from visitors import Visitor, visitor

EVIL = "<script>alert('x')</script>' OR 1=1; DROP TABLE events;--"


@pytest.fixture
async def world(database_url: str, state_dir: Path) -> AsyncIterator[World]:
    async with a_world(database_url, state_dir) as world:
        yield world


@pytest.fixture
async def guest(world: World) -> AsyncIterator[Visitor]:
    guest = visitor(world)
    yield guest
    await guest.http.aclose()


def listing(world: World, listing_id: str = "") -> str:
    return f"/listings/{world.shop_no}/{listing_id or world.vault_id}"


async def order(guest: Visitor, world: World, listing_id: str = "", **fields: str) -> Visitor:
    await guest.go(listing(world, listing_id))
    return await guest.press("/buy", **{"quantity": "1", "contact": BUYER, **fields})


async def test_the_store_shows_what_is_on_sale_with_its_sealed_stock(world: World, guest: Visitor) -> None:
    await guest.go("/")
    assert guest.status == 200
    assert "2 listings" in guest.text
    assert "Steam 充值卡 100 元" in guest.text
    assert "Sealed stock 30" in guest.text
    assert "typed by hand" in guest.text
    assert "within 30 min" in guest.text  # a promise, until there is something to measure
    assert not guest.http.cookies  # looking leaves nothing behind


EVERYTHING = {"Steam 充值卡 100 元", "人工代发", "便宜点卡"}
SEARCHES: list[tuple[str, set[str]]] = [
    ("q=steam", {"Steam 充值卡 100 元"}),
    ("q=充值 steam", {"Steam 充值卡 100 元"}),
    ("q=代发", {"人工代发"}),
    ("q=小满", EVERYTHING),  # the shop's name counts too
    ("q=%25", set()),  # a wildcard is a letter here
    ("q=_", set()),
    ("category=cards", {"便宜点卡"}),
    ("region=HK", {"便宜点卡"}),
    ("delivery=manual", {"人工代发"}),
    ("min=94.99&max=95.01&delivery=vault", {"Steam 充值卡 100 元"}),
    ("max=1", {"便宜点卡"}),
    ("stock=1&delivery=vault", {"Steam 充值卡 100 元"}),
    ("min=nonsense&max=-5&sort=DROP TABLE&after=zzz", EVERYTHING),
    ("q=%00%27%22%3Cb%3E", set()),
]


async def test_searching_and_filtering(world: World, guest: Visitor) -> None:
    await publish(world.opened, world.shop_id, product="便宜点卡", category="cards", region="HK", price_fen=100)
    for query, found in SEARCHES:
        await guest.go(f"/?{query}")
        assert guest.status == 200
        assert {name for name in EVERYTHING if f">{name}</a>" in guest.html} == found, query


async def test_pages_of_the_store_hold_every_listing_once(world: World, guest: Visitor) -> None:
    names = [f"product {number:02d}" for number in range(30)]
    for number, name in enumerate(names):
        await publish(world.opened, world.shop_id, product=name, price_fen=1_000 + number % 3)
    for sort in ("stock", "new", "price", "price_down", "speed"):
        await guest.go(f"/?sort={sort}&q=product")
        first = [name for name in names if name in guest.text]
        link = guest.html.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
        await guest.go(link)
        second = [name for name in names if name in guest.text]
        assert len(first) == 24
        assert sorted(first + second) == names, sort


async def test_a_suspended_shop_is_off_the_shelf_and_sells_nothing(world: World, guest: Visitor) -> None:
    await guest.go(listing(world))
    form = next(form for form in guest.forms() if form.action.endswith("/buy"))
    await world.opened.house.ask(Asker.OPERATOR, SuspendShop(shop_id=world.shop_id, reason="looked into"))
    guest.page = await guest.http.post(form.action, data={**form.values, "quantity": "1", "contact": BUYER})
    assert guest.status == 409
    assert "The shop takes no orders now." in guest.text
    await guest.go("/")
    assert "Nothing is on sale yet" in guest.text
    await guest.go(f"/shops/{world.shop_no}")
    assert "Suspended" in guest.text


async def test_a_listing_shows_the_exact_terms_and_all_revisions(world: World, guest: Visitor) -> None:
    changed = terms(tiers=((5, 9_000), (10, 8_500)), redeem_by="2027-12-31", per_buyer_max=7, after_sale="Ask us.")
    answer = await world.opened.house.ask(
        Asker.MERCHANT, PublishListing(shop_id=world.shop_id, listing_id=world.vault_id, terms=changed)
    )
    assert not answer.refusal
    await guest.go(listing(world))
    for words in ("Revision 2", "2027-12-31", "from 5 pieces", "¥90.00", "at most 7 per buyer", "Ask us.", "30 sealed"):
        assert words in guest.text, words
    await guest.go(f"{listing(world)}?revision=1")
    assert "You are reading an older revision" in guest.text
    assert "2027-12-31" not in guest.text
    assert not [form for form in guest.forms() if form.action.endswith("/buy")]


NOWHERE = (
    "/listings/99999/01890000-0000-7000-8000-000000000001",
    "/listings/99999999999999999999/01890000-0000-7000-8000-000000000001",
    "/listings/101/01890000-0000-7000-8000-000000000001",
    "/listings/101/not-a-uuid",
    "/shops/0",
    "/shops/99999999999999999999",
    "/nothing/here",
)


async def test_what_does_not_exist_is_said_so(guest: Visitor) -> None:
    for path in NOWHERE:
        await guest.go(path)
        assert guest.status == 404, path
        assert "There is no such page" in guest.text


async def test_an_unknown_revision_is_not_found(world: World, guest: Visitor) -> None:
    for asked in ("0", "2", "999999999999"):
        await guest.go(f"{listing(world)}?revision={asked}")
        assert guest.status == 404


async def test_ordering_leads_to_paying_and_gives_the_browser_the_order(world: World, guest: Visitor) -> None:
    await order(guest, world, quantity="２")  # full-width, as Chinese keyboards write it
    assert guest.status == 200
    assert guest.path.endswith("/pay")
    assert "¥190.00" in guest.text
    stranger = visitor(world)
    await stranger.go(guest.path)
    assert stranger.status == 404


async def test_the_same_form_sent_twice_is_one_order(world: World, guest: Visitor) -> None:
    await guest.go(listing(world))
    form = next(form for form in guest.forms() if form.action.endswith("/buy"))
    filled = {**form.values, "quantity": "1", "contact": BUYER}
    first, second = await asyncio.gather(*(guest.http.post(form.action, data=filled) for _ in range(2)))
    assert first.url == second.url
    assert (await world.opened.house.questions.floor.orders_by_stage()) == {"placed": 1}
    other = await guest.http.post(form.action, data={**filled, "quantity": "2"})
    assert other.url != first.url  # another wish is another order, also from the same form


BAD_ORDERS: list[tuple[dict[str, str], int, str]] = [
    ({"quantity": "0"}, 422, "It must be at least 1"),
    ({"quantity": "-3"}, 422, "It must be at least 1"),
    ({"quantity": EVIL}, 422, "It must be at least 1"),
    ({"quantity": "21"}, 422, "between 1 and 20"),
    ({"quantity": "99999999999999999999"}, 422, "It must be at least 1"),
    ({"contact": ""}, 422, "It is too short"),
    ({"contact": EVIL}, 422, "not an e-mail address"),
    ({"contact": "a@" + "b" * 300}, 422, "It is too long"),
    ({"contact": "a@b\x00c.example"}, 422, "characters that cannot be shown"),
    ({"coupon": EVIL}, 409, "it is unknown"),
    ({"coupon": "NOSUCHCODE"}, 409, "it is unknown"),
    ({"revision": "7"}, 409, "The listing was changed"),
    ({"revision": EVIL}, 409, "The listing was changed"),
]


async def test_a_refused_order_says_why_beside_the_form_and_keeps_what_was_typed(world: World, guest: Visitor) -> None:
    for fields, status, words in BAD_ORDERS:
        await order(guest, world, **fields)
        assert guest.status == status, fields
        assert words in guest.text, fields
        assert "<script>alert" not in guest.html
        form = next(form for form in guest.forms() if form.action.endswith("/buy"))
        assert form.values["revision"] == "1"
        for name, value in fields.items():
            if name != "revision" and "\x00" not in value:
                assert form.values[name] == value.strip()
    assert await world.opened.house.questions.floor.orders_by_stage() == {}


async def test_more_than_lies_in_the_vault_is_refused_whole(world: World, guest: Visitor) -> None:
    few = await publish(world.opened, world.shop_id, product="few")
    await deposit(world.opened, world.shop_id, few, 2)
    await order(guest, world, few, quantity="3")
    assert guest.status == 409
    assert "You wanted 3, 2 lie in the vault." in guest.text
    await order(guest, world, few, quantity="2")
    assert guest.path.endswith("/pay")
    await guest.go(listing(world, few))
    assert "Nothing lies in the vault now" in guest.text


async def test_changed_terms_are_shown_and_asked_again(world: World, guest: Visitor) -> None:
    await guest.go(listing(world))
    dearer = msgspec.structs.replace(terms(), price_fen=12_345)
    await world.opened.house.ask(
        Asker.MERCHANT, PublishListing(shop_id=world.shop_id, listing_id=world.vault_id, terms=dearer)
    )
    await guest.press("/buy", quantity="1", contact=BUYER)
    assert guest.status == 409
    assert "You are never sold other terms than those you saw." in guest.text
    assert "¥123.45" in guest.text
    await guest.press("/buy")
    assert guest.path.endswith("/pay")
    assert "¥123.45" in guest.text


async def test_a_coupon_and_a_bulk_price_count(world: World, guest: Visitor) -> None:
    bulk = await publish(world.opened, world.shop_id, product="bulk", tiers=((3, 9_000),))
    await deposit(world.opened, world.shop_id, bulk, 5)
    coupon = CreateCoupon(
        shop_id=world.shop_id, coupon_id=trade.coupon_id_of(world.shop_id, "SPRING"), code="SPRING", off_fen=500
    )
    assert not (await world.opened.house.ask(Asker.MERCHANT, coupon)).refusal
    await order(guest, world, bulk, quantity="3", coupon="spring")
    assert "¥265.00" in guest.text  # 3 × ¥90.00 − ¥5.00
    assert "−¥5.00" in guest.text


async def test_limits_on_one_buyer(world: World, guest: Visitor) -> None:
    for _ in range(3):
        await order(guest, world)
        assert guest.path.endswith("/pay")
    await order(guest, world)
    assert guest.status == 409
    assert "At most 3 unpaid orders" in guest.text


async def test_a_withdrawn_listing_can_be_read_but_not_bought(world: World, guest: Visitor) -> None:
    await world.opened.house.ask(Asker.MERCHANT, WithdrawListing(shop_id=world.shop_id, listing_id=world.vault_id))
    await guest.go(listing(world))
    assert guest.status == 200
    assert "This listing is not on sale now." in guest.text


async def test_a_forged_or_outdated_form_orders_nothing(world: World, guest: Visitor) -> None:
    await guest.go(listing(world))
    form = next(form for form in guest.forms() if form.action.endswith("/buy"))
    filled = {**form.values, "quantity": "1", "contact": BUYER}
    without = {name: value for name, value in filled.items() if name != "_csrf_token"}
    foreign = {"origin": "https://elsewhere.example", "sec-fetch-site": "cross-site"}
    for answer in (
        await guest.http.post(form.action, data=without),
        await guest.http.post(form.action, data={**filled, "_csrf_token": "x" * 59}),
        await guest.http.post(form.action, data=filled, headers=foreign),
        await visitor(world).http.post(form.action, data=filled),  # another browser's form
    ):
        assert answer.status_code == 403
        assert "This form has expired" in answer.text
    assert await world.opened.house.questions.floor.orders_by_stage() == {}


async def test_guests_show_work_where_it_is_asked_for(database_url: str, state_dir: Path) -> None:
    async with a_world(database_url, state_dir, FAIRKEY_POW_DIFFICULTY_BITS="8") as world:
        guest = visitor(world)
        await order(guest, world)
        assert guest.status == 403
        assert "Send the form again in a few seconds" in guest.text
        world.clock.ms += 21_000  # without scripts waiting counts
        await guest.press("/buy")
        assert guest.path.endswith("/pay")


async def test_a_shop_shows_its_record_counted_from_facts(world: World, guest: Visitor) -> None:
    first, second = await world.paid(), await world.paid()
    await world.of_order(first, "reveal")
    await world.of_order(first, "confirm")
    await world.of_order(first, "review", {"speed": 4, "code_worked": True, "text": EVIL})
    await world.of_order(second, "reveal")
    await world.of_order(second, "complaint", {"reason": "already_used", "text": "It says used."})
    manual = await world.place(listing_id=world.manual_id)
    await world.tell(world.notice(manual["reference"], manual["amount_fen"]))
    world.clock.ms += 49 * 3_600_000
    await world.opened.worker.sweep()
    shop = ChangeShop(shop_id=world.shop_id, name="小满卡铺", announcement=EVIL, payout_account="6222")
    await world.opened.house.ask(Asker.MERCHANT, shop)
    await guest.go(f"/shops/{world.shop_no}")
    assert guest.status == 200
    assert "Orders paid 3" in guest.text
    assert "Late: cancelled and refunded by the clock 1" in guest.text
    assert "Codes valid 50%" in guest.text
    assert "1 of 2" in guest.text
    assert "The shop was silent, the buyer won 1 of 1" in guest.text
    assert "speed 4.0 of 5" in guest.text or "speed 4 of 5" in guest.text
    assert "<script>alert" not in guest.html
    assert EVIL in guest.text
    await guest.go(listing(world))
    assert "Sold 2" in guest.text


async def test_figures_of_shops_do_not_mix(world: World, guest: Visitor) -> None:
    await world.paid()
    other_id, other_no = await open_shop(world.opened, "另一家")
    await publish(world.opened, other_id, product="untouched")
    await guest.go(f"/shops/{other_no}")
    assert "Orders paid 0" in guest.text
    assert "no figures yet" in guest.text
    assert "There was no complaint in this time." in guest.text


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_every_page_speaks_both_languages(world: World, language: str) -> None:
    guest = visitor(world, language=language)
    for path in ("/", listing(world), f"/shops/{world.shop_no}", "/orders"):
        await guest.go(path)
        assert f'<html lang="{language}"' in guest.html
        assert guest.html.count("<h1") == 1
