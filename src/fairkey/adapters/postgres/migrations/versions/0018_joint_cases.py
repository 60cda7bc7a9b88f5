"""Who joins his outside case with those of others, and what he released for it.

Revision ID: 0018
Revises: 0017
"""

from fairkey.adapters.postgres.migrate import run_sql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = (
    """
    CREATE TABLE joint_members (
        case_id uuid PRIMARY KEY REFERENCES cases ON DELETE CASCADE,
        account_id uuid NOT NULL,
        shop_key bytea NOT NULL CHECK (octet_length(shop_key) = 32),
        joined_at timestamptz NOT NULL,
        problem text NOT NULL,
        amount_fen bigint NOT NULL CHECK (amount_fen >= 0),
        paid_at timestamptz,
        released bytea,
        release_id uuid,
        speaks boolean NOT NULL DEFAULT false,
        with_pack boolean NOT NULL DEFAULT false,
        chosen uuid[] NOT NULL DEFAULT '{}',
        UNIQUE (shop_key, account_id),
        CHECK ((released IS NULL) = (release_id IS NULL)),
        CHECK (released IS NOT NULL OR NOT (speaks OR with_pack OR cardinality(chosen) > 0))
    )
    """,
    "COMMENT ON TABLE joint_members IS 'cases whose owners joined others against the same shop'",
    "COMMENT ON COLUMN joint_members.shop_key IS 'a keyed hash of platform and shop: the table names no shop'",
    "COMMENT ON COLUMN joint_members.released IS 'sealed: the statement that its owner released into the joint pack'",
)


def upgrade() -> None:
    """Make the tables."""
    for statement in STATEMENTS:
        run_sql(statement)


def downgrade() -> None:
    """Drop them."""
    run_sql("DROP TABLE joint_members")
