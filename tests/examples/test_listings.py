"""Listings: terms that a buyer can rely on, immutable revisions, on and off sale."""

from hashlib import sha256

import pytest
import rfc8785
from msgspec import to_builtins
from msgspec.structs import replace

from business_cases import LISTING, SHOP, Case, all_of, hold, state_after
from fairkey.business import listings
from fairkey.business.basics import AMOUNT_MAX_FEN, FieldIsInvalid, NotFound
from fairkey.business.listings import (
    ListingPublished,
    ListingWithdrawn,
    NothingHasChanged,
    PublishListing,
    ShopBriefing,
    ShopTakesNoListings,
    Terms,
    WithdrawListing,
    check_terms,
    decode_terms,
    encode_terms,
)

ID = {"shop_id": SHOP, "listing_id": LISTING}
TERMS = Terms(
    product="Steam 卡 100",
    category="games",
    face_value="¥100",
    region="CN",
    edition="",
    redeem_by="2027-12-31",
    instructions="Open the shop, enter the code.",
    after_sale="",
    price_fen=9_500,
    delivery="vault",
    promise_min=0,
    tiers=((5, 9_400), (10, 9_000)),
)
OPEN, SHUT = ShopBriefing(shop_is_open=True), ShopBriefing(shop_is_open=False)


def published(revision: int, terms: Terms = TERMS) -> ListingPublished:
    text = encode_terms(terms)
    return ListingPublished(
        revision=revision,
        revision_hash=sha256(text.encode()).hexdigest(),
        price_fen=terms.price_fen,
        delivery=terms.delivery,
        promise_min=terms.promise_min,
        terms=text,
    )


PUBLISH = PublishListing(**ID, terms=TERMS)
DEARER = replace(TERMS, price_fen=9_600)
OFF = ListingWithdrawn(by="merchant")
CASES = [
    Case(rule="a first revision", when=PUBLISH, brief=OPEN, then=[published(1)]),
    Case(
        rule="a changed one is the second",
        given=(published(1),),
        when=PublishListing(**ID, terms=DEARER),
        brief=OPEN,
        then=[published(2, DEARER)],
    ),
    Case(rule="the same again is nothing new", given=(published(1),), when=PUBLISH, brief=OPEN, then=NothingHasChanged),
    Case(
        rule="back to an earlier text is a new revision",
        given=(published(1), published(2, DEARER)),
        when=PUBLISH,
        brief=OPEN,
        then=[published(3)],
    ),
    Case(
        rule="a withdrawn one comes back with the same text",
        given=(published(1), OFF),
        when=PUBLISH,
        brief=OPEN,
        then=[published(2)],
    ),
    Case(rule="a shop that may not trade publishes nothing", when=PUBLISH, brief=SHUT, then=ShopTakesNoListings),
    Case(
        rule="terms nobody could rely on",
        when=PublishListing(**ID, terms=replace(TERMS, price_fen=0)),
        brief=OPEN,
        then=(FieldIsInvalid, {"field": "price_fen", "why": "out_of_range"}),
    ),
    Case(rule="off sale", given=(published(1),), when=WithdrawListing(**ID), then=[OFF]),
    Case(
        rule="off sale by the operator",
        given=(published(1),),
        when=WithdrawListing(**ID, by="operator"),
        then=[ListingWithdrawn(by="operator")],
    ),
    Case(
        rule="twice off sale",
        given=(published(1), OFF),
        when=WithdrawListing(**ID),
        then=(NotFound, {"what": "listing"}),
    ),
    Case(rule="what never was cannot go off sale", when=WithdrawListing(**ID), then=NotFound),
]
MANUAL = {"delivery": "manual", "promise_min": 30}
GOOD = [
    {"product": "ab"},
    {"product": "x" * 120},
    {"category": "x"},
    {"category": "x" * 40},
    {"face_value": "x" * 60},
    {"region": "x" * 40},
    {"edition": "x" * 60},
    {"instructions": "x" * 4_000},
    {"instructions": "one\ntwo"},
    {"after_sale": "x" * 2_000},
    {"price_fen": 1, "tiers": ()},
    {"price_fen": AMOUNT_MAX_FEN, "quantity_max": 10},
    {**MANUAL, "promise_min": 1},
    {**MANUAL, "promise_min": 1_440},
    {"quantity_min": 20, "quantity_max": 20},
    {"quantity_max": 500},
    {"per_buyer_max": 1_000_000},
    {"tiers": ((2, 9_499), (3, 1))},
    {"tiers": tuple((2 + step, 9_000 - step) for step in range(10))},
    {"redeem_by": ""},
    {"redeem_by": "2028-02-29"},
    {"redeem_by": "2027-01-01"},
]
BAD = [
    ({"product": "x"}, "product"),
    ({"product": "x" * 121}, "product"),
    ({"product": "a\nb"}, "product"),
    ({"product": "ab\ud800"}, "product"),
    ({"category": ""}, "category"),
    ({"category": "x" * 41}, "category"),
    ({"face_value": ""}, "face_value"),
    ({"face_value": "x" * 61}, "face_value"),
    ({"region": ""}, "region"),
    ({"region": "x" * 41}, "region"),
    ({"edition": "x" * 61}, "edition"),
    ({"instructions": ""}, "instructions"),
    ({"instructions": "x" * 4_001}, "instructions"),
    ({"after_sale": "x" * 2_001}, "after_sale"),
    ({"price_fen": 0}, "price_fen"),
    ({"price_fen": -1}, "price_fen"),
    ({"price_fen": AMOUNT_MAX_FEN + 1}, "price_fen"),
    ({"price_fen": AMOUNT_MAX_FEN, "quantity_max": 11, "tiers": ()}, "quantity_max"),
    ({"delivery": "soon"}, "delivery"),
    ({"promise_min": 1}, "promise_min"),
    ({**MANUAL, "promise_min": 0}, "promise_min"),
    ({**MANUAL, "promise_min": 1_441}, "promise_min"),
    ({"quantity_min": 0}, "quantity_max"),
    ({"quantity_min": 21}, "quantity_max"),
    ({"quantity_max": 501}, "quantity_max"),
    ({"per_buyer_max": -1}, "per_buyer_max"),
    ({"per_buyer_max": 1_000_001}, "per_buyer_max"),
    ({"tiers": ((1, 9_000),)}, "tiers"),
    ({"tiers": ((5, 9_500),)}, "tiers"),
    ({"tiers": ((5, 0),)}, "tiers"),
    ({"tiers": ((5, 9_000), (5, 8_000))}, "tiers"),
    ({"tiers": ((5, 9_000), (6, 9_000))}, "tiers"),
    ({"tiers": tuple((2 + step, 9_000 - step) for step in range(11))}, "tiers"),
    ({"redeem_by": "soon"}, "redeem_by"),
    ({"redeem_by": "2027-13-01"}, "redeem_by"),
    ({"redeem_by": "2027-00-01"}, "redeem_by"),
    ({"redeem_by": "2027-01-32"}, "redeem_by"),
    ({"redeem_by": "2027-02-29"}, "redeem_by"),
    ({"redeem_by": "2027-1-1"}, "redeem_by"),
    ({"redeem_by": "27-01-01"}, "redeem_by"),
    ({"redeem_by": "2027-01-01-01"}, "redeem_by"),
    ({"redeem_by": "２０２７-01-01"}, "redeem_by"),
]


@all_of(CASES)
def test_listings(case: Case) -> None:
    hold(listings, case)


@pytest.mark.parametrize("changed", GOOD, ids=str)
def test_terms_that_can_be_meant(changed: dict[str, object]) -> None:
    check_terms(replace(TERMS, **changed))


@pytest.mark.parametrize(("changed", "field"), BAD, ids=str)
def test_terms_that_cannot(changed: dict[str, object], field: str) -> None:
    with pytest.raises(FieldIsInvalid) as refused:
        check_terms(replace(TERMS, **changed))
    assert refused.value.details["field"] == field


def test_the_hash_is_over_canonical_json() -> None:
    assert encode_terms(TERMS).encode() == rfc8785.dumps(to_builtins(TERMS))
    assert decode_terms(encode_terms(TERMS)) == TERMS


def test_a_listing_whose_terms_were_erased_is_not_on_sale_with_them() -> None:
    listing = state_after(listings, (replace(published(1), terms=""),))
    assert listing.terms is None
    assert listing.revision == 1
