"""Files of evidence and what is known about them.

Revision ID: 0012
Revises: 0011
"""

from fairkey.adapters.postgres.migrate import run_sql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = ()


def upgrade() -> None:
    """Make the tables."""
    for statement in STATEMENTS:
        run_sql(statement)


def downgrade() -> None:
    """Drop them."""
