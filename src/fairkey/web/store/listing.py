"""One listing: the exact terms of a revision, the shop's figures, and the form that orders it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from fairkey.business.basics import NotFound
from fairkey.engine import outaging, trade
from fairkey.engine.covers import cover_of_shop
from fairkey.engine.house import House
from fairkey.engine.people import network_of
from fairkey.gates.pow import FIELD
from fairkey.gates.refusals import WorkIsMissing
from fairkey.gates.visits import Visit, visit_of
from fairkey.read_tables.storefront import ListingFront, Revision
from fairkey.web.frame import AnyRequest, frame, status_of
from fairkey.web.inputs import form_of, plain, whole
from fairkey.web.refusals import field_problem
from fairkey.web.render import render, view_of
from fairkey.web.store.shop import figures_of, shop_with

REVIEWS_MAX = 5
IN_THE_FORM = frozenset({"contact", "quantity", "coupon"})
_FIELD_OF_REFUSAL = {
    "QuantityIsOutOfRange": "quantity",
    "StockIsShort": "quantity",
    "PurchaseLimitIsReached": "quantity",
    "ShopIsNotCovered": "quantity",
    "FirstOrderIsTooLarge": "quantity",
    "CouponIsNotValid": "coupon",
    "CouponIsUsedUp": "coupon",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What stands in the buy form, and what was wrong with it."""

    quantity: str = ""
    contact: str = ""
    coupon: str = ""
    key: str = ""
    refusal: str = ""
    details: Mapping[str, object] = field(default_factory=dict)


@get("/listings/{shop_no:int}/{listing_id:uuid}")
async def show(
    request: AnyRequest, house: NamedDependency[House], shop_no: FromPath[int], listing_id: FromPath[UUID]
) -> Response[str]:
    """The newest revision, or with `?revision=` an older one, which can only be read."""
    listing = await listing_with(house, shop_no, str(listing_id))
    asked = whole(request.query_params.get("revision"))
    revision: Revision | None = listing.newest
    if asked is not None and asked != listing.newest.revision:
        revision = None
        if any(number == asked for number, _, _ in listing.revisions):
            revision = await house.questions.storefront.revision(listing.shop.shop_id, listing.listing_id, asked)
        if revision is None:
            raise NotFound(what="revision")
    quantity = whole(request.query_params.get("quantity"))
    filled = Filled(
        quantity=str(quantity or listing.newest.terms.quantity_min),
        contact=await _contact_of(house, visit_of(request.scope)),
        coupon=plain(request.query_params.get("coupon"), 32),
    )
    return await _page(request, house, listing, revision or listing.newest, filled)


@post("/listings/{shop_no:int}/{listing_id:uuid}/buy")
async def buy(
    request: AnyRequest, house: NamedDependency[House], shop_no: FromPath[int], listing_id: FromPath[UUID]
) -> Response[str] | Redirect:
    """Place the order and go on to pay it. Sent twice, the same form makes one order."""
    listing = await listing_with(house, shop_no, str(listing_id))
    visit = visit_of(request.scope)
    fields = await form_of(request)
    quantity, seen = whole(fields.get("quantity")), whole(fields.get("revision"))
    wish = trade.Placing(
        shop_id=listing.shop.shop_id,
        listing_id=listing.listing_id,
        revision=seen if seen is not None else 0,
        quantity=min(quantity or 0, 1_000_000),
        contact=fields.get("contact", ""),
        coupon_code=fields.get("coupon", ""),
        account_id=visit.actor.account_id or "",
        address=network_of(visit.actor.address),
        locale=frame(request, house).locale,
    )
    answer = await _ask(house, visit, fields, wish)
    if isinstance(answer, trade.Placed):
        cookie = visit.door.orders.remember(visit, answer.reference)
        return Redirect(f"/o/{answer.reference}/pay", status_code=303, cookies=[cookie])
    filled = Filled(
        quantity=fields.get("quantity", ""),
        contact=fields.get("contact", ""),
        coupon=fields.get("coupon", ""),
        refusal=answer[0],
        details=answer[1],
    )
    if filled.refusal == "ListingHasChanged":
        listing = await listing_with(house, shop_no, str(listing_id))
    return await _page(request, house, listing, listing.newest, filled)


async def _ask(
    house: House, visit: Visit, fields: Mapping[str, str], wish: trade.Placing
) -> trade.Placed | tuple[str, Mapping[str, object]]:
    """The placed order, or the name and details of a refusal. Guests may have to show work first."""
    try:
        if not visit.is_known:
            visit.door.work.require("place", network_of(visit.actor.address), fields.get(FIELD, ""))
    except WorkIsMissing as missing:
        return type(missing).__name__, missing.details
    placed = await trade.place(house, wish, command_id=_command_id(visit, fields, wish))
    return (placed.answer.refusal, placed.answer.details) if placed.answer.refusal else placed


async def listing_with(house: House, shop_no: int, listing_id: str) -> ListingFront:
    """The listing at this address. Raises `NotFound`."""
    shop = await shop_with(house, shop_no)
    listing = await house.questions.storefront.listing(shop.shop_id, listing_id)
    if listing is None:
        raise NotFound(what="listing")
    return listing


async def _page(
    request: AnyRequest, house: House, listing: ListingFront, revision: Revision, filled: Filled
) -> Response[str]:
    context = frame(request, house)
    visit = visit_of(request.scope)
    view = view_of(context, filled.refusal, filled.details) if filled.refusal else None
    named = filled.details.get("field") if filled.refusal == "FieldIsInvalid" else None
    wrong_field = str(named) if named in IN_THE_FORM else _FIELD_OF_REFUSAL.get(filled.refusal, "")
    wrong_text = ""
    if named in IN_THE_FORM:
        wrong_text = field_problem(str(filled.details.get("why")), context.locale)
    elif wrong_field and view is not None:
        wrong_text = view.why
    challenge = ""
    if not visit.is_known:
        challenge = visit.door.work.challenge("place", network_of(visit.actor.address))
    figures = await figures_of(house, listing.shop.shop_id)
    return render(
        context,
        "store/listing.html",
        status_code=status_of(filled.refusal) if filled.refusal else 200,
        listing=listing,
        revision=revision,
        terms=revision.terms,
        outages=await outaging.happening(house, revision.terms.product),
        is_newest=revision.revision == listing.newest.revision,
        figures=figures.of(listing.listing_id),
        shop_figures=figures,
        cover=await cover_of_shop(house, listing.shop.shop_id),
        reviews=await house.questions.storefront.reviews(
            listing.shop.shop_id, listing_id=listing.listing_id, lines_max=REVIEWS_MAX
        ),
        filled=filled,
        order_key=house.new_id(),
        refusal=view,
        wrong={wrong_field: wrong_text} if wrong_field else {},
        work=challenge,
        work_bits=visit.door.work.difficulty_bits,
    )


async def _contact_of(house: House, visit: Visit) -> str:
    account_id = visit.actor.account_id
    return (await house.people.accounts.email_of(account_id) or "") if account_id else ""


def _command_id(visit: Visit, fields: Mapping[str, str], wish: trade.Placing) -> str:
    """The same for the same form of the same browser with the same content: sent twice, it is one order."""
    parts = (visit.binding, fields.get("key", ""), repr(wish))
    return f"buy:{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()}"
