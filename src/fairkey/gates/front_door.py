"""The front door: wraps the whole ASGI application, so that also errors, unknown paths and streams pass through it.

In this order: security headers on whatever is answered, the caller's address, the limit per network, who is asking,
forged forms. Inside the application the guard (`FrontDoor.guard`) looks the routed request up in the table of
permissions.
"""

import html
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from litestar.enums import ScopeType

from fairkey.business.basics import Refusal
from fairkey.engine.people import ActorKind, People, network_of
from fairkey.gates import csrf, headers, limits, permissions
from fairkey.gates.addresses import caller_address
from fairkey.gates.order_access import OrderDoor
from fairkey.gates.pow import ProofOfWork
from fairkey.gates.refusals import STATUS, NotAllowed, SessionExpired, TooManyRequests
from fairkey.gates.rules import GateRules, is_cookie_free
from fairkey.gates.sessions import KnownKeys, back_path, resolve, session_cookie
from fairkey.gates.visits import Visit, visit_of

if TYPE_CHECKING:
    from litestar.connection import ASGIConnection
    from litestar.handlers import BaseRouteHandler
    from litestar.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

# How a refusal of the door itself is shown: (scope, refusal) -> content type and body. Status and headers are the
# door's.
Shown = Callable[["Scope", Refusal], tuple[str, bytes]]

ORDER_PARAMETER: Final = "ref"  # routes of one order name their path parameter so
# A provider speaks from one address in bursts, a page brings a dozen files: neither shall use up its network's budget.
UNCOUNTED: Final = ("/callbacks/", "/static/")
SEED_COOKIE_S: Final = 24 * 3600
_READ_HEADERS: Final = frozenset({
    b"cookie", b"authorization", b"x-forwarded-for", b"origin", b"sec-fetch-site", b"host", b"content-type", b"referer",
    csrf.HEADER,
})  # fmt: skip


class FrontDoor:
    """One per process. `wrap(app)` goes around the finished application, `guard` into `Litestar(guards=[…])`."""

    def __init__(
        self,
        *,
        rules: GateRules,
        people: People,
        table: Mapping[str, permissions.Gate],
        check_order_secret: Callable[[str, str], bool],
        buyer_account_of: Callable[[str], Awaitable[str | None]],
        now_ms: Callable[[], int],
        shown: Shown | None = None,
    ) -> None:
        """`shown` renders the door's own refusals (429, 403, 401) like the rest of the site; else they are plain."""
        self.rules = rules
        self.people = people
        self.table = table
        self.orders = OrderDoor(check_order_secret, buyer_account_of, now_ms)
        self.work = ProofOfWork(rules.key_for("proof of work"), rules.pow_difficulty_bits, now_ms)
        self.buckets = limits.Buckets(factor=rules.limit_factor)
        self.known_keys = KnownKeys(people.api_keys)
        self._now_ms = now_ms
        self._shown = shown or _plainly
        self._security = headers.security_headers(rules)

    def wrap(self, app: "ASGIApp") -> "ASGIApp":
        """The application with the door in front of it."""

        async def behind_the_door(scope: "Scope", receive: "Receive", send: "Send") -> None:
            if scope["type"] == ScopeType.HTTP:
                await self._enter(app, scope, receive, send)
            else:
                await app(scope, receive, send)

        return behind_the_door

    async def _enter(self, app: "ASGIApp", scope: "Scope", receive: "Receive", send: "Send") -> None:
        read: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:
            if name in _READ_HEADERS:
                # Proxies may add a line of their own, or split cookies into several.
                glue = b"; " if name == b"cookie" else b", "
                read[name] = read[name] + glue + value if name in read else value
        text = {name: value.decode("latin-1") for name, value in read.items()}
        client = scope.get("client")
        address = caller_address(
            client[0] if client else "", text.get(b"x-forwarded-for", ""), self.rules.trusted_proxies
        )
        visit: Visit | None = None

        async def completed_send(message: "Message") -> None:
            if message["type"] == "http.response.start":
                sent = [*message["headers"], *(self._cookies_to_set(visit, list(message["headers"])) if visit else ())]
                message["headers"] = headers.completed(sent, self._security)
            await send(message)

        try:
            if not scope["path"].startswith(UNCOUNTED):
                self._take("everything", network_of(address))
            visit = await resolve(
                self,
                path=scope["path"],
                address=address,
                cookie_header=read.get(b"cookie", b""),
                authorization=text.get(b"authorization", ""),
                now_ms=self._now_ms(),
            )
            scope["user"] = visit.actor
            scope["auth"] = visit
            if not is_cookie_free(scope["path"]) and permissions.method_of(scope) not in csrf.SAFE_METHODS:
                receive = await self._require_own_form(visit, text, receive)
        except Refusal as refusal:
            await self._refuse(scope, refusal, completed_send)
            return
        await app(scope, receive, completed_send)

    async def _require_own_form(self, visit: Visit, text: Mapping[bytes, str], receive: "Receive") -> "Receive":
        """Raises `SessionExpired`; gives a `receive` with the body still whole."""
        back = _path_of_referer(text.get(b"referer", ""))
        if not csrf.comes_from_us(
            fetch_site=text.get(b"sec-fetch-site", ""),
            origin=text.get(b"origin", ""),
            host=text.get(b"host", ""),
            public_origin=self.rules.public_origin,
        ):
            raise SessionExpired(back=back)
        token = text.get(csrf.HEADER, "")
        if not token:
            token, receive = await csrf.token_in_body(receive, text.get(b"content-type", ""))
        if not csrf.token_is_good(visit, token):
            raise SessionExpired(back=back)
        return receive

    async def guard(self, connection: "ASGIConnection[Any, Any, Any, Any]", _: "BaseRouteHandler | None") -> None:
        """Enforce the table. Raises `SignInNeeded`, `NotAllowed`, `OrderNotFound`, `TooManyRequests`."""
        scope = connection.scope
        if permissions.method_of(scope) == "OPTIONS":
            return
        gate = permissions.gate_of(scope, self.table)
        if gate is None:
            log.error("a route has no row in the table of permissions and is closed: %s", scope["path_template"])
            raise NotAllowed(need="a row in the table of permissions")
        visit = visit_of(scope)
        path_params = scope["path_params"]
        permissions.require(gate, visit, path_params, lambda: _back(connection))
        self._take_for(gate, visit, permissions.method_of(scope))
        if gate.permission is permissions.Permission.GUEST_WITH_ORDER_SECRET:
            await self.orders.require(connection, str(path_params.get(ORDER_PARAMETER, "")))

    def _take_for(self, gate: permissions.Gate, visit: Visit, method: str) -> None:
        actor = visit.actor
        if actor.kind is ActorKind.API_KEY:
            self._take("key", f"key:{actor.key_id}")
            if not gate.limit:
                return
        name = gate.limit or ("read" if method in csrf.SAFE_METHODS else "write")
        rate = self.buckets.rate(name)
        if rate is None:
            return
        self._take(name, network_of(actor.address) if rate.by_network or not visit.is_known else actor.name)

    def _take(self, name: str, who: str) -> None:
        wait_ms = self.buckets.take(name, who, self._now_ms())
        if wait_ms:
            raise TooManyRequests(wait_s=limits.wait_s(wait_ms))

    def _cookies_to_set(self, visit: Visit, sent: headers.Headers) -> headers.Headers:
        cookies: headers.Headers = []
        set_already = [value for name, value in sent if name.lower() == b"set-cookie"]
        if visit.seed_used and visit.seed_is_new:
            name = self.rules.cookie_name(csrf.SEED_COOKIE)
            secure = "" if self.rules.over_http else "; Secure"
            value = f"{name}={visit.seed}; Path=/; Max-Age={SEED_COOKIE_S}; HttpOnly; SameSite=Lax{secure}"
            cookies.append((b"set-cookie", value.encode()))
        cleared = session_cookie(self.rules, "")
        if visit.ended and not any(value.startswith(f"{cleared.key}=".encode()) for value in set_already):
            cookies.append((b"set-cookie", cleared.to_header(header="").encode()))
        return cookies

    async def _refuse(self, scope: "Scope", refusal: Refusal, send: "Send") -> None:
        content_type, body = self._shown(scope, refusal)
        answer: headers.Headers = [
            (b"content-type", content_type.encode()),
            (b"content-length", str(len(body)).encode()),
            *extra_headers(refusal),
        ]
        await send({"type": "http.response.start", "status": STATUS[type(refusal).__name__], "headers": answer})
        await send({"type": "http.response.body", "body": body, "more_body": False})


def extra_headers(refusal: Refusal) -> headers.Headers:
    """`Retry-After` and `WWW-Authenticate`, where a refusal has them; for everybody who shows refusals."""
    answer: headers.Headers = []
    if "wait_s" in refusal.details:
        answer.append((b"retry-after", str(refusal.details["wait_s"]).encode()))
    if type(refusal).__name__ == "ApiKeyIsInvalid":
        answer.append((b"www-authenticate", b'Bearer error="invalid_token"'))
    return answer


def _back(connection: "ASGIConnection[Any, Any, Any, Any]") -> str:
    """Where to return after logging in: this page, or after a form the page that had it."""
    if permissions.method_of(connection.scope) in csrf.SAFE_METHODS:
        query = connection.scope["query_string"].decode("latin-1")
        path = connection.scope["path"]
        return back_path(f"{path}?{query}" if query else path)
    return _path_of_referer(connection.headers.get("referer", ""))


def _path_of_referer(referer: str) -> str:
    _, _, rest = referer.partition("://")
    _, slash, path = rest.partition("/")
    return back_path(slash + path) if slash else "/"


def _plainly(scope: "Scope", refusal: Refusal) -> tuple[str, bytes]:
    name = type(refusal).__name__
    if scope["path"].startswith("/api/"):
        problem = {"type": f"/problems/{name}", "title": name, "status": STATUS[name], **refusal.details}
        return "application/problem+json", json.dumps(problem).encode()
    back = html.escape(str(refusal.details.get("back", "/")))
    zh, en = _SENTENCES[name]
    page = (
        f'<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<title>{STATUS[name]}</title><p>{zh}<p lang="en">{en}<p><a href="{back}">←</a></html>'
    )
    return "text/html; charset=utf-8", page.encode()


_SENTENCES: Final = {
    "SessionExpired": (
        "这个表单已过期,什么都没有执行。请返回重新打开页面后再试。",
        "This form has expired and nothing was done. Go back, reload the page and try again.",
    ),
    "TooManyRequests": (
        "请求过于频繁,请稍候再试。",
        "Too many requests in a short time. Wait a moment, then try again.",
    ),
    "ApiKeyIsInvalid": ("密钥无效或已撤销。", "The key is invalid or was revoked."),
}
