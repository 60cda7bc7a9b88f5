"""A calendar file says what it was given, in short lines, whatever the text is."""

from hypothesis import example, given
from hypothesis import strategies as st

from fairkey.casework.calendar_file import Entry, calendar_bytes


@example("a" * 400)
@example("投诉, " * 60)
@given(st.text(st.characters(exclude_categories=["C", "Z"]) | st.sampled_from(" ,;\\\n"), max_size=200))
def test_text_comes_back_and_no_line_is_long(text: str) -> None:
    data = calendar_bytes([Entry("a@case", 1_795_000_000_000, text, text)], made_at_ms=1_794_000_000_000)
    assert data.endswith(b"END:VCALENDAR\r\n")
    lines = data.split(b"\r\n")
    assert all(len(one) <= 75 and b"\n" not in one for one in lines)
    assert all(one.decode() is not None for one in lines)
    (summary,) = [one for one in data.decode().replace("\r\n ", "").split("\r\n") if one.startswith("SUMMARY:")]
    marked = summary.removeprefix("SUMMARY:").replace("\\\\", "\0")
    assert marked.replace("\\n", "\n").replace("\\,", ",").replace("\\;", ";").replace("\0", "\\") == text


def test_a_moment_is_utc() -> None:
    data = calendar_bytes([Entry("a", 1_795_000_000_000, "x")], made_at_ms=0)
    assert b"DTSTAMP:19700101T000000Z\r\n" in data
    assert b"DTSTART:20261118T110640Z\r\n" in data
