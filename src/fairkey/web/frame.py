"""What every page handler begins with, and the pages that say no: one place for who looks and how refusals are shown.

    context = frame(request, house)
    return render(context, "store/listing.html", …)
    return refused(request, house, answer.refusal, answer.details)      # a whole page that says no

Refusals that are raised (by the gates, by the house) become such pages by themselves; under cookie-free paths they
become problems as of RFC 9457, unless the route itself knows better.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote

from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from fairkey.business.basics import Refusal
from fairkey.engine.answers import Conflict, StoreIsAway
from fairkey.engine.batching import Stopping
from fairkey.engine.house import House
from fairkey.engine.people import ActorKind
from fairkey.gates.front_door import Shown, extra_headers
from fairkey.gates.problems import MEDIA_TYPE, Problems
from fairkey.gates.rules import is_cookie_free
from fairkey.gates.statuses import status_of
from fairkey.gates.visits import Visit
from fairkey.web.render import PageContext, Viewer, page_context, render_refusal, render_text, view_of

__all__ = ["AnyRequest", "exception_handlers", "frame", "refused", "shown_by", "status_of", "viewer_of"]

AnyRequest = Request[Any, Any, Any]

SIGN_IN: Final = "SignInNeeded"
_NAME_OF_STATUS: Final[Mapping[int, str]] = {404: "NotFound", 405: "MethodIsNotAllowed", 413: "TooLarge"}

logger = logging.getLogger(__name__)


def viewer_of(visit: Visit | None) -> Viewer:
    """Who looks: nobody known, a buyer, somebody of a shop, platform staff."""
    if visit is None or visit.session is None or visit.session.account is None:
        return Viewer()
    name = visit.session.account.display_name
    if visit.actor.kind is ActorKind.OPERATOR:
        return Viewer("operator", name)
    return Viewer("merchant" if visit.actor.shop_roles else "buyer", name)


def frame(request: AnyRequest, house: House) -> PageContext:
    """The context of a page for this request: language, theme, viewer, forms that belong to this browser."""
    visit = request.scope.get("auth")
    settings = house.settings
    return page_context(
        request,
        now_ms=house.now_ms(),
        viewer=viewer_of(visit if isinstance(visit, Visit) else None),
        platform_name=settings.platform_name,
        is_sandbox=settings.payment_provider == "sandbox",
        form_targets=(settings.sandbox_url,) if settings.sandbox_url else (),
    )


def refused(
    request: AnyRequest,
    house: House,
    refusal_name: str,
    details: Mapping[str, object] | None = None,
    *,
    back: str = "",
) -> Response[str]:
    """A whole page that says no, with the status that belongs to it; `back` is where its button leads."""
    told = dict(details or {})
    goal = back or str(told.get("back") or "/")
    status, goal = status_of(refusal_name), _way(refusal_name, goal)
    signs_in = refusal_name == SIGN_IN
    return render_refusal(frame(request, house), refusal_name, told, status_code=status, back=goal, signs_in=signs_in)


def _way(refusal_name: str, back: str) -> str:
    """Where the button of a page that says no leads."""
    return f"/login?back={quote(back, safe='')}" if refusal_name == SIGN_IN else back


def exception_handlers(away: Iterable[type[Exception]] = ()) -> ExceptionHandlersMap:
    """What becomes of anything a handler raises; for `Litestar(exception_handlers=…)`. `away`: what storage raises when
    it cannot be reached.
    """
    return {
        **dict.fromkeys(away, _on_absence),
        Refusal: _on_refusal,
        HTTPException: _on_http,
        StoreIsAway: _on_absence,
        Conflict: _on_absence,
        Stopping: _on_absence,
        Exception: _on_bug,
    }


def shown_by(house: House, problems: Problems) -> Shown:
    """How the front door shows its own refusals (forged form, too many requests): like the rest of the site."""

    def shown(scope: Any, refusal: Refusal) -> tuple[str, bytes]:  # noqa: ANN401 - the framework's scope
        name = type(refusal).__name__
        if is_cookie_free(scope["path"]):
            return MEDIA_TYPE, problems.tell(name, refusal.details).body
        context = frame(Request(scope), house)
        view = view_of(context, name, refusal.details)
        back = _way(name, str(refusal.details.get("back") or "/"))
        page = render_text(context, "refused.html", view=view, back=back, signs_in=name == SIGN_IN)
        return "text/html; charset=utf-8", page.encode()

    return shown


def _answer(
    request: AnyRequest, name: str, details: Mapping[str, object], *, status: int | None = None
) -> Response[Any]:
    house: House = request.app.state.house
    if is_cookie_free(request.scope["path"]):
        problems: Problems = request.app.state.problems
        told = problems.tell(name, details, status=status)
        return Response(told.body, status_code=told.status, media_type=MEDIA_TYPE)
    page = refused(request, house, name, details)
    page.status_code = status or page.status_code
    return page


def _on_refusal(request: AnyRequest, refusal: Refusal) -> Response[Any]:
    answer = _answer(request, type(refusal).__name__, refusal.details)
    for key, value in extra_headers(refusal):
        answer.headers[key.decode()] = value.decode()
    return answer


def _on_http(request: AnyRequest, error: HTTPException) -> Response[Any]:
    name = _NAME_OF_STATUS.get(error.status_code, "InvalidInput")
    details = {"what": "address"} if name == "NotFound" else {}
    answer = _answer(request, name, details, status=error.status_code)
    answer.headers.update(error.headers or {})  # `Allow`
    return answer


def _on_absence(request: AnyRequest, error: Exception) -> Response[Any]:
    logger.warning("an answer was not possible now: %s", type(error).__name__)
    return _answer(request, "Unavailable", {})


def _on_bug(request: AnyRequest, error: Exception) -> Response[Any]:
    logger.error("a page failed", exc_info=error)
    return _answer(request, "Unexpected", {})
