"""Shops: suspend or ban with a reason the shop reads and a ground the public reads, reinstate."""

from collections.abc import Sequence
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from fairkey.business.askers import Asker
from fairkey.business.basics import Command
from fairkey.business.crediting import Crediting, ReviewFreeze
from fairkey.business.liquidations import Liquidation
from fairkey.business.shops import CLAUSE_OF, LetReturn, ReinstateShop, SuspendShop
from fairkey.engine.house import House
from fairkey.read_tables.floor import ShopLine
from fairkey.web.admission_words import GROUNDS, MEASURES
from fairkey.web.frame import AnyRequest, frame, refused, status_of
from fairkey.web.inputs import form_of, whole
from fairkey.web.render import render, view_of

WORDS: Final[dict[str, Any]] = {"grounds": GROUNDS, "measure_words": MEASURES, "clauses": CLAUSE_OF}


@get("/floor/shops")
async def shops(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """All shops."""
    lines = await house.questions.floor.shops()
    frozen = await _frozen(house)
    kept = await _kept(house, lines)
    context = frame(request, house)
    return render(context, "operator/shops.html", shops=lines, refusal=None, frozen=frozen, kept=kept, **WORDS)


async def _kept(house: House, lines: Sequence[ShopLine]) -> dict[str, Liquidation]:
    """What is kept of the deposits of vanished shops, for claims."""
    return {one.shop_id: await house.questions.deposits.liquidation(one.shop_id) for one in lines if one.vanished}


async def _frozen(house: House) -> dict[str, Crediting]:
    """Shops that wait for a person to look at them."""
    return {one.shop_id: one.crediting for one in await house.questions.credit.frozen()}


@post("/floor/shops/{shop_no:int}/{action:str}", status_code=303)
async def act(
    request: AnyRequest, house: NamedDependency[House], shop_no: FromPath[int], action: FromPath[str]
) -> Response[Any]:
    """Suspend, ban, reinstate, or let a frozen or vanished shop trade again; each with what the shop has to know."""
    shop_id = await house.numbers.shop_of(shop_no)
    if shop_id is None or action not in {"suspend", "reinstate", "review", "return"}:
        return refused(request, house, "NotFound", {"what": "shop"}, back="/floor/shops")
    given = await form_of(request)
    reason = given.get("reason", "")
    commands: dict[str, Command] = {
        "suspend": SuspendShop(
            shop_id=shop_id,
            reason=reason,
            reason_code=given.get("reason_code", "") or "other",
            measure=given.get("measure", "") or "suspension",
            days=-1 if (days := whole(given.get("days", "") or "0")) is None else days,
        ),
        "reinstate": ReinstateShop(shop_id=shop_id, reason=reason),
        "review": ReviewFreeze(shop_id=shop_id, reason=reason),
        "return": LetReturn(shop_id=shop_id, reason=reason),
    }
    answer = await house.ask(Asker.OPERATOR, commands[action])
    if answer.refusal:
        context = frame(request, house)
        lines = await house.questions.floor.shops()
        return render(
            context,
            "operator/shops.html",
            status_code=status_of(answer.refusal),
            shops=lines,
            kept=await _kept(house, lines),
            refusal=view_of(context, answer.refusal, answer.details),
            frozen=await _frozen(house),
            **WORDS,
        )
    await house.people.audit.write(request.user, f"shop.{action}", target=f"shop:{shop_id}")
    return Redirect("/floor/shops", status_code=303)


HANDLERS: Final = [shops, act]
