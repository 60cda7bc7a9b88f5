"""How much of a shop may be unsettled: its deposit covers it, or it is a small trial (小额试错).

*Open* is the value of orders that have not ended. While they are open escrow covers them; once completed their codes
can still be revoked for `WINDOW_DAYS`, so a deposit must hold its share of both before another order is let in.
"""

from msgspec import Struct

from .basics import DAY_MS, Refusal

WINDOW_DAYS = 90
COVER_BP = 1_000  # k: ten percent
SMALL_TRIAL_FEN = 44_000
THROTTLED_PART = 2  # a throttled shop may have half as much open
FIRST_ORDER_FEN = 22_000
SECOND_TIER = 10  # small trials settled without complaint, from which on a shop is no newcomer
GROWTH_BP = 1_500  # what a small trial grows by for each fen that was settled without complaint
OPEN = "open"  # names of the kept sums of a shop
CLEAN = "clean"


class ShopIsNotCovered(Refusal):
    """The shop's deposit, or its small trial, does not cover one more order of this size. Details: room_fen."""


def require_room(room_fen: int | None, amount_fen: int) -> None:
    """Refuse an order that is larger than what the shop's cover leaves room for."""
    if room_fen is not None and amount_fen > room_fen:
        raise ShopIsNotCovered(room_fen=max(room_fen, 0))


class FirstOrderIsTooLarge(Refusal):
    """Who has no completed order at a new shop may have little open there. Details: limit_fen, open_fen."""


class Acquaintance(Struct, frozen=True):
    """A buyer and a shop: whether an order of his was ever completed there, and what of his is open."""

    has_completed: bool
    open_fen: int


def require_first(limit_fen: int, known: Acquaintance | None, amount_fen: int) -> None:
    """Refuse an order by which a stranger of the shop would have more than `limit_fen` open there."""
    if known is not None and not known.has_completed and known.open_fen + amount_fen > limit_fen:
        raise FirstOrderIsTooLarge(limit_fen=limit_fen, open_fen=known.open_fen)


class Exposure(Struct, frozen=True, kw_only=True):
    """What of a shop's orders is open, was completed in the last 90 days, and was ever completed without complaint."""

    open_fen: int = 0
    window_fen: int = 0
    clean_fen: int = 0


def day_name(at_ms: int) -> str:
    """The name of the sum of what was completed on the day (UTC) of a moment; names rise with days."""
    return f"day:{at_ms // DAY_MS:06d}"


def window_from(at_ms: int) -> str:
    """The name of the first day that still counts."""
    return day_name(at_ms - WINDOW_DAYS * DAY_MS)


def needed_fen(exposure: Exposure, cover_bp: int) -> int:
    """What of a deposit is bound by what is unsettled, rounded up."""
    return -(-(exposure.open_fen + exposure.window_fen) * cover_bp // 10_000)


def open_max_fen(exposure: Exposure, free_fen: int, cover_bp: int, small_trial_fen: int) -> int:
    """How much may be open at once: by the deposit, or as a small trial, whichever is more."""
    by_deposit_fen = free_fen * 10_000 // cover_bp - exposure.window_fen
    by_trial_fen = small_trial_fen + exposure.clean_fen * GROWTH_BP // 10_000
    return max(by_deposit_fen, by_trial_fen)


class Bounds(Struct, frozen=True, kw_only=True):
    """What an installation decides. `small_trial_fen` 0: nothing is bound; `first_order_fen` 0: strangers are not."""

    small_trial_fen: int
    cover_bp: int = COVER_BP
    first_order_fen: int = 0


class Cover(Struct, frozen=True, kw_only=True):
    """What stands behind a shop's next order. `first_order_fen`: what a stranger may have open there; 0: no limit."""

    open_fen: int
    most_fen: int
    deposit_fen: int
    by_deposit: bool
    is_throttled: bool
    first_order_fen: int
    tier_fen: int  # settled without complaint, from which on strangers are not limited

    @property
    def room_fen(self) -> int:
        """How large the next order may be."""
        return max(self.most_fen - self.open_fen, 0)


def cover_of(exposure: Exposure, free_fen: int, bounds: Bounds, *, is_throttled: bool) -> Cover:
    """The one rule by which orders are admitted and pages speak.

    A shop is a newcomer to strangers until its deposit covers more than the small trial, or it has settled
    `SECOND_TIER` small trials without complaint.
    """
    most_fen = open_max_fen(exposure, free_fen, bounds.cover_bp, bounds.small_trial_fen)
    by_deposit = most_fen > open_max_fen(exposure, 0, bounds.cover_bp, bounds.small_trial_fen)
    tier_fen = SECOND_TIER * bounds.small_trial_fen
    is_new = not by_deposit and exposure.clean_fen < tier_fen
    return Cover(
        open_fen=exposure.open_fen,
        most_fen=most_fen // THROTTLED_PART if is_throttled else most_fen,
        deposit_fen=free_fen,
        by_deposit=by_deposit,
        is_throttled=is_throttled,
        first_order_fen=bounds.first_order_fen if is_new else 0,
        tier_fen=tier_fen,
    )
