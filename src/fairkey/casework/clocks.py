"""Which periods run after what was done, until when, and what is prepared for their end.

A person's own period is told early (`due_at_ms` is the end of the last day as counted), an office's late (after the day
it moves to), so that nobody is called late who is in time. 48 hours is the buyer's own demand, no period of the law.
"""

from datetime import date, datetime, time, timedelta
from typing import Final

from msgspec import Struct

from .calendar_file import Entry
from .dates import PeriodEnd, after_days, after_hours_ms, after_working_days
from .demand import compute
from .law import LawIsUnknown, Rule, rule
from .model import Case, StepTaken
from .moments import CHINA
from .path import ASSOCIATION, B2B, COURT, HEIMAO, PLATFORM, REGULATOR, S12315
from .texts import Words, same, words

DEMAND_HOURS: Final = 48
HEIMAO_LOOK_DAYS: Final = 7
REMIND_HOURS: Final = (24, 2)


class Deadline(Struct, frozen=True, kw_only=True):
    """One end. `own`: set by the buyer, not by law. `then`: what to do when it has passed without result."""

    channel: str
    step_id: str
    what: Words
    due_at_ms: int
    is_provisional: bool
    own: bool
    rules: tuple[Rule, ...]
    then: Words


class _Clock(Struct, frozen=True):
    """A period of so many days (calendar, or working) or hours after a stage of a channel."""

    hours: int = 0
    days: int = 0
    working_days: int = 0
    rule: str = ""


_CLOCKS: Final = {
    (PLATFORM, "sent"): _Clock(hours=DEMAND_HOURS),
    (B2B, "sent"): _Clock(hours=DEMAND_HOURS),
    (HEIMAO, "sent"): _Clock(days=HEIMAO_LOOK_DAYS),
    (HEIMAO, "answered"): _Clock(hours=24),
    (S12315, "sent"): _Clock(working_days=7, rule="c_accept"),
    (S12315, "accepted"): _Clock(days=60, rule="c_mediate"),
    (ASSOCIATION, "sent"): _Clock(days=60, rule="c_due60"),
    (REGULATOR, "sent"): _Clock(working_days=15, rule="r_check"),
    (COURT, "sent"): _Clock(days=7, rule="filing"),
}
"""What each is for, and what comes after it: `clock.platform_sent` and `clock.platform_sent_then` of the texts."""


def deadlines(case: Case, on: date) -> tuple[Deadline, ...]:
    """What runs now, the nearest first; pure. Limitation is among it when it is known."""
    found = [one for step in _current(case) if (one := _deadline(step))]
    limitation = compute(case, on).limitation
    if limitation is not None:
        found.append(
            Deadline(
                channel="",
                step_id="limitation",
                what=words("clock.limitation"),
                due_at_ms=_end_of(limitation.last_day),
                is_provisional=limitation.is_provisional,
                own=False,
                rules=_known(("limitation", "interruption"), on),
                then=words("clock.limitation_then"),
            )
        )
    return tuple(sorted(found, key=lambda one: one.due_at_ms))


def due_after(channel: str, stage: str, at_ms: int) -> int:
    """When the period ends that this stage of a channel begins; 0: none does."""
    clock = _CLOCKS.get((channel, stage))
    return _end(clock, at_ms)[0] if clock else 0


def entries(case: Case, on: date, lang: str = "zh") -> tuple[Entry, ...]:
    """The same for a calendar file, in `zh` or `en`."""
    name = case.title or case.purchase.shop
    title = same(name) if name else words("clock.nameless")
    return tuple(
        Entry(
            uid=f"{case.case_id}-{one.step_id}-{one.channel or 'case'}@fairkey",
            due_at_ms=one.due_at_ms,
            title=words("clock.title", case=title, what=one.what).of(lang),
            text=one.then.of(lang),
        )
        for one in deadlines(case, on)
    )


def reminders(case: Case, now_ms: int) -> tuple[Words, ...]:
    """Sentences about what ends within a day, and what has ended without a result; pure."""
    on = datetime.fromtimestamp(now_ms / 1000, CHINA).date()
    said = []
    for one in deadlines(case, on):
        left_ms = one.due_at_ms - now_ms
        if left_ms <= 0:
            said.append(words("clock.due", what=one.what, then=one.then))
        elif left_ms <= REMIND_HOURS[0] * 3_600_000:
            hours = left_ms // 3_600_000 + 1
            said.append(words("clock.soon", what=one.what, hours=hours, then=one.then))
    return tuple(said)


def _current(case: Case) -> list[StepTaken]:
    """The last of each channel."""
    return list({one.channel: one for one in case.steps}.values())


def _deadline(step: StepTaken) -> Deadline | None:
    clock = _CLOCKS.get((step.channel, step.stage))
    if clock is None:
        return None
    due_at_ms, is_provisional = _end(clock, step.at_ms)
    on = datetime.fromtimestamp(step.at_ms / 1000, CHINA).date()
    return Deadline(
        channel=step.channel,
        step_id=step.step_id,
        what=words(f"clock.{step.channel}_{step.stage}"),
        due_at_ms=step.due_at_ms or due_at_ms,
        is_provisional=is_provisional,
        own=not clock.rule,
        rules=_known((clock.rule,), on) if clock.rule else (),
        then=words(f"clock.{step.channel}_{step.stage}_then"),
    )


def _end(clock: _Clock, at_ms: int) -> tuple[int, bool]:
    if clock.hours:
        return after_hours_ms(at_ms, clock.hours), False
    start = datetime.fromtimestamp(at_ms / 1000, CHINA).date()
    end: PeriodEnd = (
        after_working_days(start, clock.working_days) if clock.working_days else after_days(start, clock.days)
    )
    return _end_of(end.moved_to if clock.rule else end.last_day), end.is_provisional


def _end_of(day: date) -> int:
    """The last moment of a day in China."""
    return int(datetime.combine(day + timedelta(days=1), time(), CHINA).timestamp() * 1000) - 1


def _known(names: tuple[str, ...], on: date) -> tuple[Rule, ...]:
    found = []
    for name in names:
        try:
            found.append(rule(name, on))
        except LawIsUnknown:
            continue
    return tuple(found)
