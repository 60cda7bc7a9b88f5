"""Deadlines as a calendar file (RFC 5545): text escaped (3.3.11), lines folded at 75 octets (3.1), ended by CRLF."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

_LINE_OCTETS_MAX: Final = 75
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Entry(NamedTuple):
    """A moment to remember. `uid` stays the same when the file is made again."""

    uid: str
    due_at_ms: int
    title: str
    text: str = ""
    remind_hours_before: int = 24


def calendar_bytes(entries: Iterable[Entry], *, made_at_ms: int) -> bytes:
    """The file, UTF-8."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//fairkey//case//ZH"]
    for one in entries:
        lines += ("BEGIN:VEVENT", f"UID:{_escaped(one.uid)}", f"DTSTAMP:{_stamp(made_at_ms)}")
        lines += (f"DTSTART:{_stamp(one.due_at_ms)}", f"SUMMARY:{_escaped(one.title)}")
        lines += (f"DESCRIPTION:{_escaped(one.text)}",) if one.text else ()
        lines += ("BEGIN:VALARM", "ACTION:DISPLAY", f"TRIGGER:-PT{one.remind_hours_before}H")
        lines += (f"DESCRIPTION:{_escaped(one.title)}", "END:VALARM", "END:VEVENT")
    return b"".join(_folded(line) for line in (*lines, "END:VCALENDAR"))


def _stamp(at_ms: int) -> str:
    return f"{_EPOCH + timedelta(milliseconds=at_ms):%Y%m%dT%H%M%SZ}"


def _escaped(text: str) -> str:
    plain = text.replace("\r\n", "\n").replace("\r", "\n").replace("\\", "\\\\")
    plain = plain.replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")
    return "".join(one for one in plain if one.isprintable())


def _folded(line: str) -> bytes:
    """Never within a character, so that every line is UTF-8 by itself."""
    out, room = bytearray(), _LINE_OCTETS_MAX
    for one in line:
        octets = one.encode()
        if len(octets) > room:
            out += b"\r\n "
            room = _LINE_OCTETS_MAX - 1
        out += octets
        room -= len(octets)
    return bytes(out) + b"\r\n"
