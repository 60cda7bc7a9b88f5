"""Published measures against shops (电商法 36; 网络交易监督管理办法 30), and the terms for shops."""

from typing import Final

from litestar import Response, get
from litestar.di import NamedDependency

from fairkey.business.shop_terms import VERSIONS, hash_of
from fairkey.engine.house import House
from fairkey.web.admission_words import GROUNDS, MEASURES
from fairkey.web.frame import AnyRequest, frame
from fairkey.web.render import render


@get("/sanctions")
async def sanctions(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """All measures, newest first; lifted ones stay."""
    context = frame(request, house)
    lines = await house.admissions.published()
    return render(context, "sanctions.html", lines=lines, grounds=GROUNDS, measure_words=MEASURES)


@get("/terms/shops")
async def terms(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """Every version of the terms for shops, newest first, each with its hash."""
    versions = [(one, hash_of(one)) for one in reversed(VERSIONS)]
    return render(frame(request, house), "shop_terms.html", versions=versions)


HANDLERS: Final = [sanctions, terms]
