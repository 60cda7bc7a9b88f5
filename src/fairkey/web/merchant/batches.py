"""Stock: batches with where they came from and where their codes are now, imports under way, what was refused."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import ServerSentEvent, ServerSentEventMessage

from fairkey.business.batches import WithdrawCodes
from fairkey.engine.answers import StoreIsAway
from fairkey.engine.house import House
from fairkey.engine.tracing import batch_proof
from fairkey.engine.vault_port import ImportProgress
from fairkey.read_tables.shop_desk import BatchLine, Place
from fairkey.web.frame import AnyRequest, frame
from fairkey.web.i18n import marked as _
from fairkey.web.i18n import texts_of
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
)

PATH: Final = "/desk/batches"
IMPORTS_SHOWN_MAX: Final = 20
REFUSED_SHOWN_MAX: Final = 50
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
    shop_id = shop_id_of(request)
    known = id_of(batch_id)
    record = await house.imports.find(shop_id, known) if known else None
    line = await house.questions.shop_desk.batch(shop_id, known) if known else None
    if known is None or (record is None and line is None):
        return not_here(request, house, "batch", PATH)
    listing_id = line.batch.listing_id if line else (record.listing_id if record else None)
    stages = await house.questions.desk_figures.stages_of_batches(shop_id, [known])
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
    )


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
    command = WithdrawCodes(shop_id=shop_id_of(request), batch_id=known)
    return await act(request, house, command, back=f"{PATH}/{known}", done="taken-out")


async def _issuer_name(house: House, line: BatchLine | None) -> str:
    """Who attested the batch; empty: nobody."""
    if line is None or not line.batch.attested_by:
        return ""
    record = await house.questions.issuers.find(line.batch.attested_by)
    return record.issuer.name if record else ""


HANDLERS: Final = [batches, batch, proof, live, refused_csv, withdraw]
