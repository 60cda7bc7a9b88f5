"""What comes into a case: every file told by its bytes, the hostile ones with a sentence, none lost, none opened."""

import errno
import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from case_world import BEGAN_MS, a_case, given, huge_png, picture, zipped
from fairkey.casework.arrivals import Arrival
from fairkey.casework.checking import BAD, check_case
from fairkey.casework.copying import Copying
from fairkey.casework.disk import FileIsRefused
from fairkey.casework.folder import CaseFolder
from fairkey.casework.hashing import LONG_BYTES, digest
from fairkey.casework.model import Capture
from fairkey.casework.sealing import add_bytes, add_file, files_below
from fairkey.casework.stamping import close_list


def added(folder: CaseFolder, source: Path) -> dict[str, str]:
    return add_file(folder, source, Capture(), at_ms=BEGAN_MS).file.checks


@pytest.mark.parametrize(
    ("name", "data", "media_type", "word"),
    [
        ("a.png", picture(), "image/png", ""),
        ("a.jpg", picture(kind="JPEG"), "image/jpeg", ""),
        ("png-as.jpg", picture(), "image/png", ""),
        ("broken.png", picture()[:40], "image/png", ""),
        ("cut.png", b"\x89PNG\r\n\x1a\nxx", "image/png", "broken"),
        ("huge.png", huge_png(), "image/png", "far too large"),
        ("large.png", huge_png(9000, 9000), "image/png", "9000 × 9000"),
        ("thin.png", huge_png(70_000, 2), "image/png", "70000 × 2"),
        ("a.pdf", b"%PDF-1.4\n1 0 obj<</S/JavaScript/JS(app.alert(1))>>", "application/pdf", "scripts"),
        ("b.pdf", b"%PDF-1.4\n1 0 obj<</S/J#61vaScript>>", "application/pdf", "scripts"),
        ("c.pdf", b"%PDF-1.4\n<</S/Launch/F(cmd.exe)>>", "application/pdf", "start a program"),
        ("bomb.zip", zipped({"zeros": b"\0" * 8_000_000}), "application/zip", "too tightly"),
        ("many.zip", zipped({f"{one}": b"" for one in range(5_001)}), "application/zip", "5,001 files"),
        ("bad.zip", b"PK\x03\x04" + b"\0" * 50, "application/zip", "broken"),
        ("dots.zip", zipped({"../../etc/passwd": b"x"}), "application/zip", "not unpacked"),
        ("a.heic", b"\0\0\0\x18ftypheic" + b"\0" * 20, "image/heic", "save a copy"),
        ("a.mp4", b"\0\0\0\x18ftypmp42" + b"\0" * 20, "video/mp4", ""),
        ("a.txt", "中文".encode("gb18030"), "text/plain", ""),
        ("a.eml", b"From: a@b.c\r\nReceived: x\r\n\r\nhi", "message/rfc822", ""),
        ("noname", b"Received: x\r\nFrom: a@b.c\r\nSubject: y\r\n\r\nhi", "message/rfc822", ""),
        ("a.bin", b"\0\1\2", "application/octet-stream", ""),
        ("empty.png", b"", "text/plain", "empty"),
        ("poly.gif", b"GIF89a/*<html><script>", "image/gif", "broken"),
        ("evil.svg", b"<svg xmlns='x'><script>1</script></svg>", "text/plain", ""),
    ],
)
def test_a_file_is_told_by_its_bytes_and_what_is_wrong_is_said(
    tmp_path: Path, name: str, data: bytes, media_type: str, word: str
) -> None:
    folder = a_case(tmp_path / "case")
    file = given(folder, name, data).file
    assert file.media_type == media_type
    assert word in " ".join(file.checks.values())
    assert folder.original(file).read_bytes() == data  # whatever it is, it is kept as it came
    assert file.seal.sha256 == hashlib.sha256(data).hexdigest()
    assert file.seal.sha512 == hashlib.sha512(data).hexdigest()


def test_links_pipes_devices_and_folders_are_refused_with_a_sentence(tmp_path: Path) -> None:
    folder = a_case(tmp_path / "case")
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    os.mkfifo(tmp_path / "pipe")
    for source, word in [
        (tmp_path / "link", "is a link"),
        (tmp_path / "pipe", "no ordinary file"),
        (Path("/dev/zero"), "no ordinary file"),
        (tmp_path, "no ordinary file"),
        (tmp_path / "none", "is not there"),
        (tmp_path / "nul\0", "cannot be opened"),
    ]:
        with pytest.raises(FileIsRefused, match=word):
            added(folder, source)
    assert folder.read().files == ()
    assert list(folder.originals.iterdir()) == []


def test_the_same_bytes_under_another_name_are_the_same_file(tmp_path: Path) -> None:
    folder = a_case(tmp_path / "case")
    first, again = given(folder, "a.png", picture()), given(folder, "b.png", picture())
    assert (first.is_known, again.is_known) == (False, True)
    assert again.file == first.file
    assert [one.act for one in folder.acts()][-1] == "file.seen_again"
    assert len(list(folder.originals.iterdir())) == 1


def test_a_source_stays_as_it_is_and_says_when_it_was_made(tmp_path: Path) -> None:
    folder = a_case(tmp_path / "case")
    source = tmp_path / "a.txt"
    source.write_text("hello")
    os.utime(source, (1_700_000_000, 1_700_000_000))
    file = add_file(folder, source, Capture(who="me", how="export"), at_ms=BEGAN_MS).file
    assert source.read_text() == "hello"
    assert file.capture.made_at_ms == 1_700_000_000_000
    assert {"system", "software", "clock"} <= set(file.capture.environment)


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path: Path) -> None:
    folder = a_case(tmp_path / "case")
    source = tmp_path / "recording.mp4"
    source.write_bytes(b"x" * 100)

    def write_more(_: int) -> None:
        with source.open("ab") as file:
            file.write(b"y")

    with pytest.raises(FileIsRefused, match="still being written"):
        add_file(folder, source, Capture(), at_ms=BEGAN_MS, on_progress=write_more)
    assert list(folder.originals.iterdir()) == []


def test_a_folder_is_walked_in_order_without_links_hidden_files_cases_and_packs(tmp_path: Path) -> None:
    source = tmp_path / "in"
    (source / "b").mkdir(parents=True)
    for name in ("z.txt", "a.txt", "b/c.txt", ".hidden", "Thumbs.db"):
        (source / name).write_text(name)
    (source / "loop").symlink_to(source)
    given(a_case(source / "case"), "a.txt", b"a")
    assert [one.relative_to(source).as_posix() for one in files_below(source)] == ["a.txt", "b/c.txt", "loop", "z.txt"]


def test_the_second_digest_of_a_long_file_is_what_standard_tools_say(tmp_path: Path) -> None:
    path = tmp_path / "long"
    path.write_bytes(os.urandom(3 * 4096 + 5))
    with path.open("rb", buffering=0) as file:
        found = digest(file, piece_bytes=4096)
    command = 'split -b 4096 --filter=sha512sum "$0" | cut -c1-128 | sha512sum'
    said = subprocess.run(["sh", "-c", command, str(path)], capture_output=True, text=True, check=True).stdout
    assert found.sha512 == said.split()[0]
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (found.size_bytes, found.piece_bytes) == (3 * 4096 + 5, 4096)


def sparse(path: Path, size_bytes: int) -> Path:
    """A file of so many bytes, zeros but for both ends, that takes no room on the disk."""
    with path.open("wb") as file:
        file.write(b"begin")
        file.truncate(size_bytes - 3)
        file.seek(0, os.SEEK_END)
        file.write(b"end")
    return path


def test_a_long_recording_is_sealed_by_sha256_alone_and_holds_everywhere(tmp_path: Path) -> None:
    folder = a_case(tmp_path / "case")
    source = sparse(tmp_path / "long.bin", LONG_BYTES + 1)
    heard: list[int] = []
    file = add_file(folder, source, Capture(), at_ms=BEGAN_MS, on_progress=heard.append).file
    with source.open("rb") as stream:
        assert file.seal.sha256 == hashlib.file_digest(stream, "sha256").hexdigest()
    assert (file.seal.sha512, file.seal.sha512_piece_bytes, heard[-1]) == ("", 0, LONG_BYTES + 1)
    close_list(folder, at_ms=BEGAN_MS + 1)
    assert [one for one in check_case(folder) if one.state == BAD] == []
    assert add_file(folder, sparse(tmp_path / "short.bin", LONG_BYTES), Capture(), at_ms=BEGAN_MS).file.seal.sha512


@pytest.mark.parametrize("answer", [errno.EXDEV, errno.ENOSYS, 0])
def test_where_the_system_does_not_copy_by_itself_the_bytes_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: int
) -> None:
    data = os.urandom(300_000)
    (tmp_path / "a.bin").write_bytes(data)

    def refuse(*_: int) -> int:
        if answer:
            raise OSError(answer, "not here")
        return 0

    monkeypatch.setattr(os, "copy_file_range", refuse, raising=False)
    folder = a_case(tmp_path / "case")
    file = add_file(folder, tmp_path / "a.bin", Capture(), at_ms=BEGAN_MS).file
    assert folder.original(file).read_bytes() == data
    assert file.seal.sha256 == hashlib.sha256(data).hexdigest()


def test_what_is_hashed_stands_in_the_copy_even_if_the_source_changes_behind_the_back(tmp_path: Path) -> None:
    """Somebody writes into the original, and puts its time back, between the copying and the hashing."""
    source = tmp_path / "a.bin"
    source.write_bytes(b"a" * 3_000_000)
    place = tmp_path / "copy"
    with source.open("rb", buffering=0) as file, place.open("x+b", buffering=0) as copy, Copying(file, copy) as copied:
        buffer = bytearray(1_000_000)
        copied.readinto(memoryview(buffer))
        source.write_bytes(b"b" * 3_000_000)
        found = digest(copied, wants_sha512=False)
    kept = place.read_bytes()
    assert kept[:1_000_000] == bytes(buffer)
    assert found.sha256 == hashlib.sha256(kept[1_000_000:]).hexdigest()


def test_a_disk_that_fails_behind_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    folder = a_case(tmp_path / "case")
    source = sparse(tmp_path / "long.bin", 33 * 1024 * 1024)
    monkeypatch.setattr(os, "fdatasync", fail)
    with pytest.raises(FileIsRefused, match="cannot be kept"):
        add_file(folder, source, Capture(), at_ms=BEGAN_MS)
    assert list(folder.originals.iterdir()) == []
    assert folder.read().files == ()


def test_a_file_on_which_the_looking_fails_is_sealed_all_the_same(tmp_path: Path) -> None:
    folder = a_case(tmp_path / "case")

    def look(path: Path, name: str) -> Arrival:
        raise ZeroDivisionError

    file = add_bytes(folder, "a.png", picture(), Capture(), at_ms=BEGAN_MS, look=look).file
    assert file.checks == {"reading": "it could not be looked into (ZeroDivisionError)"}
    assert folder.original(file).read_bytes() == picture()


def test_a_file_that_is_given_away_moves_and_is_not_gone_before_the_case_has_it(tmp_path: Path) -> None:
    folder = a_case(tmp_path / "case")
    source = tmp_path / "recording.mp4"
    source.write_bytes(b"x" * 100)
    inode = source.stat().st_ino
    file = add_file(folder, source, Capture(), at_ms=BEGAN_MS, gives=True).file
    assert not source.exists()
    place = folder.original(file)
    assert (place.read_bytes(), place.stat().st_ino, place.stat().st_nlink) == (b"x" * 100, inode, 1)
    assert [one.name for one in folder.originals.iterdir()] == [place.name]
    assert file.seal.sha256 == hashlib.sha256(b"x" * 100).hexdigest()

    source.write_bytes(b"y")
    with pytest.raises(FileIsRefused, match="still being written"):
        add_file(folder, source, Capture(), at_ms=BEGAN_MS, gives=True, on_progress=lambda _: source.write_bytes(b"zz"))
    assert source.read_bytes() == b"zz"
