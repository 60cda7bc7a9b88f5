"""Natural batching: while one transaction is under way, arriving commands wait and form the next one. No timer."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


class Stopping(Exception):
    """The process is shutting down and takes no new work; ask another one, or again in a moment."""


class Batcher(Generic[Q, A]):
    """Collects questions and answers them together, `size_max` at a time, one batch under way."""

    def __init__(
        self, answer: Callable[[Sequence[Q]], Awaitable[Sequence[A | Exception]]], size_max: int = 256
    ) -> None:
        """`answer` gets the waiting questions and returns an answer, or an exception to raise, for each in order."""
        self._answer = answer
        self._size_max = size_max
        self._waiting: list[tuple[Q, asyncio.Future[A]]] = []
        self._running: asyncio.Task[None] | None = None
        self._stopping = False

    async def ask(self, question: Q) -> A:
        """The answer to `question`; raises what `answer` raised, and `Stopping` after `stop` was called.

        A caller that goes away does not undo its question: it is answered all the same.
        """
        if self._stopping:
            raise Stopping
        future: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, future))
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
        return await future

    async def stop(self) -> None:
        """Take nothing more; return when everything that was asked is answered."""
        self._stopping = True
        if self._running is not None:
            await asyncio.wait([self._running])

    async def _run(self) -> None:
        while self._waiting:
            taken, self._waiting = self._waiting[: self._size_max], self._waiting[self._size_max :]
            try:
                answers = await self._answer([question for question, _ in taken])
            except Exception as error:  # noqa: BLE001 - it belongs to the callers, each of whom gets it
                answers = [error] * len(taken)
            for (_, future), answer in zip(taken, answers, strict=True):
                if future.done():
                    continue
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)
