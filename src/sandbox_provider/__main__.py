"""`python -m sandbox_provider`: starts only where it is said that this is a demo or a test."""

import argparse
import json
import logging
import os
import socket
import sys
import threading
from pathlib import Path

import uvicorn

from sandbox_provider.app import make_app
from sandbox_provider.provider import Provider
from sandbox_provider.state import State

PLAYGROUNDS = ("demo", "test")
SHORTEST_SECRET = 16


def arguments(words: list[str]) -> argparse.Namespace:
    """Read the command line; what is secret may come from the environment instead."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox_provider", description="A payment provider without real money."
    )
    parser.add_argument("--mode", choices=PLAYGROUNDS, help="say that this is a demo or a test (or set FAIRKEY_MODE)")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one; the first line of output tells which")
    parser.add_argument("--public-url", default="", help="how buyers reach it, if not http://host:port")
    parser.add_argument(
        "--state", type=Path, default=None, help="SQLite file; without it everything ends with the process"
    )
    parser.add_argument("--secret", default=os.environ.get("SANDBOX_PROVIDER_SECRET", ""))
    parser.add_argument("--notify-url", default="", help="where instructions are told whose payment named no address")
    parser.add_argument("--seed", type=int, default=0, help="chance of the faults")
    parser.add_argument("--first-pause-ms", type=int, default=1_000, help="pause after the first failed notification")
    parser.add_argument("--stop-with-stdin", action="store_true", help="stop when standard input closes")
    parser.add_argument("--verbose", action="store_true")
    read = parser.parse_args(words)
    said = os.environ.get("FAIRKEY_MODE", "")
    if (said and said not in PLAYGROUNDS) or not (said or read.mode):
        parser.error("there is no real money here: starts only with --mode demo|test or FAIRKEY_MODE=demo|test")
    if len(read.secret) < SHORTEST_SECRET:
        parser.error(f"--secret (or SANDBOX_PROVIDER_SECRET) must have at least {SHORTEST_SECRET} characters")
    return read


class Server(uvicorn.Server):
    """Says where it listens once it does, on one line that programs can read."""

    def __init__(self, config: uvicorn.Config, url: str) -> None:
        """Serve `config`, announce `url`."""
        super().__init__(config)
        self.url = url

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then announce."""
        await super().startup(sockets)
        if self.started:
            print(json.dumps({"provider": "sandbox", "url": self.url}), flush=True)  # noqa: T201 the promised first line


def main(words: list[str]) -> int:
    """Serve until asked to stop."""
    read = arguments(words)
    logging.basicConfig(level=logging.INFO if read.verbose else logging.WARNING, stream=sys.stderr)
    listening = socket.socket(socket.AF_INET6 if ":" in read.host else socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((read.host, read.port))
    port = listening.getsockname()[1]
    url = (read.public_url or f"http://{read.host}:{port}").rstrip("/")
    provider = Provider(
        State(read.state),
        secret=read.secret.encode(),
        seed=read.seed,
        notify_url=read.notify_url,
        first_pause_ms=read.first_pause_ms,
    )
    config = uvicorn.Config(
        make_app(provider, lambda: url),
        log_level="info" if read.verbose else "warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    server = Server(config, url)
    if read.stop_with_stdin:

        def stop_with_stdin() -> None:
            sys.stdin.buffer.read()
            server.should_exit = True

        threading.Thread(target=stop_with_stdin, daemon=True).start()
    server.run(sockets=[listening])
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
