"""Is a panel's ruling in a case file what its votes and the published standard say? Made again here, offline.

The ruling's receipt proves what was ruled and opens what it was made of. That names the panel and a hash over the
commitments that were counted; the panel's own file (see `proofs.panel_files`) brings list, draw, commitments and votes.
What the votes come to is counted again, what the named case costs is read again from the bytes of the standard.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import MsgspecError

from fairkey.business.panel_verdicts import DOCUMENT, PanelDocument, costs_of, read_panel_document
from fairkey.business.panels import panel_id_of
from fairkey.business.standard.table import Standard
from fairkey.proofs.panel_files import PanelDoesNotHold, Redrawn, verify_panel_file
from fairkey.proofs.policies import Policy
from fairkey.proofs.receipts import LeafFacts

from .reports import Report, State

SAME: Final = (
    "row", "case", "outcome", "refund_fen", "deduct_fen", "bounty_fen", "points", "buyer_points", "freezes_shop",
    "quarantines_batch", "version", "sha256",
)  # fmt: skip
"""Fields of the ruling in the log that are made again."""
NOT_PROVEN: Final = (
    "That the arbitrators judged well: only that these were drawn, voted so, and what follows from it.",
    "That the house stated order and deposit as they were, beyond the entries in this file.",
)


def check_panel_ruling(
    report: Report,
    ruling: LeafFacts,
    shown: Mapping[str, object],
    entries: Sequence[LeafFacts],
    standard: Standard | None,
    panels: Mapping[str, bytes],
    policy: Policy | None,
) -> None:
    """Everything about one ruling by a panel; `entries`: of the same order. `panels`: files by their panel's id."""
    document = _document_of(report, shown)
    if document is None:
        return
    _check_panel(report, ruling, document, panels, policy)
    wrong = _wrong_about_itself(ruling, document, standard)
    if wrong:
        report.add("verdict", State.BAD, "The ruling in the log is not what it was made of.", tuple(wrong))
        return
    costs = costs_of(standard, document)
    public = ruling.public
    other = [
        f"{name}: {public.get(name)} in the log, {getattr(costs, name)} made again"
        for name in SAME
        if public.get(name) != getattr(costs, name)
    ]
    if other or public.get("pool_fen") != 0 or public.get("counted") != (costs.points > 0):
        report.add("verdict", State.BAD, "The ruling in the log is another.", tuple(other))
        return
    report.add(
        "verdict",
        State.GOOD,
        f"Made again: {costs.case or costs.row}, {costs.refund_fen} fen back, {costs.deduct_fen} fen deducted.",
    )
    _check_entries(report, ruling, document, entries)


def _document_of(report: Report, shown: Mapping[str, object]) -> PanelDocument | None:
    text = shown.get("verdict")
    if not isinstance(text, str):
        report.add("verdict", State.UNKNOWN, "The receipt does not open what the ruling was made of.")
        return None
    try:
        document = read_panel_document(text)
    except MsgspecError:
        report.add("verdict", State.BAD, "What the ruling was made of cannot be read.")
        return None
    if document.format != DOCUMENT:
        report.add("verdict", State.UNKNOWN, f"What the ruling was made of is of another kind: {document.format[:40]}.")
        return None
    return document


def _check_panel(
    report: Report, ruling: LeafFacts, document: PanelDocument, panels: Mapping[str, bytes], policy: Policy | None
) -> None:
    """Draw, votes and majority by the panel's file, and that they are those on which the ruling rests."""
    order_id = ruling.stream.removeprefix("order:")
    if document.panel_id != panel_id_of(order_id, document.level):
        report.add("panel", State.BAD, "The ruling names a panel that is not one of this order and level.")
        return
    data = panels.get(document.panel_id)
    if data is None:
        report.add("panel", State.UNKNOWN, f"The file of panel {document.panel_id} is not in the case file.")
        return
    if policy is None:
        report.add("panel", State.UNKNOWN, "Not checked: no policy, so nothing can be said about the draw.")
        return
    try:
        redrawn = verify_panel_file(data, policy)
    except PanelDoesNotHold as error:
        report.add("panel", State.BAD, f"The panel does not hold: {error}.")
        return
    wrong = _wrong_about_panel(redrawn, order_id, document)
    if wrong:
        report.add("panel", State.BAD, "The votes in the panel's file are not those that were ruled by.", tuple(wrong))
        return
    voted = sum(bool(seat.vote) for seat in redrawn.seats)
    report.add(
        "panel",
        State.GOOD,
        f"{redrawn.level} drawn from the tree of {redrawn.checkpoint_size} entries, {voted} votes opened and counted: "
        f"{redrawn.outcome}.",
    )


def _wrong_about_panel(redrawn: Redrawn, order_id: str, document: PanelDocument) -> list[str]:
    told: list[tuple[str, Any, Any]] = [
        ("panel", redrawn.panel_id, document.panel_id),
        ("order", redrawn.order_id, order_id),
        ("level", redrawn.level, document.level),
        ("refund_fen", redrawn.refund_fen, document.refund_fen),
        ("row", redrawn.row, document.named),
        ("votes", redrawn.votes_sha256, document.votes_sha256),
    ]
    return [f"{name}: {panels} by the panel, {ruled} in the ruling" for name, panels, ruled in told if panels != ruled]


def _wrong_about_itself(ruling: LeafFacts, document: PanelDocument, standard: Standard | None) -> list[str]:
    public = ruling.public
    said = {one.fact: one.value for one in document.statements}
    told: list[tuple[str, Any, Any]] = [
        ("moment", ruling.at, document.judged_at_ms),
        ("level", public.get("level"), document.level),
        ("standard", public.get("sha256"), document.sha256 if standard else ""),
        ("now_ms", ruling.at, said.get("now_ms", ruling.at)),
        ("asked_fen", document.demand_fen, said.get("asked_fen", document.demand_fen)),
    ]
    return [f"{name}: {log} in the log, {made} in the document" for name, log, made in told if log != made]


def _check_entries(report: Report, ruling: LeafFacts, document: PanelDocument, entries: Sequence[LeafFacts]) -> None:
    """What the document states of the order is what the order's own entries say, as far as they are here."""
    said = {one.fact: one.value for one in document.statements}
    told: list[tuple[str, Any, Any]] = []
    for one in entries:
        if one.version >= ruling.version:
            continue
        if one.kind == "dispute.opened":
            told.append(("asked_fen", document.demand_fen, one.public.get("demand_fen")))
        elif one.kind == "order.placed" and not any(other.kind == "order.cut_short" for other in entries):
            told.append(("amount_fen", said.get("amount_fen"), one.public.get("amount_fen")))
            told.append(("units_total", said.get("units_total"), one.public.get("quantity")))
        elif one.kind == "dispute.escalated" and one.public.get("level") == document.level:
            told.append(("panel", document.panel_id, one.public.get("panel_id")))
        elif one.kind == "dispute.ruled" and one.public.get("ruling_no") == _number_of(ruling) - 1:
            before = document.before
            told.append(("ruling before", before.ruling_no if before else 0, one.public.get("ruling_no")))
            if before:
                told += [
                    (f"{name} before", getattr(before, name), one.public.get(name))
                    for name in ("case", "deduct_fen", "points", "freezes_shop")
                ]
    wrong = [f"{name}: stated {stated}, in the log {log}" for name, stated, log in told if stated != log]
    if wrong:
        report.add("statements", State.BAD, "Statements contradict the entries of the case.", tuple(wrong))
    elif told:
        report.add("statements", State.GOOD, f"{len(told)} statements are those of the entries in the log.")
    else:
        report.add("statements", State.LEFT, "Nothing stated is in an entry of this case file.")


def _number_of(ruling: LeafFacts) -> int:
    number = ruling.public.get("ruling_no")
    return number if isinstance(number, int) else 0
