"""What a verification says: numbered steps, a verdict, and what it does not prove.

The words are those of the page at /verify: one bad step and it does not hold; otherwise one unknown step and nobody can
tell; otherwise it holds.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

SHOWN_MAX: Final = 2_000
_TURNING: Final = frozenset("\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c")

TITLES: Final = {
    "file": "File",
    "policy": "Whom you trust",
    "log": "The log's signature",
    "witnesses": "Witnesses",
    "place": "Place in the log",
    "entry": "What the entry says",
    "code": "The code",
    "disclosures": "Disclosures",
    "chain": "Earlier entries",
    "tokens": "Time stamps",
    "tiles": "Entries, tiles and root",
    "streams": "Streams without a gap",
    "heads": "Earlier heads",
    "seen": "Heads seen here before",
    "database": "The house's own tables",
    "manifest": "What the pack says of itself",
    "evidence": "Evidence and pages",
    "lists": "Sealed lists",
    "standard": "The standard's version",
    "verdict": "The verdict",
    "statements": "What it was made of",
    "panel": "The panel",
}


class State(StrEnum):
    """What became of a step. `left`: it does not apply, or takes nothing from the verdict."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"
    LEFT = "left"


class Verdict(StrEnum):
    """What a verification comes to."""

    HOLDS = "holds"
    DOES_NOT_HOLD = "does not hold"
    CANNOT_TELL = "cannot tell"

    @property
    def exit_code(self) -> int:
        """0 holds, 1 does not hold, 3 cannot tell (2 is a wrong call)."""
        return {Verdict.HOLDS: 0, Verdict.DOES_NOT_HOLD: 1, Verdict.CANNOT_TELL: 3}[self]


class Step(NamedTuple):
    """One step: its name (a key of `TITLES`), what became of it, and a sentence; further lines name what is wrong."""

    name: str
    state: State
    sentence: str
    details: tuple[str, ...] = ()


def _silent(_: Step) -> None:
    """Whoever wants to see steps as they come says how."""


@dataclass(slots=True)
class Report:
    """What was found out about one file or log. `tell` hears each step as it is decided."""

    name: str
    kind: str = "file"
    tell: Callable[[Step], None] = _silent
    steps: list[Step] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    shown: list[tuple[str, str]] = field(default_factory=list)
    not_proven: list[str] = field(default_factory=list)

    def add(self, name: str, state: State, sentence: str, details: tuple[str, ...] = ()) -> None:
        """Decide a step."""
        step = Step(name, state, sentence, details)
        self.steps.append(step)
        self.tell(step)

    @property
    def verdict(self) -> Verdict:
        """What the steps come to; without any, nothing was found out."""
        return _of({step.state for step in self.steps} or {State.UNKNOWN})


def _of(states: set[State]) -> Verdict:
    if State.BAD in states:
        return Verdict.DOES_NOT_HOLD
    return Verdict.CANNOT_TELL if State.UNKNOWN in states else Verdict.HOLDS


def verdict_of(reports: list[Report]) -> Verdict:
    """The verdict about several files: as good as the worst of them; of none, nobody can tell."""
    verdicts = {report.verdict for report in reports}
    if Verdict.DOES_NOT_HOLD in verdicts:
        return Verdict.DOES_NOT_HOLD
    return Verdict.HOLDS if verdicts == {Verdict.HOLDS} else Verdict.CANNOT_TELL


def plain(text: str) -> str:
    """Foreign text as a line that disturbs no terminal: no control characters, nothing that turns the reading
    direction, not endless.
    """
    cut = text[: SHOWN_MAX + 1]
    clean = "".join(
        "\ufffd" if one in _TURNING or unicodedata.category(one) in {"Cc", "Cs"} else one for one in cut[:SHOWN_MAX]
    )
    return clean + "…" if len(cut) > SHOWN_MAX else clean
