"""A house behind HTTP for each test."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from api_world import SECRET, World, a_world
from fairkey.adapters.payments.sandbox import wall_clock_ms
from fairkey.adapters.payments.sandbox_process import sandbox_process


@pytest.fixture
async def world(database_url: str, state_dir: Path) -> AsyncIterator[World]:
    async with a_world(database_url, state_dir) as world:
        yield world


@pytest.fixture(scope="session")
def sandbox_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The sandbox provider's program, for calls that ask it."""
    with sandbox_process(SECRET, mode="test", state=tmp_path_factory.mktemp("sandbox") / "state.sqlite") as url:
        yield url


@pytest.fixture
async def paying_world(database_url: str, state_dir: Path, sandbox_url: str) -> AsyncIterator[World]:
    """A house with a payment provider that answers; its clock is the provider's."""
    async with a_world(database_url, state_dir, sandbox_url=sandbox_url, start_ms=wall_clock_ms()) as world:
        yield world
