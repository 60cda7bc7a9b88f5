"""How fast a long file is sealed, beside plain SHA-256 of the same file in the same run, and in how much memory."""

import argparse
import hashlib
import os
import resource
import shutil
import statistics
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from fairkey.casework.folder import new_case
from fairkey.casework.hashing import digest
from fairkey.casework.model import Capture, Case
from fairkey.casework.sealing import add_file


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `./run bench seal`."""
    parser.add_argument("--mib", type=int, default=1024, help="size of the file (default 1024)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds, of which the median counts (default 3)")


def measure(options: argparse.Namespace) -> Mapping[str, Any]:
    """Seconds and ratios. `ratio`: rate of both digests by that of SHA-256 alone; `moved`: into a case without a copy;
    `added`: with a durable copy, whose own rate is `copied`.
    """
    with TemporaryDirectory(prefix="fairkey-seal-") as name:
        root = Path(name)
        path = _recording(root / "recording.mp4", options.mib)
        small = _peak_of_sealing(root, _recording(root / "small", 32))
        plain, sealed, moved, added, copied = [], [], [], [], []
        for _ in range(options.rounds):
            plain.append(_plain_s(path))
            sealed.append(_sealed_s(path))
            moved.append(_added_s(root, path, gives=True))
            added.append(_added_s(root, path))
            copied.append(_copied_s(root, path))
        peak = _peak_of_sealing(root, path)
    medians = (statistics.median(one) for one in (plain, sealed, moved, added, copied))
    plain_s, sealed_s, moved_s, added_s, copied_s = medians
    return {
        "size_mib": options.mib,
        "plain_sha256_mib_per_s": options.mib / plain_s,
        "sealed_mib_per_s": options.mib / sealed_s,
        "ratio": plain_s / sealed_s,
        "moved_mib_per_s": options.mib / moved_s,
        "moved_ratio": plain_s / moved_s,
        "added_mib_per_s": options.mib / added_s,
        "copied_mib_per_s": options.mib / copied_s,
        "peak_mib_sealing_32_mib": small,
        "peak_mib_sealing_all": peak,
        "cores": os.cpu_count() or 0,
    }


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


def _sealed_s(path: Path) -> float:
    began = time.perf_counter()
    with path.open("rb", buffering=0) as file:
        digest(file)
    return time.perf_counter() - began


def _copied_s(root: Path, path: Path) -> float:
    """A durable copy and nothing else: what the disk allows."""
    place = root / "copy"
    began = time.perf_counter()
    with path.open("rb", buffering=0) as file, place.open("wb", buffering=0) as copy:
        shutil.copyfileobj(file, copy, 8 * 1024 * 1024)
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
