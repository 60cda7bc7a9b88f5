"""What the evidence of a case shows: facts that are known, and the answers of the tests, in three-valued logic.

Unknown is no answer: `not` leaves it unknown, `all` is yes only if every part is, and no as soon as one is (Kleene).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from fairkey.business.basics import require

from .table import CORROBORATES_ONLY, FactKind, Standard

Value = bool | int | str
Truth = bool | None

NUMBER_MAX = 2**53 - 1
WORD_CHARS_MAX = 200
_NUMBERS = frozenset({"moment", "span", "money", "count"})


class Statement(Struct, frozen=True, forbid_unknown_fields=True):
    """One piece of evidence: it says that `fact` has this value. `source`: where to look it up."""

    fact: str
    value: Value
    rank: str
    source: str = ""


class SetAside(Struct, frozen=True):
    """A statement that decides nothing. `why`: rank (not accepted for this fact), weaker (a better one stands)."""

    statement: Statement
    why: str


class Known(Struct, frozen=True):
    """What is known. `used`: the statement behind each value. `contradicted`: facts about which equals disagree."""

    values: dict[str, Value]
    used: dict[str, Statement]
    set_aside: tuple[SetAside, ...]
    contradicted: tuple[str, ...]


def known_from(standard: Standard, statements: Sequence[Statement]) -> Known:
    """What the statements show: of each fact the best rank counts; where equals disagree the fact is unknown.

    Raises `FieldIsInvalid` (field: the fact; why: unknown, not_a_rank, not_a_moment …) for what cannot be meant.
    """
    ranks = [rank.id for rank in standard.ranks]
    of_fact: dict[str, list[Statement]] = {}
    aside: list[SetAside] = []
    for one in statements:
        require(one.fact in standard.facts, one.fact[:80], "unknown")
        require(one.rank in ranks, one.fact, "not_a_rank")
        kind = standard.facts[one.fact]
        _check_value(one, kind)
        if one.rank not in kind.ranks or one.rank == CORROBORATES_ONLY:
            aside.append(SetAside(one, "rank"))
        else:
            of_fact.setdefault(one.fact, []).append(one)
    used: dict[str, Statement] = {}
    contradicted: list[str] = []
    for name, said in of_fact.items():
        best = min(ranks.index(one.rank) for one in said)
        strongest = [one for one in said if ranks.index(one.rank) == best]
        aside.extend(SetAside(one, "weaker") for one in said if ranks.index(one.rank) != best)
        if any(one.value != strongest[0].value for one in strongest):
            contradicted.append(name)
        else:
            used[name] = strongest[0]
    return Known({name: one.value for name, one in used.items()}, used, tuple(aside), tuple(sorted(contradicted)))


def _check_value(one: Statement, kind: FactKind) -> None:
    value = one.value
    if kind.kind in _NUMBERS:
        is_number = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= NUMBER_MAX
        require(is_number, one.fact, f"not_a_{kind.kind}")
    elif kind.kind == "flag":
        require(isinstance(value, bool), one.fact, "not_a_flag")
    else:
        require(isinstance(value, str) and len(value) <= WORD_CHARS_MAX, one.fact, "not_a_word")


def answers_of(standard: Standard, values: Mapping[str, Value]) -> dict[str, Truth]:
    """The answer of every test."""
    answers: dict[str, Truth] = {}
    for name, test in standard.tests.items():
        answers[name] = _Reader(standard, values, answers).truth(test.when)
    return answers


class _Reader:
    """Reads expressions over what is known."""

    def __init__(self, standard: Standard, values: Mapping[str, Value], answers: Mapping[str, Truth]) -> None:
        self._standard = standard
        self._values = values
        self._answers = answers
        self._words: dict[str, Callable[..., Truth]] = {
            "is": lambda fact, value: self._about(lambda one: one == value, fact),
            "one_of": lambda fact, values: self._about(lambda one: one in values, fact),
            "at_least": lambda fact, than: self._about(lambda one: one >= self._number(than), fact),
            "at_most": lambda fact, than: self._about(lambda one: one <= self._number(than), fact),
            "below": lambda fact, than: self._about(lambda one: one < self._number(than), fact),
            "happened": lambda fact: self._about(lambda one: one > 0, fact),
            "before": self._before,
            "within": lambda since, at, most: self._between(since, at, self._number(most)),
            "in_time": lambda since, at, most: self._between(since, at, self._number(most) + self._stopped()),
            "due": lambda fact: self._passed(fact, 0),
            "passed": lambda fact, wait: self._passed(fact, self._number(wait)),
            "same": lambda one, other: self._about(lambda first, second: first == second, one, other),
        }

    def truth(self, expr: Mapping[str, Any]) -> Truth:
        """The answer of one expression."""
        ((word, value),) = expr.items()
        if word == "all":
            return _all([self.truth(part) for part in value])
        if word == "any":
            return _not(_all([_not(self.truth(part)) for part in value]))
        if word == "not":
            return _not(self.truth(value))
        if word == "test":
            return self._answers[value]
        return self._words[word](*value)

    def _about(self, holds: Callable[..., bool], *facts: str) -> Truth:
        if any(fact not in self._values for fact in facts):
            return None
        return holds(*(self._values[fact] for fact in facts))

    def _number(self, threshold: str) -> int:
        return self._standard.thresholds[threshold].value

    def _stopped(self) -> int:
        stopped = self._values.get(self._standard.names.stopped, 0)
        return stopped if isinstance(stopped, int) else 0

    def _before(self, first: str, then: str, margin: str = "", wider: str = "") -> Truth:
        """Strictly: `first` + margin < `then`. What never happened is before nothing, and nothing is before it."""
        given = self._values.get(wider, 0)
        margin_ms = max(self._number(margin) if margin else 0, given if isinstance(given, int) else 0)
        if self._values.get(first) == 0 or self._values.get(then) == 0:
            return False
        return self._about(lambda one, other: one + margin_ms < other, first, then)

    def _between(self, since: str, at: str, most_ms: int) -> Truth:
        """`at` is no later than `most_ms` after `since`, the last moment included."""
        if self._values.get(since) == 0 or self._values.get(at) == 0:
            return False
        return self._about(lambda one, other: other - one <= most_ms, since, at)

    def _passed(self, since: str, wait_ms: int) -> Truth:
        if self._values.get(since) == 0:
            return False
        return self._about(lambda one, now: now >= one + wait_ms, since, self._standard.names.now)


def _not(truth: Truth) -> Truth:
    return None if truth is None else not truth


def _all(truths: Sequence[Truth]) -> Truth:
    if any(truth is False for truth in truths):
        return False
    return None if any(truth is None for truth in truths) else True
