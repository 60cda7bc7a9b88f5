"""All open orders of a vanished shop end with their money back (FK-AF-1, R18), each in a transaction of its own.

Doing it twice is doing it once: what has ended is not found again, and two at once lock the order that they end. What
a ruling has decided already goes its own way: that ruling is final within its own time.
"""

import logging
from typing import Final

from fairkey.business.askers import Asker
from fairkey.business.complaints import WindUpComplaint
from fairkey.business.dispute_state import UNRULED_STAGES, ComplaintStage
from fairkey.business.orders import Stage, WindUpOrder

from .house import House

ORDERS_AT_ONCE: Final = 100
UNRULED: Final = frozenset({*UNRULED_STAGES, ComplaintStage.LAPSED})

logger = logging.getLogger(__name__)


async def wind_up(house: House, shop_id: str) -> None:
    """End every open order of this shop that no ruling has decided. Raises as `House.ask`: what was not reached then is
    reached when the effect comes up again.
    """
    after_id = ""
    while lines := await house.questions.order_book.under_way(shop_id, after_id=after_id, lines_max=ORDERS_AT_ONCE):
        after_id = lines[-1].order_id
        for line in lines:
            if line.stage != Stage.DISPUTED:
                await _ask(house, WindUpOrder(shop_id=shop_id, order_id=line.order_id))
            elif line.complaint in UNRULED:
                await _ask(house, WindUpComplaint(shop_id=shop_id, order_id=line.order_id))


async def _ask(house: House, command: WindUpOrder | WindUpComplaint) -> None:
    answer = await house.ask(Asker.CLOCK, command)
    if answer.refusal:
        logger.info("an order of a vanished shop was not ended now: %s", answer.refusal)
