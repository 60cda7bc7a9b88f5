"""Every write of the log's writer, counted, and one of them broken in a way: files and database alike."""

import errno
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import asyncpg

from fairkey.adapters.postgres.log_writing import PostgresLogLease

Way = Literal["not_done", "done", "killed_before", "killed_after"]
FILE_CALLS = ("open", "write", "fsync", "close", "rename", "mkdir", "unlink", "rmdir")


@dataclass(slots=True)
class Breaking:
    """Operation number `at` (from 0) goes wrong; -1: none. `done` names every operation that came."""

    folder: Path
    at: int = -1
    way: Way = "not_done"
    done: list[str] = field(default_factory=list)
    files: set[int] = field(default_factory=set)

    def arm(self, at: int, way: Way) -> None:
        """Count from 0 again."""
        self.at, self.way, self.done = at, way, []

    @property
    def struck(self) -> bool:
        """Whether the operation that was to go wrong has come."""
        return 0 <= self.at < len(self.done)

    def _comes(self, name: str) -> bool:
        self.done.append(name)
        return len(self.done) - 1 == self.at

    def call(self, name: str, work: Callable[[], Any], failure: Callable[[], Exception]) -> Any:  # noqa: ANN401
        """Do it, unless it is the one that goes wrong."""
        if not self._comes(name):
            return work()
        self._before()
        if self.way == "not_done":
            raise failure()
        try:
            answer = work()
        finally:
            self._after()
        if name == "open":
            os.close(answer)
        raise failure()

    async def ask(self, name: str, work: Callable[[], Any]) -> Any:  # noqa: ANN401
        """The same for a statement."""
        if not self._comes(name):
            return await work()
        self._before()
        if self.way != "not_done":
            await work()
            self._after()
        raise asyncpg.ConnectionDoesNotExistError("the connection broke, as the test wants it")

    def _before(self) -> None:
        if self.way == "killed_before":
            os.kill(os.getpid(), signal.SIGKILL)

    def _after(self) -> None:
        if self.way == "killed_after":
            os.kill(os.getpid(), signal.SIGKILL)

    def _concerns(self, name: str, first: Any) -> bool:  # noqa: ANN401
        if name in ("write", "fsync", "close"):
            return first in self.files
        return Path(os.fspath(first)).is_relative_to(self.folder)

    @contextmanager
    def installed(self) -> Iterator[None]:
        """For the body, calls about files below the folder and statements of the lease's session are counted."""
        kept = {name: getattr(os, name) for name in FILE_CALLS}
        opened = PostgresLogLease._opened
        for name in FILE_CALLS:
            setattr(os, name, self._counted(name, kept[name]))

        async def session_of(lease: PostgresLogLease) -> "_Session":
            return _Session(await opened(lease), self)

        setattr(PostgresLogLease, "_opened", session_of)  # noqa: B010 - a checked assignment would not let us
        try:
            yield
        finally:
            setattr(PostgresLogLease, "_opened", opened)  # noqa: B010
            for name in FILE_CALLS:
                setattr(os, name, kept[name])

    def _counted(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(first: Any, *others: Any, **named: Any) -> Any:  # noqa: ANN401
            if not self._concerns(name, first):
                return real(first, *others, **named)
            if name == "close":
                self.files.discard(first)
            answer = self.call(
                name, lambda: real(first, *others, **named), lambda: OSError(errno.EIO, "as the test wants it", first)
            )
            if name == "open":
                self.files.add(answer)
            return answer

        return call


class _Session:
    """What the lease uses of a connection."""

    def __init__(self, session: asyncpg.Connection, breaking: Breaking) -> None:
        self._session = session
        self._breaking = breaking

    async def fetch(self, statement: str, *arguments: object) -> Any:  # noqa: ANN401
        return await self._breaking.ask(_first_words(statement), lambda: self._session.fetch(statement, *arguments))

    async def fetchval(self, statement: str, *arguments: object) -> Any:  # noqa: ANN401
        return await self._breaking.ask(_first_words(statement), lambda: self._session.fetchval(statement, *arguments))

    async def execute(self, statement: str, *arguments: object) -> str:
        status: str = await self._breaking.ask(
            _first_words(statement), lambda: self._session.execute(statement, *arguments)
        )
        return status


def _first_words(statement: str) -> str:
    return " ".join(statement.split()[:4])
