"""A log to try things on: events written by hand, a writer that is stepped, tiles in a folder, and an auditor that
believes nothing but the files.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from uuid import UUID

import asyncpg

from fairkey.adapters.log.folder import FolderTiles
from fairkey.adapters.log.no_witnesses import NoWitnesses
from fairkey.adapters.postgres.log_writing import PostgresLogLease, PostgresLogWriting
from fairkey.log.ports import OwnLog, TileStore, Witnesses
from fairkey.log.sequencer import LogSetting, LogWriter, begin
from fairkey.proofs.checkpoints import Checkpoint, open_checkpoint
from fairkey.proofs.merkle import leaf_hash, merkle_root
from fairkey.proofs.notes import signer_key
from fairkey.proofs.policies import NONE, Policy
from fairkey.proofs.tiles import TiledTree, TileIsMissing, check_entry

ORIGIN = "shop.example/log"
SEED = bytes(range(32))
AT_MS = 1_760_000_000_000
SHOP = UUID(int=1)

INSERT_EVENTS = """
INSERT INTO events (shop_id, stream_kind, stream_id, version, kind, at, body, leaf_hash, command_id)
SELECT $1, 'order', $2, version, 'test', to_timestamp(1760000000), body, leaf_hash, 'test'
FROM unnest($3::int[], $4::bytea[], $5::bytea[]) AS new (version, body, leaf_hash)
"""
NOBODY = Policy((), (), (), NONE)
_streams = count(1)


def own_log(log_no: int = 1, origin: str = ORIGIN) -> OwnLog:
    """The log of these tests."""
    return OwnLog(log_no, origin, signer_key(origin, SEED), "a test", AT_MS)


async def begin_log(connection: asyncpg.Connection, log_no: int = 1, origin: str = ORIGIN) -> None:
    """Its row; the key in it is not used."""
    await connection.execute(
        "INSERT INTO logs (log_no, origin, vkey, seed_sealed, why, created_at) VALUES ($1, $2, '', '', '', now())",
        log_no,
        origin,
    )


async def record(connection: asyncpg.Connection, bodies: Sequence[bytes], stream: UUID | None = None) -> None:
    """Events of one stream, as the engine's one statement writes them."""
    await connection.execute(
        INSERT_EVENTS,
        SHOP,
        stream or UUID(int=next(_streams)),
        list(range(1, len(bodies) + 1)),
        list(bodies),
        [leaf_hash(body) for body in bodies],
    )


@dataclass(slots=True, kw_only=True)
class LogWorld:
    """A database with a log, and a folder."""

    dsn: str
    folder: Path
    connection: asyncpg.Connection
    own: OwnLog = field(default_factory=own_log)
    store: TileStore | None = None
    witnesses: Witnesses = field(default_factory=NoWitnesses)
    policy: Policy = NOBODY

    @property
    def tiles(self) -> TileStore:
        """Where the writer writes: a fresh view of the folder, or what a test put in its place."""
        return self.store or FolderTiles(self.folder)

    @property
    def setting(self) -> LogSetting:
        """What the writer is told."""
        return LogSetting(own=self.own, store=self.tiles, witnesses=self.witnesses, policy=self.policy)

    @asynccontextmanager
    async def held(self) -> AsyncIterator[PostgresLogWriting]:
        """The lease; whoever held it a moment ago has closed his session, and the server comes to see it."""
        lease = PostgresLogLease(self.dsn, lambda: AT_MS)
        try:
            while True:
                async with lease.held() as writing:
                    if writing is not None:
                        yield writing
                        return
                await asyncio.sleep(0.005)
        finally:
            lease.let_go()

    @asynccontextmanager
    async def writer(self) -> AsyncIterator[LogWriter]:
        """A writer that has begun."""
        async with self.held() as writing:
            yield await begin(writing, self.setting)

    async def grow(self) -> None:
        """Log everything that is committed, with a writer of its own."""
        async with self.writer() as writer:
            while await writer.step():
                pass

    async def record(self, *bodies: bytes) -> None:
        """Committed events."""
        await record(self.connection, bodies)

    def published(self) -> Checkpoint:
        """The published checkpoint, its signature checked."""
        checkpoint, _ = open_checkpoint((self.folder / "checkpoint").read_bytes(), self.own.key.verifier)
        return checkpoint

    async def audited(self) -> list[bytes]:
        """Every entry of the log, after everything about it was checked: by the files alone, then against the tables.

        Every signed head is a root of the tree, every event is logged once, nothing else is.
        """
        published = self.published()
        entries = audit_folder(self.folder, published)
        leaves = [leaf_hash(entry) for entry in entries]
        for size, root, note, cosigned in await self.connection.fetch(
            "SELECT size, root, note, cosigned FROM log_heads WHERE log_no = $1 ORDER BY size", self.own.log_no
        ):
            for data in filter(None, (note, cosigned)):
                checkpoint, _ = open_checkpoint(data, self.own.key.verifier)
                assert (checkpoint.size, checkpoint.root) == (size, root)
            if size <= len(leaves):
                assert merkle_root(leaves[:size]) == root
        rows = await self.connection.fetch(
            """
            SELECT l.log_index, e.body FROM log_entries l JOIN events e USING (recorded)
            WHERE log_no = $1 ORDER BY log_index
            """,
            self.own.log_no,
        )
        assert [row["log_index"] for row in rows] == list(range(len(rows)))
        assert [row["body"] for row in rows][: len(entries)] == entries
        return entries


def audit_folder(folder: Path, published: Checkpoint) -> list[bytes]:
    """The entries under a checkpoint, every one compared with its tile, every tile with the root."""

    def fetch(path: str) -> bytes:
        try:
            return (folder / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise TileIsMissing(path) from None

    tree = TiledTree(fetch, published.size)
    entries = list(tree.entries(0, published.size))
    for index, entry in enumerate(entries):
        check_entry(entry, tree.leaf(index), index)
    assert tree.root() == published.root == merkle_root(map(leaf_hash, entries))
    return entries


@asynccontextmanager
async def log_world(dsn: str, folder: Path) -> AsyncIterator[LogWorld]:
    """A world on a fresh database."""
    connection = await asyncpg.connect(dsn)
    await begin_log(connection)
    world = LogWorld(dsn=dsn, folder=folder, connection=connection)
    try:
        yield world
    finally:
        await world.connection.close()


def bodies(start: int, end: int) -> list[bytes]:
    """Entries of differing lengths that tell their number."""
    return [b"%d:" % number + hashlib.sha256(b"%d" % number).digest()[: number % 32] for number in range(start, end)]
