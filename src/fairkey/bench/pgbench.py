"""The yardstick: pgbench doing what the engine does for one order, in plain single-row SQL, one order per transaction.

Same tables, same indexes, rows of the same size, prepared statements, the most contended rows last. It computes no hash,
seals nothing, decides nothing and speaks no HTTP: a shop that commits order by order would have to do all that on top.
"""

import re
import subprocess

import asyncpg

from fairkey.adapters.postgres.embedded import programs_folder

from .world import PRICE_FEN, Ground

SCRIPT = """\\set n random(1, 9000000000000000)
\\set s random(1, {shops})
BEGIN;
SELECT body_hash, answer FROM answers WHERE command_id = 'p' || :n;
SELECT pg_advisory_xact_lock(hashtextextended('b' || :n, 0));
SELECT count(*) FROM streams WHERE stage = 'placed' AND buyer_key = 'b' || :n;
SELECT count(*) FROM streams WHERE stage = 'placed' AND address_key IS NOT NULL AND address_key = 'a' || :n;
SELECT version, head, state FROM streams WHERE shop_id = md5('shop' || :s)::uuid AND kind IN ('shop', 'listing') AND id IN (md5('shop' || :s)::uuid, md5('listing' || :s)::uuid);
SELECT version, head, state FROM streams WHERE shop_id = md5('shop' || :s)::uuid AND kind = 'order' AND id = md5('o' || :n)::uuid FOR UPDATE;
SELECT code_id FROM codes WHERE shop_id = md5('shop' || :s)::uuid AND listing_id = md5('listing' || :s)::uuid AND is_free ORDER BY code_id LIMIT 1 FOR UPDATE SKIP LOCKED \\gset
INSERT INTO events (shop_id, stream_kind, stream_id, version, kind, at, body, leaf_hash, command_id) VALUES
 (md5('shop' || :s)::uuid, 'order', md5('o' || :n)::uuid, 1, 'order.placed', now(), decode(repeat('61', {b1}), 'hex'), decode(repeat('62', 32), 'hex'), 'p' || :n),
 (md5('shop' || :s)::uuid, 'order', md5('o' || :n)::uuid, 2, 'code.reserved', now(), decode(repeat('61', {b2}), 'hex'), decode(repeat('62', 32), 'hex'), 'p' || :n);
INSERT INTO sealed_fields VALUES (md5('shop' || :s)::uuid, 'order', md5('o' || :n)::uuid, 1, decode(repeat('63', {b3}), 'hex'));
INSERT INTO streams VALUES (md5('shop' || :s)::uuid, 'order', md5('o' || :n)::uuid, 2, decode(repeat('62', 32), 'hex'), '{state1}', 'placed', now() + interval '15 min', 'expire', md5('listing' || :s)::uuid, 'b' || :n, 'a' || :n, NULL, {price}, 1, now(), now());
UPDATE codes SET stage = 'reserved', is_free = false, order_id = md5('o' || :n)::uuid, changed_at = now() WHERE shop_id = md5('shop' || :s)::uuid AND code_id = :code_id;
INSERT INTO answers VALUES ('p' || :n, decode(repeat('64', 32), 'hex'), '{answer}', now());
{cut}SELECT body_hash, answer FROM answers WHERE command_id = 'm' || :n;
SELECT version, head, state FROM streams WHERE shop_id = md5('shop' || :s)::uuid AND kind = 'order' AND id = md5('o' || :n)::uuid FOR UPDATE;
INSERT INTO events (shop_id, stream_kind, stream_id, version, kind, at, body, leaf_hash, command_id) VALUES
 (md5('shop' || :s)::uuid, 'order', md5('o' || :n)::uuid, 3, 'payment.received', now(), decode(repeat('61', {b2}), 'hex'), decode(repeat('62', 32), 'hex'), 'm' || :n),
 (md5('shop' || :s)::uuid, 'order', md5('o' || :n)::uuid, 4, 'order.paid', now(), decode(repeat('61', {b2}), 'hex'), decode(repeat('62', 32), 'hex'), 'm' || :n),
 (md5('shop' || :s)::uuid, 'order', md5('o' || :n)::uuid, 5, 'code.delivered', now(), decode(repeat('61', {b2}), 'hex'), decode(repeat('62', 32), 'hex'), 'm' || :n),
 (md5('shop' || :s)::uuid, 'order', md5('o' || :n)::uuid, 6, 'order.delivered', now(), decode(repeat('61', {b2}), 'hex'), decode(repeat('62', 32), 'hex'), 'm' || :n);
UPDATE streams SET version = 6, head = decode(repeat('65', 32), 'hex'), state = '{state2}', stage = 'delivered', due_at = now() + interval '7 days', due_what = 'complete', changed_at = now() WHERE shop_id = md5('shop' || :s)::uuid AND kind = 'order' AND id = md5('o' || :n)::uuid AND version = 2;
UPDATE codes SET stage = 'delivered', changed_at = now() WHERE shop_id = md5('shop' || :s)::uuid AND code_id = :code_id;
INSERT INTO answers VALUES ('m' || :n, decode(repeat('64', 32), 'hex'), '{answer}', now());
INSERT INTO ledger VALUES (md5('shop' || :s)::uuid, 'order', md5('o' || :n)::uuid, 3, 0, 'provider_clearing', 'escrow', {price}, 'CNY', now());
{cut}SELECT body_hash, answer FROM answers WHERE command_id = 'r' || :n;
SELECT version, head, state FROM streams WHERE shop_id = md5('shop' || :s)::uuid AND kind = 'order' AND id = md5('o' || :n)::uuid FOR UPDATE;
INSERT INTO events (shop_id, stream_kind, stream_id, version, kind, at, body, leaf_hash, command_id) VALUES
 (md5('shop' || :s)::uuid, 'order', md5('o' || :n)::uuid, 7, 'code.revealed', now(), decode(repeat('61', {b2}), 'hex'), decode(repeat('62', 32), 'hex'), 'r' || :n);
UPDATE streams SET version = 7, head = decode(repeat('66', 32), 'hex'), state = '{state2}', due_at = now() + interval '3 days', changed_at = now() WHERE shop_id = md5('shop' || :s)::uuid AND kind = 'order' AND id = md5('o' || :n)::uuid AND version = 6;
UPDATE codes SET stage = 'revealed', changed_at = now() WHERE shop_id = md5('shop' || :s)::uuid AND code_id = :code_id;
INSERT INTO answers VALUES ('r' || :n, decode(repeat('64', 32), 'hex'), '{answer}', now());
SELECT sealed, commitment FROM vault WHERE shop_id = md5('shop' || :s)::uuid AND code_id = :code_id;
UPDATE listing_stock SET free = free - 1 WHERE shop_id = md5('shop' || :s)::uuid AND listing_id = md5('listing' || :s)::uuid;
UPDATE ledger_accounts SET balance_fen = balance_fen + {price} WHERE shop_id = md5('shop' || :s)::uuid AND account IN ('escrow', 'provider_clearing') AND currency = 'CNY';
COMMIT;
"""

STATE_BYTES = 900  # of a delivered order's state; measured on the engine's own rows
ANSWER_BYTES = 330
EVENT_BYTES = (820, 400)  # order.placed, and the mean of the others


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


def orders_per_s(at: Ground, database: str, shops: int, *, clients: int, run_s: int, apart: bool) -> float:
    """Orders a second over `run_s` seconds; `apart` commits place, pay and reveal each on its own, as a shop must."""
    file = at.folder / f"pgbench-{database}.sql"
    file.write_text(_script(shops, apart=apart))
    program = programs_folder() / "pgbench"
    command = [str(program), "-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-T", str(run_s), "-f", str(file)]
    done = subprocess.run(  # noqa: S603 - our own program with our own arguments
        [*command, at.server.dsn(database)], capture_output=True, text=True, check=False
    )
    found = re.search(r"tps = ([0-9.]+)", done.stdout)
    if found is None or done.returncode:
        raise RuntimeError(f"pgbench failed: {done.stderr[-2000:]}")
    return float(found.group(1))


def _script(shops: int, *, apart: bool) -> str:
    filler = '"' + "x" * 20 + '",'
    state = '{"order":[' + filler * (STATE_BYTES // len(filler)) + "0]}"
    return SCRIPT.format(
        shops=shops,
        price=PRICE_FEN,
        b1=EVENT_BYTES[0],
        b2=EVENT_BYTES[1],
        b3=230,
        state1=state,
        state2=state,
        answer='{"facts":"' + "x" * ANSWER_BYTES + '"}',
        cut="COMMIT;\nBEGIN;\n" if apart else "",
    )
