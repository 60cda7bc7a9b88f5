"""What of a shop's orders is unsettled, as sums that an order's own transaction keeps.

Revision ID: 0015
Revises: 0014
"""

from fairkey.adapters.postgres.migrate import run_sql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = (
    """
    CREATE TABLE shop_sums (
        shop_id uuid   NOT NULL,
        name    text   NOT NULL,  -- open, clean, day:NNNNNN (days since the epoch)
        fen     bigint NOT NULL,
        PRIMARY KEY (shop_id, name),
        CONSTRAINT no_sum_below_zero CHECK (fen >= 0)
    ) WITH (fillfactor = 50)
    """,
    """
    INSERT INTO shop_sums (shop_id, name, fen)
    SELECT shop_id, 'open', sum(amount_fen) FROM streams
    WHERE kind = 'order' AND stage IN ('placed', 'paid', 'delivered', 'disputed') GROUP BY shop_id
    """,
    """
    INSERT INTO shop_sums (shop_id, name, fen)
    SELECT shop_id, name, sum(amount_fen) FROM (
        SELECT shop_id, amount_fen,
               'day:' || lpad(((state::json #>> '{order,ended_at_ms}')::bigint / 86400000)::text, 6, '0') AS day,
               state::json #>> '{order,ended_by}' AS ended_by
        FROM streams WHERE kind = 'order' AND stage = 'completed'
    ) AS ended
    CROSS JOIN LATERAL (VALUES (day), (CASE WHEN ended_by IN ('buyer', 'clock') THEN 'clean' END)) AS of (name)
    WHERE name IS NOT NULL GROUP BY 1, 2
    """,
)


def upgrade() -> None:
    """Make the tables."""
    for statement in STATEMENTS:
        run_sql(statement)


def downgrade() -> None:
    """Drop them."""
    run_sql("DROP TABLE shop_sums")
