"""A log in a folder as an export writes it, made from entries; and ways to tamper with one."""

from collections.abc import Callable, Sequence
from pathlib import Path

from fairkey.business.basics import Event, Stream
from fairkey.business.shops import ShopSuspended
from fairkey.proofs.checkpoints import Checkpoint, sign_checkpoint
from fairkey.proofs.leaf import leaf_of
from fairkey.proofs.merkle import leaf_hash, merkle_root
from fairkey.proofs.notes import SignerKey, cosign_note, with_signatures
from fairkey.proofs.tiles import TILE_WIDTH, bundles_of, encode_bundle, tiles_of
from verify_cases import AT_MS, LOG_KEY, SEALING_KEY, WITNESSES

STREAMS = 7


def told_entries(count: int, reasons: Callable[[int], str] = lambda number: f"reason {number}") -> list[bytes]:
    """`count` entries of seven shops, mixed; each names the one before it in its stream."""
    last: dict[Stream, tuple[int, bytes]] = {}
    made = []
    for number in range(count):
        shop = f"shop-{number * number % STREAMS}"
        stream = Stream(shop, "shop", shop)
        version, prev = last.get(stream, (0, b""))
        event: Event = ShopSuspended(reason=reasons(number))
        leaf = leaf_of(stream, version + 1, event, AT_MS + number, prev, SEALING_KEY)
        last[stream] = (version + 1, leaf.hash)
        made.append(leaf.body)
    return made


def head_of(entries: Sequence[bytes], by: Sequence[str] = ("ash", "birch"), log: SignerKey = LOG_KEY) -> bytes:
    """The signed and cosigned head of these entries."""
    root = merkle_root(map(leaf_hash, entries))
    note = sign_checkpoint(Checkpoint(log.verifier.name, len(entries), root), log)
    return with_signatures(note, [cosign_note(note.text, WITNESSES[name], AT_MS // 1000) for name in by]).encode()


def write_tiles(folder: Path, entries: Sequence[bytes]) -> None:
    """Every tile and bundle of these entries."""
    level = list(map(leaf_hash, entries))
    levels = [level]
    while len(level) >= TILE_WIDTH:
        whole = len(level) // TILE_WIDTH
        level = [merkle_root(level[at * TILE_WIDTH : (at + 1) * TILE_WIDTH]) for at in range(whole)]
        levels.append(level)
    for name in tiles_of(len(entries)):
        start = name.number * TILE_WIDTH
        put(folder, name.path, b"".join(levels[name.level][start : start + name.width]))
    for name in bundles_of(len(entries)):
        start = name.number * TILE_WIDTH
        put(folder, name.path, encode_bundle(entries[start : start + name.width]))


def write_log(folder: Path, entries: Sequence[bytes], heads: Sequence[int] = ()) -> Path:
    """A whole log; `heads` are the sizes of earlier heads, the last one is always there."""
    write_tiles(folder, entries)
    for size in (*heads, len(entries)):
        put(folder, f"checkpoints/{size}", head_of(entries[:size]))
    put(folder, "checkpoint", head_of(entries))
    return folder


def put(folder: Path, path: str, data: bytes) -> None:
    """One file."""
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_bytes(data)


def rewritten(entries: Sequence[bytes], number: int) -> list[bytes]:
    """The entries with a figure of one changed, nothing else."""
    changed = list(entries)
    changed[number] = changed[number].replace(b'"at":17900', b'"at":17901')
    assert changed[number] != entries[number]
    return changed
