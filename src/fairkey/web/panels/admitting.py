"""The operator's floor: who may judge. Here is no act about a panel or a vote, because there is none."""

from collections.abc import Mapping
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from fairkey.business.arbitrators import (
    GROUNDS,
    AdmitArbitrator,
    PayFees,
    RefuseArbitrator,
    ReinstateArbitrator,
    SuspendArbitrator,
)
from fairkey.business.askers import Asker
from fairkey.business.basics import PLATFORM, Command
from fairkey.engine.answers import Answer
from fairkey.engine.house import House
from fairkey.web.frame import AnyRequest, frame, refused, status_of
from fairkey.web.inputs import fen_of
from fairkey.web.panels.docket import SIDES
from fairkey.web.panels.public import checked_id
from fairkey.web.render import render, view_of

PATH: Final = "/floor/arbitrators"


@get(PATH)
async def arbitrators(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """Applications first, then everybody."""
    return await _page(request, house)


@post(f"{PATH}/{{arbitrator_id:str}}/{{action:str}}", status_code=303)
async def act(
    request: AnyRequest, house: NamedDependency[House], arbitrator_id: FromPath[str], action: FromPath[str]
) -> Response[Any]:
    """Admit, refuse, suspend, reinstate, note that fees were paid."""
    form = await request.form()
    command = _command(action, checked_id(arbitrator_id), {str(k): str(v).strip() for k, v in form.items()})
    if command is None:
        return refused(request, house, "NotFound", {"what": "address"}, back=PATH)
    once = f"fees:{arbitrator_id}:{command.note}" if isinstance(command, PayFees) else ""  # a transfer is noted once
    answer = await house.ask(Asker.OPERATOR, command, command_id=once)
    if answer.refusal:
        return await _page(request, house, answer)
    await house.people.audit.write(request.user, f"arbitrator.{action}", target=f"arbitrator:{arbitrator_id}")
    return Redirect(PATH, status_code=303)


def _command(action: str, arbitrator_id: str, given: Mapping[str, str]) -> Command | None:
    ids = {"shop_id": PLATFORM, "arbitrator_id": arbitrator_id}
    reason = given.get("reason", "")
    match action:
        case "admit":
            return AdmitArbitrator(**ids)
        case "refuse":
            return RefuseArbitrator(**ids, reason=reason)
        case "suspend":
            return SuspendArbitrator(**ids, ground=given.get("ground", ""), reason=reason)
        case "reinstate":
            return ReinstateArbitrator(**ids, reason=reason)
        case "pay":
            return PayFees(**ids, amount_fen=fen_of(given.get("amount", "")) or 0, note=given.get("note", ""))
        case _:
            return None


async def _page(request: AnyRequest, house: House, answer: Answer | None = None) -> Response[str]:
    context = frame(request, house)
    records = await house.questions.panels.arbitrators()
    applied = [one for one in records if one.arbitrator.standing.value == "applied"]
    texts = {one.arbitrator_id: await house.questions.panels.application_text(one.arbitrator_id) for one in applied}
    return render(
        context,
        "panels/admitting.html",
        status_code=status_of(answer.refusal) if answer else 200,
        applied=applied,
        others=[one for one in records if one not in applied],
        texts=texts,
        sides=SIDES,
        grounds=sorted(GROUNDS),
        refusal=view_of(context, answer.refusal, answer.details) if answer else None,
    )


HANDLERS: Final = [arbitrators, act]
