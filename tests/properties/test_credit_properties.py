"""Credit: neither the log's order nor rounding changes a number, and no good deed is punished."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from fairkey.business.credit.facts import Fact, Moment, What
from fairkey.business.credit.figures import account_of
from fairkey.business.credit.meter import Meter
from fairkey.business.credit.score import DAY_MS, ONE, Score, halved, wilson

AT_MS = 20_700 * DAY_MS
WEIGHTS = st.integers(0, 3_000 * ONE)


@st.composite
def histories(draw: st.DrawFn) -> list[Fact]:
    facts = []
    for number in range(draw(st.integers(1, 8))):
        stream, at_ms = f"order:{number}", AT_MS - draw(st.integers(1, 100)) * DAY_MS
        told: list[tuple[str, dict[str, object]]] = [
            ("order.placed", {"buyer": draw(st.sampled_from("ab")), "amount_fen": 5_000, "fee_bp": 200}),
            ("order.paid", {}),
            ("order.delivered", {}),
        ]
        if draw(st.booleans()):
            told += [
                ("dispute.opened", {}),
                (
                    "dispute.ruled",
                    {"ruling_no": 1, "row": "R03", "counted": True, "points": draw(st.sampled_from((6, 23, 69)))},
                ),
                ("dispute.final", {"outcome": "standard"}),
                ("dispute.executed", {"ruling_no": 1}),
            ]
        else:
            told += [("order.completed", {}), ("review.posted", {"code_worked": True})]
        step_ms = draw(st.sampled_from((0, 1_000)))
        facts += [
            Fact(at_ms + step_ms * version, stream, version, kind, public)
            for version, (kind, public) in enumerate(told, 1)
        ]
    return facts


def moments_of(what: What) -> st.SearchStrategy[Moment]:
    return st.builds(
        Moment,
        st.just(what),
        st.integers(AT_MS - 400 * DAY_MS, AT_MS),
        st.just("order"),
        st.sampled_from(("a", "b")),
        st.integers(0, 60),
        st.just(23 if what is What.DEFECT else 0),
    )


def score_of(moments: list[Moment]) -> int:
    score = Score()
    for moment in moments:
        score.take(moment)
    return score.at(AT_MS)


MOMENTS = st.lists(moments_of(What.CLEAN) | moments_of(What.DEFECT), max_size=25)


@given(histories(), st.data())
def test_the_order_in_the_log_changes_nothing(facts: list[Fact], data: st.DataObject) -> None:
    assert account_of(data.draw(st.permutations(facts)), AT_MS) == account_of(facts, AT_MS)


@given(MOMENTS, moments_of(What.CLEAN))
def test_a_clean_order_never_lowers_the_score(moments: list[Moment], clean: Moment) -> None:
    assert score_of([*moments, clean]) >= score_of(moments)


@given(MOMENTS, moments_of(What.DEFECT))
def test_a_defect_never_raises_the_score(moments: list[Moment], defect: Moment) -> None:
    assert score_of([*moments, defect]) <= score_of(moments)


@given(MOMENTS)
def test_the_meter_is_never_negative_and_its_lines_add_up(moments: list[Moment]) -> None:
    meter = Meter()
    lines = [line for moment in sorted(moments, key=lambda one: one.at_ms) if (line := meter.take(moment))]
    assert sum(line.change for line in lines) == meter.value
    assert all(line.value >= 0 for line in lines)
    assert all(line.change <= 0 or line.why == "defect" for line in lines)


@given(WEIGHTS, WEIGHTS)
def test_the_bound_is_the_exact_one_rounded_down(good: int, bad: int) -> None:
    low = wilson(good, bad)
    k, n, z = Fraction(good, ONE), Fraction(good + bad, ONE), Fraction(1_645, 1_000)

    def is_below(p: Fraction) -> bool:
        return k >= n * p and (k - n * p) ** 2 >= z**2 * n * p * (1 - p)

    assert is_below(Fraction(low, ONE))
    assert low == ONE or not is_below(Fraction(low + 1, ONE))


@given(st.integers(0, 4_000), st.sampled_from((90, 180)))
def test_decay_is_the_exact_power_rounded_down_by_less_than_one_unit(days: int, half_life_d: int) -> None:
    told = halved(days, half_life_d)
    exact = Fraction(2 ** (32 * half_life_d)) / 2**days
    assert told**half_life_d <= exact < (told + 1) ** half_life_d
