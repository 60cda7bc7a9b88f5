"""How often the meter errs: false freezes exactly, by its Markov chain; time to a freeze by seeded chance."""

from random import Random
from typing import Final, NamedTuple

from fairkey.business.credit.meter import FROZEN_FROM

GOOD_ORDERS: Final = 5_000
DEFECT_POINTS: Final = 23
RATES_BP: Final = (30, 50, 100, 200, 1_000, 1_500, 5_000, 10_000)
LIMITS: Final = (FROZEN_FROM, 115)
_TOLD_FROM_BP: Final = 1_000
_ALL: Final = 1_000_000


class Alarm(NamedTuple):
    """One line: share of shops frozen within 5,000 orders, in millionths; median orders until frozen, -1: not asked."""

    defects_bp: int
    frozen_from: int
    frozen_ppm: int
    median_orders: int


def alarms(seed: int, runs: int) -> list[Alarm]:
    """Every rate with every limit. Buyers are all different: the weekly limit of one buyer does not help the shop."""
    return [
        Alarm(
            rate,
            limit,
            frozen_ppm(rate, limit),
            median_orders(rate, limit, seed, runs) if rate >= _TOLD_FROM_BP else -1,
        )
        for limit in LIMITS
        for rate in RATES_BP
    ]


def frozen_ppm(defects_bp: int, limit: int, orders: int = GOOD_ORDERS) -> int:
    """The exact share (as far as doubles go) of shops that reach `limit` within `orders`, in millionths."""
    bad = defects_bp / 10_000
    at = [1.0] + [0.0] * (limit - 1)
    frozen = 0.0
    for _ in range(orders):
        after = [0.0] * limit
        for value, share in enumerate(at):
            after[max(0, value - 1)] += share * (1 - bad)
            if value + DEFECT_POINTS < limit:
                after[value + DEFECT_POINTS] += share * bad
            else:
                frozen += share * bad
        at = after
    return round(frozen * _ALL)


def median_orders(defects_bp: int, limit: int, seed: int, runs: int) -> int:
    """The median number of orders until a shop is frozen."""
    chance = Random(f"{seed} {defects_bp} {limit}")  # noqa: S311 - a simulation
    return sorted(_run(chance, defects_bp, limit) for _ in range(runs))[runs // 2]


def _run(chance: Random, defects_bp: int, limit: int) -> int:
    value = orders = 0
    while value < limit:
        orders += 1
        value = value + DEFECT_POINTS if chance.randrange(10_000) < defects_bp else max(0, value - 1)
    return orders
