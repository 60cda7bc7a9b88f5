"""Bring the tables of a database to what this release needs.

The migrations lie in `migrations/versions/` as `NNNN_what.py`, plain SQL handed to `run_sql`. Every process of the
house may call `migrate` at its start: an advisory lock lets one through at a time and the others find nothing left to
do.
"""

import asyncio
from pathlib import Path
from typing import Final

from alembic import command, op
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

FOLDER: Final = Path(__file__).parent / "migrations"
LOCK: Final = 0x666B_6D69_67  # "fkmig"
LOCK_TIMEOUT: Final = "5s"  # a migration that cannot get its locks soon gives up instead of stopping the shop behind it


class DatabaseIsNewer(Exception):
    """The database was migrated by a later release than this one; the text says so in words for the operator."""


def migrate(dsn: str) -> list[str]:
    """Apply what is missing; answer the revisions applied, oldest first. Not to be called inside a running event loop.

    `dsn` is a `postgresql://` address as asyncpg takes it. Raises `DatabaseIsNewer` and the driver's errors.
    """
    return asyncio.run(migrated(dsn))


async def migrated(dsn: str) -> list[str]:
    """`migrate` for callers inside an event loop."""
    engine = create_async_engine(make_url(dsn).set(drivername="postgresql+asyncpg"), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
            await connection.commit()
            applied = await connection.run_sync(_upgrade)
            await connection.commit()
            await connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": LOCK})
            await connection.commit()
    finally:
        await engine.dispose()
    return applied


def run_sql(script: str) -> None:
    """Run a script of many statements inside the migration's transaction, with `lock_timeout` set. For use in
    migrations.
    """
    connection = op.get_bind()
    # This first statement also makes the driver open the transaction in which the script then runs.
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
    adapted = connection.connection.dbapi_connection
    if adapted is None:
        message = "the migration's connection is closed"
        raise ConnectionError(message)
    adapted.run_async(lambda asyncpg_connection: asyncpg_connection.execute(script))


def known_revisions() -> list[str]:
    """The revisions of this release, oldest first."""
    script = ScriptDirectory.from_config(_config())
    return [revision.revision for revision in reversed(list(script.walk_revisions()))]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _upgrade(connection: Connection) -> list[str]:
    """Run alembic on an open connection; answer the revisions applied."""
    known = known_revisions()
    before = MigrationContext.configure(connection).get_current_revision()
    connection.commit()
    if before is not None and before not in known:
        message = (
            f"The database is at revision {before}, which this release of fairkey does not know. Start a newer release."
        )
        raise DatabaseIsNewer(message)
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return known if before is None else known[known.index(before) + 1 :]
