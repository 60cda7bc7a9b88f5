"""Deposits with something stuck or owed, payments back that the provider refused, and the pool's own money."""

from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from fairkey.business import deposits, pool, restoring
from fairkey.business.askers import Asker
from fairkey.business.basics import PLATFORM, Command
from fairkey.business.references import reference_of
from fairkey.engine import trade
from fairkey.engine.house import House
from fairkey.web.frame import AnyRequest, frame, refused
from fairkey.web.inputs import fen_of, form_of
from fairkey.web.render import render

PATH: Final = "/floor/deposits"


@get(PATH)
async def troubled(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """What the operator must see to."""
    book = house.questions.deposits
    lines = [(await house.numbers.number_for(one.shop_id), one.deposit) for one in await book.troubled()]
    stuck = [
        (reference_of(await house.numbers.number_for(one.shop_id), one.order_id), one.one)
        for one in await book.stuck()
    ]
    return render(frame(request, house), "operator/deposits.html", lines=lines, stuck=stuck, pool=await book.pool())


@post(f"{PATH}/shops/{{shop_no:int}}/retry", status_code=303)
async def retry(request: AnyRequest, house: NamedDependency[House], shop_no: FromPath[int]) -> Response[Any]:
    """Tell the provider again what it refused of a deposit."""
    shop_id = await house.numbers.shop_of(shop_no)
    if shop_id is None:
        return refused(request, house, "NotFound", {"what": "shop"}, back=PATH)
    return await _ask(request, house, deposits.RetryDeposit(shop_id=shop_id), "deposit.retry", f"shop:{shop_id}")


@post(f"{PATH}/orders/{{reference:str}}/{{number:int}}/retry", status_code=303)
async def restore(
    request: AnyRequest, house: NamedDependency[House], reference: FromPath[str], number: FromPath[int]
) -> Response[Any]:
    """Tell the provider again to pay a buyer back."""
    where = await trade.locate(house, reference)
    if where is None:
        return refused(request, house, "NotFound", {"what": "order"}, back=PATH)
    command = restoring.RetryRestore(shop_id=where[0], order_id=where[1], restore_no=number)
    return await _ask(request, house, command, "restore.retry", f"order:{where[1]}")


@post(f"{PATH}/pool", status_code=303)
async def fund(request: AnyRequest, house: NamedDependency[House]) -> Response[Any]:
    """Record the platform's own money in the custody account."""
    given = await form_of(request)
    amount_fen = fen_of(given.get("amount_fen"))
    if amount_fen is None:
        return refused(request, house, "FieldIsInvalid", {"field": "amount_fen", "why": "not_an_amount"}, back=PATH)
    command = pool.FundPool(
        shop_id=PLATFORM, pool_id=pool.POOL_ID, amount_fen=amount_fen, note=given.get("note", "").strip()
    )
    return await _ask(request, house, command, "pool.fund", "pool")


async def _ask(request: AnyRequest, house: House, command: Command, action: str, target: str) -> Response[Any]:
    answer = await house.ask(Asker.OPERATOR, command)
    if answer.refusal:
        return refused(request, house, answer.refusal, answer.details, back=PATH)
    await house.people.audit.write(request.user, action, target=target)
    return Redirect(PATH, status_code=303)


HANDLERS: Final = [troubled, retry, restore, fund]
