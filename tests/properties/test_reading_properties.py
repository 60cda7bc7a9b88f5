"""Readers never fail on what they read, and what they propose follows from its place."""

from hypothesis import given, settings
from hypothesis import strategies as st

from fairkey.casework.model import Region
from fairkey.casework.reading.gate import admitted, follows
from fairkey.casework.reading.lines import Line, lines_of_text, ordered_text, rows_of
from fairkey.casework.reading.parsers import facts_in
from fairkey.casework.reading.sources import reading_of_lines, text_of_mail

WORDS = st.sampled_from(
    [
        "订单编号",
        "交易单号",
        "卡密：",
        "实付款",
        "¥12.50",
        "1,299元",
        "2026-11-03 14:05",
        "2026年3月9日",
        "下午2:05",
        "A7KF-9QWE-TT2P",
        "231103-",
        "4200002012202611039",
        "876543210",
        "已被使用",
        "不退不换",
        "店铺",
        "淘宝",
        "-",
        "：",
        "  ",
        "\n",
    ]
)
TEXTS = st.lists(WORDS | st.text(max_size=12), max_size=30).map("".join)
SIDES = st.integers(0, 3000)
LINES = st.lists(
    st.builds(
        Line,
        st.lists(WORDS | st.text(max_size=6), min_size=1, max_size=4).map("".join),
        st.builds(Region, left=SIDES, top=SIDES, width=st.integers(1, 900), height=st.integers(1, 90)),
        st.floats(0.5, 1),
    ),
    max_size=14,
)


@given(TEXTS)
@settings(max_examples=150, deadline=None)
def test_texts_give_only_what_stands_at_its_span(text: str) -> None:
    for fact in facts_in(ordered_text(lines_of_text(text)), "ab" * 32):
        assert admitted(fact)
        assert follows(fact.kind, fact.value, text[fact.region.start : fact.region.end])


@given(LINES)
@settings(max_examples=150, deadline=None)
def test_pictures_give_only_what_stands_in_its_box(lines: list[Line]) -> None:
    reading = reading_of_lines(lines)
    assert sum(len(row.lines) for row in rows_of(lines)) == len(lines)
    assert len(reading.said_by) == len(reading.rows)
    for fact in facts_in(reading.rows, "ab" * 32, reading.said_by):
        assert admitted(fact)
        assert fact.region.width > 0


@given(st.binary(max_size=400))
@settings(max_examples=80, deadline=None)
def test_mails_of_any_bytes_are_read_or_left(data: bytes) -> None:
    assert isinstance(text_of_mail(data), str)
