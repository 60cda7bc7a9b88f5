"""The SQL of `fairkey.read_tables.issuer_book`."""

import json
from collections.abc import Sequence
from typing import Final, cast
from uuid import UUID

import asyncpg
import msgspec

from fairkey.adapters.postgres.moments import moment, ms_of
from fairkey.adapters.postgres.reads.order_book import SEALING_KEY_BYTES, Opener
from fairkey.adapters.postgres.store import sealed_aad
from fairkey.business.attestations import Says
from fairkey.business.basics import PLATFORM, Stream
from fairkey.business.files import IssuerFile
from fairkey.engine.codec import decode_file
from fairkey.read_tables.issuer_book import AttestationLine, Failures, IssuerRecord, NamedCode

_ISSUERS: Final = """
SELECT id, state FROM streams WHERE shop_id = $1 AND kind = 'issuer' AND ($2::uuid IS NULL OR id = $2)
ORDER BY created_at, id
"""
_API: Final = """
SELECT e.version, f.sealed FROM events e LEFT JOIN sealed_fields f USING (shop_id, stream_kind, stream_id, version)
WHERE shop_id = $1 AND stream_kind = 'issuer' AND stream_id = $2 AND e.kind = 'issuer.api_changed'
ORDER BY e.version DESC LIMIT 1
"""
_NAMED: Final = """
SELECT f.fingerprint, c.shop_id, c.code_id, c.listing_id
FROM fingerprints f JOIN codes c ON c.shop_id = f.shop_id AND c.code_id = f.code_id
WHERE f.fingerprint = ANY ($1::bytea[])
"""
_ATTESTATIONS: Final = """
SELECT e.stream_id, e.version, e.kind, e.at, e.body, e.leaf_hash, f.sealed
FROM events e LEFT JOIN sealed_fields f USING (shop_id, stream_kind, stream_id, version)
WHERE shop_id = $1 AND stream_kind = 'code' AND stream_id = ANY ($2::uuid[]) AND e.kind LIKE 'attest.%'
ORDER BY e.recorded
"""
_FAILURES: Final = """
SELECT o.shop_id, r.terms::json ->> 'product' AS product, count(*)::int AS complaints
FROM streams o
JOIN listing_revisions r ON r.shop_id = o.shop_id AND r.listing_id = o.listing_id
    AND r.revision = (o.state #>> '{order,revision}')::int
WHERE o.kind = 'order' AND o.state #>> '{complaint,reason}' = 'not_valid'
    AND (o.state #>> '{complaint,opened_at_ms}')::bigint >= $1
    AND (o.state #>> '{complaint,opened_at_ms}')::bigint < $2
GROUP BY 1, 2
"""
_WAITING: Final = """
SELECT shop_id, id, due_at FROM streams
WHERE kind = 'order' AND due_at >= $1 AND (due_at, id) > ($1, $2) AND due_at <= $3
    AND due_what IN ('cancel_late', 'complete', 'end_silence', 'resume_clock', 'resume_dispute')
ORDER BY due_at, id LIMIT $4
"""
_FIRST_ID: Final = "00000000-0000-0000-0000-000000000000"


class PostgresIssuerBook:
    """Implements `fairkey.read_tables.issuer_book.IssuerBook`."""

    def __init__(self, pool: asyncpg.Pool, opener: Opener) -> None:
        self._pool = pool
        self._opener = opener

    async def issuers(self) -> list[IssuerRecord]:
        """All issuers."""
        return [_record(row) for row in await self._pool.fetch(_ISSUERS, UUID(PLATFORM), None)]

    async def find(self, issuer_id: str) -> IssuerRecord | None:
        """One issuer."""
        row = await self._pool.fetchrow(_ISSUERS, UUID(PLATFORM), UUID(issuer_id))
        return _record(row) if row else None

    async def api_of(self, issuer_id: str) -> tuple[str, str] | None:
        """(address, token) of his licence API."""
        row = await self._pool.fetchrow(_API, UUID(PLATFORM), UUID(issuer_id))
        if row is None:
            return None
        sealed = self._open(Stream(PLATFORM, "issuer", issuer_id), row["version"], row["sealed"])
        return (sealed["url"], sealed.get("token", "")) if sealed.get("url") else None

    async def named(self, fingerprints: Sequence[bytes]) -> dict[bytes, NamedCode]:
        """The registered codes that have these fingerprints."""
        return {
            row["fingerprint"]: NamedCode(
                shop_id=str(row["shop_id"]), code_id=str(row["code_id"]), listing_id=str(row["listing_id"])
            )
            for row in await self._pool.fetch(_NAMED, list(fingerprints))
        }

    async def attestations(
        self, shop_id: str, code_ids: Sequence[str], *, with_sealed: bool = False
    ) -> list[AttestationLine]:
        """What issuers said of these codes."""
        rows = await self._pool.fetch(_ATTESTATIONS, UUID(shop_id), [UUID(code_id) for code_id in code_ids])
        if not rows:
            return []
        names = {one.issuer_id: one.issuer.name for one in await self.issuers()}
        lines = []
        for row in rows:
            code_id = str(row["stream_id"])
            sealed = (
                self._open(Stream(shop_id, "code", code_id), row["version"], row["sealed"]) if with_sealed else {}
            )
            lines.append(_line(row, code_id, names, sealed))
        return lines

    async def failures(self, from_ms: int, until_ms: int) -> list[Failures]:
        """Complaints that codes do not work, by product and shop."""
        return [
            Failures(product=row["product"] or "", shop_id=str(row["shop_id"]), complaints=row["complaints"])
            for row in await self._pool.fetch(_FAILURES, from_ms, until_ms)
        ]

    async def waiting_orders(
        self, after: tuple[int, str], *, until_ms: int, lines_max: int
    ) -> list[tuple[Stream, int]]:
        """Orders whose next deadline an outage can move."""
        first = UUID(after[1] or _FIRST_ID)
        rows = await self._pool.fetch(_WAITING, moment(after[0]), first, moment(until_ms), lines_max)
        return [(Stream(str(row["shop_id"]), "order", str(row["id"])), ms_of(row["due_at"])) for row in rows]

    def _open(self, stream: Stream, version: int, sealed: bytes | None) -> dict[str, str]:
        if sealed is None:
            return {}
        plain = self._opener.open("contacts", sealed_aad(stream, version), sealed)
        return msgspec.json.decode(plain[SEALING_KEY_BYTES:], type=dict[str, str])


def _record(row: asyncpg.Record) -> IssuerRecord:
    file = cast("IssuerFile", decode_file("issuer", row["state"]))
    return IssuerRecord(issuer_id=str(row["id"]), issuer=file.issuer, outages=file.outages)


def _line(row: asyncpg.Record, code_id: str, names: dict[str, str], sealed: dict[str, str]) -> AttestationLine:
    told = json.loads(row["body"])["public"]
    says = Says(row["kind"].partition(".")[2])
    return AttestationLine(
        code_id=code_id,
        number=told["number"],
        version=row["version"],
        says=says.value,
        how=told["how"],
        word=told.get("word", ""),
        issuer_id=told["issuer_id"],
        issuer_name=names.get(told["issuer_id"], ""),
        in_scope=told["in_scope"],
        happened_at_ms=0 if told["how"] == "pulled" else told.get("happened_at_ms", 0),
        said_at_ms=told["said_at_ms"],
        recorded_at_ms=ms_of(row["at"]),
        conflict=told.get("conflict", ""),
        conflicts_with=tuple(told.get("conflicts_with", ())),
        leaf_hash=row["leaf_hash"].hex(),
        account=sealed.get("account", ""),
        reason=sealed.get("reason", ""),
    )
