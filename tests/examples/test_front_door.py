"""What every request passes, tried on a small application over HTTP with real people behind it."""

import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from litestar import Litestar, MediaType, Request, Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from fairkey.business.basics import DAY_MS, HOUR_MS, Refusal
from fairkey.business.references import reference_of
from fairkey.engine.people import LogInIsWrong, Role
from fairkey.gates import csrf, sessions
from fairkey.gates.front_door import FrontDoor, extra_headers
from fairkey.gates.permissions import Gate, Permission, differences, routes_of
from fairkey.gates.refusals import STATUS
from fairkey.gates.rules import GateRules
from fairkey.gates.visits import visit_of
from people_town import EMAIL, PASSWORD, SHOP, Town, a_town

OTHER_SHOP = "01890000-0000-7000-8000-000000000002"
ORDER = "01890000-0000-7000-8000-0000000000aa"
REF = reference_of(7, ORDER)

TABLE = {
    "GET /": Gate(Permission.PUBLIC),
    "GET /form": Gate(Permission.PUBLIC),
    "POST /form": Gate(Permission.PUBLIC),
    "POST /login": Gate(Permission.PUBLIC, limit="log_in"),
    "POST /logout": Gate(Permission.ACCOUNT),
    "GET /account": Gate(Permission.ACCOUNT),
    "GET /desk": Gate(Permission.SHOP_READ),
    "POST /desk/staff": Gate(Permission.SHOP_OWNER),
    "GET /floor": Gate(Permission.OPERATOR),
    "GET /orders/{ref}": Gate(Permission.GUEST_WITH_ORDER_SECRET),
    "GET /api/v1/orders/{ref}": Gate(Permission.GUEST_WITH_ORDER_SECRET),
    "GET /api/v1/stock": Gate(Permission.SHOP_READ, scope="listings:read"),
    "POST /api/v1/payouts": Gate(Permission.SHOP_OWNER, scope="payouts:write"),
    "POST /callbacks/pay": Gate(Permission.PROVIDER_SIGNATURE, limit="callback"),
}

AnyRequest = Request[Any, Any, Any]


@get("/")
async def store(request: AnyRequest) -> str:
    return str(request.user.kind)


@get("/form", media_type=MediaType.HTML)
async def form(request: AnyRequest) -> str:
    return csrf.hidden_field(visit_of(request.scope))


@post("/form", status_code=200)
async def sent(request: AnyRequest) -> dict[str, int]:
    return {"bytes": len(await request.body())}


@post("/login", status_code=200)
async def log_in(request: AnyRequest) -> Response[str]:
    fields = await request.form()
    account, cookie = await sessions.log_in(request, email=fields["email"], password=fields["password"])
    return Response(account.account_id, cookies=[cookie])


@post("/logout", status_code=200)
async def log_out(request: AnyRequest) -> Response[str]:
    return Response("bye", cookies=[await sessions.log_out(request, everywhere=True)])


@get("/account")
async def account(request: AnyRequest) -> str:
    return str(request.user.account_id)


@get("/desk")
async def desk(request: AnyRequest) -> str:
    return str(visit_of(request.scope).shop_id)


@post("/desk/staff")
async def staff(request: AnyRequest) -> str:
    return str(visit_of(request.scope).shop_id)


@get("/floor")
async def floor() -> str:
    return "floor"


@get("/orders/{ref:str}")
async def order(request: AnyRequest, ref: FromPath[str]) -> Response[str] | Redirect:
    if secret := request.query_params.get("s"):
        return visit_of(request.scope).door.orders.enter_by_link(request, ref, secret)
    return Response("your order")


@get("/api/v1/orders/{ref:str}")
async def order_by_program(ref: FromPath[str]) -> str:
    return "your order"


@get("/api/v1/stock")
async def stock(request: AnyRequest) -> str:
    return str(visit_of(request.scope).shop_id)


@post("/api/v1/payouts", status_code=200)
async def payouts(request: AnyRequest) -> str:
    return str(visit_of(request.scope).shop_id)


@post("/callbacks/pay", status_code=200)
async def callback() -> str:
    return "success"


@get("/forgotten")
async def forgotten() -> str:
    return "nobody said who may see this"


def shown(_: AnyRequest, refusal: Refusal) -> Response[dict[str, Any]]:
    name = type(refusal).__name__
    headers = {key.decode(): value.decode() for key, value in extra_headers(refusal)}
    return Response({"refusal": name, **refusal.details}, status_code=STATUS[name], headers=headers)


@dataclass
class House:
    """The application behind its door, and the town whose people come."""

    town: Town
    app: Litestar
    door: FrontDoor
    bought_by: dict[str, str] = field(default_factory=dict)

    def browser(self, address: str = "203.0.113.7") -> httpx.AsyncClient:
        """A browser: it keeps cookies and tells where its requests come from."""
        app: Any = self.door.wrap(self.app)
        transport = httpx.ASGITransport(app=app, client=(address, 4711))
        return httpx.AsyncClient(transport=transport, base_url="https://keys.example")

    async def logged_in(self, email: str = EMAIL) -> httpx.AsyncClient:
        browser = self.browser()
        answer = await send(browser, "/login", email=email, password=PASSWORD)
        assert answer.status_code == 200, answer.text
        return browser


async def token_of(browser: httpx.AsyncClient) -> str:
    return (await browser.get("/form")).text.split('value="')[1].split('"')[0]


async def send(browser: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    """Send a form like a browser without scripts."""
    return await browser.post(path, data={csrf.FIELD: await token_of(browser), **fields})


MakeHouse = Callable[..., House]


@pytest.fixture
async def make_house(database_url: str) -> AsyncIterator[MakeHouse]:
    async with a_town(database_url) as town:

        def make(*, over_http: bool = False, limit_factor: float = 1.0) -> House:
            bought_by: dict[str, str] = {}

            async def buyer_account_of(reference: str) -> str | None:
                return bought_by.get(reference)

            door = FrontDoor(
                rules=GateRules(
                    signing_key=b"k" * 32,
                    public_origin="https://keys.example",
                    over_http=over_http,
                    limit_factor=limit_factor,
                ),
                people=town.people,
                table=TABLE,
                check_order_secret=town.keys.check_order_secret,
                buyer_account_of=buyer_account_of,
                now_ms=town.clock,
            )
            handlers = [
                store, form, sent, log_in, log_out, account, desk, staff, floor, order, order_by_program, stock,
                payouts, callback, forgotten,
            ]  # fmt: skip
            app = Litestar(handlers, guards=[door.guard], exception_handlers={Refusal: shown}, openapi_config=None)
            return House(town, app, door, bought_by)

        yield make


@pytest.fixture
def house(make_house: MakeHouse) -> House:
    return make_house()


# --- headers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/form", "/no-such-page", "/account", "/api/v1/stock", "/api/nothing"])
async def test_every_answer_carries_the_security_headers(house: House, path: str) -> None:
    answer = await house.browser().get(path)
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["strict-transport-security"].startswith("max-age=")
    assert "camera=()" in answer.headers["permissions-policy"]
    assert answer.headers["cache-control"] == "no-store"


# --- the table ------------------------------------------------------------------------------------------------------


async def test_a_route_nobody_put_into_the_table_is_closed_and_found(house: House) -> None:
    answer = await house.browser().get("/forgotten")
    assert answer.status_code == 403
    assert differences(routes_of(house.app), TABLE) == ["no row in gates/route_table.py for: GET /forgotten"]


async def test_guests_are_sent_to_log_in_and_back(house: House) -> None:
    answer = await house.browser().get("/account?tab=keys")
    assert answer.status_code == 401
    assert answer.json() == {"refusal": "SignInNeeded", "back": "/account?tab=keys", "expired": False}


async def test_each_role_gets_through_its_own_doors_only(house: House) -> None:
    people = house.town.people
    owner, helper, buyer = [await house.town.resident(f"{name}@example.com") for name in ("owner", "helper", "buyer")]
    await house.town.resident("operator@example.com", is_operator=True)
    await people.staff.add(SHOP, owner.account_id, Role.OWNER)
    await people.staff.add(SHOP, helper.account_id, Role.STAFF)
    assert buyer.account_id

    async def doors(name: str) -> list[int]:
        browser = await house.logged_in(f"{name}@example.com")
        return [
            (await browser.get("/account")).status_code,
            (await browser.get("/desk")).status_code,
            (await send(browser, "/desk/staff")).status_code,
            (await browser.get("/floor")).status_code,
        ]

    assert await doors("buyer") == [200, 403, 403, 403]
    assert await doors("helper") == [200, 200, 403, 403]
    assert await doors("owner") == [200, 200, 201, 403]
    assert await doors("operator") == [200, 403, 403, 200]


async def test_who_works_for_two_shops_acts_for_the_chosen_one_while_it_is_theirs(house: House) -> None:
    people = house.town.people
    owner = await house.town.resident()
    for shop in (SHOP, OTHER_SHOP):
        await people.staff.add(shop, owner.account_id, Role.OWNER)
    browser = await house.logged_in()
    assert (await browser.get("/desk")).text == SHOP
    token = browser.cookies["__Host-fairkey"]
    await people.sessions.keep_data(token, {"acting_shop": OTHER_SHOP})
    assert (await browser.get("/desk")).text == OTHER_SHOP
    await people.sessions.keep_data(token, {"acting_shop": str(uuid.uuid4())})
    assert (await browser.get("/desk")).text == SHOP


# --- sessions -------------------------------------------------------------------------------------------------------


async def test_the_session_cookie_is_bound_to_this_host_and_closed_to_scripts(house: House) -> None:
    await house.town.resident()
    browser = house.browser()
    answer = await send(browser, "/login", email=EMAIL, password=PASSWORD)
    (cookie,) = [value for value in answer.headers.get_list("set-cookie") if value.startswith("__Host-fairkey=")]
    assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


async def test_in_the_demo_over_http_the_cookie_has_its_plain_name(make_house: MakeHouse) -> None:
    house = make_house(over_http=True)
    await house.town.resident()
    answer = await send(house.browser(), "/login", email=EMAIL, password=PASSWORD)
    assert any(
        value.startswith("fairkey=") and "Secure" not in value for value in answer.headers.get_list("set-cookie")
    )


async def test_a_session_planted_before_log_in_is_worthless_after(house: House) -> None:
    await house.town.resident()
    planted, _ = await house.town.people.sessions.open(None)
    browser = house.browser()
    browser.cookies.set("__Host-fairkey", planted, domain="keys.example")
    assert (await send(browser, "/login", email=EMAIL, password=PASSWORD)).status_code == 200
    attacker = house.browser()
    attacker.cookies.set("__Host-fairkey", planted, domain="keys.example")
    assert (await attacker.get("/account")).status_code == 401
    assert (await browser.get("/account")).status_code == 200
    assert await house.town.people.sessions.find(planted) is None


async def test_an_expired_session_says_so_and_its_cookie_goes(house: House) -> None:
    await house.town.resident()
    browser = await house.logged_in()
    house.town.clock.now_ms += 14 * DAY_MS
    answer = await browser.get("/account")
    assert answer.json() == {"refusal": "SignInNeeded", "back": "/account", "expired": True}
    assert "__Host-fairkey" not in browser.cookies
    assert (await browser.get("/account")).json()["expired"] is False


async def test_logging_out_everywhere_ends_other_browsers_too(house: House) -> None:
    await house.town.resident()
    one, other = await house.logged_in(), await house.logged_in()
    assert (await send(one, "/logout")).text == "bye"
    assert "__Host-fairkey" not in one.cookies
    assert (await other.get("/account")).status_code == 401


async def test_log_ins_of_operators_are_in_the_audit_trail(house: House) -> None:
    operator = await house.town.resident(is_operator=True)
    await house.logged_in()
    (entry,) = await house.town.people.audit.read()
    assert (entry.action, entry.actor, entry.role) == (
        "operator.logged_in", f"account:{operator.account_id}", "operator",
    )  # fmt: skip


async def test_a_wrong_password_opens_no_session(house: House) -> None:
    await house.town.resident()
    browser = house.browser()
    answer = await send(browser, "/login", email=EMAIL, password="wrong password")
    assert answer.json() == {"refusal": LogInIsWrong.__name__}
    assert "__Host-fairkey" not in browser.cookies


# --- forged forms ---------------------------------------------------------------------------------------------------


async def test_a_form_of_ours_is_taken_from_guests_and_accounts(house: House) -> None:
    await house.town.resident()
    for browser in (house.browser(), await house.logged_in()):
        assert (await send(browser, "/form", text="hello")).status_code == 200


async def test_a_form_without_token_is_refused_in_both_languages_and_nothing_is_done(house: House) -> None:
    await house.town.resident()
    for browser in (house.browser(), await house.logged_in()):
        answer = await browser.post("/form", data={"text": "hello"}, headers={"referer": "https://keys.example/form"})
        assert answer.status_code == 403
        assert "这个表单已过期" in answer.text
        assert "This form has expired" in answer.text
        assert 'href="/form"' in answer.text


async def test_a_token_of_another_browser_or_from_before_log_in_is_refused(house: House) -> None:
    await house.town.resident()
    browser = house.browser()
    before = await token_of(browser)
    mallory = await token_of(house.browser())
    await send(browser, "/login", email=EMAIL, password=PASSWORD)
    for token in (before, mallory, "", "x" * 59, "é"):
        assert (await browser.post("/form", data={csrf.FIELD: token})).status_code == 403


async def test_two_tokens_of_one_browser_differ_and_both_work(house: House) -> None:
    browser = house.browser()
    one, other = await token_of(browser), await token_of(browser)
    assert one != other
    for token in (one, other):
        assert (await browser.post("/form", headers={"x-csrf-token": token})).status_code == 200


@pytest.mark.parametrize(
    "foreign",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "https://keys.example.evil.example"},
    ],
)
async def test_a_foreign_page_is_refused_even_with_a_right_token(house: House, foreign: dict[str, str]) -> None:
    browser = house.browser()
    own = {"sec-fetch-site": "same-origin", "origin": "https://keys.example"}
    token = await token_of(browser)
    assert (await browser.post("/form", data={csrf.FIELD: token}, headers=own)).status_code == 200
    assert (await browser.post("/form", data={csrf.FIELD: token}, headers=foreign)).status_code == 403


async def test_an_upload_streams_through_whole_and_its_token_must_come_first(house: House) -> None:
    browser = house.browser()
    token = await token_of(browser)
    file = ("codes.txt", b"CODE-0001\n" * 50_000, "text/plain")
    answer = await browser.post("/form", files=[(csrf.FIELD, (None, token)), ("file", file)])
    assert answer.status_code == 200
    assert answer.json()["bytes"] == int(answer.request.headers["content-length"])
    late = await browser.post("/form", files=[("file", file), (csrf.FIELD, (None, token))])
    assert late.status_code == 403


async def test_a_body_that_comes_in_single_bytes_is_put_together_again(house: House) -> None:
    browser = house.browser()
    body = f"{csrf.FIELD}={await token_of(browser)}&text=hello".encode()

    async def slowly() -> AsyncIterator[bytes]:
        for byte in body:
            yield bytes([byte])

    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = await browser.post("/form", content=slowly(), headers=headers)
    assert answer.json() == {"bytes": len(body)}


async def test_a_guest_gets_a_seed_cookie_with_a_form_and_not_before(house: House) -> None:
    browser = house.browser()
    assert "set-cookie" not in (await browser.get("/")).headers
    first = (await browser.get("/form")).headers["set-cookie"]
    assert first.startswith("__Host-fk_seed=")
    assert "HttpOnly; SameSite=Lax; Secure" in first
    assert "set-cookie" not in (await browser.get("/form")).headers


# --- programs -------------------------------------------------------------------------------------------------------


async def key_of(house: House, *scopes: str) -> dict[str, str]:
    text, _ = await house.town.people.api_keys.create(SHOP, name="x", scopes=frozenset(scopes))
    return {"authorization": f"Bearer {text}"}


async def test_a_key_opens_what_its_scopes_say_for_its_shop(house: House) -> None:
    browser = house.browser()
    reader, payer = await key_of(house, "listings:read"), await key_of(house, "payouts:write")
    assert (await browser.get("/api/v1/stock", headers=reader)).text == SHOP
    assert (await browser.post("/api/v1/payouts", headers=payer)).text == SHOP
    refused = await browser.post("/api/v1/payouts", headers=reader)
    assert refused.status_code == 403
    assert refused.json() == {"refusal": "NotAllowed", "need": "payouts:write"}
    assert (await browser.get("/api/v1/stock", headers=payer)).status_code == 403


@pytest.mark.parametrize("header", ["Bearer fk_live_" + "x" * 43, "Bearer ", "Basic YTpi", "fk_live_"])
async def test_a_key_that_is_none_is_refused_everywhere_in_the_api(house: House, header: str) -> None:
    for path in ("/api/v1/stock", "/api/nothing"):
        answer = await house.browser().get(path, headers={"authorization": header})
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.json()["title"] == "ApiKeyIsInvalid"


async def test_a_revoked_key_is_dead_within_two_seconds_and_here_at_once(house: House) -> None:
    keys = house.town.people.api_keys
    text, key = await keys.create(SHOP, name="x", scopes=frozenset({"listings:read"}))
    headers = {"authorization": f"Bearer {text}"}
    browser = house.browser()
    assert (await browser.get("/api/v1/stock", headers=headers)).status_code == 200
    await keys.revoke(SHOP, key.key_id)
    assert (await browser.get("/api/v1/stock", headers=headers)).status_code == 200
    house.town.clock.now_ms += 2_000
    assert (await browser.get("/api/v1/stock", headers=headers)).status_code == 401

    text, key = await keys.create(SHOP, name="x", scopes=frozenset({"listings:read"}))
    headers = {"authorization": f"Bearer {text}"}
    assert (await browser.get("/api/v1/stock", headers=headers)).status_code == 200
    await keys.revoke(SHOP, key.key_id)
    house.door.known_keys.forget(key.key_id)
    assert (await browser.get("/api/v1/stock", headers=headers)).status_code == 401


async def test_cookies_mean_nothing_to_the_api_and_keys_nothing_to_pages(house: House) -> None:
    owner = await house.town.resident()
    await house.town.people.staff.add(SHOP, owner.account_id, Role.OWNER)
    browser = await house.logged_in()
    assert (await browser.get("/api/v1/stock")).status_code == 401
    assert (await browser.post("/api/v1/payouts")).status_code == 401
    assert (await house.browser().get("/desk", headers=await key_of(house, "shop:read"))).status_code == 401


async def test_a_providers_callback_needs_neither_cookie_nor_token(house: House) -> None:
    answer = await house.browser().post("/callbacks/pay", content=b"{}", headers={"origin": "https://pay.example"})
    assert answer.text == "success"


# --- orders of guests -----------------------------------------------------------------------------------------------


async def test_a_program_shows_the_secret_of_an_order(house: House) -> None:
    browser = house.browser()
    secret = house.town.keys.order_secret(ORDER)
    url = f"/api/v1/orders/{REF}"
    assert (await browser.get(url, headers={"order-secret": secret})).text == "your order"
    unknown = reference_of(7, str(uuid.uuid4()))
    for path, given in ((url, "wrong"), (url, ""), (f"/api/v1/orders/{unknown}", secret), ("/api/v1/orders/x", secret)):
        answer = await browser.get(path, headers={"order-secret": given})
        assert (answer.status_code, answer.json()) == (404, {"refusal": "OrderNotFound"})


async def test_a_link_is_swapped_for_a_cookie_and_a_clean_address(house: House) -> None:
    browser = house.browser()
    assert (await browser.get(f"/orders/{REF}")).status_code == 404
    answer = await browser.get(f"/orders/{REF}?s={house.town.keys.order_secret(ORDER)}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/orders/{REF}")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert house.town.keys.order_secret(ORDER) not in answer.headers["set-cookie"]
    assert (await browser.get(f"/orders/{REF.lower()}")).text == "your order"
    other = reference_of(7, str(uuid.uuid4()))
    assert (await browser.get(f"/orders/{other}")).status_code == 404
    assert (await browser.get(f"/orders/{other}?s=wrong")).json() == {"refusal": "OrderNotFound"}


async def test_a_cookie_made_by_hand_or_half_a_year_old_opens_nothing(house: House) -> None:
    browser = house.browser()
    await browser.get(f"/orders/{REF}?s={house.town.keys.order_secret(ORDER)}")
    good = browser.cookies["__Host-fk_orders"]
    other = reference_of(7, str(uuid.uuid4()))
    for forged in (good.replace(REF, other), good[:-1], "", "x" * 43, "1." + other + "x" * 43):
        mallory = house.browser()
        mallory.cookies.set("__Host-fk_orders", forged, domain="keys.example")
        assert (await mallory.get(f"/orders/{other}")).status_code == 404
    house.town.clock.now_ms += 180 * DAY_MS + HOUR_MS
    assert (await browser.get(f"/orders/{REF}")).status_code == 404


async def test_a_browser_remembers_its_newest_forty_orders(house: House) -> None:
    references = [reference_of(7, str(uuid.UUID(int=number))) for number in range(45)]
    browser = house.browser()
    for number, reference in enumerate(references):
        await browser.get(f"/orders/{reference}?s={house.town.keys.order_secret(str(uuid.UUID(int=number)))}")
    seen = [(await browser.get(f"/orders/{reference}")).status_code == 200 for reference in references]
    assert seen == [False] * 5 + [True] * 40
    assert len(browser.cookies["__Host-fk_orders"]) < 2_000


async def test_an_account_sees_the_orders_it_bought_and_no_others(house: House) -> None:
    buyer = await house.town.resident()
    await house.town.resident("other@example.com")
    house.bought_by[REF] = buyer.account_id
    assert (await (await house.logged_in()).get(f"/orders/{REF}")).status_code == 200
    assert (await (await house.logged_in("other@example.com")).get(f"/orders/{REF}")).status_code == 404


# --- limits ---------------------------------------------------------------------------------------------------------


async def test_too_many_log_ins_from_one_network_have_to_wait_whatever_the_account(house: House) -> None:
    browser = house.browser("2001:db8::1")
    token = await token_of(browser)
    answers = []
    for number in range(21):
        fields = {csrf.FIELD: token, "email": f"{number}@example.com", "password": "wrong password"}
        answers.append(await browser.post("/login", data=fields))
    assert [answer.status_code for answer in answers] == [401] * 20 + [429]
    assert (answers[20].headers["retry-after"], answers[20].json()["wait_s"]) == ("5", 5)
    neighbour = house.browser("2001:db8::2")
    assert (await send(neighbour, "/login", email="x@example.com", password="wrong password")).status_code == 429
    assert (await send(house.browser(), "/login", email="x@example.com", password="wrong password")).status_code == 401
    house.town.clock.now_ms += 5_000
    assert (await send(browser, "/login", email="x@example.com", password="wrong password")).status_code == 401


async def test_a_flood_is_stopped_before_anything_is_looked_up(house: House) -> None:
    browser = house.browser()
    statuses = {(await browser.get("/no-such-page")).status_code for _ in range(600)}
    assert statuses == {404}
    answer = await browser.get("/no-such-page")
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "1"
    assert "请求过于频繁" in answer.text
    assert answer.headers["content-security-policy"]


async def test_limits_can_be_lifted_for_benches(make_house: MakeHouse) -> None:
    house = make_house(limit_factor=0)
    browser = house.browser()
    assert {(await browser.get("/no-such-page")).status_code for _ in range(700)} == {404}
