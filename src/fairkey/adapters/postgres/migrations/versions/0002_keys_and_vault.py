"""Data keys; the vault of sealed codes; fingerprints over the whole platform; imports and what they refused.

A row of `vault` without a row in `codes` is staged: not for sale, and dropped when its import is never registered.
Everything carries the shop first, but `fingerprints`: a code is unique over the whole platform, so it is its own
small table with its own key.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    "SET LOCAL lock_timeout = '5s'",
    """
    CREATE TABLE data_keys (
        key_id integer PRIMARY KEY CHECK (key_id > 0),
        purpose text NOT NULL,
        wrapped bytea NOT NULL,
        created_at timestamptz NOT NULL,
        usable_at timestamptz NOT NULL,  -- new values are sealed under the newest key that is usable
        retired_at timestamptz           -- no row is sealed under it any more
    )
    """,
    # What a keyed hash made is looked up for ever, so there is one such key and no second.
    """
    CREATE UNIQUE INDEX data_keys_one_for_hashing ON data_keys (purpose)
        WHERE purpose NOT IN ('codes', 'contacts')
    """,
    """
    CREATE TABLE vault (
        shop_id uuid NOT NULL,
        code_id uuid NOT NULL,
        batch_id uuid NOT NULL,
        position integer NOT NULL CHECK (position >= 0),
        sealed bytea NOT NULL,           -- salt and text, AES-256-GCM, the code id as associated data
        commitment bytea NOT NULL CHECK (length(commitment) = 32),
        fingerprint bytea NOT NULL CHECK (length(fingerprint) = 32),
        custody smallint NOT NULL CHECK (custody IN (0, 1, 2)),
        PRIMARY KEY (shop_id, code_id)
    )
    """,
    "CREATE UNIQUE INDEX vault_batch ON vault (shop_id, batch_id, position)",
    """
    CREATE TABLE fingerprints (
        fingerprint bytea PRIMARY KEY,
        shop_id uuid NOT NULL,
        code_id uuid NOT NULL
    )
    """,
    # A code in the vault is what it was on the day it was deposited. Only its seal may be renewed, and only while it
    # is not for
    # sale may it be dropped.
    """
    CREATE FUNCTION vault_keeps_its_codes() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            IF (OLD.shop_id, OLD.code_id, OLD.batch_id, OLD.position, OLD.commitment, OLD.fingerprint, OLD.custody)
               IS DISTINCT FROM
               (NEW.shop_id, NEW.code_id, NEW.batch_id, NEW.position, NEW.commitment, NEW.fingerprint, NEW.custody) THEN
                RAISE EXCEPTION 'only the seal of a vault row may change'
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        END IF;
        IF EXISTS (SELECT FROM codes WHERE codes.shop_id = OLD.shop_id AND codes.code_id = OLD.code_id) THEN
            RAISE EXCEPTION 'a registered code stays in the vault' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN OLD;
    END
    $$
    """,
    """
    CREATE TRIGGER vault_keeps_its_codes BEFORE UPDATE OR DELETE ON vault
        FOR EACH ROW EXECUTE FUNCTION vault_keeps_its_codes()
    """,
    """
    CREATE TABLE imports (
        shop_id uuid NOT NULL,
        import_id uuid NOT NULL,         -- the batch it becomes
        listing_id uuid,                 -- none for codes typed for an order
        state text NOT NULL CHECK (state IN ('receiving', 'staged', 'registered', 'failed', 'abandoned')),
        attempt integer NOT NULL,        -- a restarted import gets the next number; an older run stops
        file_name text NOT NULL,
        note text NOT NULL,
        source text NOT NULL,
        invoice_sha256 bytea CHECK (length(invoice_sha256) = 32),
        custody smallint NOT NULL CHECK (custody IN (0, 1, 2)),
        by_account text NOT NULL,
        encoding text NOT NULL DEFAULT '',
        delimiter text NOT NULL DEFAULT '',
        columns_taken text[] NOT NULL DEFAULT '{}',
        columns_ignored text[] NOT NULL DEFAULT '{}',
        bytes_read bigint NOT NULL DEFAULT 0,
        lines_read integer NOT NULL DEFAULT 0,
        empty integer NOT NULL DEFAULT 0,
        accepted integer NOT NULL DEFAULT 0,
        refused integer NOT NULL DEFAULT 0,              -- all that were not taken, duplicates among them
        duplicate_in_file integer NOT NULL DEFAULT 0,
        duplicate_elsewhere integer NOT NULL DEFAULT 0,
        root bytea CHECK (length(root) = 32),            -- Merkle root over the commitments in order of position
        error text NOT NULL DEFAULT '',
        started_at timestamptz NOT NULL,
        touched_at timestamptz NOT NULL,
        finished_at timestamptz,
        PRIMARY KEY (shop_id, import_id)
    )
    """,
    "CREATE INDEX imports_unfinished ON imports (touched_at) WHERE state IN ('receiving', 'staged')",
    "CREATE INDEX imports_of_listing ON imports (shop_id, listing_id, started_at)",
    """
    CREATE TABLE import_refusals (
        shop_id uuid NOT NULL,
        import_id uuid NOT NULL,
        line_no integer NOT NULL,
        reason text NOT NULL,
        hint text NOT NULL,              -- masked: never the code
        same_as_line integer,            -- of a duplicate in the file
        PRIMARY KEY (shop_id, import_id, line_no)
    )
    """,
)


def upgrade() -> None:
    """Make the tables."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Drop the tables. What they held is gone."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP TABLE import_refusals, imports, fingerprints, vault, data_keys")
    op.execute("DROP FUNCTION vault_keeps_its_codes()")
