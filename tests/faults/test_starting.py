"""House and database started together: the one that is ready first waits for the other, and not for ever."""

import asyncio
import socket

import asyncpg
import pytest

from fairkey.adapters.postgres.embedded import EmbeddedPostgres
from fairkey.adapters.postgres.starting import until_it_answers


async def test_it_waits_until_somebody_listens(postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fairkey.adapters.postgres.starting.PAUSE_S", 0.01)
    refused, real = asyncio.Event(), asyncpg.connect

    async def connect(dsn: str, **words: float) -> asyncpg.Connection:
        if not refused.is_set():
            refused.set()
            raise asyncpg.CannotConnectNowError("the database system is starting up")
        return await real(dsn, **words)

    monkeypatch.setattr(asyncpg, "connect", connect)
    await until_it_answers(postgres.dsn("postgres"), 30)
    assert refused.is_set()


async def test_what_never_listens_is_told_in_the_end() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refused at once
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=r"refused|Connect"):
            await until_it_answers(f"postgresql://nobody@127.0.0.1:{port}/none", 0)


async def test_a_wrong_name_is_not_waited_for(postgres: EmbeddedPostgres) -> None:
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await until_it_answers(postgres.dsn("no_such_database"), 3_600)
