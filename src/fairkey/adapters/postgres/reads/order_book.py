"""Orders as their parties see them."""

import json
from typing import Final, Protocol, cast
from uuid import UUID

import asyncpg
import msgspec

from fairkey.adapters.postgres.moments import moment, ms_of
from fairkey.adapters.postgres.store import sealed_aad
from fairkey.business.basics import Stream
from fairkey.business.files import OrderFile
from fairkey.engine.codec import decode_file
from fairkey.read_tables.order_book import Fact, OpenLine, OrderLine, OrderRecord

SEALING_KEY_BYTES: Final = 32

_FIND: Final = """
SELECT o.version, o.state, o.created_at, o.changed_at, o.due_at, o.due_what, r.terms, n.shop_no,
       s.state -> 'shop' ->> 'name' AS shop_name
FROM streams o
JOIN listing_revisions r ON r.shop_id = o.shop_id AND r.listing_id = o.listing_id
                        AND r.revision = (o.state -> 'order' ->> 'revision')::int
JOIN streams s ON s.shop_id = o.shop_id AND s.kind = 'shop' AND s.id = o.shop_id
JOIN shop_numbers n ON n.shop_id = o.shop_id
WHERE o.shop_id = $1 AND o.kind = 'order' AND o.id = $2
"""

_FACTS: Final = """
SELECT e.version, e.kind, e.at, e.leaf_hash, e.body,
       CASE WHEN r.restricted_at IS NULL THEN f.sealed END AS sealed  -- kept, and out of sight
FROM events e LEFT JOIN sealed_fields f USING (shop_id, stream_kind, stream_id, version)
LEFT JOIN restricted_streams r USING (shop_id, stream_kind, stream_id)
WHERE shop_id = $1 AND stream_kind = $2 AND stream_id = $3 ORDER BY version
"""

_VERSIONS: Final = """
SELECT o.shop_id, o.id, o.version FROM unnest($1::uuid[], $2::uuid[]) AS asked(shop_id, id)
JOIN streams o ON o.shop_id = asked.shop_id AND o.kind = 'order' AND o.id = asked.id
"""

_COMMITMENTS: Final = "SELECT code_id, commitment FROM vault WHERE shop_id = $1 AND code_id = ANY ($2::uuid[])"

LINES: Final = """
SELECT o.shop_id, o.id, o.stage, o.quantity, o.amount_fen, o.created_at, o.due_at, o.due_what, n.shop_no,
       s.state -> 'shop' ->> 'name' AS shop_name, r.terms::json ->> 'product' AS product{more}
FROM streams o
JOIN streams s ON s.shop_id = o.shop_id AND s.kind = 'shop' AND s.id = o.shop_id
JOIN shop_numbers n ON n.shop_id = o.shop_id
JOIN listing_revisions r ON r.shop_id = o.shop_id AND r.listing_id = o.listing_id
                        AND r.revision = (o.state -> 'order' ->> 'revision')::int
WHERE o.kind = 'order' AND {which}
ORDER BY {order} LIMIT {limit}
"""
_NEWEST_FIRST: Final = "o.created_at DESC, o.id DESC"
_OF_ACCOUNT: Final = LINES.format(
    which="o.account_id = $1 AND ($2::timestamptz IS NULL OR o.created_at < $2)",
    more="",
    order=_NEWEST_FIRST,
    limit="$3",
)
_OF_IDS: Final = LINES.format(
    which="(o.shop_id, o.id) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[]))",
    more="",
    order=_NEWEST_FIRST,
    limit="200",
)


_UNDER_WAY: Final = """
SELECT id, stage, coalesce(state #>> '{complaint,stage}', 'none') AS complaint FROM streams
WHERE shop_id = $1 AND kind = 'order' AND stage IN ('placed', 'paid', 'delivered', 'disputed')
  AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3
"""


_COMPLETED: Final = """
SELECT id FROM streams
WHERE shop_id = $1 AND kind = 'order' AND stage = 'completed' AND (state #>> '{order,ended_at_ms}')::bigint >= $2
  AND ($3::uuid IS NULL OR id > $3) ORDER BY id LIMIT $4
"""

KEPT_FROM_PAGES: Final = {"dispute.evidence_added": ("address", "file_key")}
"""Sealed fields that lead to bytes: no page and no program is shown them; the evidence store reads them itself."""


class Opener(Protocol):
    """Opens what `Sealer` sealed."""

    def open(self, purpose: str, aad: bytes, sealed: bytes) -> bytes:
        """The plaintext, or an exception if it is not what was sealed here."""


class PostgresOrderBook:
    """Implements `fairkey.read_tables.order_book.OrderBook`."""

    def __init__(self, pool: asyncpg.Pool, opener: Opener) -> None:
        self._pool = pool
        self._opener = opener

    async def find(self, shop_id: str, order_id: str) -> OrderRecord | None:
        """One order, or `None`."""
        row = await self._pool.fetchrow(_FIND, UUID(shop_id), UUID(order_id))
        if row is None:
            return None
        return OrderRecord(
            shop_id=shop_id,
            order_id=order_id,
            shop_no=row["shop_no"],
            shop_name=row["shop_name"] or "",
            version=row["version"],
            file=cast("OrderFile", decode_file("order", row["state"])),
            terms_json=row["terms"],
            created_at_ms=ms_of(row["created_at"]),
            changed_at_ms=ms_of(row["changed_at"]),
            due_at_ms=ms_of(row["due_at"]) if row["due_at"] else None,
            due_what=row["due_what"],
        )

    async def facts(self, shop_id: str, order_id: str, *, with_sealed: bool = False) -> list[Fact]:
        """The events of one order."""
        stream = Stream(shop_id, "order", order_id)
        facts = await facts_of(self._pool, self._opener, stream, with_sealed=with_sealed)
        for fact in facts:
            for name in KEPT_FROM_PAGES.get(fact.kind, ()):
                fact.sealed.pop(name, None)
        return facts

    async def versions(self, orders: list[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """How many facts each order has by now."""
        shop_ids = [UUID(shop_id) for shop_id, _ in orders]
        order_ids = [UUID(order_id) for _, order_id in orders]
        rows = await self._pool.fetch(_VERSIONS, shop_ids, order_ids)
        return {(str(row["shop_id"]), str(row["id"])): row["version"] for row in rows}

    async def commitments(self, shop_id: str, code_ids: list[str]) -> dict[str, str]:
        """What each code was committed to."""
        rows = await self._pool.fetch(_COMMITMENTS, UUID(shop_id), [UUID(code_id) for code_id in code_ids])
        return {str(row["code_id"]): row["commitment"].hex() for row in rows}

    async def contact_of(self, shop_id: str, order_id: str) -> str | None:
        """The buyer's e-mail address."""
        for fact in await self.facts(shop_id, order_id, with_sealed=True):
            if fact.kind == "order.placed":
                return fact.sealed.get("contact")
        return None

    async def of_account(
        self, account_id: str, *, before_ms: int | None = None, lines_max: int = 30
    ) -> list[OrderLine]:
        """An account's orders, newest first."""
        before = None if before_ms is None else moment(before_ms)
        return [line_of(row) for row in await self._pool.fetch(_OF_ACCOUNT, UUID(account_id), before, lines_max)]

    async def under_way(self, shop_id: str, *, after_id: str, lines_max: int) -> list[OpenLine]:
        """Orders of a shop that have not ended, by id."""
        after = UUID(after_id) if after_id else None
        rows = await self._pool.fetch(_UNDER_WAY, UUID(shop_id), after, lines_max)
        return [OpenLine(order_id=str(row["id"]), stage=row["stage"], complaint=row["complaint"]) for row in rows]

    async def completed(self, shop_id: str, *, since_ms: int, after_id: str, ids_max: int) -> list[str]:
        """Ids of a shop's orders that were completed since then, in order."""
        after = UUID(after_id) if after_id else None
        return [str(row["id"]) for row in await self._pool.fetch(_COMPLETED, UUID(shop_id), since_ms, after, ids_max)]

    async def of_ids(self, ids: list[tuple[str, str]]) -> list[OrderLine]:
        """These orders, newest first."""
        if not ids:
            return []
        shop_ids = [UUID(shop_id) for shop_id, _ in ids]
        order_ids = [UUID(order_id) for _, order_id in ids]
        return [line_of(row) for row in await self._pool.fetch(_OF_IDS, shop_ids, order_ids)]


async def facts_of(pool: asyncpg.Pool, opener: Opener, stream: Stream, *, with_sealed: bool) -> list[Fact]:
    """The events of any stream, oldest first."""
    rows = await pool.fetch(_FACTS, UUID(stream.shop_id), stream.kind, UUID(stream.id))
    facts = []
    for row in rows:
        sealed: dict[str, str] = {}
        if with_sealed and row["sealed"] is not None:
            plain = opener.open("contacts", sealed_aad(stream, row["version"]), row["sealed"])
            sealed = msgspec.json.decode(plain[SEALING_KEY_BYTES:], type=dict[str, str])
        facts.append(
            Fact(
                version=row["version"],
                kind=row["kind"],
                at_ms=ms_of(row["at"]),
                leaf_hash=row["leaf_hash"].hex(),
                public=json.loads(row["body"])["public"],
                sealed=sealed,
            )
        )
    return facts


def line_of(row: asyncpg.Record) -> OrderLine:
    """A row of `LINES` as a line."""
    return OrderLine(
        shop_id=str(row["shop_id"]),
        order_id=str(row["id"]),
        shop_no=row["shop_no"],
        shop_name=row["shop_name"] or "",
        product=row["product"],
        stage=row["stage"],
        quantity=row["quantity"],
        amount_fen=row["amount_fen"],
        created_at_ms=ms_of(row["created_at"]),
        due_at_ms=ms_of(row["due_at"]) if row["due_at"] else None,
        due_what=row["due_what"],
    )
