"""The event store in PostgreSQL: a batch is read with a handful of set-based statements and written with as many.

Locks are taken in one order everywhere: buyers, streams by key, codes, stock rows by key, ledger accounts by key.
"""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Protocol

import asyncpg
import msgspec

from fairkey.business.basics import Broken, Stream
from fairkey.business.covering import Acquaintance, Exposure
from fairkey.business.files import BatchFile
from fairkey.business.quarantines import said_from
from fairkey.engine.answers import Answer, Conflict, StoreIsAway
from fairkey.engine.codec import decode_file, encode_file
from fairkey.engine.event_store import Commit, Given, Loaded, Stored, Wants
from fairkey.engine.perform import fresh_file
from fairkey.read_tables.changes import (
    BatchCodesMove,
    BatchOnSale,
    CodesMove,
    CodesTyped,
    RevisionPublished,
    StockChange,
    SumChange,
)
from fairkey.read_tables.kept import legs_of

from . import store_sql as sql
from .moments import moment

# Every statement of the engine looks rows up by key. Said outright, a plan can not flip to a scan of a grown table.
ENGINE_SETTINGS = {
    "application_name": "fairkey engine",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_seqscan": "off",
    "jit": "off",
    "synchronous_commit": "on",
}

# What is raised when the database cannot be reached, goes away or has no room.
AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the driver's state after a server that died in the middle of an answer
    asyncpg.OperatorInterventionError,  # shut down, crashed, cancelled
    asyncpg.InsufficientResourcesError,  # too many connections, disk or memory full
    ConnectionError,
    OSError,
    TimeoutError,
)
_CONFLICTS = (
    asyncpg.UniqueViolationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
)


async def nothing_to_reset(_: asyncpg.Connection) -> None:
    """For the engine's pool: its transactions leave nothing behind on a connection, so it is not asked to clean up."""


class Sealer(Protocol):
    """Encrypts what must not be readable in the database."""

    def seal(self, purpose: str, aad: bytes, plaintext: bytes) -> bytes:
        """A self-describing sealed value."""


def sealed_aad(stream: Stream, version: int) -> bytes:
    """What binds the sealed fields of an event to their place."""
    return f"{stream.shop_id}:{stream.kind}:{stream.id}:{version}".encode()


class PostgresStore:
    """Implements `fairkey.engine.event_store.EventStore` over a pool made with `ENGINE_SETTINGS`."""

    def __init__(self, pool: asyncpg.Pool, sealer: Sealer) -> None:
        self._pool = pool
        self._sealer = sealer

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["PostgresTransaction"]:
        """Commit on a normal exit; any failure is told as `Conflict`, `StoreIsAway` or `Broken`."""
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                yield PostgresTransaction(connection, self._sealer)
        except _CONFLICTS as error:
            raise Conflict(str(error)) from error
        except (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError) as error:
            raise Broken(f"the database refused it: {error}") from error
        except AWAY as error:
            raise StoreIsAway(str(error)) from error


class PostgresTransaction:
    """One open transaction of the engine."""

    def __init__(self, connection: asyncpg.pool.PoolConnectionProxy, sealer: Sealer) -> None:
        self._db = connection
        self._sealer = sealer

    # Reading.

    async def read(self, wants: Wants) -> Given:
        """As `fairkey.engine.event_store.Transaction.read`; a kind of thing nobody wants costs nothing."""
        given = Given()
        if wants.command_ids:
            rows = await self._db.fetch(sql.READ_ANSWERS, list(wants.command_ids))
            given.answers = {
                row["command_id"]: Stored(row["body_hash"], msgspec.json.decode(row["answer"], type=Answer))
                for row in rows
            }
        if wants.buyers:
            pairs = sorted(wants.buyers)
            await self._db.execute(sql.LOCK_BUYERS, sorted({buyer_key for buyer_key, _ in pairs}))
            rows = await self._db.fetch(sql.UNPAID_OF_BUYERS, *map(list, zip(*pairs, strict=True)))
            given.buyers = {(row["buyer_key"], row["address_key"]): row["unpaid"] for row in rows}
        if wants.addresses:
            addresses = sorted(wants.addresses)
            counts = dict(await self._db.fetch(sql.UNPAID_OF_ADDRESSES, addresses))
            given.addresses = dict.fromkeys(addresses, 0) | counts
        for streams, statement in ((wants.peek, sql.PEEK_STREAMS), (wants.lock, sql.LOCK_STREAMS)):
            if streams:
                await self._read_streams(sorted(streams), statement, given)
        if wants.codes:
            await self._pick_codes(wants, given)
        for shop_id, listing_id, buyer_key in wants.bought:
            bought = await self._db.fetchval(sql.BOUGHT_BY_BUYER, shop_id, listing_id, buyer_key)
            given.bought[shop_id, listing_id, buyer_key] = bought
        for shop_id, account in sorted(wants.balances):
            given.balances[shop_id, account] = await self._db.fetchval(sql.LOCK_BALANCE, shop_id, account) or 0
        for shop_id, first_day in wants.exposures:
            sums = await self._db.fetchrow(sql.READ_EXPOSURE, shop_id, first_day)
            given.exposures[shop_id, first_day] = Exposure(**sums)
        for shop_id, buyer_key in wants.known:
            row = await self._db.fetchrow(sql.ACQUAINTANCE, shop_id, buyer_key)
            given.known[shop_id, buyer_key] = Acquaintance(row["has_completed"], row["open_fen"])
        await self._read_batches(wants, given)
        return given

    async def _read_batches(self, wants: Wants, given: Given) -> None:
        for shop_id, batch_id in wants.staged:
            given.staged[shop_id, batch_id] = await self._db.fetchval(sql.COUNT_STAGED, shop_id, batch_id)
        for shop_id, batch_id in wants.unsold:
            rows = await self._db.fetch(sql.LOCK_UNSOLD, shop_id, batch_id)
            given.unsold[shop_id, batch_id] = tuple(sorted(row["position"] for row in rows))
        for shop_id, batch_id, code_ids in wants.said:
            rows = await self._db.fetch(sql.SAID_OF_CODES, shop_id, batch_id, list(code_ids))
            given.said[shop_id, batch_id, code_ids] = said_from(
                (row["position"], row["is_free"], row["kind"] or "", msgspec.json.decode(row["public"] or "{}"))
                for row in rows
            )
        if wants.off_sale:
            keys = sorted(wants.off_sale)
            rows = await self._db.fetch(sql.BATCHES_OF_CODES, *map(list, zip(*keys, strict=True)))
            off_sale = {(str(row["shop_id"]), str(row["code_id"])) for row in rows if _is_off_sale(row)}
            given.off_sale = {key: key in off_sale for key in keys}

    async def _read_streams(self, streams: Sequence[Stream], statement: str, given: Given) -> None:
        shop_ids, kinds, ids = zip(*streams, strict=True)
        for stream in streams:
            given.loaded[stream] = fresh_file(stream)
        for row in await self._db.fetch(statement, shop_ids, kinds, ids):
            stream = Stream(str(row["shop_id"]), row["kind"], str(row["id"]))
            given.loaded[stream] = Loaded(row["version"], row["head"], decode_file(stream.kind, row["state"]))

    async def _pick_codes(self, wants: Wants, given: Given) -> None:
        keys = sorted(wants.codes)
        given.codes = {key: [] for key in keys}
        await self._pick(sql.PICK_CODES, keys, wants, given)
        short = [key for key in keys if len(given.codes[key]) < wants.codes[key]]
        if not short:
            return
        # Skipped codes may be locked by somebody who will not take them after all: wait for him, then say "sold out".
        shop_ids, listing_ids = zip(*short, strict=True)
        stock = {
            (str(row["shop_id"]), str(row["listing_id"])): row["free"]
            for row in await self._db.fetch(sql.READ_STOCK, shop_ids, listing_ids)
        }
        waiting = [key for key in short if stock.get(key, 0) > len(given.codes[key])]
        if waiting:
            for key in waiting:
                given.codes[key] = []
            await self._pick(sql.PICK_CODES_WAITING, waiting, wants, given)

    async def _pick(self, statement: str, keys: Sequence[tuple[str, str]], wants: Wants, given: Given) -> None:
        shop_ids, listing_ids = zip(*keys, strict=True)
        for row in await self._db.fetch(statement, shop_ids, listing_ids, [wants.codes[key] for key in keys]):
            given.codes[str(row["shop_id"]), str(row["listing_id"])].append(str(row["code_id"]))

    # Writing.

    async def write(self, commit: Commit) -> None:
        """As `fairkey.engine.event_store.Transaction.write`; the most contended rows come last."""
        at = moment(commit.at_ms)
        await self._write_events(commit, at)
        await self._write_streams(commit, at)
        await self._write_changes(commit, at)
        await self._write_effects(commit, at)
        await self._write_answers(commit, at)
        await self._write_stock(commit)
        await self._write_sums(commit)
        await self._write_ledger(commit, at)

    async def _write_events(self, commit: Commit, at: datetime) -> None:
        if not commit.events:
            return
        await self._db.execute(
            sql.INSERT_EVENTS,
            [event.stream.shop_id for event in commit.events],
            [event.stream.kind for event in commit.events],
            [event.stream.id for event in commit.events],
            [event.version for event in commit.events],
            [event.kind for event in commit.events],
            at,
            [event.body for event in commit.events],
            [event.leaf_hash for event in commit.events],
            [event.command_id for event in commit.events],
        )
        sealed = [event for event in commit.events if event.sealed]
        if sealed:
            await self._db.execute(
                sql.INSERT_SEALED_FIELDS,
                [event.stream.shop_id for event in sealed],
                [event.stream.kind for event in sealed],
                [event.stream.id for event in sealed],
                [event.version for event in sealed],
                [
                    self._sealer.seal(
                        "contacts",
                        sealed_aad(event.stream, event.version),
                        event.sealing_key + msgspec.json.encode(event.sealed),
                    )
                    for event in sealed
                ],
            )

    async def _write_streams(self, commit: Commit, at: datetime) -> None:
        for statement, moved in (
            (sql.INSERT_STREAMS, [one for one in commit.moved if one.version_before == 0]),
            (sql.UPDATE_STREAMS, [one for one in commit.moved if one.version_before]),
        ):
            if not moved:
                continue
            written = await self._db.execute(
                statement,
                [one.stream.shop_id for one in moved],
                [one.stream.kind for one in moved],
                [one.stream.id for one in moved],
                [one.version_before for one in moved],
                [one.version for one in moved],
                [one.head for one in moved],
                [encode_file(one.file).decode() for one in moved],
                [one.facets.stage for one in moved],
                [moment(one.due.due_at_ms) if one.due else None for one in moved],
                [one.due.what if one.due else None for one in moved],
                [one.facets.listing_id or None for one in moved],
                [one.facets.buyer_key or None for one in moved],
                [one.facets.address_key or None for one in moved],
                [one.facets.account_id or None for one in moved],
                [one.facets.amount_fen for one in moved],
                [one.facets.quantity for one in moved],
                at,
            )
            if _count(written) != len(moved):
                raise Conflict("a stream has moved on")

    async def _write_changes(self, commit: Commit, at: datetime) -> None:
        for change in commit.changes:
            match change:
                case BatchOnSale():
                    marked = await self._db.execute(sql.MARK_IMPORT_REGISTERED, change.shop_id, change.batch_id, at)
                    if _count(marked) != 1:
                        raise Conflict("the import was cleaned up or registered meanwhile")
                    written = await self._db.execute(
                        sql.PUT_BATCH_ON_SALE, change.shop_id, change.batch_id, change.listing_id, at
                    )
                    if _count(written) != change.count:
                        raise Conflict("the batch was changed while it was registered")
                case BatchCodesMove():
                    written = await self._db.execute(
                        sql.MOVE_CODES_BY_PLACE,
                        change.shop_id,
                        change.batch_id,
                        at,
                        list(change.places),
                        change.was.value,
                        change.now.value,
                    )
                    if _count(written) != len(change.places):
                        raise Conflict("somebody bought while codes of a batch moved")
                case CodesTyped():
                    written = await self._db.execute(
                        sql.INSERT_TYPED_CODES,
                        change.shop_id,
                        list(change.codes),
                        change.listing_id,
                        change.order_id,
                        at,
                    )
                    if _count(written) != len(change.codes):
                        raise Conflict("typed codes were cleaned up before they were delivered")
                case RevisionPublished():
                    await self._db.execute(
                        sql.INSERT_REVISION,
                        change.shop_id,
                        change.listing_id,
                        change.revision,
                        bytes.fromhex(change.revision_hash),
                        change.terms,
                        at,
                    )
                case CodesMove() | StockChange() | SumChange():
                    pass
        moves = [change for change in commit.changes if isinstance(change, CodesMove)]
        if moves:
            written = await self._db.execute(
                sql.MOVE_CODES,
                [move.shop_id for move in moves for _ in move.codes],
                [code_id for move in moves for code_id in move.codes],
                [move.stage.value for move in moves for _ in move.codes],
                [move.order_id or None for move in moves for _ in move.codes],
                at,
            )
            if _count(written) != sum(len(move.codes) for move in moves):
                raise Broken("every code that moves exists")

    async def _write_effects(self, commit: Commit, at: datetime) -> None:
        if commit.effects:
            await self._db.execute(
                sql.INSERT_EFFECTS,
                [effect.stream.shop_id for effect in commit.effects],
                [effect.key for effect in commit.effects],
                [effect.kind for effect in commit.effects],
                [effect.stream.kind for effect in commit.effects],
                [effect.stream.id for effect in commit.effects],
                [msgspec.json.encode(effect.payload).decode() for effect in commit.effects],
                [effect.wait_ms for effect in commit.effects],
                at,
            )

    async def _write_answers(self, commit: Commit, at: datetime) -> None:
        if commit.answers:
            await self._db.execute(
                sql.INSERT_ANSWERS,
                [command_id for command_id, _ in commit.answers],
                [stored.body_hash for _, stored in commit.answers],
                [msgspec.json.encode(stored.answer).decode() for _, stored in commit.answers],
                at,
            )

    async def _write_stock(self, commit: Commit) -> None:
        stock = [change for change in commit.changes if isinstance(change, StockChange)]
        if stock:
            rows = [((change.shop_id, change.listing_id), change.by) for change in stock]
            await self._add(sql.CHANGE_STOCK, sql.START_STOCK, rows)

    async def _write_sums(self, commit: Commit) -> None:
        """The row of a shop is locked from here to the commit; who read it before and counted on less starts again."""
        rows = [((one.shop_id, one.name), one.by_fen) for one in commit.changes if isinstance(one, SumChange)]
        await self._add(sql.CHANGE_SUMS, sql.START_SUMS, rows)
        if commit.open_max:
            shops, most = zip(*commit.open_max.items(), strict=True)
            if await self._db.fetchval(sql.OPEN_TOO_MUCH, shops, most):
                raise Conflict("others have placed orders at this shop meanwhile")

    async def _write_ledger(self, commit: Commit, at: datetime) -> None:
        if not commit.booked:
            return
        rows_before: Counter[tuple[Stream, int]] = Counter()
        row_nos = []
        sums: Counter[tuple[str, str, str]] = Counter()
        for booked in commit.booked:
            key = (booked.stream, booked.version)
            row_nos.append(rows_before[key])
            rows_before[key] += 1
            for account, by_fen in legs_of(booked.posting):
                sums[booked.stream.shop_id, account, booked.posting.currency] += by_fen
        await self._db.execute(
            sql.INSERT_LEDGER,
            [booked.stream.shop_id for booked in commit.booked],
            [booked.stream.kind for booked in commit.booked],
            [booked.stream.id for booked in commit.booked],
            [booked.version for booked in commit.booked],
            row_nos,
            [booked.posting.debit.value for booked in commit.booked],
            [booked.posting.credit.value for booked in commit.booked],
            [booked.posting.amount_fen for booked in commit.booked],
            [booked.posting.currency for booked in commit.booked],
            at,
        )
        changed = sorted((key, by_fen) for key, by_fen in sums.items() if by_fen)
        await self._add(sql.CHANGE_BALANCES, sql.START_BALANCES, changed)

    async def _add(self, change: str, start: str, rows: Sequence[tuple[tuple[str, ...], int]]) -> None:
        """Add to kept sums; a sum that does not exist yet is started at 0 first."""
        if not rows:
            return
        columns = [*zip(*(key for key, _ in rows), strict=True), [by for _, by in rows]]
        there = {tuple(str(part) for part in row) for row in await self._db.fetch(change, *columns)}
        missing = [(key, by) for key, by in rows if key not in there]
        if missing:
            await self._db.execute(start, *zip(*(key for key, _ in missing), strict=True))
            await self._add(change, start, missing)


def _is_off_sale(row: asyncpg.Record) -> bool:
    file = decode_file("batch", row["state"])
    assert isinstance(file, BatchFile)
    return file.batch.is_off_sale(row["position"])


def _count(status: str) -> int:
    """Rows a statement wrote, from its command tag."""
    return int(status.rpartition(" ")[2])
