"""Arbitrators by example: apply, judge the test set, be admitted, be suspended, leave; their figures."""

import pytest

from fairkey.business import arbitrators
from fairkey.business.arbitrators import (
    Arbitrator,
    ArbitratorCommand,
    ArbitratorIsInAnotherStanding,
    ArbitratorStanding,
    ExamIsNotPassed,
    Side,
)
from fairkey.business.basics import PLATFORM, Event, FieldIsInvalid

AT_MS = 1_760_000_000_000
WHO = {"shop_id": PLATFORM, "arbitrator_id": "01990000-0000-7000-8000-0000000000a1"}


def after(arbitrator: Arbitrator, *commands: ArbitratorCommand) -> Arbitrator:
    for command in commands:
        for event in arbitrators.decide(command, arbitrator, None, AT_MS):
            arbitrator = arbitrators.evolve(arbitrator, event, AT_MS)
    return arbitrator


def applying() -> arbitrators.ApplyAsArbitrator:
    return arbitrators.ApplyAsArbitrator(
        **WHO, account_id="acc", side=Side.EXPERT, categories=("games",), text="Ten years of game cards."
    )


def admitted() -> Arbitrator:
    return after(
        arbitrators.INITIAL,
        applying(),
        arbitrators.RecordExam(**WHO, answers=6, hits=5),
        arbitrators.AdmitArbitrator(**WHO),
    )


def test_who_passed_is_admitted_and_may_be_drawn() -> None:
    assert admitted().may_be_drawn


@pytest.mark.parametrize(("answers", "hits", "passes"), [(5, 4, True), (6, 4, False), (4, 4, False), (0, 0, False)])
def test_four_of_five_known_answers_are_needed(answers: int, hits: int, passes: bool) -> None:
    applied = after(arbitrators.INITIAL, applying())
    if answers:
        applied = after(applied, arbitrators.RecordExam(**WHO, answers=answers, hits=hits))
    if passes:
        assert after(applied, arbitrators.AdmitArbitrator(**WHO)).may_be_drawn
    else:
        with pytest.raises(ExamIsNotPassed):
            after(applied, arbitrators.AdmitArbitrator(**WHO))


def test_the_test_set_is_judged_once() -> None:
    with pytest.raises(ArbitratorIsInAnotherStanding):
        after(
            arbitrators.INITIAL,
            applying(),
            arbitrators.RecordExam(**WHO, answers=6, hits=1),
            arbitrators.RecordExam(**WHO, answers=6, hits=6),
        )


def test_a_suspension_has_a_published_ground_and_can_be_lifted() -> None:
    with pytest.raises(FieldIsInvalid):
        after(admitted(), arbitrators.SuspendArbitrator(**WHO, ground="dislike", reason="Votes as he likes."))
    suspended = after(admitted(), arbitrators.SuspendArbitrator(**WHO, ground="quality", reason="Too few hits."))
    assert not suspended.may_be_drawn
    assert after(suspended, arbitrators.ReinstateArbitrator(**WHO, reason="It was our error.")).may_be_drawn


def test_who_leaves_and_comes_back_keeps_his_figures() -> None:
    judged = after(admitted(), arbitrators.NoteJudged(**WHO, panel_id="p", voted=True, agreed=True, fee_fen=300))
    back = after(judged, arbitrators.LeaveArbitration(**WHO), applying())
    assert (back.standing, back.seats, back.agreed, back.fees_fen) == (ArbitratorStanding.APPLIED, 1, 1, 300)


def test_a_case_with_a_known_answer_counts_once() -> None:
    command = arbitrators.RecordCalibration(**WHO, case_id="c1", hit=True)
    served = after(admitted(), command)
    assert (served.calibrations, served.calibration_hits) == (1, 1)
    with pytest.raises(ArbitratorIsInAnotherStanding):
        after(served, command)


def test_who_he_is_stays_sealed() -> None:
    [event] = arbitrators.decide(applying(), arbitrators.INITIAL, None, AT_MS)
    assert isinstance(event, Event)
    assert event.sealed == frozenset({"account_id", "text"})
