"""The complaint in three taps: what the screen said, what happened, what is asked back."""

from collections.abc import Mapping

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from fairkey.business.askers import Asker
from fairkey.business.basics import FieldIsInvalid, NotFound
from fairkey.business.complaints import OpenComplaint
from fairkey.business.dispute_events import Demand, Reason, Side
from fairkey.engine.house import House
from fairkey.web.buyer.glance import Glance, glance_at, grouped
from fairkey.web.buyer.order_page import order_page
from fairkey.web.buyer.story import REASON_WORDS
from fairkey.web.frame import AnyRequest, frame, status_of
from fairkey.web.i18n import Locale, texts_of
from fairkey.web.inputs import fen_of, form_of
from fairkey.web.quarrelling import checklist, command_for, screens
from fairkey.web.refusals import field_problem
from fairkey.web.render import render, view_of

_DEMANDS = {"resend": Demand.RESEND, "compensation": Demand.COMPENSATION}


@get("/o/{ref:str}/complain")
async def form(request: AnyRequest, house: NamedDependency[House], ref: FromPath[str]) -> Response[str] | Redirect:
    """The form, or the order's page where complaining is not possible (it says why)."""
    glance = await glance_at(house, ref)
    if not glance.may_complain:
        return Redirect(glance.path, status_code=303)
    return _page(request, house, glance, {"demand": "all"})


@post("/o/{ref:str}/complain")
async def complain(request: AnyRequest, house: NamedDependency[House], ref: FromPath[str]) -> Response[str] | Redirect:
    """Open the complaint: the money is frozen in the same moment."""
    glance = await glance_at(house, ref)
    fields = await form_of(request)
    try:
        command = _command(glance, fields, frame(request, house).locale)
    except FieldIsInvalid as wrong:
        return _page(request, house, glance, fields, "FieldIsInvalid", wrong.details)
    answer = await house.ask(Asker.BUYER, command)
    # A second press finds the complaint that the first one opened.
    if answer.refusal and answer.refusal != "ComplaintExists":
        return _page(request, house, glance, fields, answer.refusal, answer.details)
    return Redirect(f"{glance.path}#complaint", status_code=303)


def _command(glance: Glance, fields: Mapping[str, str], locale: Locale) -> OpenComplaint:
    """A picked screen says the reason by itself. Raises `FieldIsInvalid` for what is no reason or no amount."""
    screen = next((one for one in screens(locale) if one.name == fields.get("screen")), None)
    named = fields.get("reason") or (screen.means if screen else "")
    reason = next((reason for reason in Reason if reason.value == named), None)
    if reason is None:
        raise FieldIsInvalid(field="reason", why="empty")
    demand_fen = 0 if fields.get("demand") != "part" else fen_of(fields.get("demand_yuan"))
    if demand_fen is None or (fields.get("demand") == "part" and demand_fen == 0):
        raise FieldIsInvalid(field="demand_fen", why="out_of_range")
    return OpenComplaint(
        shop_id=glance.record.shop_id,
        order_id=glance.record.order_id,
        reason=reason,
        text=fields.get("text") or texts_of(locale).gettext(REASON_WORDS[reason.value][0]),
        demand_fen=demand_fen,
        demand=_DEMANDS.get(fields.get("demand", ""), Demand.REFUND),
        screen=screen.name if screen else "",
    )


def _page(
    request: AnyRequest,
    house: House,
    glance: Glance,
    filled: Mapping[str, str],
    refusal: str = "",
    details: Mapping[str, object] | None = None,
) -> Response[str]:
    context = frame(request, house)
    told = details or {}
    field = str(told.get("field", "")) if refusal == "FieldIsInvalid" else ""
    return render(
        context,
        "buyer/complain.html",
        status_code=status_of(refusal) if refusal else 200,
        glance=glance,
        order=glance.order,
        number=grouped(glance.reference),
        reasons=REASON_WORDS,
        screens=screens(context.locale),
        checklist=checklist(context.locale),
        filled=filled,
        wrong={field: field_problem(str(told.get("why")), context.locale)} if field else {},
        refusal=view_of(context, refusal, told) if refusal and not field else None,
    )


@post("/o/{ref:str}/complaint/{act:str}")
async def act(
    request: AnyRequest,
    house: NamedDependency[House],
    ref: FromPath[str],
    act: FromPath[str],
) -> Response[str] | Redirect:
    """What the buyer does in a running dispute: offer, answer, reply, appeal, take, review."""
    glance = await glance_at(house, ref)
    fields = await form_of(request)
    try:
        command = command_for(act, glance.record, Side.BUYER, fields)
    except (FieldIsInvalid, NotFound) as wrong:
        return order_page(request, house, glance, refusal=type(wrong).__name__, details=wrong.details)
    answer = await house.ask(Asker.BUYER, command)
    if answer.refusal:
        now = await glance_at(house, ref)
        return order_page(request, house, now, refusal=answer.refusal, details=answer.details)
    return Redirect(f"{glance.path}#complaint", status_code=303)


HANDLERS = (form, complain, act)
