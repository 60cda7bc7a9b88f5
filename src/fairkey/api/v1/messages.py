"""What buyer and shop write to each other about an order."""

from typing import Annotated, Final

from msgspec import Meta

from fairkey.api.calls import Call, Reply, reply
from fairkey.api.endpoints import Endpoint, Example
from fairkey.api.order_shapes import Done
from fairkey.api.shapes import In, Out, moment
from fairkey.api.v1.orders import done
from fairkey.business.askers import Asker
from fairkey.business.lures import Lure
from fairkey.business.messages import TEXT_MAX, Writer
from fairkey.engine import conversations, trade
from fairkey.engine.house import House
from fairkey.gates.refusals import OrderNotFound
from fairkey.read_tables.order_book import OrderRecord

TAG: Final = "messages"


class Message(In, frozen=True, kw_only=True):
    """One message."""

    text: Annotated[str, Meta(min_length=1, max_length=TEXT_MAX)]


class ShopMessage(In, frozen=True, kw_only=True):
    """One message of the shop. `sure`: it is sent although it seems to lead off the platform, and marked in the log."""

    text: Annotated[str, Meta(min_length=1, max_length=TEXT_MAX)]
    sure: bool = False


class MessageView(Out, frozen=True, kw_only=True):
    """One message as both sides read it. `lures`: what it leads to off the platform; `text` is empty once erased."""

    message_no: int
    by: Writer
    at: str
    text: str
    lures: tuple[Lure, ...]
    version: int


class MessageList(Out, frozen=True, kw_only=True):
    """All messages about an order, oldest first."""

    messages: tuple[MessageView, ...]


async def get_messages(house: House, call: Call) -> Reply:
    """The buyer reads."""
    return await _listed(house, await of_buyer(house, call))


async def send_message(house: House, call: Call) -> Reply:
    """The buyer writes."""
    given: Message = call.given
    return await _sent(house, call, await of_buyer(house, call), Writer.BUYER, given.text)


async def get_shop_messages(house: House, call: Call) -> Reply:
    """The shop reads."""
    return await _listed(house, await of_shop(house, call))


async def send_shop_message(house: House, call: Call) -> Reply:
    """The shop writes."""
    given: ShopMessage = call.given
    return await _sent(house, call, await of_shop(house, call), Writer.SHOP, given.text, sure=given.sure)


async def of_buyer(house: House, call: Call) -> OrderRecord:
    """The order that its buyer names. Raises `OrderNotFound`."""
    where = await trade.locate(house, call.path["ref"])
    record = await house.questions.order_book.find(*where) if where else None
    if record is None:
        raise OrderNotFound
    return record


async def of_shop(house: House, call: Call) -> OrderRecord:
    """An order of the calling shop. Raises `OrderNotFound`."""
    where = await trade.locate(house, call.path["ref"])
    record = await house.questions.order_book.find(*where) if where and where[0] == call.shop_id else None
    if record is None:
        raise OrderNotFound
    return record


async def _listed(house: House, record: OrderRecord) -> Reply:
    facts = await house.questions.order_book.facts(record.shop_id, record.order_id, with_sealed=True)
    lines = conversations.lines_of(facts)
    return reply(
        MessageList(
            messages=tuple(
                MessageView(
                    message_no=line.message_no,
                    by=line.by,
                    at=moment(line.at_ms),
                    text=line.text,
                    lures=line.lures,
                    version=line.version,
                )
                for line in lines
            )
        )
    )


async def _sent(house: House, call: Call, record: OrderRecord, by: Writer, text: str, *, sure: bool = False) -> Reply:
    answer = await house.ask(
        Asker.BUYER if by is Writer.BUYER else Asker.MERCHANT,
        conversations.sending(house, record, by, text, sure=sure),
        command_id=call.command_id(),
        body_hash=call.body_hash(house),
    )
    return done(answer)


_REFUSALS: Final = ("OrderNotFound", "NoMessagesAboutThis", "TooManyMessages", "FieldIsInvalid")

ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/api/v1/orders/{ref}/messages",
        tag=TAG,
        summary="Read what was written about your order",
        handle=get_messages,
        answer=MessageList,
        refusals=("OrderNotFound",),
    ),
    Endpoint(
        method="POST",
        path="/api/v1/orders/{ref}/messages",
        tag=TAG,
        summary="Write to the shop",
        description="Every message is a fact in the log: nobody can change it afterwards.",
        handle=send_message,
        body=Message,
        answer=Done,
        idempotency="optional",
        refusals=_REFUSALS,
        example=Example(
            request={"text": "这个码提示已被使用，请处理。"}, answer={"stage": "delivered", "kinds": ["message.sent"]}
        ),
    ),
    Endpoint(
        method="GET",
        path="/api/v1/shop/orders/{ref}/messages",
        tag=TAG,
        summary="Read what was written about an order of yours",
        handle=get_shop_messages,
        answer=MessageList,
        refusals=("OrderNotFound",),
    ),
    Endpoint(
        method="POST",
        path="/api/v1/shop/orders/{ref}/messages",
        tag=TAG,
        summary="Write to the buyer",
        description=(
            "A message that seems to lead off the platform (an account, a number, an address, a payment elsewhere) is "
            "refused once; with `sure` it is sent and marked in the log."
        ),
        handle=send_shop_message,
        body=ShopMessage,
        answer=Done,
        idempotency="optional",
        refusals=(*_REFUSALS, "LeadsOffThePlatform"),
        example=Example(
            request={"text": "您好，已为您核对，请稍候。"}, answer={"stage": "delivered", "kinds": ["message.sent"]}
        ),
    ),
)
