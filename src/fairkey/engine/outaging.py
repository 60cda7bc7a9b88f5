"""Outages of issuers at work (FK-AF-1, R12): found by figures, told to the standard, and clocks that stand still.

Clocks are looked at lazily: when a deadline of an order has come, before anything follows from it; and once more for
those that stand or wait when an outage has ended (the effect `resume_clocks`). Looking twice is looking once: a clock
keeps which outage it was stopped by.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple

from fairkey.business.askers import Asker
from fairkey.business.basics import DAY_MS, PLATFORM, NotFound, Stream
from fairkey.business.complaints import StopDisputeClock
from fairkey.business.dispute_state import JUDGED_STAGES
from fairkey.business.listings import decode_terms
from fairkey.business.orders import Stage, StopOrderClock
from fairkey.business.outages import (
    WINDOW_MS,
    FindOutage,
    Outage,
    ratio_of,
)
from fairkey.business.stopping import STANDS_MAX_MS, KnownOutage
from fairkey.read_tables.issuer_book import IssuerRecord
from fairkey.read_tables.order_book import OrderRecord

from .answers import Answer
from .house import House

RECENT_MS: Final = 30 * DAY_MS  # longer than any clock of an order runs
USUAL_OVER_MS: Final = 28 * DAY_MS  # before an outage: what is usual
STREAMS_AT_ONCE: Final = 100
STOPPABLE: Final = frozenset({"cancel_late", "complete", "end_silence", "resume_clock", "resume_dispute"})
"""Deadlines of orders that an outage can move."""

logger = logging.getLogger(__name__)


class Happening(NamedTuple):
    """An outage and whose it is."""

    issuer_id: str
    name: str
    outage: Outage


async def recent(house: House) -> list[IssuerRecord]:
    """Issuers who had an outage that may have stopped a clock which still runs."""
    since_ms = house.now_ms() - RECENT_MS
    return [
        record
        for record in await house.questions.issuers.issuers()
        if any(not one.ended_at_ms or one.ended_at_ms > since_ms for one in record.outages.all)
    ]


def known_for(product: str, records: Sequence[IssuerRecord]) -> tuple[KnownOutage, ...]:
    """The outages of those who make a product of this name."""
    return tuple(
        one
        for record in records
        if record.issuer.makes(product)
        for one in record.outages.known(record.issuer_id)
    )


async def every(house: House) -> list[tuple[IssuerRecord, Outage]]:
    """All outages with whose they are, the latest beginning first."""
    found = [(record, one) for record in await house.questions.issuers.issuers() for one in record.outages.all]
    return sorted(found, key=lambda one: (-one[1].began_at_ms, one[0].issuer_id))


async def happening(house: House, product: str = "") -> list[Happening]:
    """Outages that last now; with a product: of those who make it."""
    return [
        Happening(record.issuer_id, record.issuer.name, record.outages.running)
        for record in await house.questions.issuers.issuers()
        if record.outages.running and (not product or record.issuer.makes(product))
    ]


async def stop_clock(house: House, record: OrderRecord, records: Sequence[IssuerRecord]) -> Answer | None:
    """Let the order's clock stand, or move, by the outages of `records`; None where none concerns it.

    Raises what `House.ask` raises.
    """
    known = known_for(decode_terms(record.terms_json).product, records)
    if not known:
        return None
    order = record.file.order
    command_type = StopDisputeClock if order.stage is Stage.DISPUTED else StopOrderClock
    command = command_type(shop_id=record.shop_id, order_id=record.order_id, known=known)
    answer = await house.ask(Asker.CLOCK, command)
    if answer.refusal:
        logger.info("a clock was not stopped now: %s", answer.refusal)
    return answer


async def stop_if_out(house: House, stream: Stream, records: Sequence[IssuerRecord] | None = None) -> bool:
    """Before a deadline of an order is met: whether an outage of `records` (none given: of `recent`) moved it, or lets
    it stand. Raises as `House.ask`.
    """
    records = await recent(house) if records is None else records
    if not records:
        return False
    record = await house.questions.order_book.find(stream.shop_id, stream.id)
    answer = await stop_clock(house, record, records) if record else None
    return bool(answer and not answer.refusal and answer.kinds)


async def resume(house: House, issuer_id: str, judge_order: Callable[[House, Stream], Awaitable[object]]) -> None:
    """An outage of this issuer is over: every clock that stood, or whose complaint waited for it, goes on.

    `judge_order`: how the standard is asked about a complaint; it stops clocks itself, so it is handed in.
    Raises what `House.ask` raises: what was not reached then is reached when the effect comes up again, and at the
    latest when 72 hours are over.
    """
    records = [one for one in await recent(house) if one.issuer_id == issuer_id]
    now_ms = house.now_ms()
    after: tuple[int, str] = (now_ms, "")
    while records:
        lines = await house.questions.issuers.waiting_orders(
            after, until_ms=now_ms + STANDS_MAX_MS, lines_max=STREAMS_AT_ONCE
        )
        for stream, due_at_ms in lines:
            after = (due_at_ms, stream.id)
            record = await house.questions.order_book.find(stream.shop_id, stream.id)
            if record is None or not known_for(decode_terms(record.terms_json).product, records):
                continue
            await stop_clock(house, record, await recent(house))
            if record.file.complaint.stage in JUDGED_STAGES:
                await judge_order(house, stream)
        if len(lines) < STREAMS_AT_ONCE:
            return


class Seen(NamedTuple):
    """What the house counted around a moment: failures of an issuer's products in 30 minutes, and what that means."""

    failures: int
    shops: int
    ratio: int


async def failures_since(house: House, record: IssuerRecord, began_at_ms: int) -> Seen:
    """Complaints that his codes do not work, within 30 minutes of a moment, against the four weeks before."""
    now = await house.questions.issuers.failures(began_at_ms, began_at_ms + WINDOW_MS)
    usual = await house.questions.issuers.failures(began_at_ms - USUAL_OVER_MS, began_at_ms)
    mine = [one for one in now if record.issuer.makes(one.product)]
    failed = sum(one.complaints for one in mine)
    before = sum(one.complaints for one in usual if record.issuer.makes(one.product))
    return Seen(failed, len({one.shop_id for one in mine}), ratio_of(failed, before, USUAL_OVER_MS))


async def find_outage(
    house: House, issuer_id: str, *, began_at_ms: int, page_url: str, page_sha256: str, reason: str
) -> Answer:
    """The operator finds an outage; the house counts what it saw itself. Raises `NotFound`, what `ask` raises."""
    record = await house.questions.issuers.find(issuer_id)
    if record is None:
        raise NotFound(what="issuer")
    seen = await failures_since(house, record, began_at_ms) if 0 < began_at_ms <= house.now_ms() else Seen(0, 0, 0)
    command = FindOutage(
        shop_id=PLATFORM,
        issuer_id=issuer_id,
        began_at_ms=began_at_ms,
        failures=seen.failures,
        shops=seen.shops,
        ratio=seen.ratio,
        page_url=page_url,
        page_sha256=page_sha256,
        reason=reason,
    )
    return await house.ask(Asker.OPERATOR, command)
