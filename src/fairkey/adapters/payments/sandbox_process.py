"""The sandbox provider as a child process of a demo or test."""

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import msgspec

from fairkey.adapters.payments.sandbox_controls import SandboxControls

START_S = 30.0
STOP_S = 10.0


class SandboxDidNotStart(Exception):
    """The program ended, or said nothing, instead of telling where it listens; its standard error says why."""


@contextlib.contextmanager
def sandbox_process(
    secret: str,
    *,
    mode: str,
    state: Path | None = None,
    port: int = 0,
    notify_url: str = "",
    seed: int = 0,
    more: Sequence[str] = (),
) -> Iterator[str]:
    """Start the sandbox (`mode` is `demo` or `test`), give its URL, stop it at the end.

    `more` are further words of its command line. It also ends by itself when this process dies, because its standard
    input closes then.
    """
    words = ["--mode", mode, "--port", str(port), "--seed", str(seed), "--notify-url", notify_url, "--stop-with-stdin"]
    if state is not None:
        words += ["--state", str(state)]
    with subprocess.Popen(
        [sys.executable, "-m", "sandbox_provider", *words, *more],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=_environment(secret),
    ) as child:
        try:
            yield _address(child)
        finally:
            child.terminate()
            try:
                child.wait(STOP_S)
            except subprocess.TimeoutExpired:
                child.kill()


@contextlib.asynccontextmanager
async def running_sandbox(
    secret: str,
    *,
    mode: str,
    state: Path | None = None,
    port: int = 0,
    notify_url: str = "",
    seed: int = 0,
    more: Sequence[str] = (),
) -> AsyncIterator[SandboxControls]:
    """The same from inside an event loop, with the controls at hand."""
    process = sandbox_process(secret, mode=mode, state=state, port=port, notify_url=notify_url, seed=seed, more=more)
    controls = SandboxControls(await asyncio.to_thread(process.__enter__))
    try:
        yield controls
    finally:
        await controls.aclose()
        await asyncio.to_thread(process.__exit__, None, None, None)


def _address(child: subprocess.Popen[bytes]) -> str:
    """What the child says on its first line, within `START_S`."""
    too_late = threading.Timer(START_S, child.kill)
    too_late.start()
    try:
        line = child.stdout.readline() if child.stdout else b""
        return str(msgspec.json.decode(line, type=dict[str, str])["url"])
    except (msgspec.MsgspecError, KeyError) as error:
        raise SandboxDidNotStart("see its messages on standard error") from error
    finally:
        too_late.cancel()


def _environment(secret: str) -> dict[str, str]:
    """What the child needs to run our interpreter, and its secret; nothing else of ours is its business."""
    kept = {name: value for name in ("PATH", "SYSTEMROOT", "TMPDIR") if (value := os.environ.get(name))}
    # Imported as the parent imports it, installed or straight from a checkout.
    kept["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    return {**kept, "SANDBOX_PROVIDER_SECRET": secret}
