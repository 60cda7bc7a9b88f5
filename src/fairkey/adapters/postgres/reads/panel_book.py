"""The SQL of `fairkey.read_tables.panel_book`."""

from collections.abc import Mapping
from typing import Final, cast
from uuid import UUID

import asyncpg

from fairkey.adapters.postgres.reads.order_book import Opener, facts_of
from fairkey.business.basics import PLATFORM, Stream
from fairkey.business.files import ArbitratorFile, PanelFile
from fairkey.engine.codec import decode_file
from fairkey.read_tables.order_book import Fact
from fairkey.read_tables.panel_book import ArbitratorRecord, PanelRecord

_ARBITRATORS: Final = """
SELECT id, state FROM streams WHERE shop_id = $1 AND kind = 'arbitrator' AND ($2::uuid IS NULL OR id = $2)
ORDER BY created_at, id
"""
_PANELS: Final = """
SELECT id, state, version FROM streams
WHERE shop_id = $1 AND kind = 'panel' AND ($2::uuid IS NULL OR id = $2)
  AND (NOT $3 OR stage NOT IN ('decided', 'lapsed'))
ORDER BY created_at DESC, id LIMIT $4
"""
_TRADED: Final = """
SELECT asked.account_id FROM streams o
JOIN unnest($2::uuid[], $3::text[]) AS asked(account_id, buyer_key)
  ON o.account_id = asked.account_id OR o.buyer_key = asked.buyer_key
WHERE o.shop_id = $1 AND o.kind = 'order'
UNION SELECT account_id FROM shop_staff WHERE shop_id = $1 AND account_id = ANY ($2::uuid[])
"""


class PostgresPanelBook:
    """Implements `fairkey.read_tables.panel_book.PanelBook`."""

    def __init__(self, pool: asyncpg.Pool, opener: Opener) -> None:
        self._pool = pool
        self._opener = opener

    async def arbitrators(self) -> list[ArbitratorRecord]:
        """All arbitrators."""
        return [_arbitrator(row) for row in await self._pool.fetch(_ARBITRATORS, UUID(PLATFORM), None)]

    async def arbitrator(self, arbitrator_id: str) -> ArbitratorRecord | None:
        """One arbitrator."""
        row = await self._pool.fetchrow(_ARBITRATORS, UUID(PLATFORM), UUID(arbitrator_id))
        return _arbitrator(row) if row else None

    async def panel(self, panel_id: str) -> PanelRecord | None:
        """One panel."""
        row = await self._pool.fetchrow(_PANELS, UUID(PLATFORM), UUID(panel_id), False, 1)  # noqa: FBT003 - a value
        return _panel(row) if row else None

    async def panels(self, *, only_open: bool = False, lines_max: int = 100) -> list[PanelRecord]:
        """Panels, newest first."""
        return [_panel(row) for row in await self._pool.fetch(_PANELS, UUID(PLATFORM), None, only_open, lines_max)]

    async def facts(self, panel_id: str, *, with_sealed: bool = False) -> list[Fact]:
        """What happened on a panel."""
        return await facts_of(self._pool, self._opener, Stream(PLATFORM, "panel", panel_id), with_sealed=with_sealed)

    async def application_text(self, arbitrator_id: str) -> str:
        """What he wrote."""
        stream = Stream(PLATFORM, "arbitrator", arbitrator_id)
        facts = await facts_of(self._pool, self._opener, stream, with_sealed=True)
        told = [fact.sealed.get("text", "") for fact in facts if fact.kind == "arbitrator.applied"]
        return told[-1] if told else ""

    async def traded(self, shop_id: str, accounts: Mapping[str, str]) -> frozenset[str]:
        """Accounts in conflict."""
        ids = [UUID(one) for one in accounts]
        rows = await self._pool.fetch(_TRADED, UUID(shop_id), ids, list(accounts.values()))
        return frozenset(str(row["account_id"]) for row in rows)


def _arbitrator(row: asyncpg.Record) -> ArbitratorRecord:
    file = cast("ArbitratorFile", decode_file("arbitrator", row["state"]))
    return ArbitratorRecord(arbitrator_id=str(row["id"]), arbitrator=file.arbitrator)


def _panel(row: asyncpg.Record) -> PanelRecord:
    file = cast("PanelFile", decode_file("panel", row["state"]))
    return PanelRecord(panel_id=str(row["id"]), panel=file.panel, version=row["version"])
