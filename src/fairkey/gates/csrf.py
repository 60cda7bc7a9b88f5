"""Forged forms: a foreign page must not be able to act with the rights of a browser's cookies.

Two independent checks on every unsafe request outside the cookie-free paths: where the request says it comes from
(`Sec-Fetch-Site`, `Origin`), and a token that only our own pages can contain. The token is a random mask and an HMAC
over it and the browser's session (before log-in: its random seed cookie), so it needs no storage, changes with every
form and ends with the session. Pages with a script send it as `X-CSRF-Token`; forms send it as their FIRST field, so
that it is found in the first bytes of a body of any size and the rest streams on untouched.
"""

import base64
import hashlib
import hmac
import re
import secrets
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from fairkey.gates.visits import Visit

if TYPE_CHECKING:
    from litestar.types import Receive
    from litestar.types.asgi_types import HTTPReceiveMessage, WebSocketReceiveMessage

FIELD: Final = "_csrf_token"
HEADER: Final = b"x-csrf-token"
SEED_COOKIE: Final = "fk_seed"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})

_MASK_BYTES: Final = 12
_TOKEN: Final = rb"([A-Za-z0-9_-]{59})"  # 12 + 32 bytes in base64
_IN_FORM: Final = re.compile(rb"_csrf_token=" + _TOKEN + rb"(?:&|$)")
_IN_PARTS: Final = re.compile(
    rb"--[^\r\n]{1,80}\r\nContent-Disposition: form-data; name=\"?_csrf_token\"?\r\n(?:[^\r\n]{1,200}\r\n)*\r\n"
    + _TOKEN
    + rb"\r\n",
    re.IGNORECASE,
)
_HEAD_BYTES_MAX: Final = 1_024


def new_seed() -> str:
    """A fresh value for the seed cookie."""
    return secrets.token_urlsafe(16)


def make_token(visit: Visit) -> str:
    """A token for one form of this browser. Ask for it only while rendering: it makes a guest's seed cookie be set."""
    visit.seed_used = visit.token is None
    mask = secrets.token_bytes(_MASK_BYTES)
    return base64.urlsafe_b64encode(mask + _mac(visit, mask)).decode().rstrip("=")


def hidden_field(visit: Visit) -> str:
    """HTML of the hidden field. It must be the first field of the form. Safe to insert unescaped."""
    return f'<input type="hidden" name="{FIELD}" value="{make_token(visit)}">'


def token_is_good(visit: Visit, token: str) -> bool:
    """Whether `token` was made for this browser's session or seed."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return False
    return hmac.compare_digest(raw[_MASK_BYTES:], _mac(visit, raw[:_MASK_BYTES]))


def comes_from_us(*, fetch_site: str, origin: str, host: str, public_origin: str) -> bool:
    """Whether the browser says that one of our own pages (or the person directly) sent this. Silence passes: the
    token decides.
    """
    if fetch_site and fetch_site not in {"same-origin", "none"}:
        return False
    if not origin:
        return True
    return origin == public_origin or urlsplit(origin).netloc.lower() == host.lower()


async def token_in_body(receive: "Receive", content_type: str) -> "tuple[str, Receive]":
    """The token in the first field of a form, and a `receive` that gives the whole body again from its first byte."""
    pattern = _IN_FORM if content_type.startswith("application/x-www-form-urlencoded") else _IN_PARTS
    messages: list[HTTPReceiveMessage | WebSocketReceiveMessage] = []
    head = b""
    while len(head) < _HEAD_BYTES_MAX:
        message = await receive()
        if message["type"] != "http.request":
            return "", receive
        messages.append(message)
        head += message["body"][:_HEAD_BYTES_MAX]
        if not message["more_body"]:
            break
    # Past the limit the end of `head` is no end of the body; a token cut off there does not match and counts as
    # missing.
    found = pattern.match(head)
    messages.reverse()

    async def replayed() -> "HTTPReceiveMessage | WebSocketReceiveMessage":
        return messages.pop() if messages else await receive()

    return (found.group(1).decode() if found else ""), replayed


def _mac(visit: Visit, mask: bytes) -> bytes:
    key = visit.door.rules.key_for("csrf")
    return hmac.digest(key, mask + visit.binding.encode(), hashlib.sha256)
