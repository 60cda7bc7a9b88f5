"""`fairkey demo` as a newcomer starts it: a process of its own, which leaves nothing behind and finds itself again."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from server_folders import server_folder

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

STOP_S = 60


@pytest.fixture
def state() -> Iterator[Path]:
    with server_folder() as folder:
        yield folder.parent


def environment(state: Path, **more: str) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("FAIRKEY_")}
    path = os.pathsep.join(one for one in sys.path if one)
    return {**ours, "PYTHONPATH": path, "FAIRKEY_STATE_DIR": str(state), **more}


@contextmanager
def demo(state: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The running demo and what it printed once it was up; stopped by SIGTERM."""
    command = [sys.executable, "-m", "fairkey.main", "demo", "--port", "0", *words]
    with subprocess.Popen(command, env=environment(state), stdout=subprocess.PIPE, text=True) as child:
        printed: list[str] = []
        assert child.stdout is not None
        for line in child.stdout:
            printed.append(line)
            if "Ctrl-C" in line:
                break
        try:
            yield child, "".join(printed)
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait(STOP_S)


def fairkey(state: Path, *words: str) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-m", "fairkey.main", *words, "--json"],
        env=environment(state / "demo", FAIRKEY_MODE="demo"),
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.stdout, done.stderr
    figures: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return figures


def address_in(printed: str, name: str) -> str:
    found = re.search(rf"^ +{name} +(http://[^\s/]+)", printed, re.MULTILINE)
    assert found is not None, printed
    return found.group(1)


def test_the_demo_is_built_once_stands_every_audit_and_stops_whole(state: Path) -> None:
    with demo(state) as (child, printed):
        store, sandbox = address_in(printed, "store"), address_in(printed, "payments")
        assert "Steam" in httpx.get(f"{store}/").text
        assert httpx.get(f"{sandbox}/health").json()["money"] == "not real"
        assert fairkey(state, "audit")["violations"] == []
        assert fairkey(state, "rebuild", "--check")["violations"] == []
        second = subprocess.run(
            [sys.executable, "-m", "fairkey.main", "demo", "--port", "0"],
            env=environment(state),
            check=False,
            capture_output=True,
            text=True,
        )
        assert second.returncode == 1
        assert "running" in second.stderr
    assert child.returncode == 0
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{sandbox}/health")
    assert not (state / "demo" / "postgres" / "data" / "postmaster.pid").exists()
    figures = (state / "demo" / "world.json").read_text(encoding="utf-8")
    with demo(state) as (child, printed):
        assert "Steam" in httpx.get(f"{address_in(printed, 'store')}/").text
        took = re.search(r"up in ([0-9.]+) s", printed)
        assert took is not None
        assert float(took.group(1)) < 15, "an old world is not built again"
    assert (state / "demo" / "world.json").read_text(encoding="utf-8") == figures
