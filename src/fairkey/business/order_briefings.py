"""What decisions about an order must be told about its money, its codes and its shop."""

from msgspec import Struct

from .order_refusals import CouponIsNotValid, ShopHasNotVanished


class Pricing(Struct, frozen=True, kw_only=True):
    """What an order costs by its revision and its coupon. `tiers`: (from how many units, fen each)."""

    price_fen: int = 0
    tiers: tuple[tuple[int, int], ...] = ()
    coupon_off_fen: int = 0
    coupon_off_bp: int = 0
    coupon_least_fen: int = 0


class PaymentBriefing(Struct, frozen=True, kw_only=True):
    """What judging a payment must be told: money held for the order, and whether a late order can still be served."""

    held_fen: int
    can_be_served: bool


class CodesBriefing(Struct, frozen=True, kw_only=True):
    """How many of the order's codes are delivered, opened, and when the first was opened."""

    delivered: int
    opened: int
    first_opened_at_ms: int
    is_throttled: bool = False  # the shop's meter, when the protection is over


class WindingBriefing(Struct, frozen=True, kw_only=True):
    """What ending an order of a vanished shop must be told. `amount_fen`: what was paid for it."""

    has_vanished: bool
    amount_fen: int = 0

    def require_vanished(self) -> None:
        """Raises `ShopHasNotVanished`: nobody's orders are ended without the ruling."""
        if not self.has_vanished:
            raise ShopHasNotVanished


def price_of(quantity: int, brief: Pricing) -> tuple[int, int, int]:
    """(unit price, discount, amount) in fen: the best tier reached, then the coupon; never below 1 fen a unit."""
    unit_fen = brief.price_fen
    for least, tier_fen in brief.tiers:
        if quantity >= least:
            unit_fen = min(unit_fen, tier_fen)
    gross_fen = unit_fen * quantity
    if gross_fen < brief.coupon_least_fen:
        raise CouponIsNotValid(why="below_minimum", least_fen=brief.coupon_least_fen)
    off_fen = min(brief.coupon_off_fen + gross_fen * brief.coupon_off_bp // 10_000, gross_fen - quantity)
    return unit_fen, max(off_fen, 0), gross_fen - max(off_fen, 0)
