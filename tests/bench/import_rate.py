"""How many codes a second go into the vault and on sale, on a durable server of its own.

`python tests/bench/import_rate.py [lines] [--json]`: stages one file of so many lines (100,000) three times over with
fresh codes, registers each by the statements of the engine, and prints the rates; with `--json` one object last.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from fairkey.adapters.postgres.embedded import EmbeddedPostgres  # noqa: E402
from fairkey.adapters.postgres.migrate import migrated  # noqa: E402
from vault_world import file_of, vault_world  # noqa: E402 - the path comes first


async def measure(database_url: str, lines: int, rounds: int) -> list[dict[str, float]]:
    await migrated(database_url)
    found = []
    async with vault_world(database_url) as world:
        for _ in range(rounds):
            data = file_of(f"{os.urandom(8).hex().upper()}-{number:06}" for number in range(lines))
            start, cpu = time.perf_counter(), time.process_time()
            staged = await world.stage(data)
            middle, cpu = time.perf_counter(), time.process_time() - cpu
            registered = await world.register(staged.import_id)
            end = time.perf_counter()
            assert staged.count == registered == lines
            found.append({
                "staged_per_s": lines / (middle - start),
                "registered_per_s": lines / (end - middle),
                "codes_per_s": lines / (end - start),
                "python_cpu_s": cpu,
            })  # fmt: skip
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lines", nargs="?", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, EmbeddedPostgres(Path(folder) / "server") as server:
        found = asyncio.run(measure(server.dsn(), given.lines, rounds=3))
    for one in found:
        print({name: round(value, 2) for name, value in one.items()})
    if given.json:
        print(json.dumps({"codes_per_s": round(sorted(one["codes_per_s"] for one in found)[len(found) // 2])}))


if __name__ == "__main__":
    main()
