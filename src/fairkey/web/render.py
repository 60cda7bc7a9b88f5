"""From values to a page: the template environment per language, and the response with the right headers.

Handlers do ``render(page_context(request, …), "buyer/order.html", order=row)``. What a template may rely on beside
its own values is listed in ``templates/components/README.md``.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache, partial
from operator import attrgetter
from typing import Any, Final, Literal, cast
from urllib.parse import parse_qsl, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import MediaType, Request, Response
from litestar.datastructures import Cookie
from markupsafe import Markup

from fairkey.gates.csrf import make_token
from fairkey.gates.visits import Visit
from fairkey.web import formats
from fairkey.web.charts import bar_layout, line_layout
from fairkey.web.i18n import LOCALE_NAMES, LOCALES, WEB, Locale, choose_locale, locale_named, texts_of
from fairkey.web.icons import icon
from fairkey.web.navigation import NAVIGATION, Role
from fairkey.web.refusals import RefusalView, refusal_view
from fairkey.web.states import look

Theme = Literal["auto", "light", "dark"]
THEMES: Final[tuple[Theme, ...]] = ("auto", "light", "dark")

LANGUAGE_COOKIE: Final = "fk_lang"
THEME_COOKIE: Final = "fk_theme"
_PREFERENCE_MAX_AGE_S: Final = 365 * 86_400

HEADERS: Final[Mapping[str, str]] = {
    # Nothing of an address goes to anybody else. Not `no-referrer`: with it browsers send `Origin: null` on our own
    # forms, and the door would take them for forged.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "Vary": "Cookie, Accept-Language",
}


def content_security_policy(form_targets: Sequence[str] = ()) -> str:
    """The policy of every page: nothing inline, nothing from elsewhere.

    ``form_targets`` are origins (``https://pay.example``) a form may end up at: browsers apply ``form-action`` to
    redirects too, so the payment provider's origin has to be named if paying is a POST that redirects.
    """
    return "; ".join(
        (
            "default-src 'none'",
            "style-src 'self'",
            "script-src 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "manifest-src 'self'",
            " ".join(("form-action 'self'", *form_targets)),
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at the page. ``name`` is what the top bar shows: an e-mail address, a shop's name."""

    role: Role = "guest"
    name: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """A message above the page. ``text`` is already in the reader's language."""

    text: str
    tone: Literal["good", "hold", "wait", "bad"] = "good"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageContext:
    """All that the frame of a page depends on beside the page's own values.

    ``path`` and ``query`` are those of the request; ``query`` without ``lang`` and ``theme``. ``chosen`` are wishes
    that this very request expressed and the response has to remember as cookies. ``make_csrf_token`` is asked only by
    forms, because a guest's first form makes a cookie be set.
    """

    platform_name: str = "fairkey"
    locale: Locale = "zh_CN"
    theme: Theme = "auto"
    path: str = "/"
    query: str = ""
    make_csrf_token: Callable[[], str] = str
    now_ms: int = 0
    viewer: Viewer = Viewer()
    notices: tuple[Notice, ...] = ()
    is_sandbox: bool = False
    form_targets: tuple[str, ...] = ()
    static_base: str = "/static"
    chosen: Mapping[str, str] = field(default_factory=dict)

    def here(self, **changes: str) -> str:
        """The page's address with some query parameters changed, for links such as a language switch or a pager."""
        pairs = [(key, value) for key, value in parse_qsl(self.query) if key not in changes]
        pairs += [(key, value) for key, value in changes.items() if value]
        return f"{self.path}?{urlencode(pairs)}" if pairs else self.path

    def noticing(self, text: str, tone: Literal["good", "hold", "wait", "bad"] = "good") -> "PageContext":
        """The same context with one more message above the page."""
        return replace(self, notices=(*self.notices, Notice(text, tone)))


def page_context(
    request: Request[Any, Any, Any],
    *,
    now_ms: int,
    viewer: Viewer = Viewer(),
    platform_name: str = "fairkey",
    is_sandbox: bool = False,
    form_targets: tuple[str, ...] = (),
) -> PageContext:
    """The context of a page for a request: its language, theme, address and CSRF token."""
    query = dict(request.query_params)
    chosen: dict[str, str] = {}
    if asked := locale_named(query.get("lang")):
        chosen[LANGUAGE_COOKIE] = asked
    if query.get("theme") in THEMES:
        chosen[THEME_COOKIE] = query["theme"]
    theme = chosen.get(THEME_COOKIE) or request.cookies.get(THEME_COOKIE)
    visit = request.scope.get("auth")
    pairs = [(key, value) for key, value in request.query_params.multi_items() if key not in {"lang", "theme"}]
    return PageContext(
        platform_name=platform_name,
        locale=choose_locale(
            query=query.get("lang"),
            cookie=request.cookies.get(LANGUAGE_COOKIE),
            accept_language=request.headers.get("accept-language"),
        ),
        theme=theme if theme in THEMES else "auto",
        path=request.url.path,
        query=urlencode(pairs),
        make_csrf_token=partial(make_token, visit) if isinstance(visit, Visit) else str,
        now_ms=now_ms,
        viewer=viewer,
        is_sandbox=is_sandbox,
        form_targets=form_targets,
        chosen=chosen,
    )


_CURRENT: ContextVar[PageContext] = ContextVar("_CURRENT")
"""The page being rendered, for what macros need (they do not see the values of the page that calls them)."""


@lru_cache(maxsize=256)
def _fingerprint(name: str) -> str:
    return hashlib.sha256((WEB / "static" / name).read_bytes()).hexdigest()[:10]


def static_url(name: str) -> str:
    """Address of a file below ``static/``; it changes with the content, so browsers may keep the file for ever."""
    return f"{_CURRENT.get().static_base}/{name}?v={_fingerprint(name)}"


def csrf_field() -> Markup:
    """The hidden field every form that posts must contain, as its first field."""
    return Markup('<input type="hidden" name="_csrf_token" value="{}">').format(_CURRENT.get().make_csrf_token())


@cache
def environment(locale: Locale) -> Environment:
    """The template environment of a language. Undefined values are errors; all but ``Markup`` is escaped."""
    texts = texts_of(locale)
    env = Environment(
        loader=FileSystemLoader(WEB / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    env.policies["ext.i18n.trimmed"] = True
    install = cast("Any", env).install_gettext_callables  # added to the environment by the extension
    install(texts.gettext, texts.ngettext, newstyle=True, pgettext=texts.pgettext, npgettext=texts.npgettext)
    env.filters.update(formats.for_locale(locale))
    env.filters["tr"] = texts.gettext
    env.filters["said"] = attrgetter("zh" if locale == "zh_CN" else "en")  # of texts that carry both (casework)
    env.globals.update(
        icon=icon,
        look=look,
        static_url=static_url,
        csrf_field=csrf_field,
        page=_CURRENT.get,
        fen_parts=formats.fen_parts,
        bar_layout=bar_layout,
        line_layout=line_layout,
        locale=locale,
        html_lang=locale.replace("_", "-"),
        locales=[(name, LOCALE_NAMES[name]) for name in LOCALES],
        navigation=NAVIGATION,
    )
    return env


def render_text(context: PageContext, template: str, **values: object) -> str:
    """A template as text, in the language and for the moment of ``context``."""
    page_token = _CURRENT.set(context)
    now_token = formats.NOW_MS.set(context.now_ms or None)
    try:
        return environment(context.locale).get_template(template).render(values)
    finally:
        formats.NOW_MS.reset(now_token)
        _CURRENT.reset(page_token)


def render(context: PageContext, template: str, *, status_code: int = 200, **values: object) -> Response[str]:
    """A page as a response: HTML, security headers, language, not cached, preferences remembered."""
    return Response(
        render_text(context, template, **values),
        status_code=status_code,
        media_type=MediaType.HTML,
        headers={
            **HEADERS,
            "Content-Security-Policy": content_security_policy(context.form_targets),
            "Content-Language": context.locale.replace("_", "-"),
            "Cache-Control": "private, no-store",
        },
        cookies=[
            Cookie(key=key, value=value, path="/", max_age=_PREFERENCE_MAX_AGE_S, samesite="lax")
            for key, value in context.chosen.items()
        ],
    )


def render_refusal(
    context: PageContext,
    refusal_name: str,
    details: Mapping[str, object] | None = None,
    *,
    status_code: int,
    back: str = "/",
    signs_in: bool = False,
) -> Response[str]:
    """A whole page that says no: what happened, why, what to do next; ``back`` is where the button leads, which is
    back, or with ``signs_in`` to the form and then here again.
    """
    view = view_of(context, refusal_name, details)
    return render(context, "refused.html", status_code=status_code, view=view, back=back, signs_in=signs_in)


def view_of(context: PageContext, refusal_name: str, details: Mapping[str, object] | None = None) -> RefusalView:
    """The refusal's sentences in the language of ``context``, to be shown inside a page by the macro ``refusal``."""
    return refusal_view(refusal_name, details, context.locale)
