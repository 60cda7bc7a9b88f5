"""Pages anyone may look at: the store, a listing with its buy form, a shop; `HANDLERS` is what the site mounts."""

from typing import Any

from fairkey.web.store import front, listing, shop, stock

HANDLERS: list[Any] = [front.store, listing.show, listing.buy, shop.show, stock.stock]
