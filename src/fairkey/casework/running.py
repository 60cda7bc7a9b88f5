"""Folder in, pack out: a case, all files sealed, read where a reader is installed, and a pack, without a question.

Nothing is confirmed on the way: what was read stays proposed and is marked so on every page. Interrupted anywhere and
asked again, a run goes on in its own case: what is sealed is not sealed again, what was read is not read again.
"""

import hashlib
import importlib
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import uuid4

from .disk import FileIsRefused, open_regular
from .folder import CaseFolder, CaseIsMissing, CaseIsRefused, FolderIsTaken, new_case
from .journal import sha256_hex
from .model import Capture, Case
from .moments import CHINA
from .pack.letter_like import LetterLike
from .pack.making import Made, make_pack, require_free
from .readings import BUDGET_S, Read, Reader, read_case
from .sealing import Added, Look, add_file, files_below
from .stamping import close_list
from .texts import Words, about, noted

_STALE_S: Final = 3600

Writer = Callable[[Case, str], Sequence[LetterLike]]
"""Letters for a case on a day (`2026-11-23`)."""
Tell = Callable[[str, str, int, int], object]
"""Hears a stage (`seal`, `stamp`, `read`, `pack`), what is being done, how much of it is done, and of how much."""


class Ran(NamedTuple):
    """What came of it. `refused`, `unread`: names and sentences. `proposed`: facts in the case, read now or before."""

    added: tuple[Added, ...]
    refused: tuple[tuple[str, Words], ...]
    unread: tuple[tuple[str, Words], ...]
    proposed: int
    read: Read
    made: Made


def begun(place: Path, source: Path, *, title: str, at_ms: int) -> tuple[CaseFolder, bool]:
    """The case of a run from `source`: a new one, or the one that a run from there began in `place` (and true).

    Raises `FolderIsTaken`, `CaseIsRefused`, `CaseIsDamaged`.
    """
    told = {"by": "run", "source": sha256_hex(str(source.resolve()).encode())}
    try:
        return new_case(place, Case(case_id=str(uuid4()), created_at_ms=at_ms, title=title), facts=told), False
    except FolderIsTaken:
        folder = CaseFolder(place)
        try:
            first = folder.acts()[0].facts
        except CaseIsMissing:
            first = {}
        if first.get("by") != "run":
            raise
        if first.get("source") != told["source"]:
            raise CaseIsRefused(f"{place} holds the case of another folder: name another place with --case.") from None
        return folder, True


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
    version: str = "",
    budget_s: float = BUDGET_S,
    stamp: Callable[[], object] = lambda: None,
    tell: Tell = lambda *_: None,
) -> Ran:
    """Everything from `source` into the case `folder` and out as a pack; what was done before is not done again.

    Raises as `make_pack`, and `CaseIsRefused` while another run is at work in it.
    """
    with folder.running():
        require_free(out, folder.read().case_id)
        _sweep_stale(folder.originals)
        added, refused = _add_all(folder, source, now_ms, look, tell)
        close_list(folder, at_ms=now_ms())
        tell("stamp", "", 0, 1)
        stamp()
        read = Read(0, 0, ())
        if reader is not None:
            read = read_case(
                folder,
                reader,
                version=version,
                budget_s=budget_s,
                at_ms=now_ms,
                tell=lambda name, done, of: tell("read", name, done, of),
            )
        case = folder.read()
        at = datetime.fromtimestamp(now_ms() / 1000, CHINA)
        letters = writer(case, f"{at:%Y-%m-%d}") if writer is not None else ()
        count = len(case.files) + 3
        steps = iter(range(count))
        made = make_pack(folder, out, letters=letters, tell=lambda what: tell("pack", what, next(steps, count), count))
        tell("pack", "", count, count)
    unread = tuple((one.name, noted(one.name, note)) for one, note in read.unread)
    return Ran(tuple(added), tuple(refused), unread, len(case.proposed), read, made)


def _add_all(
    folder: CaseFolder, source: Path, now_ms: Callable[[], int], look: Look, tell: Tell
) -> tuple[list[Added], list[tuple[str, Words]]]:
    added: list[Added] = []
    refused: list[tuple[str, Words]] = []
    sealed = {one.seal.sha256: one for one in folder.read().files}
    sizes = {one.seal.size_bytes for one in sealed.values()}
    paths = list(files_below(source))
    for number, path in enumerate(paths):
        tell("seal", path.name, number, len(paths))
        try:
            known = sealed.get(_sha256_if(path, sizes))
            if known is None:
                added.append(add_file(folder, path, Capture(), at_ms=now_ms(), look=look))
            else:
                added.append(Added(known, is_known=True))
        except FileIsRefused as error:
            refused.append((path.name, about(path.name, error)))
    tell("seal", "", len(paths), len(paths))
    return added, refused


def _sha256_if(path: Path, sizes: set[int]) -> str:
    """The SHA-256 of a file that may be one of those already sealed, by its length; else empty."""
    with open_regular(path) as file:
        if path.stat().st_size not in sizes:
            return ""
        try:
            return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise FileIsRefused(f"cannot be read ({error.strerror})") from None


def _sweep_stale(originals: Path) -> None:
    """What a run that died left half-written goes, when nobody has written to it for long."""
    for path in originals.glob(".*.part"):
        try:
            if time.time() - path.stat().st_mtime > _STALE_S:
                path.unlink()
        except OSError:
            continue
