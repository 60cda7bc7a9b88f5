"""What was read of each file of a case, kept beside it: nothing is read twice by the same reader.

`work/readings/SHA256.json` says which reader read the file and what it proposed, or why it gave up and within what
time. It may be thrown away at any time. What lies there is no evidence and is believed only as far as a reader is: it
goes through the gate again.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct, structs

from .disk import FileIsRefused, read_bounded, write_whole
from .folder import CaseFolder
from .model import Case, CaseFile, ProposedFact
from .reading.gate import admitted
from .reading.likeness import folded
from .reading.parsers import FileRead
from .reading.relative import SHOWN_MAX

BUDGET_S: Final = 60.0  # for a picture
UNREAD: Final = "unread"  # names of notes in `CaseFile.checks`
UNDATED: Final = "undated"
PARTLY: Final = "partly"
HINTS: Final = (UNDATED, PARTLY)
NOTES: Final = frozenset({UNREAD, *HINTS})
_BYTES_MAX: Final = 8 * 1024 * 1024

Reader = Callable[[Path, CaseFile], FileRead]
"""What the file at a path says. Raises `NotRead`, and nothing else for what is in the file."""
Tell = Callable[[str, int, int], object]
"""Hears the name of the file that is read now, how many are done, and of how many."""


class NotRead(Exception):
    """A file was given up. The argument is a note on it."""


class Kept(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One file's reading. `unread`: why it was given up, with `budget_s` seconds for a picture. `undated`: times that
    name no date; `taken_at` was known when it was read. `note`: what of it was not read.
    """

    reader: str
    facts: tuple[ProposedFact, ...] = ()
    undated: tuple[str, ...] = ()
    taken_at: str = ""
    note: str = ""
    unread: str = ""
    budget_s: float = 0


class Read(NamedTuple):
    """What came of it: how many files were read now, how many before, and notes on those that were not."""

    now: int
    before: int
    unread: tuple[tuple[CaseFile, str], ...]


def kept_of(folder: CaseFolder, file: CaseFile) -> Kept | None:
    """What was read of a file before; None when nothing was, or what lies there is not believed."""
    try:
        kept = msgspec.json.decode(read_bounded(_place(folder, file), _BYTES_MAX), type=Kept)
    except (FileIsRefused, msgspec.DecodeError):
        return None
    if not all(one.file == file.seal.sha256 and admitted(one) for one in kept.facts):
        return None
    return kept


def read_case(
    folder: CaseFolder,
    reader: Reader,
    *,
    version: str,
    budget_s: float,
    at_ms: Callable[[], int],
    again: bool = False,
    tell: Tell = lambda *_: None,
) -> Read:
    """Read what `reader` (of this `version`) has not read yet, keep each file's reading at once, and in the end put all
    proposals into the case in one act. Interrupted anywhere and asked again, it goes on. `again`: read everything.

    Raises as `CaseFolder.change`.
    """
    case = folder.read()
    files = [one for one in case.files if "reading" not in one.checks]
    readings: dict[str, Kept] = {}
    now = 0
    for number, file in enumerate(files):
        tell(file.name, number, len(files))
        kept = None if again else _settled(folder, case, file, version, budget_s)
        if kept is None:
            kept = _read_one(folder, file, reader, version, budget_s)
            now += not kept.unread
        readings[file.seal.sha256] = kept
    tell("", len(files), len(files))
    _propose(folder, case, readings, at_ms)
    unread = tuple((one, readings[one.seal.sha256].unread) for one in files if readings[one.seal.sha256].unread)
    return Read(now, len(files) - now - len(unread), unread)


def _settled(folder: CaseFolder, case: Case, file: CaseFile, version: str, budget_s: float) -> Kept | None:
    """A reading that need not be done again."""
    kept = kept_of(folder, file)
    if kept is None:  # read before readings were kept, or they were thrown away
        facts = tuple(one for one in case.proposed if one.file == file.seal.sha256)
        return Kept(reader=version, facts=facts) if facts else None
    if kept.reader != version or (kept.unread and kept.budget_s < budget_s):
        return None
    if kept.taken_at != file.taken_at and (kept.undated or any(one.anchor for one in kept.facts)):
        return None
    return kept


def _read_one(folder: CaseFolder, file: CaseFile, reader: Reader, version: str, budget_s: float) -> Kept:
    try:
        told = reader(folder.original(file), file)
        kept = Kept(reader=version, facts=told.facts, undated=told.undated, taken_at=file.taken_at, note=told.note)
    except NotRead as error:
        kept = Kept(reader=version, unread=str(error), budget_s=budget_s)
    place = _place(folder, file)
    place.parent.mkdir(parents=True, exist_ok=True)
    write_whole(place, msgspec.json.encode(kept))
    return kept


def _place(folder: CaseFolder, file: CaseFile) -> Path:
    return folder.work / "readings" / f"{file.seal.sha256[:64]}.json"


def _propose(folder: CaseFolder, case: Case, readings: dict[str, Kept], at_ms: Callable[[], int]) -> None:
    if _with(case, readings) == case:
        return
    facts = sum(len(one.facts) for one in readings.values())
    unread = sum(1 for one in readings.values() if one.unread)
    folder.change(
        "facts.proposed",
        lambda now: folded(_with(now, readings), folder.original),
        at_ms=at_ms(),
        facts={"count": facts, "unread": unread},
    )


def _with(case: Case, readings: dict[str, Kept]) -> Case:
    """The case with these readings. Proposals that stay the same keep their numbers."""
    old: dict[str, list[ProposedFact]] = {}
    for one in case.proposed:
        old.setdefault(one.file, []).append(one)
    new = {
        sha256: kept.facts
        for sha256, kept in readings.items()
        if not kept.unread and kept.facts != tuple(old.get(sha256, ()))
    }
    proposed = (
        *(one for one in case.proposed if one.file not in new),
        *(one for facts in new.values() for one in facts),
    )
    files = tuple(_noted(one, readings.get(one.seal.sha256)) for one in case.files)
    return structs.replace(case, proposed=proposed, files=files)


def _noted(file: CaseFile, kept: Kept | None) -> CaseFile:
    if kept is None:
        return file
    checks = {name: note for name, note in file.checks.items() if name not in NOTES}
    notes = {UNREAD: kept.unread, UNDATED: _undated(kept), PARTLY: kept.note}
    return structs.replace(file, checks=checks | {name: note for name, note in notes.items() if note})


def _undated(kept: Kept) -> str:
    if not kept.undated or kept.taken_at:
        return ""
    named = " ".join(f"“{one}”" for one in kept.undated[:SHOWN_MAX])
    return f"{named} name no date: fairkey case taken CASE FILE DAY says when this was taken"
