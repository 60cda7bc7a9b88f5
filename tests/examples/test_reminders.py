"""Reminders of a dispute: at which second, once, and never about what is over."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from business_cases import NOW, state_after
from fairkey.business import complaints
from fairkey.business.basics import HOUR_MS, SECOND_MS, Event
from fairkey.business.dispute_events import (
    BuyerAsked,
    BuyerReplied,
    ComplaintContested,
    ComplaintOpened,
    ComplaintRuled,
    JudgingWaits,
    OfferHasEnded,
    Reason,
    ReviewAsked,
    RulingReviewed,
    SettlementDeclined,
    SettlementOffered,
    Side,
)
from fairkey.business.dispute_state import Complaint, Turn
from fairkey.business.reminders import BEFORE_MS, When, reminders_of, when

H2, H24, H48 = 2 * HOUR_MS, 24 * HOUR_MS, 48 * HOUR_MS
OPENED = ComplaintOpened(reason=Reason.OTHER, demand_fen=2_000, text="It fails.", answer_by_ms=NOW + H48)
CONTESTED = ComplaintContested(text="It was new.", rule_by_ms=NOW + H48)
ASKED = BuyerAsked(reply_by_ms=NOW + H48, text="Which screen?")
OFFERED = SettlementOffered(offer_no=1, by=Side.SHOP, refund_fen=500, text="")
RULED = ComplaintRuled(
    ruling_no=1, by="standard", level=0, standard="FK-AF-1", version="1.0", sha256="ab" * 32, row="R03", case="R03a",
    cases=("R03a",), outcome="refund", refund_fen=2_000, pool_fen=0, deduct_fen=2_000, bounty_fen=0, points=69,
    buyer_points=0, counted=True, freezes_shop=False, quarantines_batch=True, appeal_by_ms=NOW + H24, verdict="",
)  # fmt: skip
LOST = replace(RULED, row="R04", case="R04", outcome="reject", refund_fen=0, deduct_fen=0, points=0)


def after(*given: Event) -> Complaint:
    state = state_after(complaints, given)
    assert isinstance(state, Complaint)
    return state


TURNS: list[tuple[str, Sequence[Event], Side, Turn, int, int]] = [
    ("the shop has to answer", (OPENED,), Side.SHOP, Turn.ANSWER, 0, H48),
    ("the buyer has to reply", (OPENED, ASKED), Side.BUYER, Turn.REPLY, 0, H48),
    ("an offer waits", (OPENED, OFFERED), Side.BUYER, Turn.OFFER, 1, H48),
    ("the shop lost", (OPENED, CONTESTED, RULED), Side.SHOP, Turn.APPEAL, 1, H24),
    ("the buyer lost", (OPENED, CONTESTED, LOST), Side.BUYER, Turn.APPEAL, 1, H24),
]


@pytest.mark.parametrize(
    ("given", "whom", "turn", "number", "within_ms"), [one[1:] for one in TURNS], ids=[one[0] for one in TURNS]
)
def test_a_reminder_comes_up_at_its_second_and_is_dropped_at_the_end(
    given: Sequence[Event], whom: Side, turn: Turn, number: int, within_ms: int
) -> None:
    complaint = after(*given)
    asked = [one for one in reminders_of(given[-1]) if one.whom is whom]
    assert [one.wait_ms for one in asked] == [within_ms - before for before in BEFORE_MS if before < within_ms]
    assert {(one.turn, one.number) for one in asked} == {(turn, number)}
    [wait] = [one for one in complaint.waits(NOW) if one.whom is whom]
    assert (wait.turn, wait.number, wait.until_ms) == (turn, number, NOW + within_ms)

    for one in asked:

        def at(now_ms: int, before_ms: int = one.before_ms) -> When:
            return when(complaint, whom, turn, number, before_ms=before_ms, now_ms=now_ms)[0]

        comes_ms = NOW + one.wait_ms
        assert at(comes_ms - SECOND_MS) is When.LATER  # the clock was set back
        assert at(comes_ms) is When.NOW
        assert at(NOW + within_ms - 1) is (When.NOW if one.before_ms == H2 else When.NEVER)
        assert at(NOW + within_ms) is When.NEVER


def test_of_two_that_came_due_while_nobody_worked_the_last_is_written() -> None:
    complaint = after(OPENED)
    late_ms = NOW + H48 - HOUR_MS
    written = [
        before_ms
        for before_ms in BEFORE_MS
        if when(complaint, Side.SHOP, Turn.ANSWER, 0, before_ms=before_ms, now_ms=late_ms)[0] is When.NOW
    ]
    assert written == [H2]


@pytest.mark.parametrize(
    ("given", "whom", "turn", "number"),
    [
        ((OPENED, CONTESTED), Side.SHOP, Turn.ANSWER, 0),
        ((OPENED, ASKED, BuyerReplied(text="This one.")), Side.BUYER, Turn.REPLY, 0),
        ((OPENED, OFFERED, SettlementDeclined(offer_no=1, by=Side.BUYER)), Side.BUYER, Turn.OFFER, 1),
        ((OPENED, OFFERED, RULED), Side.BUYER, Turn.OFFER, 1),
        ((OPENED, CONTESTED, RULED), Side.BUYER, Turn.APPEAL, 1),  # he got all
        (
            (OPENED, CONTESTED, RULED, ReviewAsked(ruling_no=1, by=Side.SHOP, review_by_ms=NOW + H48, text="Look.")),
            Side.SHOP, Turn.APPEAL, 1,
        ),
    ],
)  # fmt: skip
def test_who_has_done_it_or_need_not_is_not_reminded(
    given: Sequence[Event], whom: Side, turn: Turn, number: int
) -> None:
    for before_ms in BEFORE_MS:
        found = when(after(*given), whom, turn, number, before_ms=before_ms, now_ms=NOW + H48 - before_ms)
        assert found[0] is When.NEVER


def test_a_review_gives_another_day_and_its_own_reminder() -> None:
    review = ReviewAsked(ruling_no=1, by=Side.SHOP, review_by_ms=NOW + H48, text="Look at it.")
    stands = RulingReviewed(ruling_no=1, confirmed=True, appeal_by_ms=NOW + H24, text="It stands.")
    complaint = after(OPENED, CONTESTED, RULED, review, stands)
    assert [(one.turn, one.until_ms) for one in complaint.waits(NOW)] == [(Turn.LAST_APPEAL, NOW + H24)]
    assert {one.turn for one in reminders_of(stands)} == {Turn.LAST_APPEAL}
    first = when(complaint, Side.SHOP, Turn.APPEAL, 1, before_ms=H2, now_ms=NOW + H24 - H2)
    assert first[0] is When.NEVER


def test_a_clock_of_the_standard_does_not_shorten_the_time_to_reply() -> None:
    complaint = after(OPENED, ASKED, JudgingWaits(case="R10a", until_ms=NOW + HOUR_MS))
    assert [one.until_ms for one in complaint.waits(NOW)] == [NOW + H48]
    early = complaints.decide(complaints.EndSilence(shop_id="s", order_id="o"), complaint, None, NOW + HOUR_MS)
    assert early == [JudgingWaits(case="", until_ms=NOW + H48)]


def test_an_offer_can_be_taken_to_its_last_millisecond() -> None:
    about = {"shop_id": "s", "order_id": "o"}
    complaint = after(OPENED, OFFERED)
    yes = complaints.AnswerOffer(**about, by=Side.BUYER, offer_no=1, accepted=True)
    assert complaints.decide(yes, complaint, None, NOW + H48 - 1)
    with pytest.raises(OfferHasEnded) as refused:
        complaints.decide(yes, complaint, None, NOW + H48)
    assert refused.value.details == {"offer_no": 1, "until_ms": NOW + H48}
