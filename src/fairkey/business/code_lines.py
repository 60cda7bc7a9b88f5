"""From the bytes of a merchant's file to clean codes, line by line, in bounded memory.

A line is one code. `account----password` lines stay one code with fields; a table with a header gives the columns
whose names mean a secret. What cannot be taken is refused by line with a typed reason, and costs no other line
anything. The result does not depend on how the bytes were cut into pieces. Nothing here knows whether a code is a
duplicate: that needs the keyed fingerprint.
"""

import codecs
import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple

CODE_CHARS_MAX = 2_000
LINE_CHARS_MAX = 10_000  # a raw line with its other columns and padding; longer ones are refused unread
FOLDED_CHARS_MIN = 8
FIELD_GLUE = "----"  # how the trade writes several fields of one code

HEAD_BYTES = 4_096  # looked at, whether it is text at all
_HEAD_BYTES = 4_096  # looked at for a byte order mark or the zero bytes of UTF-16
_GUESS_BYTES = 65_536  # looked at, from the first byte that is not ASCII on, to tell UTF-8 from GB18030
_SAMPLE_LINES = 64  # looked at for the delimiter, quotes and header

_ZERO_WIDTH = "\ufeff\u200b\u200c\u200d\u2060\u00ad\u200e\u200f\u180e"
_FOLD = (
    {ord(character): None for character in _ZERO_WIDTH}
    | {0xFF01 + offset: 0x21 + offset for offset in range(94)}  # full-width ASCII of a Chinese keyboard
    | {0x3000: 0x20}
)
_EDGES = "".join(
    chr(point) for point in range(0x3001) if chr(point).isspace() or unicodedata.category(chr(point)) == "Cc"
)
# Line breaks and steering characters inside a code: C0 and C1 but the tab, Unicode line ends, direction overrides.
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_GROUPING = "-_. \t\u2010\u2011\u2012\u2013\u2014\u2212·•"
_UNDECODED = re.compile("[\ufffd\ud800-\udfff]")


class Reason(StrEnum):
    """Why a line was refused. The first six are found here, the last three by fingerprint."""

    TOO_LONG = "too_long"
    CONTROL_CHARACTERS = "control_characters"
    NOT_DECODABLE = "not_decodable"
    BROKEN_QUOTES = "broken_quotes"
    COLUMN_IS_MISSING = "column_is_missing"
    EMPTY = "empty"
    DUPLICATE_IN_FILE = "duplicate_in_file"
    ALREADY_IN_YOUR_VAULT = "already_in_your_vault"
    ALREADY_DEPOSITED = "already_deposited"


class RefusedLine(NamedTuple):
    """One line that was not taken. `hint` is masked: enough to find the line, too little to use the code."""

    line_no: int
    reason: Reason
    hint: str
    same_as_line: int | None = None


class Block(NamedTuple):
    """What some bytes gave: codes as (line number, text), and refused lines."""

    codes: list[tuple[int, str]]
    refused: list[RefusedLine]


class LineFormat(NamedTuple):
    """How the file was read. `columns` are the positions taken from a table; empty when the whole line is the code."""

    delimiter: str = ""
    quoted: bool = False
    header: tuple[str, ...] = ()
    columns: tuple[int, ...] = ()

    @property
    def taken(self) -> tuple[str, ...]:
        """Names of the columns the codes come from."""
        return tuple(self.header[column] for column in self.columns)

    @property
    def ignored(self) -> tuple[str, ...]:
        """Names of the columns that were left out: shown to the merchant, so that nothing is lost silently."""
        return tuple(name for column, name in enumerate(self.header) if column not in self.columns)


def normalise(text: str) -> str:
    """The code as it is kept and delivered: trimmed, zero-width characters out, full-width ASCII as ASCII; inside
    nothing else changes.
    """
    if not text.isascii():
        text = text.translate(_FOLD)
    return text.strip(_EDGES)


def comparable(text: str) -> str:
    """What two writings of the same text have in common: NFKC of the normalised text, case kept."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text).strip(_EDGES)


def folded(text: str) -> str:
    """What two writings of the same *code* have in common, the input of its fingerprint: `comparable` without case, and
    without the dashes, blanks, dots and lines that shops write between groups. A code of fewer than eight other
    characters stays as it is: so short, two codes may differ by such a sign alone.
    """
    plain = comparable(text)
    bare = plain.lower() if plain.isascii() else unicodedata.normalize("NFKC", plain.casefold())
    for sign in _GROUPING:
        bare = bare.replace(sign, "")
    return bare if len(bare) >= FOLDED_CHARS_MIN else plain


def problem(text: str) -> Reason | None:
    """Why a normalised text is no code, or None."""
    if not text:
        return Reason.EMPTY
    if len(text) > CODE_CHARS_MAX:
        return Reason.TOO_LONG
    if _UNDECODED.search(text):
        return Reason.NOT_DECODABLE
    return Reason.CONTROL_CHARACTERS if _CONTROL.search(text) else None


def masked(text: str) -> str:
    """A hint at a code: the first and last two characters of a long one, one of a short one, none of a very short
    one.
    """
    shown = 2 if len(text) >= 12 else 1 if len(text) >= 6 else 0  # noqa: PLR2004 - never a third of the code or more
    return f"{_printable(text[:shown])}…{_printable(text[len(text) - shown :])}"


def _printable(text: str) -> str:
    return _CONTROL.sub("·", _UNDECODED.sub("·", text))


def _overlong(line_no: int, line: str) -> RefusedLine:
    return RefusedLine(line_no, Reason.TOO_LONG, f"{_printable(line[:2])}…{_printable(line[-2:])}")


def split_fields(text: str, delimiter: str) -> list[str]:
    """The fields of one code for showing, trimmed; one field when there is no delimiter."""
    if not delimiter:
        return [text]
    return [field.strip() for field in (text.split() if delimiter == " " else text.split(delimiter))]


_SIGNATURES = (
    (b"\x89PNG\r\n", "picture"), (b"\xff\xd8\xff", "picture"), (b"GIF8", "picture"), (b"BM", "picture"),
    (b"RIFF", "picture"), (b"II*\0", "picture"), (b"MM\0*", "picture"),
    (b"PK\x03\x04", "workbook"), (b"\xd0\xcf\x11\xe0", "workbook"),
    (b"%PDF-", "document"), (b"{\\rtf", "document"), (b"\x1f\x8b", "archive"), (b"7z\xbc\xaf", "archive"),
    (b"Rar!", "archive"), (b"MZ", "program"), (b"\x7fELF", "program"),
)  # fmt: skip
_STEERING = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")  # bytes that no encoding of text begins with
_STEERING_SPARED = 2  # as some editors and terminals leave at an end
_STEERING_SHARE = 50  # one in so many is no text any more


def no_text(head: bytes) -> str:
    """What a file is that begins with these bytes, where it is no text: picture, workbook, document, archive, program
    or bytes; empty for text. Some signatures are letters that a code may begin with, so that only what is not ASCII
    counts by them.
    """
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ""
    if head.isascii() and not _STEERING.search(head):
        return ""
    named = next((kind for signature, kind in _SIGNATURES if head.startswith(signature)), "")
    is_wide = _mostly_zero(head[1::2]) != _mostly_zero(head[::2])
    steering = 0 if is_wide else len(_STEERING.findall(head))
    if named and (steering or not _reads(head, "utf-8")):
        return named
    return "bytes" if steering > _STEERING_SPARED and steering * _STEERING_SHARE > len(head) else ""


class CodeLines:
    """Reads one file. Feed bytes as they come, finish at the end; both give what is ready by then.

    Always: lines_read = codes + refused + empty + header_lines.
    """

    def __init__(self) -> None:
        self.lines_read = 0
        self.empty = 0
        self.header_lines = 0
        self.format: LineFormat | None = None
        self._bytes = _Decoding()
        self._held_back = ""  # a carriage return at the very end of a piece may be half of a line end
        self._tail = ""
        self._overlong: tuple[str, str] | None = None  # first and last characters of a line that is being skipped
        self._sample: list[tuple[int, str]] = []

    @property
    def encoding(self) -> str:
        """Name of the encoding decided upon; `ascii` while nothing else was needed."""
        return self._bytes.encoding

    def feed(self, data: bytes) -> Block:
        """Take the next bytes."""
        return self._take(self._bytes.decode(data, final=False), final=False)

    def finish(self) -> Block:
        """Take the end of the file."""
        return self._take(self._bytes.decode(b"", final=True), final=True)

    def _take(self, text: str, *, final: bool) -> Block:
        block = Block([], [])
        text = self._held_back + text
        self._held_back = ""
        if text.endswith("\r") and not final:
            self._held_back, text = "\r", text[:-1]
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        if text:
            self._split(text, block)
        if final:
            self._end(block)
        return block

    def _split(self, text: str, block: Block) -> None:
        if self._overlong is not None:
            rest, line_end, text = text.partition("\n")
            first, last = self._overlong
            self._overlong = (first, (last + rest[-2:])[-2:])
            if not line_end:
                return
            self._refuse_overlong(self._overlong, block)
        text = self._tail + text
        lines = text.split("\n")
        self._tail = lines.pop()
        if len(self._tail) > LINE_CHARS_MAX:
            self._overlong = (self._tail[:2], self._tail[-2:])
            self._tail = ""
        if lines:
            self._read_lines(lines, block, plain=text.isascii() and _CONTROL_BUT_LF.search(text) is None)

    def _end(self, block: Block) -> None:
        if self._overlong is not None:
            self._refuse_overlong(self._overlong, block)
        elif self._tail:
            tail, self._tail = self._tail, ""
            self._read_lines([tail], block, plain=False)
        self._flush_sample(block)

    def _refuse_overlong(self, ends: tuple[str, str], block: Block) -> None:
        self.lines_read += 1
        block.refused.append(RefusedLine(self.lines_read, Reason.TOO_LONG, "…".join(map(_printable, ends))))
        self._overlong = None

    def _read_lines(self, lines: list[str], block: Block, *, plain: bool) -> None:
        """`plain`: the whole text is ASCII without control characters, so each line needs trimming only."""
        start = 0
        if self.format is None:
            for start, line in enumerate(lines, 1):  # noqa: B007 - used after the loop
                self.lines_read += 1
                self._to_sample(line, block)
                if len(self._sample) == _SAMPLE_LINES:
                    self._flush_sample(block)
                    break
            lines = lines[start:]
        if self.format is None or not lines:
            return
        if plain and not self.format.quoted and not self.format.columns:
            self._read_plain(lines, block)
            return
        for line in lines:
            self.lines_read += 1
            self._read_line(self.format, self.lines_read, line, block)

    def _read_plain(self, lines: list[str], block: Block) -> None:
        line_no, empty, codes = self.lines_read, self.empty, block.codes
        for line in lines:
            line_no += 1
            text = line.strip()
            if len(line) > LINE_CHARS_MAX:
                block.refused.append(_overlong(line_no, line))
            elif not text:
                empty += 1
            elif len(text) > CODE_CHARS_MAX:
                block.refused.append(RefusedLine(line_no, Reason.TOO_LONG, masked(text)))
            else:
                codes.append((line_no, text))
        self.lines_read, self.empty = line_no, empty

    def _to_sample(self, line: str, block: Block) -> None:
        if len(line) > LINE_CHARS_MAX:
            block.refused.append(_overlong(self.lines_read, line))
        elif not normalise(line):
            self.empty += 1
        else:
            self._sample.append((self.lines_read, line))

    def _flush_sample(self, block: Block) -> None:
        if self.format is None:
            self.format = detect_format([normalise(line) for _, line in self._sample])
            if self.format.header:
                self.header_lines = 1
                del self._sample[0]
        sample, self._sample = self._sample, []
        for line_no, line in sample:
            self._read_line(self.format, line_no, line, block)

    def _read_line(self, shape: LineFormat, line_no: int, line: str, block: Block) -> None:
        if len(line) > LINE_CHARS_MAX:
            block.refused.append(_overlong(line_no, line))
            return
        text = normalise(line)
        if not text:
            self.empty += 1
            return
        code = _from_table(text, shape) if shape.quoted or shape.columns else text
        reason = code if isinstance(code, Reason) else problem(code)
        if reason is None:
            block.codes.append((line_no, code))
        else:
            block.refused.append(RefusedLine(line_no, reason, masked(text)))


_CONTROL_BUT_LF = re.compile("[\x00-\x08\x0b-\x1f\x7f]")


# --- the shape of the lines ---

_TABLE_DELIMITERS = ("\t", "|", ",", ";")
_DELIMITERS = (FIELD_GLUE, *_TABLE_DELIMITERS, ":", " ")
_SAME_SHAPE = 0.8  # this share of the sample has the same number of fields

# Words over a column of secrets that are hardly ever a secret themselves …
_SECRETS = """
    code codes cdk cdkey gamekey licensekey licencekey activationcode activationkey productkey redeemcode giftcode
    vouchercode serial serialno serialnumber sn card cardno cardnumber cardcode cardkey cardsecret cardpwd pincode
    卡密 卡号 卡密码 卡券 卡券码 券码 券号 序列号 激活码 激活密钥 注册码 授权码 许可证 兑换码
    兑换券 礼品码 充值码 充值卡号 提货码 密钥 密码 口令 账号 帐号 账户 帐户 用户名 链接 兑换链接 激活链接
"""
# … words that people also use as passwords, so they make a header only where every cell is a known word …
_WEAK_SECRETS = """
    key keys license licence voucher coupon token secret pin password passwd pwd pass account username login link url
"""
# … and words over columns that are no secrets.
_OTHERS = """
    id no number index price cost amount value facevalue note notes remark comment status state date time created expiry
    expires email mail name product item sku quantity qty region country edition version batch source type
    序号 编号 价格 成本 金额 面值 面额 备注 说明 状态 日期 时间 有效期 到期时间 邮箱 名称 商品
    商品名称 产品 规格 数量 地区 区服 版本 批次 来源 类型
"""
_SECRET_NAMES = frozenset(_SECRETS.split())
_WEAK_SECRET_NAMES = frozenset(_WEAK_SECRETS.split())
_OTHER_NAMES = frozenset(_OTHERS.split())
_WRAPPED_ONLY = "\x1f"  # a delimiter for lines that are one quoted field: codes never carry it


def detect_format(sample: list[str]) -> LineFormat:
    """How to read a file whose first non-empty lines (normalised) are these."""
    if not sample:
        return LineFormat()
    header = _header(sample[0])
    if header is not None:
        return header
    quoted = all(len(line) > 1 and line[0] == line[-1] == '"' for line in sample)
    return LineFormat(delimiter=_delimiter(sample), quoted=quoted)


def _header(first: str) -> LineFormat | None:
    """The first line as a header: it names a secret, and either every cell is a known name or all read like names of
    a table.
    """
    for delimiter in (*_TABLE_DELIMITERS, FIELD_GLUE, " ", ""):
        cells = _cells(first, delimiter or _WRAPPED_ONLY)
        if cells is None or (delimiter and len(cells) < 2):  # noqa: PLR2004 - a table has two columns or more
            continue
        names = [_name(cell) for cell in cells]
        columns = tuple(
            place for place, name in enumerate(names) if name in _SECRET_NAMES or name in _WEAK_SECRET_NAMES
        )
        all_known = all(names[place] in _OTHER_NAMES for place in range(len(names)) if place not in columns)
        like_a_table = (
            delimiter in _TABLE_DELIMITERS
            and any(name in _SECRET_NAMES for name in names)
            and all(map(_reads_like_a_name, cells))
        )
        if columns and (all_known or like_a_table):
            quoted = delimiter in _TABLE_DELIMITERS or first.startswith('"')
            return LineFormat(delimiter, quoted=quoted, header=tuple(cells), columns=columns)
    return None


def _name(cell: str) -> str:
    return re.sub(r"[\s_.#:：()（）-]", "", cell).lower() or cell


def _reads_like_a_name(cell: str) -> bool:
    return len(cell) <= 40 and sum(character.isdigit() for character in cell) <= 2  # noqa: PLR2004 - "price 2", no code


def _delimiter(sample: list[str]) -> str:
    for delimiter in _DELIMITERS:
        counts: dict[int, int] = {}
        for line in sample:
            # The colon of a link is no delimiter.
            fields = len(split_fields(line.replace("://", "//"), delimiter))
            counts[fields] = counts.get(fields, 0) + 1
        fields, lines = max(counts.items(), key=lambda item: item[1])
        if fields > 1 and lines >= _SAME_SHAPE * len(sample):
            return delimiter
    return ""


def _cells(line: str, delimiter: str) -> list[str] | None:
    """The trimmed cells of one line; None when its quotes are broken. Only tables know quotes."""
    if delimiter not in _TABLE_DELIMITERS and delimiter != _WRAPPED_ONLY:
        return [normalise(cell) for cell in split_fields(line, delimiter)]
    try:
        row = next(csv.reader([line], delimiter=delimiter, strict=True, skipinitialspace=True))
    except csv.Error:
        return None
    return [normalise(cell) for cell in row]


def _from_table(text: str, shape: LineFormat) -> str | Reason:
    if _CONTROL.search(text):
        return Reason.CONTROL_CHARACTERS
    cells = _cells(text, _WRAPPED_ONLY if shape.quoted and not shape.delimiter else shape.delimiter)
    if cells is None:
        return Reason.BROKEN_QUOTES
    if shape.columns:
        if len(cells) <= max(shape.columns) or not all(cells[column] for column in shape.columns):
            return Reason.COLUMN_IS_MISSING
        cells = [cells[column] for column in shape.columns]
    return FIELD_GLUE.join(cells)


# --- the encoding ---


class _Decoding:
    """Bytes to text. What cannot be decoded becomes U+FFFD, by which its line is refused later; line ends always
    survive.
    """

    def __init__(self) -> None:
        self.encoding = ""
        self._buffer = b""
        self._decoder: codecs.IncrementalDecoder | None = None

    def decode(self, data: bytes, *, final: bool) -> str:
        if self._decoder is not None:
            return self._decoder.decode(data, final)
        self._buffer += data
        if not self.encoding:
            if len(self._buffer) < _HEAD_BYTES and not final:
                return ""
            self._look_for_marks(self._buffer[:_HEAD_BYTES])
        return self._decode_buffer(final=final)

    def _look_for_marks(self, head: bytes) -> None:
        """A byte order mark, or zero bytes on every other place: UTF-16. Otherwise ASCII until proven more."""
        if head.startswith(codecs.BOM_UTF8):
            self._choose("utf-8", codecs.BOM_UTF8)
        elif head.startswith(codecs.BOM_UTF16_LE):
            self._choose("utf-16-le", codecs.BOM_UTF16_LE)
        elif head.startswith(codecs.BOM_UTF16_BE):
            self._choose("utf-16-be", codecs.BOM_UTF16_BE)
        elif len(head) > 3 and _mostly_zero(head[1::2]) and not _mostly_zero(head[::2]):  # noqa: PLR2004 - 2 letters
            self._choose("utf-16-le")
        elif len(head) > 3 and _mostly_zero(head[::2]) and not _mostly_zero(head[1::2]):  # noqa: PLR2004 - 2 letters
            self._choose("utf-16-be")
        else:
            self.encoding = "ascii"

    def _choose(self, encoding: str, mark: bytes = b"") -> None:
        self.encoding = encoding
        self._buffer = self._buffer[len(mark) :]
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")

    def _decode_buffer(self, *, final: bool) -> str:
        """All ASCII goes through; from the first other byte on a window is waited for and the encoding guessed from
        it.
        """
        if self._decoder is not None:
            data, self._buffer = self._buffer, b""
            return self._decoder.decode(data, final)
        if self._buffer.isascii():
            data, self._buffer = self._buffer, b""
            return data.decode("ascii")
        first = next(_NOT_ASCII.finditer(self._buffer)).start()
        done, self._buffer = self._buffer[:first].decode("ascii"), self._buffer[first:]
        if len(self._buffer) < _GUESS_BYTES and not final:
            return done
        self._choose(_guess(self._buffer[:_GUESS_BYTES]))
        return done + self._decode_buffer(final=final)


_NOT_ASCII = re.compile(rb"[\x80-\xff]")


def _mostly_zero(data: bytes) -> bool:
    return data.count(0) * 2 > len(data)


def _guess(window: bytes) -> str:
    """UTF-8 unless more lines can be read as GB18030 only (which reads nearly anything, so it comes second)."""
    lines = window.split(b"\n")
    if len(lines) > 1:
        lines.pop()  # the window may end inside a character
    utf8 = gb = 0
    for line in _not_ascii(lines):
        if _reads(line, "utf-8"):
            utf8 += 1
        elif _reads(line, "gb18030"):
            gb += 1
    return "gb18030" if gb > utf8 else "utf-8"


def _not_ascii(lines: Iterable[bytes]) -> Iterator[bytes]:
    return (line for line in lines if not line.isascii())


def _reads(line: bytes, encoding: str) -> bool:
    # Incremental, so that a window of one huge line may end inside a character.
    try:
        codecs.getincrementaldecoder(encoding)("strict").decode(line, final=False)
    except UnicodeDecodeError:
        return False
    return True
