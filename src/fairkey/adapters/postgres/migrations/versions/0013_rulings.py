"""What judging asks about the past of a shop and of a buyer, found by index.

Revision ID: 0013
Revises: 0012
"""

from fairkey.adapters.postgres.migrate import run_sql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = (
    "CREATE INDEX events_rulings ON events (shop_id, at) WHERE kind = 'dispute.ruled'",
    "CREATE INDEX completed_of_buyer ON streams (buyer_key) WHERE kind = 'order' AND stage = 'completed'",
)


def upgrade() -> None:
    """Make the indexes."""
    for statement in STATEMENTS:
        run_sql(statement)


def downgrade() -> None:
    """Drop them."""
    run_sql("DROP INDEX completed_of_buyer, events_rulings")
