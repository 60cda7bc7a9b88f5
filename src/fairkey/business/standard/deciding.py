"""From what is known of a case to the row that decides it, what follows, and why: one pure function.

How a row is found. A case of a row applies when its formula holds and its clock allows. The first in the order of
precedence leads. If it is for the buyer, it stands together with the buyer's further cases that apply before any other
side's: the refund is the largest of theirs, and the one that costs the shop most is named; nothing is ever summed.
The last case always applies, so there is always a row.

Why more evidence never hurts its own side. Say that a test *counts* for a side 2 when its answer speaks for it, 0 when
it speaks for the other, else 1. A case for a side asks only for 2s of its side, or for nothing below 1 (see `table`);
so with evidence after which no test counts less for a side and no neutral test changes, every case of that side that
applied still applies, and none of the other side's is new. Therefore `standing_of` never falls for the buyer, or never
rises for the merchant. Kept by a property test over random cases.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from .table import BP, By, Case, Clock, Cost, Outcome, Side, Standard, named_in
from .truth import NUMBER_MAX, Known, SetAside, Statement, Truth, answers_of, known_from


class Answered(Struct, frozen=True):
    """A test and its answer (None: unknown)."""

    test: str
    answer: bool | None


class PassedOver(Struct, frozen=True):
    """A case that did not decide.

    `why`: not_shown (`tests` are not known as it needs them), refuted (`tests` say no), not_yet (its clock runs until
    `at_ms`), over (its time ended at `at_ms`), weaker (it applies, and another stands before it).
    """

    case: str
    row: str
    why: str
    tests: tuple[Answered, ...] = ()
    at_ms: int = 0


class Change(Struct, frozen=True):
    """What would change the result: were `tests` answered so, `case` would be named. `facts`: what is missing for it.

    `at_ms`: only from then on (0: at once).
    """

    case: str
    row: str
    side: Side
    outcome: Outcome
    refund_fen: int | None
    tests: tuple[Answered, ...]
    facts: tuple[str, ...]
    at_ms: int


class DueAt(Struct, frozen=True):
    """A moment that the named case sets; `number`: which of its deadlines."""

    case: str
    number: int
    at_ms: int


class Finding(Struct, frozen=True):
    """What the standard says of a case as things stand. Amounts are None where the price is not known.

    `refund_fen` out of `refund_source` (escrow, pool, or nothing); `deduction_fen` on top of it out of the deposit,
    not more than there is where that is known; `bounty_fen` is a part of the deduction.
    """

    standard: str
    version: str
    sha256: str
    row: str
    case: str
    side: Side
    outcome: Outcome
    by: By
    refund_fen: int | None
    refund_source: str
    deduction_fen: int | None
    deduction_bp: int
    bounty_fen: int
    shop_points: int
    buyer_points: int
    freezes_shop: bool
    quarantines_batch: bool
    deadlines: tuple[DueAt, ...]
    decided_by: tuple[Answered, ...]
    evidence: tuple[Statement, ...]
    also: tuple[str, ...]
    passed_over: tuple[PassedOver, ...]
    missing: tuple[str, ...]
    changes: tuple[Change, ...]
    set_aside: tuple[SetAside, ...]
    contradicted: tuple[str, ...]


class Bill(Struct, frozen=True, kw_only=True):
    """What one named case comes to; amounts are None where the price is not known. Fields as in `Finding`."""

    row: str
    case: str
    side: Side
    refund_fen: int | None
    refund_source: str
    deduction_fen: int | None
    bounty_fen: int
    shop_points: int
    buyer_points: int
    freezes_shop: bool
    quarantines_batch: bool


class _Bill(Struct, frozen=True):
    """What one case comes to."""

    refund_fen: int | None
    deduction_fen: int | None
    bp: int
    points: int
    freeze: bool
    weight: tuple[int, int, int, int]  # by which the dearest is found


def evaluate(standard: Standard, statements: Sequence[Statement]) -> Finding:
    """What `standard` says about a case of which `statements` are known; the same for the same statements in any order.

    Raises `FieldIsInvalid` for a statement that cannot be meant.
    """
    known = known_from(standard, sorted(statements, key=_order_of))
    return _Judge(standard, known).finding()


def bill_of(standard: Standard, case_id: str, statements: Sequence[Statement]) -> Bill:
    """What the table says of a case that somebody names, whether or not it would apply by itself.

    Raises `FieldIsInvalid` for a statement that cannot be meant, `KeyError` for a case that there is not.
    """
    known = known_from(standard, sorted(statements, key=_order_of))
    return _Judge(standard, known).bill(case_id)


def standing_of(finding: Finding, side: Side) -> tuple[int, int]:
    """How a finding stands for a side, as a number that grows: for the buyer with what he gets, for the merchant with
    what it costs him. Lost, then open, then won (and how much).

    A whole deposit of which nobody said how much it is costs more than any sum.
    Where the pool pays and nothing is laid to the shop, the doubt between buyer and shop stays undecided, as with a
    panel: for the merchant such a finding stands as an open one.
    """
    if finding.side == "open":
        return (1, 0)
    if side == "buyer":
        return (2, finding.refund_fen or 0) if finding.side == "buyer" else (0, 0)
    if finding.side == "merchant":
        return (0, 0)
    if finding.refund_fen is not None and finding.deduction_fen is None:  # the whole deposit, and nobody said how much
        return (2, NUMBER_MAX)
    fen = (finding.refund_fen or 0) if finding.refund_source == "escrow" else 0
    cost = fen + (finding.deduction_fen or 0)
    return (2, cost) if cost or finding.shop_points else (1, 0)


def _order_of(one: Statement) -> tuple[str, str, str, str]:
    return (one.fact, one.rank, str(one.value), one.source)


class _Judge:
    """One case looked at."""

    def __init__(self, standard: Standard, known: Known) -> None:
        self._standard = standard
        self._known = known
        self._values = known.values
        self._cases = list(standard.cases().values())
        self._answers = answers_of(standard, known.values)

    def finding(self) -> Finding:
        """What is found."""
        standard = self._standard
        leading = self._leading(self._answers)
        named = self._dearest(leading)
        bill = self._bill(named)
        refunds = [self._refund(case) for case in leading]
        refund = max((fen for fen in refunds if fen is not None), default=None) if leading else None
        decided = tuple(self._answered(literals_that_hold(named.when, self._answers)))
        changes = tuple(self._changes(named))
        return Finding(
            standard=standard.name,
            version=standard.version,
            sha256=standard.sha256,
            row=standard.row_of(named.id).id,
            case=named.id,
            side=named.side,
            outcome=named.outcome,
            by=named.by,
            refund_fen=refund if named.side == "buyer" else 0,
            refund_source=named.refund.source if named.refund else "",
            deduction_fen=bill.deduction_fen,
            deduction_bp=bill.bp,
            bounty_fen=min(self._bounty(named), bill.deduction_fen or 0),
            shop_points=bill.points,
            buyer_points=named.buyer_points,
            freezes_shop=any(self._bill(case).freeze for case in leading),
            quarantines_batch=any(case.cost.quarantine for case in leading),
            deadlines=tuple(self._deadlines(named)),
            decided_by=decided,
            evidence=self._evidence_for([one.test for one in decided]),
            also=tuple(case.id for case in leading if case is not named),
            passed_over=tuple(self._passed_over({case.id for case in leading})),
            missing=tuple(dict.fromkeys(fact for change in changes for fact in change.facts)),
            changes=changes,
            set_aside=self._known.set_aside,
            contradicted=self._known.contradicted,
        )

    def bill(self, case_id: str) -> Bill:
        """What a case comes to."""
        case = self._standard.cases()[case_id]
        bill = self._bill(case)
        return Bill(
            row=self._standard.row_of(case_id).id,
            case=case_id,
            side=case.side,
            refund_fen=bill.refund_fen if case.refund else 0,
            refund_source=case.refund.source if case.refund else "",
            deduction_fen=bill.deduction_fen,
            bounty_fen=min(self._bounty(case), bill.deduction_fen or 0),
            shop_points=bill.points,
            buyer_points=case.buyer_points,
            freezes_shop=bill.freeze,
            quarantines_batch=case.cost.quarantine,
        )

    # Which cases apply.

    def _leading(self, answers: Mapping[str, Truth], *, as_if_due: str = "") -> list[Case]:
        """The strongest case that applies; for the buyer with those of his that apply before any other side's."""
        leading: list[Case] = []
        for case in self._cases:
            if not holds(case.when, answers) or not (case.id == as_if_due or self._is_time(case)):
                continue
            if case.side != "buyer":
                return leading or [case]
            leading.append(case)
        return leading

    def _is_time(self, case: Case) -> bool:
        now = self._values.get(self._standard.names.now)
        for clock, wanted in ((case.after, True), (case.until, False)):
            if clock is None:
                continue
            at_ms = self._at_ms(clock)
            if at_ms is None or not isinstance(now, int) or (now >= at_ms) is not wanted:
                return False
        return True

    def _at_ms(self, clock: Clock) -> int | None:
        """When the clock runs out, stopped time added; None when it does not run."""
        since = self._values.get(clock[0])
        stopped = self._values.get(self._standard.names.stopped, 0)
        if not isinstance(since, int) or not since or not isinstance(stopped, int):
            return None
        return since + self._standard.thresholds[clock[1]].value + stopped

    def _dearest(self, leading: Sequence[Case]) -> Case:
        return max(leading, key=lambda case: (self._bill(case).weight, -leading.index(case)))

    # What follows.

    def _number(self, fact: str) -> int | None:
        value = self._values.get(fact)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def _share(self, of_fen: int, part: tuple[str, str] | None) -> int:
        """The part of a sum; where the counts are not known, all of it. Rounded down to whole fen."""
        if part is None:
            return of_fen
        some, whole = self._number(part[0]), self._number(part[1])
        if some is None or not whole:
            return of_fen
        return of_fen * min(some, whole) // whole

    def _refund(self, case: Case) -> int | None:
        paid_fen = self._number(self._standard.names.paid)
        if case.refund is None or paid_fen is None:
            return None
        fen = self._share(paid_fen, case.refund.part)
        if case.refund.sum:
            fen = min(paid_fen, self._number(case.refund.sum) or fen)
        fading = case.refund.fading
        if fading:
            since, at = self._number(fading.since), self._number(fading.at)
            full = self._standard.thresholds[fading.full].value
            none = self._standard.thresholds[fading.none].value
            if since and at and at - since > full:
                fen = fen * max(none - (at - since), 0) // (none - full)
        asked_fen = self._number(self._standard.names.asked)
        return min(fen, asked_fen) if asked_fen else fen

    def _bill(self, case: Case) -> _Bill:
        cost = _with_more(case.cost, self._answers)
        paid_fen = self._number(self._standard.names.paid)
        deposit_fen = self._number(self._standard.names.deposit)
        base_fen = None if paid_fen is None else self._share(paid_fen, cost.part)
        least_fen = self._standard.thresholds[cost.least].value if cost.least else 0
        deduction_fen = deposit_fen if cost.whole_deposit else None
        due_fen = cost.bp
        if base_fen is not None and not cost.whole_deposit:
            due_fen = max(base_fen * cost.bp // BP, least_fen)
            deduction_fen = due_fen if deposit_fen is None else min(due_fen, deposit_fen)
        return _Bill(
            refund_fen=self._refund(case),
            deduction_fen=deduction_fen,
            bp=cost.bp,
            points=self._share(cost.points, cost.part),
            freeze=cost.freeze,
            weight=(
                int(cost.whole_deposit),
                due_fen,
                int(case.refund is not None and case.refund.source == "escrow"),
                cost.points,
            ),
        )

    def _bounty(self, case: Case) -> int:
        return self._standard.thresholds[case.cost.bounty].value if case.cost.bounty else 0

    def _deadlines(self, case: Case) -> Iterator[DueAt]:
        for number, deadline in enumerate(case.deadlines):
            at_ms = self._at_ms(deadline.clock)
            if at_ms is not None:
                yield DueAt(case.id, number, at_ms)

    # Why.

    def _answered(self, names: Sequence[str]) -> Iterator[Answered]:
        for name in dict.fromkeys(names):
            yield Answered(name, self._answers[name])

    def _passed_over(self, leading: set[str]) -> Iterator[PassedOver]:
        for case in self._cases:
            if case.id in leading:
                continue
            row = self._standard.row_of(case.id).id
            failing = literals_that_fail(case.when, self._answers)
            against = [name for literal, name in failing if not _is_open(literal, self._answers[name])]
            if against:
                yield PassedOver(case.id, row, "refuted", tuple(self._answered(against)))
            elif failing:
                yield PassedOver(case.id, row, "not_shown", tuple(self._answered([name for _, name in failing])))
            elif not self._is_time(case):
                due = self._at_ms(case.after) if case.after else None
                over = self._at_ms(case.until) if case.until else None
                now = self._number(self._standard.names.now) or 0
                ended = over is not None and now >= over
                yield PassedOver(case.id, row, "over" if ended else "not_yet", at_ms=(over if ended else due) or 0)
            else:
                yield PassedOver(case.id, row, "weaker")

    def _changes(self, named: Case) -> Iterator[Change]:
        """Cases that would be named if what is unknown were answered as they need it, or once their clock runs out."""
        for case in self._cases:
            wanted = {name: literal == "shown" for literal, name in literals_that_fail(case.when, self._answers)}
            if case is named or not self._can_become(case):
                continue
            supposed = {**self._answers, **wanted}
            leading = self._leading(supposed, as_if_due=case.id)
            if case not in leading or self._dearest(leading) is not case:
                continue
            due = self._at_ms(case.after) if case.after and not self._is_time(case) else None
            yield Change(
                case=case.id,
                row=self._standard.row_of(case.id).id,
                side=case.side,
                outcome=case.outcome,
                refund_fen=self._refund(case) if case.side == "buyer" else 0,
                tests=tuple(Answered(name, answer) for name, answer in wanted.items()),
                facts=self._missing_for(list(wanted)),
                at_ms=due or 0,
            )

    def _can_become(self, case: Case) -> bool:
        """Whether nothing that is known stands against the case: it misses answers, or its clock still runs."""
        failing = literals_that_fail(case.when, self._answers)
        if any(not _is_open(literal, self._answers[name]) for literal, name in failing):
            return False
        if self._is_time(case):
            return bool(failing)
        now, until = self._number(self._standard.names.now), self._at_ms(case.until) if case.until else None
        if now is None or (case.until and (until is None or now >= until)):
            return False
        return case.after is None or self._at_ms(case.after) is not None

    def _facts_of(self, test: str) -> Iterator[str]:
        yield from facts_in(self._standard, self._standard.tests[test].when)

    def _missing_for(self, tests: Sequence[str]) -> tuple[str, ...]:
        facts = dict.fromkeys(fact for test in tests for fact in self._facts_of(test))
        return tuple(fact for fact in facts if fact not in self._values)

    def _evidence_for(self, tests: Sequence[str]) -> tuple[Statement, ...]:
        facts = dict.fromkeys(fact for test in tests for fact in self._facts_of(test))
        return tuple(self._known.used[fact] for fact in facts if fact in self._known.used)


def _with_more(cost: Cost, answers: Mapping[str, Truth]) -> Cost:
    """The cost with the dearest of what is added where more holds."""
    for more in cost.more:
        if holds(more.when, answers) and (more.bp, more.points) >= (cost.bp, cost.points):
            cost = Cost(
                bp=more.bp,
                least=cost.least,
                whole_deposit=cost.whole_deposit,
                part=cost.part,
                points=more.points,
                freeze=cost.freeze or more.freeze,
                quarantine=cost.quarantine,
                bounty=cost.bounty,
            )
    return cost


_HOLDS: Mapping[str, frozenset[Truth]] = {
    "shown": frozenset({True}),
    "refuted": frozenset({False}),
    "not_shown": frozenset({False, None}),
    "not_refuted": frozenset({True, None}),
}


def holds(formula: Mapping[str, Any], answers: Mapping[str, Truth]) -> bool:
    """Whether the formula of a case holds. Two-valued: what a case does not know to be so, it says it does not know."""
    ((word, value),) = formula.items()
    if word == "all":
        return all(holds(part, answers) for part in value)
    if word == "any":
        return any(holds(part, answers) for part in value)
    return answers[value] in _HOLDS[word]


def literals_that_hold(formula: Mapping[str, Any], answers: Mapping[str, Truth]) -> list[str]:
    """The tests because of which a formula holds."""
    ((word, value),) = formula.items()
    if word in ("all", "any"):
        return [name for part in value if holds(part, answers) for name in literals_that_hold(part, answers)]
    return [value]


def literals_that_fail(formula: Mapping[str, Any], answers: Mapping[str, Truth]) -> list[tuple[str, str]]:
    """What would have to be otherwise for the formula to hold: (literal, test). Of `any` the part that lacks least,
    those first in which nothing is known to be against it.
    """
    ((word, value),) = formula.items()
    if holds(formula, answers):
        return []
    if word == "all":
        return [one for part in value for one in literals_that_fail(part, answers)]
    if word == "any":
        ways = [literals_that_fail(part, answers) for part in value]
        return min(
            ways,
            key=lambda way: (any(not _is_open(literal, answers[name]) for literal, name in way), len(way)),
            default=[],
        )
    return [(word, value)]


def _is_open(literal: str, answer: Truth) -> bool:
    """Whether a literal that fails may still come to hold: it waits for an answer that nobody gave yet."""
    return answer is None and literal in ("shown", "refuted")


def facts_in(standard: Standard, expr: Mapping[str, Any]) -> Iterator[str]:
    """Every fact that a test looks at, through the tests that it names."""
    for what, names in named_in(expr, needed_only=True):
        if what == "fact":
            yield from names
        elif what == "test":
            yield from facts_in(standard, standard.tests[names[0]].when)

