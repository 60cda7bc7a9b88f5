"""Is a pack what its manifest says? Hashes of every file, sealed lists, and tokens under roots that the reader chose.

Reads a folder or a ZIP of strangers: bounded, nothing unpacked to the disk, no links followed. Needs no extra.
"""

import json
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, Final, NamedTuple, Protocol

from fairkey.casework.checking import BAD, GOOD, LEFT, Found
from fairkey.casework.disk import FileIsRefused, open_regular
from fairkey.casework.hashing import PIECE_BYTES, Digests, Stream, digest
from fairkey.casework.journal import sha256_hex
from fairkey.casework.moments import moment
from fairkey.casework.receipts import REPLY_BYTES_MAX, ReceiptIsRefused, check_receipt
from fairkey.proofs.policies import Policy
from fairkey.proofs.receipts import RECEIPT_SUFFIX
from fairkey.proofs.timestamps import TOKEN_BYTES_MAX, TokenIsRefused, TsaRoots, check_token

FORMAT: Final = "fairkey-pack/1"
JOINT: Final = "fairkey-joint-pack/1"
MEMBERS_MAX: Final = 20_000
MANIFEST_BYTES_MAX: Final = 64 * 1024 * 1024
FILE_BYTES_MAX: Final = 64 * 1024**3
RATIO_MAX: Final = 200
_SMALL_BYTES: Final = 1024 * 1024
_NAME: Final = re.compile(r"[^\\:\x00-\x1f]{1,300}")
_UNNAMED: Final = frozenset({"manifest.json", "verify.html", "SHA256SUMS"})
_ZIP_ERRORS: Final = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, struct.error)
_SHOWN_MAX: Final = 20


_MEMBER: Final = re.compile(r"members/[0-9]{2,4}")


class PackIsUnreadable(Exception):
    """It is no pack, or built to harm. The argument is a sentence."""


class Pack(Protocol):
    """The files of a pack by their names, from its own folder."""

    def names(self) -> list[str]:
        """All of them, in order."""

    def open(self, name: str) -> Stream:
        """One of them. Raises `FileIsRefused`."""


class _Folder:
    def __init__(self, path: Path, stack: ExitStack) -> None:
        self._path = path
        self._stack = stack

    def names(self) -> list[str]:
        found = []
        for path in self._path.rglob("*"):
            if path.is_dir() and not path.is_symlink():
                continue
            found.append(path.relative_to(self._path).as_posix())
            if len(found) > MEMBERS_MAX:
                raise PackIsUnreadable("The folder holds too many files for a pack.")
        return sorted(found)

    def open(self, name: str) -> Stream:
        place = self._path / name
        if any(one.is_symlink() for one in [place, *place.parents[: name.count("/")]]):
            raise FileIsRefused("is a link or lies behind one")
        return self._stack.enter_context(open_regular(place))


class _Zip:
    def __init__(self, opened: zipfile.ZipFile, stack: ExitStack) -> None:
        self._opened = opened
        self._stack = stack
        members = [one for one in opened.infolist() if not one.is_dir()]
        if len(opened.infolist()) > MEMBERS_MAX:
            raise PackIsUnreadable("The ZIP holds too many files for a pack.")
        if len({one.filename for one in members}) != len(members):
            raise PackIsUnreadable("Two files of the ZIP have the same name.")
        for one in members:
            if not _is_good_name(one.filename):
                raise PackIsUnreadable("A file of the ZIP has a name that leads elsewhere.")
            if one.file_size > FILE_BYTES_MAX or one.file_size > max(_SMALL_BYTES, one.compress_size * RATIO_MAX):
                raise PackIsUnreadable("A file of the ZIP is too long, or packed too tightly to be believed.")
        tops = {one.filename.partition("/")[0] for one in members}
        is_below = len(tops) == 1 and all("/" in one.filename for one in members)
        base = f"{tops.pop()}/" if is_below else ""
        self._members = {one.filename[len(base) :]: one for one in members}

    def names(self) -> list[str]:
        return sorted(self._members)

    def open(self, name: str) -> Stream:
        if name not in self._members:
            raise FileIsRefused("is not there")
        try:
            return _Unpacked(self._stack.enter_context(self._opened.open(self._members[name])))
        except _ZIP_ERRORS as error:
            raise FileIsRefused("cannot be unpacked") from error


class _Member:
    """A pack within a joint pack."""

    def __init__(self, pack: Pack, path: str) -> None:
        self._pack = pack
        self._base = f"{path}/"

    def names(self) -> list[str]:
        return [one[len(self._base) :] for one in self._pack.names() if one.startswith(self._base)]

    def open(self, name: str) -> Stream:
        return self._pack.open(self._base + name)


class _Unpacked:
    """A member of a ZIP; a damaged one ends as a refusal."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def readinto(self, buffer: memoryview, /) -> int:
        try:
            data = self._stream.read(len(buffer))
        except _ZIP_ERRORS as error:
            raise FileIsRefused("is damaged") from error
        buffer[: len(data)] = data
        return len(data)


def _is_good_name(name: str) -> bool:
    parts = name.split("/")
    return bool(_NAME.fullmatch(name)) and not name.startswith("/") and not {"..", ".", ""} & set(parts)


def is_pack(path: Path) -> bool:
    """Whether a folder or ZIP calls itself a pack; false for everything that cannot be read."""
    try:
        with ExitStack() as stack:
            return _opened(path, stack) is not None
    except (PackIsUnreadable, FileIsRefused, OSError):
        return False


def _opened(path: Path, stack: ExitStack) -> tuple[Pack, dict[str, Any], bytes] | None:
    pack: Pack
    if path.is_dir():
        if not (path / "manifest.json").is_file():
            return None
        pack = _Folder(path, stack)
    else:
        stream = stack.enter_context(open_regular(path))
        try:
            pack = _Zip(stack.enter_context(zipfile.ZipFile(stream)), stack)
        except (*_ZIP_ERRORS, ValueError, OSError):
            return None
    data = _read(pack, "manifest.json", MANIFEST_BYTES_MAX)
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return (pack, said, data) if isinstance(said, dict) and said.get("format") in {FORMAT, JOINT} else None


def _read(pack: Pack, name: str, bytes_max: int) -> bytes:
    pieces: list[bytes] = []
    left = bytes_max + 1
    stream = pack.open(name)
    while left:
        buffer = bytearray(min(left, 256 * 1024))
        count = stream.readinto(memoryview(buffer))
        if not count:
            return b"".join(pieces)
        pieces.append(bytes(buffer[:count]))
        left -= count
    raise FileIsRefused(f"has more than {bytes_max:,} bytes")


class _Trusted(NamedTuple):
    """Whom the reader believes: roots of time stampers, keys of logs and witnesses. None: nobody was named."""

    roots: TsaRoots | None
    policy: Policy | None


def check_pack(
    path: Path,
    roots: TsaRoots | None = None,
    on_file: Callable[[str, int, int], object] = lambda *_: None,
    policy: Policy | None = None,
) -> Iterator[Found]:
    """Check a pack, step by step. `on_file` hears name, number and how many. Raises `PackIsUnreadable`."""
    trusted = _Trusted(roots, policy)
    with ExitStack() as stack:
        try:
            opened = _opened(path, stack)
        except (FileIsRefused, OSError) as error:
            raise PackIsUnreadable(f"{path.name} {error}.") from None
        if opened is None:
            raise PackIsUnreadable(f"{path.name} is no pack.")
        pack, said, data = opened
        if said["format"] == JOINT:
            yield from _joint(pack, said, data, trusted, on_file)
        else:
            yield from _one(pack, said, data, trusted, on_file)


def _one(
    pack: Pack,
    said: Mapping[str, Any],
    data: bytes,
    trusted: _Trusted,
    on_file: Callable[[str, int, int], object],
) -> Iterator[Found]:
    try:
        wanted, evidence = _wanted(said)
    except (KeyError, TypeError, ValueError, AttributeError):
        yield Found("manifest", BAD, "The manifest is not as this program writes it.")
        return
    yield Found("manifest", GOOD, f"A pack of {len(evidence)} pieces of evidence. Its fingerprint: {sha256_hex(data)}")
    yield _files(pack, wanted, evidence, on_file)
    yield from _lists(pack, evidence, trusted)


def _joint(
    pack: Pack,
    said: Mapping[str, Any],
    data: bytes,
    trusted: _Trusted,
    on_file: Callable[[str, int, int], object],
) -> Iterator[Found]:
    """Its own files, then every member's pack: the one whose fingerprint it names, and all that is in it."""
    try:
        wanted, _ = _wanted({"files": said["files"], "evidence": []})
        members = _named_members(said)
    except (KeyError, TypeError, ValueError, AttributeError):
        yield Found("manifest", BAD, "The manifest is not as this program writes it.")
        return
    yield Found("manifest", GOOD, f"A joint pack of {len(members)} persons. Its fingerprint: {sha256_hex(data)}")
    below = tuple(f"{path}/" for path in members)
    yield _files(pack, wanted, [], on_file, below)
    for path, fingerprint in members.items():
        member = _Member(pack, path)
        try:
            read = _read(member, "manifest.json", MANIFEST_BYTES_MAX)
            told = json.loads(read)
            is_pack_of_one = isinstance(told, dict) and told.get("format") == FORMAT
        except (FileIsRefused, ValueError, RecursionError):
            yield Found("manifest", BAD, f"{path} holds no pack that can be read.")
            continue
        if sha256_hex(read) != fingerprint or not is_pack_of_one:
            yield Found("manifest", BAD, f"{path} is not the pack that the joint pack names.")
            continue
        for one in _one(member, told, read, trusted, on_file):
            yield one._replace(sentence=f"{path}: {one.sentence}")


def _named_members(said: Mapping[str, Any]) -> dict[str, str]:
    members = {str(one["path"]): str(one["manifest_sha256"]) for one in said["members"]}
    if len(members) != len(said["members"]) or not all(_MEMBER.fullmatch(one) for one in members):
        raise ValueError("members")
    return members


def _wanted(said: Mapping[str, Any]) -> tuple[dict[str, tuple[str, int]], list[dict[str, Any]]]:
    wanted = {str(one["path"]): (str(one["sha256"]), int(one["size_bytes"])) for one in said["files"]}
    evidence = [dict(one) for one in said["evidence"]]
    for one in evidence:
        path, sha256, size_bytes = str(one["path"]), str(one["sha256"]), int(one["size_bytes"])
        if wanted.get(path) != (sha256, size_bytes):
            raise ValueError(path)
        _ = (str(one["sha512"]), int(one.get("sha512_piece_bytes", 0)), str(one["list"]), str(one["facts_sha256"]))
    if not all(_is_good_name(name) for name in wanted):
        raise ValueError("name")
    return wanted, evidence


def _files(
    pack: Pack,
    wanted: Mapping[str, tuple[str, int]],
    evidence: list[dict[str, Any]],
    on_file: Callable[[str, int, int], object],
    checked_apart: tuple[str, ...] = (),
) -> Found:
    pieces = {one["path"]: one for one in evidence}
    wrong = []
    for number, (name, (sha256, size_bytes)) in enumerate(sorted(wanted.items()), 1):
        on_file(name, number, len(wanted))
        try:
            seen = _digest(pack, name, pieces.get(name, {}))
        except FileIsRefused as error:
            wrong.append(f"{name} {error}")
            continue
        if (seen.sha256, seen.size_bytes) != (sha256, size_bytes):
            wrong.append(f"{name} is not the file that the manifest names")
        elif name in pieces and pieces[name]["sha512"] and seen.sha512 != pieces[name]["sha512"]:
            wrong.append(f"{name} has another SHA-512 than the manifest says")
    extra = [
        name
        for name in pack.names()
        if name not in wanted and name not in _UNNAMED and not name.startswith(checked_apart)
    ]
    others = tuple(f"{name} is not in the manifest: nothing is said about it" for name in extra[:_SHOWN_MAX])
    if wrong:
        shown = (*wrong[:_SHOWN_MAX], *others)
        return Found("evidence", BAD, f"{len(wrong)} of {len(wanted)} files are not as the manifest says.", shown)
    return Found("evidence", GOOD, f"All {len(wanted)} files are as the manifest says.", others)


def _digest(pack: Pack, name: str, piece: Mapping[str, Any]) -> Digests:
    size = int(piece.get("sha512_piece_bytes", 0)) or PIECE_BYTES
    if size != PIECE_BYTES:
        raise FileIsRefused("names pieces of a size that this program does not know")
    return digest(pack.open(name), wants_sha512=bool(piece.get("sha512")))


def _lists(pack: Pack, evidence: list[dict[str, Any]], trusted: _Trusted) -> Iterator[Found]:
    names = pack.names()
    wrong, stamped = [], set()
    for no in sorted({one["list"] for one in evidence if one["list"]}):
        name = f"seals/{no}/payload.json"
        try:
            data = _read(pack, name, MANIFEST_BYTES_MAX)
            said = {one["sha256"]: one for one in json.loads(data)["files"]}
        except (FileIsRefused, ValueError, KeyError, TypeError, RecursionError):
            wrong.append(f"{name} is missing or cannot be read")
            continue
        mine = [one for one in evidence if one["list"] == no]
        wrong += [
            f"{one['path']} stands not so in {name}" for one in mine if not _is_listed(one, said.get(one["sha256"]))
        ]
        for token in (one for one in names if one.startswith(f"seals/{no}/") and one.endswith(".tst")):
            found = _token(pack, token, data, trusted.roots)
            if found.state == GOOD:
                stamped.add(no)
            yield found
        for receipt in (one for one in names if one.startswith(f"seals/{no}/") and one.endswith(RECEIPT_SUFFIX)):
            found = _receipt(pack, receipt, sha256_hex(data), trusted.policy)
            if found.state == GOOD:
                stamped.add(no)
            yield found
    if wrong:
        yield Found("lists", BAD, "The sealed lists do not say what the manifest says.", tuple(wrong[:_SHOWN_MAX]))
    else:
        count = sum(1 for one in evidence if one["list"])
        yield Found("lists", GOOD if count else LEFT, f"{count} pieces of evidence stand in their sealed lists.")
    without = sum(1 for one in evidence if one["list"] not in stamped)
    if without:
        sentence = f"Nothing checked outside the pack says when {without} pieces existed: no time stamp, no log."
        yield Found("tokens", LEFT, sentence)


def _is_listed(one: Mapping[str, Any], said: object) -> bool:
    names = ("sha256", "sha512", "size_bytes", "sealed_at_ms", "facts_sha256")
    return isinstance(said, dict) and all(said.get(name) == one.get(name) for name in names)


def _token(pack: Pack, name: str, data: bytes, roots: TsaRoots | None) -> Found:
    if roots is None:
        return Found("tokens", LEFT, f"{name}: not checked; --tsa-roots names the authorities you trust.")
    try:
        stamp = check_token(_read(pack, name, TOKEN_BYTES_MAX), data, roots)
    except (FileIsRefused, TokenIsRefused) as error:
        return Found("tokens", BAD, f"{name}: {error}.")
    return Found("tokens", GOOD, f"{name}: {stamp.tsa} saw the list at {moment(stamp.gen_time_ms)}.")


def _receipt(pack: Pack, name: str, sha256: str, policy: Policy | None) -> Found:
    if policy is None:
        return Found("place", LEFT, f"{name}: not checked; --policy names the log and the witnesses you trust.")
    try:
        entry = check_receipt(_read(pack, name, REPLY_BYTES_MAX), sha256, policy)
    except (FileIsRefused, ReceiptIsRefused) as error:
        return Found("place", BAD, f"{name}: {error}.")
    when = moment(entry.witnessed_at_ms or entry.at_ms)
    return Found("place", GOOD, f"{name}: entry {entry.number} of the log {entry.origin}, seen by {when}.")
