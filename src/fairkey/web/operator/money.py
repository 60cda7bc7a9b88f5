"""Money without a home, and instructions that the provider refused."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from fairkey.business.askers import Asker
from fairkey.business.basics import PLATFORM, Command
from fairkey.business.escrow import RetryRefund, RetryRelease
from fairkey.business.payments import RefundUnmatched
from fairkey.business.payouts import SettlePayout
from fairkey.business.references import reference_of
from fairkey.engine import trade
from fairkey.engine.house import House
from fairkey.web.frame import AnyRequest, frame, refused
from fairkey.web.inputs import form_of
from fairkey.web.render import render


@get("/floor/unmatched")
async def unmatched(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """Payments that belong to no order, and refunds or splits that failed."""
    return render(
        frame(request, house),
        "operator/unmatched.html",
        lines=await house.questions.floor.unmatched(),
        failed=await house.questions.floor.failed_instructions(),
        contradicted=await house.questions.floor.contradicted_payouts(),
        reference_of=reference_of,
    )


@post("/floor/unmatched/{payment_id:str}/refund", status_code=303)
async def refund(request: AnyRequest, house: NamedDependency[House], payment_id: FromPath[str]) -> Response[Any]:
    """Send it back to its payer now."""
    if not _is_id(payment_id):
        return refused(request, house, "NotFound", {"what": "payment"}, back="/floor/unmatched")
    command = RefundUnmatched(shop_id=PLATFORM, payment_id=payment_id)
    return await _ask(request, house, command, "payment.refund", f"payment:{payment_id}")


@post("/floor/failed/{reference:str}/{what:str}/{number:int}", status_code=303)
async def retry(
    request: AnyRequest,
    house: NamedDependency[House],
    reference: FromPath[str],
    what: FromPath[str],
    number: FromPath[int],
) -> Response[Any]:
    """Give a refused refund or release to the provider again."""
    where = await trade.locate(house, reference)
    if where is None or what not in {"refund", "release"}:
        return refused(request, house, "NotFound", {"what": "order"}, back="/floor/unmatched")
    shop_id, order_id = where
    command: Command = RetryRefund(shop_id=shop_id, order_id=order_id, refund_no=number)
    if what == "release":
        command = RetryRelease(shop_id=shop_id, order_id=order_id, release_no=number)
    return await _ask(request, house, command, f"{what}.retry", f"order:{order_id}")


@post("/floor/payouts/{shop_no:int}/{payout_id:str}", status_code=303)
async def settle(
    request: AnyRequest, house: NamedDependency[House], shop_no: FromPath[int], payout_id: FromPath[str]
) -> Response[Any]:
    """The statement shows that the second end of a payout is the true one."""
    shop_id = await house.numbers.shop_of(shop_no)
    if shop_id is None or not _is_id(payout_id):
        return refused(request, house, "NotFound", {"what": "payout"}, back="/floor/unmatched")
    given = await form_of(request)
    command = SettlePayout(shop_id=shop_id, payout_id=payout_id, reason=given.get("reason", ""))
    return await _ask(request, house, command, "payout.settle", f"payout:{payout_id}")


async def _ask(request: AnyRequest, house: House, command: Command, action: str, target: str) -> Response[Any]:
    answer = await house.ask(Asker.OPERATOR, command)
    if answer.refusal:
        return refused(request, house, answer.refusal, answer.details, back="/floor/unmatched")
    await house.people.audit.write(request.user, action, target=target)
    return Redirect("/floor/unmatched", status_code=303)


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


HANDLERS: Final = [unmatched, refund, retry, settle]
