"""Disputes: offers, questions, the standard's rulings, appeals; every clock at its second."""

import pytest
from msgspec.structs import replace

from business_cases import NOW, ORDER, SHOP, Case, all_of, hold, state_after
from fairkey.business import complaints
from fairkey.business.basics import HOUR_MS, SECOND_MS, FieldIsInvalid
from fairkey.business.complaints import (
    AnswerOffer,
    AppealRuling,
    AskBuyer,
    AskReview,
    EndSilence,
    JudgeComplaint,
    OfferSettlement,
    OpenComplaint,
    OrderBriefing,
    ReplyToShop,
    ReviewRuling,
    RuleLateDelivery,
    TakePanelLapse,
    TakePanelVerdict,
    TakeRuling,
    WindUpComplaint,
    panel_id_of,
)
from fairkey.business.dispute_endings import LateBriefing
from fairkey.business.dispute_events import (
    BuyerAsked,
    BuyerReplied,
    BuyerWasAsked,
    ComplaintClosed,
    ComplaintContested,
    ComplaintDemanded,
    ComplaintEscalated,
    ComplaintIsInAnotherStage,
    ComplaintLapsed,
    ComplaintOpened,
    ComplaintRuled,
    Demand,
    JudgingWaits,
    NotSilentYet,
    OfferIsNotThere,
    Outcome,
    Reason,
    ReviewAsked,
    ReviewIsNotAsked,
    ReviewWasAsked,
    RulingAppealed,
    RulingExecuted,
    RulingIsNotAgainstYou,
    RulingReviewed,
    RulingTaken,
    SettlementAccepted,
    SettlementDeclined,
    SettlementOffered,
    Side,
    StandardIsNotHeld,
)
from fairkey.business.dispute_state import ComplaintStage
from fairkey.business.order_briefings import WindingBriefing
from fairkey.business.order_refusals import ShopHasNotVanished
from fairkey.business.panel_verdicts import Before, PanelBriefing, PanelDocument, statements_from, written
from fairkey.business.standard.library import newest
from fairkey.business.standard.truth import Statement, Value
from fairkey.business.verdicts import CodeCase, is_remade, read_document

ID = {"shop_id": SHOP, "order_id": ORDER}
H24, H48, H96 = 24 * HOUR_MS, 48 * HOUR_MS, 96 * HOUR_MS
PRICE_FEN = 2_000
SHA, VERSION = newest().standard.sha256, newest().standard.version
DELIVERED = OrderBriefing(stage="delivered", is_delivered=True, amount_fen=PRICE_FEN)
OPENED = ComplaintOpened(
    reason=Reason.ALREADY_USED, demand_fen=PRICE_FEN, text="It says: used.", answer_by_ms=NOW + H48
)
CONTESTED = ComplaintContested(text="It was new.", rule_by_ms=NOW + H48)
OFFERED = SettlementOffered(offer_no=1, by=Side.SHOP, refund_fen=500, text="")
ASKED = BuyerAsked(reply_by_ms=NOW + H48, text="Which screen?")
REVEALED_MS = NOW - HOUR_MS


def known(at_ms: int, *facts: tuple[str, Value, str]) -> CodeCase:
    """A complaint about one opened code, and what else is said of it."""
    common: tuple[tuple[str, Value, str], ...] = (
        ("now_ms", at_ms, "E2"),
        ("amount_fen", PRICE_FEN, "E2"),
        ("asked_fen", PRICE_FEN, "E2"),
        ("units_total", 1, "E2"),
        ("units_affected", 1, "E2"),
        ("complained_at_ms", NOW, "E2"),
        ("form_complete", True, "E2"),
        ("sold_before", False, "E2"),
        ("revealed_at_ms", REVEALED_MS, "E2"),
    )
    said = {fact: (value, rank) for fact, value, rank in (*common, *facts)}
    return CodeCase(
        code_nos=(1,),
        statements=tuple(Statement(fact=fact, value=value, rank=rank) for fact, (value, rank) in said.items()),
    )


def judge(at_ms: int, *facts: tuple[str, Value, str]) -> JudgeComplaint:
    return JudgeComplaint(**ID, sha256=SHA, codes=(known(at_ms, *facts),))


USED: tuple[tuple[str, Value, str], ...] = (
    ("reason", "already_used", "E2"),
    ("activated_at_ms", REVEALED_MS - HOUR_MS, "E1"),
)
OWN: tuple[tuple[str, Value, str], ...] = (
    ("reason", "already_used", "E2"),
    ("activated_at_ms", REVEALED_MS + HOUR_MS, "E1"),
    ("account_matches", True, "E1"),
)
SILENT: tuple[tuple[str, Value, str], ...] = (("reason", "other", "E2"), ("merchant_answered_at_ms", 0, "E2"))
SPOKE: tuple[tuple[str, Value, str], ...] = (("reason", "other", "E2"), ("merchant_answered_at_ms", NOW + 1, "E2"))


def ruled(at_ms: int, **changes: object) -> ComplaintRuled:
    """A ruling for the buyer by R03a, unless changed."""
    plain = ComplaintRuled(
        ruling_no=1, by="standard", level=0, standard="FK-AF-1", version=VERSION, sha256=SHA, row="R03", case="R03a",
        cases=("R03a",), outcome="refund", refund_fen=PRICE_FEN, pool_fen=0, deduct_fen=PRICE_FEN, bounty_fen=0,
        points=69, buyer_points=0, counted=True, freezes_shop=False, quarantines_batch=True,
        appeal_by_ms=at_ms + H24, verdict="",
    )  # fmt: skip
    return replace(plain, **changes)


CARRIED_OUT = (
    ComplaintClosed(outcome=Outcome.STANDARD, refund_fen=PRICE_FEN, text=""),
    RulingExecuted(ruling_no=1, row="R03", escrow_fen=PRICE_FEN, deposit_fen=0, pool_fen=0, deduct_fen=PRICE_FEN),
)
LOST = ruled(NOW, row="R04", case="R04", cases=("R04",), outcome="reject", refund_fen=0, deduct_fen=0, points=0)


def escalated(level: int, by: str, case: str, at_ms: int = NOW) -> ComplaintEscalated:
    return ComplaintEscalated(
        level=level, by=by, case=case, panel_id=panel_id_of(ORDER, level), value_fen=PRICE_FEN, stake_fen=0,
        decide_by_ms=at_ms + H96,
    )  # fmt: skip


ESC = escalated(3, "shop", "R03a")
REVIEW = ReviewAsked(ruling_no=1, by=Side.SHOP, review_by_ms=NOW + H48, text="Look at it.")
PANEL = TakePanelVerdict(
    **ID, panel_id=panel_id_of(ORDER, 3), level=3, refund_fen=500, row="R03", case="", text_sha256="cd" * 32
)
ON_FILE = PanelBriefing(
    sha256=SHA, amount_fen=PRICE_FEN, units_total=1, units_delivered=1, units_sealed=0, in_stock=True, deposit_fen=-1
)
BEFORE = Before(ruling_no=1, case="R03a", deduct_fen=PRICE_FEN, points=69, freezes_shop=False)
MADE_OF = PanelDocument(
    format="fairkey-panel-verdict/1", judged_at_ms=NOW, demand_fen=PRICE_FEN, panel_id=PANEL.panel_id, level=3,
    named="R03", refund_fen=500, votes_sha256="cd" * 32, sha256=SHA,
    statements=statements_from(ON_FILE, PRICE_FEN, NOW), before=BEFORE,
)  # fmt: skip
BY_PANEL = ruled(  # of the row that it names the case that costs least
    NOW, ruling_no=2, by="panel", level=3, case="R03b", cases=("R03b",), refund_fen=500, deduct_fen=PRICE_FEN // 2,
    verdict=written(MADE_OF),
)  # fmt: skip
LAST = replace(MADE_OF, panel_id=panel_id_of(ORDER, 17), level=17)
SAME_AGAIN = replace(MADE_OF, named="R03a", before=replace(BEFORE, deduct_fen=2 * PRICE_FEN))
APPEAL = AppealRuling(**ID, by=Side.SHOP, text="The issuer errs.")
CASES = [
    Case(
        rule="what is wanted and what the screen said are kept",
        when=OpenComplaint(
            **ID, reason=Reason.ALREADY_USED, text="It says: used.", demand=Demand.RESEND, screen="steam-duplicate"
        ),
        brief=DELIVERED,
        then=[OPENED, ComplaintDemanded(demand=Demand.RESEND, screen="steam-duplicate")],
    ),
    Case(
        rule="a shop offers a part",
        given=(OPENED,),
        when=OfferSettlement(**ID, by=Side.SHOP, refund_fen=500),
        then=[OFFERED],
    ),
    Case(
        rule="nobody offers more than is asked",
        given=(OPENED,),
        when=OfferSettlement(**ID, by=Side.SHOP, refund_fen=PRICE_FEN + 1),
        then=(FieldIsInvalid, {"field": "refund_fen", "why": "out_of_range"}),
    ),
    Case(
        rule="the buyer takes it and it is over",
        given=(OPENED, OFFERED),
        when=AnswerOffer(**ID, by=Side.BUYER, offer_no=1, accepted=True),
        then=[
            SettlementAccepted(offer_no=1, by=Side.BUYER),
            ComplaintClosed(outcome=Outcome.SETTLED, refund_fen=500, text=""),
        ],
    ),
    Case(
        rule="or does not",
        given=(OPENED, OFFERED),
        when=AnswerOffer(**ID, by=Side.BUYER, offer_no=1, accepted=False),
        then=[SettlementDeclined(offer_no=1, by=Side.BUYER)],
    ),
    Case(
        rule="nobody takes his own offer",
        given=(OPENED, OFFERED),
        when=AnswerOffer(**ID, by=Side.SHOP, offer_no=1, accepted=True),
        then=(OfferIsNotThere, {"offer_no": 1}),
    ),
    Case(
        rule="or one that was declined",
        given=(OPENED, OFFERED, SettlementDeclined(offer_no=1, by=Side.BUYER)),
        when=AnswerOffer(**ID, by=Side.BUYER, offer_no=1, accepted=True),
        then=OfferIsNotThere,
    ),
    Case(
        rule="the shop asks once, the buyer has 48 hours",
        given=(OPENED,),
        when=AskBuyer(**ID, text="Which screen?"),
        then=[ASKED],
    ),
    Case(
        rule="not twice",
        given=(OPENED, ASKED, BuyerReplied(text="This.")),
        when=AskBuyer(**ID, text="And which?"),
        then=BuyerWasAsked,
    ),
    Case(
        rule="he replies",
        given=(OPENED, ASKED),
        when=ReplyToShop(**ID, text="This."),
        then=[BuyerReplied(text="This.")],
    ),
    Case(
        rule="a buyer who does not reply for 48 hours ends it (R16); 48 more to re-open it",
        given=(OPENED, ASKED),
        when=EndSilence(**ID),
        at_ms=NOW + H48,
        then=[ComplaintLapsed(reopen_by_ms=NOW + 2 * H48)],
    ),
    Case(
        rule="not a second earlier",
        given=(OPENED, ASKED),
        when=EndSilence(**ID),
        at_ms=NOW + H48 - SECOND_MS,
        then=(NotSilentYet, {"due_at_ms": NOW + H48}),
    ),
    Case(
        rule="a version that nobody holds judges nothing",
        given=(OPENED,),
        when=JudgeComplaint(**ID, sha256="0" * 64, codes=(known(NOW, *USED),)),
        then=StandardIsNotHeld,
    ),
    Case(
        rule="what is open until 48 hours are over waits for that moment, and says so once",
        given=(OPENED,),
        when=judge(NOW, *SPOKE),
        then=[],
    ),
    Case(
        rule="after an answer the clock is the standard's again",
        given=(OPENED, (replace(CONTESTED, rule_by_ms=NOW + H48 + 5), NOW + 5)),
        when=judge(NOW + 5, *SPOKE),
        at_ms=NOW + 5,
        then=[JudgingWaits(case="R00a", until_ms=NOW + H48)],
    ),
    Case(
        rule="then people decide what the standard leaves open",
        given=(OPENED, CONTESTED),
        when=judge(NOW + H48, *SPOKE),
        at_ms=NOW + H48,
        then=[escalated(3, "standard", "R13", NOW + H48)],
    ),
    Case(
        rule="a judging that never came does not cost the shop its time to answer",
        given=(OPENED, JudgingWaits(case="R10a", until_ms=NOW + 12 * HOUR_MS)),
        when=EndSilence(**ID),
        at_ms=NOW + 12 * HOUR_MS,
        then=[JudgingWaits(case="", until_ms=NOW + H48)],
    ),
    Case(
        rule="a ruling is final when nobody appealed for 24 hours",
        given=(OPENED, ruled(NOW)),
        when=EndSilence(**ID),
        at_ms=NOW + H24,
        then=[*CARRIED_OUT],
    ),
    Case(
        rule="not a second earlier than that",
        given=(OPENED, ruled(NOW)),
        when=EndSilence(**ID),
        at_ms=NOW + H24 - SECOND_MS,
        then=NotSilentYet,
    ),
    Case(
        rule="who lost may take it at once",
        given=(OPENED, ruled(NOW)),
        when=TakeRuling(**ID, by=Side.SHOP),
        then=[
            RulingTaken(ruling_no=1, by=Side.SHOP),
            *CARRIED_OUT,
        ],
    ),
    Case(
        rule="who lost may appeal",
        given=(OPENED, ruled(NOW)),
        when=APPEAL,
        then=[
            RulingAppealed(ruling_no=1, by=Side.SHOP, level=3, text="The issuer errs."),
            ESC,
        ],
    ),
    Case(
        rule="who got what he asked for may not",
        given=(OPENED, ruled(NOW)),
        when=replace(APPEAL, by=Side.BUYER),
        then=(RulingIsNotAgainstYou, {"refund_fen": PRICE_FEN}),
    ),
    Case(
        rule="a buyer who lost may",
        given=(OPENED, LOST),
        when=replace(APPEAL, by=Side.BUYER),
        then=[
            RulingAppealed(ruling_no=1, by=Side.BUYER, level=3, text="The issuer errs."),
            escalated(3, "buyer", "R04"),
        ],
    ),
    Case(rule="a shop that won may not", given=(OPENED, LOST), when=APPEAL, then=RulingIsNotAgainstYou),
    Case(
        rule="when nobody decides an appeal, the standard's ruling stands",
        given=(OPENED, ruled(NOW), ESC),
        when=EndSilence(**ID),
        at_ms=NOW + H96,
        then=[*CARRIED_OUT],
    ),
    Case(
        rule="when nobody decides what the standard left open, the buyer has it",
        given=(OPENED, CONTESTED, ESC),
        when=EndSilence(**ID),
        at_ms=NOW + H96,
        then=[ComplaintClosed(outcome=Outcome.OPERATOR_SILENT, refund_fen=PRICE_FEN, text="")],
    ),
    Case(
        rule="who lost by an automatic ruling has a person look at it",
        given=(OPENED, ruled(NOW)),
        when=AskReview(**ID, by=Side.SHOP, text="Look at it."),
        then=[REVIEW],
    ),
    Case(
        rule="once",
        given=(OPENED, ruled(NOW), REVIEW),
        when=AskReview(**ID, by=Side.SHOP, text="Look at it."),
        then=ReviewWasAsked,
    ),
    Case(
        rule="a person lets it stand, and the time to appeal begins anew",
        given=(OPENED, ruled(NOW), REVIEW),
        when=ReviewRuling(**ID, confirmed=True, text="The issuer is clear."),
        then=[RulingReviewed(ruling_no=1, confirmed=True, appeal_by_ms=NOW + H24, text="The issuer is clear.")],
    ),
    Case(
        rule="or gives it to a panel; he sets no outcome",
        given=(OPENED, ruled(NOW), REVIEW),
        when=ReviewRuling(**ID, confirmed=False, text="Two codes are mixed up."),
        then=[
            RulingReviewed(ruling_no=1, confirmed=False, appeal_by_ms=NOW + H24, text="Two codes are mixed up."),
            escalated(3, "operator", "R03a"),
        ],
    ),
    Case(
        rule="nobody reviews what nobody asked for",
        given=(OPENED, ruled(NOW)),
        when=ReviewRuling(**ID, confirmed=False, text="Two codes are mixed up."),
        then=ReviewIsNotAsked,
    ),
    Case(
        rule="a platform that does not look in 48 hours leaves it to a panel",
        given=(OPENED, ruled(NOW), REVIEW),
        when=EndSilence(**ID),
        at_ms=NOW + H48,
        then=[escalated(3, "silence", "R03a", NOW + H48)],
    ),
    Case(
        rule="a panel's verdict is a ruling of its own",
        given=(OPENED, ruled(NOW), ESC),
        when=PANEL,
        brief=ON_FILE,
        then=[BY_PANEL],
    ),
    Case(
        rule="by the case that was named before it costs what it cost then, repeats included",
        given=(OPENED, ruled(NOW, deduct_fen=2 * PRICE_FEN), ESC),
        when=replace(PANEL, row="R03a"),
        brief=ON_FILE,
        then=[
            replace(
                BY_PANEL, case="R03a", cases=("R03a",), deduct_fen=2 * PRICE_FEN, verdict=written(SAME_AGAIN)
            )
        ],
    ),
    Case(
        rule="told twice it changes nothing",
        given=(OPENED, ruled(NOW), ESC, BY_PANEL),
        when=PANEL,
        then=[],
    ),
    Case(
        rule="nor does the panel of another level",
        given=(OPENED, ruled(NOW), ESC),
        when=replace(PANEL, panel_id=panel_id_of(ORDER, 7), level=7),
        then=[],
    ),
    Case(
        rule="after three come seven",
        given=(OPENED, ruled(NOW), ESC, BY_PANEL),
        when=replace(APPEAL, by=Side.BUYER),
        then=[
            RulingAppealed(ruling_no=2, by=Side.BUYER, level=7, text="The issuer errs."),
            escalated(7, "buyer", "R03b"),
        ],
    ),
    Case(
        rule="what seventeen decide is final at once",
        given=(OPENED, ruled(NOW), escalated(17, "shop", "R03a")),
        when=replace(PANEL, panel_id=panel_id_of(ORDER, 17), level=17),
        brief=ON_FILE,
        then=[
            replace(BY_PANEL, level=17, appeal_by_ms=NOW, verdict=written(LAST)),
            ComplaintClosed(outcome=Outcome.RULED, refund_fen=500, text=""),
            RulingExecuted(
                ruling_no=2, row="R03", escrow_fen=500, deposit_fen=0, pool_fen=0, deduct_fen=PRICE_FEN // 2
            ),
        ],
    ),
    Case(
        rule="a panel that came to nothing leaves the ruling before",
        given=(OPENED, ruled(NOW), ESC),
        when=TakePanelLapse(**ID, panel_id=panel_id_of(ORDER, 3)),
        then=[*CARRIED_OUT],
    ),
    Case(
        rule="what is ruled is not judged again",
        given=(OPENED, ruled(NOW)),
        when=judge(NOW, *USED),
        then=ComplaintIsInAnotherStage,
    ),
]


ALL_BACK = ComplaintClosed(outcome=Outcome.SHOP_VANISHED, refund_fen=PRICE_FEN, text="")
GONE = WindingBriefing(has_vanished=True, amount_fen=PRICE_FEN)
WIND_UP = WindUpComplaint(**ID)
CASES += [
    Case(rule=f"a complaint of a vanished shop's buyer ends with all money back: {name}", given=given, when=WIND_UP,
         brief=GONE, then=[ALL_BACK])
    for name, given in {
        "the shop's turn": (OPENED,),
        "a part was asked for": (replace(OPENED, demand_fen=1),),
        "contested": (OPENED, CONTESTED),
        "the buyer's turn": (OPENED, ASKED),
        "he was silent": (OPENED, ASKED, ComplaintLapsed(reopen_by_ms=NOW + H48)),
    }.items()
]  # fmt: skip
CASES += [
    Case(rule="not while the shop is there", given=(OPENED,), when=WIND_UP,
         brief=WindingBriefing(has_vanished=False), then=ShopHasNotVanished),
    Case(rule="what is over stays over", given=(OPENED, ALL_BACK), when=WIND_UP, brief=GONE,
         then=ComplaintIsInAnotherStage),
]  # fmt: skip


@all_of(CASES)
def test_disputes(case: Case) -> None:
    hold(complaints, case)


@pytest.mark.parametrize(
    ("facts", "after_ms", "row", "refund_fen", "points", "buyer_points"),
    [
        (USED, 0, "R03", PRICE_FEN, 69, 0),
        (OWN, 0, "R04", 0, 0, 23),
        (SILENT, H48, "R15", PRICE_FEN, 23, 0),
    ],
)
def test_the_standard_rules_by_itself(
    facts: tuple[tuple[str, Value, str], ...],
    after_ms: int,
    row: str,
    refund_fen: int,
    points: int,
    buyer_points: int,
) -> None:
    at_ms = NOW + after_ms
    state = state_after(complaints, (OPENED,))
    if after_ms:
        assert complaints.decide(judge(at_ms - SECOND_MS, *facts), state, None, at_ms - SECOND_MS) == []
    [ruling] = complaints.decide(judge(at_ms, *facts), state, None, at_ms)
    assert isinstance(ruling, ComplaintRuled)
    assert (ruling.row, ruling.refund_fen, ruling.points, ruling.buyer_points) == (
        row,
        refund_fen,
        points,
        buyer_points,
    )
    assert ruling.appeal_by_ms == at_ms + H24
    assert complaints.evolve(state, ruling, at_ms).stage is ComplaintStage.RULED
    document = read_document(ruling.verdict)
    assert document.verdict.refund_fen == refund_fen
    assert is_remade(document)
    assert not is_remade(replace(document, demand_fen=1)) or refund_fen <= 1
    doubted = replace(document, verdict=replace(document.verdict, refund_fen=refund_fen + 1))
    assert not is_remade(doubted)


@pytest.mark.parametrize(
    ("delivered", "row", "deduct_fen", "points", "back_fen"), [(0, "R01", 300, 12, 3_000), (2, "R02", 100, 7, 1_000)]
)
def test_a_late_order_is_ruled_without_a_complaint(
    delivered: int, row: str, deduct_fen: int, points: int, back_fen: int
) -> None:
    late = LateBriefing(sha256=SHA, amount_fen=3_000, units_total=3, units_delivered=delivered, deliver_by_ms=NOW)
    ruling, executed = complaints.decide(RuleLateDelivery(**ID), complaints.INITIAL, late, NOW)
    assert isinstance(ruling, ComplaintRuled)
    assert isinstance(executed, RulingExecuted)
    assert (executed.escrow_fen, executed.deduct_fen, executed.pool_fen) == (back_fen, deduct_fen, 0)
    assert (ruling.row, ruling.deduct_fen, ruling.points, ruling.refund_fen) == (row, deduct_fen, points, back_fen)
    after = complaints.evolve(complaints.INITIAL, ruling, NOW)
    assert after.stage is ComplaintStage.NONE
    assert complaints.decide(RuleLateDelivery(**ID), after, late, NOW) == []
    assert complaints.decide(RuleLateDelivery(**ID), complaints.INITIAL, replace(late, sha256=""), NOW) == []
