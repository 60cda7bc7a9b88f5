"""The deposit of a shop as a program reads and moves it."""

from uuid import uuid4

from api_world import World, open_shop
from fairkey.business.askers import Asker
from fairkey.business.deposits import RecordSecured
from fairkey.business.references import reference_of

BASE = "/api/v1/deposits"


async def agreed(world: World) -> None:
    terms = (await world.merchant("GET", BASE)).json()["terms"]
    answer = await world.merchant("POST", f"{BASE}/agree", {"version": terms})
    assert answer.json() == {"kinds": ["deposit.agreed"]}


async def paid_in(world: World, amount_fen: int) -> str:
    """A top-up that was asked for, paid and kept apart."""
    top_up_id = str(uuid4())
    link = await world.merchant("PUT", f"{BASE}/top-ups/{top_up_id}", {"amount_fen": amount_fen})
    assert (link.status_code, link.json()["amount_fen"]) == (200, amount_fen), link.text
    told = await world.tell(world.notice(reference_of(world.shop_no, top_up_id), amount_fen))
    assert told.text == "success"
    secured = RecordSecured(shop_id=world.shop_id, top_up_no=1, attempt=1, succeeded=True)
    assert not (await world.opened.house.ask(Asker.PROVIDER, secured)).refusal
    return top_up_id


async def test_in_and_out_again(paying_world: World) -> None:
    world = paying_world
    before = (await world.merchant("GET", BASE)).json()
    assert (before["agreed"], before["free_fen"], before["room_fen"], before["notices"]) == ("", 0, None, [])
    await agreed(world)
    await paid_in(world, 50_000)
    shown = (await world.merchant("GET", BASE)).json()
    assert (shown["free_fen"], shown["coming_fen"], shown["owed_fen"]) == (50_000, 0, 0)
    assert [(one["amount_fen"], one["state"]) for one in shown["top_ups"]] == [(50_000, "done")]

    too_much = await world.merchant("POST", f"{BASE}/release", {"amount_fen": 50_001}, idempotency_key=str(uuid4()))
    assert (too_much.status_code, too_much.json()["type"]) == (409, "/problems/deposit-is-too-low")
    key = str(uuid4())
    for _ in range(2):  # the same key is the same notice
        notice = await world.merchant("POST", f"{BASE}/release", {"amount_fen": 50_000}, idempotency_key=key)
        assert notice.json() == {"kinds": ["deposit.release_requested"]}
    shown = (await world.merchant("GET", BASE)).json()
    assert (shown["free_fen"], shown["noticed_fen"]) == (0, 50_000)
    assert [(one["release_no"], one["amount_fen"]) for one in shown["notices"]] == [(1, 50_000)]


async def test_a_top_up_has_one_page_and_one_sum(paying_world: World) -> None:
    world = paying_world
    path = f"{BASE}/top-ups/{uuid4()}"
    early = await world.merchant("PUT", path, {"amount_fen": 20_000})
    assert (early.status_code, early.json()["type"]) == (409, "/problems/deposit-is-not-agreed")
    await agreed(world)
    first = await world.merchant("PUT", path, {"amount_fen": 20_000})
    again = await world.merchant("PUT", path, {"amount_fen": 20_000})
    assert first.json() == again.json()
    other = await world.merchant("PUT", path, {"amount_fen": 30_000})
    assert other.status_code == 409, other.text
    small = await world.merchant("PUT", f"{BASE}/top-ups/{uuid4()}", {"amount_fen": 1})
    assert small.status_code == 422


async def test_nobody_reads_or_moves_anothers(paying_world: World) -> None:
    world = paying_world
    await agreed(world)
    await paid_in(world, 50_000)
    foreign, _ = await open_shop(world.opened, "别家卡铺")
    key = await world.new_key(shop_id=foreign)
    assert (await world.get(BASE, authorization=f"Bearer {key}")).json()["free_fen"] == 0
    reader = await world.new_key("orders:read")
    assert (await world.get(BASE, authorization=f"Bearer {reader}")).status_code == 403
    assert (await world.get(BASE)).status_code == 401
    wrong = await world.merchant("POST", f"{BASE}/agree", {"version": "0.1"})
    assert wrong.json()["type"] == "/problems/terms-are-not-current"


async def test_without_a_provider_nothing_is_paid_in(world: World) -> None:
    await agreed(world)
    answer = await world.merchant("PUT", f"{BASE}/top-ups/{uuid4()}", {"amount_fen": 20_000})
    assert answer.status_code == 503
