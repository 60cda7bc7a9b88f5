"""Hypothesis looks for a story that the engine and the independent model tell differently, or that breaks a promise."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from fairkey.adapters.memory import Failure
from fairkey.effects.queue import Effect, read_key
from simulation.model import DAY, HOUR, MINUTE, OPEN_STAGES
from simulation.town import Town, Wish, must

SHOPS = st.sampled_from(("first", "second"))
BUYERS = st.sampled_from(("li", "wang"))
MOMENTS = st.sampled_from((1, 1_000, 15 * MINUTE - 1, 15 * MINUTE, HOUR, 48 * HOUR, 72 * HOUR - 1, 72 * HOUR, 7 * DAY))


class EngineMachine(RuleBasedStateMachine):
    """Two shops with a vault listing and a manual one each; everything else is Hypothesis's choice."""

    orders = Bundle("orders")
    payments = Bundle("payments")  # (order, txn, amount) that a buyer has paid
    payouts = Bundle("payouts")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.town = Town()
        self.shops: dict[str, str] = {}
        self.listings: dict[str, tuple[str, str]] = {}
        self.coupons: dict[str, str] = {}

    def teardown(self) -> None:
        self.town.compare_with_events()
        self.loop.close()

    def run(self, work: Coroutine[Any, Any, list[str]]) -> list[str]:
        return self.loop.run_until_complete(work)

    def ask(self, verb: str, **args: Any) -> str:  # noqa: ANN401
        return self.run(self.town.ask(self.town.wish(verb, **args)))[0]

    def about(self, order: str, verb: str, **args: Any) -> str:  # noqa: ANN401
        return self.ask(verb, shop=self.town.model.orders[order].shop, order=order, **args)

    @initialize(target=orders, limit=st.sampled_from((0, 3)), uses=st.sampled_from((0, 1)), stock=st.integers(3, 6))
    def begin(self, limit: int, uses: int, stock: int) -> object:
        """The story begins in the middle: some orders are placed, one is delivered, one waits for its merchant."""
        for name in ("first", "second"):
            shop = self.shops[name] = self.town.new_id()
            self.ask("open_shop", shop=shop)
            vault, manual = self.listings[name] = (self.town.new_id(), self.town.new_id())
            self.ask("publish", shop=shop, listing=vault, manual=False, price=999, tiers=((3, 800),), per_buyer=limit)
            self.ask("publish", shop=shop, listing=manual, manual=True, price=1_000, promise=30 * MINUTE)
            coupon = self.coupons[name] = self.town.new_id()
            self.ask("make_coupon", shop=shop, coupon=coupon, off=100, share_bp=0, least=0, uses_max=uses, ends=0)
            self.ask("deposit", shop=shop, batch=self.town.new_id(), listing=vault, count=stock)
        placed = [
            self.place("first", manual=False, quantity=1, buyer="li", coupon=True),
            self.place("first", manual=False, quantity=2, buyer="wang", coupon=False),
            self.place("second", manual=True, quantity=2, buyer="wang", coupon=False),
        ]
        for order in placed[1:]:
            self.pay(order, self.town.model.orders[order].amount)
        return multiple(*placed)

    # Merchants.

    @rule(name=SHOPS, how_many=st.integers(1, 3))
    def deposit(self, name: str, how_many: int) -> None:
        listing = self.listings[name][0]
        self.ask("deposit", shop=self.shops[name], batch=self.town.new_id(), listing=listing, count=how_many)

    @precondition(lambda self: self.town.batch_listing)
    @rule(data=st.data())
    def take_codes_back(self, data: st.DataObject) -> None:
        batch = data.draw(st.sampled_from(sorted(self.town.batch_listing)))
        shop, listing = self.town.batch_listing[batch]
        self.ask("take_codes_back", shop=shop, batch=batch, listing=listing, unsold=self.town.unsold(batch))

    @rule(name=SHOPS, verb=st.sampled_from(("suspend", "reinstate")))
    def standing(self, name: str, verb: str) -> None:
        self.ask(verb, shop=self.shops[name])

    @rule(order=orders, how_many=st.integers(1, 3))
    def type_codes(self, order: str, how_many: int) -> None:
        self.about(order, "type_codes", count=how_many)

    @rule(order=orders, verb=st.sampled_from(("agree", "contest")))
    def merchant_answers(self, order: str, verb: str) -> None:
        self.about(order, verb)

    @rule(target=payouts, name=SHOPS, part=st.sampled_from((1, 2)))
    def draw(self, name: str, part: int) -> str:
        payout, available = self.town.new_id(), self.town.model.balances(self.shops[name])["shop_available"]
        self.ask("draw", shop=self.shops[name], payout=payout, amount=max(100, available // part))
        return payout

    # Buyers.

    @rule(
        target=orders, name=SHOPS, manual=st.booleans(), quantity=st.integers(1, 3), buyer=BUYERS, coupon=st.booleans()
    )
    def places(self, name: str, manual: bool, quantity: int, buyer: str, coupon: bool) -> object:
        order = self.place(name, manual=manual, quantity=quantity, buyer=buyer, coupon=coupon)
        return order if order in self.town.model.orders else multiple()

    def place(self, name: str, *, manual: bool, quantity: int, buyer: str, coupon: bool) -> str:
        listing, order = self.listings[name][manual], self.town.new_id()
        self.ask(
            "place",
            shop=self.shops[name],
            order=order,
            listing=listing,
            revision=self.town.model.listings[listing].revision,
            quantity=quantity,
            buyer=buyer,
            address="net",
            coupon=self.coupons[name] if coupon else "",
        )
        return order

    @rule(target=payments, order=orders, more=st.sampled_from((-1, 0, 0, 0, 1)))
    def pay_at_the_provider(self, order: str, more: int) -> tuple[str, str, int]:
        missing = self.town.model.orders[order].amount - self.town.model.orders[order].held
        return order, self.town.new_id(), max(1, missing + more)

    @rule(payment=payments)
    def provider_tells(self, payment: tuple[str, str, int]) -> None:
        order, txn, amount = payment
        shop = self.town.model.orders[order].shop
        args = {"shop": shop, "order": order, "txn": txn, "amount": amount}
        self.run(self.town.ask(Wish("pay", args, f"pay:{txn}")))

    @rule(order=orders, more=st.sampled_from((0, 0, 0, -1)))
    def pays_and_is_told(self, order: str, more: int) -> None:
        """At once, whatever has become of the order: late, twice and after the end come about by this."""
        self.pay(order, max(1, self.town.model.orders[order].amount + more))

    def pay(self, order: str, amount: int) -> None:
        self.about(order, "pay", txn=self.town.new_id(), amount=amount)

    @rule(order=orders)
    def its_next_deadline_comes(self, order: str) -> None:
        """Time passes up to it, and the clock does not miss it."""
        due = self.town.model.orders[order].due()
        if due:
            self.town.now = max(self.town.now, due[0])
            must(not self.about(order, due[1]), "a deadline that had come was refused:", due[1])

    @rule(first=payments, second=payments)
    def provider_tells_two_at_once(self, first: tuple[str, str, int], second: tuple[str, str, int]) -> None:
        wishes = [
            self.town.wish("pay", shop=self.town.model.orders[order].shop, order=order, txn=txn, amount=amount)
            for order, txn, amount in (second, first)
        ]
        self.run(self.town.ask(*wishes))

    @rule(order=orders, verb=st.sampled_from(("give_up", "step_back", "wait", "confirm", "drop_complaint", "review")))
    def buyer_does(self, order: str, verb: str) -> None:
        self.about(order, verb)

    @rule(order=orders, one=st.booleans())
    def open_codes(self, order: str, one: bool) -> None:
        self.about(order, "open_codes", how_many=int(one and self.town.model.orders[order].sealed > 0))

    @rule(order=orders, part=st.sampled_from((0, 1, 2)))
    def complain(self, order: str, part: int) -> None:
        self.about(order, "complain", demand=part and self.town.model.orders[order].amount // part)

    # The provider and its instructions; strays.

    @precondition(lambda self: self.town.effects())
    @rule(data=st.data(), succeeded=st.booleans(), times=st.integers(1, 2))
    def provider_reports(self, data: st.DataObject, succeeded: bool, times: int) -> None:
        effect = data.draw(st.sampled_from(self.town.effects()))
        for _ in range(times):
            self._report(effect, succeeded=succeeded)

    def _report(self, effect: Effect, *, succeeded: bool) -> None:
        read = read_key(effect.key)
        assert read
        _, stream, number, attempt = read
        match effect.kind:
            case "payout":
                self.ask("told_payout", shop=stream.shop_id, payout=stream.id, succeeded=succeeded)
            case "refund_unmatched":
                self.ask("told_stray", stray=stream.id, attempt=attempt, succeeded=succeeded)
            case kind:
                self.about(stream.id, f"told_{kind}", number=number, attempt=attempt, succeeded=succeeded)

    @rule(order=orders, what=st.sampled_from(("refund", "release")), number=st.integers(1, 2))
    def operator_asks_again(self, order: str, what: str, number: int) -> None:
        self.about(order, f"ask_{what}_again", number=number)

    @rule(currency=st.sampled_from(("CNY", "USD")))
    def stray_money(self, currency: str) -> None:
        self.ask("stray_money", stray=self.town.new_id(), txn=self.town.new_id(), amount=5, currency=currency)

    @precondition(lambda self: self.town.model.strays)
    @rule(data=st.data(), verb=st.sampled_from(("send_stray_back", "return_stray")))
    def stray_goes_back(self, data: st.DataObject, verb: str) -> None:
        self.ask(verb, stray=data.draw(st.sampled_from(sorted(self.town.model.strays))))

    # Time, crashes, batches.

    @rule(by=MOMENTS)
    def time_passes(self, by: int) -> None:
        self.town.now += by

    @rule()
    def clock_sweeps(self) -> None:
        wishes = [
            self.town.wish("return_stray", stray=stream.id)
            if moved.due.what == "return_unmatched"
            else self.town.wish(moved.due.what, shop=stream.shop_id, order=stream.id)
            for stream, moved in sorted(self.town.store.tables.streams.items())
            if moved.due and moved.due.due_at_ms <= self.town.now
        ]
        if wishes:
            refused = self.run(self.town.ask(*wishes))
            must(not any(refused), "a deadline that had come was refused:", refused)

    @rule(order=orders, verb=st.sampled_from(("expire", "cancel_late", "complete", "end_silence")))
    def clock_comes_whenever_it_likes(self, order: str, verb: str) -> None:
        self.about(order, verb)

    @rule(payment=payments, failure=st.sampled_from(("before", "after", "conflict")))
    def something_fails(self, payment: tuple[str, str, int], failure: Failure) -> None:
        order, txn, amount = payment
        pay = self.town.wish("pay", shop=self.town.model.orders[order].shop, order=order, txn=txn, amount=amount)
        give_up = self.town.wish("give_up", shop=self.town.model.orders[order].shop, order=order)
        self.run(self.town.ask(pay, give_up, failure=failure))

    @invariant()
    def every_open_order_has_a_deadline(self) -> None:
        for stream, moved in self.town.store.tables.streams.items():
            if stream.kind == "order":
                must(
                    (moved.due is not None) == (moved.facets.stage in OPEN_STAGES),
                    stream.id,
                    moved.facets.stage,
                    moved.due,
                )

    @invariant()
    def what_came_in_is_somewhere(self) -> None:
        for order in self.town.model.orders.values():
            out = sum(one.amount + one.fee for one in (*order.refunds, *order.releases))
            must(sum(one.amount for one in order.payments) == order.held + out, "money of an order is lost")


@pytest.mark.timeout(900)  # a finding is made as small as it gets, which takes its time
def test_engine_and_model_tell_the_same_story() -> None:
    run_state_machine_as_test(
        EngineMachine,
        settings=settings(
            max_examples=60,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
        ),
    )
