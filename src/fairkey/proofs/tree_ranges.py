"""Which complete subtrees a root, an inclusion proof or a consistency proof is made of.

A node is `(level, index)`: the root over the leaves `[index << level, (index + 1) << level)`, all of them present.
Every hash a log must ever show is folded from such nodes: whoever can read them (in tiles, in memory) can prove.
"""

from collections.abc import Callable, Iterator

from .merkle import EMPTY_ROOT, node_hash

ReadNode = Callable[[int, int], bytes]


def nodes_of(start: int, end: int) -> Iterator[tuple[int, int]]:
    """The complete subtrees, left to right, that cover the leaves `[start, end)`, a subtree beginning at `start`."""
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def hash_of(read: ReadNode, start: int, end: int) -> bytes:
    """The root over the leaves `[start, end)`; `start` is a multiple of the largest power of two below the length."""
    parts = [read(level, index) for level, index in nodes_of(start, end)]
    if not parts:
        return EMPTY_ROOT
    node = parts.pop()
    while parts:
        node = node_hash(parts.pop(), node)
    return node


def inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """Ranges whose roots prove leaf `index` of `size`, the leaf's sibling first; IndexError when there is none."""
    if not 0 <= index < size:
        raise IndexError(index)
    ranges, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def consistency_ranges(size_before: int, size: int) -> list[tuple[int, int]]:
    """Ranges whose roots prove that `size` leaves begin with `size_before`, in the order of RFC 6962 section 2.1.2;
    IndexError unless `size_before` is at most `size`.
    """
    if not 0 <= size_before <= size:
        raise IndexError(size_before)
    if size_before in (0, size):
        return []
    ranges, start, end = [], 0, size
    is_whole_tree_before = True
    while size_before != end:
        middle = start + _split(end - start)
        if size_before <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
            is_whole_tree_before = False
    if not is_whole_tree_before:
        ranges.append((start, end))
    return ranges[::-1]


def _split(length: int) -> int:
    """The largest power of two strictly below `length` (2 or more)."""
    return 1 << (length - 1).bit_length() - 1
