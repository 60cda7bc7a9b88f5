"""Clocks that stand still in an outage of the issuer (R12): moved once by what both lasted, never by more than 72 h."""

import pytest
from msgspec.structs import replace

from business_cases import NOW, ORDER, SHOP, Case, all_of, hold, state_after
from fairkey.business import complaints, orders
from fairkey.business.basics import DAY_MS, HOUR_MS, SECOND_MS
from fairkey.business.complaints import StopDisputeClock
from fairkey.business.deadlines import Due, due_of
from fairkey.business.dispute_events import (
    BuyerAsked,
    ComplaintContested,
    ComplaintLapsed,
    ComplaintOpened,
    ComplaintRuled,
    JudgingWaits,
    Reason,
    ReplacementSent,
    ReviewAsked,
    RulingReviewed,
    Side,
)
from fairkey.business.files import OrderFile
from fairkey.business.order_briefings import CodesBriefing
from fairkey.business.orders import OrderDelivered, OrderPaid, OrderPlaced, StopOrderClock
from fairkey.business.stopping import (
    STANDS_MAX_MS,
    DisputeClockStopped,
    KnownOutage,
    OrderClockStopped,
    Running,
    Stop,
    StopBriefing,
    standing,
    stopped,
    stopped_for_ms,
)
from golden.samples import SAMPLES

SAMPLE = {type(event): event for event in SAMPLES}
ID = {"shop_id": SHOP, "order_id": ORDER}
H = HOUR_MS
ISSUER = "00000000-0000-7000-8000-000000000071"
OTHER = "00000000-0000-7000-8000-000000000072"
NOTHING = StopBriefing(elsewhere_ms=0)
# A clock of 48 hours that began at NOW.
CLOCK = Running(clock="answer", since_ms=NOW, due_at_ms=NOW + 48 * H)


def out(from_h: float, until_h: float = 0, no: int = 1, issuer: str = ISSUER) -> KnownOutage:
    """Hours after NOW; `until_h` 0: it lasts."""
    end_ms = NOW + int(until_h * H) if until_h else 0
    return KnownOutage(issuer_id=issuer, outage_no=no, began_at_ms=NOW + int(from_h * H), ended_at_ms=end_ms)


def stop(from_h: float, until_h: float, due_h: float, by_h: float = -1, no: int = 1, issuer: str = ISSUER) -> Stop:
    return Stop(
        clock=CLOCK.clock,
        since_ms=NOW,
        issuer_id=issuer,
        outage_no=no,
        from_ms=NOW + int(from_h * H),
        until_ms=NOW + int(until_h * H) if until_h else 0,
        by_ms=int((until_h - from_h if by_h < 0 else by_h) * H),
        due_at_ms=NOW + int(due_h * H),
    )


SPANS = [
    ("no outage, nothing", [], 48, []),
    ("one inside moves it by its length", [out(10, 13)], 48, [stop(10, 13, 51)]),
    ("that is known before the deadline", [out(10, 13)], 13, [stop(10, 13, 51)]),
    ("one that began before the clock counts from its beginning", [out(-5, 3)], 48, [stop(0, 3, 51)]),
    ("one that was over before it is none", [out(-5, -1)], 48, []),
    ("one that ended just after its beginning counts a little", [out(-5, 0.0001)], 48, [stop(0, 0.0001, 48.0001)]),
    ("one that began just before the deadline stops it whole", [out(47.5, 60)], 70, [stop(47.5, 60, 60.5)]),
    ("one that began at the deadline came too late", [out(48, 60)], 70, []),
    ("one that began behind a move is inside it", [out(10, 13), out(50, 52, 2)], 60,
        [stop(10, 13, 51), stop(50, 52, 53, no=2)]),
    ("one that lasts waits for the deadline", [out(10)], 47.9, []),
    ("at the deadline the clock stands, for 72 hours at most", [out(10)], 48, [stop(10, 0, 82, 0)]),
    ("and when 72 hours are over it goes on by itself", [out(10)], 82, [stop(10, 82, 120)]),
    ("one of four days counts three", [out(10, 106)], 120, [stop(10, 82, 120)]),
    ("two of different issuers at one time are one", [out(10, 13), out(11, 14, 1, OTHER)], 48,
        [stop(10, 13, 51), stop(11, 14, 52, 1, issuer=OTHER)]),
    ("one within another counts nothing", [out(10, 14), out(11, 13, 1, OTHER)], 48, [stop(10, 14, 52)]),
    ("all together 72 hours", [out(1, 41), out(42, 82, 2)], 90, [stop(1, 41, 88), stop(42, 74, 120, 32, no=2)]),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "known", "at_h", "found"), SPANS, ids=[one[0] for one in SPANS])
def test_what_outages_do_to_a_clock(rule: str, known: list[KnownOutage], at_h: float, found: list[Stop]) -> None:
    _ = rule
    at_ms = NOW + int(at_h * H)
    assert stopped(CLOCK, (), known, 0, at_ms) == found
    moved = [one for one in found if one.until_ms]
    then = replace(CLOCK, due_at_ms=moved[-1].due_at_ms if moved else CLOCK.due_at_ms)
    assert stopped(then, tuple(found), known, 0, at_ms) == [], "looking twice is looking once"


def test_what_stands_goes_on_when_it_is_over() -> None:
    stands = (stop(10, 0, 82, 0),)
    assert standing(CLOCK, stands) == stands[0]
    assert stopped(CLOCK, stands, [out(10)], 0, NOW + 81 * H) == []
    (done,) = stopped(CLOCK, stands, [out(10, 60)], 0, NOW + 60 * H)
    assert done == stop(10, 60, 98), "the 38 hours that were left are left"
    assert standing(CLOCK, (*stands, done)) is None
    assert stopped(CLOCK, stands, [], 0, NOW + 82 * H) == [stop(10, 82, 120)], "nobody has to know the outage any more"
    (none,) = stopped(CLOCK, stands, [out(10, 10)], 0, NOW + 60 * H)
    assert (none.by_ms, none.due_at_ms) == (0, CLOCK.due_at_ms), "denied from its beginning: the clock had run out"


def test_what_other_clocks_of_the_order_took_is_gone() -> None:
    (one,) = stopped(CLOCK, (), [out(10, 20)], STANDS_MAX_MS - 4 * H, NOW + 48 * H)
    assert (one.by_ms, one.due_at_ms) == (4 * H, NOW + 52 * H)
    assert stopped(CLOCK, (), [out(10, 20)], STANDS_MAX_MS, NOW + 48 * H) == []
    (stand,) = stopped(CLOCK, (), [out(10)], STANDS_MAX_MS - 40 * H, NOW + 48 * H)
    assert stand.due_at_ms == NOW + 50 * H


def test_what_the_standard_is_told() -> None:
    known = [out(-5, 3), out(2, 6, 1, OTHER), out(10, 0, 2)]
    assert stopped_for_ms(known, NOW, NOW + 12 * H) == 6 * H, "what lasts is told as an outage, not as stopped time"
    assert stopped_for_ms(known, NOW, NOW + 90 * H) == STANDS_MAX_MS
    assert stopped_for_ms(known, NOW, NOW + 90 * H, 5 * H) == 5 * H
    assert stopped_for_ms([out(10, 20)], NOW, NOW + 9 * H) == 0


# The clocks of an order.

PLACED = replace(SAMPLE[OrderPlaced], promise_min=60, delivery=orders.Delivery.MANUAL, quantity=1)
PAID = replace(SAMPLE[OrderPaid], delivery=orders.Delivery.MANUAL, deliver_by_ms=NOW + H, quantity=1)
DELIVERED = OrderDelivered(quantity=1)


def order_stop(clock: str, from_ms: int, until_ms: int, due_at_ms: int) -> OrderClockStopped:
    by_ms = until_ms - from_ms if until_ms else 0
    return OrderClockStopped(
        clock=clock, since_ms=NOW, issuer_id=ISSUER, outage_no=1, from_ms=from_ms, until_ms=until_ms, by_ms=by_ms,
        due_at_ms=due_at_ms,
    )  # fmt: skip


MIN30 = out(0.5, 1.5)
ORDERS = [
    Case(rule="the delivery's clock moves", given=(PLACED, PAID), when=StopOrderClock(**ID, known=(MIN30,)),
         brief=NOTHING, at_ms=NOW + 2 * H, then=[order_stop("delivery", NOW + H // 2, NOW + 3 * H // 2, NOW + 2 * H)]),
    Case(rule="it stands while the outage lasts", given=(PLACED, PAID), when=StopOrderClock(**ID, known=(out(0.5),)),
         brief=NOTHING, at_ms=NOW + H, then=[order_stop("delivery", NOW + H // 2, 0, NOW + H // 2 + STANDS_MAX_MS)]),
    Case(rule="codes from the vault wait for nothing", given=(PLACED, replace(PAID, deliver_by_ms=NOW)),
         when=StopOrderClock(**ID, known=(out(-1),)), brief=NOTHING, at_ms=NOW + H, then=[]),
    Case(rule="sealed codes are protected longer", given=(PLACED, PAID, DELIVERED),
         when=StopOrderClock(**ID, known=(MIN30,)), brief=NOTHING, at_ms=NOW + 7 * DAY_MS,
         then=[order_stop("sealed", NOW + H // 2, NOW + 3 * H // 2, NOW + 7 * DAY_MS + H)]),
    Case(rule="and so are opened ones", given=(PLACED, PAID, DELIVERED), when=StopOrderClock(**ID, known=(MIN30,)),
         brief=StopBriefing(elsewhere_ms=0, first_opened_at_ms=NOW), at_ms=NOW + 72 * H,
         then=[order_stop("protection", NOW + H // 2, NOW + 3 * H // 2, NOW + 73 * H)]),
    Case(rule="an unpaid order has no such clock", given=(PLACED,), when=StopOrderClock(**ID, known=(out(-1),)),
         brief=NOTHING, at_ms=NOW + DAY_MS, then=[]),
]  # fmt: skip


def test_an_order_acts_at_its_moved_deadline_and_not_before() -> None:
    moved = order_stop("delivery", NOW + H // 2, NOW + 3 * H // 2, NOW + 2 * H)
    order = state_after(orders, (PLACED, PAID, (moved, NOW + H)))
    late = orders.CancelLateOrder(**ID)
    brief = CodesBriefing(delivered=0, opened=0, first_opened_at_ms=0)
    with pytest.raises(orders.NotDueYet):
        orders.decide(late, order, brief, NOW + 2 * H - SECOND_MS)
    assert orders.decide(late, order, brief, NOW + 2 * H)
    assert due_of(OrderFile(order=order)) == Due(NOW + 2 * H, "cancel_late")


def test_while_it_stands_nothing_is_due_but_its_going_on() -> None:
    stands = order_stop("delivery", NOW + H // 2, 0, NOW + H // 2 + STANDS_MAX_MS)
    order = state_after(orders, (PLACED, PAID, (stands, NOW + H)))
    assert due_of(OrderFile(order=order)) == Due(NOW + H // 2 + STANDS_MAX_MS, "resume_clock")
    delivered = orders.evolve(order, DELIVERED, NOW + 2 * H)
    due = due_of(OrderFile(order=delivered))
    assert due == Due(NOW + 2 * H + 7 * DAY_MS, "complete"), "the shop delivered all the same"


def test_time_to_look_ends_at_the_moved_moment() -> None:
    moved = order_stop("sealed", NOW + H, NOW + 4 * H, NOW + 7 * DAY_MS + 3 * H)
    order = state_after(orders, (PLACED, PAID, DELIVERED, moved))
    assert orders.protected_until_ms(order, 0) == NOW + 7 * DAY_MS + 3 * H
    assert orders.protected_until_ms(order, NOW + 2 * H) == NOW + 74 * H, "opening begins another clock"


# The clocks of a complaint.

OPENED = ComplaintOpened(reason=Reason.NOT_VALID, demand_fen=100, text="It fails.", answer_by_ms=NOW + 48 * H)
CONTESTED = ComplaintContested(text="It is good.", rule_by_ms=NOW + 48 * H)
ASKED = BuyerAsked(reply_by_ms=NOW + 48 * H, text="Which account?")
RESENT = ReplacementSent(instead_of=("a",), confirm_by_ms=NOW + 48 * H)
LAPSED = ComplaintLapsed(reopen_by_ms=NOW + 48 * H)
RULED = replace(SAMPLE[ComplaintRuled], ruling_no=1, level=0, case="R05d", appeal_by_ms=NOW + 24 * H)
ASKS = ReviewAsked(ruling_no=1, by=Side.BUYER, review_by_ms=NOW + 48 * H, text="Look at it.")
STANDS_BY = RulingReviewed(ruling_no=1, confirmed=True, appeal_by_ms=NOW + 24 * H, text="It stands.")


def stop_case(rule: str, clock: str, length_h: int, *given: object) -> Case:
    then = DisputeClockStopped(
        clock=clock, since_ms=NOW, issuer_id=ISSUER, outage_no=1, from_ms=NOW + H // 2, until_ms=NOW + 3 * H // 2,
        by_ms=H, due_at_ms=NOW + (length_h + 1) * H,
    )  # fmt: skip
    when, at_ms = StopDisputeClock(**ID, known=(MIN30,)), NOW + length_h * H
    return Case(rule=rule, given=given, when=when, brief=NOTHING, at_ms=at_ms, then=[then] if clock else [])


DISPUTES = [
    stop_case("the shop's time to answer moves", "answer", 48, OPENED),
    stop_case("the buyer's time to reply moves", "reply", 48, OPENED, ASKED),
    stop_case("his time to confirm a replacement moves", "confirm", 48, OPENED, RESENT),
    stop_case("his time to bring evidence moves", "reopen", 48, OPENED, ASKED, LAPSED),
    stop_case("the time to appeal moves", "appeal", 24, OPENED, CONTESTED, RULED),
    stop_case("and that after a review", "last_appeal", 24, OPENED, CONTESTED, RULED, ASKS, STANDS_BY),
    stop_case("the platform's own time to look does not", "", 48, OPENED, CONTESTED, RULED, ASKS),
    stop_case("nor the time in which the standard rules: it is asked", "", 48, OPENED, CONTESTED),
]
CASES = ORDERS  # those of disputes are histories


@all_of(ORDERS)
def test_clocks_of_orders(case: Case) -> None:
    hold(orders, case)


@all_of(DISPUTES)
def test_clocks_of_disputes(case: Case) -> None:
    hold(complaints, case)
    if not case.then:
        return
    before = state_after(complaints, case.given)
    (moved,) = case.then
    after = complaints.evolve(before, moved, case.at_ms)
    assert before.running is not None
    assert after.running == replace(before.running, due_at_ms=moved.due_at_ms)
    assert after.due_at_ms == before.due_at_ms + H


def test_an_earlier_look_of_the_standard_stays_where_it_is() -> None:
    early = JudgingWaits(case="R10a", until_ms=NOW + 12 * H)
    complaint = state_after(complaints, (OPENED, early))
    (moved,) = complaints.decide(StopDisputeClock(**ID, known=(MIN30,)), complaint, NOTHING, NOW + 12 * H)
    after = complaints.evolve(complaint, moved, NOW + 12 * H)
    assert (after.due_at_ms, after.answer_by_ms) == (NOW + 12 * H, NOW + 49 * H)


def test_silence_does_not_lose_while_the_clock_stands() -> None:
    complaint = state_after(complaints, (OPENED,))
    (stands,) = complaints.decide(StopDisputeClock(**ID, known=(out(47),)), complaint, NOTHING, NOW + 48 * H)
    after = complaints.evolve(complaint, stands, NOW + 48 * H)
    assert after.stands is not None
    assert after.answer_by_ms == NOW + 48 * H, "where it will end is not known yet"
    answered = complaints.evolve(after, CONTESTED, NOW + 49 * H)
    assert answered.stands is None
    over = complaints.decide(StopDisputeClock(**ID, known=(out(47, 50),)), after, NOTHING, NOW + 50 * H)
    (goes_on,) = over
    assert goes_on.due_at_ms == NOW + 51 * H
    silence = complaints.EndSilence(**ID)
    moved = complaints.evolve(after, goes_on, NOW + 50 * H)
    assert moved.due_at_ms == NOW + 50 * H, "the standard is asked at once"
    assert complaints.decide(silence, moved, None, NOW + 51 * H - SECOND_MS) == [
        JudgingWaits(case="", until_ms=NOW + 51 * H)
    ]
    assert complaints.decide(silence, moved, None, NOW + 51 * H)
