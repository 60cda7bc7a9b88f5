"""RFC 6962 trees: roots and inclusion against the vectors of transparency-dev/merkle, and against the definition
itself.
"""

import json
from base64 import b64decode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairkey.proofs.merkle import (
    EMPTY_ROOT,
    InclusionIsNotProven,
    MerkleRoot,
    check_inclusion,
    inclusion_proof,
    leaf_hash,
    merkle_root,
    node_hash,
)

VECTORS = Path(__file__).parent.parent / "vectors"
INCLUSION = json.loads((VECTORS / "rfc6962_inclusion.json").read_text("utf-8"))


def root_by_definition(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, word for word."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(root_by_definition(leaves[:split]), root_by_definition(leaves[split:]))


def test_roots_are_those_of_the_published_vectors() -> None:
    vectors = json.loads((VECTORS / "rfc6962_roots.json").read_text("utf-8"))
    leaves = [leaf_hash(bytes.fromhex(entry)) for entry in vectors["rfc6962_leaves_hex"]]
    roots = [merkle_root(leaves[:size]).hex() for size in range(len(leaves) + 1)]
    assert roots == vectors["roots_by_size_hex"]


@pytest.mark.parametrize("vector", INCLUSION, ids=[vector["file"] for vector in INCLUSION])
def test_inclusion_is_judged_as_the_published_vectors_say(vector: dict[str, object]) -> None:
    assert isinstance(vector["proof"], list | None)
    try:
        check_inclusion(
            leaf=b64decode(str(vector["leafHash"] or "")),
            index=int(str(vector["leafIdx"])),
            size=int(str(vector["treeSize"])),
            proof=[b64decode(part) for part in vector["proof"] or []],
            root=b64decode(str(vector["root"] or "")),
        )
        refused = False
    except InclusionIsNotProven:
        refused = True
    assert refused == vector["wantErr"]


@given(st.lists(st.binary(max_size=4), max_size=70))
def test_the_streaming_root_is_the_root_by_definition(entries: list[bytes]) -> None:
    leaves = [leaf_hash(entry) for entry in entries]
    tree = MerkleRoot()
    for size, leaf in enumerate(leaves):
        assert tree.root() == root_by_definition(leaves[:size])
        tree.add(leaf)
    assert tree.root() == root_by_definition(leaves)
    assert len(tree._peaks) == len(leaves).bit_count()


@given(st.integers(1, 70), st.data())
def test_every_leaf_can_be_proven_and_only_at_its_place(size: int, data: st.DataObject) -> None:
    leaves = [leaf_hash(str(number).encode()) for number in range(size)]
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(leaves, index)
    root = merkle_root(leaves)
    check_inclusion(leaf=leaves[index], index=index, size=size, proof=proof, root=root)
    for wrong in {0, size - 1, index ^ 1} - {index}:
        with pytest.raises(InclusionIsNotProven):
            check_inclusion(leaf=leaves[index], index=wrong, size=size, proof=proof, root=root)
    with pytest.raises(InclusionIsNotProven):
        check_inclusion(leaf=leaves[index], index=index, size=size, proof=[*proof, root], root=root)


def test_there_is_no_proof_for_a_leaf_that_is_not_there() -> None:
    with pytest.raises(IndexError):
        inclusion_proof([], 0)
