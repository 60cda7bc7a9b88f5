"""The desk: what has to be done by when, what today and thirty days came to."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from litestar import Response, get
from litestar.di import NamedDependency

from fairkey.business.basics import DAY_MS, InstructionState
from fairkey.business.references import reference_of
from fairkey.engine.house import House
from fairkey.gates.permissions import acting_shop
from fairkey.gates.visits import visit_of
from fairkey.read_tables.desk_figures import SpanFigures
from fairkey.read_tables.shop_desk import ListingLine, PayoutLine
from fairkey.web.buyer.story import REASON_WORDS
from fairkey.web.formats import SHANGHAI
from fairkey.web.frame import AnyRequest
from fairkey.web.merchant.parts import page, to

LISTINGS_MAX: Final = 200
DAYS: Final = 30
FAILED_SHOWN_MS: Final = 14 * DAY_MS


@get("/desk")
async def desk(request: AnyRequest, house: NamedDependency[House]) -> Response[Any]:
    """The first page of every working day. Without a shop it leads to opening one."""
    visit = visit_of(request.scope)
    visit.shop_id = acting_shop(visit, {})  # among the account's own shops, or none
    if visit.shop_id is None:
        return to("/desk/open")
    shop_id = visit.shop_id
    questions = house.questions
    record = await questions.shop_desk.shop(shop_id)
    days = await last_days(house, shop_id)
    listings = await questions.shop_desk.listings(shop_id, lines_max=LISTINGS_MAX)
    figures = await questions.storefront.figures([shop_id])
    return await page(
        request,
        house,
        "desk.html",
        record=record,
        crediting=await questions.credit.crediting(shop_id),
        shops=[one for one in [await questions.storefront.shop(one) for one in sorted(visit.actor.shop_roles)] if one],
        waiting=await questions.desk_figures.waiting(shop_id),
        low=low_listings(listings, await house.marks.low_stock(shop_id)),
        failed=await failed_payouts(house, shop_id),
        has_listings=bool(listings),
        has_stock=any(line.stock for line in listings),
        balances=await questions.shop_desk.balances(shop_id),
        days=days,
        today=days[-1],
        whole=figures[shop_id].whole if shop_id in figures else None,
        reference_of=reference_of,
        reasons=REASON_WORDS,
    )


async def last_days(house: House, shop_id: str, count: int = DAYS) -> list[SpanFigures]:
    """The last `count` days in Shanghai, today last, also those without an order."""
    today = datetime.fromtimestamp(house.now_ms() / 1000, SHANGHAI)
    midnight = today.replace(hour=0, minute=0, second=0, microsecond=0)
    begins = midnight - timedelta(days=count - 1)
    found = await house.questions.desk_figures.spans(shop_id, "day", since_ms=int(begins.timestamp() * 1000))
    by_day = {figures.begins: figures for figures in found}
    dates = [(begins + timedelta(days=number)).date() for number in range(count)]
    return [by_day.get(day, SpanFigures(begins=day)) for day in dates]


def low_listings(listings: list[ListingLine], marks: Mapping[str, int]) -> list[tuple[ListingLine, int]]:
    """Listings on sale from the vault with fewer codes than their mark (no mark: with none), emptiest first."""
    return sorted(
        (
            (line, marks.get(line.listing_id, 0))
            for line in listings
            if line.listing.on_sale
            and line.listing.terms is not None
            and line.listing.terms.delivery == "vault"
            and line.stock < max(marks.get(line.listing_id, 0), 1)
        ),
        key=lambda low: low[0].stock,
    )


async def failed_payouts(house: House, shop_id: str) -> list[PayoutLine]:
    """Payouts of the last two weeks that the provider refused; the money is back in the balance."""
    return [
        line
        for line in await house.questions.shop_desk.payouts(shop_id)
        if line.payout.state is InstructionState.FAILED and line.payout.ended_at_ms > house.now_ms() - FAILED_SHOWN_MS
    ]


HANDLERS: Final = [desk]
