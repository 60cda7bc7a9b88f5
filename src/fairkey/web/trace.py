"""The life of a code, for whoever holds it. The code comes in a form and goes nowhere else: no address, no log."""

from typing import Final

from litestar import Response, get, post
from litestar.di import NamedDependency

from fairkey.business.references import reference_of
from fairkey.engine import tracing
from fairkey.engine.house import House
from fairkey.engine.people import network_of
from fairkey.engine.tracing import CODE_CHARS_MAX, CodeIsNotKnown, CodeLife
from fairkey.gates.pow import FIELD
from fairkey.gates.refusals import WorkIsMissing
from fairkey.gates.visits import visit_of
from fairkey.web.frame import AnyRequest, frame, status_of
from fairkey.web.i18n import marked as _
from fairkey.web.inputs import form_of
from fairkey.web.render import render, view_of

STEPS: Final = {
    "deposited": _("Sealed in the vault"),
    "registered": _("Registered with its batch and on sale"),
    "vouched": _("An issuer signed for its batch"),
    "withdrawn": _("Taken off sale by its shop"),
    "held": _("Taken off sale: a ruling or an issuer spoke against its batch"),
    "let_back": _("On sale again: its issuer vouched for it, or a person let its batch back"),
    "exported": _("Shown in clear to its shop while on sale"),
    "reserved": _("Reserved for an order"),
    "released": _("Left the order sealed"),
    "delivered": _("Delivered, sealed"),
    "revealed": _("Opened by its buyer"),
    "reported": _("A complaint about its order was made"),
    "settled": _("The complaint ended"),
    "activated": _("Activated, says the issuer"),
    "unused": _("Not activated, says the issuer"),
    "revoked": _("Revoked, says the issuer"),
    "unclear": _("The issuer was asked and said neither"),
}
STAGES: Final = {
    "free": _("in the vault, for sale"),
    "reserved": _("reserved for an order"),
    "delivered": _("sold, sealed"),
    "revealed": _("sold and opened"),
    "returned": _("given back to its shop"),
    "withdrawn": _("taken off sale"),
    "quarantined": _("waits off sale"),
}
SOURCES: Final = {
    "issuer": _("Directly from the issuer"),
    "invoice": _("Bought, with an invoice"),
    "typed": _("Typed or collected by hand"),
}
OUTCOMES: Final = {
    "accepted": _("the shop agreed"),
    "merchant_silent": _("the shop did not answer"),
    "ruled": _("the platform ruled"),
    "operator_silent": _("the platform did not rule"),
    "withdrawn": _("the buyer took it back"),
}


@get("/trace")
async def form(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """The form."""
    return await _page(request, house)


@post("/trace")
async def trace(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """The life of the code in the form."""
    text = (await form_of(request)).get("code", "")
    try:
        await _work(request)
        life = await tracing.life_of(house, text)
    except (CodeIsNotKnown, WorkIsMissing) as refusal:
        return await _page(request, house, refusal=type(refusal).__name__, details=refusal.details)
    return await _page(request, house, life=life, text=text)


@post("/trace/life.zip")
async def trace_file(request: AnyRequest, house: NamedDependency[House]) -> Response[bytes] | Response[str]:
    """The same with everything that proves it, as one file."""
    text = (await form_of(request)).get("code", "")
    try:
        await _work(request)
        data = await tracing.life_file(house, text)
    except (CodeIsNotKnown, WorkIsMissing) as refusal:
        return await _page(request, house, refusal=type(refusal).__name__, details=refusal.details)
    headers = {"content-disposition": 'attachment; filename="code-life.zip"', "cache-control": "no-store"}
    return Response(data, status_code=200, media_type="application/zip", headers=headers)


async def _work(request: AnyRequest) -> None:
    visit = visit_of(request.scope)
    if not visit.is_known:
        fields = await form_of(request)
        visit.door.work.require("place", network_of(visit.actor.address), fields.get(FIELD, ""))


async def _page(
    request: AnyRequest,
    house: House,
    *,
    life: CodeLife | None = None,
    text: str = "",
    refusal: str = "",
    details: dict[str, object] | None = None,
) -> Response[str]:
    context = frame(request, house)
    visit = visit_of(request.scope)
    challenge = "" if visit.is_known else visit.door.work.challenge("place", network_of(visit.actor.address))
    own_order = ""
    if life is not None and life.order_id and visit.actor.works_for(life.shop_id):
        own_order = reference_of(life.shop_no, life.order_id)
    answer = render(
        context,
        "trace.html",
        status_code=status_of(refusal) if refusal else 200,
        life=life,
        text=text,
        own_order=own_order,
        chars_max=CODE_CHARS_MAX,
        step_words=STEPS,
        stage_words=STAGES,
        source_words=SOURCES,
        outcome_words=OUTCOMES,
        refusal=view_of(context, refusal, details or {}) if refusal else None,
        work=challenge,
        work_bits=visit.door.work.difficulty_bits,
    )
    answer.headers["cache-control"] = "no-store"
    return answer


HANDLERS: Final = [form, trace, trace_file]
