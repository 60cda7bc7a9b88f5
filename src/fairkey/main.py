"""The entry point: the command line on top of the wired house."""

import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fairkey import cli
from fairkey.cli.entry import Finding, OwnLogFiles
from fairkey.engine.house import House
from fairkey.settings import Settings


class HouseEntry:
    """Implements `fairkey.cli.entry.Entry`; everything heavy is imported when it is asked for."""

    def settings(self) -> Settings:
        """The settings of this environment."""
        return Settings.from_environment(os.environ)

    def migrate(self) -> list[str]:
        """Bring the database up to date."""
        from fairkey.adapters.postgres.migrate import migrate
        from fairkey.app.processes import database

        with database(self.settings()) as dsn:
            return migrate(dsn)

    def house(self) -> AbstractAsyncContextManager[House]:
        """An opened house on the configured database, without a worker."""
        return self._house()

    @asynccontextmanager
    async def _house(self) -> AsyncIterator[House]:
        from fairkey.app import upkeep

        async with upkeep.opened(self.settings()) as opened:
            yield opened.house

    def serve(self) -> int:
        """Answer requests until told to stop."""
        from fairkey.app import processes

        return processes.serve(self.settings())

    def work(self) -> int:
        """Carry out effects and deadlines until told to stop."""
        from fairkey.app import processes

        return processes.work(self.settings())

    def sequence(self) -> int:
        """Write the public log until told to stop."""
        from fairkey.app import processes

        return processes.sequence(self.settings())

    async def begin_log_anew(self, origin: str, why: str) -> Mapping[str, str]:
        """End the log and begin another under a new origin."""
        from fairkey.app import upkeep

        return await upkeep.begin_log_anew(self.settings(), origin, why)

    def own_log(self, *, published_only: bool) -> AbstractAsyncContextManager[OwnLogFiles]:
        """The newest log of this installation."""
        from fairkey.app.own_log import own_log

        return own_log(self.settings(), published_only=published_only)

    def demo(self, *, port: int, fresh: bool, seed: int) -> int:
        """The demo world until told to stop."""
        from fairkey import demo

        return demo.run(os.environ, port=port, fresh=fresh, seed=seed)

    async def audit(self) -> Sequence[Finding]:
        """Check every invariant on the live database."""
        from fairkey.app import upkeep

        return await upkeep.audit_everything(self.settings())

    async def rebuild(self, *, check_only: bool) -> Sequence[Finding]:
        """Fold all events again."""
        from fairkey.app import upkeep

        return await upkeep.rebuild(self.settings(), check_only=check_only)

    async def rotate_keys(self, purpose: str) -> int:
        """A new data key for `purpose`."""
        from fairkey.app import upkeep

        return await upkeep.rotate(self.settings(), purpose)

    async def rewrap_keys(self, new_key: str) -> int:
        """Wrap every data key by another master key."""
        from fairkey.app import upkeep

        return await upkeep.rewrap(self.settings(), new_key)

    async def reseal(self) -> int:
        """Seal what lies under older data keys anew."""
        from fairkey.app import upkeep

        return await upkeep.reseal(self.settings())

    def bench(self, name: str, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run the benchmark `name`."""
        from fairkey import bench

        return bench.run(name, options["arguments"])


def main() -> None:
    """`fairkey …`"""
    sys.exit(cli.run(HouseEntry()))


if __name__ == "__main__":
    main()
