"""The SQL of `fairkey.read_tables.floor`."""

from collections.abc import Callable
from typing import Final, cast

import asyncpg
import msgspec

from fairkey.adapters.postgres.moments import moment, ms_of
from fairkey.adapters.postgres.reads.order_book import LINES, SEALING_KEY_BYTES, Opener, facts_of, line_of
from fairkey.adapters.postgres.store import sealed_aad
from fairkey.business.basics import InstructionState, Stream
from fairkey.business.files import OrderFile, PayoutFile
from fairkey.business.vanishing import ReturnAsked, Vanished, is_gone
from fairkey.engine.codec import decode_file
from fairkey.read_tables.floor import (
    ComplaintLine,
    ContradictedPayout,
    EffectLine,
    FailedInstruction,
    Health,
    ShopLine,
    UnmatchedLine,
)

_ORDERS_BY_STAGE: Final = """
SELECT stage, count(*)::int AS orders FROM streams
WHERE kind = 'order' AND (NOT $1 OR due_at < $2) GROUP BY 1 ORDER BY 1
"""
_SHOPS: Final = """
SELECT s.shop_id, n.shop_no, s.stage, s.created_at, s.state -> 'shop' ->> 'name' AS name,
       coalesce(s.state -> 'shop' ->> 'suspended_because', '') AS suspended_because,
       s.state -> 'shop' ->> 'vanished' AS vanished, o.*
FROM streams s
JOIN shop_numbers n ON n.shop_id = s.shop_id
CROSS JOIN LATERAL (
    SELECT count(*)::int AS orders,
           count(*) FILTER (WHERE due_at IS NOT NULL)::int AS open_orders,
           count(*) FILTER (WHERE stage = 'completed')::int AS completed,
           count(*) FILTER (WHERE state ->> 'complaint' IS NOT NULL)::int AS complaints,
           count(*) FILTER (WHERE stage IN ('refunded', 'partly_refunded', 'cancelled'))::int AS refunded
    FROM streams WHERE kind = 'order' AND shop_id = s.shop_id
) AS o
WHERE s.kind = 'shop'
ORDER BY (s.stage = 'applied') DESC, n.shop_no
"""
_COMPLAINTS: Final = LINES.format(
    which="o.stage = 'disputed'", more=", o.state", order="o.due_at, o.id", limit="500"
)
_FAILED: Final = LINES.format(
    which="""o.id IN (
        SELECT stream_id FROM effects WHERE state = 'failed' AND kind IN ('refund', 'release') AND stream_kind = 'order'
    )""",
    more=", o.state",
    order="o.changed_at DESC, o.id",
    limit="500",
)
_UNMATCHED: Final = """
SELECT s.id, s.stage, s.amount_fen, s.created_at, s.due_at, s.state, f.sealed
FROM streams s
LEFT JOIN sealed_fields f
       ON f.shop_id = s.shop_id AND f.stream_kind = 'payment' AND f.stream_id = s.id AND f.version = 1
WHERE s.kind = 'payment' ORDER BY (s.stage = 'held') DESC, s.created_at DESC LIMIT $1
"""
_CONTRADICTED: Final = """
SELECT s.id, n.shop_no, s.state FROM streams s JOIN shop_numbers n USING (shop_id)
WHERE s.kind = 'payout' AND s.stage = 'contradicted' ORDER BY s.created_at LIMIT $1
"""
_REASON: Final = """
SELECT e.version, f.sealed FROM events e JOIN sealed_fields f USING (shop_id, stream_kind, stream_id, version)
WHERE shop_id = $1 AND stream_kind = 'order' AND stream_id = $2 AND e.kind = $3 ORDER BY e.version DESC LIMIT 1
"""
_EFFECTS: Final = """
SELECT key, kind, state, attempts, next_at, coalesce(last_error, '') AS last_error, created_at
FROM effects WHERE state <> 'done' AND kind <> 'ask_again' ORDER BY (state = 'failed') DESC, created_at LIMIT $1
"""
_HEALTH: Final = """
SELECT current_setting('server_version') AS database_version, pg_database_size(current_database()) AS database_bytes,
       (SELECT count(*) FROM events) AS events,
       (SELECT count(*) FROM streams WHERE due_at < $1) AS deadlines_overdue,
       (SELECT min(due_at) FROM streams WHERE due_at < $1) AS oldest_due_at,
       (SELECT count(*) FROM effects WHERE state IN ('waiting', 'sent') AND kind <> 'ask_again') AS effects_waiting,
       (SELECT count(*) FROM effects WHERE state IN ('waiting', 'sent') AND next_at < $1) AS effects_overdue,
       (SELECT count(*) FROM effects WHERE state = 'failed') AS effects_failed,
       (SELECT count(*) FROM imports WHERE state = 'receiving') AS imports_receiving
"""
_BALANCES: Final = """
SELECT account, sum(balance_fen)::bigint AS balance_fen FROM ledger_accounts
WHERE currency = 'CNY' GROUP BY 1 ORDER BY 1
"""


class PostgresFloor:
    """Implements `fairkey.read_tables.floor.Floor`."""

    def __init__(self, pool: asyncpg.Pool, opener: Opener, now_ms: Callable[[], int]) -> None:
        self._pool = pool
        self._opener = opener
        self._now_ms = now_ms

    async def orders_by_stage(self, *, stuck_only: bool = False) -> dict[str, int]:
        """How many orders are in each stage."""
        rows = await self._pool.fetch(_ORDERS_BY_STAGE, stuck_only, moment(self._now_ms()))
        return {row["stage"]: row["orders"] for row in rows}

    async def shops(self) -> list[ShopLine]:
        """All shops."""
        return [
            ShopLine(
                shop_id=str(row["shop_id"]),
                shop_no=row["shop_no"],
                name=row["name"] or "",
                standing=row["stage"],
                opened_at_ms=ms_of(row["created_at"]),
                orders=row["orders"],
                open_orders=row["open_orders"],
                completed=row["completed"],
                complaints=row["complaints"],
                refunded=row["refunded"],
                suspended_because=row["suspended_because"],
                vanished=(gone := _vanished_of(row["vanished"])),
                asks_back=await self._asks_back(str(row["shop_id"])) if gone and gone.review_by_ms else "",
            )
            for row in await self._pool.fetch(_SHOPS)
        ]

    async def _asks_back(self, shop_id: str) -> str:
        facts = await facts_of(self._pool, self._opener, Stream(shop_id, "shop", shop_id), with_sealed=True)
        return next((one.sealed.get("text", "") for one in reversed(facts) if one.kind == ReturnAsked.kind), "")

    async def complaints(self) -> list[ComplaintLine]:
        """Complaints that are not closed."""
        lines = []
        for row in await self._pool.fetch(_COMPLAINTS):
            complaint = _file(row).complaint
            lines.append(
                ComplaintLine(
                    order=line_of(row),
                    stage=complaint.stage.value,
                    reason=complaint.reason.value if complaint.reason else "",
                    demand_fen=complaint.demand_fen,
                    opened_at_ms=complaint.opened_at_ms,
                    due_at_ms=complaint.due_at_ms,
                )
            )
        return sorted(lines, key=lambda line: (line.stage != "contested", line.due_at_ms))

    async def unmatched(self, *, lines_max: int = 100) -> list[UnmatchedLine]:
        """Payments without an order."""
        lines = []
        for row in await self._pool.fetch(_UNMATCHED, lines_max):
            file = decode_file("payment", row["state"])
            unmatched = msgspec.to_builtins(file).get("unmatched", {})
            stream = Stream("00000000-0000-0000-0000-000000000000", "payment", str(row["id"]))
            lines.append(
                UnmatchedLine(
                    payment_id=stream.id,
                    provider=unmatched.get("provider", ""),
                    provider_txn=unmatched.get("provider_txn", ""),
                    amount_fen=row["amount_fen"],
                    currency=unmatched.get("currency", "CNY"),
                    received_at_ms=ms_of(row["created_at"]),
                    state=row["stage"],
                    reference=self._open(stream, 1, row["sealed"]).get("reference", ""),
                    returns_at_ms=ms_of(row["due_at"]) if row["due_at"] else None,
                )
            )
        return lines

    async def failed_instructions(self) -> list[FailedInstruction]:
        """Refunds and releases that wait for the operator."""
        lines = []
        for row in await self._pool.fetch(_FAILED):
            order = line_of(row)
            escrow = _file(row).escrow
            failed = [("refund", one.refund_no, one.amount_fen, one.state) for one in escrow.refunds]
            failed += [("release", one.release_no, one.shop_fen, one.state) for one in escrow.releases]
            for what, number, amount_fen, state in failed:
                if state is InstructionState.FAILED:
                    lines.append(
                        FailedInstruction(
                            order=order,
                            what=what,
                            number=number,
                            amount_fen=amount_fen,
                            reason=await self._reason(order.shop_id, order.order_id, f"payment.{what}_failed"),
                        )
                    )
        return lines

    async def _reason(self, shop_id: str, order_id: str, kind: str) -> str:
        row = await self._pool.fetchrow(_REASON, shop_id, order_id, kind)
        if row is None:
            return ""
        return self._open(Stream(shop_id, "order", order_id), row["version"], row["sealed"]).get("reason", "")

    def _open(self, stream: Stream, version: int, sealed: bytes | None) -> dict[str, str]:
        if sealed is None:
            return {}
        plain = self._opener.open("contacts", sealed_aad(stream, version), sealed)
        return msgspec.json.decode(plain[SEALING_KEY_BYTES:], type=dict[str, str])

    async def contradicted_payouts(self, *, lines_max: int = 100) -> list[ContradictedPayout]:
        """Payouts with two ends."""
        return [
            ContradictedPayout(
                payout_id=str(row["id"]),
                shop_no=row["shop_no"],
                amount_fen=(payout := cast("PayoutFile", decode_file("payout", row["state"])).payout).amount_fen,
                arrived=payout.state is InstructionState.FAILED,
                ended_at_ms=payout.ended_at_ms,
                contradicted_at_ms=payout.contradicted_at_ms,
            )
            for row in await self._pool.fetch(_CONTRADICTED, lines_max)
        ]

    async def effects(self, *, lines_max: int = 100) -> list[EffectLine]:
        """What the outbox holds that is not done."""
        return [
            EffectLine(
                key=row["key"],
                kind=row["kind"],
                state=row["state"],
                attempts=row["attempts"],
                next_at_ms=ms_of(row["next_at"]),
                last_error=row["last_error"],
                created_at_ms=ms_of(row["created_at"]),
            )
            for row in await self._pool.fetch(_EFFECTS, lines_max)
        ]

    async def health(self) -> Health:
        """How the house is."""
        now_ms = self._now_ms()
        row = await self._pool.fetchrow(_HEALTH, moment(now_ms))
        assert row is not None
        balances = await self._pool.fetch(_BALANCES)
        return Health(
            database_version=row["database_version"],
            database_bytes=row["database_bytes"],
            events=row["events"],
            deadlines_overdue=row["deadlines_overdue"],
            oldest_overdue_ms=now_ms - ms_of(row["oldest_due_at"]) if row["oldest_due_at"] else 0,
            effects_waiting=row["effects_waiting"],
            effects_overdue=row["effects_overdue"],
            effects_failed=row["effects_failed"],
            imports_receiving=row["imports_receiving"],
            orders_by_stage=await self.orders_by_stage(),
            balances_fen={one["account"]: one["balance_fen"] for one in balances},
        )


def _file(row: asyncpg.Record) -> OrderFile:
    return cast("OrderFile", decode_file("order", row["state"]))


def _vanished_of(text: str | None) -> Vanished | None:
    """What the shop's state says of it, while nobody has let it return."""
    gone = msgspec.json.decode(text, type=Vanished) if text else None
    return gone if is_gone(gone) else None
