"""Is the verdict in a case file what the published standard says of what was known? Made again here, offline.

A case file is a ZIP of an order's receipts with the versions of the standard and the files of its panels beside them.
Each receipt is verified as any other; then every ruling is made anew from its sealed document, by the bytes of its
version (a panel's by its votes as well), and compared with what the log says was ruled, paid and when.
"""

from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from msgspec import MsgspecError

from fairkey.business.standard.library import edition_of
from fairkey.business.standard.table import Standard, TableIsMalformed
from fairkey.business.verdicts import VerdictDocument, judge, read_document
from fairkey.proofs.panel_files import PANEL_SUFFIX
from fairkey.proofs.receipts import RECEIPT_SUFFIX, LeafFacts, ReceiptDoesNotHold, ReceiptIsMalformed, read_receipt

from .files import check_file
from .judging import Given
from .panel_rulings import NOT_PROVEN as PANELS_NOT_PROVEN
from .panel_rulings import check_panel_ruling
from .reading import FileCannotBeRead, FileIsMissing, FileIsTooLong, read_regular
from .reports import Report, State, Step
from .zips import ZIP_BYTES_MAX, ZipIsRefused, members_of

RULED: Final = "dispute.ruled"
TOLD: Final = ("row", "case", "outcome", "refund_fen", "deduct_fen")
SAME: Final = {
    "row": "row",
    "case": "case",
    "outcome": "outcome",
    "refund_fen": "refund_fen",
    "pool_fen": "pool_fen",
    "deduct_fen": "deduct_fen",
    "bounty_fen": "bounty_fen",
    "points": "shop_points",
    "buyer_points": "buyer_points",
    "version": "version",
    "sha256": "sha256",
}
"""Fields of the ruling in the log, and what they are called in the verdict."""
MOMENTS: Final = {
    "complained_at_ms": ("dispute.opened", "dispute.resend_refused"),
    "delivered_at_ms": ("order.delivered",),
    "asked_buyer_at_ms": ("dispute.asked",),
    "buyer_answered_at_ms": ("dispute.replied",),
    "corrected_at_ms": ("dispute.resent",),
}
"""Moments that a case states, and the entries one of whose moments they are."""
NOT_PROVEN: Final = (
    "That an issuer told the truth: only that he said it, and what follows from it.",
    "That the house stated everything that it knew: compare the statements with your own evidence.",
)
Begin = Callable[[str], Callable[[Step], None]]


class CaseIsNotThere(Exception):
    """There is no case file of this name. The argument is a sentence."""


class Entry(NamedTuple):
    """One receipt of the case: what it says, and which sealed fields it shows."""

    name: str
    facts: LeafFacts
    shown: Mapping[str, object]


def verify_case(path: Path, given: Given, begin: Begin) -> list[Report]:
    """One report for each receipt, then one for each ruling. Raises `CaseIsNotThere`."""
    try:
        members = members_of(read_regular(path, ZIP_BYTES_MAX))
    except (FileIsMissing, FileIsTooLong, FileCannotBeRead) as error:
        raise CaseIsNotThere(f"{path}: {error}") from None
    except ZipIsRefused as error:
        report = Report(path.name, "case", begin(path.name))
        report.add("file", State.BAD, f"{str(error)[:1].upper()}{str(error)[1:]}.")
        return [report]
    reports, entries = [], []
    for one in members:
        if one.name.endswith(RECEIPT_SUFFIX):
            report = Report(one.name, "file", begin(one.name))
            check_file(report, one.data, given, None)
            reports.append(report)
            entries += _entry_of(one.name, one.data)
    panels = {
        one.name.rpartition("/")[2].removesuffix(PANEL_SUFFIX): one.data
        for one in members
        if one.name.endswith(PANEL_SUFFIX)
    }
    standards = {sha256(one.data).hexdigest(): one.data for one in members if one.name.endswith(".json")}
    rulings = [one for one in entries if one.facts.kind == RULED]
    for ruling in rulings:
        name = f"verdict {ruling.facts.public.get('ruling_no')}"
        report = Report(name, "verdict", begin(name))
        if ruling.facts.public.get("by") == "panel":
            _check_panels(report, ruling, entries, standards, panels, given)
        else:
            _check_ruling(report, ruling, entries, standards)
            report.not_proven += NOT_PROVEN
        reports.append(report)
    if not rulings:
        report = Report(path.name, "case", begin(path.name))
        report.add("file", State.UNKNOWN, "The case file holds no ruling.")
        reports.append(report)
    return reports


def _entry_of(name: str, data: bytes) -> list[Entry]:
    """The entry of a receipt that can be read; what is wrong with one is said by its own report."""
    try:
        receipt = read_receipt(data)
        shown = {one.name: one.value for one in receipt.check_disclosures()}
        return [Entry(name, receipt.facts(), shown)]
    except (ReceiptIsMalformed, ReceiptDoesNotHold):
        return []


def _check_panels(
    report: Report,
    ruling: Entry,
    entries: list[Entry],
    standards: Mapping[str, bytes],
    panels: Mapping[str, bytes],
    given: Given,
) -> None:
    public = ruling.facts.public
    report.facts = {name: str(public.get(name)) for name in TOLD}
    standard = _standard_of(report, str(public["sha256"]), standards) if public.get("sha256") else None
    if public.get("sha256") and standard is None:
        return
    check_panel_ruling(
        report,
        ruling.facts,
        ruling.shown,
        [one.facts for one in entries if one.facts.stream == ruling.facts.stream],
        standard,
        panels,
        given.trust.policy,
    )
    report.not_proven += PANELS_NOT_PROVEN


def _check_ruling(report: Report, ruling: Entry, entries: list[Entry], standards: Mapping[str, bytes]) -> None:
    public = ruling.facts.public
    report.facts = {name: str(public.get(name)) for name in TOLD}
    if public.get("by") != "standard":
        report.add("verdict", State.UNKNOWN, "Neither the standard nor a panel ruled here: this release cannot tell.")
        return
    standard = _standard_of(report, str(public.get("sha256")), standards)
    document = _document_of(report, ruling)
    if standard is None or document is None:
        return
    if not document.codes:
        report.add("verdict", State.BAD, "The verdict was made of nothing.")
        return
    again = judge(standard, document.codes, document.demand_fen, document.judged_at_ms)
    if again != document.verdict:
        report.add("verdict", State.BAD, f"The standard says {again.case}, the document says {document.verdict.case}.")
        return
    told = {name: getattr(again, own) for name, own in SAME.items()}
    wrong = [name for name, value in told.items() if public.get(name) != value]
    if wrong:
        report.add("verdict", State.BAD, "The ruling in the log is another.", tuple(wrong))
        return
    if document.judged_at_ms != ruling.facts.at:
        report.add("verdict", State.BAD, "It was judged at another moment than the log says.")
        return
    report.add("verdict", State.GOOD, f"Made again from its statements: {again.case}, {again.refund_fen} fen back.")
    _check_moments(report, document, [one for one in entries if one.facts.stream == ruling.facts.stream])


def _standard_of(report: Report, digest: str, standards: Mapping[str, bytes]) -> Standard | None:
    if digest not in standards:
        report.add("standard", State.BAD, f"The version of the standard with SHA-256 {digest} is not in the case file.")
        return None
    try:
        standard = edition_of(standards[digest]).standard
    except TableIsMalformed as error:
        report.add("standard", State.BAD, f"Its version of the standard cannot be read: {error}.")
        return None
    report.add("standard", State.GOOD, f"{standard.name} {standard.version}, the bytes that the log names.")
    return standard


def _document_of(report: Report, ruling: Entry) -> VerdictDocument | None:
    text = ruling.shown.get("verdict")
    if not isinstance(text, str):
        report.add("verdict", State.UNKNOWN, "The receipt does not open what the verdict was made of.")
        return None
    try:
        return read_document(text)
    except MsgspecError:
        report.add("verdict", State.BAD, "What the verdict was made of cannot be read.")
        return None


def _check_moments(report: Report, document: VerdictDocument, entries: list[Entry]) -> None:
    """Moments that the statements name are those of the entries in the case."""
    at = {one.facts.kind: one.facts.at for one in entries}
    checked, wrong = 0, []
    for said in (one for code in document.codes for one in code.statements if one.fact in MOMENTS and one.value):
        logged = [at[kind] for kind in MOMENTS[said.fact] if kind in at]
        if logged:
            checked += 1
            if said.value not in logged:
                wrong.append(f"{said.fact}: stated {said.value}, in the log {logged[-1]}")
    if wrong:
        report.add("statements", State.BAD, "Statements contradict the entries of the case.", tuple(wrong))
    elif checked:
        report.add("statements", State.GOOD, f"{checked} moments are those of the entries in the log.")
    else:
        report.add("statements", State.LEFT, "None of the moments is that of an entry in this case file.")
