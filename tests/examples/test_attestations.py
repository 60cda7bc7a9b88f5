"""Attestations: recorded in order, each statement once; contradictions are marked and nothing is overwritten."""

from typing import Any, TypeVar

from msgspec.structs import replace

from business_cases import LISTING, NOW, SHOP, Case, all_of, hold, state_after
from fairkey.business import attestations
from fairkey.business.attestations import (
    HEARD_EACH_MAX,
    AttestCode,
    CodeActivated,
    CodeRevoked,
    CodeUnused,
    IssuerBriefing,
    IssuerMayNotAttest,
    IssuerWasUnclear,
    RecordIssuerAnswer,
)
from fairkey.business.basics import Event, FieldIsInvalid

ISSUER = "00000000-0000-7000-8000-000000000071"
CODE = "00000000-0000-7000-8000-000000000081"
GOOD = IssuerBriefing(is_active=True, takes_key=True, in_scope=True)
THEN, SAID = NOW - 5_000, NOW - 1_000

ACTIVATE = AttestCode(
    shop_id=SHOP,
    code_id=CODE,
    listing_id=LISTING,
    issuer_id=ISSUER,
    key_no=1,
    says="activated",
    happened_at_ms=THEN,
    said_at_ms=SAID,
    statement="{}",
    signature="c2ln",
    statement_key="one",
    code_salt="c2FsdA",
    account="player",
    account_salt="c2FsdDI",
    account_key="player-key",
)
UNUSED = replace(ACTIVATE, says="unused", statement_key="two", account="", account_salt="", account_key="")
REVOKE = replace(UNUSED, says="revoked", statement_key="three", reason="chargeback")
PULL = RecordIssuerAnswer(
    shop_id=SHOP,
    code_id=CODE,
    listing_id=LISTING,
    issuer_id=ISSUER,
    says="activated",
    word="",
    happened_at_ms=SAID,
    said_at_ms=SAID,
    statement_key="pull",
    answer="VALID",
)
COMMON: dict[str, Any] = {
    "number": 1,
    "issuer_id": ISSUER,
    "key_no": 1,
    "how": "signed",
    "in_scope": True,
    "happened_at_ms": THEN,
    "said_at_ms": SAID,
    "conflict": "",
    "conflicts_with": (),
    "statement": "{}",
    "signature": "c2ln",
    "code_salt": "c2FsdA",
    "answer": "",
}
ACTIVATED = CodeActivated(
    **COMMON, statement_key="one", account="player", account_salt="c2FsdDI", account_key="player-key"
)
SAID_UNUSED = CodeUnused(**COMMON, statement_key="two")
REVOKED = CodeRevoked(**COMMON, statement_key="three", reason="chargeback")
PULLED = {"how": "pulled", "key_no": 0, "statement": "", "signature": "", "code_salt": "", "happened_at_ms": SAID}
PULLED_ACTIVATED = CodeActivated(
    **{**COMMON, **PULLED, "answer": "VALID"}, statement_key="pull", account="", account_salt="", account_key=""
)


E = TypeVar("E", bound=Event)


def conflicting(event: E, why: str, *, number: int = 2, with_: tuple[int, ...] = (1,)) -> E:
    return replace(event, number=number, conflict=why, conflicts_with=with_)


CASES = [
    Case(rule="activated", when=ACTIVATE, brief=GOOD, then=[ACTIVATED]),
    Case(rule="unused", when=UNUSED, brief=GOOD, then=[SAID_UNUSED]),
    Case(rule="revoked", when=REVOKE, brief=GOOD, then=[REVOKED]),
    Case(
        rule="of another's product: recorded, and said so",
        when=UNUSED,
        brief=replace(GOOD, in_scope=False),
        then=[replace(SAID_UNUSED, in_scope=False)],
    ),
    Case(rule="the same statement again", given=(ACTIVATED,), when=ACTIVATE, brief=GOOD, then=[]),
    Case(
        rule="from a suspended issuer",
        when=ACTIVATE,
        brief=replace(GOOD, is_active=False),
        then=(IssuerMayNotAttest, {"why": "standing"}),
    ),
    Case(
        rule="under a retired key",
        when=ACTIVATE,
        brief=replace(GOOD, takes_key=False),
        then=(IssuerMayNotAttest, {"why": "key"}),
    ),
    Case(rule="saying something else", when=replace(ACTIVATE, says="sold"), brief=GOOD, then=FieldIsInvalid),
    Case(rule="saying nothing", when=replace(ACTIVATE, says="unclear"), brief=GOOD, then=FieldIsInvalid),
    Case(rule="at no moment", when=replace(ACTIVATE, happened_at_ms=0), brief=GOOD, then=FieldIsInvalid),
    Case(
        rule="of what is still to come",
        when=replace(ACTIVATE, happened_at_ms=SAID + 1),
        brief=GOOD,
        then=FieldIsInvalid,
    ),
    Case(rule="said beyond all time", when=replace(ACTIVATE, said_at_ms=2**46), brief=GOOD, then=FieldIsInvalid),
    Case(
        rule="first unused, then activated: no contradiction",
        given=(replace(SAID_UNUSED, happened_at_ms=THEN - 1),),
        when=ACTIVATE,
        brief=GOOD,
        then=[replace(ACTIVATED, number=2)],
    ),
    Case(
        rule="activated, and unused at a later moment",
        given=(ACTIVATED,),
        when=replace(UNUSED, happened_at_ms=THEN + 1),
        brief=GOOD,
        then=[conflicting(replace(SAID_UNUSED, happened_at_ms=THEN + 1), "used_before_unused")],
    ),
    Case(
        rule="unused at a moment, and told later that it was activated before it",
        given=(replace(SAID_UNUSED, happened_at_ms=THEN + 1),),
        when=ACTIVATE,
        brief=GOOD,
        then=[conflicting(ACTIVATED, "used_before_unused")],
    ),
    Case(
        rule="activated for two accounts",
        given=(ACTIVATED,),
        when=replace(ACTIVATE, statement_key="x", account="other", account_key="other-key"),
        brief=GOOD,
        then=[
            conflicting(
                replace(ACTIVATED, statement_key="x", account="other", account_key="other-key"), "other_account"
            )
        ],
    ),
    Case(
        rule="activated at two moments",
        given=(ACTIVATED,),
        when=replace(ACTIVATE, statement_key="x", happened_at_ms=THEN + 1),
        brief=GOOD,
        then=[conflicting(replace(ACTIVATED, statement_key="x", happened_at_ms=THEN + 1), "other_moment")],
    ),
    Case(
        rule="said twice in two statements: no contradiction",
        given=(ACTIVATED,),
        when=replace(ACTIVATE, statement_key="x"),
        brief=GOOD,
        then=[replace(ACTIVATED, statement_key="x", number=2)],
    ),
    Case(
        rule="revoked after it was activated",
        given=(ACTIVATED,),
        when=replace(REVOKE, happened_at_ms=THEN + 1),
        brief=GOOD,
        then=[conflicting(replace(REVOKED, happened_at_ms=THEN + 1), "revoked_after_use")],
    ),
    Case(
        rule="activated after it was revoked",
        given=(replace(REVOKED, happened_at_ms=THEN - 1),),
        when=ACTIVATE,
        brief=GOOD,
        then=[conflicting(ACTIVATED, "used_after_revoked")],
    ),
    Case(rule="pulled: activated", when=PULL, brief=GOOD, then=[PULLED_ACTIVATED]),
    Case(
        rule="pulled: at which moment it does not say",
        given=(ACTIVATED,),
        when=PULL,
        brief=GOOD,
        then=[replace(PULLED_ACTIVATED, number=2)],
    ),
    Case(
        rule="pulled: unused, though activated",
        given=(ACTIVATED,),
        when=replace(PULL, says="unused"),
        brief=GOOD,
        then=[
            conflicting(
                CodeUnused(**{**COMMON, **PULLED, "answer": "VALID"}, statement_key="pull"), "used_before_unused"
            )
        ],
    ),
    Case(
        rule="pulled: revoked",
        when=replace(PULL, says="revoked"),
        brief=GOOD,
        then=[CodeRevoked(**{**COMMON, **PULLED, "answer": "VALID"}, statement_key="pull", reason="")],
    ),
    Case(
        rule="pulled: not known there",
        given=(ACTIVATED,),
        when=replace(PULL, says="unclear", word="unknown"),
        brief=GOOD,
        then=[
            IssuerWasUnclear(
                number=2,
                issuer_id=ISSUER,
                how="pulled",
                in_scope=True,
                said_at_ms=SAID,
                word="unknown",
                statement_key="pull",
                answer="VALID",
            )
        ],
    ),
]


@all_of(CASES)
def test_attestations(case: Case) -> None:
    hold(attestations, case)


def test_a_hundred_times_unused_is_enough_and_a_revocation_still_comes_through() -> None:
    many = tuple(replace(SAID_UNUSED, number=n + 1, statement_key=f"k{n}") for n in range(HEARD_EACH_MAX))
    heard = state_after(attestations, many)
    assert attestations.decide(replace(UNUSED, statement_key="more"), heard, GOOD, NOW) == []
    assert attestations.decide(REVOKE, heard, GOOD, NOW) == [replace(REVOKED, number=HEARD_EACH_MAX + 1)]


def test_nothing_that_was_heard_is_ever_changed() -> None:
    heard = state_after(attestations, (ACTIVATED, replace(REVOKED, number=2)))
    after = attestations.evolve(heard, replace(SAID_UNUSED, number=3), NOW)
    assert after.heard[:2] == heard.heard
