"""Ways to go wrong on demand: rules that strike by reference or everywhere, the same way each time for the same seed.

Whether and how a rule strikes is drawn from (seed, rule, subject, how often this subject was drawn), never from time or
from the order in which different subjects come by, so a run with the same rules and the same orders meets the same
faults.
"""

import random
from typing import Annotated, Literal

import msgspec

from sandbox_provider.state import State

FaultKind = Literal[
    # What happens to the notification of something that was done.
    "delay",
    "repeat",
    "reorder",
    "lose",
    "forge",
    "change_amount",
    "change_currency",
    # What the buyer really pays.
    "pay_short",
    "pay_over",
    "pay_twice",
    # How the API answers.
    "down",
    "answer_lost",
    "slow",
    "refuse",
    # How an instruction goes after it was taken.
    "stay_pending",
    "fail",
]
Operation = Literal["collect", "payment", "refund", "release", "payout", "query"]
Positive = Annotated[int, msgspec.Meta(ge=1, le=10**12)]
Wait = Annotated[int, msgspec.Meta(ge=0, le=86_400_000)]

EVERYWHERE = "*"


class FaultRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule.

    `reference` names an order reference, a shop account or an idempotency key; `*` is everything. `on` limits it to
    operations (empty: all it can apply to). `times` is how often it strikes before it is spent. The rest are the
    fault's own measures: `delay_ms` (delay, repeat, reorder, slow, stay_pending, fail; drawn up to `delay_up_to_ms` if
    that is given), `copies` (repeat), `window` (reorder: how many are gathered, at most for `delay_ms`), `attempts`
    (forge: how many deliveries are signed with a wrong key before the right one), `by_fen` (pay_short, pay_over,
    change_amount), `currency`, `reason` (refuse, fail).
    """

    kind: FaultKind
    reference: str = EVERYWHERE
    on: tuple[Operation, ...] = ()
    times: Positive | None = None
    probability: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    delay_ms: Wait | None = None
    delay_up_to_ms: Wait | None = None
    copies: Annotated[int, msgspec.Meta(ge=1, le=100)] = 1
    window: Annotated[int, msgspec.Meta(ge=2, le=1000)] = 2
    attempts: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1000
    by_fen: Annotated[int, msgspec.Meta(ge=-(10**12), le=10**12)] = 1
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")] = "USD"
    reason: str = "refused_by_sandbox"


class Strike:
    """A rule that struck, with its own dice."""

    def __init__(self, number: int, rule: FaultRule, dice: random.Random) -> None:
        """Rule `number` struck; `dice` gives its measures."""
        self.number = number
        self.rule = rule
        self.dice = dice

    def delay_ms(self, otherwise: int) -> int:
        """The rule's delay, drawn if it is a range."""
        least_ms = otherwise if self.rule.delay_ms is None else self.rule.delay_ms
        most_ms = self.rule.delay_up_to_ms
        return least_ms if most_ms is None else self.dice.randint(min(least_ms, most_ms), max(least_ms, most_ms))


class Faults:
    """The rules in force, kept in the state file so that they outlive a restart."""

    def __init__(self, state: State, seed: int) -> None:
        """Read the rules; a seed told through the control API comes before the given one."""
        self.state = state
        self.seed = int(state.fact("seed") or seed)
        self.rules: dict[int, FaultRule] = {
            row["id"]: msgspec.json.decode(row["rule"], type=FaultRule)
            for row in state.db.execute("SELECT id, rule FROM fault_rules ORDER BY id")
        }

    def add(self, rules: list[FaultRule]) -> list[int]:
        """Put rules in force after those there; their numbers, counted from 1 since the last `clear`."""
        numbers = []
        with self.state.transaction() as db:
            for rule in rules:
                number = max(self.rules, default=0) + 1
                db.execute(
                    "INSERT INTO fault_rules (id, rule) VALUES (?, ?)", (number, msgspec.json.encode(rule).decode())
                )
                self.rules[number] = rule
                numbers.append(number)
        return numbers

    def clear(self, seed: int | None = None) -> None:
        """Everything goes well again; with a seed, chance begins anew from there."""
        with self.state.transaction() as db:
            db.execute("DELETE FROM fault_rules")
            db.execute("DELETE FROM fault_draws")
            if seed is not None:
                self.state.remember("seed", str(seed))
                self.seed = seed
        self.rules.clear()

    def struck(self) -> dict[int, int]:
        """How often each rule struck."""
        return {row["id"]: row["struck"] for row in self.state.db.execute("SELECT id, struck FROM fault_rules")}

    def draw(self, kind: FaultKind, operation: Operation, *names: str) -> Strike | None:
        """The first rule of this kind that strikes an operation on a subject known by these names."""
        for number, rule in self.rules.items():
            if (
                rule.kind == kind
                and (not rule.on or operation in rule.on)
                and (rule.reference == EVERYWHERE or rule.reference in names)
                and (strike := self._strike(number, rule, names[0] if names else "")) is not None
            ):
                return strike
        return None

    def _strike(self, number: int, rule: FaultRule, subject: str) -> Strike | None:
        with self.state.transaction() as db:
            struck = db.execute("SELECT struck FROM fault_rules WHERE id = ?", (number,)).fetchone()[0]
            if rule.times is not None and struck >= rule.times:
                return None
            draws = db.execute(
                "INSERT INTO fault_draws VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET draws = draws + 1 RETURNING draws",
                (number, subject),
            ).fetchone()[0]
            # Faults are play, not secrets: the generator only has to give the same answer for the same seed.
            dice = random.Random(f"{self.seed}|{number}|{subject}|{draws}")  # noqa: S311
            if dice.random() >= rule.probability:
                return None
            db.execute("UPDATE fault_rules SET struck = struck + 1 WHERE id = ?", (number,))
        return Strike(number, rule, dice)
