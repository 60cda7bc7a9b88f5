"""The merchant's desk; `HANDLERS` is what the site mounts."""

from typing import Any

from fairkey.web.merchant import (
    admission,
    batches,
    complaints,
    coupons,
    credit,
    deposit,
    desk,
    evidence,
    exports,
    figures,
    importing,
    keys,
    listings,
    messages,
    money,
    opening,
    orders,
    settings,
    staff,
)

HANDLERS: list[Any] = [
    *opening.HANDLERS,
    *desk.HANDLERS,
    *listings.HANDLERS,
    *batches.HANDLERS,
    *importing.HANDLERS,
    *exports.HANDLERS,
    *orders.HANDLERS,
    *complaints.HANDLERS,
    *messages.HANDLERS,
    *evidence.HANDLERS,
    *coupons.HANDLERS,
    *money.HANDLERS,
    *credit.HANDLERS,
    *deposit.HANDLERS,
    *figures.HANDLERS,
    *staff.HANDLERS,
    *keys.HANDLERS,
    *settings.HANDLERS,
    *admission.HANDLERS,
]
