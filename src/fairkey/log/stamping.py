"""Trusted time over the log: now and then the newest published checkpoint is stamped by every authority.

What is stamped is the text of the checkpoint, its three lines with the last line feed, and nothing of its signatures:
whoever holds any signed copy of it can check the stamp. The sequencer knows nothing of this; an authority that is
slow, away or wrong delays nothing but its own token.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final, NamedTuple, Protocol

from fairkey.proofs.timestamps import Stamp, TokenIsRefused

REST_MS_MAX: Final = 3_600_000
LEASE: Final = "trusted time"

logger = logging.getLogger(__name__)


class TsaIsAway(Exception):
    """The authority gave no usable answer: no connection, too slow, too long, an error. The argument says which."""


class TsaIsUnverifiable(Exception):
    """What this authority sends is good for one of our two checks only; strangers could not rely on it."""


class Published(NamedTuple):
    """The newest published head of the log: which log, how many entries, the checkpoint's text."""

    log_no: int
    size: int
    text: bytes


class Token(NamedTuple):
    """A token as the authority sent it (DER), and what it says once checked."""

    token: bytes
    stamp: Stamp


class Authority(Protocol):
    """One time-stamping authority."""

    @property
    def name(self) -> str:
        """What this house calls it."""

    async def stamp(self, data: bytes) -> Token:
        """A checked token over `data`. Raises `TsaIsAway`, `TsaIsUnverifiable`, `TokenIsRefused`."""


class Tokens(Protocol):
    """Where tokens are kept."""

    async def newest_published(self) -> Published | None:
        """The newest published head; None before the first."""

    async def last_gen_times(self, log_no: int) -> Mapping[str, int]:
        """When each authority last stamped a checkpoint of this log, by its own clock, in ms."""

    async def stamped_by(self, log_no: int, size: int) -> frozenset[str]:
        """The authorities that have stamped this head."""

    async def keep(self, published: Published, tsa: str, token: Token) -> None:
        """Keep a token; a second one of the same authority over the same head is dropped."""


class Stamper:
    """Has checkpoints stamped; `run` goes on until cancelled, `step` serves tests with a clock of their own."""

    def __init__(
        self,
        tokens: Tokens,
        authorities: Sequence[Authority],
        *,
        lease: Callable[[str], AbstractAsyncContextManager[bool]],
        now_ms: Callable[[], int],
        every_s: int,
    ) -> None:
        """`lease` lets one process of several do it."""
        self._tokens = tokens
        self._authorities = authorities
        self._lease = lease
        self._now_ms = now_ms
        self._every_ms = every_s * 1000
        self._failures: dict[str, int] = {}
        self._rests_until_ms: dict[str, int] = {}

    async def run(self) -> None:
        """Look a few times a period, until cancelled. Without authorities it returns at once."""
        while self._authorities:
            try:
                await self.step()
            except Exception:  # the loop outlives any failure
                logger.exception("the newest checkpoint could not be stamped")
            await asyncio.sleep(self._every_ms / 5000)

    async def step(self) -> int:
        """Have the newest published checkpoint stamped by every authority whose turn it is; how many did."""
        async with self._lease(LEASE) as held:
            newest = await self._tokens.newest_published() if held else None
            if newest is None or not newest.size:
                return 0
            done = await self._tokens.stamped_by(newest.log_no, newest.size)
            last = await self._tokens.last_gen_times(newest.log_no)
            now_ms = self._now_ms()
            due = [
                one
                for one in self._authorities
                if one.name not in done
                and abs(now_ms - last.get(one.name, 0)) >= self._every_ms  # theirs may be ahead
                and now_ms >= self._rests_until_ms.get(one.name, 0)
            ]
            return sum(await asyncio.gather(*(self._stamp(one, newest) for one in due)))

    async def _stamp(self, authority: Authority, published: Published) -> int:
        try:
            token = await authority.stamp(published.text)
        except (TsaIsAway, TsaIsUnverifiable, TokenIsRefused) as error:
            self._rest(authority.name)
            logger.warning("%s did not stamp the log at size %d: %s", authority.name, published.size, error)
            return 0
        await self._tokens.keep(published, authority.name, token)
        self._failures.pop(authority.name, None)
        logger.info("%s stamped the log at size %d", authority.name, published.size)
        return 1

    def _rest(self, name: str) -> None:
        """Ask again after a period, then after two, four, … up to an hour."""
        failures = self._failures[name] = self._failures.get(name, 0) + 1
        rest_ms = max(self._every_ms, min(self._every_ms * 2 ** min(failures - 1, 10), REST_MS_MAX))
        self._rests_until_ms[name] = self._now_ms() + rest_ms
