"""The score: Wilson's lower bound (Wilson 1927) on decayed counts, in millionths, rounded down exactly."""

from collections import defaultdict
from functools import cache

from .facts import Moment, What

DAY_MS = 24 * 3_600_000
ONE = 1_000_000  # one order of full weight; also the scale of the score
GOOD_HALF_LIFE_D = 90
BAD_HALF_LIFE_D = 180
PAIR_ORDERS, PAIR_DAYS = 3, 30
FULL_FEE_FEN = 30  # f0: an order with a smaller fee weighs less
PRIOR_GOOD, PRIOR_BAD = 9, 1
Z_MILLI = 1_645
_BITS = 32


@cache
def halved(days: int, half_life_d: int) -> int:
    """2^(-days/half_life), times 2^32, rounded down exactly."""
    whole, part = divmod(days, half_life_d)
    if whole > _BITS:
        return 0
    wanted = 1 << (_BITS * half_life_d - part)
    low, high = 0, (1 << _BITS) + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**half_life_d <= wanted else (low, middle)
    return low >> whole


def wilson(good: int, bad: int) -> int:
    """The lower bound for these weights, in millionths: the largest p at or below it, by comparing integers.

    p <= bound, if and only if (good - n p)^2 >= z^2 n p (1 - p) and n p <= good, with n = good + bad.
    """
    n = good + bad
    low, high = 0, ONE + 1
    while high - low > 1:
        p = (low + high) // 2
        over = good * ONE - n * p
        holds = over >= 0 and over * over * 1_000_000 >= Z_MILLI * Z_MILLI * ONE * n * p * (ONE - p)
        low, high = (p, high) if holds else (low, p)
    return low


class Score:
    """Counts of one shop; `at` gives the score. The order in which moments come changes nothing.

    Of one buyer in one period of 30 days (counted from 1970 in UTC) at most three clean orders count, those that weigh
    most; so one more clean order never lowers the score. Each defect counts.
    """

    def __init__(self) -> None:
        self._good: defaultdict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
        self._bad: defaultdict[int, int] = defaultdict(int)

    def take(self, moment: Moment) -> None:
        """Count this moment, if it is one that counts."""
        day = moment.at_ms // DAY_MS
        weight = min(ONE, moment.fee_fen * ONE // FULL_FEE_FEN)
        if moment.what is What.CLEAN:
            self._good[moment.buyer or moment.order_id, day // PAIR_DAYS].append((day, weight))
        elif moment.what is What.DEFECT:
            self._bad[day] += weight

    def counts(self, at_ms: int) -> tuple[int, int]:
        """Good and bad weight at that moment, in millionths of an order, without the pseudo-orders."""
        today = at_ms // DAY_MS
        good = 0
        for orders in self._good.values():
            weights = sorted((_decayed(weight, today - day, GOOD_HALF_LIFE_D) for day, weight in orders), reverse=True)
            good += sum(weights[:PAIR_ORDERS])
        bad = sum(_decayed(weight, today - day, BAD_HALF_LIFE_D) for day, weight in self._bad.items())
        return good, bad

    def at(self, at_ms: int) -> int:
        """The score in millionths."""
        good, bad = self.counts(at_ms)
        return wilson(PRIOR_GOOD * ONE + good, PRIOR_BAD * ONE + bad)


def _decayed(weight: int, days: int, half_life_d: int) -> int:
    return weight * halved(max(0, days), half_life_d) >> _BITS
