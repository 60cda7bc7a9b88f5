"""From the application to the half-yearly check and a published measure, through the pages, with a clock of our own."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from api_world import World, a_world, publish
from fairkey.business.askers import Asker
from fairkey.business.basics import DAY_MS
from fairkey.business.shop_terms import PRESENT_HASH
from fairkey.business.shops import NEW_ACCOUNT_WAITS_MS, ChangeShop, OpenShop, ReinstateShop, SuspendShop
from fairkey.engine.people import Role
from pages.test_operator_pages import OPERATOR, PASSWORD, browser, sign_in, submit

OWNER = "owner@example.com"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
FORM = {
    "legal_form": "company",
    "uscc": "91350100M000100Y43",
    "registered_name": "晨星商贸有限公司",
    "contact_name": "陈星",
    "contact": "13800000000",
    "address": "福州市鼓楼区示例路1号",
    "sources": "与发行商的合同 2026-014",
    "terms_hash": PRESENT_HASH,
    "accepted": "1",
    "act": "file",
}


@pytest.fixture
async def world(database_url: str, state_dir: Path) -> AsyncIterator[World]:
    async with a_world(database_url, state_dir) as world:
        yield world


@pytest.fixture
async def applicant(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """The owner of a shop that has applied, signed in."""
    house = world.opened.house
    registration = await house.people.accounts.register(email=OWNER, password=PASSWORD)
    assert registration.account is not None
    shop_id = house.new_id()
    command = OpenShop(
        shop_id=shop_id,
        shop_no=await house.numbers.number_for(shop_id),
        name="晨星",
        contact=OWNER,
        payout_account="6222 0000 0000 0002",
        fee_bp=100,
        admitted=False,
    )
    assert not (await house.ask(Asker.MERCHANT, command)).refusal
    await house.people.staff.add(shop_id, registration.account.account_id, Role.OWNER)
    async with browser(world) as client:
        await sign_in(client, OWNER)
        client.headers["x-shop"] = shop_id  # for the tests; the house does not look at it
        yield client


@pytest.fixture
async def operator(world: World) -> AsyncIterator[httpx.AsyncClient]:
    accounts = world.opened.house.people.accounts
    registration = await accounts.register(email=OPERATOR, password=PASSWORD)
    assert registration.account is not None
    await accounts.make_operator(registration.account.account_id)
    async with browser(world) as client:
        await sign_in(client, OPERATOR)
        yield client


async def send(client: httpx.AsyncClient, image: bytes = PNG, **changes: str) -> httpx.Response:
    page = await client.get("/desk/admission")
    token = re.search(r'name="_csrf_token" value="([^"]+)"', page.text)
    assert token is not None, page.text[:500]
    data = {"_csrf_token": token.group(1), **FORM, **changes}
    files = {"licence": ("licence.png", image, "image/png")} if image else None
    return await client.post("/desk/admission", data=data, files=files)


async def number_of(world: World, client: httpx.AsyncClient) -> tuple[str, int]:
    shop_id = client.headers["x-shop"]
    number = await world.opened.house.numbers.number_of(shop_id)
    assert number is not None
    return shop_id, number


async def admit(operator: httpx.AsyncClient, number: int, round_: int = 1, **fields: str) -> httpx.Response:
    path = f"/floor/admission/{number}"
    given = {"round": str(round_), "decision": "admit", "reason": "register and licence agree", **fields}
    return await submit(operator, path, path, **given)


async def test_from_draft_to_admission_with_more_asked_for_in_between(
    world: World, applicant: httpx.AsyncClient, operator: httpx.AsyncClient
) -> None:
    shop_id, number = await number_of(world, applicant)
    house = world.opened.house
    draft = await send(applicant, registered_name="晨星草稿", act="draft")
    assert draft.headers["location"] == "/desk/admission?done=draft"
    assert "晨星草稿" in (await applicant.get("/desk/admission")).text
    assert (await applicant.get("/desk/admission/licence")).content == PNG
    sent = await send(applicant, image=b"")  # the image of the draft counts
    assert sent.headers["location"] == "/desk/admission?done=filed", sent.text
    assert not await house.admissions.draft(shop_id)
    assert "晨星" in (await operator.get("/floor/admission?lang=en")).text
    dossier = await operator.get(f"/floor/admission/{number}?lang=en")
    assert all(FORM[name] in dossier.text for name in ("registered_name", "contact_name", "contact", "address"))
    licence = await operator.get(f"/floor/admission/{number}/licence")
    assert (licence.content, licence.headers["content-type"]) == (PNG, "image/png")
    more = await admit(operator, number, decision="more", items="licence", reason="the image is blurred")
    assert more.status_code == 303, more.text
    shown = await applicant.get("/desk/admission?lang=en")
    assert "the image is blurred" in shown.text
    assert (await send(applicant)).status_code == 303
    assert (await admit(operator, number, round_=1)).status_code == 409  # he read the old one
    assert (await admit(operator, number, round_=2)).status_code == 303
    public = await browser(world).get(f"/shops/{number}?lang=en")
    assert FORM["registered_name"] in public.text
    assert FORM["uscc"] in public.text
    assert not any(FORM[name] in public.text for name in ("contact_name", "contact", "address"))
    audit = (await operator.get("/floor/audit")).text
    assert "shop.application_read" in audit


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"uscc": "91350100M000100Y44"}, "check digit"),
        ({"uscc": ""}, "it is empty"),
        ({"legal_form": "sole_trader"}, "another legal form"),
        ({"address": ""}, "too short"),
        ({"accepted": ""}, "present terms"),
    ],
)
async def test_each_field_says_what_is_wrong_and_nothing_typed_is_lost(
    applicant: httpx.AsyncClient, changes: dict[str, str], sentence: str
) -> None:
    await applicant.get("/?lang=en")
    answer = await send(applicant, **changes)
    assert answer.status_code in {409, 422}
    assert sentence in answer.text.lower()
    assert FORM["sources"] in answer.text


async def test_what_is_no_image_is_not_kept(applicant: httpx.AsyncClient) -> None:
    answer = await send(applicant, image=b"<script>alert(1)</script>")
    assert answer.status_code == 422
    assert (await applicant.get("/desk/admission/licence")).status_code == 404


async def test_a_natural_person_appears_under_a_pseudonym_only(
    world: World, applicant: httpx.AsyncClient, operator: httpx.AsyncClient
) -> None:
    shop_id, number = await number_of(world, applicant)
    sent = await send(applicant, image=b"", legal_form="person", uscc="", registered_name="陈晨星")
    assert sent.status_code == 303, sent.text
    assert (await admit(operator, number)).status_code == 303
    house = world.opened.house
    await house.ask(Asker.OPERATOR, SuspendShop(shop_id=shop_id, reason="looked into", reason_code="false_reviews"))
    trader = await house.admissions.trader(shop_id)
    assert trader is not None
    for path in (f"/shops/{number}", "/sanctions", "/api/v1/sanctions"):
        text = (await browser(world).get(path)).text
        assert trader.pseudonym in text
        assert "陈晨星" not in text


async def test_the_check_comes_near_lapses_and_opens_again_by_itself(
    world: World, applicant: httpx.AsyncClient, operator: httpx.AsyncClient
) -> None:
    shop_id, number = await number_of(world, applicant)
    house, worker = world.opened.house, world.opened.worker
    assert (await send(applicant)).status_code == 303
    assert (await admit(operator, number)).status_code == 303
    await publish(world.opened, shop_id)
    dossier = await house.admissions.dossier(shop_id)
    assert dossier is not None
    until_ms = dossier.shop.checked_until_ms
    world.clock.ms = until_ms - 30 * DAY_MS - 1
    await worker.sweep()
    assert not (await dossier_of(world, shop_id)).shop.is_reminded
    world.clock.ms += 1
    await worker.sweep()
    assert (await dossier_of(world, shop_id)).shop.is_reminded
    await sign_in(applicant, OWNER)
    await sign_in(operator, OPERATOR)
    assert "every six months" in (await applicant.get("/desk?lang=en")).text
    world.clock.ms = until_ms
    await worker.sweep()
    assert (await dossier_of(world, shop_id)).shop.standing == "lapsed"
    assert "until it is checked" in (await browser(world).get(f"/shops/{number}?lang=en")).text
    await sign_in(applicant, OWNER)
    await sign_in(operator, OPERATOR)
    assert "no new orders" in (await applicant.get("/desk?lang=en")).text
    assert (await send(applicant)).status_code == 303
    assert (await dossier_of(world, shop_id)).shop.standing == "lapsed"
    assert (await admit(operator, number, round_=2)).status_code == 303
    after = await dossier_of(world, shop_id)
    assert after.shop.standing == "open"
    assert after.shop.checked_until_ms > until_ms + 180 * DAY_MS


async def dossier_of(world: World, shop_id: str):  # noqa: ANN201
    found = await world.opened.house.admissions.dossier(shop_id)
    assert found is not None
    return found


async def test_a_measure_is_public_at_once_appealed_answered_and_never_taken_down(
    world: World, applicant: httpx.AsyncClient, operator: httpx.AsyncClient
) -> None:
    shop_id, number = await number_of(world, applicant)
    assert (await send(applicant)).status_code == 303
    assert (await admit(operator, number)).status_code == 303
    answer = await submit(
        operator,
        "/floor/shops",
        f"/floor/shops/{number}/suspend",
        reason="twelve codes were used before; see your complaints",
        reason_code="codes_not_good",
        measure="suspension",
        days="7",
    )
    assert answer.status_code == 303, answer.text
    public = (await browser(world).get("/sanctions?lang=en")).text
    assert FORM["registered_name"] in public
    assert "Codes not as promised" in public
    assert "twelve codes" not in public  # the reasons are the shop's own
    assert "twelve codes" in (await applicant.get("/desk?lang=en")).text
    appealed = await submit(applicant, "/desk/admission", "/desk/admission/appeal/1", text="they were good, see 12")
    assert appealed.headers["location"].endswith("done=appealed"), appealed.text
    path = f"/floor/admission/{number}"
    noted = await submit(operator, path, f"{path}/sanctions/1", text="One of the twelve was counted twice.")
    assert noted.status_code == 303
    house = world.opened.house
    await house.ask(Asker.OPERATOR, ReinstateShop(shop_id=shop_id, reason="the appeal was right"))
    view = (await browser(world).get("/api/v1/sanctions")).json()["measures"]
    assert [one["notes"][0]["text"] for one in view] == ["One of the twelve was counted twice."]
    assert view[0]["lifted_at"]
    assert view[0]["appealed_at"]
    assert "counted twice" in (await browser(world).get(f"/shops/{number}?lang=zh-CN")).text


async def test_a_suspension_for_days_ends_to_the_millisecond(world: World) -> None:
    ask, worker = world.opened.house.ask, world.opened.worker
    start_ms = world.clock.ms
    await ask(Asker.OPERATOR, SuspendShop(shop_id=world.shop_id, reason="looked into", days=7))
    world.clock.ms = start_ms + 7 * DAY_MS - 1
    await worker.sweep()
    assert (await dossier_of(world, world.shop_id)).shop.standing == "suspended"
    world.clock.ms += 1
    await worker.sweep()
    assert (await dossier_of(world, world.shop_id)).shop.standing == "open"


async def test_a_new_payout_account_waits_72_hours_to_the_millisecond(world: World) -> None:
    ask = world.opened.house.ask
    start_ms = world.clock.ms
    changed = ChangeShop(shop_id=world.shop_id, name="小满卡铺", announcement="", payout_account="6222 9")
    assert not (await ask(Asker.MERCHANT, changed)).refusal
    waits = {NEW_ACCOUNT_WAITS_MS - 1: "payout-account-is-new", NEW_ACCOUNT_WAITS_MS: "balance-is-too-low"}
    for wait_ms, name in waits.items():
        world.clock.ms = start_ms + wait_ms
        answer = await world.merchant(
            "POST", "/api/v1/shop/payouts", {"amount_fen": 100}, idempotency_key=f"0123456789abcdef{wait_ms}"
        )
        assert answer.json()["type"].endswith(name) or name in answer.text, answer.text


async def test_the_same_account_by_the_api_does_not_wait_and_another_does(world: World) -> None:
    shop = (await world.merchant("GET", "/api/v1/shop")).json()
    same = {name: shop[name] for name in ("name", "announcement", "payout_account")}
    for given, waits in ((same, False), ({**same, "payout_account": "6222 9999"}, True)):
        answer = await world.merchant("PUT", "/api/v1/shop", given)
        assert answer.status_code == 200, answer.text
        assert bool((await dossier_of(world, world.shop_id)).shop.payable_from_ms) is waits


async def test_nobody_else_reads_an_application(world: World, applicant: httpx.AsyncClient) -> None:
    _, number = await number_of(world, applicant)
    await send(applicant)
    for path in ("/floor/admission", f"/floor/admission/{number}", f"/floor/admission/{number}/licence"):
        assert (await applicant.get(path)).status_code == 403
    assert (await browser(world).get("/desk/admission")).status_code in {303, 401, 403}


async def test_a_clock_that_comes_late_or_thrice_lets_no_order_in_and_says_it_once(
    world: World, applicant: httpx.AsyncClient, operator: httpx.AsyncClient
) -> None:
    shop_id, number = await number_of(world, applicant)
    assert (await send(applicant)).status_code == 303
    assert (await admit(operator, number)).status_code == 303
    listing_id = await publish(world.opened, shop_id, delivery="manual", promise_min=30)
    until_ms = (await dossier_of(world, shop_id)).shop.checked_until_ms

    async def order() -> httpx.Response:
        body = world.order_body(shop_no=number, listing_id=listing_id)
        return await world.post("/api/v1/orders", body, idempotency_key=world.opened.house.new_id())

    world.clock.ms = until_ms - 1
    assert (await order()).status_code == 201
    world.clock.ms = until_ms  # no worker has come by: the standing still reads open
    assert (await dossier_of(world, shop_id)).shop.standing == "open"
    assert (await order()).json()["type"].endswith("shop-is-closed")
    for _ in range(2):  # the reminder that was slept through, then the end, by three at once
        await asyncio.gather(*(world.opened.worker.sweep() for _ in range(3)))
    kinds = await world.opened.pool.fetch(
        "SELECT kind FROM events WHERE shop_id = $1 AND kind LIKE 'shop.check\\_%' ORDER BY version", shop_id
    )
    assert [row["kind"] for row in kinds] == ["shop.check_near", "shop.check_lapsed"]
