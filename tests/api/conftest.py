"""A house behind HTTP for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from api_world import World, a_world


@pytest.fixture
async def world(database_url: str, state_dir: Path) -> AsyncIterator[World]:
    async with a_world(database_url, state_dir) as world:
        yield world
