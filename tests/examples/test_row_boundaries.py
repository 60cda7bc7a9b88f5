"""Rows R03 to R18 at their bounds, by the command that the house asks: what is ruled, handed over or waited for.

Both sides of every bound: 48 hours and a second, the issuer's clock, counts of buyers, days of a revocation.
"""

from typing import Final

import pytest

from business_cases import NOW, ORDER, SHOP, state_after
from fairkey.business import complaints
from fairkey.business.basics import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Event
from fairkey.business.complaints import JudgeComplaint
from fairkey.business.dispute_events import (
    ComplaintContested,
    ComplaintEscalated,
    ComplaintOpened,
    ComplaintRuled,
    JudgingWaits,
    Reason,
)
from fairkey.business.standard.library import newest
from fairkey.business.standard.truth import Statement, Value
from fairkey.business.verdicts import CodeCase

STANDARD: Final = newest().standard
H12, H48 = 12 * HOUR_MS, 48 * HOUR_MS
EPS: Final = 5 * MINUTE_MS
OPENED_MS: Final = NOW - HOUR_MS
PRICE_FEN: Final = 2_000
Said = dict[str, tuple[Value, str]]
OPENED = ComplaintOpened(reason=Reason.OTHER, demand_fen=PRICE_FEN, text="It fails.", answer_by_ms=NOW + H48)
CONTESTED = ComplaintContested(text="It was new.", rule_by_ms=NOW + H48)

USED: Said = {"reason": ("already_used", "E2"), "is_activated": (True, "E1")}
SPOKE: Said = {"merchant_answered_at_ms": (NOW + 1, "E2")}
C0: Said = {"custody": ("C0", "E2")}
C1: Said = {"custody": ("C1", "E2")}
C2: Said = {"custody": ("C2", "E2")}
RECORDED: Said = {
    "recording_nonce_shown": (True, "E3"),
    "recording_unbroken": (True, "E3"),
    "recording_started_at_ms": (OPENED_MS - MINUTE_MS, "E3"),
    "recording_ended_at_ms": (OPENED_MS + 10 * MINUTE_MS, "E3"),
    "error_means": ("already_used", "E3"),
}


def judged(after_ms: int, said: Said) -> list[Event]:
    """What follows when a complaint `after_ms` old is judged."""
    common: Said = {
        "now_ms": (NOW + after_ms, "E2"),
        "amount_fen": (PRICE_FEN, "E2"),
        "asked_fen": (PRICE_FEN, "E2"),
        "units_total": (1, "E2"),
        "units_affected": (1, "E2"),
        "units_sealed": (0, "E2"),
        "complained_at_ms": (NOW, "E2"),
        "form_complete": (True, "E2"),
        "sold_before": (False, "E2"),
        "revealed_at_ms": (OPENED_MS, "E2"),
        "batch_failed_buyers": (0, "E6"),
    }
    told = {**common, **said}
    statements = tuple(Statement(fact=fact, value=value, rank=rank) for fact, (value, rank) in told.items())
    judge = JudgeComplaint(
        shop_id=SHOP, order_id=ORDER, sha256=STANDARD.sha256, codes=(CodeCase(code_nos=(1,), statements=statements),)
    )
    return complaints.decide(judge, state_after(complaints, (OPENED, CONTESTED)), None, NOW + after_ms)


def outcome(after_ms: int, said: Said) -> str:
    """What the house does: the case of a ruling, `panel CASE`, or `waits`."""
    events = judged(after_ms, said)
    match events:
        case [ComplaintRuled() as ruled]:
            return ruled.case
        case [ComplaintEscalated() as escalated]:
            return f"panel {escalated.case}"
        case [] | [JudgingWaits()]:
            return "waits"
        case _:
            return repr(events)


REGION: Said = {"reason": ("wrong_region", "E2"), "listed_region": ("US", "E2"), "code_region": ("CN", "E1"), **SPOKE}
OUTSIDE: Said = {**REGION, "code_region": ("US", "E1"), "buyer_region": ("CN", "E2")}
PRODUCT: Said = {"reason": ("wrong_product", "E2"), **SPOKE}
ANOTHER: Said = {**PRODUCT, "product_matches": (False, "E1")}
EXPIRED: Said = {"reason": ("expired_code", "E2"), "promised_until_ms": (NOW + DAY_MS, "E2"), **SPOKE}
MALFORMED: Said = {"reason": ("not_valid", "E2"), "text_is_malformed": (True, "E2")}
LONG_AGO_MS: Final = NOW - 100 * DAY_MS
REVOKED: Said = {"reason": ("revoked_later", "E2"), "revealed_at_ms": (LONG_AGO_MS, "E2"), **SPOKE}
OUT: Said = {
    "reason": ("not_valid", "E2"), "outage_started_at_ms": (NOW, "E2"), "is_activated": (False, "E1"),
    "unused_at_ms": (NOW, "E1"), **SPOKE,
}  # fmt: skip
H72: Final = 72 * HOUR_MS
OTHER: Said = {"reason": ("other", "E2")}
LURE: Said = {"reason": ("off_platform", "E2"), **SPOKE}
ASKED: Said = {**OTHER, **SPOKE, "asked_buyer_at_ms": (NOW, "E2")}
BEFORE_48: Final = H48 - 2 * SECOND_MS


def vanished(seen_before_ms: int, meter: int, silences: int) -> Said:
    return {
        **OTHER, "merchant_seen_at_ms": (NOW + BEFORE_48 - seen_before_ms, "E2"), "shop_meter": (meter, "E2"),
        "shop_silences": (silences, "E2"), "deposit_fen": (5_000, "E2"),
    }  # fmt: skip


def activated(at_ms: int) -> Said:
    return {**USED, "activated_at_ms": (at_ms, "E1")}


def in_recording(submitted_after_ms: int) -> Said:
    """Activated a minute after the opening, while the buyer recorded."""
    submitted: Said = {"recording_submitted_at_ms": (OPENED_MS + submitted_after_ms, "E3")}
    return {**activated(OPENED_MS + MINUTE_MS), **SPOKE, **C0, **RECORDED, **submitted}


CLAIMED: Said = {"reason": ("already_used", "E2"), **SPOKE, **C1}
INVALID: Said = {**CLAIMED, "reason": ("not_valid", "E2")}
AFTER: Said = {**activated(OPENED_MS + 1), **SPOKE, **C1}
FAILED: Said = {"batch_failed_buyers": (3, "E6"), "batch_failed_percent": (33, "E6")}
FIFTH: Said = {**FAILED, "batch_failed_percent": (20, "E6")}
UNUSED: Said = {"reason": ("already_used", "E2"), "unused_at_ms": (NOW, "E1"), "is_activated": (False, "E1")}
DOUBTED: Said = {
    "recording_started_at_ms": (OPENED_MS - MINUTE_MS, "E3"), "recording_ended_at_ms": (OPENED_MS + MINUTE_MS, "E3"),
}  # fmt: skip

TABLE: list[tuple[str, int, Said, str]] = [
    ("R03a more than the clock's error before", 0, activated(OPENED_MS - EPS - 1), "R03a"),
    ("R03a just the clock's error", 0, activated(OPENED_MS - EPS), "waits"),
    ("R03b a second early", H48 - SECOND_MS, {**USED, **SPOKE, **C1, **RECORDED}, "waits"),
    (
        "R03b provenance in time",
        H48,
        {**USED, **SPOKE, **C1, **RECORDED, "provenance_at_ms": (NOW + H48, "E4")},
        "panel R05d",
    ),
    (
        "R03b provenance late",
        H48 + 1,
        {**USED, **SPOKE, **C1, **RECORDED, "provenance_at_ms": (NOW + H48 + 1, "E4")},
        "R03b",
    ),
    ("R05a typed, a second early", H48 - SECOND_MS, {**USED, **SPOKE, **C2}, "waits"),
    ("R05a typed", H48, {**USED, **SPOKE, **C2}, "R05a"),
    ("R05a used before he submitted", H48, in_recording(2 * MINUTE_MS), "R05a"),
    ("R05a used in that moment", H48, in_recording(MINUTE_MS), "R05a"),
    ("R05d used after he submitted", H48, in_recording(MINUTE_MS - 1), "panel R05d"),
    ("R05b a second early", H48 - SECOND_MS, {**USED, **SPOKE, **C0}, "waits"),
    ("R05b straight from the issuer", H48, {**USED, **SPOKE, **C0}, "R05b"),
    ("R05b a second late", H48 + SECOND_MS, {**USED, **SPOKE, **C0}, "R05b"),
    ("R05a a failed batch, a second early", H48 - SECOND_MS, {**AFTER, **FAILED}, "waits"),
    ("R05a a failed batch", H48, {**AFTER, **FAILED}, "R05a"),
    ("R05e a hundredth less than a third", H48, {**AFTER, **FAILED, "batch_failed_percent": (32, "E6")}, "R05e"),
    ("R05e a fifth, nobody recorded", H48, {**AFTER, **FIFTH, "batch_recorded_buyers": (0, "E6")}, "R05e"),
    ("R05a a fifth, one recorded", H48, {**AFTER, **FIFTH, "batch_recorded_buyers": (1, "E6")}, "R05a"),
    (
        "R05e a hundredth less than a fifth",
        H48,
        {**AFTER, **FIFTH, "batch_failed_percent": (19, "E6"), "batch_recorded_buyers": (9, "E6")},
        "R05e",
    ),
    ("R05e a second early", H48 - SECOND_MS, AFTER, "waits"),
    ("R05d people look at a recording that is doubted", H48, {**AFTER, **DOUBTED}, "panel R05d"),
    ("R05f unused since the complaint, at once", 0, UNUSED, "R05f"),
    ("R05f unused a millisecond before it", 0, {**UNUSED, "unused_at_ms": (NOW - 1, "E1")}, "waits"),
    ("R05f a recording was given", 0, {**UNUSED, **DOUBTED}, "waits"),
    ("R05g the issuer silent, a second early", H48 - SECOND_MS, {**CLAIMED, **FAILED}, "waits"),
    ("R05g the issuer silent", H48, {**CLAIMED, **FAILED}, "R05g"),
    ("R05g two others are not enough", H48, {**CLAIMED, **FAILED, "batch_failed_buyers": (2, "E6")}, "panel R05d"),
    ("R10f the issuer silent, a second early", H48 - SECOND_MS, {**INVALID, **FAILED}, "waits"),
    ("R10f the issuer silent", H48, {**INVALID, **FAILED}, "R10f"),
    (
        "R10f a hundredth less than a third",
        H48,
        {**INVALID, **FAILED, "batch_failed_percent": (32, "E6")},
        "panel R00c",
    ),
    ("R05c his second payment without fault", 0, {**USED, **SPOKE, **C1, "pool_uses": (1, "E2")}, "R05c"),
    ("R05c no third", H48, {**USED, **SPOKE, **C1, "pool_uses": (2, "E2")}, "panel R05d"),
    ("R06 at once", 0, {**OTHER, "sold_before": (True, "E2")}, "R06"),
    ("R07a a second early", H48 - SECOND_MS, REGION, "waits"),
    ("R07a the label is wrong", H48, REGION, "R07a"),
    ("R07b a second early", H48 - SECOND_MS, OUTSIDE, "waits"),
    ("R07b the buyer is outside", H48, OUTSIDE, "R07b"),
    ("R08a a second early", H48 - SECOND_MS, ANOTHER, "waits"),
    ("R08a another product", H48, ANOTHER, "R08a"),
    ("R08d nobody knows", H48, PRODUCT, "panel R08d"),
    ("R09a a second early", H48 - SECOND_MS, {**EXPIRED, "expires_at_ms": (OPENED_MS, "E1")}, "waits"),
    (
        "R09a expired a millisecond before the promise",
        H48,
        {**EXPIRED, "expires_at_ms": (NOW + DAY_MS - 1, "E1")},
        "R09a",
    ),
    ("R09b as promised", H48, {**EXPIRED, "expires_at_ms": (NOW + DAY_MS, "E1")}, "R09b"),
    ("R10a a second early", H12 - SECOND_MS, MALFORMED, "waits"),
    ("R10b twelve hours", H12, MALFORMED, "R10b"),
    ("R10d corrected in time", H12 + SECOND_MS, {**MALFORMED, "corrected_at_ms": (NOW + H12, "E2")}, "R10d"),
    ("R10d a millisecond late", H12 + SECOND_MS, {**MALFORMED, "corrected_at_ms": (NOW + H12 + 1, "E2")}, "R10b"),
    ("R10c typed wrongly", 0, {"reason": ("not_valid", "E2"), "input_matches_text": (False, "E2")}, "R10c"),
    ("R11 on the ninetieth day", 0, {**REVOKED, "revoked_at_ms": (LONG_AGO_MS + 90 * DAY_MS, "E1")}, "R11"),
    ("R11 after it", 0, {**REVOKED, "revoked_at_ms": (LONG_AGO_MS + 90 * DAY_MS + 1, "E1")}, "waits"),
    ("R12a below five times", 0, {**OUT, "outage_ratio": (499, "E2")}, "waits"),
    ("R12 no outage, so the clock runs", H72 - SECOND_MS, {**OUT, "outage_ratio": (499, "E2")}, "panel R00c"),
    ("R12a it lasts", H72 - SECOND_MS, {**OUT, "outage_ratio": (500, "E2")}, "waits"),
    ("R12b it is over and the code unused", H72, {**OUT, "outage_ratio": (500, "E2")}, "R12b"),
    ("R12a shown", H72 - SECOND_MS, {**OUT, "outage_shown": (True, "E2")}, "waits"),
    ("R13 a second early", H48 - SECOND_MS, {**OTHER, **SPOKE}, "waits"),
    ("R13 people decide", H48, {**OTHER, **SPOKE}, "panel R13"),
    ("R14 a second early", H48 - SECOND_MS, {**LURE, "lure_messages": (1, "E2")}, "waits"),
    ("R14 one message here", H48, {**LURE, "lure_messages": (1, "E2")}, "R14"),
    ("R14 one reporter outside", H48, {**LURE, "lure_messages": (0, "E2"), "lure_reporters": (1, "E6")}, "panel R00c"),
    ("R14 two reporters outside", H48, {**LURE, "lure_messages": (0, "E2"), "lure_reporters": (2, "E6")}, "R14"),
    ("R15 a second early", H48 - SECOND_MS, {**OTHER, "merchant_answered_at_ms": (0, "E2")}, "waits"),
    ("R15 silence", H48, {**OTHER, "merchant_answered_at_ms": (0, "E2")}, "R15"),
    (
        "R15 an answer in the last millisecond",
        H48,
        {**OTHER, "merchant_answered_at_ms": (NOW + H48, "E2")},
        "panel R13",
    ),
    ("R15 an answer too late", H48 + 1, {**OTHER, "merchant_answered_at_ms": (NOW + H48 + 1, "E2")}, "R15"),
    ("R16 a second early", H48 - SECOND_MS, {**ASKED, "buyer_answered_at_ms": (0, "E2")}, "waits"),
    ("R16 no reply", H48, {**ASKED, "buyer_answered_at_ms": (0, "E2")}, "R16"),
    ("R16 a reply in the last millisecond", H48, {**ASKED, "buyer_answered_at_ms": (NOW + H48, "E2")}, "panel R13"),
    ("R18 a second short of two days", BEFORE_48, vanished(H48 - SECOND_MS, 46, 3), "waits"),
    ("R18 two days, meter too low, two silences", BEFORE_48, vanished(H48, 45, 2), "waits"),
    ("R18 by the meter", BEFORE_48, vanished(H48, 46, 2), "R18"),
    ("R18 by three silences", BEFORE_48, vanished(H48, 45, 3), "R18"),
]


@pytest.mark.parametrize(("after_ms", "said", "then"), [one[1:] for one in TABLE], ids=[one[0] for one in TABLE])
def test_a_row_applies_from_its_bound_and_not_a_step_before(after_ms: int, said: Said, then: str) -> None:
    assert outcome(after_ms, said) == then


def test_what_is_revoked_fades_from_the_thirtieth_day_on() -> None:
    def refund_fen(days: int, more_ms: int = 0) -> int:
        said = {**REVOKED, "revoked_at_ms": (LONG_AGO_MS + days * DAY_MS + more_ms, "E1")}
        ruled = judged(0, said)[0]
        assert isinstance(ruled, ComplaintRuled)
        return ruled.refund_fen

    assert [refund_fen(30), refund_fen(60), refund_fen(90)] == [PRICE_FEN, PRICE_FEN // 2, 0]
    assert refund_fen(30, DAY_MS) < PRICE_FEN


def test_a_vanished_shop_pays_with_all_of_its_deposit_and_is_frozen() -> None:
    [ruled] = judged(BEFORE_48, vanished(H48, 46, 0))
    assert isinstance(ruled, ComplaintRuled)
    assert (ruled.refund_fen, ruled.deduct_fen, ruled.points, ruled.freezes_shop) == (PRICE_FEN, 5_000, 92, True)
