"""Evidence in the blind docket: for who has a seat and nobody else, without names, each opening in the log."""

import io
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from PIL import Image

from api_world import World, a_world
from fairkey.app import publish_standard
from fairkey.engine import docket, paneling
from fairkey.engine.docket import hiding
from fairkey.proofs.panel_files import verify_panel_file
from pages.test_evidence_pages import give, picture
from pages.test_panel_pages import browser, entered
from panel_world import contested_about, convene, judges, panel_of
from receipt_world import policy, write_log

LETTER = b"""From: Zhang San <zhang.san@example.com>
Date: Mon, 1 Jan 2024 10:00:00 +0800
Subject: Your code
Message-ID: <1@example.com>

The code ABCD-EF12-3456 was redeemed. Call 13812345678.
"""


@pytest.fixture
async def world(database_url: str, state_dir: Path) -> AsyncIterator[World]:
    async with a_world(database_url, state_dir) as world:
        await publish_standard(world.opened.house)
        yield world


async def given(world: World, dsn: str) -> tuple[str, str, str]:
    """A sitting panel, and the ids of a photo (with what a camera writes into it) and a letter in its dispute."""
    await judges(world)
    placed = await world.paid()
    order_id = await contested_about(world, placed)
    exif = Image.Exif()
    exif[0x010E] = "Zhang San's phone"
    photo = picture(3, 640, "JPEG", exif=exif)
    note = "My code ABCD-EF12-3456 fails, call 13812345678, zhang@example.com"
    for name, data, kind in (("zhang-san.jpg", photo, "image/jpeg"), ("zhang-san.eml", LETTER, "message/rfc822")):
        answer = await give(world, placed, data, kind, name=name, note=note, piece="other")
        assert answer.status_code == 200, answer.text
    panel_id = await convene(world, order_id)
    await paneling.list_pool(world.opened.house, panel_id)
    await write_log(world.opened, dsn)
    await paneling.draw_panel(world.opened.house, panel_id)
    record = await world.opened.house.questions.order_book.find(world.shop_id, order_id)
    assert record is not None
    photo_id, letter_id = (one.evidence_id for one in record.file.evidence.items)
    return panel_id, photo_id, letter_id


async def test_a_seat_shows_the_evidence_without_names_and_the_log_says_who_opened_it(
    world: World, database_url: str
) -> None:
    panel_id, photo_id, letter_id = await given(world, database_url)
    panel = await panel_of(world, panel_id)
    seated = panel.seats[1].arbitrator_id
    base = f"/docket/{panel_id}/evidence"
    async with browser(world) as client:
        await entered(world, client, seated)
        page = (await client.get(f"/docket/{panel_id}")).text
        assert f"{base}/{photo_id}/preview.jpg" in page
        assert "E5" in page
        for hidden in ("zhang", "Zhang", "13812345678", "ABCD-EF12-3456"):
            assert hidden not in page
        assert "138****5678" in page
        shown = await client.get(f"{base}/{photo_id}/preview.jpg")
        assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")
        assert not Image.open(io.BytesIO(shown.content)).getexif()
        before = (await panel_of(world, panel_id)).opened
        assert before == (), "looking at the page opens no file"
        letter = await client.get(f"{base}/{letter_id}/file")
        assert "ABCD-EF12-3456" not in letter.text
        assert "13812345678" not in letter.text
        assert "zhang.san@" not in letter.text
        assert "attachment" in letter.headers["content-disposition"]
        for _ in range(2):
            photo = await client.get(f"{base}/{photo_id}/file")
            assert photo.content.startswith(b"\xff\xd8\xff")
            assert "zhang" not in photo.headers["content-disposition"]
        assert "You opened it" in (await client.get(f"/docket/{panel_id}")).text
    facts = await world.opened.house.questions.panels.facts(panel_id)
    opened = [one.public for one in facts if one.kind == "panel.evidence_opened"]
    assert [(one["seat_no"], one["arbitrator_id"], one["evidence_id"]) for one in opened] == [
        (2, seated, letter_id),
        (2, seated, photo_id),
    ]
    await write_log(world.opened, database_url)
    file = await paneling.panel_file(world.opened.house, panel_id)
    assert file is not None
    assert verify_panel_file(file, await policy(world.opened)).stage == "panel.drawn"


async def test_nobody_else_gets_a_picture_or_a_file(world: World, database_url: str) -> None:
    panel_id, photo_id, _ = await given(world, database_url)
    house = world.opened.house
    panel = await panel_of(world, panel_id)
    paths = [f"/docket/{panel_id}/evidence/{photo_id}/{what}" for what in ("preview.jpg", "file")]

    async def refused(client: httpx.AsyncClient) -> bool:
        return all([(await client.get(path)).status_code in {303, 401, 404} for path in paths])

    async with browser(world) as stranger, browser(world) as standby, browser(world) as gone:
        assert await refused(stranger)
        await entered(world, standby, panel.standbys[0].arbitrator_id)
        assert await refused(standby)
        await entered(world, gone, panel.seats[0].arbitrator_id)
        assert not await refused(gone)
        await docket.step_back(house, panel_id, panel.seats[0].arbitrator_id)
        assert await refused(gone), "who gave up his seat"
        assert not await refused(standby), "who has it now"
        none = "01990000-0000-7000-8000-000000000001"
        assert (await standby.get(f"/docket/{panel_id}/evidence/{none}/file")).status_code == 404
        assert (await standby.get(f"/docket/{panel_id}/evidence/nonsense/file")).status_code == 404


async def test_once_votes_are_open_no_file_is_taken_for_the_first_time(world: World, database_url: str) -> None:
    panel_id, photo_id, letter_id = await given(world, database_url)
    house = world.opened.house
    panel = await panel_of(world, panel_id)
    async with browser(world) as client:
        await entered(world, client, panel.seats[0].arbitrator_id)
        base = f"/docket/{panel_id}/evidence"
        assert (await client.get(f"{base}/{photo_id}/file")).status_code == 200
        for seat in panel.seats:
            answer = await docket.cast_vote(
                house, panel_id, seat.arbitrator_id, refund_fen=0, row="R04", reason="Nothing in it shows a fault."
            )
            assert not answer.refusal
        assert (await client.get(f"{base}/{photo_id}/file")).status_code == 200
        assert (await client.get(f"{base}/{letter_id}/file")).status_code == 409


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Code ABCD-EF12-3456 says used", "Code ABCD******3456 says used"),
        ("STEAM77KEY99 no", "STEA****EY99 no"),
        ("123456789012345", "1234*******2345"),
        ("Error 70 on 2024-01-02 at 10:00", "Error 70 on 2024-01-02 at 10:00"),
        ("R05a and E3, ORDERED nothing", "R05a and E3, ORDERED nothing"),
    ],
)
def test_what_looks_like_a_code_is_masked(text: str, shown: str) -> None:
    assert hiding(text) == shown


def test_masking_does_not_hang() -> None:
    assert re.sub(r"\*", "", hiding("A1-" * 20_000 + "!"))
