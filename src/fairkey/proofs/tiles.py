"""A log as tiles and entry bundles (C2SP tlog-tiles v0.1.0): paths, bytes, and reading proofs out of them.

Tile `(level, number)` holds up to 256 hashes; hash `i` of it is the root over the leaves
`[(256 * number + i) * 256**level, (256 * number + i + 1) * 256**level)`. Only full tiles are hashed into the level
above. A bundle holds the entries below the tile of level 0 of the same number, each behind its length as two bytes.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from .merkle import HASH_BYTES, leaf_hash, node_hash
from .tree_ranges import consistency_ranges, hash_of, inclusion_ranges

TILE_WIDTH = 256
TILE_HEIGHT = 8
TILE_BYTES = TILE_WIDTH * HASH_BYTES
LEVEL_MAX = 63
ENTRY_BYTES_MAX = 65_535
BUNDLE_BYTES_MAX = TILE_WIDTH * (2 + ENTRY_BYTES_MAX)
TILES_KEPT = 4_096

Fetch = Callable[[str], bytes]  # path below the log's root -> bytes; raises TileIsMissing


class TileIsMissing(Exception):
    """There is no such file in this log. The argument is its path."""


class TileIsMalformed(Exception):
    """A tile or bundle has not the shape it must have. The argument says which, and what is wrong."""


class TileName(NamedTuple):
    """One tile or bundle. `level` -1 is a bundle of entries; `width` 256 is a full one."""

    level: int
    number: int
    width: int

    @property
    def path(self) -> str:
        """Its path below the log's root."""
        level = "entries" if self.level == ENTRIES else str(self.level)
        partial = f".p/{self.width}" if self.width < TILE_WIDTH else ""
        return f"tile/{level}/{_grouped(self.number)}{partial}"


ENTRIES = -1
_PATH = re.compile(r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


def _grouped(index: int) -> str:
    groups = [f"{index % 1000:03}"]
    while index >= 1000:  # noqa: PLR2004 - three digits a group
        index //= 1000
        groups.insert(0, f"x{index % 1000:03}")
    return "/".join(groups)


def tile_named(path: str) -> TileName | None:
    """The tile that `path` names, or None when it names none (so that nothing else of a disk can be asked for)."""
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    level_text, groups, width_text = found.groups()
    level = ENTRIES if level_text == "entries" else int(level_text)
    name = TileName(level, int(groups.replace("x", "").replace("/", "")), int(width_text or TILE_WIDTH))
    return name if level <= LEVEL_MAX and name.path == path else None


def tiles_of(size: int, *, above: int = 0) -> Iterator[TileName]:
    """All tiles (not bundles) that a tree of `size` leaves needs and one of `above` leaves did not have, lowest level
    first.
    """
    level, width_before = 0, above
    hashes = size
    while hashes:
        for index in range(width_before // TILE_WIDTH, -(-hashes // TILE_WIDTH)):
            width = min(TILE_WIDTH, hashes - index * TILE_WIDTH)
            if index * TILE_WIDTH + width > width_before:
                yield TileName(level, index, width)
        level, hashes, width_before = level + 1, hashes >> TILE_HEIGHT, width_before >> TILE_HEIGHT


def bundles_of(size: int, *, above: int = 0) -> Iterator[TileName]:
    """All bundles that a log of `size` entries needs and one of `above` entries did not have."""
    return (TileName(ENTRIES, tile.number, tile.width) for tile in tiles_of(size, above=above) if tile.level == 0)


def encode_bundle(entries: Iterable[bytes]) -> bytes:
    """The bytes of a bundle; ValueError for an entry over 65,535 bytes."""
    parts = []
    for entry in entries:
        if len(entry) > ENTRY_BYTES_MAX:
            raise ValueError("an entry is longer than its length field can say")
        parts += [len(entry).to_bytes(2, "big"), entry]
    return b"".join(parts)


def decode_bundle(data: bytes, width: int) -> list[bytes]:
    """The first `width` entries of a bundle's bytes; raises `TileIsMalformed` when it does not hold so many, or more
    than a bundle may.
    """
    entries: list[bytes] = []
    at = 0
    while at < len(data) and len(entries) <= TILE_WIDTH:
        start = at + 2
        end = start + int.from_bytes(data[at:start], "big")
        if start > len(data) or end > len(data):
            raise TileIsMalformed("a bundle breaks off inside an entry")
        entries.append(data[start:end])
        at = end
    if not width <= len(entries) <= TILE_WIDTH:
        raise TileIsMalformed(f"a bundle holds {len(entries)} entries, not {width}")
    return entries[:width]


def hashes_in(tile: bytes, width: int) -> list[bytes]:
    """The first `width` hashes of a tile; raises `TileIsMalformed` when it is shorter, or no tile."""
    if len(tile) % HASH_BYTES or not width * HASH_BYTES <= len(tile) <= TILE_BYTES:
        raise TileIsMalformed(f"a tile has {len(tile)} bytes, not {width * HASH_BYTES}")
    return [tile[at : at + HASH_BYTES] for at in range(0, width * HASH_BYTES, HASH_BYTES)]


class TiledTree:
    """The tree of `size` leaves that lies in tiles. What it says is as true as the tiles: check it against a root."""

    def __init__(self, fetch: Fetch, size: int) -> None:
        """`fetch` reads one file of the log. A partial tile that is gone is taken from the full one."""
        self.size = size
        self._fetch = fetch
        self._hashes = lru_cache(maxsize=TILES_KEPT)(self._read_hashes)
        self._entries = lru_cache(maxsize=16)(self._read_entries)

    def root(self) -> bytes:
        """The root as the tiles have it."""
        return hash_of(self.node, 0, self.size)

    def leaf(self, index: int) -> bytes:
        """The leaf hash at `index`; IndexError when there is none."""
        if not 0 <= index < self.size:
            raise IndexError(index)
        return self.node(0, index)

    def entry(self, index: int) -> bytes:
        """The bytes of entry `index`; IndexError when there is none. Its hash is not compared with the tile's."""
        if not 0 <= index < self.size:
            raise IndexError(index)
        return self._entries(index // TILE_WIDTH)[index % TILE_WIDTH]

    def entries(self, start: int, end: int) -> Iterator[bytes]:
        """The entries `[start, end)` in order, a bundle at a time."""
        for bundle in range(start // TILE_WIDTH, -(-end // TILE_WIDTH)):
            first = bundle * TILE_WIDTH
            yield from self._entries(bundle)[max(0, start - first) : end - first]

    def inclusion_proof(self, index: int) -> list[bytes]:
        """The path of leaf `index`, its sibling first."""
        return [hash_of(self.node, start, end) for start, end in inclusion_ranges(index, self.size)]

    def consistency_proof(self, size_before: int) -> list[bytes]:
        """That this tree begins with its first `size_before` leaves."""
        return [hash_of(self.node, start, end) for start, end in consistency_ranges(size_before, self.size)]

    def node(self, level: int, index: int) -> bytes:
        """The root of a complete subtree of this tree."""
        tile_level, height = divmod(level, TILE_HEIGHT)
        first = index << height
        hashes = self._hashes(tile_level, first // TILE_WIDTH)
        at = first % TILE_WIDTH
        part: Sequence[bytes] = hashes[at : at + (1 << height)]
        while len(part) > 1:
            part = [node_hash(part[i], part[i + 1]) for i in range(0, len(part), 2)]
        return part[0]

    def width_at(self, level: int, index: int) -> int:
        """How many hashes tile `(level, index)` has in this tree."""
        return min(TILE_WIDTH, (self.size >> (TILE_HEIGHT * level)) - index * TILE_WIDTH)

    def _read_hashes(self, level: int, index: int) -> list[bytes]:
        width = self.width_at(level, index)
        return hashes_in(self._read(TileName(level, index, width)), width)

    def _read_entries(self, index: int) -> list[bytes]:
        width = self.width_at(0, index)
        return decode_bundle(self._read(TileName(ENTRIES, index, width)), width)

    def _read(self, name: TileName) -> bytes:
        try:
            return self._fetch(name.path)
        except TileIsMissing:
            if name.width == TILE_WIDTH:
                raise
            return self._fetch(name._replace(width=TILE_WIDTH).path)


def check_entry(entry: bytes, leaf: bytes, index: int) -> None:
    """Raise `TileIsMalformed` unless `entry` is what the tree has at `index`."""
    if leaf_hash(entry) != leaf:
        raise TileIsMalformed(f"entry {index} is not the one its tile was made from")
