"""Where a log is read from: a folder, or an address. Paths are those of C2SP tlog-tiles below the log's root.

Beside `checkpoint` and `tile/`, an export has every published head at `checkpoints/<size>`, time stamps over it at
`checkpoints/<size>.<n>.tst` (n from 1), and `checkpoints/index`: a line for each head, `<size> <number of stamps>`.
"""

import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException, HTTPMessage, HTTPResponse, IncompleteRead
from pathlib import Path
from typing import IO, Final, Protocol
from urllib.parse import urlsplit

from fairkey.proofs.notes import NOTE_BYTES_MAX

from .reading import FileCannotBeRead, FileIsMissing, FileIsTooLong, read_regular

CHECKPOINT: Final = "checkpoint"
INDEX: Final = "checkpoints/index"
HEADS_MAX: Final = 2_000_000
INDEX_BYTES_MAX: Final = 64 * 1024 * 1024
STAMPS_MAX: Final = 32
TRY_S: Final = 20.0
FILE_S: Final = 120.0
TRIES: Final = 5
REDIRECTS_MAX: Final = 3
CHUNK_BYTES: Final = 64 * 1024
LENGTH_DIGITS_MAX: Final = 18
WAIT_MAX_S: Final = 30.0

_HEAD: Final = re.compile(r"(0|[1-9][0-9]{0,18})(?:\.([1-9][0-9]?)\.tst)?")
_INDEX_LINE: Final = re.compile(rb"(0|[1-9][0-9]{0,18}) ([0-9]|[1-9][0-9])")


class IndexIsMalformed(Exception):
    """The list of earlier heads is none. The argument ends a sentence that begins with its name."""


class LogSource(Protocol):
    """The files of one log."""

    where: str

    def read(self, path: str, bytes_max: int) -> bytes:
        """A file's bytes. Raises `FileIsMissing` and `FileCannotBeRead`, a file that is too long included."""

    def heads(self) -> dict[int, int] | None:
        """Size of each earlier head -> how many stamps lie beside it; None when this place tells none.

        Raises `FileCannotBeRead`, `IndexIsMalformed`.
        """


class FolderLog:
    """A log in a folder, as a house keeps it or `fairkey log export` writes it."""

    def __init__(self, folder: Path) -> None:
        self.where = str(folder)
        self._folder = folder

    def read(self, path: str, bytes_max: int) -> bytes:
        """A file's bytes."""
        try:
            return read_regular(self._folder / path, bytes_max)
        except FileCannotBeRead as error:
            error.name = path
            raise

    def heads(self) -> dict[int, int] | None:
        """What lies in `checkpoints`."""
        found: dict[int, int] = {}
        stamps: dict[int, int] = {}
        try:
            with os.scandir(self._folder / "checkpoints") as listed:
                for number, one in enumerate(listed):
                    if number > HEADS_MAX:
                        raise IndexIsMalformed("holds more files than a log has heads")
                    if name := _HEAD.fullmatch(one.name):
                        size, stamp = int(name[1]), int(name[2] or 0)
                        counts = stamps if stamp else found
                        counts[size] = max(counts.get(size, 0), stamp)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise FileCannotBeRead(f"cannot be listed ({error.strerror})") from None
        return {size: min(stamps.get(size, 0), STAMPS_MAX) for size in sorted(found)}


class _SameHost(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only to the same scheme, host and port."""

    max_redirections = REDIRECTS_MAX

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        if urlsplit(newurl)[:2] != urlsplit(req.full_url)[:2]:
            raise FileCannotBeRead("is answered with a redirect to another host")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> urllib.request.OpenerDirector:
    """One that knows http and https and nothing else: no files, no FTP."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        _SameHost(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener


class WebLog:
    """A log at an http or https address. A busy server (429, 503) is asked again, as late as it says."""

    def __init__(self, url: str, wait: Callable[[float], None] = time.sleep) -> None:
        self.where = url.removesuffix("/").removesuffix(f"/{CHECKPOINT}")
        self._opener = _opener()
        self._wait = wait

    def read(self, path: str, bytes_max: int) -> bytes:
        """A file's bytes."""
        try:
            return self._read(path, bytes_max)
        except FileCannotBeRead as error:
            error.name = path
            raise

    def _read(self, path: str, bytes_max: int) -> bytes:
        for number in range(1, TRIES + 1):
            try:
                return self._once(f"{self.where}/{path}", bytes_max)
            except urllib.error.HTTPError as error:
                error.close()
                if error.code in (404, 410):
                    raise FileIsMissing(path) from None
                if error.code not in (429, 503) or number == TRIES:
                    raise FileCannotBeRead(f"is answered with HTTP {error.code}") from None
                self._wait(_wait_s(error.headers.get("Retry-After"), number))
            except (OSError, HTTPException, ValueError) as error:
                if number == TRIES:
                    raise FileCannotBeRead(f"cannot be fetched ({error})") from None
                self._wait(_wait_s(None, number))
        raise AssertionError("the last try returns or raises")

    def _once(self, url: str, bytes_max: int) -> bytes:
        request = urllib.request.Request(url, headers={"User-Agent": "fairkey-verify"})  # noqa: S310 - see `_opener`
        until = time.monotonic() + FILE_S
        with self._opener.open(request, timeout=TRY_S) as answer:
            return _body_of(answer, bytes_max, until)

    def heads(self) -> dict[int, int] | None:
        """What `checkpoints/index` tells."""
        try:
            data = self.read(INDEX, INDEX_BYTES_MAX)
        except FileIsMissing:
            return None
        except FileIsTooLong as error:
            raise IndexIsMalformed(str(error)) from None
        return read_index(data)


def _body_of(answer: HTTPResponse, bytes_max: int, until: float) -> bytes:
    """All that was announced: what breaks off on the way says nothing about the log. Each piece is taken as it comes,
    so that a server which drips is given up at the moment `until` too.
    """
    told = answer.headers.get("Content-Length", "")
    announced = int(told) if told.isdecimal() and len(told) <= LENGTH_DIGITS_MAX else None
    parts, length = [], 0
    while announced is None or length < announced:
        chunk = answer.read1(CHUNK_BYTES)
        if not chunk:
            break
        parts.append(chunk)
        length += len(chunk)
        if length > bytes_max:
            raise FileIsTooLong(f"has more than {bytes_max} bytes")
        if time.monotonic() > until:
            raise FileCannotBeRead("comes too slowly")
    if announced is not None and length < announced:
        raise IncompleteRead(b"", announced - length)
    return b"".join(parts)


def _wait_s(told: str | None, number: int) -> float:
    wait_s = float(told) if told is not None and told.isdecimal() else 2.0 ** (number - 1)
    return min(wait_s, WAIT_MAX_S)


def read_index(data: bytes) -> dict[int, int]:
    """The heads that an index tells. Raises `IndexIsMalformed`."""
    heads: dict[int, int] = {}
    for line in data.splitlines():
        told = _INDEX_LINE.fullmatch(line)
        if told is None or len(heads) == HEADS_MAX:
            raise IndexIsMalformed("is no index of heads")
        heads[int(told[1])] = min(int(told[2]), STAMPS_MAX)
    return heads


def read_head(source: LogSource, size: int) -> bytes:
    """The signed note of an earlier head."""
    return source.read(f"checkpoints/{size}", NOTE_BYTES_MAX)
