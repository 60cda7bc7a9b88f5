"""The log as everybody but its writer sees it: where an event is, promises, receipts, files.

Nothing here writes. A receipt's proof is read from the tiles, as a stranger would read it, and checked against the
published root and the event's own bytes before it is handed out.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol
from uuid import UUID

import asyncpg
import msgspec

from fairkey.adapters.postgres.log_keys import LogKeys
from fairkey.adapters.postgres.log_tokens import PostgresLogTokens
from fairkey.adapters.postgres.moments import ms_of
from fairkey.adapters.postgres.store import sealed_aad
from fairkey.business.basics import DAY_MS, SECOND_MS, Broken, Stream
from fairkey.engine.answers import StoreIsAway
from fairkey.engine.log_port import LogStatus, Place
from fairkey.log.ports import OwnLog, StoreFailed, TileStore
from fairkey.log.tile_reading import inclusion_proof
from fairkey.proofs.checkpoints import open_checkpoint
from fairkey.proofs.commitments import commitment
from fairkey.proofs.leaf import salt_of
from fairkey.proofs.merkle import InclusionIsNotProven, check_inclusion, leaf_hash
from fairkey.proofs.notes import NoteIsMalformed, NoteIsNotSigned, verified_signatures
from fairkey.proofs.policies import NONE, Policy
from fairkey.proofs.receipts import Promise, Receipt, ReceiptDoesNotHold, sign_promise
from fairkey.proofs.tiles import TileIsMalformed, TileIsMissing, tile_named
from fairkey.proofs.tlog_proofs import TlogProof

PROMISED_WITHIN_MS: Final = DAY_MS
"""How long the log may take at most; it takes about a second. A house that stands still for a day breaks promises."""

SEALING_KEY_BYTES: Final = 32
CHAIN_BYTES_MAX: Final = 4 * 1024 * 1024
UNLOGGED_COUNTED_MAX: Final = 100_000
WINDOW: Final = 4_096

_PLACES: Final = """
SELECT e.version, e.leaf_hash, e.at, e.kind, l.log_index, coalesce(l.log_index < (
    SELECT max(size) FROM log_heads
    WHERE log_no = (SELECT max(log_no) FROM logs) AND published_at IS NOT NULL
), false) AS witnessed
FROM events e LEFT JOIN log_entries l ON l.log_no = (SELECT max(log_no) FROM logs) AND l.recorded = e.recorded
WHERE (e.shop_id, e.stream_kind, e.stream_id) = ($1, $2, $3) ORDER BY e.version
"""
_WITNESSED: Final = """
SELECT e.shop_id, e.stream_kind, e.stream_id, count(*) AS events
FROM unnest($1::uuid[], $2::text[], $3::uuid[]) AS asked(shop_id, kind, id)
JOIN events e ON e.shop_id = asked.shop_id AND e.stream_kind = asked.kind AND e.stream_id = asked.id
JOIN log_entries l ON l.log_no = (SELECT max(log_no) FROM logs) AND l.recorded = e.recorded
WHERE l.log_index < (
    SELECT max(size) FROM log_heads
    WHERE log_no = (SELECT max(log_no) FROM logs) AND published_at IS NOT NULL
)
GROUP BY e.shop_id, e.stream_kind, e.stream_id
"""
_EVENT: Final = """
SELECT e.body, e.leaf_hash, e.at, l.log_no, l.log_index, CASE WHEN r.restricted_at IS NULL THEN f.sealed END AS sealed
FROM events e
LEFT JOIN log_entries l ON l.log_no = (SELECT max(log_no) FROM logs) AND l.recorded = e.recorded
LEFT JOIN sealed_fields f USING (shop_id, stream_kind, stream_id, version)
LEFT JOIN restricted_streams r USING (shop_id, stream_kind, stream_id)
WHERE (shop_id, stream_kind, stream_id, version) = ($1, $2, $3, $4)
"""
_EARLIER: Final = """
SELECT body FROM events
WHERE (shop_id, stream_kind, stream_id) = ($1, $2, $3) AND version < $4
  AND (SELECT sum(length(body)) FROM events
       WHERE (shop_id, stream_kind, stream_id) = ($1, $2, $3) AND version < $4) <= $5
ORDER BY version
"""
_HEAD: Final = """
SELECT size, cosigned FROM log_heads
WHERE log_no = $1 AND size >= $2 AND published_at IS NOT NULL AND ($3::bigint IS NULL OR size = $3)
ORDER BY size DESC LIMIT 1
"""
_FIRST_HEAD: Final = """
SELECT size, cosigned FROM log_heads WHERE log_no = $1 AND size >= $2 AND published_at IS NOT NULL
ORDER BY size LIMIT 1
"""
_CHECKPOINT: Final = """
SELECT cosigned FROM log_heads
WHERE log_no = (SELECT max(log_no) FROM logs) AND published_at IS NOT NULL ORDER BY size DESC LIMIT 1
"""
_HISTORY: Final = """
WITH stamped AS (
    SELECT size, count(*) AS stamps FROM log_tokens WHERE log_no = (SELECT max(log_no) FROM logs) GROUP BY size
), heads AS (
    SELECT size, coalesce(stamps, 0) AS stamps, lead(published_at) OVER (ORDER BY size) AS next_at, published_at
    FROM log_heads LEFT JOIN stamped USING (size)
    WHERE log_no = (SELECT max(log_no) FROM logs) AND published_at IS NOT NULL
)
SELECT size, stamps FROM heads
WHERE stamps > 0 OR next_at IS NULL OR date_trunc('hour', next_at, 'UTC') > date_trunc('hour', published_at, 'UTC')
ORDER BY size
"""
_PUBLISHED: Final = """
SELECT cosigned FROM log_heads
WHERE (log_no, size) = ((SELECT max(log_no) FROM logs), $1) AND published_at IS NOT NULL
"""
_STAMP: Final = """
SELECT token FROM log_tokens WHERE (log_no, size) = ((SELECT max(log_no) FROM logs), $1)
ORDER BY tsa OFFSET $2 LIMIT 1
"""
_STATUS: Final = """
WITH tail AS (SELECT recorded FROM log_entries WHERE log_no = $1 ORDER BY log_index DESC LIMIT $2),
unlogged AS (
    SELECT FROM events e WHERE e.recorded > coalesce((SELECT min(recorded) FROM tail), 0)
      AND NOT EXISTS (SELECT FROM log_entries l WHERE l.log_no = $1 AND l.recorded = e.recorded) LIMIT $3
),
published AS (
    SELECT size, cosigned, published_at FROM log_heads
    WHERE log_no = $1 AND published_at IS NOT NULL ORDER BY size DESC LIMIT 1
)
SELECT (SELECT count(*) FROM unlogged) AS unlogged,
       (SELECT coalesce(max(log_index) + 1, 0) FROM log_entries WHERE log_no = $1) AS sequenced,
       (SELECT coalesce(max(size), 0) FROM log_heads WHERE log_no = $1) AS signed,
       (SELECT size FROM published) AS published, (SELECT published_at FROM published) AS published_at,
       (SELECT cosigned FROM published) AS cosigned, refusal, answers
FROM log_lease
"""


class Opener(Protocol):
    """Opens what the store sealed."""

    def open(self, purpose: str, aad: bytes, sealed: bytes) -> bytes:
        """The plaintext, or an exception if it is not what was sealed here."""


class PostgresPublicLog:
    """Implements `fairkey.engine.log_port.PublicLog`."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        opener: Opener,
        logs: LogKeys,
        *,
        origin: str,
        store_of: Callable[[int], TileStore],
        policy_of: Callable[[OwnLog], Policy],
    ) -> None:
        """`origin` is what the first log is called if nobody has begun one yet."""
        self._pool = pool
        self._opener = opener
        self._logs = logs
        self._origin = origin
        self._store_of = store_of
        self._policy_of = policy_of
        self._tokens = PostgresLogTokens(pool)
        self._own: dict[int, OwnLog] = {}
        self._stores: dict[int, TileStore] = {}

    async def status(self) -> LogStatus:
        """How the log is doing."""
        own = await self._newest()
        policy = self._policy_of(own)
        row = await self._pool.fetchrow(_STATUS, own.log_no, WINDOW, UNLOGGED_COUNTED_MAX)
        cosigned: dict[str, int] = {}
        if row["cosigned"] is not None:
            _, note = open_checkpoint(row["cosigned"], own.key.verifier)
            names = {witness.key: witness.name for witness in policy.witnesses}
            cosigned = {
                names[one.key]: (one.at_s or 0) * SECOND_MS for one in verified_signatures(note, tuple(names))
            }
        answers: dict[str, str] = json.loads(row["answers"])
        return LogStatus(
            origin=own.origin,
            vkey=str(own.key.verifier),
            policy=str(policy),
            recorded=row["sequenced"] + row["unlogged"],
            sequenced_size=row["sequenced"],
            signed_size=row["signed"],
            published_size=row["published"] or 0,
            published_at_ms=ms_of(row["published_at"]) if row["published_at"] else 0,
            witnesses={**{witness.name: "" for witness in policy.witnesses}, **answers},
            cosigned_at_ms=cosigned,
            refusal=row["refusal"],
        )

    async def checkpoint(self) -> bytes | None:
        """The published checkpoint."""
        data: bytes | None = await self._pool.fetchval(_CHECKPOINT)
        return data

    async def history(self) -> Mapping[int, int]:
        """Published checkpoints to look back on."""
        return {row["size"]: row["stamps"] for row in await self._pool.fetch(_HISTORY)}

    async def published(self, size: int) -> bytes | None:
        """The checkpoint that was published at this size."""
        data: bytes | None = await self._pool.fetchval(_PUBLISHED, size)
        return data

    async def stamp(self, size: int, number: int) -> bytes | None:
        """A trusted timestamp over a published checkpoint."""
        data: bytes | None = await self._pool.fetchval(_STAMP, size, number - 1)
        return data

    async def file(self, path: str) -> bytes | None:
        """A tile or bundle. Raises `StoreIsAway`."""
        if tile_named(path) is None:
            return None
        log_no = await self._pool.fetchval("SELECT max(log_no) FROM logs")
        if log_no is None:
            return None
        try:
            (data,) = await self._store(log_no).read([path])
        except StoreFailed as error:
            raise StoreIsAway(str(error)) from error
        return data

    async def places(self, stream: Stream) -> Sequence[Place]:
        """Every event of a stream."""
        rows = await self._pool.fetch(_PLACES, *_key(stream))
        return [
            Place(row["version"], row["leaf_hash"], ms_of(row["at"]), row["kind"], row["log_index"], row["witnessed"])
            for row in rows
        ]

    async def is_watched(self) -> bool:
        """Whether there is a quorum."""
        return self._policy_of(await self._newest()).quorum != NONE

    async def witnessed(self, streams: Sequence[Stream]) -> Mapping[Stream, int]:
        """How many events of each stream are witnessed."""
        keys = [_key(stream) for stream in streams]
        rows = await self._pool.fetch(
            _WITNESSED, [one[0] for one in keys], [one[1] for one in keys], [one[2] for one in keys]
        )
        return {Stream(str(row["shop_id"]), row["stream_kind"], str(row["stream_id"])): row["events"] for row in rows}

    async def promise(self, stream: Stream, version: int) -> bytes | None:
        """A signed promise."""
        row = await self._pool.fetchrow(_EVENT, *_key(stream), version)
        if row is None:
            return None
        own = await self._newest()
        at_ms = ms_of(row["at"])
        by_ms = max(at_ms, own.begun_at_ms) + PROMISED_WITHIN_MS
        return sign_promise(Promise(own.origin, row["leaf_hash"], at_ms, by_ms), own.key)

    async def receipt(self, stream: Stream, version: int, *, disclose: frozenset[str] = frozenset()) -> bytes | None:
        """A receipt. Raises `StoreIsAway` when the tiles cannot be read, `Broken` when they prove something else."""
        row = await self._pool.fetchrow(_EVENT, *_key(stream), version)
        if row is None or row["log_index"] is None:
            return None
        log_no, log_index = row["log_no"], row["log_index"]
        stamped = await self._tokens.newest_stamped(log_no, log_index + 1)
        head = await self._pool.fetchrow(_HEAD, log_no, log_index + 1, stamped)
        if head is None:
            return None
        own = await self._log(log_no)
        proof = await self._proof(own, log_index, row["body"], head["cosigned"])
        tokens = await self._tokens.tokens_for(log_no, head["size"]) if stamped is not None else ()
        earlier = await self._pool.fetch(_EARLIER, *_key(stream), version, CHAIN_BYTES_MAX)
        receipt = Receipt(
            entry=row["body"],
            proof=proof,
            disclosures=self._disclosures(stream, version, row["sealed"], row["body"], disclose),
            chain=tuple(one["body"] for one in earlier),
            tokens=tuple((one.tsa, one.token) for one in tokens),
        )
        try:
            receipt.check_disclosures()
            receipt.check_chain()
        except ReceiptDoesNotHold as error:
            raise Broken(f"a receipt of {stream.kind} {stream.id} does not hold: {error}") from error
        return receipt.encode()

    async def first_receipt(self, stream: Stream, version: int) -> bytes | None:
        """A receipt under the first published checkpoint that covers the event. Raises as `receipt` does."""
        row = await self._pool.fetchrow(_EVENT, *_key(stream), version)
        if row is None or row["log_index"] is None:
            return None
        head = await self._pool.fetchrow(_FIRST_HEAD, row["log_no"], row["log_index"] + 1)
        if head is None:
            return None
        own = await self._log(row["log_no"])
        proof = await self._proof(own, row["log_index"], row["body"], head["cosigned"])
        return Receipt(entry=row["body"], proof=proof).encode()

    async def _proof(self, own: OwnLog, log_index: int, body: bytes, cosigned: bytes) -> TlogProof:
        """That the entry is under this checkpoint, as the tiles have it, checked."""
        try:
            checkpoint, _ = open_checkpoint(cosigned, own.key.verifier)
            path = await inclusion_proof(self._store(own.log_no), log_index, checkpoint.size)
            check_inclusion(
                leaf=leaf_hash(body), index=log_index, size=checkpoint.size, proof=path, root=checkpoint.root
            )
        except (StoreFailed, TileIsMissing) as error:
            raise StoreIsAway(f"the tiles of the log cannot be read: {error}") from error
        except (InclusionIsNotProven, TileIsMalformed, NoteIsMalformed, NoteIsNotSigned) as error:
            raise Broken(f"the log does not prove its entry {log_index}: {error}") from error
        return TlogProof(log_index, tuple(path), cosigned)

    def _disclosures(
        self, stream: Stream, version: int, sealed: bytes | None, body: bytes, disclose: frozenset[str]
    ) -> tuple[str, ...]:
        """What opens the named fields; those that were erased or are withheld by law are left out."""
        if sealed is None or not disclose:
            return ()
        plain = self._opener.open("contacts", sealed_aad(stream, version), sealed)
        key, values = plain[:SEALING_KEY_BYTES], msgspec.json.decode(plain[SEALING_KEY_BYTES:], type=dict[str, str])
        committed = json.loads(body)["sealed"]
        return tuple(
            commitment(salt_of(key, name), name, values[name])[1]
            for name in sorted(disclose & set(values) & set(committed))
        )

    async def _newest(self) -> OwnLog:
        log_no = await self._pool.fetchval("SELECT max(log_no) FROM logs")
        if log_no is None:
            log_no = (await self._logs.newest(self._origin)).log_no
        return await self._log(log_no)

    async def _log(self, log_no: int) -> OwnLog:
        if log_no not in self._own:
            self._own[log_no] = await self._logs.of(log_no)
        return self._own[log_no]

    def _store(self, log_no: int) -> TileStore:
        if log_no not in self._stores:
            self._stores[log_no] = self._store_of(log_no)
        return self._stores[log_no]


def _key(stream: Stream) -> tuple[UUID, str, UUID]:
    return UUID(stream.shop_id), stream.kind, UUID(stream.id)
