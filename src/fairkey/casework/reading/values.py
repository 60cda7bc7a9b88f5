"""Amounts and moments as Chinese pages write them. Absolute moments only; others are in `relative`."""

import re
import unicodedata
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Final, NamedTuple

_ZONE: Final = timezone(timedelta(hours=8))
_NOON: Final = 12
FEN_MAX: Final = 10**11
_NUMBER: Final = r"\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?|\d{1,9}(?:\.\d{1,2})?"
_AMOUNT: Final = re.compile(
    rf"(?P<sign>¥\s?-?\s?|(?<![A-Za-z0-9])Y(?=\d+\.\d\d)|RMB\s?|CNY\s?)(?P<a>{_NUMBER})(?![\d.,]*\d)"
    rf"|(?<![\d.,-])(?P<b>{_NUMBER})\s?元"
    rf"|(?<![\d.,:-])(?P<minus>-\s?)?(?P<c>(?:\d{{1,3}}(?:,\d{{3}})+|\d{{1,9}})\.\d{{2}})(?![\d.:])"
)
_TIME: Final = re.compile(
    r"(?<!\d)(?P<year>20\d\d)(?:-|/|\.|年)\s?(?P<month>\d{1,2})(?:-|/|\.|月)\s?(?P<day>\d{1,2})(?:日|号)?"
    # Blanks are counted: three runs of any length side by side would try every way to share a long row of them.
    r"(?P<gap>\s{0,8}T?(?:星期.|周.)?\s{0,4}(?P<half>上午|下午|晚上|凌晨|早上|中午)?\s{0,4})"
    r"(?P<hour>\d{1,2})[:时点.]\s?(?P<minute>\d{2})分?(?:[:.]?(?P<second>\d{2})秒?)?(?!\d)"
)


class Amount(NamedTuple):
    """Money in a text. `is_marked`: it says that it is yuan; `start`, `end`: its characters."""

    fen: int
    is_marked: bool
    is_minus: bool
    start: int
    end: int


class Moment(NamedTuple):
    """An absolute moment in China's time, as exact as the text is."""

    iso: str
    start: int
    end: int


@lru_cache(maxsize=8)  # a row of many labels asks for itself at each of them; few, for these are private texts
def plain_width(text: str) -> str:
    """The text with letters, digits and marks in one width, character for character (places stay)."""
    return "".join(_narrow(one) for one in text)


def _narrow(character: str) -> str:
    if character in {"。", "、"}:
        return character
    found = unicodedata.normalize("NFKC", character)
    return found if len(found) == 1 else character


def amounts_in(text: str) -> list[Amount]:
    """Every amount of yuan: after ¥, before 元, or with two decimals."""
    found = []
    for match in _AMOUNT.finditer(plain_width(text)):
        number = (match["a"] or match["b"] or match["c"]).replace(",", "")
        whole, _, rest = number.partition(".")
        fen = int(whole) * 100 + int((rest + "00")[:2])
        if 0 < fen < FEN_MAX:
            is_marked = match["c"] is None
            is_minus = match["minus"] is not None or "-" in (match["sign"] or "")
            found.append(Amount(fen, is_marked, is_minus, match.start(), match.end()))
    return found


def times_in(text: str) -> list[Moment]:
    """Every moment that tells year, month, day, hour and minute."""
    found = []
    for match in _TIME.finditer(plain_width(text)):
        # Without a space, "2026-11-314:05" could be two days: only full pairs of digits are told apart.
        is_pressed = not match["gap"] and not re.search("[日号]$", match[0][: match.start("hour") - match.start()])
        if is_pressed and (len(match["day"]), len(match["hour"])) != (2, 2):
            continue
        hour = int(match["hour"])
        if match["half"] in {"下午", "晚上"} and hour < _NOON:
            hour += _NOON
        try:
            at = datetime(
                int(match["year"]),
                int(match["month"]),
                int(match["day"]),
                hour,
                int(match["minute"]),
                int(match["second"] or 0),
                tzinfo=_ZONE,
            )
        except ValueError:
            continue
        exact = "seconds" if match["second"] else "minutes"
        found.append(Moment(at.isoformat(timespec=exact), match.start(), match.end()))
    return found
