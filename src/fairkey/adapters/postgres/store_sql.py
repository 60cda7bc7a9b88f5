"""The statements of the engine, readable on their own. All are set-based: one call serves a whole batch."""

READ_ANSWERS = "SELECT command_id, body_hash, answer FROM answers WHERE command_id = ANY($1::text[])"

LOCK_BUYERS = "SELECT pg_advisory_xact_lock(hashtextextended(buyer_key, 0)) FROM unnest($1::text[]) AS buyer_key"

UNPAID_OF_BUYERS = """
SELECT wanted.buyer_key, wanted.address_key, count(s.buyer_key)::int AS unpaid
FROM unnest($1::text[], $2::text[]) AS wanted (buyer_key, address_key)
LEFT JOIN streams s ON s.stage = 'placed' AND s.buyer_key = wanted.buyer_key
     AND coalesce(s.address_key, '') = wanted.address_key
GROUP BY 1, 2
"""

UNPAID_OF_ADDRESSES = """
SELECT address_key, count(*)::int FROM streams
WHERE stage = 'placed' AND address_key IS NOT NULL AND address_key = ANY($1::text[]) GROUP BY 1
"""

BOUGHT_BY_BUYER = """
SELECT coalesce(sum(quantity), 0)::int FROM streams
WHERE kind = 'order' AND shop_id = $1 AND listing_id = $2 AND buyer_key = $3
  AND stage NOT IN ('expired', 'cancelled', 'refunded')
"""

ACQUAINTANCE = """
SELECT EXISTS (SELECT FROM streams
               WHERE kind = 'order' AND stage = 'completed' AND buyer_key = $2 AND shop_id = $1) AS has_completed,
       (SELECT coalesce(sum(amount_fen), 0)::bigint FROM streams
        WHERE kind = 'order' AND shop_id = $1 AND buyer_key = $2
          AND stage IN ('placed', 'paid', 'delivered', 'disputed')) AS open_fen
"""

PEEK_STREAMS = """
SELECT s.shop_id, s.kind, s.id, s.version, s.head, s.state
FROM unnest($1::uuid[], $2::text[], $3::uuid[]) AS wanted (shop_id, kind, id)
JOIN streams s USING (shop_id, kind, id)
"""

LOCK_STREAMS = PEEK_STREAMS + "ORDER BY s.shop_id, s.kind, s.id FOR UPDATE OF s"

PICK_CODES = """
SELECT wanted.shop_id, wanted.listing_id, picked.code_id
FROM unnest($1::uuid[], $2::uuid[], $3::int[]) AS wanted (shop_id, listing_id, quantity)
CROSS JOIN LATERAL (
    SELECT code_id FROM codes c
    WHERE c.shop_id = wanted.shop_id AND c.listing_id = wanted.listing_id AND c.is_free
    ORDER BY c.code_id LIMIT wanted.quantity FOR UPDATE SKIP LOCKED
) AS picked
"""

PICK_CODES_WAITING = PICK_CODES.replace(" SKIP LOCKED", "")

READ_STOCK = """
SELECT shop_id, listing_id, free
FROM unnest($1::uuid[], $2::uuid[]) AS wanted (shop_id, listing_id)
JOIN listing_stock USING (shop_id, listing_id)
"""

LOCK_BALANCE = """
SELECT balance_fen FROM ledger_accounts WHERE shop_id = $1 AND account = $2 AND currency = 'CNY' FOR UPDATE
"""

COUNT_STAGED = """
SELECT count(*)::int FROM vault v WHERE v.shop_id = $1 AND v.batch_id = $2
  AND NOT EXISTS (SELECT FROM codes c WHERE c.shop_id = v.shop_id AND c.code_id = v.code_id)
"""

LOCK_UNSOLD = """
SELECT v.position FROM codes c JOIN vault v USING (shop_id, code_id)
WHERE c.shop_id = $1 AND c.batch_id = $2 AND c.is_free ORDER BY c.code_id FOR UPDATE OF c
"""

# Each attestation of the batch's codes that are for sale or wait (of these, where some are named); codes are locked.
SAID_OF_CODES = """
SELECT v.position, c.is_free, e.kind, convert_from(e.body, 'UTF8')::json -> 'public' AS public
FROM codes c JOIN vault v USING (shop_id, code_id)
LEFT JOIN events e ON e.shop_id = c.shop_id AND e.stream_kind = 'code' AND e.stream_id = c.code_id
                  AND e.kind LIKE 'attest.%'
WHERE c.shop_id = $1 AND c.batch_id = $2 AND c.stage IN ('free', 'quarantined')
  AND (cardinality($3::uuid[]) = 0 OR c.code_id = ANY($3))
ORDER BY c.code_id, e.version FOR UPDATE OF c
"""

# Locked, so that a batch taken off sale at this very moment is either seen or finds the codes back on sale.
BATCHES_OF_CODES = """
SELECT c.shop_id, c.code_id, v.position, b.state
FROM unnest($1::uuid[], $2::uuid[]) AS wanted (shop_id, code_id)
JOIN codes c USING (shop_id, code_id)
JOIN vault v USING (shop_id, code_id)
JOIN streams b ON b.shop_id = c.shop_id AND b.kind = 'batch' AND b.id = c.batch_id
ORDER BY b.shop_id, b.id, c.code_id FOR SHARE OF b
"""

INSERT_EVENTS = """
INSERT INTO events (shop_id, stream_kind, stream_id, version, kind, at, body, leaf_hash, command_id)
SELECT shop_id, stream_kind, stream_id, version, kind, $6, body, leaf_hash, command_id
FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::int[], $5::text[], $7::bytea[], $8::bytea[], $9::text[])
  AS new (shop_id, stream_kind, stream_id, version, kind, body, leaf_hash, command_id)
"""

INSERT_SEALED_FIELDS = """
INSERT INTO sealed_fields (shop_id, stream_kind, stream_id, version, sealed)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::int[], $5::bytea[])
"""

_MOVED = """
unnest($1::uuid[], $2::text[], $3::uuid[], $4::int[], $5::int[], $6::bytea[], $7::text[], $8::text[],
       $9::timestamptz[], $10::text[], $11::uuid[], $12::text[], $13::text[], $14::uuid[], $15::bigint[], $16::int[])
  AS new (shop_id, kind, id, version_before, version, head, state, stage,
          due_at, due_what, listing_id, buyer_key, address_key, account_id, amount_fen, quantity)
"""

INSERT_STREAMS = f"""
INSERT INTO streams (shop_id, kind, id, version, head, state, stage, due_at, due_what,
                     listing_id, buyer_key, address_key, account_id, amount_fen, quantity, created_at, changed_at)
SELECT shop_id, kind, id, version, head, state::json, stage, due_at, due_what,
       listing_id, buyer_key, address_key, account_id, amount_fen, quantity, $17, $17
FROM {_MOVED} WHERE version_before = 0
"""  # noqa: S608 - put together from constants of this file

UPDATE_STREAMS = f"""
UPDATE streams s
SET version = new.version, head = new.head, state = new.state::json, stage = new.stage,
    due_at = new.due_at, due_what = new.due_what, listing_id = new.listing_id, buyer_key = new.buyer_key,
    address_key = new.address_key, account_id = new.account_id, amount_fen = new.amount_fen,
    quantity = new.quantity, changed_at = $17
FROM {_MOVED}
WHERE s.shop_id = new.shop_id AND s.kind = new.kind AND s.id = new.id AND s.version = new.version_before
"""  # noqa: S608 - put together from constants of this file

MOVE_CODES = """
UPDATE codes c
SET stage = new.stage, is_free = (new.stage = 'free'), order_id = new.order_id, changed_at = $5
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[]) AS new (shop_id, code_id, stage, order_id)
WHERE c.shop_id = new.shop_id AND c.code_id = new.code_id
"""

INSERT_TYPED_CODES = """
INSERT INTO codes (shop_id, code_id, listing_id, batch_id, is_free, stage, order_id, changed_at)
SELECT $1, code_id, $3, NULL, false, 'delivered', $4, $5 FROM vault
WHERE shop_id = $1 AND code_id = ANY($2::uuid[]) FOR KEY SHARE
"""

PUT_BATCH_ON_SALE = """
INSERT INTO codes (shop_id, code_id, listing_id, batch_id, is_free, stage, order_id, changed_at)
SELECT shop_id, code_id, $3, batch_id, true, 'free', NULL, $4 FROM vault WHERE shop_id = $1 AND batch_id = $2
"""

MARK_IMPORT_REGISTERED = """
UPDATE imports SET state = 'registered', finished_at = $3 WHERE shop_id = $1 AND import_id = $2 AND state = 'staged'
"""

MOVE_CODES_BY_PLACE = """
UPDATE codes c SET stage = $6, is_free = ($6 = 'free'), changed_at = $3
FROM unnest($4::int[]) AS taken (position)
JOIN vault v ON v.shop_id = $1 AND v.batch_id = $2 AND v.position = taken.position
WHERE c.shop_id = $1 AND c.code_id = v.code_id AND c.stage = $5
"""

INSERT_REVISION = """
INSERT INTO listing_revisions (shop_id, listing_id, revision, revision_hash, terms, published_at)
VALUES ($1, $2, $3, $4, $5, $6)
"""

INSERT_EFFECTS = """
INSERT INTO effects (shop_id, key, kind, stream_kind, stream_id, payload, next_at, created_at)
SELECT shop_id, key, kind, stream_kind, stream_id, payload::json,
       $8::timestamptz + wait_ms * interval '1 millisecond', $8::timestamptz
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::text[], $7::bigint[])
  AS new (shop_id, key, kind, stream_kind, stream_id, payload, wait_ms)
"""

INSERT_ANSWERS = """
INSERT INTO answers (command_id, body_hash, answer, at)
SELECT command_id, body_hash, answer::json, $4
FROM unnest($1::text[], $2::bytea[], $3::text[]) AS new (command_id, body_hash, answer)
"""

CHANGE_STOCK = """
UPDATE listing_stock kept SET free = kept.free + change.by
FROM unnest($1::uuid[], $2::uuid[], $3::int[]) AS change (shop_id, listing_id, by)
WHERE kept.shop_id = change.shop_id AND kept.listing_id = change.listing_id
RETURNING kept.shop_id, kept.listing_id
"""

START_STOCK = """
INSERT INTO listing_stock (shop_id, listing_id, free)
SELECT shop_id, listing_id, 0 FROM unnest($1::uuid[], $2::uuid[]) AS new (shop_id, listing_id)
ON CONFLICT DO NOTHING
"""

READ_EXPOSURE = """
SELECT coalesce(sum(fen) FILTER (WHERE name = 'open'), 0)::bigint AS open_fen,
       coalesce(sum(fen) FILTER (WHERE name >= $2 AND name LIKE 'day:%'), 0)::bigint AS window_fen,
       coalesce(sum(fen) FILTER (WHERE name = 'clean'), 0)::bigint AS clean_fen
FROM shop_sums WHERE shop_id = $1 AND (name IN ('open', 'clean') OR name >= $2)
"""

CHANGE_SUMS = """
UPDATE shop_sums kept SET fen = kept.fen + change.by_fen
FROM unnest($1::uuid[], $2::text[], $3::bigint[]) AS change (shop_id, name, by_fen)
WHERE kept.shop_id = change.shop_id AND kept.name = change.name
RETURNING kept.shop_id, kept.name
"""

START_SUMS = """
INSERT INTO shop_sums (shop_id, name, fen)
SELECT shop_id, name, 0 FROM unnest($1::uuid[], $2::text[]) AS new (shop_id, name)
ON CONFLICT DO NOTHING
"""

OPEN_TOO_MUCH = """
SELECT count(*) FROM unnest($1::uuid[], $2::bigint[]) AS most (shop_id, fen)
JOIN shop_sums kept ON kept.shop_id = most.shop_id AND kept.name = 'open' AND kept.fen > most.fen
"""

INSERT_LEDGER = """
INSERT INTO ledger (shop_id, stream_kind, stream_id, version, row_no, debit, credit, amount_fen, currency, at)
SELECT *, $10 FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::int[], $5::int[], $6::text[], $7::text[],
                          $8::bigint[], $9::text[])
"""

CHANGE_BALANCES = """
UPDATE ledger_accounts kept SET balance_fen = kept.balance_fen + change.by_fen
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[]) AS change (shop_id, account, currency, by_fen)
WHERE kept.shop_id = change.shop_id AND kept.account = change.account AND kept.currency = change.currency
RETURNING kept.shop_id, kept.account, kept.currency
"""

START_BALANCES = """
INSERT INTO ledger_accounts (shop_id, account, currency, balance_fen)
SELECT shop_id, account, currency, 0
FROM unnest($1::uuid[], $2::text[], $3::text[]) AS new (shop_id, account, currency)
ON CONFLICT DO NOTHING
"""
