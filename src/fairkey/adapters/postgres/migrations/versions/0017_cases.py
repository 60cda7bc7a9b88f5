"""Outside cases kept for accounts, sealed.

Revision ID: 0017
Revises: 0016
"""

from fairkey.adapters.postgres.migrate import run_sql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = ()


def upgrade() -> None:
    """Make the tables."""
    for statement in STATEMENTS:
        run_sql(statement)


def downgrade() -> None:
    """Drop them."""
