"""What was erased of whom and when.

Revision ID: 0008
Revises: 0007
"""

from fairkey.adapters.postgres.migrate import run_sql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = ()


def upgrade() -> None:
    """Make the tables."""
    if STATEMENTS:
        run_sql(";\n".join(STATEMENTS))


def downgrade() -> None:
    """Drop them."""
