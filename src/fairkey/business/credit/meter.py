"""The meter: a CUSUM that rises with each upheld defect and falls by one with each clean order (Page 1954)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from .facts import FREEZING_POINTS, Moment, What

THROTTLED_FROM = 46
FROZEN_FROM = FREEZING_POINTS
BUYER_REST_MS = 7 * 24 * 3_600_000


class Band(StrEnum):
    """What the meter asks for: nothing; holds doubled and caps halved; no new orders before a review."""

    NORMAL = "normal"
    THROTTLED = "throttled"
    FROZEN = "frozen"


class Line(NamedTuple):
    """One line of the explanation: what changed the meter, by how much, and where it stood then."""

    at_ms: int
    order_id: str
    row: str
    change: int
    value: int
    why: str


def band_of(value: int) -> Band:
    """The band of a meter's value."""
    if value >= FROZEN_FROM:
        return Band.FROZEN
    return Band.THROTTLED if value >= THROTTLED_FROM else Band.NORMAL


class Meter:
    """The meter of one shop; it takes moments in their order."""

    def __init__(self, value: int = 0, last_of: Mapping[str, int] | None = None) -> None:
        """`last_of`: when the last defect of each buyer counted."""
        self.value = value
        self.last_of = dict(last_of or {})

    def take(self, moment: Moment) -> Line | None:
        """The line that this moment adds; none if it moves nothing.

        One buyer adds at most one defect in any seven days: the first.
        """
        match moment.what:
            case What.DEFECT:
                change, why = self._defect(moment)
            case What.CLEAN:
                change, why = (-1 if self.value else 0), "clean"
            case _:
                return None
        self.value += change
        if why == "clean" and not change:
            return None
        return Line(moment.at_ms, moment.order_id, moment.row, change, self.value, why)

    def review(self, at_ms: int) -> Line:
        """A person lets a frozen shop trade again: it goes on as a throttled one."""
        change = min(THROTTLED_FROM - self.value, 0)
        self.value += change
        return Line(at_ms, "", "", change, self.value, "review")

    def _defect(self, moment: Moment) -> tuple[int, str]:
        last = self.last_of.get(moment.buyer) if moment.buyer else None
        if last is not None and moment.at_ms - last < BUYER_REST_MS:
            return 0, "same_buyer"
        if moment.buyer:
            self.last_of[moment.buyer] = moment.at_ms
        return moment.points, "defect"
