"""The three calls of every sale, answered in front of the framework's router: place, notification, reveal.

The gate (the same guard over the same table) and the answer (the same endpoint) are those of the routes behind; only
the routing is spared. Whatever does not look exactly like one of the three goes on to the router, so nothing is decided
here that is decided differently there; `tests/api/test_hot_calls.py` holds both side by side. What it saves is written
in docs/api.md.
"""

from typing import TYPE_CHECKING, Final

from litestar.connection import ASGIConnection

from fairkey.api.callbacks import CALLBACK
from fairkey.api.calls import CallerIsGone
from fairkey.api.endpoints import Endpoint
from fairkey.api.serving import Counter
from fairkey.api.v1.orders import PLACE, REVEAL
from fairkey.business.basics import Refusal
from fairkey.gates.front_door import FrontDoor
from fairkey.gates.permissions import method_of

if TYPE_CHECKING:
    from litestar.types import ASGIApp, Receive, Scope, Send

_CALLBACKS: Final = CALLBACK.path.partition("{")[0]
_REVEAL_HEAD, _, _REVEAL_TAIL = REVEAL.path.partition("{ref}")


def found(method: str, path: str) -> tuple[Endpoint, dict[str, str]] | None:
    """The hot endpoint of a request and the parameters in its path; `None` for every other request."""
    if method != "POST":
        return None
    if path == PLACE.path:
        return PLACE, {}
    if path.startswith(_CALLBACKS):
        name = path[len(_CALLBACKS) :]
        return (CALLBACK, {"provider": name}) if _is_one_part(name) else None
    if path.endswith(_REVEAL_TAIL) and path.startswith(_REVEAL_HEAD):
        reference = path[len(_REVEAL_HEAD) : -len(_REVEAL_TAIL)]
        return (REVEAL, {"ref": reference}) if _is_one_part(reference) else None
    return None


def in_front_of(app: "ASGIApp", counter: Counter, door: FrontDoor) -> "ASGIApp":
    """`app` with the hot calls answered before it; stands inside the front door."""

    async def answered(scope: "Scope", receive: "Receive", send: "Send") -> None:
        hot = found(method_of(scope), scope["path"])
        if hot is None:
            await app(scope, receive, send)
            return
        endpoint, scope["path_params"] = hot
        scope["path_template"] = endpoint.path
        try:
            await door.guard(ASGIConnection(scope, receive, send), None)
        except Refusal as refusal:
            reply = counter.refuse(refusal)
        else:
            try:
                reply = await counter.answer(endpoint, scope["path_params"], scope, receive)
            except CallerIsGone:
                return
        await reply.send(send)

    return answered


def _is_one_part(text: str) -> bool:
    return bool(text) and "/" not in text
