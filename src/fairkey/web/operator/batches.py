"""Batches that a ruling took off sale and whose shops ask a person: what is known of each, yes or no with a reason."""

from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from fairkey.business.askers import Asker
from fairkey.business.batches import AnswerBatchReview
from fairkey.business.references import reference_of
from fairkey.engine.answers import Answer
from fairkey.engine.house import House
from fairkey.web.frame import AnyRequest, frame, refused, status_of
from fairkey.web.i18n import marked as _
from fairkey.web.inputs import form_of, whole
from fairkey.web.merchant.parts import id_of
from fairkey.web.render import render, view_of

PATH: Final = "/floor/batches"
SOURCES: Final = {
    "issuer": _("Directly from the issuer"),
    "invoice": _("Bought, with an invoice"),
    "typed": _("Typed or collected by hand"),
}


@get(PATH)
async def batches(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """Requests, the most urgent first."""
    return await _page(request, house)


@post(f"{PATH}/{{shop_no:int}}/{{batch_id:str}}", status_code=303)
async def answer(
    request: AnyRequest, house: NamedDependency[House], shop_no: FromPath[int], batch_id: FromPath[str]
) -> Response[Any]:
    """Yes or no to the request that was read; the shop reads the reason."""
    shop_id, known = await house.numbers.shop_of(shop_no), id_of(batch_id)
    given = await form_of(request)
    decision = given.get("decision", "")
    if shop_id is None or known is None or decision not in {"grant", "refuse"}:
        return refused(request, house, "NotFound", {"what": "batch"}, back=PATH)
    command = AnswerBatchReview(
        shop_id=shop_id,
        batch_id=known,
        request_no=whole(given.get("request_no")) or 0,
        granted=decision == "grant",
        reason=given.get("reason", ""),
    )
    told = await house.ask(Asker.OPERATOR, command)
    if told.refusal:
        return await _page(request, house, told)
    what = "batch.let_back" if command.granted else "batch.refused"
    await house.people.audit.write(request.user, what, target=f"batch:{known}", detail={"shop_id": shop_id})
    return Redirect(PATH, status_code=303)


async def _page(request: AnyRequest, house: House, told: Answer | None = None) -> Response[str]:
    waiting = await house.questions.quarantines.requests()
    context = frame(request, house)
    return render(
        context,
        "operator/batches.html",
        status_code=status_of(told.refusal) if told else 200,
        refusal=view_of(context, told.refusal, told.details) if told else None,
        waiting=waiting,
        records={one.batch_id: await house.questions.quarantines.record(one.shop_id, one.batch_id) for one in waiting},
        reference_of=reference_of,
        sources=SOURCES,
    )


HANDLERS: Final = [batches, answer]
