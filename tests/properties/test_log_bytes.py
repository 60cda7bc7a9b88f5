"""The log's formats: what is written is read again, proofs are those of the definition, no bit can be changed unseen,
and no bytes make a reader fail in a way of its own.

A flipped bit is refused, with one exception: base64 of a length not divisible by three ends in bits that stand for
nothing, and readers of base64 (ours, Go's, the browser's) pass over them. Such a file says, bit for bit, the same.
"""

from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fairkey.log.tile_writing import EMPTY, Edge, grow, read_edge
from fairkey.proofs.checkpoints import Checkpoint, open_checkpoint, read_checkpoint, sign_checkpoint
from fairkey.proofs.commitments import DisclosureDoesNotFit, check_disclosure
from fairkey.proofs.merkle import (
    ConsistencyIsNotProven,
    InclusionIsNotProven,
    check_consistency,
    check_inclusion,
    leaf_hash,
    node_hash,
)
from fairkey.proofs.notes import (
    COSIGNATURE,
    KeyIsMalformed,
    Note,
    NoteIsMalformed,
    NoteIsNotSigned,
    Signature,
    cosign_note,
    read_note,
    read_signature_lines,
    read_vkey,
    sign_note,
    signer_key,
    verified_signatures,
)
from fairkey.proofs.policies import Group, LogKey, Policy, PolicyIsMalformed, QuorumIsNotMet, WitnessKey, read_policy
from fairkey.proofs.receipts import (
    Promise,
    Receipt,
    ReceiptDoesNotHold,
    ReceiptIsMalformed,
    open_promise,
    read_leaf,
    read_receipt,
    sign_promise,
)
from fairkey.proofs.tiles import (
    ENTRIES,
    TILE_WIDTH,
    TiledTree,
    TileIsMalformed,
    TileName,
    bundles_of,
    decode_bundle,
    encode_bundle,
    hashes_in,
    tile_named,
    tiles_of,
)
from fairkey.proofs.tlog_proofs import ProofIsMalformed, TlogProof, read_tlog_proof
from fairkey.proofs.tree_ranges import hash_of, nodes_of
from log_world import bodies
from verify_cases import AT_MS, LOG_KEY, ORIGIN, checkpoint, leaves, policy_of, promise, proof, receipt

LEAVES = [leaf_hash(entry) for entry in bodies(0, 3_000)]
POLICY = read_policy(policy_of().encode())

# ---- proofs are those of RFC 6962, word for word


@cache
def mth(start: int, end: int) -> bytes:
    """MTH(D[start:end]), section 2.1."""
    if end - start == 1:
        return LEAVES[start]
    k = largest_power_below(end - start)
    return node_hash(mth(start, start + k), mth(start + k, end))


def largest_power_below(n: int) -> int:
    """The largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def path(m: int, start: int, end: int) -> list[bytes]:
    """PATH(m, D[start:end]), section 2.1.1."""
    n = end - start
    if n == 1:
        return []
    k = largest_power_below(n)
    if m < k:
        return [*path(m, start, start + k), mth(start + k, end)]
    return [*path(m - k, start + k, end), mth(start, start + k)]


def subproof(m: int, start: int, end: int, *, is_whole: bool) -> list[bytes]:
    """SUBPROOF(m, D[start:end], b), section 2.1.2."""
    n = end - start
    if m == n:
        return [] if is_whole else [mth(start, end)]
    k = largest_power_below(n)
    if m <= k:
        return [*subproof(m, start, start + k, is_whole=is_whole), mth(start + k, end)]
    return [*subproof(m - k, start + k, end, is_whole=False), mth(start, start + k)]


@cache
def written() -> dict[str, bytes]:
    """Every file, partial ones too, that any tree of the first 3,000 leaves may need."""
    files: dict[str, bytes] = {}
    edge = EMPTY
    for entry in bodies(0, len(LEAVES)):
        growth = grow(edge, [entry])
        edge = growth.edge
        files.update(growth.files)
    return files


sizes = st.one_of(st.integers(1, 40), st.integers(250, 520), st.integers(1, len(LEAVES) - 1))


@given(sizes, st.data())
def test_inclusion_proofs_out_of_tiles_are_those_of_the_definition(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    tree = TiledTree(written().__getitem__, size)
    assert tree.root() == mth(0, size)
    found = tree.inclusion_proof(index)
    assert found == path(index, 0, size)
    check_inclusion(leaf=LEAVES[index], index=index, size=size, proof=found, root=tree.root())
    for wrong_size in {size - 1, size + 1} - {0}:
        if path_length(index, wrong_size) != len(found):
            with pytest.raises(InclusionIsNotProven):
                check_inclusion(leaf=LEAVES[index], index=index, size=wrong_size, proof=found, root=tree.root())


def path_length(index: int, size: int) -> int:
    """How many hashes prove it; -1 when there is no such leaf."""
    return len(path(index, 0, size)) if index < size else -1


@given(sizes, st.data())
def test_consistency_proofs_out_of_tiles_are_those_of_the_definition(size: int, data: st.DataObject) -> None:
    before = data.draw(st.integers(1, size))
    tree = TiledTree(written().__getitem__, size)
    found = tree.consistency_proof(before)
    assert found == subproof(before, 0, size, is_whole=True)
    roots = {"root_before": mth(0, before), "root": mth(0, size)}
    check_consistency(size_before=before, size=size, proof=found, **roots)
    if found:
        at = data.draw(st.integers(0, len(found) * 256 - 1))
        spoiled = [*found]
        spoiled[at // 256] = flip(found[at // 256], at % 256)
        with pytest.raises(ConsistencyIsNotProven):
            check_consistency(size_before=before, size=size, proof=spoiled, **roots)
        with pytest.raises(ConsistencyIsNotProven):
            check_consistency(size_before=before, size=size, proof=found[:-1], **roots)


@given(st.integers(0, 7), st.integers(0, 20), st.integers(1, 128))
def test_a_range_is_covered_by_complete_subtrees_whose_hashes_make_its_root(
    level: int, number: int, length: int
) -> None:
    start = number << max(level, (length - 1).bit_length())
    nodes = list(nodes_of(start, start + length))
    covered = [(index << height, (index + 1) << height) for height, index in nodes]
    assert covered[0][0] == start
    assert covered[-1][1] == start + length
    assert all(left[1] == right[0] for left, right in pairwise(covered))
    assert len(nodes) == length.bit_count()
    if start + length <= len(LEAVES):
        assert hash_of(lambda height, at: mth(at << height, (at + 1) << height), start, start + length) == mth(
            start, start + length
        )


# ---- tiles: however a log grows, it is the same log


@given(st.lists(st.integers(1, 400), min_size=1, max_size=8))
@example([256, 256, 1])
@example([255, 1, 255, 1])
@example([1, 999])
def test_a_log_that_grows_in_batches_has_the_files_of_one_that_grew_at_once(batches: list[int]) -> None:
    size = sum(batches)
    entries = bodies(0, size)
    at_once = grow(EMPTY, entries)
    edge: Edge = EMPTY
    files: dict[str, bytes] = {}
    for count in batches:
        growth = grow(edge, entries[edge.size : edge.size + count])
        for name, data in growth.files.items():
            assert files.setdefault(name, data) == data  # a file that was written never changes
        edge = growth.edge
        assert read_edge(edge.size, mth(0, edge.size) if edge.size <= len(LEAVES) else b"", edge.files) == edge
    final = [name.path for name in (*tiles_of(size), *bundles_of(size))]
    assert {name: files[name] for name in final} == at_once.files
    assert edge == at_once.edge
    needed = {
        name.path
        for before, after in pairwise((0, *sums(batches)))
        for name in (*tiles_of(after, above=before), *bundles_of(after, above=before))
    }
    assert needed == files.keys()


def sums(batches: list[int]) -> Iterator[int]:
    """The size after each batch."""
    size = 0
    for count in batches:
        size += count
        yield size


@given(st.integers(-1, 63), st.integers(0, 10**12), st.integers(1, 256))
def test_a_path_names_the_tile_it_was_made_from(level: int, number: int, width: int) -> None:
    name = TileName(level, number, width)
    assert tile_named(name.path) == name


@given(st.text(st.sampled_from("tile/ens0123x.p-+ \n\u0663"), max_size=40))
@example("tile/0/000.p/256")
@example("tile/0/000.p/0")
@example("tile/0/x000/001")
@example("tile/64/000")
@example("tile/0/000\n")
def test_whatever_path_is_read_is_the_only_one_of_its_tile(text: str) -> None:
    name = tile_named(text)
    assert name is None or (name.path == text and 1 <= name.width <= TILE_WIDTH and ENTRIES <= name.level < 64)


@given(st.lists(st.binary(max_size=300), max_size=TILE_WIDTH))
def test_a_bundle_is_read_as_it_was_written(entries: list[bytes]) -> None:
    data = encode_bundle(entries)
    assert decode_bundle(data, len(entries)) == entries
    if data:
        with pytest.raises(TileIsMalformed):
            decode_bundle(data[:-1], len(entries))
    with pytest.raises(TileIsMalformed):
        decode_bundle(data, len(entries) + 1)


# ---- round trips

names = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=20).filter(
    lambda name: "+" not in name and name.isprintable()
)
seeds = st.binary(min_size=32, max_size=32)
texts = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=60).map(lambda text: f"{text}\n".encode())


@given(names, seeds, st.sampled_from([1, COSIGNATURE]))
def test_a_key_is_read_as_it_was_written(name: str, seed: bytes, kind: int) -> None:
    key = signer_key(name, seed, kind).verifier
    assert read_vkey(str(key)) == key


@given(texts, st.lists(st.tuples(names, st.binary(min_size=5, max_size=80)), min_size=1, max_size=5))
def test_a_note_is_read_as_it_was_written(text: bytes, lines: list[tuple[str, bytes]]) -> None:
    note = Note(text, tuple(Signature(name, raw[:4], raw[4:]) for name, raw in lines))
    assert read_note(note.encode()) == note


@given(texts, names, seeds, st.integers(0, 2**63 - 1))
def test_what_was_signed_is_verified_with_its_time(text: bytes, name: str, seed: bytes, at_s: int) -> None:
    plain, witness = signer_key(name, seed), signer_key(name, seed, COSIGNATURE)
    note = read_note(Note(text, (sign_note(text, plain), cosign_note(text, witness, at_s))).encode())
    found = verified_signatures(note, [plain.verifier, witness.verifier])
    assert [(one.key, one.at_s) for one in found] == [(plain.verifier, None), (witness.verifier, at_s)]
    other = note._replace(text=b"x" + text)
    with pytest.raises(NoteIsNotSigned):
        verified_signatures(other, [witness.verifier])


@given(names, st.integers(1, 2**63 - 1), st.binary(min_size=32, max_size=32))
def test_a_checkpoint_is_read_as_it_was_signed(origin: str, size: int, root: bytes) -> None:
    key = signer_key(origin, bytes(32))
    head = Checkpoint(origin, size, root)
    assert read_checkpoint(head.text()) == head
    assert open_checkpoint(sign_checkpoint(head, key).encode(), key.verifier)[0] == head


@given(st.integers(0, 2**63 - 1), st.lists(st.binary(min_size=32, max_size=32), max_size=63), st.binary(max_size=90))
def test_a_proof_is_read_as_it_was_written(index: int, parts: list[bytes], extra: bytes) -> None:
    made = TlogProof(index, tuple(parts), checkpoint(), extra)
    assert read_tlog_proof(made.encode()) == made


@given(
    st.binary(max_size=90),
    st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=20), max_size=3),
    st.lists(st.binary(max_size=20), max_size=3),
    st.lists(
        st.tuples(st.text(st.characters(exclude_categories=("Cs",)), max_size=20), st.binary(max_size=20)), max_size=2
    ),
)
def test_a_receipt_is_read_as_it_was_written(
    entry: bytes, shown: list[str], chain: list[bytes], tokens: list[tuple[str, bytes]]
) -> None:
    made = Receipt(entry, proof(3), tuple(shown), tuple(chain), tuple(tokens))
    assert read_receipt(made.encode()) == made


@given(st.binary(min_size=32, max_size=32), st.integers(0, 2**63), st.integers(0, 2**63))
def test_a_promise_is_read_as_it_was_signed(leaf: bytes, at_ms: int, by_ms: int) -> None:
    made = Promise(ORIGIN, leaf, at_ms, by_ms)
    assert open_promise(sign_promise(made, LOG_KEY), POLICY) == made


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Any policy that may be written."""
    count = draw(st.integers(0, 6))
    log = LogKey(LOG_KEY.verifier, draw(st.sampled_from(["", "https://log.example/"])))
    witnesses = tuple(
        WitnessKey(f"w{at}", signer_key(f"w{at}.example", bytes([at]) * 32, COSIGNATURE).verifier, "")
        for at in range(count)
    )
    free, groups = [one.name for one in witnesses], []
    while len(free) > 1 and draw(st.booleans()):
        members = tuple(draw(st.lists(st.sampled_from(free), min_size=1, unique=True)))
        groups.append(Group(f"g{len(groups)}", draw(st.integers(1, len(members))), members))
        free = [name for name in free if name not in members] + [groups[-1].name]
        if len(groups) == 6:
            break
    return Policy((log,), witnesses, tuple(groups), draw(st.sampled_from(["none", *free])))


@given(policies(), st.data())
def test_a_policy_is_read_as_it_was_written_and_more_witnesses_never_hurt(policy: Policy, data: st.DataObject) -> None:
    assert read_policy(str(policy).encode()) == policy
    all_names = [one.name for one in policy.witnesses]
    some = set(data.draw(st.lists(st.sampled_from(all_names)))) if all_names else set()
    assert policy.is_met_by(set(all_names))
    assert policy.is_met_by(set()) == (policy.quorum == "none")
    if policy.is_met_by(some):
        assert all(policy.is_met_by(some | {name}) for name in all_names)


# ---- one bit


def flip(data: bytes, bit: int) -> bytes:
    """The same with one bit changed."""
    spoiled = bytearray(data)
    spoiled[bit // 8] ^= 1 << bit % 8
    return bytes(spoiled)


def of_receipt(data: bytes) -> object:
    """Everything a receipt proves; raises as verifying it does."""
    read = read_receipt(data)
    judged = read.check_proof(POLICY)
    read.check_chain()
    shown = read.check_disclosures()
    return read.entry, read.proof.index, read.proof.path, judged.checkpoint, judged.witnessed_at_s, shown, read.chain


def of_proof(data: bytes) -> object:
    """Everything a proof proves."""
    read = read_tlog_proof(data)
    judged = read.check(leaves()[3].hash, POLICY)
    return read.index, read.path, judged.checkpoint, judged.witnessed_at_s


def of_note(data: bytes) -> object:
    """Everything a cosigned checkpoint says."""
    judged = POLICY.judge(data)
    return judged.checkpoint, judged.witnessed_at_s


def of_promise(data: bytes) -> object:
    """Everything a promise says."""
    return open_promise(data, POLICY)


REFUSALS = (
    ReceiptIsMalformed,
    ReceiptDoesNotHold,
    ProofIsMalformed,
    NoteIsMalformed,
    NoteIsNotSigned,
    QuorumIsNotMet,
    InclusionIsNotProven,
)
VALID: dict[str, tuple[Callable[[bytes], object], bytes]] = {
    "receipt": (of_receipt, receipt(chain=())),
    "receipt with a field in clear": (of_receipt, receipt(0, (), clear="not today")),
    "receipt with the entries before": (of_receipt, receipt()),
    "proof": (of_proof, proof(3).encode()),
    "note": (of_note, checkpoint()),
    "promise": (of_promise, promise()),
}


@pytest.mark.parametrize("what", VALID)
def test_no_bit_can_be_changed_but_those_that_say_nothing(what: str) -> None:
    verified, data = VALID[what]
    said = verified(data)
    harmless = set()
    for bit in range(len(data) * 8):
        try:
            found = verified(flip(data, bit))
        except REFUSALS:
            continue
        assert found == said, f"bit {bit} of a {what} changes what it says"
        harmless.add(bit // 8)
    for place in harmless:  # the last letter of a base64 text, before its padding
        assert data[place + 1 : place + 2] == b"=", (
            f"byte {place} of a {what} can be changed: {data[place - 9 : place + 3]!r}"
        )


# ---- any bytes

pieces = st.sampled_from(
    [b"\n", b"\n\n", b"0", b"-1", b"9" * 25, b"9" * 5_000, b"\xe2\x80\x94 ", b"=", b"\xff", b"\x00", b'"', b"[" * 2_000]
)
any_bytes = st.one_of(st.binary(max_size=200), pieces)


@st.composite
def mutated(draw: st.DrawFn, valid: list[bytes]) -> bytes:
    """A valid file with some parts cut, doubled or replaced."""
    data = draw(st.sampled_from(valid))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.sampled_from([0, 1, 2, 9, 40, 400])))
        data = data[:start] + draw(st.one_of(any_bytes, st.just(data[start:end] * 2))) + data[end:]
    return data


FILES_OF_ALL_KINDS = [
    *(data for _, data in VALID.values()),
    policy_of().encode(),
    leaves()[0].body,
    encode_bundle([b"ab"]),
]
READERS: dict[str, tuple[Callable[[bytes], object], tuple[type[Exception], ...]]] = {
    "receipt": (of_receipt, REFUSALS),
    "proof": (of_proof, REFUSALS),
    "note": (of_note, REFUSALS),
    "promise": (of_promise, REFUSALS),
    "checkpoint": (read_checkpoint, (NoteIsMalformed,)),
    "signed checkpoint": (lambda data: open_checkpoint(data, LOG_KEY.verifier), (NoteIsMalformed, NoteIsNotSigned)),
    "signature lines": (read_signature_lines, (NoteIsMalformed,)),
    "policy": (read_policy, (PolicyIsMalformed,)),
    "vkey": (lambda data: read_vkey(data.decode("utf-8", "surrogateescape")), (KeyIsMalformed,)),
    "leaf": (read_leaf, (ReceiptIsMalformed,)),
    "bundle": (lambda data: decode_bundle(data, 1), (TileIsMalformed,)),
    "tile": (lambda data: hashes_in(data, 1), (TileIsMalformed,)),
    "path": (lambda data: tile_named(data.decode("utf-8", "surrogateescape")), ()),
    "disclosure": (
        lambda data: check_disclosure(data.decode("utf-8", "surrogateescape"), bytes(32)),
        (DisclosureDoesNotFit,),
    ),
}


@pytest.mark.parametrize("what", READERS)
@given(data=st.one_of(any_bytes, mutated(FILES_OF_ALL_KINDS)))
@settings(max_examples=300)
def test_readers_raise_nothing_but_their_own_exceptions(what: str, data: bytes) -> None:
    read, own = READERS[what]
    with suppress(own):
        read(data)


def test_a_number_without_end_is_refused_as_any_other() -> None:
    many = "9" * 5_000
    with pytest.raises(PolicyIsMalformed, match="line 5"):
        read_policy(policy_of().replace("group enough 2", f"group enough {many}").encode())
    with pytest.raises(ProofIsMalformed):
        read_tlog_proof(proof(3).encode().replace(b"index 3", b"index " + many.encode()))
    text = f"fairkey promise v1\n{ORIGIN}\n{bytes(32).hex()}\n{AT_MS}\n{many}\n".encode()
    with pytest.raises(ReceiptIsMalformed):
        open_promise(Note(text, (sign_note(text, LOG_KEY),)).encode(), POLICY)


def test_a_witness_that_is_called_none_cannot_be_asked_for() -> None:
    """`quorum none` asks nobody; a name that reads like it would promise a witness and want none."""
    with pytest.raises(PolicyIsMalformed):
        read_policy(policy_of(needed=0).replace("witness ash ", "witness none ").encode())


def test_a_disclosure_of_brackets_without_end_does_not_fit() -> None:
    """A house could commit to such a text; its reader says no like to any other."""
    shown = b64encode(b"[" * 100_000).decode().rstrip("=")
    with pytest.raises(DisclosureDoesNotFit):
        check_disclosure(shown, sha256(shown.encode()).digest())
