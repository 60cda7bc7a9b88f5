"""Drafts of applications and images of licences, all sealed.

Revision ID: 0011
Revises: 0008
"""

from fairkey.adapters.postgres.migrate import run_sql

revision = "0011"
down_revision = "0008"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE admission_drafts (
        shop_id uuid PRIMARY KEY,
        sealed bytea NOT NULL,
        changed_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE admission_images (
        shop_id uuid NOT NULL,
        sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
        media_type text NOT NULL,
        sealed bytea NOT NULL CHECK (octet_length(sealed) <= 4194304 + 64),
        kept_at timestamptz NOT NULL,
        PRIMARY KEY (shop_id, sha256)
    )
    """,
    "COMMENT ON TABLE admission_drafts IS 'what an applicant typed so far, sealed; gone once it was filed'",
    "COMMENT ON TABLE admission_images IS 'licences, sealed; a filing names them by hash'",
)


def upgrade() -> None:
    """Make the tables."""
    run_sql(";\n".join(STATEMENTS))


def downgrade() -> None:
    """Drop them."""
    run_sql("DROP TABLE admission_images, admission_drafts")
