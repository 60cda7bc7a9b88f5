"""Who reported that a shop led him off the site: complaints that show the outside chat by a file."""

from itertools import groupby
from typing import Final
from uuid import UUID

import asyncpg

from fairkey.adapters.postgres.evidence import ALIKE_BITS
from fairkey.business.basics import DAY_MS
from fairkey.read_tables.standard_book import CLEAN_ORDERS_A_REPORTER, Shown, independent_reporters

REPORTS_COUNT_FOR_MS: Final = 90 * DAY_MS
_REPORTS: Final = """
SELECT o.buyer_key, item ->> 'sha256' AS sha256, f.mark
FROM streams o
CROSS JOIN LATERAL jsonb_array_elements(o.state::jsonb #> '{evidence,items}') item
LEFT JOIN evidence_files f
    ON f.shop_id = o.shop_id AND f.order_id = o.id AND f.evidence_id = (item ->> 'evidence_id')::uuid
WHERE o.shop_id = $1 AND o.kind = 'order' AND o.buyer_key IS NOT NULL
  AND o.state #>> '{complaint,reason}' = 'off_platform'
  AND coalesce(o.state #>> '{complaint,outcome}', '') <> 'withdrawn'
  AND (o.state #>> '{complaint,opened_at_ms}')::bigint > $2
  AND item ->> 'by' = 'buyer' AND NOT coalesce((item ->> 'withdrawn')::boolean, false)
  AND (SELECT count(*) FROM streams done WHERE done.buyer_key = o.buyer_key AND done.kind = 'order'
       AND done.stage = 'completed' AND done.state -> 'complaint' IS NULL AND done.shop_id <> o.shop_id) >= $3
ORDER BY (o.state #>> '{complaint,opened_at_ms}')::bigint, o.id
"""


async def lure_reporters(pool: asyncpg.Pool, shop_id: str, now_ms: int) -> int:
    """See `StandardBook.lure_reporters`."""
    since_ms = now_ms - REPORTS_COUNT_FOR_MS
    rows = await pool.fetch(_REPORTS, UUID(shop_id), since_ms, CLEAN_ORDERS_A_REPORTER)
    reports: dict[str, list[Shown]] = {}
    for buyer_key, shown in groupby(rows, key=lambda row: row["buyer_key"]):
        reports.setdefault(buyer_key, []).extend(Shown(row["sha256"], row["mark"]) for row in shown)
    return independent_reporters(list(reports.values()), ALIKE_BITS)
