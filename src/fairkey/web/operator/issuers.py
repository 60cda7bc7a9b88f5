"""Issuers: register, give another key, change products and licence API, suspend, reinstate; and asking one."""

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from fairkey.business.askers import Asker
from fairkey.business.basics import PLATFORM, Command, NotFound, Refusal
from fairkey.business.issuers import (
    ChangeIssuerApi,
    ChangeIssuerScope,
    RegisterIssuer,
    ReinstateIssuer,
    RotateIssuerKey,
    SuspendIssuer,
)
from fairkey.business.outages import EndOutage
from fairkey.engine import attesting, outaging, trade
from fairkey.engine.answers import Answer
from fairkey.engine.house import House
from fairkey.web.frame import AnyRequest, frame, refused, status_of
from fairkey.web.render import render, view_of

PATH: Final = "/floor/issuers"
SHANGHAI: Final = timezone(timedelta(hours=8))


@get(PATH)
async def issuers(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """All issuers, and the form for a new one."""
    return await _page(request, house)


@post(PATH, status_code=303)
async def register(request: AnyRequest, house: NamedDependency[House]) -> Response[Any]:
    """Register an issuer whose identity and key the operator has checked."""
    given = await _given(request)
    issuer_id = house.new_id()
    command = RegisterIssuer(
        shop_id=PLATFORM,
        issuer_id=issuer_id,
        name=given.get("name", ""),
        public_key=_key(given),
        speaks_for=_words(given),
        contact=given.get("contact", ""),
    )
    return await _ask(request, house, command, "registered", issuer_id, given)


@post(f"{PATH}/{{issuer_id:str}}/{{action:str}}", status_code=303)
async def act(
    request: AnyRequest, house: NamedDependency[House], issuer_id: FromPath[str], action: FromPath[str]
) -> Response[Any]:
    """One step with one issuer."""
    given = await _given(request)
    if action == "outage" and _is_id(issuer_id):
        return await _find_outage(request, house, issuer_id, given)
    make = _ACTS.get(action)
    if make is None or not _is_id(issuer_id):
        return refused(request, house, "NotFound", {"what": "issuer"}, back=PATH)
    return await _ask(request, house, make({"shop_id": PLATFORM, "issuer_id": issuer_id}, given), action, issuer_id)


@post("/floor/complaints/{reference:str}/ask-issuer", status_code=303)
async def ask_issuer(request: AnyRequest, house: NamedDependency[House], reference: FromPath[str]) -> Response[Any]:
    """Ask an issuer's licence API about the opened codes of a complaint; both parties see what it answers."""
    where = await trade.locate(house, reference)
    record = await house.questions.order_book.find(*where) if where else None
    issuer_id = (await _given(request)).get("issuer_id", "")
    back = f"/floor/complaints/{reference}"
    if record is None or not record.file.complaint.opened_at_ms or not _is_id(issuer_id):
        return refused(request, house, "NotFound", {"what": "complaint"}, back="/floor/complaints")
    codes = [one.code_id for one in record.file.codes.held if one.stage.value == "revealed"]
    try:
        await attesting.ask_issuer(
            house,
            shop_id=record.shop_id,
            listing_id=record.file.order.listing_id,
            code_ids=codes,
            issuer_id=issuer_id,
        )
    except Refusal as refusal:
        return refused(request, house, type(refusal).__name__, refusal.details, back=back)
    target = f"order:{record.order_id}"
    await house.people.audit.write(request.user, "issuer.asked", target=target, detail={"issuer_id": issuer_id})
    return Redirect(back, status_code=303)


async def _find_outage(
    request: AnyRequest, house: House, issuer_id: str, given: Mapping[str, str]
) -> Response[Any]:
    """The operator says since when; the house counts what shows it."""
    try:
        answer = await outaging.find_outage(
            house,
            issuer_id,
            began_at_ms=_moment(given.get("began")),
            page_url=given.get("page_url", ""),
            page_sha256=given.get("page_sha256", "").lower(),
            reason=given.get("reason", ""),
        )
    except NotFound as refusal:
        return refused(request, house, "NotFound", refusal.details, back=PATH)
    if answer.refusal:
        return await _page(request, house, answer, given)
    await house.people.audit.write(request.user, "issuer.outage", target=f"issuer:{issuer_id}")
    return Redirect(f"{PATH}#i-{issuer_id}", status_code=303)


_Ids = dict[str, str]


def _rotate(ids: _Ids, given: Mapping[str, str]) -> Command:
    return RotateIssuerKey(**ids, public_key=_key(given), at_once=bool(given.get("at_once")))


def _scope(ids: _Ids, given: Mapping[str, str]) -> Command:
    return ChangeIssuerScope(**ids, speaks_for=_words(given))


def _api(ids: _Ids, given: Mapping[str, str]) -> Command:
    return ChangeIssuerApi(**ids, url=given.get("url", ""), token=given.get("token", ""))


def _suspend(ids: _Ids, given: Mapping[str, str]) -> Command:
    return SuspendIssuer(**ids, reason=given.get("reason", ""))


def _reinstate(ids: _Ids, given: Mapping[str, str]) -> Command:
    return ReinstateIssuer(**ids, reason=given.get("reason", ""))


def _outage_over(ids: _Ids, given: Mapping[str, str]) -> Command:
    return EndOutage(**ids, ended_at_ms=_moment(given.get("ended")), reason=given.get("reason", ""))


_ACTS: Final = {
    "key": _rotate,
    "scope": _scope,
    "api": _api,
    "suspend": _suspend,
    "reinstate": _reinstate,
    "outage-over": _outage_over,
}


async def _ask(
    request: AnyRequest,
    house: House,
    command: Command,
    action: str,
    issuer_id: str,
    given: Mapping[str, str] | None = None,
) -> Response[Any]:
    answer = await house.ask(Asker.OPERATOR, command)
    if answer.refusal:
        return await _page(request, house, answer, given)
    await house.people.audit.write(request.user, f"issuer.{action}", target=f"issuer:{issuer_id}")
    return Redirect(f"{PATH}#i-{issuer_id}", status_code=303)


async def _page(
    request: AnyRequest, house: House, answer: Answer | None = None, given: Mapping[str, str] | None = None
) -> Response[str]:
    context = frame(request, house)
    return render(
        context,
        "operator/issuers.html",
        status_code=status_of(answer.refusal) if answer else 200,
        records=await house.questions.issuers.issuers(),
        given=given or {},
        refusal=view_of(context, answer.refusal, answer.details) if answer else None,
    )


async def _given(request: AnyRequest) -> dict[str, str]:
    return {str(name): str(value).strip() for name, value in (await request.form()).items()}


def _moment(text: str | None) -> int:
    """A moment typed in China's time; 0 for what is none."""
    try:
        read = datetime.fromisoformat(text or "")
    except ValueError:
        return 0
    return int(read.replace(tzinfo=SHANGHAI).timestamp() * 1_000)


def _key(given: Mapping[str, str]) -> str:
    return given.get("public_key", "").lower()


def _words(given: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(line.strip() for line in given.get("speaks_for", "").splitlines() if line.strip())


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


HANDLERS: Final = [issuers, register, act, ask_issuer]
