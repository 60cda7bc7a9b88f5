"""Complaints: answer within the clock, or the buyer wins by silence."""

from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from fairkey.business.askers import Asker
from fairkey.business.basics import Command, FieldIsInvalid, NotFound
from fairkey.business.complaints import AcceptComplaint, ContestComplaint
from fairkey.business.dispute_events import Side
from fairkey.business.references import reference_of
from fairkey.business.reviews import ObjectToReview
from fairkey.engine.house import House
from fairkey.read_tables.shop_desk import Place
from fairkey.web.buyer.story import REASON_WORDS
from fairkey.web.frame import AnyRequest
from fairkey.web.inputs import form_of
from fairkey.web.merchant.orders import PATH as ORDERS
from fairkey.web.merchant.orders import order_page, record_of
from fairkey.web.merchant.parts import LINES_MAX, not_here, page, place_of, place_text, shop_id_of, to
from fairkey.web.quarrelling import command_for

PATH: Final = "/desk/complaints"
RUNNING_MAX: Final = 200


@get(PATH)
async def complaints(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """Running ones by deadline; below them those that ended."""
    shop_id = shop_id_of(request)
    after = place_of(request.query_params.get("after"))
    running = await house.questions.desk_figures.complaints(shop_id, running=True, lines_max=RUNNING_MAX)
    closed = await house.questions.desk_figures.complaints(shop_id, running=False, after=after, lines_max=LINES_MAX + 1)
    shown = closed[:LINES_MAX]
    return await page(
        request,
        house,
        "complaints.html",
        running=running,
        closed=shown,
        reasons=REASON_WORDS,
        reference_of=reference_of,
        older=place_text(Place(shown[-1].created_at_ms, shown[-1].order_id)) if len(closed) > LINES_MAX else "",
    )


@post(f"{ORDERS}/{{ref:str}}/accept")
async def accept(request: AnyRequest, house: NamedDependency[House], ref: FromPath[str]) -> Response[Any]:
    """The buyer is right: what he asks for goes back."""
    return await _answer(request, house, ref, agreed=True)


@post(f"{ORDERS}/{{ref:str}}/contest")
async def contest(request: AnyRequest, house: NamedDependency[House], ref: FromPath[str]) -> Response[Any]:
    """The buyer is wrong, and why."""
    return await _answer(request, house, ref, agreed=False)


async def _answer(request: AnyRequest, house: House, ref: str, *, agreed: bool) -> Response[Any]:
    record = await record_of(house, shop_id_of(request), ref)
    if record is None:
        return not_here(request, house, "order", PATH)
    text = (await form_of(request)).get("text", "")
    command: Command = ContestComplaint(shop_id=record.shop_id, order_id=record.order_id, text=text)
    if agreed:
        command = AcceptComplaint(shop_id=record.shop_id, order_id=record.order_id)
    answer = await house.ask(Asker.MERCHANT, command)
    if answer.refusal:
        return await order_page(
            request, house, record, refusal=answer.refusal, details=answer.details, answer_text=text
        )
    return to(f"{ORDERS}/{reference_of(record.shop_no, record.order_id)}", "accepted" if agreed else "contested")


@post(f"{ORDERS}/{{ref:str}}/complaint/{{act:str}}")
async def act(
    request: AnyRequest, house: NamedDependency[House], ref: FromPath[str], act: FromPath[str]
) -> Response[Any]:
    """What the shop does in a running dispute: offer, answer, ask, appeal, take, review."""
    record = await record_of(house, shop_id_of(request), ref)
    if record is None:
        return not_here(request, house, "order", PATH)
    try:
        command = command_for(act, record, Side.SHOP, await form_of(request))
    except (FieldIsInvalid, NotFound) as wrong:
        return await order_page(request, house, record, refusal=type(wrong).__name__, details=wrong.details)
    answer = await house.ask(Asker.MERCHANT, command)
    if answer.refusal:
        return await order_page(request, house, record, refusal=answer.refusal, details=answer.details)
    return to(f"{ORDERS}/{reference_of(record.shop_no, record.order_id)}", "saved")


@post(f"{ORDERS}/{{ref:str}}/review/object")
async def object_to_review(request: AnyRequest, house: NamedDependency[House], ref: FromPath[str]) -> Response[Any]:
    """The shop's one word beside a review."""
    record = await record_of(house, shop_id_of(request), ref)
    if record is None:
        return not_here(request, house, "order", PATH)
    text = (await form_of(request)).get("text", "")
    command = ObjectToReview(shop_id=record.shop_id, order_id=record.order_id, text=text)
    answer = await house.ask(Asker.MERCHANT, command)
    if answer.refusal:
        return await order_page(
            request, house, record, refusal=answer.refusal, details=answer.details, answer_text=text
        )
    return to(f"{ORDERS}/{reference_of(record.shop_no, record.order_id)}", "saved")


HANDLERS: Final = [complaints, accept, contest, act, object_to_review]
