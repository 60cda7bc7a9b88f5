"""A kept case's lists in the house's own log: told of by themselves, shown with their receipts, in the pack."""

import io
import re
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from api_world import World, a_world
from fairkey.casework.pack.checking import GOOD, check_pack
from fairkey.engine.answers import Answer, StoreIsAway
from pages.test_operator_pages import browser
from pages.test_outside_cases import CHAT, begin, give, person, post, worked
from receipt_world import policy, write_log


@pytest.fixture
async def world(database_url: str, state_dir: Path) -> AsyncIterator[World]:
    async with a_world(database_url, state_dir) as world:
        yield world


@pytest.fixture
async def owner(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(world) as client:
        await person(world, client, "cheated@example.com")
        yield client


async def packed(world: World, owner: httpx.AsyncClient, path: str) -> bytes:
    assert (await post(owner, f"{path}/work/pack")).status_code == 303
    await worked(world)
    return (await owner.get(f"{path}/pack.zip")).content


async def told(world: World) -> int:
    return int(await world.opened.pool.fetchval("SELECT count(*) FROM events WHERE kind = 'evidence.sealed'"))


async def test_each_list_is_told_of_shown_and_goes_along(
    world: World, owner: httpx.AsyncClient, database_url: str, tmp_path: Path
) -> None:
    path = await begin(owner, title="一张卡")
    assert (await give(owner, path, ("聊天记录.txt", CHAT))).status_code == 303
    assert await told(world) == 1
    early = await owner.get(path)
    assert "等待见证" in early.text
    waiting = await packed(world, owner, path)
    assert not [one for one in zipfile.ZipFile(io.BytesIO(waiting)).namelist() if one.endswith(".fairkey-receipt")]

    await write_log(world.opened, database_url)
    page = (await owner.get(path)).text
    link = re.search(r'href="(/api/v1/seals/[0-9a-f]{64}/receipt)"', page)
    assert link is not None
    assert (await world.get(link.group(1))).status_code == 200
    (tmp_path / "pack.zip").write_bytes(await packed(world, owner, path))
    found = {one.step: one for one in check_pack(tmp_path / "pack.zip", policy=await policy(world.opened))}
    assert found["place"].state == GOOD, found["place"]
    await packed(world, owner, path)
    assert await told(world) == 1


async def test_files_come_in_when_the_log_is_away_and_the_list_is_told_of_later(
    world: World, owner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> Answer:
        raise StoreIsAway("the database is away")

    path = await begin(owner, title="一张卡")
    with monkeypatch.context() as patch:
        patch.setattr(world.opened.house, "ask", away)
        assert (await give(owner, path, ("聊天记录.txt", CHAT))).status_code == 303
    assert await told(world) == 0
    assert "等待见证" in (await owner.get(path)).text
    await packed(world, owner, path)
    assert await told(world) == 1
