"""`fairkey keys rewrap` as an operator types it: all data keys or none, beside a running house, twice, and killed."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest
from click.testing import CliRunner, Result

from api_world import settings_for
from fairkey.adapters.postgres.migrate import migrated
from fairkey.adapters.vault.keys import Keys
from fairkey.adapters.vault.wrapping import LocalKeyWrapper, MasterKeyDoesNotFit, new_master_key
from fairkey.app import upkeep
from fairkey.app.wiring import wall_clock_ms
from fairkey.cli import root
from fairkey.settings import Settings

SEALED = (b"here", b"a code")
KILLED = """
import asyncio, sys
import asyncpg
from fairkey.adapters.vault.keys import Keys
from fairkey.adapters.vault.wrapping import LocalKeyWrapper
from fairkey.app.wiring import wall_clock_ms


class Slow(LocalKeyWrapper):
    left = 3

    async def wrap(self, key, label):
        self.left -= 1
        if not self.left:
            print("half", flush=True)
            await asyncio.Event().wait()
        return await super().wrap(key, label)


async def main(dsn, old, new):
    async with asyncpg.create_pool(dsn, min_size=1, max_size=2) as pool:
        keys = await Keys.load(pool, LocalKeyWrapper.from_base64(old), wall_clock_ms)
        await keys.rewrap(Slow.from_base64(new))


asyncio.run(main(*sys.argv[1:]))
"""


class Entry:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def rewrap_keys(self, new_key: str) -> int:
        return await upkeep.rewrap(self._settings, new_key)


class House:
    """A process that runs meanwhile, and the operator's command."""

    def __init__(self, settings: Settings, pool: asyncpg.Pool, keys: Keys, folder: Path) -> None:
        self.settings, self.pool, self.keys, self.new = settings, pool, keys, new_master_key()
        self.sealed = keys.seal("codes", *SEALED)
        self.file = folder / "new.key"
        self.put(self.new)

    def put(self, text: str) -> None:
        self.file.write_text(text + "\n", encoding="ascii")
        self.file.chmod(0o600)

    async def under(self, master: str) -> Keys:
        return await Keys.load(self.pool, LocalKeyWrapper.from_base64(master), wall_clock_ms)

    async def rewrap(self, settings: Settings | None = None) -> Result:
        words = ["keys", "rewrap", "--new-key-file", str(self.file), "--json"]
        return await asyncio.to_thread(CliRunner().invoke, root, words, obj=Entry(settings or self.settings))


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    old = new_master_key()
    settings = replace(settings_for(database_url, tmp_path / "state"), master_key=old)
    await migrated(database_url)
    async with asyncpg.create_pool(database_url, min_size=1, max_size=3) as pool:
        keys = await Keys.load(pool, LocalKeyWrapper.from_base64(old), wall_clock_ms)
        yield House(settings, pool, keys, tmp_path)


async def test_the_house_runs_on_and_the_next_start_needs_the_new_key(house: House) -> None:
    count = await house.pool.fetchval("SELECT count(*) FROM data_keys")
    result = await house.rewrap()
    assert json.loads(result.output.splitlines()[-1]) == {"rewrapped": count}
    await house.keys.refresh()
    assert house.keys.open("codes", SEALED[0], house.keys.seal("codes", *SEALED)) == SEALED[1]
    with pytest.raises(MasterKeyDoesNotFit):
        await house.under(house.settings.master_key)
    assert (await house.under(house.new)).open("codes", SEALED[0], house.sealed) == SEALED[1]


async def test_asked_again_it_is_done_already(house: House) -> None:
    await house.rewrap()
    for settings in (house.settings, replace(house.settings, master_key=house.new)):
        again = await house.rewrap(settings)
        assert (again.exit_code, "rewrapped" in again.output) == (0, True)
    assert (await house.under(house.new)).open("codes", SEALED[0], house.sealed) == SEALED[1]


async def test_killed_half_way_nothing_happened_and_asked_again_everything(house: House) -> None:
    old = house.settings.master_key
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", KILLED, house.settings.database_url, old, house.new), stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    assert await child.stdout.readline() == b"half\n"
    os.kill(child.pid, signal.SIGKILL)
    await child.wait()
    assert (await house.under(old)).open("codes", SEALED[0], house.sealed) == SEALED[1]
    assert (await house.rewrap()).exit_code == 0
    assert (await house.under(house.new)).open("codes", SEALED[0], house.sealed) == SEALED[1]


async def test_a_key_that_does_not_do_is_refused_and_nothing_changes(house: House) -> None:
    for text, why in (("short", "32 random bytes"), ("A" * 43 + "=", "not random"), ("\u00e9" * 3, "32 random bytes")):
        house.file.write_text(text, encoding="utf-8")
        result = await house.rewrap()
        assert (result.exit_code, why in result.output) == (1, True), result.output
    house.put(new_master_key())
    stranger = await house.rewrap(replace(house.settings, master_key=new_master_key()))
    assert "neither" in stranger.output
    house.file.chmod(0o644)
    assert "chmod 600" in (await house.rewrap()).output
    await house.under(house.settings.master_key)
