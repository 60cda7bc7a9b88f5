"""Storage of `fairkey.engine.admission_port`."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Final, Protocol, cast
from uuid import UUID

import asyncpg
import msgspec

from fairkey.adapters.postgres.moments import moment
from fairkey.adapters.postgres.reads.order_book import facts_of
from fairkey.business.basics import Stream
from fairkey.business.files import ShopFile
from fairkey.engine.admission_port import Dossier, Image, Published, Step, Trader, Waiting
from fairkey.engine.codec import decode_file

_SHOP: Final = "SELECT state FROM streams WHERE shop_id = $1 AND kind = 'shop' AND id = $1"
_QUEUE: Final = """
SELECT s.shop_id, s.stage, s.state, n.shop_no FROM streams s JOIN shop_numbers n ON n.shop_id = s.shop_id
WHERE s.kind = 'shop' AND s.state -> 'admission' ->> 'stage' IN ('filed', 'seconded')
ORDER BY (s.state -> 'admission' ->> 'filed_at_ms')::bigint, s.shop_id
"""
_SANCTIONED: Final = """
SELECT s.shop_id, s.state, n.shop_no,
       (SELECT array_agg(l.log_index ORDER BY e.version)
        FROM events e LEFT JOIN log_entries l
          ON l.recorded = e.recorded AND l.log_no = (SELECT max(log_no) FROM logs)
        WHERE e.shop_id = s.shop_id AND e.stream_kind = 'shop' AND e.kind = 'shop.sanctioned') AS places
FROM streams s JOIN shop_numbers n ON n.shop_id = s.shop_id
WHERE s.kind = 'shop' AND s.state -> 'shop' -> 'sanctions' IS NOT NULL AND ($1::uuid IS NULL OR s.shop_id = $1)
"""
_KEEP_DRAFT: Final = """
INSERT INTO admission_drafts (shop_id, sealed, changed_at) VALUES ($1, $2, $3)
ON CONFLICT (shop_id) DO UPDATE SET sealed = excluded.sealed, changed_at = excluded.changed_at
"""
_KEEP_IMAGE: Final = """
INSERT INTO admission_images (shop_id, sha256, media_type, sealed, kept_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING
"""


class Sealing(Protocol):
    """What is needed of the installation's keys."""

    def seal(self, purpose: str, aad: bytes, plain: bytes) -> bytes:
        """A sealed value."""

    def open(self, purpose: str, aad: bytes, sealed: bytes) -> bytes:
        """The plaintext, or an exception if it is not what was sealed here."""

    def fingerprint(self, purpose: str, value: bytes) -> bytes:
        """Keyed hash for a purpose."""


class PostgresAdmissions:
    """Implements `Admissions`."""

    def __init__(self, pool: asyncpg.Pool, keys: Sealing, now_ms: Callable[[], int]) -> None:
        """Uses connections of `pool`."""
        self._pool = pool
        self._keys = keys
        self._now_ms = now_ms

    async def dossier(self, shop_id: str) -> Dossier | None:
        """See `Admissions.dossier`."""
        state = await self._pool.fetchval(_SHOP, UUID(shop_id))
        if state is None:
            return None
        file = cast("ShopFile", decode_file("shop", state))
        facts = await facts_of(self._pool, self._keys, Stream(shop_id, "shop", shop_id), with_sealed=True)
        told = [fact for fact in facts if fact.kind.startswith("shop.application_")]
        filings = [fact.sealed for fact in told if fact.kind == "shop.application_filed"]
        return Dossier(
            shop_id=shop_id,
            shop=file.shop,
            admission=file.admission,
            filed=filings[-1] if filings else {},
            steps=[Step(kind=fact.kind, at_ms=fact.at_ms, reason=fact.sealed.get("reason", "")) for fact in told],
        )

    async def trader(self, shop_id: str) -> Trader | None:
        """See `Admissions.trader`."""
        state = await self._pool.fetchval(_SHOP, UUID(shop_id))
        if state is None:
            return None
        file = cast("ShopFile", decode_file("shop", state))
        return Trader(
            legal_form=file.admission.shown_form or "",
            name=file.admission.name,
            code=file.admission.code,
            pseudonym=self._pseudonym(UUID(shop_id)),
            verified_at_ms=file.admission.passed_at_ms,
            checked_until_ms=file.shop.checked_until_ms,
        )

    async def queue(self) -> list[Waiting]:
        """See `Admissions.queue`."""
        lines = []
        for row in await self._pool.fetch(_QUEUE):
            file = cast("ShopFile", decode_file("shop", row["state"]))
            lines.append(
                Waiting(
                    shop_id=str(row["shop_id"]),
                    shop_no=row["shop_no"],
                    shop_name=file.shop.name,
                    standing=row["stage"],
                    stage=file.admission.stage.value,
                    legal_form=file.admission.legal_form.value if file.admission.legal_form else "",
                    round=file.admission.round,
                    since_ms=file.admission.filed_at_ms,
                )
            )
        return lines

    async def published(self, *, shop_id: str = "", lines_max: int = 500) -> list[Published]:
        """See `Admissions.published`."""
        lines: list[Published] = []
        for row in await self._pool.fetch(_SANCTIONED, UUID(shop_id) if shop_id else None):
            file = cast("ShopFile", decode_file("shop", row["state"]))
            places = row["places"] or []
            lines += [
                Published(
                    shop_no=row["shop_no"],
                    shop_name=file.admission.name,
                    pseudonym=self._pseudonym(row["shop_id"]),
                    sanction=one,
                    log_index=places[one.number - 1] if one.number <= len(places) else None,
                )
                for one in file.shop.sanctions
            ]
        lines.sort(key=lambda line: (-line.sanction.since_ms, line.shop_no, -line.sanction.number))
        return lines[:lines_max]

    def _pseudonym(self, shop_id: UUID) -> str:
        return self._keys.fingerprint("buyer_pseudonyms", b"seller:" + shop_id.bytes).hex()[:8].upper()

    async def draft(self, shop_id: str) -> Mapping[str, str]:
        """See `Admissions.draft`."""
        sealed = await self._pool.fetchval("SELECT sealed FROM admission_drafts WHERE shop_id = $1", UUID(shop_id))
        if sealed is None:
            return {}
        return msgspec.json.decode(self._keys.open("contacts", _aad("draft", shop_id), sealed), type=dict[str, str])

    async def keep_draft(self, shop_id: str, fields: Mapping[str, str]) -> None:
        """See `Admissions.keep_draft`."""
        if not fields:
            await self._pool.execute("DELETE FROM admission_drafts WHERE shop_id = $1", UUID(shop_id))
            return
        sealed = self._keys.seal("contacts", _aad("draft", shop_id), msgspec.json.encode(dict(fields)))
        await self._pool.execute(_KEEP_DRAFT, UUID(shop_id), sealed, moment(self._now_ms()))

    async def keep_image(self, shop_id: str, media_type: str, content: bytes) -> str:
        """See `Admissions.keep_image`."""
        digest = hashlib.sha256(content)
        sealed = self._keys.seal("contacts", _aad(digest.hexdigest(), shop_id), content)
        at = moment(self._now_ms())
        await self._pool.execute(_KEEP_IMAGE, UUID(shop_id), digest.digest(), media_type, sealed, at)
        return digest.hexdigest()

    async def image(self, shop_id: str, sha256: str) -> Image | None:
        """See `Admissions.image`."""
        row = await self._pool.fetchrow(
            "SELECT media_type, sealed FROM admission_images WHERE shop_id = $1 AND sha256 = $2",
            UUID(shop_id),
            bytes.fromhex(sha256),
        )
        if row is None:
            return None
        content = self._keys.open("contacts", _aad(sha256, shop_id), row["sealed"])
        return Image(media_type=row["media_type"], content=content)


def _aad(what: str, shop_id: str) -> bytes:
    """What binds a sealed value to its place."""
    return f"admission:{what}:{shop_id}".encode()
