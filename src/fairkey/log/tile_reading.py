"""Proofs out of a tile store, with as few files as they need: O(log n), fetched all at once."""

from collections.abc import Iterable, Sequence

from fairkey.proofs.tiles import TILE_HEIGHT, TILE_WIDTH, TiledTree, TileIsMissing, TileName
from fairkey.proofs.tree_ranges import consistency_ranges, inclusion_ranges, nodes_of

from .ports import TileStore


async def inclusion_proof(store: TileStore, log_index: int, size: int) -> Sequence[bytes]:
    """The path of entry `log_index` in the tree of `size`, its sibling first. IndexError when there is none;
    `TileIsMissing`, `TileIsMalformed`, `StoreFailed` when the store has not what it should.
    """
    tree = await _tree(store, inclusion_ranges(log_index, size), size)
    return tree.inclusion_proof(log_index)


async def consistency_proof(store: TileStore, size_before: int, size: int) -> Sequence[bytes]:
    """That the tree of `size` begins with the one of `size_before`; errors as above."""
    tree = await _tree(store, consistency_ranges(size_before, size), size)
    return tree.consistency_proof(size_before)


def tiles_for(ranges: Iterable[tuple[int, int]], size: int) -> list[TileName]:
    """The tiles that hold the roots of these ranges in a tree of `size` leaves."""
    names = set()
    for start, end in ranges:
        for node_level, index in nodes_of(start, end):
            level, height = divmod(node_level, TILE_HEIGHT)
            number = (index << height) // TILE_WIDTH
            width = min(TILE_WIDTH, (size >> (TILE_HEIGHT * level)) - number * TILE_WIDTH)
            names.add(TileName(level, number, width))
    return sorted(names)


async def _tree(store: TileStore, ranges: Iterable[tuple[int, int]], size: int) -> TiledTree:
    names = tiles_for(ranges, size)
    found = dict(zip(names, await store.read([name.path for name in names]), strict=True))
    gone = [name for name, data in found.items() if data is None and name.width < TILE_WIDTH]
    if gone:  # partial tiles of a size that the log has outgrown: the full tile begins with the same hashes
        full = await store.read([name._replace(width=TILE_WIDTH).path for name in gone])
        found.update(zip(gone, full, strict=True))
    files = {name.path: data for name, data in found.items()}

    def fetch(path: str) -> bytes:
        data = files.get(path)
        if data is None:
            raise TileIsMissing(path)
        return data

    return TiledTree(fetch, size)
