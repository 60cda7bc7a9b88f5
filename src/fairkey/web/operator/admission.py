"""Applications: the queue, one dossier with its licence, the decision with reasons; notes to published measures."""

from collections.abc import Mapping
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from fairkey.business.admissions import FIELDS, DecideApplication
from fairkey.business.askers import Asker
from fairkey.business.basics import Command
from fairkey.business.shops import AnnotateSanction
from fairkey.engine.admission_port import Dossier
from fairkey.engine.house import House
from fairkey.gates.visits import visit_of
from fairkey.web.admission_words import FORMS, GROUNDS, ITEMS, MEASURES, STEPS
from fairkey.web.frame import AnyRequest, frame, refused, status_of
from fairkey.web.inputs import whole
from fairkey.web.merchant.admission import shown
from fairkey.web.render import render, view_of

PATH: Final = "/floor/admission"
SHOP_NO_MAX: Final = 2**31 - 1


@get(PATH)
async def queue(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """What waits, the oldest first."""
    lines = await house.admissions.queue()
    return render(frame(request, house), "operator/admissions.html", lines=lines, forms=FORMS)


@get(f"{PATH}/{{shop_no:int}}")
async def dossier(request: AnyRequest, house: NamedDependency[House], shop_no: FromPath[int]) -> Response[str]:
    """One application. Reading it is noted: it holds data of a person."""
    found = await _dossier(house, shop_no)
    if found is None:
        return refused(request, house, "NotFound", {"what": "shop"}, back=PATH)
    await house.people.audit.write(request.user, "shop.application_read", target=f"shop:{found.shop_id}")
    return await _page(request, house, found)


@get(f"{PATH}/{{shop_no:int}}/licence")
async def licence(request: AnyRequest, house: NamedDependency[House], shop_no: FromPath[int]) -> Response[Any]:
    """The licence of the newest filing."""
    found = await _dossier(house, shop_no)
    sha256 = found.filed.get("licence") if found else ""
    image = await house.admissions.image(found.shop_id, sha256) if found and sha256 else None
    return shown(image) if image else refused(request, house, "NotFound", {"what": "licence"}, back=PATH)


@post(f"{PATH}/{{shop_no:int}}", status_code=303)
async def decide(request: AnyRequest, house: NamedDependency[House], shop_no: FromPath[int]) -> Response[Any]:
    """Admit, ask for more, refuse; always with reasons."""
    found = await _dossier(house, shop_no)
    if found is None:
        return refused(request, house, "NotFound", {"what": "shop"}, back=PATH)
    sent = await request.form()
    account = visit_of(request.scope).actor.account_id or ""
    command = DecideApplication(
        shop_id=found.shop_id,
        round=whole(str(sent.get("round", ""))) or 0,
        decision=str(sent.get("decision", "")),
        reason=str(sent.get("reason", "")).strip(),
        items=tuple(str(item) for item in sent.getall("items", []))[: len(FIELDS) + 1],
        reviewer=house.keys.fingerprint("buyer_pseudonyms", f"reviewer:{account}".encode()).hex()[:32],
        fee_bp=house.settings.fee_bp,
    )
    given = {name: str(sent.get(name, "")) for name in ("decision", "reason")}
    action = f"shop.application_{command.decision}"
    return await _ask(request, house, found, command, action, given)


@post(f"{PATH}/{{shop_no:int}}/sanctions/{{number:int}}", status_code=303)
async def annotate(
    request: AnyRequest, house: NamedDependency[House], shop_no: FromPath[int], number: FromPath[int]
) -> Response[Any]:
    """Add a correction, or the answer to an appeal, to a published measure."""
    found = await _dossier(house, shop_no)
    if found is None:
        return refused(request, house, "NotFound", {"what": "shop"}, back=PATH)
    text = str((await request.form()).get("text", "")).strip()
    command = AnnotateSanction(shop_id=found.shop_id, number=number, text=text)
    return await _ask(request, house, found, command, "shop.sanction_annotated", {})


async def _ask(
    request: AnyRequest, house: House, found: Dossier, command: Command, action: str, given: Mapping[str, str]
) -> Response[Any]:
    answer = await house.ask(Asker.OPERATOR, command)
    if answer.refusal:
        return await _page(request, house, found, given, answer.refusal, answer.details)
    await house.people.audit.write(request.user, action, target=f"shop:{found.shop_id}")
    return Redirect(f"{PATH}/{found.shop.shop_no}", status_code=303)


async def _dossier(house: House, shop_no: int) -> Dossier | None:
    shop_id = await house.numbers.shop_of(shop_no) if 0 < shop_no <= SHOP_NO_MAX else None
    return await house.admissions.dossier(shop_id) if shop_id else None


async def _page(
    request: AnyRequest,
    house: House,
    found: Dossier,
    given: Mapping[str, str] | None = None,
    refusal: str = "",
    details: Mapping[str, object] | None = None,
) -> Response[str]:
    context = frame(request, house)
    return render(
        context,
        "operator/admission.html",
        status_code=status_of(refusal) if refusal else 200,
        dossier=found,
        given=given or {},
        measures=await house.admissions.published(shop_id=found.shop_id),
        forms=FORMS,
        items=ITEMS,
        grounds=GROUNDS,
        measure_words=MEASURES,
        step_words=STEPS,
        refusal=view_of(context, refusal, details or {}) if refusal else None,
    )


HANDLERS: Final = [queue, dossier, licence, decide, annotate]
