"""The order's page for its buyer, the page of all its facts, and its opened codes as a file."""

from collections.abc import Mapping

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from fairkey.business.references import reference_of
from fairkey.engine.house import House
from fairkey.engine.receipts import Party
from fairkey.gates.order_access import LINK_PARAMETER
from fairkey.gates.visits import visit_of
from fairkey.web import formats
from fairkey.web.advised import told_of
from fairkey.web.buyer.glance import Glance, glance_at, grouped, record_of
from fairkey.web.buyer.story import KINDS, REASON_WORDS, WHY_MONEY, timeline
from fairkey.web.conversation import Draft, conversation_of
from fairkey.web.frame import AnyRequest, frame, status_of
from fairkey.web.i18n import Locale, texts_of
from fairkey.web.i18n import marked as _
from fairkey.web.quarrelling import ruling_words
from fairkey.web.receipts import case_zip, placed, promise_file, receipt_file, receipts_zip, stream_of
from fairkey.web.render import render, view_of

CODES_ONE_BY_ONE_MAX = 12


@get("/o/{ref:str}")
async def show(request: AnyRequest, house: NamedDependency[House], ref: FromPath[str]) -> Response[str] | Redirect:
    """The order; with the secret of a mail's link in the address, first the cookie and a clean address."""
    secret = request.query_params.get(LINK_PARAMETER)
    if secret:
        return visit_of(request.scope).door.orders.enter_by_link(request, ref, secret)
    return order_page(request, house, await glance_at(house, ref))


def order_page(
    request: AnyRequest,
    house: House,
    glance: Glance,
    *,
    refusal: str = "",
    details: Mapping[str, object] | None = None,
    filled: Mapping[str, str] | None = None,
) -> Response[str]:
    """The page in the order's present state, with a refusal on top if there was one."""
    context = frame(request, house)
    return render(
        context,
        "buyer/order.html",
        status_code=status_of(refusal) if refusal else 200,
        glance=glance,
        order=glance.order,
        terms=glance.terms,
        number=grouped(glance.reference),
        link=secret_link(house, glance),
        advice=told_of(glance.advice, context.locale),
        entries=placed(timeline(glance.facts, glance.path, context.locale), glance.places),
        refusal=view_of(context, refusal, details) if refusal else None,
        filled=filled or {},
        talk=conversation_of(glance.record, glance.facts, Draft((filled or {}).get("message", ""))),
        why_money=WHY_MONEY,
        reasons=REASON_WORDS,
        ruled_words=ruling_words(glance.complaint, context.locale),
        one_by_one=len(glance.sealed) + len(glance.opened) <= CODES_ONE_BY_ONE_MAX,
    )


def secret_link(house: House, glance: Glance) -> str:
    """The address that opens this order in any browser."""
    return f"{house.settings.origin}{glance.path}?{LINK_PARAMETER}={house.keys.order_secret(glance.record.order_id)}"


@get("/o/{ref:str}/facts")
async def facts(request: AnyRequest, house: NamedDependency[House], ref: FromPath[str]) -> Response[str]:
    """Every fact of the order: kind, time, version, leaf hash, what is public, and what only its buyer reads."""
    glance = await glance_at(house, ref)
    return render(
        frame(request, house), "buyer/facts.html", glance=glance, number=grouped(glance.reference), kinds=KINDS
    )


@get("/o/{ref:str}/codes.txt")
async def codes_txt(request: AnyRequest, house: NamedDependency[House], ref: FromPath[str]) -> Response[str] | Redirect:
    """The opened codes, one a line, below what they are. Nothing is opened by asking for the file."""
    glance = await glance_at(house, ref)
    if not glance.opened:
        return Redirect(glance.path, status_code=303)
    return Response(
        _codes_file(glance, frame(request, house).locale),
        media_type="text/plain; charset=utf-8",
        headers={
            "content-disposition": f'attachment; filename="{glance.reference}.txt"',
            "cache-control": "private, no-store",
        },
    )


def _codes_file(glance: Glance, locale: Locale) -> str:
    texts = texts_of(locale)
    head = (
        (texts.gettext(_("Order")), grouped(glance.reference)),
        (texts.gettext(_("Product")), glance.terms.product),
        (texts.gettext(_("Region")), glance.terms.region),
        (texts.gettext(_("Opened")), formats.clock(glance.record.file.codes.first_opened_at_ms, seconds=True)),
    )
    lines = [f"# {name}: {' '.join(value.split())}" for name, value in head]
    return "\r\n".join([*lines, "", *(line.text for line in glance.opened), ""])


@get("/o/{ref:str}/facts/{version:str}/receipt")
async def receipt(house: NamedDependency[House], ref: FromPath[str], version: FromPath[str]) -> Response[bytes]:
    """One fact with its proof, the buyer's own sealed fields opened."""
    record = await record_of(house, ref)
    reference = reference_of(record.shop_no, record.order_id)
    return await receipt_file(house, stream_of(record), version, Party.BUYER, reference)


@get("/o/{ref:str}/facts/{version:str}/promise")
async def promise(house: NamedDependency[House], ref: FromPath[str], version: FromPath[str]) -> Response[bytes]:
    """The log's signed promise about one fact."""
    record = await record_of(house, ref)
    return await promise_file(house, stream_of(record), version, reference_of(record.shop_no, record.order_id))


@get("/o/{ref:str}/receipts.zip")
async def receipts(house: NamedDependency[House], ref: FromPath[str]) -> Response[bytes]:
    """Everything of the order as one file."""
    record = await record_of(house, ref)
    reference = reference_of(record.shop_no, record.order_id)
    return await receipts_zip(house, stream_of(record), Party.BUYER, reference)


@get("/o/{ref:str}/case.zip")
async def case(house: NamedDependency[House], ref: FromPath[str]) -> Response[bytes]:
    """Everything of the dispute, so that a stranger can make its verdict again."""
    record = await record_of(house, ref)
    reference = reference_of(record.shop_no, record.order_id)
    return await case_zip(house, stream_of(record), Party.BUYER, reference)


HANDLERS = (show, facts, codes_txt, receipt, promise, receipts, case)
