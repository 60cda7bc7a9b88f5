"""The operator's virus scanner: a command that reads the file from its standard input and tells by its exit code.

0: nothing found, 1: found something; anything else, or no answer in time: it could not tell (as `clamdscan -` does).
The plaintext goes through a pipe and never lies on a disk.
"""

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from typing import Final, Self

from fairkey.engine.evidence_port import EvidenceStoreFailed, FileIsRefused, WhyRefused

CLEAN: Final = 0
FOUND: Final = 1


class Scan:
    """One run of the command over one file."""

    def __init__(self, process: Process, wait_s: float) -> None:
        self._process = process
        self._wait_s = wait_s

    @classmethod
    async def begin(cls, command: Sequence[str], wait_s: float) -> Self:
        """Start the command (no shell). It may keep us waiting `wait_s` for each piece, and for its answer."""
        try:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True
            )
        except OSError as error:
            raise EvidenceStoreFailed(f"the scanner does not start: {error.strerror}") from error
        return cls(process, wait_s)

    async def feed(self, chunk: bytes) -> None:
        """Give it the next bytes. One that has seen enough may stop reading."""
        pipe = self._process.stdin
        if pipe is None or pipe.is_closing():
            return
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            try:
                async with asyncio.timeout(self._wait_s):
                    pipe.write(chunk)
                    await pipe.drain()
            except TimeoutError:
                raise EvidenceStoreFailed("the scanner does not read") from None

    async def verdict(self) -> None:
        """Wait for its answer. Raises `FileIsRefused` when it found something."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(self._wait_s):
                code = await self._process.wait()
        except TimeoutError:
            raise EvidenceStoreFailed("the scanner does not answer") from None
        if code == FOUND:
            raise FileIsRefused(WhyRefused.SCANNER_SAYS_NO)
        if code != CLEAN:
            raise EvidenceStoreFailed(f"the scanner ended with {code}")

    async def stop(self) -> None:
        """End it and all it started, whatever they are doing."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()
