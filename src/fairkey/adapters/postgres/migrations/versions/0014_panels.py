"""Arbitrators, their calibration and their panels.

Revision ID: 0014
Revises: 0013
"""

from fairkey.adapters.postgres.migrate import run_sql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = ()


def upgrade() -> None:
    """Make the tables."""
    for statement in STATEMENTS:
        run_sql(statement)


def downgrade() -> None:
    """Drop them."""
