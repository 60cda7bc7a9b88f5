"""${message}.

Revision: ${up_revision}, after ${down_revision}.
"""

from fairkey.adapters.postgres.migrate import run_sql

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Apply it."""
    run_sql("""
    """)
