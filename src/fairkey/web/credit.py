"""A shop's credit for everybody: meter, score, coverage and rates, and every line that moved the meter."""

from typing import Any, Final

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from fairkey.business.basics import NotFound
from fairkey.business.covering import COVER_BP
from fairkey.business.credit.figures import Account
from fairkey.business.credit.meter import FROZEN_FROM, THROTTLED_FROM, Line
from fairkey.business.references import reference_of
from fairkey.business.standard.library import newest
from fairkey.engine.house import House
from fairkey.web.credit_words import BANDS, WHY
from fairkey.web.frame import AnyRequest, frame
from fairkey.web.inputs import whole
from fairkey.web.render import render
from fairkey.web.store.shop import shop_with

LINES_A_PAGE: Final = 50


async def credit_values(house: House, shop_id: str, page_no: int) -> dict[str, Any]:
    """What a page about credit shows; `page_no` counts from 0, the newest lines first."""
    account = await house.questions.credit.account(shop_id, house.now_ms())
    lines, older = _page(account, page_no)
    return {
        "credit": account.figures,
        "crediting": await house.questions.credit.crediting(shop_id),
        "lines": lines,
        "page_no": page_no,
        "newer_page": str(page_no - 1 or ""),
        "older_page": str(page_no + 1) if older else "",
        "origin": house.settings.origin,
        "bands": BANDS,
        "why": WHY,
        "rows": {row.id: row.reason for row in newest().standard.rows},
        "throttled_from": THROTTLED_FROM,
        "frozen_from": FROZEN_FROM,
        "cover": COVER_BP / 10_000,
        "reference_of": reference_of,
    }


def _page(account: Account, page_no: int) -> tuple[list[Line], bool]:
    """The lines of a page, newest first, and whether there are older ones."""
    newest_first = account.lines[::-1]
    start = page_no * LINES_A_PAGE
    return list(newest_first[start : start + LINES_A_PAGE]), len(newest_first) > start + LINES_A_PAGE


@get("/shops/{shop_no:int}/credit")
async def credit(request: AnyRequest, house: NamedDependency[House], shop_no: FromPath[int]) -> Response[str]:
    """The credit of a shop."""
    shop = await shop_with(house, shop_no)
    values = await credit_values(house, shop.shop_id, page_of(request))
    return render(frame(request, house), "store/credit.html", shop=shop, **values)


def page_of(request: AnyRequest) -> int:
    """The page that is asked for. Raises `NotFound` for what is no number of a page."""
    asked = request.query_params.get("page", "0")
    number = whole(asked)
    if number is None or number < 0:
        raise NotFound(what="page")
    return number


HANDLERS: Final = [credit]
