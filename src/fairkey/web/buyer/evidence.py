"""A buyer gives evidence, records the redeeming of a code, and looks at what the shop gave."""

from collections.abc import Mapping

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect, Stream

from fairkey.business.basics import Refusal
from fairkey.business.evidence import Party
from fairkey.business.references import reference_of
from fairkey.engine.house import House
from fairkey.web.attested import heard_of
from fairkey.web.buyer.glance import grouped, record_of
from fairkey.web.evidence import (
    act_on,
    codes_of,
    done,
    download,
    own_lines,
    picture,
    record_or_stop,
    take,
    view_of_evidence,
)
from fairkey.web.frame import AnyRequest, frame, status_of
from fairkey.web.inputs import form_of
from fairkey.web.receipts import places_of
from fairkey.web.render import render, view_of


@get("/o/{ref:str}/evidence")
async def show(request: AnyRequest, house: NamedDependency[House], ref: FromPath[str]) -> Response[str]:
    """All evidence of the order, and what can be given now."""
    return await _page(request, house, ref)


@post("/o/{ref:str}/evidence")
async def upload(request: AnyRequest, house: NamedDependency[House], ref: FromPath[str]) -> Response[str] | Redirect:
    """Take one file."""
    try:
        answer = await take(request, house, await record_of(house, ref), Party.BUYER)
    except Refusal as error:
        return await _page(request, house, ref, refusal=type(error).__name__, details=error.details)
    return await _after(request, house, ref, answer.refusal, answer.details)


@post("/o/{ref:str}/evidence/{evidence_id:str}/{act:str}")
async def act(
    request: AnyRequest, house: NamedDependency[House], ref: FromPath[str], evidence_id: FromPath[str],
    act: FromPath[str],
) -> Response[str] | Redirect:  # fmt: skip
    """Withdraw, doubt or confirm."""
    text = (await form_of(request)).get("text", "")
    answer = await act_on(house, await record_of(house, ref), Party.BUYER, evidence_id, act, text)
    return await _after(request, house, ref, answer.refusal, answer.details)


@post("/o/{ref:str}/recording/{act:str}")
async def recording(
    request: AnyRequest, house: NamedDependency[House], ref: FromPath[str], act: FromPath[str]
) -> Response[str] | Redirect:
    """Begin or end a recording."""
    answer = await record_or_stop(house, await record_of(house, ref), act)
    return await _after(request, house, ref, answer.refusal, answer.details)


@get("/o/{ref:str}/evidence/{evidence_id:str}/file")
async def original(house: NamedDependency[House], ref: FromPath[str], evidence_id: FromPath[str]) -> Stream:
    """The file as it was given."""
    return await download(house, await record_of(house, ref), evidence_id)


@get("/o/{ref:str}/evidence/{evidence_id:str}/preview.jpg")
async def preview(house: NamedDependency[House], ref: FromPath[str], evidence_id: FromPath[str]) -> Response[bytes]:
    """A small picture of it, made anew."""
    return await picture(house, await record_of(house, ref), evidence_id)


async def _after(
    request: AnyRequest, house: House, ref: str, refusal: str, details: Mapping[str, object]
) -> Response[str] | Redirect:
    if refusal:
        return await _page(request, house, ref, refusal=refusal, details=details)
    return done(f"/o/{ref}/evidence")


async def _page(
    request: AnyRequest, house: House, ref: str, *, refusal: str = "", details: Mapping[str, object] | None = None
) -> Response[str]:
    record = await record_of(house, ref)
    facts = await house.questions.order_book.facts(record.shop_id, record.order_id, with_sealed=True)
    reference = reference_of(record.shop_no, record.order_id)
    path = f"/o/{reference}"
    context = frame(request, house)
    return render(
        context,
        "buyer/evidence.html",
        status_code=status_of(refusal) if refusal else 200,
        shown=view_of_evidence(house, record, facts, Party.BUYER, f"{path}/evidence", {}),
        places=await places_of(house, record.shop_id, record.order_id, path),
        order_path=path,
        own=own_lines(facts),
        heard=await heard_of(house, record.shop_id, codes_of(record)),
        number=grouped(reference),
        refusal=view_of(context, refusal, details) if refusal else None,
    )


HANDLERS = (show, upload, act, recording, original, preview)
