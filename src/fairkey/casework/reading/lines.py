"""What every source becomes before it is understood: lines with their places, and rows of lines side by side."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from fairkey.casework.model import Region

GAP: Final = "  "  # between lines of a row: nothing that a pattern takes for one word


class Line(NamedTuple):
    """Text at a place, as read. `score`: how sure the reader of letters is, 0 to 1; text that is text has 1."""

    text: str
    region: Region
    score: float = 1.0


class Spot(NamedTuple):
    """A part of a row: what it says, where, how surely."""

    text: str
    region: Region
    score: float


class Row:
    """Lines at one height, from left to right, as one text."""

    def __init__(self, lines: Sequence[Line]) -> None:
        """At least one line, all of one page."""
        self.lines = tuple(lines)
        self.text = GAP.join(line.text for line in self.lines)

    def spot(self, start: int, end: int) -> Spot:
        """Where characters from `start` to `end` of the row's text stand: exact in texts, whole lines in pictures."""
        at, touched = 0, []
        for line in self.lines:
            if start < at + len(line.text) and at < end:
                touched.append((line, max(0, start - at), min(len(line.text), end - at)))
            at += len(line.text) + len(GAP)
        if not touched:
            touched = [(self.lines[0], 0, len(self.lines[0].text))]
        first, last = touched[0][0].region, touched[-1][0].region
        if first.width:
            lines = [line for line, _, _ in touched]
            text = GAP.join(line.text for line in lines)
            return Spot(text, around(line.region for line in lines), min(line.score for line in lines))
        region = Region(page=first.page, start=first.start + touched[0][1], end=last.start + touched[-1][2])
        return Spot(self.text[start:end], region, 1.0)


def joined(*spots: Spot) -> Spot:
    """Spots that together say one thing, as a number over two lines."""
    regions = [one.region for one in spots]
    if regions[0].width:
        region = around(regions)
    else:
        region = Region(
            page=regions[0].page, start=min(one.start for one in regions), end=max(one.end for one in regions)
        )
    return Spot("\n".join(one.text for one in spots), region, min(one.score for one in spots))


def around(regions: Iterable[Region]) -> Region:
    """The smallest box around boxes of one page."""
    boxes = list(regions)
    left, top = min(one.left for one in boxes), min(one.top for one in boxes)
    right = max(one.left + one.width for one in boxes)
    bottom = max(one.top + one.height for one in boxes)
    first = boxes[0]
    return Region(page=first.page, at_ms=first.at_ms, left=left, top=top, width=right - left, height=bottom - top)


def rows_of(lines: Sequence[Line]) -> list[Row]:
    """Lines in reading order. Those of one page that share most of their height are one row."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda one: (one.region.page, one.region.top + one.region.height / 2)):
        if rows and line.region.width and _beside(rows[-1], line):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [Row(sorted(row, key=lambda one: one.region.left)) for row in rows]


def _beside(row: Sequence[Line], line: Line) -> bool:
    first, one = row[0].region, line.region
    if first.page != one.page:
        return False
    shared = min(first.top + first.height, one.top + one.height) - max(first.top, one.top)
    overlaps = any(
        other.region.left < one.left + one.width * 0.8 and one.left < other.region.left + other.region.width * 0.8
        for other in row
    )
    return shared > 0.5 * min(first.height, one.height) and not overlaps


def lines_of_text(text: str, page: int = 0) -> list[Line]:
    """Lines of a text with their spans of characters."""
    lines, at = [], 0
    for part in text.split("\n"):
        words = part.strip()
        if words:
            start = at + part.index(words)
            lines.append(Line(words, Region(page=page, start=start, end=start + len(words))))
        at += len(part) + 1
    return lines


def ordered_text(lines: Sequence[Line]) -> list[Row]:
    """Rows of a text: one line each, in the order in which they stand."""
    return [Row([line]) for line in lines]
