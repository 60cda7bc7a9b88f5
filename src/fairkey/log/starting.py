"""Before the first signature: is the log that lies here the one that the world has seen?

A backup that is brought back is a log with a younger head. To sign on from there would be to show two histories under
one key. So every checkpoint that can be found outside the database (in the tile store, at each witness) must be one
of the tree that the database holds; else nothing is signed, and the operator is told what to do.
"""

import asyncio
import logging
from collections.abc import Mapping

from fairkey.proofs.checkpoints import Checkpoint, open_checkpoint
from fairkey.proofs.merkle import MerkleRoot
from fairkey.proofs.notes import NoteIsMalformed, NoteIsNotSigned
from fairkey.proofs.policies import NONE, Policy

from .ports import Head, LogRefuses, LogWriting, OwnLog, TileStore, Witnesses
from .tile_writing import EMPTY, Edge, WrittenIsDifferent, edge_of, grow, read_edge

ROWS_AT_ONCE = 4_096
LEAVES_AT_ONCE = 65_536

WHAT_TO_DO = (
    "Bring back a newer backup that has these entries; or, if there is none, say fairkey log begin-anew --origin NEW "
    "--why TEXT: the events are then logged again under a new origin, and everybody can see that the old log ended. "
    "Buying and selling go on meanwhile; receipts and releases wait."
)

logger = logging.getLogger(__name__)


async def begun(
    writing: LogWriting, own: OwnLog, store: TileStore, witnesses: Witnesses, policy: Policy
) -> tuple[int, Edge, Head | None]:
    """How many entries have an index, the edge of the tree that was signed last, and its head. Tiles that are missing
    are made again from the database. Raises `LogRefuses`.
    """
    head = await writing.last_head()
    rows = await writing.size()
    if head is not None:
        _check_own(head, own, rows)
    await _check_published(writing, own, await store.published(), rows)
    await _check_witnessed(writing, own, await witnesses.latest() if policy.witnesses else {}, policy, rows)
    await store.tidy()
    edge = await _edge(writing, store, head)
    await publish_again(writing, store)
    return rows, edge, head


async def publish_again(writing: LogWriting, store: TileStore) -> None:
    """Put the last published checkpoint where it belongs, when it is not there: a writer that was stopped in the middle
    of publishing, replaced, and woken up may have put an older one over it.
    """
    published = await writing.last_published()
    if published is not None and published.cosigned and await store.published() != published.cosigned:
        await store.publish(published.cosigned)


def _check_own(head: Head, own: OwnLog, rows: int) -> None:
    try:
        checkpoint, _ = open_checkpoint(head.note, own.key.verifier)
    except (NoteIsMalformed, NoteIsNotSigned) as error:
        raise LogRefuses(f"The last signed head in the database is not one of this log's key: {error}.") from error
    if (checkpoint.size, checkpoint.root) != (head.size, head.root) or head.size > rows:
        raise LogRefuses(
            f"The database holds {rows} entries of the log but signed {head.size}: rows were changed or lost. "
            + WHAT_TO_DO
        )


async def _check_published(writing: LogWriting, own: OwnLog, data: bytes | None, rows: int) -> None:
    if data is None:
        return
    try:
        checkpoint, _ = open_checkpoint(data, own.key.verifier)
    except (NoteIsMalformed, NoteIsNotSigned) as error:
        logger.warning("the published checkpoint is damaged and is published again: %s", error)
        return
    await _check_same(writing, checkpoint, "The published checkpoint", rows)


async def _check_witnessed(
    writing: LogWriting, own: OwnLog, latest: Mapping[str, bytes], policy: Policy, rows: int
) -> None:
    """Enough witnesses must have been heard that those who were not cannot have made a quorum by themselves."""
    for name, data in latest.items():
        if data:
            checkpoint, _ = open_checkpoint(data, own.key.verifier)
            await _check_same(writing, checkpoint, f"What the witness {name} saw last", rows)
    unheard = {witness.name for witness in policy.witnesses} - set(latest)
    if policy.quorum != NONE and policy.is_met_by(unheard):
        raise LogRefuses(
            f"Witnesses do not answer: {', '.join(sorted(unheard))}. Before anything is signed they must say what they "
            "saw last, because this database could be an older one that was brought back. It is tried again by itself."
        )


async def _check_same(writing: LogWriting, seen: Checkpoint, where: str, rows: int) -> None:
    if seen.size > rows:
        raise LogRefuses(
            f"{where} has {seen.size} entries, this database has {rows}: it is an older one that was brought back, and "
            f"signing on from here would fork the log. {WHAT_TO_DO}"
        )
    if await _root_at(writing, seen.size) != seen.root:
        raise LogRefuses(
            f"{where} and this database have different histories of the first {seen.size} entries: signing here would "
            f"fork the log. {WHAT_TO_DO}"
        )


async def _root_at(writing: LogWriting, size: int) -> bytes:
    head = await writing.head_of(size)
    return head.root if head is not None else await _root_of_rows(writing, size)


async def _root_of_rows(writing: LogWriting, size: int) -> bytes:
    tree = MerkleRoot()
    for start in range(0, size, LEAVES_AT_ONCE):
        for leaf in await writing.leaves(start, min(size, start + LEAVES_AT_ONCE)):
            tree.add(leaf)
        await asyncio.sleep(0)
    return tree.root()


async def _edge(writing: LogWriting, store: TileStore, head: Head | None) -> Edge:
    if head is None:
        return EMPTY
    paths = [name.path for name in edge_of(head.size)]
    found = await store.read(paths)
    files = {path: data for path, data in zip(paths, found, strict=True) if data is not None}
    try:
        return read_edge(head.size, head.root, files)
    except WrittenIsDifferent as different:
        logger.warning("the tiles of the log are made again from the database: %s", different)
    return await rebuilt(writing, store, head.size, head.root)


async def rebuilt(writing: LogWriting, store: TileStore, size: int, root: bytes) -> Edge:
    """Write every tile and bundle again from the rows. Raises `LogRefuses` when the rows do not give `root`."""
    edge = EMPTY
    while edge.size < size:
        entries = await writing.entries(edge.size, min(size, edge.size + ROWS_AT_ONCE))
        if not entries:
            break
        growth = await asyncio.to_thread(grow, edge, [entry.body for entry in entries])
        # Not yet those of the edge, which only the last round has: others would be partial tiles of no signed size.
        last = growth.edge.size >= size
        await store.put(
            {path: data for path, data in growth.files.items() if last or path not in growth.edge.files}
        )
        edge = growth.edge
    if edge.size == size:
        try:
            return read_edge(size, root, edge.files)
        except WrittenIsDifferent:
            pass
    raise LogRefuses(
        f"The events in the database do not give the head that was signed over {size} entries: events were changed or "
        f"deleted after they were logged; fairkey audit says which. {WHAT_TO_DO}"
    )
