"""Saved pages: HTML, MHTML and WACZ, read for what they say and never run, rendered or asked for anything.

What comes out is text and a few facts. Scripts, styles, forms, frames and all addresses in a page are dead letters.
Who archived a page could have changed it: an archive shows what the archiver says the server sent.
"""

import email
import email.policy
import gzip
import hashlib
import io
import json
import re
import zipfile
import zlib
from html.parser import HTMLParser
from pathlib import Path
from typing import IO, Final, NamedTuple

from .disk import FileIsRefused, open_regular, read_bounded

PAGE_BYTES_MAX: Final = 20 * 1024 * 1024
TEXT_CHARS_MAX: Final = 400_000
PARTS_MAX: Final = 2_000
RECORDS_MAX: Final = 20_000
_INDEX_BYTES_MAX: Final = 4 * 1024 * 1024
_RESOURCES_MAX: Final = 200
_UNPACKED_BYTES_MAX: Final = 1024 * 1024 * 1024
_WARC_BYTES_MAX: Final = 64 * 1024 * 1024
_PIECE_BYTES: Final = 1024 * 1024
_SILENT: Final = frozenset({"script", "style", "noscript", "template", "svg", "iframe", "object"})
_BREAKS: Final = frozenset({"p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "table", "section", "article"})
_CHARSET: Final = re.compile(rb"charset\s*=\s*[\"']?([A-Za-z0-9_-]{2,20})", re.IGNORECASE)


class Page(NamedTuple):
    """What a saved page says: title, address as the archive tells it, text, and sentences for `CaseFile.checks`."""

    title: str
    url: str
    text: str
    checks: dict[str, str]


class _Words(HTMLParser):
    """Text of a page, without what no reader sees."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title = ""
        self.parts: list[str] = []
        self._open: list[str] = []
        self._length = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag in _SILENT or tag == "title":
            self._open.append(tag)
        elif tag in _BREAKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            del self._open[self._open.index(tag) :]
        elif tag in _BREAKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "title":
            self.title = (self.title + data)[:300]
        elif not self._open and self._length < TEXT_CHARS_MAX:
            self.parts.append(data)
            self._length += len(data)


def read_page(path: Path, media_type: str) -> Page:
    """Read a page that `arrivals.inspect` named `media_type`. Never raises for what is in it."""
    try:
        if media_type == "application/wacz":
            page = _wacz(path)
        elif media_type == "multipart/related":
            page = _mhtml(read_bounded(path, PAGE_BYTES_MAX))
        else:
            page = page_of_html(read_bounded(path, PAGE_BYTES_MAX))
    except FileIsRefused as error:
        return Page("", "", "", {"reading": f"the page {error}"})
    except (ValueError, LookupError, TypeError, RecursionError, AssertionError, OSError, EOFError, AttributeError):
        return Page("", "", "", {"reading": "the page is damaged and is not looked into"})
    return page


def page_of_html(data: bytes, url: str = "") -> Page:
    """The words of an HTML page."""
    words = _Words()
    words.feed(_decoded(data))
    words.close()
    text = "\n".join(filter(None, (" ".join(line.split()) for line in "".join(words.parts).split("\n"))))
    title = plain_line(words.title)
    return Page(title, plain_line(url), text[:TEXT_CHARS_MAX], _told(title, url))


def _told(title: str, url: str) -> dict[str, str]:
    told = " ".join(part for part in (plain_line(title), f"<{plain_line(url)}>" if url else "") if part)
    return {"page": told[:400]} if told else {}


def plain_line(text: str) -> str:
    """Foreign text as one short line."""
    return "".join(one for one in " ".join(text.split())[:300] if one.isprintable())


def _decoded(data: bytes) -> str:
    found = _CHARSET.search(data[:4096])
    for name in ((found[1].decode(),) if found else ()) + ("utf-8", "gb18030"):
        try:
            return data.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
    return data.decode("utf-8", "replace")


def _mhtml(data: bytes) -> Page:
    if data.count(b"\n--") > 2 * PARTS_MAX:
        return Page("", "", "", {"reading": "a page of so many parts is not looked into"})
    message = email.message_from_bytes(data, policy=email.policy.compat32)
    url = str(message.get("Snapshot-Content-Location", ""))
    for part in message.walk():
        if part.get_content_type() == "text/html":
            body = part.get_payload(decode=True)
            if isinstance(body, bytes):
                return page_of_html(body[:PAGE_BYTES_MAX], url or str(part.get("Content-Location", "")))
    return Page("", plain_line(url), "", {"page": "an archive without a page in it"})


def _wacz(path: Path) -> Page:
    """The first page of a WACZ (1.1.1), and whether its members are what it says of them itself."""
    try:
        with open_regular(path) as stream, zipfile.ZipFile(stream) as opened:
            wrong = _wrong_members(opened)
            name = next((one for one in opened.namelist() if one.startswith("archive/") and ".warc" in one), "")
            page = _first_page(opened, name) if name else Page("", "", "", {})
    except (zipfile.BadZipFile, zlib.error, KeyError, NotImplementedError, RuntimeError):
        return Page("", "", "", {"reading": "the archive is damaged and is not looked into"})
    told = {"archive": f"{len(wrong)} of its members are not what it says of them: {wrong[0][:80]}"} if wrong else {}
    return page._replace(checks=page.checks | told)


def _wrong_members(opened: zipfile.ZipFile) -> list[str]:
    with opened.open("datapackage.json") as member:
        package = json.loads(member.read(_INDEX_BYTES_MAX))
    wrong, left = [], _UNPACKED_BYTES_MAX
    for one in package["resources"][:_RESOURCES_MAX]:
        name, wanted = str(one["path"]), str(one.get("hash", ""))
        found = hashlib.sha256()
        with opened.open(name) as member:
            while left > 0 and (piece := member.read(_PIECE_BYTES)):
                found.update(piece)
                left -= len(piece)
        if wanted.startswith("sha256:") and left > 0 and found.hexdigest() != wanted.removeprefix("sha256:"):
            wrong.append(name)
    return wrong


def _first_page(opened: zipfile.ZipFile, name: str) -> Page:
    """The first answer of HTML in a WARC: bounded after unpacking, whatever it claims."""
    from warcio.archiveiterator import ArchiveIterator  # noqa: PLC0415 - of the extra "cases"

    with opened.open(name) as member:
        stream: IO[bytes] = member
        if name.endswith(".gz"):
            stream = io.BufferedReader(gzip.GzipFile(fileobj=member))
        data = stream.read(_WARC_BYTES_MAX)
    for number, record in enumerate(ArchiveIterator(io.BytesIO(data))):
        if number > RECORDS_MAX:
            break
        kind = record.http_headers.get_header("Content-Type", "") if record.http_headers else ""
        if record.rec_type in {"response", "resource"} and "text/html" in kind:
            url = str(record.rec_headers.get_header("WARC-Target-URI", ""))
            return page_of_html(record.content_stream().read(PAGE_BYTES_MAX), url)
    return Page("", "", "", {"page": "an archive without a page in it"})
