"""Figures over time, drawn on the server, with the table behind every chart."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Final

from litestar import Response, get
from litestar.di import NamedDependency

from fairkey.business.basics import MINUTE_MS
from fairkey.engine.house import House
from fairkey.read_tables.desk_figures import Span, SpanFigures
from fairkey.web.formats import SHANGHAI
from fairkey.web.frame import AnyRequest
from fairkey.web.merchant.desk import last_days
from fairkey.web.merchant.parts import page, shop_id_of

PATH: Final = "/desk/figures"
WEEKS: Final = 12


@get(PATH)
async def figures(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """Thirty days, or with `?by=week` twelve weeks."""
    shop_id = shop_id_of(request)
    span: Span = "week" if request.query_params.get("by") == "week" else "day"
    spans = await _last_weeks(house, shop_id) if span == "week" else await last_days(house, shop_id)
    found = await house.questions.storefront.figures([shop_id])
    listings = await house.questions.shop_desk.listings(shop_id, lines_max=200)
    return await page(
        request,
        house,
        "figures.html",
        span=span,
        spans=spans,
        rows=lambda of: _rows(spans, of),
        whole=found.get(shop_id),
        listings=[
            (line, found[shop_id].of(line.listing_id)) for line in listings if line.listing.terms and shop_id in found
        ],
        measures=_MEASURES,
    )


def _label(day: date) -> str:
    return f"{day.month}-{day.day}"


_MEASURES: Final[dict[str, Callable[[SpanFigures], float | None]]] = {
    "orders": lambda one: one.orders,
    "turnover": lambda one: one.turnover_fen,
    "median": lambda one: None if one.median_ms is None else round(one.median_ms / MINUTE_MS, 1),
    "p95": lambda one: None if one.p95_ms is None else round(one.p95_ms / MINUTE_MS, 1),
    "validity": lambda one: one.validity,
    "complaints": lambda one: None if one.complaints_per_1000 is None else round(one.complaints_per_1000, 1),
}


def _rows(spans: list[SpanFigures], measure: str) -> list[tuple[str, float]]:
    """(label, value) of the spans where there is something to measure."""
    return [(_label(one.begins), value) for one in spans if (value := _MEASURES[measure](one)) is not None]


async def _last_weeks(house: House, shop_id: str) -> list[SpanFigures]:
    """The last twelve weeks, this one last, also those without an order."""
    today = datetime.fromtimestamp(house.now_ms() / 1000, SHANGHAI)
    monday = today.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=today.weekday())
    begins = monday - timedelta(weeks=WEEKS - 1)
    found = await house.questions.desk_figures.spans(shop_id, "week", since_ms=int(begins.timestamp() * 1000))
    by_week = {one.begins: one for one in found}
    dates = [(begins + timedelta(weeks=number)).date() for number in range(WEEKS)]
    return [by_week.get(day, SpanFigures(begins=day)) for day in dates]


HANDLERS: Final = [figures]
