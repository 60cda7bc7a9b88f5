"""The log's tables for the one process that writes them: the lease, indexes in commit order, signed heads.

**Lease.** An advisory lock of one session, and an epoch that grows whenever the lock is taken. The lock ends with its
session, so a killed writer is followed at once; a writer that is stopped but not dead (its session shows no sign of
life) is unseated. Every write names its epoch under a lock on the epoch's row: who was replaced writes nothing more.

**Order.** Numbers in `recorded` are drawn before the commit, so they are no order of commits; but whoever saw an event
committed drew his own number later. Therefore the events that are visible and have no index yet get theirs in the
order of `recorded`: an effect never stands before its cause, and what is committed later comes later.

**Floor.** To find what has no index without looking at everything, a number is kept below which nothing can still
appear. At a look, note the highest number seen (M) and the snapshot's `xmax`: who may still bring a number up to M had
drawn it by then, and had his transaction id (a trigger sees to that), so his id is below `xmax`. Once a later
snapshot's `xmin` has reached that `xmax`, all of those have ended and are visible: M is the floor. A floor that was
reached is kept now and then, so that a new writer of a large log need not look at all of it; the pair of M and `xmax`
is not, since a restored dump knows nothing of old transaction ids.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg

from fairkey.adapters.postgres.moments import moment
from fairkey.adapters.postgres.store import AWAY, ENGINE_SETTINGS
from fairkey.log.ports import Entry, Head, Lost

LOCK: Final = (0x66_61_69_72, 0x6C_6F_67)  # the lease's advisory lock
SIGN_OF_LIFE_S: Final = 3.0
UNSEAT_AFTER_S: Final = 15.0
ANSWER_WITHIN_S: Final = 120.0
FLOOR_KEPT_EVERY: Final = 5_000  # numbers; so many events a new writer looks at again
_SESSION: Final = {
    **ENGINE_SETTINGS,
    "application_name": "fairkey log",
    # A writer's machine that vanished without a word is noticed within about this time.
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "3",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "15000",
}

_TAKE: Final = "SELECT pg_try_advisory_lock($1, $2)"
_UNSEAT: Final = """
SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.classid = $1::int::oid AND l.objid = $2::int::oid AND l.objsubid = 2
  AND a.datname = current_database() AND l.database = a.datid
  AND a.state <> 'active' AND a.state_change < clock_timestamp() - make_interval(secs => $3)
"""
_NEW_EPOCH: Final = "UPDATE log_lease SET epoch = epoch + 1 RETURNING epoch, floor"
_NEWEST_LOG: Final = "SELECT max(log_no) FROM logs"
_SIZE: Final = "SELECT coalesce(max(log_index) + 1, 0) FROM log_entries WHERE log_no = $1"
_LOOK: Final = """
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin,
       pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS xmax,
       EXISTS (
           SELECT FROM events e WHERE e.recorded > $2 AND NOT EXISTS (
               SELECT FROM log_entries l WHERE l.log_no = $1 AND l.recorded = e.recorded)
       ) AS anything,
       (SELECT max(recorded) FROM events) AS highest,
       (SELECT epoch FROM log_lease) AS epoch
"""
_HARVEST: Final = """
WITH mine AS MATERIALIZED (SELECT epoch FROM log_lease WHERE epoch = $2 FOR SHARE),
taken AS (
    SELECT e.recorded, e.leaf_hash FROM events e
    WHERE e.recorded > $4
      AND NOT EXISTS (SELECT FROM log_entries l WHERE l.log_no = $1 AND l.recorded = e.recorded)
    ORDER BY e.recorded LIMIT $5
),
written AS (
    INSERT INTO log_entries (log_no, log_index, recorded, leaf_hash)
    SELECT $1, $3::bigint - 1 + row_number() OVER (ORDER BY taken.recorded), taken.recorded, taken.leaf_hash
    FROM taken CROSS JOIN mine
    RETURNING recorded
)
SELECT (SELECT count(*) FROM mine) AS held, count(*) AS taken, max(recorded) AS last,
       pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin,
       pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS xmax
FROM written
"""
_ENTRIES: Final = """
SELECT l.log_index, e.body, l.leaf_hash FROM log_entries l JOIN events e ON e.recorded = l.recorded
WHERE l.log_no = $1 AND l.log_index >= $2 AND l.log_index < $3 ORDER BY l.log_index
"""
_LEAVES: Final = """
SELECT leaf_hash FROM log_entries WHERE log_no = $1 AND log_index >= $2 AND log_index < $3 ORDER BY log_index
"""
_HEAD: Final = "SELECT size, root, note, cosigned FROM log_heads WHERE log_no = $1"
_LAST_HEAD: Final = f"{_HEAD} ORDER BY size DESC LIMIT 1"
_LAST_PUBLISHED: Final = f"{_HEAD} AND published_at IS NOT NULL ORDER BY size DESC LIMIT 1"
_HEAD_OF: Final = f"{_HEAD} AND size = $2"
_ADD_HEAD: Final = """
INSERT INTO log_heads (log_no, size, root, note, epoch, signed_at)
SELECT $1, $3, $4, $5, $2, $6 FROM (SELECT FROM log_lease WHERE epoch = $2 FOR SHARE) AS mine
WHERE $7 = coalesce((SELECT max(size) FROM log_heads WHERE log_no = $1), -1)
"""
_PUBLISH: Final = """
UPDATE log_heads SET cosigned = $4, published_at = $5
FROM (SELECT FROM log_lease WHERE epoch = $2 FOR SHARE) AS mine
WHERE log_no = $1 AND size = $3 AND cosigned IS NULL
"""
_KEEP_FLOOR: Final = "UPDATE log_lease SET floor = $2 WHERE epoch = $1"
_TELL: Final = """
UPDATE log_lease SET refusal = $2, answers = $3 WHERE epoch = $1
"""


class PostgresLogLease:
    """Implements `fairkey.log.ports.LogLease`; whoever holds it has a session of his own."""

    def __init__(self, dsn: str, now_ms: Callable[[], int], *, unseat_after_s: float = UNSEAT_AFTER_S) -> None:
        """A writer whose session is idle for `unseat_after_s` is taken for stopped."""
        self._dsn = dsn
        self._now_ms = now_ms
        self._unseat_after_s = unseat_after_s
        self._session: asyncpg.Connection | None = None

    @asynccontextmanager
    async def held(self) -> AsyncIterator["PostgresLogWriting | None"]:
        """The tables, when nobody else writes. Raises `Lost` when the database cannot be reached."""
        session = await self._opened()
        writing = await self._taken(session)
        if writing is None:
            yield None
            return
        alive = asyncio.create_task(_keep_alive(writing))
        try:
            yield writing
        finally:
            alive.cancel()
            await asyncio.gather(alive, return_exceptions=True)
            self.let_go()

    def let_go(self) -> None:
        """End the session, and with it the lock; a graceful goodbye could wait for a server that is gone."""
        if self._session is not None:
            self._session.terminate()
            self._session = None

    async def _opened(self) -> asyncpg.Connection:
        """The session: kept while another process writes, so that asking costs one statement."""
        if self._session is None or self._session.is_closed():
            try:
                self._session = await asyncpg.connect(
                    self._dsn, server_settings=_SESSION, command_timeout=ANSWER_WITHIN_S, timeout=10
                )
            except AWAY as error:
                raise Lost(str(error)) from error
        return self._session

    async def _taken(self, session: asyncpg.Connection) -> "PostgresLogWriting | None":
        try:
            if not await session.fetchval(_TAKE, *LOCK):
                await session.execute(_UNSEAT, *LOCK, self._unseat_after_s)
                return None
            (row,) = await session.fetch(_NEW_EPOCH)
            log_no = await session.fetchval(_NEWEST_LOG)
            return PostgresLogWriting(session, row["epoch"], log_no, self._now_ms, floor=row["floor"])
        except (asyncpg.PostgresError, *AWAY) as error:
            self.let_go()
            raise Lost(str(error)) from error


async def _keep_alive(writing: "PostgresLogWriting") -> None:
    with contextlib.suppress(Lost):
        while True:
            await asyncio.sleep(SIGN_OF_LIFE_S)
            await writing.sign_of_life()


class PostgresLogWriting:
    """Implements `fairkey.log.ports.LogWriting` on the session that holds the lease."""

    def __init__(
        self, session: asyncpg.Connection, epoch: int, log_no: int, now_ms: Callable[[], int], *, floor: int
    ) -> None:
        self.epoch = epoch
        self.log_no = log_no
        self._session = session
        self._now_ms = now_ms
        self._turn = asyncio.Lock()  # the session answers one question at a time
        self._floor = self._floor_kept = floor
        self._floor_next: tuple[int, int] | None = None  # a number, and the transaction id that must have ended first

    async def sign_of_life(self) -> None:
        """Show that this writer is not stopped."""
        await self._fetch("SELECT 1")

    async def size(self) -> int:
        """How many entries have an index."""
        return int((await self._fetch(_SIZE, self.log_no))[0][0])

    async def harvest(self, size: int, rows_max: int) -> int:
        """Give indexes to committed events."""
        (look,) = await self._fetch(_LOOK, self.log_no, self._floor)
        if look["epoch"] != self.epoch:
            raise Lost("somebody else writes the log now")
        if not look["anything"]:
            self._raise_floor(look, look["highest"] or 0, look["highest"] or 0)
            await self._keep_floor()
            return 0
        (row,) = await self._fetch(_HARVEST, self.log_no, self.epoch, size, self._floor, rows_max)
        if not row["held"]:
            raise Lost("somebody else writes the log now")
        taken = int(row["taken"])
        if taken == rows_max:
            self._raise_floor(row, row["last"], row["last"])
        else:
            self._raise_floor(row, look["highest"], look["highest"])
        await self._keep_floor()
        return taken

    async def _keep_floor(self) -> None:
        if self._floor >= self._floor_kept + FLOOR_KEPT_EVERY:
            await self._write_one(_KEEP_FLOOR, self.epoch, self._floor)
            self._floor_kept = self._floor

    def _raise_floor(self, snapshot: Mapping[str, Any], reach: int, seen: int) -> None:
        """`reach`: up to here, everything that this snapshot shows has an index now. `seen`: a number that had been
        drawn before it was taken.
        """
        if self._floor_next is not None and snapshot["xmin"] >= self._floor_next[1]:
            self._floor = max(self._floor, min(self._floor_next[0], reach))
            self._floor_next = None
        if self._floor_next is None and seen > self._floor:
            self._floor_next = (seen, snapshot["xmax"])

    async def entries(self, start: int, end: int) -> Sequence[Entry]:
        """The entries in order."""
        rows = await self._fetch(_ENTRIES, self.log_no, start, end)
        return [Entry(row["log_index"], row["body"], row["leaf_hash"]) for row in rows]

    async def leaves(self, start: int, end: int) -> Sequence[bytes]:
        """The leaf hashes in order."""
        return [row["leaf_hash"] for row in await self._fetch(_LEAVES, self.log_no, start, end)]

    async def last_head(self) -> Head | None:
        """The largest signed head."""
        return _head(await self._fetch(_LAST_HEAD, self.log_no))

    async def last_published(self) -> Head | None:
        """The largest published head."""
        return _head(await self._fetch(_LAST_PUBLISHED, self.log_no))

    async def head_of(self, size: int) -> Head | None:
        """The head signed for this size."""
        return _head(await self._fetch(_HEAD_OF, self.log_no, size))

    async def add_head(self, head: Head, *, size_before: int) -> None:
        """Store a signed head."""
        at = moment(self._now_ms())
        await self._write_one(_ADD_HEAD, self.log_no, self.epoch, head.size, head.root, head.note, at, size_before)

    async def publish(self, size: int, cosigned: bytes) -> None:
        """Note that a head is published."""
        await self._write_one(_PUBLISH, self.log_no, self.epoch, size, cosigned, moment(self._now_ms()))

    async def tell(self, *, refusal: str, answers: Mapping[str, str]) -> None:
        """Note how the log is doing."""
        await self._write_one(_TELL, self.epoch, refusal, json.dumps(dict(answers)))

    async def _fetch(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        async with self._turn:
            try:
                return list(await self._session.fetch(statement, *arguments))
            except (asyncpg.PostgresError, *AWAY) as error:
                raise Lost(str(error) or type(error).__name__) from error

    async def _write_one(self, statement: str, *arguments: object) -> None:
        async with self._turn:
            try:
                status = await self._session.execute(statement, *arguments)
            except (asyncpg.PostgresError, *AWAY) as error:
                raise Lost(str(error) or type(error).__name__) from error
        if not status.endswith(" 1"):
            raise Lost("somebody else writes the log now")


def _head(rows: Sequence[asyncpg.Record]) -> Head | None:
    return Head(*rows[0]) if rows else None
