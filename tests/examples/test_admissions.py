"""Applications: what is asked, who decides, with which reasons; and when the next check is due."""

from datetime import datetime, timedelta, timezone

import pytest
from msgspec.structs import replace

from business_cases import NOW, SHOP, Case, all_of, hold, state_after
from fairkey.business import admissions
from fairkey.business.admissions import (
    ApplicationFiled,
    ApplicationHasMoved,
    ApplicationIsInAnotherStage,
    ApplicationPassed,
    ApplicationRefused,
    ApplicationSeconded,
    DecideApplication,
    FileApplication,
    LegalForm,
    MoreAsked,
    SecondReviewerMustBeAnother,
    ShopBriefing,
    TermsHaveChanged,
    check_ends_at,
)
from fairkey.business.basics import FieldIsInvalid
from fairkey.business.shop_terms import PRESENT_HASH

ID = {"shop_id": SHOP}
CODE = "91350100M000100Y43"  # the example of GB 32100-2015
TRADER_CODE = "92350100M000100Y40"
BRIEF = ShopBriefing(exists=True, is_applied=True, is_over=False, has_payout_account=True, terms_hash=PRESENT_HASH)
TWO = replace(BRIEF, approvals=2)
DATA = {
    "registered_name": "晨星商贸有限公司",
    "contact_name": "陈星",
    "contact": "owner@example.com",
    "address": "福州市鼓楼区示例路1号",
    "sources": "与发行商的合同 2026-014",
    "licence": "ab" * 32,
    "terms_hash": PRESENT_HASH,
}
FILE = FileApplication(**ID, legal_form="company", uscc=CODE, **DATA)
FILED = ApplicationFiled(round=1, legal_form=LegalForm.COMPANY, uscc=CODE, **DATA)
PERSON = replace(FILE, legal_form="person", uscc="", licence="")
DECIDE = DecideApplication(**ID, round=1, decision="admit", reason="all fits", reviewer="r1", fee_bp=200)
PASSED = ApplicationPassed(
    round=1, checked_until_ms=check_ends_at(NOW), admits=True, fee_bp=200, reviewer="r1", reason="all fits"
)
SECONDED = ApplicationSeconded(round=1, reviewer="r1", reason="all fits")
MORE = MoreAsked(round=1, items=("licence",), reviewer="r1", reason="it is blurred")
REFUSED = ApplicationRefused(round=1, reviewer="r1", reason="not yours")


def wrong(field: str, why: str, **changes: str) -> Case:
    return Case(
        rule=f"{field}: {why} ({list(changes.values())[-1][:20]!r})",
        when=replace(FILE, **changes),
        brief=BRIEF,
        then=(FieldIsInvalid, {"field": field, "why": why}),
    )


CASES = [
    Case(rule="a company", when=FILE, brief=BRIEF, then=[FILED]),
    Case(rule="a code as people type it", when=replace(FILE, uscc=" 91350100-m000100y43 "), brief=BRIEF, then=[FILED]),
    Case(
        rule="a sole trader",
        when=replace(FILE, legal_form="sole_trader", uscc=TRADER_CODE),
        brief=BRIEF,
        then=[replace(FILED, legal_form=LegalForm.SOLE_TRADER, uscc=TRADER_CODE)],
    ),
    Case(
        rule="a natural person has neither code nor licence, and no identity number is asked for",
        when=PERSON,
        brief=BRIEF,
        then=[replace(FILED, legal_form=LegalForm.PERSON, uscc="", licence="")],
    ),
    wrong("legal_form", "unknown", legal_form="club"),
    wrong("uscc", "empty", uscc=""),
    wrong("uscc", "length_18", uscc=CODE[:-1]),
    wrong("uscc", "not_in_code", uscc="I" + CODE[1:]),
    wrong("uscc", "check_digit", uscc=CODE[:-1] + "4"),
    wrong("uscc", "other_form", uscc=TRADER_CODE),
    wrong("uscc", "other_form", legal_form="sole_trader"),
    wrong("uscc", "not_for_persons", legal_form="person"),
    wrong("licence", "not_for_persons", legal_form="person", uscc=""),
    wrong("licence", "empty", licence=""),
    wrong("licence", "not_a_hash", licence="ab" * 31 + "xy"),
    wrong("registered_name", "too_short", registered_name="x"),
    wrong("registered_name", "control_characters", registered_name="晨\n星"),
    wrong("contact_name", "too_long", contact_name="x" * 61),
    wrong("contact", "too_short", contact="1234"),
    wrong("address", "too_short", address=""),
    wrong("sources", "too_short", sources="none"),
    Case(
        rule="where the money goes must be known",
        when=FILE,
        brief=replace(BRIEF, has_payout_account=False),
        then=(FieldIsInvalid, {"field": "payout_account", "why": "empty"}),
    ),
    Case(rule="other terms", when=replace(FILE, terms_hash="00" * 32), brief=BRIEF, then=TermsHaveChanged),
    Case(rule="no terms", when=replace(FILE, terms_hash=""), brief=BRIEF, then=TermsHaveChanged),
    Case(rule="no shop", when=FILE, brief=replace(BRIEF, exists=False), then=ApplicationIsInAnotherStage),
    Case(rule="a closed shop", when=FILE, brief=replace(BRIEF, is_over=True), then=ApplicationIsInAnotherStage),
    Case(rule="not while it is read", given=(FILED,), when=FILE, brief=BRIEF, then=ApplicationIsInAnotherStage),
    Case(rule="mended", given=(FILED, MORE), when=FILE, brief=BRIEF, then=[replace(FILED, round=2)]),
    Case(rule="after a refusal", given=(FILED, REFUSED), when=FILE, brief=BRIEF, then=[replace(FILED, round=2)]),
    Case(rule="the confirmation", given=(FILED, PASSED), when=FILE, brief=BRIEF, then=[replace(FILED, round=2)]),
    # Decisions.
    Case(rule="admitted", given=(FILED,), when=DECIDE, brief=BRIEF, then=[PASSED]),
    Case(
        rule="a shop that trades is checked, not admitted again",
        given=(FILED,),
        when=DECIDE,
        brief=replace(BRIEF, is_applied=False),
        then=[replace(PASSED, admits=False)],
    ),
    Case(
        rule="more is asked for",
        given=(FILED,),
        when=replace(DECIDE, decision="more", reason="it is blurred", items=("licence",)),
        brief=BRIEF,
        then=[MORE],
    ),
    Case(
        rule="more of nothing", given=(FILED,), when=replace(DECIDE, decision="more"), brief=BRIEF, then=FieldIsInvalid
    ),
    Case(
        rule="more of what is not asked",
        given=(FILED,),
        when=replace(DECIDE, decision="more", items=("identity_number",)),
        brief=BRIEF,
        then=(FieldIsInvalid, {"field": "items", "why": "unknown"}),
    ),
    Case(
        rule="refused",
        given=(FILED,),
        when=replace(DECIDE, decision="refuse", reason="not yours"),
        brief=BRIEF,
        then=[REFUSED],
    ),
    *(
        Case(
            rule=f"{decision} without reasons",
            given=(FILED,),
            when=replace(DECIDE, decision=decision, reason="ok", items=("licence",)),
            brief=BRIEF,
            then=(FieldIsInvalid, {"field": "reason", "why": "too_short"}),
        )
        for decision in ("admit", "more", "refuse")
    ),
    Case(
        rule="a nod is no decision",
        given=(FILED,),
        when=replace(DECIDE, decision="ok"),
        brief=BRIEF,
        then=FieldIsInvalid,
    ),
    Case(rule="nothing to decide", when=DECIDE, brief=BRIEF, then=ApplicationIsInAnotherStage),
    Case(rule="decided once", given=(FILED, PASSED), when=DECIDE, brief=BRIEF, then=ApplicationIsInAnotherStage),
    Case(
        rule="the round that was read",
        given=(FILED, MORE, replace(FILED, round=2)),
        when=DECIDE,
        brief=BRIEF,
        then=ApplicationHasMoved,
    ),
    Case(rule="two persons: the first", given=(FILED,), when=DECIDE, brief=TWO, then=[SECONDED]),
    Case(
        rule="two persons: not the same",
        given=(FILED, SECONDED),
        when=DECIDE,
        brief=TWO,
        then=SecondReviewerMustBeAnother,
    ),
    Case(
        rule="two persons: the second",
        given=(FILED, SECONDED),
        when=replace(DECIDE, reviewer="r2"),
        brief=TWO,
        then=[replace(PASSED, reviewer="r2")],
    ),
    Case(
        rule="the second may also ask for more",
        given=(FILED, SECONDED),
        when=replace(DECIDE, decision="more", reason="it is blurred", items=("licence",)),
        brief=TWO,
        then=[MORE],
    ),
]


@all_of(CASES)
def test_admissions(case: Case) -> None:
    hold(admissions, case)


def test_nothing_of_a_natural_person_stays_in_the_clear() -> None:
    person = replace(FILED, legal_form=LegalForm.PERSON, uscc="", licence="")
    for given in ((person,), (person, PASSED), (FILED, PASSED, person), (FILED, PASSED, person, PASSED)):
        shown = repr(state_after(admissions, given))
        assert "陈星" not in shown
        assert "owner@example.com" not in shown
        assert "示例路" not in shown
    after = state_after(admissions, (FILED, PASSED, person, PASSED))
    assert (after.name, after.code) == ("", "")


def test_the_public_reads_what_was_verified_and_not_what_is_being_read() -> None:
    other = replace(FILED, round=2, registered_name="别的公司")
    assert state_after(admissions, (FILED, PASSED, other)).name == "晨星商贸有限公司"
    assert state_after(admissions, (FILED,)).name == ""


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-11-23T08:30:00", "2027-05-23T08:30:00"),
        ("2026-08-31T00:00:00", "2027-02-28T00:00:00"),
        ("2027-08-31T23:59:59", "2028-02-29T23:59:59"),
        ("2026-06-30T00:00:00", "2026-12-30T00:00:00"),
        ("2026-12-31T12:00:00", "2027-06-30T12:00:00"),
    ],
)
def test_six_months_are_six_calendar_months_in_china(start: str, end: str) -> None:
    def ms(text: str) -> int:
        return int(datetime.fromisoformat(text).replace(tzinfo=timezone(timedelta(hours=8))).timestamp()) * 1_000

    assert check_ends_at(ms(start) + 7) == ms(end) + 7
