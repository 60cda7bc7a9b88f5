"""The small scripts of the pages in a real browser: live fragments, countdowns, copying, uploads, appearance."""

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import cast

import pytest
from playwright.sync_api import Browser, Page, expect

from fairkey.web.gallery import NOW_MS, page_text
from fairkey.web.i18n import WEB
from fairkey.web.render import content_security_policy

pytestmark = pytest.mark.browser

MIME = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
FORM = (
    '<form method="post" action="/upload" enctype="multipart/form-data" data-upload data-sending="Sending" '
    'data-working="Working" data-broken="Broken"><div class="drop"><p data-drop-words>Drop</p>'
    '<input type="file" name="file"></div><button type="submit">Go</button></form>'
)


@dataclass
class Site:
    """A page whose fragment can be changed from the test, and what was sent to it."""

    address: str = ""
    fragment: str = "<p data-live-say>before</p>"
    refuses_streams: bool = False
    events: Queue[str | None] = field(default_factory=Queue)
    uploads: list[tuple[str, bytes]] = field(default_factory=list)

    def page(self) -> str:
        """The frame of a real page around the fragment and an upload form."""
        text = page_text("home", "en").replace('"static/', '"/static/').replace("'static/", "'/static/")
        body = (
            f'<h1>Test</h1><div id="part" data-live-src="/events">{self.fragment}</div>'
            f'<time data-deadline-ms="{NOW_MS + 65_000}" data-over="over">?</time><pre id="code">ABCD-1234</pre>'
            '<button class="js-only" data-copy-from="code" data-done="Done"><span>Copy</span></button>'
            f'<button class="js-only" data-save-from="code" data-save-as="7K-1.txt">Save</button>{FORM}'
        )
        return re.sub(r"(<main[^>]*>).*(</main>)", lambda found: found[1] + body + found[2], text, flags=re.DOTALL)


def _handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def _send(self, body: bytes, mime: str, status: int = 200) -> None:
            self.send_response(status)
            self.send_header("Content-Type", mime)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Security-Policy", content_security_policy())
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path.startswith("/static/"):
                file = WEB / "static" / path.removeprefix("/static/")
                self._send(file.read_bytes(), MIME[file.suffix])
            elif path == "/events" and site.refuses_streams:
                self._send(b"", "text/plain", 403)
            elif path == "/events":
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                while (event := site.events.get()) is not None:
                    self.wfile.write(event.encode())
                    self.wfile.flush()
                self.close_connection = True
            elif path in {"/page", "/done"}:
                self._send(site.page().replace("Test", "Done" if path == "/done" else "Test").encode(), "text/html")
            else:
                self._send(b"", "text/plain", 404)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
            message = BytesParser(policy=HTTP).parsebytes(head + body)
            for part in message.iter_parts():
                site.uploads.append((part.get_filename() or "", cast("bytes", part.get_payload(decode=True))))
            if site.uploads[-1][1].startswith(b"bad"):
                self._send(site.page().replace("Test", "Refused").encode(), "text/html; charset=utf-8", 422)
                return
            self.send_response(303)
            self.send_header("Location", "/done")
            self.send_header("Content-Length", "0")
            self.end_headers()

    return Handler


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(site)) as server:
        server.daemon_threads = True
        server.block_on_close = False
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        site.address = f"http://127.0.0.1:{server.server_address[1]}"
        yield site
        site.events.put(None)
        server.shutdown()
        thread.join()


@pytest.fixture
def browser(chromium: Browser) -> Browser:
    """The one browser of the run: its library allows no second one in the same thread."""
    return chromium


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", lambda said: errors.append(said.text) if "Content Security Policy" in said.text else None)
    opened.goto(f"{site.address}/page")
    yield opened
    context.close()
    assert errors == []


def test_a_changed_fragment_is_fetched_again_and_told_to_screen_readers(site: Site, page: Page) -> None:
    site.fragment = "<p data-live-say>after</p>"
    site.events.put("event: changed\ndata:\n\n")
    expect(page.locator("#part")).to_have_text("after")
    expect(page.locator("#say")).to_have_text("after")


def test_a_fragment_can_be_sent_and_the_page_can_be_moved_on(site: Site, page: Page) -> None:
    site.events.put("event: fragment\ndata: <b>sent</b>\n\n")
    expect(page.locator("#part b")).to_have_text("sent")
    site.events.put("event: go\ndata: https://elsewhere.example/\n\n")
    site.events.put("event: go\ndata: /done\n\n")
    page.wait_for_url("**/done")


def test_what_somebody_types_is_not_taken_away(site: Site, page: Page) -> None:
    site.events.put('event: fragment\ndata: <input id="name"><button id="next">n</button>\n\n')
    page.locator("#name").press_sequentially("half a word")
    site.events.put("event: fragment\ndata: <p>fresh</p>\n\n")
    # A second event is answered only after the first was handled: the field is still there then.
    site.events.put("event: fragment\ndata: <p>fresher</p>\n\n")
    expect(page.locator("#name")).to_have_value("half a word")
    page.locator("#name").blur()
    expect(page.locator("#part")).to_have_text("fresher")


def test_without_a_stream_the_page_is_asked_again_from_time_to_time(browser: Browser, site: Site) -> None:
    site.refuses_streams = True
    context = browser.new_context()
    page = context.new_page()
    page.clock.install()
    with page.expect_response("**/events"):
        page.goto(f"{site.address}/page")
    site.fragment = "<p>polled</p>"
    page.clock.run_for(16_000)
    page.clock.run_for(1_000)
    expect(page.locator("#part")).to_have_text("polled")
    context.close()


def test_countdowns_run_by_the_server_clock_and_refresh_their_fragment(browser: Browser, site: Site) -> None:
    context = browser.new_context()
    page = context.new_page()
    # The visitor's clock is years off.
    page.clock.install(time=1_500_000_000)
    site.fragment = (
        f'<span class="countdown"><time data-deadline-ms="{NOW_MS + 65_000}" data-over="over">?</time></span>'
    )
    page.goto(f"{site.address}/page")
    expect(page.locator("#part time")).to_have_text(re.compile(r"01:0[45]"))
    site.fragment = "<p>next state</p>"
    page.clock.run_for(66_000)
    page.clock.run_for(1_000)
    expect(page.locator("#part")).to_have_text("next state")
    context.close()


def test_codes_are_copied_and_saved(page: Page) -> None:
    page.get_by_role("button", name="Copy").click()
    expect(page.locator("[data-copy-from]")).to_have_text("Done")
    assert page.evaluate("navigator.clipboard.readText()") == "ABCD-1234"
    with page.expect_download() as download:
        page.get_by_role("button", name="Save").click()
    assert download.value.suggested_filename == "7K-1.txt"
    assert download.value.path().read_bytes() == b"ABCD-1234\r\n"


def _choose(page: Page, content: bytes) -> None:
    page.set_input_files("input[type=file]", {"name": "codes.txt", "mimeType": "text/plain", "buffer": content})


def test_an_upload_goes_where_the_server_leads(site: Site, page: Page) -> None:
    _choose(page, b"A\nB\n")
    expect(page.locator("[data-drop-words]")).to_have_text("codes.txt")
    page.get_by_role("button", name="Go").click()
    page.wait_for_url("**/done")
    assert site.uploads == [("codes.txt", b"A\nB\n")]


def test_a_refused_upload_shows_the_answer(site: Site, page: Page) -> None:
    _choose(page, b"bad")
    page.get_by_role("button", name="Go").click()
    expect(page.get_by_role("heading", name="Refused")).to_be_visible()
    expect(page.get_by_role("button", name="Go")).to_be_enabled()


def test_appearance_changes_in_place_and_is_remembered(page: Page) -> None:
    page.get_by_role("link", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    [cookie] = [cookie for cookie in page.context.cookies() if cookie.get("name") == "fk_theme"]
    assert cookie.get("value") == "dark"
    page.get_by_role("link", name="Auto").click()
    assert page.locator("html").get_attribute("data-theme") is None


def test_a_phone_opens_and_closes_the_menu_without_any_script(browser: Browser, site: Site) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740}, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.address}/page")
    entry = page.get_by_role("link", name="My orders")
    expect(entry).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    expect(entry).to_be_visible()
    page.keyboard.press("Escape")
    expect(entry).to_be_hidden()
    context.close()
