"""Coupons of a shop: a fixed sum or a share off, used at most so often; an order that expires gives its use back."""

from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from .basics import AMOUNT_MAX_FEN, Command, Event, NotFound, Refusal, require

WORD_LENGTH_MIN = 4
WORD_LENGTH_MAX = 32
OFF_MAX_BP = 9_000  # nine tenths: a coupon makes cheap, not free
USES_MAX = 1_000_000


class CouponCreated(Event, frozen=True):
    """The shop made a coupon. The code word itself is sealed: who knows it may use it."""

    kind = "coupon.created"
    sealed = frozenset({"code"})
    code: str
    off_fen: int
    off_bp: int
    least_fen: int
    uses_max: int
    ends_at_ms: int
    listings: tuple[str, ...]


class CouponUsed(Event, frozen=True):
    """An order took one use."""

    kind = "coupon.used"
    order_id: str


class CouponReturned(Event, frozen=True):
    """The order expired or was cancelled: the use is free again."""

    kind = "coupon.returned"
    order_id: str


class CouponWithdrawn(Event, frozen=True):
    """The shop ended it."""

    kind = "coupon.withdrawn"


CouponEvent = CouponCreated | CouponUsed | CouponReturned | CouponWithdrawn


class CreateCoupon(Command, frozen=True):
    """`off_fen` or `off_bp` (basis points); `uses_max` 0 = any number; `ends_at_ms` 0 = no end; no listings = all."""

    coupon_id: str
    code: str
    off_fen: int = 0
    off_bp: int = 0
    least_fen: int = 0
    uses_max: int = 0
    ends_at_ms: int = 0
    listings: tuple[str, ...] = ()


class UseCoupon(Command, frozen=True):
    """Inner: an order was placed with it. `again`: money came late and took up an order that had given its use back;
    its price was promised, so it counts even if others took the last use meanwhile.
    """

    coupon_id: str
    order_id: str
    again: bool = False


class ReturnCoupon(Command, frozen=True):
    """Inner: the order ended unpaid."""

    coupon_id: str
    order_id: str


class WithdrawCoupon(Command, frozen=True):
    """The shop ends it."""

    coupon_id: str


CouponCommand = CreateCoupon | UseCoupon | ReturnCoupon | WithdrawCoupon


class CouponExists(Refusal):
    """The shop already has a coupon with this code word."""


class CouponIsUsedUp(Refusal):
    """Another order took the last use a moment ago."""


class Coupon(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One coupon."""

    exists: bool = False
    code: str = ""
    off_fen: int = 0
    off_bp: int = 0
    least_fen: int = 0
    uses_max: int = 0
    ends_at_ms: int = 0
    listings: tuple[str, ...] = ()
    uses: int = 0
    withdrawn: bool = False

    def refusal_for(self, listing_id: str, at_ms: int) -> str:
        """Why it cannot be used for this listing now; empty if it can."""
        if not self.exists or self.withdrawn:
            return "unknown"
        if self.ends_at_ms and at_ms >= self.ends_at_ms:
            return "expired"
        if self.uses_max and self.uses >= self.uses_max:
            return "used_up"
        if self.listings and listing_id not in self.listings:
            return "other_listing"
        return ""


INITIAL = Coupon()


def decide(command: CouponCommand, coupon: Coupon, brief: None, at_ms: int) -> list[Event]:
    """What follows from `command` for this coupon, or a `Refusal`."""
    match command:
        case CreateCoupon():
            if coupon.exists:
                raise CouponExists
            fits = WORD_LENGTH_MIN <= len(command.code) <= WORD_LENGTH_MAX
            require(fits and command.code.isprintable(), "code", "length")
            require((command.off_fen > 0) != (command.off_bp > 0), "off", "one_of_sum_or_share")
            require(0 <= command.off_fen <= AMOUNT_MAX_FEN, "off_fen", "out_of_range")
            require(0 <= command.off_bp <= OFF_MAX_BP, "off_bp", "out_of_range")
            require(0 <= command.least_fen <= AMOUNT_MAX_FEN, "least_fen", "out_of_range")
            require(0 <= command.uses_max <= USES_MAX, "uses_max", "out_of_range")
            require(command.ends_at_ms == 0 or command.ends_at_ms > at_ms, "ends_at_ms", "in_the_past")
            return [
                CouponCreated(
                    code=command.code,
                    off_fen=command.off_fen,
                    off_bp=command.off_bp,
                    least_fen=command.least_fen,
                    uses_max=command.uses_max,
                    ends_at_ms=command.ends_at_ms,
                    listings=command.listings,
                )
            ]
        case UseCoupon():
            if coupon.uses_max and coupon.uses >= coupon.uses_max and not command.again:
                raise CouponIsUsedUp
            return [CouponUsed(order_id=command.order_id)]
        case ReturnCoupon():
            return [CouponReturned(order_id=command.order_id)] if coupon.exists else []
        case WithdrawCoupon():
            if not coupon.exists or coupon.withdrawn:
                raise NotFound(what="coupon")
            return [CouponWithdrawn()]
        case _:
            assert_never(command)


def evolve(coupon: Coupon, event: CouponEvent, at_ms: int) -> Coupon:
    """The coupon after `event`."""
    match event:
        case CouponCreated():
            return Coupon(
                exists=True,
                code=event.code,
                off_fen=event.off_fen,
                off_bp=event.off_bp,
                least_fen=event.least_fen,
                uses_max=event.uses_max,
                ends_at_ms=event.ends_at_ms,
                listings=event.listings,
            )
        case CouponUsed():
            return replace(coupon, uses=coupon.uses + 1)
        case CouponReturned():
            return replace(coupon, uses=max(0, coupon.uses - 1))
        case CouponWithdrawn():
            return replace(coupon, withdrawn=True)
        case _:
            assert_never(event)
