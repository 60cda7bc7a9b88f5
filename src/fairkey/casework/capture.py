"""A page of the web, taken by a Chromium of this machine: picture, archive (MHTML) and what was seen on the way.

The record tells time, resolver's answer, address of the server, certificates as the server sent them, the chain of
redirects, and the browser. It comes from this machine: it proves what was archived, not that everybody saw the same.
Nobody is logged in: the profile is new and empty. For pages behind a login: `fairkey case record`.
"""

import base64
import hashlib
import socket
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from msgspec import structs

from .browser import Browser, browser
from .folder import CaseFolder, CaseIsRefused
from .journal import canonical
from .model import Capture
from .pages import plain_line
from .sealing import Added, Look, add_bytes

WIDTH: Final = 1280
HEIGHT: Final = 900
TALL_MAX: Final = 12_000
LOAD_S: Final = 25.0
REDIRECTS_MAX: Final = 20
FORMAT: Final = "fairkey-capture/1"


class Captured(NamedTuple):
    """What was taken: a PNG, an MHTML archive, and the record."""

    picture: bytes
    archive: bytes
    record: dict[str, Any]


def capture_page(url: str, *, at_ms: int, patience_s: float = 60) -> Captured:
    """Take a page. Raises `CaseIsRefused` for other addresses than http and https, `BrowserIsAway`."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    if not url.startswith(("http://", "https://")) or not host or not url.isprintable() or len(url) > 4096:  # noqa: PLR2004
        raise CaseIsRefused(f"{plain_line(url)} is no address of a web page (https://…).")
    resolved = _resolved(host)
    with browser(patience_s=patience_s) as opened:
        version = opened.ask("Browser.getVersion")
        opened.open_page()
        for domain in ("Page", "Network"):
            opened.ask(f"{domain}.enable")
        opened.ask("Emulation.setDeviceMetricsOverride", width=WIDTH, height=HEIGHT, deviceScaleFactor=1, mobile=False)
        frame = opened.ask("Page.navigate", url=url)
        is_whole = not frame.get("errorText") and opened.wait(_is_loaded, within_s=LOAD_S)
        picture = _picture(opened)
        archive = opened.ask("Page.captureSnapshot", format="mhtml")["data"].encode("utf-8", "surrogatepass")
        record = {
            "format": FORMAT,
            "asked_for": url,
            "at_ms": at_ms,
            "browser": plain_line(str(version.get("product", ""))),
            "is_whole": is_whole,
            "error": plain_line(str(frame.get("errorText", ""))),
            "resolver": resolved,
            "answers": _answers(opened.events, str(frame.get("loaderId", ""))),
            "certificates": _certificates(opened, url, opened.events),
        }
    return Captured(picture, archive, record)


def _is_loaded(event: Mapping[str, Any]) -> bool:
    return event.get("method") == "Page.loadEventFired"


def _picture(opened: Browser) -> bytes:
    size = opened.ask("Page.getLayoutMetrics").get("cssContentSize", {})
    height = min(TALL_MAX, max(HEIGHT, int(size.get("height", HEIGHT))))
    clip = {"x": 0, "y": 0, "width": WIDTH, "height": height, "scale": 1}
    shot = opened.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
    return base64.b64decode(shot["data"])


def _resolved(host: str) -> list[str]:
    """The addresses that this machine's resolver gives for the host, at the time of the capture."""
    try:
        return sorted({str(one[4][0]) for one in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)})
    except OSError as error:
        return [f"no answer: {error.strerror}"]


def _answers(events: Sequence[Mapping[str, Any]], loader: str) -> list[dict[str, Any]]:
    """Every answer on the way to the page: redirects in order, then the page's own."""
    found: list[dict[str, Any]] = []
    for event in events:
        told = event.get("params", {})
        if told.get("type") != "Document" or told.get("loaderId") != loader:
            continue
        if event.get("method") == "Network.requestWillBeSent" and "redirectResponse" in told:
            found.append(_answer(told["redirectResponse"]))
        elif event.get("method") == "Network.responseReceived":
            found.append(_answer(told["response"]))
    return found[:REDIRECTS_MAX]


def _answer(response: Mapping[str, Any]) -> dict[str, Any]:
    security = response.get("securityDetails") or {}
    headers = {name.lower(): str(value) for name, value in (response.get("headers") or {}).items()}
    return {
        "url": str(response.get("url", ""))[:4096],
        "status": int(response.get("status", 0)),
        "address": str(response.get("remoteIPAddress", "")),
        "date": headers.get("date", "")[:100],
        "location": headers.get("location", "")[:4096],
        "protocol": str(security.get("protocol", "")),
        "issued_to": plain_line(str(security.get("subjectName", ""))),
        "issued_by": plain_line(str(security.get("issuer", ""))),
    }


def _certificates(opened: Browser, url: str, events: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """The chain that the server showed: DER in base64 with its SHA-256."""
    last = next(
        (
            str(one["params"]["response"].get("url", ""))
            for one in reversed(events)
            if one.get("method") == "Network.responseReceived" and one["params"].get("type") == "Document"
        ),
        url,
    )
    parts = urlsplit(last)
    if parts.scheme != "https":
        return []
    chain = opened.ask("Network.getCertificate", origin=f"https://{parts.netloc}").get("tableNames", [])
    return [{"sha256": hashlib.sha256(base64.b64decode(one)).hexdigest(), "der": one} for one in chain[:10]]


def seal_page(folder: CaseFolder, captured: Captured, capture: Capture, *, look: Look, at_ms: int) -> list[Added]:
    """Picture, archive and record into the case, each naming the others' hashes. Raises as `sealing.add_file`."""
    host = urlsplit(captured.record["asked_for"]).hostname or "page"
    pair = {
        "picture_sha256": hashlib.sha256(captured.picture).hexdigest(),
        "archive_sha256": hashlib.sha256(captured.archive).hexdigest(),
    }
    record = canonical(captured.record | pair)
    environment = {
        "browser": captured.record["browser"],
        "page": captured.record["asked_for"][:300],
        "record_sha256": hashlib.sha256(record).hexdigest(),
    }
    taken = structs.replace(capture, how="page", made_at_ms=captured.record["at_ms"], environment=environment)
    parts = ((f"{host}.png", captured.picture), (f"{host}.mhtml", captured.archive), (f"{host}.json", record))
    return [add_bytes(folder, name, data, taken, at_ms=at_ms, look=look) for name, data in parts]
