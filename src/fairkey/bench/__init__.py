"""Benchmarks: figures measured side by side in one run, on a real server in a folder of its own that goes away."""

import argparse
import importlib
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any

NAMES = {
    "race": "fairkey.bench.race",
    "orders": "fairkey.bench.orders",
    "import": "fairkey.bench.imports",
    "log": "fairkey.bench.log",
    "seal": "fairkey.bench.seal",
    "read": "fairkey.bench.read",
}
STOPPED = 128 + signal.SIGTERM


def run(name: str, arguments: Sequence[str]) -> Mapping[str, Any]:
    """Run one benchmark with its own options; prints for people, or returns the figures when `--json` is given."""
    module = importlib.import_module(NAMES[name])
    parser = argparse.ArgumentParser(prog=f"fairkey bench {name}", description=module.__doc__)
    parser.add_argument("--json", action="store_true", dest="as_json", help="print one object instead of text")
    module.add_options(parser)
    options = parser.parse_args(list(arguments))
    if threading.current_thread() is threading.main_thread():
        # Asked to end half-way, it takes its servers and its folder away as well.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(STOPPED))
    figures: Mapping[str, Any] = module.measure(options)
    if options.as_json:
        return figures
    width = max(len(key) for key in figures)
    for key, value in figures.items():
        shown = f"{value:,.2f}" if isinstance(value, float) else value
        print(f"{key:<{width}}  {shown}")  # noqa: T201 - this is what a benchmark is for
    return {}
