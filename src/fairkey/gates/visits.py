"""What is known of one request while it is answered: `request.user` is its `Actor`, `request.auth` its `Visit`."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fairkey.engine.people import Actor, ActorKind, Session

if TYPE_CHECKING:
    from litestar.types import Scope

    from fairkey.gates.front_door import FrontDoor


@dataclass(slots=True, kw_only=True)
class Visit:
    """One request. `token` is the browser's session token; `ended` tells that it brought one that is no longer good.

    `shop_id` is the shop in whose name a `shop:*` route acts (set by the guard). `seed` is the random cookie that a
    guest's forms are bound to; it is set only when a form was made (`seed_used`). `cookies` are those of the request,
    empty under cookie-free paths.
    """

    door: "FrontDoor"
    actor: Actor
    cookies: dict[str, str] = field(default_factory=dict, repr=False)
    session: Session | None = None
    token: str | None = field(default=None, repr=False)
    ended: bool = False
    seed: str = field(default="", repr=False)
    seed_is_new: bool = False
    seed_used: bool = False
    shop_id: str | None = None

    @property
    def binding(self) -> str:
        """What forms of this browser are bound to: its session, before log-in its seed."""
        return f"session:{self.token}" if self.token else f"seed:{self.seed}"

    @property
    def is_known(self) -> bool:
        """Whether an account or a key is behind this request."""
        return self.actor.kind not in {ActorKind.GUEST, ActorKind.SYSTEM}


def visit_of(scope: "Scope | dict[str, Any]") -> Visit:
    """The visit that the front door put into a scope (`visit_of(request.scope)`)."""
    visit = scope.get("auth")
    if not isinstance(visit, Visit):
        raise TypeError("this request did not come through the front door")
    return visit
