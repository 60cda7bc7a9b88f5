"""Shops: admit, suspend with a reason the shop reads, reinstate."""

from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from fairkey.business.askers import Asker
from fairkey.business.basics import Command
from fairkey.business.shops import AdmitShop, ReinstateShop, SuspendShop
from fairkey.engine.house import House
from fairkey.web.frame import AnyRequest, frame, refused, status_of
from fairkey.web.render import render, view_of


@get("/floor/shops")
async def shops(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """All shops."""
    return render(frame(request, house), "operator/shops.html", shops=await house.questions.floor.shops(), refusal=None)


@post("/floor/shops/{shop_no:int}/{action:str}", status_code=303)
async def act(
    request: AnyRequest, house: NamedDependency[House], shop_no: FromPath[int], action: FromPath[str]
) -> Response[Any]:
    """Admit, suspend or reinstate; each with what the shop has to know."""
    shop_id = await house.numbers.shop_of(shop_no)
    if shop_id is None or action not in {"admit", "suspend", "reinstate"}:
        return refused(request, house, "NotFound", {"what": "shop"}, back="/floor/shops")
    reason = str((await request.form()).get("reason", "")).strip()
    commands: dict[str, Command] = {
        "admit": AdmitShop(shop_id=shop_id, fee_bp=house.settings.fee_bp),
        "suspend": SuspendShop(shop_id=shop_id, reason=reason),
        "reinstate": ReinstateShop(shop_id=shop_id, reason=reason),
    }
    answer = await house.ask(Asker.OPERATOR, commands[action])
    if answer.refusal:
        context = frame(request, house)
        return render(
            context,
            "operator/shops.html",
            status_code=status_of(answer.refusal),
            shops=await house.questions.floor.shops(),
            refusal=view_of(context, answer.refusal, answer.details),
        )
    await house.people.audit.write(request.user, f"shop.{action}", target=f"shop:{shop_id}")
    return Redirect("/floor/shops", status_code=303)


HANDLERS: Final = [shops, act]
