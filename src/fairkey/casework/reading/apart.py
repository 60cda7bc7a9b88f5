"""Reading in a process apart: a picture that takes too long, or that kills its reader, costs its own time and no more.

The process is begun when the first file is read, holds the models of letters from then on, and ends with this one: at
the end of its input, when its parent dies (Linux), or by its own alarm.
"""

import json
import os
import queue
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import IO, Any, Final, Self

import msgspec

from fairkey.casework.model import CaseFile
from fairkey.casework.readings import NotRead

from . import FileRead, missing_for, read_file

BEGIN_WAIT_S: Final = 180
SEVERAL: Final = 4  # what holds several pictures gets so many times the budget
_PROGRAM: Final = "from fairkey.casework.reading.apart import serve; serve()"
_DIE_WITH_PARENT: Final = 1  # prctl(2), PR_SET_PDEATHSIG


def budget_of(media_type: str, budget_s: float) -> float:
    """How long a file of a kind may take."""
    return budget_s if media_type.startswith("image/") else budget_s * SEVERAL


class ReaderApart:
    """Reads files of a case, one after the other; a context, at whose end the process is gone."""

    def __init__(self, budget_s: float) -> None:
        """`budget_s`: for a picture; recordings, documents and pages get four times as long."""
        self.budget_s = budget_s
        self._process: subprocess.Popen[bytes] | None = None
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def __call__(self, path: Path, file: CaseFile) -> FileRead:
        """What the file says. Raises `NotRead` when it took too long or the reader died of it."""
        if missing := missing_for(file.media_type):
            raise NotRead(missing)
        allowed_s = budget_of(file.media_type, self.budget_s)
        asked = {
            "path": str(path),
            "sha256": file.seal.sha256,
            "media_type": file.media_type,
            "taken": file.taken_at,
            "s": allowed_s,
        }
        try:
            self._ask(json.dumps(asked).encode() + b"\n")
            self._line(BEGIN_WAIT_S)
            return msgspec.json.decode(self._line(allowed_s), type=FileRead)
        except queue.Empty:
            note = took_too_long(self.budget_s)
        except (OSError, msgspec.DecodeError):
            note = "the reader ended while it read this: fairkey case read CASE --again tries once more"
        except BaseException:
            self.end()  # whoever asks next must not hear the answer to this
            raise
        self.end()
        raise NotRead(note)

    def end(self) -> None:
        """End the process, whatever it is at."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def _ask(self, line: bytes) -> None:
        stdin = self._running().stdin
        if stdin is not None:
            stdin.write(line)
            stdin.flush()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._lines = queue.SimpleQueue()
            self._process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # an interrupted run ends it itself
            )
            Thread(target=_listen, args=(self._process.stdout, self._lines.put), daemon=True).start()
        return self._process

    def _line(self, wait_s: float) -> bytes:
        line = self._lines.get(timeout=wait_s)
        if not line:
            raise OSError
        return line


def took_too_long(budget_s: float) -> str:
    """The note on a file that was given up."""
    return (
        f"reading took too long (more than {budget_s:g} s a picture): "
        f"fairkey case read CASE --budget {budget_s * 10:g} reads it"
    )


def _listen(pipe: IO[bytes] | None, hear: Callable[[bytes], None]) -> None:
    with suppress(OSError, ValueError):
        for line in pipe or ():
            hear(line)
    hear(b"")


def serve() -> None:
    """The process apart: a line asks for a file, a line says that it begins, a line holds the facts."""
    # Whatever a library prints must not stand between the lines.
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    _die_with_parent()
    for line in sys.stdin.buffer:
        _read(json.loads(line), out)


def _read(asked: dict[str, Any], out: IO[bytes]) -> None:
    if hasattr(signal, "alarm"):
        signal.alarm(BEGIN_WAIT_S + round(asked["s"]) + 60)
    media_type = asked["media_type"]
    if media_type.startswith(("image/", "video/")):
        from .ocr import warm_up  # noqa: PLC0415 - of the extra "ocr"

        warm_up()
    out.write(b"{}\n")
    out.write(msgspec.json.encode(read_file(Path(asked["path"]), asked["sha256"], media_type, asked["taken"])) + b"\n")
    if hasattr(signal, "alarm"):
        signal.alarm(0)


def _die_with_parent() -> None:
    if sys.platform != "linux":
        return
    import ctypes  # noqa: PLC0415 - only there

    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
