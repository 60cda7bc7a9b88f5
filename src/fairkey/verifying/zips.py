"""Zips of proofs, as orders and codes give them: bounded in every direction, nothing is written anywhere."""

import io
import zipfile
import zlib
from typing import Final, NamedTuple

ZIP_BYTES_MAX: Final = 32 * 1024 * 1024
MEMBERS_MAX: Final = 200
NAME_CHARS_MAX: Final = 300
MEMBER_BYTES_MAX: Final = 16 * 1024 * 1024
ALL_BYTES_MAX: Final = 64 * 1024 * 1024
RATIO_MAX: Final = 200
SMALL_BYTES: Final = 64 * 1024  # what is so small may be packed as tightly as it likes


class ZipIsRefused(Exception):
    """The zip is damaged or built to harm. The argument is a sentence that says what is wrong."""


class Member(NamedTuple):
    """One file of a zip."""

    name: str
    data: bytes


def is_zip(data: bytes) -> bool:
    """Whether these bytes begin as a zip does."""
    return data.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def members_of(data: bytes) -> list[Member]:
    """All files of a zip, in its order. Raises `ZipIsRefused`."""
    if len(data) > ZIP_BYTES_MAX:
        raise ZipIsRefused("the zip is too long")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as opened:
            return _read_all(opened)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError) as error:
        raise ZipIsRefused("the zip is damaged, encrypted or packed in a way this program does not know") from error


def _read_all(opened: zipfile.ZipFile) -> list[Member]:
    files = [one for one in opened.infolist() if not one.is_dir()]
    if len(opened.infolist()) > MEMBERS_MAX:
        raise ZipIsRefused("the zip holds too many files")
    if len({one.filename for one in files}) != len(files):
        raise ZipIsRefused("two files of the zip have the same name")
    left, members = ALL_BYTES_MAX, []
    for one in files:
        _require_good_name(one.filename)
        if one.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ZipIsRefused("the zip is packed in a way this program does not know")
        bytes_max = min(left, MEMBER_BYTES_MAX)
        if one.file_size > bytes_max or one.file_size > max(SMALL_BYTES, one.compress_size * RATIO_MAX):
            raise ZipIsRefused("a file in the zip is too long, or packed too tightly to be believed")
        with opened.open(one) as stream:
            content = stream.read(bytes_max + 1)
        if len(content) > bytes_max:
            raise ZipIsRefused("a file in the zip is too long")
        left -= len(content)
        members.append(Member(one.filename, content))
    return members


def _require_good_name(name: str) -> None:
    parts = name.replace("\\", "/").split("/")
    is_absolute = name.startswith(("/", "\\")) or ":" in name
    if len(name) > NAME_CHARS_MAX or is_absolute or ".." in parts or not name.isprintable():
        raise ZipIsRefused("a file in the zip has a name that no proof has")
