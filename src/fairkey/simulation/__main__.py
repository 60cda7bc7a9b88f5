"""`./run simulate`: play every strategy's market for some seeds and say what came of it."""

import argparse
import asyncio
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from .figures import Figures, figures_of, in_percent
from .scenario import Scenario, Strategy, read_scenario
from .strategies import Played, play

SEEDS = 5
WIDTH_LEAST = 100


def main() -> int:
    """The exit code: 0 when every target is met, 1 when one is missed, 2 for a scenario that cannot be read."""
    parser = argparse.ArgumentParser(prog="./run simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"how many markets of each strategy (default {SEEDS})")
    parser.add_argument("--first", type=int, default=1, help="the first seed (default 1)")
    parser.add_argument("--scenario", type=Path, help="a market described in a JSON file (docs/simulation.md)")
    parser.add_argument(
        "--strategy", action="append", choices=[one.value for one in Strategy], help="only this; repeatable"
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
    jobs = [(one, scenario, seed) for seed in range(given.first, given.first + given.seeds) for one in wanted]
    with ProcessPoolExecutor() as pool:
        played = list(pool.map(_play, jobs))
    found = figures_of(played, given.seeds)
    if given.json:
        print(msgspec.json.encode(found).decode())
    else:
        show(found)
    return 1 if found.missed else 0


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
    console.print(f"buyers lost {in_percent(found.buyer_loss_share)} of what they paid (at most 0.30 %)")
    console.print(f"decided with no human: {in_percent(found.decided_without_human)} (at least 85 %)")
    console.print(
        f"wrong against honest shops: {in_percent(found.wrong_against_honest)} of their disputes (at most 0.50 %)"
    )
    console.print(f"false freezes: {in_percent(found.false_freeze_share)} of honest orders")
    console.print(f"median time to a verdict on rule rows: {found.median_verdict_s / 60:.1f} min (at most 10)")
    for name in found.missed:
        console.print(f"[bold]missed[/bold]: {name}")


if __name__ == "__main__":
    sys.exit(main())
