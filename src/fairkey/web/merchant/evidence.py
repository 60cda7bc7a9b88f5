"""A shop gives evidence about an order, and looks at what the buyer gave."""

from collections.abc import Mapping
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream

from fairkey.business.basics import NotFound, Refusal
from fairkey.business.evidence import Party
from fairkey.business.references import reference_of
from fairkey.engine.house import House
from fairkey.read_tables.order_book import OrderRecord
from fairkey.web.attested import heard_of
from fairkey.web.buyer.glance import grouped
from fairkey.web.evidence import act_on, codes_of, done, download, own_lines, picture, take, view_of_evidence
from fairkey.web.frame import AnyRequest
from fairkey.web.inputs import form_of
from fairkey.web.merchant.orders import PATH, record_of
from fairkey.web.merchant.parts import page, shop_id_of
from fairkey.web.receipts import places_of


@get(f"{PATH}/{{ref:str}}/evidence")
async def show(request: AnyRequest, house: NamedDependency[House], ref: FromPath[str]) -> Response[Any]:
    """All evidence of the order, and what the shop can give now."""
    return await _page(request, house, await _found(request, house, ref))


@post(f"{PATH}/{{ref:str}}/evidence")
async def upload(request: AnyRequest, house: NamedDependency[House], ref: FromPath[str]) -> Response[Any]:
    """Take one file."""
    record = await _found(request, house, ref)
    try:
        answer = await take(request, house, record, Party.SHOP)
    except Refusal as error:
        return await _page(request, house, record, refusal=type(error).__name__, details=error.details)
    return await _after(request, house, record, answer.refusal, answer.details)


@post(f"{PATH}/{{ref:str}}/evidence/{{evidence_id:str}}/{{act:str}}")
async def act(
    request: AnyRequest, house: NamedDependency[House], ref: FromPath[str], evidence_id: FromPath[str],
    act: FromPath[str],
) -> Response[Any]:  # fmt: skip
    """Withdraw, doubt or confirm."""
    record = await _found(request, house, ref)
    text = (await form_of(request)).get("text", "")
    answer = await act_on(house, record, Party.SHOP, evidence_id, act, text)
    return await _after(request, house, record, answer.refusal, answer.details)


@get(f"{PATH}/{{ref:str}}/evidence/{{evidence_id:str}}/file")
async def original(
    request: AnyRequest, house: NamedDependency[House], ref: FromPath[str], evidence_id: FromPath[str]
) -> Stream:
    """The file as it was given."""
    return await download(house, await _found(request, house, ref), evidence_id)


@get(f"{PATH}/{{ref:str}}/evidence/{{evidence_id:str}}/preview.jpg")
async def preview(
    request: AnyRequest, house: NamedDependency[House], ref: FromPath[str], evidence_id: FromPath[str]
) -> Response[bytes]:
    """A small picture of it, made anew."""
    return await picture(house, await _found(request, house, ref), evidence_id)


async def _found(request: AnyRequest, house: House, ref: str) -> OrderRecord:
    record = await record_of(house, shop_id_of(request), ref)
    if record is None:
        raise NotFound(what="order")
    return record


async def _after(
    request: AnyRequest, house: House, record: OrderRecord, refusal: str, details: Mapping[str, object]
) -> Response[Any]:
    if refusal:
        return await _page(request, house, record, refusal=refusal, details=details)
    return done(f"{PATH}/{reference_of(record.shop_no, record.order_id)}/evidence")


async def _page(
    request: AnyRequest,
    house: House,
    record: OrderRecord,
    *,
    refusal: str = "",
    details: Mapping[str, object] | None = None,
) -> Response[Any]:
    facts = await house.questions.order_book.facts(record.shop_id, record.order_id, with_sealed=True)
    reference = reference_of(record.shop_no, record.order_id)
    path = f"{PATH}/{reference}"
    return await page(
        request,
        house,
        "evidence.html",
        refusal=refusal,
        details=details,
        shown=view_of_evidence(house, record, facts, Party.SHOP, f"{path}/evidence", {}),
        places=await places_of(house, record.shop_id, record.order_id, path),
        order_path=path,
        own=own_lines(facts),
        heard=await heard_of(house, record.shop_id, codes_of(record)),
        number=grouped(reference),
    )


HANDLERS: Final = [show, upload, act, original, preview]
