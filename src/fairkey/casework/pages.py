"""Saved pages: HTML, MHTML and WACZ, read for what they say and never run, rendered or asked for anything.

What comes out is text and a few facts. Scripts, styles, forms, frames and all addresses in a page are dead letters.
Who archived a page could have changed it: an archive shows what the archiver says the server sent.
"""

import email
import email.policy
import gzip
import hashlib
import html
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator
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
_HEADER_BYTES_MAX: Final = 64 * 1024
_WARC_BYTES_MAX: Final = 64 * 1024 * 1024
_PIECE_BYTES: Final = 1024 * 1024
_SILENT: Final = frozenset({"script", "style", "noscript", "template", "svg", "iframe", "object", "title"})
_BREAKS: Final = frozenset({"p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "table", "section", "article"})
_TITLE: Final = re.compile(r"<title(?:\s[^<>]{0,200})?>([^<]{0,300})", re.IGNORECASE)
_TAG: Final = re.compile(r"<(/?[A-Za-z!?][A-Za-z0-9:-]{0,30})")
_TAG_CHARS_MAX: Final = 8_192
_CHARSET: Final = re.compile(rb"charset\s*=\s*[\"']?([A-Za-z0-9_-]{2,20})", re.IGNORECASE)
_CLOSE: Final = {name: re.compile(f"</{name}[^>]{{0,100}}>", re.IGNORECASE) for name in _SILENT}


_PICTURE_BYTES: Final = range(1_024, 8 * 1024 * 1024 + 1)
_PICTURES_BYTES_MAX: Final = 48 * 1024 * 1024
_PICTURES_FOUND_MAX: Final = 500
_PICTURES: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8")
_PARTS_BYTES_MAX: Final = 256 * 1024 * 1024  # of all answers of an archive, unpacked


class Pictures(NamedTuple):
    """Pictures that an archive of a page holds, each once, in their order; `left`: how many are too large to take."""

    found: tuple[bytes, ...]
    left: int


class Page(NamedTuple):
    """What a saved page says: title, address as the archive tells it, text, and sentences for `CaseFile.checks`."""

    title: str
    url: str
    text: str
    checks: dict[str, str]


def words_of(text: str) -> str:
    """Text of a page without what no reader sees, in one pass from left to right: readers that build a tree of what a
    stranger wrote can be kept busy for hours by tags that nest or never end.
    """
    parts: list[str] = []
    at, length = 0, 0
    while at < len(text) and length < TEXT_CHARS_MAX:
        tag = text.find("<", at)
        end = tag if tag >= 0 else len(text)
        parts.append(text[at:end])
        length += end - at
        if tag < 0:
            break
        if text.startswith("<!--", tag):
            at = _after(text, "-->", tag + 4, len(text))
            continue
        found = _TAG.match(text, tag)
        if found is None:
            parts.append("<")
            at = tag + 1
            continue
        name = found[1].lower()
        at = _after(text, ">", found.end(), tag + _TAG_CHARS_MAX)
        if name in _SILENT and (close := _CLOSE[name].search(text, at)) is not None:
            at = close.end()
        elif name in _SILENT:
            break
        elif name.lstrip("/") in _BREAKS:
            parts.append("\n")
    return html.unescape("".join(parts))


def _after(text: str, what: str, at: int, end: int) -> int:
    found = text.find(what, at, end)
    return found + len(what) if found >= 0 else min(end, len(text))


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


def pictures_of(path: Path, media_type: str) -> Pictures:
    """Pictures in an archive (MHTML, WACZ) by their bytes, whatever it calls them. Never raises for what is in it."""
    taken: dict[bytes, bytes] = {}
    left = size = 0
    try:
        for data in _contents(path, media_type):
            if not _is_picture(data) or len(data) < _PICTURE_BYTES.start:
                continue
            key = hashlib.sha256(data).digest()
            if key in taken:
                continue
            if len(data) not in _PICTURE_BYTES or size + len(data) > _PICTURES_BYTES_MAX:
                left += 1
            else:
                taken[key], size = data, size + len(data)
            if len(taken) + left >= _PICTURES_FOUND_MAX:
                break
    except (FileIsRefused, zipfile.BadZipFile, zlib.error, KeyError, NotImplementedError, RuntimeError):
        pass
    except (ValueError, LookupError, TypeError, AssertionError, OSError, EOFError, AttributeError):
        pass
    return Pictures(tuple(taken.values()), left)


def _is_picture(data: bytes) -> bool:
    return data.startswith(_PICTURES) or (data.startswith(b"RIFF") and data[8:12] == b"WEBP")


def _contents(path: Path, media_type: str) -> Iterator[bytes]:
    """Every part of an archive, as bytes."""
    if media_type == "multipart/related":
        data = read_bounded(path, PAGE_BYTES_MAX)
        if data.count(b"\n--") > 2 * PARTS_MAX:
            return
        for part in email.message_from_bytes(data, policy=email.policy.compat32).walk():
            body = part.get_payload(decode=True) if not part.is_multipart() else None
            if isinstance(body, bytes):
                yield body
    elif media_type == "application/wacz":
        size = 0
        with open_regular(path) as stream, zipfile.ZipFile(stream) as opened:
            for _, told, content in _records(opened, _warc_name(opened)):
                body = _plain_body(content, told)
                size += len(body)
                if size > _PARTS_BYTES_MAX:
                    return
                yield body


def page_of_html(data: bytes, url: str = "") -> Page:
    """The words of an HTML page."""
    text = _decoded(data)
    found = _TITLE.search(text[:TEXT_CHARS_MAX])
    text = "\n".join(filter(None, (" ".join(line.split()) for line in words_of(text).split("\n"))))
    title = plain_line(html.unescape(found[1])) if found else ""
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
            page = _first_page(opened, _warc_name(opened))
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


def _warc_name(opened: zipfile.ZipFile) -> str:
    return next((one for one in opened.namelist() if one.startswith("archive/") and ".warc" in one), "")


def _first_page(opened: zipfile.ZipFile, name: str) -> Page:
    """The first answer of HTML in a WARC."""
    if not name:
        return Page("", "", "", {})
    for url, told, content in _records(opened, name):
        if "text/html" in told.get("content-type", ""):
            return page_of_html(_plain_body(content, told)[:PAGE_BYTES_MAX], url)
    return Page("", "", "", {"page": "an archive without a page in it"})


def _records(opened: zipfile.ZipFile, name: str) -> Iterator[tuple[str, dict[str, str], bytes]]:
    """Answers in a WARC (ISO 28500) with their addresses and headers: bounded after unpacking, whatever it claims."""
    if not name:
        return
    with opened.open(name) as member:
        stream: IO[bytes] = member
        if name.endswith(".gz"):
            stream = io.BufferedReader(gzip.GzipFile(fileobj=member))
        data = stream.read(_WARC_BYTES_MAX)
    at = 0
    for _ in range(RECORDS_MAX):
        end = data.find(b"\r\n\r\n", at, at + _HEADER_BYTES_MAX)
        if end < 0 or not data.startswith(b"WARC/", at):
            break
        fields = _fields(data[at:end])
        length = int(fields.get("content-length", "0"))
        body = data[end + 4 : end + 4 + max(length, 0)]
        at = end + 4 + max(length, 0) + 4
        if fields.get("warc-type") not in {"response", "resource"}:
            continue
        head, gap, content = body.partition(b"\r\n\r\n") if body.startswith(b"HTTP/") else (data[:0], b"", body)
        told = _fields(head[:_HEADER_BYTES_MAX]) if gap else fields
        yield fields.get("warc-target-uri", "").strip("<>"), told, content


def _plain_body(content: bytes, told: dict[str, str]) -> bytes:
    """The body without the packing of HTTP, as far as it is gzip; other packings stay and give no words."""
    if told.get("content-encoding") != "gzip":
        return content
    return gzip.GzipFile(fileobj=io.BytesIO(content)).read(PAGE_BYTES_MAX)


def _fields(block: bytes) -> dict[str, str]:
    lines = block.decode("utf-8", "replace").split("\r\n")[1:]
    pairs = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, colon, value in pairs if colon}
