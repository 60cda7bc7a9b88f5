"""From a ruling to its case file, and from the file to the same ruling, in a stranger's hands."""

import asyncio
import io
import json
import zipfile
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from api_world import World, a_world
from fairkey.app import publish_standard
from fairkey.business.askers import Asker
from fairkey.business.basics import DAY_MS, HOUR_MS, Stream
from fairkey.business.complaints import OpenComplaint
from fairkey.business.dispute_events import Reason
from fairkey.business.references import read_reference
from fairkey.cli.verdict import verdict
from fairkey.engine.judging import judge_order
from fairkey.engine.receipts import Party, case_file
from receipt_world import policy, write_log

Files = dict[str, bytes]
File = dict[str, object]


@pytest.fixture
async def world(database_url: str, state_dir: Path) -> AsyncIterator[World]:
    async with a_world(database_url, state_dir) as opened:
        await publish_standard(opened.opened.house)
        yield opened


async def ruled(world: World, dsn: str) -> tuple[Files, Path, Path]:
    """A silent shop, a ruling by R15, the log written: the files of its case, its zip, and a policy."""
    world.clock.ms += HOUR_MS
    placed = await world.paid()
    await world.of_order(placed, "reveal")
    read = read_reference(placed["reference"])
    assert read is not None
    complaint = OpenComplaint(
        shop_id=world.shop_id, order_id=read[1], reason=Reason.OTHER, text="It does not work at all."
    )
    assert not (await world.opened.house.ask(Asker.BUYER, complaint)).refusal
    world.clock.ms += 2 * DAY_MS
    stream = Stream(world.shop_id, "order", read[1])
    await judge_order(world.opened.house, stream)
    await write_log(world.opened, dsn)
    data = await case_file(world.opened.house, stream, Party.BUYER, "case")
    folder = world.opened.house.settings.state_dir
    (folder / "policy").write_text(str(await policy(world.opened)))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    return files, folder / "case.zip", folder / "policy"


def verified(files: Files, path: Path, trusted: Path) -> tuple[int, str]:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    done = CliRunner().invoke(verdict, ["verify", str(path), "--policy", str(trusted), "--no-memory"])
    return done.exit_code, done.output


def named(files: Files, part: str) -> str:
    return next(name for name in files if part in name)


def changed(data: bytes, change: Callable[[File], None]) -> bytes:
    file = json.loads(data)
    change(file)
    return json.dumps(file).encode()


def other_sum(file: File) -> None:
    file["entry"] = b64encode(
        b64decode(str(file["entry"])).replace(b'"refund_fen":9500', b'"refund_fen":9501')
    ).decode()


def other_document(file: File) -> None:
    shown = file["disclosures"]
    assert isinstance(shown, list)
    file["disclosures"] = [one[:-8] + ("AAAAAAAA" if one[-8:] != "AAAAAAAA" else "BBBBBBBB") for one in shown]


async def test_a_stranger_makes_the_ruling_again_and_every_tampering_is_named(world: World, database_url: str) -> None:
    files, path, trusted = await ruled(world, database_url)
    code, said = verified(files, path, trusted)
    assert code == 0, said
    assert "Made again from its statements: R15" in said
    receipt = named(files, "dispute.ruled")
    for bad, told in (
        ({**files, receipt: changed(files[receipt], other_sum)}, receipt),
        ({**files, receipt: changed(files[receipt], other_document)}, receipt),
        ({**files, named(files, "dispute.opened"): b"{}"}, named(files, "dispute.opened")),
        (
            {**files, named(files, "standard/"): files[named(files, "standard/")].replace(b"48", b"47")},
            "The version of the standard",
        ),
        ({name: data for name, data in files.items() if "standard/" not in name}, "is not in the case file"),
    ):
        code, said = verified(bad, path, trusted)
        assert code in (1, 3), said
        assert told in said
    path.write_bytes(b"no zip")
    assert CliRunner().invoke(verdict, ["verify", str(path), "--policy", str(trusted)]).exit_code in (1, 2)
    assert CliRunner().invoke(verdict, ["verify", str(path.with_name("none"))]).exit_code == 2


async def test_judges_that_come_at_once_rule_once_and_a_ruling_outlives_who_made_it(world: World) -> None:
    world.clock.ms += HOUR_MS
    placed = await world.paid()
    await world.of_order(placed, "reveal")
    read = read_reference(placed["reference"])
    assert read is not None
    stream = Stream(world.shop_id, "order", read[1])
    house = world.opened.house
    complaint = OpenComplaint(shop_id=world.shop_id, order_id=read[1], reason=Reason.OTHER, text="It does not work.")
    assert not (await house.ask(Asker.BUYER, complaint)).refusal
    world.clock.ms += 2 * DAY_MS - 1_000
    await asyncio.gather(*(judge_order(house, stream) for _ in range(4)))
    kinds = [fact.kind for fact in await house.questions.order_book.facts(world.shop_id, read[1])]
    assert "dispute.ruled" not in kinds, "a second before 48 hours"
    world.clock.ms += 1_000
    await asyncio.gather(*(judge_order(house, stream) for _ in range(4)), world.opened.worker.sweep())
    world.clock.ms += DAY_MS - 1_000
    await world.opened.worker.sweep()
    kinds = [fact.kind for fact in await house.questions.order_book.facts(world.shop_id, read[1])]
    assert kinds.count("dispute.ruled") == 1
    assert "dispute.executed" not in kinds, "a second before 24 hours"
    world.clock.ms += 1_000
    await asyncio.gather(world.opened.worker.sweep(), world.opened.worker.sweep())
    kinds = [fact.kind for fact in await house.questions.order_book.facts(world.shop_id, read[1])]
    assert kinds.count("dispute.executed") == kinds.count("dispute.final") == 1
    assert kinds.count("payment.refund_requested") == 1
