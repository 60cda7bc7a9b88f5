"""What a person names: a file, a zip, a folder, an address. One report for each file that proves something."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from .auditing import Progress, audit_log
from .files import BARE_PROOF, FILE_BYTES_MAX, check_file, kind_of
from .judging import Given
from .packs import is_a_pack, verify_pack
from .reading import FileCannotBeRead, FileIsMissing, FileIsTooLong, read_regular
from .reports import Report, State, Step
from .sources import FolderLog, LogSource, WebLog
from .zips import ZIP_BYTES_MAX, Member, ZipIsRefused, is_zip, members_of

ENTRY_BYTES_MAX: Final = 1024 * 1024
SUFFIXES_OF_PROOFS: Final = (".fairkey-receipt", ".fairkey-promise", ".fairkey-code", ".tlog-proof")

Begin = Callable[[str], Callable[[Step], None]]
"""Told the name of what is verified next; gives who hears its steps."""


class NothingThere(Exception):
    """There is nothing of this name. The argument is a sentence."""


def is_address(target: str) -> bool:
    """Whether a person named an address and no file."""
    return target.startswith(("http://", "https://"))


def log_at(target: str) -> LogSource:
    """The log that a person named. Raises `NothingThere`."""
    if is_address(target):
        try:
            has_host = bool(urlsplit(target).hostname)
        except ValueError:
            has_host = False
        if not has_host:
            raise NothingThere(f"{target} is no address")
        return WebLog(target)
    if not Path(target).is_dir():
        raise NothingThere(f"{target} is no folder")
    return FolderLog(Path(target))


def verify(
    target: str, given: Given, *, entry: Path | None, begin: Begin, progress: Progress
) -> tuple[list[Report], list[str]]:
    """Verify what was named: the reports, and names of files in a zip that are of no kind that proves anything.

    Raises `NothingThere`.
    """
    if not is_address(target) and is_a_pack(Path(target)):
        return [verify_pack(Path(target), given, begin, progress)], []
    if is_address(target) or Path(target).is_dir():
        report = Report(target, "log", begin(target))
        audit_log(report, log_at(target), given, progress=progress)
        return [report], []
    path = Path(target)
    try:
        data = read_regular(path, ZIP_BYTES_MAX)
        entry_bytes = read_regular(entry, ENTRY_BYTES_MAX) if entry is not None else None
    except FileIsMissing as error:
        raise NothingThere(f"there is no file {error}") from None
    except FileIsTooLong as error:
        report = Report(path.name, "file", begin(path.name))
        report.add("file", State.UNKNOWN, f"It {error}: no proof of ours is so long.")
        return [report], []
    except FileCannotBeRead as error:
        raise NothingThere(f"{target} {error}") from None
    if entry is not None and not _is_bare_proof(data):
        raise NothingThere("--entry goes with a .tlog-proof; everything else brings its own")
    if is_zip(data):
        return _verify_zip(path.name, data, given, begin)
    report = Report(path.name, "file", begin(path.name))
    if len(data) > FILE_BYTES_MAX and kind_of(data) is None:
        report.add("file", State.UNKNOWN, f"It has more than {FILE_BYTES_MAX} bytes: no proof of ours is so long.")
    else:
        check_file(report, data, given, entry_bytes)
    return [report], []


def _is_bare_proof(data: bytes) -> bool:
    kind = kind_of(data)
    return kind is not None and kind.name == BARE_PROOF


def _verify_zip(name: str, data: bytes, given: Given, begin: Begin) -> tuple[list[Report], list[str]]:
    try:
        members = members_of(data)
    except ZipIsRefused as error:
        report = Report(name, "zip", begin(name))
        report.add("file", State.BAD, f"{str(error)[:1].upper()}{str(error)[1:]}.")
        return [report], []
    by_name = {one.name: one.data for one in members}
    proofs = [one for one in members if one.name.endswith(SUFFIXES_OF_PROOFS) or kind_of(one.data) is not None]
    entries = {one.name: _entry_of(one, by_name) for one in proofs}
    taken = {path for path, _ in entries.values()}
    reports = []
    for one in proofs:
        if one.name in taken:
            continue
        report = Report(one.name, "file", begin(one.name))
        check_file(report, one.data, given, entries[one.name][1])
        reports.append(report)
    others = [one.name for one in members if one not in proofs and one.name not in taken]
    if not reports:
        report = Report(name, "zip", begin(name))
        report.add("file", State.UNKNOWN, "The zip holds nothing that proves anything.")
        reports.append(report)
    return reports, others


def _entry_of(proof: Member, by_name: Mapping[str, bytes]) -> tuple[str, bytes | None]:
    """The entry beside a bare proof in a zip: `name` or `name.entry` beside `name.tlog-proof`."""
    if not proof.name.endswith(".tlog-proof"):
        return "", None
    stem = proof.name.removesuffix(".tlog-proof")
    for name in (stem, f"{stem}.entry"):
        if name in by_name:
            return name, by_name[name]
    return "", None
