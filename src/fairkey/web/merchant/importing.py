"""Depositing codes from the desk: pasted or as a file, read as it arrives, checked line by line."""

import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency

from fairkey.business.basics import Refusal
from fairkey.business.batches import SOURCES as SOURCE_NAMES
from fairkey.engine import trade
from fairkey.engine.house import House
from fairkey.engine.vault_port import IMPORT_BYTES_MAX, IMPORT_LINES_MAX
from fairkey.web.frame import AnyRequest, frame
from fairkey.web.merchant.batches import PATH, SOURCES
from fairkey.web.merchant.parts import by_account, id_of, page, shop_id_of, to, whys
from fairkey.web.uploads import Upload

NOTE_MAX: Final = 500
HASH_CHARS: Final = 64
BODY_BYTES_MAX: Final = IMPORT_BYTES_MAX * 2  # the file's own limit is refused in words; an invoice comes on top
PIECE_CHARS: Final = 64 * 1024

logger = logging.getLogger(__name__)


@get(f"{PATH}/import")
async def form(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """The form; `?listing=` chooses one."""
    given = {"import_id": house.new_id(), "listing_id": request.query_params.get("listing", ""), "source": "invoice"}
    return await _page(request, house, given)


@post(f"{PATH}/import", request_max_body_size=BODY_BYTES_MAX)
async def take(request: AnyRequest, house: NamedDependency[House]) -> Response[Any]:
    """Read the form as it arrives. The page may be left when the file is over: the rest happens here.

    `import_id` was made with the form, so sending it again goes on with the same import instead of making a second.
    """
    upload = Upload(request, hashed=frozenset({"invoice"}))
    answer = await _take(request, house, upload)
    await upload.drain()
    return answer


async def _take(request: AnyRequest, house: House, upload: Upload) -> Response[Any]:
    given: Mapping[str, str] = upload.fields
    try:
        has_file = await upload.up_to_file("file")
        wrong = await _wrong(request, house, upload, has_file=has_file)
        import_id = id_of(given.get("import_id"))
        if import_id is None:
            return await _page(request, house, {**given, "import_id": house.new_id()}, whys_of=wrong)
        if wrong:
            return await _page(request, house, given, whys_of=wrong)
        staged, answer = await trade.deposit(
            house,
            shop_id=shop_id_of(request),
            import_id=import_id,
            listing_id=given["listing_id"],
            chunks=upload.rest_of_file() if has_file else _pieces(given["codes"]),
            file_name=upload.file_names.get("file", ""),
            note=given.get("note", ""),
            source=given["source"],
            invoice_sha256=upload.hashes.get("invoice") or given.get("invoice_sha256", "").lower(),
            attestation=given.get("attestation", ""),
            by_account=by_account(request),
        )
    except Refusal as refusal:
        name = type(refusal).__name__
        if name in {"ImportIsUnderWay", "ImportIsClosed"}:
            return to(f"{PATH}/{refusal.details['import_id']}")
        again = {**given, "import_id": house.new_id()} if name == "ImportWasAbandoned" else given
        return await _page(request, house, again, refusal=name, details=refusal.details)
    if answer is not None and answer.refusal:
        again = {**given, "import_id": house.new_id()}
        return await _page(request, house, again, refusal=answer.refusal, details=answer.details)
    logger.info("an import ended: %s codes taken, %s lines refused", staged.count, staged.progress.refused)
    return to(f"{PATH}/{import_id}")


async def _wrong(request: AnyRequest, house: House, upload: Upload, *, has_file: bool) -> dict[str, str]:
    """What keeps the form from being taken: field -> reason."""
    given = upload.fields
    wrong: dict[str, str] = {}
    listing_id = id_of(given.get("listing_id"))
    if listing_id is None or await house.questions.shop_desk.listing(shop_id_of(request), listing_id) is None:
        wrong["listing_id"] = "unknown"
    if given.get("source") not in SOURCE_NAMES:
        wrong["source"] = "unknown"
    if len(given.get("note", "")) > NOTE_MAX:
        wrong["note"] = "too_long"
    if not given.get("note", "").replace("\n", "").replace("\r", "").replace("\t", "").isprintable():
        wrong["note"] = "control_characters"
    typed_hash = given.get("invoice_sha256", "").lower()
    if typed_hash and (len(typed_hash) != HASH_CHARS or not set(typed_hash) <= set("0123456789abcdef")):
        wrong["invoice_sha256"] = "not_a_hash"
    if not has_file and not given.get("codes"):
        wrong["codes"] = "empty"
    return wrong


async def _pieces(text: str) -> AsyncIterator[bytes]:
    for start in range(0, len(text), PIECE_CHARS):
        yield text[start : start + PIECE_CHARS].encode()


async def _page(
    request: AnyRequest,
    house: House,
    given: Mapping[str, str],
    *,
    whys_of: Mapping[str, str] | None = None,
    refusal: str = "",
    details: Mapping[str, object] | None = None,
) -> Response[str]:
    lines = await house.questions.shop_desk.listings(shop_id_of(request), lines_max=200)
    return await page(
        request,
        house,
        "import.html",
        refusal=refusal,
        details=details,
        errors=whys(whys_of or {}, frame(request, house).locale),
        given=given,
        listings=[
            (line.listing_id, f"{line.listing.terms.product} · {line.listing.terms.region}")
            for line in lines
            if line.listing.terms is not None and line.listing.terms.delivery == "vault"
        ],
        sources=SOURCES,
        lines_max=IMPORT_LINES_MAX,
        bytes_max=IMPORT_BYTES_MAX,
    )


HANDLERS: Final = [form, take]
