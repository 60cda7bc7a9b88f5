"""Amounts as people type them: what could mean two sums is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairkey.web.inputs import fen_of


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("12", 1_200), ("12.5", 1_250), (" ¥12.50 ", 1_250), ("￥ 12", 1_200), (".5", 50), ("0", 0),
        ("1,234.00", 123_400), ("1，234", 123_400), ("12,345,678.9", 1_234_567_890), ("１２", 1_200),
    ],
)  # fmt: skip
def test_amounts(text: str, fen: int) -> None:
    assert fen_of(text) == fen


@pytest.mark.parametrize(
    "text",
    ["", ".", "1,5", "10,5", "1，5", "9,50", "1234,567", "1,23", "1,2345", ",500", "1,", "1.234,00", "1.2.3", "1.234",
     "12.", "-1", "+1", "1e3", "1 000", "12345678901", "¥", "abc"],
)  # fmt: skip
def test_no_amounts(text: str) -> None:
    assert fen_of(text) is None


@given(st.integers(0, 10**11))
def test_what_is_written_is_read(fen: int) -> None:
    assert fen_of(f"{fen // 100}.{fen % 100:02d}") == fen_of(f"¥{fen // 100:,}.{fen % 100:02d}") == fen


@given(st.text(alphabet="0123456789,，.¥ ", max_size=9))
def test_without_its_commas_it_is_the_same_sum_or_it_is_none(text: str) -> None:
    read = fen_of(text)
    assert read is None or read == fen_of(text.replace(",", "").replace("，", ""))
