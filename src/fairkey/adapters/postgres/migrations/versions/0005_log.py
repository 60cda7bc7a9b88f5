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
        seed_sealed bytea NOT NULL,
        why text NOT NULL,
        created_at timestamptz NOT NULL
    )
    """,
    "COMMENT ON TABLE logs IS 'one row an origin; the highest number is the log that is written now'",
    """
    CREATE TABLE log_lease (
        is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
        epoch bigint NOT NULL,
        floor bigint NOT NULL DEFAULT 0,
        refusal text NOT NULL DEFAULT '',
        answers json NOT NULL DEFAULT '{}'
    )
    """,
    """
    COMMENT ON COLUMN log_lease.floor
    IS 'every event recorded up to this number has an index in the newest log, and none can still appear'
    """,
    "COMMENT ON COLUMN log_lease.refusal IS 'why nothing is signed now; empty when all is well'",
    "COMMENT ON COLUMN log_lease.answers IS 'name of a witness -> what it last answered'",
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
    "CREATE INDEX log_heads_published ON log_heads (log_no, size) WHERE published_at IS NOT NULL",
    "CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON log_entries FOR EACH ROW EXECUTE FUNCTION facts_are_kept()",
    """
    CREATE FUNCTION heads_are_kept() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' AND OLD.cosigned IS NULL
           AND (OLD.log_no, OLD.size, OLD.root, OLD.note) = (NEW.log_no, NEW.size, NEW.root, NEW.note) THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'a signed head is never changed or deleted' USING ERRCODE = 'check_violation';
    END $$
    """,
    "CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON log_heads FOR EACH ROW EXECUTE FUNCTION heads_are_kept()",
    # The order of the log rests on this: whoever has drawn a number for `recorded` is seen in every snapshot until he
    # has committed or given up. A transaction without an id is seen in none, so it gets one before it draws.
    """
    CREATE FUNCTION seen_before_it_is_numbered() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_current_xact_id();
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER seen_first BEFORE INSERT ON events
    FOR EACH STATEMENT EXECUTE FUNCTION seen_before_it_is_numbered()
    """,
)


def upgrade() -> None:
    """Make the tables."""
    run_sql(";\n".join(STATEMENTS))


def downgrade() -> None:
    """Drop them."""
    run_sql(
        "DROP TRIGGER seen_first ON events; DROP FUNCTION seen_before_it_is_numbered;"
        "DROP TABLE log_heads, log_entries, log_lease, logs; DROP FUNCTION heads_are_kept"
    )
