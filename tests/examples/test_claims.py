"""Claims about what a vanished shop settled before: only the issuer's word counts, and only in time."""

from typing import Any

import pytest
from msgspec.structs import replace

from business_cases import NOW, ORDER, SHOP, Case, all_of, hold, state_after
from fairkey.business import claims
from fairkey.business.basics import DAY_MS, HOUR_MS, FieldIsInvalid
from fairkey.business.claims import (
    AnnounceClaim,
    ClaimAccepted,
    ClaimAnnounced,
    ClaimBriefing,
    FileClaim,
    IssuerHasNotSpoken,
    OrderCannotBeClaimed,
)
from fairkey.business.standard.library import newest
from fairkey.business.standard.truth import Statement, Value
from fairkey.business.verdicts import CodeCase, is_remade, read_document

STANDARD = newest().standard
PRICE_FEN = 3_000
OPENED = NOW - 40 * DAY_MS
GONE = ClaimBriefing(
    is_completed=True, ended_at_ms=NOW - 30 * DAY_MS, amount_fen=PRICE_FEN, went_back_fen=0, vanished_at_ms=NOW - DAY_MS
)


def code(number: int, *facts: tuple[str, Value, str], units: int = 1) -> CodeCase:
    said: tuple[tuple[str, Value, str], ...] = (
        ("now_ms", NOW, "E2"), ("complained_at_ms", NOW, "E2"), ("amount_fen", PRICE_FEN, "E2"),
        ("units_total", units, "E2"), ("units_affected", 1, "E2"), ("revealed_at_ms", OPENED, "E2"), *facts,
    )  # fmt: skip
    statements = tuple(Statement(fact=fact, value=value, rank=rank) for fact, value, rank in said)
    return CodeCase(code_nos=(number,), statements=statements)


USED: tuple[tuple[str, Value, str], ...] = (("is_activated", True, "E1"), ("activated_at_ms", OPENED - HOUR_MS, "E1"))
REVOKED: tuple[tuple[str, Value, str], ...] = (("revoked_at_ms", OPENED + DAY_MS, "E1"),)
AFTER: tuple[tuple[str, Value, str], ...] = (("is_activated", True, "E1"), ("activated_at_ms", OPENED + HOUR_MS, "E1"))


def claim(*codes: CodeCase, sha256: str = STANDARD.sha256) -> FileClaim:
    return FileClaim(shop_id=SHOP, order_id=ORDER, sha256=sha256, codes=codes)


def refused(rule: str, brief: ClaimBriefing, why: str, *given: object) -> Case:
    then = (OrderCannotBeClaimed, {"why": why})
    return Case(rule=rule, given=given, when=claim(code(1, *USED)), brief=brief, then=then)


CLAIM_BY = NOW + 29 * DAY_MS
ANNOUNCED = ClaimAnnounced(claim_by_ms=CLAIM_BY)
ACCEPTED = ClaimAccepted(
    standard="FK-AF-1", version="1.1", sha256="", row="R03", case="R03a", claim_fen=PRICE_FEN, verdict=""
)


def announce(
    rule: str,
    brief: ClaimBriefing,
    then: Any,  # noqa: ANN401 - as of `Case`
    *given: Any,  # noqa: ANN401
    by_ms: int = CLAIM_BY,
) -> Case:
    when = AnnounceClaim(shop_id=SHOP, order_id=ORDER, claim_by_ms=by_ms)
    return Case(rule=rule, given=given, when=when, brief=brief, then=then)


CASES = [
    announce("who may claim is told until when", GONE, [ANNOUNCED]),
    announce("he is told once", GONE, [], (ANNOUNCED, GONE.vanished_at_ms)),
    announce("and again when the shop has come back and vanished again", GONE, [ANNOUNCED],
             (ANNOUNCED, GONE.vanished_at_ms - 1)),
    announce("not when the time is over", GONE, [], by_ms=NOW),
    announce("not while the shop is there", replace(GONE, vanished_at_ms=0), OrderCannotBeClaimed),
    announce("not what was refunded", replace(GONE, is_completed=False), OrderCannotBeClaimed),
    announce("not what is claimed", GONE, OrderCannotBeClaimed, ACCEPTED),
    refused("a shop that is there pays by itself", replace(GONE, vanished_at_ms=0), "shop_is_there"),
    refused("what has not ended is refunded anyway", replace(GONE, is_completed=False), "not_completed"),
    refused("90 days and a millisecond are too long", replace(GONE, ended_at_ms=NOW - 91 * DAY_MS - 1), "too_old"),
    refused("what went back is not claimed again", replace(GONE, went_back_fen=1), "paid_back"),
    refused("one order, one claim", GONE, "claimed", ACCEPTED),
    Case(rule="nobody said anything", when=claim(code(1)), brief=GONE, then=IssuerHasNotSpoken),
    Case(rule="used after the opening is no claim", when=claim(code(1, *AFTER)), brief=GONE, then=IssuerHasNotSpoken),
    Case(rule="a version nobody holds", when=claim(code(1, *USED), sha256="00" * 32), brief=GONE,
         then=IssuerHasNotSpoken),
    Case(rule="no code, no claim", when=claim(), brief=GONE, then=FieldIsInvalid),
]  # fmt: skip


@all_of(CASES)
def test_claims(case: Case) -> None:
    hold(claims, case)


@pytest.mark.parametrize(
    ("codes", "case", "claim_fen"),
    [
        ((code(1, *USED),), "R03a", PRICE_FEN),
        ((code(1, *REVOKED),), "R11", PRICE_FEN),
        ((code(1, *USED, units=3), code(2, *AFTER, units=3), code(3, units=3)), "R03a", PRICE_FEN // 3),
        ((code(1, *USED, units=3), code(2, *REVOKED, units=3), code(3, units=3)), "R03a", 2 * PRICE_FEN // 3),
    ],
)
def test_what_the_issuer_says_is_a_claim(codes: tuple[CodeCase, ...], case: str, claim_fen: int) -> None:
    [accepted] = claims.decide(claim(*codes), claims.INITIAL, GONE, NOW)
    assert isinstance(accepted, ClaimAccepted)
    assert (accepted.case, accepted.claim_fen) == (case, claim_fen)
    assert is_remade(read_document(accepted.verdict))
    assert state_after(claims, ((accepted, NOW),)).claim_fen == claim_fen


def test_ninety_days_are_counted_from_the_vanishing() -> None:
    at_the_bound = replace(GONE, ended_at_ms=NOW - 91 * DAY_MS)
    assert claims.decide(claim(code(1, *USED)), claims.INITIAL, at_the_bound, NOW)
