"""The timeline as pictures (SVG): a line from top to bottom, one point for each moment, so many to a page."""

from collections.abc import Sequence
from html import escape
from typing import Final

from fairkey.casework.moments import moment_zh

from .contents import Moment

ON_A_PAGE: Final = 14
_ROW: Final = 62
_WIDTH: Final = 700
_CHARS: Final = 24
_BLUE: Final = "#1d4ed8"
_GREY: Final = "#6b7280"


def drawings(moments: Sequence[Moment], font: str) -> list[str]:
    """SVG texts, as many as pages are needed; none for no moments."""
    pages = [moments[at : at + ON_A_PAGE] for at in range(0, len(moments), ON_A_PAGE)]
    return [_drawing(page, font) for page in pages]


def _drawing(moments: Sequence[Moment], font: str) -> str:
    height = _ROW * len(moments) + 20
    size = f'width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{escape(font)}" font-size="17">',
        f'<line x1="220" y1="16" x2="220" y2="{height - 30}" stroke="{_GREY}" stroke-width="2"/>',
    ]
    for number, one in enumerate(moments):
        parts += _row(one, 30 + _ROW * number)
    return "\n".join([*parts, "</svg>"])


def _row(one: Moment, y: int) -> list[str]:
    day, _, clock = moment_zh(one.at_ms).partition(" ")
    fill = _BLUE if one.is_confirmed else "white"
    words = one.words if len(one.words) <= _CHARS else f"{one.words[: _CHARS - 1]}…"
    shown = "、".join(str(number) for number in one.exhibits[:8]) + ("等" if len(one.exhibits) > 8 else "")  # noqa: PLR2004
    beside = "，".join(
        part for part in (f"证据 {shown}" if shown else "", "" if one.is_confirmed else "当事人尚未确认") if part
    )
    return [
        f'<circle cx="220" cy="{y}" r="7" fill="{fill}" stroke="{_BLUE}" stroke-width="2"/>',
        f'<text x="200" y="{y}" text-anchor="end">{escape(day)}</text>',
        f'<text x="200" y="{y + 21}" text-anchor="end" font-size="14" fill="{_GREY}">{escape(clock)}</text>',
        f'<text x="245" y="{y + 6}">{escape(words)}</text>',
        f'<text x="245" y="{y + 26}" font-size="13" fill="{_GREY}">{escape(beside)}</text>' if beside else "",
    ]
