"""How a guest proves that an order is theirs: header `Order-Secret` (programs), a signed cookie (browsers), a link
`?s=` (mails).

The secret is derived from the order's id, so checking it needs no look-up: unknown orders and wrong secrets take the
same path and get the same answer, `OrderNotFound`. A link's secret is swapped for the cookie and a clean address at
once, so that it stays out of histories, referrers and screenshots.
"""

import base64
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from litestar.datastructures import Cookie
from litestar.response import Redirect

from fairkey.business.basics import DAY_MS, PLATFORM, SECOND_MS
from fairkey.business.references import read_reference, reference_of
from fairkey.gates.csrf import SAFE_METHODS
from fairkey.gates.refusals import OrderNotFound
from fairkey.gates.rules import GateRules, is_cookie_free
from fairkey.gates.visits import Visit, visit_of

if TYPE_CHECKING:
    from litestar.connection import ASGIConnection

COOKIE: Final = "fk_orders"
HEADER: Final = "order-secret"
LINK_PARAMETER: Final = "s"
COOKIE_MS: Final = 180 * DAY_MS
REFERENCES_MAX: Final = 40  # the newest; older ones are found with their secret again
_MAC_CHARS: Final = 43


@dataclass(frozen=True, slots=True)
class OrderDoor:
    """Decides whether a request comes from the buyer of an order. Orders are named by their reference.

    `check_order_secret(order_id, text)` is the vault's. `buyer_account_of(reference)` looks up which account bought it;
    None for guests and for unknown orders.
    """

    check_order_secret: Callable[[str, str], bool]
    buyer_account_of: Callable[[str], Awaitable[str | None]]
    now_ms: Callable[[], int]

    def secret_fits(self, reference: str, secret: str) -> bool:
        """Whether this is the order's secret; takes as long for references that are none."""
        read = read_reference(reference)
        fits = self.check_order_secret(read[1] if read else PLATFORM, secret)
        return fits and read is not None

    def proved(self, connection: "ASGIConnection[Any, Any, Any, Any]", reference: str) -> bool:
        """Whether the request proves the order to be the caller's: by header on cookie-free paths, else by cookie."""
        visit = visit_of(connection.scope)
        if is_cookie_free(connection.scope["path"]):
            secret = connection.headers.get(HEADER, "")
            return bool(secret) and self.secret_fits(reference, secret)
        return _one_form(reference) in self.references_of(visit)

    async def require(self, connection: "ASGIConnection[Any, Any, Any, Any]", reference: str) -> None:
        """Let the buyer pass, by secret, cookie, account, or the right `?s=` of a link. Raises `OrderNotFound`."""
        if self.proved(connection, reference):
            return
        # Only the order's own page swaps a link's secret for the cookie; elsewhere it would stay in the address.
        if connection.scope.get("method", "GET") in SAFE_METHODS and connection.scope["path"].endswith(f"/{reference}"):
            secret = connection.query_params.get(LINK_PARAMETER)
            if isinstance(secret, str) and self.secret_fits(reference, secret):
                return
        account_id = visit_of(connection.scope).actor.account_id
        known = _one_form(reference)
        if account_id is None or not known or await self.buyer_account_of(known) != account_id:
            raise OrderNotFound

    def enter_by_link(self, connection: "ASGIConnection[Any, Any, Any, Any]", reference: str, secret: str) -> Redirect:
        """For `GET …?s=<secret>`: set the cookie and go to the same address without it. Raises `OrderNotFound`."""
        if not self.secret_fits(reference, secret):
            raise OrderNotFound
        return Redirect(
            connection.scope["path"],
            status_code=303,
            cookies=[self.remember(visit_of(connection.scope), reference)],
            headers={"referrer-policy": "no-referrer", "cache-control": "no-store"},
        )

    def remember(self, visit: Visit, reference: str) -> Cookie:
        """The cookie with this order in front: after placing it as a guest, and after a right secret was typed."""
        first = _one_form(reference)
        if not first:
            raise OrderNotFound
        others = [known for known in self.references_of(visit) if known != first]
        return self._cookie(visit.door.rules, [first, *others][:REFERENCES_MAX])

    def forget_all(self, visit: Visit) -> Cookie:
        """The cookie that clears it: "this is not my device"."""
        return self._cookie(visit.door.rules, [])

    def references_of(self, visit: Visit) -> tuple[str, ...]:
        """Orders this browser may see, the newest first."""
        text = visit.cookies.get(visit.door.rules.cookie_name(COOKIE), "")
        body, mac = text[:-_MAC_CHARS], text[-_MAC_CHARS:]
        if not body or not hmac.compare_digest(mac.encode(errors="replace"), _mac(visit.door.rules, body).encode()):
            return ()
        made, _, references = body.partition(".")
        if self.now_ms() - int(made) * SECOND_MS > COOKIE_MS:
            return ()
        return tuple(references.split("."))

    def _cookie(self, rules: GateRules, references: Sequence[str]) -> Cookie:
        body = f"{self.now_ms() // SECOND_MS}." + ".".join(references)
        return Cookie(
            key=rules.cookie_name(COOKIE),
            value=body + _mac(rules, body) if references else "",
            max_age=COOKIE_MS // SECOND_MS if references else 0,
            path="/",
            secure=not rules.over_http,
            httponly=True,
            samesite="lax",
        )


def _one_form(reference: str) -> str:
    """The reference as we write it, however it was typed; "" if it is none."""
    read = read_reference(reference)
    return reference_of(*read) if read else ""


def _mac(rules: GateRules, body: str) -> str:
    raw = hmac.digest(rules.key_for("orders seen by this browser"), body.encode(errors="replace"), hashlib.sha256)
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
