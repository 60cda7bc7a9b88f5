"""The guarantee pool for everybody: its totals and every payment."""

from typing import Final

from litestar import HttpMethod, Response, route
from litestar.di import NamedDependency

from fairkey.engine.house import House
from fairkey.web.frame import AnyRequest, frame
from fairkey.web.render import render


@route("/guarantee", http_method=[HttpMethod.GET, HttpMethod.HEAD])
async def guarantee(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """Totals, and the newest payments first."""
    return render(frame(request, house), "guarantee.html", pool=await house.questions.deposits.pool())


HANDLERS: Final = [guarantee]
