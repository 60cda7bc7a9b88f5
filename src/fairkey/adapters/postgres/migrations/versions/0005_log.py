"""The public log: whose keys, which event has which index, which heads were signed and published.

Revision ID: 0005
Revises: 0004
"""

from fairkey.adapters.postgres.migrate import run_sql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE logs (
        log_no integer PRIMARY KEY CHECK (log_no > 0),
        origin text NOT NULL UNIQUE,
        vkey text NOT NULL,
        sealed_seed bytea NOT NULL,
        why text NOT NULL,
        created_at timestamptz NOT NULL
    )
    """,
    "COMMENT ON TABLE logs IS 'one row an origin; the highest number is the log that is written now'",
    """
    CREATE TABLE log_lease (
        is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
        epoch bigint NOT NULL
    )
    """,
    "INSERT INTO log_lease (epoch) VALUES (0)",
    """
    CREATE TABLE log_entries (
        log_no integer NOT NULL REFERENCES logs,
        log_index bigint NOT NULL CHECK (log_index >= 0),
        recorded bigint NOT NULL,
        leaf_hash bytea NOT NULL CHECK (length(leaf_hash) = 32),
        PRIMARY KEY (log_no, log_index),
        CONSTRAINT an_event_is_logged_once UNIQUE (log_no, recorded)
    )
    """,
    """
    CREATE TABLE log_heads (
        log_no integer NOT NULL REFERENCES logs,
        size bigint NOT NULL CHECK (size >= 0),
        root bytea NOT NULL CHECK (length(root) = 32),
        note bytea NOT NULL,
        epoch bigint NOT NULL,
        signed_at timestamptz NOT NULL,
        cosigned bytea,
        published_at timestamptz,
        PRIMARY KEY (log_no, size),
        CHECK ((cosigned IS NULL) = (published_at IS NULL))
    )
    """,
    "COMMENT ON COLUMN log_heads.note IS 'signed by the log alone; one head a size, for ever'",
)


def upgrade() -> None:
    """Make the tables."""
    run_sql(";\n".join(STATEMENTS))


def downgrade() -> None:
    """Drop them."""
    run_sql("DROP TABLE log_heads, log_entries, log_lease, logs")
