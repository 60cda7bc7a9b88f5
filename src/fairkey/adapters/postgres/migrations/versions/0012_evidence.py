"""Files of evidence and what is known about them.

Revision ID: 0012
Revises: 0011
"""

from fairkey.adapters.postgres.migrate import run_sql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = (
    """
    CREATE TABLE evidence_files (
        address bytea PRIMARY KEY CHECK (octet_length(address) = 32),
        shop_id uuid NOT NULL,
        order_id uuid NOT NULL,
        evidence_id uuid NOT NULL,
        mark bigint,
        preview bytea CHECK (octet_length(preview) <= 1048576),
        kept_at timestamptz NOT NULL,
        UNIQUE (shop_id, order_id, evidence_id)
    )
    """,
    "COMMENT ON TABLE evidence_files IS 'where files of evidence lie; previews are sealed under the file''s own key'",
    "COMMENT ON COLUMN evidence_files.mark IS 'how a picture looks, 64 bits: a hint that it was seen before'",
)


def upgrade() -> None:
    """Make the tables."""
    for statement in STATEMENTS:
        run_sql(statement)


def downgrade() -> None:
    """Drop them."""
    run_sql("DROP TABLE evidence_files")
