"""A case in a folder: its journal is what counts, its originals are never touched, no stranger's path is followed."""

import hashlib
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import structs

from case_world import BEGAN_MS, a_case, given
from fairkey.casework.checking import BAD, LEFT, check_case
from fairkey.casework.disk import FileIsRefused
from fairkey.casework.folder import CaseFolder, CaseIsDamaged, CaseIsMissing, FolderIsTaken, safe_name
from fairkey.casework.model import Case


def states(folder: CaseFolder) -> dict[str, str]:
    return {one.step: one.state for one in check_case(folder)}


def titled(title: str) -> Callable[[Case], Case]:
    return lambda case: structs.replace(case, title=title)


def test_a_change_is_an_act_that_names_the_one_before(tmp_path: Path) -> None:
    folder = a_case(tmp_path / "case")
    folder.change("title.set", titled("one"), at_ms=BEGAN_MS + 1)

    assert folder.read().title == "one"
    assert folder.read().revision == 1
    lines = folder.journal.read_bytes().splitlines()
    assert [json.loads(line)["act"] for line in lines] == ["case.began", "title.set"]
    assert json.loads(lines[1])["prev"] == hashlib.sha256(lines[0]).hexdigest()


def test_an_act_that_changes_nothing_is_only_noted(tmp_path: Path) -> None:
    folder = a_case(tmp_path / "case")
    folder.note("pack.made", at_ms=BEGAN_MS + 1, facts={"n": 1})
    assert folder.read().revision == 0
    assert folder.acts()[-1].facts == {"n": 1}


def test_a_case_json_that_is_behind_is_not_believed(tmp_path: Path) -> None:
    folder = a_case(tmp_path / "case")
    old = folder.document.read_bytes()
    folder.change("title.set", titled("new"), at_ms=BEGAN_MS + 1)
    folder.document.write_bytes(old)

    assert folder.read().title == "new"
    assert states(folder)["case"] == LEFT


def test_a_case_json_changed_by_hand_is_kept_beside_and_put_right(tmp_path: Path) -> None:
    folder = a_case(tmp_path / "case", title="mine")
    folder.document.write_bytes(folder.document.read_bytes().replace(b"mine", b"his"))
    assert states(folder)["case"] == BAD

    folder.note("looked", at_ms=BEGAN_MS + 1, facts={})

    assert folder.read().title == "mine"
    (kept,) = folder.path.glob("case-changed-by-hand-*.json")
    assert b"his" in kept.read_bytes()


@pytest.mark.parametrize("torn", [b'{"no":2,"act', b"{}", b"\x00" * 500])
def test_a_line_that_was_being_written_does_not_count_and_is_written_over(tmp_path: Path, torn: bytes) -> None:
    folder = a_case(tmp_path / "case")
    with folder.journal.open("ab") as file:
        file.write(torn)
    assert folder.read().case_id
    folder.note("looked", at_ms=BEGAN_MS + 1, facts={})
    assert [one.act for one in folder.acts()] == ["case.began", "looked"]


@pytest.mark.parametrize(("old", "new"), [(b"title.set", b"title.sat"), (b'"no":2', b'"no":3'), (b"one", b"two")])
def test_a_journal_that_was_edited_is_found_out(tmp_path: Path, old: bytes, new: bytes) -> None:
    folder = a_case(tmp_path / "case")
    for title in ("one", "last"):
        folder.change("title.set", titled(title), at_ms=BEGAN_MS + 1)
    folder.journal.write_bytes(folder.journal.read_bytes().replace(old, new, 1))
    with pytest.raises(CaseIsDamaged, match=r"Line 2|does not follow|lead"):
        folder.acts()
    assert states(folder) == {"journal": BAD}


def test_an_original_that_was_changed_is_named(tmp_path: Path) -> None:
    folder = a_case(tmp_path / "case")
    file = given(folder, "a.txt", b"hello").file
    place = folder.original(file)
    assert stat.S_IMODE(place.stat().st_mode) == 0o444
    place.chmod(0o644)
    place.write_bytes(b"hellO")
    (found,) = [one for one in check_case(folder) if one.step == "originals"]
    assert (found.state, found.details) == (BAD, (f"{file.path} is not the file that was sealed",))


def test_a_folder_with_other_things_is_no_place_for_a_case(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("mine")
    with pytest.raises(FolderIsTaken):
        a_case(tmp_path)
    with pytest.raises(FolderIsTaken):
        a_case(tmp_path / "x")
    a_case(tmp_path / "case")
    with pytest.raises(FolderIsTaken):
        a_case(tmp_path / "case")
    with pytest.raises(CaseIsMissing):
        CaseFolder(tmp_path / "none").read()


@pytest.mark.parametrize(
    "path", ["originals/../case.json", "/etc/passwd", "originals/..", "originals/a/b", "case.json"]
)
def test_a_case_that_names_a_place_outside_its_originals_is_not_followed(tmp_path: Path, path: str) -> None:
    folder = a_case(tmp_path / "case")
    file = structs.replace(given(folder, "a.txt", b"x").file, path=path)
    with pytest.raises(FileIsRefused):
        folder.original(file)


def test_a_journal_that_is_a_link_or_a_pipe_is_not_read(tmp_path: Path) -> None:
    folder = a_case(tmp_path / "case")
    moved = tmp_path / "elsewhere"
    folder.journal.rename(moved)
    folder.journal.symlink_to(moved)
    with pytest.raises(CaseIsMissing):
        folder.read()
    folder.journal.unlink()
    os.mkfifo(folder.journal)
    with pytest.raises(CaseIsMissing):
        folder.read()


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\x\\y.png", "y.png"),
        (".hidden", "hidden"),
        ("聊天 记录（1）.png", "聊天_记录（1）.png"),
        ("a\x00b\n\u202egnp.exe", "abgnp.exe"),
        ("x" * 300 + ".jpeg", "x" * 60 + ".jpeg"),
        ("...", "file"),
        ("-rf *", "-rf__"),
    ],
)
def test_names_of_originals_lead_nowhere(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_every_field_of_a_case_comes_back_through_the_journal(tmp_path: Path) -> None:
    folder = a_case(tmp_path / "case", title="x")
    given(folder, "a.txt", b"a")
    given(folder, "b.txt", b"b")
    before = folder.read()
    folder.document.unlink()
    assert folder.read() == before
    assert isinstance(before, Case)
