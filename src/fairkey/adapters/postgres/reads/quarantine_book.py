"""The SQL of `fairkey.read_tables.quarantine_book`."""

from collections.abc import Sequence
from itertools import groupby
from typing import Final, cast
from uuid import UUID

import asyncpg

from fairkey.adapters.postgres.reads.order_book import Opener, facts_of
from fairkey.business.basics import Stream
from fairkey.business.files import BatchFile
from fairkey.business.quarantines import places_in
from fairkey.engine.codec import decode_file
from fairkey.read_tables.order_book import Fact
from fairkey.read_tables.quarantine_book import BatchRecord, Look, Review, ReviewState, Ruling, Standing

_OF_BATCH: Final = """
JOIN streams b ON b.shop_id = c.shop_id AND b.kind = 'batch' AND b.id = c.batch_id
              AND b.state #>> '{batch,quarantined_at_ms}' IS NOT NULL
"""
_SAID_UNUSED: Final = """
EXISTS (SELECT FROM events e WHERE e.shop_id = c.shop_id AND e.stream_kind = 'code' AND e.stream_id = c.code_id
        AND e.kind = 'attest.unused')
"""
_ONE: Final = f"SELECT c.batch_id, c.stage FROM codes c {_OF_BATCH} WHERE c.shop_id = $1 AND c.code_id = $2"  # noqa: S608
_BEHIND: Final = f"""
SELECT c.batch_id, c.code_id FROM codes c
WHERE c.shop_id = $1 AND c.batch_id = $2 AND c.code_id >= $3 AND c.stage = 'quarantined' AND {_SAID_UNUSED}
ORDER BY c.code_id LIMIT $4
"""  # noqa: S608 - put together from constants of this file
_OF_SHOP: Final = f"""
SELECT c.batch_id, c.code_id FROM codes c {_OF_BATCH}
WHERE c.shop_id = $1 AND c.stage = 'quarantined' AND {_SAID_UNUSED}
  AND ($2::uuid IS NULL OR (c.batch_id, c.code_id) > ($2, $3::uuid))
ORDER BY c.batch_id, c.code_id LIMIT $4
"""  # noqa: S608 - put together from constants of this file
_STANDING: Final = """
SELECT s.shop_id, s.id, s.state, n.shop_no, coalesce(o.state #>> '{shop,name}', '') AS shop_name,
       coalesce((SELECT r.terms::json ->> 'product' FROM listing_revisions r
                 WHERE r.shop_id = s.shop_id AND r.listing_id = s.listing_id ORDER BY r.revision DESC LIMIT 1),
                '') AS product
FROM streams s JOIN shop_numbers n ON n.shop_id = s.shop_id
LEFT JOIN streams o ON o.shop_id = s.shop_id AND o.kind = 'shop' AND o.id = s.shop_id
WHERE s.kind = 'batch' AND s.state #>> '{batch,quarantined_at_ms}' IS NOT NULL
"""
_THIS: Final = _STANDING + "AND s.shop_id = $1 AND s.id = $2"
_ASKED: Final = _STANDING + "AND s.due_what = 'lapse_batch_review' ORDER BY s.due_at, s.id LIMIT 200"
_STAGES: Final = """
SELECT stage, count(*)::int AS codes FROM codes WHERE shop_id = $1 AND batch_id = $2 GROUP BY stage
"""
# Of the codes that wait: of how many the last ruling was followed by a signed "unused", of how many "used" was said.
_WORDS: Final = """
SELECT count(*) FILTER (WHERE unused AND NOT against)::int AS vouched, count(*) FILTER (WHERE against)::int AS against
FROM (
    SELECT bool_or(e.kind = 'attest.unused' AND said ->> 'how' = 'signed'
                   AND (said ->> 'happened_at_ms')::bigint > $3) AS unused,
           bool_or(e.kind IN ('attest.activated', 'attest.revoked')) AS against
    FROM codes c JOIN events e ON e.shop_id = c.shop_id AND e.stream_kind = 'code' AND e.stream_id = c.code_id
    CROSS JOIN LATERAL (SELECT convert_from(e.body, 'UTF8')::json -> 'public' AS said) AS told
    WHERE c.shop_id = $1 AND c.batch_id = $2 AND c.stage = 'quarantined' AND (said ->> 'in_scope')::boolean
    GROUP BY c.code_id
) AS heard
"""
_RECORD: Final = """
SELECT coalesce(sum(opened), 0)::int AS opened, count(*) FILTER (WHERE complained)::int AS complained,
       count(*) FILTER (WHERE refunded)::int AS refunded
FROM (
    SELECT count(*) AS opened, bool_or(o.state -> 'complaint' IS NOT NULL) AS complained,
           bool_or(coalesce((o.state #>> '{complaint,refund_fen}')::bigint, 0) > 0) AS refunded
    FROM codes c JOIN streams o ON o.shop_id = c.shop_id AND o.kind = 'order' AND o.id = c.order_id
    WHERE c.shop_id = $1 AND c.batch_id = $2 AND c.stage = 'revealed' GROUP BY o.id
) AS orders
"""


class PostgresQuarantineBook:
    """Implements `fairkey.read_tables.quarantine_book.QuarantineBook`."""

    def __init__(self, pool: asyncpg.Pool, opener: Opener) -> None:
        self._pool = pool
        self._opener = opener

    async def to_look_at(
        self, shop_id: str, code_id: str | None, *, codes_max: int, after: tuple[str, str] | None = None
    ) -> list[Look]:
        """Codes that issuers have spoken of."""
        shop = UUID(shop_id)
        if code_id is None:
            batch, code = (UUID(after[0]), UUID(after[1])) if after else (None, None)
            rows = await self._pool.fetch(_OF_SHOP, shop, batch, code, codes_max)
            return _looks([(str(row["batch_id"]), str(row["code_id"])) for row in rows])
        row = await self._pool.fetchrow(_ONE, shop, UUID(code_id))
        if row is None or row["stage"] not in {"free", "quarantined"}:
            return []
        if row["stage"] == "free":
            return [Look(str(row["batch_id"]), (code_id,))]
        behind = await self._pool.fetch(_BEHIND, shop, row["batch_id"], UUID(code_id), codes_max)
        return _looks([(str(one["batch_id"]), str(one["code_id"])) for one in behind])

    async def standing(self, shop_id: str, batch_id: str) -> Standing | None:
        """How a batch stands."""
        row = await self._pool.fetchrow(_THIS, UUID(shop_id), UUID(batch_id))
        return await self._standing(row) if row else None

    async def requests(self) -> list[Standing]:
        """Batches whose shops wait for a person."""
        return [await self._standing(row) for row in await self._pool.fetch(_ASKED)]

    async def record(self, shop_id: str, batch_id: str) -> BatchRecord:
        """How buyers fared with a batch."""
        row = await self._pool.fetchrow(_RECORD, UUID(shop_id), UUID(batch_id))
        assert row is not None
        return BatchRecord(**dict(row))

    async def _standing(self, row: asyncpg.Record) -> Standing:
        shop_id, batch_id = str(row["shop_id"]), str(row["id"])
        batch = cast("BatchFile", decode_file("batch", row["state"])).batch
        facts = await facts_of(self._pool, self._opener, Stream(shop_id, "batch", batch_id), with_sealed=True)
        stages = await self._pool.fetch(_STAGES, row["shop_id"], row["id"])
        words = await self._pool.fetchrow(_WORDS, row["shop_id"], row["id"], batch.quarantined_at_ms)
        assert words is not None
        held, exported = set(places_in(batch.quarantine.held)), set(places_in(batch.quarantine.exported))
        since = max(place for place, one in enumerate(facts) if one.kind == "batch.quarantined")
        came = [one.public for one in facts[since:] if one.kind == "batch.codes_let_back"]
        return Standing(
            shop_id=shop_id,
            shop_no=row["shop_no"],
            shop_name=row["shop_name"],
            batch_id=batch_id,
            product=row["product"],
            invoice_sha256=str(facts[0].public["invoice_sha256"]),
            batch=batch,
            stages={one["stage"]: one["codes"] for one in stages},
            rulings=[
                Ruling(order_id=str(one.public["order_id"]), row=str(one.public["row"]), at_ms=one.at_ms)
                for one in facts
                if one.kind == "batch.quarantined"
            ],
            vouched=words["vouched"],
            against=words["against"],
            exported=len(held & exported),
            came_by_issuer=sum(cast("int", one["count"]) for one in came if one["by"] == "issuer"),
            came_by_review=sum(cast("int", one["count"]) for one in came if one["by"] == "review"),
            reviews=_reviews(facts, batch.quarantine.request.request_no if batch.quarantine.request else 0),
        )


def _looks(pairs: Sequence[tuple[str, str]]) -> list[Look]:
    return [
        Look(batch_id, tuple(code_id for _, code_id in group))
        for batch_id, group in groupby(pairs, key=lambda pair: pair[0])
    ]


def _reviews(facts: Sequence[Fact], open_no: int) -> list[Review]:
    ends = {one.public["request_no"]: one for one in facts if one.kind in _ENDS}
    reviews = []
    for one in facts:
        if one.kind != "batch.review_asked":
            continue
        number = cast("int", one.public["request_no"])
        end = ends.get(number)
        reviews.append(
            Review(
                request_no=number,
                state=_state(end, is_open=number == open_no),
                asked_at_ms=one.at_ms,
                review_by_ms=cast("int", one.public["review_by_ms"]),
                held=cast("int", one.public["held"]),
                invoice_sha256=str(one.public["invoice_sha256"]),
                grounds=one.sealed.get("grounds", ""),
                reason=end.sealed.get("reason", "") if end else "",
                answered_at_ms=end.at_ms if end else 0,
            )
        )
    return reviews


_ENDS: Final = frozenset({"batch.review_answered", "batch.review_lapsed"})


def _state(end: Fact | None, *, is_open: bool) -> ReviewState:
    if end is None:
        return "asked" if is_open else "over"
    if end.kind == "batch.review_lapsed":
        return "lapsed"
    return "granted" if end.public["granted"] else "refused"
