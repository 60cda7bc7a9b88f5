"""What a shop's credit is computed from, for its pages.

Revision ID: 0016
Revises: 0015
"""

from fairkey.adapters.postgres.migrate import run_sql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = ()


def upgrade() -> None:
    """Make the tables."""
    for statement in STATEMENTS:
        run_sql(statement)


def downgrade() -> None:
    """Drop them."""
