"""`./run simulate`: play every strategy's market for some seeds and say what came of it."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from .figures import Figures, figures_of, in_percent
from .scenario import FRAUDS, Scenario, Strategy, read_scenario
from .strategies import Played, play

SEEDS = 5
SEEDS_APART = 1_000_000
MARKETS_A_SEED = {Strategy.HONEST: 6, Strategy.HONEST_CARELESS: 2}
"""They stand for most of a platform and have few disputes: without more of them chance says what the shares are."""
WIDTH_LEAST = 100

SHARES = (
    ("buyers lost of what they paid", "buyer_loss_share", "at most 0.30 %"),
    ("decided with no human", "decided_without_human", "at least 85 %"),
    ("wrong against honest shops, of their disputes", "wrong_against_honest", "at most 0.50 %"),
)


def main() -> int:
    """The exit code: 0 when every target is met, 1 when one is missed, 2 for a scenario that cannot be read."""
    parser = argparse.ArgumentParser(prog="./run simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"how many markets of each strategy (default {SEEDS})")
    parser.add_argument("--first", type=int, default=1, help="the first seed (default 1)")
    parser.add_argument("--scenario", type=Path, help="a market described in a JSON file (docs/simulation.md)")
    parser.add_argument(
        "--strategy", action="append", choices=[one.value for one in Strategy], help="only this; repeatable"
    )
    parser.add_argument(
        "--vary", metavar="FIELD=V,V,…", help="a field of the scenario at several values: what it moves"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    if given.seeds < 1:
        parser.error("--seeds is at least 1")
    try:
        scenario = read_scenario(given.scenario.read_bytes()) if given.scenario else Scenario()
    except (OSError, msgspec.MsgspecError) as error:
        print(f"{given.scenario} cannot be read as a scenario: {error}", file=sys.stderr)
        return 2
    wanted = tuple(Strategy(name) for name in given.strategy) if given.strategy else scenario.strategies
    if given.vary:
        return vary(given.vary, scenario, wanted, range(given.first, given.first + given.seeds), as_json=given.json)
    found = _figures(scenario, wanted, range(given.first, given.first + given.seeds))
    if given.json:
        print(msgspec.json.encode(found).decode())
    else:
        show(found)
    return 1 if found.missed else 0


def _figures(scenario: Scenario, strategies: Sequence[Strategy], seeds: range) -> Figures:
    jobs = [
        (one, scenario, seed + part * SEEDS_APART)
        for seed in seeds
        for one in strategies
        for part in range(MARKETS_A_SEED.get(one, 1))
    ]
    with ProcessPoolExecutor() as pool:
        return figures_of(list(pool.map(_play, jobs)), len(seeds))


def vary(text: str, scenario: Scenario, strategies: Sequence[Strategy], seeds: range, *, as_json: bool) -> int:
    """The figures at several values of one field; 2 when there is no such field or value."""
    field, _, values = text.partition("=")
    found = {}
    try:
        for value in values.split(","):
            changed = msgspec.json.encode({**msgspec.to_builtins(scenario), field: int(value)})
            found[int(value)] = _figures(read_scenario(changed), strategies, seeds)
    except (ValueError, msgspec.MsgspecError) as error:
        print(f"{text} cannot be played: {error}", file=sys.stderr)
        return 2
    if as_json:
        print(msgspec.json.encode({"field": field, "values": {str(one): each for one, each in found.items()}}).decode())
        return 0
    table = Table(
        field, "buyers' loss", "no human", "wrong against honest", "cheating pays best", title="What it moves"
    )
    for number, each in found.items():
        paid = {name: one.cheating_fen for name, one in each.strategies.items() if Strategy(name) in FRAUDS}
        best = max(paid, key=lambda name: paid[name], default="")
        table.add_row(
            str(number),
            in_percent(each.buyer_loss_share),
            in_percent(each.decided_without_human),
            in_percent(each.wrong_against_honest),
            f"{best} {paid[best] / 100:,.2f}" if best else "–",
        )
    Console(width=max(Console().width, WIDTH_LEAST)).print(table)
    return 0


def _play(job: tuple[Strategy, Scenario, int]) -> Played:
    strategy, scenario, seed = job
    return asyncio.run(play(strategy, scenario, seed))


def show(found: Figures) -> None:
    """For people."""
    console = Console(width=max(Console().width, WIDTH_LEAST))
    table = Table(
        "strategy",
        "profit",
        "of it by cheating",
        "95 % of that mean",
        "disputes",
        title="What each strategy earns, in yuan",
    )
    for name, profit in found.strategies.items():
        low, high = profit.cheating_ci95
        table.add_row(
            name,
            f"{profit.profit_fen / 100:,.2f}",
            f"{profit.cheating_fen / 100:,.2f}",
            f"{low / 100:,.2f} … {high / 100:,.2f}",
            str(profit.disputes),
        )
    console.print(table)
    console.print(f"{found.orders:,} orders, {found.disputes:,} disputes in {found.seeds} seeds")
    for words, name, target in SHARES:
        least, most = found.shares_ci95[name]
        between = f"{in_percent(least)} … {in_percent(most)}"
        console.print(f"{words}: {in_percent(getattr(found, name))} ({target}; were other markets played: {between})")
    console.print(f"false freezes: {in_percent(found.false_freeze_share)} of honest orders")
    console.print(f"median time to a verdict on rule rows: {found.median_verdict_s / 60:.1f} min (at most 10)")
    for name in found.missed:
        console.print(f"[bold]missed[/bold]: {name}")


if __name__ == "__main__":
    sys.exit(main())
