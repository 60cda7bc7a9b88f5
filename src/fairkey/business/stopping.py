"""Clocks that stand still in an outage of the product's issuer (FK-AF-1, R12): at most 72 hours an order, all told.

A clock runs from `since_ms` to its deadline. An outage that began before the deadline stops it for as long as both
last; the deadline moves by that much, once for each outage, and never to an earlier moment. It is looked at when the
deadline has come, or when an outage has ended: one that still lasts then lets the clock *stand* until it is over.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct, structs

from .basics import HOUR_MS, Event

STANDS_MAX_MS: Final = 72 * HOUR_MS  # the threshold `outage_ms` of the standard


class KnownOutage(Struct, frozen=True, kw_only=True):
    """An outage of an issuer who makes the product. `ended_at_ms` 0: it lasts."""

    issuer_id: str
    outage_no: int
    began_at_ms: int
    ended_at_ms: int = 0

    @property
    def latest_ms(self) -> int:
        """The end of its effect on clocks."""
        most_ms = self.began_at_ms + STANDS_MAX_MS
        return min(self.ended_at_ms or most_ms, most_ms)

    def lasts(self, at_ms: int) -> bool:
        """Whether it stops clocks at this moment."""
        return self.began_at_ms <= at_ms < self.began_at_ms + STANDS_MAX_MS and not self.ended_at_ms


class Stop(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A clock stood still. `until_ms` 0: it stands and runs again by `due_at_ms`; else that is its new deadline.

    `since_ms`: when the clock began to run, which tells two clocks of one name apart.
    """

    clock: str
    since_ms: int
    issuer_id: str
    outage_no: int
    from_ms: int
    until_ms: int
    by_ms: int
    due_at_ms: int


class OrderClockStopped(Event, frozen=True):
    """The clock is `delivery`, `protection` (a code was opened) or `sealed` (none was); fields as of `Stop`."""

    kind = "order.clock_stopped"
    clock: str
    since_ms: int
    issuer_id: str
    outage_no: int
    from_ms: int
    until_ms: int
    by_ms: int
    due_at_ms: int


class DisputeClockStopped(Event, frozen=True):
    """The clock is `answer`, `reply`, `confirm`, `reopen`, `appeal` or `last_appeal`; fields as of `Stop`."""

    kind = "dispute.clock_stopped"
    clock: str
    since_ms: int
    issuer_id: str
    outage_no: int
    from_ms: int
    until_ms: int
    by_ms: int
    due_at_ms: int


ClockStopped = OrderClockStopped | DisputeClockStopped


class Running(Struct, frozen=True, kw_only=True):
    """A clock that runs, moves included."""

    clock: str
    since_ms: int
    due_at_ms: int


class StopBriefing(Struct, frozen=True, kw_only=True):
    """What stopping a clock must be told: how long other clocks of the order stood; when a code was first opened."""

    elsewhere_ms: int
    first_opened_at_ms: int = 0


def stop_of(event: ClockStopped) -> Stop:
    """The stop that an event tells of."""
    return Stop(
        clock=event.clock,
        since_ms=event.since_ms,
        issuer_id=event.issuer_id,
        outage_no=event.outage_no,
        from_ms=event.from_ms,
        until_ms=event.until_ms,
        by_ms=event.by_ms,
        due_at_ms=event.due_at_ms,
    )


def stood_ms(stops: Sequence[Stop], clock: str = "", since_ms: int = 0) -> int:
    """For how long clocks stood; with a name: one of them."""
    mine = stops if not clock else [one for one in stops if (one.clock, one.since_ms) == (clock, since_ms)]
    return sum(one.by_ms for one in mine)


def standing(running: Running | None, stops: Sequence[Stop]) -> Stop | None:
    """The stop in which this clock stands, if it does."""
    if running is None:
        return None
    mine = [one for one in stops if (one.clock, one.since_ms) == (running.clock, running.since_ms)]
    return mine[-1] if mine and not mine[-1].until_ms else None


def stopped(
    running: Running, stops: Sequence[Stop], known: Sequence[KnownOutage], elsewhere_ms: int, at_ms: int
) -> list[Stop]:
    """What the outages `known` at this moment have done to a clock since that was last looked at.

    What is over is counted first: it may give the clock time to run on before it stands in what lasts.
    `elsewhere_ms`: how long clocks stood that are not among `stops`. Nothing new gives nothing.
    """
    look = _Look(running, stops, elsewhere_ms, at_ms)
    outages = sorted(_with_standing(known, look.stands), key=lambda one: (one.began_at_ms, one.issuer_id))
    while any(look.count(outage) for outage in outages):
        pass  # what was counted moved the deadline, and left less of the 72 hours: another may be over by that
    if (look.found or look.stands is None) and at_ms >= look.due_at_ms:
        look.stand(outages)  # also anew: the last stop of a clock says how it goes on
    return look.found


class _Look:
    """One look at a clock: what is counted moves its deadline, and uses up what is left."""

    def __init__(self, running: Running, stops: Sequence[Stop], elsewhere_ms: int, at_ms: int) -> None:
        self._running = running
        self._at_ms = at_ms
        self._left_ms = STANDS_MAX_MS - elsewhere_ms - stood_ms(stops)
        self._counted = {
            (one.issuer_id, one.outage_no): one
            for one in stops
            if one.until_ms and (one.clock, one.since_ms) == (running.clock, running.since_ms)
        }
        self.stands = standing(running, stops)
        self.due_at_ms = running.due_at_ms
        self.found = list[Stop]()

    def count(self, outage: KnownOutage) -> bool:
        """An outage that stops the clock no longer; False where there is nothing to count."""
        if not self._matters(outage):
            return False
        stop = self._stop(outage)
        if self._lasts(outage, stop):
            return False
        is_standing = self._stands_in(outage)
        until_ms = max(min(stop.due_at_ms, self._at_ms), stop.from_ms)
        fresh_ms = until_ms - stop.from_ms - _taken_ms(stop.from_ms, until_ms, [*self._counted.values()])
        by_ms = min(max(fresh_ms, 0), max(self._left_ms, 0))
        if not by_ms and not is_standing:
            return False
        self.due_at_ms += by_ms
        self._left_ms -= by_ms
        told = structs.replace(stop, until_ms=until_ms, by_ms=by_ms, due_at_ms=self.due_at_ms)
        self._counted[outage.issuer_id, outage.outage_no] = told
        self.found.append(told)
        if is_standing:
            self.stands = None  # it runs again, and may stand in the next one at once
        return True

    def stand(self, outages: Sequence[KnownOutage]) -> None:
        """The clock has run out while an outage lasts: it stands in the first of them."""
        for outage in outages:
            if self._matters(outage) and self._lasts(outage, stop := self._stop(outage)):
                self.found.append(stop)
                return

    def _matters(self, outage: KnownOutage) -> bool:
        if (outage.issuer_id, outage.outage_no) in self._counted or outage.began_at_ms > self._at_ms:
            return False
        began_in_time = max(outage.began_at_ms, self._running.since_ms) < self.due_at_ms
        return self._stands_in(outage) or (began_in_time and self._left_ms > 0)

    def _stands_in(self, outage: KnownOutage) -> bool:
        stands = self.stands
        return stands is not None and (outage.issuer_id, outage.outage_no) == (stands.issuer_id, stands.outage_no)

    def _lasts(self, outage: KnownOutage, stop: Stop) -> bool:
        return not outage.ended_at_ms and self._at_ms < stop.due_at_ms

    def _stop(self, outage: KnownOutage) -> Stop:
        """The clock stands in it; `due_at_ms` is the latest moment by which it runs again."""
        start_ms = max(outage.began_at_ms, self._running.since_ms)
        return Stop(
            clock=self._running.clock,
            since_ms=self._running.since_ms,
            issuer_id=outage.issuer_id,
            outage_no=outage.outage_no,
            from_ms=start_ms,
            until_ms=0,
            by_ms=0,
            due_at_ms=min(outage.latest_ms, _used_up_ms(start_ms, self._left_ms, [*self._counted.values()])),
        )


def told(
    kind: type[OrderClockStopped] | type[DisputeClockStopped],
    running: Running | None,
    stops: Sequence[Stop],
    known: Sequence[KnownOutage],
    brief: StopBriefing,
    at_ms: int,
) -> list[Event]:
    """The same as events; none where nothing runs that an outage could stop."""
    if running is None:
        return []
    found = stopped(running, stops, known, brief.elsewhere_ms, at_ms)
    return [kind(**structs.asdict(stop)) for stop in found]


def _with_standing(known: Sequence[KnownOutage], stands: Stop | None) -> list[KnownOutage]:
    """The outage in which the clock stands is among them, also for whoever knows nothing of it any more."""
    if stands is None or any((one.issuer_id, one.outage_no) == (stands.issuer_id, stands.outage_no) for one in known):
        return list(known)
    gone = KnownOutage(issuer_id=stands.issuer_id, outage_no=stands.outage_no, began_at_ms=stands.from_ms)
    return [*known, gone]


def _taken_ms(start_ms: int, until_ms: int, counted: Sequence[Stop]) -> int:
    """How much of a span was counted before; the counted spans may overlap."""
    taken_ms, behind_ms = 0, start_ms
    for one in sorted(counted, key=lambda one: one.from_ms):
        from_ms, to_ms = max(one.from_ms, behind_ms), min(one.until_ms, until_ms)
        taken_ms += max(to_ms - from_ms, 0)
        behind_ms = max(behind_ms, to_ms)
    return taken_ms


def _used_up_ms(start_ms: int, left_ms: int, counted: Sequence[Stop]) -> int:
    """When a clock that stands from `start_ms` on has used up what is left: time counted before uses nothing."""
    until_ms = start_ms + left_ms
    while (longer_ms := start_ms + left_ms + _taken_ms(start_ms, until_ms, counted)) > until_ms:
        until_ms = longer_ms
    return until_ms


def stopped_for_ms(known: Sequence[KnownOutage], since_ms: int, until_ms: int, left_ms: int = STANDS_MAX_MS) -> int:
    """For how long outages that are over (or stop clocks no longer) covered a time; at most `left_ms`."""
    covered_ms, behind_ms = 0, since_ms
    for outage in sorted(known, key=lambda one: one.began_at_ms):
        if outage.lasts(until_ms):
            continue
        start_ms, end_ms = max(outage.began_at_ms, behind_ms), min(outage.latest_ms, until_ms)
        covered_ms += max(end_ms - start_ms, 0)
        behind_ms = max(behind_ms, end_ms)
    return min(covered_ms, max(left_ms, 0))
