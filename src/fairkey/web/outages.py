"""Outages of issuers for everybody: what lasts, what is over, who said so; and the issuer's own door for his word."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect

from fairkey.business.basics import Refusal
from fairkey.engine import attesting, outaging
from fairkey.engine.attesting import StatementIsUnreadable
from fairkey.engine.house import House
from fairkey.web.frame import AnyRequest, frame, status_of
from fairkey.web.inputs import form_of
from fairkey.web.render import render, view_of

PATH: Final = "/outages"


class _Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    statement: str
    signature: str


@get(PATH)
async def outages(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """All outages, the latest beginning first."""
    return await _page(request, house)


@post(PATH, status_code=303)
async def say(request: AnyRequest, house: NamedDependency[House]) -> Response[Any]:
    """An issuer hands in what he signed; his signature is all that counts."""
    text = (await form_of(request)).get("signed", "")
    try:
        signed = msgspec.json.decode(text.encode(errors="replace"), type=_Signed)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return await _page(request, house, StatementIsUnreadable.__name__, {"place": 1, "why": "not JSON"}, text)
    try:
        _, answer = await attesting.take_outage(house, signed.statement, signed.signature)
    except Refusal as refusal:
        return await _page(request, house, type(refusal).__name__, refusal.details, text)
    if answer.refusal:
        return await _page(request, house, answer.refusal, answer.details, text)
    return Redirect(PATH, status_code=303)


async def _page(
    request: AnyRequest,
    house: House,
    refusal: str = "",
    details: Mapping[str, object] | None = None,
    typed: str = "",
) -> Response[str]:
    context = frame(request, house)
    return render(
        context,
        "outages.html",
        status_code=status_of(refusal) if refusal else 200,
        lines=await outaging.every(house),
        refusal=view_of(context, refusal, details or {}) if refusal else None,
        typed=typed[:10_000],
    )


HANDLERS: Final = [outages, say]
