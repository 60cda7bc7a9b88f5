"""Who may use which route: one table (`route_table.ROUTES`), one guard that enforces it, nothing allowed that is not
in it.

A key of the table is `METHOD /path/{parameter}` as Litestar formats it (`POST /orders/{ref}/open`; converters left
out), or `* /path` for a mounted ASGI application. Its value is a `Gate`.
"""

import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from litestar.enums import ScopeType

from fairkey.engine.people import Actor, ActorKind
from fairkey.gates.limits import RATES
from fairkey.gates.refusals import NotAllowed, SignInNeeded
from fairkey.gates.visits import Visit

if TYPE_CHECKING:
    from litestar import Litestar
    from litestar.types import Scope

ACTING_SHOP: Final = "acting_shop"  # in a session's data: the shop somebody with several shops works for now


class Permission(enum.StrEnum):
    """What a caller must be. `SHOP_*` are about the acting shop (see `acting_shop`)."""

    PUBLIC = "public"
    GUEST_WITH_ORDER_SECRET = "guest_with_order_secret"  # noqa: S105 - a name
    ACCOUNT = "account"
    SHOP_READ = "shop:read"
    SHOP_WRITE = "shop:write"
    SHOP_OWNER = "shop:owner"
    OPERATOR = "operator"
    PROVIDER_SIGNATURE = "provider_signature"
    ISSUER_SIGNATURE = "issuer_signature"


UNPROTECTED: Final = frozenset({Permission.PUBLIC, Permission.PROVIDER_SIGNATURE, Permission.ISSUER_SIGNATURE})


@dataclass(frozen=True, slots=True)
class Gate:
    """A row: what a person must be, which scope a key needs instead (None: no key may), and which rate limit counts.

    `limit` "" means `read` for safe methods and `write` for others; calls by key count as `key`.
    """

    permission: Permission
    scope: str | None = None
    limit: str = ""

    def __post_init__(self) -> None:
        """Refuse rows that cannot work."""
        if self.limit and self.limit not in RATES:
            raise ValueError(f"no such rate limit: {self.limit}")
        if self.scope is not None and self.permission in UNPROTECTED:
            raise ValueError("a route open to everybody needs no scope")


def acting_shop(visit: Visit, path_params: Mapping[str, Any]) -> str | None:
    """In the name of which shop this request acts: the one in the path, the key's, the one chosen, else the only or
    first one.

    It is only a wish until `require` has compared it with the actor's roles.
    """
    named = path_params.get("shop_id")
    if named is not None:
        return str(named)
    roles = visit.actor.shop_roles
    chosen = visit.session.data.get(ACTING_SHOP) if visit.session else None
    if isinstance(chosen, str) and chosen in roles:
        return chosen
    return min(roles, default=None)


def require(gate: Gate, visit: Visit, path_params: Mapping[str, Any], back: Callable[[], str]) -> None:
    """Let the visit pass or raise `SignInNeeded`, `NotAllowed`. Sets `visit.shop_id` on `shop:*` routes.

    `guest_with_order_secret` is decided by `OrderDoor.require`, `provider_signature` and `issuer_signature` by
    the handler that reads the body.
    """
    actor = visit.actor
    match gate.permission:
        case _ if gate.permission in UNPROTECTED or gate.permission is Permission.GUEST_WITH_ORDER_SECRET:
            return
        case _ if actor.kind is ActorKind.GUEST:
            raise SignInNeeded(back=back(), expired=visit.ended)
        case _ if actor.kind is ActorKind.API_KEY and (gate.scope is None or gate.scope not in actor.scopes):
            raise NotAllowed(need=gate.scope or gate.permission.value)
        case Permission.ACCOUNT if actor.kind in {ActorKind.ACCOUNT, ActorKind.OPERATOR}:
            return
        case Permission.OPERATOR if actor.is_operator:
            return
        case Permission.SHOP_READ | Permission.SHOP_WRITE | Permission.SHOP_OWNER:
            shop_id = acting_shop(visit, path_params)
            if shop_id is not None and _may_act(gate.permission, actor, shop_id):
                visit.shop_id = shop_id
                return
    raise NotAllowed(need=gate.permission.value)


def _may_act(permission: Permission, actor: Actor, shop_id: str) -> bool:
    if permission is Permission.SHOP_OWNER and actor.kind is not ActorKind.API_KEY:
        return actor.owns(shop_id)
    # A key with the scope may do what its row says, also where a person must be an owner: only an owner could give it
    # the scope.
    return actor.works_for(shop_id)


def route_key(method: str, path_template: str) -> str:
    """The table's key of a request."""
    return f"{'GET' if method == 'HEAD' else method} {path_template}"


def method_of(scope: "Scope") -> str:
    """The method of a request; a WebSocket begins with a GET."""
    return str(scope["method"]) if scope["type"] == ScopeType.HTTP else "GET"


def gate_of(scope: "Scope", table: Mapping[str, Gate]) -> Gate | None:
    """The row of a routed request."""
    template = scope["path_template"]
    return table.get(route_key(method_of(scope), template)) or table.get(f"* {template}")


def routes_of(app: "Litestar") -> set[str]:
    """Keys of all routes of an application, but OPTIONS, which the framework answers without asking a handler."""
    keys: set[str] = set()
    for route in app.routes:
        methods = getattr(route, "methods", None)
        if methods is None:
            keys.add(f"* {route.path_format}")
        else:
            keys.update(route_key(method, route.path_format) for method in methods if method != "OPTIONS")
    return keys


def differences(routes: Iterable[str], table: Mapping[str, Gate]) -> list[str]:
    """Sentences about routes without a row and rows without a route; empty when table and application agree."""
    known = set(routes)
    return [
        *(f"no row in gates/route_table.py for: {key}" for key in sorted(known - set(table))),
        *(f"no route of the application for the row: {key}" for key in sorted(set(table) - known)),
    ]


def unprotected(table: Mapping[str, Gate]) -> list[str]:
    """Rows that let anybody in, as lines of `tests/repo/unprotected_routes.txt`."""
    return sorted(f"{key}  {gate.permission.value}" for key, gate in table.items() if gate.permission in UNPROTECTED)
