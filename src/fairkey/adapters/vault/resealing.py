"""After a rotation: move what is sealed under older data keys over to the newest, in small steps beside the running
shop.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from fairkey.adapters.postgres.moments import moment
from fairkey.adapters.postgres.store import sealed_aad
from fairkey.adapters.vault.keys import SEALED_HEADER_BYTES, USABLE_AFTER_MS, Keys, key_id_of, sealed_header
from fairkey.business.basics import Stream

ROWS_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedColumn:
    """Where sealed values lie. `aad` gives the associated data of a row from the values of its key, in order.

    Names and types are written into SQL: they come from code, never from a person.
    """

    table: str
    key: tuple[tuple[str, str], ...]  # (column, SQL type)
    column: str
    purpose: str
    aad: Callable[[tuple[Any, ...]], bytes]


VAULT_CODES: Final = SealedColumn(
    table="vault",
    key=(("shop_id", "uuid"), ("code_id", "uuid")),
    column="sealed",
    purpose="codes",
    aad=lambda key: bytes(key[1].bytes),
)
EVENT_FIELDS: Final = SealedColumn(
    table="sealed_fields",
    key=(("shop_id", "uuid"), ("stream_kind", "text"), ("stream_id", "uuid"), ("version", "integer")),
    column="sealed",
    purpose="contacts",
    aad=lambda key: sealed_aad(Stream(str(key[0]), key[1], str(key[2])), key[3]),
)
ACCOUNT_ADDRESSES: Final = SealedColumn(
    table="accounts",
    key=(("account_id", "uuid"),),
    column="email_sealed",
    purpose="contacts",
    aad=lambda key: f"account:{key[0]}".encode(),
)
LOG_KEYS: Final = SealedColumn(
    table="logs",
    key=(("log_no", "integer"),),
    column="seed_sealed",
    purpose="contacts",
    aad=lambda key: f"log:{key[0]}".encode(),
)
ADMISSION_DRAFTS: Final = SealedColumn(
    table="admission_drafts",
    key=(("shop_id", "uuid"),),
    column="sealed",
    purpose="contacts",
    aad=lambda key: f"admission:draft:{key[0]}".encode(),
)
ADMISSION_IMAGES: Final = SealedColumn(
    table="admission_images",
    key=(("shop_id", "uuid"), ("sha256", "bytea")),
    column="sealed",
    purpose="contacts",
    aad=lambda key: f"admission:{key[1].hex()}:{key[0]}".encode(),
)
# Every column that holds sealed values. A test compares it with the tables: a column that is missing here would keep
# its old key in use for ever.
SEALED_COLUMNS: Final = (VAULT_CODES, EVENT_FIELDS, ACCOUNT_ADDRESSES, LOG_KEYS, ADMISSION_DRAFTS, ADMISSION_IMAGES)


async def reseal_everything(
    pool: asyncpg.Pool, keys: Keys, now_ms: Callable[[], int], *, on_progress: Callable[[str, int], None] | None = None
) -> dict[str, int]:
    """Renew every old seal in every table and retire the keys that are then unused; how many were renewed, by table."""
    renewed = {}
    for where in SEALED_COLUMNS:

        def tell(count: int, table: str = where.table) -> None:
            if on_progress is not None:
                on_progress(table, count)

        renewed[where.table] = await reseal(pool, keys, where, on_progress=tell)
    for purpose in sorted({where.purpose for where in SEALED_COLUMNS}):
        await retire_unused(pool, purpose, [where for where in SEALED_COLUMNS if where.purpose == purpose], now_ms())
    return renewed


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
    newest = sealed_header(keys.sealing_key_id(where.purpose))
    first, further, write = _statements(where, rows_at_once)
    renewed = 0
    page = await pool.fetch(first)
    while page:
        due = [row for row in page if row[-1] is not None and not row[-1].startswith(newest)]
        if due:
            places = [tuple(row)[:-1] for row in due]
            opened = await keys.open_many(
                where.purpose, [(where.aad(place), row[-1]) for place, row in zip(places, due, strict=True)]
            )
            status = await pool.execute(
                write,
                *(list(column) for column in zip(*places, strict=True)),
                [row[-1] for row in due],
                [keys.seal(where.purpose, where.aad(place), text) for place, text in zip(places, opened, strict=True)],
            )
            renewed += int(status.removeprefix("UPDATE "))
            if on_progress is not None:
                on_progress(renewed)
        page = await pool.fetch(further, *tuple(page[-1])[:-1])
    return renewed


def _statements(where: SealedColumn, rows_at_once: int) -> tuple[str, str, str]:
    """To read the first page (key, then sealed value), the page after a key, and to write new seals over old ones."""
    names = ", ".join(name for name, _ in where.key)
    after = ", ".join(f"${number}::{kind}" for number, (_, kind) in enumerate(where.key, 1))
    select = f"SELECT {names}, {where.column} FROM {where.table}"  # noqa: S608 - names from code
    order = f"ORDER BY {names} LIMIT {rows_at_once}"
    arrays = ", ".join(f"${number}::{kind}[]" for number, (_, kind) in enumerate(where.key, 1))
    old, new = (f"${len(where.key) + extra}::bytea[]" for extra in (1, 2))
    same_row = " AND ".join(f"t.{name} = g.{name}" for name, _ in where.key)
    write = f"""
        UPDATE {where.table} t SET {where.column} = g.new_seal
        FROM unnest({arrays}, {old}, {new}) AS g ({names}, old_seal, new_seal)
        WHERE {same_row} AND t.{where.column} = g.old_seal
    """  # noqa: S608 - names from code
    return f"{select} {order}", f"{select} WHERE ({names}) > ({after}) {order}", write


async def retire_unused(pool: asyncpg.Pool, purpose: str, columns: Sequence[SealedColumn], now_ms: int) -> list[int]:
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
