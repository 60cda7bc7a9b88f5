"""The floor itself, the audit trail, the health of the house, and finding an order."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from fairkey import __version__
from fairkey.business.askers import Asker
from fairkey.business.basics import Command, FieldIsInvalid, NotFound, Stream, require
from fairkey.business.references import reference_of
from fairkey.business.reviews import Ground, HideReviewText, MarkReview, Part
from fairkey.engine import trade
from fairkey.engine.answers import Answer
from fairkey.engine.house import House
from fairkey.engine.receipts import Party
from fairkey.read_tables.order_book import OrderRecord
from fairkey.web.frame import AnyRequest, frame, refused, status_of
from fairkey.web.inputs import form_of
from fairkey.web.receipts import places_of, promise_file, receipt_file, receipts_zip, stream_of
from fairkey.web.render import render, view_of

ENTRIES_A_PAGE: Final = 50
ENTRY_DIGITS_MAX: Final = 17


@get("/floor")
async def floor(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """What waits for the operator, by deadline; the house's figures."""
    questions = house.questions.floor
    complaints = await questions.complaints()
    shops = await questions.shops()
    unmatched = await questions.unmatched()
    return render(
        frame(request, house),
        "operator/floor.html",
        to_rule=[line for line in complaints if line.stage == "contested"],
        to_admit=[shop for shop in shops if shop.standing == "applied"],
        held=[line for line in unmatched if line.state in {"held", "refund_failed"}],
        failed=await questions.failed_instructions(),
        health=await questions.health(),
        shops=shops,
        batches=await house.questions.quarantines.requests(),
        reference_of=reference_of,
    )


@get("/floor/audit")
async def audit_trail(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """What operators and merchants did beside events, newest first."""
    before = request.query_params.get("before", "")
    is_number = before.isascii() and before.isdigit() and len(before) <= ENTRY_DIGITS_MAX
    entries = await house.people.audit.read(
        before_entry_id=int(before) if is_number else None,
        entries_max=ENTRIES_A_PAGE + 1,
    )
    context = frame(request, house)
    more = len(entries) > ENTRIES_A_PAGE
    older = context.here(before=str(entries[ENTRIES_A_PAGE - 1].entry_id)) if more else ""
    return render(
        context,
        "operator/audit.html",
        entries=entries[:ENTRIES_A_PAGE],
        older=older,
        newest=context.here(before="") if before else "",
    )


@get("/floor/health")
async def health(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """Storage, deadlines, outbox, money: what a person on duty looks at first."""
    return render(
        frame(request, house),
        "operator/health.html",
        health=await house.questions.floor.health(),
        effects=await house.questions.floor.effects(),
        version=__version__,
        provider=house.provider.name if house.providers else "",
        log=await house.log.status(),
    )


@get("/floor/orders")
async def find_order(request: AnyRequest, house: NamedDependency[House]) -> Response[Any]:
    """Find an order by its reference."""
    text = request.query_params.get("ref", "")[:64]
    where = await trade.locate(house, text) if text else None
    record = await house.questions.order_book.find(*where) if where else None
    if record is not None:
        return Redirect(f"/floor/orders/{reference_of(record.shop_no, record.order_id)}")
    return render(frame(request, house), "operator/find.html", text=text, not_found=bool(text))


@get("/floor/orders/{reference:str}")
async def order(request: AnyRequest, house: NamedDependency[House], reference: FromPath[str]) -> Response[str]:
    """One order whole: stage, money, facts. Codes stay sealed; looking is written into the audit trail."""
    where = await trade.locate(house, reference)
    record = await house.questions.order_book.find(*where) if where else None
    if record is None:
        return refused(request, house, "NotFound", {"what": "order"}, back="/floor/orders")
    await house.people.audit.write(request.user, "operator.looked_at_order", target=f"order:{record.order_id}")
    return await _order_page(request, house, record, reference)


async def _order_page(
    request: AnyRequest, house: House, record: OrderRecord, reference: str, answer: Answer | None = None
) -> Response[str]:
    facts = await house.questions.order_book.facts(record.shop_id, record.order_id, with_sealed=True)
    context = frame(request, house)
    return render(
        context,
        "operator/order.html",
        status_code=status_of(answer.refusal) if answer and answer.refusal else 200,
        refusal=view_of(context, answer.refusal, answer.details) if answer and answer.refusal else None,
        record=record,
        reference=reference_of(record.shop_no, record.order_id),
        facts=facts,
        places=await places_of(house, record.shop_id, record.order_id, f"/floor/orders/{reference}"),
        hidden=("contact", "buyer_key", "address_key", "account_id"),
    )


@post("/floor/orders/{reference:str}/ask-provider", status_code=303)
async def ask_provider(request: AnyRequest, house: NamedDependency[House], reference: FromPath[str]) -> Response[Any]:
    """Ask the provider what was paid for this order and record what is new."""
    where = await trade.locate(house, reference)
    if where is None:
        return refused(request, house, "NotFound", {"what": "order"}, back="/floor/orders")
    await trade.catch_up_quietly(house, *where)
    return Redirect(f"/floor/orders/{reference}", status_code=303)


@post("/floor/orders/{reference:str}/review/note", status_code=303)
async def note_review(request: AnyRequest, house: NamedDependency[House], reference: FromPath[str]) -> Response[Any]:
    """Put a note beside a review."""

    def noting(about: dict[str, str], given: Mapping[str, str]) -> Command:
        return MarkReview(**about, text=given.get("text", ""))

    return await _about_review(request, house, reference, noting, "review.note")


@post("/floor/orders/{reference:str}/review/hide", status_code=303)
async def hide_review(request: AnyRequest, house: NamedDependency[House], reference: FromPath[str]) -> Response[Any]:
    """Hide unlawful words of a review or an objection; its ratings nobody touches."""

    def hiding(about: dict[str, str], given: Mapping[str, str]) -> Command:
        part, ground = given.get("part", ""), given.get("ground", "")
        require(part in set(Part), "part", "unknown")
        require(ground in set(Ground), "ground", "unknown")
        return HideReviewText(**about, part=Part(part), ground=Ground(ground), reason=given.get("text", ""))

    return await _about_review(request, house, reference, hiding, "review.hide")


async def _about_review(
    request: AnyRequest,
    house: House,
    reference: str,
    command_for: Callable[[dict[str, str], Mapping[str, str]], Command],
    audited: str,
) -> Response[Any]:
    where = await trade.locate(house, reference)
    record = await house.questions.order_book.find(*where) if where else None
    if record is None:
        return refused(request, house, "NotFound", {"what": "order"}, back="/floor/orders")
    about = {"shop_id": record.shop_id, "order_id": record.order_id}
    try:
        answer = await house.ask(Asker.OPERATOR, command_for(about, await form_of(request)))
    except FieldIsInvalid as wrong:
        answer = Answer(refusal=type(wrong).__name__, details=wrong.details)
    if answer.refusal:
        return await _order_page(request, house, record, reference, answer)
    await house.people.audit.write(request.user, audited, target=f"order:{record.order_id}")
    return Redirect(f"/floor/orders/{reference}#review", status_code=303)


async def _taken(request: AnyRequest, house: House, reference: str) -> tuple[Stream, str]:
    """Stream and reference of an order whose receipts the operator takes, which is written down. Raises `NotFound`."""
    where = await trade.locate(house, reference)
    record = await house.questions.order_book.find(*where) if where else None
    if record is None:
        raise NotFound(what="order")
    await house.people.audit.write(request.user, "operator.looked_at_order", target=f"order:{record.order_id}")
    return stream_of(record), reference_of(record.shop_no, record.order_id)


@get("/floor/orders/{reference:str}/facts/{version:str}/receipt")
async def receipt(
    request: AnyRequest, house: NamedDependency[House], reference: FromPath[str], version: FromPath[str]
) -> Response[bytes]:
    """One fact with its proof, opened as far as the platform may read."""
    stream, name = await _taken(request, house, reference)
    return await receipt_file(house, stream, version, Party.PLATFORM, name)


@get("/floor/orders/{reference:str}/facts/{version:str}/promise")
async def promise(
    request: AnyRequest, house: NamedDependency[House], reference: FromPath[str], version: FromPath[str]
) -> Response[bytes]:
    """The log's signed promise about one fact."""
    stream, name = await _taken(request, house, reference)
    return await promise_file(house, stream, version, name)


@get("/floor/orders/{reference:str}/receipts.zip")
async def receipts(
    request: AnyRequest, house: NamedDependency[House], reference: FromPath[str]
) -> Response[bytes]:
    """Everything of the order as one file."""
    stream, name = await _taken(request, house, reference)
    return await receipts_zip(house, stream, Party.PLATFORM, name)


HANDLERS: Final = [
    floor, audit_trail, health, find_order, order, note_review, hide_review, ask_provider, receipt, promise, receipts,
]  # fmt: skip
