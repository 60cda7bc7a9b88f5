"""Letters of a case: one for each channel that stands open to it, made of what was confirmed."""

from collections.abc import Sequence
from datetime import date, datetime, time

from fairkey.casework.channels import CHANNELS
from fairkey.casework.demand import Demand, compute
from fairkey.casework.model import Case, Problem
from fairkey.casework.moments import CHINA
from fairkey.casework.path import Step, StepState, steps

from .letter import Letter
from .told import Told

OPEN = frozenset({StepState.NOW, StepState.LATER, StepState.RUNNING})


class ChannelIsUnknown(Exception):
    """There is no such channel. The argument is its name."""


def compose(case: Case, demand: Demand, channel: str, *, shows_all: bool = False) -> Letter:
    """The letter of a channel on the day of the demand, which is of the same case; pure. Raises `ChannelIsUnknown`."""
    if channel not in CHANNELS:
        raise ChannelIsUnknown(channel)
    return CHANNELS[channel].compose(Told(case, demand.on, demand, shows_all=shows_all))


def open_channels(case: Case, on: date) -> tuple[Step, ...]:
    """The channels that stand open on a day, in the order in which to go."""
    now_ms = int(datetime.combine(on, time(12), CHINA).timestamp() * 1000)
    return tuple(one for one in steps(case, now_ms) if one.state in OPEN)


def letters_of(case: Case, on_day: str, channels: Sequence[str] = (), *, shows_all: bool = False) -> tuple[Letter, ...]:
    """The letters of these channels, or of all that stand open; none while nothing of the case was confirmed.

    `on_day`: ISO 8601. Raises `ChannelIsUnknown`, `ValueError`.
    """
    on = date.fromisoformat(on_day)
    demand = compute(case, on)
    if channels:
        return tuple(compose(case, demand, one, shows_all=shows_all) for one in channels)
    if not is_told(case):
        return ()
    return tuple(compose(case, demand, one.channel, shows_all=shows_all) for one in open_channels(case, on))


def is_told(case: Case) -> bool:
    """Whether the person has confirmed anything a letter could tell."""
    bought = case.purchase
    return bool(case.facts or case.account or bought.order_number or bought.amount_fen) or (
        case.problem is not Problem.OTHER
    )
