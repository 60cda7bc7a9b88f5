"""Rate limits: token buckets per caller and class of route, in the memory of one process, bounded in size.

Several processes each have their own buckets: the true limit is up to that many times higher. That is enough here,
because limits only keep noise away; what must hold exactly (failed log-ins, unpaid reservations, links per hour) is
counted in the database.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fairkey.business.basics import SECOND_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """`burst` requests at once, then one every `refill_ms`. `by_network`: counted for the address even when logged
    in.
    """

    burst: int
    refill_ms: int
    by_network: bool = False


# Whole mobile carriers stand behind one address here, so limits by network are wide and those by account narrow.
RATES: Final[Mapping[str, Rate]] = {
    "everything": Rate(burst=600, refill_ms=20, by_network=True),
    "read": Rate(burst=300, refill_ms=50),
    "write": Rate(burst=60, refill_ms=500),
    "log_in": Rate(burst=20, refill_ms=5_000, by_network=True),
    "register": Rate(burst=10, refill_ms=60_000, by_network=True),
    "letter": Rate(burst=6, refill_ms=300_000, by_network=True),
    "look_up": Rate(burst=20, refill_ms=3_000, by_network=True),
    "trace": Rate(burst=20, refill_ms=10_000, by_network=True),
    "seal": Rate(burst=30, refill_ms=20_000, by_network=True),
    "log": Rate(burst=2_000, refill_ms=5, by_network=True),
    "place": Rate(burst=30, refill_ms=1_000),
    "import": Rate(burst=10, refill_ms=30_000),
    "key": Rate(burst=400, refill_ms=10),
    "attest": Rate(burst=60, refill_ms=1_000, by_network=True),
    "callback": Rate(burst=2_000, refill_ms=2, by_network=True),
}
BUCKETS_MAX: Final = 50_000  # about 10 MB


class Buckets:
    """Token buckets by key. Time comes in with each call; a clock that steps back refills nothing twice.

    A bucket holds milliseconds of refill time, as an integer: nothing drifts. When there are more than `buckets_max`
    keys, those unused for longest go; whoever comes back finds a full bucket, which is the price of bounded memory.
    """

    def __init__(
        self, rates: Mapping[str, Rate] = RATES, *, factor: float = 1.0, buckets_max: int = BUCKETS_MAX
    ) -> None:
        """`factor` multiplies bursts and speeds; 0 switches limits off."""
        self._rates = {name: _scaled(rate, factor) for name, rate in rates.items()} if factor else {}
        self._buckets_max = buckets_max
        # (class, who) -> (level, when it had that level)
        self._levels: OrderedDict[tuple[str, str], tuple[int, int]] = OrderedDict()

    def __len__(self) -> int:
        """How many callers are remembered."""
        return len(self._levels)

    def rate(self, name: str) -> Rate | None:
        """The rate of a class; None if limits are off. Raises KeyError for a class that does not exist."""
        return self._rates[name] if self._rates else None

    def take(self, name: str, who: str, now_ms: int) -> int:
        """Take one token. Answers 0 if there was one, else the milliseconds until there is; a refused call takes
        nothing.
        """
        rate = self.rate(name)
        if rate is None:
            return 0
        key = (name, who)
        full = rate.burst * rate.refill_ms
        level, at_ms = self._levels.get(key, (full, now_ms))
        level = min(full, level + max(0, now_ms - at_ms))
        at_ms = max(at_ms, now_ms)
        wait_ms = 0
        if level >= rate.refill_ms:
            level -= rate.refill_ms
        else:
            wait_ms = rate.refill_ms - level
        self._levels[key] = (level, at_ms)
        self._levels.move_to_end(key)
        if len(self._levels) > self._buckets_max:
            self._levels.popitem(last=False)
        return wait_ms


def wait_s(wait_ms: int) -> int:
    """Whole seconds for `Retry-After`, rounded up."""
    return max(1, -(-wait_ms // SECOND_MS))


def _scaled(rate: Rate, factor: float) -> Rate:
    return Rate(
        burst=max(1, round(rate.burst * factor)),
        refill_ms=max(1, round(rate.refill_ms / factor)),
        by_network=rate.by_network,
    )
