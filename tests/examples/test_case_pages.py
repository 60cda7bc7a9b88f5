"""Saved pages are read for their words, whatever is wrong with them; recordings get a word and two moments."""

import base64
import gzip
import hashlib
import json
from pathlib import Path

import pytest

from case_world import BEGAN_MS, a_case, given, huge_png, picture, zipped
from fairkey.casework import pages
from fairkey.casework.arrivals import inspect
from fairkey.casework.model import FactKind
from fairkey.casework.pages import Page, Pictures, page_of_html, pictures_of, read_page
from fairkey.casework.reading import propose, read_file, sources
from fairkey.casework.readings import read_case
from fairkey.casework.recording_guide import LETTERS, NoRecordingBegan, begin, end, recordings

CORPUS = Path(__file__).parent.parent / "corpus" / "cases"
HTML = (
    "<!doctype html><title>订单详情</title><style>p{}</style><script>var a='不是文字'</script>"
    "<p>订单号 <b>123</b></p><div>金额 ￥268.50</div>"
).encode()


def read(tmp_path: Path, name: str, data: bytes) -> Page:
    place = tmp_path / name
    place.write_bytes(data)
    return read_page(place, inspect(place, name).media_type)


def a_wacz(page: bytes, *pictures: bytes, lies: bool = False) -> bytes:
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + page
    shown = [b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n" + one for one in pictures]
    records = []
    for kind, body in (("warcinfo", b"software: x\r\n"), ("response", answer), *(("response", one) for one in shown)):
        head = f"WARC/1.1\r\nWARC-Type: {kind}\r\nWARC-Target-URI: https://shop.example/1\r\n"
        head += f"Content-Length: {len(body)}\r\n\r\n"
        records.append(gzip.compress(head.encode() + body + b"\r\n\r\n"))
    warc = b"".join(records)
    digest = hashlib.sha256(warc + (b"x" if lies else b"")).hexdigest()
    package = {"resources": [{"path": "archive/data.warc.gz", "hash": f"sha256:{digest}"}]}
    return zipped({"datapackage.json": json.dumps(package).encode(), "archive/data.warc.gz": warc})


def test_words_of_a_page_without_what_no_reader_sees(tmp_path: Path) -> None:
    page = read(tmp_path, "a.html", HTML)
    assert (page.title, page.text) == ("订单详情", "订单号 123\n金额 ￥268.50")


def test_the_charset_that_a_page_names_is_believed_when_it_fits() -> None:
    assert page_of_html('<meta charset="gbk"><p>中文'.encode("gbk")).text == "中文"
    assert page_of_html('<meta charset="nonsense"><p>中文'.encode()).text == "中文"


def test_an_mhtml_tells_its_address(tmp_path: Path) -> None:
    data = (
        b"From: <Saved by Blink>\r\nSnapshot-Content-Location: https://shop.example/1\r\n"
        b'MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        + HTML
        + b"\r\n--b--\r\n"
    )
    page = read(tmp_path, "a.mhtml", data)
    assert page.url == "https://shop.example/1"
    assert "金额 ￥268.50" in page.text
    assert page.checks == {"page": "订单详情 <https://shop.example/1>"}


def an_mhtml(page: bytes, *pictures: bytes) -> bytes:
    parts = [b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + page]
    head = b"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    parts += [head + base64.encodebytes(one) for one in pictures]
    begin = b'MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary="b"\r\n\r\n'
    return begin + b"".join(b"--b\r\n" + one + b"\r\n" for one in parts) + b"--b--\r\n"


def kept(tmp_path: Path, name: str, data: bytes) -> Path:
    (tmp_path / name).write_bytes(data)
    return tmp_path / name


def test_pictures_of_an_archive_are_told_by_their_bytes_each_once(tmp_path: Path) -> None:
    one, other = noise(200), noise(220)
    for name, kind, data in (
        ("a.mhtml", "multipart/related", an_mhtml(HTML, one, other, one, b"no picture" * 500)),
        ("a.wacz", "application/wacz", a_wacz(HTML, one, other, one, b"no picture" * 500)),
    ):
        assert pictures_of(kept(tmp_path, name, data), kind) == Pictures((one, other), 0)
        assert read_page(tmp_path / name, kind).title == "订单详情"


def test_pictures_beyond_the_bounds_are_counted_and_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = noise(200), noise(220)
    path = kept(tmp_path, "a.mhtml", an_mhtml(HTML, one, other))
    monkeypatch.setattr(pages, "_PICTURES_BYTES_MAX", len(one) + 10)
    assert pictures_of(path, "multipart/related") == Pictures((one,), 1)
    monkeypatch.setattr(pages, "_PICTURE_BYTES", range(1_024, len(one)))
    assert pictures_of(path, "multipart/related") == Pictures((), 2)
    monkeypatch.setattr(pages, "_PARTS_BYTES_MAX", 10)
    assert pictures_of(kept(tmp_path, "a.wacz", a_wacz(HTML, one)), "application/wacz") == Pictures((), 0)


def noise(side: int) -> bytes:
    """A picture that does not shrink."""
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.effect_noise((side, side), 90).save(out, "PNG")
    return out.getvalue()


def test_what_stands_in_a_picture_of_a_page_is_proposed_at_its_place_in_that_picture(tmp_path: Path) -> None:
    shot = (CORPUS / "01" / "order.png").read_bytes()
    icon = picture(30, 30) + b"\0" * 2_000
    data = an_mhtml(HTML, icon, shot, picture()[:60] + b"\0" * 2_000, huge_png() + b"\0" * 2_000)
    told = read_file(kept(tmp_path, "a.mhtml", data), "ab" * 32, "multipart/related")
    amounts = [one for one in told.facts if one.kind is FactKind.AMOUNT and one.region.end]
    assert [one.value for one in amounts] == [26_850]
    alone = read_file(kept(tmp_path, "order.png", shot), "ab" * 32, "image/png").facts
    seen = [one for one in told.facts if one.region.width]
    assert [(one.kind, one.value) for one in seen] == [(one.kind, one.value) for one in alone]
    assert {one.region.page for one in seen} == {1}
    assert told.note == "2 of the pictures in it were not read: broken, too large, or more than 12"


def test_more_pictures_than_are_read_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "PAGE_PICTURES_MAX", 1)
    folder = a_case(tmp_path / "case")
    file = given(folder, "a.wacz", a_wacz(HTML, noise(200), noise(220), noise(240)), "page").file
    told = propose(folder.original(file), file)
    assert told.note.startswith("2 of the pictures in it were not read")
    read_case(folder, propose, version="1", budget_s=1, at_ms=lambda: BEGAN_MS)
    assert folder.read().files[0].checks["partly"] == told.note


def test_a_wacz_is_read_and_its_own_digests_are_compared(tmp_path: Path) -> None:
    page = read(tmp_path, "a.wacz", a_wacz(HTML))
    assert (page.url, page.title) == ("https://shop.example/1", "订单详情")
    assert "archive" not in page.checks
    assert "archive" in read(tmp_path, "b.wacz", a_wacz(HTML, lies=True)).checks


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("deep.html", b"<div>" * 200_000 + b"x"),
        ("open.html", b"<p" * 100_000),
        ("entity.html", b"<p>" + b"&#x110000;&" * 10_000),
        ("parts.mhtml", b"Content-Type: multipart/related; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 5_000),
        ("bad.wacz", zipped({"datapackage.json": b"[", "archive/x.warc.gz": b"x"})),
        ("none.wacz", zipped({"datapackage.json": b'{"resources":[]}', "archive/x.warc.gz": b"\x1f\x8bxx"})),
        (
            "bomb.wacz",
            zipped({"datapackage.json": b'{"resources":[]}', "archive/x.warc.gz": gzip.compress(b"\0" * 10**8)}),
        ),
    ],
)
def test_a_page_built_to_harm_is_told_and_raises_nothing(tmp_path: Path, name: str, data: bytes) -> None:
    page = read(tmp_path, name, data)
    assert len(page.text) <= 400_000


def test_a_recording_has_a_word_a_begin_and_an_end(tmp_path: Path) -> None:
    folder = a_case(tmp_path / "case")
    one = begin(folder, at_ms=BEGAN_MS + 1)
    assert len(one.nonce) == 8
    assert set(one.nonce) <= set(LETTERS)
    assert begin(folder, at_ms=BEGAN_MS + 2).nonce != one.nonce
    assert end(folder, one.nonce.lower(), at_ms=BEGAN_MS + 9).ended_at_ms == BEGAN_MS + 9
    assert [(each.began_at_ms, each.ended_at_ms) for each in recordings(folder)] == [
        (BEGAN_MS + 1, BEGAN_MS + 9),
        (BEGAN_MS + 2, 0),
    ]
    for nonce in (one.nonce, "NOTHING1"):
        with pytest.raises(NoRecordingBegan):
            end(folder, nonce, at_ms=BEGAN_MS + 10)
