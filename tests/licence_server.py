"""A licence API on the loopback that answers as it is told, well or badly."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class LicenceServer:
    """What it answers (status, headers, body), one after the other, the last for ever; and what it was asked."""

    url: str = ""
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    asked: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    hang: threading.Event = field(default_factory=threading.Event)
    hangs: bool = False

    def says(self, code: str, *, valid: bool = False, **attributes: object) -> None:
        """From now on this answer."""
        told = {"meta": {"valid": valid, "code": code, "detail": "x"}, "data": {"attributes": attributes}}
        self.answers = [(200, {}, json.dumps(told).encode())]

    def next_answer(self) -> tuple[int, dict[str, str], bytes]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def licence_server() -> Iterator[LicenceServer]:
    """Serve in a thread."""
    server = LicenceServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            server.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}, json.loads(body)))
            if server.hangs:
                server.hang.wait(30)
                return
            status, headers, answer = server.next_answer()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server.url = f"http://127.0.0.1:{http.server_address[1]}/v1/licenses"
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.hang.set()
        http.shutdown()
        http.server_close()
        thread.join()
