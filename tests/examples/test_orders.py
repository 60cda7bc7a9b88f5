"""Orders: placing, the payment window, the delivery promise, protection, and every way an order ends."""

from msgspec.structs import replace

from business_cases import COUPON, LISTING, NOW, ORDER, SHOP, Case, all_of, hold, state_after
from fairkey.business import orders
from fairkey.business.basics import DAY_MS, HOUR_MS, MINUTE_MS, Broken, FieldIsInvalid
from fairkey.business.order_briefings import CodesBriefing, PaymentBriefing, WindingBriefing
from fairkey.business.order_refusals import (
    CodeWasAlreadyOpened,
    CouponIsNotValid,
    ListingHasChanged,
    ListingIsNotOnSale,
    NotDueYet,
    OrderIsInAnotherStage,
    PurchaseLimitIsReached,
    QuantityIsOutOfRange,
    ShopHasNotVanished,
    ShopIsClosed,
    ShopIsFrozen,
    TooManyUnpaidOrders,
    WaitWasAlreadyAgreed,
)
from fairkey.business.orders import (
    AgreeToWait,
    Briefing,
    CancelLateOrder,
    CloseDisputed,
    CompleteOrder,
    ConfirmOrder,
    ConfirmPayment,
    Delivery,
    ExpireOrder,
    FreezeOrder,
    GiveUpOrder,
    MarkDelivered,
    OrderCancelled,
    OrderCompleted,
    OrderConfirmed,
    OrderCutShort,
    OrderDelivered,
    OrderDisputed,
    OrderExpired,
    OrderHeldLonger,
    OrderPaid,
    OrderPlaced,
    OrderRefunded,
    OrderWithdrawn,
    OrderWoundUp,
    PlaceOrder,
    Stage,
    WaitAgreed,
    WindUpOrder,
    WithdrawOrder,
)

WINDOW_MS = 15 * MINUTE_MS
TERMS = Briefing(
    shop_is_open=True,
    fee_bp=200,
    listing_is_on_sale=True,
    revision=3,
    revision_hash="ab" * 32,
    price_fen=1_000,
    quantity_max=20,
)
PLACE = PlaceOrder(
    shop_id=SHOP,
    order_id=ORDER,
    listing_id=LISTING,
    revision=3,
    quantity=2,
    contact="li@example.com",
    buyer="pseudonym",
    buyer_key="key",
    address_key="net",
    account_id="",
)
PLACED = OrderPlaced(
    listing_id=LISTING,
    revision=3,
    revision_hash="ab" * 32,
    quantity=2,
    unit_price_fen=1_000,
    discount_fen=0,
    amount_fen=2_000,
    fee_bp=200,
    delivery=Delivery.VAULT,
    promise_min=0,
    buyer="pseudonym",
    coupon_id="",
    expires_at_ms=NOW + WINDOW_MS,
    contact="li@example.com",
    buyer_key="key",
    address_key="net",
    account_id="",
)
MANUAL = replace(PLACED, delivery=Delivery.MANUAL, promise_min=30)
PAID = OrderPaid(
    amount_fen=2_000,
    late=False,
    delivery=Delivery.VAULT,
    deliver_by_ms=NOW,
    listing_id=LISTING,
    quantity=2,
    coupon_id="",
)
PAID_MANUAL = replace(PAID, delivery=Delivery.MANUAL, deliver_by_ms=NOW + 30 * MINUTE_MS)
DELIVERED = OrderDelivered(quantity=2)
DISPUTED = OrderDisputed()
GONE = OrderExpired(by="clock", coupon_id="")
SEALED = CodesBriefing(delivered=2, opened=0, first_opened_at_ms=0)
OPENED = CodesBriefing(delivered=2, opened=1, first_opened_at_ms=NOW)
ID = {"shop_id": SHOP, "order_id": ORDER}
EVERY_END = {
    Stage.EXPIRED: (PLACED, GONE),
    Stage.CANCELLED: (PLACED, PAID, OrderWithdrawn(coupon_id="")),
    Stage.COMPLETED: (PLACED, PAID, DELIVERED, OrderCompleted(by="buyer")),
    Stage.REFUNDED: (PLACED, PAID, DELIVERED, DISPUTED, OrderRefunded(refund_fen=2_000, partly=False)),
    Stage.PARTLY_REFUNDED: (PLACED, PAID, DELIVERED, DISPUTED, OrderRefunded(refund_fen=500, partly=True)),
}
BEFORE = {
    Stage.NEW: (),
    Stage.PLACED: (PLACED,),
    Stage.PAID: (PLACED, PAID),
    Stage.DELIVERED: (PLACED, PAID, DELIVERED),
    Stage.DISPUTED: (PLACED, PAID, DELIVERED, DISPUTED),
    **EVERY_END,
}


def placing(rule: str, then: object, brief: Briefing = TERMS, **wish: object) -> Case:
    return Case(rule=rule, when=replace(PLACE, **wish), brief=brief, then=then)


def terms(**changed: object) -> Briefing:
    return replace(TERMS, **changed)


PLACING = [
    placing("a wish that fits is placed at the listing's price and ends unpaid in 15 minutes", [PLACED]),
    placing(
        "a manual listing's promise is kept with the order",
        [MANUAL],
        terms(delivery=Delivery.MANUAL, promise_min=30),
    ),
    placing("a closed shop takes no orders", ShopIsClosed, terms(shop_is_open=False)),
    placing("nor does one whose meter froze it", ShopIsFrozen, terms(shop_is_frozen=True)),
    placing("what is not on sale cannot be bought", ListingIsNotOnSale, terms(listing_is_on_sale=False)),
    placing("a buyer who saw an older revision is told", (ListingHasChanged, {"seen": 2, "current": 3}), revision=2),
    placing("nor can a revision of the future be ordered", ListingHasChanged, revision=4),
    placing("no units is no order", (FieldIsInvalid, {"field": "quantity", "why": "not_positive"}), quantity=0),
    placing("nor are fewer than none", FieldIsInvalid, quantity=-1),
    placing("the least quantity can be bought", [replace(PLACED, quantity=2)], terms(quantity_min=2)),
    placing(
        "one less than the least cannot",
        (QuantityIsOutOfRange, {"quantity": 2, "least": 3, "most": 20}),
        terms(quantity_min=3),
    ),
    placing("the greatest quantity can be bought", [PLACED], terms(quantity_max=2)),
    placing("one more than the greatest cannot", QuantityIsOutOfRange, terms(quantity_max=1)),
    placing("a purchase limit may be reached", [PLACED], terms(per_buyer_max=5, bought_by_buyer=3)),
    placing(
        "but not passed", (PurchaseLimitIsReached, {"limit": 5, "bought": 4}), terms(per_buyer_max=5, bought_by_buyer=4)
    ),
    placing("limit 0 is no limit", [PLACED], terms(per_buyer_max=0, bought_by_buyer=10_000)),
    placing("a third unpaid order is taken", [PLACED], terms(unpaid_by_buyer=2)),
    placing("a fourth is not", (TooManyUnpaidOrders, {"limit": 3, "whose": "buyer"}), terms(unpaid_by_buyer=3)),
    placing("a tenth unpaid order from one address is taken", [PLACED], terms(unpaid_by_address=9)),
    placing(
        "an eleventh is not", (TooManyUnpaidOrders, {"limit": 10, "whose": "address"}), terms(unpaid_by_address=10)
    ),
    placing(
        "an unknown address is not counted",
        [replace(PLACED, address_key="")],
        terms(unpaid_by_address=10),
        address_key="",
    ),
    *(
        placing(
            f"a coupon that is {why} is refused with that word",
            (CouponIsNotValid, {"why": why}),
            terms(coupon_refusal=why),
        )
        for why in ("unknown", "expired", "used_up", "other_listing")
    ),
    *(
        placing(f"{contact!r} is no address to write to", FieldIsInvalid, contact=contact)
        for contact in (
            "",
            "ab",
            "nobody",
            "a b@c.d",
            "a@b,c@d",
            "a@b\r\nBcc: c@d",
            "<a@b>",
            "a@b\x00",
            "a@" + "b" * 253,
        )
    ),
    placing("254 characters are", [replace(PLACED, contact="a@" + "b" * 252)], contact="a@" + "b" * 252),
    *(
        Case(
            rule=f"an order that is {stage} is not placed again",
            given=given,
            when=PLACE,
            brief=TERMS,
            then=OrderIsInAnotherStage,
        )
        for stage, given in BEFORE.items()
        if stage is not Stage.NEW
    ),
]


def priced(rule: str, brief: Briefing, quantity: int, unit_fen: int, off_fen: int, amount_fen: int) -> Case:
    order = replace(PLACED, quantity=quantity, unit_price_fen=unit_fen, discount_fen=off_fen, amount_fen=amount_fen)
    return placing(rule, [order], brief, quantity=quantity)


TIERED = terms(tiers=((5, 900), (10, 700)))
PRICES = [
    priced("below the first tier the plain price holds", TIERED, 4, 1_000, 0, 4_000),
    priced("from the first tier on every unit is cheaper", TIERED, 5, 900, 0, 4_500),
    priced("up to the second", TIERED, 9, 900, 0, 8_100),
    priced("from the second on again", TIERED, 10, 700, 0, 7_000),
    priced("a sum off", terms(coupon_off_fen=300), 2, 1_000, 300, 1_700),
    priced("a share off, rounded down", terms(price_fen=333, coupon_off_bp=1_500), 1, 333, 49, 284),
    priced("tier first, then the coupon", replace(TIERED, coupon_off_bp=1_000), 5, 900, 450, 4_050),
    priced(
        "the coupon's least is reached exactly", terms(coupon_off_fen=1, coupon_least_fen=2_000), 2, 1_000, 1, 1_999
    ),
    priced("a coupon never takes the last fen of a unit", terms(coupon_off_fen=5_000), 2, 1_000, 1_998, 2),
    priced("a unit of one fen cannot become cheaper", terms(price_fen=1, coupon_off_fen=1), 1, 1, 0, 1),
    placing(
        "below the coupon's least it is refused",
        (CouponIsNotValid, {"why": "below_minimum", "least_fen": 2_001}),
        terms(coupon_off_fen=1, coupon_least_fen=2_001),
    ),
]


def confirming(
    rule: str, given: tuple[object, ...], held_fen: int, then: object, *, served: bool = False, at_ms: int = NOW
) -> Case:
    brief = PaymentBriefing(held_fen=held_fen, can_be_served=served)
    return Case(rule=rule, given=given, when=ConfirmPayment(**ID), brief=brief, at_ms=at_ms, then=then)


LATE_MS = NOW + WINDOW_MS + 1
PAYING = [
    confirming("one fen short is not paid", (PLACED,), 1_999, []),
    confirming("the exact sum is", (PLACED,), 2_000, [PAID]),
    confirming("more is, too", (PLACED,), 2_001, [PAID]),
    confirming("nothing held pays nothing", (PLACED,), 0, []),
    confirming(
        "a manual order's promise runs from the payment",
        (MANUAL,),
        2_000,
        [replace(PAID_MANUAL, deliver_by_ms=NOW + 5 + 30 * MINUTE_MS)],
        at_ms=NOW + 5,
    ),
    confirming(
        "after the window but before the clock came it is still in time",
        (PLACED,),
        2_000,
        [replace(PAID, deliver_by_ms=LATE_MS)],
        at_ms=LATE_MS,
    ),
    confirming(
        "late, and still to be served: taken up again", (PLACED, GONE), 2_000, [replace(PAID, late=True)], served=True
    ),
    confirming(
        "late, but the buyer had given it up: left to the money",
        (PLACED, OrderExpired(by="buyer", coupon_id="")),
        2_000,
        [],
        served=True,
    ),
    confirming("late, and sold out: left to the money", (PLACED, GONE), 2_000, []),
    confirming("late and short: left to the money", (PLACED, GONE), 1_999, [], served=True),
    confirming(
        "the coupon of a late order comes along",
        (replace(PLACED, coupon_id=COUPON), OrderExpired(by="clock", coupon_id=COUPON)),
        2_000,
        [replace(PAID, late=True, coupon_id=COUPON)],
        served=True,
    ),
    *(
        confirming(f"money for an order that is {stage} does not move it", given, 2_000, [], served=True)
        for stage, given in BEFORE.items()
        if stage not in (Stage.PLACED, Stage.EXPIRED)
    ),
]
UNPAID_ENDS = [
    Case(
        rule="the buyer gives an unpaid order up",
        given=(PLACED,),
        when=GiveUpOrder(**ID),
        then=[OrderExpired(by="buyer", coupon_id="")],
    ),
    Case(
        rule="one millisecond before the window ends it does not expire",
        given=(PLACED,),
        when=ExpireOrder(**ID),
        at_ms=NOW + WINDOW_MS - 1,
        then=(NotDueYet, {"due_at_ms": NOW + WINDOW_MS}),
    ),
    Case(
        rule="at the end of the window it expires",
        given=(PLACED,),
        when=ExpireOrder(**ID),
        at_ms=NOW + WINDOW_MS,
        then=[GONE],
    ),
    Case(
        rule="an expiring order names the coupon it gives back",
        given=(replace(PLACED, coupon_id=COUPON),),
        when=ExpireOrder(**ID),
        at_ms=NOW + WINDOW_MS,
        then=[OrderExpired(by="clock", coupon_id=COUPON)],
    ),
    *(
        Case(
            rule=f"{type(when).__name__} does not touch an order that is {stage}",
            given=given,
            when=when,
            at_ms=NOW + DAY_MS,
            then=OrderIsInAnotherStage,
        )
        for when in (GiveUpOrder(**ID), ExpireOrder(**ID))
        for stage, given in BEFORE.items()
        if stage is not Stage.PLACED
    ),
]


def late(rule: str, at_ms: int, opened: int, then: object, given: tuple[object, ...] = (MANUAL, PAID_MANUAL)) -> Case:
    brief = CodesBriefing(delivered=max(opened, 1), opened=opened, first_opened_at_ms=NOW if opened else 0)
    return Case(rule=rule, given=given, when=CancelLateOrder(**ID), brief=brief, at_ms=at_ms, then=then)


DUE_MS = NOW + 30 * MINUTE_MS
CANCELLED = OrderCancelled(charged_units=0, charged_fen=0, refund_fen=2_000, coupon_id="")
ODD = replace(MANUAL, quantity=3, amount_fen=1_000)
WAITED = (MANUAL, PAID_MANUAL, WaitAgreed(deliver_by_ms=DUE_MS + 30 * MINUTE_MS))
PROMISE = [
    late(
        "one millisecond before the promise ends nothing is cancelled",
        DUE_MS - 1,
        0,
        (NotDueYet, {"due_at_ms": DUE_MS}),
    ),
    late("a missed promise cancels and gives everything back", DUE_MS, 0, [CANCELLED]),
    late(
        "what was opened is his and counts as delivered, the rest goes back",
        DUE_MS,
        1,
        [OrderCutShort(quantity=1, amount_fen=1_000, refund_fen=1_000)],
    ),
    late(
        "a share is rounded in the buyer's favour",
        DUE_MS,
        2,
        [OrderCutShort(quantity=2, amount_fen=666, refund_fen=334)],
        (ODD, replace(PAID_MANUAL, quantity=3, amount_fen=1_000)),
    ),
    late("an agreed wait moves the end", DUE_MS + 30 * MINUTE_MS - 1, 0, NotDueYet, WAITED),
    late("and then it is the end", DUE_MS + 30 * MINUTE_MS, 0, [CANCELLED], WAITED),
    Case(
        rule="the buyer may wait once more",
        given=(MANUAL, PAID_MANUAL),
        when=AgreeToWait(**ID),
        then=[WaitAgreed(deliver_by_ms=DUE_MS + 30 * MINUTE_MS)],
    ),
    Case(rule="but only once", given=WAITED, when=AgreeToWait(**ID), then=WaitWasAlreadyAgreed),
    *(
        Case(
            rule=f"{type(when).__name__} needs a paid order, not one that is {stage}",
            given=given,
            when=when,
            brief=SEALED,
            at_ms=NOW + DAY_MS,
            then=OrderIsInAnotherStage,
        )
        for when in (CancelLateOrder(**ID), AgreeToWait(**ID), MarkDelivered(**ID))
        for stage, given in BEFORE.items()
        if stage is not Stage.PAID
    ),
    Case(
        rule="all units make it delivered",
        given=(PLACED, PAID),
        when=MarkDelivered(**ID),
        brief=SEALED,
        then=[DELIVERED],
    ),
    Case(
        rule="one unit less does not",
        given=(MANUAL, PAID_MANUAL),
        when=MarkDelivered(**ID),
        brief=CodesBriefing(delivered=1, opened=0, first_opened_at_ms=0),
        then=[],
    ),
]
WITHDRAWN = OrderWithdrawn(coupon_id="")
STEPPING_BACK = [
    Case(
        rule="a buyer steps back while all is sealed",
        given=(PLACED, PAID, DELIVERED),
        when=WithdrawOrder(**ID),
        brief=SEALED,
        then=[WITHDRAWN],
    ),
    Case(
        rule="and while he waits for typed codes",
        given=(MANUAL, PAID_MANUAL),
        when=WithdrawOrder(**ID),
        brief=SEALED,
        then=[WITHDRAWN],
    ),
    Case(
        rule="not after opening one",
        given=(PLACED, PAID, DELIVERED),
        when=WithdrawOrder(**ID),
        brief=OPENED,
        then=CodeWasAlreadyOpened,
    ),
    *(
        Case(
            rule=f"there is no stepping back from an order that is {stage}",
            given=given,
            when=WithdrawOrder(**ID),
            brief=SEALED,
            then=OrderIsInAnotherStage,
        )
        for stage, given in BEFORE.items()
        if stage not in (Stage.PAID, Stage.DELIVERED)
    ),
]


def ending(rule: str, at_ms: int, first_opened_at_ms: int, then: object, delivered_at_ms: int = NOW) -> Case:
    brief = CodesBriefing(delivered=2, opened=int(bool(first_opened_at_ms)), first_opened_at_ms=first_opened_at_ms)
    given = (PLACED, PAID, (DELIVERED, delivered_at_ms))
    return Case(rule=rule, given=given, when=CompleteOrder(**ID), brief=brief, at_ms=at_ms, then=then)


BY_CLOCK = [OrderCompleted(by="clock")]
THROTTLED = CodesBriefing(delivered=2, opened=0, first_opened_at_ms=0, is_throttled=True)
LONGER = OrderHeldLonger(times=2, until_ms=NOW + 14 * DAY_MS)
PROTECTION = [
    ending(
        "a sealed order is protected for 7 days", NOW + 7 * DAY_MS - 1, 0, (NotDueYet, {"due_at_ms": NOW + 7 * DAY_MS})
    ),
    ending("then it completes by itself", NOW + 7 * DAY_MS, 0, BY_CLOCK),
    ending("an opened one is protected for 72 hours", NOW + 5 + 72 * HOUR_MS - 1, NOW + 5, NotDueYet),
    ending("then it completes, too", NOW + 5 + 72 * HOUR_MS, NOW + 5, BY_CLOCK),
    ending("opening on the last day prolongs the protection", NOW + 7 * DAY_MS, NOW + 7 * DAY_MS - 1, NotDueYet),
    ending(
        "a code opened before the last one came never shortens the time to look",
        NOW + 80 * HOUR_MS - 1,
        NOW,
        NotDueYet,
        NOW + 8 * HOUR_MS,
    ),
    ending("it runs from the delivery then", NOW + 80 * HOUR_MS, NOW, BY_CLOCK, NOW + 8 * HOUR_MS),
    Case(
        rule="with a throttled shop it lasts twice as long",
        given=(PLACED, PAID, DELIVERED),
        when=CompleteOrder(**ID),
        brief=THROTTLED,
        at_ms=NOW + 7 * DAY_MS,
        then=[LONGER],
    ),
    Case(
        rule="not longer than that",
        given=(PLACED, PAID, DELIVERED, (LONGER, NOW + 7 * DAY_MS)),
        when=CompleteOrder(**ID),
        brief=THROTTLED,
        at_ms=NOW + 14 * DAY_MS,
        then=BY_CLOCK,
    ),
    Case(
        rule="and not shorter, though the shop be throttled no more",
        given=(PLACED, PAID, DELIVERED, (LONGER, NOW + 7 * DAY_MS)),
        when=CompleteOrder(**ID),
        brief=replace(THROTTLED, is_throttled=False),
        at_ms=NOW + 14 * DAY_MS - 1,
        then=NotDueYet,
    ),
    Case(
        rule="the buyer's word completes at once",
        given=(PLACED, PAID, DELIVERED),
        when=ConfirmOrder(**ID),
        then=[OrderConfirmed(), OrderCompleted(by="buyer")],
    ),
    Case(rule="a complaint freezes", given=(PLACED, PAID, DELIVERED), when=FreezeOrder(**ID), then=[DISPUTED]),
    *(
        Case(
            rule=f"{type(when).__name__} needs a delivered order, not one that is {stage}",
            given=given,
            when=when,
            brief=SEALED,
            at_ms=NOW + 30 * DAY_MS,
            then=OrderIsInAnotherStage,
        )
        for when in (CompleteOrder(**ID), ConfirmOrder(**ID), FreezeOrder(**ID))
        for stage, given in BEFORE.items()
        if stage is not Stage.DELIVERED
    ),
]


def closing(rule: str, refund_fen: int, then: object, given: tuple[object, ...] = BEFORE[Stage.DISPUTED]) -> Case:
    return Case(rule=rule, given=given, when=CloseDisputed(**ID, refund_fen=refund_fen, by="ruled"), then=then)


def winding(rule: str, given: tuple[object, ...], then: object, *, has_vanished: bool = True) -> Case:
    brief = WindingBriefing(has_vanished=has_vanished, amount_fen=2_000)
    return Case(rule=rule, given=given, when=WindUpOrder(**ID), brief=brief, then=then)


WOUND_UP = OrderWoundUp(refund_fen=2_000)
WINDING = [
    winding("an unpaid order of a vanished shop ends", (PLACED,), [OrderExpired(by="vanished", coupon_id="")]),
    winding("a paid one ends with all money back", (PLACED, PAID_MANUAL), [WOUND_UP]),
    winding("a delivered one, too, whatever was opened", (PLACED, PAID, DELIVERED), [WOUND_UP]),
    winding("no order ends without the ruling", (PLACED, PAID), ShopHasNotVanished, has_vanished=False),
    *(
        winding(f"an order that is {stage} is not ended so", given, OrderIsInAnotherStage)
        for stage, given in {**BEFORE, "wound up": (PLACED, PAID, WOUND_UP)}.items()
        if stage not in (Stage.PLACED, Stage.PAID, Stage.DELIVERED)
    ),
    Case(
        rule="money that comes when the shop has vanished does not take the order up again",
        given=(PLACED, OrderExpired(by="vanished", coupon_id="")),
        when=ConfirmPayment(**ID),
        brief=PaymentBriefing(held_fen=2_000, can_be_served=True),
        then=[],
    ),
]
CLOSING = [
    closing("a rejected complaint completes the order", 0, [OrderCompleted(by="ruled")]),
    closing("one fen back is a part", 1, [OrderRefunded(refund_fen=1, partly=True)]),
    closing("all but one fen is still a part", 1_999, [OrderRefunded(refund_fen=1_999, partly=True)]),
    closing("all of it is a refund", 2_000, [OrderRefunded(refund_fen=2_000, partly=False)]),
    closing("more than was paid is our own bug", 2_001, Broken),
    closing("and so is less than nothing", -1, Broken),
    *(
        closing(f"an order that is {stage} has no complaint to close", 0, OrderIsInAnotherStage, given)
        for stage, given in BEFORE.items()
        if stage is not Stage.DISPUTED
    ),
]
CASES = [*PLACING, *PRICES, *PAYING, *UNPAID_ENDS, *PROMISE, *STEPPING_BACK, *PROTECTION, *CLOSING, *WINDING]


@all_of(CASES)
def test_orders(case: Case) -> None:
    hold(orders, case)


def test_every_stage_is_reached_by_its_events() -> None:
    for stage, given in BEFORE.items():
        assert state_after(orders, given).stage is stage
    cut = state_after(
        orders,
        (MANUAL, PAID_MANUAL, OrderCancelled(charged_units=1, charged_fen=1_000, refund_fen=1_000, coupon_id="")),
    )
    assert cut.stage is Stage.PARTLY_REFUNDED
    assert state_after(orders, (MANUAL, PAID_MANUAL, CANCELLED)).stage is Stage.CANCELLED


def test_an_order_cut_short_is_a_smaller_delivered_one() -> None:
    short = OrderCutShort(quantity=1, amount_fen=1_000, refund_fen=1_000)
    order = state_after(orders, (MANUAL, PAID_MANUAL, (short, DUE_MS)))
    assert (order.stage, order.quantity, order.amount_fen) == (Stage.DELIVERED, 1, 1_000)
    assert orders.protected_until_ms(order, DUE_MS - 1) == DUE_MS + orders.PROTECTION_AFTER_REVEAL_MS


def test_a_late_order_is_open_again() -> None:
    order = state_after(orders, (PLACED, (GONE, NOW + 1), (replace(PAID, late=True), NOW + 2)))
    assert (order.stage, order.ended_at_ms, order.ended_by, order.paid_at_ms) == (Stage.PAID, 0, "", NOW + 2)
