"""A program of its own that cuts one box out of a picture on its standard input: left, top, width, height as arguments.

What it reads is hostile, so it works with little memory and time. Answers with a JPEG made anew; exit code 3: no such
picture.
"""

import io
import resource
import sys
from typing import Final

DAMAGED: Final = 3
MEMORY_BYTES: Final = 1024 * 1024 * 1024
CPU_S: Final = 10
PIXELS_MAX: Final = 40_000_000
ROOM: Final = 24
SIDE_MAX: Final = 900


def main(left: int, top: int, width: int, height: int) -> int:
    """The exit code. A box of no size means the whole picture, small."""
    data = sys.stdin.buffer.read()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - after the limits

    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "GIF", "WEBP", "BMP")) as picture:
            if picture.width * picture.height > PIXELS_MAX:
                return DAMAGED
            whole = (0, 0, picture.width, picture.height)
            box = (
                max(left - ROOM, 0),
                max(top - ROOM, 0),
                min(left + width + ROOM, picture.width),
                min(top + height + ROOM, picture.height),
            )
            shown = picture.convert("RGB").crop(box if width > 0 and height > 0 else whole)
        shown.thumbnail((SIDE_MAX, SIDE_MAX))
        out = io.BytesIO()
        shown.save(out, "JPEG", quality=80)
    except (UnidentifiedImageError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return DAMAGED
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError, OverflowError):
        return DAMAGED
    sys.stdout.buffer.write(out.getvalue())
    return 0


if __name__ == "__main__":
    sys.exit(main(*(int(one) for one in sys.argv[1:5])))
