"""Issuers and what they attest.

Revision ID: 0006
Revises: 0005
"""

from fairkey.adapters.postgres.migrate import run_sql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = (
    """
    CREATE TABLE issuer_statements (
        issuer_id uuid NOT NULL,
        statement_key text NOT NULL,
        text_hash bytea NOT NULL,
        claimed_at timestamptz NOT NULL,
        PRIMARY KEY (issuer_id, statement_key)
    )
    """,
    """
    COMMENT ON TABLE issuer_statements
    IS 'each id of a statement stands for one text, for ever; ids and texts as keyed hashes'
    """,
    "CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON issuer_statements FOR EACH ROW EXECUTE FUNCTION facts_are_kept()",
)


def upgrade() -> None:
    """Make the tables."""
    run_sql(";\n".join(STATEMENTS))


def downgrade() -> None:
    """Drop them."""
    run_sql("DROP TABLE issuer_statements")
