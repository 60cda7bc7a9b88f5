"""Looking at files in a process of its own: what decodes pictures and videos has had holes, and bombs eat memory."""

import asyncio
import contextlib
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterable
from pathlib import Path
from typing import Final

from fairkey.adapters.files import looking
from fairkey.engine.evidence_port import MIB, FileIsRefused, Kept, Look, MediaClass, WhyRefused

VIDEO_BYTES_MAX: Final = 64 * MIB  # a larger one is kept and can be downloaded; it is not shown
WAIT_S: Final = 30.0
AT_ONCE: Final = 2
_MARK_BYTES: Final = 9
_PREVIEW_BYTES_MAX: Final = 1_000_000


class LooksApart:
    """Implements `fairkey.engine.evidence_port.Looks`."""

    def __init__(self, wait_s: float = WAIT_S) -> None:
        """`wait_s`: how long one look may take."""
        self._wait_s = wait_s
        self._few = asyncio.Semaphore(AT_ONCE)

    async def look(self, chunks: AsyncIterable[bytes], kept: Kept) -> Look:
        """See `Looks.look`."""
        kind = kept.media.media_class
        if kind not in {MediaClass.IMAGE, MediaClass.VIDEO}:
            return Look()
        if kind is MediaClass.VIDEO and kept.size_bytes > VIDEO_BYTES_MAX:
            return Look()
        async with self._few:
            code, told = await self._run(kind, b"".join([chunk async for chunk in chunks]))
        if code == 0 and _MARK_BYTES < len(told) <= _PREVIEW_BYTES_MAX:
            mark = int.from_bytes(told[1:_MARK_BYTES], "big", signed=True) if told[0] else None
            return Look(preview=told[_MARK_BYTES:], mark=mark)
        if kind is MediaClass.VIDEO:
            return Look()  # a codec that is not here is no fault of the file
        raise FileIsRefused(WhyRefused.TOO_MANY_PIXELS if code == looking.TOO_MANY_PIXELS else WhyRefused.DAMAGED)

    async def _run(self, kind: MediaClass, data: bytes) -> tuple[int, bytes]:
        program = str(Path(looking.__file__))
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", program, kind.value, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, start_new_session=True
        )
        try:
            async with asyncio.timeout(self._wait_s):
                told, _ = await process.communicate(data)
        except TimeoutError:
            return looking.DAMAGED, b""
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        return process.returncode or 0, told
