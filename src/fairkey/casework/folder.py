"""A case as a folder on one's own machine.

    case.json       the case, for eyes and programs (`model.Case`)
    journal.jsonl   every act, hash-chained; the case is what it leads to
    originals/      files as they came, read-only, never written again
    seals/0001/     a list of what was sealed (`payload.json`), time-stamp tokens and receipts over it
    records/        what was looked up while checking, as mail domains' keys
    work/           copies, previews, stills: may be thrown away at any time
    lock            held while the case is changed

An act is first a line of the journal, durable, and then a new `case.json`: whoever dies between leaves a case that
opens, as the journal says. Two programs at once wait for each other.
"""

import re
import sys
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Final

import msgspec

from .disk import FileIsRefused, open_regular, read_bounded, sweep, sync_folder, write_whole
from .journal import (
    NOTHING,
    Act,
    Facts,
    JournalIsBroken,
    append,
    canonical,
    case_bytes,
    change_between,
    last_line,
    read_act,
    replay,
    sha256_hex,
)
from .model import Case, CaseFile

CASE_BYTES_MAX: Final = 64 * 1024 * 1024
NAME_CHARS_MAX: Final = 60
FOLDERS: Final = ("originals", "seals", "records", "work")
_ORIGINAL: Final = re.compile(r"originals/[^/\\\x00]{1,200}")


class CaseIsRefused(Exception):
    """Nothing was changed. The argument is a sentence."""


class CaseIsMissing(CaseIsRefused):
    """The folder holds no case."""


class FolderIsTaken(CaseIsRefused):
    """A new case wants a folder that is not there yet, or is empty."""


class CaseIsDamaged(CaseIsRefused):
    """The journal and the files of the case do not fit."""


class CaseFolder:
    """A case in a folder. Reading takes no lock; every change is one act of the journal."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def originals(self) -> Path:
        """Where files lie as they came."""
        return self.path / "originals"

    @property
    def seals(self) -> Path:
        """Where the sealed lists lie with their tokens and receipts."""
        return self.path / "seals"

    @property
    def records(self) -> Path:
        """Where lies what was looked up while checking."""
        return self.path / "records"

    @property
    def work(self) -> Path:
        """Where copies and previews lie, which may be thrown away."""
        return self.path / "work"

    @property
    def journal(self) -> Path:
        """The journal's file."""
        return self.path / "journal.jsonl"

    @property
    def document(self) -> Path:
        """The file of the case itself."""
        return self.path / "case.json"

    def read(self) -> Case:
        """The case as it is now. Raises `CaseIsMissing`, `CaseIsDamaged`."""
        return self._state()[0]

    def acts(self) -> list[Act]:
        """Every act, checked line by line. Raises `CaseIsMissing`, `CaseIsDamaged`."""
        return self._replayed()[1]

    def change(self, act: str, edit: Callable[[Case], Case], *, at_ms: int, facts: Facts | None = None) -> Case:
        """Change the case in one act: `edit` gets the case as it is now and gives what it shall be (or the same, and
        then the act is only noted). `act` is named like `files.added`. Another program that is changing the case is
        waited for.

        Raises `CaseIsMissing`, `CaseIsDamaged`, and what `edit` raises; then nothing was changed.
        """
        self._require_journal()
        with self.locked():
            before, last, end = self._state()
            after = edit(before)
            if after != before:
                after = msgspec.structs.replace(after, revision=before.revision + 1)
            self._append(before, after, act, facts or {}, last, end, at_ms)
        return after

    def note(self, act: str, *, at_ms: int, facts: Facts) -> None:
        """Note an act that does not change the case. Raises as `change`."""
        self.change(act, lambda case: case, at_ms=at_ms, facts=facts)

    def original(self, file: CaseFile) -> Path:
        """Where a file's original lies. Raises `FileIsRefused` when the case names a place outside `originals/`."""
        if not _ORIGINAL.fullmatch(file.path) or Path(file.path).name in {".", ".."}:
            raise FileIsRefused("does not lie in originals/")
        return self.path / file.path

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Alone among all programs that change this case; waits for its turn."""
        with (self.path / "lock").open("a+b") as file, _held(file, waits=True):
            yield

    @contextmanager
    def running(self) -> Iterator[None]:
        """Alone among long works, which change a case in many acts. Raises `CaseIsRefused` when another is at it."""
        self.work.mkdir(exist_ok=True)
        with (self.work / "run.lock").open("a+b") as file, ExitStack() as held:
            try:
                held.enter_context(_held(file, waits=False))
            except BlockingIOError:
                raise CaseIsRefused(f"Another run is at work in {self.path}: wait until it has ended.") from None
            yield

    def _append(
        self, before: Case | None, after: Case, act: str, facts: Facts, last: bytes | None, end: int, at_ms: int
    ) -> None:
        document = case_bytes(after)
        line = Act(
            no=read_act(last).no + 1 if last is not None else 1,
            at_ms=at_ms,
            act=act,
            prev=sha256_hex(last) if last is not None else NOTHING,
            revision=after.revision,
            case_sha256=sha256_hex(document),
            facts=dict(facts),
            change=change_between(before, after),
        )
        if before is not None:
            self._keep_foreign(before)
        append(self.journal, canonical(line), at=end)
        if last is None:
            sync_folder(self.path)
        write_whole(self.document, document)

    def _state(self) -> tuple[Case, bytes, int]:
        """The case, the journal's last line, and where that ends."""
        self._require_journal()
        try:
            last, end = last_line(self.journal)
            act = read_act(last)
            document = self._document()
            if document is not None and sha256_hex(document) == act.case_sha256:
                return msgspec.json.decode(document, type=Case), last, end
        except (JournalIsBroken, FileIsRefused) as error:
            raise CaseIsDamaged(f"The journal of {self.path} cannot be read: {error}") from None
        # A program died between the two writes, or a hand changed the file: the journal says what is.
        return self._replayed()[0], last, end

    def _require_journal(self) -> None:
        if not _has_line(self.journal):
            raise CaseIsMissing(f"{self.path} holds no case: fairkey case new {self.path}")

    def _document(self) -> bytes | None:
        try:
            return read_bounded(self.document, CASE_BYTES_MAX)
        except FileIsRefused:
            return None

    def _replayed(self) -> tuple[Case, list[Act]]:
        self._require_journal()
        try:
            return replay(self.journal)
        except (JournalIsBroken, FileIsRefused) as error:
            raise CaseIsDamaged(str(error)) from None

    def _keep_foreign(self, before: Case) -> None:
        """Keep a `case.json` that somebody changed by hand before it is written over."""
        document = self._document()
        if document is None or document == case_bytes(before):
            return
        known = {act.case_sha256 for act in self.acts()}
        digest = sha256_hex(document)
        if digest not in known:
            write_whole(self.path / f"case-changed-by-hand-{digest[:12]}.json", document)


@contextmanager
def _held(file: IO[bytes], *, waits: bool) -> Iterator[None]:
    """Hold the lock of a file. Raises BlockingIOError when it shall not wait and another holds it."""
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 - only there

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if waits else msvcrt.LK_NBLCK, 1)
        except PermissionError:
            raise BlockingIOError from None
        yield
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
    else:
        import fcntl  # noqa: PLC0415 - only there

        fcntl.flock(file, fcntl.LOCK_EX if waits else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def new_case(path: Path, case: Case, *, facts: Facts | None = None) -> CaseFolder:
    """Begin a case in a folder that is not there yet, or is empty. `facts` of its first act. Raises `FolderIsTaken`."""
    folder = CaseFolder(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        # A program that died while beginning leaves folders and perhaps a torn journal: no case, to be begun again.
        strangers = {one.name for one in path.iterdir()} - {*FOLDERS, "lock", "journal.jsonl"}
        if strangers - {name for name in strangers if name.endswith(".part")}:
            raise FolderIsTaken(f"{path} is not empty: name a folder that is not there yet.")
        with folder.locked():
            if _has_line(folder.journal):
                raise FolderIsTaken(f"{path} already holds a case.")
            for name in FOLDERS:
                (path / name).mkdir(exist_ok=True)
            sweep(path)
            folder._append(None, case, "case.began", facts or {}, None, 0, case.created_at_ms)  # noqa: SLF001 - one module
    except (FileExistsError, NotADirectoryError, PermissionError) as error:
        raise FolderIsTaken(f"{path} cannot be a case's folder ({error.strerror}).") from None
    return folder


def _has_line(journal: Path) -> bool:
    try:
        with open_regular(journal) as file:
            return b"\n" in file.read(1024 * 1024)
    except FileIsRefused:
        return False


def safe_name(name: str) -> str:
    """A name for a file that came from anywhere: its last part without what a system or an eye could take amiss."""
    last = unicodedata.normalize("NFC", name.replace("\\", "/")).rsplit("/", 1)[-1]
    kept = "".join(
        one if one.isalnum() or one in "._-()（）【】" else "_" if one == " " or one.isprintable() else ""
        for one in last
    )
    stem, dot, suffix = kept.lstrip(".").rpartition(".")
    if not stem:
        stem, dot, suffix = suffix, "", ""
    return f"{stem[:NAME_CHARS_MAX] or 'file'}{dot}{suffix[:12]}"
