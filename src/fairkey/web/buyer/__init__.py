"""Pages of an order for its buyer: pay, open, confirm, complain, find it again; `HANDLERS` is what the site mounts."""

from typing import Any

from fairkey.web.buyer import acts, complaining, evidence, live, messages, order_page, orders, paying

HANDLERS: list[Any] = [
    *orders.HANDLERS,
    *order_page.HANDLERS,
    *paying.HANDLERS,
    *acts.HANDLERS,
    *complaining.HANDLERS,
    *messages.HANDLERS,
    *evidence.HANDLERS,
    live.follow,
]
