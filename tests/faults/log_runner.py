"""A program: writes the log whenever it holds the lease; tells "begun" at its first step and "lost" when it was
replaced.
"""

import asyncio
import sys
from pathlib import Path

import asyncpg

from fairkey.adapters.postgres.log_writing import PostgresLogLease
from fairkey.log.ports import Lost
from fairkey.log.sequencer import begin
from log_world import AT_MS, LogWorld

PERIOD_S = 0.02


async def main(dsn: str, folder: Path) -> None:
    """As the first line of this file says."""
    connection = await asyncpg.connect(dsn)
    world = LogWorld(dsn=dsn, folder=folder, connection=connection)
    lease = PostgresLogLease(dsn, lambda: AT_MS)
    while True:
        try:
            async with lease.held() as writing:
                if writing is not None:
                    writer = await begin(writing, world.setting)
                    print("begun", flush=True)
                    while True:
                        await writer.step()
                        await asyncio.sleep(PERIOD_S)
        except Lost:
            print("lost", flush=True)
        await asyncio.sleep(PERIOD_S)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
