"""Packs: what is in them, that they are the same each time, that any change is seen, and that a stranger can check them
with `sha256sum` and `openssl` alone.
"""

import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import pypdfium2
import pytest
from msgspec import structs

from case_world import BEGAN_MS, a_case, given, huge_png, picture
from fairkey.casework.folder import CaseFolder
from fairkey.casework.model import Case, ConfirmedFact, FactKind, FactRole, Problem, ProposedFact, Purchase, Region
from fairkey.casework.pack.checking import PackIsUnreadable, check_pack, is_pack
from fairkey.casework.pack.letter_like import PlainLetter, Section
from fairkey.casework.pack.making import PackIsRefused, letter_pdf, make_pack
from fairkey.casework.pack.masks import Masks
from fairkey.casework.stamping import Authority, close_list, stamp_lists
from fairkey.proofs.timestamps import read_roots
from tsa_world import LocalTsa, needs_openssl

CODE = "ABCD-EFGH-IJKL-MNOP"
HOSTILE = '#include "/etc/passwd" #image("x") $x$ \\u{1F600} <script>alert(1)</script> {{7*7}} 😀𠮷 ' + "q" * 400


def a_full_case(place: Path) -> CaseFolder:
    folder = a_case(place, title="激活码已被使用", problem=Problem.ALREADY_USED)
    first = given(folder, "订单 13912345678.png", picture(400, 800)).file
    given(folder, "long.jpg", picture(300, 3000, "JPEG"))
    given(folder, "broken.png", b"\x89PNG\r\n\x1a\nxx")
    given(folder, "huge.png", huge_png())
    chat = given(folder, "聊天.txt", f"10:00 码 {CODE}，手机 13812345678\n{HOSTILE}\n".encode(), "export").file
    given(folder, "evil.pdf", b"%PDF-1.4\n1 0 obj<</S/JavaScript/JS(1)>>", "export")
    facts = (
        ConfirmedFact(fact_id="1", kind=FactKind.ORDER_NUMBER, value="1", files=(first.seal.sha256,)),
        ConfirmedFact(fact_id="2", kind=FactKind.CODE, value=CODE, files=(chat.seal.sha256,)),
        ConfirmedFact(
            fact_id="3",
            kind=FactKind.TIME,
            value="2026-11-20T10:00:00+08:00",
            role=FactRole.PAID,
            files=(first.seal.sha256,),
        ),
    )
    read = tuple(
        ProposedFact(
            file=chat.seal.sha256,
            kind=FactKind.TIME,
            value=f"2026-11-21T{hour:02}:00:00+08:00",
            region=Region(),
            confidence=0.9,
            text=f"<消息 & {hour}> {HOSTILE}",
        )
        for hour in range(20)
    )

    def edit(case: Case) -> Case:
        bought = Purchase(shop=HOSTILE, order_number="202611200000123456", amount_fen=26_850)
        return structs.replace(case, facts=facts, proposed=read, purchase=bought, account=HOSTILE)

    folder.change("facts.confirmed", edit, at_ms=BEGAN_MS + 2000)
    close_list(folder, at_ms=BEGAN_MS + 3000)
    return folder


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> CaseFolder:
    return a_full_case(tmp_path_factory.mktemp("case") / "case")


@pytest.fixture(name="made", scope="module")
def _made(folder: CaseFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_pack(folder, tmp_path_factory.mktemp("pack") / "pack").folder


def words_of(path: Path) -> str:
    document = pypdfium2.PdfDocument(path.read_bytes())
    return "\n".join(page.get_textpage().get_text_range() for page in document)


def told(path: Path) -> dict[str, str]:
    return {one.step: one.state for one in check_pack(path)}


def test_a_pack_holds_letter_list_pictures_seals_and_instructions(made: Path) -> None:
    names = {one.relative_to(made).as_posix() for one in made.rglob("*") if one.is_file()}
    assert {"letter.pdf", "letter.docx", "evidence.pdf", "manifest.json", "SHA256SUMS", "README.txt"} <= names
    assert {"verify.html", "seals/0001/payload.json", "timeline-1.svg", "timeline-2.svg"} <= names
    assert len([one for one in names if one.startswith("evidence/")]) == 6
    manifest = json.loads((made / "manifest.json").read_bytes())
    assert [one["no"] for one in manifest["evidence"]] == [1, 2, 3, 4, 5, 6]
    assert len(manifest["not_proven"]) >= 5


def test_the_pages_are_pdf_a_with_numbers_and_every_character(made: Path) -> None:
    text = words_of(made / "evidence.pdf").replace("\r", "")
    assert "证据清单" in text
    assert "[U+1F600]" in text  # what no font can draw is named, not left out
    count = len(pypdfium2.PdfDocument((made / "evidence.pdf").read_bytes()))
    assert f"共 {count} 页" in text
    for name in ("evidence.pdf", "letter.pdf"):
        data = (made / name).read_bytes()
        assert b"<pdfaid:part>2</pdfaid:part>" in data
        assert b"/JavaScript" not in data


def test_text_is_data_and_never_markup(made: Path) -> None:
    text = words_of(made / "letter.pdf").replace("\r\n", "").replace("\u200b", "")
    assert '#include "/etc/passwd"' in text
    assert "<script>alert(1)</script>" in text
    assert "root:" not in text


def test_nothing_runs_over_the_edge_of_a_page(made: Path) -> None:
    for name in ("evidence.pdf", "letter.pdf"):
        for page in pypdfium2.PdfDocument((made / name).read_bytes()):
            picture_ = page.render(scale=0.5).to_pil().convert("L")
            width, height = picture_.size
            edge = round(width * 0.03)
            assert picture_.crop((width - edge, 0, width, height)).getextrema() == (255, 255)
            assert picture_.crop((0, 0, edge, height)).getextrema() == (255, 255)


def test_personal_data_and_codes_are_hidden_unless_asked_for(made: Path, folder: CaseFolder, tmp_path: Path) -> None:
    shown = make_pack(folder, tmp_path / "shown", shows_all=True).folder
    for name in ("evidence.pdf", "manifest.json"):
        hidden_text, shown_text = (
            words_of(one / name) if name.endswith("pdf") else (one / name).read_text() for one in (made, shown)
        )
        assert "13912345678" not in hidden_text
        assert "13912345678" in shown_text
        assert "139****5678" in hidden_text
    assert CODE not in words_of(made / "evidence.pdf")
    assert CODE in words_of(shown / "evidence.pdf")


def test_what_nobody_confirmed_is_marked(made: Path) -> None:
    assert "尚未确认" in words_of(made / "evidence.pdf")
    assert "尚未确认" in (made / "timeline-1.svg").read_text()


def test_the_same_case_gives_the_same_bytes(folder: CaseFolder, made: Path, tmp_path: Path) -> None:
    again = make_pack(folder, tmp_path / "pack")
    assert (made.parent / "pack.zip").read_bytes() == again.zip.read_bytes()
    once_more = make_pack(folder, tmp_path / "pack")  # in place of itself
    assert once_more.manifest_sha256 == again.manifest_sha256


def test_a_pack_holds_and_any_changed_file_is_seen(made: Path, tmp_path: Path) -> None:
    assert told(made) == {"manifest": "good", "evidence": "good", "lists": "good", "tokens": "left"}
    assert told(made.parent / "pack.zip") == told(made)
    for path in sorted(one for one in made.rglob("*") if one.is_file()):
        name = path.relative_to(made).as_posix()
        copy = tmp_path / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(made, copy)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        (copy / name).write_bytes(data)
        sums = subprocess.run(["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=copy, capture_output=True, check=False)
        assert sums.returncode, name
        if name not in {"manifest.json", "SHA256SUMS", "verify.html"}:
            assert "bad" in told(copy).values(), name


def test_a_missing_file_and_one_too_many(made: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(made, copy)
    (copy / "extra.txt").write_text("x")
    (found,) = [one for one in check_pack(copy) if one.step == "evidence"]
    assert found.details == ("extra.txt is not in the manifest: nothing is said about it",)
    (copy / "letter.pdf").unlink()
    assert told(copy)["evidence"] == "bad"


def test_a_link_in_a_pack_is_not_followed(made: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(made, copy)
    (copy / "letter.pdf").unlink()
    (copy / "letter.pdf").symlink_to(made / "letter.pdf")
    (found,) = [one for one in check_pack(copy) if one.step == "evidence"]
    assert found.details == ("letter.pdf is a link or lies behind one",)


def test_a_pack_made_over_a_changed_list_does_not_hold(made: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(made, copy)
    place = copy / "manifest.json"
    said = json.loads(place.read_bytes())
    said["evidence"][0]["sealed_at_ms"] -= 86_400_000
    place.write_text(json.dumps(said))
    assert told(copy)["lists"] == "bad"


@pytest.mark.parametrize(
    "names",
    [["manifest.json", "../x"], ["manifest.json", "/x"], ["manifest.json", "a\\b"], ["manifest.json", "a", "a"]],
)
def test_a_zip_with_names_that_lead_elsewhere_is_refused(tmp_path: Path, names: list[str]) -> None:
    place = tmp_path / "x.zip"
    with zipfile.ZipFile(place, "w") as archive:
        for name in names:
            with pytest.warns() if name in archive.namelist() else _nothing():
                archive.writestr(name, '{"format":"fairkey-pack/1"}')
    assert not is_pack(place)
    with pytest.raises(PackIsUnreadable):
        list(check_pack(place))


class _nothing:  # noqa: N801 - stands beside pytest.warns
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


def test_junk_is_no_pack(tmp_path: Path) -> None:
    for number, data in enumerate([b"", b"{}", b'{"format":"fairkey-pack/1"}', b"[" * 100_000, b"PK\x03\x04junk"]):
        place = tmp_path / str(number)
        place.write_bytes(data)
        assert not is_pack(place)
        folder = tmp_path / f"f{number}"
        folder.mkdir()
        (folder / "manifest.json").write_bytes(data)
        if is_pack(folder):
            assert told(folder) == {"manifest": "bad"}


def test_a_place_with_other_things_is_left_alone(folder: CaseFolder, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(PackIsRefused, match="no pack of this case"):
        make_pack(folder, tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_a_changed_original_stops_the_pack(tmp_path: Path) -> None:
    folder = a_case(tmp_path / "case")
    place = folder.original(given(folder, "a.txt", b"hello").file)
    place.chmod(0o600)
    place.write_bytes(b"other")
    with pytest.raises(PackIsRefused, match="not the file that was sealed"):
        make_pack(folder, tmp_path / "pack")
    assert not (tmp_path / "pack").exists()
    assert [one.name for one in tmp_path.iterdir()] == ["case"]


def test_letters_of_a_channel_go_in_as_they_are(folder: CaseFolder, tmp_path: Path) -> None:
    letters = [
        PlainLetter(
            f"民事起诉状{number}",
            (Section("诉讼请求", ("请求判令退还268.50元。",)),),
            {"原告": "张三"},
            addressee="某某人民法院",
        )
        for number in (1, 2)
    ]
    made = make_pack(folder, tmp_path / "pack", letters=letters).folder
    assert "请求判令退还268.50元" in words_of(made / "letter-2.pdf").replace(" ", "")
    import docx

    document = docx.Document(str(made / "letter-1.docx"))
    assert [one.text for one in document.paragraphs[:2]] == ["民事起诉状1", "某某人民法院"]
    assert 'w:eastAsia="宋体"' in document.element.xml


@pytest.mark.parametrize("lines", range(18, 32))
def test_a_signature_stands_with_its_date_and_the_last_words(lines: int) -> None:
    letter = PlainLetter("催告函", (Section("事实", tuple(f"要点{one}。" for one in range(lines))),))
    document = pypdfium2.PdfDocument(letter_pdf(letter, as_of_ms=BEGAN_MS))
    pages = [page.get_textpage().get_text_range().replace(" ", "") for page in document]
    assert [f"要点{lines - 1}。" in one for one in pages] == ["签名" in one for one in pages]
    assert ["日期" in one for one in pages] == ["签名" in one for one in pages]


@needs_openssl
def test_a_stranger_checks_a_pack_with_sha256sum_and_openssl_alone(tmp_path: Path) -> None:
    tsa = LocalTsa(tmp_path / "tsa", with_chain=True)
    roots = read_roots(tsa.root_pem)
    folder = a_case(tmp_path / "case")
    given(folder, "a.png", picture())
    close_list(folder, at_ms=BEGAN_MS)
    stamp_lists(folder, [Authority("one", "http://x")], roots, at_ms=BEGAN_MS, ask=lambda _, query: tsa.reply(query))
    made = make_pack(folder, tmp_path / "pack").folder
    (tmp_path / "ROOTS.pem").write_bytes(tsa.root_pem)

    commands = [
        line.strip() for line in (made / "README.txt").read_text().splitlines() if "openssl ts -verify -d" in line
    ]
    assert len(commands) == 1
    for command in ("sha256sum --strict -c SHA256SUMS", commands[0].replace("ROOTS.pem", "../ROOTS.pem")):
        empty = {"PATH": "/usr/bin:/bin"}
        done = subprocess.run(["sh", "-c", command], cwd=made, env=empty, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    digest = json.loads((made / "manifest.json").read_bytes())["evidence"][0]["sha256"]
    assert digest in (made / "seals/0001/payload.json").read_text()
    found = {one.step: one.state for one in check_pack(made, roots)}
    assert found == {"manifest": "good", "evidence": "good", "tokens": "good", "lists": "good"}
    stranger = LocalTsa(tmp_path / "stranger")
    assert "bad" in {one.state for one in check_pack(made, read_roots(stranger.root_pem))}


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("电话13812345678。", "电话138****5678。"),
        ("身份证11010519491231002X", "身份证110105********002X"),
        ("订单202611200000123456", "订单202611200000123456"),
        ("卡6222021234567890123", "卡622202******0123"),
        ("a.b@example.com", "a***@example.com"),
        (f"码{CODE}", "码ABCD***********MNOP"),
    ],
)
def test_masks(text: str, hidden: str) -> None:
    assert Masks([CODE])(text) == hidden
    assert Masks([CODE], is_off=True)(text) == text
