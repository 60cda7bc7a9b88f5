"""Reviews whole: who may write what, what the public reads, what nobody can do."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api_world import World, a_world
from fairkey.engine.people import Role

PASSWORD = "correct horse battery"
SAYS = "Call Mr. Wang on 13800001234"
WHY = "The issuer says that it was activated by the buyer's own account."


@pytest.fixture
async def world(database_url: str, state_dir: Path) -> AsyncIterator[World]:
    async with a_world(database_url, state_dir) as world:
        yield world


async def completed(world: World) -> dict[str, Any]:
    placed = await world.paid()
    await world.of_order(placed, "reveal")
    assert (await world.of_order(placed, "confirm")).status_code == 200
    return placed


async def reviewed(world: World, text: str = SAYS) -> dict[str, Any]:
    placed = await completed(world)
    answer = await world.of_order(placed, "review", {"speed": 2, "code_worked": True, "text": text})
    assert answer.json() == {"stage": "completed", "kinds": ["review.posted"]}
    return placed


async def public(world: World, query: str = "") -> dict[str, Any]:
    answer = await world.get(f"/api/v1/shops/{world.shop_no}/reviews{query}")
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def kind(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition("/")[2]


async def test_one_review_an_order_amended_once_and_answered_once(world: World) -> None:
    placed = await reviewed(world)
    again = {"speed": 1, "code_worked": False, "text": "and again"}
    assert kind(await world.of_order(placed, "review", again)) == (409, "review-exists")
    key = str(uuid4())
    for _ in range(2):
        amended = await world.of_order(placed, "review/amend", again, idempotency_key=key)
        assert amended.json()["kinds"] == ["review.amended"]
    assert kind(await world.of_order(placed, "review/amend", again)) == (409, "review-was-amended")
    path = f"/api/v1/shop/orders/{placed['reference']}/review/objection"
    assert (await world.merchant("POST", path, {"text": WHY})).json()["kinds"] == ["review.objected"]
    assert kind(await world.merchant("POST", path, {"text": WHY})) == (409, "review-was-objected-to")
    assert kind(await world.merchant("POST", path, {"text": "no"})) == (422, "field-is-invalid")

    told = await public(world)
    assert told["counts"] == {"reviews": 1, "code_worked": 0, "objected": 1, "hidden": 0}
    (line,) = told["reviews"]
    assert (line["speed"], line["code_worked"], line["text"], line["objection"]) == (1, False, "and again", WHY)
    assert (line["first_speed"], line["first_worked"], line["hidden"]) == (2, True, "")
    assert placed["reference"] not in str(told)


async def test_not_before_completion_not_of_refunded_orders_not_by_others(world: World) -> None:
    body = {"speed": 5, "code_worked": True}
    sealed = await world.paid()
    assert kind(await world.of_order(sealed, "review", body)) == (409, "order-is-not-completed")
    assert (await world.of_order(sealed, "withdraw")).json()["stage"] == "cancelled"
    assert kind(await world.of_order(sealed, "review", body)) == (409, "order-is-not-completed")
    disputed = await world.paid()
    await world.of_order(disputed, "reveal")
    await world.of_order(disputed, "complaint", {"reason": "already_used", "text": "It says used."})
    assert kind(await world.of_order(disputed, "review", body)) == (409, "order-is-not-completed")
    shop = f"/api/v1/shop/orders/{disputed['reference']}"
    await world.merchant("POST", f"{shop}/complaint/accept")
    assert kind(await world.of_order(disputed, "review", body)) == (409, "order-is-not-completed")
    mine = await completed(world)
    assert kind(await world.of_order(mine, "review/amend", body)) == (404, "not-found")
    assert kind(await world.merchant("POST", f"{shop}/review/objection", {"text": WHY})) == (404, "not-found")
    foreign = {**mine, "secret": sealed["secret"]}  # another buyer's secret
    for what in ("review", "review/amend"):
        assert (await world.of_order(foreign, what, body)).status_code == 404
    assert (await public(world))["reviews"] == []


async def test_hidden_words_are_nowhere_public_and_ratings_count(world: World) -> None:
    placed = await reviewed(world)
    operator = await an_operator(world)
    path = f"/floor/orders/{placed['reference']}"
    page = (await operator.get(f"{path}?lang=en")).text
    assert SAYS in page
    for fields in ({"part": "review", "ground": "bad sales", "text": WHY}, {"text": WHY}):
        assert (await submit(operator, path, f"{path}/review/hide", **fields)).status_code == 422
    hide = {"part": "review", "ground": "personal_data", "text": "It names a telephone number."}
    assert (await submit(operator, path, f"{path}/review/hide", **hide)).status_code == 303
    note = await submit(operator, path, f"{path}/review/note", text="Nothing else is known about it.")
    assert note.status_code == 303
    assert (await submit(operator, path, f"{path}/review/remove", text="Away with it, please.")).status_code == 404
    listing = f"/listings/{world.shop_no}/{world.vault_id}"
    for address in (f"/shops/{world.shop_no}", listing):
        page = (await operator.get(f"{address}?lang=en")).text
        assert SAYS not in page
        assert "hidden by the platform: personal data" in page
        assert "It names a telephone number." in page
        assert "Nothing else is known about it." in page
        assert "words hidden 1 time" in page
        assert "speed 2.0 of 5" in page
    (line,) = (await public(world, f"?listing_id={world.vault_id}"))["reviews"]
    assert (line["text"], line["hidden"], line["speed"], line["times_hidden"]) == ("", "personal_data", 2, 1)
    assert (await public(world, f"?listing_id={world.manual_id}"))["reviews"] == []
    credit = (await world.get(f"/api/v1/shops/{world.shop_no}/credit")).json()
    assert credit["reviews"] == 1
    audit = (await operator.get("/floor/audit")).text
    assert "review.hide" in audit
    assert "review.note" in audit


async def test_pages_of_reviews_follow_each_other(world: World) -> None:
    for number in range(3):
        await reviewed(world, f"number {number}")
        world.clock.ms += 1_000
    first = await public(world, "?limit=2")
    second = await public(world, f"?limit=2&cursor={first['next_cursor']}")
    assert [line["text"] for line in (*first["reviews"], *second["reviews"])] == ["number 2", "number 1", "number 0"]
    assert second["next_cursor"] is None
    assert (await world.get(f"/api/v1/shops/{world.shop_no}/reviews?listing_id=none")).status_code == 404


async def test_the_shop_objects_on_its_page(world: World) -> None:
    placed = await reviewed(world)
    owner = await somebody(world, "owner@example.com", is_owner=True)
    path = f"/desk/orders/{placed['reference']}"
    page = (await owner.get(f"{path}?lang=en")).text
    assert "Object, once" in page
    assert (await submit(owner, path, f"{path}/review/object", text="no")).status_code == 422
    assert (await submit(owner, path, f"{path}/review/object", text=WHY)).status_code == 303
    again = await submit(owner, path, f"{path}/review/object", text=WHY)
    assert again.status_code == 409
    page = (await owner.get(f"/shops/{world.shop_no}?lang=en")).text
    assert "The shop objects" in page
    assert "1 objection" in page
    assert "Note or hide" not in page


async def an_operator(world: World) -> httpx.AsyncClient:
    return await somebody(world, "operator@example.com", is_operator=True)


async def somebody(world: World, email: str, *, is_operator: bool = False, is_owner: bool = False) -> httpx.AsyncClient:
    people = world.opened.house.people
    registered = await people.accounts.register(email=email, password=PASSWORD, is_operator=is_operator)
    assert registered.account is not None
    if is_owner:
        await people.staff.add(world.shop_id, registered.account.account_id, Role.OWNER)
    transport = httpx.ASGITransport(app=world.app)
    client = httpx.AsyncClient(transport=transport, base_url=world.opened.house.settings.origin)
    await submit(client, "/login", "/login", email=email, password=PASSWORD)
    return client


async def submit(client: httpx.AsyncClient, page: str, action: str, **fields: str) -> httpx.Response:
    token = re.search(r'name="_csrf_token" value="([^"]+)"', (await client.get(page)).text)
    assert token is not None
    return await client.post(action, data={"_csrf_token": token.group(1), **fields})
