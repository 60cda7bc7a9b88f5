"""Who says what in a picture of a chat: one's own bubbles stand right, the other's left, notes in the middle."""

from collections.abc import Sequence
from typing import Final

from .lines import Row

ME: Final = "me"
OTHER: Final = "other"
SYSTEM: Final = "system"
_ROWS_MIN: Final = 3
_EDGE: Final = 0.08
_LEFT_SLACK: Final = 0.022
_MIDDLE_SLACK: Final = 0.06
_NOTE_WIDTH: Final = 0.55  # a bubble of one's own that stands in the middle is wider


def said_by(rows: Sequence[Row], width: int) -> list[str]:
    """`me`, `other`, `system` or empty for each row; all empty where the picture is no chat."""
    nobody = [""] * len(rows)
    alone = [row for row in rows if len(row.lines) == 1]
    if width <= 0 or len(rows) < _ROWS_MIN or len(alone) < 0.7 * len(rows):
        return nobody
    edges = sorted(row.lines[0].region.left / width for row in alone if row.lines[0].region.left < 0.35 * width)
    lefts = [one for one in edges if one > _EDGE]
    if not lefts:
        return nobody
    column = _column(lefts)
    told = [_speaker(row, width, column) for row in rows]
    return told if ME in told and OTHER in told else nobody


def _column(lefts: Sequence[float]) -> float:
    """The place where most lines begin: the left bubbles."""
    return max(lefts, key=lambda one: sum(abs(other - one) < _LEFT_SLACK / 2 for other in lefts))


def _speaker(row: Row, width: int, column: float) -> str:
    if len(row.lines) != 1:
        return ""
    region = row.lines[0].region
    left, right = region.left / width, 1 - (region.left + region.width) / width
    if abs(left - column) < _LEFT_SLACK:
        return OTHER
    if abs(left - right) < _MIDDLE_SLACK and 1 - left - right < _NOTE_WIDTH:
        return SYSTEM
    return ME if left > column + _LEFT_SLACK else ""
