"""Reviews: what buyers said, the buyer's amendment, the shop's objection."""

from typing import Annotated, Final

from msgspec import Meta

from fairkey.api.calls import Call, Reply, reply, uuid_text
from fairkey.api.endpoints import Endpoint, Example
from fairkey.api.order_shapes import Done, Review
from fairkey.api.pages_of_lists import cursor_of, place_of
from fairkey.api.shapes import Cursor, Id, In, Limit, Moment, Out, moment, moment_or_none
from fairkey.api.v1.orders import done
from fairkey.business.askers import Asker
from fairkey.business.basics import Command, NotFound
from fairkey.business.reviews import REASON_MIN, SPEED_BEST, SPEED_WORST, TEXT_MAX, AmendReview, ObjectToReview
from fairkey.engine import trade
from fairkey.engine.house import House
from fairkey.gates.refusals import OrderNotFound
from fairkey.read_tables.storefront import ReviewLine

TAG: Final = "reviews"


class ReviewsQuery(In, frozen=True, kw_only=True):
    """Which reviews of a shop."""

    listing_id: Annotated[str, Meta(max_length=36, description="Of one listing; empty: all.")] = ""
    cursor: Cursor = ""
    limit: Limit = 24


class PublicReview(Out, frozen=True, kw_only=True):
    """One review. Hidden words are empty and have a ground; the ratings beside them count on."""

    listing_id: Id
    product: str
    buyer: Annotated[str, Meta(description="A pseudonym that differs from shop to shop.")]
    speed: Annotated[int, Meta(ge=SPEED_WORST, le=SPEED_BEST)]
    code_worked: bool
    text: str
    hidden: Annotated[str, Meta(description="abuse, personal_data, code_shown, unlawful; empty: shown.")]
    posted_at: Moment
    amended_at: Moment | None
    first_speed: Annotated[int, Meta(description="Before the amendment; 0: not amended.")]
    first_worked: bool
    objection: str
    objection_hidden: str
    objected_at: Moment | None
    note: Annotated[str, Meta(description="The platform's.")]
    times_hidden: int


class ReviewCounts(Out, frozen=True, kw_only=True):
    """Over the time and orders that figures are counted over."""

    reviews: int
    code_worked: int
    objected: int
    hidden: int


class PublicReviews(Out, frozen=True, kw_only=True):
    """A page of reviews, newest first."""

    counts: ReviewCounts
    reviews: tuple[PublicReview, ...]
    next_cursor: str | None


class Objection(In, frozen=True, kw_only=True):
    """Why the shop disagrees."""

    text: Annotated[str, Meta(min_length=REASON_MIN, max_length=TEXT_MAX)]


async def read_reviews(house: House, call: Call) -> Reply:
    """What buyers said of a shop."""
    query: ReviewsQuery = call.query
    shop_id = await house.numbers.shop_of(call.shop_no())
    if shop_id is None:
        raise NotFound(what="shop")
    listing_id = uuid_text(query.listing_id, "listing") if query.listing_id else None
    after = place_of(query.cursor, tuple[int])
    lines = await house.questions.storefront.reviews(
        shop_id, listing_id=listing_id, before_ms=after[0] if after else None, lines_max=query.limit + 1
    )
    shown = lines[: query.limit]
    figures = (await house.questions.storefront.figures([shop_id]))[shop_id]
    counted = figures.of(listing_id) if listing_id else figures.whole
    return reply(
        PublicReviews(
            counts=ReviewCounts(
                reviews=counted.reviews,
                code_worked=counted.code_worked,
                objected=counted.objected,
                hidden=counted.hidden,
            ),
            reviews=tuple(_view(line) for line in shown),
            next_cursor=cursor_of((shown[-1].review.posted_at_ms,)) if len(lines) > query.limit else None,
        )
    )


async def amend_review(house: House, call: Call) -> Reply:
    """The buyer's second and last word."""
    where = await trade.locate(house, call.path["ref"])
    if where is None:
        raise OrderNotFound
    given: Review = call.given
    command = AmendReview(
        shop_id=where[0], order_id=where[1], speed=given.speed, code_worked=given.code_worked, text=given.text
    )
    return await _ask(house, call, Asker.BUYER, command)


async def object_to_review(house: House, call: Call) -> Reply:
    """The shop's one word beside a review."""
    where = await trade.locate(house, call.path["ref"])
    if where is None or where[0] != call.shop_id:
        raise OrderNotFound
    given: Objection = call.given
    command = ObjectToReview(shop_id=where[0], order_id=where[1], text=given.text)
    return await _ask(house, call, Asker.MERCHANT, command)


async def _ask(house: House, call: Call, asker: Asker, command: Command) -> Reply:
    return done(await house.ask(asker, command, command_id=call.command_id(), body_hash=call.body_hash(house)))


def _view(line: ReviewLine) -> PublicReview:
    review = line.review
    return PublicReview(
        listing_id=line.listing_id,
        product=line.product,
        buyer=line.buyer,
        speed=review.speed,
        code_worked=review.code_worked,
        text=review.shown_text,
        hidden=review.hidden,
        posted_at=moment(review.posted_at_ms),
        amended_at=moment_or_none(review.amended_at_ms),
        first_speed=review.first_speed,
        first_worked=review.first_worked,
        objection=review.shown_objection,
        objection_hidden=review.objection_hidden,
        objected_at=moment_or_none(review.objected_at_ms),
        note=review.note,
        times_hidden=review.times_hidden,
    )


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/api/v1/shops/{shop_no}/reviews",
        tag=TAG,
        summary="Read what buyers said of a shop",
        description="Of completed orders only, on delivery speed and whether codes worked. Nothing is ever deleted.",
        handle=read_reviews,
        query=ReviewsQuery,
        answer=PublicReviews,
        refusals=("NotFound",),
    ),
    Endpoint(
        method="POST",
        path="/api/v1/orders/{ref}/review/amend",
        tag=TAG,
        summary="Amend your review, once",
        handle=amend_review,
        body=Review,
        answer=Done,
        idempotency="optional",
        refusals=("OrderNotFound", "NotFound", "ReviewWasAmended"),
        example=Example(
            request={"speed": 2, "code_worked": False, "text": "第二天失效了。"},
            answer={"stage": "completed", "kinds": ["review.amended"]},
        ),
    ),
    Endpoint(
        method="POST",
        path="/api/v1/shop/orders/{ref}/review/objection",
        tag=TAG,
        summary="Object to a review, once",
        description="Your reasons stand beside it in public. The review and what it counts for stay.",
        handle=object_to_review,
        body=Objection,
        answer=Done,
        idempotency="optional",
        refusals=("OrderNotFound", "NotFound", "ReviewWasObjectedTo"),
        example=Example(
            request={"text": "该卡密在交付后由买家所填账号激活，有发行方证明。"},
            answer={"stage": "completed", "kinds": ["review.objected"]},
        ),
    ),
)
