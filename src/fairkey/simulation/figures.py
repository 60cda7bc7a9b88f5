"""From played markets to the figures that the standard is measured by."""

import math
import random
import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from .ledgers import Dispute
from .scenario import BP, FRAUDS, PREVALENCE_BP, RARE_BP, Strategy
from .strategies import Played

NORMAL_95: Final = 1.96
RULE_ROWS: Final = frozenset({"R01", "R02", "R03", "R04", "R06", "R11"})  # decided with no clock and nobody
LOSS_SHARE_MAX: Final = 0.003
WRONG_SHARE_MAX: Final = 0.005
NO_HUMAN_SHARE_MIN: Final = 0.85
FREEZE_SHARE_MAX: Final = 0.001
VERDICT_S_MAX: Final = 600
DRAWS: Final = 1_000  # of markets, to see how far a share may be off
DRAWS_SEED: Final = 1


class Profit(Struct, frozen=True, kw_only=True):
    """What a strategy earned in a market on average, with the 95 % interval of that mean."""

    profit_fen: int
    ci95: tuple[int, int]
    cheating_fen: int
    cheating_ci95: tuple[int, int]
    markets: int
    disputes: int


class Figures(Struct, frozen=True, kw_only=True):
    """The result of a simulation. `shares_ci95`: between which values the shares lie were other markets played."""

    seeds: int
    orders: int
    disputes: int
    strategies: dict[str, Profit]
    buyer_loss_share: float
    decided_without_human: float
    wrong_against_honest: float
    false_freeze_share: float
    median_verdict_s: float
    shares_ci95: dict[str, tuple[float, float]]
    rows: dict[str, int]
    missed: tuple[str, ...]


def figures_of(played: Sequence[Played], seeds: int) -> Figures:
    """All figures of these markets."""
    parts = [(each.strategy, _parts_of(each, weight)) for each, weight in _weighed(played)]
    disputes = [one for each in played for one in each.tally.disputes.values()]
    shares = _shares([part for _, part in parts])
    by_rule = [one for one in disputes if one.row in RULE_ROWS and not one.by_human]
    waits_s = [(one.ruled_at_ms - one.opened_at_ms) / 1_000 for one in by_rule]
    fair = [each for each in played if each.strategy is Strategy.HONEST]
    found = Figures(
        seeds=seeds,
        orders=sum(each.tally.orders for each in played),
        disputes=len(disputes),
        strategies={name.value: _profit_of(each) for name in Strategy if (each := _of(played, name))},
        buyer_loss_share=shares["buyer_loss_share"],
        decided_without_human=shares["decided_without_human"],
        wrong_against_honest=shares["wrong_against_honest"],
        false_freeze_share=_share(
            sum(each.tally.honest_freezes for each in fair), sum(each.tally.orders for each in fair)
        ),
        median_verdict_s=statistics.median(waits_s) if waits_s else 0.0,
        shares_ci95=_between(parts),
        rows=_rows(disputes),
        missed=(),
    )
    return _with_missed(found)


def _with_missed(found: Figures) -> Figures:
    missed = [
        f"{name} does not lose money"
        for name, profit in found.strategies.items()
        if Strategy(name) in FRAUDS and profit.cheating_ci95[1] >= 0
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
    profit_fen, ci95 = _mean([each.profit_fen for each in played])
    cheating_fen, cheating_ci95 = _mean([each.cheating_fen for each in played])
    return Profit(
        profit_fen=profit_fen,
        ci95=ci95,
        cheating_fen=cheating_fen,
        cheating_ci95=cheating_ci95,
        markets=len(played),
        disputes=sum(len(each.tally.disputes) for each in played),
    )


def _mean(sums: Sequence[int]) -> tuple[int, tuple[int, int]]:
    mean = statistics.fmean(sums)
    half = NORMAL_95 * statistics.stdev(sums) / math.sqrt(len(sums)) if len(sums) > 1 else 0.0
    return round(mean), (round(mean - half), round(mean + half))


def _weighed(played: Sequence[Played]) -> list[tuple[Played, float]]:
    """Each market with what one order that is tried in it stands for on a platform (`PREVALENCE_BP`)."""
    tried: Counter[Strategy] = Counter()
    for each in played:
        tried[each.strategy] += each.tried
    return [(each, PREVALENCE_BP.get(each.strategy, RARE_BP) / tried[each.strategy]) for each in played]


class _Parts(Struct, frozen=True, kw_only=True):
    """What one market adds to the shares: each share is a sum of the first of a pair by a sum of the second."""

    buyer_loss_share: tuple[float, float]
    decided_without_human: tuple[float, float]
    wrong_against_honest: tuple[float, float]


def _parts_of(played: Played, weight: float) -> _Parts:
    ended = [one for one in played.tally.disputes.values() if one.outcome]
    honest = [one for one in ended if one.honest_shop]
    return _Parts(
        buyer_loss_share=(played.tally.honest_loss_fen * weight, played.tally.turnover_fen * weight),
        decided_without_human=(sum(not one.by_human for one in ended) * weight, len(ended) * weight),
        wrong_against_honest=(sum(map(_is_wrong, honest)) * weight, len(honest) * weight),
    )


def _shares(parts: Sequence[_Parts]) -> dict[str, float]:
    return {
        name: _share(sum(getattr(one, name)[0] for one in parts), sum(getattr(one, name)[1] for one in parts))
        for name in _Parts.__struct_fields__
    }


def _between(parts: Sequence[tuple[Strategy, _Parts]]) -> dict[str, tuple[float, float]]:
    """The middle 95 % of the shares over drawings of the same markets with repetition, strategy by strategy: what
    happens in one market hangs together, so markets are drawn and not disputes.
    """
    chance = random.Random(DRAWS_SEED)  # noqa: S311 - to be drawn again, not a secret
    of_strategy: defaultdict[Strategy, list[_Parts]] = defaultdict(list)
    for strategy, part in parts:
        of_strategy[strategy].append(part)
    drawn = [
        _shares([one for some in of_strategy.values() for one in chance.choices(some, k=len(some))])
        for _ in range(DRAWS)
    ]
    found = {}
    for name in _Parts.__struct_fields__:
        values = sorted(one[name] for one in drawn)
        found[name] = (values[DRAWS * 25 // 1_000], values[DRAWS * 975 // 1_000 - 1])
    return found


def _is_wrong(one: Dispute) -> bool:
    """The shop was right and paid."""
    return one.truth == "shop" and one.taken_fen > 0


def _rows(disputes: Sequence[Dispute]) -> dict[str, int]:
    names = [one.row or one.outcome or "open" for one in disputes]
    return {name: names.count(name) for name in sorted(set(names))}


def _share(some: float, whole: float) -> float:
    return round(some / whole, 6) if whole else 0.0


def in_percent(share: float) -> str:
    """As people read it."""
    return f"{share * BP / 100:.2f} %"
