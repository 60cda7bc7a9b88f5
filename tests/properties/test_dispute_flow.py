"""Whatever both sides, the operator and panels do or leave: a dispute ends, pays once, never more than was asked."""

from typing import Final, cast

from hypothesis import given
from hypothesis import strategies as some

from business_cases import NOW, ORDER, SHOP
from fairkey.business import complaints
from fairkey.business.basics import HOUR_MS, Event, Refusal
from fairkey.business.complaints import (
    AnswerOffer,
    AppealRuling,
    AskBuyer,
    AskReview,
    ComplaintCommand,
    ContestComplaint,
    EndSilence,
    JudgeComplaint,
    OfferSettlement,
    ReplyToShop,
    ReviewRuling,
    TakePanelLapse,
    TakePanelVerdict,
    TakeRuling,
    panel_id_of,
)
from fairkey.business.dispute_events import (
    ComplaintClosed,
    ComplaintEvent,
    ComplaintOpened,
    ComplaintRuled,
    Reason,
    RulingExecuted,
    Side,
)
from fairkey.business.dispute_state import Complaint, ComplaintStage
from fairkey.business.panel_verdicts import PanelBriefing, costs_of, read_panel_document
from fairkey.business.standard.library import newest
from fairkey.business.standard.truth import Statement, Value
from fairkey.business.verdicts import CodeCase, is_remade, read_document, standard_of

ID = {"shop_id": SHOP, "order_id": ORDER}
PRICE_FEN: Final = 2_000
REVEALED_MS = NOW - HOUR_MS
STEPS_MAX = 60
SHA = newest().standard.sha256
OPENED = ComplaintOpened(
    reason=Reason.ALREADY_USED, demand_fen=PRICE_FEN, text="used", answer_by_ms=NOW + complaints.ANSWER_WITHIN_MS
)
ON_FILE = PanelBriefing(
    sha256=SHA, amount_fen=PRICE_FEN, units_total=1, units_delivered=1, units_sealed=0, in_stock=True, deposit_fen=-1
)
NAMED = ("R03", "R03b", "R04", "R05a", "R05c", "R13", "R06", "R99")
Known = tuple[tuple[str, Value, str], ...]
EVIDENCE: Final[tuple[tuple[str, Value, str], ...]] = (
    ("activated_at_ms", REVEALED_MS - HOUR_MS, "E1"),
    ("activated_at_ms", REVEALED_MS + HOUR_MS, "E1"),
    ("account_matches", True, "E1"),
    ("account_matches", False, "E1"),
    ("activated_at_ms", 0, "E1"),
    ("asked_buyer_at_ms", NOW + 1, "E2"),
)
ACTS = (
    "offer", "yes", "no", "contest", "ask", "reply", "appeal_shop", "appeal_buyer", "take_shop", "take_buyer",
    "review", "confirm", "doubt", "panel", "lapse", "judge", "wait",
)  # fmt: skip


def after(state: Complaint, event: Event, at_ms: int) -> Complaint:
    return complaints.evolve(state, cast("ComplaintEvent", event), at_ms)


def case(known: Known, state: Complaint, at_ms: int) -> CodeCase:
    said: dict[str, tuple[Value, str]] = {
        "now_ms": (at_ms, "E2"),
        "amount_fen": (PRICE_FEN, "E2"),
        "asked_fen": (PRICE_FEN, "E2"),
        "units_total": (1, "E2"),
        "units_affected": (1, "E2"),
        "complained_at_ms": (NOW, "E2"),
        "form_complete": (True, "E2"),
        "sold_before": (False, "E2"),
        "revealed_at_ms": (REVEALED_MS, "E2"),
        "reason": ("already_used", "E2"),
        "merchant_answered_at_ms": (state.answered_at_ms, "E2"),
        **{fact: (value, rank) for fact, value, rank in known},
    }
    statements = tuple(Statement(fact=fact, value=value, rank=rank) for fact, (value, rank) in said.items())
    return CodeCase(code_nos=(1,), statements=statements)


def command_of(act: str, number: int, known: Known, state: Complaint, at_ms: int) -> ComplaintCommand:
    level = state.level or 3
    table: dict[str, ComplaintCommand] = {
        "offer": OfferSettlement(**ID, by=Side.SHOP if number % 2 else Side.BUYER, refund_fen=number % (PRICE_FEN + 1)),
        "yes": AnswerOffer(**ID, by=Side.BUYER, offer_no=len(state.offers), accepted=True),
        "no": AnswerOffer(**ID, by=Side.SHOP, offer_no=len(state.offers), accepted=False),
        "contest": ContestComplaint(**ID, text="It was new."),
        "ask": AskBuyer(**ID, text="Which screen?"),
        "reply": ReplyToShop(**ID, text="This."),
        "appeal_shop": AppealRuling(**ID, by=Side.SHOP, text="wrong it is"),
        "appeal_buyer": AppealRuling(**ID, by=Side.BUYER, text="wrong it is"),
        "take_shop": TakeRuling(**ID, by=Side.SHOP),
        "take_buyer": TakeRuling(**ID, by=Side.BUYER),
        "review": AskReview(**ID, by=Side.SHOP if number % 2 else Side.BUYER, text="look at it"),
        "confirm": ReviewRuling(**ID, confirmed=True, text="it is clear"),
        "doubt": ReviewRuling(**ID, confirmed=False, text="it is unclear"),
        "panel": TakePanelVerdict(
            **ID,
            panel_id=panel_id_of(ORDER, level),
            level=level,
            refund_fen=number,
            row=NAMED[number % len(NAMED)],
            case="",
            text_sha256="",
        ),
        "lapse": TakePanelLapse(**ID, panel_id=panel_id_of(ORDER, level)),
        "judge": JudgeComplaint(**ID, sha256=SHA, codes=(case(known, state, at_ms),)),
        "wait": EndSilence(**ID),
    }
    return table[act]


@given(
    acts=some.lists(some.tuples(some.sampled_from(ACTS), some.integers(0, 3_000), some.integers(0, 60)), max_size=25),
    evidence=some.lists(some.sampled_from(EVIDENCE), max_size=3),
)
def test_it_always_ends_and_pays_once(acts: list[tuple[str, int, int]], evidence: list[tuple[str, Value, str]]) -> None:
    known = tuple(evidence)
    state, at_ms = complaints.evolve(complaints.INITIAL, OPENED, NOW), NOW
    happened: list[object] = []

    def do(command: ComplaintCommand) -> None:
        nonlocal state
        try:
            brief = ON_FILE if isinstance(command, TakePanelVerdict) else None
            events = complaints.decide(command, state, brief, at_ms)
        except Refusal:
            return
        for event in events:
            state = after(state, event, at_ms)
            happened.append(event)

    for act, number, hours in acts:
        at_ms += hours * HOUR_MS
        do(command_of(act, number, known, state, at_ms))
    for _ in range(STEPS_MAX):
        if state.stage is ComplaintStage.CLOSED:
            break
        assert state.due_at_ms, "what has not ended has a clock"
        at_ms = max(at_ms, state.due_at_ms)
        do(JudgeComplaint(**ID, sha256=SHA, codes=(case(known, state, at_ms),)))
        do(EndSilence(**ID))
    assert state.stage is ComplaintStage.CLOSED
    closed = [one for one in happened if isinstance(one, ComplaintClosed)]
    executed = [one for one in happened if isinstance(one, RulingExecuted)]
    assert len(closed) == 1
    assert len(executed) <= 1
    assert 0 <= closed[0].refund_fen <= PRICE_FEN
    assert all(one.escrow_fen == closed[0].refund_fen for one in executed)
    numbers = [one.ruling_no for one in happened if isinstance(one, ComplaintRuled)]
    assert numbers == list(range(1, len(numbers) + 1))
    for ruling in happened:
        if isinstance(ruling, ComplaintRuled) and ruling.by == "standard":
            assert is_remade(read_document(ruling.verdict))
        elif isinstance(ruling, ComplaintRuled):
            made_of = read_panel_document(ruling.verdict)
            costs = costs_of(standard_of(made_of.sha256), made_of)
            assert (ruling.row, ruling.case, ruling.refund_fen) == (costs.row, costs.case, costs.refund_fen)
            assert (ruling.deduct_fen, ruling.points) == (costs.deduct_fen, costs.points)
            assert costs.refund_fen or not costs.deduct_fen, "who won pays nothing"


def back_fen(known: Known, *, answers: bool) -> int:
    """What a dispute comes to when nobody does anything but what clocks bring."""
    state, at_ms = complaints.evolve(complaints.INITIAL, OPENED, NOW), NOW
    todo: list[ComplaintCommand] = [ContestComplaint(**ID, text="It was new.")] if answers else []
    for _ in range(STEPS_MAX):
        judging = JudgeComplaint(**ID, sha256=SHA, codes=(case(known, state, at_ms),))
        for command in (*todo, judging, EndSilence(**ID)):
            try:
                events = complaints.decide(command, state, None, at_ms)
            except Refusal:
                continue
            for event in events:
                state = after(state, event, at_ms)
        if state.stage is ComplaintStage.CLOSED:
            return state.refund_fen
        todo, at_ms = [], max(at_ms, state.due_at_ms)
    raise AssertionError(state)


@given(answers=some.booleans())
def test_more_evidence_for_a_side_never_hurts_it_through_the_whole_flow(*, answers: bool) -> None:
    nothing = back_fen((), answers=answers)
    used_before = back_fen((EVIDENCE[0],), answers=answers)
    his_own = back_fen((EVIDENCE[1], EVIDENCE[2]), answers=answers)
    assert his_own <= nothing <= used_before
    assert (his_own, used_before) == (0, PRICE_FEN)
