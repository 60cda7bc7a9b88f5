"""kill -9 at random moments: serving processes, the worker, once the database; each is started again a moment later."""

import asyncio
import contextlib
import os
import random
import signal
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from fairkey.adapters.postgres.embedded import EmbeddedPostgres

from .parts import Serving
from .world import Ground

PAUSE_S: Final = (0.2, 0.8)  # between two kills
DEAD_S: Final = (0.1, 0.5)
KILLS_MIN: Final = 8
DATABASE_AFTER_KILLS: Final = 3


class Havoc:
    """Goes on from entering to leaving; when it is left, everything runs again."""

    def __init__(self, at: Ground | None, servers: Sequence[Serving], worker: Serving | None, seed: int) -> None:
        """Nothing dies yet."""
        self.kills = 0
        self._at = at
        self._servers = servers
        self._all = [*servers, *([worker] if worker else [])]
        self._chance = random.Random(seed)  # noqa: S311 - play
        self._task: asyncio.Task[None] | None = None
        self._killing: asyncio.Task[None] | None = None
        self._killed_enough = asyncio.Event()

    @classmethod
    def none(cls) -> Self:
        """Peace."""
        return cls(None, (), None, 0)

    async def __aenter__(self) -> Self:
        """Begin."""
        if self._servers:
            self._task = asyncio.create_task(self._go_on())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End; wait until everybody who was killed answers again."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            if self._killing is not None:  # whoever was just killed is also started again
                await self._killing
            for each in self._servers:
                each.revive()
                await asyncio.to_thread(each.wait)

    async def enough(self) -> None:
        """Wait until enough have died."""
        if self._task is not None:
            await self._killed_enough.wait()

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(self._chance.uniform(*PAUSE_S))
            for each in self._all:
                each.revive()
            self._killing = asyncio.create_task(self._kill_one())
            await asyncio.shield(self._killing)
            if self.kills >= KILLS_MIN:
                self._killed_enough.set()

    async def _kill_one(self) -> None:
        self.kills += 1
        if self.kills == DATABASE_AFTER_KILLS and self._at is not None:
            await asyncio.to_thread(kill_database, self._at)
            return
        victim = self._chance.choice(self._all)
        await asyncio.to_thread(victim.kill)
        await asyncio.sleep(self._chance.uniform(*DEAD_S))
        victim.start()


def kill_database(at: Ground) -> None:
    """SIGKILL for the whole server, then a start that recovers from its log."""
    pid = at.server.server_pid()
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
    # Another handle on the same folder: the first one believes that the server runs.
    with EmbeddedPostgres(at.folder / "postgres"):
        pass
