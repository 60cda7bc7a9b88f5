"""The SQL of `fairkey.read_tables.credit_book`."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final, cast
from uuid import UUID

import asyncpg
import msgspec

from fairkey.business import crediting as credits_of
from fairkey.business.basics import MINUTE_MS
from fairkey.business.credit.facts import KINDS, Fact
from fairkey.business.credit.figures import Account, account_of
from fairkey.business.crediting import Crediting
from fairkey.business.files import CreditFile
from fairkey.engine.codec import decode_file
from fairkey.read_tables.credit_book import FrozenShop

ROWS_MAX: Final = 200
KEPT_MS: Final = 5 * MINUTE_MS
SHOPS_KEPT_MAX: Final = 200
_STATE: Final = "SELECT state FROM streams WHERE shop_id = $1 AND kind = 'credit' AND id = $1"
_FROZEN: Final = """
SELECT shop_id, state FROM streams WHERE kind = 'credit' AND stage = 'frozen' ORDER BY changed_at LIMIT $1
"""
_FACTS: Final = """
SELECT stream_kind || ':' || stream_id AS stream, version, kind, body FROM events
WHERE shop_id = $1 AND kind = ANY ($2) AND at <= to_timestamp($3 / 1000.0)
"""
_HEAD: Final = "SELECT version FROM streams WHERE shop_id = $1 AND kind = 'credit' AND id = $1"


class _Leaf(msgspec.Struct):
    at: int
    public: dict[str, object]


class PostgresCreditBook:
    """Implements `fairkey.read_tables.credit_book.CreditBook`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._kept: OrderedDict[str, tuple[int, Account]] = OrderedDict()  # shop -> (version of its meter, account)

    async def crediting(self, shop_id: str) -> Crediting:
        """The meter now."""
        state = await self._pool.fetchval(_STATE, UUID(shop_id))
        return cast("CreditFile", decode_file("credit", state)).crediting if state else credits_of.INITIAL

    async def account(self, shop_id: str, at_ms: int) -> Account:
        """All numbers; made anew when the meter has moved or after five minutes."""
        version = await self._pool.fetchval(_HEAD, UUID(shop_id)) or 0
        kept = self._kept.get(shop_id)
        if kept and kept[0] == version and 0 <= at_ms - kept[1].figures.at_ms < KEPT_MS:
            return kept[1]
        rows = await self._pool.fetch(_FACTS, UUID(shop_id), list(KINDS), at_ms)
        # A quarter of a second for ten thousand orders: not on the loop that answers everybody.
        account = await asyncio.to_thread(lambda: account_of(map(_fact, rows), at_ms))
        self._kept[shop_id] = (version, account)
        self._kept.move_to_end(shop_id)
        while len(self._kept) > SHOPS_KEPT_MAX:
            self._kept.popitem(last=False)
        return account

    async def frozen(self) -> Sequence[FrozenShop]:
        """Frozen shops."""
        rows = await self._pool.fetch(_FROZEN, ROWS_MAX)
        found = [
            FrozenShop(str(row["shop_id"]), cast("CreditFile", decode_file("credit", row["state"])).crediting)
            for row in rows
        ]
        return sorted(found, key=lambda one: one.crediting.since_ms)


def _fact(row: asyncpg.Record) -> Fact:
    leaf = msgspec.json.decode(row["body"], type=_Leaf)
    return Fact(leaf.at, row["stream"], row["version"], row["kind"], leaf.public)
