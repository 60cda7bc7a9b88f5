"""Every entry of a log against its tile, every tile against the one above, and the roots that come out: in one pass,
a bundle at a time, so that memory stays the same however long the log is.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from fairkey.proofs.merkle import HASH_BYTES, MerkleRoot, leaf_hash, merkle_root
from fairkey.proofs.tiles import (
    BUNDLE_BYTES_MAX,
    ENTRIES,
    TILE_BYTES,
    TILE_HEIGHT,
    TILE_WIDTH,
    TileIsMalformed,
    TileName,
    decode_bundle,
    hashes_in,
)

from .reading import FileCannotBeRead, FileIsMissing, FileIsTooLong
from .sources import LogSource

FAULTS_TOLD_MAX: Final = 20

OnEntries = Callable[[int, Sequence[bytes]], None]
"""Hears each bundle's entries, with the number of the first."""


@dataclass(slots=True)
class Faults:
    """What is wrong: the first sentences, and how many there were."""

    told: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, sentence: str) -> None:
        """One more."""
        self.count += 1
        if len(self.told) < FAULTS_TOLD_MAX:
            self.told.append(sentence)

    def lines(self) -> tuple[str, ...]:
        """All that are told, and how many are not."""
        more = self.count - len(self.told)
        return (*self.told, f"… and {more} more") if more else tuple(self.told)


@dataclass(slots=True)
class Walked:
    """What a pass found. `roots`: size -> root, of the sizes asked for; `reached`: the entries whose hash is known;
    `is_cut_off`: the place did not answer from there on.
    """

    faults: Faults
    roots: dict[int, bytes]
    reached: int
    is_cut_off: bool = False


def span(first: int, end: int) -> str:
    """The entries `[first, end)` in words."""
    return f"entry {first}" if end - first == 1 else f"entries {first} to {end - 1}"


class _Walk:
    def __init__(self, source: LogSource, size: int, sizes: Iterable[int], on_entries: OnEntries) -> None:
        self.source = source
        self.size = size
        self.wanted = sorted({one for one in sizes if 0 <= one <= size}, reverse=True)
        self.on_entries = on_entries
        self.faults = Faults()
        self.tree = MerkleRoot()
        self.roots: dict[int, bytes] = {}
        self.pending: list[list[bytes]] = []  # of each level above 0: the hashes of the tile that is not full yet
        self.numbers: list[int] = []  # and its number

    def bundle(self, number: int) -> bool:
        first = number * TILE_WIDTH
        width = min(TILE_WIDTH, self.size - first)
        hashes = self._tile(TileName(0, number, width), first, first + width)
        entries = self._entries(number, width)
        if entries is None and hashes is None:
            return False
        if entries is not None:
            leaves = [leaf_hash(entry) for entry in entries]
            for at, (leaf, hash_) in enumerate(zip(leaves, hashes or leaves, strict=True)):
                if leaf != hash_:
                    self.faults.add(f"Entry {first + at} is not the one that its tile was made from.")
            hashes = hashes or leaves
            self.on_entries(first, entries)
        assert hashes is not None
        self._grow(hashes)
        if width == TILE_WIDTH:
            self._add_above(1, merkle_root(hashes))
        return True

    def _grow(self, leaves: Sequence[bytes]) -> None:
        for leaf in leaves:
            self._note_root()
            self.tree.add(leaf)
        self._note_root()

    def _note_root(self) -> None:
        while self.wanted and self.wanted[-1] == self.tree.size:
            self.roots[self.wanted.pop()] = self.tree.root()

    def _add_above(self, level: int, node: bytes) -> None:
        """The root of a full tile is a hash of the tile above."""
        if len(self.pending) < level:
            self.pending.append([])
            self.numbers.append(0)
        tile = self.pending[level - 1]
        tile.append(node)
        if len(tile) == TILE_WIDTH:
            self._compare(level, tile)
            self._add_above(level + 1, merkle_root(tile))
            self.pending[level - 1] = []
            self.numbers[level - 1] += 1

    def finish(self) -> None:
        """The tiles above that are not full."""
        self._note_root()
        for level, tile in enumerate(self.pending, 1):
            if tile:
                self._compare(level, tile)

    def _compare(self, level: int, tile: Sequence[bytes]) -> None:
        leaves_each = 1 << (TILE_HEIGHT * level)
        name = TileName(level, self.numbers[level - 1], len(tile))
        first = name.number * TILE_WIDTH * leaves_each
        found = self._tile(name, first, first + len(tile) * leaves_each)
        if found is None:
            return
        for at, (node, hash_) in enumerate(zip(tile, found, strict=True)):
            if node != hash_:
                here = first + at * leaves_each
                self.faults.add(f"{name.path} was made from other {span(here, here + leaves_each)}.")

    def _tile(self, name: TileName, first: int, end: int) -> list[bytes] | None:
        try:
            data, is_exact = self._read(name, TILE_BYTES)
            return hashes_in(_of_length(data, name.width * HASH_BYTES) if is_exact else data, name.width)
        except (FileIsMissing, FileIsTooLong, TileIsMalformed) as error:
            self.faults.add(f"{name.path} ({span(first, end)}) {_why(error)}.")
            return None

    def _entries(self, number: int, width: int) -> list[bytes] | None:
        name, first = TileName(ENTRIES, number, width), number * TILE_WIDTH
        try:
            data, is_exact = self._read(name, BUNDLE_BYTES_MAX)
            entries = decode_bundle(data, width)
            if is_exact:
                _of_length(data, sum(map(len, entries)) + 2 * width)
        except (FileIsMissing, FileIsTooLong, TileIsMalformed) as error:
            self.faults.add(f"{name.path} ({span(first, first + width)}) {_why(error)}.")
            return None
        return entries

    def _read(self, name: TileName, bytes_max: int) -> tuple[bytes, bool]:
        """A tile's bytes, and whether they are its own: a partial one that is gone is taken from the full one."""
        try:
            return self.source.read(name.path, bytes_max), True
        except FileIsMissing:
            if name.width == TILE_WIDTH:
                raise
            return self.source.read(name._replace(width=TILE_WIDTH).path, bytes_max), False


def _of_length(data: bytes, length: int) -> bytes:
    """A file under its own name holds what the name says and nothing after it."""
    if len(data) != length:
        raise TileIsMalformed(f"it has {len(data)} bytes, not {length}")
    return data


def _why(error: Exception) -> str:
    if isinstance(error, FileIsMissing):
        return "is missing"
    return str(error) if isinstance(error, FileIsTooLong) else f"is damaged: {error}"


def walk(
    source: LogSource,
    size: int,
    *,
    roots_at: Iterable[int],
    on_entries: OnEntries,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Walked:
    """Go through the first `size` entries. Ends early where neither entries nor hashes are left.

    Raises `FileCannotBeRead` when the place does not answer; not once something wrong was found: that is told.
    """
    going = _Walk(source, size, roots_at, on_entries)
    try:
        for number in range(-(-size // TILE_WIDTH)):
            if not going.bundle(number):
                return Walked(going.faults, going.roots, going.tree.size)
            on_progress(going.tree.size)
        going.finish()
    except FileCannotBeRead as error:
        if not going.faults.count:
            raise
        going.faults.add(f"From {error.name} on it could not be read: it {error}.")
        return Walked(going.faults, going.roots, going.tree.size, is_cut_off=True)
    return Walked(going.faults, going.roots, going.tree.size)
