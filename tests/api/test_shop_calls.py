"""A shop's program: listings, batches, orders, coupons, money; and what anyone may read."""

from typing import Any
from uuid import uuid4

import pytest

from api_world import PRICE_FEN, World, open_shop, publish, terms
from fairkey.api.listing_shapes import NewTerms


def wanted(**changes: object) -> dict[str, Any]:
    plain = terms(**changes)
    return {field: getattr(plain, field) for field in NewTerms.__struct_fields__}


async def test_a_listing_from_first_revision_to_withdrawal(world: World) -> None:
    key = str(uuid4())
    made = await world.merchant("POST", "/api/v1/shop/listings", wanted(product="点券 50"), idempotency_key=key)
    assert made.status_code == 201, made.text
    listing = made.json()
    again = await world.merchant("POST", "/api/v1/shop/listings", wanted(product="点券 50"), idempotency_key=key)
    assert again.json()["listing_id"] == listing["listing_id"]
    path = f"/api/v1/shop/listings/{listing['listing_id']}"
    assert made.headers["location"] == path
    same = await world.merchant("POST", f"{path}/revisions", wanted(product="点券 50"))
    assert (same.status_code, same.json()["type"]) == (409, "/problems/nothing-has-changed")
    revised = await world.merchant("POST", f"{path}/revisions", wanted(product="点券 50", price_fen=4_000))
    assert (revised.json()["revision"], revised.json()["terms"]["price_fen"]) == (2, 4_000)
    public = f"/api/v1/listings/{world.shop_no}/{listing['listing_id']}"
    assert [one["revision"] for one in (await world.get(public)).json()["revisions"]] == [2, 1]
    first = await world.get(f"{public}/revisions/1")
    assert first.json()["terms"]["price_fen"] == PRICE_FEN
    assert "immutable" in first.headers["cache-control"]
    withdrawn = await world.merchant("POST", f"{path}/withdraw")
    assert withdrawn.json()["on_sale"] is False
    assert (await world.merchant("POST", f"{path}/withdraw")).status_code == 404
    listed = (await world.merchant("GET", "/api/v1/shop/listings")).json()["listings"]
    assert {one["listing_id"] for one in listed} == {listing["listing_id"], world.vault_id, world.manual_id}
    unknown = await world.merchant("POST", f"/api/v1/shop/listings/{uuid4()}/revisions", wanted())
    assert unknown.status_code == 404


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"price_fen": -1}, "price_fen"),
        ({"price_fen": 0}, "price_fen"),
        ({"quantity_min": 9, "quantity_max": 2}, "quantity_max"),
        ({"tiers": [[5, 9_600]]}, "tiers"),
        ({"delivery": "manual", "promise_min": 0}, "promise_min"),
        ({"promise_min": 3}, "promise_min"),
        ({"redeem_by": "2026-19-45"}, "redeem_by"),
        ({"product": "x"}, "product"),
        ({"instructions": "a\u0000b"}, "instructions"),
    ],
)
async def test_terms_nobody_could_rely_on(world: World, changes: dict[str, Any], field: str) -> None:
    answer = await world.merchant("POST", "/api/v1/shop/listings", {**wanted(), **changes})
    assert answer.status_code == 422, answer.text
    assert answer.json()["details"]["field"] == field


async def test_markup_and_sql_in_every_text_come_back_as_they_are(world: World) -> None:
    nasty = "<script>alert('1')</script>'; DROP TABLE streams; --"
    names = ("category", "face_value", "region")
    body = wanted(product=nasty, instructions=nasty, after_sale=nasty, **dict.fromkeys(names, nasty[:20]))
    made = await world.merchant("POST", "/api/v1/shop/listings", body)
    assert made.status_code == 201
    assert made.json()["terms"]["instructions"] == nasty
    assert made.headers["content-type"] == "application/json"
    assert made.headers["x-content-type-options"] == "nosniff"
    found = await world.get("/api/v1/listings?q=%27%3B%20DROP")
    assert found.status_code == 200
    assert [one["product"] for one in found.json()["listings"]] == [nasty]
    assert (await world.get("/api/v1/listings?q=%00")).status_code == 422


async def test_finding_listings_page_by_page(world: World) -> None:
    for number in range(5):
        await publish(world.opened, world.shop_id, product=f"翻页 {number}", price_fen=100 + number)
    seen: list[str] = []
    cursor = ""
    while True:
        answer = (await world.get(f"/api/v1/listings?q=翻页&sort=price&limit=2&cursor={cursor}")).json()
        assert answer["count"] == 5
        seen += [one["product"] for one in answer["listings"]]
        cursor = answer["next_cursor"]
        if cursor is None:
            break
    assert seen == [f"翻页 {number}" for number in range(5)]
    for bad in ("x", "W10", "WzEsMl0", "WzEsIngiXQ", "Wzk5OTk5OTk5OTk5OTk5OTk5OTk5OSwiYSJd"):
        answer = await world.get(f"/api/v1/listings?cursor={bad}")
        assert (answer.status_code, answer.json()["details"]["field"]) == (422, "cursor")
    assert (await world.get("/api/v1/listings?limit=0")).status_code == 422
    assert (await world.get("/api/v1/listings?limit=x")).status_code == 422
    assert (await world.get("/api/v1/listings?unknown=1")).status_code == 422
    assert (await world.get("/api/v1/listings?shop_no=77777")).status_code == 404


async def test_a_shop_as_anyone_and_as_its_own_people_read_it(world: World) -> None:
    own = (await world.merchant("GET", "/api/v1/shop")).json()
    assert own["payout_account"].startswith("6222")
    body = {"name": "小满卡铺", "announcement": "国庆照常发货", "payout_account": "6222 1"}
    changed = await world.merchant("PUT", "/api/v1/shop", body)
    assert changed.json()["announcement"] == "国庆照常发货"
    public = await world.get(f"/api/v1/shops/{world.shop_no}")
    assert public.json()["announcement"] == "国庆照常发货"
    assert "6222" not in public.text
    assert (await world.get("/api/v1/shops/99999")).status_code == 404
    assert (await world.get("/api/v1/shops/x")).status_code == 404
    assert (await world.get("/api/v1/shops/99999999999999999999")).status_code == 404


async def test_a_batch_from_file_to_export(world: World) -> None:
    batch_id = str(uuid4())
    path = f"/api/v1/shop/batches/{batch_id}"
    query = f"?listing_id={world.vault_id}&source=invoice&note=%E5%9B%BD%E5%BA%86&file_name=codes.csv"
    lines = b"AAAA-1111-0001\nAAAA-1111-0002\nAAAA-1111-0002\n\nAAAA-1111-0003\n"
    assert (await world.merchant("GET", path)).status_code == 404
    made = await world.merchant("PUT", path + query, lines, content_type="text/csv; charset=utf-8")
    assert made.status_code == 201, made.text
    batch = made.json()
    assert (batch["count"], batch["unsold"], batch["registered"]) == (3, 3, True)
    assert (batch["imported"]["accepted"], batch["imported"]["duplicate_in_file"]) == (3, 1)
    assert (await world.merchant("GET", path)).json() == batch
    refused = (await world.merchant("GET", f"{path}/refusals")).json()
    assert [line["line_no"] for line in refused["lines"]] == [3]
    assert "AAAA-1111-0002" not in str(refused)
    listed = (await world.merchant("GET", f"/api/v1/shop/batches?listing_id={world.vault_id}")).json()["batches"]
    assert listed[0]["batch_id"] == batch_id
    again = await world.merchant("PUT", path + query, lines, content_type="text/csv")
    assert (again.status_code, again.json()["type"]) == (409, "/problems/import-is-closed")

    exported = await world.merchant("GET", f"{path}/codes")
    assert sorted(exported.text.split()) == ["AAAA-1111-0001", "AAAA-1111-0002", "AAAA-1111-0003"]
    entries = await world.opened.house.people.audit.read()
    assert ("codes.exported", f"batch:{batch_id}") in [(entry.action, entry.target) for entry in entries]

    assert (await world.merchant("POST", f"{path}/withdraw")).json() == {"kinds": ["batch.codes_withdrawn"]}
    assert (await world.merchant("POST", f"{path}/withdraw")).json()["type"] == "/problems/nothing-is-unsold"
    assert (await world.merchant("GET", f"{path}/codes")).text == ""


async def test_files_that_cannot_be_taken(world: World) -> None:
    def path(batch_id: object) -> str:
        return f"/api/v1/shop/batches/{batch_id}?listing_id={world.vault_id}&source=typed"

    plain = {"content_type": "text/plain"}
    assert (await world.merchant("PUT", path("x"), b"A", **plain)).status_code == 422
    assert (await world.merchant("PUT", path(uuid4()), b"A", content_type="application/json")).status_code == 415
    empty = await world.merchant("PUT", path(uuid4()), b"\n\n", **plain)
    assert (empty.status_code, empty.json()["type"]) == (422, "/problems/batch-is-empty")
    giant = await world.merchant("PUT", path(uuid4()), b"A" * 10_000_000, **plain)
    assert giant.status_code == 422
    large = await world.merchant("PUT", path(uuid4()), b"A", content_length="999999999999", **plain)
    assert large.status_code == 413
    many = await world.merchant("PUT", path(uuid4()), b"AAAA-BBBB-1\n" * 100_001, **plain)
    assert (many.status_code, many.json()["type"]) == (413, "/problems/import-is-too-large")
    elsewhere = f"/api/v1/shop/batches/{uuid4()}?listing_id={uuid4()}&source=typed"
    assert (await world.merchant("PUT", elsewhere, b"A", **plain)).status_code == 404
    assert (await world.merchant("PUT", f"/api/v1/shop/batches/{uuid4()}", b"A", **plain)).status_code == 422


async def test_a_manual_order_is_delivered_once(world: World) -> None:
    placed = await world.paid(listing_id=world.manual_id, quantity=2)
    path = f"/api/v1/shop/orders/{placed['reference']}"
    assert (await world.merchant("GET", path)).json()["stage"] == "paid"
    key = {"idempotency_key": str(uuid4())}
    body = {"codes": ["HAND-0001-XYZ", "HAND-0002-XYZ"]}
    done = await world.merchant("POST", f"{path}/deliver", body, **key)
    assert done.json()["stage"] == "delivered", done.text
    assert (await world.merchant("POST", f"{path}/deliver", body, **key)).json() == done.json()
    other = await world.merchant("POST", f"{path}/deliver", {"codes": ["HAND-0001-XYZ"]}, **key)
    assert (other.status_code, other.json()["type"]) == (409, "/problems/key-was-used-for-another-request")
    late = await world.merchant("POST", f"{path}/deliver", {"codes": ["HAND-0003-XYZ"]})
    assert (late.status_code, late.json()["type"]) == (409, "/problems/order-takes-no-codes")
    next_one = await world.paid(listing_id=world.manual_id)
    known = await world.merchant("POST", f"/api/v1/shop/orders/{next_one['reference']}/deliver", body)
    assert (known.status_code, known.json()["type"]) == (422, "/problems/typed-codes-are-refused")
    assert "HAND-0001-XYZ" not in known.text
    opened = await world.of_order(placed, "reveal")
    assert sorted(code["text"] for code in opened.json()["codes"]) == body["codes"]


async def test_orders_of_the_shop(world: World) -> None:
    paid, placed = await world.paid(), await world.place()
    everything = (await world.merchant("GET", "/api/v1/shop/orders")).json()["orders"]
    assert {one["reference"] for one in everything} == {paid["reference"], placed["reference"]}
    filtered = (await world.merchant("GET", "/api/v1/shop/orders?stage=placed,expired")).json()["orders"]
    assert [one["reference"] for one in filtered] == [placed["reference"]]
    assert (await world.merchant("GET", "/api/v1/shop/orders?stage=nowhere")).status_code == 422
    first = (await world.merchant("GET", "/api/v1/shop/orders?limit=1")).json()
    second = (await world.merchant("GET", f"/api/v1/shop/orders?limit=1&cursor={first['next_cursor']}")).json()
    assert second["next_cursor"] is None
    assert first["orders"] + second["orders"] == everything
    assert "@example.com" not in (await world.merchant("GET", f"/api/v1/shop/orders/{paid['reference']}")).text

    await world.of_order(paid, "complaint", {"reason": "not_valid", "text": "兑换失败,提示无效"})
    path = f"/api/v1/shop/orders/{paid['reference']}/complaint"
    assert (await world.merchant("POST", f"{path}/contest", {"text": "我们核对过"})).json()["stage"] == "disputed"
    assert (await world.merchant("POST", f"{path}/accept")).json()["stage"] == "refunded"
    assert (await world.merchant("POST", f"{path}/accept")).status_code == 409


async def test_orders_of_another_shop_do_not_exist(world: World) -> None:
    placed = await world.paid()
    other_shop, _ = await open_shop(world.opened, "别家")
    other = {"authorization": f"Bearer {await world.new_key(shop_id=other_shop)}"}
    path = f"/api/v1/shop/orders/{placed['reference']}"
    for method, where, body in (
        ("GET", path, None),
        ("POST", f"{path}/deliver", {"codes": ["HAND-0001-XYZ"]}),
        ("POST", f"{path}/complaint/accept", None),
        ("POST", f"{path}/complaint/contest", {"text": "我们核对过"}),
    ):
        answer = await world.send(method, where, body, **other)
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/order-not-found"), where
    listing = f"/api/v1/shop/listings/{world.vault_id}"
    assert (await world.send("GET", listing, **other)).status_code == 404
    assert (await world.send("POST", f"{listing}/withdraw", **other)).status_code == 404
    assert (await world.send("GET", "/api/v1/shop/orders", **other)).json() == {"orders": [], "next_cursor": None}


async def test_coupons(world: World) -> None:
    body = {"code": "GUOQING-8", "off_fen": 500, "uses_max": 1, "ends_at": "2027-01-01T00:00:00+08:00"}
    made = await world.merchant("POST", "/api/v1/shop/coupons", body)
    assert made.status_code == 201, made.text
    assert (await world.merchant("POST", "/api/v1/shop/coupons", body)).json()["type"] == "/problems/coupon-exists"
    placed = await world.place(coupon_code="guoqing-8")
    assert placed["amount_fen"] == PRICE_FEN - 500
    used = await world.post("/api/v1/orders", world.order_body(coupon_code="GUOQING-8"), idempotency_key=str(uuid4()))
    assert used.json()["type"] == "/problems/coupon-is-not-valid"
    listed = (await world.merchant("GET", "/api/v1/shop/coupons")).json()["coupons"]
    assert [(one["code"], one["uses"], one["ends_at"]) for one in listed] == [
        ("GUOQING-8", 1, "2026-12-31T16:00:00.000Z")
    ]
    path = f"/api/v1/shop/coupons/{made.json()['id']}/withdraw"
    assert (await world.merchant("POST", path)).json() == {"kinds": ["coupon.withdrawn"]}
    assert (await world.merchant("POST", path)).status_code == 404
    for bad in ({"off_fen": 5, "off_bp": 5}, {}, {"off_fen": 5, "ends_at": "soon"}, {"off_bp": 9_001}):
        answer = await world.merchant("POST", "/api/v1/shop/coupons", {"code": "NEVER-1", **bad})
        assert answer.status_code == 422, bad


async def test_money_from_sale_to_payout(world: World) -> None:
    placed = await world.paid()
    money = (await world.merchant("GET", "/api/v1/shop/money")).json()
    assert (money["escrow_fen"], money["available_fen"]) == (PRICE_FEN, 0)
    await world.of_order(placed, "confirm")
    money = (await world.merchant("GET", "/api/v1/shop/money")).json()
    assert (money["escrow_fen"], money["pending_fen"], money["fee_fen"]) == (0, PRICE_FEN - 95, 95)
    key = {"idempotency_key": str(uuid4())}
    poor = await world.merchant("POST", "/api/v1/shop/payouts", {"amount_fen": 500}, **key)
    assert (poor.status_code, poor.json()["details"]) == (409, {"available_fen": 0})
    shop_id = world.shop_id
    order = await world.opened.house.questions.shop_desk.orders(shop_id)
    told = {
        "event": "instruction",
        "kind": "release",
        "idempotency_key": f"release:{shop_id}:order:{order[0].order_id}:1:1",
        "provider_ref": "r1",
        "succeeded": True,
        "amount_fen": PRICE_FEN - 95,
        "reason": "",
    }
    assert (await world.tell(world.notice("", **told))).text == "success"
    assert (await world.merchant("GET", "/api/v1/shop/money")).json()["available_fen"] == PRICE_FEN - 95
    drawn = await world.merchant("POST", "/api/v1/shop/payouts", {"amount_fen": 500}, **key)
    assert drawn.status_code == 201, drawn.text
    again = await world.merchant("POST", "/api/v1/shop/payouts", {"amount_fen": 500}, **key)
    assert again.json() == drawn.json()
    assert (await world.merchant("POST", "/api/v1/shop/payouts", {"amount_fen": 600}, **key)).status_code == 409
    listed = (await world.merchant("GET", "/api/v1/shop/payouts")).json()["payouts"]
    assert [(one["amount_fen"], one["state"]) for one in listed] == [(500, "asked")]
    seen: list[dict[str, Any]] = []
    cursor = ""
    while cursor is not None:
        page = (await world.merchant("GET", f"/api/v1/shop/money/ledger?limit=2&cursor={cursor}")).json()
        seen += page["rows"]
        cursor = page["next_cursor"]
    assert [(row["debit"], row["credit"], row["amount_fen"]) for row in seen[::-1]][-1] == (
        "shop_available", "payout_payable", 500
    )  # fmt: skip
    assert len(seen) == len({tuple(row.items()) for row in seen}) == 5


async def test_health(world: World) -> None:
    assert (await world.get("/api/v1/health")).json() == {"ok": True}
    assert (await world.get("/api/v1/ready")).json() == {"ok": True}
