"""Pages of outside cases: the list, a new one, one case with all that follows from it, its files to take away."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from markupsafe import Markup

from fairkey.casework.calendar_file import calendar_bytes
from fairkey.casework.clocks import deadlines, entries
from fairkey.casework.completeness import gaps
from fairkey.casework.demand import compute
from fairkey.casework.folder import CaseFolder
from fairkey.casework.law import cited
from fairkey.casework.letters.language import findings_of
from fairkey.casework.model import Case, CaseFile, FactKind, Problem, ProposedFact
from fairkey.casework.moments import CHINA
from fairkey.casework.pack.contents import contents_of
from fairkey.casework.pack.timeline import drawings
from fairkey.casework.path import steps
from fairkey.casework.texts import Words
from fairkey.casework.texts import sentence as in_words
from fairkey.engine.cases_port import CASE_BYTES_MAX, CASES_MAX, FILE_BYTES_MAX, FILES_MAX, MIB
from fairkey.engine.house import House
from fairkey.gates.visits import visit_of
from fairkey.web.cases import words
from fairkey.web.cases.entries import entries_of
from fairkey.web.frame import AnyRequest, frame, status_of
from fairkey.web.render import PageContext, render, view_of

SHOWN_FACTS_MAX: Final = 200
NO_STORE: Final = {"cache-control": "private, no-store", "x-content-type-options": "nosniff"}
_FONT: Final = "system-ui, sans-serif"
CHOICES: Final[dict[str, Any]] = {
    "problems": words.PROBLEMS,
    "wishes": words.WISHES,
    "channels": words.CHANNELS,
    "stages": words.STAGES,
    "step_states": words.STEP_STATES,
    "gap_states": words.GAP_STATES,
    "kinds": words.KINDS,
    "roles": words.ROLES,
    "hows": words.HOWS,
}


def lang_of(context: PageContext) -> str:
    """`zh` or `en`, as casework names languages."""
    return "zh" if context.locale == "zh_CN" else "en"


def owner_of(request: AnyRequest) -> str:
    """The account that asks; the gate let nobody else in."""
    account_id = visit_of(request.scope).actor.account_id
    assert account_id is not None
    return account_id


@get("/cases")
async def cases(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """His cases."""
    owner = owner_of(request)
    rows = await house.cases.mine(owner)
    told = [(row, await house.cases.look(owner, row.case_id, CaseFolder.read)) for row in rows]
    return render(frame(request, house), "cases/list.html", cases=told, cases_max=CASES_MAX, **CHOICES)


@get("/cases/new")
async def new(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """The form of a new case."""
    return new_page(request, house)


def new_page(
    request: AnyRequest, house: House, refusal: str = "", details: Mapping[str, object] | None = None
) -> Response[str]:
    """The form, with a refusal on top if there was one."""
    context = frame(request, house)
    return render(
        context,
        "cases/new.html",
        status_code=status_of(refusal) if refusal else 200,
        refusal=view_of(context, refusal, details) if refusal else None,
        chosen=Problem.ALREADY_USED.value,
        **CHOICES,
    )


@get("/cases/{case_id:str}")
async def case(request: AnyRequest, house: NamedDependency[House], case_id: FromPath[str]) -> Response[str]:
    """One case."""
    return await case_page(request, house, case_id)


async def case_page(
    request: AnyRequest,
    house: House,
    case_id: str,
    refusal: str = "",
    details: Mapping[str, object] | None = None,
    sentence: Words | None = None,
) -> Response[str]:
    """The case as it stands. `sentence`: what casework itself refuses, in its own words."""
    owner = owner_of(request)
    row = await house.cases.row(owner, case_id)
    found = await house.cases.look(owner, row.case_id, CaseFolder.read)
    context = frame(request, house)
    now_ms = house.now_ms()
    today = datetime.fromtimestamp(now_ms / 1000, CHINA).date()
    contents = contents_of(found, as_of_ms=now_ms)
    status = status_of(refusal) if refusal else 422 if sentence else 200
    return render(
        context,
        "cases/case.html",
        status_code=status,
        case=found,
        row=row,
        path=f"/cases/{row.case_id}",
        open_facts=_open_facts(found),
        file_names={one.seal.sha256: one.name for one in found.files},
        purchase_times=_times(found),
        timeline=[Markup(one) for one in drawings(contents.timeline, _FONT, lang_of(context))],  # noqa: S704 - its texts are escaped
        language=findings_of(found),
        lists=await entries_of(house, list(dict.fromkeys(one.seal.list_sha256 for one in found.files))),
        gaps=gaps(found),
        demand=compute(found, today),
        steps=steps(found, now_ms),
        deadlines=deadlines(found, today),
        limits={"files": FILES_MAX, "file_mib": FILE_BYTES_MAX // MIB, "case_mib": CASE_BYTES_MAX // MIB},
        refusal=view_of(context, refusal, details) if refusal else None,
        sentence=sentence,
        in_words=in_words,
        cited=cited,
        is_zh=context.locale == "zh_CN",
        **CHOICES,
    )


def _open_facts(case: Case) -> list[tuple[int, ProposedFact, CaseFile | None, str]]:
    """Number, proposal, its file, its value as shown; only what was not confirmed yet, of the same value once."""
    said = {(one.kind, one.read if one.read is not None else one.value) for one in case.facts}
    files = {one.seal.sha256: one for one in case.files}
    found: list[tuple[int, ProposedFact, CaseFile | None, str]] = []
    for number, fact in enumerate(case.proposed, 1):
        if (fact.kind, fact.value) not in said and len(found) < SHOWN_FACTS_MAX:
            said.add((fact.kind, fact.value))
            shown = f"{int(fact.value) / 100:.2f}" if fact.kind is FactKind.AMOUNT else str(fact.value)
            found.append((number, fact, files.get(fact.file), shown))
    return found


def _times(case: Case) -> dict[str, str]:
    """Times of the purchase as `datetime-local` wants them, Beijing time."""
    bought = case.purchase
    known = {
        "ordered": bought.ordered_at_ms,
        "paid": bought.paid_at_ms,
        "delivered": bought.delivered_at_ms,
        "problem": bought.problem_at_ms,
    }
    return {
        name: datetime.fromtimestamp(at_ms / 1000, CHINA).strftime("%Y-%m-%dT%H:%M") if at_ms else ""
        for name, at_ms in known.items()
    }


@get("/cases/{case_id:str}/deadlines.ics")
async def calendar(request: AnyRequest, house: NamedDependency[House], case_id: FromPath[str]) -> Response[bytes]:
    """The deadlines for a calendar."""
    found = await house.cases.look(owner_of(request), case_id, CaseFolder.read)
    now_ms = house.now_ms()
    lang = lang_of(frame(request, house))
    listed = entries(found, datetime.fromtimestamp(now_ms / 1000, CHINA).date(), lang)
    return _file(calendar_bytes(listed, made_at_ms=now_ms), "text/calendar", "deadlines.ics")


@get("/cases/{case_id:str}/pack.zip")
async def pack(request: AnyRequest, house: NamedDependency[House], case_id: FromPath[str]) -> Response[bytes]:
    """The pack that was made last."""
    return _file(await house.cases.pack(owner_of(request), case_id), "application/zip", "pack.zip")


@get("/cases/{case_id:str}/facts/{number:int}/crop.jpg")
async def crop(
    request: AnyRequest, house: NamedDependency[House], case_id: FromPath[str], number: FromPath[int]
) -> Response[bytes]:
    """The spot of a picture at which a fact was read."""
    picture = await house.cases.crop(owner_of(request), case_id, number)
    return Response(picture, media_type="image/jpeg", headers=NO_STORE)


def _file(data: bytes, media_type: str, name: str) -> Response[Any]:
    headers = {**NO_STORE, "content-disposition": f'attachment; filename="{name}"'}
    return Response(data, media_type=media_type, headers=headers)


HANDLERS: Final = (cases, new, case, calendar, pack, crop)
