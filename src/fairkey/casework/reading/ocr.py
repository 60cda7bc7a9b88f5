"""Letters of pictures, read on this machine: models come with the package, nothing is fetched or sent.

Phone pictures are read about 780 px wide and long ones in pieces that overlap; regions are in pixels of the original.
"""

import io
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from fairkey.casework.model import Region

from .lines import Line

if TYPE_CHECKING:
    from PIL import Image

WIDTH: Final = 780
WIDTH_WIDE: Final = 1280
TILE_HEIGHT: Final = 1400
TILE_OVERLAP: Final = 160
PIXELS_MAX: Final = 40_000_000
SIDE_MAX: Final = 60_000
SIDE_MIN: Final = 48  # icons and lines say nothing
AREA_MIN: Final = 160 * 120
DARK_BELOW: Final = 95
SCORE_MIN: Final = 0.5
SCALE_SLACK: Final = 0.02
_FORMATS: Final = ("PNG", "JPEG", "GIF", "WEBP", "BMP")
_ENGINE_AT_WORK: Final = Lock()


@cache
def _engine() -> Any:  # noqa: ANN401 - the package has no types
    from rapidocr import RapidOCR  # noqa: PLC0415 - of the extra "ocr"

    return RapidOCR(params={"Global.log_level": "critical", "EngineConfig.onnxruntime.intra_op_num_threads": 2})


def warm_up() -> None:
    """Load the models, so that the first picture is not the slowest."""
    _engine()


def lines_of_file(path: Path) -> list[Line]:
    """Lines of a picture file. Raises OSError, ValueError for what is no picture, `ModuleNotFoundError` without OCR."""
    from PIL import Image, ImageOps  # noqa: PLC0415 - of the extra "cases"

    with Image.open(path) as opened:
        if opened.width * opened.height > PIXELS_MAX:
            raise ValueError("too large")
        return lines_of_picture(ImageOps.exif_transpose(opened))


def lines_of_bytes(data: bytes, *, page: int) -> list[Line] | None:
    """Lines of a picture that stands in a page; None for what is too small to say anything. Raises OSError, ValueError
    and what decoders raise for what is broken or too large.
    """
    from PIL import Image, ImageOps  # noqa: PLC0415 - of the extra "cases"

    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(io.BytesIO(data), formats=_FORMATS) as opened:
            if opened.width * opened.height > PIXELS_MAX or max(opened.size) > SIDE_MAX:
                raise ValueError("too large")
            if min(opened.size) < SIDE_MIN or opened.width * opened.height < AREA_MIN:
                return None
            return lines_of_picture(ImageOps.exif_transpose(opened), page=page)


def lines_of_picture(picture: "Image.Image", *, page: int = 0, at_ms: int = 0) -> list[Line]:
    """Lines of a picture, from top to bottom."""
    shown, scale = _prepared(picture)
    lines: list[Line] = []
    for top, tile in _tiles(shown):
        for text, (left, upper, right, lower), score in _read(tile):
            region = Region(
                page=page,
                at_ms=at_ms,
                left=max(0, round(left / scale)),
                top=max(0, round((upper + top) / scale)),
                width=max(1, round((right - left) / scale)),
                height=max(1, round((lower - upper) / scale)),
            )
            _keep(lines, Line(text, region, score))
    return lines


def _prepared(picture: "Image.Image") -> tuple["Image.Image", float]:
    from PIL import Image, ImageOps, ImageStat  # noqa: PLC0415 - of the extra "cases"

    shown = _opaque(picture)
    if ImageStat.Stat(shown.convert("L").resize((64, 64))).mean[0] < DARK_BELOW:
        shown = ImageOps.invert(shown)
    wanted = WIDTH if shown.height > shown.width else WIDTH_WIDE
    if shown.width < WIDTH and shown.height <= shown.width:
        wanted = WIDTH
    scale = min(wanted / shown.width, 2.0)
    if abs(scale - 1) > SCALE_SLACK:
        size = (max(1, round(shown.width * scale)), max(1, round(shown.height * scale)))
        shown = shown.resize(size, Image.Resampling.LANCZOS)
    else:
        scale = 1.0
    return shown, scale


def _opaque(picture: "Image.Image") -> "Image.Image":
    from PIL import Image  # noqa: PLC0415 - of the extra "cases"

    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return picture.convert("RGB")
    ground = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(ground, picture.convert("RGBA")).convert("RGB")


def _tiles(picture: "Image.Image") -> Iterator[tuple[int, "Image.Image"]]:
    if picture.height <= TILE_HEIGHT + TILE_OVERLAP:
        yield 0, picture
        return
    for top in range(0, picture.height - TILE_OVERLAP, TILE_HEIGHT - TILE_OVERLAP):
        yield top, picture.crop((0, top, picture.width, min(top + TILE_HEIGHT, picture.height)))


def _read(tile: "Image.Image") -> Iterator[tuple[str, tuple[float, float, float, float], float]]:
    import numpy as np  # noqa: PLC0415 - comes with the extra "ocr"

    with _ENGINE_AT_WORK:
        found = _engine()(np.asarray(tile)[:, :, ::-1], use_cls=False)
    if found.boxes is None or found.txts is None:
        return
    for box, text, score in zip(found.boxes, found.txts, found.scores, strict=True):
        across, down = [float(one[0]) for one in box], [float(one[1]) for one in box]
        if score >= SCORE_MIN and text.strip():
            yield text.strip(), (min(across), min(down), max(across), max(down)), float(score)


def _keep(lines: list[Line], new: Line) -> None:
    """Where pieces overlap, a line is found twice, or cut at an edge: the taller, then the surer one stays."""
    for number, old in enumerate(lines):
        if _same_place(old.region, new.region):
            if (new.region.height * new.region.width, new.score) > (old.region.height * old.region.width, old.score):
                lines[number] = new
            return
    lines.append(new)


def _same_place(one: Region, other: Region) -> bool:
    across = min(one.left + one.width, other.left + other.width) - max(one.left, other.left)
    down = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
    small = min(one.width * one.height, other.width * other.height)
    return across > 0 and down > 0 and across * down > 0.6 * small
