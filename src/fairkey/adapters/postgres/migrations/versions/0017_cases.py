"""Outside cases kept for accounts, sealed.

Revision ID: 0017
Revises: 0016
"""

from fairkey.adapters.postgres.migrate import run_sql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = (
    """
    CREATE TABLE cases (
        case_id uuid PRIMARY KEY,
        account_id uuid NOT NULL,
        salt bytea NOT NULL CHECK (octet_length(salt) = 32),
        created_at timestamptz NOT NULL,
        job text NOT NULL DEFAULT '' CHECK (job IN ('', 'reading', 'packing')),
        job_at timestamptz,
        job_failed boolean NOT NULL DEFAULT false,
        has_pack boolean NOT NULL DEFAULT false
    )
    """,
    "CREATE INDEX cases_of_accounts ON cases (account_id)",
    "COMMENT ON TABLE cases IS 'outside cases of accounts; what is in them lies sealed in folders'",
    "COMMENT ON COLUMN cases.salt IS 'the case''s key follows from it: without the row nothing can be opened'",
)


def upgrade() -> None:
    """Make the tables."""
    for statement in STATEMENTS:
        run_sql(statement)


def downgrade() -> None:
    """Drop them."""
    run_sql("DROP TABLE cases")
