"""The embedded server: shared by processes, left by them in any order, killed at any moment."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from fairkey.adapters.postgres.embedded import EmbeddedPostgres, EmbeddedPostgresFailed
from server_folders import server_folder

pytestmark = pytest.mark.pg

# A second program that uses the server until it is told to go.
USER = """
import sys
from pathlib import Path
from fairkey.adapters.postgres.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
print(server.start(), flush=True)
sys.stdin.readline()
print(server.stop(), flush=True)
"""


@contextmanager
def other_process(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has started or joined the server; killed at the end if it still runs."""
    with subprocess.Popen(
        [sys.executable, "-c", USER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("postgresql://")
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for a durable server, with no server left in it after the test."""
    with server_folder() as place:
        yield place
        with EmbeddedPostgres(place):
            pass


async def write(dsn: str, number: int) -> None:
    """Commit one row."""
    connection = await asyncpg.connect(dsn)
    await connection.execute("CREATE TABLE IF NOT EXISTS facts (number bigint PRIMARY KEY)")
    await connection.execute("INSERT INTO facts VALUES ($1)", number)
    await connection.close()


async def read(dsn: str) -> list[int]:
    """All rows committed so far."""
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetch("SELECT number FROM facts ORDER BY number")
    await connection.close()
    return [row["number"] for row in rows]


async def test_the_last_process_to_leave_stops_the_server(folder: Path) -> None:
    ours = EmbeddedPostgres(folder)
    with other_process(folder) as first:
        dsn = ours.start()
        await write(dsn, 1)
        answer, _ = first.communicate("go\n", timeout=30)
        assert answer.strip() == "False", "the one who started it left; somebody still uses it"
    await write(dsn, 2)
    assert ours.server_pid() is not None
    assert ours.stop() is True
    assert ours.server_pid() is None


async def test_a_killed_owner_loses_nothing_and_the_next_start_joins(folder: Path) -> None:
    ours = EmbeddedPostgres(folder)
    with other_process(folder) as owner:
        await write(ours.dsn(), 1)
        pid = ours.server_pid()
        owner.kill()
        owner.wait()
    dsn = ours.start()
    assert ours.server_pid() == pid, "the same server, not a second one"
    assert await read(dsn) == [1]
    assert ours.stop() is True, "the killed owner does not count any more"


async def test_a_killed_server_recovers_what_was_committed(folder: Path) -> None:
    ours = EmbeddedPostgres(folder)
    dsn = ours.start()
    for number in range(20):
        await write(dsn, number)
    pid = ours.server_pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    with EmbeddedPostgres(folder) as again:
        assert await read(again.dsn()) == list(range(20))
        assert again.server_pid() != pid
    ours.stop()


async def test_durable_settings_and_one_sorting_order_everywhere(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        connection = await asyncpg.connect(server.dsn())
        settings = {
            name: await connection.fetchval("SELECT current_setting($1)", name)
            for name in (
                "fsync",
                "synchronous_commit",
                "full_page_writes",
                "listen_addresses",
                "server_encoding",
                "TimeZone",
            )
        }
        locale = await connection.fetchval("SELECT datlocale FROM pg_database WHERE datname = current_database()")
        await connection.close()
    assert settings == {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "listen_addresses": "",
        "server_encoding": "UTF8",
        "TimeZone": "UTC",
    }
    assert locale == "C.UTF-8"


def test_a_half_made_folder_is_made_anew(folder: Path) -> None:
    with EmbeddedPostgres(folder):
        pass
    (folder / "data").rename(folder / "data.new")  # as if killed before the last step
    (folder / "data.new" / "PG_VERSION").unlink()
    with EmbeddedPostgres(folder) as server:
        assert server.server_pid() is not None


def test_a_pid_file_of_another_program_does_not_stop_the_start(folder: Path) -> None:
    with EmbeddedPostgres(folder):
        pass
    lines = ["1", str(folder / "data"), "1700000000", "5432", str(folder / "socket"), "", "1 1", "ready"]
    (folder / "data" / "postmaster.pid").write_text("\n".join(lines) + "\n")
    with EmbeddedPostgres(folder) as server:
        assert server.server_pid() not in {None, 1}


async def test_a_long_path_still_has_a_socket() -> None:
    with server_folder() as place, EmbeddedPostgres(place / ("long " * 20) / "pg", durable=False) as server:
        assert len(server.dsn()) < 100
        await write(server.dsn(), 1)
    Path(server.dsn().partition("?host=")[2]).rmdir()


def test_a_broken_database_is_reported_in_words(folder: Path) -> None:
    with EmbeddedPostgres(folder):
        pass
    version = folder / "data" / "PG_VERSION"
    version.write_text("9\n")
    with pytest.raises(EmbeddedPostgresFailed, match="incompatible"):
        EmbeddedPostgres(folder).start()
    version.write_text("18\n")
