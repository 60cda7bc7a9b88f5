"""Cases for tests: made in a folder, with files of every kind, good and hostile."""

import io
import zipfile
from pathlib import Path

from PIL import Image

from fairkey.casework.folder import CaseFolder, new_case
from fairkey.casework.model import Capture, Case
from fairkey.casework.sealing import Added, add_bytes

BEGAN_MS = 1_795_000_000_000
CASE_ID = "0b6a7c1e-1111-4222-8333-944445555666"


def a_case(place: Path, **told: object) -> CaseFolder:
    """A new case without files."""
    from msgspec import structs

    return new_case(place, structs.replace(Case(case_id=CASE_ID, created_at_ms=BEGAN_MS), **told))


def given(folder: CaseFolder, name: str, data: bytes, how: str = "screenshot", purpose: str = "") -> Added:
    """A file in it."""
    at_ms = BEGAN_MS + 1000
    return add_bytes(folder, name, data, Capture(who="张三", how=how, made_at_ms=at_ms), at_ms=at_ms, purpose=purpose)


def picture(width: int = 300, height: int = 200, kind: str = "PNG") -> bytes:
    """A picture with stripes."""
    made = Image.new("RGB", (width, height), "#eef")
    for y in range(0, height, 20):
        made.paste("#336", (10, y, width // 2, y + 8))
    out = io.BytesIO()
    made.save(out, kind)
    return out.getvalue()


def zipped(members: dict[str, bytes]) -> bytes:
    """A ZIP of these, packed."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def huge_png(width: int = 20_000, height: int = 20_000) -> bytes:
    """The head of a PNG that claims 400 megapixels."""
    import struct
    import zlib

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
