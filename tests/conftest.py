"""Fixtures every test may ask for: a real PostgreSQL, and a fresh migrated database in it for each test."""

import asyncio
import os
import threading
from collections.abc import Coroutine, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from hypothesis import settings
from hypothesis.database import DirectoryBasedExampleDatabase

from fairkey.adapters.postgres.embedded import EmbeddedPostgres
from fairkey.adapters.postgres.migrate import migrated
from server_folders import server_folder

TEMPLATE = "fairkey_template"

# A slow machine is no finding; what hypothesis found once it tries first the next time.
settings.register_profile(
    "house", deadline=None, database=DirectoryBasedExampleDatabase(Path(__file__).parents[1] / ".state" / "hypothesis")
)
# A gate asks the same of every change: what it refuses, it refuses again. New examples are sought everywhere else.
settings.register_profile("gate", parent=settings.get_profile("house"), derandomize=True, database=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "house"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Words of our own for pytest."""
    parser.addoption("--seeds", type=int, default=60, metavar="N", help="number of simulated worlds (default: 60)")
    parser.addoption("--screenshots", type=Path, metavar="FOLDER", help="keep the pictures here (`./run screenshots`)")


@pytest.fixture(scope="session")
def pictures_folder(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where tests put their screenshots: the folder asked for, or one that is thrown away."""
    asked: Path | None = pytestconfig.getoption("--screenshots")
    folder = asked or tmp_path_factory.mktemp("pictures")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def seeds(pytestconfig: pytest.Config) -> range:
    """The seeds the simulation is to run with."""
    count_of_seeds: int = pytestconfig.getoption("--seeds")
    return range(count_of_seeds)


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever asks for a database carries the mark `pg`, so that `-m 'not pg'` runs without one; whoever asks for the
    browser carries the mark `browser`.

    Tests that drive a browser come last: its library leaves a running event loop in the thread, and no other loop can
    be started there afterwards.
    """
    for item in items:
        if isinstance(item, pytest.Function) and {"database_url", "postgres"} & set(item.fixturenames):
            item.add_marker(pytest.mark.pg)
        if isinstance(item, pytest.Function) and "chromium" in item.fixturenames:
            item.add_marker(pytest.mark.browser)
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A server for the whole run (one per pytest-xdist worker) with the migrated database `TEMPLATE`; it does not wait
    for the disk.
    """
    with server_folder() as folder, EmbeddedPostgres(folder, durable=False) as server:
        _wait_for(_administer(server, f'CREATE DATABASE "{TEMPLATE}"'))
        _wait_for(migrated(server.dsn(TEMPLATE)))
        yield server


_numbers = count(1)


@pytest.fixture
def database_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """DSN of a fresh database with all tables and no rows, dropped after the test."""
    name = f"test_{next(_numbers)}"
    _wait_for(_administer(postgres, f'CREATE DATABASE "{name}" TEMPLATE "{TEMPLATE}"'))
    yield postgres.dsn(name)
    _wait_for(_administer(postgres, f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    """An empty state folder for tests that start a whole house of their own."""
    return tmp_path / "state"


async def _administer(server: EmbeddedPostgres, statement: str) -> None:
    connection = await asyncpg.connect(server.dsn("postgres"))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _wait_for(work: Coroutine[Any, Any, object]) -> None:
    """Run it in a loop of its own, in a thread of its own, so that the loops of async tests are left alone."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(work)
        except BaseException as error:  # noqa: BLE001 - carried over to the caller's thread
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
