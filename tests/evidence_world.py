"""Small real files, and stores to keep them in."""

import struct
import zlib
from collections.abc import AsyncIterator

from fairkey.engine.evidence_port import EvidenceStore, Kept

MAIL = b"Received: from a by b\r\n  with ESMTP\r\nFrom: steam@example.test\r\nSubject: Key\r\n\r\nbody \xff\r\n"
MP4 = struct.pack(">I", 24) + b"ftypisom\x00\x00\x02\x00isommp42" + bytes(64)
WEBM = b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm" + bytes(64)
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
GIF = b"GIF89a\x02\x00\x03\x00\x00\x00\x00;"
JPEG = b"\xff\xd8\xff\xe0\x00\x04\x00\x00\xff\xc0\x00\x0b\x08\x00\x10\x00\x20\x01\x01\x11\x00\xff\xd9"
WEBP = b"RIFF\x1a\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\x0f\x00\x00\x1f\x00\x00"
ZIP = b"PK\x05\x06" + bytes(16) + b"\x02\x00hi"


def png(width: int = 2, height: int = 3) -> bytes:
    """A grey picture; only its claim is that large when it is."""
    rows = (b"\x00" + bytes(width)) * height if width * height < 10_000 else b""
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )


async def sent(data: bytes, by: int = 50_000) -> AsyncIterator[bytes]:
    """As it comes over a wire."""
    for begin in range(0, len(data), by):
        yield data[begin : begin + by]


async def read(store: EvidenceStore, kept: Kept) -> bytes:
    """All of it."""
    return b"".join([piece async for piece in store.read(kept)])
