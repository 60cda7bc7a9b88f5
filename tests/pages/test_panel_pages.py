"""Panels and dockets as people see them: applying, a blind case, the vote, the public page, the operator's floor."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from api_world import World, a_world
from fairkey.app import publish_standard
from fairkey.engine import docket, paneling
from fairkey.proofs.panel_files import verify_panel_file
from panel_world import PASSWORD, RIGHT, contested, convene, judges, panel_of
from receipt_world import policy, write_log


@pytest.fixture
async def world(database_url: str, state_dir: Path) -> AsyncIterator[World]:
    async with a_world(database_url, state_dir) as world:
        await publish_standard(world.opened.house)
        yield world


def browser(world: World) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=world.app),
        base_url=world.opened.house.settings.origin,
        headers={"accept-language": "en"},
    )


async def submit(client: httpx.AsyncClient, page: str, action: str, **fields: str) -> httpx.Response:
    shown = await client.get(page)
    token = re.search(r'name="_csrf_token" value="([^"]+)"', shown.text)
    assert token is not None, shown.text[:500]
    return await client.post(action, data={"_csrf_token": token.group(1), **fields})


async def entered(world: World, client: httpx.AsyncClient, arbitrator_id: str) -> None:
    record = await world.opened.house.questions.panels.arbitrator(arbitrator_id)
    assert record is not None
    email = await world.opened.house.people.accounts.email_of(record.arbitrator.account_id)
    assert email is not None
    await submit(client, "/login", "/login", email=email, password=PASSWORD)


async def sitting(world: World, dsn: str) -> str:
    await judges(world)
    panel_id = await convene(world, await contested(world))
    await paneling.list_pool(world.opened.house, panel_id)
    await write_log(world.opened, dsn)
    await paneling.draw_panel(world.opened.house, panel_id)
    return panel_id


async def test_somebody_applies_and_the_operator_admits(world: World) -> None:
    accounts = world.opened.house.people.accounts
    made = await accounts.register(email="new@example.com", password=PASSWORD)
    boss = await accounts.register(email="boss@example.com", password=PASSWORD)
    assert made.account is not None
    assert boss.account is not None
    await accounts.make_operator(boss.account.account_id)
    async with browser(world) as client, browser(world) as floor:
        await submit(client, "/login", "/login", email="new@example.com", password=PASSWORD)
        told = await submit(
            client,
            "/docket",
            "/docket/apply",
            side="buyers",
            categories="游戏，game",
            text="I buy cards every week and know them.",
            **RIGHT,
        )
        assert told.status_code == 303, told.text[-2000:]
        assert "Applied" in (await client.get("/docket")).text
        await submit(floor, "/login", "/login", email="boss@example.com", password=PASSWORD)
        page = await floor.get("/floor/arbitrators")
        assert "I buy cards every week" in page.text
        assert "6/6" in page.text
        arbitrator_id = docket.arbitrator_id_of(world.opened.house, made.account.account_id)
        told = await submit(floor, "/floor/arbitrators", f"/floor/arbitrators/{arbitrator_id}/admit")
        assert told.status_code == 303
        assert "May be drawn" in (await client.get("/docket")).text


async def test_a_case_is_blind_and_its_vote_is_fixed(world: World, database_url: str) -> None:
    panel_id = await sitting(world, database_url)
    panel = await panel_of(world, panel_id)
    async with browser(world) as client:
        await entered(world, client, panel.seats[0].arbitrator_id)
        assert f"/docket/{panel_id}" in (await client.get("/docket")).text
        page = await client.get(f"/docket/{panel_id}")
        assert page.status_code == 200
        assert "It says used." in page.text
        for hidden in ("小满卡铺", "Lin 88", panel.order_id, world.shop_id):
            assert hidden not in page.text
        vote = {"outcome": "part", "part": "12.50", "row": "R13", "reason": "The listing said otherwise, see fact one."}
        short = await submit(client, f"/docket/{panel_id}", f"/docket/{panel_id}/vote", **{**vote, "reason": "so"})
        assert short.status_code == 422
        told = await submit(client, f"/docket/{panel_id}", f"/docket/{panel_id}/vote", **vote)
        assert told.status_code == 303, told.text[-1500:]
        again = await submit(client, "/docket", f"/docket/{panel_id}/vote", **vote)
        assert again.status_code == 409
        public = await client.get(f"/panels/{panel_id}")
        assert "committed" in public.text
        assert "12.50" not in public.text


async def test_who_has_no_seat_sees_no_case_and_a_stranger_signs_in_first(world: World, database_url: str) -> None:
    panel_id = await sitting(world, database_url)
    panel = await panel_of(world, panel_id)
    async with browser(world) as client:
        assert (await client.get(f"/docket/{panel_id}")).status_code in {303, 401}
        await entered(world, client, panel.standbys[0].arbitrator_id)
        assert (await client.get(f"/docket/{panel_id}")).status_code == 404


async def test_the_public_page_gives_the_file_that_draws_again(world: World, database_url: str) -> None:
    panel_id = await sitting(world, database_url)
    async with browser(world) as client:
        assert (await client.get("/panels")).status_code == 200
        page = await client.get(f"/panels/{panel_id}")
        assert "fairkey panel verify" in page.text
        assert (await client.get("/panels/nonsense")).status_code == 404
        await write_log(world.opened, database_url)
        file = await client.get(f"/panels/{panel_id}/file")
        assert verify_panel_file(file.content, await policy(world.opened)).panel_id == panel_id


async def test_the_operator_notes_what_an_arbitrator_was_paid_each_transfer_once(
    world: World, database_url: str
) -> None:
    panel_id = await sitting(world, database_url)
    house = world.opened.house
    panel = await panel_of(world, panel_id)
    for seat in panel.seats:
        told = await docket.cast_vote(
            house, panel_id, seat.arbitrator_id, refund_fen=0, row="R04", reason="Nothing in it shows a fault."
        )
        assert not told.refusal
    await paneling.reveal_panel(house, panel_id)
    await paneling.settle_panel(house, panel_id)
    boss = await house.people.accounts.register(email="boss@example.com", password=PASSWORD)
    assert boss.account is not None
    await house.people.accounts.make_operator(boss.account.account_id)
    path = f"/floor/arbitrators/{panel.seats[0].arbitrator_id}/pay"
    async with browser(world) as floor, browser(world) as client:
        await submit(floor, "/login", "/login", email="boss@example.com", password=PASSWORD)
        for _ in range(2):
            told_page = await submit(floor, "/floor/arbitrators", path, amount="1.00", note="transfer 7")
            assert told_page.status_code == 303, told_page.text[-500:]
        too_much = await submit(floor, "/floor/arbitrators", path, amount="2.01", note="transfer 8")
        assert too_much.status_code == 409
        assert "¥2.00" in too_much.text
        await entered(world, client, panel.seats[0].arbitrator_id)
        page = (await client.get("/docket")).text
        assert "¥3.00" in page
        assert "¥1.00" in page
        assert "100% " in page, "in time and with the end"
