"""A shop writes to the buyer of an order; what leads off the platform goes out only when the shop means it."""

from typing import Any, Final

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from fairkey.business.askers import Asker
from fairkey.business.messages import Writer
from fairkey.business.references import reference_of
from fairkey.engine.conversations import sending
from fairkey.engine.house import House
from fairkey.web.conversation import Draft
from fairkey.web.frame import AnyRequest
from fairkey.web.inputs import form_of
from fairkey.web.merchant.orders import PATH, order_page, record_of
from fairkey.web.merchant.parts import not_here, shop_id_of, to


@post(f"{PATH}/{{ref:str}}/messages")
async def write(request: AnyRequest, house: NamedDependency[House], ref: FromPath[str]) -> Response[Any]:
    """Send one message; what was typed is kept when it is refused."""
    record = await record_of(house, shop_id_of(request), ref)
    if record is None:
        return not_here(request, house, "order", PATH)
    fields = await form_of(request)
    text = fields.get("text", "")
    answer = await house.ask(Asker.MERCHANT, sending(house, record, Writer.SHOP, text, sure=bool(fields.get("sure"))))
    if answer.refusal:
        return await order_page(
            request,
            house,
            record,
            refusal=answer.refusal,
            details=answer.details,
            draft=Draft(text, must_confirm=answer.refusal == "LeadsOffThePlatform"),
        )
    return to(f"{PATH}/{reference_of(record.shop_no, record.order_id)}", "message_sent")


HANDLERS: Final = [write]
