"""Arithmetic of periods (Civil Code 201 to 203, CPL 85, Order 121 art. 45): the first day does not count.

Two ends are told where they differ: `last_day` as counted, `moved_to` when it is no working day. A person's own period
is safe by `last_day`; an office's has surely ended after `moved_to`.
"""

from calendar import monthrange
from datetime import date, timedelta
from typing import NamedTuple

from .calendar import is_known, is_working

_MONTHS = 12
_ONE_DAY = timedelta(days=1)


class PeriodEnd(NamedTuple):
    """Where a period ends. `is_provisional`: the holidays of a year it touches are not known."""

    last_day: date
    moved_to: date
    is_provisional: bool


def after_days(start: date, days: int) -> PeriodEnd:
    """So many calendar days, `start` not counted."""
    return _ended(start, start + timedelta(days=_positive(days)))


def after_working_days(start: date, days: int) -> PeriodEnd:
    """So many working days, counted from the day after `start`."""
    day, left = start, _positive(days)
    while left:
        day += _ONE_DAY
        left -= is_working(day)
    return _ended(start, day)


def after_months(start: date, months: int) -> PeriodEnd:
    """The corresponding day so many months later, or that month's last."""
    year, month = divmod(start.year * _MONTHS + start.month - 1 + _positive(months), _MONTHS)
    return _ended(start, date(year, month + 1, min(start.day, monthrange(year, month + 1)[1])))


def after_years(start: date, years: int) -> PeriodEnd:
    """The corresponding day so many years later; 29 February becomes 28."""
    return after_months(start, years * _MONTHS)


def after_hours_ms(start_ms: int, hours: int) -> int:
    """A period by the hour (Civil Code 201), in milliseconds UTC."""
    return start_ms + _positive(hours) * 3_600_000


def _ended(start: date, last: date) -> PeriodEnd:
    moved = last
    while not is_working(moved):
        moved += _ONE_DAY
    return PeriodEnd(last, moved, not all(is_known(year) for year in range(start.year, moved.year + 1)))


def _positive(count: int) -> int:
    if count <= 0:
        raise ValueError("a period is longer than nothing")
    return count
