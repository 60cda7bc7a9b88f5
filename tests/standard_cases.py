"""Cases for the standard: one that everybody has, changed fact by fact."""

from typing import Any

from fairkey.business.basics import DAY_MS, HOUR_MS, MINUTE_MS
from fairkey.business.standard.deciding import Finding, evaluate
from fairkey.business.standard.library import newest
from fairkey.business.standard.table import Standard
from fairkey.business.standard.truth import Statement, Value

STANDARD = newest().standard
NOW = 1_800_000_000_000
OPENED = NOW - 3 * DAY_MS  # the first opening
COMPLAINED = NOW - 60 * HOUR_MS
H48 = 48 * HOUR_MS
PRICE_FEN = 10_000

# A complaint of sixty hours ago about one code, answered after one; nobody but the platform has said anything.
BASE: dict[str, Value] = {
    "now_ms": NOW,
    "amount_fen": PRICE_FEN,
    "asked_fen": PRICE_FEN,
    "units_total": 1,
    "units_affected": 1,
    "units_sealed": 0,
    "revealed_at_ms": OPENED,
    "complained_at_ms": COMPLAINED,
    "reason": "already_used",
    "form_complete": True,
    "merchant_answered_at_ms": COMPLAINED + HOUR_MS,
    "provenance_at_ms": 0,
    "custody": "C1",
    "sold_before": False,
    "listed_region": "CN",
    "pool_uses": 0,
}
RECORDED: dict[str, Value] = {
    "recording_started_at_ms": OPENED - 1,
    "recording_ended_at_ms": OPENED - 1 + 30 * MINUTE_MS,
    "recording_nonce_shown": True,
    "recording_unbroken": True,
    "recording_submitted_at_ms": OPENED + 5 * MINUTE_MS,
    "error_means": "already_used",
}
SMALL: dict[str, Value] = {"amount_fen": 3_000, "asked_fen": 3_000}


def statements(facts: dict[str, Any], standard: Standard = STANDARD) -> list[Statement]:
    """Each fact by the best rank that may say it; None: nobody said it."""
    return [
        Statement(fact=name, value=value, rank=standard.facts[name].ranks[-1 if name == "error_means" else 0])
        for name, value in facts.items()
        if value is not None
    ]


def found(*changes: dict[str, Any], standard: Standard = STANDARD, **more: Any) -> Finding:  # noqa: ANN401 - values
    """What is found of the base case with these changes."""
    facts: dict[str, Any] = dict(BASE)
    for change in (*changes, more):
        facts.update(change)
    return evaluate(standard, statements(facts, standard))
