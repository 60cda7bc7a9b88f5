"""Complaints that a merchant contested: both sides, the recorded facts, and the ruling with its reason."""

from decimal import Decimal, InvalidOperation
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from fairkey.business.askers import Asker
from fairkey.business.complaints import RuleComplaint
from fairkey.business.listings import decode_terms
from fairkey.business.references import reference_of
from fairkey.engine import trade
from fairkey.engine.advising import advice_on
from fairkey.engine.answers import Answer
from fairkey.engine.house import House
from fairkey.web.advised import told_of
from fairkey.web.attested import heard_of
from fairkey.web.frame import AnyRequest, frame, refused, status_of
from fairkey.web.i18n import marked as _
from fairkey.web.receipts import places_of
from fairkey.web.render import render, view_of

FEN_PER_YUAN: Final = 100
REASONS: Final = {
    "already_used": _("The code was already used"),
    "not_valid": _("The code is not valid"),
    "wrong_region": _("Wrong region"),
    "wrong_product": _("Another product or value"),
    "expired_code": _("The code has expired"),
    "other": _("Something else"),
}

@get("/floor/complaints")
async def complaints(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """Those that wait for a ruling first, then those that wait for their merchant."""
    return render(
        frame(request, house),
        "operator/complaints.html",
        lines=await house.questions.floor.complaints(),
        reference_of=reference_of,
    )


@get("/floor/complaints/{reference:str}")
async def complaint(request: AnyRequest, house: NamedDependency[House], reference: FromPath[str]) -> Response[str]:
    """One complaint whole."""
    return await _page(request, house, reference)


@post("/floor/complaints/{reference:str}", status_code=303)
async def rule(request: AnyRequest, house: NamedDependency[House], reference: FromPath[str]) -> Response[Any]:
    """Decide: all, a part, or nothing goes back; both sides read the reason."""
    where = await trade.locate(house, reference)
    record = await house.questions.order_book.find(*where) if where else None
    if record is None:
        return refused(request, house, "NotFound", {"what": "order"}, back="/floor/complaints")
    form = await request.form()
    outcome = str(form.get("outcome", ""))
    part_fen = fen_of(str(form.get("part", "")))
    refund_fen = {"refund": record.file.order.amount_fen, "reject": 0, "part": part_fen}.get(outcome)
    if refund_fen is None:
        answer = Answer(refusal="FieldIsInvalid", details={"field": "refund_fen", "why": "out_of_range"})
        return await _page(request, house, reference, answer)
    facts = await house.questions.order_book.facts(record.shop_id, record.order_id, with_sealed=True)
    advice = await advice_on(house, record, facts)
    answer = await house.ask(
        Asker.OPERATOR,
        RuleComplaint(
            shop_id=record.shop_id,
            order_id=record.order_id,
            refund_fen=refund_fen,
            text=str(form.get("text", "")).strip(),
            advised=advice.advised if advice else None,
            departs=str(form.get("departs", "")).strip(),
        ),
    )
    if answer.refusal:
        return await _page(request, house, reference, answer)
    await house.people.audit.write(request.user, "complaint.ruled", target=f"order:{record.order_id}")
    return Redirect("/floor/complaints", status_code=303)


def fen_of(yuan: str) -> int | None:
    """An amount typed in yuan, exactly; `None` if it is not one."""
    try:
        fen = Decimal(yuan.strip()) * FEN_PER_YUAN
    except InvalidOperation:
        return None
    return int(fen) if fen.is_finite() and fen == fen.to_integral_value() and 0 < fen < 10**12 else None


async def _page(request: AnyRequest, house: House, reference: str, answer: Answer | None = None) -> Response[str]:
    where = await trade.locate(house, reference)
    record = await house.questions.order_book.find(*where) if where else None
    if record is None or not record.file.complaint.opened_at_ms:
        return refused(request, house, "NotFound", {"what": "complaint"}, back="/floor/complaints")
    reason = record.file.complaint.reason
    facts = await house.questions.order_book.facts(record.shop_id, record.order_id, with_sealed=True)
    context = frame(request, house)
    issuers = [one for one in await house.questions.issuers.issuers() if one.issuer.is_active and one.issuer.has_api]
    product = decode_terms(record.terms_json).product
    refused_here = answer is not None and bool(answer.refusal)
    return render(
        context,
        "operator/complaint.html",
        status_code=status_of(answer.refusal) if answer and refused_here else 200,
        record=record,
        reference=reference_of(record.shop_no, record.order_id),
        facts=facts,
        places=await places_of(
            house, record.shop_id, record.order_id, f"/floor/orders/{reference_of(record.shop_no, record.order_id)}"
        ),
        advice=told_of(await advice_on(house, record, facts), context.locale),
        following={one.kind: one.public for one in facts}.get("dispute.weighed"),
        reason_word=REASONS.get(reason.value, reason.value) if reason else "",
        said={fact.kind: fact for fact in facts if fact.kind.startswith("dispute.")},
        refusal=view_of(context, answer.refusal, answer.details) if answer and refused_here else None,
        heard=await heard_of(
            house, record.shop_id, [one.code_id for one in record.file.codes.held], with_sealed=True
        ),
        askable=[
            (one.issuer_id, one.issuer.name)
            for one in sorted(issuers, key=lambda one: not one.issuer.makes(product))
        ],
    )


HANDLERS: Final = [complaints, complaint, rule]
