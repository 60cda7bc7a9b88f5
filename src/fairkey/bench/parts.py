"""The processes of a benchmark: parts that answer questions on standard input, whole servers, and their CPU time."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

START_S = 60.0
STOP_S = 20.0
_PROC = Path("/proc")


class PartFailed(Exception):
    """A process of the benchmark ended, or did not answer."""


class Part:
    """A child process that answers one line of JSON with one line of JSON."""

    def __init__(self, module: str, environment: Mapping[str, str]) -> None:
        """Start `python -m module`; `environment` comes on top of ours."""
        self._module = module
        self._child = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **_import_path(), **environment},
        )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    def ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Its answer. Raises `PartFailed`."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        try:
            self._child.stdin.write(json.dumps(question).encode() + b"\n")
            self._child.stdin.flush()
        except OSError as error:
            raise PartFailed(self._module) from error
        line = self._child.stdout.readline()
        if not line:
            raise PartFailed(f"{self._module} ended; see its messages on standard error")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __enter__(self) -> Self:
        """Started already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Standard input closes: the part ends by itself."""
        _close(self._child)


def answer_questions(answer: Callable[[dict[str, Any]], Mapping[str, Any]]) -> None:
    """The child's side of `Part`: until standard input closes."""
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
        sys.stdout.flush()


class Serving:
    """A whole `fairkey serve` (or `fairkey worker`), started, killed and started again."""

    def __init__(self, environment: Mapping[str, str], *, command: str = "serve") -> None:
        """Nothing runs yet. Serving processes are reached on `port`."""
        self.port = free_port()
        self._command = command
        self._environment = {**environment, "FAIRKEY_PORT": str(self.port)}
        self._log = Path(environment["FAIRKEY_STATE_DIR"]) / f"{command}-{self.port}.log"
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._child is not None
        return self._child.pid

    def start(self) -> None:
        """Start; `wait` tells when it answers."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith("FAIRKEY_")}
        origin = {"FAIRKEY_PUBLIC_URL": f"http://127.0.0.1:{self.port}"}
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "fairkey.main", self._command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**ours, **_import_path(), **origin, **self._environment},
            )

    def revive(self) -> None:
        """Start it again if it ended by itself, as whoever supervises it would (the database was away at its start)."""
        if self._child is not None and self._child.poll() is not None:
            self.start()

    def wait(self) -> float:
        """Return when it takes connections: how many seconds that took. Raises `PartFailed`."""
        started = time.monotonic()
        while time.monotonic() - started < START_S:
            if self._child is None or self._child.poll() is not None:
                raise PartFailed(f"fairkey {self._command} ended at its start: {self._log.read_text()[-2000:]}")
            if self._command != "serve" or self.answers():
                return time.monotonic() - started
            time.sleep(0.02)
        raise PartFailed(f"fairkey {self._command} took no connection within {START_S} s")

    def answers(self) -> bool:
        """Whether somebody listens on its port."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        """SIGKILL, as a power cut would."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()

    def stop(self) -> None:
        """Ask it to end."""
        if self._child is not None:
            _close(self._child)

    def __enter__(self) -> Self:
        """Started and answering."""
        self.start()
        self.wait()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()


def free_port() -> int:
    """A TCP port of this machine that nobody uses now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def cpu_s(pid: int) -> float:
    """Seconds of CPU that process `pid`, its living children, and its children that ended have used so far."""
    if not _PROC.joinpath("self", "stat").exists():
        return _cpu_s_by_ps(pid)
    used: dict[int, int] = {}
    children: dict[int, list[int]] = {}
    for folder in _PROC.iterdir():
        if folder.name.isdigit():
            try:
                fields = folder.joinpath("stat").read_bytes().rpartition(b")")[2].split()
            except OSError:  # it ended meanwhile
                continue
            used[int(folder.name)] = sum(map(int, fields[11:15]))  # own and ended children's, user and system
            children.setdefault(int(fields[1]), []).append(int(folder.name))
    ticks, waiting = 0, [pid]
    while waiting:
        one = waiting.pop()
        ticks += used.get(one, 0)
        waiting.extend(children.get(one, ()))
    return ticks / os.sysconf("SC_CLK_TCK")


def _cpu_s_by_ps(pid: int) -> float:
    """Where there is no /proc: living processes only."""
    listed = subprocess.run(["/bin/ps", "-A", "-o", "pid=,ppid=,time="], capture_output=True, text=True, check=True)
    total_s = 0.0
    for line in listed.stdout.splitlines():
        own, parent, used = line.split()
        if pid in {int(own), int(parent)}:
            clock = 0.0
            for part in used.replace("-", ":").split(":"):
                clock = clock * 60 + float(part)
            total_s += clock
    return total_s


def _close(child: subprocess.Popen[bytes]) -> None:
    if child.stdin is not None:
        child.stdin.close()
    else:
        child.send_signal(signal.SIGTERM)
    try:
        child.wait(STOP_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    if child.stdout is not None:
        child.stdout.close()


def _import_path() -> dict[str, str]:
    """Children import us as we were imported, installed or straight from a checkout."""
    return {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
