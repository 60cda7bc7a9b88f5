"""What a buyer does with a paid order, each a form on its page: open, confirm, step back, wait, review."""

from collections.abc import Callable, Mapping

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from fairkey.business.askers import Asker
from fairkey.business.basics import Command
from fairkey.business.complaints import WithdrawComplaint
from fairkey.business.dispute_state import ComplaintStage
from fairkey.business.orders import AgreeToWait, ConfirmOrder, Stage, WithdrawOrder
from fairkey.business.reviews import AmendReview, PostReview
from fairkey.engine import claiming, trade
from fairkey.engine.house import House
from fairkey.read_tables.order_book import OrderRecord
from fairkey.web.buyer.glance import glance_at, record_of
from fairkey.web.buyer.order_page import order_page
from fairkey.web.frame import AnyRequest
from fairkey.web.inputs import form_of, whole

Answered = Response[str] | Redirect


@post("/o/{ref:str}/open")
async def open_codes(request: AnyRequest, house: NamedDependency[House], ref: FromPath[str]) -> Answered:
    """Open one code (`code`) or all. Only when that is recorded, the page shows them."""
    record = await record_of(house, ref)
    fields = await form_of(request)
    wanted = fields.get("code", "")
    answer, _ = await trade.open_codes(
        house,
        shop_id=record.shop_id,
        order_id=record.order_id,
        code_ids=(wanted,) if wanted else (),
        account_name=fields.get("account_name", ""),
        account_region=fields.get("account_region", ""),
    )
    if answer.refusal:
        return await _refused(request, house, ref, answer.refusal, answer.details, fields)
    return Redirect(f"/o/{ref}#codes", status_code=303)


@post("/o/{ref:str}/confirm")
async def confirm(request: AnyRequest, house: NamedDependency[House], ref: FromPath[str]) -> Answered:
    """All is well: the held money goes to the shop."""
    return await _do(
        request,
        house,
        ref,
        lambda record, _: ConfirmOrder(shop_id=record.shop_id, order_id=record.order_id),
        lambda record: record.file.order.stage is Stage.COMPLETED and record.file.order.ended_by == "buyer",
    )


@post("/o/{ref:str}/withdraw")
async def withdraw(request: AnyRequest, house: NamedDependency[House], ref: FromPath[str]) -> Answered:
    """Give sealed codes back for the whole price."""
    return await _do(
        request,
        house,
        ref,
        lambda record, _: WithdrawOrder(shop_id=record.shop_id, order_id=record.order_id),
        lambda record: record.file.order.stage is Stage.CANCELLED and record.file.order.ended_by == "buyer",
    )


@post("/o/{ref:str}/wait")
async def wait(request: AnyRequest, house: NamedDependency[House], ref: FromPath[str]) -> Answered:
    """Give the shop one more promise period."""
    return await _do(
        request,
        house,
        ref,
        lambda record, _: AgreeToWait(shop_id=record.shop_id, order_id=record.order_id),
        lambda record: record.file.order.stage is Stage.PAID and record.file.order.wait_agreed,
    )


@post("/o/{ref:str}/claim")
async def claim(request: AnyRequest, house: NamedDependency[House], ref: FromPath[str]) -> Answered:
    """The shop has vanished: claim what it was paid before out of what is left of its deposit."""
    answer = await claiming.claim(house, await record_of(house, ref))
    if answer.refusal and not (await record_of(house, ref)).file.claim.claim_fen:
        return await _refused(request, house, ref, answer.refusal, answer.details, {})
    return Redirect(f"/o/{ref}#claim", status_code=303)


@post("/o/{ref:str}/complaint/withdraw")
async def settle(request: AnyRequest, house: NamedDependency[House], ref: FromPath[str]) -> Answered:
    """Take the complaint back; the order completes."""
    return await _do(
        request,
        house,
        ref,
        lambda record, _: WithdrawComplaint(shop_id=record.shop_id, order_id=record.order_id),
        lambda record: record.file.complaint.stage is ComplaintStage.CLOSED,
    )


@post("/o/{ref:str}/review")
async def review(request: AnyRequest, house: NamedDependency[House], ref: FromPath[str]) -> Answered:
    """Say how it was; once."""
    return await _do(
        request,
        house,
        ref,
        lambda record, fields: PostReview(
            shop_id=record.shop_id,
            order_id=record.order_id,
            speed=whole(fields.get("speed")) or 0,
            code_worked=fields.get("code_worked") == "yes",
            text=fields.get("text", ""),
        ),
        lambda record: bool(record.file.review.posted_at_ms),
    )


@post("/o/{ref:str}/review/amend")
async def amend(request: AnyRequest, house: NamedDependency[House], ref: FromPath[str]) -> Answered:
    """Say it anew; once."""
    return await _do(
        request,
        house,
        ref,
        lambda record, fields: AmendReview(
            shop_id=record.shop_id,
            order_id=record.order_id,
            speed=whole(fields.get("speed")) or 0,
            code_worked=fields.get("code_worked") == "yes",
            text=fields.get("text", ""),
        ),
        lambda record: bool(record.file.review.amended_at_ms),
    )


async def _do(
    request: AnyRequest,
    house: House,
    ref: str,
    command_for: Callable[[OrderRecord, Mapping[str, str]], Command],
    is_done: Callable[[OrderRecord], bool],
) -> Answered:
    """Ask, and show the order again. A press that finds its work already done is no mistake of the person."""
    record = await record_of(house, ref)
    fields = await form_of(request)
    answer = await house.ask(Asker.BUYER, command_for(record, fields))
    if answer.refusal and not is_done(await record_of(house, ref)):
        return await _refused(request, house, ref, answer.refusal, answer.details, fields)
    return Redirect(f"/o/{ref}", status_code=303)


async def _refused(
    request: AnyRequest, house: House, ref: str, refusal: str, details: Mapping[str, object], fields: Mapping[str, str]
) -> Response[str]:
    return order_page(request, house, await glance_at(house, ref), refusal=refusal, details=details, filled=fields)


HANDLERS = (open_codes, confirm, withdraw, wait, claim, settle, review, amend)
