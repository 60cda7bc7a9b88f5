"""The docket: apply to judge, the cases that wait, one case without its parties, the vote."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect, Stream

from fairkey.business.arbitrators import LeaveArbitration, Side
from fairkey.business.askers import Asker
from fairkey.business.basics import PLATFORM, NotFound, Refusal
from fairkey.business.panel_figures import NOTHING
from fairkey.business.panel_verdicts import may_name
from fairkey.business.standard.table import Standard, Words
from fairkey.engine import docket as engine
from fairkey.engine.answers import Answer
from fairkey.engine.calibration import CASES, EXAM
from fairkey.engine.house import House
from fairkey.read_tables.panel_book import ArbitratorRecord
from fairkey.web.advised import told_of
from fairkey.web.evidence import ADDS, PIECES, SAFE, SHOWS, streamed
from fairkey.web.frame import AnyRequest, frame, refused, status_of
from fairkey.web.i18n import marked as _
from fairkey.web.inputs import fen_of
from fairkey.web.panels.public import checked_id
from fairkey.web.render import render, view_of
from fairkey.web.standard import saying

TEXTS: Final = frozenset({"text/plain", "message/rfc822"})
TOLD: Final[Mapping[str, str]] = {
    "order.placed": _("Ordered"),
    "order.paid": _("Paid, money held"),
    "order.delivered": _("Delivered into the buyer’s box"),
    "order.disputed": _("The money is frozen"),
    "code.reserved": _("Codes reserved"),
    "code.delivered": _("Codes put into the box"),
    "code.revealed": _("Codes opened"),
    "code.activated": _("The issuer says: activated"),
    "code.unused": _("The issuer says: unused"),
    "code.revoked": _("The issuer says: revoked"),
    "dispute.opened": _("The buyer complained"),
    "dispute.answered": _("The shop disagreed"),
    "dispute.offered": _("A settlement was offered"),
    "dispute.declined": _("The offer was declined"),
    "dispute.asked": _("The shop asked the buyer"),
    "dispute.replied": _("The buyer replied"),
    "dispute.evidence_added": _("Evidence was given"),
    "dispute.evidence_doubted": _("Evidence was doubted"),
    "dispute.evidence_confirmed": _("Evidence was let stand"),
    "dispute.evidence_withdrawn": _("Evidence was withdrawn"),
    "dispute.ruled": _("Ruled"),
    "dispute.appealed": _("Somebody appealed"),
    "dispute.escalated": _("A panel decides"),
    "message.sent": _("A message"),
}
"""The facts that matter, in words; any other shows its kind."""
SIDES: Final = {
    "expert": _("Expert: I know the codes themselves"),
    "sellers": _("Sellers' side: I sell or have sold"),
    "buyers": _("Buyers' side: I buy"),
}


@get("/docket")
async def docket(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """His cases and figures; for anybody else the application."""
    return await _page(request, house)


@post("/docket/apply", status_code=303)
async def apply(request: AnyRequest, house: NamedDependency[House]) -> Response[Any]:
    """Apply, with the test set."""
    form = await request.form()
    side = str(form.get("side", ""))
    if side not in set(Side):
        answer = Answer(refusal="FieldIsInvalid", details={"field": "side", "why": "unknown"})
        return await _page(request, house, answer)
    answer = await engine.apply(
        house,
        str(request.user.account_id),
        side=Side(side),
        categories=tuple(one.strip() for one in re.split("[,，、\n]", str(form.get("categories", ""))) if one.strip()),
        text=str(form.get("text", "")).strip(),
        answers={one.id: str(form.get(one.id, "")) for one in CASES[:EXAM]},
    )
    return await _page(request, house, answer) if answer.refusal else Redirect("/docket", status_code=303)


@post("/docket/leave", status_code=303)
async def leave(request: AnyRequest, house: NamedDependency[House]) -> Response[Any]:
    """Be drawn no more."""
    record = await _mine(request, house)
    answer = await house.ask(Asker.ARBITRATOR, LeaveArbitration(shop_id=PLATFORM, arbitrator_id=record.arbitrator_id))
    return await _page(request, house, answer) if answer.refusal else Redirect("/docket", status_code=303)


@post("/docket/known/{case_id:str}", status_code=303)
async def known(request: AnyRequest, house: NamedDependency[House], case_id: FromPath[str]) -> Response[Any]:
    """Judge a case with a known answer."""
    record = await _mine(request, house)
    for_buyer = str((await request.form()).get("outcome", "")) == "full"
    answer = await engine.answer_known(house, record, case_id, for_buyer=for_buyer)
    return await _page(request, house, answer) if answer.refusal else Redirect("/docket", status_code=303)


@get("/docket/{panel_id:str}")
async def case(request: AnyRequest, house: NamedDependency[House], panel_id: FromPath[str]) -> Response[str]:
    """One case, blind."""
    return await _case(request, house, checked_id(panel_id))


@post("/docket/{panel_id:str}/vote", status_code=303)
async def vote(request: AnyRequest, house: NamedDependency[House], panel_id: FromPath[str]) -> Response[Any]:
    """Commit to a vote."""
    record = await _mine(request, house)
    found = await engine.case_of(house, checked_id(panel_id), record.arbitrator_id)
    form = await request.form()
    outcome = str(form.get("outcome", ""))
    part = fen_of(str(form.get("part", ""))) if outcome == "part" else None
    sums = {"full": found.panel.value_fen, "none": 0, "part": part}
    refund_fen = sums.get(outcome)
    try:
        answer = await engine.cast_vote(
            house,
            panel_id,
            record.arbitrator_id,
            refund_fen=-1 if refund_fen is None else refund_fen,
            row=str(form.get("row", "")),
            reason=str(form.get("reason", "")).strip(),
        )
    except Refusal as refusal:
        answer = Answer(refusal=type(refusal).__name__, details=refusal.details)
    if answer.refusal:
        return await _case(request, house, panel_id, answer)
    return Redirect(f"/docket/{panel_id}", status_code=303)


@get("/docket/{panel_id:str}/evidence/{evidence_id:str}/preview.jpg")
async def piece_preview(
    request: AnyRequest, house: NamedDependency[House], panel_id: FromPath[str], evidence_id: FromPath[str]
) -> Response[bytes]:
    """A picture of a piece of evidence, for who has a seat."""
    record = await _mine(request, house)
    data = await engine.piece_preview(house, checked_id(panel_id), record.arbitrator_id, checked_id(evidence_id))
    return Response(data, media_type="image/jpeg", headers=SAFE)


@get("/docket/{panel_id:str}/evidence/{evidence_id:str}/file")
async def piece_file(
    request: AnyRequest, house: NamedDependency[House], panel_id: FromPath[str], evidence_id: FromPath[str]
) -> Response[Any] | Stream:
    """A piece of evidence to keep; the log says that he took it. Of texts and letters a copy with masks."""
    record = await _mine(request, house)
    answer, kept, pieces = await engine.open_piece(
        house, checked_id(panel_id), record.arbitrator_id, checked_id(evidence_id)
    )
    if kept is None or pieces is None:
        return refused(request, house, answer.refusal, answer.details, back=f"/docket/{panel_id}")
    base = f"evidence-{evidence_id[:8]}"
    if kept.media.media_type not in TEXTS:
        return streamed(kept, pieces, base)
    text = await engine.masked(pieces)
    headers = {**SAFE, "content-disposition": f'attachment; filename="{base}.txt"'}
    return Response(text, media_type="application/octet-stream", headers=headers)


@post("/docket/{panel_id:str}/step-back", status_code=303)
async def step_back(request: AnyRequest, house: NamedDependency[House], panel_id: FromPath[str]) -> Response[Any]:
    """Give the seat to the next drawn."""
    record = await _mine(request, house)
    answer = await engine.step_back(house, checked_id(panel_id), record.arbitrator_id)
    if answer.refusal:
        return refused(request, house, answer.refusal, answer.details, back="/docket")
    return Redirect("/docket", status_code=303)


async def _mine(request: AnyRequest, house: House) -> ArbitratorRecord:
    record = await engine.record_of(house, str(request.user.account_id))
    if record is None:
        raise NotFound(what="case")
    return record


async def _page(request: AnyRequest, house: House, answer: Answer | None = None) -> Response[str]:
    context = frame(request, house)
    record = await engine.record_of(house, str(request.user.account_id))
    known_now = await engine.known_case(house, record) if record else None
    return render(
        context,
        "panels/docket.html",
        status_code=status_of(answer.refusal) if answer else 200,
        record=record,
        cases=await engine.docket_of(house, record.arbitrator_id) if record else [],
        figures=await engine.figures_for(house, record.arbitrator_id) if record else NOTHING,
        known=known_now,
        exam=CASES[:EXAM],
        is_zh=context.locale == "zh_CN",
        sides=SIDES,
        refusal=view_of(context, answer.refusal, answer.details) if answer else None,
    )


async def _case(request: AnyRequest, house: House, panel_id: str, answer: Answer | None = None) -> Response[str]:
    context = frame(request, house)
    record = await _mine(request, house)
    found = await engine.case_of(house, panel_id, record.arbitrator_id)
    say = saying(context.locale)
    return render(
        context,
        "panels/case.html",
        status_code=status_of(answer.refusal) if answer else 200,
        case=found,
        panel=found.panel,
        seat=found.panel.seats[found.panel.seat_of(record.arbitrator_id) - 1],
        told=TOLD,
        pieces=PIECES,
        adds=ADDS,
        shows=SHOWS,
        advice=told_of(found.advice, context.locale),
        rows=_nameable(found.standard, say),
        refusal=view_of(context, answer.refusal, answer.details) if answer else None,
    )


def _nameable(standard: Standard, say: Callable[[Words], str]) -> list[tuple[str, str]]:
    """The cases that a vote can name, and what each says follows."""
    return [
        (case.id, f"{case.id} {say(row.reason)} · {say(case.text)}")
        for row in standard.rows
        for case in row.cases
        if may_name(standard, case.id, for_buyer=True) or may_name(standard, case.id, for_buyer=False)
    ]


HANDLERS: Final = [docket, apply, leave, known, case, vote, piece_preview, piece_file, step_back]
