"""A panel's verdict from the vote to the money, and from the case file to the same ruling in a stranger's hands."""

import io
import json
import zipfile
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from api_world import PRICE_FEN, World, a_world
from fairkey.app import publish_standard
from fairkey.business.basics import DAY_MS, HOUR_MS, Stream
from fairkey.business.panels import panel_id_of
from fairkey.cli.verdict import verdict
from fairkey.engine import docket, paneling
from fairkey.engine.judging import judge_order
from fairkey.engine.receipts import Party, case_file
from fairkey.proofs.merkle import leaf_hash
from panel_world import contested, judges, panel_of
from receipt_world import policy, write_log

Files = dict[str, bytes]
REASON = "The issuer's word is older than the opening."


@pytest.fixture
async def world(database_url: str, state_dir: Path) -> AsyncIterator[World]:
    async with a_world(database_url, state_dir) as opened:
        await publish_standard(opened.opened.house)
        opened.clock.ms += HOUR_MS
        yield opened


async def decided(world: World, dsn: str, votes: tuple[tuple[int, str], ...]) -> str:
    """Arbitrators, and an order about which three of them decided so: its id."""
    await judges(world)
    return await panelled(world, dsn, votes)


async def panelled(world: World, dsn: str, votes: tuple[tuple[int, str], ...]) -> str:
    """An order about which a panel of three decided so: its id."""
    house = world.opened.house
    order_id = await contested(world)
    world.clock.ms += 2 * DAY_MS
    await judge_order(house, Stream(world.shop_id, "order", order_id))
    panel_id = panel_id_of(order_id, 3)
    await paneling.list_pool(house, panel_id)
    await write_log(world.opened, dsn)
    await paneling.draw_panel(house, panel_id)
    for seat, (refund_fen, row) in zip((await panel_of(world, panel_id)).seats, votes, strict=True):
        answer = await docket.cast_vote(
            house, panel_id, seat.arbitrator_id, refund_fen=refund_fen, row=row, reason=REASON
        )
        assert not answer.refusal, answer
    await paneling.reveal_panel(house, panel_id)
    return order_id


async def exported(world: World, dsn: str, order_id: str) -> tuple[Files, Path, Path]:
    """The files of the case, where its zip goes, and a policy."""
    await write_log(world.opened, dsn)
    stream = Stream(world.shop_id, "order", order_id)
    data = await case_file(world.opened.house, stream, Party.SHOP, "case")
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
    return done.exit_code, " ".join(done.output.split())


def named(files: Files, part: str) -> str:
    return next(name for name in files if part in name)


def with_entries(data: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """A panel's file with every entry changed."""
    file = json.loads(data)
    file["entries"] = [b64encode(change(b64decode(one))).decode() for one in file["entries"]]
    return json.dumps(file).encode()


def forged(data: bytes, old: bytes, new: bytes) -> bytes:
    """A panel's file in which this was written all along, with every later entry chained to the forged one."""
    file = json.loads(data)
    entries, prev = [], ""
    for one in file["entries"]:
        entry = b64decode(one).replace(old, new)
        if prev:
            was = json.loads(entry)["prev"]
            entry = entry.replace(was.encode(), prev.encode())
        prev = leaf_hash(entry).hex()
        entries.append(b64encode(entry).decode())
    return json.dumps({**file, "entries": entries}).encode()


async def test_a_stranger_counts_the_votes_again_and_every_tampering_is_refused(
    world: World, database_url: str
) -> None:
    order_id = await decided(world, database_url, ((9_000, "R05a"), (0, "R04"), (PRICE_FEN, "R05a")))
    files, path, trusted = await exported(world, database_url, order_id)
    code, said = verified(files, path, trusted)
    assert code == 0, said
    assert "3 votes opened and counted: partial" in said
    assert "Made again: R05a, 9000 fen back, 4750 fen deducted" in said
    panel, receipt = named(files, "panels/"), named(files, "dispute.ruled")
    seated = (await panel_of(world, panel_id_of(order_id, 3))).seats[0].arbitrator_id.encode()
    reserve = (await panel_of(world, panel_id_of(order_id, 3))).standbys[0].arbitrator_id.encode()

    def other(part: str, old: bytes, new: bytes) -> Files:
        file = json.loads(files[named(files, part)])
        entry = b64decode(file["entry"])
        assert old in entry
        file["entry"] = b64encode(entry.replace(old, new)).decode()
        return {**files, named(files, part): json.dumps(file).encode()}

    for bad, told in (
        (other("dispute.ruled", b'"refund_fen":9000', b'"refund_fen":9500'), receipt),
        (other("dispute.ruled", b'"deduct_fen":4750', b'"deduct_fen":0'), receipt),
        (other("dispute.ruled", b'"points":46', b'"points":0'), receipt),
        ({**files, panel: with_entries(files[panel], lambda one: one.replace(seated, reserve))}, "panel does not hold"),
        ({**files, panel: forged(files[panel], b'"refund_fen":9000', b'"refund_fen":9500')}, "than it committed to"),
        ({**files, panel: forged(files[panel], b'"for_buyer":2', b'"for_buyer":3')}, "counted otherwise"),
        ({**files, panel: forged(files[panel], b'"text_sha256":"', b'"text_sha256":"0')}, "panel does not hold"),
        ({**files, panel: b"{}"}, "panel does not hold"),
        ({**files, panel: json.dumps({**json.loads(files[panel]), "entries": []}).encode()}, "panel does not hold"),
        ({name: data for name, data in files.items() if name != panel}, "is not in the case file"),
        ({name: data for name, data in files.items() if "standard/" not in name}, "is not in the case file"),
    ):
        code, said = verified(bad, path, trusted)
        assert code in (1, 3), said
        assert told in said or told.rpartition("/")[2] in said, said


async def test_a_panel_of_another_order_proves_nothing_here(world: World, database_url: str) -> None:
    order_id = await decided(world, database_url, ((PRICE_FEN, "R05a"), (0, "R04"), (PRICE_FEN, "R05a")))
    files, path, trusted = await exported(world, database_url, order_id)
    elsewhere = await decided_again(world, database_url)
    others, _, _ = await exported(world, database_url, elsewhere)
    panel = named(files, "panels/")
    code, said = verified({**files, panel: others[named(others, "panels/")]}, path, trusted)
    assert code == 1
    assert "not those that were ruled by" in said


async def decided_again(world: World, dsn: str) -> str:
    """Another order, the same votes."""
    return await panelled(world, dsn, ((PRICE_FEN, "R05a"), (0, "R04"), (PRICE_FEN, "R05a")))
