"""Codes that a ruling took off sale wait in a stage of their own.

Revision ID: 0019
Revises: 0018
"""

from fairkey.adapters.postgres.migrate import run_sql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = (
    "ALTER TABLE codes DROP CONSTRAINT codes_stage_check, DROP CONSTRAINT nobody_holds_a_free_code",
    """
    ALTER TABLE codes
        ADD CONSTRAINT codes_stage_check CHECK (
            stage IN ('free', 'reserved', 'delivered', 'revealed', 'returned', 'withdrawn', 'quarantined')),
        ADD CONSTRAINT nobody_holds_a_free_code CHECK (
            (order_id IS NULL) = (stage IN ('free', 'withdrawn', 'quarantined')))
    """,
)


def upgrade() -> None:
    """Allow the stage."""
    for statement in STATEMENTS:
        run_sql(statement)


def downgrade() -> None:
    """Forbid it again: what waits becomes its shop's own, as before."""
    run_sql("UPDATE codes SET stage = 'withdrawn' WHERE stage = 'quarantined'")
    run_sql("ALTER TABLE codes DROP CONSTRAINT codes_stage_check, DROP CONSTRAINT nobody_holds_a_free_code")
    run_sql(
        """
        ALTER TABLE codes
            ADD CONSTRAINT codes_stage_check CHECK (
                stage IN ('free', 'reserved', 'delivered', 'revealed', 'returned', 'withdrawn')),
            ADD CONSTRAINT nobody_holds_a_free_code CHECK ((order_id IS NULL) = (stage IN ('free', 'withdrawn')))
        """
    )
