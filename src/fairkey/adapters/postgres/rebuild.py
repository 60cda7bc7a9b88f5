"""`fairkey rebuild` in PostgreSQL: everything kept is made again from events, shop by shop, and compared or put right.

Events come through a server-side cursor; what is held in memory at once is what follows from the events of one shop.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final, Protocol

import asyncpg
import msgspec

from fairkey.business.basics import Stream
from fairkey.business.codes import CodeStage
from fairkey.business.deadlines import Due
from fairkey.business.postings import Account, Posting
from fairkey.effects.queue import MONEY, Effect
from fairkey.engine.codec import decode_file, encode_file
from fairkey.engine.rebuild import Difference, Past, Picture, Rebuilder, Row, compare, merged_file
from fairkey.read_tables.facets import Facets
from fairkey.read_tables.kept import CodeRow

from .moments import moment, ms_of
from .store import sealed_aad

SEALING_KEY_BYTES: Final = 32
ROWS_AT_ONCE: Final = 1_000

_SHOPS: Final = """
SELECT shop_id FROM events UNION SELECT shop_id FROM streams UNION SELECT shop_id FROM codes
UNION SELECT shop_id FROM listing_stock UNION SELECT shop_id FROM listing_revisions UNION SELECT shop_id FROM ledger
UNION SELECT shop_id FROM ledger_accounts UNION SELECT shop_id FROM effects ORDER BY 1
"""
_EVENTS: Final = """
SELECT e.stream_kind, e.stream_id, e.version, e.kind, e.at, e.body, e.leaf_hash, f.sealed
FROM events e LEFT JOIN sealed_fields f USING (shop_id, stream_kind, stream_id, version)
WHERE e.shop_id = $1 ORDER BY e.recorded
"""
_VAULT: Final = """
SELECT batch_id, array_agg(code_id ORDER BY position) FROM vault WHERE shop_id = $1 GROUP BY batch_id
"""
_STREAMS: Final = """
SELECT kind, id, version, head, state, stage, due_at, due_what, listing_id, buyer_key, address_key, account_id,
       amount_fen, quantity, created_at, changed_at
FROM streams WHERE shop_id = $1
"""
_CODES: Final = "SELECT code_id, listing_id, batch_id, stage, order_id FROM codes WHERE shop_id = $1"
_LEDGER: Final = """
SELECT stream_kind, stream_id, version, row_no, debit, credit, amount_fen, currency FROM ledger WHERE shop_id = $1
"""
_INSTRUCTIONS: Final = """
SELECT key, kind, stream_kind, stream_id, payload FROM effects WHERE shop_id = $1 AND kind = ANY($2)
"""
# Writers wait; readers go on. In the order in which the engine takes its locks.
_LOCK: Final = """
LOCK TABLE streams, codes, listing_stock, shop_sums, listing_revisions, ledger, ledger_accounts, effects
IN SHARE ROW EXCLUSIVE MODE
"""
_GUARDED: Final = {"ledger": "kept", "listing_revisions": "kept", "codes": "revealed_for_ever"}


class Opener(Protocol):
    """Opens what `fairkey.adapters.postgres.store.Sealer` sealed."""

    def open(self, purpose: str, aad: bytes, sealed: bytes) -> bytes:
        """The plaintext, or an exception if it is not what was sealed there."""


class RepairFailed(Exception):
    """After the repair something still differed; nothing was changed. Details in `differences`."""

    def __init__(self, differences: list[Difference]) -> None:
        super().__init__(f"{len(differences)} differences are left; the first: {differences[0]}")
        self.differences = differences


async def check(pool: asyncpg.Pool, opener: Opener) -> list[Difference]:
    """Where what is kept is not what follows from the events, at one moment; beside the running house.

    Raises `EventsAreBroken` when events contradict each other.
    """
    differences: list[Difference] = []
    async with pool.acquire() as db, db.transaction(isolation="repeatable_read", readonly=True):
        async for shop_id in _shops(db):
            differences += compare(await _kept(db, shop_id), await _rebuilt(db, opener, shop_id))
    return differences


async def repair(pool: asyncpg.Pool, opener: Opener) -> list[Difference]:
    """Write anew what is not as the events tell, in one transaction in which nobody else writes; what was different.

    Events, the vault and answers are never touched. Raises `EventsAreBroken`, `RepairFailed`; then nothing has changed.
    """
    differences: list[Difference] = []
    async with pool.acquire() as db, db.transaction():
        await db.execute(_LOCK)
        for table, trigger in _GUARDED.items():
            await db.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
        async for shop_id in _shops(db):
            kept, rebuilt = await _kept(db, shop_id), await _rebuilt(db, opener, shop_id)
            found = compare(kept, rebuilt)
            if found:
                differences += found
                await _rewrite(db, shop_id, kept, rebuilt)
                left = compare(await _kept(db, shop_id), rebuilt)
                if left:
                    raise RepairFailed(left)
        for table, trigger in _GUARDED.items():
            await db.execute(f"ALTER TABLE {table} ENABLE TRIGGER {trigger}")
    return differences


async def _shops(db: asyncpg.pool.PoolConnectionProxy) -> AsyncIterator[str]:
    for row in await db.fetch(_SHOPS):
        yield str(row[0])


async def _rebuilt(db: asyncpg.pool.PoolConnectionProxy, opener: Opener, shop_id: str) -> Picture:
    vault = {str(row[0]): [str(code_id) for code_id in row[1]] for row in await db.fetch(_VAULT, shop_id)}
    rebuilder = Rebuilder(lambda _, batch_id: vault.get(batch_id, ()))
    async for row in db.cursor(_EVENTS, shop_id, prefetch=ROWS_AT_ONCE):
        stream = Stream(shop_id, row["stream_kind"], str(row["stream_id"]))
        sealing_key, sealed = b"", {}
        if row["sealed"] is not None:
            plain = opener.open("contacts", sealed_aad(stream, row["version"]), row["sealed"])
            sealing_key = plain[:SEALING_KEY_BYTES]
            sealed = msgspec.json.decode(plain[SEALING_KEY_BYTES:], type=dict[str, str])
        rebuilder.add(
            Past(
                stream=stream,
                version=row["version"],
                kind=row["kind"],
                at_ms=ms_of(row["at"]),
                body=row["body"],
                leaf_hash=row["leaf_hash"],
                sealed=sealed,
                sealing_key=sealing_key,
            )
        )
    return rebuilder.finish()


async def _kept(db: asyncpg.pool.PoolConnectionProxy, shop_id: str) -> Picture:
    picture = Picture()
    async for row in db.cursor(_STREAMS, shop_id, prefetch=ROWS_AT_ONCE):
        stream = Stream(shop_id, row["kind"], str(row["id"]))
        picture.streams[stream] = Row(
            version=row["version"],
            head=row["head"],
            file=decode_file(stream.kind, row["state"]),
            due=Due(ms_of(row["due_at"]), row["due_what"]) if row["due_at"] else None,
            facets=Facets(
                stage=row["stage"],
                listing_id=_text(row["listing_id"]),
                buyer_key=_text(row["buyer_key"]),
                address_key=_text(row["address_key"]),
                account_id=_text(row["account_id"]),
                amount_fen=row["amount_fen"],
                quantity=row["quantity"],
            ),
            created_at_ms=ms_of(row["created_at"]),
            changed_at_ms=ms_of(row["changed_at"]),
        )
    kept = picture.kept
    async for row in db.cursor(_CODES, shop_id, prefetch=ROWS_AT_ONCE):
        kept.codes[shop_id, str(row["code_id"])] = CodeRow(
            str(row["listing_id"]), _text(row["batch_id"]), CodeStage(row["stage"]), _text(row["order_id"])
        )
    for row in await db.fetch("SELECT listing_id, free FROM listing_stock WHERE shop_id = $1", shop_id):
        kept.stock[shop_id, str(row["listing_id"])] = row["free"]
    for row in await db.fetch("SELECT name, fen FROM shop_sums WHERE shop_id = $1", shop_id):
        kept.sums[shop_id, row["name"]] = row["fen"]
    for row in await db.fetch("SELECT listing_id, revision, terms FROM listing_revisions WHERE shop_id = $1", shop_id):
        kept.revisions[shop_id, str(row["listing_id"]), row["revision"]] = row["terms"]
    for row in await db.fetch("SELECT account, currency, balance_fen FROM ledger_accounts WHERE shop_id = $1", shop_id):
        kept.balances[shop_id, row["account"], row["currency"]] = row["balance_fen"]
    async for row in db.cursor(_LEDGER, shop_id, prefetch=ROWS_AT_ONCE):
        stream = Stream(shop_id, row["stream_kind"], str(row["stream_id"]))
        posting = Posting(Account(row["debit"]), Account(row["credit"]), row["amount_fen"], row["currency"])
        picture.ledger[stream, row["version"], row["row_no"]] = posting
    async for row in db.cursor(_INSTRUCTIONS, shop_id, sorted(MONEY), prefetch=ROWS_AT_ONCE):
        stream = Stream(shop_id, row["stream_kind"], str(row["stream_id"]))
        payload = msgspec.json.decode(row["payload"], type=dict[str, object])
        picture.instructions[shop_id, row["key"]] = Effect(
            stream=stream, kind=row["kind"], key=row["key"], payload=payload
        )
    return picture


def _text(value: object) -> str:
    return "" if value is None else str(value)


async def _rewrite(db: asyncpg.pool.PoolConnectionProxy, shop_id: str, kept: Picture, rebuilt: Picture) -> None:
    await _rewrite_streams(db, kept.streams, rebuilt.streams)
    await _rewrite_codes(db, shop_id, kept, rebuilt)
    await _rewrite_sums(db, shop_id, rebuilt)
    await _rewrite_ledger(db, kept, rebuilt)
    await _rewrite_revisions(db, shop_id, kept, rebuilt)
    missing = [effect for key, effect in rebuilt.instructions.items() if key not in kept.instructions]
    await db.executemany(
        """
        INSERT INTO effects (shop_id, key, kind, stream_kind, stream_id, payload, next_at, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, now(), now())
        """,
        [
            (*_split(effect.stream, effect.key, effect.kind), msgspec.json.encode(effect.payload).decode())
            for effect in missing
        ],
    )
    unasked = [key for key in kept.instructions if key not in rebuilt.instructions]
    await _delete(db, "effects", ("shop_id", "key"), unasked)


def _split(stream: Stream, key: str, kind: str) -> tuple[str, str, str, str, str]:
    return stream.shop_id, key, kind, stream.kind, stream.id


async def _rewrite_streams(
    db: asyncpg.pool.PoolConnectionProxy, kept: Mapping[Stream, Row], rebuilt: Mapping[Stream, Row]
) -> None:
    await _delete(db, "streams", ("shop_id", "kind", "id"), [stream for stream in kept if stream not in rebuilt])
    changed = [(stream, row) for stream, row in rebuilt.items() if _differs(kept.get(stream), row)]
    await db.executemany(
        """
        INSERT INTO streams (shop_id, kind, id, version, head, state, stage, due_at, due_what, listing_id, buyer_key,
                             address_key, account_id, amount_fen, quantity, created_at, changed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
        ON CONFLICT (shop_id, kind, id) DO UPDATE
        SET (version, head, state, stage, due_at, due_what, listing_id, buyer_key, address_key, account_id, amount_fen,
             quantity, created_at, changed_at)
          = (excluded.version, excluded.head, excluded.state, excluded.stage, excluded.due_at, excluded.due_what,
             excluded.listing_id, excluded.buyer_key, excluded.address_key, excluded.account_id, excluded.amount_fen,
             excluded.quantity, excluded.created_at, excluded.changed_at)
        """,
        [_stream_values(stream, kept.get(stream), row) for stream, row in changed],
    )


def _differs(kept: Row | None, rebuilt: Row) -> bool:
    return kept is None or (kept.version, kept.head, kept.due, kept.facets, kept.file) != (
        rebuilt.version,
        rebuilt.head,
        rebuilt.due,
        rebuilt.facets,
        rebuilt.file,
    )


def _stream_values(stream: Stream, kept: Row | None, row: Row) -> tuple[Any, ...]:
    file, facets = row.file, row.facets
    if kept is not None and row.is_erased:
        # Texts whose events were erased are nowhere else any more: what was kept of them stays.
        merged = merged_file(msgspec.to_builtins(kept.file), msgspec.to_builtins(file))
        file = decode_file(stream.kind, msgspec.json.encode(merged))
        facets = facets._replace(
            buyer_key=facets.buyer_key or kept.facets.buyer_key,
            address_key=facets.address_key or kept.facets.address_key,
            account_id=facets.account_id or kept.facets.account_id,
        )
    return (
        *stream,
        row.version,
        row.head,
        encode_file(file).decode(),
        facets.stage,
        moment(row.due.due_at_ms) if row.due else None,
        row.due.what if row.due else None,
        facets.listing_id or None,
        facets.buyer_key or None,
        facets.address_key or None,
        facets.account_id or None,
        facets.amount_fen,
        facets.quantity,
        moment(row.created_at_ms),
        moment(row.changed_at_ms),
    )


async def _rewrite_codes(db: asyncpg.pool.PoolConnectionProxy, shop_id: str, kept: Picture, rebuilt: Picture) -> None:
    was, now = kept.kept.codes, rebuilt.kept.codes
    wrong = [key for key in was.keys() | now.keys() if was.get(key) != now.get(key)]
    await _delete(db, "codes", ("shop_id", "code_id"), [key for key in wrong if key in was])
    await db.executemany(
        """
        INSERT INTO codes (shop_id, code_id, listing_id, batch_id, is_free, stage, order_id, changed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, now())
        """,
        [
            (
                shop_id,
                code_id,
                row.listing_id,
                row.batch_id or None,
                row.stage is CodeStage.FREE,
                row.stage.value,
                row.order_id or None,
            )
            for (_, code_id), row in ((key, now[key]) for key in wrong if key in now)
        ],
    )


async def _rewrite_sums(db: asyncpg.pool.PoolConnectionProxy, shop_id: str, rebuilt: Picture) -> None:
    await db.execute("DELETE FROM shop_sums WHERE shop_id = $1", shop_id)
    await db.executemany(
        "INSERT INTO shop_sums (shop_id, name, fen) VALUES ($1, $2, $3)",
        [(*key, fen) for key, fen in rebuilt.kept.sums.items()],
    )
    await db.execute("DELETE FROM listing_stock WHERE shop_id = $1", shop_id)
    await db.executemany(
        "INSERT INTO listing_stock (shop_id, listing_id, free) VALUES ($1, $2, $3)",
        [(*key, free) for key, free in rebuilt.kept.stock.items()],
    )
    await db.execute("DELETE FROM ledger_accounts WHERE shop_id = $1", shop_id)
    await db.executemany(
        "INSERT INTO ledger_accounts (shop_id, account, currency, balance_fen) VALUES ($1, $2, $3, $4)",
        [(*key, balance_fen) for key, balance_fen in rebuilt.kept.balances.items()],
    )


async def _rewrite_ledger(db: asyncpg.pool.PoolConnectionProxy, kept: Picture, rebuilt: Picture) -> None:
    was, now = kept.ledger, rebuilt.ledger
    wrong = [key for key in was.keys() | now.keys() if was.get(key) != now.get(key)]
    columns = ("shop_id", "stream_kind", "stream_id", "version", "row_no")
    await _delete(db, "ledger", columns, [(*key[0], *key[1:]) for key in wrong if key in was])
    await db.executemany(
        """
        INSERT INTO ledger (shop_id, stream_kind, stream_id, version, row_no, debit, credit, amount_fen, currency, at)
        SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, at FROM events
        WHERE shop_id = $1 AND stream_kind = $2 AND stream_id = $3 AND version = $4
        """,
        [
            (*key[0], *key[1:], posting.debit.value, posting.credit.value, posting.amount_fen, posting.currency)
            for key, posting in ((key, now[key]) for key in wrong if key in now)
        ],
    )


async def _rewrite_revisions(
    db: asyncpg.pool.PoolConnectionProxy, shop_id: str, kept: Picture, rebuilt: Picture
) -> None:
    was, now = kept.kept.revisions, rebuilt.kept.revisions
    wrong = [key for key in was.keys() | now.keys() if was.get(key) != now.get(key) and now.get(key) != ""]
    columns = ("shop_id", "listing_id", "revision")
    await _delete(db, "listing_revisions", columns, [key for key in wrong if key in was])
    await db.executemany(
        """
        INSERT INTO listing_revisions (shop_id, listing_id, revision, revision_hash, terms, published_at)
        SELECT $1, $2, $3, sha256(convert_to($4, 'UTF8')), $4, e.at FROM events e
        WHERE e.shop_id = $1 AND e.stream_kind = 'listing' AND e.stream_id = $2 AND e.kind = 'listing.published'
          AND (convert_from(e.body, 'UTF8')::json -> 'public' ->> 'revision')::int = $3
        """,
        [(shop_id, key[1], key[2], now[key]) for key in wrong if key in now],
    )


async def _delete(
    db: asyncpg.pool.PoolConnectionProxy, table: str, columns: Sequence[str], keys: Sequence[tuple[Any, ...]]
) -> None:
    """Delete rows by key. Table and columns are words of this file."""
    where = " AND ".join(f"{column} = ${number}" for number, column in enumerate(columns, 1))
    await db.executemany(f"DELETE FROM {table} WHERE {where}", keys)  # noqa: S608 - nothing from outside
