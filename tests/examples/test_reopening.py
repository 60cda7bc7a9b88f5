"""What ended because the buyer said nothing (row R16) is re-opened once, within 48 hours, by new evidence."""

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from business_cases import NOW, ORDER, SHOP, Case, all_of, hold, state_after
from fairkey.business import complaints
from fairkey.business.basics import HOUR_MS, FieldIsInvalid
from fairkey.business.complaints import EndSilence, GivenBriefing, JudgeComplaint, ReopenComplaint
from fairkey.business.dispute_events import (
    BuyerAsked,
    ComplaintClosed,
    ComplaintIsInAnotherStage,
    ComplaintLapsed,
    ComplaintOpened,
    ComplaintReopened,
    ComplaintRuled,
    NewEvidenceIsMissing,
    Outcome,
    Reason,
    ReopeningIsOver,
)
from fairkey.business.dispute_state import ComplaintStage, Turn
from fairkey.business.standard.library import newest
from fairkey.business.standard.truth import Statement
from fairkey.business.verdicts import CodeCase

ID = {"shop_id": SHOP, "order_id": ORDER}
H24, H48 = 24 * HOUR_MS, 48 * HOUR_MS
SHA = newest().standard.sha256
OPENED = ComplaintOpened(reason=Reason.OTHER, demand_fen=2_000, text="It fails.", answer_by_ms=NOW + H48)
ASKED = BuyerAsked(reply_by_ms=NOW + H48, text="Which screen?")
LAPSED = ComplaintLapsed(reopen_by_ms=NOW + H48)
AGAIN = ComplaintReopened(text="Here it is.", rule_by_ms=NOW + H48)
SILENT = ComplaintRuled(
    ruling_no=1, by="standard", level=0, standard="FK-AF-1", version="1.0", sha256=SHA, row="R16", case="R16",
    cases=("R16",), outcome="close", refund_fen=0, pool_fen=0, deduct_fen=0, bounty_fen=0, points=0, buyer_points=0,
    counted=False, freezes_shop=False, quarantines_batch=False, appeal_by_ms=NOW + H48, verdict="",
)  # fmt: skip
OTHER = replace(SILENT, row="R05", case="R05b")
WITHDRAWN = ComplaintClosed(outcome=Outcome.WITHDRAWN, refund_fen=0, text="")
REOPEN = ReopenComplaint(**ID, text="Here it is.")
NEW, OLD = GivenBriefing(evidence_at_ms=NOW), GivenBriefing(evidence_at_ms=NOW - 1)


def asking(rule: str, given: Sequence[Any], then: object, *, at_ms: int = NOW, brief: GivenBriefing = NEW) -> Case:
    return Case(rule=rule, given=tuple(given), when=REOPEN, brief=brief, at_ms=at_ms, then=then)


GONE = (OPENED, ASKED, SILENT)
CASES = [
    asking("the standard ended it, he has new evidence", GONE, [AGAIN]),
    asking("it lapsed where no standard was in force", (OPENED, ASKED, LAPSED), [AGAIN]),
    asking(
        "in the last millisecond", GONE, [replace(AGAIN, rule_by_ms=NOW + 2 * H48 - 1)], at_ms=NOW + H48 - 1
    ),
    asking("not a millisecond later", GONE, (ReopeningIsOver, {"why": "late"}), at_ms=NOW + H48),
    asking(
        "nor when it is carried out", (*GONE, WITHDRAWN), (ReopeningIsOver, {"why": "late"}), at_ms=NOW + H48
    ),
    asking("once", (*GONE, AGAIN), (ReopeningIsOver, {"why": "used"})),
    asking(
        "not after a second silence either",
        (*GONE, AGAIN, replace(SILENT, ruling_no=2)), (ReopeningIsOver, {"why": "used"}),
    ),
    asking("other rulings are appealed", (OPENED, ASKED, OTHER), (ReopeningIsOver, {"why": "other_end"})),
    asking("what he took back stays so", (OPENED, WITHDRAWN), (ReopeningIsOver, {"why": "other_end"})),
    asking("what still runs is not re-opened", (OPENED, ASKED), (ComplaintIsInAnotherStage, {"stage": "asked"})),
    asking("old evidence is not new", GONE, (NewEvidenceIsMissing, {"asked_at_ms": NOW}), brief=OLD),
    asking("none is none", GONE, NewEvidenceIsMissing, brief=GivenBriefing(evidence_at_ms=0)),
    Case(
        rule="and he says what it shows",
        given=GONE, when=ReopenComplaint(**ID, text="1"), brief=NEW, then=FieldIsInvalid,
    ),
    Case(
        rule="silence with no standard in force lapses first",
        given=(OPENED, ASKED), when=EndSilence(**ID), at_ms=NOW + H48,
        then=[ComplaintLapsed(reopen_by_ms=NOW + 2 * H48)],
    ),
    Case(
        rule="then it has ended",
        given=(OPENED, ASKED, LAPSED), when=EndSilence(**ID), at_ms=NOW + H48, then=[WITHDRAWN],
    ),
]  # fmt: skip


@all_of(CASES)
def test_reopening(case: Case) -> None:
    hold(complaints, case)


@pytest.mark.parametrize(("given", "days"), [((OPENED, ASKED), 2), ((OPENED, ASKED, SILENT, AGAIN), 1)])
def test_a_ruling_by_silence_leaves_48_hours_the_first_time_only(given: Sequence[Any], days: int) -> None:
    said = {
        "now_ms": NOW + H48,
        "amount_fen": 2_000,
        "units_total": 1,
        "units_affected": 1,
        "complained_at_ms": NOW,
        "reason": "other",
        "form_complete": True,
        "sold_before": False,
        "merchant_answered_at_ms": NOW,
        "asked_buyer_at_ms": NOW,
        "buyer_answered_at_ms": 0,
    }
    codes = (
        CodeCase(
            code_nos=(1,),
            statements=tuple(Statement(fact=fact, value=value, rank="E2") for fact, value in said.items()),
        ),
    )
    judge = JudgeComplaint(**ID, sha256=SHA, codes=codes)
    [ruled] = complaints.decide(judge, state_after(complaints, tuple(given)), None, NOW + H48)
    assert isinstance(ruled, ComplaintRuled)
    assert (ruled.case, ruled.appeal_by_ms) == ("R16", NOW + H48 + days * H24)


def test_re_opened_it_goes_on_and_nobody_counts_down_to_the_old_end() -> None:
    lapsed = state_after(complaints, (OPENED, ASKED, LAPSED))
    assert [(one.turn, one.until_ms) for one in lapsed.waits(NOW)] == [(Turn.REOPEN, NOW + H48)]
    again = state_after(complaints, (OPENED, ASKED, LAPSED, AGAIN))
    assert (again.stage, again.waits(NOW), again.ruling) == (ComplaintStage.CONTESTED, [], None)
