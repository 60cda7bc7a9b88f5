"""The timeline as pictures (SVG): a line from top to bottom, one point for each moment, so many to a page."""

from collections.abc import Sequence
from html import escape
from typing import Final
from unicodedata import east_asian_width

from fairkey.casework.moments import moment_in
from fairkey.casework.texts import listed, same, words

from .contents import Moment

ON_A_PAGE: Final = 14
_ROW: Final = 62
_WIDTH: Final = 700
_CHARS: Final = 24
"""How many Chinese characters fit beside the line; Western ones are half as wide."""
_NAMED: Final = 8
_BLUE: Final = "#1d4ed8"
_GREY: Final = "#6b7280"


def drawings(moments: Sequence[Moment], font: str, lang: str = "zh") -> list[str]:
    """SVG texts in `zh` or `en`, as many as pages are needed; none for no moments."""
    pages = [moments[at : at + ON_A_PAGE] for at in range(0, len(moments), ON_A_PAGE)]
    return [_drawing(page, font, lang) for page in pages]


def _drawing(moments: Sequence[Moment], font: str, lang: str) -> str:
    height = _ROW * len(moments) + 20
    size = f'width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{escape(font)}" font-size="17">',
        f'<line x1="220" y1="16" x2="220" y2="{height - 30}" stroke="{_GREY}" stroke-width="2"/>',
    ]
    for number, one in enumerate(moments):
        parts += _row(one, 30 + _ROW * number, lang)
    return "\n".join([*parts, "</svg>"])


def cut(text: str) -> str:
    """As much of a text as fits in its row."""
    room = 2 * _CHARS
    for place, one in enumerate(text):
        room -= 2 if east_asian_width(one) in {"W", "F", "A"} else 1
        if room < 0:
            return f"{text[: max(0, place - 1)].rstrip()}…"
    return text


def _row(one: Moment, y: int, lang: str) -> list[str]:
    day, _, clock = moment_in(one.at_ms, lang).partition(" ")
    fill = _BLUE if one.is_confirmed else "white"
    said = cut(one.words.of(lang))
    shown = listed([same(str(number)) for number in one.exhibits[:_NAMED]])
    if len(one.exhibits) > _NAMED:
        shown = words("timeline.more", numbers=shown)
    told = [words("timeline.evidence", numbers=shown)] if one.exhibits else []
    told += [] if one.is_confirmed else [words("timeline.unconfirmed")]
    beside = ("，" if lang == "zh" else ", ").join(part.of(lang) for part in told)
    return [
        f'<circle cx="220" cy="{y}" r="7" fill="{fill}" stroke="{_BLUE}" stroke-width="2"/>',
        f'<text x="200" y="{y}" text-anchor="end">{escape(day)}</text>',
        f'<text x="200" y="{y + 21}" text-anchor="end" font-size="14" fill="{_GREY}">{escape(clock)}</text>',
        f'<text x="245" y="{y + 6}">{escape(said)}</text>',
        f'<text x="245" y="{y + 26}" font-size="13" fill="{_GREY}">{escape(beside)}</text>' if beside else "",
    ]
