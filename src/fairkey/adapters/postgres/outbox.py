"""The outbox in PostgreSQL.

What cannot be taken back (the release of held money, a payout) waits until the public log shows why: until a published
checkpoint covers every event of its stream up to the one that asked for it. Effects carry the moment of their event.
"""

import json
from typing import Final

import asyncpg

from fairkey.adapters.postgres.moments import moment
from fairkey.business.basics import Stream
from fairkey.effects.outbox import ASK_AGAIN_MS, LEASE_MS, Waiting, back_off_ms

_CLAIM: Final = """
UPDATE effects e SET attempts = e.attempts + 1, next_at = $2
FROM (
    SELECT shop_id, key FROM effects waiting WHERE state IN ('waiting', 'sent') AND next_at <= $1{shown}
    ORDER BY next_at LIMIT $3 FOR UPDATE SKIP LOCKED
) AS due
WHERE e.shop_id = due.shop_id AND e.key = due.key
RETURNING e.shop_id, e.key, e.kind, e.stream_kind, e.stream_id, e.payload, e.attempts, e.state
"""
# What the provider was told already (`sent`) is only asked after.
_SHOWN: Final = """
    AND (state = 'sent' OR kind NOT IN ('release', 'payout') OR NOT EXISTS (
        SELECT FROM events v
        LEFT JOIN log_entries l ON l.log_no = (SELECT max(log_no) FROM logs) AND l.recorded = v.recorded
        WHERE v.shop_id = waiting.shop_id AND v.stream_kind = waiting.stream_kind
          AND v.stream_id = waiting.stream_id AND v.at <= waiting.created_at
          AND coalesce(l.log_index >= (
              SELECT max(size) FROM log_heads
              WHERE log_no = (SELECT max(log_no) FROM logs) AND published_at IS NOT NULL
          ), true)
    ))
"""
_END: Final = "UPDATE effects SET state = $3, done_at = $4, last_error = $5 WHERE shop_id = $1 AND key = $2"
# A report of the provider may have closed the row meanwhile: only open rows wait again.
_WAIT: Final = """
UPDATE effects SET state = $3, next_at = $4, last_error = $5
WHERE shop_id = $1 AND key = $2 AND state IN ('waiting', 'sent')
"""


_NOT_YET: Final = """
UPDATE effects SET next_at = $3, attempts = attempts - 1
WHERE shop_id = $1 AND key = $2 AND state IN ('waiting', 'sent')
"""


class PostgresOutbox:
    """Implements `fairkey.effects.outbox.Outbox`."""

    def __init__(self, pool: asyncpg.Pool, *, waits_for_log: bool = False) -> None:
        """`waits_for_log`: releases and payouts wait for the public log; somebody has to write it then."""
        self._pool = pool
        self._claim = _CLAIM.format(shown=_SHOWN if waits_for_log else "")

    async def claim(self, now_ms: int, rows_max: int) -> list[Waiting]:
        """Take what is due."""
        rows = await self._pool.fetch(self._claim, moment(now_ms), moment(now_ms + LEASE_MS), rows_max)
        return [
            Waiting(
                stream=Stream(str(row["shop_id"]), row["stream_kind"], str(row["stream_id"])),
                kind=row["kind"],
                key=row["key"],
                payload=json.loads(row["payload"]),
                attempts=row["attempts"],
                sent=row["state"] == "sent",
            )
            for row in rows
        ]

    async def done(self, waiting: Waiting, now_ms: int) -> None:
        """It is finished."""
        await self._pool.execute(_END, waiting.stream.shop_id, waiting.key, "done", moment(now_ms), None)

    async def sent(self, waiting: Waiting, now_ms: int) -> None:
        """Ask again later."""
        again = moment(now_ms + max(ASK_AGAIN_MS, back_off_ms(waiting.attempts)))
        await self._pool.execute(_WAIT, waiting.stream.shop_id, waiting.key, "sent", again, None)

    async def failed(self, waiting: Waiting, now_ms: int, error: str) -> None:
        """It will never work as it is."""
        await self._pool.execute(_END, waiting.stream.shop_id, waiting.key, "failed", moment(now_ms), error)

    async def not_yet(self, waiting: Waiting, at_ms: int) -> None:
        """Take it up again at that moment, as if it had not been taken up now."""
        await self._pool.execute(_NOT_YET, waiting.stream.shop_id, waiting.key, moment(at_ms))

    async def later(self, waiting: Waiting, now_ms: int, error: str) -> None:
        """Try again after a back-off."""
        again = moment(now_ms + back_off_ms(waiting.attempts))
        state = "sent" if waiting.sent else "waiting"
        await self._pool.execute(_WAIT, waiting.stream.shop_id, waiting.key, state, again, error)
