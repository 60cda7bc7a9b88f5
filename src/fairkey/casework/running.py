"""Folder in, pack out: a new case, all files sealed, read where a reader is installed, and a pack, without a question.

Nothing is confirmed on the way: what was read stays proposed and is marked so on every page.
"""

import importlib
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import structs

from .disk import FileIsRefused
from .folder import CaseFolder
from .model import Capture, Case, CaseFile, ProposedFact
from .moments import CHINA
from .pack.letter_like import LetterLike
from .pack.making import Made, make_pack
from .reading.likeness import folded
from .sealing import Added, Look, add_file, files_below
from .stamping import close_list
from .texts import Words, about

Reader = Callable[[Path, CaseFile], Sequence[ProposedFact]]
"""Facts that the file at a path proposes; raises nothing for what is in it."""
Writer = Callable[[Case, str], Sequence[LetterLike]]
"""Letters for a case on a day (`2026-11-23`)."""
Tell = Callable[[str, int, int], object]
"""Hears a stage, how much of it is done, and of how much."""


class Ran(NamedTuple):
    """What came of it. `refused`: names and sentences."""

    added: tuple[Added, ...]
    refused: tuple[tuple[str, Words], ...]
    proposed: int
    made: Made


def installed_reader() -> Reader | None:
    """`fairkey.casework.reading.propose`, where the packages that it needs are installed."""
    found: Reader | None = _installed("fairkey.casework.reading", "propose")
    return found


def installed_writer() -> Writer | None:
    """`fairkey.casework.letters.letters_of`, where it is installed."""
    found: Writer | None = _installed("fairkey.casework.letters", "letters_of")
    return found


def _installed(module: str, name: str) -> Any:  # noqa: ANN401 - the two callers say what it is
    try:
        return getattr(importlib.import_module(module), name, None)
    except ModuleNotFoundError:
        return None


def run_case(  # noqa: PLR0913 - what it is made of
    folder: CaseFolder,
    source: Path,
    out: Path,
    *,
    now_ms: Callable[[], int],
    look: Look,
    reader: Reader | None,
    writer: Writer | None,
    stamp: Callable[[], object] = lambda: None,
    tell: Tell = lambda *_: None,
) -> Ran:
    """Everything from `source` into the new case `folder` and out as a pack. Raises as `make_pack`."""
    added, refused = _add_all(folder, source, now_ms, look, tell)
    close_list(folder, at_ms=now_ms())
    tell("stamp", 0, 1)
    stamp()
    proposed = _read_all(folder, reader, now_ms, tell) if reader is not None else 0
    case = folder.read()
    at = datetime.fromtimestamp(now_ms() / 1000, CHINA)
    letters = writer(case, f"{at:%Y-%m-%d}") if writer is not None else ()
    count = len(case.files) + 3
    steps = iter(range(1, count + 1))
    made = make_pack(folder, out, letters=letters, tell=lambda what: tell(f"pack: {what}", next(steps, count), count))
    return Ran(tuple(added), tuple(refused), proposed, made)


def _add_all(
    folder: CaseFolder, source: Path, now_ms: Callable[[], int], look: Look, tell: Tell
) -> tuple[list[Added], list[tuple[str, Words]]]:
    added: list[Added] = []
    refused: list[tuple[str, Words]] = []
    paths = list(files_below(source))
    for number, path in enumerate(paths, 1):
        try:
            added.append(add_file(folder, path, Capture(), at_ms=now_ms(), look=look))
        except FileIsRefused as error:
            refused.append((path.name, about(path.name, error)))
        tell(f"seal: {path.name}", number, len(paths))
    return added, refused


def _read_all(folder: CaseFolder, reader: Reader, now_ms: Callable[[], int], tell: Tell) -> int:
    files = [one for one in folder.read().files if "reading" not in one.checks]
    found: list[ProposedFact] = []
    for number, file in enumerate(files, 1):
        found += reader(folder.original(file), file)
        tell(f"read: {file.name}", number, len(files))
    if found:
        folder.change(
            "facts.proposed",
            lambda case: folded(structs.replace(case, proposed=(*case.proposed, *found)), folder.original),
            at_ms=now_ms(),
            facts={"count": len(found)},
        )
    return len(found)
