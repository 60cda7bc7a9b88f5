"""The shop's own credit, line by line, with the orders behind it."""

from typing import Final

from litestar import Response, get
from litestar.di import NamedDependency

from fairkey.engine.house import House
from fairkey.web.credit import credit_values, page_of
from fairkey.web.frame import AnyRequest
from fairkey.web.merchant.parts import page, shop_id_of

PATH: Final = "/desk/credit"


@get(PATH)
async def credit(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """Meter, score, coverage, and every line."""
    values = await credit_values(house, shop_id_of(request), page_of(request))
    return await page(request, house, "credit.html", **values)


HANDLERS: Final = [credit]
