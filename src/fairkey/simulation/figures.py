"""From played markets to the figures that the standard is measured by."""

import math
import statistics
from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from .ledgers import Dispute
from .scenario import BP, FRAUDS, Strategy
from .strategies import Played

NORMAL_95: Final = 1.96
RULE_ROWS: Final = frozenset({"R01", "R02", "R03", "R04", "R06", "R11"})  # decided with no clock and nobody
LOSS_SHARE_MAX: Final = 0.003
WRONG_SHARE_MAX: Final = 0.005
NO_HUMAN_SHARE_MIN: Final = 0.85
FREEZE_SHARE_MAX: Final = 0.001
VERDICT_S_MAX: Final = 600


class Profit(Struct, frozen=True, kw_only=True):
    """What a strategy earned in a market on average, with the 95 % interval of that mean."""

    profit_fen: int
    ci95: tuple[int, int]
    markets: int
    disputes: int


class Figures(Struct, frozen=True, kw_only=True):
    """The result of a simulation."""

    seeds: int
    orders: int
    disputes: int
    strategies: dict[str, Profit]
    buyer_loss_share: float
    decided_without_human: float
    wrong_against_honest: float
    false_freeze_share: float
    median_verdict_s: float
    rows: dict[str, int]
    missed: tuple[str, ...]


def figures_of(played: Sequence[Played], seeds: int) -> Figures:
    """All figures of these markets."""
    disputes = [one for each in played for one in each.tally.disputes.values()]
    ended = [one for one in disputes if one.outcome]
    honest = [one for one in ended if one.honest_shop]
    turnover_fen = sum(each.tally.turnover_fen for each in played)
    loss_fen = sum(each.tally.honest_loss_fen for each in played)
    by_rule = [one for one in disputes if one.row in RULE_ROWS and not one.by_human]
    waits_s = [(one.ruled_at_ms - one.opened_at_ms) / 1_000 for one in by_rule]
    fair = [each for each in played if each.strategy is Strategy.HONEST]
    found = Figures(
        seeds=seeds,
        orders=sum(each.tally.orders for each in played),
        disputes=len(disputes),
        strategies={name.value: _profit_of(each) for name in Strategy if (each := _of(played, name))},
        buyer_loss_share=_share(loss_fen, turnover_fen),
        decided_without_human=_share(sum(not one.by_human for one in ended), len(ended)),
        wrong_against_honest=_share(sum(_is_wrong(one) for one in honest), len(honest)),
        false_freeze_share=_share(
            sum(each.tally.honest_freezes for each in fair), sum(each.tally.orders for each in fair)
        ),
        median_verdict_s=statistics.median(waits_s) if waits_s else 0.0,
        rows=_rows(disputes),
        missed=(),
    )
    return _with_missed(found)


def _with_missed(found: Figures) -> Figures:
    missed = [
        f"{name} does not lose money"
        for name, profit in found.strategies.items()
        if Strategy(name) in FRAUDS and profit.ci95[1] >= 0
    ]
    targets = (
        ("buyer_loss_share", found.buyer_loss_share <= LOSS_SHARE_MAX),
        ("wrong_against_honest", found.wrong_against_honest <= WRONG_SHARE_MAX),
        ("decided_without_human", found.decided_without_human >= NO_HUMAN_SHARE_MIN),
        ("false_freeze_share", found.false_freeze_share <= FREEZE_SHARE_MAX),
        ("median_verdict_s", found.median_verdict_s <= VERDICT_S_MAX),
    )
    missed += [name for name, is_met in targets if not is_met]
    return replace(found, missed=tuple(missed))


def _of(played: Sequence[Played], strategy: Strategy) -> list[Played]:
    return [each for each in played if each.strategy is strategy]


def _profit_of(played: Sequence[Played]) -> Profit:
    profits = [each.profit_fen for each in played]
    mean = statistics.fmean(profits)
    half = NORMAL_95 * statistics.stdev(profits) / math.sqrt(len(profits)) if len(profits) > 1 else 0.0
    return Profit(
        profit_fen=round(mean),
        ci95=(round(mean - half), round(mean + half)),
        markets=len(profits),
        disputes=sum(len(each.tally.disputes) for each in played),
    )


def _is_wrong(one: Dispute) -> bool:
    """The shop was right and paid."""
    return one.truth == "shop" and one.taken_fen > 0


def _rows(disputes: Sequence[Dispute]) -> dict[str, int]:
    names = [one.row or one.outcome or "open" for one in disputes]
    return {name: names.count(name) for name in sorted(set(names))}


def _share(some: int, whole: int) -> float:
    return round(some / whole, 6) if whole else 0.0


def in_percent(share: float) -> str:
    """As people read it."""
    return f"{share * BP / 100:.2f} %"
