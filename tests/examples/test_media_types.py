"""What a file is, is told by its bytes."""

import pytest

from evidence_world import GIF, JPEG, MAIL, MP4, PDF, WEBM, WEBP, ZIP, png
from fairkey.engine.evidence_port import FileIsRefused, WhyRefused
from fairkey.engine.media_types import Inspection, media_of, pixels_of

TAKEN = [
    (png(), "image/png"),
    (JPEG, "image/jpeg"),
    (GIF, "image/gif"),
    (WEBP, "image/webp"),
    (PDF, "application/pdf"),
    (MP4, "video/mp4"),
    (MP4.replace(b"ftypisom", b"ftypqt  "), "video/quicktime"),
    (WEBM, "video/webm"),
    (MAIL, "message/rfc822"),
    ("\ufeff卡密无效：ABCD-1234".encode(), "text/plain"),
    (b"Error: the code is used", "text/plain"),
]
NOT_TAKEN = [
    b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>',
    b'\xef\xbb\xbf  \n<?xml version="1.0"?><svg/>',
    b"<!doctype html><script>1</script>",
    b" \n<ScRiPt>1</ScRiPt>",
    b"PK\x03\x04" + bytes(40),
    b"MZ\x90\x00" + bytes(60),
    b"\x7fELF" + bytes(60),
    b"\x1f\x8b\x08" + bytes(40),
    b"\x00\x00\x00\x18ftypheic" + bytes(20),
    b"junk before %PDF-1.7\x00",
    b"\x89PNG\r\n\x1a\nnot a header",
    b" \n ",
    bytes(1000),
    "卡密".encode("gb18030"),
    b"text with \x1b[31m in it",
]


def inspected(data: bytes, claimed: str = "") -> str:
    """The type after the whole file passed, or why it was refused."""
    try:
        inspection = Inspection(data[: 64 * 1024], claimed, pixels_max=100_000_000)
        inspection.feed(data)
        inspection.finish()
    except FileIsRefused as refused:
        return refused.why.value
    return inspection.media.media_type


@pytest.mark.parametrize(("data", "media_type"), TAKEN, ids=[media_type for _, media_type in TAKEN])
def test_what_is_taken_is_known_by_its_content(data: bytes, media_type: str) -> None:
    assert inspected(data) == media_type


@pytest.mark.parametrize("data", NOT_TAKEN, ids=lambda data: repr(data[:12]))
def test_everything_else_is_not_taken(data: bytes) -> None:
    assert inspected(data) == WhyRefused.KIND_NOT_TAKEN


@pytest.mark.parametrize("data", [png(), GIF, JPEG, PDF, MP4], ids=["png", "gif", "jpeg", "pdf", "mp4"])
def test_a_file_that_is_an_archive_too_is_refused(data: bytes) -> None:
    assert inspected(data + ZIP) == WhyRefused.TWO_FILES_IN_ONE
    assert inspected(data.replace(b"%%EOF", b"PK\x05\x06 somewhere %%EOF")) != WhyRefused.TWO_FILES_IN_ONE


def test_a_picture_that_is_cut_short_or_has_something_behind_it_is_damaged() -> None:
    assert inspected(png()[:-1]) == WhyRefused.DAMAGED
    assert inspected(png() + b"<script>") == WhyRefused.DAMAGED
    assert inspected(png(0, 5)) == WhyRefused.DAMAGED


@pytest.mark.parametrize(
    ("data", "pixels"),
    [(png(7, 9), 63), (GIF, 6), (JPEG, 0x10 * 0x20), (WEBP, 16 * 32)],
    ids=["png", "gif", "jpeg", "webp"],
)
def test_the_size_of_a_picture_is_read_from_its_beginning(data: bytes, pixels: int) -> None:
    media = media_of(data)
    assert media is not None
    assert pixels_of(data, media) == pixels


def test_a_picture_of_a_hundred_megapixels_is_the_largest() -> None:
    assert inspected(png(10_000, 10_000)) == "image/png"
    assert inspected(png(10_000, 10_001)) == WhyRefused.TOO_MANY_PIXELS
    assert inspected(png(0xFFFFFFFF, 0xFFFFFFFF)) == WhyRefused.TOO_MANY_PIXELS


def test_a_claim_may_be_silent_or_right_but_not_wrong() -> None:
    assert inspected(png(), "application/octet-stream") == "image/png"
    assert inspected(png(), "IMAGE/JPEG; x=y") == "image/png"
    assert inspected(png(), "application/pdf") == WhyRefused.NOT_WHAT_IT_CLAIMS
    assert inspected(PDF, "image/png") == WhyRefused.NOT_WHAT_IT_CLAIMS
    assert inspected(MAIL, "text/plain") == "message/rfc822"


def test_text_is_looked_at_to_its_end() -> None:
    long = "卡".encode() * 30_000
    assert inspected(long) == "text/plain"
    assert inspected(long + b"\xff") == WhyRefused.KIND_NOT_TAKEN
    assert inspected(long[:-1]) == WhyRefused.KIND_NOT_TAKEN
    assert inspected(long + b"\x00") == WhyRefused.KIND_NOT_TAKEN
    assert inspected(MAIL + b"\x00") == WhyRefused.DAMAGED
