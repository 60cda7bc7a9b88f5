"""Pictures of evidence for the pages of a pack: made small from the original, which stays as it is.

A long screenshot is cut into slices that fit a page; a PDF becomes pictures of its pages, so that nothing in it runs;
of text the beginning is shown. Whatever cannot be drawn is said in a sentence, and the original still goes along.
"""

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from fairkey.casework.disk import FileIsRefused, open_regular, read_bounded
from fairkey.casework.model import CaseFile

if TYPE_CHECKING:
    from PIL import Image

PDF_PAGES_MAX: Final = 12
SLICES_MAX: Final = 12
WIDTH_MAX: Final = 1100
_TALL: Final = 1.32
_OVERLAP: Final = 0.04
_TEXT_BYTES: Final = 400_000
_TEXT_LINES: Final = 42
_TEXT_CHARS: Final = 90
_QUALITY: Final = 80
_READ: Final = ("PNG", "JPEG", "GIF", "WEBP", "BMP")


class Picture(NamedTuple):
    """A JPEG and its size in pixels."""

    data: bytes
    width: int
    height: int


class Shown(NamedTuple):
    """How a file is shown: pictures, or lines of text, or a sentence why neither."""

    pictures: tuple[Picture, ...] = ()
    lines: tuple[str, ...] = ()
    note: str = ""


def shown(path: Path, file: CaseFile) -> Shown:
    """How the file at `path` is shown on pages. Never raises for what is in it."""
    if "reading" in file.checks:
        return Shown(note="此文件不能在纸面上展示，原件按原样封存，请打开所附原件。")
    if file.media_type.startswith("image/"):
        return _of_picture(path)
    if file.media_type == "application/pdf":
        return _of_pdf(path)
    if file.media_type.startswith("text/") or file.media_type in {"application/json", "message/rfc822"}:
        return _of_text(path)
    kind = (
        "录像" if file.media_type.startswith("video/") else "录音" if file.media_type.startswith("audio/") else "文件"
    )
    return Shown(note=f"{kind}不能在纸面上展示，请打开所附原件。")


def _of_picture(path: Path) -> Shown:
    from PIL import Image, ImageOps, UnidentifiedImageError  # noqa: PLC0415 - heavy, of the extra "cases"

    try:
        with warnings.catch_warnings(), open_regular(path) as stream:
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(stream, formats=_READ) as opened:
                opened.draft("RGB", (WIDTH_MAX, WIDTH_MAX * SLICES_MAX))
                upright = ImageOps.exif_transpose(opened)
                flat = _on_white(upright)
    except (FileIsRefused, UnidentifiedImageError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return Shown(note="图片损坏或过大，未制作图示，请打开所附原件。")
    except (OSError, ValueError, SyntaxError, TypeError, struct.error, zlib.error, EOFError, KeyError, MemoryError):
        return Shown(note="图片损坏，未制作图示，请打开所附原件。")
    return _in_slices(flat)


def _on_white(picture: "Image.Image") -> "Image.Image":
    from PIL import Image  # noqa: PLC0415 - heavy

    width = min(picture.width, WIDTH_MAX)
    height = max(1, round(picture.height * width / picture.width))
    small = picture.convert("RGBA").resize((width, height), Image.Resampling.LANCZOS)
    flat = Image.new("RGB", small.size, "white")
    flat.paste(small, mask=small.getchannel("A"))
    return flat


def _in_slices(flat: "Image.Image") -> Shown:
    tall = round(flat.width * _TALL)
    if flat.height <= tall * 1.9:  # a phone's screen stays one picture, a little narrower on the page
        return Shown((_jpeg(flat),))
    step = round(tall * (1 - _OVERLAP))
    tops = list(range(0, max(1, flat.height - round(tall * _OVERLAP)), step))
    slices = [flat.crop((0, top, flat.width, min(flat.height, top + tall))) for top in tops[:SLICES_MAX]]
    note = f"长图，只展示前 {SLICES_MAX} 段，其余请见所附原件。" if len(tops) > SLICES_MAX else ""
    return Shown(tuple(_jpeg(one) for one in slices), note=note)


def _jpeg(picture: "Image.Image") -> Picture:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=_QUALITY, optimize=True)
    return Picture(out.getvalue(), picture.width, picture.height)


def _of_pdf(path: Path) -> Shown:
    import pypdfium2  # noqa: PLC0415 - heavy, of the extra "cases"

    try:
        document = pypdfium2.PdfDocument(read_bounded(path, 64 * 1024 * 1024))
    except (FileIsRefused, pypdfium2.PdfiumError):
        return Shown(note="PDF 损坏、加密或过大，未制作图示，请打开所附原件。")
    try:
        count = len(document)
        pictures = tuple(_pdf_page(document, number) for number in range(min(count, PDF_PAGES_MAX)))
    except (pypdfium2.PdfiumError, ValueError, MemoryError, OSError):
        return Shown(note="PDF 的页面不能展示，请打开所附原件。")
    finally:
        document.close()
    note = f"共 {count} 页，只展示前 {PDF_PAGES_MAX} 页。" if count > PDF_PAGES_MAX else ""
    return Shown(pictures, note=note)


def _pdf_page(document: Any, number: int) -> Picture:  # noqa: ANN401 - the library has no types
    page = document[number]
    width, height = page.get_size()
    scale = min(WIDTH_MAX / max(width, 1), 1600 / max(height, 1), 3)
    return _jpeg(page.render(scale=scale).to_pil().convert("RGB"))


def _of_text(path: Path) -> Shown:
    try:
        with open_regular(path) as stream:
            data = stream.read(_TEXT_BYTES) or b""
    except (FileIsRefused, OSError):
        return Shown(note="文件不能读取，请打开所附原件。")
    text = data.decode("utf-8", "replace") if _is_utf8(data) else data.decode("gb18030", "replace")
    cut = list(_wrapped(text))
    note = f"只展示前 {_TEXT_LINES} 行，全文见所附原件。" if len(cut) > _TEXT_LINES else ""
    return Shown(lines=tuple(cut[:_TEXT_LINES]), note=note)


def _is_utf8(data: bytes) -> bool:
    try:
        data[: len(data) - 3].decode()
    except UnicodeDecodeError as error:
        return error.start > len(data) - 8
    return True


def _wrapped(text: str) -> Iterator[str]:
    """Lines that fit a page, a wide character counting as two."""
    for number, line in enumerate(text.splitlines()):
        if number > 2 * _TEXT_LINES:
            return
        current, width = "", 0
        for one in line.replace("\t", "    ")[:4000]:
            wide = 2 if ord(one) > 0x2E7F else 1  # noqa: PLR2004 - CJK and wider begin there
            if width + wide > _TEXT_CHARS:
                yield current
                current, width = "", 0
            current, width = current + one, width + wide
        yield current
