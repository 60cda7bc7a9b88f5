"""Periods end where the law says: vectors counted by hand on the 2026 list, ends of months, years not known."""

from datetime import date

import pytest

from fairkey.casework.calendar import is_known, is_working
from fairkey.casework.dates import after_days, after_hours_ms, after_months, after_working_days, after_years

D = date.fromisoformat


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        ("2026-09-28", 7, "2026-10-13"),
        ("2026-09-18", 7, "2026-09-29"),
        ("2026-02-12", 7, "2026-02-28"),
        ("2026-11-23", 7, "2026-12-02"),
        ("2026-09-28", 15, "2026-10-23"),
        ("2026-11-23", 15, "2026-12-14"),
    ],
)
def test_working_days(start: str, days: int, end: str) -> None:
    found = after_working_days(D(start), days)
    assert (found.last_day, found.moved_to, found.is_provisional) == (D(end), D(end), False)


def test_sixty_days_end_on_a_sunday_of_a_year_not_known() -> None:
    found = after_days(D("2026-12-02"), 60)
    assert (found.last_day, found.moved_to, found.is_provisional) == (D("2027-01-31"), D("2027-02-01"), True)


def test_months_end_on_the_corresponding_day_or_the_last() -> None:
    assert after_months(D("2026-01-31"), 1).last_day == D("2026-02-28")
    assert after_months(D("2026-11-23"), 2).last_day == D("2027-01-23")
    assert after_years(D("2024-02-29"), 3).last_day == D("2027-02-28")


def test_hours_are_hours() -> None:
    assert after_hours_ms(1_795_000_000_000, 48) == 1_795_172_800_000


def test_a_period_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than nothing"):
        after_days(D("2026-11-23"), 0)


def test_known_years() -> None:
    assert is_known(2026)
    assert not is_known(2099)
    assert is_working(D("2026-10-10"))
    assert not is_working(D("2026-10-07"))
