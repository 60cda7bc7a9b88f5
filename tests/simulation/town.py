"""The engine and the model side by side: every wish is asked of both, and after each batch both must tell the same."""

import random
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID

from fairkey.adapters.memory import Failure, MemoryStore
from fairkey.business import (
    batches,
    codes,
    complaints,
    coupons,
    dispute_events,
    escrow,
    listings,
    orders,
    payments,
    payouts,
    reviews,
    shops,
)
from fairkey.business.askers import Asker
from fairkey.business.basics import PLATFORM, Command, Stream
from fairkey.business.codes import CodeStage
from fairkey.business.deadlines import Due
from fairkey.business.files import BatchFile, OrderFile, PaymentFile
from fairkey.effects.queue import MONEY, Effect, key_of
from fairkey.engine.answers import Answer, StoreIsAway
from fairkey.engine.perform import Asked, Performer
from fairkey.engine.rebuild import compare, rebuild

from .model import Model, Order

START = 1_760_000_000_000


@dataclass(frozen=True)
class Wish:
    """A verb of the model with its arguments, and the id under which the engine is asked."""

    verb: str
    args: dict[str, Any]
    command_id: str = ""


class Differs(AssertionError):
    """Engine and model do not agree, or a promise is broken."""


def must(holds: object, *what: object) -> None:
    """Raise `Differs` unless it holds."""
    if not holds:
        raise Differs(" ".join(str(one) for one in what))


@dataclass
class Town:
    """Both worlds, one clock."""

    seed: int = 0
    now: int = START
    store: MemoryStore = field(default_factory=MemoryStore)
    model: Model = field(default_factory=Model)
    batch_listing: dict[str, tuple[str, str]] = field(default_factory=dict)
    asked: int = 0
    _ids: "count[int]" = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.model.taken_back_of = self._taken_back_of
        self.restart()

    def _taken_back_of(self, order: Order) -> int:
        """Codes that left the order to the merchant: there must be no other than of batches taken off sale."""
        order_id = next(each for each, one in self.model.orders.items() if one is order)
        kept = self.store.tables.kept.codes
        gone = [
            row
            for row in kept.values()
            if row.order_id == order_id and row.stage is CodeStage.RETURNED and row.batch_id
        ]
        for row in gone:
            batch = self.store.tables.streams[Stream(order.shop, "batch", row.batch_id)].file
            must(isinstance(batch, BatchFile) and batch.batch.withdrawn, "a code of a batch on sale left", order_id)
        return len(gone)

    def restart(self) -> None:
        """The process dies; another one starts."""
        self.performer = Performer(self.store, lambda: self.now, self.chance.randbytes)

    def new_id(self) -> str:
        """The next id."""
        return str(UUID(int=(0x0199 << 112) | (7 << 76) | (2 << 62) | next(self._ids)))

    def wish(self, verb: str, **args: Any) -> Wish:  # noqa: ANN401
        """A wish with an id of its own."""
        return Wish(verb, args, self.new_id())

    # Asking both.

    async def ask(self, *wishes: Wish, failure: Failure | None = None) -> list[str]:
        """Ask engine and model for the wishes, in order, as one batch; the names of refusals (empty: done)."""
        self.asked += len(wishes)
        asked = [self._asked(wish) for wish in wishes]
        self.store.fail_next = failure
        expected: list[str] | None = None
        try:
            outcomes = await self.performer.perform(asked)
        except StoreIsAway:
            if failure == "after":  # it was written all the same
                expected = [self.model.do(wish.verb, self.now, wish.args) for wish in wishes]
            self.restart()
            outcomes = await self.performer.perform(asked)
        refusals = [outcome.refusal if isinstance(outcome, Answer) else repr(outcome) for outcome in outcomes]
        if expected is None:
            expected = [self.model.do(wish.verb, self.now, wish.args) for wish in wishes]
        else:  # refusals are not kept: what was refused the first time is decided anew
            expected = [
                before and self.model.do(wish.verb, self.now, wish.args)
                for before, wish in zip(expected, wishes, strict=True)
            ]
        for wish, refusal, wanted in zip(wishes, refusals, expected, strict=True):
            must(refusal == wanted, wish.verb, wish.args, "engine:", refusal or "done", "model:", wanted or "done")
        self.compare()
        return refusals

    def _asked(self, wish: Wish) -> Asked:
        by, command = self._command(wish.verb, dict(wish.args))
        return Asked(command_id=wish.command_id, by=by, command=command)

    def _command(  # noqa: C901, PLR0911, PLR0912 - one case per verb, on one page
        self, verb: str, args: dict[str, Any]
    ) -> tuple[Asker, Command]:
        shop = args.get("shop", PLATFORM)
        about = {"shop_id": shop, "order_id": args.get("order", "")}
        simple = SIMPLE.get(verb)
        if simple:
            return simple[0], simple[1](**about)
        match verb:
            case "open_shop":
                return Asker.MERCHANT, shops.OpenShop(
                    shop_id=shop,
                    shop_no=1,
                    name="Shop",
                    contact="a@b.c",
                    payout_account="bank",
                    fee_bp=self.model.fee_bp,
                    admitted=True,
                )
            case "suspend":
                return Asker.OPERATOR, shops.SuspendShop(shop_id=shop, reason="looked into")
            case "reinstate":
                return Asker.OPERATOR, shops.ReinstateShop(shop_id=shop, reason="all is well")
            case "publish":
                return Asker.MERCHANT, listings.PublishListing(
                    shop_id=shop, listing_id=args["listing"], terms=_terms(args)
                )
            case "take_off_sale":
                return Asker.MERCHANT, listings.WithdrawListing(shop_id=shop, listing_id=args["listing"])
            case "deposit":
                batch, how_many = args["batch"], args["count"]
                self.store.tables.vault.setdefault((shop, batch), [self.new_id() for _ in range(how_many)])
                self.batch_listing[batch] = (shop, args["listing"])
                return Asker.MERCHANT, batches.RegisterBatch(
                    shop_id=shop,
                    batch_id=batch,
                    listing_id=args["listing"],
                    count=how_many,
                    root="00" * 32,
                    source="invoice",
                )
            case "take_codes_back":
                return Asker.MERCHANT, batches.WithdrawCodes(shop_id=shop, batch_id=args["batch"])
            case "make_coupon":
                return Asker.MERCHANT, coupons.CreateCoupon(
                    shop_id=shop,
                    coupon_id=args["coupon"],
                    code="SPRING",
                    off_fen=args["off"],
                    off_bp=args["share_bp"],
                    least_fen=args["least"],
                    uses_max=args["uses_max"],
                    ends_at_ms=args["ends"],
                )
            case "end_coupon":
                return Asker.MERCHANT, coupons.WithdrawCoupon(shop_id=shop, coupon_id=args["coupon"])
            case "draw":
                return Asker.MERCHANT, payouts.RequestPayout(
                    shop_id=shop, payout_id=args["payout"], amount_fen=args["amount"]
                )
            case "told_payout":
                return Asker.PROVIDER, payouts.RecordPayout(
                    shop_id=shop, payout_id=args["payout"], succeeded=args["succeeded"]
                )
            case "stray_money":
                return Asker.PROVIDER, payments.RecordUnmatched(
                    shop_id=PLATFORM,
                    payment_id=args["stray"],
                    provider="sandbox",
                    provider_txn=args["txn"],
                    reference="?",
                    amount_fen=args["amount"],
                    currency=args["currency"],
                    paid_at_ms=self.now,
                )
            case "send_stray_back":
                return Asker.OPERATOR, payments.RefundUnmatched(shop_id=PLATFORM, payment_id=args["stray"])
            case "return_stray":
                return Asker.CLOCK, payments.ReturnUnmatched(shop_id=PLATFORM, payment_id=args["stray"])
            case "told_stray":
                return Asker.PROVIDER, payments.RecordUnmatchedRefund(
                    shop_id=PLATFORM, payment_id=args["stray"], attempt=args["attempt"], succeeded=args["succeeded"]
                )
            case _:
                return self._command_about_order(verb, args, about)

    def _command_about_order(  # noqa: PLR0911 - one case per verb
        self, verb: str, args: dict[str, Any], about: dict[str, str]
    ) -> tuple[Asker, Command]:
        match verb:
            case "place":
                return Asker.BUYER, orders.PlaceOrder(
                    **about,
                    listing_id=args["listing"],
                    revision=args["revision"],
                    quantity=args["quantity"],
                    contact=f"{args['buyer']}@example.com",
                    buyer=args["buyer"],
                    buyer_key=args["buyer"],
                    address_key=args["address"],
                    coupon_code="SPRING" if args["coupon"] else "",
                    coupon_id=args["coupon"],
                )
            case "pay":
                return Asker.PROVIDER, escrow.RecordPayment(
                    **about,
                    provider="sandbox",
                    provider_txn=args["txn"],
                    amount_fen=args["amount"],
                    paid_at_ms=self.now,
                )
            case "open_codes":
                sealed = [one.code_id for one in self.file(about).codes.held if one.stage is CodeStage.DELIVERED]
                how_many = args["how_many"]
                return Asker.BUYER, codes.RevealCodes(**about, codes=tuple(sealed[:how_many]))
            case "complain":
                return Asker.BUYER, complaints.OpenComplaint(
                    **about, reason=dispute_events.Reason.OTHER, text="It does not work.", demand_fen=args["demand"]
                )
            case "contest":
                return Asker.MERCHANT, complaints.ContestComplaint(**about, text="It does work.")
            case "offer":
                by = dispute_events.Side.SHOP
                return Asker.MERCHANT, complaints.OfferSettlement(**about, by=by, refund_fen=args["refund"])
            case "take_offer":
                by, number = dispute_events.Side.BUYER, len(self.file(about).complaint.offers)
                return Asker.BUYER, complaints.AnswerOffer(**about, by=by, offer_no=number, accepted=True)
            case "review":
                return Asker.BUYER, reviews.PostReview(**about, speed=3, code_worked=True)
            case "type_codes":
                typed = tuple(self.new_id() for _ in range(args["count"]))
                self.store.tables.vault.setdefault((about["shop_id"], about["order_id"]), []).extend(typed)
                return Asker.MERCHANT, codes.DeliverTyped(**about, codes=typed, commitments=("aa" * 32,) * len(typed))
            case "told_refund":
                return Asker.PROVIDER, escrow.RecordRefund(
                    **about, refund_no=args["number"], attempt=args["attempt"], succeeded=args["succeeded"], reason="no"
                )
            case "told_release":
                return Asker.PROVIDER, escrow.RecordRelease(
                    **about,
                    release_no=args["number"],
                    attempt=args["attempt"],
                    succeeded=args["succeeded"],
                    reason="no",
                )
            case "ask_refund_again":
                return Asker.OPERATOR, escrow.RetryRefund(**about, refund_no=args["number"])
            case "ask_release_again":
                return Asker.OPERATOR, escrow.RetryRelease(**about, release_no=args["number"])
            case _:
                raise ValueError(verb)

    # Looking.

    def file(self, about: dict[str, str]) -> OrderFile:
        """The engine's file of an order; an empty one if there is none."""
        moved = self.store.tables.streams.get(Stream(about["shop_id"], "order", about["order_id"]))
        return moved.file if moved and isinstance(moved.file, OrderFile) else OrderFile()

    def unsold(self, batch: str) -> int:
        """Free codes of a batch."""
        shop, _ = self.batch_listing[batch]
        return sum(row.stage is CodeStage.FREE for row in self.store.tables.kept.rows_of(shop, batch))

    def effects(self) -> list[Effect]:
        """All instructions to the provider, in order of their keys."""
        return [effect for _, effect in sorted(self.store.tables.effects.items()) if effect.kind in MONEY]

    # Comparing.

    def compare(self) -> None:
        """Engine and model tell the same, and the promises hold."""
        tables = self.store.tables
        theirs = {stream.id: moved for stream, moved in tables.streams.items() if stream.kind == "order"}
        must(theirs.keys() == self.model.orders.keys(), "other orders", theirs.keys() ^ self.model.orders.keys())
        wanted_keys: set[str] = set()
        holders: Counter[str] = Counter()
        for order_id, order in self.model.orders.items():
            moved = theirs[order_id]
            assert isinstance(moved.file, OrderFile)
            engine, model = _story(moved.file, moved.due), _model_story(order)
            must(engine == model, "order", order_id, "engine:", engine, "model:", model)
            wanted_keys |= _instruction_keys(order_id, order)
            for held in moved.file.codes.held:
                row = tables.kept.codes[order.shop, held.code_id]
                must((row.stage, row.order_id) == (held.stage, order_id), "code", held.code_id, "is", row)
                holders[held.code_id] += held.stage is not CodeStage.RETURNED
        must(not [code for code, times in holders.items() if times > 1], "a code in two live orders")
        free: Counter[str] = Counter()
        for (_, code_id), row in tables.kept.codes.items():
            free[row.listing_id] += row.stage is CodeStage.FREE
            must(bool(row.order_id) == (code_id in holders), "code", code_id, "is held by nobody:", row)
        for listing_id, listing in self.model.listings.items():
            stock = tables.kept.stock[listing.shop, listing_id]
            must(
                stock == listing.free == free[listing_id],
                "stock",
                stock,
                "model",
                listing.free,
                "free",
                free[listing_id],
            )
        for coupon_id, coupon in self.model.coupons.items():
            uses = tables.streams[Stream(coupon.shop, "coupon", coupon_id)].file.coupon.uses
            must(uses == coupon.uses >= 0, "coupon used", uses, "model", coupon.uses)
        self._compare_money(wanted_keys)

    def _compare_money(self, wanted_keys: set[str]) -> None:
        tables = self.store.tables
        for shop in self.model.shops:
            engine = {name: fen for (one, name, _), fen in tables.kept.balances.items() if one == shop and fen}
            model = {name: fen for name, fen in self.model.balances(shop).items() if fen}
            must(engine == model, "balances of", shop, "engine:", engine, "model:", model)
        must(not tables.kept.below_zero(), "below zero", tables.kept.below_zero())
        for stray_id, stray in self.model.strays.items():
            file = tables.streams[Stream(PLATFORM, "payment", stray_id)].file
            assert isinstance(file, PaymentFile)
            state = file.unmatched.refund.value if file.unmatched.refund else "held"
            must((state, file.unmatched.attempt) == (stray.state, stray.attempt), "stray", stray_id, state, stray)
            stream = Stream(PLATFORM, "payment", stray_id)
            wanted_keys |= {key_of(stream, "refund", 1, attempt) for attempt in range(1, stray.attempt + 1)}
        for payout_id, payout in self.model.payouts.items():
            wanted_keys.add(key_of(Stream(payout.shop, "payout", payout_id), "payout", 1, 1))
        must({effect.key for effect in self.effects()} == wanted_keys, "instructions differ from the model's")

    def compare_with_events(self) -> None:
        """What is kept follows from the events."""
        differences = compare(self.store.tables.picture(), rebuild(self.store.tables))
        must(not differences, "kept is not rebuilt:", differences[:3])


def _terms(args: dict[str, Any]) -> listings.Terms:
    return listings.Terms(
        product="Card",
        category="games",
        face_value="100",
        region="CN",
        edition="",
        redeem_by="",
        instructions="Type it in.",
        after_sale="",
        price_fen=args["price"],
        delivery="manual" if args["manual"] else "vault",
        promise_min=args.get("promise", 0) // 60_000,
        tiers=args.get("tiers", ()),
        quantity_max=args.get("most", 20),
        per_buyer_max=args.get("per_buyer", 0),
    )


def _story(file: OrderFile, due: Due | None) -> dict[str, Any]:
    held = Counter(one.stage for one in file.codes.held)
    return {
        "stage": file.order.stage.value,
        "amount": file.order.amount_fen,
        "held": file.escrow.held_fen,
        "codes": tuple(
            held[stage] for stage in (CodeStage.RESERVED, CodeStage.DELIVERED, CodeStage.REVEALED, CodeStage.RETURNED)
        ),
        "paid": [(one.provider_txn, one.amount_fen) for one in file.escrow.received],
        "refunds": [(one.provider_txn, one.amount_fen, one.state.value, one.attempt) for one in file.escrow.refunds],
        "releases": [
            (one.provider_txn, one.shop_fen, one.fee_fen, one.state.value, one.attempt) for one in file.escrow.releases
        ],
        "due": tuple(due) if due else None,
    }


def _model_story(order: Order) -> dict[str, Any]:
    return {
        "stage": order.stage,
        "amount": order.amount,
        "held": order.held,
        "codes": (order.reserved, order.sealed, order.opened, order.returned),
        "paid": [(one.txn, one.amount) for one in order.payments],
        "refunds": [(one.txn, one.amount, one.state, one.attempt) for one in order.refunds],
        "releases": [(one.txn, one.amount, one.fee, one.state, one.attempt) for one in order.releases],
        "due": order.due(),
    }


def _instruction_keys(order_id: str, order: Order) -> set[str]:
    stream = Stream(order.shop, "order", order_id)
    return {
        key_of(stream, what, number, attempt)
        for what, instructions in (("refund", order.refunds), ("release", order.releases))
        for number, one in enumerate(instructions, 1)
        for attempt in range(1, one.attempt + 1)
    }


SIMPLE: dict[str, tuple[Asker, Any]] = {
    "give_up": (Asker.BUYER, orders.GiveUpOrder),
    "step_back": (Asker.BUYER, orders.WithdrawOrder),
    "wait": (Asker.BUYER, orders.AgreeToWait),
    "confirm": (Asker.BUYER, orders.ConfirmOrder),
    "drop_complaint": (Asker.BUYER, complaints.WithdrawComplaint),
    "agree": (Asker.MERCHANT, complaints.AcceptComplaint),
    "expire": (Asker.CLOCK, orders.ExpireOrder),
    "cancel_late": (Asker.CLOCK, orders.CancelLateOrder),
    "complete": (Asker.CLOCK, orders.CompleteOrder),
    "end_silence": (Asker.CLOCK, complaints.EndSilence),
}
