"""Complaints: both sides, the recorded facts, what the standard says; and the review of a ruling by a person."""

from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect, Stream

from fairkey.business.askers import Asker
from fairkey.business.basics import NotFound
from fairkey.business.complaints import ReviewRuling
from fairkey.business.listings import decode_terms
from fairkey.business.references import reference_of
from fairkey.engine import evidencing, outaging, trade
from fairkey.engine.advising import advice_on
from fairkey.engine.answers import Answer
from fairkey.engine.house import House
from fairkey.read_tables.order_book import OrderRecord
from fairkey.web.advised import told_of
from fairkey.web.attested import heard_of
from fairkey.web.evidence import download, picture, view_of_evidence
from fairkey.web.frame import AnyRequest, frame, refused, status_of
from fairkey.web.i18n import marked as _
from fairkey.web.quarrelling import ruling_words
from fairkey.web.receipts import places_of
from fairkey.web.render import render, view_of

REASONS: Final = {
    "already_used": _("The code was already used"),
    "not_valid": _("The code is not valid"),
    "wrong_region": _("Wrong region"),
    "wrong_product": _("Another product or value"),
    "expired_code": _("The code has expired"),
    "revoked_later": _("It worked and was taken back later"),
    "not_opened": _("Not opened, not wanted any more"),
    "off_platform": _("The shop led off the platform"),
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
async def review(request: AnyRequest, house: NamedDependency[House], reference: FromPath[str]) -> Response[Any]:
    """A person asked for looks at an automatic ruling: it stands, or a panel decides. No outcome is set here."""
    where = await trade.locate(house, reference)
    if where is None:
        return refused(request, house, "NotFound", {"what": "order"}, back="/floor/complaints")
    shop_id, order_id = where
    form = await request.form()
    confirmed = {"confirm": True, "panel": False}.get(str(form.get("review", "")))
    if confirmed is None:
        answer = Answer(refusal="FieldIsInvalid", details={"field": "review", "why": "empty"})
        return await _page(request, house, reference, answer)
    text = str(form.get("text", "")).strip()
    answer = await house.ask(
        Asker.OPERATOR, ReviewRuling(shop_id=shop_id, order_id=order_id, confirmed=confirmed, text=text)
    )
    if answer.refusal:
        return await _page(request, house, reference, answer)
    await house.people.audit.write(request.user, "complaint.reviewed", target=f"order:{order_id}")
    return Redirect("/floor/complaints", status_code=303)


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
        outages=await outaging.happening(house, product),
        reference=reference_of(record.shop_no, record.order_id),
        facts=facts,
        shown=view_of_evidence(
            house,
            record,
            facts,
            None,
            f"/floor/complaints/{reference_of(record.shop_no, record.order_id)}/evidence",
            await evidencing.alike(house, record),
        ),
        places=await places_of(
            house, record.shop_id, record.order_id, f"/floor/orders/{reference_of(record.shop_no, record.order_id)}"
        ),
        advice=told_of(await advice_on(house, record, facts), context.locale),
        following={one.kind: one.public for one in facts}.get("dispute.weighed"),
        told=ruling_words(record.file.complaint, context.locale),
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


@get("/floor/complaints/{reference:str}/evidence/{evidence_id:str}/file")
async def original(
    house: NamedDependency[House], reference: FromPath[str], evidence_id: FromPath[str]
) -> Stream:
    """A file as it was given, while there is a complaint."""
    return await download(house, await _complained(house, reference), evidence_id)


@get("/floor/complaints/{reference:str}/evidence/{evidence_id:str}/preview.jpg")
async def preview(
    house: NamedDependency[House], reference: FromPath[str], evidence_id: FromPath[str]
) -> Response[bytes]:
    """A small picture of it, made anew."""
    return await picture(house, await _complained(house, reference), evidence_id)


async def _complained(house: House, reference: str) -> OrderRecord:
    where = await trade.locate(house, reference)
    record = await house.questions.order_book.find(*where) if where else None
    if record is None or not record.file.complaint.opened_at_ms:
        raise NotFound(what="complaint")
    return record


HANDLERS: Final = [original, preview, complaints, complaint, review]
