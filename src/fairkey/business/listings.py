"""What a shop offers. A published revision never changes; an order names the exact revision it was placed on."""

import re
from calendar import monthrange
from hashlib import sha256
from typing import assert_never

from msgspec import Struct, json
from msgspec.structs import replace

from .basics import AMOUNT_MAX_FEN, Command, Event, NotFound, Refusal, require, require_text

PROMISE_MAX_MIN = 24 * 60
QUANTITY_MAX = 500
PER_BUYER_MAX = 1_000_000
MONTHS = 12
TIERS_MAX = 10
_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Terms(Struct, frozen=True, kw_only=True):
    """Everything a buyer is promised by one revision. `tiers` are (least quantity, unit price in fen), rising."""

    product: str
    category: str
    face_value: str
    region: str
    edition: str
    redeem_by: str  # a date YYYY-MM-DD, or empty: no end
    instructions: str
    after_sale: str
    price_fen: int
    delivery: str  # vault | manual
    promise_min: int  # manual only: minutes until the typed codes are there; one number, no vague wording
    tiers: tuple[tuple[int, int], ...] = ()
    quantity_min: int = 1
    quantity_max: int = 20
    per_buyer_max: int = 0  # 0 = no limit


def encode_terms(terms: Terms) -> str:
    """Canonical JSON (RFC 8785) of the terms: keys sorted, no spaces; only strings, integers and arrays occur."""
    return json.encode(terms, order="sorted").decode()


def decode_terms(terms_json: str) -> Terms:
    """The terms that `encode_terms` wrote."""
    return json.decode(terms_json, type=Terms)


class ListingPublished(Event, frozen=True):
    """A first revision, or with `revision` > 1 a new one. The terms are public by their hash."""

    kind = "listing.published"
    sealed = frozenset({"terms"})
    revision: int
    revision_hash: str
    price_fen: int
    delivery: str
    promise_min: int
    terms: str  # canonical JSON of `Terms`; its SHA-256 is `revision_hash`


class ListingWithdrawn(Event, frozen=True):
    """Not on sale any more; orders already placed go on."""

    kind = "listing.withdrawn"
    by: str


ListingEvent = ListingPublished | ListingWithdrawn


class PublishListing(Command, frozen=True):
    """Publish a new listing, a new revision of one, or put a withdrawn one back on sale.

    The revision's hash is the SHA-256 of the terms' canonical JSON. Terms that cannot be meant are refused.
    """

    listing_id: str
    terms: Terms


class WithdrawListing(Command, frozen=True):
    """Take it off sale. `by` is merchant or operator."""

    listing_id: str
    by: str = "merchant"


ListingCommand = PublishListing | WithdrawListing


class NothingHasChanged(Refusal):
    """The new revision is the same as the one on sale."""


class Listing(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One listing: its newest revision."""

    revision: int = 0
    revision_hash: str = ""
    terms: Terms | None = None
    on_sale: bool = False
    published_at_ms: int = 0


INITIAL = Listing()


class ShopBriefing(Struct, frozen=True, kw_only=True):
    """Whether the shop may offer anything now."""

    shop_is_open: bool


class ShopTakesNoListings(Refusal):
    """The shop is suspended or closed."""


def check_terms(terms: Terms) -> None:
    """Refuse terms that no careful buyer could rely on. Raises `FieldIsInvalid` naming the field."""
    require_text(terms.product, "product", 120, 2)
    require_text(terms.category, "category", 40, 1)
    require_text(terms.face_value, "face_value", 60, 1)
    require_text(terms.region, "region", 40, 1)
    require_text(terms.edition, "edition", 60)
    require_text(terms.instructions, "instructions", 4_000, 1)
    require_text(terms.after_sale, "after_sale", 2_000)
    require("\n" not in terms.product, "product", "control_characters")
    require(1 <= terms.price_fen <= AMOUNT_MAX_FEN, "price_fen", "out_of_range")
    require(terms.delivery in ("vault", "manual"), "delivery", "unknown")
    if terms.delivery == "manual":
        require(1 <= terms.promise_min <= PROMISE_MAX_MIN, "promise_min", "out_of_range")
    else:
        require(terms.promise_min == 0, "promise_min", "vault_delivers_at_once")
    require(1 <= terms.quantity_min <= terms.quantity_max <= QUANTITY_MAX, "quantity_max", "out_of_range")
    require(0 <= terms.per_buyer_max <= PER_BUYER_MAX, "per_buyer_max", "out_of_range")
    require(len(terms.tiers) <= TIERS_MAX, "tiers", "too_many")
    require(terms.price_fen * terms.quantity_max <= AMOUNT_MAX_FEN * 10, "quantity_max", "order_too_large")
    least_before, price_before_fen = 1, terms.price_fen
    for least, price_fen in terms.tiers:
        require(least > least_before, "tiers", "not_rising")
        require(1 <= price_fen < price_before_fen, "tiers", "not_cheaper")
        least_before, price_before_fen = least, price_fen
    require(not terms.redeem_by or _is_date(terms.redeem_by), "redeem_by", "not_a_date")


def _is_date(text: str) -> bool:
    """Whether it is a day of the calendar, written YYYY-MM-DD."""
    if not _DATE.fullmatch(text):
        return False
    year, month, day = int(text[:4]), int(text[5:7]), int(text[8:])
    return year > 0 and 1 <= month <= MONTHS and 1 <= day <= monthrange(year, month)[1]


def decide(command: ListingCommand, listing: Listing, brief: ShopBriefing | None, at_ms: int) -> list[Event]:
    """What follows from `command` for this listing, or a `Refusal`."""
    match command:
        case PublishListing():
            assert brief is not None
            if not brief.shop_is_open:
                raise ShopTakesNoListings
            check_terms(command.terms)
            terms_json = encode_terms(command.terms)
            revision_hash = sha256(terms_json.encode()).hexdigest()
            if listing.on_sale and listing.revision_hash == revision_hash:
                raise NothingHasChanged
            return [
                ListingPublished(
                    revision=listing.revision + 1,
                    revision_hash=revision_hash,
                    price_fen=command.terms.price_fen,
                    delivery=command.terms.delivery,
                    promise_min=command.terms.promise_min,
                    terms=terms_json,
                )
            ]
        case WithdrawListing():
            if not listing.on_sale:
                raise NotFound(what="listing")
            return [ListingWithdrawn(by=command.by)]
        case _:
            assert_never(command)


def evolve(listing: Listing, event: ListingEvent, at_ms: int) -> Listing:
    """The listing after `event`."""
    match event:
        case ListingPublished():
            return Listing(
                revision=event.revision,
                revision_hash=event.revision_hash,
                terms=decode_terms(event.terms) if event.terms else None,  # empty: erased since
                on_sale=True,
                published_at_ms=at_ms,
            )
        case ListingWithdrawn():
            return replace(listing, on_sale=False)
        case _:
            assert_never(event)
