"""`verify.html` of a pack in Chromium, from the disk, and a page taken by the browser of the machine."""

import json
import shutil
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser

from case_world import BEGAN_MS, a_case, given, picture
from fairkey.casework.arrivals import inspect
from fairkey.casework.browser import BrowserIsAway, find_browser
from fairkey.casework.capture import capture_page, seal_page
from fairkey.casework.folder import CaseIsRefused
from fairkey.casework.model import Capture
from fairkey.casework.pack.making import make_pack
from fairkey.casework.pages import read_page

pytestmark = pytest.mark.browser


def test_the_page_in_a_pack_says_what_was_changed_and_sends_nothing(chromium: Browser, tmp_path: Path) -> None:
    folder = a_case(tmp_path / "case", title='</script><b id="x">')
    given(folder, "<img src=x onerror=alert(1)>.png", picture())
    made = make_pack(folder, tmp_path / "pack").folder
    page = chromium.new_page(viewport={"width": 360, "height": 740})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: asked.append(str(error)))
    try:
        page.goto((made / "verify.html").as_uri())
        page.set_input_files("#choose", made)
        page.wait_for_selector("#verdict[data-state=good]")
        assert "成立" in page.inner_text("#verdict")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert page.locator("img, #x").count() == 0

        (made / "README.txt").write_text("other", encoding="utf-8")
        page.set_input_files("#choose", made)
        page.wait_for_selector("#verdict[data-state=bad]")
        assert page.locator("li[data-state=bad]").all_inner_texts() == ["✗ README.txt：大小不符，文件已被改动"]
        assert asked == [(made / "verify.html").as_uri()]
    finally:
        page.close()


class _Shop(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = "<title>某店铺</title><h1>激活码 ￥268.50</h1><script>document.title='x'</script>".encode()
        self.send_response(302 if self.path == "/" else 200)
        self.send_header("Location", "/shop")
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
        """Say nothing."""


def test_a_page_is_taken_with_its_way_and_sealed(tmp_path: Path) -> None:
    if shutil.which("chromium") is None:
        try:
            find_browser()
        except BrowserIsAway:
            pytest.skip("no browser on this machine that can be asked over a pipe")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Shop)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        captured = capture_page(f"http://127.0.0.1:{server.server_port}/", at_ms=BEGAN_MS)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert captured.record["is_whole"]
    assert [one["status"] for one in captured.record["answers"]] == [302, 200]
    assert captured.record["resolver"] == ["127.0.0.1"]

    folder = a_case(tmp_path / "case")
    added = seal_page(folder, captured, Capture(who="me"), look=inspect, at_ms=BEGAN_MS)
    assert [one.file.media_type for one in added] == ["image/png", "multipart/related", "application/json"]
    record = json.loads(folder.original(added[2].file).read_bytes())
    assert record["picture_sha256"] == added[0].file.seal.sha256
    assert "激活码 ￥268.50" in read_page(folder.original(added[1].file), "multipart/related").text


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/", "javascript:1", "https://", "https://a b/\n", ""])
def test_only_addresses_of_the_web_are_taken(url: str) -> None:
    with pytest.raises(CaseIsRefused, match="no address of a web page"):
        capture_page(url, at_ms=0)
