"""Texts made to keep a reader busy: a row costs no more than its length. A hang ends at the timeout."""

import pytest

from fairkey.casework.reading.lines import lines_of_text, ordered_text
from fairkey.casework.reading.parsers import ROW_CHARS_MAX, facts_in
from fairkey.casework.reading.values import plain_width, times_in

FILLERS = (" ", "\u3000", "1", "A", "-", "1,", "1.", "付1元", "A1B2-", "key ", "单号:", "退款", "2026-11-03 1", "店")
BEGINNINGS = ("", "订单编号", "卡密", "店铺:", "¥", "2026-11-03", "ABCD-", "已被另一", "72小时内")


@pytest.mark.timeout(60)
@pytest.mark.parametrize("blank", [" ", "\u3000", "\t"])
def test_a_day_with_nothing_but_blanks_behind_it_keeps_nobody_busy(blank: str) -> None:
    assert times_in("2026-11-03" + blank * 20_000 + "x") == []


@pytest.mark.timeout(60)
def test_rows_as_long_as_they_are_read_cost_little() -> None:
    for begin in BEGINNINGS:
        for filler in FILLERS:
            row = (begin + filler * ROW_CHARS_MAX)[: ROW_CHARS_MAX - 1] + "x"
            facts_in(ordered_text(lines_of_text(row)), "ab" * 32)


def test_a_row_of_many_labels_is_brought_to_one_width_once() -> None:
    plain_width.cache_clear()
    facts_in(ordered_text(lines_of_text("单号:" * 400)), "ab" * 32)
    assert plain_width.cache_info().misses <= 2


@pytest.mark.parametrize(
    "text", ["2026-11-03   14:05", "2026年11月3日  下午  2:05", "2026-11-03T14:05", "2026-11-03\t14:05"]
)
def test_blanks_between_day_and_hour_are_still_read(text: str) -> None:
    assert [one.iso for one in times_in(text)] == ["2026-11-03T14:05+08:00"]
