"""Joint cases on the site: join those with the same shop, release a statement, name two to speak, take the pack."""

import asyncio
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from fairkey.business.basics import NotFound, Refusal
from fairkey.casework.folder import CaseFolder
from fairkey.casework.joint.claims import Claim, JointIsRefused, claim_of
from fairkey.casework.joint.shops import identity_of
from fairkey.casework.model import Case
from fairkey.casework.moments import CHINA
from fairkey.casework.texts import Words, told_of
from fairkey.casework.texts import words as words_of
from fairkey.engine.house import House
from fairkey.engine.joint_port import SHOWN_FROM, Bundle, JointIsNotReady
from fairkey.web.cases import words
from fairkey.web.cases.pages import NO_STORE, owner_of
from fairkey.web.frame import AnyRequest, frame, status_of
from fairkey.web.inputs import form_of
from fairkey.web.render import render, view_of

_WRITING: Final = asyncio.Semaphore(1)  # one pack at a time: its pages are set in this process


@get("/cases/{case_id:str}/together")
async def together(request: AnyRequest, house: NamedDependency[House], case_id: FromPath[str]) -> Response[str]:
    """The group as this member sees it."""
    return await _page(request, house, case_id)


@post("/cases/{case_id:str}/together/join", status_code=303)
async def join(request: AnyRequest, house: NamedDependency[House], case_id: FromPath[str]) -> Response[Any]:
    """Join those with the same shop."""
    owner = owner_of(request)
    case = await house.cases.look(owner, case_id, CaseFolder.read)
    try:
        await house.joint.join(owner, case_id, identity_of(case), _claim(house, case))
    except JointIsRefused as error:
        return await _page(request, house, case_id, sentence=told_of(error))
    except JointIsNotReady as refusal:
        return await _page(request, house, case_id, refusal)
    return _back(case_id)


@post("/cases/{case_id:str}/together/leave", status_code=303)
async def leave(request: AnyRequest, house: NamedDependency[House], case_id: FromPath[str]) -> Response[Any]:
    """Leave, and take everything back."""
    await house.cases.row(owner_of(request), case_id)
    await house.joint.leave(owner_of(request), case_id)
    return _back(case_id)


@post("/cases/{case_id:str}/together/release", status_code=303)
async def release(request: AnyRequest, house: NamedDependency[House], case_id: FromPath[str]) -> Response[Any]:
    """Release the statement for the two who will speak."""
    owner = owner_of(request)
    form = await form_of(request)
    row = await house.cases.row(owner, case_id)
    case = await house.cases.look(owner, case_id, CaseFolder.read)
    with_pack = row.has_pack and form.get("with_pack") == "1"
    try:
        claim = _claim(house, case)
        if not (case.buyer.name and case.buyer.phone and case.buyer.address):
            raise JointIsRefused(words_of("site.joint_who"))  # noqa: TRY301
        await house.joint.release(owner, case_id, claim, speaks=form.get("speaks") == "1", with_pack=with_pack)
    except JointIsRefused as error:
        return await _page(request, house, case_id, sentence=told_of(error))
    except JointIsNotReady as refusal:
        return await _page(request, house, case_id, refusal)
    return _back(case_id)


@post("/cases/{case_id:str}/together/withhold", status_code=303)
async def withhold(request: AnyRequest, house: NamedDependency[House], case_id: FromPath[str]) -> Response[Any]:
    """Take the statement back, and stay."""
    await house.cases.row(owner_of(request), case_id)
    await house.joint.take_back(owner_of(request), case_id)
    return _back(case_id)


@post("/cases/{case_id:str}/together/choose", status_code=303)
async def choose(request: AnyRequest, house: NamedDependency[House], case_id: FromPath[str]) -> Response[Any]:
    """Name the two who speak for all."""
    form = await form_of(request)
    await house.cases.row(owner_of(request), case_id)
    try:
        await house.joint.choose(owner_of(request), case_id, (form.get("first", ""), form.get("second", "")))
    except JointIsNotReady as refusal:
        return await _page(request, house, case_id, refusal)
    return _back(case_id)


@post("/cases/{case_id:str}/together/pack", status_code=200)
async def pack(request: AnyRequest, house: NamedDependency[House], case_id: FromPath[str]) -> Response[Any]:
    """The joint pack, for a representative: made now, kept nowhere. Nobody who withdrew meanwhile is in it."""
    owner = owner_of(request)
    await house.cases.row(owner, case_id)
    place = house.cases.receiving()
    try:
        bundle = await house.joint.bundle(owner, case_id)
        data = await _packed(house, bundle, place)
        await house.joint.require_unchanged(owner, case_id, bundle)
    except JointIsNotReady as refusal:
        return await _page(request, house, case_id, refusal)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    headers = {**NO_STORE, "content-disposition": 'attachment; filename="joint.zip"'}
    return Response(data, media_type="application/zip", headers=headers)


async def _packed(house: House, bundle: Bundle, place: Path) -> bytes:
    from fairkey.casework.joint.making import make_joint_pack_of_claims  # noqa: PLC0415 - heavy, of the extra "cases"

    packs = {}
    for number, one in enumerate(bundle.released, 1):
        if one.with_pack:
            path = place / f"{number}.zip"
            try:
                path.write_bytes(await house.cases.pack(one.account_id, one.case_id))
            except NotFound:
                raise JointIsNotReady(why="changed") from None
            packs[number] = path
    claims = [one.claim for one in bundle.released]
    async with _WRITING:
        made = await asyncio.to_thread(
            make_joint_pack_of_claims,
            claims,
            packs,
            place / "joint",
            representatives=bundle.representatives,
            as_of_ms=house.now_ms(),
        )
        return await asyncio.to_thread(made.zip.read_bytes)


async def _page(
    request: AnyRequest, house: House, case_id: str, refusal: Refusal | None = None, sentence: Words | None = None
) -> Response[str]:
    owner = owner_of(request)
    row = await house.cases.row(owner, case_id)
    case = await house.cases.look(owner, row.case_id, CaseFolder.read)
    context = frame(request, house)
    name = type(refusal).__name__ if refusal else ""
    return render(
        context,
        "cases/together.html",
        status_code=status_of(name) if name else 422 if sentence else 200,
        case=case,
        row=row,
        path=f"/cases/{row.case_id}/together",
        group=await house.joint.group(owner, row.case_id),
        shown_from=SHOWN_FROM,
        problems={kind.value: word for kind, word in words.PROBLEMS.items()},
        refusal=view_of(context, name, refusal.details) if refusal else None,
        sentence=sentence,
    )


def _claim(house: House, case: Case) -> Claim:
    return claim_of(case, datetime.fromtimestamp(house.now_ms() / 1000, CHINA).date())


def _back(case_id: str) -> Response[Any]:
    return Redirect(f"/cases/{case_id}/together", status_code=303)


HANDLERS: Final = (together, join, leave, release, withhold, choose, pack)
