"""From the evidence about each code of an order to one verdict about its complaint, by a version of the standard.

The verdict is a document: canonical JSON with the version's hash, every statement, and what followed. It is sealed in
the ruling's event, so that its parties (and whoever they show it to) hold what was judged, bound to the log.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct, json

from .standard.deciding import Finding, evaluate, facts_in
from .standard.library import editions
from .standard.table import Standard, literals_of
from .standard.truth import Statement

DOCUMENT: Final = "fairkey-verdict/1"
RECORDED_FACT: Final = "recording_unbroken"  # said of a guided recording that stands


class CodeCase(Struct, frozen=True, forbid_unknown_fields=True):
    """Codes of an order about which the same is known; `code_nos` count from 1 in the order's own order."""

    code_nos: tuple[int, ...]
    statements: tuple[Statement, ...]


class Verdict(Struct, frozen=True, kw_only=True):
    """What the standard says of a complaint as a whole.

    `state`: decided, panel (for a panel), waiting (until `next_at_ms`, or for evidence when that is 0). `row` and
    `case`: the dearest for the shop. `refund_fen` comes out of the escrow, `pool_fen` out of the guarantee pool,
    `deduct_fen` on top out of the deposit, of which `bounty_fen` goes to who reported.
    """

    standard: str
    version: str
    sha256: str
    state: str
    row: str
    case: str
    cases: tuple[str, ...]
    outcome: str
    refund_fen: int
    pool_fen: int
    deduct_fen: int
    bounty_fen: int
    shop_points: int
    buyer_points: int
    freezes_shop: bool
    quarantines_batch: bool
    next_at_ms: int


class VerdictDocument(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a verdict was made of, and what it says: enough to make it again."""

    format: str
    judged_at_ms: int
    demand_fen: int
    codes: tuple[CodeCase, ...]
    verdict: Verdict


def standard_of(sha256: str) -> Standard | None:
    """The version with these bytes, if this release holds it."""
    return next((each.standard for each in editions().values() if each.standard.sha256 == sha256), None)


def judge(standard: Standard, codes: Sequence[CodeCase], demand_fen: int, at_ms: int) -> Verdict:
    """The verdict about all `codes`; at most `demand_fen` goes back. Raises `FieldIsInvalid` for what cannot be."""
    findings = [evaluate(standard, one.statements) for one in codes]
    named = max(findings, key=_weight)
    state = _state_of(findings)
    decided = state == "decided"
    refund_fen = min(sum(_fen(one, "escrow") for one in findings), demand_fen) if decided else 0
    pool_fen = min(sum(_fen(one, "pool") for one in findings), demand_fen - refund_fen) if decided else 0
    return Verdict(
        standard=standard.name,
        version=standard.version,
        sha256=standard.sha256,
        state=state,
        row=named.row,
        case=named.case,
        cases=tuple(dict.fromkeys(case for one in findings for case in (one.case, *one.also))),
        outcome=_outcome_of(findings, state, refund_fen + pool_fen),
        refund_fen=refund_fen,
        pool_fen=pool_fen,
        deduct_fen=max(one.deduction_fen or 0 for one in findings) if decided else 0,
        bounty_fen=max(one.bounty_fen for one in findings) if decided else 0,
        shop_points=max(one.shop_points for one in findings) if decided else 0,
        buyer_points=max(one.buyer_points for one in findings) if decided else 0,
        freezes_shop=decided and any(one.freezes_shop for one in findings),
        quarantines_batch=decided and any(one.quarantines_batch for one in findings),
        next_at_ms=0 if decided else _next_at_ms(findings, at_ms),
    )


def hangs_on_recording(standard: Standard, verdict: Verdict) -> bool:
    """Whether a guided recording that still may be doubted could turn it: people would have to decide, or the buyer
    gets nothing because no recording is shown.
    """
    if verdict.state != "decided":
        return verdict.state == "panel"
    if verdict.refund_fen + verdict.pool_fen:
        return False
    asked = [name for literal, name in literals_of(standard.cases()[verdict.case].when) if literal == "not_shown"]
    return any(RECORDED_FACT in facts_in(standard, standard.tests[name].when) for name in asked)


def document_of(codes: Sequence[CodeCase], demand_fen: int, at_ms: int, verdict: Verdict) -> str:
    """The verdict with all that it was made of, as canonical JSON (RFC 8785: only strings, whole numbers, booleans)."""
    document = VerdictDocument(
        format=DOCUMENT, judged_at_ms=at_ms, demand_fen=demand_fen, codes=tuple(codes), verdict=verdict
    )
    return json.encode(document, order="sorted").decode()


def read_document(text: str) -> VerdictDocument:
    """The document in `text`. Raises `msgspec.ValidationError`, `msgspec.DecodeError`."""
    return json.decode(text, type=VerdictDocument)


def is_remade(document: VerdictDocument) -> bool:
    """Does the same verdict follow again? False as well where this release does not hold the version."""
    standard = standard_of(document.verdict.sha256)
    if standard is None or not document.codes:
        return False
    return judge(standard, document.codes, document.demand_fen, document.judged_at_ms) == document.verdict


def _weight(one: Finding) -> tuple[bool, int, int, int]:
    return (one.side == "buyer", one.deduction_fen or 0, one.shop_points, one.refund_fen or 0)


def _state_of(findings: Sequence[Finding]) -> str:
    """One code for a panel takes the order there; while one waits, all wait."""
    if any(one.side == "open" and one.outcome != "panel" for one in findings):
        return "waiting"
    return "panel" if any(one.by == "panel" for one in findings) else "decided"


def _fen(one: Finding, source: str) -> int:
    return (one.refund_fen or 0) if one.refund_source == source else 0


def _outcome_of(findings: Sequence[Finding], state: str, back_fen: int) -> str:
    if state != "decided":
        return (
            "panel"
            if state == "panel"
            else next(one.outcome for one in findings if one.outcome in ("wait", "resend", "none"))
        )
    if back_fen:
        return "refund"
    return "reject" if any(one.outcome == "reject" for one in findings) else "close"


def _next_at_ms(findings: Sequence[Finding], at_ms: int) -> int:
    """The next moment at which the clocks change what is said; 0: none does."""
    moments = [due.at_ms for one in findings for due in one.deadlines]
    moments += [over.at_ms for one in findings for over in one.passed_over if over.why == "not_yet"]
    return min((moment for moment in moments if moment > at_ms), default=0)
