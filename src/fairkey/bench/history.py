"""A long past, made by SQL: orders that were delivered and opened, with rows of the sizes that the engine writes."""

import asyncpg

from .pgbench import EVENTS, Sizes
from .world import PRICE_FEN

ORDERS_A_STATEMENT = 20_000


async def make(dsn: str, orders: int, sizes: Sizes) -> None:
    """Add `orders` past orders to the shops of the benchmark, evenly: they fill tables and indexes."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("SET synchronous_commit = off")  # what is measured comes after a checkpoint
        for start in range(0, orders, ORDERS_A_STATEMENT):
            await _make_some(connection, min(ORDERS_A_STATEMENT, orders - start), sizes)
    finally:
        await connection.close()


async def _make_some(connection: asyncpg.Connection, count: int, sizes: Sizes) -> None:
    async with connection.transaction():
        await connection.execute(
            """
            CREATE TEMPORARY TABLE past ON COMMIT DROP AS
            WITH shops AS (
                SELECT shop_id, listing_id, row_number() OVER () AS place, count(*) OVER () AS count FROM listing_stock
            )
            SELECT shops.shop_id, shops.listing_id, uuidv7(-interval '30 days') AS order_id, uuidv7() AS code_id,
                   now() - interval '30 days' AS at
            FROM generate_series(1, $1::int) AS number JOIN shops ON shops.place = number % shops.count + 1
            """,
            count,
        )
        steps = (sizes.place, sizes.pay, sizes.reveal)
        bodies = [size for step in steps for _, size in step.events]
        await connection.execute(
            """
            INSERT INTO events (shop_id, stream_kind, stream_id, version, kind, at, body, leaf_hash, command_id)
            SELECT shop_id, 'order', order_id, version, kind, at, decode(repeat('61', size), 'hex'),
                   sha256(order_id::text::bytea), md5(order_id::text || version)
            FROM past, unnest($1::text[], $2::int[]) WITH ORDINALITY AS event (kind, size, version)
            """,
            EVENTS,
            bodies,
        )
        await connection.execute(
            """
            INSERT INTO sealed_fields
            SELECT shop_id, 'order', order_id, 1, decode(repeat('61', $1::int), 'hex') FROM past
            """,
            sizes.sealed,
        )
        await connection.execute(
            """
            INSERT INTO streams (shop_id, kind, id, version, head, state, stage, due_at, due_what, listing_id,
                                 buyer_key, address_key, amount_fen, quantity, created_at, changed_at)
            SELECT shop_id, 'order', order_id, 7, sha256(order_id::text::bytea),
                   ('{"x":"' || repeat('x', $1::int - 8) || '"}')::json, 'completed', NULL, NULL, listing_id,
                   md5(order_id::text) || md5(listing_id::text), md5(order_id::text), $2, 1, at, at
            FROM past
            """,
            sizes.reveal.state,
            PRICE_FEN,
        )
        await connection.execute(
            """
            INSERT INTO codes (shop_id, code_id, listing_id, batch_id, is_free, stage, order_id, changed_at)
            SELECT shop_id, code_id, listing_id, NULL, false, 'revealed', order_id, at FROM past
            """
        )
        await connection.execute(
            """
            INSERT INTO ledger
            SELECT shop_id, 'order', order_id, 3, 0, 'provider_clearing', 'escrow', $1, 'CNY', at FROM past
            """,
            PRICE_FEN,
        )
        await connection.execute(
            """
            INSERT INTO answers
            SELECT md5(order_id::text || step), sha256(order_id::text::bytea),
                   ('{"x":"' || repeat('x', size - 8) || '"}')::json, at
            FROM past, unnest($1::int[]) WITH ORDINALITY AS answer (size, step)
            """,
            [step.answer for step in steps],
        )
