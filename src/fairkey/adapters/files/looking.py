"""A program of its own that looks at one picture or video on its standard input, with little memory and time.

Run by `looking_apart`; what it reads is hostile. Answers on standard output: whether there is a mark (1 byte), the mark
(8 bytes, big-endian), then a JPEG made anew (nothing of the file's metadata is in it). Exit code 3: no such picture;
4: too many pixels.
"""

import io
import resource
import sys
from typing import Any, Final

DAMAGED: Final = 3
TOO_MANY_PIXELS: Final = 4
MEMORY_BYTES: Final = 1024 * 1024 * 1024
CPU_S: Final = 20
PIXELS_MAX: Final = 100_000_000
SIDE: Final = 480
SHEET_SIDE: Final = 3
TILE: Final = (213, 160)
FRAME_PIXELS_MAX: Final = 4096 * 4096
PLAIN_BITS_MIN: Final = 8  # fewer set or unset bits say nothing: an empty wall, a black screen


def main(kind: str) -> int:
    """The exit code."""
    data = sys.stdin.buffer.read()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - after the limits

    Image.MAX_IMAGE_PIXELS = PIXELS_MAX
    try:
        if kind == "video":
            return _tell(_sheet(data, Image), None)
        picture = _picture(data, Image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return TOO_MANY_PIXELS
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, MemoryError, OverflowError):
        return DAMAGED
    return _tell(picture, _mark(picture))


def _picture(data: bytes, image: Any) -> Any:  # noqa: ANN401 - Pillow is imported late
    """The first frame, upright, small."""
    from PIL import ImageOps  # noqa: PLC0415

    opened = image.open(io.BytesIO(data), formats=("PNG", "JPEG", "GIF", "WEBP"))
    if opened.width * opened.height > PIXELS_MAX:
        raise image.DecompressionBombError
    opened.draft("RGB", (SIDE, SIDE))
    opened.load()
    upright = ImageOps.exif_transpose(opened)
    upright.thumbnail((SIDE, SIDE))
    page = image.new("RGB", upright.size, "white")
    coloured = upright.convert("RGBA")
    page.paste(coloured, mask=coloured.getchannel("A"))
    return page


def _sheet(data: bytes, image: Any) -> Any:  # noqa: ANN401
    """Nine moments of a video on one page."""
    import av  # noqa: PLC0415
    from av.container import InputContainer  # noqa: PLC0415

    tiles = SHEET_SIDE * SHEET_SIDE
    page = image.new("RGB", (TILE[0] * SHEET_SIDE, TILE[1] * SHEET_SIDE), "black")
    with av.open(io.BytesIO(data)) as container:
        assert isinstance(container, InputContainer)
        stream = container.streams.video[0]
        if stream.codec_context.width * stream.codec_context.height > FRAME_PIXELS_MAX:
            raise ValueError
        for number in range(tiles):
            if container.duration:
                container.seek(container.duration * number // tiles)
            frame: Any = next(container.decode(stream), None)
            if frame is None:
                break
            small = frame.to_image()
            small.thumbnail(TILE)
            page.paste(small, ((number % SHEET_SIDE) * TILE[0], (number // SHEET_SIDE) * TILE[1]))
            if not container.duration:
                break
    return page


def _mark(picture: Any) -> int | None:  # noqa: ANN401
    """Whether each of 8 x 8 points is darker than its right neighbour (the difference hash)."""
    row = 9
    grey = picture.convert("L").resize((row, 8)).tobytes()
    mark = 0
    for y in range(8):
        for x in range(8):
            mark = mark << 1 | (grey[y * row + x] < grey[y * row + x + 1])
    ones = mark.bit_count()
    return mark if PLAIN_BITS_MIN <= ones <= 64 - PLAIN_BITS_MIN else None


def _tell(picture: Any, mark: int | None) -> int:  # noqa: ANN401
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=70)
    sys.stdout.buffer.write(bytes([mark is not None]) + (mark or 0).to_bytes(8, "big") + out.getvalue())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
