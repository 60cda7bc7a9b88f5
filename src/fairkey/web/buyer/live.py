"""The order's page, live: a stream of server-sent events that says when the order has a new fact, or a fact a receipt.

One look a second at the database for all streams of a process together, whatever their number; streams are bounded,
end with their order, and end after a while by themselves (browsers come back). Whoever gets no stream is told so, and
its page asks again now and then.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from typing import Any, Final

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import ServerSentEvent, ServerSentEventMessage

from fairkey.business.basics import SECOND_MS, Stream
from fairkey.engine.answers import StoreIsAway
from fairkey.engine.house import House
from fairkey.web.buyer.glance import is_moving, record_of
from fairkey.web.buyer.paying import look_for_money
from fairkey.web.frame import AnyRequest
from fairkey.web.inputs import whole
from fairkey.web.receipts import mark_of, places_of

STREAMS_MAX: Final = 400
LOOK_EVERY_S: Final = 1.0
BREATH_S: Final = 15.0  # a comment now and then keeps connections open; and unpaid orders are asked about
LIFE_S: Final = 55.0
BACK_AFTER_MS: Final = SECOND_MS

Order = tuple[str, str]

logger = logging.getLogger(__name__)


class Lookout:
    """Watches the versions of the orders that somebody looks at now."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._watched: dict[Order, int] = {}  # how many streams follow it
        self._versions: dict[Order, int] = {}
        self._covered: dict[Order, int] = {}  # how many of the facts have a receipt
        self._news = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None

    @property
    def streams(self) -> int:
        """How many streams there are."""
        return sum(self._watched.values())

    def enter(self, order: Order) -> None:
        """A stream begins."""
        self._watched[order] = self._watched.get(order, 0) + 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look())

    def leave(self, order: Order) -> None:
        """A stream ends."""
        left = self._watched[order] - 1
        if left:
            self._watched[order] = left
        else:
            del self._watched[order]
            self._versions.pop(order, None)
            self._covered.pop(order, None)

    async def changed(self, order: Order, seen: int, wait_s: float) -> int:
        """The order's mark as soon as it is above `seen`; `seen` when `wait_s` seconds passed."""
        try:
            async with asyncio.timeout(wait_s), self._news:
                await self._news.wait_for(lambda: self._mark(order) > seen)
        except TimeoutError:
            return seen
        return self._mark(order)

    def waits_for_log(self, order: Order) -> bool:
        """Whether some of its facts have a receipt and others will have one soon."""
        return 0 < self._covered.get(order, 0) < self._versions.get(order, 0)

    def _mark(self, order: Order) -> int:
        return self._versions.get(order, 0) + self._covered.get(order, 0)

    async def _look(self) -> None:
        while self._watched:
            try:
                found = await self._house.questions.order_book.versions(list(self._watched))
                open_ones = [order for order, version in found.items() if self._covered.get(order, 0) < version]
                covered = await self._house.log.witnessed([Stream(shop, "order", id_) for shop, id_ in open_ones])
            except Exception:  # the next look tries again; pages still work
                logger.exception("the live pages could not look for news")
                found, covered = {}, {}
            async with self._news:
                self._versions.update({order: version for order, version in found.items() if order in self._watched})
                told = {(stream.shop_id, stream.id): facts for stream, facts in covered.items()}
                self._covered.update({order: facts for order, facts in told.items() if order in self._watched})
                self._news.notify_all()
            await asyncio.sleep(LOOK_EVERY_S)


@get("/o/{ref:str}/live")
async def follow(request: AnyRequest, house: NamedDependency[House], ref: FromPath[str]) -> Response[Any]:
    """The stream of one order; `?v=` is the mark of the page (`receipts.mark_of`)."""
    lookout: Lookout | None = getattr(request.app.state, "lookout", None)
    if lookout is None:
        lookout = request.app.state.lookout = Lookout(house)
    if lookout.streams >= STREAMS_MAX:
        return Response(b"", status_code=503, media_type="text/plain", headers={"retry-after": "15"})
    record = await record_of(house, ref)
    last = whole(request.headers.get("last-event-id")) or whole(request.query_params.get("v"))
    if last is None:
        places = await places_of(house, record.shop_id, record.order_id, "")
        last = mark_of(record.version, places)
    return ServerSentEvent(
        _events(house, lookout, ref, (record.shop_id, record.order_id), last), headers={"x-accel-buffering": "no"}
    )


async def _events(
    house: House, lookout: Lookout, ref: str, order: Order, seen: int
) -> AsyncGenerator[ServerSentEventMessage, None]:
    lookout.enter(order)
    try:
        yield ServerSentEventMessage(comment="here", data=None, retry=BACK_AFTER_MS)
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + LIFE_S
        while (left_s := ends_at - loop.time()) > 0:
            version = await lookout.changed(order, seen, min(BREATH_S, left_s))
            if version > seen:
                seen = version
                yield ServerSentEventMessage(event="changed", data="", id=version)
                if not is_moving(await record_of(house, ref)) and not lookout.waits_for_log(order):
                    yield ServerSentEventMessage(event="end", data="")
                    return
                continue
            yield ServerSentEventMessage(comment="still here", data=None)
            await look_for_money(house, await record_of(house, ref))
    except StoreIsAway:
        return
    finally:
        lookout.leave(order)
