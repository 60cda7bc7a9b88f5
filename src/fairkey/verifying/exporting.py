"""A log as static files that any C2SP tool reads, with every published head beside them."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

from fairkey.proofs.checkpoints import read_checkpoint
from fairkey.proofs.merkle import HASH_BYTES
from fairkey.proofs.notes import NOTE_BYTES_MAX, NoteIsMalformed, read_note
from fairkey.proofs.tiles import (
    BUNDLE_BYTES_MAX,
    ENTRIES,
    TILE_WIDTH,
    TileName,
    bundles_of,
    decode_bundle,
    encode_bundle,
    tiles_of,
)
from fairkey.proofs.timestamps import TOKEN_BYTES_MAX

from .reading import FileIsMissing, read_regular
from .sources import CHECKPOINT, INDEX, LogSource, read_head

OURS: Final = frozenset({CHECKPOINT, "checkpoints", "tile", "policy", "vkey"})


class FolderIsTaken(Exception):
    """The folder holds something else than an earlier export of this log. The argument is a sentence."""


def export_log(
    source: LogSource, folder: Path, *, policy: str, vkey: str, progress: Callable[[str, int, int], None]
) -> dict[str, int]:
    """Write the log into a new folder, or bring an earlier export of it up to date; how much of what there is now.

    `checkpoint` comes last: an export that was cut off is never taken for a whole one. Raises `FolderIsTaken`,
    `FileIsMissing`, `FileCannotBeRead`, OSError.
    """
    data = source.read(CHECKPOINT, NOTE_BYTES_MAX)
    head = read_checkpoint(read_note(data).text)
    _require_ours(folder, head.origin, head.size)
    names = [*bundles_of(head.size), *tiles_of(head.size)]
    for number, name in enumerate(names, 1):
        _put(folder / name.path, _tile(source, name))
        progress("tiles", number, len(names))
    heads = source.heads() or {}
    for number, (size, stamps) in enumerate(heads.items(), 1):
        _put(folder / "checkpoints" / str(size), read_head(source, size))
        for stamp in range(1, stamps + 1):
            path = f"checkpoints/{size}.{stamp}.tst"
            _put(folder / path, source.read(path, TOKEN_BYTES_MAX))
        progress("heads", number, len(heads))
    _put(folder / INDEX, b"".join(b"%d %d\n" % one for one in heads.items()))
    _put(folder / "policy", policy.encode())
    _put(folder / "vkey", f"{vkey}\n".encode())
    _put(folder / CHECKPOINT, data)
    return {"entries": head.size, "tiles": len(names), "heads": len(heads), "time_stamps": sum(heads.values())}


def _require_ours(folder: Path, origin: str, size: int) -> None:
    if not folder.exists():
        return
    strangers = [one.name for one in folder.iterdir() if one.name not in OURS and not one.name.startswith(".new-")]
    if strangers:
        raise FolderIsTaken(f"{folder} holds other things, {strangers[0]} among them")
    try:
        there = read_checkpoint(read_note(read_regular(folder / CHECKPOINT, NOTE_BYTES_MAX)).text)
    except FileIsMissing:
        return
    except NoteIsMalformed:
        raise FolderIsTaken(f"{folder / CHECKPOINT} is no checkpoint") from None
    if there.origin != origin or there.size > size:
        raise FolderIsTaken(f"{folder} holds {there.size} entries of {there.origin}")


def _tile(source: LogSource, name: TileName) -> bytes:
    """A tile or bundle; a partial one that is gone is cut out of the full one."""
    try:
        return source.read(name.path, BUNDLE_BYTES_MAX)
    except FileIsMissing:
        if name.width == TILE_WIDTH:
            raise
    full = source.read(name._replace(width=TILE_WIDTH).path, BUNDLE_BYTES_MAX)
    if name.level == ENTRIES:
        return encode_bundle(decode_bundle(full, name.width))
    return full[: name.width * HASH_BYTES]


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".new-{secrets.token_hex(4)}")
    try:
        beside.write_bytes(data)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
