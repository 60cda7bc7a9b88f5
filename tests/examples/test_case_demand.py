"""What is asked for, with its articles: money, the extra for fraud apart, resale, limitation, what is not known."""

from datetime import date

import pytest
from msgspec import structs

from fairkey.casework.demand import compute
from fairkey.casework.law import LawIsUnknown, law_data, review_warning, rule, small_claims_threshold
from fairkey.casework.model import Case, Purchase, Purpose, StepTaken

DAY = date(2026, 11, 23)
PROBLEM_MS = 1_793_500_000_000
CASE = Case(case_id="a", created_at_ms=1, purchase=Purchase(amount_fen=9_900, problem_at_ms=PROBLEM_MS))


def amounts(case: Case) -> dict[str, int | None]:
    return {one.name: one.amount_fen for one in compute(case, DAY).figures}


def test_refund_less_what_came_back() -> None:
    assert amounts(CASE) == {"refund": 9_900}
    step = StepTaken(step_id="1", channel="platform", stage="settled", at_ms=PROBLEM_MS + 1, received_fen=4_000)
    assert amounts(structs.replace(CASE, steps=(step,))) == {"refund": 5_900}


def test_fraud_is_asserted_apart_and_at_least_500() -> None:
    found = compute(structs.replace(CASE, asserts_fraud=True), DAY)
    assert [(one.name, one.amount_fen, one.is_alternative) for one in found.figures] == [
        ("refund", 9_900, False),
        ("fraud_extra", 50_000, True),
    ]
    dear = structs.replace(CASE, asserts_fraud=True, purchase=Purchase(amount_fen=100_000))
    assert amounts(dear)["fraud_extra"] == 300_000


def test_resale_is_no_consumption() -> None:
    found = compute(structs.replace(CASE, asserts_fraud=True, purpose=Purpose.RESALE), DAY)
    assert found.route == "business"
    assert [one.name for one in found.figures] == ["refund"]
    assert not any("消费者" in one.law for figure in found.figures for one in figure.rules)
    assert found.warnings


def test_what_is_not_known_is_said() -> None:
    found = compute(Case(case_id="a", created_at_ms=1, asserts_fraud=True, wishes=("refund", "damages")), DAY)
    assert all(one.amount_fen is None for one in found.figures)
    assert len(found.unknown) == 4
    assert found.limitation is None


def test_a_demand_in_time_begins_limitation_anew() -> None:
    plain = compute(CASE, DAY).limitation
    sent = StepTaken(step_id="1", channel="platform", stage="sent", at_ms=PROBLEM_MS + 86_400_000)
    later = compute(structs.replace(CASE, steps=(sent,)), DAY).limitation
    assert plain is not None
    assert later is not None
    assert (later.last_day - plain.last_day).days == 1
    too_late = structs.replace(sent, at_ms=PROBLEM_MS + 4 * 366 * 86_400_000)
    assert compute(structs.replace(CASE, steps=(too_late,)), DAY).limitation == plain


def test_every_figure_has_an_article_in_force() -> None:
    case = structs.replace(CASE, asserts_fraud=True, wishes=("refund", "resend", "make_up", "damages"), losses_fen=1)
    for figure in compute(case, DAY).figures:
        assert figure.rules
        assert all(one.effective_from <= DAY for one in figure.rules)


def test_versions_by_date_and_review() -> None:
    assert "暂行" in rule("c_mediate", date(2026, 4, 14)).law
    assert "暂行" not in rule("c_mediate", date(2026, 4, 15)).law
    with pytest.raises(LawIsUnknown, match="is unknown"):
        rule("no such rule", DAY)
    assert not review_warning(law_data().review_by)
    assert review_warning(date(2030, 1, 1))
    assert small_claims_threshold("浙江省").up_to_fen == 5_432_300
    assert small_claims_threshold("广东省").up_to_fen is None
