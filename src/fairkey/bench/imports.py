"""How fast a merchant's file of codes is read, checked, sealed and on sale; durable, through the product's own door."""

import argparse
import asyncio
import time
from typing import Any

from fairkey.app import open_house

from . import world


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of `fairkey bench import`."""
    parser.add_argument("--codes", type=int, default=100_000, help="codes in the file (100,000 at most)")
    parser.add_argument("--runs", type=int, default=3, help="imports one after the other; the median counts")


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """{codes_per_s: median over the runs, codes: in one file, runs}."""
    with world.ground() as at:
        rates = asyncio.run(_measure(at, options.codes, options.runs))
    return {"codes_per_s": round(sorted(rates)[len(rates) // 2], 1), "codes": options.codes, "runs": len(rates)}


async def _measure(at: world.Ground, codes: int, runs: int) -> list[float]:
    dsn = await world.make_database(at, "bench_import")
    rates = []
    async with open_house(at.settings(dsn), dsn) as opened:
        shop = await world.open_shop(opened.house, 0)
        for number in range(runs):
            started = time.perf_counter()
            await world.deposit(opened.house, shop.shop_id, shop.listing_id, number * codes, codes)
            rates.append(codes / (time.perf_counter() - started))
    return rates
