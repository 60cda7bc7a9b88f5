"""Programs that others wrote come to the same roots, signatures and proofs as `fairkey.proofs`, and see the same lies.

pymerkle is in the lock; aics-tlog is put into `.state/independent` by `./run test` (tests/independent.lock).
"""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pymerkle
import pytest

from api_world import a_world
from fairkey.log.tile_writing import EMPTY, grow
from fairkey.proofs.checkpoints import Checkpoint, open_checkpoint, sign_checkpoint
from fairkey.proofs.merkle import check_consistency, check_inclusion, leaf_hash, merkle_root
from fairkey.proofs.notes import COSIGNATURE, cosign_note, read_note, signer_key, verified_signatures, with_signatures
from fairkey.proofs.policies import Policy
from fairkey.proofs.tiles import TiledTree, bundles_of, tiles_of
from log_world import bodies
from receipt_world import own_log, policy, write_log

INDEPENDENT = Path(__file__).parents[2] / ".state" / "independent"
ORIGIN = "keys.example/log"
LOG = signer_key(ORIGIN, bytes([1]) * 32)
WITNESSES = tuple(
    signer_key(f"{name}.example", bytes([at]) * 32, COSIGNATURE) for at, name in enumerate(("ash", "birch"))
)
AT_S = 1_790_000_000
SIZES = (1, 2, 255, 256, 257, 300, 511, 512, 700)
LAST = SIZES[-1]
ENTRIES = [b"", b"x" * 65_535, *bodies(2, LAST)]
FILES: dict[str, bytes] = {}
HEADS: dict[int, bytes] = {}


@pytest.fixture(scope="module")
def aics() -> Iterator[ModuleType]:
    """The other program."""
    if not (INDEPENDENT / ".installed").exists():
        pytest.skip(
            "aics-tlog is not in .state/independent: ./run test puts it there when it can reach a package index"
        )
    sys.path.append(str(INDEPENDENT))
    try:
        yield importlib.import_module("aics_tlog")
    finally:
        sys.path.remove(str(INDEPENDENT))


def head_of(size: int, root: bytes) -> bytes:
    """A checkpoint that the log signed and two witnesses cosigned."""
    note = sign_checkpoint(Checkpoint(ORIGIN, size, root), LOG)
    return with_signatures(note, [cosign_note(note.text, key, AT_S) for key in WITNESSES]).encode()


@pytest.fixture(scope="module", autouse=True)
def _log() -> None:
    """A log, written by our own writer, with every file it ever had and a checkpoint at some sizes."""
    edge = EMPTY
    for before, size in pairwise((0, *SIZES)):
        growth = grow(edge, ENTRIES[before:size])
        edge = growth.edge
        FILES.update(growth.files)
        HEADS[size] = head_of(size, tree(size).root())


def tree(size: int) -> TiledTree:
    """The tree as our own reader sees it."""
    return TiledTree(FILES.__getitem__, size)


def root(size: int) -> bytes:
    """What our log signed at this size."""
    return open_checkpoint(HEADS[size], LOG.verifier)[0].root


# ---- pymerkle


def test_pymerkle_has_the_same_roots() -> None:
    theirs = pymerkle.InmemoryTree(algorithm="sha256")
    for size, entry in enumerate(ENTRIES, 1):
        theirs.append_entry(entry)
        if size in SIZES:
            assert theirs.get_root() == root(size)
    assert [theirs.get_root(size) for size in SIZES] == [root(size) for size in SIZES]


# ---- aics-tlog


def test_aics_tlog_reads_checkpoints_and_cosignatures(aics: ModuleType) -> None:
    log = aics.parse_vkey(str(LOG.verifier))
    witnesses = [aics.parse_vkey(str(key.verifier)) for key in WITNESSES]
    for size, head in HEADS.items():
        note = aics.parse_note(head)
        found = aics.verify_checkpoint(note, log, witnesses, quorum=2, expected_origin=ORIGIN)
        assert found.error is None
        assert found.ok
        assert (found.origin, found.size, found.root) == (ORIGIN, size, root(size))
        assert found.timestamps == {key.verifier.name: AT_S for key in WITNESSES}
        assert not aics.verify_checkpoint(note, log, witnesses[:1], quorum=2).ok
        assert note.to_bytes() == head


def test_aics_tlog_finds_every_tile_and_entry_under_the_signed_root(aics: ModuleType) -> None:
    for size in SIZES:
        report = aics.audit_tiles(aics.MemoryTileReader(FILES), size, root(size))
        assert report.tiles == len(list(tiles_of(size)))
        assert report.bundles == len(list(bundles_of(size)))
    verified = aics.VerifiedTileReader(aics.MemoryTileReader(FILES), LAST, root(LAST))
    assert [verified.entry(index) for index in range(LAST)] == ENTRIES


def test_aics_tlog_makes_and_accepts_the_same_inclusion_proofs(aics: ModuleType) -> None:
    for size in SIZES:
        reader = aics.MemoryTileReader(FILES)
        for index in {*range(0, size, 37), size - 1, size // 2, min(size - 1, 255)}:
            proof = tree(size).inclusion_proof(index)
            assert aics.verify_leaf_inclusion(ENTRIES[index], index, size, proof, root(size))
            assert not aics.verify_leaf_inclusion(ENTRIES[index] + b" ", index, size, proof, root(size))
            theirs = aics.inclusion_proof_from_tiles(reader, index, size)
            assert theirs == proof
            check_inclusion(leaf=leaf_hash(ENTRIES[index]), index=index, size=size, proof=theirs, root=root(size))


def test_aics_tlog_makes_and_accepts_the_same_consistency_proofs(aics: ModuleType) -> None:
    for at, before in enumerate(SIZES):
        for size in SIZES[at:]:
            proof = tree(size).consistency_proof(before)
            assert aics.verify_consistency(before, size, root(before), root(size), proof)
            assert not aics.verify_consistency(before, size, bytes(32), root(size), proof)
            theirs = aics.consistency_proof_from_tiles(aics.MemoryTileReader(FILES), before, size)
            assert theirs == proof
            check_consistency(size_before=before, root_before=root(before), size=size, root=root(size), proof=theirs)


def test_aics_tlog_writes_the_same_files(aics: ModuleType) -> None:
    theirs = aics.TileWriter(ENTRIES).materialise()
    assert theirs == {name.path: FILES[name.path] for name in (*tiles_of(LAST), *bundles_of(LAST))}


def test_aics_tlog_audits_a_log_of_three_levels(aics: ModuleType) -> None:
    """65,536 entries fill a tile of the second level, and begin the third."""
    entries = bodies(0, 65_800)
    edge, files = EMPTY, {}
    for start, end in ((0, 65_000), (65_000, 65_536), (65_536, 65_800)):
        growth = grow(edge, entries[start:end])
        edge, files = growth.edge, {**files, **growth.files}
    found = TiledTree(files.__getitem__, len(entries)).root()
    assert found == merkle_root(map(leaf_hash, entries))
    assert aics.audit_tiles(aics.MemoryTileReader(files), len(entries), found).tiles == 258 + 2 + 1


def test_we_verify_what_aics_tlog_signs(aics: ModuleType) -> None:
    theirs = aics.Checkpoint(ORIGIN, LAST, root(LAST))
    note = aics.sign_checkpoint(theirs, LOG.private, ORIGIN)
    witness = WITNESSES[0]
    _, line = aics.sign_cosignature(witness.private, witness.verifier.name, AT_S, ORIGIN, LAST, root(LAST))
    data = aics.Note(text=note.text, signatures=(*note.signatures, line)).to_bytes()
    checkpoint, _ = open_checkpoint(data, LOG.verifier)
    assert checkpoint == Checkpoint(ORIGIN, LAST, root(LAST))
    [verified] = verified_signatures(read_note(data), [witness.verifier])
    assert verified.at_s == AT_S


# ---- both see a lie


@pytest.mark.parametrize("path", sorted({name.path for name in (*tiles_of(LAST), *bundles_of(LAST))}))
def test_aics_tlog_sees_a_flipped_bit_in_any_file(aics: ModuleType, path: str) -> None:
    for at in {0, len(FILES[path]) // 2, len(FILES[path]) - 1}:
        reader = aics.MemoryTileReader({**FILES, path: flipped(FILES[path], at)})
        with pytest.raises(aics.TileVerificationError):
            aics.audit_tiles(reader, LAST, root(LAST))


@pytest.mark.parametrize("what", ["origin", "size", "root", "log", "ash", "birch"])
def test_aics_tlog_sees_a_flipped_bit_in_a_checkpoint(aics: ModuleType, what: str) -> None:
    head = HEADS[LAST]
    lines = head.split(b"\n")
    line = ["origin", "size", "root", "", "log", "ash", "birch"].index(what)
    at = sum(len(one) + 1 for one in lines[:line]) + (0 if line < 3 else len(lines[line]) - 8)
    witnesses = [aics.parse_vkey(str(key.verifier)) for key in WITNESSES]
    try:
        note = aics.parse_note(flipped(head, at))
    except ValueError:
        return
    assert not aics.verify_checkpoint(note, aics.parse_vkey(str(LOG.verifier)), witnesses, quorum=2).ok


def test_aics_tlog_sees_a_second_history(aics: ModuleType) -> None:
    other = [*ENTRIES[:10], b"not what was logged", *ENTRIES[11:300]]
    files = grow(EMPTY, other).files
    forked = merkle_root(map(leaf_hash, other))
    reader = aics.MemoryTileReader(dict(files))
    aics.audit_tiles(reader, 300, forked)
    proof = aics.consistency_proof_from_tiles(reader, 256, 300)
    assert not aics.verify_consistency(256, 300, root(256), forked, proof)


def flipped(data: bytes, at: int) -> bytes:
    """The same with one bit changed."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


# ---- as somebody would who has only the log's address


def test_the_command_line_of_aics_tlog_reads_our_folder(aics: ModuleType, tmp_path: Path) -> None:
    log, key, old = tmp_path / "log", tmp_path / "log.vkey", tmp_path / "old"
    for path, data in {**FILES, "checkpoint": HEADS[LAST]}.items():
        (log / path).parent.mkdir(parents=True, exist_ok=True)
        (log / path).write_bytes(data)
    key.write_text(f"{LOG.verifier}\n")
    old.write_bytes(HEADS[300])
    witnesses = [word for one in WITNESSES for word in ("--witness-key", str(one.verifier))]
    common = ["--tiles", str(log), "--vkey-file", str(key), *witnesses, "--quorum", "2"]
    for words in (
        ["verify-checkpoint"],
        ["verify-inclusion", "--index", "299"],
        ["verify-consistency", "--old-checkpoint", str(old)],
    ):
        done = run_aics(aics, *words, *common)
        assert done.returncode == 0, done.stdout
        assert json.loads(done.stdout)["ok"] is True
    spoiled = log / "tile/0/001"
    spoiled.write_bytes(flipped(spoiled.read_bytes(), 43 * 32))
    done = run_aics(aics, "verify-inclusion", "--index", "299", *common)
    assert done.returncode == 1
    assert json.loads(done.stdout)["ok"] is False


def run_aics(aics: ModuleType, *words: str) -> subprocess.CompletedProcess[str]:
    """Its command line."""
    environment = {**os.environ, "PYTHONPATH": str(Path(str(aics.__file__)).parents[1])}
    return subprocess.run(
        [sys.executable, "-m", "aics_tlog", *words], capture_output=True, text=True, check=False, env=environment
    )


async def test_aics_tlog_audits_a_house_over_http(aics: ModuleType, database_url: str, tmp_path: Path) -> None:
    async with a_world(database_url, tmp_path, codes=3) as world:
        for _ in range(3):
            await world.paid()
        await write_log(world.opened, database_url)
        judged: Policy = await policy(world.opened)
        head = (await world.get("/log/checkpoint")).content
        key = aics.parse_vkey(str((await own_log(world.opened)).key.verifier))
        found = aics.verify_checkpoint(aics.parse_note(head), key, [], 0, expected_origin=key.name)
        assert found.ok
        assert (found.size, found.root) == judged.judge(head).checkpoint[1:]
        files = {}
        for name in (*tiles_of(found.size), *bundles_of(found.size)):
            files[name.path] = (await world.get(f"/log/{name.path}", accept_encoding="identity")).content
        aics.audit_tiles(aics.MemoryTileReader(files), found.size, found.root)
        verified = aics.VerifiedTileReader(aics.MemoryTileReader(files), found.size, found.root)
        assert {json.loads(verified.entry(index))["v"] for index in range(found.size)} == {1}
