"""An order's stage (money: `escrow.py`, codes: `codes.py`, quarrels: `complaints.py`): every stage ends by itself."""

from enum import StrEnum
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from . import covering, stopping
from .basics import DAY_MS, HOUR_MS, MINUTE_MS, Command, Event, invariant, require, require_text
from .order_briefings import CodesBriefing, PaymentBriefing, Pricing, WindingBriefing, price_of
from .order_refusals import (
    CodeWasAlreadyOpened,
    CouponIsNotValid,
    ListingHasChanged,
    ListingIsNotOnSale,
    NotDueYet,
    OrderIsInAnotherStage,
    PurchaseLimitIsReached,
    QuantityIsOutOfRange,
    ShopIsClosed,
    ShopIsFrozen,
    TooManyUnpaidOrders,
    WaitWasAlreadyAgreed,
)
from .stopping import KnownOutage, OrderClockStopped, Running, Stop, StopBriefing

PAYMENT_WINDOW_MS = 15 * MINUTE_MS
PROTECTION_AFTER_REVEAL_MS = 72 * HOUR_MS
PROTECTION_SEALED_MS = 7 * DAY_MS
THROTTLED_HOLDS = 2  # times as long with a throttled shop
UNPAID_PER_BUYER_MAX = 3
UNPAID_PER_ADDRESS_MAX = 10


class Stage(StrEnum):
    """Where an order stands; the words of `docs/words.md`."""

    NEW = "new"
    PLACED = "placed"
    EXPIRED = "expired"
    PAID = "paid"
    DELIVERED = "delivered"
    DISPUTED = "disputed"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"
    PARTLY_REFUNDED = "partly_refunded"


ENDED = frozenset({Stage.EXPIRED, Stage.COMPLETED, Stage.CANCELLED, Stage.REFUNDED, Stage.PARTLY_REFUNDED})


class Delivery(StrEnum):
    """How codes reach the buyer: from the vault in the payment's transaction, or typed by the merchant in time."""

    VAULT = "vault"
    MANUAL = "manual"


# What happened.


class OrderPlaced(Event, frozen=True):
    """A buyer asked for N units of one listing revision; for a vault listing the codes are reserved with it."""

    kind = "order.placed"
    sealed = frozenset({"contact", "buyer_key", "address_key", "account_id", "locale"})
    listing_id: str
    revision: int
    revision_hash: str
    quantity: int
    unit_price_fen: int
    discount_fen: int
    amount_fen: int
    fee_bp: int
    delivery: Delivery
    promise_min: int
    buyer: str
    coupon_id: str
    expires_at_ms: int
    contact: str
    # For limits only; they would link a person's orders across shops, so they stay out of the public bytes.
    buyer_key: str
    address_key: str
    account_id: str
    locale: str = ""  # the language tag in which to write to him


class OrderExpired(Event, frozen=True):
    """Nobody paid in full in time, or the buyer gave the unpaid order up."""

    kind = "order.expired"
    by: str
    coupon_id: str


class OrderPaid(Event, frozen=True):
    """The whole price is held. `late`: it came after expiry and the order was taken up again."""

    kind = "order.paid"
    amount_fen: int
    late: bool
    delivery: Delivery
    deliver_by_ms: int
    listing_id: str
    quantity: int
    coupon_id: str


class OrderDelivered(Event, frozen=True):
    """All units lie in the buyer's order box, sealed."""

    kind = "order.delivered"
    quantity: int


class WaitAgreed(Event, frozen=True):
    """The buyer, once and explicitly, gave the merchant one more promise period."""

    kind = "order.wait_agreed"
    deliver_by_ms: int


class OrderCutShort(Event, frozen=True):
    """The delivery promise was missed, but the buyer had opened `quantity` units: those are his and `amount_fen` their
    price. They count as delivered now, with the usual time to complain; the rest is refunded.
    """

    kind = "order.cut_short"
    quantity: int
    amount_fen: int
    refund_fen: int


class OrderCancelled(Event, frozen=True):
    """The delivery promise was missed and nothing was opened: all goes back (older facts may charge opened units)."""

    kind = "order.cancelled"
    charged_units: int
    charged_fen: int
    refund_fen: int
    coupon_id: str


class OrderWithdrawn(Event, frozen=True):
    """The buyer stepped back while every code was sealed."""

    kind = "order.withdrawn"
    coupon_id: str


class OrderConfirmed(Event, frozen=True):
    """The buyer said that all is well."""

    kind = "order.confirmed"


class OrderHeldLonger(Event, frozen=True):
    """The shop is throttled when the order's protection would end: it lasts `times` as long, until `until_ms`."""

    kind = "order.held_longer"
    times: int
    until_ms: int


class OrderDisputed(Event, frozen=True):
    """A complaint froze the order."""

    kind = "order.disputed"


class OrderCompleted(Event, frozen=True):
    """The money goes to the shop."""

    kind = "order.completed"
    by: str


class OrderRefunded(Event, frozen=True):
    """A complaint ended with money back: all of it, or `refund_fen` of it."""

    kind = "order.refunded"
    refund_fen: int
    partly: bool


class OrderWoundUp(Event, frozen=True):
    """Its shop has vanished (FK-AF-1, R18): all that was paid goes back, whatever was opened."""

    kind = "order.wound_up"
    refund_fen: int


OrderEvent = (
    OrderPlaced | OrderExpired | OrderPaid | OrderDelivered | WaitAgreed | OrderCutShort | OrderCancelled
    | OrderWithdrawn | OrderConfirmed | OrderHeldLonger | OrderDisputed | OrderCompleted | OrderRefunded | OrderWoundUp
    | OrderClockStopped
)  # fmt: skip

# What may be asked.


class PlaceOrder(Command, frozen=True):
    """Ask for `quantity` units of the revision that the buyer saw. Contact is an e-mail address."""

    order_id: str
    listing_id: str
    revision: int
    quantity: int
    contact: str
    buyer: str
    buyer_key: str
    address_key: str = ""
    account_id: str = ""
    coupon_code: str = ""
    coupon_id: str = ""
    locale: str = ""


class GiveUpOrder(Command, frozen=True):
    """The buyer no longer wants an unpaid order."""

    order_id: str


class WithdrawOrder(Command, frozen=True):
    """The buyer steps back from a paid order whose codes are all sealed."""

    order_id: str


class AgreeToWait(Command, frozen=True):
    """The buyer gives a late merchant one more promise period instead of the refund."""

    order_id: str


class ConfirmOrder(Command, frozen=True):
    """The buyer confirms: release the money."""

    order_id: str


class ExpireOrder(Command, frozen=True):
    """Clock: the payment window is over."""

    order_id: str


class CancelLateOrder(Command, frozen=True):
    """Clock: the delivery promise was missed."""

    order_id: str


class CompleteOrder(Command, frozen=True):
    """Clock: the protection window is over."""

    order_id: str


class ConfirmPayment(Command, frozen=True):
    """Inner: money came in; does it pay the order?"""

    order_id: str


class MarkDelivered(Command, frozen=True):
    """Inner: codes lie in the buyer's box; are they all there?"""

    order_id: str


class FreezeOrder(Command, frozen=True):
    """Inner: a complaint was opened."""

    order_id: str


class CloseDisputed(Command, frozen=True):
    """Inner: a complaint ended; `refund_fen` goes back."""

    order_id: str
    refund_fen: int
    by: str


class WindUpOrder(Command, frozen=True):
    """The engine: the shop has vanished; what nobody complained about ends with all money back."""

    order_id: str


class StopOrderClock(Command, frozen=True):
    """Clock: what outages of the product's issuers, `known` by now, did to the order's deadline."""

    order_id: str
    known: tuple[KnownOutage, ...] = ()


OrderCommand = (
    PlaceOrder | GiveUpOrder | WithdrawOrder | AgreeToWait | ConfirmOrder | ExpireOrder | CancelLateOrder
    | CompleteOrder | ConfirmPayment | MarkDelivered | FreezeOrder | CloseDisputed | WindUpOrder
    | StopOrderClock
)  # fmt: skip


class Briefing(Pricing, frozen=True, kw_only=True):
    """What placing an order must be told about the shop, the listing, the coupon and the buyer."""

    shop_is_open: bool
    shop_is_frozen: bool = False
    fee_bp: int
    listing_is_on_sale: bool
    revision: int = 0
    revision_hash: str = ""
    quantity_min: int = 1
    quantity_max: int = 1
    per_buyer_max: int = 0
    delivery: Delivery = Delivery.VAULT
    promise_min: int = 0
    unpaid_by_buyer: int = 0
    unpaid_by_address: int = 0
    unpaid_per_buyer_max: int = UNPAID_PER_BUYER_MAX
    unpaid_per_address_max: int = UNPAID_PER_ADDRESS_MAX
    bought_by_buyer: int = 0
    coupon_refusal: str = ""
    room_fen: int | None = None
    first_order_fen: int = 0
    known: covering.Acquaintance | None = None


class Order(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of the order now."""

    stage: Stage = Stage.NEW
    listing_id: str = ""
    revision: int = 0
    revision_hash: str = ""
    quantity: int = 0
    unit_price_fen: int = 0
    amount_fen: int = 0
    placed_quantity: int = 0
    placed_fen: int = 0
    fee_bp: int = 0
    delivery: Delivery = Delivery.VAULT
    promise_min: int = 0
    buyer: str = ""
    buyer_key: str = ""
    address_key: str = ""
    account_id: str = ""
    locale: str = ""
    coupon_id: str = ""
    placed_at_ms: int = 0
    expires_at_ms: int = 0
    paid_at_ms: int = 0
    deliver_by_ms: int = 0
    wait_agreed: bool = False
    hold_times: int = 1
    delivered_at_ms: int = 0
    ended_at_ms: int = 0
    ended_by: str = ""
    stops: tuple[Stop, ...] = ()  # of its clocks, by outages


INITIAL = Order()


def decide(
    command: OrderCommand,
    order: Order,
    brief: Briefing | PaymentBriefing | CodesBriefing | WindingBriefing | StopBriefing | None,
    at_ms: int,
) -> list[Event]:
    """What follows from `command` for this order, or a `Refusal`."""
    match command:
        case PlaceOrder():
            assert isinstance(brief, Briefing)
            return [_place(command, order, brief, at_ms)]
        case ConfirmPayment():
            assert isinstance(brief, PaymentBriefing)
            return _confirm_payment(order, brief, at_ms)
        case MarkDelivered():
            assert isinstance(brief, CodesBriefing)
            _require(order, Stage.PAID)
            return [OrderDelivered(quantity=order.quantity)] if brief.delivered == order.quantity else []
        case GiveUpOrder():
            _require(order, Stage.PLACED)
            return [OrderExpired(by="buyer", coupon_id=order.coupon_id)]
        case ExpireOrder():
            _require(order, Stage.PLACED)
            _require_due(order.expires_at_ms, at_ms)
            return [OrderExpired(by="clock", coupon_id=order.coupon_id)]
        case CancelLateOrder():
            assert isinstance(brief, CodesBriefing)
            _require(order, Stage.PAID)
            _require_due(order.deliver_by_ms, at_ms)
            return [_end_late(order, brief.opened)]
        case AgreeToWait():
            _require(order, Stage.PAID)
            if order.wait_agreed:
                raise WaitWasAlreadyAgreed
            return [WaitAgreed(deliver_by_ms=order.deliver_by_ms + order.promise_min * MINUTE_MS)]
        case WithdrawOrder():
            assert isinstance(brief, CodesBriefing)
            _require(order, Stage.PAID, Stage.DELIVERED)
            if brief.opened:
                raise CodeWasAlreadyOpened
            return [OrderWithdrawn(coupon_id=order.coupon_id)]
        case ConfirmOrder():
            _require(order, Stage.DELIVERED)
            return [OrderConfirmed(), OrderCompleted(by="buyer")]
        case CompleteOrder():
            assert isinstance(brief, CodesBriefing)
            _require(order, Stage.DELIVERED)
            _require_due(protected_until_ms(order, brief.first_opened_at_ms), at_ms)
            if brief.is_throttled and order.hold_times < THROTTLED_HOLDS:
                longer = replace(order, hold_times=THROTTLED_HOLDS)
                until_ms = protected_until_ms(longer, brief.first_opened_at_ms)
                return [OrderHeldLonger(times=THROTTLED_HOLDS, until_ms=until_ms)]
            return [OrderCompleted(by="clock")]
        case FreezeOrder():
            _require(order, Stage.DELIVERED)
            return [OrderDisputed()]
        case CloseDisputed():
            _require(order, Stage.DISPUTED)
            invariant(0 <= command.refund_fen <= order.amount_fen, "a refund is part of what was paid")
            if command.refund_fen == 0:
                return [OrderCompleted(by=command.by)]
            return [OrderRefunded(refund_fen=command.refund_fen, partly=command.refund_fen < order.amount_fen)]
        case WindUpOrder():
            assert isinstance(brief, WindingBriefing)
            _require(order, Stage.PLACED, Stage.PAID, Stage.DELIVERED)
            brief.require_vanished()
            if order.stage is Stage.PLACED:
                return [OrderExpired(by="vanished", coupon_id=order.coupon_id)]
            return [OrderWoundUp(refund_fen=order.amount_fen)]
        case StopOrderClock():
            return _stop(command, order, brief, at_ms)
        case _:
            assert_never(command)


def _place(command: PlaceOrder, order: Order, brief: Briefing, at_ms: int) -> OrderPlaced:
    _require(order, Stage.NEW)
    require_text(command.contact, "contact", 254, 3)
    require("@" in command.contact and not any(c in command.contact for c in " \r\n\t,;<>"), "contact", "not_an_email")
    require(command.quantity > 0, "quantity", "not_positive")
    require_text(command.locale, "locale", 35)
    if not brief.shop_is_open:
        raise ShopIsClosed
    if brief.shop_is_frozen:
        raise ShopIsFrozen
    if not brief.listing_is_on_sale:
        raise ListingIsNotOnSale
    if command.revision != brief.revision:
        raise ListingHasChanged(seen=command.revision, current=brief.revision)
    if not brief.quantity_min <= command.quantity <= brief.quantity_max:
        raise QuantityIsOutOfRange(quantity=command.quantity, least=brief.quantity_min, most=brief.quantity_max)
    if brief.per_buyer_max and brief.bought_by_buyer + command.quantity > brief.per_buyer_max:
        raise PurchaseLimitIsReached(limit=brief.per_buyer_max, bought=brief.bought_by_buyer)
    if brief.unpaid_by_buyer >= brief.unpaid_per_buyer_max:
        raise TooManyUnpaidOrders(limit=brief.unpaid_per_buyer_max, whose="buyer")
    if command.address_key and brief.unpaid_by_address >= brief.unpaid_per_address_max:
        raise TooManyUnpaidOrders(limit=brief.unpaid_per_address_max, whose="address")
    if brief.coupon_refusal:
        raise CouponIsNotValid(why=brief.coupon_refusal)
    unit_fen, discount_fen, amount_fen = price_of(command.quantity, brief)
    covering.require_room(brief.room_fen, amount_fen)
    covering.require_first(brief.first_order_fen, brief.known, amount_fen)
    return OrderPlaced(
        listing_id=command.listing_id, revision=brief.revision, revision_hash=brief.revision_hash,
        quantity=command.quantity, unit_price_fen=unit_fen, discount_fen=discount_fen, amount_fen=amount_fen,
        fee_bp=brief.fee_bp, delivery=brief.delivery, promise_min=brief.promise_min, buyer=command.buyer,
        coupon_id=command.coupon_id, expires_at_ms=at_ms + PAYMENT_WINDOW_MS, contact=command.contact,
        buyer_key=command.buyer_key, address_key=command.address_key, account_id=command.account_id,
        locale=command.locale,
    )  # fmt: skip


def _end_late(order: Order, opened: int) -> OrderCutShort | OrderCancelled:
    if opened:
        kept_fen = order.amount_fen * opened // order.quantity
        return OrderCutShort(quantity=opened, amount_fen=kept_fen, refund_fen=order.amount_fen - kept_fen)
    return OrderCancelled(charged_units=0, charged_fen=0, refund_fen=order.amount_fen, coupon_id=order.coupon_id)


def _confirm_payment(order: Order, brief: PaymentBriefing, at_ms: int) -> list[Event]:
    """Short money waits for the rest; late money takes an order that ran out up again when it can still be served."""
    if order.stage not in (Stage.PLACED, Stage.EXPIRED) or brief.held_fen < order.amount_fen:
        return []
    late = order.stage is Stage.EXPIRED
    if late and (order.ended_by in ("buyer", "vanished") or not brief.can_be_served):  # who gave it up wants it no more
        return []
    deliver_by_ms = at_ms + order.promise_min * MINUTE_MS if order.delivery is Delivery.MANUAL else at_ms
    return [
        OrderPaid(
            amount_fen=order.amount_fen,
            late=late,
            delivery=order.delivery,
            deliver_by_ms=deliver_by_ms,
            listing_id=order.listing_id,
            quantity=order.quantity,
            coupon_id=order.coupon_id,
        )
    ]


def protected_until_ms(order: Order, first_opened_at_ms: int) -> int:
    """When the buyer's protection ends: 72 h after the first opening, 7 days after delivery if never opened; twice as
    long with a throttled shop, and longer by what outages took of it.
    """
    # A code of a partly delivered order may be opened before the last one arrives: never shorten his time to look.
    since_ms = max(first_opened_at_ms, order.delivered_at_ms)
    window_ms = PROTECTION_AFTER_REVEAL_MS if first_opened_at_ms else PROTECTION_SEALED_MS
    stood_ms = stopping.stood_ms(order.stops, _looking(first_opened_at_ms), since_ms)
    return since_ms + window_ms * order.hold_times + stood_ms


def running(order: Order, first_opened_at_ms: int) -> Running | None:
    """The clock of the order that an outage can stop."""
    if order.stage is Stage.PAID:
        return Running(clock="delivery", since_ms=order.paid_at_ms, due_at_ms=order.deliver_by_ms)
    if order.stage is not Stage.DELIVERED:
        return None
    since_ms, due_at_ms = max(first_opened_at_ms, order.delivered_at_ms), protected_until_ms(order, first_opened_at_ms)
    return Running(clock=_looking(first_opened_at_ms), since_ms=since_ms, due_at_ms=due_at_ms)


def _stop(command: StopOrderClock, order: Order, brief: Struct | None, at_ms: int) -> list[Event]:
    assert isinstance(brief, StopBriefing)
    runs = running(order, brief.first_opened_at_ms)
    return stopping.told(OrderClockStopped, runs, order.stops, command.known, brief, at_ms)


def _looking(first_opened_at_ms: int) -> str:
    return "protection" if first_opened_at_ms else "sealed"


def _require(order: Order, *allowed: Stage) -> None:
    if order.stage not in allowed:
        raise OrderIsInAnotherStage(stage=order.stage.value, allowed=[stage.value for stage in allowed])


def _require_due(due_at_ms: int, at_ms: int) -> None:
    if at_ms < due_at_ms:
        raise NotDueYet(due_at_ms=due_at_ms)


def evolve(order: Order, event: OrderEvent, at_ms: int) -> Order:
    """The order after `event`."""
    match event:
        case OrderPlaced():
            return Order(
                stage=Stage.PLACED, listing_id=event.listing_id, revision=event.revision,
                revision_hash=event.revision_hash, quantity=event.quantity, unit_price_fen=event.unit_price_fen,
                amount_fen=event.amount_fen, placed_quantity=event.quantity, placed_fen=event.amount_fen,
                fee_bp=event.fee_bp, delivery=event.delivery, promise_min=event.promise_min, buyer=event.buyer,
                buyer_key=event.buyer_key, address_key=event.address_key, account_id=event.account_id,
                locale=event.locale, coupon_id=event.coupon_id, placed_at_ms=at_ms, expires_at_ms=event.expires_at_ms,
            )  # fmt: skip
        case OrderExpired():
            return replace(order, stage=Stage.EXPIRED, ended_at_ms=at_ms, ended_by=event.by)
        case OrderPaid():
            return replace(
                order, stage=Stage.PAID, paid_at_ms=at_ms, deliver_by_ms=event.deliver_by_ms, ended_at_ms=0, ended_by=""
            )
        case OrderDelivered():
            return replace(order, stage=Stage.DELIVERED, delivered_at_ms=at_ms)
        case OrderHeldLonger():
            return replace(order, hold_times=event.times)
        case WaitAgreed():
            return replace(order, deliver_by_ms=event.deliver_by_ms, wait_agreed=True)
        case OrderCutShort():
            order = replace(order, stage=Stage.DELIVERED, delivered_at_ms=at_ms)
            return replace(order, quantity=event.quantity, amount_fen=event.amount_fen)
        case OrderCancelled():
            stage = Stage.PARTLY_REFUNDED if event.charged_units else Stage.CANCELLED
            return replace(order, stage=stage, ended_at_ms=at_ms, ended_by="clock")
        case OrderWithdrawn():
            return replace(order, stage=Stage.CANCELLED, ended_at_ms=at_ms, ended_by="buyer")
        case OrderDisputed():
            return replace(order, stage=Stage.DISPUTED)
        case OrderCompleted():
            return replace(order, stage=Stage.COMPLETED, ended_at_ms=at_ms, ended_by=event.by)
        case OrderRefunded():
            stage = Stage.PARTLY_REFUNDED if event.partly else Stage.REFUNDED
            return replace(order, stage=stage, ended_at_ms=at_ms, ended_by="complaint")
        case OrderWoundUp():
            return replace(order, stage=Stage.REFUNDED, ended_at_ms=at_ms, ended_by="vanished")
        case OrderClockStopped():
            moved = replace(order, stops=(*order.stops, stopping.stop_of(event)))
            is_new = event.clock == "delivery" and event.until_ms
            return replace(moved, deliver_by_ms=event.due_at_ms) if is_new else moved
        case OrderConfirmed():
            return order
        case _:
            assert_never(event)
