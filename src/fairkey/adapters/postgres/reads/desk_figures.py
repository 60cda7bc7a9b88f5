"""The SQL of `fairkey.read_tables.desk_figures`."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

import asyncpg

from fairkey.adapters.postgres.moments import moment, ms_of
from fairkey.business.basics import Stream
from fairkey.read_tables.desk_figures import ComplaintRow, Span, SpanFigures, Waiting
from fairkey.read_tables.shop_desk import Place

from .order_book import Opener, facts_of

ORDERS_MAX: Final = 50_000  # counted for one look; the newest

_PRODUCT: Final = """JOIN shop_numbers n ON n.shop_id = o.shop_id
JOIN listing_revisions r ON r.shop_id = o.shop_id AND r.listing_id = o.listing_id
                        AND r.revision = (o.state #>> '{order,revision}')::int"""

_WAITING: Final = f"""
SELECT o.id, o.stage, o.quantity, o.amount_fen, o.due_at, n.shop_no, r.terms::json ->> 'product' AS product,
       (SELECT count(*) FROM json_array_elements(o.state #> '{{codes,held}}') AS c
        WHERE c ->> 'stage' IN ('delivered', 'revealed')) AS there,
       coalesce(o.state #>> '{{complaint,reason}}', '') AS reason,
       coalesce((o.state #>> '{{complaint,demand_fen}}')::bigint, 0) AS demand_fen
FROM streams o {_PRODUCT}
WHERE o.shop_id = $1 AND o.kind = 'order' AND o.due_at IS NOT NULL
  AND (o.stage = 'paid' OR (o.stage = 'disputed' AND o.state #>> '{{complaint,stage}}' = 'opened'))
ORDER BY o.due_at, o.id LIMIT $2
"""  # noqa: S608 - parts of our own

_COMPLAINTS: Final = f"""
SELECT o.id, o.amount_fen, o.created_at, n.shop_no, r.terms::json ->> 'product' AS product,
       o.state #>> '{{complaint,stage}}' AS stage, coalesce(o.state #>> '{{complaint,reason}}', '') AS reason,
       coalesce((o.state #>> '{{complaint,demand_fen}}')::bigint, 0) AS demand_fen,
       coalesce(o.state #>> '{{complaint,outcome}}', '') AS outcome,
       coalesce((o.state #>> '{{complaint,refund_fen}}')::bigint, 0) AS refund_fen,
       coalesce((o.state #>> '{{complaint,opened_at_ms}}')::bigint, 0) AS opened_at_ms,
       coalesce((o.state #>> '{{complaint,due_at_ms}}')::bigint, 0) AS due_at_ms
FROM streams o {_PRODUCT}
WHERE o.shop_id = $1 AND o.kind = 'order' AND {{which}} LIMIT $2
"""  # noqa: S608 - parts of our own
_RUNNING: Final = _COMPLAINTS.replace("{which}", "o.stage = 'disputed' ORDER BY o.due_at, o.id")
_CLOSED: Final = _COMPLAINTS.replace(
    "{which}",
    """o.state #>> '{complaint,stage}' = 'closed'
  AND ($3::timestamptz IS NULL OR (o.created_at, o.id) < ($3, $4::uuid)) ORDER BY o.created_at DESC, o.id DESC""",
)

_SPANS: Final = """
WITH counted AS (
    SELECT o.created_at, o.quantity, o.amount_fen,
           (o.state #>> '{order,paid_at_ms}')::bigint AS paid_at_ms,
           (o.state #>> '{order,delivered_at_ms}')::bigint AS delivered_at_ms,
           (SELECT count(*) FROM json_array_elements(o.state #> '{codes,held}') AS c
            WHERE c ->> 'stage' = 'revealed') AS opened,
           o.state #>> '{complaint,stage}' AS complaint_stage,
           coalesce((o.state #>> '{complaint,refund_fen}')::bigint, 0) AS refund_fen,
           coalesce((
               SELECT sum((f ->> 'amount_fen')::bigint) FROM json_array_elements(o.state #> '{escrow,refunds}') AS f
               WHERE f ->> 'why' NOT IN ('surplus', 'second', 'late')
           ), 0) AS back_fen
    FROM streams o
    WHERE o.kind = 'order' AND o.shop_id = $1 AND o.created_at >= $2
    ORDER BY o.created_at DESC LIMIT $4
)
SELECT date_trunc($3, created_at AT TIME ZONE 'Asia/Shanghai')::date AS begins, count(*)::int AS orders,
       count(paid_at_ms)::int AS paid, count(delivered_at_ms)::int AS delivered,
       coalesce(
           sum(greatest(amount_fen - back_fen, 0)) FILTER (WHERE paid_at_ms IS NOT NULL), 0
       )::bigint AS turnover_fen,
       percentile_disc(0.5) WITHIN GROUP (ORDER BY delivered_at_ms - paid_at_ms) AS median_ms,
       percentile_disc(0.95) WITHIN GROUP (ORDER BY delivered_at_ms - paid_at_ms) AS p95_ms,
       coalesce(sum(opened), 0)::int AS opened_units,
       coalesce(
           sum(least(opened, ceil(quantity::numeric * refund_fen / amount_fen))) FILTER (WHERE refund_fen > 0), 0
       )::int AS bad_units,
       count(complaint_stage)::int AS complained
FROM counted GROUP BY 1 ORDER BY 1
"""

_STAGES: Final = """
SELECT batch_id, stage, count(*)::int AS codes FROM codes
WHERE shop_id = $1 AND batch_id = ANY ($2::uuid[]) GROUP BY batch_id, stage
"""

_WITHDRAWN: Final = """
SELECT c.code_id FROM codes c JOIN vault v ON v.shop_id = c.shop_id AND v.code_id = c.code_id
WHERE c.shop_id = $1 AND c.batch_id = $2 AND c.stage IN ('withdrawn', 'returned') ORDER BY v.position
"""


class PostgresDeskFigures:
    """Implements `fairkey.read_tables.desk_figures.DeskFigures`."""

    def __init__(self, pool: asyncpg.Pool, opener: Opener) -> None:
        self._pool = pool
        self._opener = opener

    async def waiting(self, shop_id: str, *, lines_max: int = 50) -> list[Waiting]:
        """Orders that wait for the shop."""
        return [
            Waiting(
                order_id=str(row["id"]),
                shop_no=row["shop_no"],
                product=row["product"],
                quantity=row["quantity"],
                there=row["there"],
                amount_fen=row["amount_fen"],
                stage=row["stage"],
                reason=row["reason"],
                demand_fen=row["demand_fen"],
                due_at_ms=ms_of(row["due_at"]),
            )
            for row in await self._pool.fetch(_WAITING, UUID(shop_id), lines_max)
        ]

    async def complaints(
        self, shop_id: str, *, running: bool, after: Place | None = None, lines_max: int = 30
    ) -> list[ComplaintRow]:
        """Complaints against the shop."""
        if running:
            rows = await self._pool.fetch(_RUNNING, UUID(shop_id), lines_max)
        else:
            ended = (moment(after.at_ms), UUID(after.id)) if after else (None, None)
            rows = await self._pool.fetch(_CLOSED, UUID(shop_id), lines_max, *ended)
        return [
            ComplaintRow(
                order_id=str(row["id"]),
                shop_no=row["shop_no"],
                product=row["product"],
                amount_fen=row["amount_fen"],
                stage=row["stage"],
                reason=row["reason"],
                demand_fen=row["demand_fen"],
                outcome=row["outcome"],
                refund_fen=row["refund_fen"],
                opened_at_ms=row["opened_at_ms"],
                due_at_ms=row["due_at_ms"],
                created_at_ms=ms_of(row["created_at"]),
            )
            for row in rows
        ]

    async def spans(self, shop_id: str, span: Span, *, since_ms: int) -> list[SpanFigures]:
        """Figures by day or week."""
        rows = await self._pool.fetch(_SPANS, UUID(shop_id), moment(since_ms), span, ORDERS_MAX)
        return [SpanFigures(**dict(row)) for row in rows]

    async def stages_of_batches(self, shop_id: str, batch_ids: Sequence[str]) -> Mapping[str, Mapping[str, int]]:
        """How many codes are at which stage."""
        found: dict[str, dict[str, int]] = {batch_id: {} for batch_id in batch_ids}
        for row in await self._pool.fetch(_STAGES, UUID(shop_id), [UUID(one) for one in batch_ids]):
            found[str(row["batch_id"])][row["stage"]] = row["codes"]
        return found

    async def withdrawn_codes(self, shop_id: str, batch_id: str) -> list[str]:
        """Ids of the codes that the shop took out."""
        rows = await self._pool.fetch(_WITHDRAWN, UUID(shop_id), UUID(batch_id))
        return [str(row["code_id"]) for row in rows]

    async def why_payout_failed(self, shop_id: str, payout_id: str) -> str:
        """What the provider said."""
        facts = await facts_of(self._pool, self._opener, Stream(shop_id, "payout", payout_id), with_sealed=True)
        whys = (one.sealed.get("reason", "") for one in reversed(facts) if one.kind.endswith(("_failed", "_returned")))
        return next(whys, "")
