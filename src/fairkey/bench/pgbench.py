"""The yardstick: pgbench doing what the engine does for one order, in plain single-row SQL, one order per transaction.

Same tables, same indexes, rows of the sizes that the engine writes (measured beforehand), ids that rise with time like
the engine's, prepared statements, the most contended rows last. It computes no hash, seals nothing, decides nothing and
speaks no HTTP: a shop that commits order by order would have to do all that on top.
"""

import hashlib
import os
import re
import resource
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from fairkey.adapters.postgres.embedded import programs_folder
from fairkey.adapters.postgres.store import ENGINE_SETTINGS
from fairkey.engine.house import House

from . import engine
from .world import PRICE_FEN, Ground, Shop

# The engine's own: every statement looks rows up by key, and no plan shall flip to a scan of a table that has grown.
PLANNING = {name: value for name, value in ENGINE_SETTINGS.items() if name != "application_name"}
BODY_HASH_BYTES = 32
COMMAND_ID_CHARS = (68, 33, 32)  # of place, callback and reveal over HTTP
JSON_AROUND = len('{"x":""}')

SCRIPT = """\\set n random(1, 9000000000000000)
\\set s random(1, {shops})
BEGIN;
SELECT body_hash, answer FROM answers WHERE command_id = {place_id};
SELECT uuidv7() AS o, pg_advisory_xact_lock(hashtextextended({buyer_key}, 0))::text AS locked \\gset
SELECT count(*) FROM streams WHERE stage = 'placed' AND buyer_key = {buyer_key};
SELECT count(*) FROM streams WHERE stage = 'placed' AND address_key IS NOT NULL AND address_key = '{address_key}';
SELECT version, head, state FROM streams WHERE shop_id = {shop} AND kind IN ('shop', 'listing') AND id IN ({shop}, {listing});
SELECT version, head, state FROM streams WHERE shop_id = {shop} AND kind = 'order' AND id = {order} FOR UPDATE;
SELECT code_id FROM codes WHERE shop_id = {shop} AND listing_id = {listing} AND is_free ORDER BY code_id LIMIT 1 FOR UPDATE SKIP LOCKED \\gset
{place_events};
INSERT INTO sealed_fields VALUES ({shop}, 'order', {order}, 1, '{sealed}');
INSERT INTO streams VALUES ({shop}, 'order', {order}, 2, '{hash}', '{placed_state}', 'placed', now() + interval '15 min', 'expire', {listing}, {buyer_key}, '{address_key}', NULL, {price}, 1, now(), now());
UPDATE codes SET stage = 'reserved', is_free = false, order_id = {order}, changed_at = now() WHERE shop_id = {shop} AND code_id = {code};
INSERT INTO answers VALUES ({place_id}, '{body_hash}', '{place_answer}', now());
{cut}SELECT body_hash, answer FROM answers WHERE command_id = {pay_id};
SELECT version, head, state FROM streams WHERE shop_id = {shop} AND kind = 'order' AND id = {order} FOR UPDATE;
{pay_events};
UPDATE streams SET version = 6, head = '{hash}', state = '{paid_state}', stage = 'delivered', due_at = now() + interval '7 days', due_what = 'complete', changed_at = now() WHERE shop_id = {shop} AND kind = 'order' AND id = {order} AND version = 2;
UPDATE codes SET stage = 'delivered', changed_at = now() WHERE shop_id = {shop} AND code_id = {code};
INSERT INTO answers VALUES ({pay_id}, '', '{pay_answer}', now());
INSERT INTO ledger VALUES ({shop}, 'order', {order}, 3, 0, 'provider_clearing', 'escrow', {price}, 'CNY', now());
{cut}SELECT body_hash, answer FROM answers WHERE command_id = {reveal_id};
SELECT version, head, state FROM streams WHERE shop_id = {shop} AND kind = 'order' AND id = {order} FOR UPDATE;
{reveal_events};
UPDATE streams SET version = 7, head = '{hash}', state = '{revealed_state}', due_at = now() + interval '3 days', changed_at = now() WHERE shop_id = {shop} AND kind = 'order' AND id = {order} AND version = 6;
UPDATE codes SET stage = 'revealed', changed_at = now() WHERE shop_id = {shop} AND code_id = {code};
INSERT INTO answers VALUES ({reveal_id}, '{body_hash}', '{reveal_answer}', now());
SELECT sealed, commitment FROM vault WHERE shop_id = {shop} AND code_id = {code};
UPDATE listing_stock SET free = free - 1 WHERE shop_id = {shop} AND listing_id = {listing};
UPDATE ledger_accounts SET balance_fen = balance_fen + {price} WHERE shop_id = {shop} AND account IN ('escrow', 'provider_clearing') AND currency = 'CNY';
COMMIT;
"""  # noqa: E501 - one statement a line


class PgbenchFailed(Exception):
    """The program said no; the text is its own."""


class EngineDoesOtherwise(Exception):
    """The engine's order is not the one that the script was written after: bring them together again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What the engine wrote for one of the three calls: sizes in bytes."""

    events: tuple[tuple[str, int], ...]  # kind, body
    state: int
    answer: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """What one order of the engine writes."""

    place: Step
    pay: Step
    reveal: Step
    sealed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """One run of pgbench; `cpu_s` is its own processor time, without the database's."""

    orders: int
    wall_s: float
    cpu_s: float


async def measured(house: House, dsn: str, shop: Shop) -> Sizes:
    """Carry one order through by the engine and look at what it wrote. Raises `EngineDoesOtherwise`."""
    connection = await asyncpg.connect(dsn)
    try:
        order_id = await engine.place(house, shop)
        place = await _written(connection, order_id, 0)
        await engine.pay(house, shop, order_id)
        pay = await _written(connection, order_id, 2)
        await engine.reveal(house, shop, order_id)
        reveal = await _written(connection, order_id, 6)
        sealed = await connection.fetchval(
            "SELECT sum(length(sealed)) FROM sealed_fields WHERE stream_id = $1", order_id
        )
    finally:
        await connection.close()
    kinds = [kind for step in (place, pay, reveal) for kind, _ in step.events]
    if kinds != EVENTS:
        raise EngineDoesOtherwise(", ".join(kinds))
    return Sizes(place=place, pay=pay, reveal=reveal, sealed=sealed)


EVENTS = [
    "order.placed",
    "code.reserved",
    "payment.received",
    "order.paid",
    "code.delivered",
    "order.delivered",
    "code.revealed",
]


async def _written(connection: asyncpg.Connection, order_id: str, after: int) -> Step:
    events = await connection.fetch(
        "SELECT kind, length(body), command_id FROM events WHERE stream_id = $1 AND version > $2 ORDER BY version",
        order_id,
        after,
    )
    if not events:
        raise EngineDoesOtherwise(f"no event after version {after}")
    return Step(
        events=tuple((kind, size) for kind, size, _ in events),
        state=await connection.fetchval("SELECT length(state::text) FROM streams WHERE id = $1", order_id),
        answer=await connection.fetchval(
            "SELECT length(answer::text) FROM answers WHERE command_id = $1", events[0]["command_id"]
        ),
    )


async def prepare(dsn: str) -> None:
    """The accounts that the engine would start by itself."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(
            """
            INSERT INTO ledger_accounts SELECT DISTINCT shop_id, account, 'CNY', 0
            FROM listing_stock, unnest(ARRAY['escrow', 'provider_clearing']) AS account ON CONFLICT DO NOTHING
            """
        )
    finally:
        await connection.close()


def run(at: Ground, database: str, shops: int, sizes: Sizes, *, clients: int, orders: int, apart: bool) -> Done:
    """About `orders` orders; `apart` commits place, pay and reveal each on its own, as a shop must.

    Raises `PgbenchFailed`.
    """
    file = at.folder / "pgbench.sql"
    file.write_text(script(shops, sizes, apart=apart))
    each = max(1, orders // clients)
    program = programs_folder() / "pgbench"
    command = [str(program), "-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-t", str(each), "-f", str(file)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [*command, at.server.dsn(database)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PGOPTIONS": " ".join(f"-c {name}={value}" for name, value in PLANNING.items())},
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = re.search(r"tps = ([0-9.]+)", done.stdout)
    failed = re.search(r"number of failed transactions: ([0-9]+)", done.stdout)
    if found is None or done.returncode or failed is None or failed.group(1) != "0":
        raise PgbenchFailed(done.stderr[-2000:])
    carried = each * clients
    cpu_s = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return Done(orders=carried, wall_s=carried / float(found.group(1)), cpu_s=cpu_s)


def script(shops: int, sizes: Sizes, *, apart: bool) -> str:
    """What pgbench runs for each order."""
    order = ":o::uuid"
    shop, listing = ("md5('shop' || :s)::uuid", "md5('listing' || :s)::uuid")
    place_id, pay_id, reveal_id = (
        f"rpad('{first}' || :n, {chars}, 'x')" for first, chars in zip("apr", COMMAND_ID_CHARS, strict=True)
    )
    return SCRIPT.format(
        shops=shops,
        price=PRICE_FEN,
        order=order,
        shop=shop,
        listing=listing,
        code=":code_id::uuid",
        buyer_key="rpad('b' || :n, 64, 'x')",
        address_key="a" * 32,
        place_id=place_id,
        pay_id=pay_id,
        reveal_id=reveal_id,
        place_events=_insert_events(shop, order, 1, sizes.place.events, place_id),
        pay_events=_insert_events(shop, order, 3, sizes.pay.events, pay_id),
        reveal_events=_insert_events(shop, order, 7, sizes.reveal.events, reveal_id),
        sealed=_bytes(sizes.sealed),
        hash=_bytes(32),
        body_hash=_bytes(BODY_HASH_BYTES),
        placed_state=_json(sizes.place.state),
        paid_state=_json(sizes.pay.state),
        revealed_state=_json(sizes.reveal.state),
        place_answer=_json(sizes.place.answer),
        pay_answer=_json(sizes.pay.answer),
        reveal_answer=_json(sizes.reveal.answer),
        cut="COMMIT;\nBEGIN;\n" if apart else "",
    )


def _insert_events(shop: str, order: str, first: int, events: Sequence[tuple[str, int]], command_id: str) -> str:
    rows = ",\n ".join(
        f"({shop}, 'order', {order}, {version}, '{kind}', now(), '{_bytes(size)}', '{_bytes(32)}', {command_id})"
        for version, (kind, size) in enumerate(events, first)
    )
    columns = "shop_id, stream_kind, stream_id, version, kind, at, body, leaf_hash, command_id"
    return f"INSERT INTO events ({columns}) VALUES\n {rows}"


def _bytes(size: int) -> str:
    """A bytea literal of that many bytes that does not compress well."""
    return "\\x" + hashlib.shake_128(str(size).encode()).hexdigest(size)


def _json(size: int) -> str:
    """A JSON literal of about that many characters."""
    return '{"x":"' + hashlib.shake_128(str(size).encode()).hexdigest(size)[: size - JSON_AROUND] + '"}'
