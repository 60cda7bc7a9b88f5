"""Issuers on pages: registered, given keys, suspended; asked from a complaint; heard by all three who quarrel."""

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api_world import World, a_world
from fairkey.business.askers import Asker
from fairkey.business.basics import PLATFORM
from fairkey.business.complaints import ContestComplaint, OpenComplaint
from fairkey.business.dispute_events import Reason
from fairkey.business.issuers import ChangeIssuerApi
from fairkey.business.references import read_reference
from fairkey.engine.people import Role
from fairkey.proofs.attestations import public_key_of
from issuers_world import AnIssuer, an_issuer
from licence_server import LicenceServer, licence_server

PASSWORD = "correct horse battery"
PATH = "/floor/issuers"


@pytest.fixture
async def world(database_url: str, state_dir: Path) -> AsyncIterator[World]:
    async with a_world(database_url, state_dir, codes=3) as world:
        yield world


@pytest.fixture
def server() -> Iterator[LicenceServer]:
    with licence_server() as server:
        yield server


@pytest.fixture
async def operator(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with signed_in(world, "operator@example.com", operator=True) as client:
        yield client


def signed_in(world: World, email: str, *, operator: bool = False, owner: bool = False) -> "SignedIn":
    return SignedIn(world, email, operator, owner)


class SignedIn:
    """A browser in which somebody is logged in."""

    def __init__(self, world: World, email: str, operator: bool, owner: bool) -> None:
        self.world, self.email, self.operator, self.owner = world, email, operator, owner
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=world.app), base_url=world.opened.house.settings.origin
        )

    async def __aenter__(self) -> httpx.AsyncClient:
        people = self.world.opened.house.people
        registration = await people.accounts.register(email=self.email, password=PASSWORD)
        assert registration.account is not None
        account_id = registration.account.account_id
        if self.operator:
            await people.accounts.make_operator(account_id)
        if self.owner:
            await people.staff.add(self.world.shop_id, account_id, Role.OWNER)
        answer = await submit(self.client, "/login", "/login", email=self.email, password=PASSWORD)
        assert answer.status_code == 303, answer.text
        return self.client

    async def __aexit__(self, *_: object) -> None:
        await self.client.aclose()


async def submit(client: httpx.AsyncClient, page: str, action: str, **fields: str) -> httpx.Response:
    shown = await client.get(page)
    token = re.search(r'name="_csrf_token" value="([^"]+)"', shown.text)
    assert token is not None, shown.text[:500]
    return await client.post(action, data={"_csrf_token": token.group(1), **fields})


def new_key() -> str:
    return public_key_of(Ed25519PrivateKey.generate())


async def only_one(world: World) -> tuple[str, object]:
    (record,) = await world.opened.house.questions.issuers.issuers()
    return record.issuer_id, record.issuer


async def test_from_registration_to_reinstatement(world: World, operator: httpx.AsyncClient) -> None:
    assert "还没有发行方" in (await operator.get(PATH)).text
    first, second = new_key(), new_key()
    fields = {"name": "<b>晨光</b>", "contact": "a@example.com", "speaks_for": "Steam\n\n 点券 "}
    wrong = await submit(operator, PATH, PATH, **fields, public_key="no key")
    assert wrong.status_code == 422
    assert "公钥" in wrong.text
    assert 'value="no key"' in wrong.text
    made = await submit(operator, PATH, PATH, **fields, public_key=first.upper())
    assert made.status_code == 303, made.text
    issuer_id, _ = await only_one(world)
    act = f"{PATH}/{issuer_id}"
    for action, given in (
        ("key", {"public_key": second}),
        ("scope", {"speaks_for": "Steam"}),
        ("api", {"url": "https://issuer.example/v1", "token": "a-secret-token"}),
        ("suspend", {"reason": "<i>signs what is not so</i>"}),
    ):
        answer = await submit(operator, PATH, f"{act}/{action}", **given)
        assert answer.status_code == 303, answer.text
    page = (await operator.get(f"{PATH}?lang=en")).text
    assert "&lt;b&gt;晨光&lt;/b&gt;" in page
    assert "&lt;i&gt;signs what is not so" in page
    assert first in page
    assert second in page
    assert "a-secret-token" not in page
    assert "a@example.com" not in page
    assert (await submit(operator, PATH, f"{act}/suspend", reason="once more")).status_code == 409
    assert (await submit(operator, PATH, f"{act}/reinstate", reason="it was a slip")).status_code == 303
    for nowhere in (f"{act}/melt", f"{PATH}/x/suspend"):
        assert (await submit(operator, PATH, nowhere, reason="long enough")).status_code == 404
    trail = (await operator.get("/floor/audit")).text
    assert all(f"issuer.{what}" in trail for what in ("registered", "key", "scope", "api", "suspend", "reinstate"))


async def test_nobody_else_comes_here(world: World) -> None:
    async with signed_in(world, "owner@example.com", owner=True) as owner:
        assert (await owner.get(PATH)).status_code == 403


async def quarrel(world: World) -> tuple[dict[str, str], str]:
    """A contested complaint: the order, and the code in it."""
    placed = await world.paid()
    opened = await world.of_order(placed, "reveal")
    read = read_reference(placed["reference"])
    assert read is not None
    ask = world.opened.house.ask
    complaint = OpenComplaint(
        shop_id=world.shop_id, order_id=read[1], reason=Reason.ALREADY_USED, text="It says already used."
    )
    assert not (await ask(Asker.BUYER, complaint)).refusal
    contest = ContestComplaint(shop_id=world.shop_id, order_id=read[1], text="It was fresh; see the invoice.")
    assert not (await ask(Asker.MERCHANT, contest)).refusal
    return placed, opened.json()["codes"][0]["text"]


async def connected(world: World, url: str) -> AnIssuer:
    issuer = await an_issuer(world)
    command = ChangeIssuerApi(shop_id=PLATFORM, issuer_id=issuer.issuer_id, url=url, token="t")
    assert not (await world.opened.house.ask(Asker.OPERATOR, command)).refusal
    return issuer


async def test_asked_from_a_complaint_and_heard_by_all_three(
    world: World, operator: httpx.AsyncClient, server: LicenceServer
) -> None:
    placed, code = await quarrel(world)
    page = f"/floor/complaints/{placed['reference']}"
    assert "ask-issuer" not in (await operator.get(page)).text  # nobody can be asked yet
    issuer = await connected(world, server.url)
    server.says("VALID", valid=True, uses=1)
    asked = await submit(operator, page, f"{page}/ask-issuer", issuer_id=issuer.issuer_id)
    assert asked.status_code == 303, asked.text
    assert [one[2]["meta"]["key"] for one in server.asked] == [code]
    assert (await issuer.say(code, "unused", ago_ms=-0, account="")).status_code == 200
    assert (await issuer.say(code, account="a-rare-account")).status_code == 200

    seen = (await operator.get(f"{page}?lang=en")).text
    assert "asked by the platform" in seen
    assert "signed by the issuer" in seen
    assert "a-rare-account" in seen
    assert "contradicts" in seen
    assert code not in seen
    assert "issuer.asked" in (await operator.get("/floor/audit")).text
    async with signed_in(world, "owner@example.com", owner=True) as owner:
        shown = (await owner.get(f"/desk/orders/{placed['reference']}?lang=en")).text
        assert "What the issuer says" in shown
        assert "a-rare-account" not in shown
    buyer = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=world.app), base_url=world.opened.house.settings.origin,
        follow_redirects=True,
    )  # fmt: skip
    async with buyer:
        shown = (await buyer.get(f"/o/{placed['reference']}?s={placed['secret']}")).text
        shown = (await buyer.get(f"/o/{placed['reference']}?lang=en")).text
        assert "What the issuer says" in shown
        assert "a-rare-account" not in shown


async def test_an_issuer_who_does_not_answer(
    world: World, operator: httpx.AsyncClient, server: LicenceServer
) -> None:
    placed, code = await quarrel(world)
    page = f"/floor/complaints/{placed['reference']}"
    issuer = await connected(world, server.url)
    server.answers = [(401, {}, b"")]
    answer = await submit(operator, page, f"{page}/ask-issuer", issuer_id=issuer.issuer_id)
    assert answer.status_code == 503
    assert "status 401" in answer.text
    assert server.url not in answer.text
    assert code not in answer.text
    for wrong in ("", "x", "00000000-0000-7000-8000-000000000000"):
        assert (await submit(operator, page, f"{page}/ask-issuer", issuer_id=wrong)).status_code == 404


async def test_without_a_complaint_nobody_is_asked(
    world: World, operator: httpx.AsyncClient, server: LicenceServer
) -> None:
    placed = await world.paid()
    await world.of_order(placed, "reveal")
    issuer = await connected(world, server.url)
    server.says("NO_MACHINE")
    path = f"/floor/complaints/{placed['reference']}/ask-issuer"
    assert (await submit(operator, PATH, path, issuer_id=issuer.issuer_id)).status_code == 404
    assert server.asked == []
