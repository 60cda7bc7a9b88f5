"""What was erased of whom and when.

Revision ID: 0008
Revises: 0007
"""

from fairkey.adapters.postgres.migrate import run_sql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE erasures (
        erasure_id uuid PRIMARY KEY,
        basis text NOT NULL CHECK (basis IN ('request', 'retention')),
        state text NOT NULL CHECK (state IN ('planned', 'shredded', 'told')),
        plan json,
        counts json NOT NULL,
        planned_at timestamptz NOT NULL,
        shredded_at timestamptz,
        told_at timestamptz,
        CONSTRAINT a_plan_goes_with_what_it_names CHECK ((plan IS NULL) = (state <> 'planned'))
    )
    """,
    "CREATE INDEX erasures_unfinished ON erasures (planned_at) WHERE state <> 'told'",
    "COMMENT ON TABLE erasures IS 'that something was erased, when and how much of it; never whose'",
    """
    CREATE TABLE erased_streams (
        shop_id uuid NOT NULL,
        stream_kind text NOT NULL,
        stream_id uuid NOT NULL,
        erasure_id uuid NOT NULL REFERENCES erasures,
        PRIMARY KEY (shop_id, stream_kind, stream_id)
    )
    """,
    """
    CREATE TABLE restricted_streams (
        shop_id uuid NOT NULL,
        stream_kind text NOT NULL,
        stream_id uuid NOT NULL,
        restricted_at timestamptz NOT NULL,
        PRIMARY KEY (shop_id, stream_kind, stream_id)
    )
    """,
    "ALTER TABLE vault ALTER COLUMN sealed DROP NOT NULL",
    "COMMENT ON COLUMN vault.sealed IS 'text and salt of the code; empty once they were erased'",
    "COMMENT ON TABLE restricted_streams IS 'kept because the law says so; shown and written to no more'",
)


def upgrade() -> None:
    """Make the tables."""
    run_sql(";\n".join(STATEMENTS))


def downgrade() -> None:
    """Drop them. Codes that were erased stay erased."""
    run_sql("DROP TABLE restricted_streams, erased_streams, erasures")
