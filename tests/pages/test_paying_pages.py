"""Paying at the real sandbox program: there and back, lost news, short money, silence, giving up; and letters."""

import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from api_world import BUYER, SECRET, Clock, World, deposit, open_shop, publish, settings_for
from fairkey.adapters.payments.sandbox import SandboxProvider
from fairkey.adapters.payments.sandbox_controls import SandboxControls
from fairkey.adapters.payments.sandbox_process import sandbox_process
from fairkey.app import make_asgi_app, open_house
from fairkey.business.references import read_reference
from fairkey.effects.ports import Attachment, MailIsUnreachable, MailWasRefused
from fairkey.engine import trade
from fairkey.engine.people import Role
from fairkey.read_tables.order_book import OrderRecord
from visitors import Visitor, visitor

MINUTE_MS = 60_000


@dataclass
class Mailbox:
    """A carrier that keeps what it is given, or fails as told."""

    letters: list[tuple[str, str, str, str, str]] = field(default_factory=list)
    fails: list[Exception] = field(default_factory=list)

    async def send(
        self,
        to: str,
        subject: str,
        text: str,
        html: str | None,
        idempotency_key: str,
        attachments: Sequence[Attachment] = (),
    ) -> None:
        if self.fails:
            raise self.fails.pop(0)
        self.letters.append((to, subject, text, html or "", idempotency_key))


@dataclass
class Market:
    """A world whose provider really collects."""

    world: World
    controls: SandboxControls
    mailbox: Mailbox

    async def later(self, by_ms: int) -> None:
        """Time passes here and at the provider; what is due happens."""
        self.world.clock.ms += by_ms
        await self.controls.settings(clock_offset_ms=self.world.clock.ms - time.time_ns() // 1_000_000)
        while await self.world.opened.worker.step():
            await self.controls.drain(hurry=True)  # nobody listens to its news here: it need not try for long


@pytest.fixture(scope="module")
def sandbox_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    state = tmp_path_factory.mktemp("sandbox") / "state.sqlite"
    with sandbox_process(SECRET, mode="test", state=state, more=["--first-pause-ms", "20"]) as url:
        yield url


@pytest.fixture
async def market(database_url: str, state_dir: Path, sandbox_url: str) -> AsyncIterator[Market]:
    clock, mailbox = Clock(), Mailbox()
    controls = SandboxControls(sandbox_url)
    await controls.settings(clock_offset_ms=clock.ms - time.time_ns() // 1_000_000)
    async with (
        SandboxProvider(sandbox_url, SECRET.encode(), now_ms=clock) as provider,
        open_house(
            settings_for(database_url, state_dir),
            database_url,
            now_ms=clock,
            providers={"sandbox": provider},
            mail=mailbox,
        ) as opened,
    ):
        shop_id, shop_no = await open_shop(opened)
        vault_id = await publish(opened, shop_id)
        manual_id = await publish(opened, shop_id, product="人工代发 <b>&", delivery="manual", promise_min=30)
        texts = await deposit(opened, shop_id, vault_id, 5)
        async with httpx.AsyncClient() as http:
            world = World(
                opened=opened,
                app=make_asgi_app(opened),
                http=http,
                clock=clock,
                shop_id=shop_id,
                shop_no=shop_no,
                vault_id=vault_id,
                manual_id=manual_id,
                key="",
                texts=texts,
            )
            yield Market(world, controls, mailbox)
    await controls.go_well()
    await controls.aclose()


@pytest.fixture
async def guest(market: Market) -> AsyncIterator[Visitor]:
    guest = visitor(market.world)
    yield guest
    await guest.http.aclose()


async def place(guest: Visitor, market: Market, listing_id: str = "") -> str:
    await guest.go(f"/listings/{market.world.shop_no}/{listing_id or market.world.vault_id}")
    await guest.press("/buy", quantity="1", contact=BUYER)
    return guest.path.split("/")[2]


async def order_of(market: Market, reference: str) -> OrderRecord:
    read = read_reference(reference)
    assert read is not None
    record = await market.world.opened.house.questions.order_book.find(market.world.shop_id, read[1])
    assert record is not None
    return record


async def test_there_and_back_with_the_news_lost(market: Market, guest: Visitor, sandbox_url: str) -> None:
    reference = await place(guest, market)
    assert "<svg" in guest.html.partition('class="qr"')[2][:200]
    form = next(form for form in guest.forms() if form.action.endswith("/pay"))
    answer = await guest.http.post(form.action, data=form.values, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{sandbox_url}/cashier/{reference}"
    await guest.go(f"/o/{reference}/pay?returned=1")
    assert "We are asking the provider" in guest.text  # came back without having paid
    await market.controls.pay(reference)  # nobody listens at our address: the news is lost
    await guest.go(f"/o/{reference}/pay?returned=1")
    assert guest.path == f"/o/{reference}/pay"  # asked a moment ago, so not again yet
    market.world.clock.ms += 5_000
    await guest.go(f"/o/{reference}/pay?returned=1")
    assert guest.path == f"/o/{reference}"
    assert "Your codes are here, sealed." in guest.text


async def test_money_that_is_too_little_is_shown_and_goes_back(market: Market, guest: Visitor) -> None:
    reference = await place(guest, market)
    await market.controls.pay(reference, 5_000)
    await guest.go(f"/o/{reference}/pay?returned=1")
    assert "Received ¥50.00 of ¥95.00" in guest.text
    assert "¥45.00 is missing" in guest.text
    await guest.press("/give-up")
    assert guest.path == f"/o/{reference}"
    assert "You gave it up." in guest.text
    assert "Refund on its way ¥50.00" in guest.text
    await market.later(1_000)
    await guest.go(f"/o/{reference}")
    assert "Refunded ¥50.00" in guest.text


async def test_time_runs_out_and_late_money_still_finds_its_codes(market: Market, guest: Visitor) -> None:
    reference = await place(guest, market)
    await market.later(16 * MINUTE_MS)
    await guest.go(f"/o/{reference}/pay")
    assert guest.path == f"/o/{reference}"
    assert "It was not paid in full within 15 minutes." in guest.text
    assert guest.html.count("/pay") == 0
    await market.controls.pay(reference)
    read = read_reference(reference)
    assert read is not None
    assert await trade.catch_up(market.world.opened.house, market.world.shop_id, read[1]) == 1
    await guest.go(f"/o/{reference}")
    assert "Your codes are here, sealed." in guest.text


async def test_a_silent_provider_is_said_and_tried_again(market: Market, guest: Visitor) -> None:
    await market.controls.go_wrong({"kind": "down"})
    reference = await place(guest, market)
    assert "The payment provider does not answer right now" in guest.text
    await guest.press("/pay")
    assert guest.status == 503
    assert "Try again in a minute." in guest.text
    assert (await order_of(market, reference)).file.order.stage == "placed"
    await market.controls.go_well()
    form = next(form for form in guest.forms() if form.action.endswith("/pay"))
    answer = await guest.http.post(form.action, data=form.values, follow_redirects=False)
    assert answer.status_code == 303


async def test_giving_up_twice_is_no_mistake_and_frees_the_codes(market: Market, guest: Visitor) -> None:
    reference = await place(guest, market)
    form = next(form for form in guest.forms() if form.action.endswith("/give-up"))
    for _ in range(2):
        guest.page = await guest.http.post(form.action, data=form.values)
        assert guest.status == 200
        assert "You gave it up." in guest.text
    assert (await order_of(market, reference)).version == 4  # placed, reserved, expired, released
    await guest.go(f"/listings/{market.world.shop_no}/{market.world.vault_id}")
    assert "5 sealed in the vault" in guest.text


async def test_giving_up_what_was_paid_meanwhile_is_refused_and_shows_the_codes(market: Market, guest: Visitor) -> None:
    reference = await place(guest, market)
    form = next(form for form in guest.forms() if form.action.endswith("/give-up"))
    await market.controls.pay(reference)
    await guest.go(f"/o/{reference}/pay?returned=1")
    guest.page = await guest.http.post(form.action, data=form.values)
    assert guest.status == 409
    assert "This is not possible any more, or not yet." in guest.text
    assert "Your codes are here, sealed." in guest.text


async def test_the_buyer_is_written_to_with_the_link_and_never_a_code(market: Market, guest: Visitor) -> None:
    reference = await place(guest, market)
    await market.controls.pay(reference)
    await guest.go(f"/o/{reference}/pay?returned=1")
    await market.later(1_000)
    [(to, subject, text, html, key)] = market.mailbox.letters
    assert (to, subject) == (BUYER, "Your codes are here: Steam 充值卡 100 元 × 1")
    link = next(line for line in text.splitlines() if line.startswith("http"))
    assert f'href="{link}"' in html
    assert key.startswith("tell:buyer:")
    other = visitor(market.world)
    await other.go(link.removeprefix(market.world.opened.house.settings.origin))
    assert "Your codes are here, sealed." in other.text
    await guest.press("/open")
    await guest.go(f"/o/{reference}/complain")
    await guest.press("/complain", reason="not_valid", text="It is not valid.")
    await market.later(49 * 3_600_000)
    subjects = [letter[1] for letter in market.mailbox.letters]
    assert "Your complaint is over: Steam 充值卡 100 元" in subjects
    assert "¥95.00 goes back to you: Steam 充值卡 100 元" in subjects
    assert not any(code in text + html for code in market.world.texts for _, _, text, html, _ in market.mailbox.letters)


async def test_owners_are_written_to_in_their_language_and_a_broken_carrier_is_tried_again(
    market: Market, guest: Visitor
) -> None:
    people = market.world.opened.house.people
    registered = await people.accounts.register(email="owner@example.com", password="correct horse", locale="en")
    assert registered.account is not None
    await people.staff.add(market.world.shop_id, registered.account.account_id, Role.OWNER)
    reference = await place(guest, market, market.world.manual_id)
    await market.controls.pay(reference)
    market.mailbox.fails = [MailIsUnreachable("no answer")]
    await guest.go(f"/o/{reference}/pay?returned=1")
    await market.later(1_000)
    assert len(market.mailbox.letters) == 1, "the carrier failed once: of two letters one is tried again"
    await market.later(MINUTE_MS)
    assert sorted(letter[0] for letter in market.mailbox.letters) == [BUYER, "owner@example.com"]
    [(to, subject, text, html, _)] = [letter for letter in market.mailbox.letters if letter[0] != BUYER]
    assert (to, subject) == ("owner@example.com", "Deliver now: 人工代发 <b>& × 1")
    assert f"/desk/orders/{reference}" in text
    assert "?s=" not in text
    assert "<b>&" in text
    assert "人工代发 &lt;b&gt;&amp;" in html
    market.mailbox.fails = [MailWasRefused("no such box")]
    await market.later(31 * MINUTE_MS)  # the money goes back although its letter cannot be delivered
    assert (await order_of(market, reference)).file.order.stage == "cancelled"
