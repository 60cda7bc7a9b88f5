"""Codes deposited together: a file streamed in, its progress, what was refused, what is unsold."""

from collections.abc import AsyncIterator
from typing import Annotated, Final
from uuid import UUID

from msgspec import Meta

from fairkey.api.calls import TEXT, Call, Reply, TooLarge, pieces, reply, require_done, uuid_text
from fairkey.api.endpoints import Endpoint, Example
from fairkey.api.money_shapes import (
    BatchesQuery,
    BatchRows,
    BatchView,
    ImportQuery,
    RefusedLines,
    Withdrawn,
    batch_row,
    batch_view,
    refused_line,
)
from fairkey.api.pages_of_lists import cursor_of, place_of
from fairkey.api.quarantine_shapes import BatchReviewDone, ReviewWanted, WithdrawHeld
from fairkey.api.shapes import Cursor, In
from fairkey.business import batches
from fairkey.business.askers import Asker
from fairkey.business.basics import FieldIsInvalid, NotFound
from fairkey.engine import trade
from fairkey.engine.house import House
from fairkey.engine.quarantining import note_export
from fairkey.engine.vault_port import IMPORT_BYTES_MAX, IMPORT_LINES_MAX
from fairkey.read_tables.shop_desk import Place

TAG: Final = "batches"
LINES_A_PIECE: Final = 500


class LinesQuery(In, frozen=True, kw_only=True):
    """Which page of refused lines."""

    cursor: Cursor = ""
    limit: Annotated[int, Meta(ge=1, le=5_000)] = 500


async def put_batch(house: House, call: Call) -> Reply:
    """Read a file into the vault and put what was accepted on sale."""
    query: ImportQuery = call.query
    batch_id = _new_id(call)
    listing_id = uuid_text(query.listing_id, "listing")
    if await house.questions.shop_desk.listing(call.shop_id, listing_id) is None:
        raise NotFound(what="listing")
    length = call.header(b"content-length")
    if length.isdigit() and int(length[:20]) > IMPORT_BYTES_MAX:
        raise TooLarge(bytes_max=IMPORT_BYTES_MAX)
    _, answer = await trade.deposit(
        house,
        shop_id=call.shop_id,
        import_id=batch_id,
        listing_id=listing_id,
        chunks=pieces(call.receive),
        file_name=query.file_name,
        note=query.note,
        source=query.source,
        invoice_sha256=query.invoice_sha256,
        attestation=query.attestation,
        by_account=call.visit.actor.name,
    )
    if answer is None:
        raise batches.BatchIsEmpty(report=f"/api/v1/shop/batches/{batch_id}/refusals")
    require_done(answer)
    return await _view(house, call, batch_id, 201)


async def get_batches(house: House, call: Call) -> Reply:
    """Registered batches, newest first."""
    query: BatchesQuery = call.query
    lines = await house.questions.shop_desk.batches(
        call.shop_id,
        listing_id=uuid_text(query.listing_id, "listing") if query.listing_id else None,
        after=place_of(query.cursor, Place),
        lines_max=query.limit + 1,
    )
    shown = lines[: query.limit]
    return reply(
        BatchRows(
            batches=tuple(batch_row(line) for line in shown),
            next_cursor=cursor_of(
                Place(shown[-1].created_at_ms, shown[-1].batch_id) if len(lines) > query.limit else None
            ),
        )
    )


async def get_batch(house: House, call: Call) -> Reply:
    """One batch, also while its file is still coming."""
    return await _view(house, call, call.uuid("batch_id"))


async def get_refused_lines(house: House, call: Call) -> Reply:
    """Lines that were not taken."""
    query: LinesQuery = call.query
    batch_id = call.uuid("batch_id")
    if await house.imports.find(call.shop_id, batch_id) is None:
        raise NotFound(what="batch")
    after = place_of(query.cursor, tuple[int], number_max=2**31 - 1)
    rows = await house.imports.refusal_report(
        call.shop_id, batch_id, after_line_no=after[0] if after else 0, rows_max=query.limit + 1
    )
    shown = rows[: query.limit]
    return reply(
        RefusedLines(
            lines=tuple(refused_line(row) for row in shown),
            next_cursor=cursor_of((shown[-1].line_no,) if len(rows) > query.limit else None),
        )
    )


async def withdraw_codes(house: House, call: Call) -> Reply:
    """Take all unsold codes of the batch off sale, or only those that wait after a ruling."""
    body: WithdrawHeld = call.given
    answer = await house.ask(
        Asker.MERCHANT,
        batches.WithdrawCodes(shop_id=call.shop_id, batch_id=call.uuid("batch_id"), held_only=body.held_only),
        command_id=call.command_id(),
        body_hash=call.body_hash(house),
    )
    require_done(answer)
    return reply(Withdrawn(kinds=answer.kinds))


async def ask_review(house: House, call: Call) -> Reply:
    """Ask a person to let back what a ruling took off sale."""
    body: ReviewWanted = call.given
    command = batches.AskBatchReview(
        shop_id=call.shop_id,
        batch_id=call.uuid("batch_id"),
        grounds=body.grounds,
        invoice_sha256=body.invoice_sha256,
    )
    answer = await house.ask(
        Asker.MERCHANT, command, command_id=call.command_id(), body_hash=call.body_hash(house)
    )
    require_done(answer)
    return reply(BatchReviewDone(kinds=answer.kinds))


async def export_codes(house: House, call: Call) -> Reply:
    """The unsold codes of the batch in clear, one a line. Noted in the audit trail before the first one leaves."""
    batch_id = call.uuid("batch_id")
    line = await house.questions.shop_desk.batch(call.shop_id, batch_id)
    if line is None:
        raise NotFound(what="batch")
    await house.people.audit.write(
        call.visit.actor, "codes.exported", target=f"batch:{batch_id}", detail={"shop_id": call.shop_id}
    )
    name = f'attachment; filename="unsold-{batch_id}.txt"'.encode()
    places = await note_export(house, call.shop_id, batch_id)
    more = _lines(house, call.shop_id, line.batch.listing_id, batch_id, places)
    return Reply(200, b"", TEXT, ((b"content-disposition", name),), more)


async def _lines(
    house: House, shop_id: str, listing_id: str, batch_id: str, places: frozenset[int]
) -> AsyncIterator[bytes]:
    piece: list[str] = []
    async for code in house.vault.export_unsold(shop_id, listing_id=listing_id, batch_id=batch_id):
        if code.position not in places:
            continue  # it came back to stock after the log was told
        piece.append(code.text + "\n")
        if len(piece) == LINES_A_PIECE:
            yield "".join(piece).encode()
            piece.clear()
    if piece:
        yield "".join(piece).encode()


async def _view(house: House, call: Call, batch_id: str, status: int = 200) -> Reply:
    line = await house.questions.shop_desk.batch(call.shop_id, batch_id)
    record = await house.imports.find(call.shop_id, batch_id)
    if line is None and record is None:
        raise NotFound(what="batch")
    headers = ((b"location", f"/api/v1/shop/batches/{batch_id}".encode()),) if status == CREATED else ()
    standing = await house.questions.quarantines.standing(call.shop_id, batch_id)
    return reply(batch_view(batch_id, line, record, standing), status, headers)


def _new_id(call: Call) -> str:
    """The id that the caller chose for the batch. Raises `FieldIsInvalid` unless it is a UUID."""
    try:
        return str(UUID(call.path["batch_id"]))
    except ValueError:
        raise FieldIsInvalid(field="batch_id", why="not a UUID") from None


CREATED: Final = 201
FILES: Final = ("text/csv", "text/plain")

ENDPOINTS: Final = (
    Endpoint(
        method="PUT",
        path="/api/v1/shop/batches/{batch_id}",
        tag=TAG,
        summary="Deposit a file of codes",
        description=(
            "You choose the batch's id (a fresh UUID), so a repeat deposits nothing twice and the progress can be read "
            f"while the file is still coming. At most {IMPORT_LINES_MAX:,} lines and {IMPORT_BYTES_MAX >> 20} MB, "
            "streamed. Delimiter and encoding are found out; each line that cannot be taken is reported."
        ),
        handle=put_batch,
        streams=FILES,
        query=ImportQuery,
        answer=BatchView,
        status=CREATED,
        refusals=(
            "NotFound", "BatchIsEmpty", "BatchIsRegistered", "ImportIsUnderWay", "ImportIsClosed", "TooManyImports",
            "ImportIsTooLarge", "ImportIsNoText", "ImportWasAbandoned", "ImportBrokeOff", "AttestationDoesNotFit",
            "StatementIsUnreadable", "IssuerSignatureIsWrong", "StatementIsOutOfTime", "StatementIdWasUsed",
        ),
    ),
    Endpoint(
        method="GET",
        path="/api/v1/shop/batches",
        tag=TAG,
        summary="List your batches",
        handle=get_batches,
        query=BatchesQuery,
        answer=BatchRows,
        refusals=("NotFound",),
    ),
    Endpoint(
        method="GET",
        path="/api/v1/shop/batches/{batch_id}",
        tag=TAG,
        summary="Read a batch, or the progress of its import",
        handle=get_batch,
        answer=BatchView,
        refusals=("NotFound",),
    ),
    Endpoint(
        method="GET",
        path="/api/v1/shop/batches/{batch_id}/refusals",
        tag=TAG,
        summary="Read which lines were not taken",
        handle=get_refused_lines,
        query=LinesQuery,
        answer=RefusedLines,
        refusals=("NotFound",),
    ),
    Endpoint(
        method="POST",
        path="/api/v1/shop/batches/{batch_id}/withdraw",
        tag=TAG,
        summary="Take unsold codes off sale for good",
        handle=withdraw_codes,
        body=WithdrawHeld,
        body_is_optional=True,
        answer=Withdrawn,
        idempotency="optional",
        refusals=("NotFound", "NothingIsUnsold"),
    ),
    Endpoint(
        method="POST",
        path="/api/v1/shop/batches/{batch_id}/review",
        tag=TAG,
        summary="Ask a person to let a batch back",
        description=(
            "For codes that a ruling took off sale. A person answers within 72 hours with a reason; if nobody does, "
            "the codes stay off sale and you may ask again. Codes that their issuer signs to be unused come back by "
            "themselves, without a request. `off_sale` of the batch says how it stands."
        ),
        handle=ask_review,
        body=ReviewWanted,
        answer=BatchReviewDone,
        idempotency="optional",
        refusals=(
            "NotFound", "NothingIsHeld", "ShopLetsNothingBack", "BatchReviewIsUnderWay", "BatchReviewsAreSpent",
        ),
        example=Example(
            request={"grounds": "这批卡密直接购自发行商，发票列明了全部序列号。", "invoice_sha256": ""},
            answer={"kinds": ["batch.review_asked"]},
        ),
    ),
    Endpoint(
        method="GET",
        path="/api/v1/shop/batches/{batch_id}/codes",
        tag=TAG,
        summary="Export your unsold codes",
        description=(
            "One code a line, in clear. Each export is written into the audit trail and the log: if a ruling takes "
            "these codes off sale later, they do not come back."
        ),
        handle=export_codes,
        answer_text="Unsold codes, one a line.",
        refusals=("NotFound",),
    ),
)  # fmt: skip
