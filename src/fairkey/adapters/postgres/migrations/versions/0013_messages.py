"""What the parties write to each other about an order.

Revision ID: 0013
Revises: 0012
"""

from fairkey.adapters.postgres.migrate import run_sql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = ()


def upgrade() -> None:
    """Make the tables."""
    for statement in STATEMENTS:
        run_sql(statement)


def downgrade() -> None:
    """Drop them."""
