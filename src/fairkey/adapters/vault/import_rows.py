"""The rows of an import: statements over `imports`, `import_refusals`, `vault` and `fingerprints`. The caller holds
the transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg
from asyncpg.pgproto.pgproto import UUID as DriverUUID  # noqa: N811 - made of 16 bytes four times as fast as uuid.UUID

from fairkey.adapters.postgres.moments import ms_of
from fairkey.adapters.vault.pressing import PressedCode
from fairkey.business.code_lines import Reason, RefusedLine
from fairkey.engine.vault_port import ImportIsUnderWay, ImportProgress, ImportRecord, RefusedRow, Staged

TYPED: Final = "typed"  # the source of codes typed for an order
_FINGERPRINT_OF: Final = attrgetter("fingerprint")


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is known of an import before its first line."""

    shop_id: UUID
    import_id: UUID
    listing_id: UUID | None = None
    file_name: str = ""
    note: str = ""
    source: str = ""
    invoice_sha256: bytes | None = None
    custody: int = 1
    by_account: str = ""


class ClaimedElsewhere(NamedTuple):
    """A code whose fingerprint somebody holds already."""

    code_id: bytes
    owner: UUID


async def lock(connection: asyncpg.pool.PoolConnectionProxy, shop_id: UUID, import_id: UUID) -> asyncpg.Record | None:
    """State and attempt of an import, locked until the end of the transaction."""
    return await connection.fetchrow(
        "SELECT state, attempt FROM imports WHERE shop_id = $1 AND import_id = $2 FOR UPDATE", shop_id, import_id
    )


async def lock_one_standing_still(
    connection: asyncpg.pool.PoolConnectionProxy, before: datetime
) -> asyncpg.Record | None:
    """The oldest import that should go on but has not since `before`; one that somebody is at work on is left."""
    return await connection.fetchrow(
        """
        SELECT shop_id, import_id FROM imports WHERE state IN ('receiving', 'staged') AND touched_at < $1
        ORDER BY touched_at LIMIT 1 FOR UPDATE SKIP LOCKED
        """,
        before,
    )


async def count_under_way(connection: asyncpg.pool.PoolConnectionProxy, shop_id: UUID, alive_since: datetime) -> int:
    """How many imports the shop has under way."""
    count: int = await connection.fetchval(
        "SELECT count(*) FROM imports WHERE shop_id = $1 AND state = 'receiving' AND touched_at >= $2",
        shop_id,
        alive_since,
    )
    return count


async def start(connection: asyncpg.pool.PoolConnectionProxy, about: About, attempt: int, now: datetime) -> None:
    """An import begins, or begins anew."""
    await connection.execute(
        "DELETE FROM imports WHERE shop_id = $1 AND import_id = $2", about.shop_id, about.import_id
    )
    await connection.execute(
        "DELETE FROM import_refusals WHERE shop_id = $1 AND import_id = $2", about.shop_id, about.import_id
    )
    await _insert(connection, about, attempt, now)


async def start_typed(connection: asyncpg.pool.PoolConnectionProxy, about: About, now: datetime, count: int) -> int:
    """Typed codes join their batch, which stays locked; the position of the first."""
    current = await lock(connection, about.shop_id, about.import_id)
    if current is None:
        await _insert(connection, about, 1, now)
    elif current["state"] == "receiving":
        raise ImportIsUnderWay(import_id=str(about.import_id))
    await connection.execute(
        """
        UPDATE imports SET state = 'staged', touched_at = $3, lines_read = lines_read + $4, accepted = accepted + $4
        WHERE shop_id = $1 AND import_id = $2
        """,
        about.shop_id,
        about.import_id,
        now,
        count,
    )
    position: int = await connection.fetchval(
        "SELECT coalesce(max(position) + 1, 0) FROM vault WHERE shop_id = $1 AND batch_id = $2",
        about.shop_id,
        about.import_id,
    )
    return position


async def _insert(connection: asyncpg.pool.PoolConnectionProxy, about: About, attempt: int, now: datetime) -> None:
    await connection.execute(
        """
        INSERT INTO imports (shop_id, import_id, listing_id, state, attempt, file_name, note, source, invoice_sha256,
                             custody, by_account, started_at, touched_at)
        VALUES ($1, $2, $3, 'receiving', $4, $5, $6, $7, $8, $9, $10, $11, $11)
        ON CONFLICT DO NOTHING
        """,
        about.shop_id,
        about.import_id,
        about.listing_id,
        attempt,
        about.file_name,
        about.note,
        about.source,
        about.invoice_sha256,
        about.custody,
        about.by_account,
        now,
    )


async def claim(
    connection: asyncpg.pool.PoolConnectionProxy, shop_id: UUID, codes: Sequence[PressedCode], *, hopeful: bool = False
) -> list[ClaimedElsewhere]:
    """Claim the fingerprints for this shop; those that somebody holds already, here or in another shop.

    Claimed in order of fingerprint, so that two imports of the same codes wait for each other and never in a circle.
    `hopeful`: try first as if all were new, which costs the database half as much and is wasted on the first duplicate.
    """
    older = await _of_older(connection, codes)
    taken = {one.code_id for one in older}
    in_order = sorted((one for one in codes if one.code_id not in taken), key=_FINGERPRINT_OF)
    return older + await _claim_new(connection, shop_id, in_order, hopeful=hopeful)


async def _of_older(
    connection: asyncpg.pool.PoolConnectionProxy, codes: Sequence[PressedCode]
) -> list[ClaimedElsewhere]:
    """Codes whose very writing was deposited when only writings were compared. Nobody makes such marks any more, so
    that looking is enough.
    """
    given = [one for one in codes if one.exact and one.exact != one.fingerprint]
    if not given:
        return []
    held = await connection.fetch(
        """
        SELECT given.code_id, held.shop_id AS owner
        FROM unnest($1::bytea[], $2::uuid[]) AS given (fingerprint, code_id) JOIN fingerprints held USING (fingerprint)
        WHERE held.code_id <> given.code_id
        """,
        [one.exact for one in given],
        [DriverUUID(one.code_id) for one in given],
    )
    return [ClaimedElsewhere(row["code_id"].bytes, row["owner"]) for row in held]


async def _claim_new(
    connection: asyncpg.pool.PoolConnectionProxy,
    shop_id: UUID,
    in_order: Sequence[PressedCode],
    *,
    hopeful: bool,
) -> list[ClaimedElsewhere]:
    if hopeful:
        try:
            async with connection.transaction():  # a savepoint
                await connection.copy_records_to_table(
                    "fingerprints",
                    columns=("fingerprint", "shop_id", "code_id"),
                    records=[(one.fingerprint, shop_id, DriverUUID(one.code_id)) for one in in_order],
                )
        except asyncpg.UniqueViolationError:
            pass
        else:
            return []
    fingerprints = [one.fingerprint for one in in_order]
    code_ids = [DriverUUID(one.code_id) for one in in_order]
    status: str = await connection.execute(
        """
        INSERT INTO fingerprints (fingerprint, code_id, shop_id)
        SELECT fingerprint, code_id, $3 FROM unnest($1::bytea[], $2::uuid[]) AS given (fingerprint, code_id)
        ON CONFLICT DO NOTHING
        """,
        fingerprints,
        code_ids,
        shop_id,
    )
    if status == f"INSERT 0 {len(in_order)}":
        return []
    # A statement of its own: the one above cannot see what was committed while it waited. A holder that was cleaned up
    # between the two is nobody by now; the line is refused all the same, and may be given again.
    lost = await connection.fetch(
        """
        SELECT given.code_id, coalesce(held.shop_id, '00000000-0000-0000-0000-000000000000') AS owner
        FROM unnest($1::bytea[], $2::uuid[]) AS given (fingerprint, code_id)
        LEFT JOIN fingerprints held USING (fingerprint)
        WHERE held.code_id IS DISTINCT FROM given.code_id
        """,
        fingerprints,
        code_ids,
    )
    return [ClaimedElsewhere(row["code_id"].bytes, row["owner"]) for row in lost]


async def waiting_typed(
    connection: asyncpg.pool.PoolConnectionProxy, about: About, fingerprints: Sequence[bytes]
) -> list[tuple[str, str]]:
    """Those of these codes that lie in the vault for this very batch and were never delivered: (code id, commitment in
    hex), in the order of the fingerprints.
    """
    found = await connection.fetch(
        """
        SELECT v.code_id, v.commitment
        FROM unnest($3::bytea[]) WITH ORDINALITY AS given (fingerprint, place)
        JOIN vault v ON v.shop_id = $1 AND v.batch_id = $2 AND v.fingerprint = given.fingerprint
        WHERE NOT EXISTS (SELECT FROM codes c WHERE c.shop_id = v.shop_id AND c.code_id = v.code_id)
        ORDER BY given.place
        """,
        about.shop_id,
        about.import_id,
        fingerprints,
    )
    return [(str(row["code_id"]), row["commitment"].hex()) for row in found]


async def put(
    connection: asyncpg.pool.PoolConnectionProxy, about: About, codes: Sequence[PressedCode], position: int
) -> None:
    """Put sealed codes into the vault, at consecutive positions of their batch."""
    if not codes:
        return
    shop_id, batch_id, custody = about.shop_id, about.import_id, about.custody
    await connection.copy_records_to_table(
        "vault",
        columns=("shop_id", "code_id", "batch_id", "position", "sealed", "commitment", "fingerprint", "custody"),
        records=[
            (shop_id, DriverUUID(one.code_id), batch_id, place, one.sealed, one.commitment, one.fingerprint, custody)
            for place, one in enumerate(codes, position)
        ],
    )


async def refuse(connection: asyncpg.pool.PoolConnectionProxy, about: About, refused: Sequence[RefusedLine]) -> None:
    """Note refused lines."""
    if refused:
        await connection.copy_records_to_table(
            "import_refusals",
            columns=("shop_id", "import_id", "line_no", "reason", "hint", "same_as_line"),
            records=[
                (about.shop_id, about.import_id, line.line_no, line.reason.value, line.hint, line.same_as_line)
                for line in refused
            ],
        )


async def go_on(
    connection: asyncpg.pool.PoolConnectionProxy, about: About, attempt: int, progress: ImportProgress, now: datetime
) -> bool:
    """Note progress; False when this attempt is no longer the one that may write."""
    status: str = await connection.execute(
        """
        UPDATE imports SET touched_at = $4, bytes_read = $5, lines_read = $6, empty = $7, accepted = $8, refused = $9,
                           duplicate_in_file = $10, duplicate_elsewhere = $11
        WHERE shop_id = $1 AND import_id = $2 AND attempt = $3 AND state = 'receiving'
        """,
        about.shop_id,
        about.import_id,
        attempt,
        now,
        *_counts(progress),
    )
    return status == "UPDATE 1"


async def staged(
    connection: asyncpg.pool.PoolConnectionProxy, about: About, attempt: int, result: Staged, now: datetime
) -> bool:
    """All is in the vault; False when this attempt is no longer the one that may say so."""
    status: str = await connection.execute(
        """
        UPDATE imports SET touched_at = $4, bytes_read = $5, lines_read = $6, empty = $7, accepted = $8, refused = $9,
                           duplicate_in_file = $10, duplicate_elsewhere = $11,
                           encoding = $12, delimiter = $13, columns_taken = $14, columns_ignored = $15,
                           state = $16, root = $17, error = $18, finished_at = $4
        WHERE shop_id = $1 AND import_id = $2 AND attempt = $3 AND state = 'receiving'
        """,
        about.shop_id,
        about.import_id,
        attempt,
        now,
        *_counts(result.progress),
        result.encoding,
        result.delimiter,
        result.columns_taken,
        result.columns_ignored,
        "staged" if result.count else "failed",
        result.root if result.count else None,
        "" if result.count else "no_codes",
    )
    return status == "UPDATE 1"


def _counts(progress: ImportProgress) -> tuple[int, ...]:
    return (
        progress.bytes_read,
        progress.lines_read,
        progress.empty,
        progress.accepted,
        progress.refused,
        progress.duplicate_in_file,
        progress.duplicate_elsewhere,
    )


async def end(
    connection: asyncpg.pool.PoolConnectionProxy, about: About, state: str, error: str, now: datetime
) -> None:
    """The import came to nothing."""
    await connection.execute(
        """
        UPDATE imports SET state = $3, error = $4, accepted = 0, finished_at = $5
        WHERE shop_id = $1 AND import_id = $2
        """,
        about.shop_id,
        about.import_id,
        state,
        error,
        now,
    )


async def drop_unregistered(
    connection: asyncpg.pool.PoolConnectionProxy, shop_id: UUID, batch_id: UUID, code_ids: Sequence[UUID] | None = None
) -> int:
    """Take what was never registered out of the vault and let go of its fingerprints; how many codes."""
    status = await connection.execute(
        """
        WITH gone AS (
            DELETE FROM vault v
            WHERE v.shop_id = $1 AND v.batch_id = $2 AND ($3::uuid[] IS NULL OR v.code_id = ANY ($3))
                AND NOT EXISTS (SELECT FROM codes c WHERE c.shop_id = v.shop_id AND c.code_id = v.code_id)
            RETURNING v.fingerprint, v.code_id
        )
        DELETE FROM fingerprints f USING gone WHERE f.fingerprint = gone.fingerprint AND f.code_id = gone.code_id
        """,
        shop_id,
        batch_id,
        code_ids,
    )
    return int(status.removeprefix("DELETE "))


async def settle(connection: asyncpg.pool.PoolConnectionProxy, shop_id: UUID, import_id: UUID, now: datetime) -> None:
    """After dropping: `registered` if a code of it is, `staged` if some still wait for that, otherwise `abandoned`."""
    await connection.execute(
        """
        UPDATE imports SET finished_at = coalesce(finished_at, $3), touched_at = $3, accepted = still.codes,
                           state = CASE WHEN still.codes = 0 THEN 'abandoned'
                                        WHEN still.codes > still.registered THEN 'staged'
                                        ELSE 'registered' END
        FROM (
            SELECT count(*) AS codes, count(c.code_id) AS registered
            FROM vault v LEFT JOIN codes c USING (shop_id, code_id) WHERE v.shop_id = $1 AND v.batch_id = $2
        ) AS still
        WHERE shop_id = $1 AND import_id = $2
        """,
        shop_id,
        import_id,
        now,
    )


_RECORD: Final = """
    SELECT import_id, listing_id, state, file_name, note, source, invoice_sha256, custody, by_account,
           encoding, delimiter, columns_taken, columns_ignored,
           bytes_read, lines_read, empty, accepted, refused, duplicate_in_file, duplicate_elsewhere,
           root, error, started_at, touched_at, finished_at
    FROM imports
"""


async def find(pool: asyncpg.Pool, shop_id: UUID, import_id: UUID) -> ImportRecord | None:
    """One import."""
    row = await pool.fetchrow(f"{_RECORD} WHERE shop_id = $1 AND import_id = $2", shop_id, import_id)
    return None if row is None else _record(row)


async def recent(pool: asyncpg.Pool, shop_id: UUID, listing_id: UUID | None, imports_max: int) -> list[ImportRecord]:
    """Imports of a shop, newest first."""
    found = await pool.fetch(
        f"""
        {_RECORD} WHERE shop_id = $1 AND listing_id IS NOT NULL AND ($2::uuid IS NULL OR listing_id = $2)
        ORDER BY started_at DESC, import_id DESC LIMIT $3
        """,
        shop_id,
        listing_id,
        imports_max,
    )
    return [_record(row) for row in found]


async def refusals(
    pool: asyncpg.Pool, shop_id: UUID, import_id: UUID, after_line_no: int, rows_max: int
) -> list[RefusedRow]:
    """Refused lines in order of the file."""
    found = await pool.fetch(
        """
        SELECT line_no, reason, hint, same_as_line FROM import_refusals
        WHERE shop_id = $1 AND import_id = $2 AND line_no > $3 ORDER BY line_no LIMIT $4
        """,
        shop_id,
        import_id,
        after_line_no,
        rows_max,
    )
    return [RefusedRow(row["line_no"], Reason(row["reason"]), row["hint"], row["same_as_line"]) for row in found]


def _record(row: asyncpg.Record) -> ImportRecord:
    return ImportRecord(
        import_id=str(row["import_id"]),
        listing_id=None if row["listing_id"] is None else str(row["listing_id"]),
        state=row["state"],
        file_name=row["file_name"],
        note=row["note"],
        source=row["source"],
        invoice_sha256=row["invoice_sha256"],
        custody=row["custody"],
        by_account=row["by_account"],
        encoding=row["encoding"],
        delimiter=row["delimiter"],
        columns_taken=tuple(row["columns_taken"]),
        columns_ignored=tuple(row["columns_ignored"]),
        progress=ImportProgress(
            bytes_read=row["bytes_read"],
            lines_read=row["lines_read"],
            empty=row["empty"],
            accepted=row["accepted"],
            refused=row["refused"],
            duplicate_in_file=row["duplicate_in_file"],
            duplicate_elsewhere=row["duplicate_elsewhere"],
        ),
        root=row["root"],
        error=row["error"],
        started_at_ms=ms_of(row["started_at"]),
        touched_at_ms=ms_of(row["touched_at"]),
        finished_at_ms=None if row["finished_at"] is None else ms_of(row["finished_at"]),
    )
