"""Who is asking: the actor behind a cookie or an API key; logging in and out.

Web authors use `log_in`, `log_out`, `back_path`; the rest is called by the front door.
"""

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from litestar.datastructures import Cookie

from fairkey.business.basics import DAY_MS, SECOND_MS
from fairkey.engine.people import Account, Actor, ActorKind, ApiKey, ApiKeys, People, Role, Session
from fairkey.gates.csrf import SEED_COOKIE, new_seed
from fairkey.gates.refusals import ApiKeyIsInvalid
from fairkey.gates.rules import GateRules, is_cookie_free
from fairkey.gates.visits import Visit, visit_of

if TYPE_CHECKING:
    from litestar.connection import ASGIConnection

    from fairkey.gates.front_door import FrontDoor

SESSION_COOKIE: Final = "fairkey"
SESSION_COOKIE_S: Final = 90 * DAY_MS // SECOND_MS  # the server ends sessions earlier; the cookie only must not
KEY_MEMORY_MS: Final = 2_000
KEYS_REMEMBERED_MAX: Final = 1_000
_COOKIE_HEADER_MAX: Final = 8_192
_USER_AGENT_MAX: Final = 400
_BACK_LENGTH_MAX: Final = 2_000


class KnownKeys:
    """API keys looked up within the last two seconds, so that a busy program does not ask the database with each call.

    A revoked key works for at most that long, in the process that revoked it not at all (`forget`).
    """

    def __init__(self, api_keys: ApiKeys) -> None:
        """`api_keys` is the port behind."""
        self._api_keys = api_keys
        self._found: OrderedDict[str, tuple[int, ApiKey]] = OrderedDict()

    async def find(self, text: str, now_ms: int) -> ApiKey | None:
        """The live key with this text. Unknown ones are never remembered."""
        at_ms, key = self._found.get(text, (0, None))
        if key is not None and 0 <= now_ms - at_ms < KEY_MEMORY_MS:
            return key
        key = await self._api_keys.find(text)
        self._found.pop(text, None)
        if key is not None:
            self._found[text] = (now_ms, key)
            if len(self._found) > KEYS_REMEMBERED_MAX:
                self._found.popitem(last=False)
        return key

    def forget(self, key_id: str) -> None:
        """Call after revoking a key."""
        for text in [text for text, (_, key) in self._found.items() if key.key_id == key_id]:
            del self._found[text]


def cookies_of(header: bytes) -> dict[str, str]:
    """Cookies of a request. Of two with one name the first counts; what is not `name=value` is skipped."""
    cookies: dict[str, str] = {}
    if len(header) <= _COOKIE_HEADER_MAX:
        for part in header.decode("latin-1").split(";"):
            name, equals, value = part.strip().partition("=")
            if equals:
                cookies.setdefault(name, value.strip('"'))
    return cookies


async def resolve(
    door: "FrontDoor", *, path: str, address: str, cookie_header: bytes, authorization: str, now_ms: int
) -> Visit:
    """Who this is. Raises `ApiKeyIsInvalid`; a session that has ended is a guest with `ended` set."""
    if is_cookie_free(path):
        if not authorization:
            return Visit(door=door, actor=Actor(kind=ActorKind.GUEST, address=address))
        scheme, _, text = authorization.partition(" ")
        key = await door.known_keys.find(text.strip(), now_ms) if scheme.lower() == "bearer" else None
        if key is None:
            raise ApiKeyIsInvalid
        return Visit(door=door, actor=_actor_of_key(key, address))

    cookies = cookies_of(cookie_header)
    token = cookies.get(door.rules.cookie_name(SESSION_COOKIE), "")
    session = await door.people.sessions.find(token) if token else None
    seed = cookies.get(door.rules.cookie_name(SEED_COOKIE), "")
    return Visit(
        door=door,
        actor=_actor_of_session(session, address),
        cookies=cookies,
        session=session,
        token=token if session else None,
        ended=bool(token) and session is None,
        seed=seed or new_seed(),
        seed_is_new=not seed,
    )


def _actor_of_key(key: ApiKey, address: str) -> Actor:
    return Actor(
        kind=ActorKind.API_KEY,
        key_id=key.key_id,
        shop_roles={key.shop_id: Role.STAFF},
        scopes=key.scopes,
        address=address,
    )


def _actor_of_session(session: Session | None, address: str) -> Actor:
    if session is None or session.account is None:
        return Actor(kind=ActorKind.GUEST, address=address)
    return Actor(
        kind=ActorKind.OPERATOR if session.account.is_operator else ActorKind.ACCOUNT,
        account_id=session.account.account_id,
        shop_roles=session.shop_roles,
        address=address,
    )


async def log_in(
    connection: "ASGIConnection[Any, Any, Any, Any]", *, email: str, password: str
) -> tuple[Account, Cookie]:
    """Check e-mail and password, open a new session (the browser's old one ends) and give the cookie to set.

    Raises `LogInIsWrong`, `LogInIsBraked`. Log-ins of operators, failed ones of the kind too, go into the audit trail.
    """
    visit = visit_of(connection.scope)
    account = await visit.door.people.accounts.prove(email=email, password=password, address=visit.actor.address)
    return account, await open_session(connection, account)


async def open_session(connection: "ASGIConnection[Any, Any, Any, Any]", account: Account) -> Cookie:
    """A new session for somebody who has proved who they are (also by a link from a mail, or one click in the demo)."""
    visit = visit_of(connection.scope)
    people: People = visit.door.people
    token, session = await people.sessions.open(
        account.account_id,
        user_agent=connection.headers.get("user-agent", "")[:_USER_AGENT_MAX],
        replaces=visit.token,
    )
    visit.token, visit.session, visit.ended = token, session, False
    visit.actor = _actor_of_session(session, visit.actor.address)
    connection.scope["user"] = visit.actor
    if account.is_operator:
        await people.audit.write(visit.actor, "operator.logged_in")
    return session_cookie(visit.door.rules, token)


async def log_out(connection: "ASGIConnection[Any, Any, Any, Any]", *, everywhere: bool = False) -> Cookie:
    """End this session, or all of the account; gives the cookie that clears the browser's."""
    visit = visit_of(connection.scope)
    if everywhere and visit.actor.account_id is not None:
        await visit.door.people.sessions.close_all(visit.actor.account_id)
    elif visit.token is not None:
        await visit.door.people.sessions.close(visit.token)
    visit.token, visit.session = None, None
    visit.actor = Actor(kind=ActorKind.GUEST, address=visit.actor.address)
    connection.scope["user"] = visit.actor
    return session_cookie(visit.door.rules, "")


def session_cookie(rules: GateRules, token: str) -> Cookie:
    """The cookie of a session; "" clears it."""
    return Cookie(
        key=rules.cookie_name(SESSION_COOKIE),
        value=token,
        max_age=SESSION_COOKIE_S if token else 0,
        path="/",
        secure=not rules.over_http,
        httponly=True,
        samesite="lax",
    )


def back_path(text: str | None, default: str = "/") -> str:
    """A place on this site to go back to, from `?back=` or a Referer; anything else becomes `default`."""
    if not text or len(text) > _BACK_LENGTH_MAX or any(letter <= " " or letter in "\\\x7f" for letter in text):
        return default
    parts = urlsplit(text)
    if parts.scheme or parts.netloc or not text.startswith("/") or text.startswith("//"):
        return default
    return text
