"""Trusted timestamps over checkpoints.

Revision ID: 0007
Revises: 0006
"""

from fairkey.adapters.postgres.migrate import run_sql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE log_tokens (
        log_no integer NOT NULL,
        size bigint NOT NULL,
        tsa text NOT NULL CHECK (length(tsa) BETWEEN 1 AND 80),
        token bytea NOT NULL CHECK (length(token) BETWEEN 1 AND 65536),
        serial text NOT NULL,
        gen_time timestamptz NOT NULL,
        PRIMARY KEY (log_no, size, tsa),
        FOREIGN KEY (log_no, size) REFERENCES log_heads
    )
    """,
    "COMMENT ON TABLE log_tokens IS 'RFC 3161 tokens (raw DER) over the text of published checkpoints'",
)


def upgrade() -> None:
    """Make the table."""
    run_sql(";\n".join(STATEMENTS))


def downgrade() -> None:
    """Drop it."""
    run_sql("DROP TABLE log_tokens")
