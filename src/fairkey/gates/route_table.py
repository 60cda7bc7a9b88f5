"""The table route -> permission. Every route of the application has exactly one row here; a test compares.

Whoever adds a route adds its row. Rows that let anybody in are also listed in `tests/repo/unprotected_routes.txt`, so
that opening a route shows in two places of a change.
"""

from collections.abc import Mapping
from typing import Final

from fairkey.gates.permissions import Gate, Permission

# Pages: cookies count here. No scopes.
_PAGES: Final = {
    "GET /static/{file_path}": Gate(Permission.PUBLIC),
    # the store
    "GET /": Gate(Permission.PUBLIC),
    "GET /listings/{shop_no}/{listing_id}": Gate(Permission.PUBLIC),
    "POST /listings/{shop_no}/{listing_id}/buy": Gate(Permission.PUBLIC, limit="place"),
    "GET /shops/{shop_no}": Gate(Permission.PUBLIC),
    # orders, for their buyers
    "GET /orders": Gate(Permission.PUBLIC),
    "POST /orders": Gate(Permission.PUBLIC, limit="look_up"),
    "POST /orders/forget": Gate(Permission.PUBLIC),
    "GET /o/{ref}": Gate(Permission.GUEST_WITH_ORDER_SECRET),
    "GET /o/{ref}/live": Gate(Permission.GUEST_WITH_ORDER_SECRET),
    "GET /o/{ref}/facts": Gate(Permission.GUEST_WITH_ORDER_SECRET),
    "GET /o/{ref}/codes.txt": Gate(Permission.GUEST_WITH_ORDER_SECRET),
    "GET /o/{ref}/pay": Gate(Permission.GUEST_WITH_ORDER_SECRET),
    "POST /o/{ref}/pay": Gate(Permission.GUEST_WITH_ORDER_SECRET),
    "POST /o/{ref}/give-up": Gate(Permission.GUEST_WITH_ORDER_SECRET),
    "POST /o/{ref}/open": Gate(Permission.GUEST_WITH_ORDER_SECRET),
    "POST /o/{ref}/confirm": Gate(Permission.GUEST_WITH_ORDER_SECRET),
    "POST /o/{ref}/withdraw": Gate(Permission.GUEST_WITH_ORDER_SECRET),
    "POST /o/{ref}/wait": Gate(Permission.GUEST_WITH_ORDER_SECRET),
    "GET /o/{ref}/complain": Gate(Permission.GUEST_WITH_ORDER_SECRET),
    "POST /o/{ref}/complain": Gate(Permission.GUEST_WITH_ORDER_SECRET),
    "POST /o/{ref}/complaint/withdraw": Gate(Permission.GUEST_WITH_ORDER_SECRET),
    "POST /o/{ref}/review": Gate(Permission.GUEST_WITH_ORDER_SECRET),
    # signing in and up, the account, what anybody may read
    "GET /login": Gate(Permission.PUBLIC),
    "POST /login": Gate(Permission.PUBLIC, limit="log_in"),
    "POST /logout": Gate(Permission.PUBLIC),
    "GET /register": Gate(Permission.PUBLIC),
    "POST /register": Gate(Permission.PUBLIC, limit="register"),
    "GET /verify/{token}": Gate(Permission.PUBLIC, limit="log_in"),
    "GET /forgot": Gate(Permission.PUBLIC),
    "POST /forgot": Gate(Permission.PUBLIC, limit="letter"),
    "GET /reset/{token}": Gate(Permission.PUBLIC),
    "POST /reset/{token}": Gate(Permission.PUBLIC, limit="log_in"),
    "POST /demo/enter/{who}": Gate(Permission.PUBLIC, limit="log_in"),
    "GET /about": Gate(Permission.PUBLIC),
    "GET /sell": Gate(Permission.PUBLIC),
    # the operator's floor
    "GET /floor": Gate(Permission.OPERATOR),
    "GET /floor/audit": Gate(Permission.OPERATOR),
    "GET /floor/health": Gate(Permission.OPERATOR),
    "GET /floor/orders": Gate(Permission.OPERATOR),
    "GET /floor/orders/{reference}": Gate(Permission.OPERATOR),
    "POST /floor/orders/{reference}/ask-provider": Gate(Permission.OPERATOR),
    "GET /floor/shops": Gate(Permission.OPERATOR),
    "POST /floor/shops/{shop_no}/{action}": Gate(Permission.OPERATOR),
    "GET /floor/complaints": Gate(Permission.OPERATOR),
    "GET /floor/complaints/{reference}": Gate(Permission.OPERATOR),
    "POST /floor/complaints/{reference}": Gate(Permission.OPERATOR),
    "GET /floor/unmatched": Gate(Permission.OPERATOR),
    "POST /floor/unmatched/{payment_id}/refund": Gate(Permission.OPERATOR),
    "POST /floor/failed/{reference}/{what}/{number}": Gate(Permission.OPERATOR),
    "GET /account": Gate(Permission.ACCOUNT),
    "POST /account": Gate(Permission.ACCOUNT),
    "POST /account/password": Gate(Permission.ACCOUNT, limit="log_in"),
    "POST /account/verification": Gate(Permission.ACCOUNT, limit="letter"),
    "POST /account/sessions/{session_ref}": Gate(Permission.ACCOUNT),
    "POST /account/leave-all": Gate(Permission.ACCOUNT),
    "POST /account/close": Gate(Permission.ACCOUNT, limit="log_in"),
}

# Programs: keys (scopes), order secrets and signatures count here.
_PROGRAMS: Final[Mapping[str, Gate]] = {
    # orders, by whoever knows their secret
    "POST /api/v1/orders": Gate(Permission.PUBLIC, limit="place"),
    "GET /api/v1/orders/{ref}": Gate(Permission.GUEST_WITH_ORDER_SECRET),
    "GET /api/v1/orders/{ref}/facts": Gate(Permission.GUEST_WITH_ORDER_SECRET),
    "POST /api/v1/orders/{ref}/pay": Gate(Permission.GUEST_WITH_ORDER_SECRET),
    "POST /api/v1/orders/{ref}/reveal": Gate(Permission.GUEST_WITH_ORDER_SECRET),
    "POST /api/v1/orders/{ref}/confirm": Gate(Permission.GUEST_WITH_ORDER_SECRET),
    "POST /api/v1/orders/{ref}/withdraw": Gate(Permission.GUEST_WITH_ORDER_SECRET),
    "POST /api/v1/orders/{ref}/give-up": Gate(Permission.GUEST_WITH_ORDER_SECRET),
    "POST /api/v1/orders/{ref}/wait": Gate(Permission.GUEST_WITH_ORDER_SECRET),
    "POST /api/v1/orders/{ref}/complaint": Gate(Permission.GUEST_WITH_ORDER_SECRET),
    "POST /api/v1/orders/{ref}/complaint/withdraw": Gate(Permission.GUEST_WITH_ORDER_SECRET),
    "POST /api/v1/orders/{ref}/review": Gate(Permission.GUEST_WITH_ORDER_SECRET),
    # what anyone may read
    "GET /api/v1/listings": Gate(Permission.PUBLIC),
    "GET /api/v1/listings/{shop_no}/{listing_id}": Gate(Permission.PUBLIC),
    "GET /api/v1/listings/{shop_no}/{listing_id}/revisions/{revision}": Gate(Permission.PUBLIC),
    "GET /api/v1/shops/{shop_no}": Gate(Permission.PUBLIC),
    "GET /api/v1/health": Gate(Permission.PUBLIC),
    "GET /api/v1/ready": Gate(Permission.PUBLIC),
    # a shop's programs
    "GET /api/v1/shop": Gate(Permission.SHOP_READ, scope="shop:read"),
    "PUT /api/v1/shop": Gate(Permission.SHOP_OWNER, scope="shop:write"),
    "GET /api/v1/shop/listings": Gate(Permission.SHOP_READ, scope="listings:read"),
    "POST /api/v1/shop/listings": Gate(Permission.SHOP_WRITE, scope="listings:write"),
    "GET /api/v1/shop/listings/{listing_id}": Gate(Permission.SHOP_READ, scope="listings:read"),
    "POST /api/v1/shop/listings/{listing_id}/revisions": Gate(Permission.SHOP_WRITE, scope="listings:write"),
    "POST /api/v1/shop/listings/{listing_id}/withdraw": Gate(Permission.SHOP_WRITE, scope="listings:write"),
    "GET /api/v1/shop/orders": Gate(Permission.SHOP_READ, scope="orders:read"),
    "GET /api/v1/shop/orders/{ref}": Gate(Permission.SHOP_READ, scope="orders:read"),
    "POST /api/v1/shop/orders/{ref}/deliver": Gate(Permission.SHOP_WRITE, scope="orders:write"),
    "POST /api/v1/shop/orders/{ref}/complaint/accept": Gate(Permission.SHOP_WRITE, scope="complaints:write"),
    "POST /api/v1/shop/orders/{ref}/complaint/contest": Gate(Permission.SHOP_WRITE, scope="complaints:write"),
    "GET /api/v1/shop/batches": Gate(Permission.SHOP_READ, scope="codes:read"),
    "PUT /api/v1/shop/batches/{batch_id}": Gate(Permission.SHOP_WRITE, scope="codes:write", limit="import"),
    "GET /api/v1/shop/batches/{batch_id}": Gate(Permission.SHOP_READ, scope="codes:read"),
    "GET /api/v1/shop/batches/{batch_id}/refusals": Gate(Permission.SHOP_READ, scope="codes:read"),
    "POST /api/v1/shop/batches/{batch_id}/withdraw": Gate(Permission.SHOP_WRITE, scope="codes:write"),
    "GET /api/v1/shop/batches/{batch_id}/codes": Gate(Permission.SHOP_OWNER, scope="codes:export"),
    "GET /api/v1/shop/coupons": Gate(Permission.SHOP_READ, scope="listings:read"),
    "POST /api/v1/shop/coupons": Gate(Permission.SHOP_WRITE, scope="listings:write"),
    "POST /api/v1/shop/coupons/{coupon_id}/withdraw": Gate(Permission.SHOP_WRITE, scope="listings:write"),
    "GET /api/v1/shop/money": Gate(Permission.SHOP_READ, scope="money:read"),
    "GET /api/v1/shop/money/ledger": Gate(Permission.SHOP_READ, scope="money:read"),
    "GET /api/v1/shop/payouts": Gate(Permission.SHOP_READ, scope="money:read"),
    "POST /api/v1/shop/payouts": Gate(Permission.SHOP_OWNER, scope="payouts:write"),
    # payment providers
    "POST /callbacks/{provider}": Gate(Permission.PROVIDER_SIGNATURE, limit="callback"),
}

ROUTES: Final[Mapping[str, Gate]] = {**_PAGES, **_PROGRAMS}
