"""Where bars and points of a chart stand. The macros in ``components/charts.html`` draw them as inline SVG."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH: int = 640
HEIGHT: int = 220
# Room at the left and below for labels of 21 units, the size they have on a phone.
_LEFT, _RIGHT, _TOP, _BOTTOM = 80, 12, 14, 32


@dataclass(frozen=True, slots=True)
class Mark:
    """One value: for bars the rectangle, for lines the point at (``x`` + ``width`` / 2, ``y``). SVG user units."""

    label: str
    value: float
    x: float
    y: float
    width: float
    height: float
    show_label: bool

    @property
    def middle(self) -> float:
        """Horizontal centre."""
        return round(self.x + self.width / 2, 1)


@dataclass(frozen=True, slots=True)
class Layout:
    """A chart's geometry: the marks, the height of the baseline, and (y, value) of the grid lines."""

    marks: tuple[Mark, ...]
    base_y: float
    grid: tuple[tuple[float, float], ...]
    left: float = _LEFT
    right: float = WIDTH - _RIGHT
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def points(self) -> str:
        """The polyline through all marks."""
        return " ".join(f"{mark.middle},{mark.y}" for mark in self.marks)

    @property
    def area(self) -> str:
        """The polygon between line and baseline."""
        if not self.marks:
            return ""
        return f"{self.marks[0].middle},{self.base_y} {self.points} {self.marks[-1].middle},{self.base_y}"


def bar_layout(rows: Sequence[tuple[str, float]]) -> Layout:
    """Geometry for bars of (label, value ≥ 0)."""
    return _layout(rows, gap=0.35)


def line_layout(rows: Sequence[tuple[str, float]]) -> Layout:
    """Geometry for a line through (label, value ≥ 0)."""
    return _layout(rows, gap=0.0)


def _layout(rows: Sequence[tuple[str, float]], *, gap: float) -> Layout:
    base_y = float(HEIGHT - _BOTTOM)
    top = _ceiling(max((value for _, value in rows), default=0.0))
    step = (WIDTH - _LEFT - _RIGHT) / max(len(rows), 1)
    # About eight labels fit below the axis without touching each other.
    every = max(1, -(-len(rows) // 8))
    marks = []
    for position, (label, value) in enumerate(rows):
        height = round(max(value, 0.0) / top * (base_y - _TOP), 1)
        marks.append(
            Mark(
                label=label,
                value=value,
                x=round(_LEFT + position * step + step * gap / 2, 1),
                y=round(base_y - height, 1),
                width=round(step * (1 - gap), 1),
                height=height,
                show_label=position % every == 0,
            )
        )
    grid = tuple((round(base_y - part / 4 * (base_y - _TOP), 1), top * part / 4) for part in range(5))
    return Layout(tuple(marks), base_y, grid)


def _ceiling(value: float) -> float:
    """The next round number (1, 2, 4, 8 × a power of ten) at or above ``value``, for readable labels at four lines."""
    if value <= 0:
        return 4.0
    power = 10.0 ** (len(str(int(value))) - 1) if value >= 1 else 0.01
    for factor in (1, 2, 4, 8, 10, 20, 40, 80, 100):
        if factor * power >= value:
            return factor * power
    return value
