"""What holds for every case whatever its facts: some row applies, evidence never hurts its own side, screenshots decide
nothing, sums stay within bounds, and the same facts give the same finding.
"""

from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from msgspec import json

from fairkey.business.standard.deciding import Finding, evaluate, standing_of
from fairkey.business.standard.library import edition_of, newest
from fairkey.business.standard.table import Side, TableIsMalformed
from fairkey.business.standard.truth import Statement, Truth, Value, answers_of, known_from
from standard_cases import BASE, COMPLAINED, NOW, OPENED, PRICE_FEN, SMALL, STANDARD, found

MOMENTS = [0, OPENED - 301_000, OPENED - 300_000, OPENED, OPENED + 60_000, COMPLAINED, COMPLAINED + 3_600_000, NOW]
WORDS = {
    "reason": [reason.id for reason in STANDARD.reasons],
    "error_means": [reason.id for reason in STANDARD.reasons],
    "custody": ["C0", "C1", "C2"],
}
VALUES: dict[str, list[Any]] = {
    "moment": MOMENTS,
    "span": [0, 1, 3_600_000],
    "money": [0, 1, 3_000, 5_000, PRICE_FEN],
    "count": [0, 1, 2, 3, 20, 33, 46, 500],
    "flag": [True, False],
    "word": ["", "CN", "US"],
}
SETTINGS = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def statement(draw: st.DrawFn, *, of_fact: str | None = None) -> Statement:
    name = of_fact or draw(st.sampled_from(sorted(STANDARD.facts)))
    kind = STANDARD.facts[name]
    value: Value = draw(st.sampled_from(WORDS.get(name, VALUES[kind.kind])))
    return Statement(fact=name, value=value, rank=draw(st.sampled_from(kind.ranks)))


@st.composite
def case(draw: st.DrawFn) -> list[Statement]:
    """Half of the time an ordinary complaint with a few facts more or less; else anything at all."""
    some = draw(st.lists(statement(), max_size=20))
    if draw(st.booleans()):
        left_out = draw(st.sets(st.sampled_from(sorted(BASE)), max_size=4)) | {one.fact for one in some}
        base = [
            Statement(fact=name, value=value, rank=STANDARD.facts[name].ranks[0])
            for name, value in BASE.items()
            if name not in left_out
        ]
        return [*base, *some]
    return some


def answers(statements: list[Statement]) -> dict[str, Truth]:
    return answers_of(STANDARD, known_from(STANDARD, statements).values)


def counts_for(side: Side, test: str, answer: Truth) -> int:
    """2: the answer speaks for the side; 0: against it; 1: for nobody."""
    if answer is None:
        return 1
    favours = STANDARD.tests[test].yes if answer else STANDARD.tests[test].no
    return 1 if favours == "neither" else 2 if favours == side else 0


def is_for(side: Side, before: dict[str, Truth], after: dict[str, Truth]) -> bool:
    """Whether what was added is evidence for the side: nothing counts less for it, and no neutral answer changes."""
    return all(
        before[name] == after[name]
        if test.is_neutral
        else counts_for(side, name, after[name]) >= counts_for(side, name, before[name])
        for name, test in STANDARD.tests.items()
    )


@SETTINGS
@given(case())
def test_some_row_always_applies_and_says_why(statements: list[Statement]) -> None:
    finding = evaluate(STANDARD, statements)
    assert finding.case in STANDARD.precedence
    named = STANDARD.cases()[finding.case]
    assert (finding.side, finding.outcome) == (named.side, named.outcome)
    over = {one.case for one in finding.passed_over}
    assert over | {finding.case} | set(finding.also) == set(STANDARD.precedence)
    assert not over & {finding.case, *finding.also}
    assert {one.why for one in finding.passed_over} <= {"not_shown", "refuted", "not_yet", "over", "weaker"}


@SETTINGS
@given(case())
def test_sums_stay_within_what_was_paid_asked_and_deposited(statements: list[Statement]) -> None:
    finding = evaluate(STANDARD, statements)
    values = known_from(STANDARD, statements).values
    paid, asked, deposit = (values.get(name) for name in ("amount_fen", "asked_fen", "deposit_fen"))
    if isinstance(paid, int):
        assert finding.refund_fen is not None
        assert 0 <= finding.refund_fen <= paid
        if asked:
            assert finding.refund_fen <= int(asked)
        if finding.deduction_fen is not None:
            assert finding.deduction_fen >= 0
            if isinstance(deposit, int):
                assert finding.deduction_fen <= deposit
            else:
                assert finding.deduction_fen <= max(paid * 2, 5_000)
    assert finding.side == "buyer" or (finding.refund_fen, finding.deduction_fen or 0) == (0, 0)
    assert finding.bounty_fen <= (finding.deduction_fen or 0)


@SETTINGS
@given(case(), st.randoms(use_true_random=False))
def test_the_same_facts_in_any_order_give_the_same_finding(statements: list[Statement], chance: Any) -> None:  # noqa: ANN401
    shuffled = list(statements)
    chance.shuffle(shuffled)
    assert evaluate(STANDARD, shuffled) == evaluate(STANDARD, statements)
    assert json.decode(json.encode(evaluate(STANDARD, statements)), type=Finding) == evaluate(STANDARD, statements)


@SETTINGS
@given(case(), st.data())
def test_screenshots_decide_nothing(statements: list[Statement], data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from(sorted(STANDARD.facts)), min_size=1, max_size=8))
    shots = [
        Statement(fact=name, value=data.draw(statement(of_fact=name)).value, rank="E5", source="screenshot")
        for name in names
    ]
    without, with_them = evaluate(STANDARD, statements), evaluate(STANDARD, [*statements, *shots])
    assert {one.statement for one in with_them.set_aside} >= set(shots)
    for name in Finding.__struct_fields__:
        if name != "set_aside":
            assert getattr(with_them, name) == getattr(without, name)


@pytest.mark.parametrize("side", ["buyer", "merchant"])
@SETTINGS
@given(data=st.data())
def test_evidence_for_a_side_never_hurts_it(side: Side, data: st.DataObject) -> None:
    before = data.draw(case())
    after = [*before, *data.draw(st.lists(statement(), min_size=1, max_size=3))]
    assume(is_for(side, answers(before), answers(after)))
    # What decides amounts only (prices, counts, the difference) is no evidence; it stays as it was.
    then, now = known_from(STANDARD, before).values, known_from(STANDARD, after).values
    amounts = ("amount_fen", "asked_fen", "deposit_fen", "difference_fen", "units_total", "units_affected")
    amounts += ("units_missing", "units_sealed", "revealed_at_ms", "revoked_at_ms", "now_ms", "clocks_stopped_ms")
    amounts += ("complained_at_ms", "asked_buyer_at_ms")
    assume(all(then.get(name) == now.get(name) for name in amounts))
    stood, stands = standing_of(evaluate(STANDARD, before), side), standing_of(evaluate(STANDARD, after), side)
    assert stands >= stood if side == "buyer" else stands <= stood


def test_where_the_pool_pays_the_shop_stands_as_before_a_panel() -> None:
    """Found by the property: the account that was activated turns a payment of the pool into a panel."""
    pool, panel = found(SMALL, reason=None), found(SMALL, reason=None, account_matches=True)
    assert (pool.case, pool.refund_source, panel.case) == ("R00b", "pool", "R00c")
    assert standing_of(pool, "merchant") == standing_of(panel, "merchant") == (1, 0)
    assert standing_of(panel, "buyer") < standing_of(pool, "buyer")


def test_a_whole_deposit_that_nobody_counted_costs_more_than_any_sum() -> None:
    """Found by the property: a sign of life takes R18 away, and what is left deducts a sum that can be said."""
    invalid = {"reason": "not_valid", "unknown_to_issuer": True, "corrected_at_ms": 0, "shop_meter": 46}
    gone, seen = (found(invalid, merchant_seen_at_ms=at_ms) for at_ms in (NOW - 172_800_000, NOW))
    assert (gone.case, gone.deduction_fen, seen.case, seen.deduction_fen) == ("R18", None, "R10e", PRICE_FEN // 2)
    assert standing_of(seen, "merchant") < standing_of(gone, "merchant")


def changed(change: Any) -> bytes:  # noqa: ANN401 - a function on the decoded file
    table = json.decode(newest().data)
    change(table)
    return json.encode(table)


def case_of(table: Any, case_id: str) -> Any:  # noqa: ANN401
    return next(case for row in table["rows"] for case in row["cases"] if case["id"] == case_id)


BREAKS: dict[str, Any] = {
    "a fact that screenshots may say": lambda table: table["facts"]["activated_at_ms"]["ranks"].append("E5"),
    "a fact that nothing may say": lambda table: table["facts"]["activated_at_ms"]["ranks"].clear(),
    "a buyer's case that wants what speaks against him": lambda table: case_of(table, "R03a")["when"]["all"].append(
        {"shown": "own_account"}
    ),
    "a merchant's case that wants what speaks against him": lambda table: case_of(table, "R04")["when"]["all"].append(
        {"shown": "is_used"}
    ),
    "a case that more evidence of its own side would end": lambda table: case_of(table, "R03a")["when"]["all"].append(
        {"not_shown": "is_used"}
    ),
    "an open case that evidence brings before others decide": lambda table: case_of(table, "R12a")["when"][
        "all"
    ].append({"shown": "is_used"}),
    "a last case that does not take everything": lambda table: case_of(table, "R00")["when"]["all"].append(
        {"shown": "complaint"}
    ),
    "a case without a place": lambda table: table["precedence"].remove("R07c"),
    "a case with two places": lambda table: table["precedence"].insert(0, "R07c"),
    "a test that is not there": lambda table: case_of(table, "R03a")["when"]["all"].append({"shown": "used"}),
    "a test of a fact that is not there": lambda table: table["tests"]["complaint"]["when"].update(happened=["x"]),
    "a threshold that is not there": lambda table: case_of(table, "R15").update(after=["complained_at_ms", "x"]),
    "a word that nobody knows": lambda table: table["tests"]["complaint"].update(when={"probably": ["reason"]}),
    "money back where the merchant is right": lambda table: case_of(table, "R04").update(refund={"source": "escrow"}),
    "a pool that fines": lambda table: case_of(table, "R05c").update(cost={"bp": 1}),
    "a field that nobody reads": lambda table: table.update(comment="x"),
    "its own hash": lambda table: table.update(sha256="ab" * 32),
    "a reason that leads nowhere": lambda table: table["reasons"][0].update(rows=["R99"]),
}  # fmt: skip


@pytest.mark.parametrize("name", BREAKS)
def test_a_version_with_this_is_none(name: str) -> None:
    edition_of(changed(lambda table: None))
    with pytest.raises(TableIsMalformed):
        edition_of(changed(BREAKS[name]))
