"""From entries to files: what a log that grows must write, and whether what lies there now is what was meant.

Pure: bytes in, bytes out. Only the right edge of the tree is needed to grow it: the hashes of the last, unfilled tile
of each level, and the entries of the last, unfilled bundle.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from fairkey.proofs.merkle import (
    EMPTY_ROOT,
    ConsistencyIsNotProven,
    MerkleRoot,
    check_consistency,
    leaf_hash,
)
from fairkey.proofs.tiles import (
    ENTRIES,
    TILE_HEIGHT,
    TILE_WIDTH,
    Fetch,
    TiledTree,
    TileIsMalformed,
    TileIsMissing,
    TileName,
    decode_bundle,
    encode_bundle,
    hashes_in,
    tile_named,
)

Files = Mapping[str, bytes]


class WrittenIsDifferent(Exception):
    """What lies in the files is not the log that was to be written. The argument says which entry or file."""


class Edge(NamedTuple):
    """The right edge of a tree of `size` leaves. `files` are its unfilled tiles and its unfilled bundle."""

    size: int
    hashes: tuple[tuple[bytes, ...], ...]  # of the unfilled tile of each level, lowest first
    entries: tuple[bytes, ...]  # of the unfilled bundle
    files: Files


EMPTY = Edge(0, (), (), {})


class Growth(NamedTuple):
    """What is to be written, and the edge afterwards."""

    files: Files
    edge: Edge


def grow(edge: Edge, entries: Sequence[bytes]) -> Growth:
    """Append entries (one or more)."""
    files: dict[str, bytes] = {}
    bundles, rest = _cut((*edge.entries, *entries))
    for number, part in enumerate((*bundles, *([rest] if rest else [])), edge.size // TILE_WIDTH):
        files[TileName(ENTRIES, number, len(part)).path] = encode_bundle(part)
    hashes: list[tuple[bytes, ...]] = []
    new: Sequence[bytes] = [leaf_hash(entry) for entry in entries]
    level = 0
    while new:
        before = edge.hashes[level] if level < len(edge.hashes) else ()
        full, left = _cut((*before, *new))
        first = (edge.size >> (TILE_HEIGHT * level)) // TILE_WIDTH
        for number, part in enumerate((*full, *([left] if left else [])), first):
            files[TileName(level, number, len(part)).path] = b"".join(part)
        hashes.append(left)
        new = [_root_of(part) for part in full]
        level += 1
    hashes += edge.hashes[level:]
    size = edge.size + len(entries)
    known = {**edge.files, **files}
    kept = {name.path: known[name.path] for name in edge_of(size)}
    return Growth(files, Edge(size, tuple(hashes), rest, kept))


def edge_of(size: int) -> list[TileName]:
    """The unfilled tiles of a tree of `size` leaves, lowest first, then its unfilled bundle."""
    names = []
    level, hashes = 0, size
    while hashes:
        if hashes % TILE_WIDTH:
            names.append(TileName(level, hashes // TILE_WIDTH, hashes % TILE_WIDTH))
        level, hashes = level + 1, hashes >> TILE_HEIGHT
    if size % TILE_WIDTH:
        names.append(TileName(ENTRIES, size // TILE_WIDTH, size % TILE_WIDTH))
    return names


def read_edge(size: int, root: bytes, files: Files) -> Edge:
    """The edge that lies in `files` (those of `edge_of`), checked against the root that was signed.

    Raises `WrittenIsDifferent` when a file is missing or the root is another one.
    """
    levels: list[tuple[bytes, ...]] = []
    entries: tuple[bytes, ...] = ()
    try:
        for name in edge_of(size):
            if name.level == ENTRIES:
                entries = tuple(decode_bundle(files[name.path], name.width))
                continue
            levels += [()] * (name.level - len(levels))
            levels.append(tuple(hashes_in(files[name.path], name.width)))
        found = TiledTree(_fetch_from(files), size).root()
    except (KeyError, TileIsMissing, TileIsMalformed) as error:
        raise WrittenIsDifferent(f"a file is missing or damaged: {error.args[0]}") from None
    if found != root:
        raise WrittenIsDifferent("the tiles do not give the root that was signed")
    if entries and tuple(map(leaf_hash, entries)) != levels[0]:
        raise WrittenIsDifferent("the last bundle holds other entries than its tile")
    return Edge(size, tuple(levels), entries, dict(files))


def check_written(
    *, before: Edge, root_before: bytes, size: int, written: Files, leaves: Sequence[bytes]
) -> bytes:
    """The root of the grown tree, computed from the bytes that were read back after they were written.

    Every bundle is hashed again and compared with its tile, every full tile with the one above, the entries from
    `before.size` on with the leaf hashes that the database has, and the tree with the last signed root, by a
    consistency proof. Raises `WrittenIsDifferent`.
    """
    try:
        return _checked(before, root_before, size, written, leaves)
    except (TileIsMissing, TileIsMalformed) as error:
        raise WrittenIsDifferent(str(error)) from None
    except ConsistencyIsNotProven:
        what = f"the tree of {size} entries does not extend the signed one of {before.size}"
        raise WrittenIsDifferent(what) from None


def _checked(before: Edge, root_before: bytes, size: int, written: Files, leaves: Sequence[bytes]) -> bytes:
    tree = TiledTree(_fetch_from({**before.files, **written}), size)
    for path, data in written.items():
        name = tile_named(path)
        assert name is not None
        if name.level == ENTRIES:
            hashes = [leaf_hash(entry) for entry in decode_bundle(data, name.width)]
            first = name.number * TILE_WIDTH
            for at, found in enumerate(hashes):
                index = first + at
                expected = leaves[index - before.size] if index >= before.size else tree.leaf(index)
                if found != expected or tree.leaf(index) != expected:
                    raise WrittenIsDifferent(f"entry {index} is not what was recorded")
        elif name.width == TILE_WIDTH:
            part = tuple(hashes_in(data, TILE_WIDTH))
            if _root_of(part) != tree.node(TILE_HEIGHT * (name.level + 1), name.number):
                raise WrittenIsDifferent(f"{path} does not fit the tile above")
    root = tree.root()
    check_consistency(
        size_before=before.size,
        root_before=root_before if before.size else EMPTY_ROOT,
        size=size,
        root=root,
        proof=tree.consistency_proof(before.size),
    )
    return root


def _cut(row: tuple[bytes, ...]) -> tuple[list[tuple[bytes, ...]], tuple[bytes, ...]]:
    """Full tiles, and what is left."""
    end = len(row) // TILE_WIDTH * TILE_WIDTH
    return [row[at : at + TILE_WIDTH] for at in range(0, end, TILE_WIDTH)], row[end:]


def _root_of(hashes: Sequence[bytes]) -> bytes:
    tree = MerkleRoot()
    for one in hashes:
        tree.add(one)
    return tree.root()


def _fetch_from(files: Files) -> Fetch:
    def fetch(path: str) -> bytes:
        try:
            return files[path]
        except KeyError:
            raise TileIsMissing(path) from None

    return fetch
