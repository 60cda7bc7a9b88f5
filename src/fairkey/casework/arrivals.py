"""What a file is, told by its bytes, and what about it is dangerous: found out without running or unpacking anything.

Nothing is lost here: whatever is wrong with a file, its bytes can be sealed. What comes out are sentences for
`CaseFile.checks`: member `kind` says what it is, `care` why nobody should open it unthinkingly, `reading` why this
program will not read it.
"""

import re
import struct
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from PIL import Image

from .disk import FileIsRefused, open_regular

PIXELS_MAX: Final = 40_000_000
SIDE_MAX: Final = 60_000
ARCHIVE_FILES_MAX: Final = 5_000
ARCHIVE_BYTES_MAX: Final = 4 * 1024**3
ARCHIVE_RATIO_MAX: Final = 200
TEXT_BYTES_MAX: Final = 20 * 1024 * 1024
_HEAD_BYTES: Final = 64 * 1024
_PDF_BYTES: Final = 64 * 1024 * 1024

_MAGIC: Final[tuple[tuple[int, bytes, str], ...]] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF8", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypmif1", "image/heic"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypqt", "video/quicktime"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (8, b"AVI ", "video/x-msvideo"),
    (8, b"WAVE", "audio/wav"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"#!AMR", "audio/amr"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"PK\x05\x06", "application/zip"),
    (0, b"Rar!", "application/vnd.rar"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"BM", "image/bmp"),
)
_SUFFIXES: Final = {
    ".csv": "text/csv",
    ".eml": "message/rfc822",
    ".json": "application/json",
    ".mht": "multipart/related",
    ".mhtml": "multipart/related",
}
_HTML: Final = re.compile(rb"<!doctype html|<html[\s>]|<head[\s>]|<body[\s>]", re.IGNORECASE)
_MAIL: Final = re.compile(rb"(?:^|\n)(?:Received|From|Message-ID|Return-Path|DKIM-Signature):", re.IGNORECASE)
_PDF_CARE: Final = (
    (rb"/JavaScript\b|/JS\b", "scripts"),
    (rb"/Launch\b", "an order to start a program"),
    (rb"/EmbeddedFile\b", "other files"),
    (rb"/OpenAction\b|/AA\b", "an action on opening"),
    (rb"/Encrypt\b", "a lock"),
)


class Arrival(NamedTuple):
    """What was found out about a file."""

    media_type: str
    checks: dict[str, str]

    @property
    def is_readable(self) -> bool:
        """Whether a reader may open it."""
        return "reading" not in self.checks


def inspect(path: Path, name: str) -> Arrival:
    """What the file at `path` is, which came under `name`. Never raises for what is in it; `FileIsRefused` when it
    cannot be opened.
    """
    with open_regular(path) as file:
        head = file.read(_HEAD_BYTES) or b""
        size = path.stat().st_size
    media_type = _media_type(head, name)
    checks: dict[str, str] = {}
    if not size:
        checks["reading"] = "the file is empty"
    elif media_type.startswith("image/"):
        checks |= _image(path, media_type)
    elif media_type == "application/pdf":
        checks |= _pdf(path)
    elif media_type == "application/zip":
        media_type, more = _archive(path, name)
        checks |= more
    elif (media_type.startswith("text/") or media_type in _SUFFIXES.values()) and size > TEXT_BYTES_MAX:
        checks["reading"] = f"more text than is read here ({TEXT_BYTES_MAX // 1024 // 1024} MiB)"
    return Arrival(media_type, checks)


def _media_type(head: bytes, name: str) -> str:
    for at, magic, media_type in _MAGIC:
        if head[at : at + len(magic)] == magic:
            return media_type
    suffix = Path(name).suffix.lower()
    if b"\0" in head:
        return "application/octet-stream"
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    if re.search(rb"content-type:\s*multipart/related", head[:4096], re.IGNORECASE) and b"Snapshot-Content" in head:
        return "multipart/related"
    if _HTML.search(head[:4096]):
        return "text/html"
    if len(_MAIL.findall(head[:8192])) > 1:
        return "message/rfc822"
    return "text/plain" if _is_text(head) else "application/octet-stream"


def _is_text(head: bytes) -> bool:
    for encoding in ("utf-8", "gb18030"):
        for cut in range(4):  # the head may end within a character
            try:
                head[: len(head) - cut].decode(encoding)
            except UnicodeDecodeError:
                continue
            return True
    return False


def _image(path: Path, media_type: str) -> dict[str, str]:
    if media_type not in {"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"}:
        return {"reading": f"{media_type} is kept as it is; save a copy as PNG or JPEG to have it read"}
    try:
        from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - heavy, of the extra "cases"
    except ModuleNotFoundError:
        return {"reading": "pictures need fairkey[cases]"}
    formats = ("PNG", "JPEG", "GIF", "WEBP", "BMP")
    try:
        with open_regular(path) as file, Image.open(file, formats=formats) as picture:  # reads the header only
            width, height = picture.size
            device = _device(picture)
    except (UnidentifiedImageError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return {"reading": "the picture is broken or far too large"}
    except (OSError, ValueError, SyntaxError, TypeError, struct.error, zlib.error, EOFError, KeyError):
        return {"reading": "the picture is broken"}
    if width * height > PIXELS_MAX or max(width, height) > SIDE_MAX:
        return {"reading": f"{width} × {height} pixels are more than are read here"}
    return {"pixels": f"{width} × {height}"} | ({"device": device} if device else {})


def _device(picture: "Image.Image") -> str:
    """Make and model that a camera wrote (Exif 0x010f, 0x0110): a claim like any other."""
    try:
        tags = picture.getexif()
        words = [str(tags.get(number, "")).strip("\0 ") for number in (0x010F, 0x0110)]
    except Exception:  # noqa: BLE001 - whatever a broken Exif block makes the library raise, it is only a hint
        return ""
    return "".join(one for one in " ".join(filter(None, words)) if one.isprintable())[:80]


def _pdf(path: Path) -> dict[str, str]:
    with open_regular(path) as file:
        data = bytearray()
        while len(data) < _PDF_BYTES and (piece := file.read(1024 * 1024)):
            data += piece
    # Names may be written with #xx for any letter: `/J#53` is `/JS`.
    plain = re.sub(rb"#([0-9A-Fa-f]{2})", lambda found: bytes([int(found[1], 16)]), bytes(data))
    found = [word for pattern, word in _PDF_CARE if re.search(pattern, plain)]
    return {"care": f"the PDF holds {', '.join(found)}: only pictures of its pages are made here"} if found else {}


def _archive(path: Path, name: str) -> tuple[str, dict[str, str]]:
    media_type = "application/zip"
    try:
        with open_regular(path) as file, zipfile.ZipFile(file) as opened:
            members = opened.infolist()
    except (FileIsRefused, zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, struct.error):
        return media_type, {"reading": "the archive is broken"}
    names = {one.filename for one in members}
    if "datapackage.json" in names and any(one.startswith("archive/") for one in names):
        media_type = "application/wacz"
    elif "word/document.xml" in names or name.lower().endswith((".docx", ".xlsx", ".pptx")):
        media_type = "application/vnd.openxmlformats-officedocument"
    unpacked = sum(one.file_size for one in members)
    packed = sum(one.compress_size for one in members)
    if len(members) > ARCHIVE_FILES_MAX or unpacked > ARCHIVE_BYTES_MAX:
        return media_type, {"reading": f"an archive of {len(members):,} files, {unpacked:,} bytes unpacked: too much"}
    if unpacked > 1024 * 1024 and unpacked > packed * ARCHIVE_RATIO_MAX:
        return media_type, {"reading": "an archive packed too tightly to be believed: it is not unpacked"}
    if any(one.flag_bits & 1 for one in members):
        return media_type, {"reading": "an archive under a password: add what is in it as files of their own"}
    if media_type != "application/wacz":
        return media_type, {"reading": "archives are not unpacked: add what is in them as files of their own"}
    return media_type, {}
