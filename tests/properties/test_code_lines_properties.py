"""Whatever the bytes and however they are cut: the same codes, no line lost, no memory without bound."""

import random
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fairkey.business import code_lines
from fairkey.business.code_lines import FOLDED_CHARS_MIN, CodeLines, RefusedLine, comparable, folded, normalise, problem

LINE_MAX = 60


@pytest.fixture(scope="module", autouse=True)
def _small_windows() -> Iterator[None]:
    """Windows so small that files of a few lines pass through every one of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(code_lines, "_HEAD_BYTES", 4)
        patch.setattr(code_lines, "_GUESS_BYTES", 24)
        patch.setattr(code_lines, "_SAMPLE_LINES", 3)
        patch.setattr(code_lines, "LINE_CHARS_MAX", LINE_MAX)
        patch.setattr(code_lines, "CODE_CHARS_MAX", LINE_MAX // 2)
        yield


LINE = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
FILE = st.one_of(
    st.lists(LINE, max_size=90).map(lambda lines: "\n".join(lines).encode()),
    st.lists(LINE, max_size=90).map(lambda lines: "\r\n".join(lines).encode("gb18030")),
    st.lists(LINE, max_size=20).map(lambda lines: ("\ufeff" + "\n".join(lines)).encode("utf-16-le")),
    st.lists(
        st.sampled_from(
            [
                'a,"b"',
                "code,pin",
                '"x"',
                "a----b",
                "",
                "1|2",
                "卡密,备注",
                "x" * LINE_MAX,
                "x" * (LINE_MAX + 1),
                " " * (LINE_MAX + 1),
                "一" * 40,
            ]
        )
    ).map(lambda lines: "\n".join(lines).encode()),
    st.binary(max_size=400),
)


def read(data: bytes, cuts: list[int]) -> tuple[CodeLines, list[tuple[int, str]], list[RefusedLine]]:
    reader = CodeLines()
    codes: list[tuple[int, str]] = []
    refused: list[RefusedLine] = []
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    pieces = [data[start:end] for start, end in pairwise(places)]
    for block in [*(reader.feed(piece) for piece in pieces), reader.finish()]:
        codes += block.codes
        refused += block.refused
    return reader, codes, refused


@given(FILE, st.lists(st.integers(0, 100_000), max_size=30))
@example("一\n".encode("gb18030"), [1, 2])
@example(b"a\r\nb", [2])
@example(b"abcd\nx\r\ny", [7])
@example(b"x" * (LINE_MAX + 3) + b"\nab", [5, LINE_MAX + 1, LINE_MAX + 2])
@example(b"ab\n" * 5 + "一二三四五六七\n".encode("gb18030") * 3, [16, 17])
def test_cutting_changes_nothing(data: bytes, cuts: list[int]) -> None:
    whole, codes, refused = read(data, [])
    cut, cut_codes, cut_refused = read(data, cuts)
    assert cut_codes == codes
    assert sorted(cut_refused) == sorted(refused)
    assert (cut.lines_read, cut.empty, cut.format, cut.encoding) == (
        whole.lines_read,
        whole.empty,
        whole.format,
        whole.encoding,
    )


@given(FILE, st.lists(st.integers(0, 100_000), max_size=5))
def test_every_line_is_a_code_or_refused_or_empty_or_the_header(data: bytes, cuts: list[int]) -> None:
    reader, codes, refused = read(data, cuts)
    assert reader.lines_read == len(codes) + len(refused) + reader.empty + reader.header_lines
    numbers = [number for number, _ in codes] + [line.line_no for line in refused]
    assert len(set(numbers)) == len(numbers)
    assert [number for number, _ in codes] == sorted(number for number, _ in codes)
    assert all(problem(text) is None and normalise(text) == text for _, text in codes)


@given(st.lists(st.text("ABCDEFGH0123456789-_", min_size=4, max_size=25), min_size=1, max_size=200), st.integers(1, 64))
def test_plain_codes_come_out_as_they_went_in(lines: list[str], piece: int) -> None:
    data = "\n".join(lines).encode()
    _, codes, refused = read(data, list(range(0, len(data), piece)))
    assert ([text for _, text in codes], refused) == (lines, [])


@given(st.text(max_size=60))
def test_normalising_twice_is_normalising_once(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)
    assert comparable(normalise(comparable(normalise(text)))) == comparable(normalise(text))


@given(st.text("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", min_size=FOLDED_CHARS_MIN, max_size=30), st.randoms())
def test_however_a_code_is_written_it_folds_to_the_same(code: str, chance: random.Random) -> None:
    written = "".join(chance.choice((one, one.lower())) + chance.choice(("", "", "-", " ", "_", ".")) for one in code)
    assert folded(normalise(written)) == folded(normalise(code)) == folded(folded(code))


@given(st.text(max_size=60))
def test_equal_texts_fold_equally(text: str) -> None:
    assert folded(normalise(text)) == folded(comparable(normalise(text)))
