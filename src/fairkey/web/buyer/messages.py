"""A buyer writes to the shop about an order."""

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from fairkey.business.askers import Asker
from fairkey.business.messages import Writer
from fairkey.engine.conversations import sending
from fairkey.engine.house import House
from fairkey.web.buyer.glance import glance_at, record_of
from fairkey.web.buyer.order_page import order_page
from fairkey.web.frame import AnyRequest
from fairkey.web.inputs import form_of


@post("/o/{ref:str}/messages")
async def write(request: AnyRequest, house: NamedDependency[House], ref: FromPath[str]) -> Response[str] | Redirect:
    """Send one message; what was typed is kept when it is refused."""
    record = await record_of(house, ref)
    text = (await form_of(request)).get("text", "")
    answer = await house.ask(Asker.BUYER, sending(house, record, Writer.BUYER, text, sure=False))
    if answer.refusal:
        return order_page(
            request,
            house,
            await glance_at(house, ref),
            refusal=answer.refusal,
            details=answer.details,
            filled={"message": text},
        )
    return Redirect(f"/o/{ref}#messages", status_code=303)


HANDLERS = (write,)
