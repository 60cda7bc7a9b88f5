"""Paying: the amount, the way to the provider, and finding out that money arrived even when nobody told us."""

import asyncio
import io
import logging
from collections import OrderedDict
from typing import Final

import segno
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from markupsafe import Markup

from fairkey.business.askers import Asker
from fairkey.business.basics import SECOND_MS
from fairkey.business.orders import GiveUpOrder, Stage
from fairkey.effects.ports import Collection, ProviderIsUnreachable, ProviderRefused
from fairkey.engine import trade
from fairkey.engine.house import House
from fairkey.read_tables.order_book import OrderRecord
from fairkey.web.buyer.glance import Glance, glance_at, grouped, record_of
from fairkey.web.buyer.order_page import order_page, secret_link
from fairkey.web.frame import AnyRequest, frame, status_of
from fairkey.web.inputs import form_of
from fairkey.web.render import render, view_of

ASK_EVERY_MS: Final = 5 * SECOND_MS
LOOK_PATIENCE_S: Final = 2.0  # a page is shown without its QR code rather than late
_REMEMBERED_MAX: Final = 10_000

logger = logging.getLogger(__name__)


class Asking:
    """When the provider was last asked about an order; so that no page, however often loaded, becomes a flood there."""

    def __init__(self) -> None:
        self._asked: OrderedDict[str, int] = OrderedDict()

    def may(self, order_id: str, now_ms: int) -> bool:
        """Whether it may be asked now; if so, it counts as asked."""
        if 0 <= now_ms - self._asked.get(order_id, -ASK_EVERY_MS) < ASK_EVERY_MS:
            return False
        self._asked[order_id] = now_ms
        self._asked.move_to_end(order_id)
        if len(self._asked) > _REMEMBERED_MAX:
            self._asked.popitem(last=False)
        return True


_asking: Final = Asking()


async def look_for_money(house: House, record: OrderRecord) -> None:
    """Ask the provider whether this unpaid order was paid, unless it was asked a moment ago."""
    if record.file.order.stage is Stage.PLACED and _asking.may(record.order_id, house.now_ms()):
        await trade.catch_up_quietly(house, record.shop_id, record.order_id)


@get("/o/{ref:str}/pay")
async def show(request: AnyRequest, house: NamedDependency[House], ref: FromPath[str]) -> Response[str] | Redirect:
    """What is to be paid and how; an order that no longer waits for money has its own page."""
    record = await record_of(house, ref)
    if "returned" in request.query_params:
        await look_for_money(house, record)
    glance = await glance_at(house, ref)
    if not glance.may_pay:
        return Redirect(glance.path, status_code=303)
    return await _page(request, house, glance)


@post("/o/{ref:str}/pay")
async def go(request: AnyRequest, house: NamedDependency[House], ref: FromPath[str]) -> Response[str] | Redirect:
    """To the provider."""
    glance = await glance_at(house, ref)
    if not glance.may_pay:
        return Redirect(glance.path, status_code=303)
    try:
        collection = await _collect(house, glance)
    except (ProviderIsUnreachable, ProviderRefused) as error:
        logger.warning("a collection could not be opened: %s", type(error).__name__)
        return await _page(request, house, glance, "Unavailable")
    return Redirect(collection.pay_url, status_code=303)


@post("/o/{ref:str}/give-up")
async def give_up(request: AnyRequest, house: NamedDependency[House], ref: FromPath[str]) -> Response[str] | Redirect:
    """The buyer no longer wants it. What was paid meanwhile is found first."""
    record = await record_of(house, ref)
    await form_of(request)
    # What was paid a moment ago is found first: it then pays the order instead of coming too late.
    await trade.catch_up_quietly(house, record.shop_id, record.order_id)
    answer = await house.ask(Asker.BUYER, GiveUpOrder(shop_id=record.shop_id, order_id=record.order_id))
    glance = await glance_at(house, ref)
    if answer.refusal and glance.order.stage is not Stage.EXPIRED:
        return order_page(request, house, glance, refusal=answer.refusal, details=answer.details)
    return Redirect(glance.path, status_code=303)


async def _page(request: AnyRequest, house: House, glance: Glance, refusal: str = "") -> Response[str]:
    context = frame(request, house)
    collection: Collection | None = None
    if not refusal and not glance.escrow.held_fen:
        try:
            async with asyncio.timeout(LOOK_PATIENCE_S):
                collection = await _collect(house, glance)
        except (ProviderIsUnreachable, ProviderRefused, TimeoutError) as error:
            logger.info("the page for paying has no QR code: %s", type(error).__name__)
    return render(
        context,
        "buyer/pay.html",
        status_code=status_of(refusal) if refusal else 200,
        glance=glance,
        order=glance.order,
        terms=glance.terms,
        number=grouped(glance.reference),
        link=secret_link(house, glance),
        qr=_qr(collection.qr_text) if collection else None,
        has_returned="returned" in request.query_params,
        refusal=view_of(context, refusal) if refusal else None,
    )


async def _collect(house: House, glance: Glance) -> Collection:
    return await trade.collect(
        house,
        shop_id=glance.record.shop_id,
        order_id=glance.record.order_id,
        return_url=f"{house.settings.origin}{glance.path}/pay?returned=1",
    )


def _qr(text: str) -> Markup:
    """A QR code as an SVG image without anything inline that the content policy forbids."""
    made = io.BytesIO()
    segno.make(text, error="m").save(made, kind="svg", xmldecl=False, svgns=True, border=2, omitsize=True)
    return Markup(made.getvalue().decode())  # noqa: S704 - made here, from figures only


HANDLERS = (show, go, give_up)
