"""Shops and listings as anyone, and as their own people, read and change them."""

from typing import Annotated, Literal

from msgspec import Meta
from msgspec.structs import asdict

from fairkey.api.shapes import Cursor, Hash, Id, In, Limit, Moment, Out, PriceFen, moment, moment_or_none
from fairkey.business.basics import Broken
from fairkey.business.covering import Cover
from fairkey.business.listings import PROMISE_MAX_MIN, QUANTITY_MAX, TIERS_MAX, Terms
from fairkey.business.shops import Standing
from fairkey.read_tables.shop_desk import ListingLine
from fairkey.read_tables.storefront import Card, ListingFront, Revision, ShopFront

Text = Annotated[str, Meta(max_length=4_000)]


class ListingsQuery(In, frozen=True, kw_only=True):
    """What to look for; empty: anything."""

    q: Annotated[
        str, Meta(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$", description="Words, all of which must occur.")
    ] = ""
    category: Annotated[str, Meta(max_length=40, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    region: Annotated[str, Meta(max_length=40, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    delivery: Literal["", "vault", "manual"] = ""
    in_stock: Annotated[bool, Meta(description="Only what can be delivered now.")] = False
    shop_no: Annotated[int, Meta(ge=0, le=2**31 - 1, description="0: all shops.")] = 0
    sort: Literal["stock", "new", "price", "price_down", "speed"] = "stock"
    cursor: Cursor = ""
    limit: Limit = 24


class ListingCard(Out, frozen=True, kw_only=True):
    """One listing on sale."""

    shop_no: int
    shop_name: str
    listing_id: Id
    revision: int
    product: str
    category: str
    face_value: str
    region: str
    edition: str
    price_fen: PriceFen
    lowest_price_fen: Annotated[PriceFen, Meta(description="The unit price of the largest wholesale tier.")]
    delivery: Literal["vault", "manual"]
    promise_min: int
    stock: Annotated[int, Meta(ge=0, description="Codes that lie sealed in the vault now; 0 if typed by hand.")]
    published_at: Moment


class ListingCards(Out, frozen=True, kw_only=True):
    """A page of listings."""

    listings: tuple[ListingCard, ...]
    count: Annotated[int, Meta(ge=0, description="All that match.")]
    next_cursor: str | None


class RevisionView(Out, frozen=True, kw_only=True):
    """One revision that never changes: `revision_hash` is the SHA-256 of the canonical JSON (RFC 8785) of `terms`."""

    revision: int
    revision_hash: Hash
    published_at: Moment
    terms: Terms


class RevisionName(Out, frozen=True, kw_only=True):
    """A revision without its terms."""

    revision: int
    revision_hash: Hash
    published_at: Moment


class ShopView(Out, frozen=True, kw_only=True):
    """A shop as anyone may know it."""

    shop_no: int
    name: str
    announcement: str
    standing: Standing
    opened_at: Moment | None


class CoverView(Out, frozen=True, kw_only=True):
    """What stands behind the shop's next order, by the rule that admits orders."""

    deposit_fen: int
    open_fen: int
    most_fen: Annotated[int, Meta(description="What may be open at once.")]
    room_fen: Annotated[int, Meta(description="How large the next order may be.")]
    by: Annotated[str, Meta(description="deposit, or trial (small trial).")]
    first_order_fen: Annotated[
        int, Meta(description="What a buyer without a completed order here may have open; 0: no limit.")
    ]


class ListingView(Out, frozen=True, kw_only=True):
    """One listing, whether on sale or not, with its newest revision."""

    shop: ShopView
    listing_id: Id
    on_sale: bool
    stock: Annotated[int, Meta(ge=0)]
    newest: RevisionView
    revisions: tuple[RevisionName, ...]
    cover: Annotated[CoverView | None, Meta(description="null: nothing is bound here.")]


class NewTerms(In, frozen=True, kw_only=True):
    """Everything a buyer is promised. The rules name the field that cannot be meant."""

    product: Annotated[str, Meta(min_length=2, max_length=120)]
    category: Annotated[str, Meta(min_length=1, max_length=40)]
    face_value: Annotated[str, Meta(min_length=1, max_length=60)]
    region: Annotated[str, Meta(min_length=1, max_length=40)]
    edition: Annotated[str, Meta(max_length=60)] = ""
    redeem_by: Annotated[str, Meta(pattern=r"^(\d{4}-\d{2}-\d{2})?$", description="Empty: no end.")] = ""
    instructions: Annotated[str, Meta(min_length=1, max_length=4_000)]
    after_sale: Annotated[str, Meta(max_length=2_000)] = ""
    price_fen: PriceFen
    delivery: Literal["vault", "manual"]
    promise_min: Annotated[
        int, Meta(ge=0, le=PROMISE_MAX_MIN, description="Manual delivery: minutes until the codes are there. Vault: 0.")
    ] = 0
    tiers: Annotated[
        tuple[tuple[Annotated[int, Meta(ge=2, le=QUANTITY_MAX)], PriceFen], ...],
        Meta(max_length=TIERS_MAX, description="(least quantity, unit price), rising quantities, falling prices."),
    ] = ()
    quantity_min: Annotated[int, Meta(ge=1, le=QUANTITY_MAX)] = 1
    quantity_max: Annotated[int, Meta(ge=1, le=QUANTITY_MAX)] = 20
    per_buyer_max: Annotated[int, Meta(ge=0, le=1_000_000, description="0: no limit.")] = 0

    def terms(self) -> Terms:
        """As the business calls them."""
        return Terms(**asdict(self))


class OwnListing(Out, frozen=True, kw_only=True):
    """One listing of the shop."""

    listing_id: Id
    revision: int
    revision_hash: Hash
    on_sale: bool
    stock: Annotated[int, Meta(ge=0)]
    published_at: Moment
    terms: Terms


class OwnListings(Out, frozen=True, kw_only=True):
    """A page of the shop's listings, newest first."""

    listings: tuple[OwnListing, ...]
    next_cursor: str | None


class OwnShop(Out, frozen=True, kw_only=True):
    """The shop, as only its own people read it."""

    shop_no: int
    name: str
    announcement: str
    payout_account: str
    standing: Standing
    suspended_because: str
    fee_bp: Annotated[int, Meta(description="The platform's fee in basis points.")]
    opened_at: Moment | None


class ChangeShop(In, frozen=True, kw_only=True):
    """The profile as it shall be from now on."""

    name: Annotated[str, Meta(min_length=2, max_length=40)]
    announcement: Annotated[str, Meta(max_length=2_000)] = ""
    payout_account: Annotated[str, Meta(max_length=120)]


def card_view(card: Card) -> ListingCard:
    """One listing in a list."""
    return ListingCard(
        shop_no=card.shop_no,
        shop_name=card.shop_name,
        listing_id=card.listing_id,
        revision=card.revision,
        product=card.product,
        category=card.category,
        face_value=card.face_value,
        region=card.region,
        edition=card.edition,
        price_fen=card.price_fen,
        lowest_price_fen=card.lowest_price_fen,
        delivery="manual" if card.delivery == "manual" else "vault",
        promise_min=card.promise_min,
        stock=card.stock,
        published_at=moment(card.published_at_ms),
    )


def shop_view(shop: ShopFront) -> ShopView:
    """A shop as anyone may know it."""
    return ShopView(
        shop_no=shop.shop_no,
        name=shop.name,
        announcement=shop.announcement,
        standing=Standing(shop.standing),
        opened_at=moment_or_none(shop.opened_at_ms),
    )


def revision_view(revision: Revision) -> RevisionView:
    """One revision."""
    return RevisionView(
        revision=revision.revision,
        revision_hash=revision.revision_hash,
        published_at=moment(revision.published_at_ms),
        terms=revision.terms,
    )


def listing_view(front: ListingFront, cover: Cover | None) -> ListingView:
    """One listing."""
    return ListingView(
        shop=shop_view(front.shop),
        listing_id=front.listing_id,
        on_sale=front.on_sale,
        stock=front.stock,
        newest=revision_view(front.newest),
        revisions=tuple(
            RevisionName(revision=revision, revision_hash=revision_hash, published_at=moment(at_ms))
            for revision, revision_hash, at_ms in front.revisions
        ),
        cover=None
        if cover is None
        else CoverView(
            deposit_fen=cover.deposit_fen,
            open_fen=cover.open_fen,
            most_fen=cover.most_fen,
            room_fen=cover.room_fen,
            by="deposit" if cover.by_deposit else "trial",
            first_order_fen=cover.first_order_fen,
        ),
    )


def own_listing(line: ListingLine) -> OwnListing:
    """One listing of the shop."""
    listing = line.listing
    if listing.terms is None:
        raise Broken("a listing in the list was published once")
    return OwnListing(
        listing_id=line.listing_id,
        revision=listing.revision,
        revision_hash=listing.revision_hash,
        on_sale=listing.on_sale,
        stock=line.stock,
        published_at=moment(listing.published_at_ms),
        terms=listing.terms,
    )
