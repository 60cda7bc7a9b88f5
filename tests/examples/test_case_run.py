"""A run from a folder to a pack: interrupted and asked again it goes on, reads nothing twice, gives up slow files."""

import json
import os
import select
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from case_world import BEGAN_MS, CASE_ID, a_case, given, picture
from fairkey.casework.arrivals import inspect
from fairkey.casework.disk import FileIsRefused
from fairkey.casework.folder import CaseFolder, CaseIsRefused, FolderIsTaken
from fairkey.casework.model import CaseFile, FactKind, ProposedFact, Region
from fairkey.casework.pack.making import PackIsRefused
from fairkey.casework.reading import FileRead, reader_version
from fairkey.casework.reading.apart import ReaderApart, took_too_long
from fairkey.casework.readings import NotRead, kept_of, read_case
from fairkey.casework.running import Ran, begun, run_case

CORPUS = Path(__file__).parent.parent / "corpus" / "cases"
NAMES = ("a.txt", "b.txt", "c.txt")


class Reading:
    """A reader that counts, and stops as it is told to."""

    def __init__(self, stop: Callable[[str], None] = lambda _: None) -> None:
        self.read: list[str] = []
        self.stop = stop

    def __call__(self, path: Path, file: CaseFile) -> FileRead:
        self.stop(file.name)
        self.read.append(file.name)
        fen = int(path.read_text("utf-8"))
        text = f"¥{fen // 100}.{fen % 100:02}"
        kind, sha256 = FactKind.AMOUNT, file.seal.sha256
        fact = ProposedFact(file=sha256, kind=kind, value=fen, region=Region(), confidence=0.9, text=text)
        return FileRead((fact,))


@pytest.fixture(name="source")
def _source(tmp_path: Path) -> Path:
    place = tmp_path / "in"
    place.mkdir()
    for number, name in enumerate(NAMES):
        (place / name).write_text(str(12_800 + number), encoding="utf-8")
    return place


def ran(tmp_path: Path, source: Path, reader: Reading, version: str = "1", budget_s: float = 60) -> Ran:
    folder, _ = begun(tmp_path / "case", source, title="t", at_ms=BEGAN_MS)
    return run_case(
        folder,
        source,
        tmp_path / "pack",
        now_ms=lambda: BEGAN_MS + 1,
        look=inspect,
        reader=reader,
        writer=None,
        version=version,
        budget_s=budget_s,
    )


def test_a_run_that_was_interrupted_goes_on_in_its_own_case_and_reads_nothing_twice(
    tmp_path: Path, source: Path
) -> None:
    def interrupt(name: str) -> None:
        if name == "c.txt":
            raise KeyboardInterrupt

    first, second = Reading(interrupt), Reading()
    with pytest.raises(KeyboardInterrupt):
        ran(tmp_path, source, first)
    case_id = CaseFolder(tmp_path / "case").read().case_id
    done = ran(tmp_path, source, second)

    assert (first.read, second.read) == (["a.txt", "b.txt"], ["c.txt"])
    assert (done.read.now, done.read.before, done.proposed, done.made.exhibits) == (1, 2, 3, 3)
    assert CaseFolder(tmp_path / "case").read().case_id == case_id
    acts = [one.act for one in CaseFolder(tmp_path / "case").acts()]
    assert acts == ["case.began", "file.added", "file.added", "file.added", "list.closed", "facts.proposed"]


def test_a_finished_run_asked_again_changes_nothing_and_one_more_file_is_the_only_one_read(
    tmp_path: Path, source: Path
) -> None:
    before = ran(tmp_path, source, Reading())
    journal = (tmp_path / "case" / "journal.jsonl").read_bytes()
    again = Reading()
    assert ran(tmp_path, source, again).made.manifest_sha256 == before.made.manifest_sha256
    assert again.read == []
    assert (tmp_path / "case" / "journal.jsonl").read_bytes() == journal

    numbers = [one.value for one in CaseFolder(tmp_path / "case").read().proposed]
    (source / "0.txt").write_text("990", encoding="utf-8")
    more = Reading()
    assert ran(tmp_path, source, more).proposed == 4
    assert more.read == ["0.txt"]
    assert [one.value for one in CaseFolder(tmp_path / "case").read().proposed] == [*numbers, 990]


def test_another_reader_reads_again_and_what_was_made_up_in_its_notes_is_not_believed(
    tmp_path: Path, source: Path
) -> None:
    ran(tmp_path, source, Reading())
    newer = Reading()
    ran(tmp_path, source, newer, version="2")
    assert newer.read == list(NAMES)

    folder = CaseFolder(tmp_path / "case")
    file = folder.read().files[0]
    place = folder.work / "readings" / f"{file.seal.sha256}.json"
    for said in (place.read_bytes().replace(b"12800", b"1"), b"{", b""):
        place.write_bytes(said)
        assert kept_of(folder, file) is None
    place.unlink()
    place.symlink_to(folder.document)
    assert kept_of(folder, file) is None


def test_readings_that_were_thrown_away_do_not_have_files_read_again_that_proposed_something(
    tmp_path: Path, source: Path
) -> None:
    ran(tmp_path, source, Reading())
    for one in (tmp_path / "case" / "work" / "readings").iterdir():
        one.unlink()
    again = Reading()
    ran(tmp_path, source, again)
    assert again.read == []


def test_a_file_that_takes_too_long_is_noted_told_in_the_pack_and_read_later(tmp_path: Path, source: Path) -> None:
    def slow(name: str) -> None:
        if name == "b.txt":
            raise NotRead(took_too_long(5))

    first = ran(tmp_path, source, Reading(slow), budget_s=5)
    ((name, sentence),) = first.unread
    assert name == "b.txt"
    assert "fairkey case read CASE --budget 50 reads it" in sentence.en
    assert "读取超时" in sentence.zh
    assert first.proposed == 2
    case = CaseFolder(tmp_path / "case").read()
    assert [name for one in case.files for name in one.checks] == ["unread"]
    assert "evidence/02-" in json.dumps(json.loads((tmp_path / "pack" / "manifest.json").read_bytes()))
    assert "未能自动识别文字" in text_of_pdf(tmp_path / "pack" / "evidence.pdf")
    assert "读取超时" in text_of_pdf(tmp_path / "pack" / "evidence.pdf")

    again = Reading()
    assert ran(tmp_path, source, again, budget_s=5).unread  # no second time in the same budget
    assert again.read == []
    done = ran(tmp_path, source, again, budget_s=50)
    assert (again.read, done.unread, done.proposed) == (["b.txt"], (), 3)
    assert all(not one.checks for one in CaseFolder(tmp_path / "case").read().files)


def text_of_pdf(path: Path) -> str:
    import pypdfium2

    document = pypdfium2.PdfDocument(path)
    return "".join(page.get_textpage().get_text_bounded() for page in document).replace("\r\n", "")


def test_a_run_takes_no_case_that_is_not_its_own(tmp_path: Path, source: Path) -> None:
    ran(tmp_path, source, Reading())
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(CaseIsRefused, match="the case of another folder"):
        begun(tmp_path / "case", other, title="", at_ms=BEGAN_MS)
    a_case(tmp_path / "mine")
    with pytest.raises(FolderIsTaken):
        begun(tmp_path / "mine", source, title="", at_ms=BEGAN_MS)
    with pytest.raises(FolderIsTaken):
        begun(source, source, title="", at_ms=BEGAN_MS)


def test_a_place_that_is_taken_is_said_before_anything_is_read(tmp_path: Path, source: Path) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "mine.txt").write_text("x")
    reader = Reading()
    with pytest.raises(PackIsRefused, match="no pack of this case"):
        ran(tmp_path, source, reader)
    assert reader.read == []


def test_two_runs_at_once_one_of_them_is_told_to_wait(tmp_path: Path, source: Path) -> None:
    def second(_: str) -> None:
        with pytest.raises(CaseIsRefused, match="Another run is at work"):
            ran(tmp_path, source, Reading())

    assert ran(tmp_path, source, Reading(second)).proposed == 3


def test_progress_says_what_is_done_and_how_much_is_left(tmp_path: Path, source: Path) -> None:
    folder, _ = begun(tmp_path / "case", source, title="t", at_ms=BEGAN_MS)
    heard: list[tuple[str, str, int, int]] = []
    run_case(
        folder,
        source,
        tmp_path / "pack",
        now_ms=lambda: BEGAN_MS,
        look=inspect,
        reader=Reading(),
        writer=None,
        tell=lambda *one: heard.append(one),
    )
    assert [one for one in heard if one[0] == "read"] == [
        ("read", "a.txt", 0, 3),
        ("read", "b.txt", 1, 3),
        ("read", "c.txt", 2, 3),
        ("read", "", 3, 3),
    ]
    assert [one[0] for one in heard][:5] == ["seal", "seal", "seal", "seal", "stamp"]
    assert heard[-1] == ("pack", "", 6, 6)


@pytest.mark.skipif(sys.platform == "win32", reason="no fork there")
def test_killed_at_any_step_the_same_run_ends_well(tmp_path: Path, source: Path) -> None:
    (source / "c.txt").unlink()

    def run(place: Path, die_at: int) -> None:
        folder, _ = begun(place / "case", source, title="t", at_ms=BEGAN_MS)
        steps = iter(range(1_000))

        def tell(*_: object) -> None:
            if next(steps) == die_at:
                os._exit(9)

        run_case(
            folder,
            source,
            place / "pack",
            now_ms=lambda: BEGAN_MS,
            look=inspect,
            reader=Reading(),
            writer=None,
            tell=tell,
        )

    whole = tmp_path / "whole"
    whole.mkdir()
    run(whole, -1)
    for step in (1, 5, 7):  # before the second file is sealed, before the second is read, and within the pack
        place = tmp_path / f"at-{step}"
        place.mkdir()
        child = os.fork()
        if not child:
            run(place, step)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
        run(place, -1)
        acts = [one.act for one in CaseFolder(place / "case").acts()]
        assert acts == [one.act for one in CaseFolder(whole / "case").acts()]
        assert [one.value for one in CaseFolder(place / "case").read().proposed] == [12_800, 12_801]
        assert (place / "pack.zip").is_file()


def test_what_is_read_apart_is_what_is_read_here_and_a_picture_over_its_budget_is_given_up(tmp_path: Path) -> None:
    from fairkey.casework.reading import propose

    folder = a_case(tmp_path / "case")
    mail = given(folder, "mail.eml", (CORPUS / "01" / "mail.eml").read_bytes(), "mail").file
    shot = given(folder, "order.png", (CORPUS / "01" / "order.png").read_bytes()).file
    with ReaderApart(60) as reader:
        apart = reader(folder.original(mail), mail)
        assert apart == propose(folder.original(mail), mail)
        assert len(apart.facts) > 3
        reader.budget_s = 0.001
        with pytest.raises(NotRead, match="took too long"):
            reader(folder.original(shot), shot)
        reader.budget_s = 60
        assert reader(folder.original(mail), mail) == apart  # a new process, and no answer to the question before


def test_a_reader_that_dies_of_a_file_is_said_and_the_next_file_is_read(tmp_path: Path) -> None:
    folder = a_case(tmp_path / "case")
    file = given(folder, "a.txt", "订单号：123456789012".encode()).file
    with ReaderApart(60) as reader:
        assert reader(folder.original(file), file).facts
        process = reader._process
        assert process is not None
        process.kill()
        process.wait()
        with pytest.raises(NotRead, match="the reader ended"):
            reader(folder.original(file), file)
        assert reader(folder.original(file), file).facts


@pytest.mark.skipif(sys.platform != "linux", reason="asks the system when a stranger's child has ended")
def test_the_reader_apart_ends_when_its_run_is_killed() -> None:
    script = """
import os
from fairkey.casework.reading.apart import ReaderApart
reader = ReaderApart(60)
print(reader._running().pid, flush=True)
os._exit(9)
"""
    told = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, check=False)
    try:
        ended = os.pidfd_open(int(told.stdout))
    except ProcessLookupError:
        return
    try:
        assert select.select([ended], [], [], 60)[0]
    finally:
        os.close(ended)


def test_files_that_nobody_can_read_wait_for_nothing(tmp_path: Path) -> None:
    folder = a_case(tmp_path / "case", case_id=CASE_ID)
    given(folder, "broken.png", picture()[:30])
    reader = Reading()
    done = read_case(folder, reader, version="1", budget_s=1, at_ms=lambda: BEGAN_MS)
    assert (reader.read, done.unread) == ([], ())
    with pytest.raises(FileIsRefused):
        folder.original(msgspec.structs.replace(folder.read().files[0], path="x"))
    assert len(reader_version()) == 16
