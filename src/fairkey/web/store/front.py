"""The store's front page."""

from litestar import Response, get
from litestar.di import NamedDependency

from fairkey.engine.house import House
from fairkey.web.frame import AnyRequest, frame
from fairkey.web.render import render
from fairkey.web.store.cards import cards_of
from fairkey.web.store.wishes import cursor_text, is_narrowed, wish_of


@get("/")
async def store(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """Search, filters, cards."""
    wish = wish_of(dict(request.query_params))
    shelf = await house.questions.storefront.shelf(wish)
    choices = await house.questions.storefront.choices()
    return render(
        frame(request, house),
        "store/front.html",
        wish=wish,
        is_narrowed=is_narrowed(wish),
        cards=await cards_of(house, shelf.cards),
        count=shelf.count,
        choices=choices,
        older=cursor_text(shelf.after),
    )
