"""The caller's own shop and its listings. Every call here needs the shop's key."""

from typing import Final

from fairkey.api.calls import Call, Reply, reply, require_done
from fairkey.api.endpoints import Endpoint, Example
from fairkey.api.listing_shapes import (
    ChangeShop,
    NewTerms,
    OwnListing,
    OwnListings,
    OwnShop,
    own_listing,
)
from fairkey.api.pages_of_lists import cursor_of, place_of
from fairkey.api.shapes import Nothing, PageQuery, moment_or_none
from fairkey.business import listings, shops
from fairkey.business.askers import Asker
from fairkey.business.basics import Broken, NotFound
from fairkey.engine.house import House
from fairkey.read_tables.shop_desk import Place

TAG: Final = "shop"
LISTINGS: Final = "shop's listings"


async def get_shop(house: House, call: Call) -> Reply:
    """The shop."""
    return await _shop(house, call.shop_id)


async def change_shop(house: House, call: Call) -> Reply:
    """New name, announcement, payout account."""
    given: ChangeShop = call.given
    record = await house.questions.shop_desk.shop(call.shop_id)
    answer = await house.ask(
        Asker.MERCHANT,
        shops.ChangeShop(
            shop_id=call.shop_id,
            name=given.name,
            announcement=given.announcement,
            payout_account=given.payout_account,
            account_is_new=record is None or given.payout_account != record.payout_account,
        ),
        command_id=call.command_id(),
        body_hash=call.body_hash(house),
    )
    require_done(answer)
    return await _shop(house, call.shop_id)


async def get_shop_listings(house: House, call: Call) -> Reply:
    """All listings of the shop."""
    query: PageQuery = call.query
    lines = await house.questions.shop_desk.listings(
        call.shop_id, after=place_of(query.cursor, Place), lines_max=query.limit + 1
    )
    shown = lines[: query.limit]
    return reply(
        OwnListings(
            listings=tuple(own_listing(line) for line in shown),
            next_cursor=cursor_of(
                Place(shown[-1].created_at_ms, shown[-1].listing_id) if len(lines) > query.limit else None
            ),
        )
    )


async def get_shop_listing(house: House, call: Call) -> Reply:
    """One listing of the shop."""
    return await _listing(house, call.shop_id, call.uuid("listing_id"))


async def create_listing(house: House, call: Call) -> Reply:
    """A new listing, on sale from now on."""
    return await _publish(house, call, house.new_id(), 201)


async def revise_listing(house: House, call: Call) -> Reply:
    """A new revision of a listing; also puts a withdrawn one back on sale."""
    listing_id = call.uuid("listing_id")
    if await house.questions.shop_desk.listing(call.shop_id, listing_id) is None:
        raise NotFound(what="listing")
    return await _publish(house, call, listing_id, 200)


async def withdraw_listing(house: House, call: Call) -> Reply:
    """Take it off sale."""
    listing_id = call.uuid("listing_id")
    answer = await house.ask(
        Asker.MERCHANT,
        listings.WithdrawListing(shop_id=call.shop_id, listing_id=listing_id),
        command_id=call.command_id(),
        body_hash=call.body_hash(house),
    )
    require_done(answer)
    return await _listing(house, call.shop_id, listing_id)


async def _publish(house: House, call: Call, listing_id: str, status: int) -> Reply:
    given: NewTerms = call.given
    answer = await house.ask(
        Asker.MERCHANT,
        listings.PublishListing(shop_id=call.shop_id, listing_id=listing_id, terms=given.terms()),
        command_id=call.command_id(),
        body_hash=call.body_hash(house),
    )
    require_done(answer)
    if answer.stream is None:
        raise Broken("a command that was done tells what it was about")
    return await _listing(house, call.shop_id, answer.stream.id, status)


async def _listing(house: House, shop_id: str, listing_id: str, status: int = 200) -> Reply:
    line = await house.questions.shop_desk.listing(shop_id, listing_id)
    if line is None:
        raise NotFound(what="listing")
    headers = ((b"location", f"/api/v1/shop/listings/{listing_id}".encode()),) if status == CREATED else ()
    return reply(own_listing(line), status, headers)


async def _shop(house: House, shop_id: str) -> Reply:
    record = await house.questions.shop_desk.shop(shop_id)
    if record is None:
        raise NotFound(what="shop")
    shop = record.shop
    return reply(
        OwnShop(
            shop_no=shop.shop_no,
            name=shop.name,
            announcement=shop.announcement,
            payout_account=record.payout_account,
            standing=shop.standing,
            suspended_because=shop.suspended_because,
            fee_bp=shop.fee_bp,
            opened_at=moment_or_none(shop.opened_at_ms),
        )
    )


CREATED: Final = 201
_TERMS: Final = Example(
    request={
        "product": "Steam 充值卡 100 元",
        "category": "game",
        "face_value": "100 元",
        "region": "CN",
        "instructions": "登录 Steam 客户端,选择「兑换充值码」。",
        "price_fen": 9500,
        "delivery": "vault",
        "tiers": [[10, 9400], [50, 9300]],
        "quantity_max": 100,
    }
)

ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/api/v1/shop",
        tag=TAG,
        summary="Read your shop",
        handle=get_shop,
        answer=OwnShop,
        refusals=("NotFound",),
    ),
    Endpoint(
        method="PUT",
        path="/api/v1/shop",
        tag=TAG,
        summary="Change name, announcement and payout account",
        description="All three as they shall be from now on.",
        handle=change_shop,
        body=ChangeShop,
        answer=OwnShop,
        idempotency="optional",
        refusals=("NotFound", "ShopIsInAnotherStanding"),
        example=Example(
            request={"name": "小满卡铺", "announcement": "国庆照常发货。", "payout_account": "6222 0000 0000 0001"}
        ),
    ),
    Endpoint(
        method="GET",
        path="/api/v1/shop/listings",
        tag=LISTINGS,
        summary="List your listings",
        handle=get_shop_listings,
        query=PageQuery,
        answer=OwnListings,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/shop/listings",
        tag=LISTINGS,
        summary="Publish a listing",
        handle=create_listing,
        body=NewTerms,
        answer=OwnListing,
        status=CREATED,
        idempotency="optional",
        refusals=("NotFound", "ShopTakesNoListings"),
        example=_TERMS,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/shop/listings/{listing_id}",
        tag=LISTINGS,
        summary="Read one of your listings",
        handle=get_shop_listing,
        answer=OwnListing,
        refusals=("NotFound",),
    ),
    Endpoint(
        method="POST",
        path="/api/v1/shop/listings/{listing_id}/revisions",
        tag=LISTINGS,
        summary="Publish a new revision",
        description="Orders already placed keep the revision their buyers saw. A withdrawn listing is on sale again.",
        handle=revise_listing,
        body=NewTerms,
        answer=OwnListing,
        idempotency="optional",
        refusals=("NotFound", "ShopTakesNoListings", "NothingHasChanged"),
        example=_TERMS,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/shop/listings/{listing_id}/withdraw",
        tag=LISTINGS,
        summary="Take a listing off sale",
        handle=withdraw_listing,
        body=Nothing,
        body_is_optional=True,
        answer=OwnListing,
        idempotency="optional",
        refusals=("NotFound",),
    ),
)
