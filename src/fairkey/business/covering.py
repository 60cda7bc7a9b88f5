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
GROWTH_BP = 1_500  # what a small trial grows by for each fen that was settled without complaint
OPEN = "open"  # names of the kept sums of a shop
CLEAN = "clean"


class ShopIsNotCovered(Refusal):
    """The shop's deposit, or its small trial, does not cover one more order of this size. Details: room_fen."""


def require_room(room_fen: int | None, amount_fen: int) -> None:
    """Refuse an order that is larger than what the shop's cover leaves room for."""
    if room_fen is not None and amount_fen > room_fen:
        raise ShopIsNotCovered(room_fen=max(room_fen, 0))


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
