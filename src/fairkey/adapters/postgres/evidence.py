"""Storage of `fairkey.engine.evidence_port.EvidenceRows`."""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

import asyncpg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fairkey.adapters.postgres.moments import moment, ms_of
from fairkey.adapters.postgres.reads.order_book import Opener, facts_of
from fairkey.business.basics import Stream
from fairkey.business.evidence import EvidenceAdded
from fairkey.engine.evidence_port import EvidenceRow, Kept, Look, Media, MediaClass

ALIKE_BITS: Final = 6  # of 64: scaled, recompressed or slightly cut, it is still the same picture
_NONCE: Final = bytes(12)  # a preview's key seals one preview and nothing else
_NOTE: Final = """
INSERT INTO evidence_files (address, shop_id, order_id, evidence_id, mark, preview, kept_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
_PREVIEW: Final = "SELECT preview FROM evidence_files WHERE shop_id = $1 AND order_id = $2 AND evidence_id = $3"
_ALIKE: Final = f"""
SELECT count(DISTINCT o.order_id) FROM evidence_files f JOIN evidence_files o ON o.order_id <> f.order_id
WHERE f.shop_id = $1 AND f.order_id = $2 AND f.evidence_id = $3
  AND bit_count((f.mark # o.mark)::bit(64)) <= {ALIKE_BITS}
"""  # noqa: S608 - a constant
_OLDER: Final = "SELECT address FROM evidence_files WHERE kept_at < $1"
_DEPOSITED: Final = """
SELECT c.code_id, b.created_at FROM codes c
JOIN streams b ON b.shop_id = c.shop_id AND b.kind = 'batch' AND b.id = c.batch_id
WHERE c.shop_id = $1 AND c.code_id = ANY ($2::uuid[])
"""
_KNOWN: Final = """
SELECT f.address FROM evidence_files f
JOIN streams s ON s.shop_id = f.shop_id AND s.kind = 'order' AND s.id = f.order_id
WHERE f.address = ANY ($1::bytea[])
  AND s.state::jsonb #> '{evidence,items}' @> jsonb_build_array(jsonb_build_object('evidence_id', f.evidence_id::text))
  AND NOT EXISTS (SELECT FROM erased_streams e
                  WHERE (e.shop_id, e.stream_kind, e.stream_id) = (s.shop_id, s.kind, s.id))
"""


class PostgresEvidence:
    """Implements `EvidenceRows`."""

    def __init__(self, pool: asyncpg.Pool, keys: Opener, now_ms: Callable[[], int]) -> None:
        """Uses connections of `pool`."""
        self._pool = pool
        self._keys = keys
        self._now_ms = now_ms

    async def note(self, row: EvidenceRow, kept: Kept, look: Look) -> None:
        """See `EvidenceRows.note`."""
        preview = _cipher(kept.key).encrypt(_NONCE, look.preview, None) if look.preview else None
        at = moment(self._now_ms())
        await self._pool.execute(_NOTE, bytes.fromhex(kept.address), *_ids(row), look.mark, preview, at)

    async def forget(self, address: str) -> None:
        """See `EvidenceRows.forget`."""
        await self._pool.execute("DELETE FROM evidence_files WHERE address = $1", bytes.fromhex(address))

    async def forget_unknown(self, older_than_ms: int) -> None:
        """See `EvidenceRows.forget_unknown`."""
        rows = await self._pool.fetch(_OLDER, moment(older_than_ms))
        known = await self.known([row["address"].hex() for row in rows])
        gone = [row["address"] for row in rows if row["address"].hex() not in known]
        await self._pool.execute("DELETE FROM evidence_files WHERE address = ANY ($1::bytea[])", gone)

    async def kept(self, row: EvidenceRow) -> Kept | None:
        """See `EvidenceRows.kept`."""
        for fact in await facts_of(
            self._pool, self._keys, Stream(row.shop_id, "order", row.order_id), with_sealed=True
        ):
            public, sealed = fact.public, fact.sealed
            if fact.kind == EvidenceAdded.kind and public["evidence_id"] == row.evidence_id and sealed.get("file_key"):
                media_type = str(public["media_type"])
                return Kept(
                    address=sealed["address"],
                    key=bytes.fromhex(sealed["file_key"]),
                    sha256=bytes.fromhex(str(public["sha256"])),
                    size_bytes=int(str(public["size_bytes"])),
                    media=Media(_CLASSES.get(media_type) or MediaClass(media_type.partition("/")[0]), media_type),
                )
        return None

    async def preview(self, row: EvidenceRow) -> bytes:
        """See `EvidenceRows.preview`."""
        sealed = await self._pool.fetchval(_PREVIEW, *_ids(row))
        kept = await self.kept(row) if sealed else None
        if kept is None:
            return b""
        try:
            return _cipher(kept.key).decrypt(_NONCE, sealed, None)
        except InvalidTag:
            return b""

    async def alike(self, row: EvidenceRow) -> int:
        """See `EvidenceRows.alike`."""
        count: int = await self._pool.fetchval(_ALIKE, *_ids(row))
        return count

    async def deposited_at_ms(self, shop_id: str, code_ids: Sequence[str]) -> dict[str, int]:
        """See `EvidenceRows.deposited_at_ms`."""
        rows = await self._pool.fetch(_DEPOSITED, UUID(shop_id), [UUID(code_id) for code_id in code_ids])
        return {str(row["code_id"]): ms_of(row["created_at"]) for row in rows}

    async def known(self, addresses: list[str]) -> set[str]:
        """See `EvidenceRows.known`."""
        rows = await self._pool.fetch(_KNOWN, [bytes.fromhex(address) for address in addresses])
        return {row["address"].hex() for row in rows}


_CLASSES: Final = {
    "application/pdf": MediaClass.PDF,
    "message/rfc822": MediaClass.EMAIL,
    "text/plain": MediaClass.TEXT,
}


def _cipher(file_key: bytes) -> AESGCM:
    return AESGCM(hmac.digest(file_key, b"fairkey evidence preview 1", hashlib.sha256))


def _ids(row: EvidenceRow) -> tuple[UUID, UUID, UUID]:
    return UUID(row.shop_id), UUID(row.order_id), UUID(row.evidence_id)
