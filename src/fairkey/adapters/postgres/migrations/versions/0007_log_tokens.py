"""Trusted timestamps over checkpoints.

Revision ID: 0007
Revises: 0006
"""

from fairkey.adapters.postgres.migrate import run_sql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = ()


def upgrade() -> None:
    """Make the tables."""
    if STATEMENTS:
        run_sql(";\n".join(STATEMENTS))


def downgrade() -> None:
    """Drop them."""
