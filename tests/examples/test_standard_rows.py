"""Every row of FK-AF-1, both sides, at its boundaries: facts, then the case that decides and what it comes to."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from fairkey.business.basics import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from fairkey.business.standard.deciding import evaluate
from fairkey.business.standard.truth import Statement
from standard_cases import (
    BASE,
    COMPLAINED,
    H48,
    NOW,
    OPENED,
    PRICE_FEN,
    RECORDED,
    SMALL,
    STANDARD,
    found,
    statements,
)

EPS = 5 * MINUTE_MS
NOBODY = {"reason": None, "complained_at_ms": 0}
DUE = NOW - 1
LARGE = {"asked_fen": PRICE_FEN}


@dataclass(frozen=True)
class Row:
    rule: str
    facts: dict[str, Any]
    case: str
    then: dict[str, Any] = field(default_factory=dict)


def hours(count: float) -> dict[str, Any]:
    """The complaint was made so long ago, to the millisecond, and answered at once."""
    at_ms = NOW - round(count * HOUR_MS)
    return {"complained_at_ms": at_ms, "merchant_answered_at_ms": at_ms}


def refunded(fen: int = PRICE_FEN, *, bp: int = 0, points: int = 0, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "side": "buyer",
        "refund_fen": fen,
        "refund_source": "escrow",
        "deduction_bp": bp,
        "shop_points": points,
        **more,
    }


FAILED = {"batch_failed_buyers": 3, "batch_failed_percent": 33}
FIFTH = {"batch_failed_buyers": 3, "batch_failed_percent": 20}
UNUSED = {"unused_at_ms": COMPLAINED, "is_activated": False}
DOUBTED = {"recording_started_at_ms": OPENED - 1, "recording_ended_at_ms": OPENED + MINUTE_MS}
POOLED = {"side": "buyer", "refund_source": "pool", "refund_fen": 3_000, "deduction_fen": 0, "shop_points": 0}
REJECTED = {"side": "merchant", "refund_fen": 0, "deduction_fen": 0, "shop_points": 0}
OPEN = {"side": "open", "refund_fen": 0, "deduction_fen": 0, "shop_points": 0}
UNDELIVERED = {**NOBODY, "deliver_by_ms": DUE, "units_delivered": 0, "units_total": 10, "units_missing": 10}

ROWS = [
    # R01
    Row("R01 nothing is there when the promised moment has come", {**UNDELIVERED, "deliver_by_ms": NOW}, "R01",
        refunded(bp=1_000, points=12, deduction_fen=1_000, outcome="refund", by="auto")),
    Row("R01 listed as in stock costs more", {**UNDELIVERED, "listed_in_stock": True}, "R01",
        refunded(bp=2_000, points=23, deduction_fen=2_000)),
    Row("R01 one millisecond before, the order goes on", {**UNDELIVERED, "deliver_by_ms": NOW + 1}, "R00"),
    Row("R01 what is there in time is no R01", {**UNDELIVERED, "units_delivered": 10, "units_missing": 0}, "R00"),
    # R02
    Row("R02 three of ten are missing", {**UNDELIVERED, "units_delivered": 7, "units_missing": 3}, "R02",
        refunded(3_000, bp=1_000, points=6, deduction_fen=300)),
    Row("R02 one is there, and nine are missing", {**UNDELIVERED, "units_delivered": 1, "units_missing": 9}, "R02",
        refunded(9_000, bp=1_000, points=20, deduction_fen=900)),
    Row("R02 one millisecond before, nothing",
        {**UNDELIVERED, "units_delivered": 7, "units_missing": 3, "deliver_by_ms": NOW + 1}, "R00"),
    # R03
    Row("R03 used one millisecond more than eps before the opening", {"activated_at_ms": OPENED - EPS - 1}, "R03a",
        refunded(bp=10_000, points=69, quarantines_batch=True, by="auto")),
    Row("R03 at eps exactly it was not before", {"activated_at_ms": OPENED - EPS, **SMALL}, "R05c", POOLED),
    Row("R03 an issuer with a coarser clock widens eps",
        {"activated_at_ms": OPENED - EPS - 1, "issuer_clock_ms": HOUR_MS, **SMALL}, "R05c"),
    Row("R03 an issuer with a finer clock does not narrow it",
        {"activated_at_ms": OPENED - EPS, "issuer_clock_ms": 1, **SMALL}, "R05c"),
    Row("R03 needs no 48 hours", {"activated_at_ms": OPENED - EPS - 1, **hours(0)}, "R03a"),
    Row("R03 again within 90 days",
        {"activated_at_ms": OPENED - EPS - 1, "used_code_verdict_at_ms": NOW - 90 * DAY_MS}, "R03a",
        refunded(bp=20_000, points=69)),
    Row("R03 again after 90 days and a millisecond",
        {"activated_at_ms": OPENED - EPS - 1, "used_code_verdict_at_ms": NOW - 90 * DAY_MS - 1}, "R03a",
        refunded(bp=10_000, points=69)),
    Row("R03 a recording and no provenance, at 48 hours", {**RECORDED, **hours(48)}, "R03b",
        refunded(bp=5_000, points=69, quarantines_batch=True, by="clock")),
    Row("R03 a recording one second before 48 hours waits", {**RECORDED, **hours(48 - 1 / 3600), **LARGE}, "R00a",
        OPEN),
    Row("R03 a recording and provenance in time", {**RECORDED, "provenance_at_ms": COMPLAINED + H48}, "R05d", OPEN),
    Row("R03 provenance one millisecond late is none", {**RECORDED, "provenance_at_ms": COMPLAINED + H48 + 1}, "R03b"),
    Row("R03 a recording of half an hour and a millisecond proves nothing",
        {**RECORDED, "recording_ended_at_ms": OPENED + 30 * MINUTE_MS}, "R05d"),
    Row("R03 a recording begun with the opening proves nothing",
        {**RECORDED, "recording_started_at_ms": OPENED, "recording_ended_at_ms": OPENED + 1}, "R05d"),
    Row("R03 a recording without the random word proves nothing", {**RECORDED, "recording_nonce_shown": False}, "R05d"),
    Row("R03 a cut recording proves nothing", {**RECORDED, "recording_unbroken": False}, "R05d"),
    # R04
    Row("R04 used after the opening by the account he named",
        {"activated_at_ms": OPENED + MINUTE_MS, "account_matches": True, **hours(0)}, "R04",
        {**REJECTED, "buyer_points": 23, "by": "auto"}),
    Row("R04 within eps before the opening counts as after",
        {"activated_at_ms": OPENED - EPS, "account_matches": True}, "R04"),
    Row("R04 unless that account was in other hands",
        {"activated_at_ms": OPENED + 1, "account_matches": True, "account_taken_over": True, **SMALL}, "R05d"),
    Row("R04 another account is not his", {"activated_at_ms": OPENED + 1, "account_matches": False, **SMALL}, "R05c"),
    Row("R04 says nothing about a code taken back later",
        {"reason": "revoked_later", "activated_at_ms": OPENED + 1, "account_matches": True, "revoked_at_ms": NOW},
        "R11"),
    # R05
    Row("R05a used during the recording before he submitted it",
        {**RECORDED, "provenance_at_ms": COMPLAINED + 1, "activated_at_ms": OPENED + 5 * MINUTE_MS}, "R05a",
        refunded(bp=5_000, points=46, by="clock")),
    Row("R05a one millisecond after he submitted it",
        {**RECORDED, "provenance_at_ms": COMPLAINED + 1, "activated_at_ms": OPENED + 5 * MINUTE_MS + 1}, "R05d"),
    Row("R05a typed by the shop", {"custody": "C2", "activated_at_ms": OPENED + 1}, "R05a"),
    Row("R05a typed by the shop, but the buyer's own account",
        {"custody": "C2", "activated_at_ms": OPENED + 1, "account_matches": True}, "R04"),
    Row("R05a three independent buyers failed, a third of all",
        {"activated_at_ms": OPENED + 1, **FAILED}, "R05a", refunded(bp=5_000, points=46, by="clock")),
    Row("R05a a fifth, and one of them recorded it",
        {"activated_at_ms": OPENED + 1, **FIFTH, "batch_recorded_buyers": 1}, "R05a"),
    Row("R05a a fifth, and nobody recorded it",
        {"activated_at_ms": OPENED + 1, **FIFTH, "batch_recorded_buyers": 0}, "R05e"),
    Row("R05a one hundredth less than a third",
        {"activated_at_ms": OPENED + 1, **FAILED, "batch_failed_percent": 32}, "R05e"),
    Row("R05a two are not enough",
        {"activated_at_ms": OPENED + 1, "batch_failed_buyers": 2, "batch_failed_percent": 100}, "R05e"),
    Row("R05a nor is less than a fifth",
        {"activated_at_ms": OPENED + 1, **FIFTH, "batch_failed_buyers": 46, "batch_failed_percent": 19,
         "batch_recorded_buyers": 46}, "R05e"),
    Row("R05a one second before 48 hours the pool has paid already",
        {"activated_at_ms": OPENED + 1, **FAILED, **SMALL, **hours(48 - 1 / 3600)}, "R05c"),
    Row("R05b straight from the issuer and no recording",
        {"custody": "C0", "activated_at_ms": OPENED + 1, **hours(48)}, "R05b", {**REJECTED, "buyer_points": 6}),
    Row("R05b one second before 48 hours it waits", {"custody": "C0", **hours(48 - 1 / 3600)}, "R00a"),
    Row("R05b a valid recording takes it away", {**RECORDED, "custody": "C0"}, "R03b"),
    Row("R05c unprovable either way", {"activated_at_ms": OPENED + 1, **SMALL, **hours(0)}, "R05c", POOLED),
    Row("R05c once more within the quota", {"activated_at_ms": OPENED + 1, **SMALL, "pool_uses": 1}, "R05c"),
    Row("R05c a third time is not for the pool", {"activated_at_ms": OPENED + 1, **SMALL, "pool_uses": 2}, "R05e"),
    Row("R05c fifty yuan", {"activated_at_ms": OPENED + 1, "asked_fen": 5_000}, "R05c", {"refund_fen": 5_000}),
    Row("R05c a fen more is not for the pool", {"activated_at_ms": OPENED + 1, "asked_fen": 5_001}, "R05e"),
    Row("R05e used after the opening, nothing shows by whom",
        {"activated_at_ms": OPENED + 1, **hours(48)}, "R05e", {**REJECTED, "by": "clock"}),
    Row("R05e one second before 48 hours it waits", {"activated_at_ms": OPENED + 1, **hours(48 - 1 / 3600)}, "R00a"),
    Row("R05e within eps before the opening counts as after", {"activated_at_ms": OPENED - EPS}, "R05e"),
    Row("R05e not where the account was in other hands",
        {"activated_at_ms": OPENED + 1, "account_taken_over": True}, "R05d"),
    Row("R05e not where the issuer says nothing", {"pool_uses": 2}, "R05d"),
    Row("R05e not where a recording was given and is doubted",
        {"activated_at_ms": OPENED + 1, "pool_uses": 2, **DOUBTED}, "R05d", {**OPEN, "by": "panel"}),
    Row("R05b not where a recording was given and is doubted", {"custody": "C0", "pool_uses": 2, **DOUBTED}, "R05d"),
    Row("R05f called used, and unused at the complaint", {**UNUSED, **hours(0), "unused_at_ms": NOW}, "R05f",
        {**REJECTED, "buyer_points": 0, "by": "auto"}),
    Row("R05f unused one millisecond before the complaint says nothing of it",
        {**UNUSED, "unused_at_ms": COMPLAINED - 1, "pool_uses": 2}, "R05d"),
    Row("R05f silence does not beat the issuer", {**UNUSED, "merchant_answered_at_ms": 0}, "R05f"),
    Row("R05f not where the issuer also says that it is activated",
        {**UNUSED, "is_activated": True, "pool_uses": 2}, "R05d"),
    Row("R05f an outage is waited for first",
        {**UNUSED, "outage_shown": True, "outage_started_at_ms": NOW - 1}, "R12a"),
    Row("R05f not where a recording was given, doubted or not", {**UNUSED, "pool_uses": 2, **DOUBTED}, "R05d"),
    Row("R05f not where the batch failed others: the issuer may err", {**UNUSED, "pool_uses": 2, **FAILED}, "R05d"),
    Row("R05f not where it is said to be invalid", {**UNUSED, "reason": "not_valid", "pool_uses": 2}, "R00c"),
    Row("R05g a failed batch where the issuer says nothing", {**FAILED, **hours(48)}, "R05g",
        refunded(bp=5_000, points=46, by="clock")),
    Row("R05g one second before 48 hours it waits", {**FAILED, **hours(48 - 1 / 3600)}, "R00a"),
    Row("R05g two are not enough", {**FAILED, "batch_failed_buyers": 2, "pool_uses": 2}, "R05d"),
    Row("R05g not for his own account", {**FAILED, "account_matches": True, "pool_uses": 2}, "R05d"),
    Row("R05d a panel has 24 hours after the 48", {"pool_uses": 2, **hours(48)}, "R05d", {**OPEN, "by": "panel"}),
    # R06
    Row("R06 sold twice, without a complaint", {**NOBODY, "sold_before": True}, "R06",
        refunded(bp=20_000, points=92, freezes_shop=True)),
    Row("R06 the first buyer keeps it", {**NOBODY, "sold_before": False}, "R00"),
    # R07
    Row("R07 the label was wrong", {"reason": "wrong_region", "code_region": "US", **hours(48)}, "R07a",
        refunded(bp=2_000, points=23)),
    Row("R07 one second before 48 hours", {"reason": "wrong_region", "code_region": "US", **hours(48 - 1 / 3600)},
        "R00a"),
    Row("R07 the label is right and the buyer outside",
        {"reason": "wrong_region", "code_region": "CN", "buyer_region": "US"}, "R07b", REJECTED),
    Row("R07 the label is right and the buyer inside",
        {"reason": "wrong_region", "code_region": "CN", "buyer_region": "CN"}, "R13"),
    Row("R07 a silent listing speaks against the shop",
        {"reason": "wrong_region", "listed_region": "", "error_means": "wrong_region"}, "R07c",
        refunded(bp=2_000, points=23)),
    # R08
    Row("R08 another product", {"reason": "wrong_product", "product_matches": False, **hours(48)}, "R08a",
        refunded(bp=2_000, points=23)),
    Row("R08 the difference where it is known",
        {"reason": "wrong_product", "product_matches": False, "difference_fen": 4_000}, "R08a",
        refunded(4_000, bp=2_000, points=23)),
    Row("R08 one second before 48 hours",
        {"reason": "wrong_product", "product_matches": False, **hours(48 - 1 / 3600)}, "R00a"),
    Row("R08 the right product is for a panel to look at", {"reason": "wrong_product", "product_matches": True},
        "R08d"),
    Row("R08 a base product that nobody spoke of",
        {"reason": "wrong_product", "base_missing": True, "base_named": False}, "R08b", refunded(bp=2_000, points=23)),
    Row("R08 a base product that the listing named",
        {"reason": "wrong_product", "base_missing": True, "base_named": True}, "R08c", REJECTED),
    # R09
    Row("R09 expired when it was opened", {"reason": "expired_code", "expires_at_ms": OPENED}, "R09a",
        refunded(bp=2_000, points=23)),
    Row("R09 one millisecond after the opening, as promised",
        {"reason": "expired_code", "expires_at_ms": OPENED + 1, "promised_until_ms": OPENED + 1}, "R09b", REJECTED),
    Row("R09 one millisecond earlier than promised",
        {"reason": "expired_code", "expires_at_ms": OPENED + 1, "promised_until_ms": OPENED + 2}, "R09a"),
    Row("R09 a silent listing speaks against the shop",
        {"reason": "expired_code", "expires_at_ms": COMPLAINED, "promised_until_ms": 0}, "R09a"),
    Row("R09 but not when it expired after the complaint",
        {"reason": "expired_code", "expires_at_ms": COMPLAINED + 1, "promised_until_ms": 0}, "R13"),
    Row("R09 one second before 48 hours",
        {"reason": "expired_code", "expires_at_ms": OPENED, **hours(48 - 1 / 3600)}, "R00a"),
    # R10
    Row("R10 a wrong code waits for the right one",
        {"reason": "not_valid", "unknown_to_issuer": True, "corrected_at_ms": 0, **hours(12 - 1 / 3600)}, "R10a",
        {**OPEN, "outcome": "resend"}),
    Row("R10 at 12 hours the money goes back",
        {"reason": "not_valid", "unknown_to_issuer": True, "corrected_at_ms": 0, **hours(12)}, "R10e",
        refunded(bp=5_000, points=46, quarantines_batch=True)),
    Row("R10 a text that is no code costs less than one that the issuer never made",
        {"reason": "not_valid", "text_is_malformed": True, "corrected_at_ms": 0, **hours(12)}, "R10b",
        refunded(bp=1_000, points=23)),
    Row("R10 corrected in time",
        {"reason": "not_valid", "text_is_malformed": True, "corrected_at_ms": COMPLAINED + 12 * HOUR_MS}, "R10d",
        {"side": "merchant", "outcome": "close", "refund_fen": 0, "deduction_fen": 0, "shop_points": 6}),
    Row("R10 corrected one millisecond late",
        {"reason": "not_valid", "text_is_malformed": True, "corrected_at_ms": COMPLAINED + 12 * HOUR_MS + 1}, "R10b"),
    Row("R10 the issuer refuses what was delivered and typed",
        {"reason": "not_valid", "input_matches_text": True, "error_means": "not_valid"}, "R10b"),
    Row("R10f a failed batch where the issuer says nothing", {"reason": "not_valid", **FAILED, **hours(48)}, "R10f",
        refunded(bp=5_000, points=46, by="clock")),
    Row("R10f one second before 48 hours it waits", {"reason": "not_valid", **FAILED, **hours(48 - 1 / 3600)}, "R00a"),
    Row("R10f less than a third",
        {"reason": "not_valid", **FAILED, "batch_failed_percent": 32, "pool_uses": 2}, "R00c"),
    Row("R10f not where the issuer calls it unused",
        {"reason": "not_valid", **FAILED, "unused_at_ms": COMPLAINED, "pool_uses": 2}, "R00c"),
    Row("R10f not where a right one came in time",
        {"reason": "not_valid", **FAILED, "corrected_at_ms": COMPLAINED + 12 * HOUR_MS}, "R10d"),
    Row("R10 the buyer mistyped it", {"reason": "not_valid", "input_matches_text": False}, "R10c", REJECTED),
    # R11
    Row("R11 taken back on day 30", {"revealed_at_ms": NOW - 30 * DAY_MS, "revoked_at_ms": NOW}, "R11",
        refunded(bp=5_000, points=46)),
    Row("R11 taken back on day 60",
        {"revealed_at_ms": NOW - 60 * DAY_MS, "revoked_at_ms": NOW, "reason": "revoked_later"}, "R11",
        refunded(5_000, bp=5_000, points=46)),
    Row("R11 a millisecond after day 30 a fen is gone",
        {"revealed_at_ms": NOW - 30 * DAY_MS - 1, "revoked_at_ms": NOW}, "R11", {"refund_fen": PRICE_FEN - 1}),
    Row("R11 on day 90 nothing is left", {"revealed_at_ms": NOW - 90 * DAY_MS, "revoked_at_ms": NOW}, "R11",
        {"refund_fen": 0, "deduction_bp": 5_000}),
    Row("R11 a millisecond after day 90 it does not count",
        {"revealed_at_ms": NOW - 90 * DAY_MS - 1, "revoked_at_ms": NOW, "reason": "revoked_later"}, "R13"),
    Row("R11 the whole batch", {"revoked_at_ms": NOW, "batch_revoked": 3}, "R11", refunded(bp=10_000, points=46)),
    Row("R11 two are no batch", {"revoked_at_ms": NOW, "batch_revoked": 2}, "R11", refunded(bp=5_000, points=46)),
    Row("R11 for what the buyer did himself",
        {"revoked_at_ms": NOW, "revoked_for_buyer": True, "reason": "revoked_later"}, "R13"),
    # R12
    Row("R12 five times the usual failures", {"outage_ratio": 500, "outage_started_at_ms": NOW - 1}, "R12a",
        {**OPEN, "outcome": "wait"}),
    Row("R12 a little less", {"outage_ratio": 499, "outage_started_at_ms": NOW - 1}, "R05d"),
    Row("R12 a captured status page", {"outage_shown": True, "outage_started_at_ms": NOW - 72 * HOUR_MS + 1}, "R12a"),
    Row("R12 after 72 hours what is unused is cancelled",
        {"outage_shown": True, "outage_started_at_ms": NOW - 72 * HOUR_MS, "unused_at_ms": NOW,
         "is_activated": False}, "R12b",
        refunded(outcome="refund")),
    Row("R12 after 72 hours what was used is not",
        {"outage_shown": True, "outage_started_at_ms": NOW - 72 * HOUR_MS, "unused_at_ms": NOW, "is_activated": True,
         "pool_uses": 2}, "R05d"),
    Row("R12 the issuer's word stands in an outage too",
        {"outage_shown": True, "outage_started_at_ms": NOW - 1, "activated_at_ms": OPENED - EPS - 1}, "R03a"),
    Row("R12 stopped clocks run later", {**RECORDED, **hours(48), "clocks_stopped_ms": SECOND_MS}, "R00a"),
    Row("R12 and then run out", {**RECORDED, **hours(48 + 1 / 3600), "clocks_stopped_ms": SECOND_MS}, "R03b"),
    Row("R12 what stands behind it waits, what stands before it does not",
        {**UNDELIVERED, "complained_at_ms": COMPLAINED, "reason": "other", "units_delivered": 7, "units_missing": 3,
         "merchant_answered_at_ms": 0, "outage_shown": True, "outage_started_at_ms": NOW - 1}, "R02",
        refunded(3_000, bp=1_000, points=6, also=())),
    # R13
    Row("R13 something else is for a panel", {"reason": "other", **hours(48)}, "R13", {**OPEN, "outcome": "panel"}),
    Row("R13 one second before 48 hours", {"reason": "other", **hours(48 - 1 / 3600)}, "R00a"),
    Row("R13 people found that it is not as described",
        {"reason": "other", "found_not_as_described": True}, "R13a", refunded(bp=2_000, points=23, by="panel")),
    # R14
    Row("R14 one message here", {"reason": "off_platform", "lure_messages": 1, "units_sealed": 1, **hours(48)}, "R14",
        refunded(bp=5_000, points=46, deduction_fen=5_000, bounty_fen=1_000)),
    Row("R14 what is opened is not refunded", {"reason": "off_platform", "lure_messages": 1}, "R14",
        refunded(0, bp=5_000, points=46)),
    Row("R14 at least fifty yuan", {"reason": "off_platform", "lure_messages": 1, **SMALL}, "R14",
        {"deduction_fen": 5_000}),
    Row("R14 a second time it is frozen", {"reason": "off_platform", "lure_messages": 1, "lure_verdicts": 1}, "R14",
        {"freezes_shop": True, "shop_points": 46}),
    Row("R14 two reporters of chats outside", {"reason": "off_platform", "lure_reporters": 2}, "R14"),
    Row("R14 one reporter is nobody", {"reason": "off_platform", "lure_reporters": 1}, "R00c"),
    Row("R14 one second before 48 hours", {"reason": "off_platform", "lure_messages": 1, **hours(48 - 1 / 3600)},
        "R00a"),
    # R15
    Row("R15 silent for 48 hours", {**hours(48), "merchant_answered_at_ms": 0}, "R15", refunded(bp=2_500, points=23)),
    Row("R15 one second before 48 hours", {**hours(48 - 1 / 3600), "merchant_answered_at_ms": 0}, "R00a", OPEN),
    Row("R15 an answer in the last moment", {**hours(48), "merchant_answered_at_ms": NOW}, "R05d"),
    Row("R15 an answer a millisecond late", {"merchant_answered_at_ms": COMPLAINED + H48 + 1}, "R15"),
    Row("R15 an incomplete complaint wins nothing by silence",
        {**hours(48), "merchant_answered_at_ms": 0, "form_complete": False}, "R05d"),
    Row("R15 silence loses where custody would have won", {"custody": "C0", "merchant_answered_at_ms": 0}, "R15"),
    Row("R15 silence does not beat the issuer",
        {"merchant_answered_at_ms": 0, "activated_at_ms": OPENED + 1, "account_matches": True}, "R04"),
    Row("R15 a dearer row is named instead, never added", {"merchant_answered_at_ms": 0, **RECORDED}, "R03b",
        refunded(bp=5_000, points=69, deduction_fen=5_000, also=("R15",))),
    Row("R15 named instead of a cheaper row that stands before it",
        {**UNDELIVERED, "complained_at_ms": COMPLAINED, "reason": "other", "units_delivered": 7, "units_missing": 3,
         "merchant_answered_at_ms": 0, "units_affected": 10}, "R15",
        refunded(bp=2_500, points=23, deduction_fen=2_500, also=("R02",))),
    # R16
    Row("R16 the buyer is silent for 48 hours",
        {"asked_buyer_at_ms": NOW - H48, "buyer_answered_at_ms": 0, "reason": "other"}, "R16",
        {**REJECTED, "outcome": "close", "buyer_points": 0}),
    Row("R16 one second before",
        {"asked_buyer_at_ms": NOW - H48 + SECOND_MS, "buyer_answered_at_ms": 0, "reason": "other"}, "R13"),
    Row("R16 he answered in the last moment",
        {"asked_buyer_at_ms": NOW - H48, "buyer_answered_at_ms": NOW, "reason": "other"}, "R13"),
    # R17
    Row("R17 opened by a known hand", {"reason": "not_opened", "reveal_receipt": True, "same_device_orders": 2},
        "R17a", REJECTED),
    Row("R17 one earlier order is not enough",
        {"reason": "not_opened", "reveal_receipt": True, "same_device_orders": 1, **SMALL}, "R17b", POOLED),
    Row("R17 no signed opening: the platform bears it",
        {"reason": "not_opened", "reveal_receipt": False, "same_device_orders": 9, **SMALL}, "R17b"),
    Row("R17 beyond the quota a panel", {"reason": "not_opened", "same_device_orders": 0, "pool_uses": 2}, "R00c"),
    # R18
    Row("R18 vanished with a meter of 46",
        {**NOBODY, "merchant_seen_at_ms": NOW - H48, "shop_meter": 46, "deposit_fen": 77_000}, "R18",
        refunded(points=92, deduction_fen=77_000, freezes_shop=True)),
    Row("R18 a meter of 45", {**NOBODY, "merchant_seen_at_ms": NOW - H48, "shop_meter": 45, "shop_silences": 2}, "R00"),
    Row("R18 or three silences", {**NOBODY, "merchant_seen_at_ms": NOW - H48, "shop_silences": 3}, "R18"),
    Row("R18 seen one millisecond later", {**NOBODY, "merchant_seen_at_ms": NOW - H48 + 1, "shop_meter": 99}, "R00"),
    # R00
    Row("R00 without a complaint the order goes on", NOBODY, "R00", {**OPEN, "outcome": "none"}),
    Row("R00 nothing but a claim, within the quota", {"reason": "not_valid", **SMALL, **hours(48)}, "R00b", POOLED),
    Row("R00 one second before 48 hours", {"reason": "not_valid", **SMALL, **hours(48 - 1 / 3600)}, "R00a", OPEN),
    Row("R00 beyond the quota", {"reason": "not_valid", **SMALL, "pool_uses": 2}, "R00c", {**OPEN, "by": "panel"}),
    Row("R00 the pool does not pay for what the issuer calls unused",
        {"reason": "not_valid", **SMALL, "unused_at_ms": OPENED + 1}, "R00c"),
    Row("R00 unused before the opening says nothing",
        {"reason": "not_valid", **SMALL, "unused_at_ms": OPENED - 1}, "R00b"),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=[row.rule for row in ROWS])
def test_rows(row: Row) -> None:
    finding = found(row.facts)
    assert finding.case == row.case
    assert {name: getattr(finding, name) for name in row.then} == row.then
    assert finding.row == STANDARD.row_of(row.case).id


def test_every_row_and_every_case_has_its_examples() -> None:
    assert [row.rule for row in ROWS if sum(row.rule == other.rule for other in ROWS) > 1] == []
    assert {row.rule[:3] for row in ROWS} == {row.id for row in STANDARD.rows}
    assert {row.case for row in ROWS} == set(STANDARD.precedence)


@pytest.mark.parametrize("needless", ["R01", "R02", "R06", "R18"])
def test_these_run_without_a_complaint_and_no_other(needless: str) -> None:
    silent = {row.case for row in ROWS if row.facts.get("complained_at_ms") == 0 and row.case != "R00"}
    assert needless in silent
    assert silent == {"R01", "R02", "R06", "R18"}


def test_amounts_stay_within_what_was_asked_and_what_is_there() -> None:
    finding = found(activated_at_ms=OPENED - EPS - 1, asked_fen=2_500, deposit_fen=900)
    assert (finding.refund_fen, finding.deduction_fen) == (2_500, 900)
    finding = found(activated_at_ms=OPENED - EPS - 1, units_total=3, units_affected=2)
    assert finding.refund_fen == PRICE_FEN * 2 // 3


def test_the_refund_is_the_largest_of_the_cases_that_stand_together() -> None:
    """What was partly delivered costs the shop more here than its silence, and the buyer still gets everything back."""
    finding = found(
        {**UNDELIVERED, "complained_at_ms": COMPLAINED, "units_delivered": 7, "units_missing": 3, "lure_messages": 1},
        reason="off_platform", units_sealed=0, merchant_answered_at_ms=0, units_affected=10,
    )  # fmt: skip
    assert (finding.case, finding.refund_fen, finding.also) == ("R14", PRICE_FEN, ("R02", "R15"))


def test_of_two_ranks_the_better_one_counts() -> None:
    facts = {**BASE, "activated_at_ms": OPENED - EPS - 1, "reason": "not_valid", "error_means": None}
    said = [*statements(facts), Statement(fact="error_means", value="not_valid", rank="E3c", source="captured")]
    said += [
        Statement(fact="error_means", value="already_used", rank="E1", source="issuer"),
        Statement(fact="error_means", value="expired_code", rank="E5", source="screenshot"),
    ]
    finding = evaluate(STANDARD, said)
    aside = {(one.statement.source, one.why) for one in finding.set_aside}
    assert aside == {("captured", "weaker"), ("screenshot", "rank")}
    facts.update(activated_at_ms=None, input_matches_text=True)
    said = [*statements(facts), *said[-3:]]
    assert evaluate(STANDARD, said).case != "R10b"
    assert evaluate(STANDARD, [one for one in said if one.rank != "E1"]).case == "R10b"


def test_where_equals_disagree_nobody_is_judged_by_it() -> None:
    said = [
        *statements({**BASE, "activated_at_ms": OPENED - EPS - 1}),
        Statement(fact="activated_at_ms", value=OPENED + 1, rank="E1", source="another"),
    ]
    finding = evaluate(STANDARD, said)
    assert (finding.case, finding.contradicted) == ("R05d", ("activated_at_ms",))


def test_without_the_price_the_row_is_found_and_the_sum_left_open() -> None:
    finding = found(activated_at_ms=OPENED - EPS - 1, amount_fen=None)
    assert (finding.case, finding.refund_fen, finding.deduction_fen) == ("R03a", None, None)


def test_the_base_case_is_what_it_says() -> None:
    assert found().case == "R05d"
    assert set(BASE) <= set(STANDARD.facts)
