"""Cards of listings as the macro `trade.listing_card` shows them."""

from collections.abc import Mapping, Sequence

from fairkey.business.basics import MINUTE_MS, SECOND_MS
from fairkey.engine.house import House
from fairkey.read_tables.storefront import NO_FIGURES, Card, Figures


async def cards_of(house: House, cards: Sequence[Card]) -> list[Mapping[str, object]]:
    """The cards with the figures of their listings."""
    figures = await house.questions.storefront.figures(sorted({card.shop_id for card in cards}))
    return [
        _shown(card, figures[card.shop_id].of(card.listing_id) if card.shop_id in figures else NO_FIGURES)
        for card in cards
    ]


def _shown(card: Card, figures: Figures) -> Mapping[str, object]:
    is_manual = card.delivery == "manual"
    return {
        "href": f"/listings/{card.shop_no}/{card.listing_id}",
        "product": card.product,
        "face_value": card.face_value,
        "region": card.region,
        "edition": card.edition,
        "price_fen": card.price_fen,
        "from_price": card.lowest_price_fen < card.price_fen,
        "stock": card.stock,
        "is_manual": is_manual,
        "delivery_s": delivery_s(figures, is_manual=is_manual, promise_min=card.promise_min),
        "is_promise": is_manual and figures.delivery_median_ms is None,
        "validity": figures.validity,
        "opened": figures.opened_units,
        "sold": figures.delivered_units,
        "shop_name": card.shop_name,
        "shop_href": f"/shops/{card.shop_no}",
        "score": None,
        "coverage": None,
    }


def delivery_s(figures: Figures, *, is_manual: bool, promise_min: int) -> int:
    """Seconds from payment to delivery: measured where there is something to measure, else what is promised."""
    if not is_manual:
        return 0
    if figures.delivery_median_ms is None:
        return promise_min * MINUTE_MS // SECOND_MS
    return figures.delivery_median_ms // SECOND_MS
