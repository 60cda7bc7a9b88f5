"""Issuers and what they attest.

Revision ID: 0006
Revises: 0005
"""

from fairkey.adapters.postgres.migrate import run_sql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = ()


def upgrade() -> None:
    """Make the tables."""
    if STATEMENTS:
        run_sql(";\n".join(STATEMENTS))


def downgrade() -> None:
    """Drop them."""
