"""After a rotation: move what is sealed under older data keys over to the newest, in small steps beside the running
shop.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg

from fairkey.adapters.postgres.moments import moment
from fairkey.adapters.vault.keys import SEALED_HEADER_BYTES, USABLE_AFTER_MS, Keys, key_id_of, sealed_header

ROWS_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedColumn:
    """Where sealed values lie. `aad` gives the associated data of a row from its key columns (all of type uuid), in
    order.

    Names are written into SQL: they come from code, never from a person.
    """

    table: str
    key_columns: tuple[str, ...]
    column: str
    purpose: str
    aad: Callable[[tuple[UUID, ...]], bytes]


VAULT_CODES: Final = SealedColumn(
    table="vault",
    key_columns=("shop_id", "code_id"),
    column="sealed",
    purpose="codes",
    aad=lambda key: key[1].bytes,
)


async def reseal(
    pool: asyncpg.Pool,
    keys: Keys,
    where: SealedColumn,
    *,
    rows_at_once: int = ROWS_AT_ONCE,
    on_progress: Callable[[int], None] | None = None,
) -> int:
    """Walk the whole table once and renew every seal of an older key; how many were renewed. May be stopped and run
    again.

    A row that somebody changes at the same moment is left as he wrote it.
    """
    await keys.refresh()
    key_list = ", ".join(where.key_columns)
    key_params = ", ".join(f"${number}::uuid" for number in range(1, len(where.key_columns) + 1))
    newest = sealed_header(keys.sealing_key_id(where.purpose))
    read = f"""
        SELECT {key_list}, {where.column} FROM {where.table} WHERE ({key_list}) > ({key_params})
        ORDER BY {key_list} LIMIT {rows_at_once}
    """  # noqa: S608 - names from code
    arrays = ", ".join(f"${number}::uuid[]" for number in range(1, len(where.key_columns) + 1))
    old, new = (f"${len(where.key_columns) + extra}::bytea[]" for extra in (1, 2))
    same_row = " AND ".join(f"t.{column} = g.{column}" for column in where.key_columns)
    write = f"""
        UPDATE {where.table} t SET {where.column} = g.new_seal
        FROM unnest({arrays}, {old}, {new}) AS g ({key_list}, old_seal, new_seal)
        WHERE {same_row} AND t.{where.column} = g.old_seal
    """  # noqa: S608 - names from code
    after = tuple(UUID(int=0) for _ in where.key_columns)
    renewed = 0
    while page := await pool.fetch(read, *after):
        after = tuple(page[-1][column] for column in where.key_columns)
        due = [row for row in page if row[where.column] is not None and not row[where.column].startswith(newest)]
        if not due:
            continue
        places = [tuple(row[column] for column in where.key_columns) for row in due]
        opened = await keys.open_many(
            where.purpose, [(where.aad(place), row[where.column]) for place, row in zip(places, due, strict=True)]
        )
        status = await pool.execute(
            write,
            *(list(column) for column in zip(*places, strict=True)),
            [row[where.column] for row in due],
            [keys.seal(where.purpose, where.aad(place), text) for place, text in zip(places, opened, strict=True)],
        )
        renewed += int(status.removeprefix("UPDATE "))
        if on_progress is not None:
            on_progress(renewed)
    return renewed


async def retire_unused(pool: asyncpg.Pool, purpose: str, columns: tuple[SealedColumn, ...], now_ms: int) -> list[int]:
    """Mark data keys of a purpose that nothing is sealed under any more; their ids. They stay readable, for old
    backups.

    `columns` are ALL columns of the purpose. A key is left alone while some process may still write with it.
    """
    used: set[int] = set()
    for where in columns:
        headers = await pool.fetch(
            f"""
            SELECT DISTINCT substring({where.column} FOR {SEALED_HEADER_BYTES}) AS header
            FROM {where.table} WHERE {where.column} IS NOT NULL
            """  # noqa: S608 - names from code
        )
        used |= {key_id_of(row["header"]) for row in headers}
    retired = await pool.fetch(
        """
        UPDATE data_keys old SET retired_at = $2
        WHERE purpose = $1 AND retired_at IS NULL AND NOT key_id = ANY ($4::int[]) AND EXISTS (
            SELECT FROM data_keys newer
            WHERE newer.purpose = $1 AND newer.key_id > old.key_id AND newer.usable_at <= $3
        )
        RETURNING key_id
        """,
        purpose,
        moment(now_ms),
        moment(now_ms - USABLE_AFTER_MS),
        sorted(used),
    )
    return sorted(row["key_id"] for row in retired)
