"""Deposits, the guarantee pool and what of a shop is unsettled.

Revision ID: 0015
Revises: 0014
"""

from fairkey.adapters.postgres.migrate import run_sql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = ()


def upgrade() -> None:
    """Make the tables."""
    for statement in STATEMENTS:
        run_sql(statement)


def downgrade() -> None:
    """Drop them."""
