"""`fairkey log …` and `fairkey verify` on a real house: its folder, its address, its exports, and its tables."""

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from click.testing import CliRunner, Result
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from api_world import World, a_world
from fairkey.adapters.postgres.log_tokens import PostgresLogTokens
from fairkey.app import Opened, open_house
from fairkey.app.own_log import files_of
from fairkey.cli import root
from fairkey.cli.entry import OwnLogFiles
from fairkey.demo.stage import bound_socket, listening
from fairkey.engine.house import House
from fairkey.log.stamping import Token
from fairkey.proofs.timestamps import check_token, read_roots, token_of
from faults_world import PromptProvider
from log_files import put
from receipt_world import policy, write_log
from tsa_world import LocalTsa, needs_openssl

HOST = "127.0.0.1"


class Entry:
    """Opens a house of its own on the same database, as a command in another process does."""

    def __init__(self, world: World) -> None:
        self._settings = world.opened.house.settings
        self._clock = world.clock

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[Opened]:
        dsn = self._settings.database_url
        async with open_house(
            self._settings, dsn, now_ms=self._clock, providers={"sandbox": PromptProvider()}
        ) as opened:
            yield opened

    @asynccontextmanager
    async def house(self) -> AsyncIterator[House]:
        async with self._opened() as opened:
            yield opened.house

    @asynccontextmanager
    async def own_log(self, *, published_only: bool) -> AsyncIterator[OwnLogFiles]:
        async with self._opened() as opened:
            yield await files_of(opened, published_only=published_only)


@pytest.fixture
async def world(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "memory"))
    async with a_world(database_url, tmp_path / "state") as world:
        await world.paid()
        await write_log(world.opened, database_url)
        await world.paid()
        await write_log(world.opened, database_url)
        (tmp_path / "policy").write_text(str(await policy(world.opened)), encoding="utf-8")
        monkeypatch.setenv("FAIRKEY_POLICY", str(tmp_path / "policy"))
        yield world


async def said(world: World, *words: object) -> Result:
    result = await asyncio.to_thread(CliRunner().invoke, root, list(map(str, words)), obj=Entry(world))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


async def told(world: World, *words: object) -> dict[str, Any]:
    figures: dict[str, Any] = json.loads((await said(world, *words, "--json")).stdout.splitlines()[-1])
    return figures


async def test_the_houses_folder_its_address_and_its_export_hold(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "state" / "log" / "1"
    at_home = await said(world, "verify", folder)
    assert at_home.exit_code == 0, at_home.output
    with bound_socket(HOST, 0) as at:
        async with listening(world.app, at):
            served = await said(world, "verify", f"http://{HOST}:{at.getsockname()[1]}/log")
    assert served.exit_code == 0, served.output
    assert "histories the versions count from 1" in served.output
    counts = await told(world, "log", "export", tmp_path / "out")
    assert counts["heads"] == 2
    exported = await said(world, "verify", tmp_path / "out")
    assert exported.exit_code == 0, exported.output
    assert "All 2 are beginnings of this log; 2 carry the policy's quorum." in exported.output
    assert "Not trusted:" in exported.output  # the policy that is exported is for print and comparison
    for kept in folder.rglob("*"):
        if kept.is_file() and ".p" not in str(kept.relative_to(folder)):
            assert (tmp_path / "out" / kept.relative_to(folder)).read_bytes() == kept.read_bytes()


async def test_an_export_is_brought_up_to_date_and_keeps_its_hands_off_other_things(
    world: World, tmp_path: Path, database_url: str
) -> None:
    assert (await said(world, "log", "export", tmp_path / "out")).exit_code == 0
    await world.paid()
    await write_log(world.opened, database_url)
    assert (await told(world, "log", "export", tmp_path / "out"))["heads"] == 3
    assert (await said(world, "verify", tmp_path / "out")).exit_code == 0
    put(tmp_path / "other", "letters.txt", b"dear")
    refused = await said(world, "log", "export", tmp_path / "other")
    assert refused.exit_code == 2
    assert [one.name for one in (tmp_path / "other").iterdir()] == ["letters.txt"]
    other_log = (tmp_path / "out" / "checkpoint").read_bytes().replace(b"/log", b"/lag", 1)
    put(tmp_path / "out", "checkpoint", other_log)
    assert (await said(world, "log", "export", tmp_path / "out")).exit_code == 2


async def test_the_own_log_is_compared_with_the_tables(world: World, database_url: str) -> None:
    whole = await said(world, "log", "audit")
    assert whole.exit_code == 0, whole.output
    assert "entries are what the tables have." in whole.output
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("SET session_replication_role = replica")  # past the triggers that keep facts
        await connection.execute(
            """
            UPDATE events SET body = convert_to(replace(convert_from(body, 'UTF8'), '"v":1', '"v":2'), 'UTF8')
            WHERE recorded = (SELECT recorded FROM log_entries WHERE log_index = 3)
            """
        )
        await connection.execute(
            "DELETE FROM events WHERE recorded = (SELECT recorded FROM log_entries WHERE log_index = 4)"
        )
    finally:
        await connection.close()
    changed = await said(world, "log", "audit")
    assert changed.exit_code == 1
    assert "Entry 3 is another in the log than in the tables." in changed.output
    assert "Entry 4 is in the log and not in the tables." in changed.output


async def test_a_head_the_tables_know_and_the_folder_has_not_is_missed(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fairkey.app.own_log.LOOK_S", 0)
    size = (await told(world, "log", "audit"))["files"][0]["facts"]["entries"]
    own = await files_of(world.opened, published_only=True)
    known = await asyncio.to_thread(own.source.heads)
    assert known is not None
    older = await asyncio.to_thread(own.source.read, f"checkpoints/{min(known)}", 10_000)
    put(tmp_path / "state" / "log" / "1", "checkpoint", older)
    rolled_back = await said(world, "log", "audit")
    assert rolled_back.exit_code == 1
    assert f"The log has signed {size} entries, but shows {min(known)}" in rolled_back.output
    assert "were seen here" in rolled_back.output


async def test_keys_and_witnesses_are_told(world: World) -> None:
    policy_text = str(await policy(world.opened))
    assert (await said(world, "log", "vkey")).output.strip() in policy_text
    witnesses = await told(world, "log", "witnesses")
    assert witnesses == {"policy": policy_text, "quorum": "none", "witnesses": []}
    assert policy_text in (await said(world, "log", "witnesses")).output


@needs_openssl
async def test_stamps_are_exported_beside_their_heads_and_checked(world: World, tmp_path: Path) -> None:
    tsa = LocalTsa(tmp_path / "tsa")
    tokens = PostgresLogTokens(world.opened.pool)
    published = await tokens.newest_published()
    assert published is not None
    request = TimestampRequestBuilder().data(published.text).hash_algorithm(HashAlgorithm.SHA256).build()
    token = token_of(tsa.reply(request.as_bytes()))
    stamp = check_token(token, published.text, read_roots(tsa.root_pem))
    await tokens.keep(published, "one", Token(token, stamp))
    assert (await told(world, "log", "export", tmp_path / "out"))["time_stamps"] == 1
    (tmp_path / "roots.pem").write_bytes(tsa.root_pem)
    checked = await said(world, "verify", tmp_path / "out", "--tsa-roots", tmp_path / "roots.pem")
    assert checked.exit_code == 0
    assert "1 of 1 time stamps hold." in checked.output
    assert "--tsa-roots checks them" in (await said(world, "verify", tmp_path / "out")).output
    (tmp_path / "strange.pem").write_bytes(LocalTsa(tmp_path / "strange").root_pem)
    strange = await said(world, "verify", tmp_path / "out", "--tsa-roots", tmp_path / "strange.pem")
    assert strange.exit_code == 0  # a stranger's word less
    assert "0 of 1 time stamps hold." in strange.output


async def test_a_codes_life_is_verified_as_it_is_downloaded(world: World, tmp_path: Path) -> None:
    answer = await world.post("/api/v1/trace/life.zip", {"code": world.texts[0]})
    assert answer.status_code == 200
    (tmp_path / "life.zip").write_bytes(answer.content)
    life = await said(world, "verify", tmp_path / "life.zip")
    assert life.exit_code == 0, life.output
    with zipfile.ZipFile(io.BytesIO(answer.content)) as opened:
        name = next(one for one in opened.namelist() if one.endswith(".fairkey-code"))
        code = json.loads(opened.read(name))
    (tmp_path / "a.fairkey-code").write_text(json.dumps(code), encoding="utf-8")
    alone = await said(world, "verify", tmp_path / "a.fairkey-code")
    assert alone.exit_code == 0
    assert f"in clear: code: {world.texts[0]}" in alone.output
    code["place"] += 1
    (tmp_path / "b.fairkey-code").write_text(json.dumps(code), encoding="utf-8")
    moved = await said(world, "verify", tmp_path / "b.fairkey-code")
    assert moved.exit_code == 1
    assert "The code is not at this place under the batch's root." in moved.output
