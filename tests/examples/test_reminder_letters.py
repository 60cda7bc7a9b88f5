"""Reminders as letters: each once, also when the worker was away, died after sending, or the clock jumped."""

import email
import email.policy
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from api_world import World, a_world
from fairkey.adapters.mail.folder import FolderMail
from fairkey.adapters.postgres.outbox import PostgresOutbox
from fairkey.business.basics import HOUR_MS
from fairkey.effects.outbox import LEASE_MS
from fairkey.web import formats

pytestmark = pytest.mark.pg
CONTACT = "asked@mail.example"


@pytest.fixture
async def world(database_url: str, state_dir: Path, tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(database_url, state_dir, mail=FolderMail(tmp_path / "mails")) as world:
        yield world


async def asked(world: World) -> dict[str, Any]:
    """An order whose shop asked its buyer something; all letters so far are out."""
    placed = await world.paid(contact=CONTACT)
    assert (await world.of_order(placed, "reveal")).status_code == 200
    complaint = {"reason": "other", "text": "It does not work."}
    assert (await world.of_order(placed, "complaint", complaint)).status_code == 200
    path = f"/api/v1/shop/orders/{placed['reference']}/complaint/ask"
    assert (await world.merchant("POST", path, {"text": "Which screen?"})).status_code == 200
    await work(world)
    return placed


async def work(world: World) -> None:
    while await world.opened.worker.do_effects():
        pass


def reminders(folder: Path) -> list[str]:
    """Subjects of reminders to the buyer, in any order."""
    read = [email.message_from_bytes(one.read_bytes(), policy=email.policy.default) for one in folder.iterdir()]
    return [str(one["subject"]) for one in read if one["to"] == CONTACT and "请在" in str(one["subject"])]


async def until(world: World, placed: dict[str, Any]) -> str:
    """What the page counts down to."""
    shown = (await world.get(f"/api/v1/orders/{placed['reference']}/complaint", order_secret=placed["secret"])).json()
    [wait] = [one for one in shown["waits"] if one["whom"] == "buyer"]
    assert wait["turn"] == "reply"
    assert shown["due_at"] == wait["until"]
    return formats.clock(world.clock.ms + 48 * HOUR_MS)


async def test_each_reminder_is_sent_once_and_names_the_deadline_of_the_page(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "mails"
    placed = await asked(world)
    deadline = await until(world, placed)
    assert reminders(folder) == []
    for hours, sent in ((23, 0), (1, 1), (1, 1), (20, 1), (1, 2), (1, 2)):
        world.clock.ms += hours * HOUR_MS
        await work(world)
        await work(world)
        assert len(reminders(folder)) == sent
    assert all(deadline in one for one in reminders(folder))


async def test_a_worker_that_was_away_writes_the_last_one_only_and_none_when_it_is_over(
    world: World, tmp_path: Path
) -> None:
    await asked(world)
    world.clock.ms += 47 * HOUR_MS
    await work(world)
    assert len(reminders(tmp_path / "mails")) == 1
    await asked(world)
    world.clock.ms += 48 * HOUR_MS
    await work(world)
    assert len(reminders(tmp_path / "mails")) == 1


async def test_who_replied_is_not_reminded(world: World, tmp_path: Path) -> None:
    placed = await asked(world)
    assert (await world.of_order(placed, "complaint/reply", {"text": "国服"})).status_code == 200
    world.clock.ms += 47 * HOUR_MS
    await work(world)
    assert reminders(tmp_path / "mails") == []


async def test_a_worker_that_died_after_sending_sends_the_same_letter(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asked(world)
    world.clock.ms += 24 * HOUR_MS

    async def dies(*_: object) -> None:
        raise SystemError

    with monkeypatch.context() as patch:
        patch.setattr(PostgresOutbox, "done", dies)
        patch.setattr(PostgresOutbox, "later", dies)
        with pytest.raises(SystemError):
            await world.opened.worker.do_effects()
    world.clock.ms += LEASE_MS
    await work(world)
    assert len(reminders(tmp_path / "mails")) == 1


async def test_a_clock_set_back_waits_again(world: World, tmp_path: Path) -> None:
    await asked(world)
    world.clock.ms += 24 * HOUR_MS
    claimed = await world.opened.worker._outbox.claim(world.clock.ms, 100)
    world.clock.ms -= HOUR_MS
    for one in claimed:
        await world.opened.worker._do(one)
    assert reminders(tmp_path / "mails") == []
    world.clock.ms += HOUR_MS
    await work(world)
    assert len(reminders(tmp_path / "mails")) == 1
