"""A shop's public page: who it is, what it sells, what it did, what buyers said."""

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from fairkey.business.basics import NotFound
from fairkey.business.references import reference_of
from fairkey.engine.covers import cover_of_shop
from fairkey.engine.house import House
from fairkey.read_tables.storefront import ShopFigures, ShopFront
from fairkey.web.admission_words import FORMS, GROUNDS, MEASURES
from fairkey.web.credit_words import BANDS
from fairkey.web.frame import AnyRequest, frame
from fairkey.web.inputs import whole
from fairkey.web.render import render
from fairkey.web.store.cards import cards_of
from fairkey.web.store.wishes import cursor_text, wish_of

SHOP_NO_MAX = 2**31 - 1
REVIEWS_MAX = 20


async def shop_with(house: House, shop_no: int) -> ShopFront:
    """The shop with this number. Raises `NotFound`."""
    shop_id = await house.numbers.shop_of(shop_no) if 0 < shop_no <= SHOP_NO_MAX else None
    shop = await house.questions.storefront.shop(shop_id) if shop_id else None
    if shop is None:
        raise NotFound(what="shop")
    return shop


async def figures_of(house: House, shop_id: str) -> ShopFigures:
    """The figures of one shop."""
    return (await house.questions.storefront.figures([shop_id]))[shop_id]


@get("/shops/{shop_no:int}")
async def show(request: AnyRequest, house: NamedDependency[House], shop_no: FromPath[int]) -> Response[str]:
    """The shop."""
    shop = await shop_with(house, shop_no)
    query = dict(request.query_params)
    before_ms = whole(query.get("before"))
    reviews = await house.questions.storefront.reviews(shop.shop_id, before_ms=before_ms, lines_max=REVIEWS_MAX + 1)
    shelf = await house.questions.storefront.shelf(wish_of({"after": query.get("after", "")}, shop_id=shop.shop_id))
    return render(
        frame(request, house),
        "store/shop.html",
        shop=shop,
        trader=await house.admissions.trader(shop.shop_id),
        measures=await house.admissions.published(shop_id=shop.shop_id),
        forms=FORMS,
        grounds=GROUNDS,
        measure_words=MEASURES,
        figures=await figures_of(house, shop.shop_id),
        deposit_fen=(await house.questions.deposits.deposit(shop.shop_id)).free_fen,
        open_fen=(await house.questions.deposits.exposure(shop.shop_id, house.now_ms())).open_fen,
        crediting=await house.questions.credit.crediting(shop.shop_id),
        score_ppm=(await house.questions.credit.account(shop.shop_id, house.now_ms())).figures.score_ppm,
        bands=BANDS,
        cover=await cover_of_shop(house, shop.shop_id),
        cards=await cards_of(house, shelf.cards),
        count=shelf.count,
        older=cursor_text(shelf.after),
        reviews=reviews[:REVIEWS_MAX],
        reference_of=reference_of,
        older_reviews=str(reviews[REVIEWS_MAX - 1].review.posted_at_ms) if len(reviews) > REVIEWS_MAX else "",
    )
