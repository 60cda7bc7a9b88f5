"""What others published about trees, notes, tiles and logs holds here too: vectors of transparency-dev/merkle, a real
log written by Tessera, the examples of the C2SP specifications.

Inclusion is judged by `test_merkle.py`. Subtrees (of Merkle tree certificates) are no notion of this house, but what is
claimed of one can be asked of a tree: inclusion below `[start, end)` is inclusion in a tree of `end - start` leaves,
once the subtree is one, and a subtree that begins at 0 is consistent exactly when the tree of its size is. So all
vectors of subtree inclusion are used, and of subtree consistency those that begin at 0; nobody here asks for others.
"""

import json
from base64 import b64decode
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any

import pytest

from fairkey.log.tile_writing import EMPTY, grow
from fairkey.proofs.checkpoints import Checkpoint, open_checkpoint
from fairkey.proofs.merkle import (
    EMPTY_ROOT,
    ConsistencyIsNotProven,
    InclusionIsNotProven,
    check_consistency,
    check_inclusion,
    leaf_hash,
    merkle_root,
)
from fairkey.proofs.notes import (
    ED25519,
    NoteIsNotSigned,
    VerifierKey,
    read_note,
    read_vkey,
    verified_signatures,
)
from fairkey.proofs.tiles import ENTRIES, TiledTree, TileIsMissing, TileName, check_entry, tile_named, tiles_of

VECTORS = Path(__file__).parent.parent / "vectors"
SHORT_ROOTS = "additional/sizes-are-equal-one-and-proof-is-empty.json"
RANDOM_ROOT = "additional/subtree-is-empty-sizes-are-equal-zero-subtree-root-valid-tree-root-random-proof-is-empty.json"


def vectors(name: str) -> list[dict[str, Any]]:
    """The vectors of one file."""
    found: list[dict[str, Any]] = json.loads((VECTORS / name).read_text("utf-8"))
    return found


def decoded(vector: dict[str, Any], name: str) -> bytes:
    """A member in base64; absent ones are empty."""
    return b64decode(vector[name] or "")


def proof_of(vector: dict[str, Any]) -> list[bytes]:
    """Its path."""
    return [b64decode(part) for part in vector["proof"] or []]


def is_consistent(vector: dict[str, Any], size_before: int, size: int) -> bool:
    """What `check_consistency` says of it."""
    try:
        check_consistency(
            size_before=size_before,
            root_before=decoded(vector, "root1"),
            size=size,
            root=decoded(vector, "root2"),
            proof=proof_of(vector),
        )
    except ConsistencyIsNotProven:
        return False
    return True


def skip_short_roots(vector: dict[str, Any]) -> None:
    """The one vector, in both files, that wants another length of root accepted."""
    if vector["file"] == SHORT_ROOTS:
        pytest.skip("its roots are placeholders of 12 bytes; a root that is not 32 bytes long is refused here")


CONSISTENCY = vectors("rfc6962_consistency.json")


@pytest.mark.parametrize("vector", CONSISTENCY, ids=[vector["file"] for vector in CONSISTENCY])
def test_consistency_is_judged_as_the_published_vectors_say(vector: dict[str, Any]) -> None:
    skip_short_roots(vector)
    assert is_consistent(vector, vector["size1"], vector["size2"]) == (not vector["wantErr"])


def test_roots_of_another_length_are_refused_even_when_equal() -> None:
    [vector] = [vector for vector in CONSISTENCY if vector["file"] == SHORT_ROOTS]
    assert len(decoded(vector, "root1")) == len(decoded(vector, "root2")) == 12
    assert not is_consistent(vector, vector["size1"], vector["size2"])


def test_an_empty_tree_has_one_root() -> None:
    """The vectors say so with roots of another length, which are refused for their length already."""
    with pytest.raises(ConsistencyIsNotProven):
        check_consistency(size_before=0, root_before=EMPTY_ROOT, size=0, root=bytes(32), proof=[])
    check_consistency(size_before=0, root_before=EMPTY_ROOT, size=0, root=EMPTY_ROOT, proof=[])


SUBTREE_INCLUSION = vectors("subtree_inclusion.json")


@pytest.mark.parametrize("vector", SUBTREE_INCLUSION, ids=[vector["file"] for vector in SUBTREE_INCLUSION])
def test_inclusion_below_a_subtree_is_judged_as_the_published_vectors_say(vector: dict[str, Any]) -> None:
    start, end = vector["start"], vector["end"]
    refused = not is_subtree(start, end)
    if not refused:
        try:
            check_inclusion(
                leaf=decoded(vector, "leafHash"),
                index=vector["leafIdx"] - start,
                size=end - start,
                proof=proof_of(vector),
                root=decoded(vector, "root"),
            )
        except InclusionIsNotProven:
            refused = True
    assert refused == vector["wantErr"]


SUBTREE_CONSISTENCY = [vector for vector in vectors("subtree_consistency.json") if vector["start"] == 0]


@pytest.mark.parametrize("vector", SUBTREE_CONSISTENCY, ids=[vector["file"] for vector in SUBTREE_CONSISTENCY])
def test_consistency_of_a_first_subtree_is_judged_as_the_published_vectors_say(vector: dict[str, Any]) -> None:
    skip_short_roots(vector)
    if vector["file"] == RANDOM_ROOT:
        pytest.skip("an empty subtree is in any tree, but here a tree of 0 leaves has the root of nothing")
    assert is_consistent(vector, vector["end"], vector["size"]) == (not vector["wantErr"])


def is_subtree(start: int, end: int) -> bool:
    """Whether `[start, end)` is a node of a tree: it begins at a multiple of the power of two that covers it."""
    return start < end and start % (1 << (end - start - 1).bit_length()) == 0


# ---- a real log


LOG: dict[str, Any] = json.loads((VECTORS / "tessera_log.json").read_text("utf-8"))
LOG_FILES = {path: b64decode(data) for path, data in LOG["files_base64"].items()}
LOG_KEY: VerifierKey = read_vkey(LOG["vkey"])
LOG_SIZE = 15


def fetch(path: str) -> bytes:
    """A file of the log."""
    try:
        return LOG_FILES[path]
    except KeyError:
        raise TileIsMissing(path) from None


def head(size: int) -> Checkpoint:
    """The checkpoint that log signed at this size."""
    checkpoint, _ = open_checkpoint(LOG_FILES[f"checkpoint.{size}"], LOG_KEY)
    assert checkpoint.size == size
    return checkpoint


def test_every_checkpoint_of_the_real_log_is_read_and_has_the_root_of_its_tiles() -> None:
    for size in range(LOG_SIZE + 1):
        assert TiledTree(fetch, size).root() == head(size).root
    assert LOG_FILES["checkpoint"] == LOG_FILES[f"checkpoint.{LOG_SIZE}"]


def test_every_entry_of_the_real_log_is_in_the_tree_at_every_size() -> None:
    for size in range(1, LOG_SIZE + 1):
        tree = TiledTree(fetch, size)
        entries = list(tree.entries(0, size))
        assert len(entries) == size
        assert merkle_root(map(leaf_hash, entries)) == head(size).root
        for index, entry in enumerate(entries):
            assert entry == tree.entry(index)
            check_entry(entry, tree.leaf(index), index)
            proof = tree.inclusion_proof(index)
            check_inclusion(leaf=leaf_hash(entry), index=index, size=size, proof=proof, root=head(size).root)


@pytest.mark.parametrize(("before", "size"), list(combinations_with_replacement(range(LOG_SIZE + 1), 2)))
def test_every_two_checkpoints_of_the_real_log_are_consistent(before: int, size: int) -> None:
    proof = TiledTree(fetch, size).consistency_proof(before)
    check_consistency(size_before=before, root_before=head(before).root, size=size, root=head(size).root, proof=proof)
    with pytest.raises(ConsistencyIsNotProven):
        check_consistency(size_before=before, root_before=bytes(32), size=size, root=head(size).root, proof=proof)


def test_our_writer_writes_the_files_that_the_real_log_has() -> None:
    entries = list(TiledTree(fetch, LOG_SIZE).entries(0, LOG_SIZE))
    edge, written = EMPTY, {}
    for entry in entries:
        growth = grow(edge, [entry])
        edge, written = growth.edge, {**written, **growth.files}
    assert written == {path: data for path, data in LOG_FILES.items() if path.startswith("tile/")}


def test_a_checkpoint_of_the_real_log_is_refused_with_one_letter_changed() -> None:
    data = LOG_FILES["checkpoint"].replace(b"\n15\n", b"\n14\n")
    with pytest.raises(NoteIsNotSigned, match="does not fit"):
        open_checkpoint(data, LOG_KEY)


# ---- examples of the specifications


EXAMPLES: dict[str, Any] = json.loads((VECTORS / "c2sp_examples.json").read_text("utf-8"))


def test_the_example_of_a_signed_note_is_read_written_and_verified() -> None:
    example = EXAMPLES["signed_note_example"]
    data = f"{example['text']}\n{example['signature_line']}\n".encode()
    key = read_vkey(example["vkey"])
    assert str(key) == example["vkey"]
    assert key.kind == ED25519
    note = read_note(data)
    assert note.encode() == data
    assert [one.key for one in verified_signatures(note, [key])] == [key]
    with pytest.raises(NoteIsNotSigned):
        verified_signatures(note._replace(text=b"This is another message.\n"), [key])


@pytest.mark.parametrize(
    ("name", "example"),
    [
        (TileName(0, 1_234_067, 256), "level0_index1234067"),
        (TileName(ENTRIES, 123_456_789, 256), "entries_123456789"),
        (TileName(15, 455_667, 256), "level15_index455667"),
        (TileName(15, 123_456_789, 41), "partial"),
    ],
)
def test_paths_are_those_of_the_specification(name: TileName, example: str) -> None:
    path = EXAMPLES["tile_paths"][example]
    assert name.path == path
    assert tile_named(path) == name


def test_a_tree_of_seventy_thousand_has_the_tiles_that_the_specification_says() -> None:
    found: dict[str, list[int]] = {}
    for tile in tiles_of(70_000):
        full_and_width = found.setdefault(str(tile.level), [0, 0])
        if tile.width == 256:
            full_and_width[0] += 1
        else:
            full_and_width[1] = tile.width
    assert found == EXAMPLES["size_70000_tiles"]
