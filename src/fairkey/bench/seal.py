"""How fast a long file comes into a case, beside plain SHA-256 and `cp` of the same file in the same run, and in how
much memory. What the disk itself does not allow is said: no code writes faster than it.
"""

import argparse
import hashlib
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from uuid import uuid4

from fairkey.casework.folder import new_case
from fairkey.casework.hashing import digest, has_second
from fairkey.casework.model import Capture, Case
from fairkey.casework.sealing import add_file

WANTED: Final = 0.5


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `./run bench seal`."""
    parser.add_argument("--mib", type=int, default=1024, help="size of the file (default 1024)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds, of which the median counts (default 3)")


def measure(options: argparse.Namespace) -> Mapping[str, Any]:
    """Rates, and ratios to that of SHA-256 alone. `hashed`: the digests of such a file; `moved`: into a case without a
    copy; `added`: with a durable copy; `cp`: the system's own copy of it, made durable, and nothing else.
    `added_by_cp`: how the case does beside that. `limit`: where half is missed, `disk` if `cp` misses it, too.
    """
    with TemporaryDirectory(prefix="fairkey-seal-") as place:
        root = Path(place)
        path = _recording(root / "recording.mp4", options.mib)
        small = _peak_of_sealing(root, _recording(root / "small", 32))
        acts: dict[str, Callable[[], float]] = {
            "plain_sha256": lambda: _plain_s(path),
            "hashed": lambda: _hashed_s(path),
            "moved": lambda: _added_s(root, path, gives=True),
            "added": lambda: _added_s(root, path),
            "cp": lambda: _copied_s(root, path),
        }
        took: dict[str, list[float]] = {name: [] for name in acts}
        for _ in range(options.rounds):
            for name, act in acts.items():
                os.sync()  # nobody pays for what was written before
                took[name].append(act())
        peak = _peak_of_sealing(root, path)
    seconds = {name: statistics.median(those) for name, those in took.items()}
    plain_s = seconds["plain_sha256"]
    return {
        "size_mib": options.mib,
        **{f"{name}_mib_per_s": options.mib / one for name, one in seconds.items()},
        **{f"{name}_ratio": plain_s / one for name, one in seconds.items() if one is not plain_s},
        "added_ratio_best": min(took["plain_sha256"]) / min(took["added"]),
        "added_by_cp": seconds["cp"] / seconds["added"],
        "wanted_ratio": WANTED,
        "limit": _limit(plain_s / seconds["added"], plain_s / seconds["cp"]),
        "peak_mib_sealing_32_mib": small,
        "peak_mib_sealing_all": peak,
        "cores": os.cpu_count() or 0,
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else 0,
    }


def _limit(added_ratio: float, cp_ratio: float) -> str:
    if added_ratio >= WANTED:
        return "none: the wanted ratio is reached"
    return "disk" if cp_ratio < WANTED else "code"


def _recording(path: Path, mib: int) -> Path:
    block = os.urandom(1024 * 1024)
    with path.open("wb") as file:
        for number in range(mib):
            file.write(number.to_bytes(8) + block[8:])
    return path


def _plain_s(path: Path) -> float:
    began = time.perf_counter()
    with path.open("rb", buffering=0) as file:
        hashlib.file_digest(file, "sha256")
    return time.perf_counter() - began


def _hashed_s(path: Path) -> float:
    began = time.perf_counter()
    with path.open("rb", buffering=0) as file:
        digest(file, wants_sha512=has_second(path.stat().st_size))
    return time.perf_counter() - began


def _copied_s(root: Path, path: Path) -> float:
    """The system's own copy, made durable, and nothing else: what the disk allows."""
    place = root / "copy"
    began = time.perf_counter()
    subprocess.run(["cp", str(path), str(place)], check=True)  # noqa: S607 - the system's own, to be compared with
    with place.open("rb") as copy:
        os.fsync(copy.fileno())
    took = time.perf_counter() - began
    place.unlink()
    return took


def _added_s(root: Path, path: Path, *, gives: bool = False) -> float:
    """Into a case: hashed, copied or moved, made durable."""
    place = root / "case"
    folder = new_case(place, Case(case_id=str(uuid4()), created_at_ms=0))
    began = time.perf_counter()
    file = add_file(folder, path, Capture(), at_ms=0, gives=gives).file
    took = time.perf_counter() - began
    if gives:
        folder.original(file).rename(path)
        path.chmod(0o600)
    shutil.rmtree(place)
    return took


def _peak_of_sealing(root: Path, path: Path) -> float:
    """The most memory that a process of its own ever had while it added the file, in MiB."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        _added_s(root, path)
        os.write(writer, str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss).encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    told = os.read(reader, 100)
    os.close(reader)
    return int(told) / (1024 * 1024 if sys.platform == "darwin" else 1024)
