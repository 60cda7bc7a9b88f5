"""Finding orders again: those of this browser, those of the account, and by number and secret."""

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect

from fairkey.business.basics import DAY_MS
from fairkey.business.references import read_reference, reference_of
from fairkey.engine import trade
from fairkey.engine.house import House
from fairkey.gates.visits import visit_of
from fairkey.read_tables.order_book import OrderLine
from fairkey.web.buyer.glance import grouped
from fairkey.web.frame import AnyRequest, frame, status_of
from fairkey.web.inputs import form_of, plain, whole
from fairkey.web.render import render, view_of

LINES_MAX = 30
FAR_AHEAD_MS = 100 * 365 * DAY_MS
NUMBER_MAX = 60


@get("/orders")
async def mine(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """Orders that this visitor may see, and the form to look others up."""
    return await _page(request, house)


@post("/orders")
async def look_up(request: AnyRequest, house: NamedDependency[House]) -> Response[str] | Redirect:
    """By number and secret: unknown and wrong get the same answer."""
    visit = visit_of(request.scope)
    fields = await form_of(request)
    number, secret = plain(fields.get("number"), NUMBER_MAX), plain(fields.get("secret"), 200)
    if visit.door.orders.secret_fits(number, secret):
        where = await trade.locate(house, number)
        record = await house.questions.order_book.find(*where) if where else None
        if record is not None:
            reference = reference_of(record.shop_no, record.order_id)
            return Redirect(f"/o/{reference}", status_code=303, cookies=[visit.door.orders.remember(visit, reference)])
    return await _page(request, house, refusal="OrderNotFound", number=number)


@post("/orders/forget")
async def forget(request: AnyRequest) -> Redirect:
    """Not my device: the browser forgets its orders; mails and accounts still lead to them."""
    visit = visit_of(request.scope)
    return Redirect("/orders", status_code=303, cookies=[visit.door.orders.forget_all(visit)])


async def _page(request: AnyRequest, house: House, *, refusal: str = "", number: str = "") -> Response[str]:
    context = frame(request, house)
    visit = visit_of(request.scope)
    book = house.questions.order_book
    before_ms = whole(request.query_params.get("before"))
    if before_ms is not None and before_ms > house.now_ms() + FAR_AHEAD_MS:
        before_ms = None
    account_id = visit.actor.account_id
    of_account = await book.of_account(account_id, before_ms=before_ms, lines_max=LINES_MAX + 1) if account_id else []
    known = {line.order_id for line in of_account}
    of_browser = [
        line
        for line in await book.of_ids(await _ids(house, visit.door.orders.references_of(visit)))
        if line.order_id not in known
    ]
    shown = of_account[:LINES_MAX]
    return render(
        context,
        "buyer/orders.html",
        status_code=status_of(refusal) if refusal else 200,
        of_account=[_row(line) for line in shown],
        of_browser=[_row(line) for line in of_browser],
        has_account=account_id is not None,
        older=str(shown[-1].created_at_ms) if len(of_account) > LINES_MAX else "",
        refusal=view_of(context, refusal) if refusal else None,
        number=number,
    )


async def _ids(house: House, references: tuple[str, ...]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for reference in references:
        read = read_reference(reference)
        shop_id = await house.numbers.shop_of(read[0]) if read else None
        if read and shop_id:
            found.append((shop_id, read[1]))
    return found


def _row(line: OrderLine) -> dict[str, object]:
    reference = reference_of(line.shop_no, line.order_id)
    return {"line": line, "href": f"/o/{reference}", "number": grouped(reference)}


HANDLERS = (mine, look_up, forget)
