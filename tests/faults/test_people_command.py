"""`fairkey people` as an operator types it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from api_world import settings_for
from erasure_world import ALICE, BOB, Past, a_past
from fairkey.app import open_house
from fairkey.business.basics import DAY_MS
from fairkey.business.references import reference_of
from fairkey.cli import root
from fairkey.engine.house import House
from faults_world import PromptProvider


class Entry:
    """Opens a house of its own on the same database, as a command in another process does."""

    def __init__(self, past: Past, state: Path) -> None:
        self._past, self._state = past, state

    @asynccontextmanager
    async def house(self) -> AsyncIterator[House]:
        past = self._past
        settings = settings_for(past.database_url, self._state)
        async with open_house(
            settings, past.database_url, now_ms=past.clock, providers={"sandbox": PromptProvider()}
        ) as opened:
            yield opened.house


@pytest.fixture
async def past(database_url: str, tmp_path: Path) -> AsyncIterator[Past]:
    async with a_past(database_url, tmp_path / "state") as past:
        await past.buy("hers", ALICE, "level 80 mage")
        await past.complete("hers")
        await past.buy("his", BOB, "")
        past.clock.ms += 1000
        yield past


async def said(past: Past, tmp_path: Path, *words: str, given: str = "") -> Result:
    entry = Entry(past, tmp_path / "state")
    return await asyncio.to_thread(CliRunner().invoke, root, ["people", *words], input=given, obj=entry)


async def told(past: Past, tmp_path: Path, *words: str, given: str = "") -> tuple[int, Any]:
    result = await said(past, tmp_path, *words, "--json", given=given)
    return result.exit_code, json.loads(result.stdout.splitlines()[-1])


async def test_what_is_kept_is_shown_with_its_end(past: Past, tmp_path: Path) -> None:
    code, figures = await told(past, tmp_path, "kept", "--email", ALICE)
    (line,) = figures["histories"]
    assert (code, figures["account"], line["stage"], line["restricted"]) == (0, "", "completed", False)
    assert line["what"] == reference_of(101, past.orders["hers"])
    assert "art. 31" in line["why"]
    assert line["may_be_erased_at_ms"] > past.clock() + 3 * 365 * DAY_MS - 2000
    shown = (await said(past, tmp_path, "kept", "--email", "-", given=f"{ALICE}\n")).stdout
    assert "completed" in shown


async def test_what_must_stay_is_named_and_the_rest_goes(past: Past, tmp_path: Path) -> None:
    code, figures = await told(past, tmp_path, "erase", "--email", ALICE, "--restrict", "--yes")
    assert (code, figures["restricted"], figures["erased"]["histories"]) == (1, 1, 0)
    assert [line["restricted"] for line in figures["kept"]] == [True]
    past.clock.ms += 4 * 366 * DAY_MS
    code, figures = await told(past, tmp_path, "erase", "--email", ALICE, "--yes")
    assert (code, figures["kept"]) == (0, [])
    assert figures["erased"] == {"histories": 1, "sealed_rows": 2, "codes": 1, "accounts": 0}
    assert (await said(past, tmp_path, "erase", "--email", ALICE, "--yes")).exit_code == 2
    assert ALICE not in await past.everything_sealed()


async def test_it_asks_before_it_acts(past: Past, tmp_path: Path) -> None:
    past.clock.ms += 4 * 366 * DAY_MS
    assert (await said(past, tmp_path, "erase", "--email", ALICE, given="n\n")).exit_code == 1
    assert ALICE in await past.everything_sealed()


async def test_the_sweep_and_its_list(past: Past, tmp_path: Path) -> None:
    past.clock.ms += 4 * 366 * DAY_MS
    await past.settle()
    past.clock.ms += 4 * 366 * DAY_MS
    code, figures = await told(past, tmp_path, "erase", "--expired", "--yes")
    assert (code, figures["erased"]["histories"]) == (0, 2)
    listed = (await said(past, tmp_path, "erased")).stdout
    assert {line.split()[2] for line in listed.splitlines()} == set(past.orders.values())
    file = tmp_path / "list"
    file.write_text(listed)
    code, figures = await told(past, tmp_path, "erase", "--again", str(file), "--yes")
    assert (code, figures["erased"]["sealed_rows"]) == (0, 0)
    file.write_text("rm -rf\n")
    assert (await said(past, tmp_path, "erase", "--again", str(file), "--yes")).exit_code == 2


@pytest.mark.parametrize("words", [(), ("--email", ALICE, "--expired"), ("--email", "no address")])
async def test_what_is_not_said_clearly_is_not_done(past: Past, tmp_path: Path, words: tuple[str, ...]) -> None:
    assert (await said(past, tmp_path, "erase", "--yes", *words)).exit_code == 2
