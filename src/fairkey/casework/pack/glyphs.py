"""Which characters a font can draw: read from its `cmap` (OpenType 1.9, formats 4 and 12). What it cannot draw is named
by its number, so that nothing is silently missing from a page.
"""

import struct
from functools import cache
from pathlib import Path
from typing import Final

_ALWAYS: Final = frozenset({0x0A, 0x20, 0xA0})


@cache
def drawable(font: Path) -> frozenset[int]:
    """The code points of a font."""
    data = font.read_bytes()
    tables = struct.unpack_from(">H", data, 4)[0]
    for number in range(tables):
        tag, _, offset, _ = struct.unpack_from(">4sIII", data, 12 + 16 * number)
        if tag == b"cmap":
            return _ALWAYS | _of_cmap(data, offset)
    return _ALWAYS


def _of_cmap(data: bytes, start: int) -> frozenset[int]:
    found: set[int] = set()
    for number in range(struct.unpack_from(">H", data, start + 2)[0]):
        at = start + struct.unpack_from(">I", data, start + 4 + 8 * number + 4)[0]
        form = struct.unpack_from(">H", data, at)[0]
        if form == 12:  # noqa: PLR2004 - segmented coverage
            for group in range(struct.unpack_from(">I", data, at + 12)[0]):
                first, last, glyph = struct.unpack_from(">III", data, at + 16 + 12 * group)
                found.update(range(first + (glyph == 0), last + 1))
        elif form == 4:  # noqa: PLR2004 - segments of the basic plane
            found |= _of_segments(data, at)
    return frozenset(found)


def _of_segments(data: bytes, at: int) -> set[int]:
    count = struct.unpack_from(">H", data, at + 6)[0] // 2
    ends = struct.unpack_from(f">{count}H", data, at + 14)
    starts = struct.unpack_from(f">{count}H", data, at + 16 + 2 * count)
    offsets = struct.unpack_from(f">{count}H", data, at + 16 + 6 * count)
    found: set[int] = set()
    for number, (first, last) in enumerate(zip(starts, ends, strict=True)):
        for point in range(first, min(last, 0xFFFE) + 1):
            if offsets[number]:
                place = at + 16 + 6 * count + 2 * number + offsets[number] + 2 * (point - first)
                if place + 2 > len(data) or not struct.unpack_from(">H", data, place)[0]:
                    continue
            found.add(point)
    return found


def with_drawable(text: str, *fonts: Path) -> str:
    """The text with every character that no such font can draw named like `[U+1F600]`."""
    known = frozenset.intersection(*(drawable(font) for font in fonts))
    if all(ord(one) in known for one in text):
        return text
    return "".join(one if ord(one) in known else "" if not one.isprintable() else f"[U+{ord(one):04X}]" for one in text)
