"""Who stands behind the shop: the application, its draft and licence, what the reviewers said, measures and appeals."""

from collections.abc import Mapping
from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath

from fairkey.business.admissions import FIELDS, FileApplication
from fairkey.business.askers import Asker
from fairkey.business.shop_terms import PRESENT, PRESENT_HASH
from fairkey.business.shops import AppealSanction
from fairkey.engine.admission_port import LICENCE_BYTES_MAX, Image, type_of_image
from fairkey.engine.house import House
from fairkey.web.admission_words import FORMS, GROUNDS, ITEMS, MEASURES, STEPS
from fairkey.web.frame import AnyRequest
from fairkey.web.inputs import form_of
from fairkey.web.merchant.parts import act, desk_frame, not_here, page, shop_id_of, to, whys

PATH: Final = "/desk/admission"
BODY_BYTES_MAX: Final = LICENCE_BYTES_MAX + 64 * 1024
TYPED: Final = tuple(name for name in FIELDS if name != "licence")
DRAFT_CHARS_MAX: Final = 5_000


@get(PATH)
async def form(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """The application with all that was typed or filed before."""
    return await _page(request, house)


@post(PATH, request_max_body_size=BODY_BYTES_MAX)
async def send(request: AnyRequest, house: NamedDependency[House]) -> Response[Any]:
    """Keep the draft, or file it."""
    shop_id = shop_id_of(request)
    given = {name: text[:DRAFT_CHARS_MAX] for name, text in (await form_of(request)).items()}
    licence, why = await _licence(request, house, shop_id)
    before = await house.admissions.draft(shop_id)
    dossier = await house.admissions.dossier(shop_id)
    filed = dossier.filed if dossier else {}
    kept = {name: given.get(name, "") for name in TYPED}
    kept["licence"] = licence or before.get("licence", "") or filed.get("licence", "")
    if kept["legal_form"] == "person":
        kept["licence"] = ""
    await house.admissions.keep_draft(shop_id, kept)
    if why:
        return await _page(request, house, kept, errors={"licence": why})
    if given.get("act") == "draft":
        return to(PATH, "draft")
    answer = await house.ask(
        Asker.MERCHANT,
        FileApplication(
            shop_id=shop_id, **kept, terms_hash=given.get("terms_hash", "") if given.get("accepted") else ""
        ),
    )
    if answer.refusal:
        return await _page(request, house, kept, refusal=answer.refusal, details=answer.details)
    await house.admissions.keep_draft(shop_id, {})
    await house.people.audit.write(request.user, "shop.application_filed", target=f"shop:{shop_id}")
    return to(PATH, "filed")


@get(f"{PATH}/licence")
async def licence_image(request: AnyRequest, house: NamedDependency[House]) -> Response[Any]:
    """The image that was uploaded last."""
    shop_id = shop_id_of(request)
    dossier = await house.admissions.dossier(shop_id)
    sha256 = (await house.admissions.draft(shop_id)).get("licence") or (dossier.filed.get("licence") if dossier else "")
    image = await house.admissions.image(shop_id, sha256) if sha256 else None
    return shown(image) if image else not_here(request, house, "licence", PATH)


@post(f"{PATH}/appeal/{{number:int}}")
async def appeal(request: AnyRequest, house: NamedDependency[House], number: FromPath[int]) -> Response[Any]:
    """Object to a measure."""
    text = (await form_of(request)).get("text", "")
    command = AppealSanction(shop_id=shop_id_of(request), number=number, text=text)
    return await act(request, house, command, back=PATH, done="appealed")


def shown(image: Image) -> Response[bytes]:
    """An image of a licence: private, never run, never guessed at."""
    suffix = image.media_type.rpartition("/")[2]
    return Response(
        image.content,
        media_type=image.media_type,
        headers={
            "content-disposition": f'inline; filename="licence.{suffix}"',
            "cache-control": "private, no-store",
            "x-content-type-options": "nosniff",
            "content-security-policy": "sandbox; default-src 'none'",
        },
    )


async def _licence(request: Request[Any, Any, Any], house: House, shop_id: str) -> tuple[str, str]:
    """The hash of the image that came with the form, and why it is not taken."""
    upload = (await request.form()).get("licence")
    if not isinstance(upload, UploadFile):
        return "", ""
    content = await upload.read()
    if not content:
        return "", ""
    if len(content) > LICENCE_BYTES_MAX:
        return "", "too_large"
    media_type = type_of_image(content)
    if not media_type:
        return "", "not_an_image"
    return await house.admissions.keep_image(shop_id, media_type, content), ""


async def _page(
    request: AnyRequest,
    house: House,
    given: Mapping[str, str] | None = None,
    *,
    refusal: str = "",
    details: Mapping[str, object] | None = None,
    errors: Mapping[str, str] | None = None,
) -> Response[str]:
    shop_id = shop_id_of(request)
    dossier = await house.admissions.dossier(shop_id)
    if dossier is None:
        return not_here(request, house, "shop", "/desk")
    draft = await house.admissions.draft(shop_id)
    return await page(
        request,
        house,
        "admission.html",
        refusal=refusal,
        details=details,
        errors=whys(errors or {}, desk_frame(request, house).locale),
        dossier=dossier,
        given=given or draft or {**dossier.filed, **_form(dossier.admission.legal_form)},
        measures=await house.admissions.published(shop_id=shop_id),
        forms=FORMS,
        items=ITEMS,
        grounds=GROUNDS,
        measure_words=MEASURES,
        step_words=STEPS,
        terms=PRESENT,
        terms_hash=PRESENT_HASH,
    )


def _form(legal_form: str | None) -> dict[str, str]:
    return {"legal_form": str(legal_form)} if legal_form else {}


HANDLERS: Final = [form, send, licence_image, appeal]
