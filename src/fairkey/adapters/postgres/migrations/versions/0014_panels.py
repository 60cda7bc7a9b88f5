"""Arbitrators and panels are streams; pages and the worker look for those that are active or open.

Revision ID: 0014
Revises: 0013
"""

from fairkey.adapters.postgres.migrate import run_sql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = (
    """
    CREATE INDEX streams_panels_open ON streams (created_at)
    WHERE kind = 'panel' AND stage NOT IN ('decided', 'lapsed')
    """,
    "CREATE INDEX streams_arbitrators ON streams (stage) WHERE kind = 'arbitrator'",
)


def upgrade() -> None:
    """Make the indexes."""
    for statement in STATEMENTS:
        run_sql(statement)


def downgrade() -> None:
    """Drop them."""
    run_sql("DROP INDEX streams_panels_open, streams_arbitrators")
