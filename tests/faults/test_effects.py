"""What happens after the commit, with the real sandbox provider going wrong: every instruction is done once, every
payment is found, every deadline is met, whatever answers, notifications, workers and clocks do.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from api_world import SECRET, World, a_world
from fairkey.adapters.payments.sandbox import wall_clock_ms
from fairkey.adapters.payments.sandbox_controls import SandboxControls
from fairkey.adapters.payments.sandbox_process import sandbox_process
from fairkey.adapters.postgres.clockwork import PostgresClockwork
from fairkey.adapters.postgres.outbox import PostgresOutbox
from fairkey.business import complaints, deposits, dispute_events, escrow, orders, payments, payouts, restoring
from fairkey.business.askers import ASKERS, Asker
from fairkey.business.basics import DAY_MS, HOUR_MS, MINUTE_MS, PLATFORM, Broken, Command
from fairkey.business.files import OrderFile
from fairkey.business.references import reference_of
from fairkey.effects.outbox import ASK_AGAIN_MS, BACK_OFF_MAX_MS, LEASE_MS, Waiting
from fairkey.effects.queue import MONEY
from fairkey.engine import trade
from fairkey.engine.answers import Answer
from fairkey.worker import PUT_OFF_MS, Worker
from faults_world import must_be_clean

pytestmark = pytest.mark.pg

PRICE_FEN, FEE_FEN = 9_500, 95


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    """Where the sandbox listens: one process for these tests; each has shops and orders of its own there."""
    with sandbox_process(SECRET, mode="test", more=["--first-pause-ms", "20"]) as url:
        yield url


@dataclass
class Market:
    """A house, the provider, and what the provider tells the house."""

    world: World
    sandbox: SandboxControls

    @property
    def now_ms(self) -> int:
        return self.world.clock()

    async def set_clock(self, by_ms: int) -> None:
        """Time passes (or goes back) here and at the provider."""
        self.world.clock.ms += by_ms
        await self.sandbox.settings(clock_offset_ms=self.now_ms - wall_clock_ms())

    async def ordered(self, **wish: object) -> dict[str, Any]:
        """An order whose collection is open."""
        placed = await self.world.place(**wish)
        answer = await self.world.of_order(placed, "pay", {})
        assert answer.status_code == 200, answer.text
        return placed

    async def paid(self, **wish: object) -> dict[str, Any]:
        placed = await self.ordered(**wish)
        await self.sandbox.pay(placed["reference"])
        assert await self.sandbox.drain(hurry=True) == 0
        return placed

    async def of(self, placed: dict[str, Any]) -> dict[str, str]:
        """The address of an order, for commands."""
        where = await trade.locate(self.world.opened.house, placed["reference"])
        assert where is not None
        return {"shop_id": where[0], "order_id": where[1]}

    async def file(self, placed: dict[str, Any]) -> OrderFile:
        record = await self.world.opened.house.questions.order_book.find(*(await self.of(placed)).values())
        assert record is not None
        return record.file

    async def stage(self, placed: dict[str, Any]) -> str:
        return str((await self.file(placed)).order.stage.value)

    async def done(self, by: Asker, command: Command) -> None:
        answer = await self.world.opened.house.ask(by, command)
        assert not answer.refusal, answer

    async def effects(self) -> dict[str, str]:
        """State of every instruction, by its key."""
        rows = await self.world.opened.pool.fetch("SELECT key, state FROM effects WHERE kind = ANY($1)", list(MONEY))
        return dict(rows)

    async def states(self, keys: Mapping[str, str]) -> set[str]:
        """States of these instructions."""
        effects = await self.effects()
        return {effects[key] for key in keys.values()}

    async def work(self, times: int = 1, pause_ms: int = 0) -> None:
        for _ in range(times):
            await self.world.opened.worker.do_effects()
            if pause_ms:
                await self.set_clock(pause_ms)

    async def money(self) -> Counter[str]:
        """Balances of our ledger, all shops together."""
        rows = await self.world.opened.pool.fetch(
            "SELECT account, sum(balance_fen)::bigint FROM ledger_accounts WHERE currency = 'CNY' GROUP BY 1"
        )
        return Counter({name: fen for name, fen in rows if fen})

    async def at_the_provider(self) -> int:
        """What the provider has in our shop's sub-account."""
        return (await self.sandbox.balances()).get(f"shop/{self.world.shop_id}", 0)

    async def four_instructions(self) -> dict[str, str]:
        """A refund, a release, a payout and a refund of money for nobody wait in the outbox: kind -> key."""
        drawn, released, refunded = [await self.paid(contact=f"{name}@example.com") for name in ("a", "b", "c")]
        await self.done(Asker.BUYER, orders.ConfirmOrder(**await self.of(drawn)))
        await self.work()
        assert await self.at_the_provider() == PRICE_FEN - FEE_FEN
        await self.done(Asker.BUYER, orders.ConfirmOrder(**await self.of(released)))
        await self.done(Asker.BUYER, orders.WithdrawOrder(**await self.of(refunded)))
        house = self.world.opened.house
        draw = payouts.RequestPayout(shop_id=self.world.shop_id, payout_id=house.new_id(), amount_fen=5_000)
        await self.done(Asker.MERCHANT, draw)
        await self.sandbox.pay(f"nobody-{house.new_id()}", 700)
        assert await self.sandbox.drain(hurry=True) == 0
        rows = await self.world.opened.pool.fetch("SELECT id::text FROM streams WHERE kind = 'payment'")
        assert len(rows) == 1
        await self.done(Asker.OPERATOR, payments.RefundUnmatched(shop_id=PLATFORM, payment_id=rows[0]["id"]))
        waiting = await self.world.opened.pool.fetch(
            "SELECT kind, key FROM effects WHERE state = 'waiting' AND kind = ANY($1)", list(MONEY)
        )
        keys = dict(waiting)
        assert len(waiting) == len(keys) == 4
        return keys

    async def must_be_settled(self) -> None:
        """All four were done, once, on both sides; a second round changes nothing."""
        for _ in range(2):
            assert set((await self.effects()).values()) == {"done"}
            assert await self.at_the_provider() == 2 * (PRICE_FEN - FEE_FEN) - 5_000
            there = {name: fen for name, fen in (await self.sandbox.balances()).items() if name.startswith("transit/")}
            assert there == {}
            assert await self.money() == {
                "provider_clearing": 2 * PRICE_FEN - 5_000,
                "shop_available": 2 * (PRICE_FEN - FEE_FEN) - 5_000,
                "platform_fee": 2 * FEE_FEN,
            }
            await self.set_clock(BACK_OFF_MAX_MS + LEASE_MS)
            await self.work()
            assert await self.sandbox.drain(hurry=True) == 0
        await must_be_clean(self.world.opened.pool, self.now_ms, self.world.opened.keys)


@pytest.fixture
async def market(database_url: str, state_dir: Path, sandbox_url: str) -> AsyncIterator[Market]:
    """The provider's notifications come over HTTP and go through the whole application."""
    here: list[World] = []

    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            head, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            body = await reader.readexactly(int(headers.pop("content-length")))
            answer = await here[0].http.post(head.split(" ")[1], content=body, headers=headers)
            writer.write(b"HTTP/1.1 %d x\r\nconnection: close\r\ncontent-length: " % answer.status_code)
            writer.write(b"%d\r\n\r\n" % len(answer.content) + answer.content)
            await writer.drain()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(receive, "127.0.0.1", 0)
    origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    controls = SandboxControls(sandbox_url)
    async with (
        server,
        a_world(
            database_url, state_dir, sandbox_url=sandbox_url, start_ms=wall_clock_ms(), FAIRKEY_PUBLIC_URL=origin
        ) as world,
    ):
        here.append(world)
        await controls.settings(notify_url=f"{origin}/callbacks/sandbox", clock_offset_ms=0)
        try:
            yield Market(world, controls)
            await controls.balances()  # the provider's own book must add up
        finally:
            await controls.go_well()
            await controls.aclose()


# Instructions.


@pytest.mark.parametrize(
    "fault",
    [{"kind": "down", "times": 3}, {"kind": "answer_lost", "times": 1}, {"kind": "repeat", "copies": 3}],
    ids=["unreachable", "answers lost", "told four times"],
)
async def test_an_instruction_is_done_once_however_often_it_is_given(market: Market, fault: dict[str, object]) -> None:
    keys = await market.four_instructions()
    await market.sandbox.go_wrong(*({**fault, "reference": key} for key in keys.values()))
    await market.work(5, pause_ms=MINUTE_MS)
    assert await market.sandbox.drain(hurry=True) == 0
    await market.must_be_settled()


async def test_a_provider_that_is_away_is_asked_ever_more_seldom(market: Market) -> None:
    await market.four_instructions()
    await market.sandbox.go_wrong({"kind": "down"})
    asked = 0
    for _ in range(8 * 60):
        asked += await market.world.opened.worker.do_effects()
        market.world.clock.ms += MINUTE_MS
    assert 4 * 32 < asked < 4 * 42, "four in an hour for each of four, and some more in the first minutes"
    await market.sandbox.go_well()
    await market.set_clock(BACK_OFF_MAX_MS)
    await market.work()
    await market.must_be_settled()


async def test_what_is_pending_is_confirmed_by_the_notification(market: Market) -> None:
    keys = await market.four_instructions()
    await market.sandbox.go_wrong(*({"kind": "stay_pending", "reference": key} for key in keys.values()))
    await market.work()
    assert await market.states(keys) == {"sent"}
    before = await market.money()
    assert before["payout_payable"] == 5_000
    assert before["refund_payable"] == PRICE_FEN + 700
    assert await market.sandbox.drain(hurry=True) == 0
    assert await market.money() != before, "the notification says it, nobody had to ask"
    assert "payout_payable" not in await market.money()
    await market.set_clock(ASK_AGAIN_MS)
    await market.work()
    await market.must_be_settled()


async def test_what_is_pending_and_never_told_is_asked_for(market: Market) -> None:
    keys = await market.four_instructions()
    for key in keys.values():
        await market.sandbox.go_wrong({"kind": "stay_pending", "reference": key}, {"kind": "lose", "reference": key})
    await market.work()
    await market.set_clock(ASK_AGAIN_MS)
    await market.work()
    assert await market.states(keys) == {"sent"}, "still pending there"
    assert await market.sandbox.drain(hurry=True) == 0
    assert (await market.money())["payout_payable"] == 5_000
    await market.work(3, pause_ms=MINUTE_MS)
    await market.must_be_settled()


@pytest.mark.parametrize("fault", ["refuse", "fail"])
async def test_a_refused_instruction_waits_for_a_person_and_is_then_given_anew(market: Market, fault: str) -> None:
    keys = await market.four_instructions()
    await market.sandbox.go_wrong(
        *({"kind": fault, "reference": key, "times": 1, "reason": "frozen"} for key in keys.values())
    )
    await market.work(2, pause_ms=HOUR_MS)
    assert await market.sandbox.drain(hurry=True) == 0
    assert await market.states(keys) == {"failed"}
    money = await market.money()
    assert money["refund_payable"] == PRICE_FEN + 700, "still owed"
    assert "payout_payable" not in money, "the shop may draw it again"
    house, shop_id = market.world.opened.house, market.world.shop_id
    _, _, _, order_id, number, _ = keys["refund"].split(":")
    await market.done(
        Asker.OPERATOR, escrow.RetryRefund(shop_id=shop_id, order_id=order_id, refund_no=int(number))
    )
    _, _, _, order_id, number, _ = keys["release"].split(":")
    await market.done(
        Asker.OPERATOR, escrow.RetryRelease(shop_id=shop_id, order_id=order_id, release_no=int(number))
    )
    payment_id = keys["refund_unmatched"].split(":")[3]
    await market.done(Asker.OPERATOR, payments.RefundUnmatched(shop_id=PLATFORM, payment_id=payment_id))
    await market.done(
        Asker.MERCHANT, payouts.RequestPayout(shop_id=shop_id, payout_id=house.new_id(), amount_fen=5_000)
    )
    await market.work()
    assert Counter((await market.effects()).values()) == {"failed": 4, "done": 5}
    await market.world.opened.pool.execute("DELETE FROM effects WHERE state = 'failed'")
    assert await market.at_the_provider() == 2 * (PRICE_FEN - FEE_FEN) - 5_000
    assert (await market.money())["shop_available"] == 2 * (PRICE_FEN - FEE_FEN) - 5_000


class Death(BaseException):
    """The worker's process ends here."""


class DyingOutbox(PostgresOutbox):
    """Its worker dies when it would write down what came of an effect."""

    async def done(self, waiting: Waiting, now_ms: int) -> None:
        raise Death


async def test_a_worker_that_dies_leaves_its_effects_to_the_next(market: Market) -> None:
    keys = await market.four_instructions()
    outbox = PostgresOutbox(market.world.opened.pool)
    taken = await outbox.claim(market.now_ms, 2)  # it died before it said anything to anybody
    assert len(taken) == 2
    dying = Worker(
        market.world.opened.house,
        clockwork=PostgresClockwork(market.world.opened.pool),
        outbox=DyingOutbox(market.world.opened.pool),
        tell=lambda _: asyncio.sleep(0),
    )
    with pytest.raises(Death):  # it told the provider and then died
        await dying.do_effects()
    before = await market.effects()
    assert await market.states(keys) == {"waiting"}
    await market.work()
    assert await market.effects() == before, "not before the leases end"
    await market.set_clock(LEASE_MS)
    await market.work()
    assert await market.states(keys) == {"done"}
    await market.must_be_settled()


# Deadlines.


async def test_deadlines_that_cannot_be_met_do_not_keep_the_others_waiting(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, free = [await market.ordered() for _ in range(3)], await market.ordered()
    broken = {(await market.of(one))["order_id"] for one in stuck}
    worker = market.world.opened.worker
    ask = market.world.opened.house.ask

    async def ask_or_break(by: Asker, command: Command, *, command_id: str | None = None) -> Answer:
        if getattr(command, "order_id", "") in broken:
            raise Broken("a state that no rule foresees")
        return await ask(by, command, command_id=command_id)

    monkeypatch.setattr(market.world.opened.house, "ask", ask_or_break)
    monkeypatch.setattr("fairkey.worker.ROWS_AT_ONCE_MAX", 3)
    await market.set_clock(orders.PAYMENT_WINDOW_MS)
    assert await worker.sweep() == 0, "the three that are broken come first"
    assert await worker.sweep() == 1
    assert await market.stage(free) == "expired"
    monkeypatch.undo()
    await market.set_clock(PUT_OFF_MS)
    assert await worker.sweep() == 3


async def test_the_provider_is_asked_before_an_order_expires(market: Market) -> None:
    lost, unpaid = await market.ordered(), await market.ordered()
    await market.sandbox.go_wrong({"kind": "lose", "reference": lost["reference"]})
    await market.sandbox.pay(lost["reference"])
    assert await market.sandbox.drain(hurry=True) == 0
    assert await market.stage(lost) == "placed", "nobody told us"
    await market.set_clock(orders.PAYMENT_WINDOW_MS)
    await market.world.opened.worker.sweep()
    assert [await market.stage(lost), await market.stage(unpaid)] == ["delivered", "expired"]
    await must_be_clean(market.world.opened.pool, market.now_ms, market.world.opened.keys)


async def test_an_order_expires_although_the_provider_is_away_and_its_money_is_found_later(market: Market) -> None:
    placed = await market.ordered()
    await market.sandbox.go_wrong({"kind": "lose", "reference": placed["reference"]}, {"kind": "down"})
    await market.sandbox.pay(placed["reference"])
    await market.set_clock(orders.PAYMENT_WINDOW_MS)
    await market.world.opened.worker.sweep()
    assert await market.stage(placed) == "expired"
    await market.sandbox.go_well()
    await market.set_clock(5 * MINUTE_MS - 1)
    await market.world.opened.worker.do_effects()
    assert await market.stage(placed) == "expired"
    await market.set_clock(1)
    await market.world.opened.worker.do_effects()
    assert await market.stage(placed) == "delivered", "the codes were still there"
    await market.set_clock(2 * DAY_MS)
    while await market.world.opened.worker.do_effects():
        pass
    await must_be_clean(market.world.opened.pool, market.now_ms, market.world.opened.keys)


async def test_notifications_repeated_reordered_and_forged_come_to_one_delivery_each(market: Market) -> None:
    await market.sandbox.go_wrong(
        {"kind": "repeat", "copies": 3, "on": ["payment"]},
        {"kind": "reorder", "window": 4, "delay_ms": 100, "on": ["payment"]},
        {"kind": "forge", "attempts": 1, "on": ["payment"]},
        seed=7,
    )
    placed = [await market.ordered() for _ in range(5)]
    for one in placed:
        await market.sandbox.pay(one["reference"])
    assert await market.sandbox.drain(hurry=True) == 0
    assert [await market.stage(one) for one in placed] == ["delivered"] * 5
    assert await market.money() == {"provider_clearing": 5 * PRICE_FEN, "escrow": 5 * PRICE_FEN}
    await must_be_clean(market.world.opened.pool, market.now_ms, market.world.opened.keys)


async def lively(market: Market) -> dict[str, dict[str, Any]]:
    """Orders that wait for each of the deadlines there are."""
    placed = {
        "expire": await market.ordered(contact="a@example.com"),
        "cancel_late": await market.paid(contact="b@example.com", listing_id=market.world.manual_id),
        "end_silence": await market.paid(contact="c@example.com"),
        "complete opened": await market.paid(contact="d@example.com"),
        "complete": await market.paid(contact="e@example.com"),
    }
    assert (await market.world.of_order(placed["complete opened"], "reveal", {})).status_code == 200
    complain = complaints.OpenComplaint(
        **await market.of(placed["end_silence"]), reason=dispute_events.Reason.OTHER, text="It does not work."
    )
    await market.done(Asker.BUYER, complain)
    await market.set_clock(1_000)  # no two deadlines at one moment: their order would be nobody's
    await market.sandbox.pay(f"nobody-{market.world.opened.house.new_id()}", 700)
    assert await market.sandbox.drain(hurry=True) == 0
    return placed


ENDS = {
    "expire": "expired",
    "cancel_late": "cancelled",
    "end_silence": "refunded",
    "complete opened": "completed",
    "complete": "completed",
}


async def test_a_worker_that_was_down_for_a_week_catches_up_in_the_order_of_the_deadlines(market: Market) -> None:
    placed = await lively(market)
    await market.set_clock(8 * DAY_MS)
    await market.world.opened.worker.step()
    assert {name: await market.stage(one) for name, one in placed.items()} == ENDS
    told = await market.world.opened.pool.fetch(
        "SELECT split_part(command_id, ':', 5) AS what FROM events WHERE command_id LIKE 'clock:%'"
        " GROUP BY command_id ORDER BY min(recorded)"
    )
    # A silence ends a little later than it is due: the standard is asked first.
    assert [row["what"] for row in told if row["what"] not in {"expire", "end_silence"}] == [
        "cancel_late", "complete", "complete", "return_unmatched"
    ]  # fmt: skip
    assert "end_silence" in {row["what"] for row in told}
    await market.work(2, pause_ms=MINUTE_MS)
    assert set((await market.effects()).values()) == {"done"}
    assert await market.at_the_provider() == 2 * (PRICE_FEN - FEE_FEN)
    await must_be_clean(market.world.opened.pool, market.now_ms, market.world.opened.keys)


async def test_a_clock_that_runs_backwards_neither_hurries_nor_forgets(market: Market) -> None:
    placed = await lively(market)
    await market.set_clock(-2 * HOUR_MS)
    await market.world.opened.worker.step()
    assert [await market.stage(one) for one in placed.values()] == [
        "placed", "paid", "disputed", "delivered", "delivered"
    ]  # fmt: skip
    later = await market.paid(contact="f@example.com")
    assert await market.stage(later) == "delivered"
    for _ in range(10):
        await market.set_clock(DAY_MS)
        await market.set_clock(-HOUR_MS)
        await market.world.opened.worker.step()
    assert {name: await market.stage(one) for name, one in placed.items()} == ENDS
    assert await market.stage(later) == "completed"
    await market.work(2, pause_ms=MINUTE_MS)
    assert set((await market.effects()).values()) == {"done"}
    await must_be_clean(market.world.opened.pool, market.now_ms, market.world.opened.keys)


async def test_a_deposit_goes_into_custody_pays_a_buyer_after_the_split_and_goes_back(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All three movements at the real sandbox, each refused once first."""
    house, shop_id = market.world.opened.house, market.world.shop_id
    monkeypatch.setitem(ASKERS, deposits.ChargeDeposit, frozenset({Asker.CLOCK}))
    top_up_id = house.new_id()
    await market.done(Asker.MERCHANT, deposits.AgreeDeposit(shop_id=shop_id, version=deposits.TERMS_VERSION))
    await market.done(
        Asker.MERCHANT, deposits.TopUpDeposit(shop_id=shop_id, top_up_id=top_up_id, amount_fen=50_000)
    )
    await trade.collect_top_up(
        house, shop_id=shop_id, top_up_id=top_up_id, amount_fen=50_000, expires_at_ms=market.now_ms + DAY_MS,
        return_url="https://shop.example/desk/deposit",
    )  # fmt: skip
    await market.sandbox.go_wrong({"kind": "fail", "on": ["release"], "times": 1})
    await market.sandbox.pay(reference_of(await house.numbers.number_for(shop_id), top_up_id))
    assert await market.sandbox.drain(hurry=True) == 0
    await market.work()
    assert (await house.questions.deposits.deposit(shop_id)).is_stuck
    await market.done(Asker.OPERATOR, deposits.RetryDeposit(shop_id=shop_id))
    await market.work()
    assert (await market.sandbox.balances())["shop/custody"] == 50_000

    sold = await market.paid()
    order = await market.of(sold)
    await market.done(Asker.BUYER, orders.ConfirmOrder(**order))
    await market.work()
    charge = deposits.ChargeDeposit(**order, ruling_no=1, row="R11", deduct_fen=1_000, refund_fen=PRICE_FEN)
    await market.sandbox.go_wrong({"kind": "fail", "on": ["refund"], "times": 1}, replace=True)
    await market.done(Asker.CLOCK, charge)
    await market.work()
    assert [one.order_id for one in await house.questions.deposits.stuck()] == [order["order_id"]]
    await market.done(Asker.OPERATOR, restoring.RetryRestore(**order, restore_no=1))
    await market.work()
    assert (await market.sandbox.balances())["shop/custody"] == 50_000 - PRICE_FEN

    rest_fen = 20_000
    await market.done(Asker.MERCHANT, deposits.RequestRelease(shop_id=shop_id, amount_fen=rest_fen))
    await market.set_clock(deposits.NOTICE_MS)
    await market.world.opened.worker.sweep()
    await market.work(2)
    await market.sandbox.drain(hurry=True)
    balances = await market.sandbox.balances()
    assert balances["shop/custody"] == 50_000 - PRICE_FEN - rest_fen
    money = await market.money()
    assert money["deposit_free"] + money["guarantee_pool"] == balances["shop/custody"]
    await must_be_clean(market.world.opened.pool, market.now_ms, market.world.opened.keys)
