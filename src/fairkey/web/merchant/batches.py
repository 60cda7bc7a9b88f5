"""Stock: batches with where they came from and where their codes are now, imports under way, what was refused."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import ServerSentEvent, ServerSentEventMessage

from fairkey.business.askers import Asker
from fairkey.business.basics import Refusal
from fairkey.business.batches import AskBatchReview, WithdrawCodes
from fairkey.business.quarantines import REFUSALS_MAX
from fairkey.business.references import reference_of
from fairkey.engine.answers import Answer, StoreIsAway
from fairkey.engine.house import House
from fairkey.engine.tracing import batch_proof
from fairkey.engine.vault_port import ImportProgress
from fairkey.read_tables.quarantine_book import Standing
from fairkey.read_tables.shop_desk import BatchLine, Place
from fairkey.web.frame import AnyRequest, frame, refused
from fairkey.web.i18n import marked as _
from fairkey.web.i18n import texts_of
from fairkey.web.inputs import form_of
from fairkey.web.merchant.parts import (
    LINES_MAX,
    act,
    csv_file,
    id_of,
    not_here,
    page,
    place_of,
    place_text,
    shop_id_of,
    to,
)
from fairkey.web.uploads import Upload

PATH: Final = "/desk/batches"
IMPORTS_SHOWN_MAX: Final = 20
REFUSED_SHOWN_MAX: Final = 50
INVOICE_BYTES_MAX: Final = 64 * 1024 * 1024
MOVING: Final = frozenset({"receiving", "staged"})
LOOK_EVERY_S: Final = 1.0
LIFE_S: Final = 55.0
BACK_AFTER_MS: Final = 1_000

SOURCES: Final = {
    "issuer": _("Directly from the issuer"),
    "invoice": _("Bought, with an invoice"),
    "typed": _("Typed or collected by hand"),
}
REFUSED_WORDS: Final = {
    "too_long": _("too long for a code"),
    "control_characters": _("contains characters that cannot be shown"),
    "not_decodable": _("cannot be read in the file's encoding"),
    "broken_quotes": _("quotation marks do not match"),
    "column_is_missing": _("has fewer columns than the header"),
    "empty": _("empty"),
    "duplicate_in_file": _("the same as line %(line)s"),
    "already_in_your_vault": _("already in your vault, or was once"),
    "already_deposited": _("was already deposited on this platform by somebody else"),
}
"""Why a line was refused; `duplicate_in_file` names the line."""

BATCH_STATES: Final = {"receiving": "importing", "staged": "importing", "registered": "active", "abandoned": "failed"}
"""State of an import -> state of `states.LOOKS["batch"]`; others look like their name."""


@get(PATH)
async def batches(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """Imports that are under way or came to nothing, then the registered batches."""
    shop_id = shop_id_of(request)
    listing_id = id_of(request.query_params.get("listing"))
    lines = await house.questions.shop_desk.batches(
        shop_id,
        listing_id=listing_id,
        after=place_of(request.query_params.get("after")),
        lines_max=LINES_MAX + 1,
    )
    shown = lines[:LINES_MAX]
    imports = await house.imports.recent(shop_id, listing_id=listing_id, imports_max=IMPORTS_SHOWN_MAX)
    listings = await house.questions.shop_desk.listings(shop_id, lines_max=200)
    return await page(
        request,
        house,
        "batches.html",
        lines=shown,
        imports=[one for one in imports if one.state != "registered"],
        states=BATCH_STATES,
        products={one.listing_id: one.listing.terms.product for one in listings if one.listing.terms},
        stock=[one for one in listings if one.listing.terms and one.listing.terms.delivery == "vault"],
        marks=await house.marks.low_stock(shop_id),
        listing_id=listing_id or "",
        sources=SOURCES,
        older=place_text(Place(shown[-1].created_at_ms, shown[-1].batch_id)) if len(lines) > LINES_MAX else "",
    )


@get(f"{PATH}/{{batch_id:str}}")
async def batch(request: AnyRequest, house: NamedDependency[House], batch_id: FromPath[str]) -> Response[str]:
    """One import or batch: how far it is, where its codes are, what was refused."""
    return await batch_page(request, house, batch_id)


async def batch_page(
    request: AnyRequest,
    house: House,
    batch_id: str,
    *,
    given: Mapping[str, str] | None = None,
    answer: Answer | None = None,
) -> Response[str]:
    """The page of a batch, also with a form of its that came back: what was `given`, and the answer to it."""
    shop_id = shop_id_of(request)
    known = id_of(batch_id)
    record = await house.imports.find(shop_id, known) if known else None
    line = await house.questions.shop_desk.batch(shop_id, known) if known else None
    if known is None or (record is None and line is None):
        return not_here(request, house, "batch", PATH)
    listing_id = line.batch.listing_id if line else (record.listing_id if record else None)
    stages = await house.questions.desk_figures.stages_of_batches(shop_id, [known])
    standing = await house.questions.quarantines.standing(shop_id, known) if line else None
    return await page(
        request,
        house,
        "batch.html",
        batch_id=known,
        record=record,
        line=line,
        stages=stages[known],
        listing=await house.questions.shop_desk.listing(shop_id, listing_id) if listing_id else None,
        refused=await house.imports.refusal_report(shop_id, known, rows_max=REFUSED_SHOWN_MAX),
        refused_words=REFUSED_WORDS,
        sources=SOURCES,
        issuer_name=await _issuer_name(house, line),
        states=BATCH_STATES,
        moving=record is not None and record.state in MOVING,
        can_withdraw=bool(line and line.unsold),
        standing=standing,
        may_ask=standing is not None and _may_ask(standing),
        references=[reference_of(standing.shop_no, one.order_id) for one in standing.rulings] if standing else [],
        given=given or {},
        refusal=answer.refusal if answer else "",
        details=answer.details if answer else None,
    )


def _may_ask(standing: Standing) -> bool:
    """Whether the form is of use now: nobody was asked, and something could come back."""
    quarantine = standing.batch.quarantine
    could_come = standing.held - standing.exported - standing.against > 0
    return could_come and quarantine.request is None and quarantine.refused < REFUSALS_MAX


@get(f"{PATH}/{{batch_id:str}}/proof.json")
async def proof(request: AnyRequest, house: NamedDependency[House], batch_id: FromPath[str]) -> Response[Any]:
    """Root, ids and commitments of all codes in order of their places, and the receipt of the registration."""
    known = id_of(batch_id)
    data = await batch_proof(house, shop_id_of(request), known) if known else None
    if data is None:
        return not_here(request, house, "batch", PATH)
    headers = {"content-disposition": f'attachment; filename="batch-{known}.json"'}
    return Response(data, media_type="application/json", headers=headers)


@get(f"{PATH}/{{batch_id:str}}/live")
async def live(request: AnyRequest, house: NamedDependency[House], batch_id: FromPath[str]) -> Response[Any]:
    """Server-sent events while the import goes on."""
    known = id_of(batch_id)
    shop_id = shop_id_of(request)
    if known is None or await house.imports.find(shop_id, known) is None:
        return not_here(request, house, "batch", PATH)
    return ServerSentEvent(_events(house, shop_id, known), headers={"x-accel-buffering": "no"})


async def _events(house: House, shop_id: str, import_id: str) -> AsyncGenerator[ServerSentEventMessage, None]:
    seen: tuple[str, ImportProgress] | None = None
    yield ServerSentEventMessage(comment="here", data=None, retry=BACK_AFTER_MS)
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + LIFE_S
    try:
        while loop.time() < ends_at:
            record = await house.imports.find(shop_id, import_id)
            now = (record.state, record.progress) if record else None
            if now != seen:
                seen = now
                yield ServerSentEventMessage(event="changed", data="")
            if record is None or record.state not in MOVING:
                yield ServerSentEventMessage(event="end", data="")
                return
            await asyncio.sleep(LOOK_EVERY_S)
    except StoreIsAway:
        return


@get(f"{PATH}/{{batch_id:str}}/refused.csv")
async def refused_csv(request: AnyRequest, house: NamedDependency[House], batch_id: FromPath[str]) -> Response[Any]:
    """Every refused line with its number, the reason, and a masked hint."""
    known = id_of(batch_id)
    shop_id = shop_id_of(request)
    if known is None or await house.imports.find(shop_id, known) is None:
        return not_here(request, house, "batch", PATH)
    texts = texts_of(frame(request, house).locale)
    rows = await house.imports.refusal_report(shop_id, known)
    return csv_file(
        f"refused-{known}.csv",
        [texts.gettext(_("Line")), texts.gettext(_("Reason")), texts.gettext(_("Begins and ends with"))],
        (
            (row.line_no, texts.gettext(REFUSED_WORDS[row.reason.value]) % {"line": row.same_as_line}, row.hint)
            for row in rows
        ),
    )


@post(f"{PATH}/{{batch_id:str}}/withdraw")
async def withdraw(request: AnyRequest, house: NamedDependency[House], batch_id: FromPath[str]) -> Response[Any]:
    """Take the unsold codes off sale."""
    known = id_of(batch_id)
    if known is None:
        return not_here(request, house, "batch", PATH)
    held_only = (await form_of(request)).get("what") == "held"
    command = WithdrawCodes(shop_id=shop_id_of(request), batch_id=known, held_only=held_only)
    return await act(request, house, command, back=f"{PATH}/{known}", done="taken-out")


@post(f"{PATH}/{{batch_id:str}}/review", request_max_body_size=INVOICE_BYTES_MAX)
async def review(request: AnyRequest, house: NamedDependency[House], batch_id: FromPath[str]) -> Response[Any]:
    """Ask a person to let the codes back. Of the invoice only the hash is kept, by the browser or here."""
    known = id_of(batch_id)
    upload = Upload(request, hashed=frozenset({"invoice"}))
    try:
        await upload.up_to_file("")
    except Refusal as broke:
        return refused(request, house, type(broke).__name__, broke.details, back=PATH)
    if known is None:
        return not_here(request, house, "batch", PATH)
    given = upload.fields
    command = AskBatchReview(
        shop_id=shop_id_of(request),
        batch_id=known,
        grounds=given.get("grounds", "").replace("\r\n", "\n").strip(),
        invoice_sha256=upload.hashes.get("invoice") or given.get("invoice_sha256", "").strip().lower(),
    )
    answer = await house.ask(Asker.MERCHANT, command)
    if answer.refusal:
        return await batch_page(request, house, known, given=given, answer=answer)
    return to(f"{PATH}/{known}", "batch-review-asked")


async def _issuer_name(house: House, line: BatchLine | None) -> str:
    """Who attested the batch; empty: nobody."""
    if line is None or not line.batch.attested_by:
        return ""
    record = await house.questions.issuers.find(line.batch.attested_by)
    return record.issuer.name if record else ""


HANDLERS: Final = [batches, batch, proof, live, refused_csv, withdraw, review]
