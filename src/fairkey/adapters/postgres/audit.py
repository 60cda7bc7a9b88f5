"""`fairkey audit`: does the live database keep its promises? One statement for each, all over one snapshot.

The numbers are those of the invariants. Rows that are off are named by their keys, never by what is secret in them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import asyncpg

from fairkey.business.basics import MINUTE_MS

from .moments import moment

OVERDUE_AFTER_MS: Final = 5 * MINUTE_MS  # a working clock comes round every few seconds
SHOWN_EACH_MAX: Final = 50

Invariant = Literal["codes", "stock", "deadlines", "money", "delivery", "history", "refunds", "answers"]
Level = Literal["violation", "warning"]


class Violation(NamedTuple):
    """What is off. `where` are keys; a `warning` is no broken promise yet, but somebody should look."""

    invariant: Invariant
    what: str
    where: str
    level: Level = "violation"


@dataclass(frozen=True, slots=True)
class _Check:
    """A statement whose rows (each one text: where) are all violations."""

    invariant: Invariant
    what: str
    sql: str
    level: Level = "violation"


# What several checks look at; what a check does not name costs it nothing.
_SHARED: Final = """
WITH orders AS NOT MATERIALIZED (
    SELECT shop_id, id, stage, amount_fen, quantity, due_at, state::jsonb AS state FROM streams WHERE kind = 'order'
),
money AS MATERIALIZED (  -- what an order's own state says about its money
    SELECT shop_id, id, stage, amount_fen, received, held, refunded, released, fee
    FROM (
        SELECT shop_id, id, stage, amount_fen, state::jsonb -> 'escrow' AS escrow
        FROM streams WHERE kind = 'order' OFFSET 0  -- read once a row
    ) AS o
    CROSS JOIN LATERAL (
        SELECT coalesce(sum((one ->> 'amount_fen')::bigint), 0) AS received,
               coalesce(sum((one ->> 'amount_fen')::bigint - coalesce((one ->> 'left_fen')::bigint, 0)), 0) AS held
        FROM jsonb_array_elements(escrow -> 'received') AS one
    ) AS came
    CROSS JOIN LATERAL (
        SELECT coalesce(sum((one ->> 'amount_fen')::bigint), 0) AS refunded
        FROM jsonb_array_elements(escrow -> 'refunds') AS one
    ) AS went_back
    CROSS JOIN LATERAL (
        SELECT coalesce(sum((one ->> 'shop_fen')::bigint), 0) AS released,
               coalesce(sum((one ->> 'fee_fen')::bigint), 0) AS fee
        FROM jsonb_array_elements(escrow -> 'releases') AS one
    ) AS went_on
),
booked AS NOT MATERIALIZED (  -- what the ledger says about the same money
    SELECT shop_id, stream_id AS id,
           sum(amount_fen) FILTER (WHERE credit = 'escrow') AS received,
           sum(CASE WHEN credit = 'escrow' THEN amount_fen WHEN debit = 'escrow' THEN -amount_fen ELSE 0 END) AS held,
           sum(amount_fen) FILTER (WHERE debit = 'escrow' AND credit = 'refund_payable') AS refunded,
           sum(amount_fen) FILTER (WHERE debit = 'escrow' AND credit = 'shop_pending') AS released,
           sum(amount_fen) FILTER (WHERE debit = 'escrow' AND credit = 'platform_fee') AS fee
    FROM ledger WHERE stream_kind = 'order' GROUP BY shop_id, stream_id
),
held AS NOT MATERIALIZED (  -- the codes that an order's own state holds; a replaced one stays opened for ever
    SELECT o.shop_id, o.id AS order_id, (one ->> 'code_id')::uuid AS code_id,
           CASE one ->> 'stage' WHEN 'replaced' THEN 'revealed' ELSE one ->> 'stage' END AS stage
    FROM orders o CROSS JOIN jsonb_array_elements(coalesce(o.state #> '{codes,held}', '[]')) AS one
),
named AS NOT MATERIALIZED (  -- the places that facts of a batch name, each range of them
    SELECT e.shop_id, e.stream_id AS batch_id, e.version, e.kind,
           int4range(split_part(part, '-', 1)::int, coalesce(nullif(split_part(part, '-', 2), ''), part)::int, '[]')
               AS places
    FROM events e
    CROSS JOIN LATERAL regexp_split_to_table(convert_from(body, 'UTF8')::json #>> '{public,places}', ',') AS part
    WHERE e.kind IN ('batch.codes_let_back', 'batch.codes_withdrawn', 'batch.held_withdrawn')
),
told AS NOT MATERIALIZED (  -- every movement of money that an event told the provider to make
    SELECT shop_id, stream_kind, stream_id, kind, convert_from(body, 'UTF8')::json -> 'public' AS public
    FROM events WHERE kind IN ('payment.refund_requested', 'payment.released', 'payment.payout_requested',
                               'payment.unmatched_refund_requested', 'payment.restoring', 'deposit.topped_up',
                               'deposit.released')
),
instructions AS NOT MATERIALIZED (  -- its key in the outbox, and its amount
    SELECT shop_id,
           concat_ws(':', CASE kind WHEN 'payment.released' THEN 'release' WHEN 'payment.payout_requested' THEN 'payout'
                                    WHEN 'payment.restoring' THEN 'restore' WHEN 'deposit.topped_up' THEN 'release'
                                    ELSE 'refund' END,
                     shop_id, stream_kind, stream_id,
                     coalesce(public ->> 'restore_no', public ->> 'top_up_no', public ->> 'return_no',
                              public ->> 'refund_no', public ->> 'release_no', '1'), public ->> 'attempt') AS key,
           coalesce(public ->> 'amount_fen', public ->> 'shop_fen') AS fen
    FROM told
)
"""

CHECKS: Final[tuple[_Check, ...]] = (
    _Check(
        "codes",
        "an order holds a code whose row says something else",
        """
        SELECT concat_ws(' ', 'shop', h.shop_id, 'order', h.order_id, 'code', h.code_id) FROM held h
        LEFT JOIN codes c ON c.shop_id = h.shop_id AND c.code_id = h.code_id
        WHERE c.code_id IS NULL OR c.order_id IS DISTINCT FROM h.order_id OR c.stage <> h.stage
        """,
    ),
    _Check(
        "codes",
        "a code's row names an order that does not hold it",
        """
        SELECT concat_ws(' ', 'shop', c.shop_id, 'code', c.code_id, 'order', c.order_id) FROM codes c
        LEFT JOIN held h ON h.shop_id = c.shop_id AND h.code_id = c.code_id AND h.order_id = c.order_id
        WHERE c.order_id IS NOT NULL AND h.code_id IS NULL
        """,
    ),
    _Check(
        "codes",
        "two live orders hold one code",
        """
        SELECT concat_ws(' ', 'shop', shop_id, 'code', code_id) FROM held h
        WHERE stage <> 'returned' GROUP BY shop_id, code_id HAVING count(*) > 1
        """,
    ),
    _Check(
        "codes",
        "a code that was opened is not kept as opened",
        """
        SELECT concat_ws(' ', 'shop', c.shop_id, 'code', c.code_id)
        FROM (SELECT shop_id, json_array_elements_text(convert_from(body, 'UTF8')::json #> '{public,codes}') AS code_id
              FROM events WHERE kind = 'code.revealed') AS opened
        JOIN codes c ON c.shop_id = opened.shop_id AND c.code_id = opened.code_id::uuid
        WHERE c.stage <> 'revealed'
        """,
    ),
    _Check(
        "codes",
        "a code is not in the vault",
        """
        SELECT concat_ws(' ', 'shop', c.shop_id, 'code', c.code_id) FROM codes c
        WHERE NOT EXISTS (SELECT FROM vault v WHERE v.shop_id = c.shop_id AND v.code_id = c.code_id)
        """,
    ),
    _Check(
        "codes",
        "a code in the vault has no fingerprint of its own",
        """
        SELECT concat_ws(' ', 'shop', v.shop_id, 'code', v.code_id) FROM vault v
        LEFT JOIN fingerprints f ON f.fingerprint = v.fingerprint
        WHERE (f.shop_id, f.code_id) IS DISTINCT FROM (v.shop_id, v.code_id)
        """,
    ),
    _Check(
        "stock",
        "the number in stock is not the number of free codes",
        """
        SELECT concat_ws(' ', 'shop', shop_id, 'listing', listing_id, 'shown', coalesce(s.free, 0), 'free',
                         coalesce(c.free, 0))
        FROM listing_stock s
        FULL JOIN (SELECT shop_id, listing_id, count(*) AS free FROM codes WHERE is_free GROUP BY 1, 2) AS c
        USING (shop_id, listing_id) WHERE coalesce(s.free, 0) <> coalesce(c.free, 0)
        """,
    ),
    _Check(
        "stock",
        "a code of a batch that a ruling took off sale is for sale, and nothing let it back",
        """
        SELECT concat_ws(' ', 'shop', c.shop_id, 'batch', c.batch_id, 'code', c.code_id) FROM codes c
        JOIN vault v ON v.shop_id = c.shop_id AND v.code_id = c.code_id
        JOIN (SELECT shop_id, stream_id, max(version) AS version FROM events
              WHERE kind = 'batch.quarantined' GROUP BY 1, 2) AS doubt
             ON doubt.shop_id = c.shop_id AND doubt.stream_id = c.batch_id
        LEFT JOIN LATERAL (
            SELECT range_agg(places) AS places FROM named
            WHERE named.shop_id = c.shop_id AND named.batch_id = c.batch_id
              AND named.kind = 'batch.codes_let_back' AND named.version > doubt.version
        ) AS back ON true
        WHERE c.is_free AND (v.position <@ back.places) IS NOT TRUE
        """,
    ),
    _Check(
        "stock",
        "a code that its shop took out for good is for sale",
        """
        SELECT concat_ws(' ', 'shop', c.shop_id, 'batch', c.batch_id, 'code', c.code_id) FROM codes c
        JOIN vault v ON v.shop_id = c.shop_id AND v.code_id = c.code_id
        JOIN (SELECT shop_id, batch_id, range_agg(places) AS places FROM named
              WHERE kind IN ('batch.codes_withdrawn', 'batch.held_withdrawn') GROUP BY 1, 2) AS gone
             ON gone.shop_id = c.shop_id AND gone.batch_id = c.batch_id
        WHERE c.is_free AND v.position <@ gone.places
        """,
    ),
    _Check(
        "stock",
        "the codes that wait after a ruling are not those that their batch says",
        """
        SELECT concat_ws(' ', 'shop', shop_id, 'batch', batch_id) FROM (
            SELECT c.shop_id, c.batch_id, range_agg(int4range(v.position, v.position, '[]')) AS places
            FROM codes c JOIN vault v ON v.shop_id = c.shop_id AND v.code_id = c.code_id
            WHERE c.stage = 'quarantined' GROUP BY 1, 2
        ) AS kept FULL JOIN (
            SELECT s.shop_id, s.id AS batch_id,
                   range_agg(int4range(split_part(part, '-', 1)::int,
                                       coalesce(nullif(split_part(part, '-', 2), ''), part)::int, '[]')) AS places
            FROM streams s CROSS JOIN LATERAL regexp_split_to_table(s.state #>> '{batch,quarantine,held}', ',') AS part
            WHERE s.kind = 'batch' AND s.state #>> '{batch,quarantine,held}' IS NOT NULL GROUP BY 1, 2
        ) AS told USING (shop_id, batch_id) WHERE kept.places IS DISTINCT FROM told.places
        """,
    ),
    _Check(
        "deadlines",
        "an order that has not ended has no deadline",
        """
        SELECT concat_ws(' ', 'shop', shop_id, 'order', id) FROM orders o
        WHERE (due_at IS NULL) <> (stage IN ('expired', 'completed', 'cancelled', 'refunded', 'partly_refunded'))
        """,
    ),
    _Check(
        "deadlines",
        "a deadline has passed and nothing happened: is a worker running?",
        "SELECT concat_ws(' ', 'shop', shop_id, kind, id, due_what, due_at) FROM streams WHERE due_at < $1",
        "warning",
    ),
    _Check(
        "money",
        "an order's money is not what it held, gave back, released and took as fee",
        """
        SELECT concat_ws(' ', 'shop', m.shop_id, 'order', m.id) FROM money m
        LEFT JOIN booked b ON b.shop_id = m.shop_id AND b.id = m.id
        WHERE m.received <> m.held + m.refunded + m.released + m.fee
           OR (m.received, m.held, m.refunded, m.released, m.fee)
              <> (coalesce(b.received, 0), coalesce(b.held, 0), coalesce(b.refunded, 0), coalesce(b.released, 0),
                  coalesce(b.fee, 0))
        """,
    ),
    _Check(
        "money",
        "more went back or to the shop than came in",
        "SELECT concat_ws(' ', 'shop', shop_id, 'order', id) FROM money m WHERE held < 0 OR refunded > received",
    ),
    _Check(
        "money",
        "a balance is below zero",
        "SELECT concat_ws(' ', 'shop', shop_id, account, currency) FROM ledger_accounts WHERE balance_fen < 0",
    ),
    _Check(
        "money",
        "a balance is not the sum of its rows",
        """
        SELECT concat_ws(' ', 'shop', shop_id, account, currency, 'kept', coalesce(kept.balance_fen, 0), 'rows',
                         coalesce(summed.fen, 0))
        FROM ledger_accounts kept FULL JOIN (
            SELECT shop_id, account, currency, sum(fen) AS fen FROM (
                SELECT shop_id, currency, debit AS account,
                       CASE debit WHEN 'provider_clearing' THEN amount_fen ELSE -amount_fen END AS fen FROM ledger
                UNION ALL
                SELECT shop_id, currency, credit,
                       CASE credit WHEN 'provider_clearing' THEN -amount_fen ELSE amount_fen END FROM ledger
            ) AS legs GROUP BY 1, 2, 3
        ) AS summed USING (shop_id, account, currency) WHERE coalesce(kept.balance_fen, 0) <> coalesce(summed.fen, 0)
        """,
    ),
    _Check(
        "money",
        "a deposit's or the pool's own state is not what its accounts hold",
        """
        SELECT concat_ws(' ', 'shop', shop_id, account, 'own', coalesce(own.fen, 0), 'kept', coalesce(balance_fen, 0))
        FROM (
            SELECT shop_id, 'deposit_free' AS account,
                   coalesce((state::json #>> '{deposit,free_fen}')::bigint, 0) AS fen
            FROM streams WHERE kind = 'deposit'
            UNION ALL
            SELECT shop_id, 'deposit_locked', coalesce((
                SELECT sum((one ->> 'amount_fen')::bigint)
                FROM json_array_elements(state::json #> '{deposit,releases}') AS one), 0)
                + coalesce((state::json #>> '{liquidation,kept_fen}')::bigint, 0)
                + coalesce((
                SELECT sum((one ->> 'share_fen')::bigint)
                FROM json_array_elements(state::json #> '{liquidation,unpaid}') AS one), 0)
            FROM streams WHERE kind = 'deposit'
            UNION ALL
            SELECT shop_id, 'stake', coalesce((
                SELECT sum(one.value::bigint) FROM json_each_text(state::json #> '{deposit,stakes}') AS one), 0)
            FROM streams WHERE kind = 'deposit'
            UNION ALL
            SELECT shop_id, 'guarantee_pool', coalesce((state::json #>> '{pool,balance_fen}')::bigint, 0)
            FROM streams WHERE kind = 'pool'
        ) AS own FULL JOIN (
            SELECT shop_id, account, balance_fen FROM ledger_accounts
            WHERE account IN ('deposit_free', 'deposit_locked', 'stake', 'guarantee_pool')
        ) AS kept USING (shop_id, account) WHERE coalesce(own.fen, 0) <> coalesce(balance_fen, 0)
        """,
    ),
    _Check(
        "money",
        "what stands for arbitrators is not what buyers lost of their stakes",
        """
        SELECT concat_ws(' ', 'shop', shop_id, 'orders', coalesce(own.fen, 0), 'kept', coalesce(balance_fen, 0))
        FROM (
            SELECT shop_id, sum(coalesce((state::jsonb #>> '{escrow,stake_fen}')::bigint, 0)) AS fen FROM streams
            WHERE kind = 'order' AND state::text LIKE '%"stake_fen":%' GROUP BY shop_id
        ) AS own FULL JOIN (
            SELECT shop_id, balance_fen FROM ledger_accounts WHERE account = 'arbitration'
        ) AS kept USING (shop_id) WHERE coalesce(own.fen, 0) <> coalesce(balance_fen, 0)
        """,
    ),
    _Check(
        "money",
        "what is open at a shop is not the sum of its open orders",
        """
        SELECT concat_ws(' ', 'shop', shop_id, 'kept', coalesce(kept.fen, 0), 'orders', coalesce(summed.fen, 0))
        FROM (SELECT shop_id, fen FROM shop_sums WHERE name = 'open') AS kept
        FULL JOIN (
            SELECT shop_id, sum(amount_fen) AS fen FROM orders
            WHERE stage IN ('placed', 'paid', 'delivered', 'disputed') GROUP BY shop_id
        ) AS summed USING (shop_id) WHERE coalesce(kept.fen, 0) <> coalesce(summed.fen, 0)
        """,
    ),
    _Check(
        "money",
        "a ledger row is no pair of two accounts with an amount, or comes from no event",
        """
        SELECT concat_ws(' ', 'shop', l.shop_id, l.stream_kind, l.stream_id, l.version, l.row_no) FROM ledger l
        LEFT JOIN events e USING (shop_id, stream_kind, stream_id, version)
        WHERE l.debit = l.credit OR l.amount_fen <= 0 OR e.kind IS NULL
        """,
    ),
    _Check(
        "delivery",
        "codes were delivered for an order that nobody paid",
        """
        SELECT DISTINCT concat_ws(' ', 'shop', h.shop_id, 'order', h.order_id) FROM held h
        WHERE h.stage IN ('delivered', 'revealed') AND NOT EXISTS (
            SELECT FROM events e WHERE e.shop_id = h.shop_id AND e.stream_kind = 'order' AND e.stream_id = h.order_id
              AND e.kind = 'order.paid')
        """,
    ),
    _Check(
        "delivery",
        "an order that was delivered has fewer codes than units",
        """
        SELECT concat_ws(' ', 'shop', o.shop_id, 'order', o.id) FROM orders o
        WHERE o.stage IN ('delivered', 'disputed', 'completed') AND o.quantity <> (
            SELECT count(*) FROM jsonb_array_elements(coalesce(o.state #> '{codes,held}', '[]')) AS one
            WHERE one ->> 'stage' IN ('delivered', 'revealed'))
        """,
    ),
    _Check(
        "delivery",
        "an open order that was paid does not hold its price",
        """
        SELECT concat_ws(' ', 'shop', shop_id, 'order', id) FROM money m
        WHERE stage IN ('paid', 'delivered', 'disputed') AND held <> amount_fen
        """,
    ),
    _Check(
        "delivery",
        "an order has ended and money is still held for it",
        """
        SELECT concat_ws(' ', 'shop', shop_id, 'order', id) FROM money m
        WHERE stage IN ('expired', 'completed', 'cancelled', 'refunded', 'partly_refunded') AND held <> 0
        """,
    ),
    _Check(
        "delivery",
        "the price is there and the order was not taken as paid",
        """
        SELECT concat_ws(' ', 'shop', shop_id, 'order', id) FROM money m
        WHERE stage = 'placed' AND held >= amount_fen
        """,
    ),
    _Check(
        "history",
        "a stream's versions have a gap",
        """
        SELECT concat_ws(' ', 'shop', shop_id, stream_kind, stream_id) FROM events
        GROUP BY shop_id, stream_kind, stream_id HAVING min(version) <> 1 OR max(version) <> count(*)
        """,
    ),
    _Check(
        "history",
        "an event does not name the one before it",
        """
        SELECT concat_ws(' ', 'shop', shop_id, stream_kind, stream_id, version) FROM (
            SELECT shop_id, stream_kind, stream_id, version, convert_from(body, 'UTF8')::json ->> 'prev' AS prev,
                   lag(leaf_hash) OVER (PARTITION BY shop_id, stream_kind, stream_id ORDER BY version) AS before
            FROM events
        ) AS chain WHERE prev <> coalesce(encode(before, 'hex'), '')
        """,
    ),
    _Check(
        "history",
        "a leaf hash is not that of the event's bytes",
        """
        SELECT concat_ws(' ', 'shop', shop_id, stream_kind, stream_id, version) FROM events
        WHERE leaf_hash <> sha256('\\x00'::bytea || body)
        """,
    ),
    _Check(
        "history",
        "an entry of the public log is not the event it was made from",
        """
        SELECT concat_ws(' ', 'log', l.log_no, 'entry', l.log_index) FROM log_entries l
        LEFT JOIN events e ON e.recorded = l.recorded WHERE e.leaf_hash IS DISTINCT FROM l.leaf_hash
        """,
    ),
    _Check(
        "history",
        "the public log has a gap, or a head covers more than it has",
        """
        SELECT concat_ws(' ', 'log', log_no) FROM logs
        LEFT JOIN (SELECT log_no, count(*) AS entries, max(log_index) + 1 AS size FROM log_entries GROUP BY 1) AS l
             USING (log_no)
        LEFT JOIN (SELECT log_no, max(size) AS signed FROM log_heads GROUP BY 1) AS h USING (log_no)
        WHERE l.entries <> l.size OR h.signed > coalesce(l.size, 0)
        """,
    ),
    _Check(
        "history",
        "the public log has passed over an event",
        """
        SELECT concat_ws(' ', 'shop', e.shop_id, e.stream_kind, e.stream_id, e.version)
        FROM events e CROSS JOIN (
            SELECT log_no, max(recorded) AS last FROM log_entries
            WHERE log_no = (SELECT max(log_no) FROM logs) GROUP BY log_no
        ) AS newest
        WHERE e.at < $1 AND e.recorded < newest.last
          AND NOT EXISTS (SELECT FROM log_entries l WHERE l.log_no = newest.log_no AND l.recorded = e.recorded)
        """,
    ),
    _Check(
        "history",
        "a row is not where its last event left it",
        """
        SELECT concat_ws(' ', 'shop', coalesce(s.shop_id, e.shop_id), coalesce(s.kind, e.stream_kind),
                         coalesce(s.id, e.stream_id))
        FROM streams s FULL JOIN (
            SELECT DISTINCT ON (shop_id, stream_kind, stream_id) shop_id, stream_kind, stream_id, version, leaf_hash
            FROM events ORDER BY shop_id, stream_kind, stream_id, version DESC
        ) AS e ON e.shop_id = s.shop_id AND e.stream_kind = s.kind AND e.stream_id = s.id
        WHERE (s.version, s.head) IS DISTINCT FROM (e.version, e.leaf_hash)
        """,
    ),
    _Check(
        "history",
        "a sealed text is gone that nobody erased",
        """
        SELECT concat_ws(' ', 'shop', e.shop_id, e.stream_kind, e.stream_id, e.version) FROM events e
        LEFT JOIN sealed_fields f USING (shop_id, stream_kind, stream_id, version)
        LEFT JOIN erased_streams g USING (shop_id, stream_kind, stream_id)
        WHERE f.shop_id IS NULL AND g.shop_id IS NULL AND position('"sealed":{}'::bytea IN e.body) = 0
        """,
    ),
    _Check(
        "refunds",
        "more goes back of a payment than it was",
        """
        SELECT concat_ws(' ', 'shop', o.shop_id, 'order', o.id, 'payment', back.txn) FROM orders o
        CROSS JOIN LATERAL (
            SELECT one ->> 'provider' AS provider, one ->> 'provider_txn' AS txn,
                   sum((one ->> 'amount_fen')::bigint) AS fen
            FROM (SELECT jsonb_array_elements(o.state #> '{escrow,refunds}') AS one
                  UNION ALL SELECT jsonb_array_elements(o.state #> '{restored,all}')) AS back GROUP BY 1, 2
        ) AS back
        WHERE back.fen > coalesce((
            SELECT sum((one ->> 'amount_fen')::bigint)
            FROM jsonb_array_elements(o.state #> '{escrow,received}') AS one
            WHERE one ->> 'provider' = back.provider AND one ->> 'provider_txn' = back.txn), 0)
        """,
    ),
    _Check(
        "refunds",
        "money that was told to move has no instruction to the provider, or another than was told",
        """
        SELECT concat_ws(' ', 'shop', i.shop_id, i.key) FROM instructions i
        LEFT JOIN effects f ON f.shop_id = i.shop_id AND f.key = i.key
        WHERE f.key IS NULL OR f.payload ->> 'amount_fen' <> i.fen
        """,
    ),
    _Check(
        "refunds",
        "the provider has an instruction that no event gave",
        """
        SELECT concat_ws(' ', 'shop', f.shop_id, f.key) FROM effects f
        LEFT JOIN instructions i ON i.shop_id = f.shop_id AND i.key = f.key
        WHERE f.kind IN ('refund', 'release', 'payout', 'refund_unmatched', 'restore', 'deposit_secure',
                         'deposit_return')
          AND i.key IS NULL
        """,
    ),
    _Check(
        "deadlines",
        "a clock stood in no outage of its issuer, or clocks of an order for more than 72 hours",
        """
        SELECT DISTINCT concat_ws(' ', 'shop', s.shop_id, 'order', s.id)
        FROM (
            SELECT o.shop_id, o.id, t.stop ->> 'issuer_id' AS issuer_id, (t.stop ->> 'outage_no')::int AS outage_no,
                   (t.stop ->> 'from_ms')::bigint AS from_ms,
                   sum((t.stop ->> 'by_ms')::bigint) OVER (PARTITION BY o.shop_id, o.id) AS stood_ms
            FROM streams o CROSS JOIN LATERAL (
                SELECT json_array_elements(o.state #> '{order,stops}') AS stop
                UNION ALL SELECT json_array_elements(o.state #> '{complaint,stops}')
            ) AS t
            WHERE o.kind = 'order'
        ) AS s
        LEFT JOIN (
            SELECT i.id::text AS issuer_id, (u.one ->> 'outage_no')::int AS outage_no,
                   (u.one ->> 'began_at_ms')::bigint AS began_at_ms
            FROM streams i CROSS JOIN LATERAL json_array_elements(i.state #> '{outages,all}') AS u (one)
            WHERE i.kind = 'issuer'
        ) AS o USING (issuer_id, outage_no)
        WHERE o.began_at_ms IS NULL OR s.from_ms < o.began_at_ms OR s.stood_ms > 259200000
        """,
    ),
    _Check(
        "answers",
        "what was written for a command was never answered",
        """
        SELECT DISTINCT concat_ws(' ', 'shop', e.shop_id, 'command', e.command_id) FROM events e
        WHERE e.at >= (SELECT coalesce(min(at), 'infinity') FROM answers)
          AND NOT EXISTS (SELECT FROM answers a WHERE a.command_id = e.command_id)
        """,
    ),
    _Check(
        "answers",
        "an answer tells of something that is not there",
        """
        SELECT concat_ws(' ', 'command', a.command_id) FROM answers a
        LEFT JOIN (SELECT command_id, count(*) AS events FROM events GROUP BY command_id) AS e USING (command_id)
        WHERE json_array_length(coalesce(a.answer -> 'kinds', '[]')) <> coalesce(e.events, 0)
        """,
    ),
)


async def audit(pool: asyncpg.Pool, now_ms: int, *, overdue_after_ms: int = OVERDUE_AFTER_MS) -> list[Violation]:
    """Everything that is off at one moment, beside the running house; at most `SHOWN_EACH_MAX` of each sort.

    An empty list, or one of warnings only, is a clean audit.
    """
    found: list[Violation] = []
    async with pool.acquire() as db, db.transaction(isolation="repeatable_read", readonly=True):
        for check in CHECKS:
            arguments = [moment(now_ms - overdue_after_ms)] if "$1" in check.sql else []
            rows = await db.fetch(f"{_SHARED} {check.sql} LIMIT {SHOWN_EACH_MAX}", *arguments)
            found.extend(Violation(check.invariant, check.what, row[0], check.level) for row in rows)
    return found


def is_clean(found: Sequence[Violation]) -> bool:
    """Whether no promise is broken."""
    return all(one.level == "warning" for one in found)
