"""How a merchant's file becomes codes: what is taken, what is refused, and why."""

import pytest

from fairkey.business.code_lines import (
    CODE_CHARS_MAX,
    LINE_CHARS_MAX,
    CodeLines,
    Reason,
    comparable,
    detect_format,
    folded,
    masked,
    normalise,
    problem,
    split_fields,
)


def read(data: bytes, piece: int = 1 << 20) -> tuple[CodeLines, list[tuple[int, str]], list[tuple[int, Reason, str]]]:
    reader = CodeLines()
    codes, refused = [], []
    pieces = [data[at : at + piece] for at in range(0, len(data), piece)]
    for block in [*(reader.feed(part) for part in pieces), reader.finish()]:
        codes += block.codes
        refused += [(line.line_no, line.reason, line.hint) for line in block.refused]
    return reader, codes, refused


def texts(data: bytes) -> list[str]:
    return [text for _, text in read(data)[1]]


def test_one_code_per_line_whatever_the_line_ends() -> None:
    assert read(b"AAAA\r\nBBBB\n\n  \rCCCC\r\rDDDD")[1] == [(1, "AAAA"), (2, "BBBB"), (5, "CCCC"), (7, "DDDD")]


def test_empty_lines_are_counted_and_cost_nothing() -> None:
    reader, codes, refused = read(b"\n\nAAAA\n\t\n")
    assert (len(codes), refused, reader.empty, reader.lines_read) == (1, [], 3, 4)


def test_an_account_line_stays_one_code_with_fields() -> None:
    reader, codes, _ = read(b"tom@example.com----pa:ss|w,rd\nann@example.com----secret\n")
    assert [text for _, text in codes] == ["tom@example.com----pa:ss|w,rd", "ann@example.com----secret"]
    assert reader.format is not None
    assert split_fields(codes[0][1], reader.format.delimiter) == ["tom@example.com", "pa:ss|w,rd"]


@pytest.mark.parametrize(
    ("lines", "delimiter"),
    [
        (["a----b", "c----d"], "----"),
        (["a\tb", "c\td"], "\t"),
        (["a|b|x", "c|d|x"], "|"),
        (["a,b", "c,d"], ","),
        (["a:b", "c:d"], ":"),
        (["a b", "c d"], " "),
        (["https://shop.example/a", "https://shop.example/b"], ""),
        (["AAAA-BBBB", "CCCC-DDDD"], ""),
        (["a,b", "c,d", "e,f", "g,h", "i j"], ","),
        (["a,b", "c", "d"], ""),
        ([], ""),
    ],
)
def test_the_delimiter_is_the_one_that_gives_most_lines_the_same_shape(lines: list[str], delimiter: str) -> None:
    assert detect_format(lines).delimiter == delimiter


def test_a_table_gives_its_secret_columns_and_names_the_others() -> None:
    reader, codes, _ = read('序号,卡号,卡密,价格\n1,C100,"P,1",9.9\n2,C101,"P""2",9.9\n'.encode())
    assert codes == [(2, "C100----P,1"), (3, 'C101----P"2')]
    assert reader.format is not None
    assert reader.format.taken == ("卡号", "卡密")
    assert reader.format.ignored == ("序号", "价格")
    assert reader.header_lines == 1


@pytest.mark.parametrize("header", ["code", "Serial No.", "卡密", "激活码", "CDKEY", '"Code"'])
def test_a_header_over_a_single_column_is_no_code(header: str) -> None:
    assert texts(f"{header}\nAAAA\n".encode()) == ["AAAA"]


@pytest.mark.parametrize("first", ["AAAA-BBBB", "tom,secret", "12345,67890", "card-1234-5678,9999"])
def test_a_first_line_that_is_a_code_is_taken(first: str) -> None:
    assert texts(f"{first}\n".encode())[0] == first


def test_quotes_around_every_line_are_wrapping() -> None:
    assert texts(b'"AAAA"\n"BB""B"\n') == ["AAAA", 'BB"B']
    assert texts(b'"tom","secret"\n"ann","pass"\n') == ["tom----secret", "ann----pass"]


def test_a_quote_inside_a_plain_file_belongs_to_the_code() -> None:
    assert texts(b'"AAAA\nBBBB"\n') == ['"AAAA', 'BBBB"']


def test_rows_of_a_table_are_refused_alone() -> None:
    _, codes, refused = read(b'code,pin\nA1,P1\nA2\nA3,\n"A4,P4\nA5,P5\n')
    assert [text for _, text in codes] == ["A1----P1", "A5----P5"]
    assert [(line_no, reason) for line_no, reason, _ in refused] == [
        (3, Reason.COLUMN_IS_MISSING),
        (4, Reason.COLUMN_IS_MISSING),
        (5, Reason.BROKEN_QUOTES),
    ]


CHINESE = "账号一----密码\n账号二----口令\n" * 3


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (CHINESE.encode("utf-8"), "utf-8"),
        (CHINESE.encode("utf-8-sig"), "utf-8"),
        (CHINESE.encode("gb18030"), "gb18030"),
        (CHINESE.encode("utf-16"), "utf-16-le"),
        (b"\xfe\xff" + CHINESE.encode("utf-16-be"), "utf-16-be"),
        ((b"AAAA-1111\n" * 9000) + CHINESE.encode("gb18030"), "gb18030"),
        ((b"AAAA-1111\n" * 9000) + CHINESE.encode("utf-8"), "utf-8"),
        ("AAAA-1111\nBBBB-2222\n".encode("utf-16-le"), "utf-16-le"),
        ("AAAA-1111\nBBBB-2222\n".encode("utf-16-be"), "utf-16-be"),
        (b"AAAA-1111\n", "ascii"),
    ],
)
def test_the_encoding_is_found(data: bytes, encoding: str) -> None:
    reader, codes, refused = read(data)
    assert reader.encoding == encoding
    assert refused == []
    assert codes[-1][1] in {"账号二----口令", "AAAA-1111", "BBBB-2222"}


def test_one_broken_line_does_not_make_the_file_another_encoding() -> None:
    reader, codes, refused = read("一一\n二二\n".encode() + b"\xff\xfe\xff\n" + "三三\n".encode())
    assert reader.encoding == "utf-8"
    assert [text for _, text in codes] == ["一一", "二二", "三三"]
    assert [(line_no, reason) for line_no, reason, _ in refused] == [(3, Reason.NOT_DECODABLE)]


def test_a_few_broken_lines_do_not_outvote_many_good_ones() -> None:
    good = "一二三\n".encode() * 5
    assert read(good + "四五".encode("gb18030") + b"\n")[0].encoding == "utf-8"
    assert read("一二三\n".encode("gb18030") * 5 + "四五六\n".encode())[0].encoding == "gb18030"


@pytest.mark.parametrize("padding", [" ", "x"])
def test_a_line_of_padding_beyond_the_longest_is_refused_as_too_long(padding: str) -> None:
    data = f"FIRST-CODE\n{padding * (LINE_CHARS_MAX + 1)}\nLAST-CODE\n" + "CODE\n" * 100
    for piece in (997, 1 << 20):
        _, codes, refused = read(data.encode() * 2, piece)
        assert [line_no for line_no, reason, _ in refused if reason is Reason.TOO_LONG] == [2, 105]
        assert len(codes) == 204


def test_ten_megabytes_in_one_line_are_refused_with_little_memory_and_nothing_else_is_lost() -> None:
    reader = CodeLines()
    codes = reader.feed(b"FIRST-CODE\n").codes
    refused = []
    for _ in range(160):
        block = reader.feed(b"x" * 65_536)
        refused += block.refused
        assert len(reader._tail) <= LINE_CHARS_MAX
    for block in (reader.feed(b"yz\nLAST-CODE\n"), reader.finish()):
        codes += block.codes
        refused += block.refused
    assert codes == [(1, "FIRST-CODE"), (3, "LAST-CODE")]
    assert [(line.line_no, line.reason, line.hint) for line in refused] == [(2, Reason.TOO_LONG, "xx…yz")]


@pytest.mark.parametrize(("length", "taken"), [(CODE_CHARS_MAX, True), (CODE_CHARS_MAX + 1, False)])
def test_the_longest_code(length: int, taken: bool) -> None:
    _, codes, refused = read(b"x" * length + b"\n")
    assert (len(codes), len(refused)) == ((1, 0) if taken else (0, 1))


def test_control_characters_inside_are_refused_and_at_the_edges_trimmed() -> None:
    _, codes, refused = read(b"\x00AAAA\x1a\nBB\x07BB\nC\tC\n")
    assert [text for _, text in codes] == ["AAAA", "C\tC"]
    assert [(line_no, reason) for line_no, reason, _ in refused] == [(2, Reason.CONTROL_CHARACTERS)]


def test_a_direction_override_cannot_make_a_code_look_like_another() -> None:
    assert problem("ab\u202edc") == Reason.CONTROL_CHARACTERS


def test_normalising_keeps_what_is_inside() -> None:
    assert normalise("\ufeff  ABC－１２３\u3000\u200b") == "ABC-123"
    assert normalise(" pa ss²\u200bWord ") == "pa ss²Word"
    assert comparable("pa²") == "pa2"
    assert comparable("ABC") != comparable("abc")


@pytest.mark.parametrize(
    "other",
    ["swqdj-7r3zt-naxy6", "SWQDJ7R3ZTNAXY6", "SWQDJ 7R3ZT NAXY6", "swqdj_7r3zt.naxy6", "SWQDJ–7R3ZT—NAXY6"],
)  # fmt: skip
def test_writings_of_one_code_are_one(other: str) -> None:
    assert folded(normalise(other)) == folded("SWQDJ-7R3ZT-NAXY6")


@pytest.mark.parametrize(
    ("one", "other"),
    [("SWQDJ-7R3ZT-NAXY6", "SWQDJ-7R3ZT-NAXY7"), ("AB-1234", "AB1234"), ("abc", "ABC"), ("1-1-1-1-1", "11111"),
     ("card----pin1", "card----pin2")],
)  # fmt: skip
def test_other_codes_stay_others(one: str, other: str) -> None:
    assert folded(one) != folded(other)


def test_hints_never_show_a_third_of_a_code() -> None:
    assert masked("ABCD-EFGH-IJKL") == "AB…KL"
    assert masked("ABCDEF") == "A…F"
    assert masked("ABCDE") == "…"
    assert masked("") == "…"
