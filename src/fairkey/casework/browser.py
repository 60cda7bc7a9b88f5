"""A Chromium of this machine, asked over a pipe (DevTools protocol): no port is opened, nothing is installed.

It runs with a new, empty profile in a folder that goes away, without extensions, sync or background traffic.
"""

import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

ANSWER_BYTES_MAX: Final = 256 * 1024 * 1024
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
_OPTIONS: Final = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--disable-gpu",
    "--hide-scrollbars",
    "--mute-audio",
    "--deny-permission-prompts",
)


# The browser reads from descriptor 3 and writes to 4: our pipes are put there, by way of numbers that neither is.
_LAUNCH: Final = """
import fcntl, os, sys
read, write = (fcntl.fcntl(int(one), fcntl.F_DUPFD, 10) for one in sys.argv[1:3])
os.dup2(read, 3)
os.dup2(write, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


class BrowserIsAway(Exception):
    """No browser is here, or it does not answer. The argument is a sentence."""


def find_browser() -> str:
    """Its path: `CHROMIUM` of the environment, or the first that is found. Raises `BrowserIsAway`."""
    for name in (os.environ.get("CHROMIUM", ""), *_NAMES):
        if name and (found := shutil.which(name)):
            return found
    raise BrowserIsAway("No Chromium or Chrome was found here. Debian: apt-get install chromium; or set CHROMIUM.")


class Browser:
    """One browser with one page, and what it reported since."""

    def __init__(self, write: int, read: int, patience_s: float, clock: Callable[[], float]) -> None:
        self._write = write
        self._read = read
        self._deadline = clock() + patience_s
        self._clock = clock
        self._rest = b""
        self._number = 0
        self._page = ""
        self.events: list[dict[str, Any]] = []

    def ask(self, method: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - the protocol's JSON
        """Ask and wait for the answer. Raises `BrowserIsAway` when it refuses or takes too long."""
        self._number += 1
        wanted = self._number
        message: dict[str, Any] = {"id": wanted, "method": method, "params": arguments}
        if self._page:
            message["sessionId"] = self._page
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._write, data) :]
        while True:
            answer = self._next()
            if answer.get("id") == wanted:
                if "error" in answer:
                    raise BrowserIsAway(f"The browser says: {str(answer['error'].get('message'))[:200]}")
                result: dict[str, Any] = answer.get("result", {})
                return result

    def wait(self, is_it: Callable[[Mapping[str, Any]], bool], *, within_s: float) -> bool:
        """Whether the page reported it in time."""
        until = min(self._clock() + within_s, self._deadline)
        if any(is_it(one) for one in self.events):
            return True
        while self._clock() < until:
            try:
                if is_it(self._next(until)):
                    return True
            except TimeoutError:
                break
        return False

    def open_page(self) -> None:
        """A new page; everything asked from now on is asked of it."""
        made = self.ask("Target.createTarget", url="about:blank")
        self._page = self.ask("Target.attachToTarget", targetId=made["targetId"], flatten=True)["sessionId"]

    def _next(self, until: float | None = None) -> dict[str, Any]:
        while b"\0" not in self._rest:
            left = (until if until is not None else self._deadline) - self._clock()
            ready = select.select([self._read], [], [], max(0.0, left))[0] if left > 0 else []
            if not ready:
                if until is not None:
                    raise TimeoutError
                raise BrowserIsAway("The page did not come to an end in time.")
            piece = os.read(self._read, 1024 * 1024)
            if not piece or len(self._rest) > ANSWER_BYTES_MAX:
                raise BrowserIsAway("The browser ended, or the page is too large.")
            self._rest += piece
        line, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        if "method" in message:
            self.events.append(message)
        return message


@contextmanager
def browser(*, patience_s: float = 60, clock: Callable[[], float] = time.monotonic) -> Iterator[Browser]:
    """A browser that ends with the block. `patience_s` bounds everything done with it. Raises `BrowserIsAway`."""
    program = find_browser()
    to_read, to_write = os.pipe()
    from_read, from_write = os.pipe()
    with TemporaryDirectory(prefix="fairkey-page-", ignore_cleanup_errors=True) as profile:
        options = [*_OPTIONS, f"--user-data-dir={profile}"]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            options.append("--no-sandbox")  # Chromium refuses to run as root with it
        command = [sys.executable, "-I", "-S", "-c", _LAUNCH, str(to_read), str(from_write), program, *options]
        process = subprocess.Popen(
            command,
            pass_fds=(to_read, from_write),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=Path(profile),
        )
        os.close(to_read)
        os.close(from_write)
        try:
            yield Browser(to_write, from_read, patience_s, clock)
        except BrokenPipeError:
            raise BrowserIsAway("The browser ended before it was asked anything.") from None
        finally:
            os.close(to_write)
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
            process.kill()
            process.wait()
            os.close(from_read)
