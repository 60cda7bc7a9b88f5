"""How it works, and what selling here means."""

from typing import Final

from litestar import Response, get
from litestar.di import NamedDependency

from fairkey.engine.house import House
from fairkey.web.frame import AnyRequest, frame
from fairkey.web.render import render


@get("/about")
async def about(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """The promises, each with the clock or rule that keeps it."""
    return render(frame(request, house), "account/about.html")


@get("/sell")
async def sell(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """What a merchant gets and owes."""
    return render(
        frame(request, house),
        "account/sell.html",
        fee_bp=house.settings.fee_bp,
        is_open=house.settings.shop_admission == "open",
    )


HANDLERS: Final = [about, sell]
