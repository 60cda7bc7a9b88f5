"""Accounts, sessions, staff, API keys, links sent by mail, brakes on guessing, audit trail.

No address and no token stands in these tables in clear: addresses are sealed (`email_sealed`) and found by a keyed
hash (`email_key`), tokens are kept as SHA-256. They are small tables with their own keys, asked by the edges; no
shop's command reads them, so they are not spread by shop.

Revision ID: 0003
Revises: 0002
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    "SET LOCAL lock_timeout = '5s'",
    """
    CREATE TABLE accounts (
        account_id uuid PRIMARY KEY,
        email_key bytea UNIQUE CHECK (length(email_key) = 32),
        email_sealed bytea,
        email_verified_at timestamptz,
        password_hash text,
        display_name text NOT NULL CHECK (length(display_name) <= 80),
        is_operator boolean NOT NULL DEFAULT false,
        locale text NOT NULL CHECK (locale IN ('zh_CN', 'en')),
        created_at timestamptz NOT NULL,
        closed_at timestamptz,
        -- closing erases the person and keeps the number
        CHECK ((closed_at IS NULL) = (email_key IS NOT NULL)),
        CHECK ((closed_at IS NULL) = (email_sealed IS NOT NULL)),
        CHECK ((closed_at IS NULL) = (password_hash IS NOT NULL))
    )
    """,
    """
    CREATE TABLE sessions (
        token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
        account_id uuid REFERENCES accounts,
        created_at timestamptz NOT NULL,
        last_seen_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        user_agent_hint text NOT NULL CHECK (length(user_agent_hint) <= 80),
        data json NOT NULL
    )
    """,
    "CREATE INDEX sessions_of_account ON sessions (account_id) WHERE account_id IS NOT NULL",
    "CREATE INDEX sessions_by_expiry ON sessions (expires_at)",
    """
    CREATE TABLE shop_staff (
        shop_id uuid NOT NULL,
        account_id uuid NOT NULL REFERENCES accounts,
        role text NOT NULL CHECK (role IN ('owner', 'staff')),
        added_at timestamptz NOT NULL,
        removed_at timestamptz,
        PRIMARY KEY (shop_id, account_id)
    )
    """,
    "CREATE INDEX shop_staff_of_account ON shop_staff (account_id) WHERE removed_at IS NULL",
    """
    CREATE TABLE api_keys (
        key_id uuid PRIMARY KEY,
        shop_id uuid NOT NULL,
        name text NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
        token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
        scopes text[] NOT NULL,
        created_at timestamptz NOT NULL,
        last_used_at timestamptz,
        revoked_at timestamptz
    )
    """,
    "CREATE INDEX api_keys_of_shop ON api_keys (shop_id)",
    """
    CREATE TABLE account_links (
        token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
        account_id uuid NOT NULL REFERENCES accounts,
        purpose text NOT NULL CHECK (purpose IN ('verify', 'reset')),
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        used_at timestamptz
    )
    """,
    "CREATE INDEX account_links_of_account ON account_links (account_id)",
    """
    -- Failed log-ins, counted by keyed hash: also for addresses without an account, so that a pause tells nobody who
    -- has one.
    CREATE TABLE log_in_brakes (
        brake_key bytea PRIMARY KEY CHECK (length(brake_key) = 32),
        failures integer NOT NULL CHECK (failures >= 0),
        last_at timestamptz NOT NULL,
        locked_until timestamptz
    )
    """,
    "CREATE INDEX log_in_brakes_by_age ON log_in_brakes (last_at)",
    """
    CREATE TABLE audit_trail (
        entry_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        at timestamptz NOT NULL,
        actor text NOT NULL,
        role text NOT NULL,
        action text NOT NULL,
        target text NOT NULL,
        detail json NOT NULL,
        ip_hint text NOT NULL
    )
    """,
    """
    CREATE FUNCTION audit_trail_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'audit_trail is append-only';
    END
    $$
    """,
    """
    CREATE TRIGGER audit_trail_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_trail
        FOR EACH STATEMENT EXECUTE FUNCTION audit_trail_is_append_only()
    """,
)


def upgrade() -> None:
    """Make the tables."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Drop them again (development only: the audit trail goes with them)."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table in ("audit_trail", "log_in_brakes", "account_links", "api_keys", "shop_staff", "sessions", "accounts"):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION audit_trail_is_append_only")
