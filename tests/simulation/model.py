"""What a careful reader of the words of fairkey expects to happen, in plain code of its own.

It shares nothing with the rules it is compared with: no import from `fairkey`, one mutable object per order, money as a
list of payments, balances summed up afresh from what happened to each order. It knows how many codes are where, not
which ones; who holds which is checked as an invariant of the tables.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
OPEN_STAGES = ("placed", "paid", "delivered", "disputed")


class No(Exception):
    """Refused, with the name of the refusal."""


class Impossible(Exception):
    """Nobody may be able to ask this: the simulation itself is wrong."""


@dataclass
class Listing:
    shop: str
    manual: bool
    price: int
    promise: int = 0
    revision: int = 1
    on_sale: bool = True
    tiers: tuple[tuple[int, int], ...] = ()
    most: int = 20
    per_buyer: int = 0
    free: int = 0


@dataclass
class Coupon:
    shop: str
    off: int
    share_bp: int
    least: int
    uses_max: int
    ends: int
    uses: int = 0
    withdrawn: bool = False


@dataclass
class Payment:
    txn: str
    amount: int
    left: int = 0


@dataclass
class Instruction:
    txn: str
    amount: int
    fee: int = 0
    state: str = "asked"
    attempt: int = 1


@dataclass
class Complaint:
    stage: str
    demand: int
    due: int
    offers: list[tuple[int, int]] = field(default_factory=list)  # sum, and until when


@dataclass
class Order:
    shop: str
    listing: str
    quantity: int
    amount: int
    fee_bp: int
    manual: bool
    promise: int
    buyer: str
    address: str
    coupon: str
    expires: int
    stage: str = "placed"
    deliver_by: int = 0
    waited: bool = False
    given_up: bool = False
    delivered_at: int = 0
    first_opened: int = 0
    reserved: int = 0
    sealed: int = 0
    opened: int = 0
    returned: int = 0
    payments: list[Payment] = field(default_factory=list)
    refunds: list[Instruction] = field(default_factory=list)
    releases: list[Instruction] = field(default_factory=list)
    complaint: Complaint | None = None
    reviewed: bool = False

    @property
    def held(self) -> int:
        return sum(one.amount - one.left for one in self.payments)

    def give_back(self, amount: int) -> None:
        for payment in reversed(self.payments):
            part = min(amount, payment.amount - payment.left)
            if part:
                payment.left += part
                amount -= part
                self.refunds.append(Instruction(payment.txn, part))
        if amount:
            raise Impossible("more goes back than is held")

    def release(self) -> None:
        fee = self.held * self.fee_bp // 10_000
        for payment in self.payments:
            part = payment.amount - payment.left
            if part:
                its_fee = min(fee, part)
                fee -= its_fee
                payment.left = payment.amount
                self.releases.append(Instruction(payment.txn, part - its_fee, its_fee))

    def due(self) -> tuple[int, str] | None:
        match self.stage:
            case "placed":
                return self.expires, "expire"
            case "paid":
                return self.deliver_by, "cancel_late"
            case "disputed":
                assert self.complaint
                return self.complaint.due, "end_silence"
            case "delivered" if self.first_opened:
                return max(self.first_opened, self.delivered_at) + 72 * HOUR, "complete"
            case "delivered":
                return self.delivered_at + 7 * DAY, "complete"
        return None


@dataclass
class Stray:
    amount: int
    currency: str
    received: int
    state: str = "held"
    attempt: int = 0


@dataclass
class Payout:
    shop: str
    amount: int
    state: str = "asked"


class Model:
    """The town as it should be."""

    def __init__(self) -> None:
        self.shops: dict[str, str] = {}  # standing
        self.fee_bp = 250
        self.listings: dict[str, Listing] = {}
        self.coupons: dict[str, Coupon] = {}
        self.orders: dict[str, Order] = {}
        self.strays: dict[str, Stray] = {}
        self.payouts: dict[str, Payout] = {}
        self.thinned: set[str] = set()  # listings of which a batch was taken off sale
        self.taken_back_of: Callable[[Order], int] = lambda _: 0  # which code is of which batch is not followed here

    def do(self, verb: str, now: int, args: dict[str, Any]) -> str:
        """Let it happen; the name of the refusal, or nothing."""
        try:
            getattr(self, verb)(now, **args)
        except No as refused:
            return str(refused)
        return ""

    # Merchants and the operator.

    def open_shop(self, now: int, shop: str) -> None:
        self.shops[shop] = "open"

    def suspend(self, now: int, shop: str) -> None:
        if self.shops[shop] != "open":
            raise No("ShopIsInAnotherStanding")
        self.shops[shop] = "suspended"

    def reinstate(self, now: int, shop: str) -> None:
        if self.shops[shop] != "suspended":
            raise No("ShopIsInAnotherStanding")
        self.shops[shop] = "open"

    def publish(self, now: int, shop: str, listing: str, **terms: Any) -> None:  # noqa: ANN401
        if self.shops[shop] != "open":
            raise No("ShopTakesNoListings")
        before = self.listings.get(listing)
        new = Listing(shop=shop, **terms)
        if before:
            new.revision, new.free = before.revision, before.free
            if before == new:
                raise No("NothingHasChanged")
            new.revision += 1
        self.listings[listing] = new

    def take_off_sale(self, now: int, shop: str, listing: str) -> None:
        if not self.listings[listing].on_sale:
            raise No("NotFound")
        self.listings[listing].on_sale = False

    def deposit(self, now: int, shop: str, batch: str, listing: str, count: int) -> None:
        self.listings[listing].free += count

    def take_codes_back(self, now: int, shop: str, batch: str, listing: str, unsold: int) -> None:
        if not unsold:
            raise No("NothingIsUnsold")
        self.listings[listing].free -= unsold
        self.thinned.add(listing)

    def make_coupon(self, now: int, shop: str, coupon: str, **terms: Any) -> None:  # noqa: ANN401
        self.coupons[coupon] = Coupon(shop=shop, **terms)

    def end_coupon(self, now: int, shop: str, coupon: str) -> None:
        if self.coupons[coupon].withdrawn:
            raise No("NotFound")
        self.coupons[coupon].withdrawn = True

    def draw(self, now: int, shop: str, payout: str, amount: int) -> None:
        if amount < 100:
            raise No("FieldIsInvalid")
        if amount > self.balances(shop)["shop_available"]:
            raise No("BalanceIsTooLow")
        self.payouts[payout] = Payout(shop, amount)

    # Buyers.

    def place(
        self,
        now: int,
        shop: str,
        order: str,
        listing: str,
        revision: int,
        quantity: int,
        buyer: str,
        address: str,
        coupon: str,
    ) -> None:
        wish = self.listings[listing]
        if order in self.orders:
            raise No("OrderIsInAnotherStage")
        if quantity < 1:
            raise No("FieldIsInvalid")
        if self.shops[shop] != "open":
            raise No("ShopIsClosed")
        if not wish.on_sale:
            raise No("ListingIsNotOnSale")
        if revision != wish.revision:
            raise No("ListingHasChanged")
        if quantity > wish.most:
            raise No("QuantityIsOutOfRange")
        mine = [one for one in self.orders.values() if one.buyer == buyer]
        bought = sum(
            one.quantity
            for one in mine
            if one.listing == listing and one.stage not in ("expired", "cancelled", "refunded")
        )
        if wish.per_buyer and bought + quantity > wish.per_buyer:
            raise No("PurchaseLimitIsReached")
        if sum(one.stage == "placed" and one.address == address for one in mine) >= 3:
            raise No("TooManyUnpaidOrders")
        if sum(one.stage == "placed" and one.address == address for one in self.orders.values()) >= 10:
            raise No("TooManyUnpaidOrders")
        amount = self._price(wish, quantity, coupon, now)
        if not wish.manual:
            if wish.free < quantity:
                raise No("StockIsShort")
            wish.free -= quantity
        if coupon:
            self.coupons[coupon].uses += 1
        self.orders[order] = Order(
            shop=shop,
            listing=listing,
            quantity=quantity,
            amount=amount,
            fee_bp=self.fee_bp,
            manual=wish.manual,
            promise=wish.promise,
            buyer=buyer,
            address=address,
            coupon=coupon,
            expires=now + 15 * MINUTE,
            reserved=0 if wish.manual else quantity,
        )

    def _price(self, wish: Listing, quantity: int, coupon: str, now: int) -> int:
        unit = min([wish.price, *(price for least, price in wish.tiers if quantity >= least)])
        whole = unit * quantity
        if not coupon:
            return whole
        terms = self.coupons[coupon]
        used_up = terms.uses_max and terms.uses >= terms.uses_max
        if terms.withdrawn or used_up or (terms.ends and now >= terms.ends) or whole < terms.least:
            raise No("CouponIsNotValid")
        off = terms.off + whole * terms.share_bp // 10_000
        return max(whole - off, quantity)

    def give_up(self, now: int, shop: str, order: str) -> None:
        it = self._in(order, "placed")
        it.given_up = True
        self._expire(it)

    def step_back(self, now: int, shop: str, order: str) -> None:
        it = self._in(order, "paid", "delivered")
        if it.opened:
            raise No("CodeWasAlreadyOpened")
        it.stage = "cancelled"
        self._codes_back(it)
        it.give_back(it.held)
        self._coupon_back(it)

    def wait(self, now: int, shop: str, order: str) -> None:
        it = self._in(order, "paid")
        if it.waited:
            raise No("WaitWasAlreadyAgreed")
        it.waited = True
        it.deliver_by += it.promise

    def open_codes(self, now: int, shop: str, order: str, how_many: int) -> None:
        """`how_many` of the sealed ones (0: all of what is in the box)."""
        it = self.orders[order]
        if not it.sealed + it.opened or how_many > it.sealed:
            raise No("CodeIsNotDelivered")
        many = how_many or it.sealed
        if not many:
            return
        if it.stage not in ("paid", "delivered", "completed", "partly_refunded"):
            raise No("CodeIsNotDelivered")
        it.sealed -= many
        it.opened += many
        it.first_opened = it.first_opened or now

    def confirm(self, now: int, shop: str, order: str) -> None:
        it = self._in(order, "delivered")
        it.stage = "completed"
        it.release()

    def complain(self, now: int, shop: str, order: str, demand: int) -> None:
        it = self.orders[order]
        if it.complaint:
            raise No("ComplaintExists")
        if it.stage != "delivered":
            raise No("OrderCannotBeComplainedAbout")
        if not 0 <= demand <= it.amount:
            raise No("FieldIsInvalid")
        it.complaint = Complaint("opened", demand or it.amount, now + 48 * HOUR)
        it.stage = "disputed"

    def drop_complaint(self, now: int, shop: str, order: str) -> None:
        self._close(self._complaint(order, "opened", "contested"), 0)

    def review(self, now: int, shop: str, order: str) -> None:
        it = self.orders[order]
        if it.stage != "completed":
            raise No("OrderIsNotCompleted")
        if it.reviewed:
            raise No("ReviewExists")
        it.reviewed = True

    # Merchants about orders.

    def type_codes(self, now: int, shop: str, order: str, count: int) -> None:
        it = self.orders[order]
        if not it.manual or it.stage != "paid":
            raise No("OrderTakesNoCodes")
        if count > it.quantity - it.sealed - it.opened:
            raise No("TooManyCodes")
        it.sealed += count
        if it.sealed + it.opened == it.quantity:
            it.stage, it.delivered_at = "delivered", now

    def agree(self, now: int, shop: str, order: str) -> None:
        it = self._complaint(order, "opened", "contested")
        assert it.complaint
        self._close(it, it.complaint.demand)

    def contest(self, now: int, shop: str, order: str) -> None:
        it = self._complaint(order, "opened")
        assert it.complaint
        it.complaint.stage, it.complaint.due = "contested", now + 48 * HOUR

    def offer(self, now: int, shop: str, order: str, refund: int) -> None:
        it = self._complaint(order, "opened", "contested")
        assert it.complaint
        if not 0 <= refund <= it.complaint.demand or len(it.complaint.offers) == 10:
            raise No("FieldIsInvalid")
        it.complaint.offers.append((refund, now + 48 * HOUR))

    def take_offer(self, now: int, shop: str, order: str) -> None:
        it = self._complaint(order, "opened", "contested")
        assert it.complaint
        if not it.complaint.offers:
            raise No("OfferIsNotThere")
        refund, until = it.complaint.offers[-1]
        if now >= until:
            raise No("OfferHasEnded")
        self._close(it, refund)

    # The clock.

    def expire(self, now: int, shop: str, order: str) -> None:
        it = self._in(order, "placed")
        if now < it.expires:
            raise No("NotDueYet")
        self._expire(it)

    def cancel_late(self, now: int, shop: str, order: str) -> None:
        it = self._in(order, "paid")
        if now < it.deliver_by:
            raise No("NotDueYet")
        charged = it.amount * it.opened // it.quantity
        self._codes_back(it)
        it.give_back(it.amount - charged)
        if it.opened:
            it.stage, it.delivered_at, it.quantity, it.amount = "delivered", now, it.opened, charged
        else:
            it.stage = "cancelled"
            self._coupon_back(it)

    def complete(self, now: int, shop: str, order: str) -> None:
        it = self._in(order, "delivered")
        due = it.due()
        assert due
        if now < due[0]:
            raise No("NotDueYet")
        it.stage = "completed"
        it.release()

    def end_silence(self, now: int, shop: str, order: str) -> None:
        it = self._complaint(order, "opened", "contested")
        assert it.complaint
        if now < it.complaint.due:
            raise No("NotSilentYet")
        self._close(it, it.complaint.demand)

    def return_stray(self, now: int, stray: str) -> None:
        it = self.strays.get(stray)
        if not it or it.state != "held" or now < it.received + 7 * DAY:
            raise No("AlreadyOnItsWayBack")
        it.state, it.attempt = "asked", it.attempt + 1

    # The provider.

    def pay(self, now: int, shop: str, order: str, txn: str, amount: int) -> None:
        it = self.orders.get(order)
        if not it:
            raise No("OrderIsUnknown")
        if any(one.txn == txn for one in it.payments):
            return
        it.payments.append(Payment(txn, amount))
        if it.stage in ("placed", "expired") and it.held >= it.amount:
            self._try_to_take(it, now)
        over = it.held - (it.amount if it.stage in OPEN_STAGES else 0)
        if over > 0:
            it.give_back(over)

    def _try_to_take(self, it: Order, now: int) -> None:
        listing = self.listings[it.listing]
        if it.stage == "expired":
            if it.given_up:
                return
            if it.manual and self.shops[it.shop] != "open":
                return
            if not it.manual:
                if listing.free < it.quantity:
                    return
                listing.free -= it.quantity
                it.reserved = it.quantity
            if it.coupon:
                self.coupons[it.coupon].uses += 1
        if it.manual:
            it.stage, it.deliver_by = "paid", now + it.promise
        else:
            it.stage, it.delivered_at = "delivered", now
            it.sealed, it.reserved = it.reserved, 0

    def stray_money(self, now: int, stray: str, txn: str, amount: int, currency: str) -> None:
        self.strays.setdefault(stray, Stray(amount, currency, now))

    def send_stray_back(self, now: int, stray: str) -> None:
        it = self.strays.get(stray)
        if not it or it.state not in ("held", "failed"):
            raise No("AlreadyOnItsWayBack")
        it.state, it.attempt = "asked", it.attempt + 1

    def told_refund(self, now: int, shop: str, order: str, number: int, attempt: int, succeeded: bool) -> None:
        self._told(self.orders[order].refunds[number - 1], attempt, succeeded=succeeded)

    def told_release(self, now: int, shop: str, order: str, number: int, attempt: int, succeeded: bool) -> None:
        self._told(self.orders[order].releases[number - 1], attempt, succeeded=succeeded)

    def told_stray(self, now: int, stray: str, attempt: int, succeeded: bool) -> None:
        self._told(self.strays[stray], attempt, succeeded=succeeded)

    def told_payout(self, now: int, shop: str, payout: str, succeeded: bool) -> None:
        it = self.payouts[payout]
        if it.state == "asked":
            it.state = "done" if succeeded else "failed"

    @staticmethod
    def _told(it: Instruction | Stray, attempt: int, *, succeeded: bool) -> None:
        if it.state != "done":
            if succeeded:
                it.state = "done"
            elif attempt == it.attempt:
                it.state = "failed"

    def ask_refund_again(self, now: int, shop: str, order: str, number: int) -> None:
        self._again(self.orders[order].refunds, number)

    def ask_release_again(self, now: int, shop: str, order: str, number: int) -> None:
        self._again(self.orders[order].releases, number)

    @staticmethod
    def _again(instructions: list[Instruction], number: int) -> None:
        if not 1 <= number <= len(instructions) or instructions[number - 1].state != "failed":
            raise No("NothingHasFailed")
        it = instructions[number - 1]
        it.state, it.attempt = "asked", it.attempt + 1

    # What several have in common.

    def _in(self, order: str, *stages: str) -> Order:
        it = self.orders[order]
        if it.stage not in stages:
            raise No("OrderIsInAnotherStage")
        return it

    def _complaint(self, order: str, *stages: str) -> Order:
        it = self.orders[order]
        if not it.complaint:
            raise No("NotFound")
        if it.complaint.stage not in stages:
            raise No("ComplaintIsInAnotherStage")
        return it

    def _expire(self, it: Order) -> None:
        it.stage = "expired"
        self._codes_back(it)
        it.give_back(it.held)
        self._coupon_back(it)

    def _codes_back(self, it: Order) -> None:
        if it.manual:
            it.returned += it.sealed
        else:
            gone = self.taken_back_of(it) - it.returned
            if not 0 <= gone <= it.sealed + it.reserved or (gone and it.listing not in self.thinned):
                raise Impossible("codes go to the merchant although their batch is on sale")
            it.returned += gone
            self.listings[it.listing].free += it.sealed + it.reserved - gone
        it.sealed = it.reserved = 0

    def _coupon_back(self, it: Order) -> None:
        if it.coupon:
            self.coupons[it.coupon].uses -= 1

    def _close(self, it: Order, refund: int) -> None:
        assert it.complaint
        it.complaint.stage = "closed"
        if not refund:
            it.stage = "completed"
            it.release()
        elif refund < it.amount:
            it.stage = "partly_refunded"
            it.give_back(refund)
            it.release()
        else:
            it.stage = "refunded"
            self._codes_back(it)
            it.give_back(refund)

    def balances(self, shop: str) -> Counter[str]:
        """What the accounts of a shop must show in CNY."""
        it: Counter[str] = Counter()
        for order in self.orders.values():
            if order.shop == shop:
                it["escrow"] += order.held
                it["provider_clearing"] += sum(one.amount for one in order.payments)
                for one in order.refunds:
                    it["provider_clearing" if one.state == "done" else "refund_payable"] += (
                        -one.amount if one.state == "done" else one.amount
                    )
                for one in order.releases:
                    it["platform_fee"] += one.fee
                    it["shop_available" if one.state == "done" else "shop_pending"] += one.amount
        for payout in self.payouts.values():
            if payout.shop == shop and payout.state != "failed":
                it["shop_available"] -= payout.amount
                it["provider_clearing" if payout.state == "done" else "payout_payable"] += (
                    -payout.amount if payout.state == "done" else payout.amount
                )
        return it
