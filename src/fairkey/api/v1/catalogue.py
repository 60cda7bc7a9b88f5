"""What anyone may read: listings on sale, one listing, its revisions, a shop; and whether this process is well."""

from typing import Final

from fairkey.api.calls import Call, Reply, reply, small_number
from fairkey.api.credit_shapes import CreditView, credit_view
from fairkey.api.endpoints import Endpoint
from fairkey.api.listing_shapes import (
    ListingCards,
    ListingsQuery,
    ListingView,
    RevisionView,
    ShopView,
    card_view,
    listing_view,
    revision_view,
    shop_view,
)
from fairkey.api.pages_of_lists import cursor_of, place_of
from fairkey.api.shapes import Out
from fairkey.business.basics import NotFound
from fairkey.engine.answers import StoreIsAway
from fairkey.engine.covers import cover_of_shop
from fairkey.engine.house import House
from fairkey.read_tables.storefront import WORDS_MAX, Wish

TAG: Final = "catalogue"
SORT_KEY_MAX: Final = 2**62


class Well(Out, frozen=True, kw_only=True):
    """All is well."""

    ok: bool


async def find_listings(house: House, call: Call) -> Reply:
    """What is on sale."""
    query: ListingsQuery = call.query
    shop_id = await _shop(house, query.shop_no) if query.shop_no else ""
    after = place_of(query.cursor, tuple[int, str], number_max=SORT_KEY_MAX)
    shelf = await house.questions.storefront.shelf(
        Wish(
            words=tuple(query.q.split()[:WORDS_MAX]),
            category=query.category,
            region=query.region,
            delivery=query.delivery,
            in_stock_only=query.in_stock,
            shop_id=shop_id,
            sort=query.sort,
            after=after,
            cards_max=query.limit,
        )
    )
    return reply(
        ListingCards(
            listings=tuple(card_view(card) for card in shelf.cards),
            count=shelf.count,
            next_cursor=cursor_of(shelf.after),
        )
    )


async def read_listing(house: House, call: Call) -> Reply:
    """One listing."""
    shop_id = await _shop(house, call.shop_no())
    front = await house.questions.storefront.listing(shop_id, call.uuid("listing_id"))
    if front is None:
        raise NotFound(what="listing")
    return reply(listing_view(front, await cover_of_shop(house, shop_id)))


async def read_revision(house: House, call: Call) -> Reply:
    """One revision, for ever the same."""
    shop_id = await _shop(house, call.shop_no())
    number = small_number(call.path["revision"], "revision")
    found = await house.questions.storefront.revision(shop_id, call.uuid("listing_id"), number)
    if found is None:
        raise NotFound(what="revision")
    return reply(revision_view(found), headers=((b"cache-control", b"public, max-age=31536000, immutable"),))


async def read_shop(house: House, call: Call) -> Reply:
    """One shop."""
    front = await house.questions.storefront.shop(await _shop(house, call.shop_no()))
    if front is None:
        raise NotFound(what="shop")
    return reply(shop_view(front))


async def read_credit(house: House, call: Call) -> Reply:
    """The credit of one shop."""
    shop_id = await _shop(house, call.shop_no())
    account = await house.questions.credit.account(shop_id, house.now_ms())
    return reply(credit_view(shop_id, account, await house.questions.credit.crediting(shop_id)))


async def get_health(_: House, __: Call) -> Reply:
    """The process answers."""
    return reply(Well(ok=True))


async def get_readiness(house: House, _: Call) -> Reply:
    """It can do its work: storage answers."""
    if not await house.is_ready():
        raise StoreIsAway
    return reply(Well(ok=True))


async def _shop(house: House, shop_no: int) -> str:
    shop_id = await house.numbers.shop_of(shop_no)
    if shop_id is None:
        raise NotFound(what="shop")
    return shop_id


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/api/v1/listings",
        tag=TAG,
        summary="Find listings on sale",
        handle=find_listings,
        query=ListingsQuery,
        answer=ListingCards,
        refusals=("NotFound",),
    ),
    Endpoint(
        method="GET",
        path="/api/v1/listings/{shop_no}/{listing_id}",
        tag=TAG,
        summary="Read a listing",
        handle=read_listing,
        answer=ListingView,
        refusals=("NotFound",),
    ),
    Endpoint(
        method="GET",
        path="/api/v1/listings/{shop_no}/{listing_id}/revisions/{revision}",
        tag=TAG,
        summary="Read one revision of a listing",
        description="It never changes. Its hash is the SHA-256 of the canonical JSON (RFC 8785) of its terms.",
        handle=read_revision,
        answer=RevisionView,
        refusals=("NotFound",),
    ),
    Endpoint(
        method="GET",
        path="/api/v1/shops/{shop_no}",
        tag=TAG,
        summary="Read a shop",
        handle=read_shop,
        answer=ShopView,
        refusals=("NotFound",),
    ),
    Endpoint(
        method="GET",
        path="/api/v1/shops/{shop_no}/credit",
        tag=TAG,
        summary="Read the credit of a shop",
        description=(
            "Made of public facts alone: `fairkey credit recompute` comes to the same from the public log. Shares are "
            "in millionths, -1 where nothing was counted. `lines` are the newest that moved the meter, newest first."
        ),
        handle=read_credit,
        answer=CreditView,
        refusals=("NotFound",),
    ),
    Endpoint(
        method="GET",
        path="/api/v1/health",
        tag="health",
        summary="Is the process alive?",
        handle=get_health,
        answer=Well,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/ready",
        tag="health",
        summary="Can it do its work?",
        handle=get_readiness,
        answer=Well,
    ),
)
