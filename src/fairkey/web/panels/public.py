"""What everybody sees: the panels, how each was drawn, its file, and the figures of arbitrators under their ids."""

from typing import Final
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from fairkey.business.basics import PLATFORM, NotFound, Stream
from fairkey.business.panel_figures import NOTHING, figures_of
from fairkey.engine.house import House
from fairkey.engine.paneling import panel_file
from fairkey.engine.receipts import ReceiptIsNotReady
from fairkey.proofs.panel_files import PANEL_SUFFIX
from fairkey.web.frame import AnyRequest, frame
from fairkey.web.render import render

SHOWN_MAX: Final = 50
COUNTED_MAX: Final = 5_000  # panels from which figures are counted, the newest
KINDS_IN_ORDER: Final = ("requested", "convened", "sitting", "revealing", "decided")


@get("/panels")
async def panels(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """The newest panels, and every arbitrator's figures."""
    known = [
        one
        for one in await house.questions.panels.arbitrators()
        if one.arbitrator.standing.value not in {"applied", "refused"}
    ]
    records = await house.questions.panels.panels(lines_max=COUNTED_MAX)
    return render(
        frame(request, house),
        "panels/list.html",
        records=records[:SHOWN_MAX],
        arbitrators=known,
        figures=figures_of(one.panel for one in records),
        nothing=NOTHING,
    )


@get("/panels/{panel_id:str}")
async def panel(request: AnyRequest, house: NamedDependency[House], panel_id: FromPath[str]) -> Response[str]:
    """One panel: its seats, where it stands, how to draw it again. Raises `NotFound`."""
    record = await house.questions.panels.panel(checked_id(panel_id))
    if record is None:
        raise NotFound(what="panel")
    facts = await house.questions.panels.facts(panel_id)
    places = {place.version: place for place in await house.log.places(Stream(PLATFORM, "panel", panel_id))}
    return render(
        frame(request, house),
        "panels/panel.html",
        record=record,
        panel=record.panel,
        drawn=next((one for one in facts if one.kind == "panel.drawn"), None),
        convened=next((one for one in facts if one.kind == "panel.convened"), None),
        facts=facts,
        places=places,
        address=f"{house.settings.origin}/panels/{panel_id}/file",
    )


@get("/panels/{panel_id:str}/file")
async def file(house: NamedDependency[House], panel_id: FromPath[str]) -> Response[bytes]:
    """What `fairkey panel verify` reads. Raises `NotFound`, `ReceiptIsNotReady`."""
    if await house.questions.panels.panel(checked_id(panel_id)) is None:
        raise NotFound(what="panel")
    data = await panel_file(house, panel_id)
    if data is None:
        raise ReceiptIsNotReady(wait_s=5)
    headers = {"content-disposition": f'attachment; filename="{panel_id}{PANEL_SUFFIX}"'}
    return Response(data, media_type="application/json", headers=headers)


def checked_id(text: str) -> str:
    """An id in its one spelling. Raises `NotFound`."""
    try:
        is_id = str(UUID(text)) == text
    except ValueError:
        is_id = False
    if not is_id:
        raise NotFound(what="panel")
    return text


HANDLERS: Final = [panels, panel, file]
