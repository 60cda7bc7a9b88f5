"""A buyer's program: place, pay, open, and all that may follow."""

from pathlib import Path
from uuid import uuid4

import pytest

from api_world import PRICE_FEN, World, a_world
from fairkey.business.basics import HOUR_MS
from fairkey.gates.pow import solve


async def test_place_pay_and_open(world: World) -> None:
    key = str(uuid4())
    body = world.order_body(quantity=2)
    answer = await world.post("/api/v1/orders", body, idempotency_key=key)
    assert answer.status_code == 201
    placed = answer.json()
    assert placed["amount_fen"] == 2 * PRICE_FEN
    assert placed["stage"] == "placed"
    assert answer.headers["location"] == f"/api/v1/orders/{placed['reference']}"
    assert (await world.post("/api/v1/orders", body, idempotency_key=key)).json() == placed

    assert (await world.tell(world.notice(placed["reference"], 2 * PRICE_FEN))).text == "success"
    order = await world.read(placed)
    assert order["stage"] == "delivered"
    assert [code["stage"] for code in order["codes"]] == ["delivered", "delivered"]

    first, second = await world.of_order(placed, "reveal"), await world.of_order(placed, "reveal", {})
    assert first.status_code == 200
    assert first.json() == second.json()
    assert {code["text"] for code in first.json()["codes"]} <= set(world.texts)
    assert len(first.json()["codes"]) == 2

    done = await world.of_order(placed, "confirm")
    assert done.json() == {"stage": "completed", "kinds": ["order.confirmed", "order.completed", "payment.released"]}
    reviewed = await world.of_order(placed, "review", {"speed": 5, "code_worked": True, "text": "很快"})
    assert reviewed.status_code == 200
    facts = await world.get(f"/api/v1/orders/{placed['reference']}/facts", order_secret=placed["secret"])
    assert [fact["kind"] for fact in facts.json()["facts"]][:3] == ["order.placed", "code.reserved", "payment.received"]
    assert body["contact"] not in facts.text
    assert "很快" not in facts.text


async def test_same_key_with_another_body_is_a_conflict(world: World) -> None:
    key = str(uuid4())
    body = world.order_body()
    assert (await world.post("/api/v1/orders", body, idempotency_key=key)).status_code == 201
    other = await world.post("/api/v1/orders", {**body, "quantity": 2}, idempotency_key=key)
    assert other.status_code == 409
    assert other.headers["content-type"] == "application/problem+json"
    assert other.json()["type"] == "/problems/key-was-used-for-another-request"


@pytest.mark.parametrize(
    ("changes", "status", "kind"),
    [
        ({"quantity": 0}, 422, "field-is-invalid"),
        ({"quantity": -1}, 422, "field-is-invalid"),
        ({"quantity": 21}, 422, "quantity-is-out-of-range"),
        ({"quantity": "1"}, 422, "field-is-invalid"),
        ({"revision": 7}, 409, "listing-has-changed"),
        ({"contact": "nobody"}, 422, "field-is-invalid"),
        ({"contact": "<script>alert(1)</script>@x.example"}, 422, "field-is-invalid"),
        ({"shop_no": 9_999}, 404, "not-found"),
        ({"listing_id": "no uuid"}, 404, "not-found"),
        ({"listing_id": "01890000-0000-7000-8000-000000000001"}, 409, "listing-is-not-on-sale"),
        ({"coupon_code": "' OR 1=1 --"}, 409, "coupon-is-not-valid"),
        ({"unknown": 1}, 422, "field-is-invalid"),
    ],
)
async def test_orders_that_cannot_be(world: World, changes: dict[str, object], status: int, kind: str) -> None:
    answer = await world.post("/api/v1/orders", world.order_body(**changes), idempotency_key=str(uuid4()))
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{kind}")
    problem = answer.json()
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert any("\u4e00" <= letter <= "\u9fff" for letter in problem["detail_zh"])


async def test_what_is_no_order_at_all(world: World) -> None:
    path = "/api/v1/orders"
    assert (await world.post(path, world.order_body())).json()["type"] == "/problems/idempotency-key-is-missing"
    answer = await world.post(path, world.order_body(), idempotency_key="short")
    assert answer.json()["type"] == "/problems/idempotency-key-is-invalid"
    key = str(uuid4())
    assert (await world.post(path, b"{", idempotency_key=key)).status_code == 400
    assert (await world.post(path, b"\xff\xfe", idempotency_key=key)).status_code == 400
    assert (await world.post(path, b"[" * 60_000, idempotency_key=key)).status_code == 422
    form = {"idempotency_key": key, "content_type": "application/x-www-form-urlencoded"}
    assert (await world.post(path, b"quantity=1", **form)).status_code == 415
    assert (await world.post(path, b"x" * 70_000, idempotency_key=key)).status_code == 413
    assert (await world.send("PATCH", path)).status_code == 405
    assert (await world.get("/api/v1/nowhere")).json()["type"] == "/problems/not-found"


async def test_the_secret_opens_one_order_only(world: World) -> None:
    one, other = await world.place(), await world.place()
    wrong = await world.get(f"/api/v1/orders/{one['reference']}", order_secret=other["secret"])
    unknown = await world.get("/api/v1/orders/0000000000000000000000000001", order_secret=one["secret"])
    missing = await world.get(f"/api/v1/orders/{one['reference']}")
    assert wrong.status_code == unknown.status_code == missing.status_code == 404
    assert wrong.content == unknown.content == missing.content


async def test_codes_stay_sealed_until_paid(world: World) -> None:
    placed = await world.place()
    answer = await world.of_order(placed, "reveal")
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/code-is-not-delivered")


async def test_stepping_back(world: World) -> None:
    given_up = await world.place()
    assert (await world.of_order(given_up, "give-up")).json()["stage"] == "expired"
    paid = await world.paid()
    assert (await world.of_order(paid, "give-up")).status_code == 409
    assert (await world.of_order(paid, "withdraw")).json()["stage"] == "cancelled"
    opened = await world.paid()
    await world.of_order(opened, "reveal")
    refused = await world.of_order(opened, "withdraw")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/code-was-already-opened")


async def test_waiting_once_for_a_manual_order(world: World) -> None:
    placed = await world.paid(listing_id=world.manual_id)
    assert (await world.of_order(placed, "wait")).status_code == 200
    again = await world.of_order(placed, "wait")
    assert (again.status_code, again.json()["type"]) == (409, "/problems/wait-was-already-agreed")


async def test_a_complaint_freezes_and_can_be_settled(world: World) -> None:
    placed = await world.paid()
    body = {"reason": "already_used", "text": "提示已被兑换。"}
    key = str(uuid4())
    opened = await world.of_order(placed, "complaint", body, idempotency_key=key)
    assert opened.json()["stage"] == "disputed"
    assert (await world.of_order(placed, "complaint", body, idempotency_key=key)).json() == opened.json()
    order = await world.read(placed)
    assert order["complaint"]["demand_fen"] == PRICE_FEN
    assert order["due_what"]
    assert (await world.of_order(placed, "complaint/withdraw")).json()["stage"] == "completed"


async def test_an_order_that_nobody_pays_expires(world: World) -> None:
    placed = await world.place()
    world.clock.ms += HOUR_MS
    await world.opened.worker.sweep()
    assert (await world.read(placed))["stage"] == "expired"


async def test_the_provider_gives_a_page_to_pay_on(paying_world: World) -> None:
    world = paying_world
    placed = await world.place()
    link = await world.of_order(placed, "pay")
    assert link.status_code == 200, link.text
    assert link.json()["pay_url"].startswith("http")
    assert link.json()["amount_fen"] == PRICE_FEN
    assert (await world.of_order(placed, "pay", {"return_url": "javascript:alert(1)"})).status_code == 422
    paid = await world.paid()
    answer = await world.of_order(paid, "pay")
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/order-is-in-another-stage")


async def test_a_provider_that_does_not_answer(world: World) -> None:
    placed = await world.place()
    answer = await world.of_order(placed, "pay")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["type"] == "/problems/unavailable"


async def test_guests_work_where_it_is_asked_for(database_url: str, state_dir: Path) -> None:
    async with a_world(database_url, state_dir, FAIRKEY_POW_DIFFICULTY_BITS="8") as world:
        path, body = "/api/v1/orders", world.order_body()
        refused = await world.post(path, body, idempotency_key=str(uuid4()))
        assert (refused.status_code, refused.json()["details"]) == (403, {"difficulty_bits": 8})
        work = (await world.get("/api/v1/work")).json()
        proof = solve(work["challenge"], work["difficulty_bits"])
        key = str(uuid4())
        placed = await world.post(path, body, idempotency_key=key, proof_of_work=proof)
        assert placed.status_code == 201, placed.text
        spent = await world.post(path, world.order_body(), idempotency_key=str(uuid4()), proof_of_work=proof)
        assert spent.status_code == 403
        by_key = await world.merchant("POST", path, world.order_body(), idempotency_key=str(uuid4()))
        assert by_key.status_code == 201
