"""Finding one code by its text, the leaves of a batch, and the batches behind a listing. Reads only."""

import json
from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg

from fairkey.adapters.postgres.moments import ms_of
from fairkey.adapters.vault.keys import Keys
from fairkey.adapters.vault.opening import Vault
from fairkey.adapters.vault.pressing import disclosure_of
from fairkey.business.basics import Stream
from fairkey.business.code_lines import normalise
from fairkey.engine.trace_port import BackingBatch, CodeFact, StockProof, TracedCode
from fairkey.engine.vault_port import OpenedCode

TRACED_CHARS_MIN: Final = 8
"""Shorter codes can be guessed by trying, so nobody can trace them: being told nothing is better than being robbed."""
TYPED_CUSTODY: Final = 2
NOTHING_HAS_IT: Final = b"fairkey: a code that cannot be traced"

_FIND: Final = """
SELECT c.shop_id, c.code_id, c.listing_id, c.stage, c.order_id, v.batch_id, v.position, v.custody,
       coalesce(i.finished_at, i.started_at) AS deposited_at, (o.state #>> '{order,revision}')::int AS revision
FROM fingerprints f
JOIN codes c ON c.shop_id = f.shop_id AND c.code_id = f.code_id
JOIN vault v ON v.shop_id = c.shop_id AND v.code_id = c.code_id
LEFT JOIN imports i ON i.shop_id = v.shop_id AND i.import_id = v.batch_id
LEFT JOIN streams o ON o.shop_id = c.shop_id AND o.kind = 'order' AND o.id = c.order_id
WHERE f.fingerprint = ANY ($1::bytea[]) ORDER BY f.fingerprint = $2 DESC LIMIT 1
"""
_FACTS: Final = """
SELECT stream_kind, stream_id, version, kind, at, body FROM events
WHERE shop_id = $1 AND (
    (stream_kind = 'batch' AND stream_id = $2) OR (stream_kind = 'code' AND stream_id = $3)
    OR (stream_kind = 'order' AND stream_id = $4 AND kind LIKE ANY ('{code.%,dispute.%}'))
) ORDER BY recorded
"""
_COMMITTED: Final = """
SELECT v.code_id, v.commitment FROM vault v
WHERE v.shop_id = $1 AND v.batch_id = $2
      AND EXISTS (SELECT FROM streams s WHERE s.shop_id = $1 AND s.kind = 'batch' AND s.id = $2)
ORDER BY v.position
"""
# One statement sees one moment: the store's number and the codes counted batch by batch cannot be of different ones.
_STOCK: Final = """
WITH backing AS (
    SELECT batch_id, count(*)::int AS free FROM codes
    WHERE shop_id = $1 AND listing_id = $2 AND is_free GROUP BY batch_id
), counter AS (
    SELECT coalesce((SELECT free FROM listing_stock WHERE shop_id = $1 AND listing_id = $2), 0) AS stock
)
SELECT counter.stock, b.batch_id, b.free, e.at, e.body, l.log_index, coalesce(l.log_index < (
    SELECT max(size) FROM log_heads
    WHERE log_no = (SELECT max(log_no) FROM logs) AND published_at IS NOT NULL
), false) AS is_published, EXISTS (
    SELECT FROM events a WHERE a.shop_id = $1 AND a.stream_kind = 'batch' AND a.stream_id = b.batch_id
        AND a.kind = 'batch.attested'
) AS is_attested, coalesce((
    SELECT (s.state #>> '{batch,quarantined_at_ms}')::bigint FROM streams s
    WHERE s.shop_id = $1 AND s.kind = 'batch' AND s.id = b.batch_id
), 0) AS doubted_at_ms
FROM counter LEFT JOIN backing b ON true
LEFT JOIN events e ON e.shop_id = $1 AND e.stream_kind = 'batch' AND e.stream_id = b.batch_id
    AND e.kind = 'batch.registered'
LEFT JOIN log_entries l ON l.log_no = (SELECT max(log_no) FROM logs) AND l.recorded = e.recorded
ORDER BY e.recorded
"""


class CommittedRow(NamedTuple):
    """One leaf of a batch's tree; implements `fairkey.engine.trace_port.CommittedCode`."""

    code_id: str
    commitment: bytes


class Traces:
    """Implements `fairkey.engine.trace_port.CodeTraces`."""

    def __init__(self, pool: asyncpg.Pool, keys: Keys) -> None:
        self._pool = pool
        self._keys = keys
        self._vault = Vault(pool, keys)

    async def find(self, text: str) -> TracedCode | None:
        """The registered code with this text."""
        row = await self._pool.fetchrow(_FIND, *self._marks_of(text))
        if row is None:
            return None
        shop_id, code_id = str(row["shop_id"]), str(row["code_id"])
        opened = (await self._vault.open_codes(shop_id, [code_id]))[code_id]
        batch_id = None if row["custody"] == TYPED_CUSTODY else row["batch_id"]
        facts = await self._pool.fetch(_FACTS, row["shop_id"], batch_id, row["code_id"], row["order_id"])
        return TracedCode(
            shop_id=shop_id,
            code_id=code_id,
            listing_id=str(row["listing_id"]),
            batch_id=str(batch_id) if batch_id else None,
            place=row["position"] if batch_id else None,
            stage=row["stage"],
            order_id=str(row["order_id"]) if row["order_id"] else None,
            revision=row["revision"],
            deposited_at_ms=ms_of(row["deposited_at"]) if batch_id and row["deposited_at"] else None,
            disclosure=_disclosure(opened, row["code_id"]),
            facts=tuple(_fact(shop_id, one) for one in facts),
        )

    async def committed(self, shop_id: str, batch_id: str) -> Sequence[CommittedRow]:
        """The leaves of a registered batch."""
        rows = await self._pool.fetch(_COMMITTED, UUID(shop_id), UUID(batch_id))
        return [CommittedRow(str(row["code_id"]), row["commitment"]) for row in rows]

    async def stock(self, shop_id: str, listing_id: str) -> StockProof:
        """What backs a listing."""
        rows = await self._pool.fetch(_STOCK, UUID(shop_id), UUID(listing_id))
        return StockProof(stock=rows[0]["stock"], batches=tuple(_backing(row) for row in rows if row["batch_id"]))

    def _marks_of(self, text: str) -> tuple[list[bytes], bytes]:
        """By which a code is looked for; whether it may be looked for or not costs two keyed hashes."""
        normal = normalise(text)
        if len(normal) < TRACED_CHARS_MIN:
            nothing = [self._keys.fingerprint("sessions", NOTHING_HAS_IT) for _ in range(2)]
            return nothing, nothing[0]
        exact = self._keys.exact_fingerprint(normal)
        return [exact, self._keys.code_fingerprint(normal)], exact


def _disclosure(opened: OpenedCode, code_id: UUID) -> str:
    return disclosure_of(opened.commitment, opened.salt, code_id, opened.text) if opened.salt else ""


def _fact(shop_id: str, row: asyncpg.Record) -> CodeFact:
    return CodeFact(
        stream=Stream(shop_id, row["stream_kind"], str(row["stream_id"])),
        version=row["version"],
        kind=row["kind"],
        at_ms=ms_of(row["at"]),
        public=json.loads(row["body"])["public"],
    )


def _backing(row: asyncpg.Record) -> BackingBatch:
    public = json.loads(row["body"])["public"]
    return BackingBatch(
        batch_id=str(row["batch_id"]),
        free=row["free"],
        count=public["count"],
        root=public["root"],
        source=public["source"],
        invoice_sha256=public["invoice_sha256"],
        is_attested=row["is_attested"],
        registered_at_ms=ms_of(row["at"]),
        log_index=row["log_index"],
        is_published=row["is_published"],
        doubted_at_ms=row["doubted_at_ms"],
    )
