"""Times that name no date ("昨天 20:15", "星期三 14:05", "10分钟前"): worked out from an anchor, or left alone.

Two anchors are known. What somebody writes in a chat or mail counts from the stamp above it, which is an absolute date
("above"). A stamp of the chat itself counts from the moment when the picture was taken, as the person says it
("taken"): apps write such stamps anew each day, so that a line above says nothing about them.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone
from typing import Final, NamedTuple

from .chats import ME, OTHER, SYSTEM
from .lines import Row, Spot
from .values import plain_width, times_in

ABOVE: Final = "above"
TAKEN: Final = "taken"
CONFIDENCE: Final = {ABOVE: 0.5, TAKEN: 0.55}
_ZONE: Final = timezone(timedelta(hours=8))
_DAYS: Final = {"今天": 0, "今日": 0, "昨天": 1, "昨日": 1, "前天": 2, "前日": 2}
_WEEK: Final = "一二三四五六日"
_RELATIVE: Final = re.compile(
    r"(?:(?<!大)(?P<word>今天|今日|昨天|昨日|前天|前日)"
    r"|(?<![上下本每这双单])(?:星期|周)(?P<week>[一二三四五六日天])"
    r"|(?<![\d.])(?P<ago>[1-9]\d?)\s?天前"
    r"|(?<![\d年/.-])(?P<month>\d{1,2})月(?P<day>\d{1,2})日)"
    r"\s{0,4}(?P<half>凌晨|早上|上午|中午|下午|晚上)?\s{0,4}(?P<hour>\d{1,2})[:点时]\s?(?P<minute>[0-5]\d)(?![\d:])"
    r"|(?<![\d.])(?P<minutes>[1-9]\d?)\s?分钟前"
)
_CLOCK: Final = re.compile(r"(?P<half>凌晨|早上|上午|中午|下午|晚上)?\s{0,4}(?P<hour>\d{1,2}):(?P<minute>[0-5]\d)")
_EDGES: Final = re.compile(r"[\s—–―_·.-]*")
_EXPORTED: Final = re.compile(r"\s+\S{1,40}\s*")
_HEAD_ROWS: Final = 4
_NOON: Final = 12
_STAMP_BACK_DAYS: Final = range(2, 7)  # a day of the week is written from the day before yesterday on
SHOWN_MAX: Final = 5


class Relative(NamedTuple):
    """A time without a date at characters of a text."""

    match: re.Match[str]
    start: int
    end: int
    is_stamp: bool


class Anchor(NamedTuple):
    """What a time without a date counts from: `above` with its spot, or `taken`. `iso`: a day, or a moment."""

    how: str
    iso: str
    spot: Spot | None = None

    def __str__(self) -> str:
        return f"{self.how} {self.iso}"


class Placed(NamedTuple):
    """A time worked out, in a row; `value` is empty where no anchor is known."""

    row: int
    start: int
    end: int
    value: str
    anchor: Anchor | None


def placed_in(rows: Sequence[Row], said_by: Sequence[str], taken: str) -> list[Placed]:
    """Every time without a date, with what it comes to. `taken`: when the person says that the picture was taken."""
    found: list[Placed] = []
    above: Anchor | None = None
    by_person = Anchor(TAKEN, taken) if taken else None
    is_chat = any(said_by)
    for number, row in enumerate(rows):
        who = said_by[number] if number < len(said_by) else ""
        above = _anchor_in(row, who, number, is_chat=is_chat) or above
        for one in relatives_in(row.text, may_be_clock=who == SYSTEM):
            speaks = who in {ME, OTHER} or (not is_chat and above is not None)
            anchor = by_person if one.is_stamp and not speaks else above if speaks else None
            value = worked_out(one, anchor.how, anchor.iso) if anchor else ""
            if value or (anchor is None and one.is_stamp):
                found.append(Placed(number, one.start, one.end, value, anchor))
    return found


def relatives_in(text: str, *, may_be_clock: bool = False) -> list[Relative]:
    """Times without a date. One that fills its row is a stamp; only there a clock alone (`may_be_clock`) is one."""
    plain = plain_width(text)
    absolute = [(one.start, one.end) for one in times_in(plain)]
    found = []
    for match in _RELATIVE.finditer(plain):
        if any(match.start() < end and start < match.end() for start, end in absolute):
            continue
        is_stamp = _is_alone(plain, match.start(), match.end())
        found.append(Relative(match, match.start(), match.end(), is_stamp))
    clock = _CLOCK.fullmatch(plain.strip()) if may_be_clock and not found else None
    if clock is not None:
        start = plain.index(clock[0])
        found.append(Relative(clock, start, start + len(clock[0]), is_stamp=True))
    return found


def worked_out(one: Relative, how: str, iso: str) -> str:
    """The moment, ISO 8601 in China's time, counted from an anchor; empty where that would be a guess."""
    at = _anchor_at(iso)
    if at is None:
        return ""
    told = one.match.groupdict()
    if told.get("minutes"):
        is_exact = how == TAKEN and "T" in iso
        return _iso(at - timedelta(minutes=int(told["minutes"]))) if is_exact else ""
    day, clock = _day(told, at, how), _clock(told)
    if day is None or clock is None:
        return ""
    moment = datetime(day.year, day.month, day.day, *clock, tzinfo=_ZONE)
    return _iso(moment) if moment <= at else ""  # nobody stamps or tells what is yet to come


def follows_anchor(value: str, text: str, anchor: str) -> bool:
    """Whether a moment follows from its region's text and a named anchor, which stands in the text if it is above."""
    how, _, iso = anchor.partition(" ")
    if how == ABOVE:
        stamp, gap, text = text.partition("\n")
        if not gap or not any(one.iso == iso for one in times_in(stamp)):
            return False
    elif how != TAKEN:
        return False
    return any(worked_out(one, how, iso) == value for one in relatives_in(text, may_be_clock=how == TAKEN))


def _is_alone(text: str, start: int, end: int) -> bool:
    return bool(_EDGES.fullmatch(text[:start]) and _EDGES.fullmatch(text[end:]))


def _anchor_in(row: Row, who: str, number: int, *, is_chat: bool) -> Anchor | None:
    """A row that stamps what stands below it: alone in a chat, with a name in an export, or the date of a mail."""
    for one in times_in(row.text):
        before, after = row.text[: one.start], row.text[one.end :]
        is_stamp = who == SYSTEM and _is_alone(row.text, one.start, one.end)
        is_head = is_chat and not row.lines[0].region.width and not before.strip() and _EXPORTED.fullmatch(after)
        is_mail = not is_chat and number < _HEAD_ROWS and before == "Date: "
        if is_stamp or is_head or is_mail:
            return Anchor(ABOVE, one.iso, row.spot(one.start, one.end))
    return None


def _anchor_at(iso: str) -> datetime | None:
    try:
        if "T" in iso:
            return datetime.fromisoformat(iso)
        day = date.fromisoformat(iso)
    except ValueError:
        return None
    return datetime(day.year, day.month, day.day, 23, 59, tzinfo=_ZONE)


def _day(told: dict[str, str | None], at: datetime, how: str) -> date | None:
    today = at.astimezone(_ZONE).date()
    if word := told.get("word"):
        return today - timedelta(days=_DAYS[word])
    if ago := told.get("ago"):
        return today - timedelta(days=int(ago))
    if how != TAKEN:  # in what people write, a day of the week may lie ahead, and a date may be of another year
        return None
    if week := told.get("week"):
        back = (today.weekday() - _WEEK.index("日" if week == "天" else week)) % 7
        return today - timedelta(days=back) if back in _STAMP_BACK_DAYS else None
    if month := told.get("month"):
        try:
            return date(today.year, int(month), int(told["day"] or 0))
        except ValueError:
            return None
    return today


def _clock(told: dict[str, str | None]) -> tuple[int, int] | None:
    hour, minute, half = int(told["hour"] or 0), int(told["minute"] or 0), told["half"]
    if half == "晚上" and hour == _NOON:  # midnight of which day?
        return None
    if half in {"下午", "晚上"} and hour < _NOON:
        hour += _NOON
    if half == "中午" and hour in {1, 2}:
        hour += _NOON
    if half == "凌晨" and hour == _NOON:
        hour = 0
    return (hour, minute) if hour < 24 else None  # noqa: PLR2004 - hours of a day


def _iso(at: datetime) -> str:
    return at.astimezone(_ZONE).isoformat(timespec="minutes")
