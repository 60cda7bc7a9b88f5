"""The Merkle tree of RFC 6962 section 2.1 (the same as RFC 9162) over SHA-256: roots, inclusion, consistency.

A leaf and a node are hashed under different prefixes, an odd node is carried up and never doubled, the root of the
empty tree is SHA-256 of nothing. `MerkleRoot` needs one hash per level and may be asked for the root at any time.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Sequence

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

_sha256 = hashlib.sha256


class InclusionIsNotProven(Exception):
    """The proof does not lead from this leaf, at this place, to this root."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one entry's exact bytes."""
    return _sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two neighbouring subtrees."""
    return _sha256(b"\x01" + left + right).digest()


class ConsistencyIsNotProven(Exception):
    """The proof does not show that the larger tree begins with the smaller one."""


class MerkleRoot:
    """The root of a growing tree; keeps only the roots of its complete subtrees, at most one per level."""

    __slots__ = ("_peaks", "size")

    def __init__(self) -> None:
        self._peaks: list[bytes] = []  # largest subtree first; their sizes are the binary digits of `size`
        self.size = 0

    def add(self, leaf: bytes) -> None:
        """Append one leaf hash (32 bytes, already hashed by `leaf_hash`)."""
        peaks, size, node = self._peaks, self.size, leaf
        while size & 1:
            node = _sha256(b"\x01" + peaks.pop() + node).digest()
            size >>= 1
        peaks.append(node)
        self.size += 1

    def root(self) -> bytes:
        """The root of all leaves so far."""
        if not self._peaks:
            return EMPTY_ROOT
        *above, node = self._peaks
        for peak in reversed(above):
            node = node_hash(peak, node)
        return node


def merkle_root(leaf_hashes: Iterable[bytes]) -> bytes:
    """The root over leaf hashes in order; reads them once and remembers O(log n) of them."""
    tree = MerkleRoot()
    for leaf in leaf_hashes:
        tree.add(leaf)
    return tree.root()


def inclusion_proof(leaf_hashes: Iterable[bytes], index: int) -> list[bytes]:
    """The path of the leaf at `index` (from 0), its sibling first and the root's child last; IndexError when there is
    none.

    Works level by level on the whole list: for a batch of codes, not for the log (which reads its tiles).
    """
    level = list(leaf_hashes)
    if not 0 <= index < len(level):
        raise IndexError(index)
    path = []
    while len(level) > 1:
        sibling = index ^ 1
        if sibling < len(level):
            path.append(level[sibling])
        above = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        if len(level) % 2:
            above.append(level[-1])
        level, index = above, index >> 1
    return path


def check_inclusion(*, leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Raise `InclusionIsNotProven` unless `proof` shows the leaf hash at `index` of the tree of `size` leaves under
    `root`.
    """
    if not 0 <= index < size or len(leaf) != HASH_BYTES or any(len(part) != HASH_BYTES for part in proof):
        raise InclusionIsNotProven
    node, last, given = leaf, size - 1, iter(proof)
    while last:
        if index & 1:
            node = node_hash(_next(given), node)
        elif index < last:
            node = node_hash(node, _next(given))
        # else: the last node of an odd level is carried up as it is
        index, last = index >> 1, last >> 1
    if next(given, None) is not None or not hmac.compare_digest(node, root):
        raise InclusionIsNotProven


def _next(given: Iterator[bytes]) -> bytes:
    part = next(given, None)
    if part is None:
        raise InclusionIsNotProven
    return part


def check_consistency(
    *, size_before: int, root_before: bytes, size: int, root: bytes, proof: Sequence[bytes]
) -> None:
    """Raise `ConsistencyIsNotProven` unless `proof` (RFC 6962 section 2.1.2) shows that the tree of `size` leaves under
    `root` begins with the one of `size_before` leaves under `root_before`.

    From nothing, and between equal sizes, the proof is empty; then the empty root, or equal roots, are what counts.
    """
    if not 0 <= size_before <= size or any(len(part) != HASH_BYTES for part in (root_before, root, *proof)):
        raise ConsistencyIsNotProven
    if size_before in (0, size):
        is_nothing_else = size > 0 or hmac.compare_digest(root, EMPTY_ROOT)
        if proof or not is_nothing_else or not hmac.compare_digest(root_before, root if size_before else EMPTY_ROOT):
            raise ConsistencyIsNotProven
        return
    given = iter(proof)
    index, last = size_before - 1, size - 1
    while index & 1:  # the largest complete subtree that the smaller tree ends with
        index, last = index >> 1, last >> 1
    # When that subtree is the whole smaller tree, its root is known and not sent.
    before = after = root_before if index == 0 else _next_of(given)
    while last:
        if index & 1:
            part = _next_of(given)
            before, after = node_hash(part, before), node_hash(part, after)
        elif index < last:
            after = node_hash(after, _next_of(given))
        index, last = index >> 1, last >> 1
    if (
        next(given, None) is not None
        or not hmac.compare_digest(before, root_before)
        or not hmac.compare_digest(after, root)
    ):
        raise ConsistencyIsNotProven


def _next_of(given: Iterator[bytes]) -> bytes:
    part = next(given, None)
    if part is None:
        raise ConsistencyIsNotProven
    return part
