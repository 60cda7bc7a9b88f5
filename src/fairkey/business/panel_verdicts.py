"""From what a panel decided to the ruling it becomes: who is right and how much goes back is the panel's word, what
the row it names costs is the table's.

A vote names a case of the standard (R03a) or only its row (R03). Of a row the case that costs the shop least is taken:
what made a dearer one apply was not found. A case that the pool pays is nobody's fault, so it costs nobody here.

The document is sealed in the ruling's event. With the panel's own file beside it everything can be made again offline.
"""

from typing import Final

from msgspec import Struct, json

from .dispute_events import ComplaintRuled
from .dispute_state import Complaint
from .standard.deciding import Bill, bill_of
from .standard.table import Case, Standard
from .standard.truth import Statement
from .verdicts import standard_of

DOCUMENT: Final = "fairkey-panel-verdict/1"


class PanelBriefing(Struct, frozen=True, kw_only=True):
    """What a panel's decision must be told about the order. `sha256` empty: no standard was in force for it;
    `deposit_fen` -1: the shop has no deposit.
    """

    sha256: str
    amount_fen: int
    units_total: int
    units_delivered: int
    units_sealed: int
    in_stock: bool
    deposit_fen: int


class Before(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ruling before, as far as a panel's may rest on it: by the same case it knew of repeats, and cost as much."""

    ruling_no: int
    case: str
    deduct_fen: int
    points: int
    freezes_shop: bool


class PanelDocument(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a panel's ruling was made of: enough to make it again. `named`: the row or case that the votes name;
    `refund_fen`: what the votes come to; `votes_sha256`: over the commitments counted, as in `panel.decided`.
    """

    format: str
    judged_at_ms: int
    demand_fen: int
    panel_id: str
    level: int
    named: str
    refund_fen: int
    votes_sha256: str
    sha256: str
    statements: tuple[Statement, ...]
    before: Before | None = None


class PanelCosts(Struct, frozen=True, kw_only=True):
    """What follows from a panel's decision. Fields as in `ComplaintRuled`."""

    standard: str = ""
    version: str = ""
    sha256: str = ""
    row: str
    case: str = ""
    outcome: str
    refund_fen: int
    deduct_fen: int = 0
    bounty_fen: int = 0
    points: int = 0
    buyer_points: int = 0
    freezes_shop: bool = False
    quarantines_batch: bool = False


def statements_from(brief: PanelBriefing, demand_fen: int, at_ms: int) -> tuple[Statement, ...]:
    """What the log itself says about the order, for the table's shares."""
    said = {
        "now_ms": at_ms,
        "amount_fen": brief.amount_fen,
        "asked_fen": demand_fen,
        "units_total": brief.units_total,
        "units_delivered": brief.units_delivered,
        "units_missing": max(brief.units_total - brief.units_delivered, 0),
        "units_sealed": brief.units_sealed,
        "listed_in_stock": brief.in_stock,
    }
    if brief.deposit_fen >= 0:
        said["deposit_fen"] = brief.deposit_fen
    return tuple(Statement(fact=fact, value=value, rank="E2") for fact, value in said.items())


def case_named(standard: Standard, named: str, statements: tuple[Statement, ...], *, for_buyer: bool) -> Bill | None:
    """What the case comes to that a panel names, or of the row it names the case of that side that costs least,
    whatever the deposit holds; None when that side has none there.
    """
    side = "buyer" if for_buyer else "merchant"
    cases = standard.cases()
    ids = [named] if named in cases else [one for one in cases if standard.row_of(one).id == named]
    fitting = [one for one in ids if cases[one].side == side and not _is_of_pool(cases[one])]
    if not fitting:
        return None
    priced = tuple(one for one in statements if one.fact != standard.names.deposit)

    def cost(case_id: str) -> tuple[int, int, int]:
        bill = bill_of(standard, case_id, priced)
        return bill.deduction_fen or 0, bill.shop_points, bill.buyer_points

    return bill_of(standard, min(fitting, key=cost), statements)


def _is_of_pool(case: Case) -> bool:
    return case.refund is not None and case.refund.source == "pool"


def costs_of(standard: Standard | None, document: PanelDocument) -> PanelCosts:
    """The panel's decision with what the table says about it; the same for the same document."""
    refund_fen = min(document.refund_fen, document.demand_fen)
    outcome = "refund" if refund_fen else "reject"
    if standard is None:
        return PanelCosts(row=document.named, outcome=outcome, refund_fen=refund_fen)
    known = tuple(one for one in document.statements if one.fact in standard.facts)  # versions differ in what they ask
    bill = case_named(standard, document.named, known, for_buyer=refund_fen > 0)
    if bill is None:
        return PanelCosts(
            standard=standard.name,
            version=standard.version,
            sha256=standard.sha256,
            row=_row_of(standard, document.named),
            outcome=outcome,
            refund_fen=refund_fen,
        )
    before = document.before if document.before and document.before.case == bill.case and refund_fen else None
    return PanelCosts(
        standard=standard.name,
        version=standard.version,
        sha256=standard.sha256,
        row=bill.row,
        case=bill.case,
        outcome=outcome,
        refund_fen=refund_fen,
        deduct_fen=max(bill.deduction_fen or 0, before.deduct_fen if before else 0),
        bounty_fen=bill.bounty_fen,
        points=max(bill.shop_points, before.points if before else 0),
        buyer_points=bill.buyer_points,
        freezes_shop=bill.freezes_shop or bool(before and before.freezes_shop),
        quarantines_batch=bill.quarantines_batch,
    )


def ruled_by_panel(
    complaint: Complaint,
    brief: PanelBriefing,
    *,
    panel_id: str,
    named: str,
    refund_fen: int,
    votes_sha256: str,
    at_ms: int,
    appeal_by_ms: int,
) -> ComplaintRuled:
    """The ruling that a panel's decision becomes."""
    ruling = complaint.ruling
    document = PanelDocument(
        format=DOCUMENT,
        judged_at_ms=at_ms,
        demand_fen=complaint.demand_fen,
        panel_id=panel_id,
        level=complaint.level,
        named=named,
        refund_fen=refund_fen,
        votes_sha256=votes_sha256,
        sha256=brief.sha256,
        statements=statements_from(brief, complaint.demand_fen, at_ms),
        before=Before(
            ruling_no=ruling.ruling_no,
            case=ruling.case,
            deduct_fen=ruling.deduct_fen,
            points=ruling.points,
            freezes_shop=ruling.freezes_shop,
        )
        if ruling
        else None,
    )
    costs = costs_of(standard_of(brief.sha256) if brief.sha256 else None, document)
    return ComplaintRuled(
        ruling_no=complaint.rulings + 1,
        by="panel",
        level=complaint.level,
        standard=costs.standard,
        version=costs.version,
        sha256=costs.sha256,
        row=costs.row,
        case=costs.case,
        cases=(costs.case,) if costs.case else (),
        outcome=costs.outcome,
        refund_fen=costs.refund_fen,
        pool_fen=0,
        deduct_fen=costs.deduct_fen,
        bounty_fen=costs.bounty_fen,
        points=costs.points,
        buyer_points=costs.buyer_points,
        counted=costs.points > 0,
        freezes_shop=costs.freezes_shop,
        quarantines_batch=costs.quarantines_batch,
        appeal_by_ms=appeal_by_ms,
        verdict=written(document),
    )


def written(document: PanelDocument) -> str:
    """The document as canonical JSON."""
    return json.encode(document, order="sorted").decode()


def read_panel_document(text: str) -> PanelDocument:
    """The document in `text`. Raises `msgspec.ValidationError`, `msgspec.DecodeError`."""
    return json.decode(text, type=PanelDocument)


def may_name(standard: Standard, named: str, *, for_buyer: bool) -> bool:
    """Whether a vote for that side can name this row or case: one of its own, or one that the table leaves open."""
    cases = [case for case in standard.cases().values() if named in (case.id, standard.row_of(case.id).id)]
    sides = {case.side for case in cases if not _is_of_pool(case)}
    return ("buyer" if for_buyer else "merchant") in sides or "open" in sides


def _row_of(standard: Standard, named: str) -> str:
    return standard.row_of(named).id if named in standard.cases() else named
