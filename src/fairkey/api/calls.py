"""One call of a program: what came in, read within bounds, and what goes out. Knows ASGI, not the framework.

The same `Endpoint` functions answer behind the framework's router and, for the hot calls, in front of it.
"""

import hashlib
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec
from msgspec import Struct

from fairkey.business.basics import Broken, FieldIsInvalid, NotFound, Refusal
from fairkey.engine.answers import Answer
from fairkey.engine.house import House
from fairkey.engine.people import ActorKind, network_of
from fairkey.gates.permissions import method_of
from fairkey.gates.visits import Visit

if TYPE_CHECKING:
    from litestar.types import Receive, Scope, Send

JSON: Final = b"application/json"
TEXT: Final = b"text/plain; charset=utf-8"
KEY_HEADER: Final = b"idempotency-key"
SHOP_NO_MAX: Final = 2**31 - 1
DIGITS_MAX: Final = 15

_KEY: Final = re.compile(r"[\x21-\x7e]{16,200}")
_FIELD_OF_MESSAGE: Final = re.compile(r"(.*?)(?: - at `\$\.?(.*)`)?", re.DOTALL)

S = TypeVar("S", bound=Struct)


class BodyIsUnreadable(Refusal):
    """The body is no JSON (or no text), or is cut off. Details: why."""


class MediaTypeIsNotSupported(Refusal):
    """The body is of another kind than this call takes. Details: given, wanted."""


class TooLarge(Refusal):
    """The body is larger than this call takes. Details: bytes_max."""


class IdempotencyKeyIsMissing(Refusal):
    """The call needs an `Idempotency-Key` header, so that asking again never does it twice."""


class IdempotencyKeyIsInvalid(Refusal):
    """An `Idempotency-Key` is 16 to 200 visible ASCII characters; a fresh UUID is a good one."""


class WasRefused(Exception):
    """The engine's answer to a command was no."""

    def __init__(self, name: str, details: Mapping[str, object]) -> None:
        super().__init__(name)
        self.name = name
        self.details = details


def require_done(answer: Answer) -> None:
    """Raises `WasRefused` unless the command was done."""
    if answer.refusal:
        raise WasRefused(answer.refusal, answer.details)


class CallerIsGone(Exception):
    """The connection closed before the request was whole; nobody waits for an answer."""


class Reply(NamedTuple):
    """What goes out. `more` follows `body` piece by piece (exports)."""

    status: int
    body: bytes
    content_type: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()
    more: AsyncIterator[bytes] | None = None

    async def send(self, send: "Send") -> None:
        """Put it on the wire."""
        headers = [(b"content-type", self.content_type), *self.headers]
        if self.more is None:
            headers.append((b"content-length", b"%d" % len(self.body)))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        if self.more is not None:
            await send({"type": "http.response.body", "body": self.body, "more_body": True})
            async for piece in self.more:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        await send({"type": "http.response.body", "body": self.body, "more_body": False})


_encode = msgspec.json.Encoder().encode


def reply(shape: Struct, status: int = 200, headers: tuple[tuple[bytes, bytes], ...] = ()) -> Reply:
    """A JSON answer."""
    return Reply(status, _encode(shape), JSON, headers)


@dataclass(slots=True, kw_only=True, weakref_slot=True)
class Call:
    """One request, its body read (unless the call takes a stream)."""

    scope: "Scope"
    receive: "Receive"
    visit: Visit
    path: Mapping[str, str]
    now_ms: int
    body: bytes = b""
    given: Any = None  # the body, decoded into the endpoint's `body` shape
    query: Any = None  # the query, decoded into the endpoint's `query` shape
    headers: Mapping[bytes, bytes] = field(default_factory=dict)

    @property
    def shop_id(self) -> str:
        """The shop in whose name the caller acts; only on routes whose gate is a shop's."""
        shop_id = self.visit.shop_id
        if shop_id is None:
            raise Broken("a call of a shop came past the guard")
        return shop_id

    def header(self, name: bytes) -> str:
        """A header's text; empty when missing."""
        return self.headers.get(name, b"").decode("latin-1")

    @property
    def caller(self) -> str:
        """Within which circle an idempotency key names one request: the key's, the order's, or the guest's network."""
        actor = self.visit.actor
        if actor.kind is ActorKind.API_KEY:
            return f"key:{actor.key_id}"
        if "ref" in self.path:
            return f"order:{self.path['ref'].upper()}"
        return f"guest:{network_of(actor.address)}"

    def command_id(self) -> str | None:
        """The id under which the answer is kept; `None` without a key. Raises `IdempotencyKeyIsInvalid`."""
        raw = self.headers.get(KEY_HEADER)
        if raw is None:
            return None
        text = raw.decode("latin-1")
        if not _KEY.fullmatch(text):
            raise IdempotencyKeyIsInvalid
        return f"api:{hashlib.sha256(f'{self.caller}|{text}'.encode()).hexdigest()}"

    def body_hash(self, house: House) -> bytes:
        """What tells a repeat from another request under the same idempotency key: method, path and body.

        Keyed, because it is kept: bodies hold codes and texts that nobody shall be able to guess and confirm.
        """
        head = f"request: {method_of(self.scope)} {self.scope['path']}\n".encode()
        return house.keys.fingerprint("sessions", head + self.body)

    def uuid(self, name: str) -> str:
        """A path parameter that is a UUID, in canonical form. Raises `NotFound`: what is none names nothing."""
        return uuid_text(self.path[name], name.removesuffix("_id"))

    def shop_no(self) -> int:
        """The path parameter `shop_no`. Raises `NotFound`."""
        return small_number(self.path["shop_no"], "shop")


def uuid_text(text: str, what: str) -> str:
    """The canonical form of a UUID. Raises `NotFound`: what cannot be an id names nothing."""
    try:
        return str(UUID(text))
    except ValueError:
        raise NotFound(what=what) from None


def small_number(text: str, what: str) -> int:
    """A number as it stands in an address. Raises `NotFound`."""
    if not (text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX) or int(text) > SHOP_NO_MAX:
        raise NotFound(what=what)
    return int(text)


def headers_of(scope: "Scope") -> dict[bytes, bytes]:
    """The request's headers; of two with one name the first counts."""
    headers: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name, value)
    return headers


async def read_body(receive: "Receive", headers: Mapping[bytes, bytes], bytes_max: int) -> bytes:
    """The body, read no further than `bytes_max`. Raises `TooLarge`, `CallerIsGone`."""
    length = headers.get(b"content-length", b"")
    if length.isdigit() and (len(length) > DIGITS_MAX or int(length) > bytes_max):
        raise TooLarge(bytes_max=bytes_max)
    whole = b""
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise CallerIsGone
        whole += message.get("body", b"")
        more = message.get("more_body", False)
        if len(whole) > bytes_max:
            raise TooLarge(bytes_max=bytes_max)
    return whole


async def pieces(receive: "Receive") -> AsyncIterator[bytes]:
    """The body as it arrives. Raises `CallerIsGone`."""
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise CallerIsGone
        more = message.get("more_body", False)
        if piece := message.get("body", b""):
            yield piece


def require_media_type(headers: Mapping[bytes, bytes], wanted: Sequence[str]) -> None:
    """Raises `MediaTypeIsNotSupported` unless the body says that it is of a wanted kind."""
    given = headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
    if given not in wanted:
        raise MediaTypeIsNotSupported(given=given, wanted=list(wanted))


def decode_body(body: bytes, decoder: msgspec.json.Decoder[S]) -> S:
    """The body in its shape. Raises `BodyIsUnreadable` (no JSON), `FieldIsInvalid` (another shape)."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise _invalid(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BodyIsUnreadable(why=str(error)[:200]) from None


def decode_query(scope: "Scope", shape: type[S]) -> S:
    """The query in its shape. Raises `FieldIsInvalid`."""
    raw = scope["query_string"]
    pairs = parse_qsl(raw.decode("latin-1"), keep_blank_values=True, errors="replace") if raw else []
    try:
        return msgspec.convert(dict(pairs), shape, strict=False)
    except msgspec.ValidationError as error:
        raise _invalid(error) from None


def _invalid(error: msgspec.ValidationError) -> FieldIsInvalid:
    found = _FIELD_OF_MESSAGE.fullmatch(str(error))
    why, where = (found.group(1), found.group(2)) if found else (str(error), None)
    if where is None and "`" in why:  # `Object missing required field `x`` and `... contains unknown field `x``
        where = why.split("`")[1]
    return FieldIsInvalid(field=(where or "body")[:100], why=why[:200])


