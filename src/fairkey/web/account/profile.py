"""The page of one's own account."""

from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from fairkey.business.basics import Refusal
from fairkey.engine.house import House
from fairkey.gates.sessions import log_out
from fairkey.gates.visits import visit_of
from fairkey.web.account import letters
from fairkey.web.frame import AnyRequest, frame, status_of
from fairkey.web.i18n import texts_of
from fairkey.web.render import render, view_of

_DONE: Final = frozenset({"profile", "password", "sessions", "letter"})


async def _page(request: AnyRequest, house: House, refusal: Refusal | None = None) -> Response[str]:
    visit = visit_of(request.scope)
    account_id = visit.actor.account_id
    assert account_id is not None
    assert visit.session is not None
    context = frame(request, house)
    done = request.query_params.get("done", "")
    if done in _DONE and refusal is None:
        context = context.noticing(texts_of(context.locale).gettext("Saved."))
    name = type(refusal).__name__
    account = await house.people.accounts.find(account_id)
    return render(
        context,
        "account/account.html",
        status_code=status_of(name) if refusal else 200,
        account=account,
        email=await house.people.accounts.email_of(account_id),
        sessions=await house.people.sessions.of_account(account_id),
        here=visit.session.ref,
        has_shop=bool(visit.actor.shop_roles),
        refusal=view_of(context, name, refusal.details) if refusal else None,
    )


@get("/account")
async def account_page(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """Name, address, password, browsers."""
    return await _page(request, house)


@post("/account", status_code=303)
async def change_profile(request: AnyRequest, house: NamedDependency[House]) -> Response[Any]:
    """A new name or language."""
    form = await request.form()
    try:
        await house.people.accounts.change_profile(
            _account_id(request),
            display_name=str(form.get("display_name", "")),
            locale=str(form.get("locale", "zh_CN")),
        )
    except Refusal as refusal:
        return await _page(request, house, refusal)
    return Redirect("/account?done=profile", status_code=303)


@post("/account/password", status_code=303)
async def change_password(request: AnyRequest, house: NamedDependency[House]) -> Response[Any]:
    """A new password; every other browser is logged out."""
    form = await request.form()
    visit = visit_of(request.scope)
    try:
        await house.people.accounts.change_password(
            _account_id(request),
            old=str(form.get("old", "")),
            new=str(form.get("new", "")),
            address=visit.actor.address,
            keep_token=visit.token,
        )
    except Refusal as refusal:
        return await _page(request, house, refusal)
    return Redirect("/account?done=password", status_code=303)


@post("/account/verification", status_code=303)
async def ask_verification(request: AnyRequest, house: NamedDependency[House]) -> Redirect:
    """Send the link that proves the address again."""
    await letters.post(house, await house.people.accounts.ask_verification(_account_id(request)))
    return Redirect("/account?done=letter", status_code=303)


@post("/account/sessions/{session_ref:str}", status_code=303)
async def end_session(request: AnyRequest, house: NamedDependency[House], session_ref: FromPath[str]) -> Redirect:
    """Log one other browser out."""
    await house.people.sessions.close_one(_account_id(request), session_ref)
    return Redirect("/account?done=sessions", status_code=303)


@post("/account/leave-all", status_code=303)
async def leave_all(request: AnyRequest) -> Redirect:
    """Log every browser out, this one too."""
    return Redirect("/", status_code=303, cookies=[await log_out(request, everywhere=True)])


@post("/account/close", status_code=303)
async def close_account(request: AnyRequest, house: NamedDependency[House]) -> Response[Any]:
    """Erase address, name and password; orders stay as they are."""
    form = await request.form()
    visit = visit_of(request.scope)
    try:
        await house.people.accounts.close(
            _account_id(request), password=str(form.get("password", "")), address=visit.actor.address
        )
    except Refusal as refusal:
        return await _page(request, house, refusal)
    return Redirect("/", status_code=303, cookies=[await log_out(request)])


def _account_id(request: AnyRequest) -> str:
    account_id = visit_of(request.scope).actor.account_id
    assert account_id is not None, "the gate lets accounts in only"
    return account_id


HANDLERS: Final = [
    account_page,
    change_profile,
    change_password,
    ask_verification,
    end_session,
    leave_all,
    close_account,
]
