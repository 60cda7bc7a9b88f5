"""Where to go next, what blocks what, until when; what a case has and what it lacks."""

import json
from datetime import date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from fairkey.casework.clocks import deadlines, due_after, entries, reminders
from fairkey.casework.completeness import State, checklist, gaps, preservation_needed
from fairkey.casework.folder import new_case
from fairkey.casework.law import rule
from fairkey.casework.model import (
    Capture,
    Case,
    CaseFile,
    ConfirmedFact,
    FactKind,
    FactRole,
    Party,
    Problem,
    Purchase,
    Purpose,
    Seal,
    StepTaken,
)
from fairkey.casework.moments import CHINA
from fairkey.casework.path import BUSINESS_ORDER, CONSUMER_ORDER, StepState, steps
from fairkey.casework.venue import respondents, venue_of
from fairkey.cli.case import case as command


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=CHINA).timestamp() * 1000)


NOW = at("2026-11-23T10:00")
ON = date(2026, 11, 23)
SELLER = Party(kind="company", name="某某网络有限公司", uscc="91350100M000100Y43", address="福州市某路1号")
CASE = Case(
    case_id="c1",
    created_at_ms=NOW,
    problem=Problem.ALREADY_USED,
    respondents=(SELLER,),
    purchase=Purchase(platform="某平台", shop="某店", amount_fen=1_500, problem_at_ms=at("2026-11-20T09:00")),
)


def took(channel: str, stage: str, when: str = "2026-11-22T09:00") -> StepTaken:
    at_ms = at(when)
    return StepTaken(
        step_id=f"{channel}-{stage}",
        channel=channel,
        stage=stage,
        at_ms=at_ms,
        due_at_ms=due_after(channel, stage, at_ms),
    )


def states(case: Case, now_ms: int = NOW) -> dict[str, str]:
    return {one.channel: one.state.value for one in steps(case, now_ms)}


def test_a_new_case_begins_inside_the_platform() -> None:
    found = states(CASE)
    assert list(found) == list(CONSUMER_ORDER)
    assert found["platform"] == "now"
    assert set(found.values()) == {"now", "later"}


def test_while_the_platform_has_time_the_next_is_prepared() -> None:
    asked = replace(CASE, steps=(took("platform", "sent"),))
    [step] = [one for one in steps(asked, NOW) if one.channel == "s12315"]
    assert (step.state, step.from_ms) == (StepState.LATER, at("2026-11-24T09:00"))
    after = states(asked, at("2026-11-24T09:00"))
    assert (after["platform"], after["heimao"], after["s12315"]) == ("running", "now", "now")


def test_heimao_blocks_nothing_and_a_court_blocks_12315() -> None:
    refused = took("platform", "refused")
    beside = states(replace(CASE, steps=(refused, took("heimao", "sent"))))
    assert beside["s12315"] == "now"
    for channel in ("small_claims", "consumer_association"):
        [step] = [
            one
            for one in steps(replace(CASE, steps=(refused, took(channel, "accepted"))), NOW)
            if one.channel == "s12315"
        ]
        assert step.state is StepState.BLOCKED
        assert step.rules == (rule("c_refuse", ON),)
    ended = replace(CASE, steps=(refused, took("small_claims", "accepted"), took("small_claims", "ended")))
    assert states(ended)["s12315"] == "now"


def test_who_buys_to_sell_goes_another_way() -> None:
    assert list(states(replace(CASE, purpose=Purpose.RESALE))) == list(BUSINESS_ORDER)


def test_nobody_sues_somebody_unknown_and_the_platform_answers_for_him() -> None:
    unknown = replace(CASE, respondents=())
    assert states(replace(unknown, steps=(took("platform", "refused"),)))["small_claims"] == "blocked"
    shop, platform = respondents(unknown, ON)
    assert not shop.is_definite
    assert platform.rules == (rule("platform_liable", ON),)
    assert [one.party for one in respondents(CASE, ON)] == [SELLER]
    assert venue_of(unknown, ON, "浙江省").small_claims is False
    assert venue_of(CASE, ON, "浙江省").small_claims is True
    assert venue_of(CASE, ON, "福建省").small_claims is None


def test_after_three_years_12315_takes_nothing() -> None:
    old = replace(CASE, purchase=replace(CASE.purchase, problem_at_ms=at("2023-11-22T09:00")))
    assert states(old)["s12315"] == "blocked"
    just = replace(CASE, purchase=replace(CASE.purchase, problem_at_ms=at("2023-11-23T09:00")))
    assert states(just)["s12315"] != "blocked"


def test_large_sums_go_to_the_police_first_and_settled_is_over() -> None:
    large = replace(CASE, purchase=replace(CASE.purchase, amount_fen=300_000))
    assert next(iter(states(large))) == "police"
    assert "police" not in states(replace(CASE, purchase=replace(CASE.purchase, amount_fen=299_999)))
    assert steps(replace(CASE, steps=(took("platform", "settled"),)), NOW) == ()


@pytest.mark.parametrize(
    ("channel", "stage", "when", "due"),
    [
        ("platform", "sent", "2026-11-23T10:00", "2026-11-25T10:00"),
        ("s12315", "sent", "2026-11-23T10:00", "2026-12-02T23:59"),
        ("s12315", "sent", "2026-09-28T10:00", "2026-10-13T23:59"),
        ("regulator", "sent", "2026-11-23T10:00", "2026-12-14T23:59"),
        ("s12315", "accepted", "2026-12-02T10:00", "2027-02-01T23:59"),
    ],
)
def test_periods_end_when_the_law_says(channel: str, stage: str, when: str, due: str) -> None:
    assert due_after(channel, stage, at(when)) // 60_000 == at(due) // 60_000


def test_deadlines_are_told_nearest_first_and_remembered() -> None:
    running = replace(CASE, steps=(took("platform", "sent"), took("s12315", "sent")))
    found = deadlines(running, ON)
    assert [one.channel for one in found] == ["platform", "s12315", ""]
    assert [one.own for one in found] == [True, False, False]
    assert len({one.uid for one in entries(running, ON)}) == len(found)
    assert reminders(running, NOW)[0].zh.startswith("平台答复")
    assert "已到期" in reminders(running, at("2026-11-24T10:00"))[0].zh
    assert reminders(CASE, NOW) == ()


def file(sha: str, how: str, **checks: str) -> CaseFile:
    return CaseFile(
        name=f"{sha}.png",
        path=f"originals/{sha}",
        media_type="image/png",
        seal=Seal(sha256=sha, sha512="", size_bytes=1, sealed_at_ms=NOW),
        capture=Capture(how=how, nonce=checks.pop("nonce", "")),
        checks=checks,
    )


def fact(kind: FactKind, sha: str, role: FactRole = FactRole.NONE) -> ConfirmedFact:
    return ConfirmedFact(fact_id=sha, kind=kind, value="x", role=role, files=(sha,))


def state_of(case: Case, piece: str, channel: str = "") -> State | None:
    return next((gap.state for gap in gaps(case, channel) if gap.piece.id == piece), None)


@pytest.mark.parametrize(
    ("how", "checks", "state"),
    [
        ("screenshot", {}, State.WEAK),
        ("export", {}, State.PRESENT),
        ("mail", {"dkim": "pass d=example.com"}, State.PRESENT),
        ("mail", {"dkim": "fail"}, State.WEAK),
        ("", {}, State.WEAK),
    ],
)
def test_how_a_file_was_made_says_how_much_it_is_worth(how: str, checks: dict[str, str], state: State) -> None:
    shown = replace(CASE, files=(file("a", how, **checks),), facts=(fact(FactKind.TRANSACTION, "a"),))
    assert state_of(shown, "payment") is state
    assert state_of(CASE, "payment") is State.MISSING


def test_a_recording_counts_with_its_nonce_only() -> None:
    for nonce, state in (("", State.WEAK), ("word", State.PRESENT)):
        shown = replace(CASE, files=(file("a", "recording", nonce=nonce),), facts=(fact(FactKind.ERROR, "a"),))
        assert state_of(shown, "problem") is state


def test_what_a_channel_wants_comes_on_top() -> None:
    assert state_of(CASE, "platform_answer") is None
    assert state_of(CASE, "platform_answer", "heimao") is State.MISSING
    assert preservation_needed(CASE)


@given(st.sampled_from(list(Problem)), st.sampled_from(["", *checklist().more]))
def test_every_problem_has_its_list(problem: Problem, channel: str) -> None:
    found = gaps(replace(CASE, problem=problem), channel)
    assert found
    assert all(gap.state is State.MISSING for gap in found)
    for gap in found:
        for name in gap.piece.rules:
            assert rule(name, ON).zh


def test_the_commands_say_it(tmp_path: Path) -> None:
    folder = tmp_path / "case"
    new_case(folder, replace(CASE, case_id="c1", created_at_ms=NOW))

    def said(*words: str) -> dict[str, object]:
        done = CliRunner().invoke(command, [words[0], str(folder), *words[1:], "--json"])
        assert done.exit_code == 0, done.output
        return dict(json.loads(done.stdout))

    assert said("check")["preserve"] is True
    taken = said("step", "--channel", "platform", "--stage", "sent", "--at", "2026-11-22T09:00")
    assert taken["due_at_ms"] == at("2026-11-24T09:00")
    assert said("path")["deadlines"]
    calendar = tmp_path / "case.ics"
    assert said("ics", "-o", str(calendar))["entries"] == 2
    assert calendar.read_bytes().startswith(b"BEGIN:VCALENDAR\r\n")
    assert said("remind")["sent"] == 0
    wrong = CliRunner().invoke(
        command, ["step", str(folder), "--channel", "platform", "--stage", "sent", "--at", "soon"]
    )
    assert (wrong.exit_code, "soon" in wrong.stderr) == (1, True)
