"""The shape of one version of the standard, and what a version must keep to before anything is decided by it.

A version has *facts* (what can be known of a case, and which ranks of evidence may say it), *tests* (questions about
facts, each with the side that a yes and a no speak for), and *rows* of *cases*. A case is for the buyer, for the
merchant, or open. `precedence` puts all cases in one order. Moments are milliseconds UTC, amounts fen, shares 1/10000.

Two promises are made by shape, and `read_standard` refuses a version that breaks them:

* E5 (screenshots, outside chats) is accepted for no fact, so it can decide nothing.
* More evidence for a side never hurts that side. A case for a side may ask only that tests are shown in its favour, or
  are not shown against it; an open case may ask about nothing that speaks for a side, unless it stands behind every
  case that decides.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from msgspec import DecodeError, Struct, ValidationError, json

CORROBORATES_ONLY = "E5"
BP = 10_000

Side = Literal["buyer", "merchant", "open"]
Favour = Literal["buyer", "merchant", "neither"]
Kind = Literal["moment", "span", "money", "count", "flag", "word"]
Outcome = Literal["refund", "resend", "reject", "close", "wait", "panel", "none"]
By = Literal["auto", "clock", "panel"]
Expr = dict[str, Any]
Clock = tuple[str, str]  # (fact with the moment from which it runs, threshold with its length)


class TableIsMalformed(Exception):
    """Bytes that are no version of a standard; the argument says why."""


class Words(Struct, frozen=True, forbid_unknown_fields=True):
    """The same in both languages."""

    zh: str
    en: str


class Rank(Struct, frozen=True, forbid_unknown_fields=True):
    """A rank of evidence; they stand strongest first."""

    id: str
    title: Words
    text: Words


class Threshold(Struct, frozen=True, forbid_unknown_fields=True):
    """A number that tests and clocks name."""

    value: int
    unit: Literal["ms", "fen", "count", "bp", "points"]
    title: Words


class FactKind(Struct, frozen=True, forbid_unknown_fields=True):
    """Something that can be known of a case. A moment of 0 says: known not to have happened."""

    kind: Kind
    ranks: tuple[str, ...]
    title: Words


class Test(Struct, frozen=True, forbid_unknown_fields=True):
    """A question about facts: yes, no, or unknown. `yes` and `no` name the side that the answer speaks for."""

    when: Expr
    yes: Favour
    no: Favour
    title: Words

    @property
    def is_neutral(self) -> bool:
        """Whether it speaks for nobody: clocks, custody, what is claimed."""
        return self.yes == self.no == "neither"


class Fading(Struct, frozen=True, forbid_unknown_fields=True):
    """Whole until `full` after `since`, then less each moment, nothing from `none` on; measured at the moment `at`."""

    since: str
    at: str
    full: str
    none: str


class Refund(Struct, frozen=True, forbid_unknown_fields=True):
    """What goes back: of the paid amount the share `part` (two counts), or the sum in the fact `sum` when known."""

    source: Literal["escrow", "pool"]
    part: tuple[str, str] | None = None
    sum: str = ""
    fading: Fading | None = None


class More(Struct, frozen=True, forbid_unknown_fields=True):
    """Where `when` holds the case costs this instead."""

    when: Expr
    bp: int
    points: int
    freeze: bool = False


class Cost(Struct, frozen=True, forbid_unknown_fields=True):
    """What it costs the shop beside the refund: `bp` of the order out of the deposit, at least `least` (a threshold).

    `part`: only of this share of the order, points too. `bounty` (a threshold) goes to who reported it, out of that.
    """

    bp: int = 0
    least: str = ""
    whole_deposit: bool = False
    part: tuple[str, str] | None = None
    points: int = 0
    freeze: bool = False
    quarantine: bool = False
    bounty: str = ""
    more: tuple[More, ...] = ()


class Deadline(Struct, frozen=True, forbid_unknown_fields=True):
    """A moment that the case sets: `clock` after which, `then` in words."""

    clock: Clock
    then: Words


class Case(Struct, frozen=True, forbid_unknown_fields=True):
    """One way in which a row applies. `after`: not before this clock ran out; `until`: only before this one did."""

    id: str
    side: Side
    outcome: Outcome
    by: By
    when: Expr
    text: Words
    after: Clock | None = None
    until: Clock | None = None
    refund: Refund | None = None
    cost: Cost = Cost()
    buyer_points: int = 0
    deadlines: tuple[Deadline, ...] = ()


class Row(Struct, frozen=True, forbid_unknown_fields=True):
    """One reason, what decides it, and its cases."""

    id: str
    reason: Words
    decides: Words
    outcome: Words
    example: Words
    cases: tuple[Case, ...]


class Piece(Struct, frozen=True, forbid_unknown_fields=True):
    """Something a party can add to his side of a case, and what it adds."""

    rank: str
    who: Literal["buyer", "merchant", "issuer", "platform"]
    give: Words
    adds: Words


class Reason(Struct, frozen=True, forbid_unknown_fields=True):
    """What a buyer may say is wrong, the rows that may follow, and what is worth adding."""

    id: str
    title: Words
    rows: tuple[str, ...]
    pieces: tuple[Piece, ...]


class Names(Struct, frozen=True, forbid_unknown_fields=True):
    """Which facts hold what every verdict needs."""

    now: str
    stopped: str
    paid: str
    asked: str
    deposit: str


class Standard(Struct, frozen=True, forbid_unknown_fields=True):
    """One version. `sha256` is the identity: of the file's bytes, in hexadecimal."""

    name: str
    version: str
    title: Words
    preamble: Words
    ranks: tuple[Rank, ...]
    custody: tuple[Rank, ...]
    thresholds: dict[str, Threshold]
    facts: dict[str, FactKind]
    tests: dict[str, Test]
    names: Names
    rows: tuple[Row, ...]
    precedence: tuple[str, ...]
    reasons: tuple[Reason, ...]
    sha256: str = ""

    def row_of(self, case_id: str) -> Row:
        """The row to which a case belongs."""
        return next(row for row in self.rows if any(case.id == case_id for case in row.cases))

    def cases(self) -> dict[str, Case]:
        """All cases by id, the strongest first."""
        known = {case.id: case for row in self.rows for case in row.cases}
        return {case_id: known[case_id] for case_id in self.precedence}


def read_standard(data: bytes, sha256: str) -> Standard:
    """The version in these bytes. Raises `TableIsMalformed`."""
    try:
        standard = json.decode(data, type=Standard)
    except (DecodeError, ValidationError) as error:
        raise TableIsMalformed(str(error)) from None
    if standard.sha256:
        raise TableIsMalformed("a file does not hold its own hash")
    check(standard)
    return json.decode(json.encode({**json.decode(data), "sha256": sha256}), type=Standard)


def check(standard: Standard) -> None:
    """Raises `TableIsMalformed` unless everything named exists and both promises hold."""
    for name, fact in standard.facts.items():
        _known(fact.ranks, [rank.id for rank in standard.ranks], f"fact {name}")
        if CORROBORATES_ONLY in fact.ranks or not fact.ranks:
            raise TableIsMalformed(f"fact {name}: {CORROBORATES_ONLY} says nothing that decides")
    seen: set[str] = set()
    for name, test in standard.tests.items():
        for what, names in named_in(test.when):
            known = {"fact": standard.facts.keys(), "threshold": standard.thresholds.keys(), "test": seen}[what]
            _known(names, known, f"test {name}")
        seen.add(name)
    _known(
        [getattr(standard.names, field) for field in standard.names.__struct_fields__], standard.facts, "names"
    )
    case_ids = [case.id for row in standard.rows for case in row.cases]
    if sorted(standard.precedence) != sorted(set(case_ids)) or len(case_ids) != len(set(case_ids)):
        raise TableIsMalformed("precedence names every case once")
    row_ids = {row.id for row in standard.rows}
    for reason in standard.reasons:
        _known(reason.rows, row_ids, f"reason {reason.id}")
        _known([piece.rank for piece in reason.pieces], [rank.id for rank in standard.ranks], f"reason {reason.id}")
    cases = standard.cases()
    for case in cases.values():
        _check_case(standard, case)
    _check_order(standard, list(cases.values()))


def _check_case(standard: Standard, case: Case) -> None:
    where = f"case {case.id}"
    for clock in (case.after, case.until, *(deadline.clock for deadline in case.deadlines)):
        if clock:
            _known(clock[:1], standard.facts, where)
            _known(clock[1:], standard.thresholds, where)
    _known([name for name in (case.cost.least, case.cost.bounty) if name], standard.thresholds, where)
    if case.refund:
        fading = case.refund.fading
        facts = [*(case.refund.part or ()), *([case.refund.sum] if case.refund.sum else [])]
        _known([*facts, *((fading.since, fading.at) if fading else ())], standard.facts, where)
        _known((fading.full, fading.none) if fading else (), standard.thresholds, where)
    if (case.refund is not None) != (case.side == "buyer"):
        raise TableIsMalformed(f"{where}: money goes back exactly where the buyer is right")
    if case.refund and case.refund.source == "pool" and case.cost != Cost():
        raise TableIsMalformed(f"{where}: what the pool pays is nobody's fault")
    for formula in (case.when, *(more.when for more in case.cost.more)):
        for literal, name in literals_of(formula):
            _known([name], standard.tests, where)
            if case.side != "open" and not _may_ask(case.side, literal, standard.tests[name]):
                raise TableIsMalformed(f"{where}: it cannot ask {literal} {name} and stay fair to its own side")


def _may_ask(side: str, literal: str, test: Test) -> bool:
    other = "merchant" if side == "buyer" else "buyer"
    wanted = {
        "shown": test.yes == side,
        "refuted": test.no == side,
        "not_shown": test.yes == other,
        "not_refuted": test.no == other,
    }
    return test.is_neutral or wanted[literal]


def _check_order(standard: Standard, cases: Sequence[Case]) -> None:
    last = max((place for place, case in enumerate(cases) if case.side != "open"), default=0)
    for place, case in enumerate(cases):
        if case.side == "open" and place < last:
            partial = [name for _, name in literals_of(case.when) if not standard.tests[name].is_neutral]
            if partial:
                raise TableIsMalformed(f"case {case.id}: open, and decides by {partial[0]} before others may")
    if cases[-1].side != "open" or cases[-1].when != {"all": []} or cases[-1].after or cases[-1].until:
        raise TableIsMalformed("the last case takes whatever is left")


def literals_of(formula: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every (literal, test) of the formula of a case. Raises `TableIsMalformed` for what is none."""
    if len(formula) != 1:
        raise TableIsMalformed("a formula has one word")
    ((word, value),) = formula.items()
    if word in ("all", "any") and isinstance(value, list):
        for part in value:
            yield from literals_of(part)
    elif word in ("shown", "refuted", "not_shown", "not_refuted") and isinstance(value, str):
        yield word, value
    else:
        raise TableIsMalformed(f"{word} is no word of a formula")


# What the arguments of each word are: f a fact, t a threshold, v a value; an argument with ? may be left out.
ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "is": ("f", "v"),
    "one_of": ("f", "v"),
    "at_least": ("f", "t"),
    "at_most": ("f", "t"),
    "below": ("f", "t"),
    "happened": ("f",),
    "before": ("f", "f", "t?", "f?"),
    "within": ("f", "f", "t"),
    "in_time": ("f", "f", "t"),
    "due": ("f",),
    "passed": ("f", "t"),
    "same": ("f", "f"),
}


def named_in(expr: Mapping[str, Any], *, needed_only: bool = False) -> Iterator[tuple[str, list[str]]]:
    """What a test's expression names: ("fact" | "threshold" | "test", names). Raises `TableIsMalformed`.

    `needed_only`: without the facts that may be left out.
    """
    if len(expr) != 1:
        raise TableIsMalformed("an expression has one word")
    ((word, value),) = expr.items()
    if word in ("all", "any") and isinstance(value, list) and value:
        for part in value:
            yield from named_in(part, needed_only=needed_only)
    elif word == "not":
        yield from named_in(value, needed_only=needed_only)
    elif word == "test":
        yield "test", [value]
    elif word in ARGUMENTS and isinstance(value, list):
        shape = ARGUMENTS[word]
        if not sum("?" not in one for one in shape) <= len(value) <= len(shape):
            raise TableIsMalformed(f"{word} has {len(shape)} arguments")
        for argument, sort in zip(value, shape, strict=False):
            if sort != "v" and not (needed_only and "?" in sort):
                yield {"f": "fact", "t": "threshold"}[sort[0]], [argument]
    else:
        raise TableIsMalformed(f"{word} is no word of a test")


def _known(names: Sequence[str], known: Any, where: str) -> None:  # noqa: ANN401 - any container of names
    for name in names:
        if name not in known:
            raise TableIsMalformed(f"{where}: there is no {name}")
