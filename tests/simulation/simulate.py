"""Simulated worlds: chance decides who does what, when the provider tells it, what is lost, and when a process dies.

    python -m tests.simulation.simulate --seeds 1000 [--first 0] [--json]

Each seed is one world with a virtual clock. Buyers, merchants, an operator, a clock worker and a provider (that delays,
repeats, reorders, loses and changes what it tells) act on the engine over the memory store; crashes before and after a
commit and conflicts are injected; after each batch an independent model must tell the same story. At the end everybody
calms down and every order must have ended with every fen where it belongs.
"""

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fairkey.adapters.memory import Failure
from fairkey.business.basics import Stream
from fairkey.effects.queue import Effect, read_key

from .model import DAY, HOUR, MINUTE, Order
from .town import Town, Wish, must

STEPS = 70
QUIET_ROUNDS_MAX = 400
FAILURES: tuple[Failure | None, ...] = (None, "before", "after", "conflict")


@dataclass
class Provider:
    """Money as the provider has it; checks that it is never told to pay out more than it holds of a payment."""

    left: dict[str, int] = field(default_factory=dict)  # txn -> held of it
    of_order: dict[str, list[tuple[str, int]]] = field(default_factory=dict)  # order -> (txn, amount)
    shops: Counter[str] = field(default_factory=Counter)
    results: dict[str, bool] = field(default_factory=dict)  # key -> succeeded

    def receive(self, order: str, txn: str, amount: int) -> None:
        self.left[txn] = amount
        self.of_order.setdefault(order, []).append((txn, amount))

    def carry_out(self, effect: Effect, *, succeed: bool) -> bool:
        """Do it once; a repeat with the same key gets the first result."""
        if effect.key in self.results:
            return self.results[effect.key]
        amount = effect.payload["amount_fen"]
        assert isinstance(amount, int)
        if succeed and effect.kind == "payout":
            must(self.shops[effect.stream.shop_id] >= amount, "a payout of more than the shop has")
            self.shops[effect.stream.shop_id] -= amount
        elif succeed:
            fee = effect.payload.get("fee_fen", 0)
            assert isinstance(fee, int)
            txn = str(effect.payload["provider_txn"])
            must(self.left[txn] >= amount + fee, "more leaves payment", txn, "than came in")
            self.left[txn] -= amount + fee
            if effect.kind == "release":
                self.shops[effect.stream.shop_id] += amount
        self.results[effect.key] = succeed
        return succeed


class Simulation:
    """One world."""

    def __init__(self, seed: int) -> None:
        self.town = Town(seed=seed)
        self.random = self.town.chance
        self.provider = Provider()
        self.notices: list[tuple[int, Wish]] = []  # what the provider will tell, and when
        self.told: set[str] = set()  # instructions whose end was told at least once
        self.shops: list[str] = []
        self.coupons: list[tuple[str, str]] = []
        self.failures: Counter[str] = Counter()

    async def run(self) -> dict[str, int]:
        """The whole story of this seed; figures about it. Raises `Differs`."""
        await self._begin()
        for step in range(STEPS):
            await self._step()
            if step % 20 == 19:
                self.town.compare_with_events()
        await self._calm_down()
        self.town.compare_with_events()
        stages = Counter(order.stage for order in self.town.model.orders.values())
        return {"asked": self.town.asked, **self.failures, **stages}

    async def _begin(self) -> None:
        for _ in range(self.random.randint(1, 2)):
            shop = self.town.new_id()
            self.shops.append(shop)
            await self.town.ask(self.town.wish("open_shop", shop=shop))
            for _ in range(self.random.randint(1, 3)):
                await self.town.ask(self._publish(shop, self.town.new_id()))
            coupon = self.town.new_id()
            self.coupons.append((shop, coupon))
            await self.town.ask(self._coupon(shop, coupon))
        for shop, listing in self._listings():
            await self.town.ask(self._deposit(shop, listing, self.random.randint(1, 8)))

    def _coupon(self, shop: str, coupon: str) -> Wish:
        share = self.random.random() < 0.5
        return self.town.wish(
            "make_coupon",
            shop=shop,
            coupon=coupon,
            off=0 if share else self.random.choice((1, 300, 5_000)),
            share_bp=self.random.choice((1, 1_500, 9_000)) if share else 0,
            least=self.random.choice((0, 0, 2_000)),
            uses_max=self.random.choice((0, 1, 2)),
            ends=self.random.choice((0, self.town.now + 2 * HOUR)),
        )

    def _publish(self, shop: str, listing: str) -> Wish:
        manual = self.random.random() < 0.35
        known = self.town.model.listings.get(listing)
        if known:
            manual = known.manual
        price = self.random.choice((1, 99, 1_000, 1_001, 9_999))
        return self.town.wish(
            "publish",
            shop=shop,
            listing=listing,
            manual=manual,
            price=price,
            promise=self.random.choice((1, 30, 1_440)) * MINUTE if manual else 0,
            tiers=((3, price * 9 // 10),) if price > 99 and self.random.random() < 0.5 else (),
            most=self.random.choice((3, 20)),
            per_buyer=self.random.choice((0, 0, 4)),
        )

    def _deposit(self, shop: str, listing: str, count: int) -> Wish:
        return self.town.wish("deposit", shop=shop, batch=self.town.new_id(), listing=listing, count=count)

    def _listings(self) -> list[tuple[str, str]]:
        return [(one.shop, name) for name, one in self.town.model.listings.items()]

    # One step: time passes, somebody does something, all that together as a batch.

    async def _step(self) -> None:
        chance = self.random.random()
        if chance < 0.25:
            self.town.now += self.random.choice((1, 1_000, MINUTE, 10 * MINUTE, HOUR, 9 * HOUR, 2 * DAY))
        if chance < 0.06:
            await self._alone()
        wishes: list[Wish] = []
        for _ in range(self.random.randint(1, 6)):
            act = self.random.choices(list(ACTS), [weight for _, weight in ACTS.values()])[0]
            wishes.extend(ACTS[act][0](self))
        self.random.shuffle(wishes)
        wishes = _once(wishes)
        if wishes:
            failure = self.random.choices(FAILURES, (85, 5, 5, 5))[0]
            if failure:
                self.failures[f"failed_{failure}"] += 1
            await self.town.ask(*wishes, failure=failure)

    async def _alone(self) -> None:
        """Merchants put whole batches on sale or take them off."""
        if self.random.random() < 0.6:
            shop, listing = self.random.choice(self._listings())
            failure = self.random.choice(FAILURES)
            await self.town.ask(self._deposit(shop, listing, self.random.randint(1, 5)), failure=failure)
        else:
            batch, (shop, listing) = self.random.choice(list(self.town.batch_listing.items()))
            unsold = self.town.unsold(batch)
            await self.town.ask(
                self.town.wish("take_codes_back", shop=shop, batch=batch, listing=listing, unsold=unsold)
            )

    def _place(self) -> list[Wish]:
        shop, listing = self.random.choice(self._listings())
        known = self.town.model.listings[listing]
        coupon = self.random.choice([name for owner, name in self.coupons if owner == shop])
        return [
            self.town.wish(
                "place",
                shop=shop,
                order=self.town.new_id(),
                listing=listing,
                revision=known.revision - (self.random.random() < 0.04),
                quantity=self.random.choice((1, 1, 1, 2, 2, 3, 4, 0, 21)),
                buyer=self.random.choice("abcd"),
                address=self.random.choice("xy"),
                coupon=coupon if self.random.random() < 0.3 else "",
            )
        ]

    def _some_order(self) -> tuple[str, Order] | None:
        """Any order, recent ones rather than old ones."""
        every = list(self.town.model.orders.items())
        return self.random.choice(every[-12:] if self.random.random() < 0.7 else every) if every else None

    def _pay(self) -> list[Wish]:
        """A buyer pays: just right, too little, too much, twice; the provider tells it when it pleases."""
        some = self._some_order()
        if not some:
            return []
        order_id, order = some
        missing = max(order.amount - order.held, 1)
        amount = self.random.choice(
            (missing, missing, missing, missing, max(1, missing - 1), missing + 7, order.amount)
        )
        txn = self.town.new_id()
        self.provider.receive(order_id, txn, amount)
        wish = Wish("pay", {"shop": order.shop, "order": order_id, "txn": txn, "amount": amount}, f"pay:{txn}")
        for _ in range(self.random.choice((0, 1, 1, 1, 2, 3))):  # lost, told, repeated
            self.notices.append((self.town.now + self.random.choice((0, 0, MINUTE, HOUR, DAY)), wish))
        return []

    def _stray(self) -> list[Wish]:
        """Money for an order that does not exist, or in another currency."""
        if self.random.random() < 0.5:
            txn = self.town.new_id()
            ghost = Wish(
                "pay", {"shop": self.random.choice(self.shops), "order": self.town.new_id(), "txn": txn, "amount": 5}
            )
            return [Wish(ghost.verb, ghost.args, f"pay:{txn}")]
        stray, txn = self.town.new_id(), self.town.new_id()
        amount = self.random.randint(1, 500)
        self.provider.receive(stray, txn, amount)
        args = {"stray": stray, "txn": txn, "amount": amount, "currency": self.random.choice(("CNY", "USD"))}
        return [Wish("stray_money", args, f"pay:{txn}")] * self.random.choice((1, 2))

    def _notices(self) -> list[Wish]:
        """What the provider tells now: some of what is due, in any order."""
        due = [notice for notice in self.notices if notice[0] <= self.town.now]
        told = self.random.sample(due, min(len(due), self.random.randint(1, 4)))
        for notice in told:
            self.notices.remove(notice)
        # A repeat may come under another id, for instance after an active query by another process.
        return [
            wish if self.random.random() < 0.8 else Wish(wish.verb, wish.args, self.town.new_id()) for _, wish in told
        ]

    def _buyer(self) -> list[Wish]:
        some = self._some_order()
        if not some:
            return []
        order_id, order = some
        verb = self.random.choice(
            (
                "give_up",
                "step_back",
                "wait",
                "open_codes",
                "open_codes",
                "confirm",
                "complain",
                "complain",
                "drop_complaint",
                "review",
            )
        )
        extra: dict[str, Any] = {}
        if verb == "open_codes":
            extra["how_many"] = self.random.choice((0, 1)) if order.sealed else 0
        if verb == "complain":
            extra["demand"] = self.random.choice((0, 1, order.amount, order.amount + 1, max(1, order.amount // 2)))
        return [self.town.wish(verb, shop=order.shop, order=order_id, **extra)]

    def _merchant(self) -> list[Wish]:
        chance = self.random.random()
        if chance < 0.1:
            shop, listing = self.random.choice(self._listings())
            off = self.random.random() < 0.2
            return [
                self.town.wish("take_off_sale", shop=shop, listing=listing) if off else self._publish(shop, listing)
            ]
        if chance < 0.2:
            shop = self.random.choice(self.shops)
            available = self.town.model.balances(shop)["shop_available"]
            amount = self.random.choice((99, max(100, available), available + 1, 100))
            return [self.town.wish("draw", shop=shop, payout=self.town.new_id(), amount=amount)]
        if chance < 0.23:
            shop, coupon = self.random.choice(self.coupons)
            return [self.town.wish("end_coupon", shop=shop, coupon=coupon)]
        some = self._some_order()
        if not some:
            return []
        order_id, order = some
        verb = self.random.choice(("type_codes", "type_codes", "agree", "contest"))
        extra = {"count": self.random.randint(1, 3)} if verb == "type_codes" else {}
        return [self.town.wish(verb, shop=order.shop, order=order_id, **extra)]

    def _operator(self) -> list[Wish]:
        if self.random.random() < 0.2:
            shop = self.random.choice(self.shops)
            return [self.town.wish(self.random.choice(("suspend", "reinstate", "reinstate")), shop=shop)]
        if self.random.random() < 0.2 and self.town.model.strays:
            return [self.town.wish("send_stray_back", stray=self.random.choice(list(self.town.model.strays)))]
        some = self._some_order()
        if not some:
            return []
        order_id, order = some
        verb = self.random.choice(("offer", "take_offer", "ask_refund_again", "ask_release_again"))
        extra = {"number": 1}
        if verb == "offer":
            extra = {"refund": self.random.choice((0, 1, order.amount, order.amount + 1))}
        elif verb == "take_offer":
            extra = {}
        return [self.town.wish(verb, shop=order.shop, order=order_id, **extra)]

    def _clock(self) -> list[Wish]:
        """The worker sweeps what is due; before an order expires the provider is asked for money it did not tell."""
        wishes: list[Wish] = []
        due = [
            (stream, moved.due)
            for stream, moved in self.town.store.tables.streams.items()
            if moved.due and moved.due.due_at_ms <= self.town.now
        ]
        for stream, deadline in sorted(due)[: self.random.randint(1, 10)]:
            if deadline.what == "return_unmatched":
                wishes.append(self.town.wish("return_stray", stray=stream.id))
                continue
            if deadline.what == "expire":
                wishes += self._asked_for_money(stream)
            wishes.append(self.town.wish(deadline.what, shop=stream.shop_id, order=stream.id))
        return wishes

    def _asked_for_money(self, stream: Stream) -> list[Wish]:
        return [
            Wish("pay", {"shop": stream.shop_id, "order": stream.id, "txn": txn, "amount": amount}, f"pay:{txn}")
            for txn, amount in self.provider.of_order.get(stream.id, ())
        ]

    def _effects(self) -> list[Wish]:
        """The worker tells the provider what waits in the outbox; its answer may be lost, its report may come later."""
        waiting = [effect for effect in self.town.effects() if effect.key not in self.told]
        wishes = []
        for effect in self.random.sample(waiting, min(len(waiting), self.random.randint(1, 5))):
            succeeded = self.provider.carry_out(effect, succeed=self.random.random() < 0.8)
            if self.random.random() < 0.2:
                continue  # the answer was lost: it will be asked again with the same key
            report = self._report(effect, succeeded=succeeded)
            self.told.add(effect.key)
            for _ in range(self.random.choice((0, 0, 1, 2))):
                self.notices.append((self.town.now + self.random.choice((0, MINUTE, DAY)), report))
            wishes.append(report)
        return wishes

    def _report(self, effect: Effect, *, succeeded: bool) -> Wish:
        read = read_key(effect.key)
        assert read
        _, stream, number, attempt = read
        match effect.kind:
            case "payout":
                return self.town.wish("told_payout", shop=stream.shop_id, payout=stream.id, succeeded=succeeded)
            case "refund_unmatched":
                return self.town.wish("told_stray", stray=stream.id, attempt=attempt, succeeded=succeeded)
            case kind:
                return self.town.wish(
                    f"told_{kind}",
                    shop=stream.shop_id,
                    order=stream.id,
                    number=number,
                    attempt=attempt,
                    succeeded=succeeded,
                )

    # The end.

    async def _calm_down(self) -> None:
        """Time passes, the provider works, the operator repairs; then nothing may be left anywhere."""
        for _ in range(QUIET_ROUNDS_MAX):
            wishes = _once([*self._late_notices(), *self._honest_effects(), *self._repairs(), *self._clock()])
            if wishes:
                await self.town.ask(*wishes)
            elif all(moved.due is None for moved in self.town.store.tables.streams.values()):
                break
            else:
                self.town.now += 4 * HOUR
        else:
            must(False, "the town does not come to rest")
        for order_id, order in self.town.model.orders.items():
            must(order.due() is None, "order", order_id, "has not ended:", order.stage)
            must(order.held == 0, "order", order_id, "ended and holds money")
            delivered = order.sealed + order.opened
            paid = any(one.amount for one in order.releases)
            must(delivered or not paid or order.amount == 0, "order", order_id, "was charged for nothing")
        for shop in self.shops:
            balances = self.town.model.balances(shop)
            left = {name: balances[name] for name in ("escrow", "refund_payable", "shop_pending", "payout_payable")}
            must(not any(left.values()), "money lies about:", left)
            must(balances["shop_available"] == self.provider.shops[shop], "provider and ledger differ about", shop)
        must(not self._provider_holds_unasked(), "the provider still holds", self._provider_holds_unasked())

    def _provider_holds_unasked(self) -> dict[str, int]:
        """What the provider still holds of payments that we know."""
        known = {one.txn for order in self.town.model.orders.values() for one in order.payments}
        return {txn: left for txn, left in self.provider.left.items() if left and txn in known}

    def _late_notices(self) -> list[Wish]:
        told = [wish for _, wish in self.notices]
        self.notices.clear()
        return told

    def _honest_effects(self) -> list[Wish]:
        waiting = [effect for effect in self.town.effects() if effect.key not in self.told]
        self.told.update(effect.key for effect in waiting)
        return [self._report(effect, succeeded=self.provider.carry_out(effect, succeed=True)) for effect in waiting]

    def _repairs(self) -> list[Wish]:
        wishes = [
            self.town.wish(f"ask_{what}_again", shop=order.shop, order=order_id, number=number)
            for order_id, order in self.town.model.orders.items()
            for what, instructions in (("refund", order.refunds), ("release", order.releases))
            for number, one in enumerate(instructions, 1)
            if one.state == "failed"
        ]
        strays = self.town.model.strays.items()
        return wishes + [self.town.wish("send_stray_back", stray=name) for name, one in strays if one.state == "failed"]


ACTS: dict[str, tuple[Callable[[Simulation], list[Wish]], int]] = {
    "place": (Simulation._place, 22),
    "pay": (Simulation._pay, 20),
    "notices": (Simulation._notices, 20),
    "buyer": (Simulation._buyer, 16),
    "merchant": (Simulation._merchant, 12),
    "operator": (Simulation._operator, 5),
    "clock": (Simulation._clock, 12),
    "effects": (Simulation._effects, 12),
    "stray": (Simulation._stray, 2),
}


def _once(wishes: list[Wish]) -> list[Wish]:
    """A batch in which each order's codes are opened or typed at most once: which ones is looked up before."""
    seen: set[tuple[str, str]] = set()
    kept = []
    for wish in wishes:
        key = (wish.verb, wish.args.get("order", ""))
        if wish.verb in ("open_codes", "type_codes"):
            if key in seen:
                continue
            seen.add(key)
        kept.append(wish)
    return kept


def run_seed(seed: int) -> dict[str, int]:
    """One world; figures about it. A failure names the seed."""
    try:
        return asyncio.run(Simulation(seed).run())
    except AssertionError as error:
        raise AssertionError(f"seed {seed}: {error}") from error


def main() -> int:
    """The exit code: 1 if some seed failed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--seeds", type=int, default=1_000, help="how many worlds")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--json", action="store_true", help="print one object at the end")
    given = parser.parse_args()
    started = time.monotonic()
    figures: Counter[str] = Counter()
    failed: list[int] = []
    for seed in range(given.first, given.first + given.seeds):
        try:
            figures.update(run_seed(seed))
        except Exception as error:  # noqa: BLE001 - told with its seed; the other worlds go on
            failed.append(seed)
            print(f"seed {seed} failed: {type(error).__name__}: {error}", file=sys.stderr)
    seconds = round(time.monotonic() - started, 1)
    result = {"seeds": given.seeds, "failed": failed, "seconds": seconds, **dict(sorted(figures.items()))}
    print(json.dumps(result) if given.json else "\n".join(f"{name}: {value}" for name, value in result.items()))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
