"""What a person does with his outside case: begin, give files, tell, confirm, note steps, read, pack, erase."""

import shutil
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import structs

from fairkey.business.basics import NotFound, Refusal
from fairkey.casework.clocks import due_after
from fairkey.casework.disk import FileIsRefused
from fairkey.casework.folder import CaseFolder, CaseIsRefused, safe_name
from fairkey.casework.model import Capture, Case, FactRole, Party, Problem, Purpose, StepTaken
from fairkey.casework.moments import CHINA
from fairkey.casework.reading.confirming import confirmed, purchase_with
from fairkey.casework.sealing import add_file
from fairkey.casework.stamping import close_list
from fairkey.casework.texts import told_of
from fairkey.casework.texts import words as words_of
from fairkey.engine.cases_port import CASE_BYTES_MAX, FILE_BYTES_MAX, FILES_MAX, MIB, CaseFileIsRefused, CaseIsFull
from fairkey.engine.house import House
from fairkey.engine.vault_port import ImportBrokeOff, ImportIsTooLarge
from fairkey.web.cases import words
from fairkey.web.cases.entries import fetch_receipts, tell_lists
from fairkey.web.cases.pages import case_page, new_page, owner_of
from fairkey.web.frame import AnyRequest
from fairkey.web.inputs import fen_of, form_of, plain, whole
from fairkey.web.uploads import Upload

STORY_MAX: Final = 10_000
LINE_MAX: Final = 200
_AMOUNT_KINDS: Final = frozenset({"amount_fen"})
_JOBS: Final = {"read": "reading", "pack": "packing"}

Edit = Callable[[Case], Case]


@post("/cases/new", status_code=303)
async def begin(request: AnyRequest, house: NamedDependency[House]) -> Response[Any]:
    """A new case of a few words."""
    form = await form_of(request)
    owner = owner_of(request)
    case = Case(
        case_id=house.new_id(),
        created_at_ms=house.now_ms(),
        title=plain(form.get("title")),
        problem=_problem(form),
        purpose=Purpose.RESALE if form.get("purpose") == "resale" else Purpose.LIVING,
        account=form.get("account", "")[:STORY_MAX],
    )
    try:
        await house.cases.begin(owner, case)
    except Refusal as refusal:
        return new_page(request, house, type(refusal).__name__, refusal.details)
    return Redirect(f"/cases/{case.case_id}", status_code=303)


@post("/cases/{case_id:str}/files", status_code=303, request_max_body_size=CASE_BYTES_MAX + MIB)
async def give(request: AnyRequest, house: NamedDependency[House], case_id: FromPath[str]) -> Response[Any]:
    """Take files: sealed on arrival, in one list."""
    owner = owner_of(request)
    upload = Upload(request)
    place = house.cases.receiving()
    try:
        await house.cases.row(owner, case_id)
        got = await _received(upload, place)
        if not got:
            raise CaseFileIsRefused(why="empty")
        how = upload.fields.get("how", "")
        capture = Capture(who="me", how=how if how in words.HOWS else "other")
        await house.cases.change(owner, case_id, lambda folder: _add(folder, got, capture, house.now_ms()))
    except (ImportBrokeOff, EOFError):
        return await case_page(request, house, case_id, "CaseFileIsRefused", {"why": "broke_off"})
    except ImportIsTooLarge:
        await upload.drain()
        return await case_page(request, house, case_id, "CaseFileIsRefused", {"why": "too_large"})
    except FileIsRefused:
        return await case_page(request, house, case_id, "CaseFileIsRefused", {"why": "changed"})
    except NotFound:
        await upload.drain()
        raise
    except Refusal as refusal:
        await upload.drain()
        return await case_page(request, house, case_id, type(refusal).__name__, refusal.details)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    await tell_lists(house, owner, case_id)
    return Redirect(f"/cases/{case_id}#files", status_code=303)


async def _received(upload: Upload, place: Path) -> list[Path]:
    """The files of a form, each under its own safe name. Raises `CaseFileIsRefused`, `CaseIsFull`."""
    got: list[Path] = []
    all_bytes = 0
    while await upload.up_to_file("files"):
        if len(got) >= FILES_MAX:
            raise CaseIsFull(limit=FILES_MAX, mib=CASE_BYTES_MAX // MIB)
        folder = place / f"{len(got):03}"
        folder.mkdir()
        path = folder / safe_name(upload.file_names.get("files", ""))
        size_bytes = 0
        with path.open("xb") as file:
            async for chunk in upload.rest_of_file():
                size_bytes += len(chunk)
                all_bytes += len(chunk)
                if all_bytes > CASE_BYTES_MAX:
                    raise CaseIsFull(limit=FILES_MAX, mib=CASE_BYTES_MAX // MIB)
                if size_bytes > FILE_BYTES_MAX:
                    raise CaseFileIsRefused(why="too_large")
                file.write(chunk)
        got.append(path)
    return got


def _add(folder: CaseFolder, got: list[Path], capture: Capture, at_ms: int) -> None:
    for path in got:
        # The machine here is the house's, not the person's: it says nothing of how a file was made.
        add_file(folder, path, structs.replace(capture, made_at_ms=at_ms), at_ms=at_ms)
    close_list(folder, at_ms=at_ms)


@post("/cases/{case_id:str}/told", status_code=303)
async def tell(request: AnyRequest, house: NamedDependency[House], case_id: FromPath[str]) -> Response[Any]:
    """What happened, who is who, what is wanted; what was bought, in his own words."""
    form = await form_of(request)
    amount = fen_of(form.get("amount"))
    if form.get("amount") and amount is None:
        return await case_page(request, house, case_id, "FieldIsInvalid", {"field": "amount", "why": "unreadable"})
    times = {name: _moment(form.get(name, "")) for name in ("ordered", "paid", "delivered", "problem_at")}
    if None in times.values():
        return await case_page(request, house, case_id, "FieldIsInvalid", {"field": "time", "why": "unreadable"})

    def edit(case: Case) -> Case:
        purchase = structs.replace(
            case.purchase,
            **{name: plain(form.get(name), LINE_MAX) for name in ("platform", "shop", "order_number", "product")},
            transaction=plain(form.get("transaction"), LINE_MAX),
            amount_fen=amount or 0,
            quantity=max(1, whole(form.get("quantity")) or 1),
            ordered_at_ms=times["ordered"] or 0,
            paid_at_ms=times["paid"] or 0,
            delivered_at_ms=times["delivered"] or 0,
            problem_at_ms=times["problem_at"] or 0,
        )
        return structs.replace(
            case,
            title=plain(form.get("title")),
            problem=_problem(form),
            purpose=Purpose.RESALE if form.get("purpose") == "resale" else Purpose.LIVING,
            asserts_fraud=form.get("asserts_fraud") == "1",
            account=form.get("account", "")[:STORY_MAX],
            wishes=tuple(one for one in words.WISHES if form.get(f"wish_{one}") == "1"),
            losses_fen=fen_of(form.get("losses")) or 0,
            buyer=_party(case.buyer, form, "buyer"),
            respondents=_respondents(case, form),
            purchase=purchase,
        )

    return await _changed(request, house, case_id, "case.told", edit, "told")


def _party(party: Party, form: Mapping[str, str], prefix: str) -> Party:
    names = ("name", "phone", "address", "uscc", "mail")
    said = {name: plain(form[f"{prefix}_{name}"], LINE_MAX) for name in names if f"{prefix}_{name}" in form}
    return structs.replace(party, **said)


def _respondents(case: Case, form: Mapping[str, str]) -> tuple[Party, ...]:
    first = _party(case.respondents[0] if case.respondents else Party(), form, "seller")
    first = structs.replace(
        first, shop=plain(form.get("shop"), LINE_MAX), platform=plain(form.get("platform"), LINE_MAX)
    )
    rest = case.respondents[1:]
    return (first, *rest) if any((first.name, first.uscc, first.address, first.shop)) else rest


@post("/cases/{case_id:str}/facts/{number:int}", status_code=303)
async def confirm(
    request: AnyRequest, house: NamedDependency[House], case_id: FromPath[str], number: FromPath[int]
) -> Response[Any]:
    """A fact that was read is so, or is put right."""
    form = await form_of(request)
    role = form.get("role", "")
    at_ms = house.now_ms()

    def edit(case: Case) -> Case:
        if not 0 < number <= len(case.proposed):
            raise NotFound(what="case")
        fact = case.proposed[number - 1]
        value = plain(form.get("value"), LINE_MAX)
        # Guards against a page that is older than the reading: the number must still name what was shown.
        if form.get("was", "") != str(fact.value):
            raise CaseIsRefused(words_of("site.stale"))
        shown = f"{int(fact.value) / 100:.2f}" if fact.kind in _AMOUNT_KINDS else str(fact.value)
        typed = f"¥{value}" if fact.kind in _AMOUNT_KINDS and value else value
        chosen = role if role in {one.value for one in FactRole} else None
        made = confirmed(case, fact, None if value == shown else typed, chosen or None, at_ms)
        facts = (*(one for one in case.facts if one.fact_id != made.fact_id), made)
        return structs.replace(case, facts=facts, purchase=purchase_with(case.purchase, made))

    return await _changed(request, house, case_id, "facts.confirmed", edit, "facts")


@post("/cases/{case_id:str}/steps", status_code=303)
async def step(request: AnyRequest, house: NamedDependency[House], case_id: FromPath[str]) -> Response[Any]:
    """Something was done on a channel, or came of it."""
    form = await form_of(request)
    channel, stage = form.get("channel", ""), form.get("stage", "")
    at_ms = _moment(form.get("at", ""))
    if channel not in words.CHANNELS or stage not in words.STAGES or at_ms is None:
        return await case_page(request, house, case_id, "FieldIsInvalid", {"field": "stage", "why": "unknown"})
    at_ms = at_ms or house.now_ms()
    taken = StepTaken(
        step_id=house.new_id(),
        channel=channel,
        stage=stage,
        at_ms=at_ms,
        due_at_ms=due_after(channel, stage, at_ms),
        reference=plain(form.get("reference"), LINE_MAX),
        outcome=form.get("outcome", "")[:2_000],
        received_fen=fen_of(form.get("received")) or 0,
    )
    return await _changed(
        request, house, case_id, "step.taken", lambda case: structs.replace(case, steps=(*case.steps, taken)), "path"
    )


@post("/cases/{case_id:str}/work/{job:str}", status_code=303)
async def work(
    request: AnyRequest, house: NamedDependency[House], case_id: FromPath[str], job: FromPath[str]
) -> Response[Any]:
    """Read the files, or make a pack, behind the page."""
    if job not in _JOBS:
        raise NotFound(what="case")
    try:
        if job == "pack":
            await fetch_receipts(house, owner_of(request), case_id)
        await house.cases.start(owner_of(request), case_id, _JOBS[job])
    except NotFound:
        raise
    except Refusal as refusal:
        return await case_page(request, house, case_id, type(refusal).__name__, refusal.details)
    return Redirect(f"/cases/{case_id}#work", status_code=303)


@post("/cases/{case_id:str}/forget", status_code=303)
async def forget(request: AnyRequest, house: NamedDependency[House], case_id: FromPath[str]) -> Response[Any]:
    """Erase the case."""
    await house.cases.forget(owner_of(request), case_id)
    return Redirect("/cases", status_code=303)


async def _changed(request: AnyRequest, house: House, case_id: str, act: str, edit: Edit, anchor: str) -> Response[Any]:
    at_ms = house.now_ms()
    try:
        await house.cases.change(owner_of(request), case_id, lambda folder: folder.change(act, edit, at_ms=at_ms))
    except CaseIsRefused as error:
        return await case_page(request, house, case_id, sentence=told_of(error))
    return Redirect(f"/cases/{case_id}#{anchor}", status_code=303)


def _problem(form: Mapping[str, str]) -> Problem:
    chosen = form.get("problem", "")
    return Problem(chosen) if chosen in {one.value for one in Problem} else Problem.OTHER


def _moment(text: str) -> int | None:
    """Beijing time as a browser writes it; 0 for nothing, None for nonsense."""
    if not text:
        return 0
    try:
        at_ms = round(datetime.fromisoformat(text).replace(tzinfo=CHINA).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
    return at_ms if at_ms > 0 else None


HANDLERS: Final = (begin, give, tell, confirm, step, work, forget)
