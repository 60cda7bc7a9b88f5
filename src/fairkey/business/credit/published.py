"""The meter that the platform published, line by line, against what the orders' own facts say.

Two orders may end in the same millisecond, or their facts be written by two processes in turns. So the place of a
moment in the sum is that of its published line, and each line must be borne out: by a defect or a clean order that is
there, with the change that the rule gives, once. What has no line is taken at its own time; a clean order needs none
where the meter stood at 0.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from .facts import PUBLISHED_KINDS, Fact, Moment, What, number_in
from .meter import Line, Meter, band_of

SKEW_MS = 60_000  # within which a clean order may have met a meter that stood at 0
_WHAT = {"defect": What.DEFECT, "same_buyer": What.DEFECT, "clean": What.CLEAN}


class Metered(NamedTuple):
    """The meter, each line that moved it, and where the published lines differ ("": nothing was published)."""

    value: int
    lines: tuple[Line, ...]
    published: str
    differences: tuple[str, ...]


class _Told(NamedTuple):
    version: int
    line: Line
    band: str
    is_review: bool


def metered(moments: Sequence[Moment], facts: Iterable[Fact]) -> Metered:
    """The meter from what happened (`moments`, rising in time) in the places that the published lines give it."""
    told = sorted(_told(facts))
    if not told:
        meter = Meter()
        lines = [line for moment in moments if (line := meter.take(moment)) is not None]
        return Metered(meter.value, tuple(lines), "", ())
    return _Comparison(moments, told).made()


def _told(facts: Iterable[Fact]) -> Iterator[_Told]:
    for fact in facts:
        if fact.kind not in PUBLISHED_KINDS:
            continue
        public = fact.public
        change = public.get("change")
        line = Line(
            at_ms=fact.at_ms,
            order_id=str(public.get("order_id", "")),
            row=str(public.get("row", "")),
            change=change if isinstance(change, int) else 0,
            value=number_in(public, "meter"),
            why=str(public.get("why", "review")),
        )
        yield _Told(fact.version, line, str(public.get("band", "")), fact.kind == "credit.reviewed")


class _Comparison:
    """Moments put in their places, and the two sums side by side."""

    def __init__(self, moments: Sequence[Moment], told: Sequence[_Told]) -> None:
        self._told = told
        self._free = {(moment.order_id, moment.what): moment for moment in moments if moment.what in _WHAT.values()}
        self._meter = Meter()
        self._lines: list[Line] = []
        self._differences: list[str] = []

    def made(self) -> Metered:
        borne = [self._moment_of(each) for each in self._told]
        late = sorted(self._without_a_line(), reverse=True)
        for each, moment in zip(self._told, borne, strict=True):
            while late and late[-1].at_ms < each.line.at_ms:
                self._unpublished(late.pop())
            if each.is_review:
                self._compare(each, self._meter.review(each.line.at_ms))
            elif moment is not None:
                self._compare(each, self._meter.take(moment))
        while late:
            self._unpublished(late.pop())
        state = "differs" if self._differences else "matches"
        return Metered(self._meter.value, tuple(self._lines), state, tuple(self._differences))

    def _moment_of(self, told: _Told) -> Moment | None:
        if told.is_review:
            return None
        what = _WHAT.get(told.line.why)
        moment = self._free.pop((told.line.order_id, what), None) if what else None
        if moment is None:
            self._differences.append(f"line {told.version}: no such fact of order {told.line.order_id}")
        return moment

    def _without_a_line(self) -> Iterator[Moment]:
        for moment in self._free.values():
            if moment.what is What.DEFECT or not self._stood_at_zero(moment.at_ms):
                yield moment

    def _stood_at_zero(self, at_ms: int) -> bool:
        """Whether the published meter stood at 0 at some time within `SKEW_MS` of a moment."""
        value = 0
        for each in self._told:
            if value == 0 and each.line.at_ms >= at_ms - SKEW_MS:
                return True
            if each.line.at_ms > at_ms + SKEW_MS:
                return False
            value = each.line.value
        return value == 0

    def _unpublished(self, moment: Moment) -> None:
        line = self._meter.take(moment)
        if line is not None:
            self._lines.append(line)
            self._differences.append(f"order {moment.order_id}: {moment.what.value} has no line")

    def _compare(self, told: _Told, line: Line | None) -> None:
        if line is not None:
            self._lines.append(line)
        if line != told.line:
            self._differences.append(f"line {told.version}: {told.line.change:+d} = {told.line.value} is published")
        elif told.band and told.band != band_of(line.value).value:
            self._differences.append(f"line {told.version}: the band {told.band} is published")
