"""Orders from the shop's side: find them, read one whole, deliver typed codes."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from fairkey.business.basics import NotFound, Refusal, Stream
from fairkey.business.code_lines import masked
from fairkey.business.codes import CodeStage
from fairkey.business.listings import decode_terms
from fairkey.business.orders import Stage
from fairkey.business.references import reference_of
from fairkey.engine import outaging, trade
from fairkey.engine.advising import advice_on
from fairkey.engine.house import House
from fairkey.engine.receipts import Party
from fairkey.engine.vault_port import TYPED_CODES_MAX, OpenedCode, VaultIsCorrupt
from fairkey.read_tables.order_book import Fact, OrderLine, OrderRecord
from fairkey.read_tables.shop_desk import Place
from fairkey.web.advised import told_of
from fairkey.web.attested import heard_of
from fairkey.web.buyer.glance import grouped
from fairkey.web.buyer.story import REASON_WORDS
from fairkey.web.conversation import NO_DRAFT, Draft, conversation_of
from fairkey.web.formats import SHANGHAI
from fairkey.web.frame import AnyRequest, frame
from fairkey.web.i18n import marked as _
from fairkey.web.i18n import texts_of
from fairkey.web.inputs import plain
from fairkey.web.merchant.batches import REFUSED_WORDS
from fairkey.web.merchant.parts import (
    LINES_MAX,
    by_account,
    id_of,
    not_here,
    page,
    place_of,
    place_text,
    shop_id_of,
    to,
)
from fairkey.web.merchant.story import WHY_MONEY, timeline
from fairkey.web.merchant.terms_form import LABELS, delivery_words, written
from fairkey.web.quarrelling import ruling_words
from fairkey.web.receipts import case_zip, placed, places_of, promise_file, receipt_file, receipts_zip, stream_of

PATH: Final = "/desk/orders"

logger = logging.getLogger(__name__)

FILTERS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "": (_("All"), ()),
    "waiting": (_("To deliver"), (Stage.PAID,)),
    "unpaid": (_("Unpaid"), (Stage.PLACED,)),
    "delivered": (_("Delivered"), (Stage.DELIVERED,)),
    "disputed": (_("In dispute"), (Stage.DISPUTED,)),
    "completed": (_("Completed"), (Stage.COMPLETED,)),
    "back": (_("Money back"), (Stage.CANCELLED, Stage.REFUNDED, Stage.PARTLY_REFUNDED)),
    "expired": (_("Expired"), (Stage.EXPIRED,)),
}
"""Tabs of the list: name in the address -> (label, stages)."""

TYPED_TEXT_MAX: Final = 2_000_000
CODES_SHOWN_MAX: Final = 100
LAST_ID: Final = "ffffffff-ffff-ffff-ffff-ffffffffffff"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeLine:
    """One code of the order as the shop may see it here: masked."""

    number: int
    code_id: str
    hint: str
    stage: str
    typed: bool


@get(PATH)
async def orders(request: AnyRequest, house: NamedDependency[House]) -> Response[Any]:
    """The shop's orders, newest first; a number leads straight to its order."""
    shop_id = shop_id_of(request)
    query = request.query_params
    text = plain(query.get("text"))
    record = await _record(house, shop_id, text) if text else None
    if record is not None:
        return Redirect(f"{PATH}/{reference_of(record.shop_no, record.order_id)}", status_code=303)
    chosen = query.get("stage", "") if query.get("stage", "") in FILTERS else ""
    listing_id = id_of(query.get("listing"))
    since_ms, until_ms = _day_ms(query.get("since")), _day_ms(query.get("until"), after_days=1)
    after = place_of(query.get("after"))
    if until_ms is not None and (after is None or after.at_ms >= until_ms):
        after = Place(until_ms - 1, LAST_ID)
    lines: list[OrderLine] = []
    if not text:
        lines = await house.questions.shop_desk.orders(
            shop_id, stages=FILTERS[chosen][1], listing_id=listing_id, after=after, lines_max=LINES_MAX + 1
        )
    in_time = [line for line in lines if since_ms is None or line.created_at_ms >= since_ms]
    shown = in_time[:LINES_MAX]
    listings = await house.questions.shop_desk.listings(shop_id, lines_max=200)
    return await page(
        request,
        house,
        "orders.html",
        lines=[(line, reference_of(line.shop_no, line.order_id)) for line in shown],
        grouped=grouped,
        filters=FILTERS,
        chosen=chosen,
        listing_id=listing_id or "",
        listings=[(one.listing_id, one.listing.terms.product) for one in listings if one.listing.terms],
        text=text,
        not_found=bool(text),
        since=query.get("since", "") if since_ms is not None else "",
        until=query.get("until", "") if until_ms is not None else "",
        older=place_text(Place(shown[-1].created_at_ms, shown[-1].order_id)) if len(in_time) > LINES_MAX else "",
    )


@get(f"{PATH}/{{ref:str}}")
async def order(request: AnyRequest, house: NamedDependency[House], ref: FromPath[str]) -> Response[str]:
    """One order whole."""
    record = await _record(house, shop_id_of(request), ref)
    if record is None:
        return not_here(request, house, "order", PATH)
    return await order_page(request, house, record)


@post(f"{PATH}/{{ref:str}}/deliver")
async def deliver(request: AnyRequest, house: NamedDependency[House], ref: FromPath[str]) -> Response[Any]:
    """Deliver typed codes, one a line; all that were typed or none."""
    record = await _record(house, shop_id_of(request), ref)
    if record is None:
        return not_here(request, house, "order", PATH)
    text = str((await request.form()).get("codes", ""))
    lines = [line.strip() for line in text.splitlines() if line.strip()] if len(text) <= TYPED_TEXT_MAX else []
    if not lines:
        return await order_page(request, house, record, refusal="FieldIsInvalid", details=_WRONG[bool(text)])
    wanted = missing(record)
    is_waiting = record.file.order.stage is Stage.PAID
    told: Mapping[str, object]
    if (is_waiting and len(lines) > wanted) or len(lines) > TYPED_CODES_MAX:
        told = {"wanted": wanted, "given": len(lines)}
        return await order_page(request, house, record, refusal="TooManyCodes", details=told, typed=text)
    try:
        answer = await trade.deliver_typed(
            house, shop_id=record.shop_id, order_id=record.order_id, texts=lines, by_account=by_account(request)
        )
    except Refusal as refusal:
        told = refusal.details
        name, typed = type(refusal).__name__, "\n".join(lines)  # the line numbers in the refusal are of these
        return await order_page(request, house, record, refusal=name, details=told, typed=typed)
    if answer.refusal:
        told = answer.details
        return await order_page(request, house, record, refusal=answer.refusal, details=told, typed=text)
    done = "delivered" if len(lines) == wanted else "in-part"
    return to(f"{PATH}/{reference_of(record.shop_no, record.order_id)}", done)


_WRONG: Final = {False: {"field": "codes", "why": "empty"}, True: {"field": "codes", "why": "too_long"}}


def missing(record: OrderRecord) -> int:
    """How many typed codes the order still waits for."""
    there = record.file.codes.count(CodeStage.DELIVERED, CodeStage.REVEALED)
    return record.file.order.quantity - there


async def order_page(
    request: AnyRequest,
    house: House,
    record: OrderRecord,
    *,
    refusal: str = "",
    details: Mapping[str, object] | None = None,
    typed: str = "",
    answer_text: str = "",
    draft: Draft = NO_DRAFT,
) -> Response[str]:
    """The order's page, with a refusal where there was one and what was typed kept."""
    context = frame(request, house)
    facts = await house.questions.order_book.facts(record.shop_id, record.order_id, with_sealed=True)
    reference = reference_of(record.shop_no, record.order_id)
    places = await places_of(house, record.shop_id, record.order_id, f"{PATH}/{reference}")
    terms = decode_terms(record.terms_json)
    words = delivery_words(texts_of(context.locale).gettext)
    refused_lines = (details or {}).get("lines") if refusal == "TypedCodesAreRefused" else None
    return await page(
        request,
        house,
        "order.html",
        refusal=refusal,
        details=details,
        record=record,
        order=record.file.order,
        escrow=record.file.escrow,
        complaint=record.file.complaint,
        ruled_words=ruling_words(record.file.complaint, context.locale),
        review=record.file.review,
        terms=terms,
        outages=await outaging.happening(house, terms.product),
        term_rows=[(label, text) for name, label in LABELS.items() if (text := written(terms, name, words))],
        reference=reference,
        number=grouped(reference),
        entries=placed(timeline(facts, context.locale), places),
        places=places,
        facts=facts,
        said=_said(facts),
        talk=conversation_of(record, facts, draft),
        codes=await _codes(house, record),
        advice=told_of(
            await advice_on(house, record, facts) if record.file.order.stage is Stage.DISPUTED else None,
            context.locale,
        ),
        heard=await heard_of(house, record.shop_id, [one.code_id for one in record.file.codes.held])
        if record.file.complaint.opened_at_ms
        else (),
        codes_more=max(0, len(record.file.codes.held) - CODES_SHOWN_MAX),
        missing=missing(record),
        refused_lines=refused_lines or [],
        refused_words=REFUSED_WORDS,
        typed=typed,
        answer_text=answer_text,
        reasons=REASON_WORDS,
        why_money=WHY_MONEY,
    )


def _said(facts: list[Fact]) -> dict[str, str]:
    """What the parties and the platform wrote about the complaint; nothing else that is sealed is for the shop."""
    return {fact.kind: fact.sealed.get("text", "") for fact in facts if fact.kind.startswith("dispute.")}


async def _codes(house: House, record: OrderRecord) -> list[CodeLine]:
    """The order's codes, masked: enough to find one in one's own list, too little to use it."""
    held = record.file.codes.held[:CODES_SHOWN_MAX]
    opened: dict[str, OpenedCode] = {}
    try:
        opened = await house.vault.open_codes(record.shop_id, [one.code_id for one in held]) if held else {}
    except VaultIsCorrupt:
        # The page is where a complaint is answered in time: it stands without the hints.
        logger.exception("codes of an order could not be opened")
    return [
        CodeLine(
            number=number,
            code_id=one.code_id,
            hint=masked(opened[one.code_id].text) if one.code_id in opened else "",
            stage=one.stage.value,
            typed=one.typed,
        )
        for number, one in enumerate(held, 1)
    ]


async def _record(house: House, shop_id: str, reference: str) -> OrderRecord | None:
    """An order of this shop; another shop's order is as unknown as none."""
    where = await trade.locate(house, reference)
    return await house.questions.order_book.find(*where) if where and where[0] == shop_id else None


def _day_ms(text: str | None, *, after_days: int = 0) -> int | None:
    """Midnight in Shanghai of a date in an address, `after_days` later; `None` if it is no date."""
    try:
        day = datetime.strptime(text or "", "%Y-%m-%d").replace(tzinfo=SHANGHAI)
        return max(int((day + timedelta(days=after_days)).timestamp() * 1000), 1)
    except (ValueError, OverflowError):
        return None


record_of = _record


async def _own(house: House, request: AnyRequest, ref: str) -> tuple[Stream, str]:
    """The stream and the reference of an order of this shop. Raises `NotFound`."""
    record = await _record(house, shop_id_of(request), ref)
    if record is None:
        raise NotFound(what="order")
    return stream_of(record), reference_of(record.shop_no, record.order_id)


@get(f"{PATH}/{{ref:str}}/facts/{{version:str}}/receipt")
async def receipt(
    request: AnyRequest, house: NamedDependency[House], ref: FromPath[str], version: FromPath[str]
) -> Response[bytes]:
    """One fact with its proof, opened as far as the shop may read."""
    stream, reference = await _own(house, request, ref)
    return await receipt_file(house, stream, version, Party.SHOP, reference)


@get(f"{PATH}/{{ref:str}}/facts/{{version:str}}/promise")
async def promise(
    request: AnyRequest, house: NamedDependency[House], ref: FromPath[str], version: FromPath[str]
) -> Response[bytes]:
    """The log's signed promise about one fact."""
    stream, reference = await _own(house, request, ref)
    return await promise_file(house, stream, version, reference)


@get(f"{PATH}/{{ref:str}}/receipts.zip")
async def receipts(request: AnyRequest, house: NamedDependency[House], ref: FromPath[str]) -> Response[bytes]:
    """Everything of the order as one file."""
    stream, reference = await _own(house, request, ref)
    return await receipts_zip(house, stream, Party.SHOP, reference)


@get(f"{PATH}/{{ref:str}}/case.zip")
async def case(request: AnyRequest, house: NamedDependency[House], ref: FromPath[str]) -> Response[bytes]:
    """Everything of the dispute, so that a stranger can make its verdict again."""
    stream, reference = await _own(house, request, ref)
    return await case_zip(house, stream, Party.SHOP, reference)


HANDLERS: Final = [orders, order, deliver, receipt, promise, receipts, case]
