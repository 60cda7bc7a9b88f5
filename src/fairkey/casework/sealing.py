"""Files come into a case: copied and hashed in one pass, told who, when and how, looked at, and never touched again.

What is hashed is what is kept, byte for byte (`copying`). A file comes in whole or not at all; a file that is already
there is recognised by its bytes.
"""

import errno
import os
import platform
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from msgspec import structs

from fairkey import __version__

from .arrivals import Arrival, inspect
from .copying import Copying
from .disk import READ_ONLY, FileIsRefused, being_written, open_regular, settle
from .folder import CaseFolder, safe_name
from .hashing import Digests, Stream, digest, has_second
from .journal import canonical, sha256_hex
from .model import Capture, Case, CaseFile, Seal

FILES_MAX: Final = 5_000
NAME_CHARS_MAX: Final = 200
_TURNING: Final = frozenset("\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c\ufeff")

Progress = Callable[[int], object]
Look = Callable[[Path, str], Arrival]


class Added(NamedTuple):
    """What became of a file: its entry, and whether the case had it already."""

    file: CaseFile
    is_known: bool


def environment() -> dict[str, str]:
    """What this machine says of itself, word by word; no names of machine or person."""
    return {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "software": f"fairkey {__version__}, Python {platform.python_version()}",
        "clock": "this machine's own",
    }


def shown_name(name: str) -> str:
    """A file's own name for people, without what disturbs a line or turns its direction."""
    kept = (one if one.isprintable() and one not in _TURNING else "\ufffd" for one in name[:NAME_CHARS_MAX])
    return "".join(kept) or "file"


def add_file(  # noqa: PLR0913 - everything a person may say about a file
    folder: CaseFolder,
    source: Path,
    capture: Capture,
    *,
    at_ms: int,
    purpose: str = "",
    note: str = "",
    look: Look = inspect,
    on_progress: Progress = lambda _: None,
    gives: bool = False,
) -> Added:
    """Copy a file into the case and seal it. `source` stays as it is. Links, pipes, devices and folders are refused.

    `gives`: the person gives the file away; on the same disk it moves without being copied, which long recordings
    want. It leaves its old place when the case has it, and not before.

    Raises `FileIsRefused` (and nothing was changed), `CaseIsMissing`, `CaseIsDamaged`.
    """
    with open_regular(source) as file:
        before = os.fstat(file.fileno())
        made_at_ms = capture.made_at_ms or int(before.st_mtime_ns // 1_000_000)
        capture = structs.replace(capture, made_at_ms=made_at_ms, environment=environment() | capture.environment)

        def is_still_written() -> bool:
            after = os.fstat(file.fileno())
            return (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns)

        coming = _Coming(file, source.name, before.st_size, is_still_written, source if gives else None)
        added = _take(folder, coming, capture, at_ms, purpose, note, look, on_progress)
    if gives and _has_whole(folder, added.file):
        source.unlink()
    return added


def _has_whole(folder: CaseFolder, file: CaseFile) -> bool:
    """Whether the case's own copy has the length that was sealed: looked at before anything of the person's goes."""
    try:
        return folder.original(file).stat().st_size == file.seal.size_bytes
    except (FileIsRefused, OSError):
        return False


def add_bytes(
    folder: CaseFolder,
    name: str,
    data: bytes,
    capture: Capture,
    *,
    at_ms: int,
    purpose: str = "",
    note: str = "",
    look: Look = inspect,
) -> Added:
    """Seal what this program made itself, as a captured page. Raises as `add_file`."""
    capture = structs.replace(capture, environment=environment() | capture.environment)
    coming = _Coming(_Bytes(data), name, len(data))
    return _take(folder, coming, capture, at_ms, purpose, note, look, lambda _: None)


class _Coming(NamedTuple):
    """What is on its way into a case. `giving`: the place that it leaves, where it moves."""

    stream: Stream
    name: str
    size_bytes: int
    is_still_written: Callable[[], bool] = lambda: False
    giving: Path | None = None


class _Bytes:
    def __init__(self, data: bytes) -> None:
        self._left = memoryview(data)

    def readinto(self, buffer: memoryview, /) -> int:
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count


def _take(
    folder: CaseFolder,
    coming: _Coming,
    capture: Capture,
    at_ms: int,
    purpose: str,
    note: str,
    look: Look,
    on_progress: Progress,
) -> Added:
    folder.read()
    shown, plain = shown_name(coming.name), safe_name(coming.name)
    wants_sha512 = has_second(coming.size_bytes)
    try:
        with being_written(folder.originals) as (copy, temporary):
            is_linked = coming.giving is not None and _linked(coming.giving, temporary)
            if is_linked:
                found = digest(coming.stream, on_progress=on_progress, wants_sha512=wants_sha512)
            else:
                with Copying(coming.stream, copy) as copied:
                    found = digest(copied, on_progress=on_progress, wants_sha512=wants_sha512)
            if coming.is_still_written() or found.size_bytes != coming.size_bytes:
                raise FileIsRefused("was still being written while it was read: add it again when it is whole")
            arrival = _looked_at(look, temporary, shown)
            path = f"originals/{found.sha256[:12]}-{plain}"
            file = CaseFile(
                name=shown,
                path=path,
                media_type=arrival.media_type,
                seal=_seal(found, at_ms),
                capture=capture,
                purpose=purpose,
                note=note,
                checks=arrival.checks,
            )
            known = _known(folder.read(), found.sha256)
            if known is None:
                if is_linked:
                    with open_regular(temporary) as linked:
                        settle(linked, temporary, folder.path / path, mode=READ_ONLY)
                else:
                    settle(copy, temporary, folder.path / path, mode=READ_ONLY)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            raise FileIsRefused("does not fit on the disk of the case") from None
        raise FileIsRefused(f"cannot be kept ({error.strerror})") from None
    return _enter(folder, file, at_ms)


def _looked_at(look: Look, path: Path, name: str) -> Arrival:
    """What was found out; a file on which the looking itself fails is sealed all the same."""
    try:
        return look(path, name)
    except FileIsRefused:
        raise
    except Exception as error:  # noqa: BLE001 - readers of foreign formats raise whatever their authors did not foresee
        return Arrival("application/octet-stream", {"reading": f"it could not be looked into ({type(error).__name__})"})


def _enter(folder: CaseFolder, file: CaseFile, at_ms: int) -> Added:
    """Into the case, unless another program was faster with the same bytes."""
    entered: list[CaseFile] = []

    def edit(case: Case) -> Case:
        known = _known(case, file.seal.sha256)
        entered.append(known or file)
        if known is not None:
            return case
        if len(case.files) >= FILES_MAX:
            raise FileIsRefused(f"does not fit: a case takes {FILES_MAX:,} files")
        return structs.replace(case, files=(*case.files, file))

    is_known = _known(folder.read(), file.seal.sha256) is not None
    facts = {"sha256": file.seal.sha256, "name": file.name, "size_bytes": file.seal.size_bytes}
    folder.change("file.seen_again" if is_known else "file.added", edit, at_ms=at_ms, facts=facts)
    return Added(entered[0], entered[0] is not file)


def _known(case: Case, sha256: str) -> CaseFile | None:
    return next((one for one in case.files if one.seal.sha256 == sha256), None)


def _seal(found: Digests, at_ms: int) -> Seal:
    return Seal(
        sha256=found.sha256,
        sha512=found.sha512,
        size_bytes=found.size_bytes,
        sealed_at_ms=at_ms,
        sha512_piece_bytes=found.piece_bytes,
    )


def _linked(source: Path, place: Path) -> bool:
    """A second name for the file in place of an empty one; false where the disk is another or knows no such names."""
    second = place.with_name(f".{place.name[1:-5]}.link.part")
    try:
        os.link(source, second, follow_symlinks=False)
    except OSError:
        return False
    second.replace(place)
    return True


def facts_sha256(file: CaseFile) -> str:
    """SHA-256 over what was said and seen of a file on arrival: canonical JSON of name, media type and capture."""
    said = {"name": file.name, "media_type": file.media_type, "capture": file.capture}
    return sha256_hex(canonical(said))


def files_below(source: Path) -> Iterator[Path]:
    """The file itself, or all files in a folder and below, in the order of their names. Links are not followed: they
    come out too, to be refused by name. Hidden files, cases and packs are left out.
    """
    if source.is_symlink() or not source.is_dir():
        yield source
        return
    for path in sorted(source.iterdir(), key=lambda one: one.name):
        if path.name.startswith(".") or path.name in {"Thumbs.db", "desktop.ini"}:
            continue
        if path.is_dir() and not path.is_symlink():
            if _is_ours(path):
                continue
            yield from files_below(path)
        else:
            yield path


def _is_ours(path: Path) -> bool:
    names = {one.name for one in path.iterdir()}
    return {"journal.jsonl", "originals"} <= names or {"manifest.json", "SHA256SUMS"} <= names
