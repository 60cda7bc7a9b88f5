"""Working days of China: the State Council's lists where known, else weekdays, and then everything is provisional."""

from datetime import date
from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import Final

from msgspec import Struct, json

_SATURDAY: Final = 5


class YearList(Struct, frozen=True, kw_only=True):
    """A year's notice: days off, and rest days that are worked."""

    source: str
    off: frozenset[date]
    workday_swaps: frozenset[date]


@cache
def _lists() -> dict[str, YearList]:
    data = (files("fairkey.casework.law") / "calendar.json").read_bytes()
    return json.decode(data, type=dict[str, YearList])


def is_known(year: int) -> bool:
    """Whether the year's list of holidays is known."""
    if str(year) in _lists():
        return True
    return _of_package(date(year, 6, 15)) is not None


def is_working(day: date) -> bool:
    """Whether offices work on a day; of years whose list is unknown, whether it is a weekday."""
    found = _lists().get(str(day.year))
    if found is not None:
        return day in found.workday_swaps or (day.weekday() < _SATURDAY and day not in found.off)
    known = _of_package(day)
    return day.weekday() < _SATURDAY if known is None else known


def _of_package(day: date) -> bool | None:
    try:
        of_package = import_module("chinese_calendar")
    except ModuleNotFoundError:
        return None
    try:
        return bool(of_package.is_workday(day))
    except NotImplementedError:
        return None
