"""Coupons: a sum or a share off, used so often and no more, given back by orders that come to nothing."""

import pytest
from msgspec.structs import replace

from business_cases import COUPON, LISTING, NOW, ORDER, OTHER_LISTING, SHOP, Case, all_of, hold, state_after
from fairkey.business import coupons
from fairkey.business.basics import AMOUNT_MAX_FEN, FieldIsInvalid, NotFound
from fairkey.business.coupons import (
    CouponCreated,
    CouponExists,
    CouponIsUsedUp,
    CouponReturned,
    CouponUsed,
    CouponWithdrawn,
    CreateCoupon,
    ReturnCoupon,
    UseCoupon,
    WithdrawCoupon,
)

ID = {"shop_id": SHOP, "coupon_id": COUPON}
CREATE = CreateCoupon(**ID, code="SPRING", off_fen=500, uses_max=2)
CREATED = CouponCreated(code="SPRING", off_fen=500, off_bp=0, least_fen=0, uses_max=2, ends_at_ms=0, listings=())
USED, RETURNED = CouponUsed(order_id=ORDER), CouponReturned(order_id=ORDER)
USE = UseCoupon(**ID, order_id=ORDER)


def creating(rule: str, then: object, **wish: object) -> Case:
    return Case(rule=rule, when=replace(CREATE, **wish), then=then)


CASES = [
    creating("a sum off", [CREATED]),
    creating("a share off", [replace(CREATED, off_fen=0, off_bp=9_000)], off_fen=0, off_bp=9_000),
    creating("the largest sum", [replace(CREATED, off_fen=AMOUNT_MAX_FEN)], off_fen=AMOUNT_MAX_FEN),
    creating("not both", (FieldIsInvalid, {"field": "off", "why": "one_of_sum_or_share"}), off_bp=100),
    creating("not neither", FieldIsInvalid, off_fen=0),
    creating("more than the largest sum", FieldIsInvalid, off_fen=AMOUNT_MAX_FEN + 1),
    creating("a sum on top is none off", FieldIsInvalid, off_fen=-1, off_bp=100),
    creating("more than nine tenths", FieldIsInvalid, off_fen=0, off_bp=9_001),
    creating("a word of three letters", FieldIsInvalid, code="ABC"),
    creating("of four", [replace(CREATED, code="ABCD")], code="ABCD"),
    creating("of 32", [replace(CREATED, code="A" * 32)], code="A" * 32),
    creating("of 33", FieldIsInvalid, code="A" * 33),
    creating("with a line break", FieldIsInvalid, code="AB\nCD"),
    creating("with half a character", FieldIsInvalid, code="ABCD\ud800"),
    creating("a least below nothing", FieldIsInvalid, least_fen=-1),
    creating("a least nobody reaches", FieldIsInvalid, least_fen=AMOUNT_MAX_FEN + 1),
    creating("any number of uses", [replace(CREATED, uses_max=0)], uses_max=0),
    creating("fewer uses than none", FieldIsInvalid, uses_max=-1),
    creating("more uses than a million", FieldIsInvalid, uses_max=1_000_001),
    creating("an end that is now has passed", FieldIsInvalid, ends_at_ms=NOW),
    creating("an end in a millisecond", [replace(CREATED, ends_at_ms=NOW + 1)], ends_at_ms=NOW + 1),
    Case(rule="a word is given out once", given=(CREATED,), when=CREATE, then=CouponExists),
    Case(rule="even if it was withdrawn", given=(CREATED, CouponWithdrawn()), when=CREATE, then=CouponExists),
    Case(rule="a first use", given=(CREATED,), when=USE, then=[USED]),
    Case(rule="the last use", given=(CREATED, USED), when=USE, then=[USED]),
    Case(rule="one more than the last", given=(CREATED, USED, USED), when=USE, then=CouponIsUsedUp),
    Case(rule="without a limit it goes on", given=(replace(CREATED, uses_max=0), USED, USED), when=USE, then=[USED]),
    Case(rule="a use given back can be used", given=(CREATED, USED, USED, RETURNED), when=USE, then=[USED]),
    Case(
        rule="an order taken up again keeps what it was promised",
        given=(CREATED, USED, USED),
        when=replace(USE, again=True),
        then=[USED],
    ),
    Case(rule="a use comes back", given=(CREATED, USED), when=ReturnCoupon(**ID, order_id=ORDER), then=[RETURNED]),
    Case(rule="to no coupon nothing comes back", when=ReturnCoupon(**ID, order_id=ORDER), then=[]),
    Case(rule="the shop ends it", given=(CREATED,), when=WithdrawCoupon(**ID), then=[CouponWithdrawn()]),
    Case(rule="once", given=(CREATED, CouponWithdrawn()), when=WithdrawCoupon(**ID), then=NotFound),
    Case(rule="what never was cannot be ended", when=WithdrawCoupon(**ID), then=NotFound),
]


@all_of(CASES)
def test_coupons(case: Case) -> None:
    hold(coupons, case)


ENDING = replace(CREATED, ends_at_ms=NOW + 1_000)


@pytest.mark.parametrize(
    ("given", "at_ms", "why"),
    [
        ((), NOW, "unknown"),
        ((CREATED, CouponWithdrawn()), NOW, "unknown"),
        ((ENDING,), NOW + 999, ""),
        ((ENDING,), NOW + 1_000, "expired"),
        ((CREATED, USED), NOW, ""),
        ((CREATED, USED, USED), NOW, "used_up"),
        ((CREATED, USED, USED, RETURNED), NOW, ""),
        ((replace(CREATED, listings=(LISTING,)),), NOW, ""),
        ((replace(CREATED, listings=(OTHER_LISTING,)),), NOW, "other_listing"),
    ],
)
def test_why_a_coupon_cannot_be_used(given: tuple[object, ...], at_ms: int, why: str) -> None:
    assert state_after(coupons, given).refusal_for(LISTING, at_ms) == why
