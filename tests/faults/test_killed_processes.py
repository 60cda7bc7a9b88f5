"""kill -9: selling processes at any moment, and the database under them. What was answered is there afterwards."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from api_world import Clock, deposit, open_shop, publish, settings_for
from fairkey.adapters.postgres.embedded import EmbeddedPostgres
from fairkey.adapters.postgres.migrate import migrated
from fairkey.adapters.vault.auditing import audit_vault
from fairkey.app import Opened, open_house
from fairkey.app.wiring import wall_clock_ms
from fairkey.business.basics import DAY_MS
from fairkey.business.files import OrderFile
from fairkey.engine import trade
from faults.buying_program import read_journal
from faults_world import PromptProvider, must_be_clean
from server_folders import server_folder

pytestmark = [pytest.mark.pg, pytest.mark.slow]

PROGRAM = Path(__file__).parent / "buying_program.py"
STAGES = {"place": "placed", "pay": "delivered", "open": "delivered", "confirm": "completed", "step back": "cancelled"}


@dataclass
class Ground:
    """A database server of its own, durable as in production, with a shop in it."""

    folder: Path
    server: EmbeddedPostgres
    shop: dict[str, Any]

    @property
    def postgres(self) -> Path:
        return self.folder / "postgres"

    def journal(self, run: str) -> Path:
        return self.folder / f"journal-{run}"

    @contextmanager
    def selling(self, run: str, orders: int) -> Iterator["subprocess.Popen[bytes]"]:
        """The program; it says a word for each answer it got."""
        told = {
            "postgres": str(self.postgres),
            "state": str(self.folder / "state"),
            "journal": str(self.journal(run)),
            "run": run,
            "orders": orders,
            "shop": self.shop,
        }
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("FAIRKEY_")},
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        }
        with subprocess.Popen(
            [sys.executable, str(PROGRAM), json.dumps(told)], stdout=subprocess.PIPE, env=environment
        ) as child:
            try:
                yield child
            finally:
                child.kill()


@pytest.fixture
async def ground() -> AsyncIterator[Ground]:
    with server_folder() as postgres, EmbeddedPostgres(postgres) as server:
        await migrated(server.dsn())
        async with open_house(
            settings_for(server.dsn(), postgres.parent / "state"),
            server.dsn(),
            providers={"sandbox": PromptProvider()},
        ) as opened:
            shop_id, _ = await open_shop(opened)
            listing_id = await publish(opened, shop_id)
            await deposit(opened, shop_id, listing_id, 120)
        yield Ground(postgres.parent, server, {"shop_id": shop_id, "listing_id": listing_id})


def hear(child: "subprocess.Popen[bytes]", answers: int) -> bool:
    """Return after so many answers; whether the program still runs."""
    assert child.stdout is not None
    return all(child.stdout.readline() for _ in range(answers))


async def must_have_kept_everything(ground: Ground, runs: dict[str, int]) -> None:
    """Everything that was answered is there, as it was answered; nothing is there twice; everything comes to an end."""
    clock, provider = Clock(wall_clock_ms()), PromptProvider()
    dsn = ground.server.dsn()
    async with open_house(
        settings_for(dsn, ground.folder / "state"), dsn, now_ms=clock, providers={"sandbox": provider}
    ) as opened:
        told = {run: read_journal(ground.journal(run)) for run in runs}
        for run, orders in runs.items():
            assert len([line for line in told[run] if line["step"] == "place"]) == orders
        placed = [line["order_id"] for lines in told.values() for line in lines if line["step"] == "place"]
        kept = await opened.pool.fetch("SELECT id::text FROM streams WHERE kind = 'order'")
        assert sorted(row["id"] for row in kept) == sorted(placed), "each order that was answered, and no other"
        texts = [text for lines in told.values() for line in lines for text in line.get("texts", [])]
        assert len(set(texts)) == len(texts) == sum(orders // 2 for orders in runs.values())
        for lines in told.values():
            await must_be_as_answered(ground, opened, lines)
        await must_be_clean(opened.pool, clock(), opened.keys)
        assert [one async for one in audit_vault(opened.pool, opened.keys)] == []
        clock.ms += 30 * DAY_MS
        while await opened.worker.step():
            pass
        assert await opened.pool.fetchval("SELECT count(*) FROM streams WHERE due_at IS NOT NULL") == 0
        assert await opened.pool.fetchval("SELECT count(*) FROM effects WHERE state <> 'done'") == 0
        # By turns they open, open and confirm, step back, leave it: every order ends in one instruction.
        assert len(provider.asked) == len(placed)
        await must_be_clean(opened.pool, clock(), opened.keys)


async def must_be_as_answered(ground: Ground, opened: Opened, lines: list[dict[str, Any]]) -> None:
    orders = {line["number"]: line["order_id"] for line in lines if line["step"] == "place"}
    for number, order_id in orders.items():
        steps = [line for line in lines if line["number"] == number]
        assert [line["stage"] for line in steps[1:]] == [STAGES[line["step"]] for line in steps[1:]]
        record = await opened.house.questions.order_book.find(ground.shop["shop_id"], order_id)
        assert record is not None
        assert isinstance(record.file, OrderFile)
        assert record.file.order.stage == STAGES[steps[-1]["step"]]
        shown = [line["texts"] for line in steps if line["step"] == "open"]
        if shown:
            _, again = await trade.open_codes(opened.house, shop_id=ground.shop["shop_id"], order_id=order_id)
            assert [code.text for code in again.values()] == shown[0]


async def test_a_selling_process_is_killed_at_any_moment(ground: Ground) -> None:
    chance, orders = random.Random(11), 32
    for _ in range(6):
        with ground.selling("a", orders) as child:
            assert hear(child, chance.randint(1, 12)), "it was killed before it could sell everything"
            time.sleep(chance.uniform(0, 0.02))  # the moment is what is tried out
            child.kill()
    with ground.selling("a", orders) as child:
        assert child.wait() == 0
    await must_have_kept_everything(ground, {"a": orders})


async def test_the_database_is_killed_under_two_selling_processes(ground: Ground) -> None:
    chance, orders = random.Random(12), 64  # more than are sold before the last kill
    with ground.selling("a", orders) as first, ground.selling("b", orders) as second:
        for _ in range(3):
            assert hear(chance.choice((first, second)), chance.randint(4, 16))
            time.sleep(chance.uniform(0, 0.02))
            assert first.poll() is None
            assert second.poll() is None
            pid = ground.server.server_pid()
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            with EmbeddedPostgres(ground.postgres):  # whoever comes next starts it again
                assert ground.server.server_pid() != pid
        assert first.wait() == 0
        assert second.wait() == 0
    await must_have_kept_everything(ground, {"a": orders, "b": orders})
