"""Orders from the shop's side: list, read, deliver typed codes, answer complaints."""

from typing import Annotated, Final

from msgspec import Meta

from fairkey.api.calls import JSON, TEXT, Call, Reply, reply
from fairkey.api.endpoints import Endpoint, Example
from fairkey.api.order_shapes import (
    ContestComplaint,
    DeliverCodes,
    Done,
    OrderRows,
    OrderView,
    order_row,
    order_view,
)
from fairkey.api.pages_of_lists import cursor_of, place_of
from fairkey.api.shapes import Cursor, In, Limit, Nothing
from fairkey.api.v1.orders import done
from fairkey.business import complaints
from fairkey.business.askers import Asker
from fairkey.business.basics import Command, FieldIsInvalid, Stream
from fairkey.business.orders import Stage
from fairkey.engine import trade
from fairkey.engine.house import House
from fairkey.engine.receipts import Party, promise_of, receipt_of
from fairkey.gates.refusals import OrderNotFound
from fairkey.read_tables.order_book import OrderRecord
from fairkey.read_tables.shop_desk import Place

TAG: Final = "shop's orders"


class OrdersQuery(In, frozen=True, kw_only=True):
    """Which orders."""

    stage: Annotated[
        str, Meta(max_length=100, pattern=r"^[a-z_,]*$", description="Stages, commas between; empty: all.")
    ] = ""
    cursor: Cursor = ""
    limit: Limit = 30


async def get_shop_orders(house: House, call: Call) -> Reply:
    """The shop's orders, newest first."""
    query: OrdersQuery = call.query
    stages = [stage for stage in query.stage.split(",") if stage]
    if unknown := [stage for stage in stages if stage not in set(Stage)]:
        raise FieldIsInvalid(field="stage", why=f"there is no stage {unknown[0]}")
    lines = await house.questions.shop_desk.orders(
        call.shop_id, stages=stages, after=place_of(query.cursor, Place), lines_max=query.limit + 1
    )
    shown = lines[: query.limit]
    return reply(
        OrderRows(
            orders=tuple(order_row(line) for line in shown),
            next_cursor=cursor_of(
                Place(shown[-1].created_at_ms, shown[-1].order_id) if len(lines) > query.limit else None
            ),
        )
    )


async def get_shop_order(house: House, call: Call) -> Reply:
    """One order of the shop."""
    return reply(order_view(await _record(house, call)))


async def get_shop_receipt(house: House, call: Call) -> Reply:
    """The receipt of one fact, opened as far as the shop may read."""
    record = await _record(house, call)
    stream = Stream(record.shop_id, "order", record.order_id)
    return Reply(200, await receipt_of(house, stream, call.path["version"], Party.SHOP), JSON)


async def get_shop_promise(house: House, call: Call) -> Reply:
    """The log's promise about one fact."""
    record = await _record(house, call)
    stream = Stream(record.shop_id, "order", record.order_id)
    return Reply(200, await promise_of(house, stream, call.path["version"]), TEXT)


async def deliver_codes(house: House, call: Call) -> Reply:
    """Deliver codes typed by hand."""
    record = await _record(house, call)
    given: DeliverCodes = call.given
    answer = await trade.deliver_typed(
        house,
        shop_id=record.shop_id,
        order_id=record.order_id,
        texts=given.codes,
        by_account=call.visit.actor.name,
        command_id=call.command_id(),
        body_hash=call.body_hash(house),
    )
    return done(answer)


async def accept_complaint(house: House, call: Call) -> Reply:
    """The buyer is right."""
    record = await _record(house, call)
    return await _ask(house, call, complaints.AcceptComplaint(shop_id=record.shop_id, order_id=record.order_id))


async def contest_complaint(house: House, call: Call) -> Reply:
    """The buyer is wrong, and why; the operator decides."""
    record = await _record(house, call)
    given: ContestComplaint = call.given
    return await _ask(
        house,
        call,
        complaints.ContestComplaint(shop_id=record.shop_id, order_id=record.order_id, text=given.text),
    )


async def _record(house: House, call: Call) -> OrderRecord:
    """The order, if it is one of the caller's shop; the same answer for another shop's and for none."""
    where = await trade.locate(house, call.path["ref"])
    record = await house.questions.order_book.find(*where) if where and where[0] == call.shop_id else None
    if record is None:
        raise OrderNotFound
    return record


async def _ask(house: House, call: Call, command: Command) -> Reply:
    answer = await house.ask(Asker.MERCHANT, command, command_id=call.command_id(), body_hash=call.body_hash(house))
    return done(answer)


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/api/v1/shop/orders",
        tag=TAG,
        summary="List your orders",
        handle=get_shop_orders,
        query=OrdersQuery,
        answer=OrderRows,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/shop/orders/{ref}",
        tag=TAG,
        summary="Read one of your orders",
        handle=get_shop_order,
        answer=OrderView,
        refusals=("OrderNotFound",),
    ),
    Endpoint(
        method="GET",
        path="/api/v1/shop/orders/{ref}/facts/{version}/receipt",
        tag=TAG,
        summary="Get the receipt of a fact of an order",
        description="As the buyer's, opened as far as the shop may read: what was said about a complaint, the review.",
        handle=get_shop_receipt,
        answer_text="A `.fairkey-receipt`: its bytes as they are.",
        answer_type="application/json",
        refusals=("ReceiptIsNotReady", "OrderNotFound"),
    ),
    Endpoint(
        method="GET",
        path="/api/v1/shop/orders/{ref}/facts/{version}/promise",
        tag=TAG,
        summary="Get the promise about a fact of an order",
        description="Signed by the log's key, there at once: the fact will be in the public log within a day.",
        handle=get_shop_promise,
        answer_text="A `.fairkey-promise`: a signed note.",
        refusals=("OrderNotFound",),
    ),
    Endpoint(
        method="POST",
        path="/api/v1/shop/orders/{ref}/deliver",
        tag=TAG,
        summary="Deliver codes typed by hand",
        description=(
            "All codes of the call or none. The order is delivered once it has all its codes; a code that was ever "
            "deposited anywhere on the platform is refused."
        ),
        handle=deliver_codes,
        body=DeliverCodes,
        bytes_max=1024 * 1024,
        answer=Done,
        idempotency="optional",
        refusals=("OrderNotFound", "OrderTakesNoCodes", "TooManyCodes", "TypedCodesAreRefused"),
        example=Example(
            request={"codes": ["F3KQ-7HZN-W2PD-9XTC"]},
            answer={"stage": "delivered", "kinds": ["code.delivered", "order.delivered"]},
        ),
    ),
    Endpoint(
        method="POST",
        path="/api/v1/shop/orders/{ref}/complaint/accept",
        tag=TAG,
        summary="Accept a complaint",
        description="What the buyer asks for goes back to him.",
        handle=accept_complaint,
        body=Nothing,
        body_is_optional=True,
        answer=Done,
        idempotency="optional",
        refusals=("OrderNotFound", "NotFound", "ComplaintIsInAnotherStage"),
    ),
    Endpoint(
        method="POST",
        path="/api/v1/shop/orders/{ref}/complaint/contest",
        tag=TAG,
        summary="Contest a complaint",
        description="The operator decides within 48 hours; silence is for the buyer.",
        handle=contest_complaint,
        body=ContestComplaint,
        answer=Done,
        idempotency="optional",
        refusals=("OrderNotFound", "NotFound", "ComplaintIsInAnotherStage"),
        example=Example(
            request={"text": "我方记录显示该卡密交付时未被使用,附采购发票。"},
            answer={"stage": "disputed", "kinds": ["dispute.answered"]},
        ),
    ),
)
