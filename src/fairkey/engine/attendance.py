"""Signs of life of a shop: that somebody was at its desk is a fact, said at most twice a day."""

import logging
from typing import Final
from weakref import WeakKeyDictionary

from fairkey.business.askers import Asker
from fairkey.business.basics import HOUR_MS
from fairkey.business.shops import AttendShop

from .answers import StoreIsAway
from .batching import Stopping
from .house import House

SAID_EVERY_MS: Final = 12 * HOUR_MS
SHOPS_KEPT_MAX: Final = 10_000

logger = logging.getLogger(__name__)
_said: Final[WeakKeyDictionary[House, dict[str, int]]] = WeakKeyDictionary()  # what this process need not ask again


async def attended(house: House, shop_id: str) -> None:
    """Somebody looks at the desk of this shop. The first look in each half of a day is recorded (`shop.attended`),
    whichever process it came to; a vanished shop is told by the last such sign (FK-AF-1, R18). A closed shop, or a
    storage that is away, leaves nothing: the page is shown all the same.
    """
    half_day_no = house.now_ms() // SAID_EVERY_MS
    said = _said.setdefault(house, {})
    if said.get(shop_id) == half_day_no:
        return
    try:
        await house.ask(Asker.MERCHANT, AttendShop(shop_id=shop_id), command_id=f"attended:{shop_id}:{half_day_no}")
    except (StoreIsAway, Stopping) as error:
        logger.warning("that a shop was attended could not be recorded: %s", error)
        return
    if len(said) >= SHOPS_KEPT_MAX:
        said.clear()
    said[shop_id] = half_day_no
