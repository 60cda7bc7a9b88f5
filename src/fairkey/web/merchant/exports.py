"""A shop's own codes on their way out: owners only, noted in the audit trail before the first one leaves."""

from collections.abc import AsyncIterator
from typing import Any, Final

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream

from fairkey.engine.house import House
from fairkey.engine.quarantining import note_export
from fairkey.web.frame import AnyRequest
from fairkey.web.merchant.parts import attachment, id_of, not_here, shop_id_of

BATCHES: Final = "/desk/batches"
LINES_A_PIECE: Final = 500


@post(f"{BATCHES}/{{batch_id:str}}/unsold.txt", status_code=200)
async def unsold(request: AnyRequest, house: NamedDependency[House], batch_id: FromPath[str]) -> Response[Any]:
    """The codes of a batch that are still on sale."""
    known = id_of(batch_id)
    line = await house.questions.shop_desk.batch(shop_id_of(request), known) if known else None
    if known is None or line is None:
        return not_here(request, house, "batch", BATCHES)
    await _note(request, house, "codes.exported", f"batch:{known}")
    places = await note_export(house, shop_id_of(request), known)
    return _file(_unsold(house, shop_id_of(request), line.batch.listing_id, known, places), f"unsold-{known}.txt")


@post(f"{BATCHES}/{{batch_id:str}}/taken-out.txt", status_code=200)
async def taken_out(request: AnyRequest, house: NamedDependency[House], batch_id: FromPath[str]) -> Response[Any]:
    """The codes of a batch that the shop took off sale; they are its own to use elsewhere."""
    known = id_of(batch_id)
    if known is None or await house.questions.shop_desk.batch(shop_id_of(request), known) is None:
        return not_here(request, house, "batch", BATCHES)
    await _note(request, house, "codes.withdrawn_exported", f"batch:{known}")
    code_ids = await house.questions.desk_figures.withdrawn_codes(shop_id_of(request), known)
    return _file(_opened(house, shop_id_of(request), code_ids), f"taken-out-{known}.txt")


async def _unsold(
    house: House, shop_id: str, listing_id: str, batch_id: str, places: frozenset[int]
) -> AsyncIterator[bytes]:
    piece: list[str] = []
    async for code in house.vault.export_unsold(shop_id, listing_id=listing_id, batch_id=batch_id):
        if code.position not in places:
            continue  # it came back to stock after the log was told
        piece.append(code.text + "\r\n")
        if len(piece) == LINES_A_PIECE:
            yield "".join(piece).encode()
            piece.clear()
    yield "".join(piece).encode()


async def _opened(house: House, shop_id: str, code_ids: list[str]) -> AsyncIterator[bytes]:
    for start in range(0, len(code_ids), LINES_A_PIECE):
        some = code_ids[start : start + LINES_A_PIECE]
        opened = await house.vault.open_codes(shop_id, some)
        yield "".join(opened[code_id].text + "\r\n" for code_id in some).encode()
    yield b""


async def _note(request: AnyRequest, house: House, action: str, target: str) -> None:
    await house.people.audit.write(request.user, action, target=target, detail={"shop_id": shop_id_of(request)})


def _file(lines: AsyncIterator[bytes], name: str) -> Stream:
    return Stream(lines, media_type="text/plain; charset=utf-8", headers=attachment(name))


HANDLERS: Final = [unsold, taken_out]
