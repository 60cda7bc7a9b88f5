"""From files to rows, by what they are: pictures, recordings, documents, mails, saved pages and texts."""

import email
import email.policy
import importlib.util
import re
from collections.abc import Iterator, Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from fairkey.casework.arrivals import TEXT_BYTES_MAX
from fairkey.casework.disk import read_bounded
from fairkey.casework.mails import MAIL_BYTES_MAX, read_mail
from fairkey.casework.moments import CHINA
from fairkey.casework.pages import pictures_of, read_page, words_of

from .chats import ME, OTHER, said_by
from .lines import Line, Row, lines_of_text, ordered_text, rows_of
from .ocr import lines_of_bytes, lines_of_file, lines_of_picture

if TYPE_CHECKING:
    from PIL import Image

STILLS_MAX: Final = 8
STILL_EVERY_MS: Final = 700
STILL_CHANGE: Final = 4.0
PDF_PAGES_MAX: Final = 30
PDF_PICTURES_MAX: Final = 5
PDF_SIDE_MAX: Final = 4000
PAGE_PICTURES_MAX: Final = 12
TEXT_ROWS_MAX: Final = 20_000
FRAME_PIXELS_MAX: Final = 40_000_000
PAGES: Final = frozenset({"text/html", "multipart/related", "application/wacz"})
_TEXTS: Final = ("text/", "application/json", "application/csv")
_EXPORTED: Final = re.compile(r"^20\d\d-\d{1,2}-\d{1,2} \d{1,2}:\d{2}(?::\d{2})?\s+(?P<who>\S{1,40})\s*$")
_COLON: Final = re.compile(r"^(?P<who>我|买家|卖家|客服|对方|商家|店主)\s*:")


class Reading(NamedTuple):
    """Rows and, for each, who says it. `note`: what of the file was not read, and why."""

    rows: list[Row]
    said_by: Sequence[str] = ()
    note: str = ""


def readings_of(path: Path, media_type: str) -> Iterator[Reading]:
    """What a file says. Raises what its readers raise for broken files."""
    if media_type.startswith("image/"):
        yield reading_of_lines(lines_of_file(path))
    elif media_type.startswith("video/"):
        yield from _recording(path)
    elif media_type == "application/pdf":
        yield from _document(path)
    elif media_type == "message/rfc822":
        yield Reading(ordered_text(lines_of_text(text_of_mail(read_bounded(path, MAIL_BYTES_MAX)))))
    elif media_type in PAGES:
        yield Reading(ordered_text(lines_of_text(read_page(path, media_type).text)[:TEXT_ROWS_MAX]))
        yield from _page_pictures(path, media_type)
    elif media_type.startswith(_TEXTS):
        text = _decoded(read_bounded(path, TEXT_BYTES_MAX))
        rows = ordered_text(lines_of_text(text)[:TEXT_ROWS_MAX])
        yield Reading(rows, _exported(rows))


def reading_of_lines(lines: Sequence[Line]) -> Reading:
    """Rows of a picture, and who says them where it is a chat."""
    rows = rows_of(lines)
    width = max((line.region.left + line.region.width for line in lines), default=0)
    left = min((line.region.left for line in lines), default=0)
    return Reading(rows, said_by(rows, width + left))


def _page_pictures(path: Path, media_type: str) -> Iterator[Reading]:
    """Pictures that an archive of a page holds; their regions are on pages from 1 on."""
    found, left = pictures_of(path, media_type)
    if found and importlib.util.find_spec("rapidocr") is None:
        yield Reading([], note="the pictures in it are read by fairkey[ocr], which is not installed here")
        return
    number = 0
    for data in found:
        if number == PAGE_PICTURES_MAX:
            left += 1
            continue
        try:
            lines = lines_of_bytes(data, page=number + 1)
        except Exception:  # noqa: BLE001 - decoders of five formats, each with errors of its own, on a stranger's bytes
            left += 1
            continue
        if lines is not None:
            number += 1
            yield reading_of_lines(lines)
    if left:
        yield Reading(
            [], note=f"{left} of the pictures in it were not read: broken, too large, or more than {PAGE_PICTURES_MAX}"
        )


def _recording(path: Path) -> Iterator[Reading]:
    for number, (at_ms, still) in enumerate(_stills(path)):
        yield reading_of_lines(lines_of_picture(still, page=number, at_ms=at_ms))


def _stills(path: Path) -> Iterator[tuple[int, "Image.Image"]]:
    """A few pictures of a recording: when at least so long has gone by and something changed."""
    import av  # noqa: PLC0415 - of the extra "video"
    from PIL import ImageChops, ImageStat  # noqa: PLC0415 - of the extra "cases"

    small_before: Image.Image | None = None
    next_ms, count = 0, 0
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            at_ms = round(float(frame.time or 0) * 1000)
            if at_ms < next_ms:
                continue
            if frame.width * frame.height > FRAME_PIXELS_MAX:
                return
            still: Image.Image = cast("Any", frame).to_image()
            small = still.convert("L").resize((48, 48))
            next_ms = at_ms + STILL_EVERY_MS
            if small_before and ImageStat.Stat(ImageChops.difference(small, small_before)).mean[0] < STILL_CHANGE / 4:
                continue
            small_before, count = small, count + 1
            yield at_ms, still
            if count >= STILLS_MAX:
                return


def _document(path: Path) -> Iterator[Reading]:
    """Text of a PDF, page by page; a page without text is looked at as a picture. Nothing in it runs."""
    import pypdfium2  # noqa: PLC0415 - of the extra "cases"

    pictures = 0
    document = pypdfium2.PdfDocument(path)
    try:
        for number in range(min(len(document), PDF_PAGES_MAX)):
            page = document[number]
            text = page.get_textpage().get_text_bounded().replace("\r\n", "\n").replace("\r", "\n")
            if text.strip():
                yield Reading(ordered_text(lines_of_text(text, number)))
            elif pictures < PDF_PICTURES_MAX and max(page.get_size()) < PDF_SIDE_MAX:
                pictures += 1
                yield reading_of_lines(lines_of_picture(page.render(scale=2).to_pil(), page=number))
    finally:
        document.close()


def text_of_mail(data: bytes) -> str:
    """Date in China's time, subject, sender and the words of a mail: regions of mails count in this text."""
    if "reading" in read_mail(data, lambda _: None).checks:
        return ""
    message = email.message_from_bytes(data, policy=email.policy.default)
    head = [f"{name}: {value}" for name in ("From", "Subject") if (value := _header(message, name))]
    date = message["Date"]
    at = getattr(date, "datetime", None)
    if at is not None:
        head.append(f"Date: {at.astimezone(CHINA):%Y-%m-%d %H:%M:%S}" if at.tzinfo else "")
    return "\n".join([*head, "", _body(message)])


def _header(message: EmailMessage, name: str) -> str:
    return "".join(one for one in str(message.get(name, ""))[:300] if one.isprintable())


def _body(message: EmailMessage) -> str:
    part = message.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    payload = part.get_payload(decode=True)
    text = _decoded(payload) if isinstance(payload, bytes) else ""
    charset = part.get_content_charset()
    if isinstance(payload, bytes) and charset:
        text = payload.decode(charset, "replace")
    return words_of(text) if part.get_content_type() == "text/html" else text.replace("\r\n", "\n")


def _decoded(data: bytes) -> str:
    for name in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(name)
        except UnicodeDecodeError:
            continue
    return data.decode("utf-8", "replace")


def _exported(rows: Sequence[Row]) -> list[str]:
    """Who speaks in an exported chat: a line with time and name begins what that person says."""
    now, told = "", []
    for row in rows:
        head = _EXPORTED.match(row.text) or _COLON.match(row.text)
        if head is not None:
            now = ME if head["who"] in {"我", "买家"} else OTHER
        told.append(now)
    return told
