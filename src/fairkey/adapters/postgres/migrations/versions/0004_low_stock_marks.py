"""Reminders of a shop's people: below which stock of a listing their desk says so.

Revision ID: 0004
Revises: 0003
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        """
        CREATE TABLE low_stock_marks (
            shop_id uuid NOT NULL,
            listing_id uuid NOT NULL,
            below integer NOT NULL CHECK (below BETWEEN 1 AND 100000),
            PRIMARY KEY (shop_id, listing_id)
        )
        """
    )


def downgrade() -> None:
    """Drop it."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP TABLE low_stock_marks")
