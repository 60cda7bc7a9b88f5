"""How disputes end: rulings as they go into the log, what is carried out, and whose stakes are settled."""

from msgspec import Struct

from .basics import Event, invariant
from .dispute_events import ComplaintClosed, ComplaintRuled, Outcome, RulingExecuted, Side, StakeSettled
from .dispute_state import Complaint, Ruling
from .stakes import settled
from .standard.truth import Statement
from .verdicts import CodeCase, Verdict, document_of, judge, standard_of


class LateBriefing(Struct, frozen=True, kw_only=True):
    """What ruling about a late order must be told. `sha256` empty: no standard was in force when it was placed."""

    sha256: str
    amount_fen: int
    units_total: int
    units_delivered: int
    deliver_by_ms: int


def rule_late(complaint: Complaint, late: LateBriefing, at_ms: int) -> list[Event]:
    """What a missed promise costs by rows R01 and R02; the money itself went back with the cancelling."""
    standard = standard_of(late.sha256) if late.sha256 else None
    if standard is None or complaint.rulings:
        return []
    said = {
        "now_ms": at_ms,
        "amount_fen": late.amount_fen,
        "deliver_by_ms": late.deliver_by_ms,
        "units_total": late.units_total,
        "units_delivered": late.units_delivered,
        "units_missing": late.units_total - late.units_delivered,
        "listed_in_stock": False,  # what is in stock is delivered with the payment
    }
    statements = tuple(Statement(fact=fact, value=value, rank="E2") for fact, value in said.items())
    codes = (CodeCase(code_nos=(), statements=statements),)
    verdict = judge(standard, codes, late.amount_fen, at_ms)
    invariant(verdict.state == "decided", "a late order is decided by the standard")
    ruled = ruled_by_standard(verdict, document_of(codes, late.amount_fen, at_ms, verdict), 1, at_ms)
    return [ruled, _executed(ruled, verdict.refund_fen)]


def ruled_by_standard(verdict: Verdict, document: str, number: int, appeal_by_ms: int) -> ComplaintRuled:
    """The standard's ruling, as it goes into the log."""
    return ComplaintRuled(
        ruling_no=number,
        by="standard",
        level=0,
        standard=verdict.standard,
        version=verdict.version,
        sha256=verdict.sha256,
        row=verdict.row,
        case=verdict.case,
        cases=verdict.cases,
        outcome=verdict.outcome,
        refund_fen=verdict.refund_fen,
        pool_fen=verdict.pool_fen,
        deduct_fen=verdict.deduct_fen,
        bounty_fen=verdict.bounty_fen,
        points=verdict.shop_points,
        buyer_points=verdict.buyer_points,
        counted=verdict.shop_points > 0,
        freezes_shop=verdict.freezes_shop,
        quarantines_batch=verdict.quarantines_batch,
        appeal_by_ms=appeal_by_ms,
        verdict=document,
    )


def closed(complaint: Complaint, outcome: Outcome, refund_fen: int) -> list[Event]:
    """The complaint ends with no ruling to carry out."""
    judged = complaint.ruling.level if complaint.ruling else 0
    return _ended(complaint, outcome, judged, refund_fen=refund_fen, pool_fen=0, deduct_fen=0)


def final(complaint: Complaint, ruling: Ruling | ComplaintRuled) -> list[Event]:
    """The ruling is carried out, and the complaint is over."""
    outcome = Outcome.RULED if ruling.level else Outcome.STANDARD
    events = _ended(
        complaint,
        outcome,
        ruling.level,
        refund_fen=ruling.refund_fen,
        pool_fen=ruling.pool_fen,
        deduct_fen=ruling.deduct_fen,
    )
    kept_fen = sum(one.kept_fen for one in events if isinstance(one, StakeSettled) and one.by is Side.BUYER)
    return [*events, _executed(ruling, ruling.refund_fen - kept_fen)]


def _ended(
    complaint: Complaint, outcome: Outcome, judged: int, *, refund_fen: int, pool_fen: int, deduct_fen: int
) -> list[Event]:
    """The stakes of all appeals are settled, and what a buyer loses of his is kept of what goes back to him."""
    done = settled(
        complaint.stakes,
        judged_level=judged,
        back_fen=refund_fen + pool_fen,
        refund_fen=refund_fen,
        cost_fen=refund_fen + deduct_fen,
    )
    events: list[Event] = [
        StakeSettled(
            level=one.stake.level,
            panel_id=one.stake.panel_id,
            by=Side.BUYER if one.stake.by_buyer else Side.SHOP,
            stake_fen=one.stake.amount_fen,
            returned=one.returned,
            kept_fen=one.kept_fen,
        )
        for one in done
    ]
    kept_fen = sum(one.kept_fen for one in done if one.stake.by_buyer)
    return [*events, ComplaintClosed(outcome=outcome, refund_fen=refund_fen - kept_fen, text="")]


def _executed(ruling: Ruling | ComplaintRuled, escrow_fen: int) -> RulingExecuted:
    """While a complaint runs the escrow holds all that was paid, so a deposit pays only what comes on top.

    `escrow_fen`: what goes back to the buyer.
    """
    return RulingExecuted(
        ruling_no=ruling.ruling_no,
        row=ruling.row,
        escrow_fen=escrow_fen,
        deposit_fen=0,
        pool_fen=ruling.pool_fen,
        deduct_fen=ruling.deduct_fen,
    )
