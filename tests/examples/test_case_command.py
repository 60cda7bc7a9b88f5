"""`fairkey case` as it is typed: what it prints for people and programs, its exit codes, its refusals."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from case_world import a_case, picture
from fairkey.casework.arrivals import inspect
from fairkey.casework.model import CaseFile, FactKind, ProposedFact, Region
from fairkey.casework.reading import FileRead
from fairkey.casework.running import run_case
from fairkey.cli import root
from tsa_world import LocalTsa, needs_openssl, served


def typed(*words: str | Path) -> Result:
    machine = CliRunner(env={"FAIRKEY_TSA_URLS": "", "FAIRKEY_TSA_ROOTS": "", "FAIRKEY_LANG": "en"})
    return machine.invoke(root, [str(one) for one in words])


def figures(*words: str | Path, code: int = 0) -> dict[str, Any]:
    done = typed(*words, "--json")
    assert done.exit_code == code, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(name="files")
def _files(tmp_path: Path) -> Path:
    place = tmp_path / "in"
    place.mkdir()
    (place / "a.png").write_bytes(picture())
    (place / "b.txt").write_text("2026-11-20 客服：不退不换", encoding="utf-8")
    return place


def test_from_new_to_a_pack_that_verifies(tmp_path: Path, files: Path) -> None:
    case, pack = tmp_path / "case", tmp_path / "pack"
    figures("case", "new", case, "--title", "t", "--problem", "already_used")
    assert len(figures("case", "add", case, files, "--offline", "--how", "screenshot")["added"]) == 2
    assert all(one["is_known"] for one in figures("case", "add", case, files, "--offline")["added"])
    assert len(figures("case", "show", case)["files"]) == 2
    assert figures("case", "seal", case, code=3) == {"stamps": [], "entries": [], "waiting": 2}
    assert figures("case", "verify", case)["holds"]
    made = figures("case", "pack", case, "-o", pack)
    assert made["exhibits"] == 2
    for target in (pack, tmp_path / "pack.zip"):
        assert figures("verify", target)["verdict"] == "holds"
    (pack / "letter.pdf").write_bytes(b"x")
    assert figures("verify", pack, code=1)["verdict"] == "does not hold"


def test_folder_in_pack_out(tmp_path: Path, files: Path) -> None:
    (files / "link").symlink_to(files / "a.png")
    done = figures("case", "run", files, "-o", tmp_path / "pack", "--offline", code=1)
    assert done["exhibits"] == 2
    assert done["refused"] == [{"name": "link", "sentence": "link is a link: name the file itself."}]
    assert (tmp_path / "pack.zip").is_file()
    assert figures("case", "verify", tmp_path / "pack-case")["holds"]


def test_copies_of_a_picture_fold_on_the_way_to_a_pack(tmp_path: Path) -> None:
    pictures = tmp_path / "in"
    pictures.mkdir()
    Image.linear_gradient("L").rotate(90).save(pictures / "a.png")
    Image.linear_gradient("L").rotate(90).resize((200, 200)).save(pictures / "b.png")
    Image.linear_gradient("L").rotate(270).save(pictures / "c.png")
    folder = a_case(tmp_path / "case")

    def reader(_: Path, file: CaseFile) -> FileRead:
        paid = FactKind.AMOUNT
        fact = ProposedFact(
            file=file.seal.sha256, kind=paid, value=12_800, region=Region(), confidence=0.9, text="¥128.00"
        )
        return FileRead((fact,))

    ran = run_case(folder, pictures, tmp_path / "pack", now_ms=lambda: 1, look=inspect, reader=reader, writer=None)
    assert ran.proposed == 3
    sha256 = {one.name: one.seal.sha256 for one in folder.read().files}
    assert {one.name: one.near_duplicate_of for one in folder.read().files} == {
        "a.png": "",
        "b.png": sha256["a.png"],
        "c.png": "",
    }


@needs_openssl
def test_stamps_that_were_missing_come_later(tmp_path: Path, files: Path) -> None:
    tsa = LocalTsa(tmp_path / "tsa")
    roots = tmp_path / "tsa" / "root.pem"
    case = tmp_path / "case"
    figures("case", "new", case)
    away = figures("case", "add", case, files, "--tsa", "one=http://127.0.0.1:1/", "--tsa-roots", roots)
    assert "cannot be reached" in away["stamps"][0]["refused"]
    with served(lambda body: (200, tsa.reply(body))) as url:
        assert figures("case", "seal", case, "--tsa", f"one={url}", "--tsa-roots", roots)["waiting"] == 0
    assert figures("case", "verify", case, "--tsa-roots", roots)["holds"]


def test_refusals_are_sentences_and_objects(tmp_path: Path, files: Path) -> None:
    none = typed("case", "show", tmp_path / "none")
    assert none.exit_code == 1
    assert "holds no case" in none.stderr
    assert figures("case", "show", tmp_path / "none", code=1)["refused"] == "CaseIsMissing"
    assert figures("case", "new", files, code=1)["refused"] == "FolderIsTaken"
    figures("case", "new", tmp_path / "case")
    assert typed("case", "seal", tmp_path / "case", "--tsa", "http://x.example/").exit_code == 2
    figures("case", "add", tmp_path / "case", files / "a.png", "--offline")
    assert typed("case", "seal", tmp_path / "case", "--tsa", "http://x.example/").exit_code == 2
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "x").write_text("x")
    assert (
        "no pack of this case"
        in figures("case", "pack", tmp_path / "case", "-o", tmp_path / "other", code=1)["sentence"]
    )
    assert "open in this case" in figures("case", "record", tmp_path / "case", "--stop", "X", code=1)["sentence"]


def test_a_recording_is_guided_in_the_language_of_the_person(tmp_path: Path) -> None:
    figures("case", "new", tmp_path / "case")
    assert "口令" in typed("case", "record", tmp_path / "case", "--lang", "zh").stdout
    assert "Word: " in typed("case", "record", tmp_path / "case").stdout
    begun = figures("case", "record", tmp_path / "case")
    assert figures("case", "record", tmp_path / "case", "--stop", begun["nonce"])["ended_at_ms"]
