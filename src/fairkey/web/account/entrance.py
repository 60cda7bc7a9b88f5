"""Signing in, up and out; forgotten passwords; the demo's one-click doors."""

from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from fairkey.business.basics import Refusal
from fairkey.engine.house import House
from fairkey.gates.sessions import back_path, log_in, log_out, open_session
from fairkey.web.account import letters
from fairkey.web.frame import AnyRequest, frame, refused, status_of
from fairkey.web.render import render, view_of

# The people of the demo world, by the word on their button.
DEMO_DOORS: Final = {
    "buyer": "buyer@demo.fairkey.example",
    "merchant": "merchant@demo.fairkey.example",
    "careless": "careless@demo.fairkey.example",
    "crooked": "crooked@demo.fairkey.example",
    "operator": "operator@demo.fairkey.example",
}
LANDING: Final = {"merchant": "/desk", "careless": "/desk", "crooked": "/desk", "operator": "/floor", "buyer": "/"}


async def _form(request: Request[Any, Any, Any]) -> dict[str, str]:
    return {key: value for key, value in (await request.form()).items() if isinstance(value, str)}


def _sign_in_page(
    request: AnyRequest, house: House, *, email: str = "", back: str = "/", refusal: Refusal | None = None
) -> Response[str]:
    context = frame(request, house)
    name = type(refusal).__name__
    return render(
        context,
        "account/login.html",
        status_code=status_of(name) if refusal else 200,
        email=email,
        back=back,
        doors=list(DEMO_DOORS) if house.settings.mode == "demo" else [],
        refusal=view_of(context, name, refusal.details) if refusal else None,
    )


@get("/login")
async def login_page(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """The form; `?back=` says where to go afterwards."""
    return _sign_in_page(request, house, back=back_path(request.query_params.get("back")))


@post("/login", status_code=303)
async def login(request: AnyRequest, house: NamedDependency[House]) -> Response[Any]:
    """Check e-mail and password."""
    form = await _form(request)
    back = back_path(form.get("back"))
    try:
        account, cookie = await log_in(request, email=form.get("email", ""), password=form.get("password", ""))
    except Refusal as refusal:
        return _sign_in_page(request, house, email=form.get("email", "")[:254], back=back, refusal=refusal)
    landing = "/floor" if account.is_operator and back == "/" else back
    return Redirect(landing, status_code=303, cookies=[cookie])


@post("/logout", status_code=303)
async def logout(request: AnyRequest) -> Redirect:
    """End this browser's session."""
    return Redirect("/", status_code=303, cookies=[await log_out(request)])


@get("/register")
async def register_page(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """The form."""
    back = back_path(request.query_params.get("back"))
    return render(
        frame(request, house), "account/register.html", email="", display_name="", refusal=None, back=back
    )


@post("/register", status_code=303)
async def register(request: AnyRequest, house: NamedDependency[House]) -> Response[Any]:
    """Make an account and let its owner in. With a taken address the page is the same, and nobody is let in."""
    form = await _form(request)
    context = frame(request, house)
    back = back_path(form.get("back"))
    try:
        registration = await house.people.accounts.register(
            email=form.get("email", ""),
            password=form.get("password", ""),
            display_name=form.get("display_name", ""),
            locale=context.locale,
        )
    except Refusal as refusal:
        name = type(refusal).__name__
        return render(
            context,
            "account/register.html",
            status_code=status_of(name),
            email=form.get("email", "")[:254],
            display_name=form.get("display_name", "")[:80],
            refusal=view_of(context, name, refusal.details),
            back=back,
        )
    await letters.post(house, registration.errand)
    return render(context, "account/registered.html", has_mail=house.mail is not None, back=back)


@get("/verify/{token:str}")
async def verify(request: AnyRequest, house: NamedDependency[House], token: FromPath[str]) -> Response[str]:
    """A link from a mail: the address is its owner's."""
    try:
        await house.people.accounts.verify_email(token)
    except Refusal as refusal:
        return refused(request, house, type(refusal).__name__, refusal.details, back="/account")
    return render(frame(request, house), "account/verified.html")


@get("/forgot")
async def forgot_page(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """Ask for a link to set a new password."""
    return render(frame(request, house), "account/forgot.html", was_sent=False, has_mail=house.mail is not None)


@post("/forgot", status_code=200)
async def forgot(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """The same answer whether there is such an account or not."""
    form = await _form(request)
    await letters.post(house, await house.people.accounts.ask_reset(form.get("email", "")))
    return render(frame(request, house), "account/forgot.html", was_sent=True, has_mail=house.mail is not None)


@get("/reset/{token:str}")
async def reset_page(request: AnyRequest, house: NamedDependency[House], token: FromPath[str]) -> Response[str]:
    """The form for a new password."""
    return render(frame(request, house), "account/reset.html", token=token, refusal=None)


@post("/reset/{token:str}", status_code=303)
async def reset(request: AnyRequest, house: NamedDependency[House], token: FromPath[str]) -> Response[Any]:
    """Set it, and let the owner in."""
    form = await _form(request)
    context = frame(request, house)
    try:
        account = await house.people.accounts.reset_password(token, form.get("password", ""))
    except Refusal as refusal:
        name = type(refusal).__name__
        view = view_of(context, name, refusal.details)
        return render(context, "account/reset.html", status_code=status_of(name), token=token, refusal=view)
    return Redirect("/account", status_code=303, cookies=[await open_session(request, account)])


@post("/demo/enter/{who:str}", status_code=303)
async def demo_enter(request: AnyRequest, house: NamedDependency[House], who: FromPath[str]) -> Response[Any]:
    """One click, in the demo only: be the buyer, a merchant, the operator; then back to where one came from."""
    address = DEMO_DOORS.get(who)
    account = await house.people.accounts.find_by_email(address) if address else None
    if house.settings.mode != "demo" or account is None:
        return refused(request, house, "NotFound", {"what": "page"})
    back = back_path((await _form(request)).get("back"))
    landing = LANDING[who] if back == "/" else back
    return Redirect(landing, status_code=303, cookies=[await open_session(request, account)])


HANDLERS: Final = [
    login_page,
    login,
    logout,
    register_page,
    register,
    verify,
    forgot_page,
    forgot,
    reset_page,
    reset,
    demo_enter,
]
