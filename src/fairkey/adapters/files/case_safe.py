"""Case folders that lie encrypted. Each file is sealed under a key of its own; the index that names files and keys is
sealed under the case's key and put in place last, in one move: a death at any line leaves the case before or after.

Work happens in a private folder in memory where the system has one (`/dev/shm`), removed afterwards.
"""

import fcntl
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from fairkey.adapters.files.sealing import PIECE_BYTES, Opening, Sealing
from fairkey.business.basics import NotFound
from fairkey.casework.disk import sync_folder, write_whole
from fairkey.casework.folder import FOLDERS, CaseFolder
from fairkey.engine.cases_port import CASE_BYTES_MAX, FILES_MAX, CaseIsFull
from fairkey.engine.evidence_port import EvidenceIsChanged

PREFIX: Final = "fairkey-case-"
LEFT_OVER_S: Final = 3600.0
_CONTEXT: Final = b"fairkey case index 1"
_NONCE_BYTES: Final = 12
_UNKEPT: Final = frozenset({"lock", "case.json"})
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of ours is made there, mode 0700

T = TypeVar("T")


class Blob(Struct, frozen=True):
    """A sealed file: the name it lies under, its key, its length in clear."""

    name: str
    key: bytes
    size_bytes: int


class _Seen(NamedTuple):
    size_bytes: int
    mtime_ns: int


Index = dict[str, Blob]


def private_folder() -> Path:
    """A new folder that only this user may enter; those that a death left behind are removed."""
    base = _MEMORY if os.access(_MEMORY, os.W_OK) else Path(tempfile.gettempdir())
    for old in base.glob(f"{PREFIX}*"):
        with suppress(OSError):
            if time.time() - old.stat().st_mtime > LEFT_OVER_S:
                shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))


class CaseSafe:
    """One kept case at `place`. Every method blocks; call them in a thread."""

    def __init__(self, place: Path, key: bytes) -> None:
        """`key`: 32 bytes, of this case alone."""
        self._place = place
        self._cipher = AESGCM(key)

    def begin(self, fill: Callable[[Path], object]) -> None:
        """Keep a new case that `fill` makes in an empty folder."""
        self._place.mkdir(parents=True, mode=0o700)
        opened = private_folder()
        try:
            fill(opened / "case")
            self._keep(opened / "case", {}, {})
        finally:
            shutil.rmtree(opened, ignore_errors=True)

    def look(self, work: Callable[[CaseFolder], T], *, files: bool) -> T:
        """Open a copy, do the work, throw the copy away."""
        opened = private_folder()
        try:
            with self._alone():
                self._open(opened, self._index(), files=files)
            return work(CaseFolder(opened))
        finally:
            shutil.rmtree(opened, ignore_errors=True)

    def change(self, work: Callable[[CaseFolder], T]) -> T:
        """Open, work, and keep what came of it. Raises `CaseIsFull`."""
        opened = private_folder()
        try:
            with self._alone():
                index = self._index()
                seen = self._open(opened, index, files=False)
                result = work(CaseFolder(opened))
                self._keep(opened, index, seen)
                return result
        finally:
            shutil.rmtree(opened, ignore_errors=True)

    def keep_pack(self, path: Path) -> None:
        """Put a pack in the place of the last one."""
        with self._alone():
            index = self._index()
            self._put(index | {"pack.zip": self._seal(path)})

    def pack(self) -> bytes:
        """The last pack. Raises `NotFound`."""
        with self._alone():
            blob = self._index().get("pack.zip")
            if blob is None:
                raise NotFound(what="case")
            return b"".join(self._pieces(blob))

    def forget(self) -> None:
        """Remove everything; whoever waits for his turn finds nothing."""
        with self._alone():
            shutil.rmtree(self._place)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        try:
            file = (self._place / "lock").open("a+b")
        except FileNotFoundError:
            raise NotFound(what="case") from None
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _index(self) -> Index:
        try:
            sealed = (self._place / "index").read_bytes()
        except FileNotFoundError:
            raise NotFound(what="case") from None
        try:
            text = self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _CONTEXT)
        except (InvalidTag, ValueError):
            raise EvidenceIsChanged from None
        return msgspec.msgpack.decode(text, type=Index)

    def _put(self, index: Index) -> None:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        write_whole(self._place / "index", nonce + self._cipher.encrypt(nonce, msgspec.msgpack.encode(index), _CONTEXT))
        kept = {one.name for one in index.values()} | {"index", "lock"}
        for path in self._place.iterdir():
            if path.name not in kept:
                path.unlink(missing_ok=True)

    def _open(self, opened: Path, index: Index, *, files: bool) -> dict[str, _Seen]:
        for name in FOLDERS:
            (opened / name).mkdir(exist_ok=True)
        seen = {}
        for name, blob in index.items():
            if name == "pack.zip" or (not files and name.startswith("originals/")):
                continue
            path = opened / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                for piece in self._pieces(blob):
                    file.write(piece)
            seen[name] = _seen(path)
        return seen

    def _keep(self, opened: Path, before: Index, seen: dict[str, _Seen]) -> None:
        """Seal what is new or other than it was opened. Nothing is ever taken out of a case."""
        index = dict(before)
        for path in sorted(one for one in opened.rglob("*") if one.is_file()):
            name = path.relative_to(opened).as_posix()
            if name in _UNKEPT or name.startswith("work/") or path.name.endswith(".part"):
                continue
            if seen.get(name) != _seen(path):
                index[name] = self._seal(path)
        originals = [one for name, one in index.items() if name.startswith("originals/")]
        if len(originals) > FILES_MAX or sum(one.size_bytes for one in originals) > CASE_BYTES_MAX:
            raise CaseIsFull(limit=FILES_MAX, mib=CASE_BYTES_MAX // 1024 // 1024)
        self._put(index)

    def _seal(self, path: Path) -> Blob:
        key, name = secrets.token_bytes(32), secrets.token_hex(16)
        sealing = Sealing(key)
        with path.open("rb") as source, (self._place / name).open("xb") as file:
            while piece := source.read(PIECE_BYTES):
                file.write(sealing.feed(piece))
            file.write(sealing.finish())
            file.flush()
            os.fsync(file.fileno())
        sync_folder(self._place)
        return Blob(name, key, path.stat().st_size)

    def _pieces(self, blob: Blob) -> Iterator[bytes]:
        opening = Opening(blob.key)
        with (self._place / blob.name).open("rb") as file:
            while sealed := file.read(PIECE_BYTES):
                yield opening.feed(sealed)
        yield opening.finish()


def _seen(path: Path) -> _Seen:
    found = path.stat()
    return _Seen(found.st_size, found.st_mtime_ns)
