"""What a file is, told by its bytes alone: names and claims of whoever sent it decide nothing.

A closed table of few types. Sources: PNG (W3C, third edition, 5.2 and 11.2.1), GIF89a 17-18, JPEG (ITU-T T.81 B.2.2),
WebP (RFC 9649), PDF (ISO 32000-2, 7.5.2), ISO base media (ISO 14496-12, 4.3), Matroska (RFC 9559) over EBML
(RFC 8794), mail (RFC 5322, 2.2), the end of a ZIP archive (APPNOTE 4.3.16).
"""

import codecs
import re
from typing import Final

from fairkey.engine.evidence_port import FileIsRefused, Media, MediaClass, WhyRefused

HEAD_BYTES: Final = 64 * 1024
_TAIL_BYTES: Final = 22 + 0xFFFF  # the farthest from its end that a ZIP archive's directory can be announced

PNG: Final = Media(MediaClass.IMAGE, "image/png")
JPEG: Final = Media(MediaClass.IMAGE, "image/jpeg")
GIF: Final = Media(MediaClass.IMAGE, "image/gif")
WEBP: Final = Media(MediaClass.IMAGE, "image/webp")
PDF: Final = Media(MediaClass.PDF, "application/pdf")
MP4: Final = Media(MediaClass.VIDEO, "video/mp4")
QUICKTIME: Final = Media(MediaClass.VIDEO, "video/quicktime")
WEBM: Final = Media(MediaClass.VIDEO, "video/webm")
MATROSKA: Final = Media(MediaClass.VIDEO, "video/x-matroska")
EMAIL: Final = Media(MediaClass.EMAIL, "message/rfc822")
TEXT: Final = Media(MediaClass.TEXT, "text/plain")

_MP4_BRANDS: Final = {
    b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1",
    b"M4V ", b"MSNV", b"dash", b"3gp4", b"3gp5", b"3gp6", b"XAVC",
}  # fmt: skip
_DOCTYPES: Final = {b"webm": WEBM, b"matroska": MATROSKA}
_EBML_ID: Final = b"\x1a\x45\xdf\xa3"
_PNG_BEGIN: Final = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
_BEGINNINGS: Final = ((_PNG_BEGIN, PNG), (b"\xff\xd8\xff", JPEG), (b"GIF87a", GIF), (b"GIF89a", GIF))
_PNG_END: Final = b"\x00\x00\x00\x00IEND\xaeB`\x82"
_ZIP_END: Final = b"PK\x05\x06"
_ZIP_END_BYTES: Final = 22

_HEADER_LINE: Final = re.compile(rb"([!-9;-~]{1,80}):")
_MAIL_MARKS: Final = {b"date", b"subject", b"received", b"message-id", b"mime-version", b"return-path", b"to"}
_MAIL_MARKS_MIN: Final = 2
_MARKUP: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*<[!?/A-Za-z]")
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")

_JPEG_SIZES: Final = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_JPEG_STARTS: Final = 0xFF
_CLAIMED_TEXTS: Final = {MediaClass.TEXT, MediaClass.EMAIL}


def media_of(head: bytes) -> Media | None:
    """What a file that begins with `head` (its first 64 KiB, or all of it) is; None: nothing that is taken."""
    for begin, media in _BEGINNINGS:
        if head.startswith(begin):
            return media
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    if re.match(rb"%PDF-[12]\.\d", head):
        return PDF
    if head[4:8] == b"ftyp":
        return QUICKTIME if head[8:12] == b"qt  " else MP4 if head[8:12] in _MP4_BRANDS else None
    if head.startswith(_EBML_ID):
        return _DOCTYPES.get(_doctype(head[:128]))
    if _is_mail(head):
        return EMAIL
    return TEXT if _may_be_text(head) else None


def pixels_of(head: bytes, media: Media) -> int | None:
    """Width times height that a picture claims; None where its first 64 KiB do not say."""
    if media == PNG:
        return _big(head[16:20]) * _big(head[20:24])
    if media == GIF:
        return _little(head[6:8]) * _little(head[8:10])
    if media == WEBP:
        return _webp_pixels(head)
    return _jpeg_pixels(head) if media == JPEG else None


def claimed_class(claimed_type: str) -> MediaClass | None:
    """The class that a Content-Type claims; None where it claims none of ours."""
    essence = claimed_type.partition(";")[0].strip().lower()
    if essence == "message/rfc822":
        return MediaClass.EMAIL
    if essence == "application/pdf":
        return MediaClass.PDF
    kinds = {"image": MediaClass.IMAGE, "video": MediaClass.VIDEO, "text": MediaClass.TEXT}
    return kinds.get(essence.partition("/")[0])


class Inspection:
    """Looks at a whole file while it passes: what its beginning cannot tell is told at its end."""

    def __init__(self, head: bytes, claimed_type: str, pixels_max: int) -> None:
        """Raises `FileIsRefused` for what the beginning tells. `head` is to be fed like all the rest."""
        media = media_of(head)
        if media is None:
            raise FileIsRefused(WhyRefused.KIND_NOT_TAKEN)
        claimed = claimed_class(claimed_type)
        alike = {claimed, media.media_class} <= _CLAIMED_TEXTS
        if claimed not in {None, media.media_class} and not alike:
            raise FileIsRefused(WhyRefused.NOT_WHAT_IT_CLAIMS)
        pixels = pixels_of(head, media)
        if pixels == 0:
            raise FileIsRefused(WhyRefused.DAMAGED)
        if pixels is not None and pixels > pixels_max:
            raise FileIsRefused(WhyRefused.TOO_MANY_PIXELS)
        self.media = media
        self._tail = b""
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def feed(self, chunk: bytes) -> None:
        """The next bytes of the file."""
        self._tail = (self._tail + chunk)[-_TAIL_BYTES:]
        if self.media == TEXT:
            self._read_text(chunk, final=False)
        elif self.media == EMAIL and b"\x00" in chunk:
            raise FileIsRefused(WhyRefused.DAMAGED)

    def finish(self) -> None:
        """The file is over. Raises `FileIsRefused` for what only its end tells."""
        if self.media == TEXT:
            self._read_text(b"", final=True)
        elif self.media.media_class in {MediaClass.IMAGE, MediaClass.PDF, MediaClass.VIDEO} and _ends_as_zip(
            self._tail
        ):
            raise FileIsRefused(WhyRefused.TWO_FILES_IN_ONE)
        if self.media == PNG and not self._tail.endswith(_PNG_END):
            raise FileIsRefused(WhyRefused.DAMAGED)

    def _read_text(self, chunk: bytes, *, final: bool) -> None:
        try:
            text = self._decoder.decode(chunk, final)
        except UnicodeDecodeError:
            raise FileIsRefused(WhyRefused.KIND_NOT_TAKEN) from None
        if _CONTROLS.search(text):
            raise FileIsRefused(WhyRefused.KIND_NOT_TAKEN)


def _big(field: bytes) -> int:
    return int.from_bytes(field, "big")


def _little(field: bytes) -> int:
    return int.from_bytes(field, "little")


def _doctype(head: bytes) -> bytes:
    """The EBML header's DocType (id 4282, a length of one byte)."""
    _, found, rest = head.partition(b"\x42\x82")
    return rest[1 : 1 + (rest[0] & 0x7F)].rstrip(b"\x00") if found and rest else b""


def _is_mail(head: bytes) -> bool:
    names: set[bytes] = set()
    for line in head.replace(b"\r\n", b"\n").split(b"\n"):
        if not line:
            break
        if line[:1] in b" \t" and names:
            continue
        found = _HEADER_LINE.match(line)
        if found is None:
            return False
        names.add(found[1].lower())
    return b"from" in names and len(names & _MAIL_MARKS) >= _MAIL_MARKS_MIN


def _may_be_text(head: bytes) -> bool:
    if not head.strip() or _MARKUP.match(head):
        return False
    return not _CONTROLS.search(head.decode("utf-8", "ignore"))


def _webp_pixels(head: bytes) -> int | None:
    form = head[12:16]
    if form == b"VP8X":
        return (_little(head[24:27]) + 1) * (_little(head[27:30]) + 1)
    if form == b"VP8L":
        bits = _little(head[21:25])
        return ((bits & 0x3FFF) + 1) * ((bits >> 14 & 0x3FFF) + 1)
    if form == b"VP8 ":
        return (_little(head[26:28]) & 0x3FFF) * (_little(head[28:30]) & 0x3FFF)
    return 0


def _jpeg_pixels(head: bytes) -> int | None:
    at = 2
    while at + 9 <= len(head) and head[at] == _JPEG_STARTS:
        marker = head[at + 1]
        if marker == _JPEG_STARTS:  # fill byte
            at += 1
        elif marker in _JPEG_SIZES:
            return _big(head[at + 5 : at + 7]) * _big(head[at + 7 : at + 9])
        else:
            at += 2 + _big(head[at + 2 : at + 4])
    return None


def _ends_as_zip(tail: bytes) -> bool:
    """Whether some archive's end record, with a comment of exactly what follows it, is the end of these bytes."""
    at = tail.rfind(_ZIP_END)
    while at >= 0:
        comment = _little(tail[at + 20 : at + _ZIP_END_BYTES])
        if at + _ZIP_END_BYTES + comment == len(tail):
            return True
        at = tail.rfind(_ZIP_END, 0, at)
    return False
