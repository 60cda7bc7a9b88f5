"""Events, streams, codes, the ledger, the outbox, answers.

Every table of one shop starts its keys with `shop_id`: a command touches one shop, so the schema can be spread by it.
"""

from fairkey.adapters.postgres.migrate import run_sql

revision = "0001"
down_revision = None

STATEMENTS = (
    """
    CREATE TABLE events (
        shop_id uuid NOT NULL,
        stream_kind text NOT NULL,
        stream_id uuid NOT NULL,
        version integer NOT NULL CHECK (version > 0),
        kind text NOT NULL,
        at timestamptz NOT NULL,
        body bytea NOT NULL,
        leaf_hash bytea NOT NULL CHECK (length(leaf_hash) = 32),
        command_id text NOT NULL,
        recorded bigint GENERATED ALWAYS AS IDENTITY,
        recorded_in xid8 NOT NULL DEFAULT pg_current_xact_id(),
        PRIMARY KEY (shop_id, stream_kind, stream_id, version)
    )
    """,
    "CREATE INDEX events_recorded ON events (recorded)",
    """
    CREATE TABLE sealed_fields (
        shop_id uuid NOT NULL,
        stream_kind text NOT NULL,
        stream_id uuid NOT NULL,
        version integer NOT NULL,
        sealed bytea NOT NULL,
        PRIMARY KEY (shop_id, stream_kind, stream_id, version)
    )
    """,
    """
    COMMENT ON TABLE sealed_fields
    IS 'plaintexts and salting key of an event, encrypted; erasable without touching the event'
    """,
    """
    CREATE TABLE streams (
        shop_id uuid NOT NULL,
        kind text NOT NULL,
        id uuid NOT NULL,
        version integer NOT NULL,
        head bytea NOT NULL,
        state json NOT NULL,
        stage text NOT NULL,
        due_at timestamptz,
        due_what text,
        listing_id uuid,
        buyer_key text,
        address_key text,
        account_id uuid,
        amount_fen bigint NOT NULL CHECK (amount_fen >= 0),
        quantity integer NOT NULL CHECK (quantity >= 0),
        created_at timestamptz NOT NULL,
        changed_at timestamptz NOT NULL,
        PRIMARY KEY (shop_id, kind, id),
        CONSTRAINT every_order_ends CHECK (
            kind <> 'order' OR (due_at IS NULL)
            = (stage IN ('expired', 'completed', 'cancelled', 'refunded', 'partly_refunded'))
        )
    ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05)
    """,
    "CREATE INDEX streams_due ON streams (due_at) WHERE due_at IS NOT NULL",
    # Partial, so that a look-up by key (where the kind is a parameter) can never be planned over them.
    "CREATE INDEX orders_by_age ON streams (shop_id, created_at) WHERE kind = 'order'",
    "CREATE INDEX others_by_age ON streams (kind, shop_id, created_at) WHERE kind <> 'order'",
    "CREATE INDEX orders_of_listing ON streams (shop_id, listing_id, buyer_key) WHERE kind = 'order'",
    "CREATE INDEX unpaid_of_buyer ON streams (buyer_key) WHERE stage = 'placed'",
    "CREATE INDEX unpaid_of_address ON streams (address_key) WHERE stage = 'placed' AND address_key IS NOT NULL",
    "CREATE INDEX orders_of_account ON streams (account_id, created_at) WHERE account_id IS NOT NULL",
    """
    CREATE TABLE codes (
        shop_id uuid NOT NULL,
        code_id uuid NOT NULL,
        listing_id uuid NOT NULL,
        batch_id uuid,
        is_free boolean NOT NULL,
        stage text NOT NULL CHECK (stage IN ('free', 'reserved', 'delivered', 'revealed', 'returned', 'withdrawn')),
        order_id uuid,
        changed_at timestamptz NOT NULL,
        PRIMARY KEY (shop_id, code_id),
        CONSTRAINT free_is_free CHECK (is_free = (stage = 'free')),
        CONSTRAINT nobody_holds_a_free_code CHECK ((order_id IS NULL) = (stage IN ('free', 'withdrawn')))
    ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02)
    """,
    "CREATE INDEX codes_free ON codes (shop_id, listing_id, code_id) WHERE is_free",
    "CREATE INDEX codes_of_batch ON codes (shop_id, batch_id) WHERE batch_id IS NOT NULL",
    """
    CREATE FUNCTION a_revealed_code_stays_revealed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'a revealed code is never sold again' USING ERRCODE = 'check_violation';
    END $$
    """,
    """
    CREATE TRIGGER revealed_for_ever BEFORE UPDATE OR DELETE ON codes
    FOR EACH ROW WHEN (OLD.stage = 'revealed') EXECUTE FUNCTION a_revealed_code_stays_revealed()
    """,
    """
    CREATE TABLE listing_stock (
        shop_id uuid NOT NULL,
        listing_id uuid NOT NULL,
        free integer NOT NULL CHECK (free >= 0),
        PRIMARY KEY (shop_id, listing_id)
    ) WITH (fillfactor = 50)
    """,
    """
    CREATE TABLE listing_revisions (
        shop_id uuid NOT NULL,
        listing_id uuid NOT NULL,
        revision integer NOT NULL,
        revision_hash bytea NOT NULL,
        terms text NOT NULL,
        published_at timestamptz NOT NULL,
        PRIMARY KEY (shop_id, listing_id, revision),
        CONSTRAINT hash_of_the_terms CHECK (revision_hash = sha256(convert_to(terms, 'UTF8')))
    )
    """,
    """
    CREATE TABLE ledger (
        shop_id uuid NOT NULL,
        stream_kind text NOT NULL,
        stream_id uuid NOT NULL,
        version integer NOT NULL,
        row_no integer NOT NULL,
        debit text NOT NULL,
        credit text NOT NULL,
        amount_fen bigint NOT NULL CHECK (amount_fen > 0),
        currency text NOT NULL,
        at timestamptz NOT NULL,
        PRIMARY KEY (shop_id, stream_kind, stream_id, version, row_no),
        CHECK (debit <> credit)
    )
    """,
    "CREATE INDEX ledger_by_time ON ledger (shop_id, at)",
    """
    CREATE TABLE ledger_accounts (
        shop_id uuid NOT NULL,
        account text NOT NULL,
        currency text NOT NULL,
        balance_fen bigint NOT NULL,
        PRIMARY KEY (shop_id, account, currency),
        CONSTRAINT no_account_below_zero CHECK (balance_fen >= 0)
    ) WITH (fillfactor = 50)
    """,
    """
    CREATE FUNCTION facts_are_kept() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'rows of % are never changed or deleted', TG_TABLE_NAME USING ERRCODE = 'check_violation';
    END $$
    """,
    *(
        f"CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION facts_are_kept()"
        for table in ("events", "ledger", "listing_revisions")
    ),
    """
    CREATE TABLE effects (
        shop_id uuid NOT NULL,
        key text NOT NULL,
        kind text NOT NULL,
        stream_kind text NOT NULL,
        stream_id uuid NOT NULL,
        payload json NOT NULL,
        state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'done', 'failed')),
        attempts integer NOT NULL DEFAULT 0,
        next_at timestamptz NOT NULL,
        last_error text,
        created_at timestamptz NOT NULL,
        done_at timestamptz,
        PRIMARY KEY (shop_id, key)
    )
    """,
    "CREATE INDEX effects_open ON effects (next_at) WHERE state IN ('waiting', 'sent')",
    "CREATE INDEX effects_of_stream ON effects (shop_id, stream_id)",
    """
    CREATE TABLE answers (
        command_id text PRIMARY KEY,
        body_hash bytea NOT NULL,
        answer json NOT NULL,
        at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX answers_by_age ON answers USING brin (at)",
    """
    CREATE TABLE shop_numbers (
        shop_no integer GENERATED ALWAYS AS IDENTITY (START WITH 101) PRIMARY KEY,
        shop_id uuid NOT NULL UNIQUE
    )
    """,
)


def upgrade() -> None:
    """Make the tables."""
    run_sql(";\n".join(STATEMENTS))
