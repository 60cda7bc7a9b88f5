"""Evidence on pages and over the API: hostile files, who may see what, recordings bound to the log, keys destroyed."""

import asyncio
import io
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import pytest
from PIL import Image

from api_world import World, a_world
from evidence_world import GIF, MAIL, MP4, PDF, ZIP, png
from fairkey.business.briefings import dispute_of
from fairkey.business.evidence import DOUBT_WITHIN_MS, GIVE_RECORDING_WITHIN_MS, Piece
from fairkey.engine import evidencing, trade
from fairkey.engine.people import Role
from fairkey.gates.csrf import FIELD
from pages.test_operator_pages import PASSWORD, browser, sign_in

OWNER = "owner@example.com"
WEEK_MS = 7 * 86_400_000


def picture(seed: int = 1, width: int = 320, kind: str = "PNG", **more: Any) -> bytes:  # noqa: ANN401 - as Pillow takes it
    """Something to see, different for each seed."""
    points = np.random.default_rng(seed).integers(0, 255, (8, 9, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(points).resize((width, width * 3 // 4), Image.Resampling.BICUBIC).save(out, kind, **more)
    return out.getvalue()


def video(seconds: int = 2) -> bytes:
    """A short real MP4."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(seconds * 5):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), number * 20 % 255, dtype=np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return out.getvalue()


@pytest.fixture
async def world(database_url: str, state_dir: Path) -> AsyncIterator[World]:
    async with a_world(database_url, state_dir) as world:
        yield world


@pytest.fixture
async def placed(world: World) -> dict[str, str]:
    return await world.paid()


@pytest.fixture
async def buyer(world: World, placed: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(world) as client:
        assert (await client.get(f"/o/{placed['reference']}?s={placed['secret']}")).status_code == 303
        yield client


@pytest.fixture
async def merchant(world: World) -> AsyncIterator[httpx.AsyncClient]:
    registration = await world.opened.house.people.accounts.register(email=OWNER, password=PASSWORD)
    assert registration.account is not None
    await world.opened.house.people.staff.add(world.shop_id, registration.account.account_id, Role.OWNER)
    async with browser(world) as client:
        await sign_in(client, OWNER)
        yield client


async def give(
    world: World, placed: dict[str, str], data: bytes, kind: str = "application/octet-stream", **query: object
) -> httpx.Response:
    asked = "&".join(f"{name}={value}" for name, value in {"piece": "screen", "name": "a.png", **query}.items())
    path = f"/api/v1/orders/{placed['reference']}/evidence?{asked}"
    return await world.post(path, data, order_secret=placed["secret"], content_type=kind)


async def listed(world: World, placed: dict[str, str]) -> dict[str, Any]:
    path = f"/api/v1/orders/{placed['reference']}/evidence"
    found: dict[str, Any] = (await world.get(path, order_secret=placed["secret"])).json()
    return found


async def upload(client: httpx.AsyncClient, page: str, data: bytes, name: str, **fields: str) -> httpx.Response:
    token = re.search(rf'name="{FIELD}" value="([^"]+)"', (await client.get(page)).text)
    assert token
    return await client.post(page, data={FIELD: token[1], **fields}, files={"file": (name, data)})


def stored(state_dir: Path) -> list[Path]:
    return [one for one in (state_dir / "evidence").rglob("*") if one.is_file()]


HOSTILE = [
    (b"", "application/octet-stream", "empty"),
    (b"<svg onload=alert(1)>", "application/octet-stream", "kind_not_taken"),
    (b"MZ\x90\x00" + bytes(100), "application/octet-stream", "kind_not_taken"),
    (PDF + ZIP, "application/octet-stream", "two_files_in_one"),
    (PDF, "image/png", "not_what_it_claims"),
    (png(20_000, 20_000), "image/png", "too_many_pixels"),
    (png(9_000, 9_000), "image/png", "damaged"),
    (GIF, "image/gif", "damaged"),
    (picture()[:-20], "image/png", "damaged"),
    (picture(kind="JPEG")[:200], "image/jpeg", "damaged"),
]


@pytest.mark.parametrize(("data", "claimed", "why"), HOSTILE)
async def test_hostile_files_are_refused_and_leave_nothing(
    world: World, placed: dict[str, str], state_dir: Path, data: bytes, claimed: str, why: str
) -> None:
    answer = await give(world, placed, data, claimed)
    assert (answer.status_code, answer.json()["details"]["why"]) == (422, why)
    assert stored(state_dir) == []
    assert (await listed(world, placed))["evidence"] == []


async def test_a_file_that_breaks_off_is_refused(world: World, placed: dict[str, str], state_dir: Path) -> None:
    record = await world.opened.house.questions.order_book.find(world.shop_id, await order_id(world, placed))
    assert record is not None

    async def broken() -> AsyncIterator[bytes]:
        yield picture()[:70_000]
        raise EOFError

    said = evidencing.Said(by=evidencing.Party.BUYER, piece=Piece.SCREEN)
    with pytest.raises(evidencing.EvidenceFileIsRefused) as refused:
        await evidencing.give(world.opened.house, record, said, broken())
    assert refused.value.details == {"why": "broke_off"}
    assert stored(state_dir) == []


async def order_id(world: World, placed: dict[str, str]) -> str:

    where = await trade.locate(world.opened.house, placed["reference"])
    assert where is not None
    return where[1]


@pytest.mark.parametrize(
    ("data", "media_type"),
    [(picture(), "image/png"), (PDF, "application/pdf"), (MAIL, "message/rfc822"), ("错误".encode(), "text/plain")],
)
async def test_a_file_comes_back_as_it_was_given(
    world: World, placed: dict[str, str], data: bytes, media_type: str
) -> None:
    assert (await give(world, placed, data)).status_code == 200
    (one,) = (await listed(world, placed))["evidence"]
    assert (one["media_type"], one["rank"], one["size_bytes"]) == (media_type, "E5", len(data))
    path = f"/api/v1/orders/{placed['reference']}/evidence/{one['evidence_id']}"
    back = await world.get(path, order_secret=placed["secret"])
    assert back.content == data
    assert back.headers["content-disposition"] == "attachment"
    assert back.headers["content-type"] == "application/octet-stream"


async def test_only_the_parties_see_it(world: World, placed: dict[str, str], merchant: httpx.AsyncClient) -> None:
    await give(world, placed, picture())
    (one,) = (await listed(world, placed))["evidence"]
    path = f"/api/v1/orders/{placed['reference']}/evidence/{one['evidence_id']}"
    of_shop = path.replace("/v1/", "/v1/shop/")
    assert (await world.get(path, order_secret="x" * 43)).status_code == 404
    assert (await world.get(path)).status_code in {401, 404}
    assert (await world.merchant("GET", of_shop)).content == picture()
    other = await world.new_key(shop_id="00000000-0000-7000-8000-000000000001")
    assert (await world.send("GET", of_shop, authorization=f"Bearer {other}")).status_code == 404
    stranger = await world.paid()
    crossed = f"/api/v1/orders/{stranger['reference']}/evidence/{one['evidence_id']}"
    assert (await world.get(crossed, order_secret=stranger["secret"])).status_code == 404
    async with browser(world) as anybody:
        page = f"/o/{placed['reference']}/evidence/{one['evidence_id']}"
        assert (await anybody.get(f"{page}/file")).status_code in {303, 401, 404}
        assert (await anybody.get(f"{page}/preview.jpg")).status_code in {303, 401, 404}


async def test_where_a_file_lies_and_its_key_are_shown_to_nobody(
    world: World, placed: dict[str, str], buyer: httpx.AsyncClient
) -> None:
    await give(world, placed, picture())
    page = (await buyer.get(f"/o/{placed['reference']}/facts")).text
    assert "a.png" in page
    assert "file_key" not in page
    rows = await world.opened.pool.fetch("SELECT encode(address, 'hex') AS at FROM evidence_files")
    assert rows[0]["at"] not in page


async def test_the_same_file_twice_and_two_at_once(world: World, placed: dict[str, str], state_dir: Path) -> None:
    answers = await asyncio.gather(*(give(world, placed, picture()) for _ in range(2)))
    assert sorted(one.status_code for one in answers) == [200, 409]
    assert (await give(world, placed, picture())).json()["type"] == "/problems/evidence-is-there"
    assert len(stored(state_dir)) == 1
    assert await world.opened.pool.fetchval("SELECT count(*) FROM evidence_files") == 1


async def test_a_preview_is_made_anew_without_metadata(
    world: World, placed: dict[str, str], buyer: httpx.AsyncClient
) -> None:
    exif = Image.Exif()
    exif[0x010E] = "31.2304 N 121.4737 E"
    data = picture(kind="JPEG", exif=exif)
    assert b"31.2304 N" in data
    await give(world, placed, data)
    (one,) = (await listed(world, placed))["evidence"]
    seen = await buyer.get(f"/o/{placed['reference']}/evidence/{one['evidence_id']}/preview.jpg")
    assert seen.headers["content-type"] == "image/jpeg"
    assert b"31.2304 N" not in seen.content
    assert not Image.open(io.BytesIO(seen.content)).getexif()
    assert (await buyer.get(f"/o/{placed['reference']}/evidence")).text.count("preview.jpg") == 1


async def test_a_picture_of_another_order_is_noticed_and_decides_nothing(world: World, placed: dict[str, str]) -> None:
    house = world.opened.house
    other = await world.paid()
    await give(world, placed, picture(7))
    await give(world, other, picture(7, width=200, kind="JPEG", quality=60))
    await give(world, other, picture(8))
    record = await house.questions.order_book.find(world.shop_id, await order_id(world, other))
    assert record is not None
    found = await evidencing.alike(house, record)
    assert found == {record.file.evidence.items[0].evidence_id: 1}
    assert evidencing.statements_of(record, [], 0, 0, house.now_ms()) == []


async def test_a_video_has_a_contact_sheet_and_a_broken_one_is_kept_without(
    world: World, placed: dict[str, str], buyer: httpx.AsyncClient
) -> None:
    await give(world, placed, video())
    await give(world, placed, MP4)
    sheet, none = [
        await buyer.get(f"/o/{placed['reference']}/evidence/{one['evidence_id']}/preview.jpg")
        for one in (await listed(world, placed))["evidence"]
    ]
    assert Image.open(io.BytesIO(sheet.content)).size == (639, 480)
    assert none.status_code == 404


async def test_a_guided_recording_states_what_the_log_and_the_silence_of_the_shop_allow(
    world: World, placed: dict[str, str]
) -> None:
    house, path = world.opened.house, f"/api/v1/orders/{placed['reference']}"
    begun = (await world.post(f"{path}/recordings", b"", order_secret=placed["secret"])).json()["recordings"][0]
    started_ms = world.clock.ms
    assert len(begun["nonce"]) == 8
    world.clock.ms += 10_000
    assert (await world.of_order(placed, "reveal", {})).status_code == 200
    opened_ms = world.clock.ms
    world.clock.ms += 50_000
    said: dict[str, object] = {"piece": "recording", "recording_no": 1, "shows": "already_used"}
    early = await give(world, placed, video(), moment_ms=started_ms + 30_000, **said)
    assert (early.status_code, early.json()["details"]["why"]) == (409, "not_stopped")
    assert (await world.post(f"{path}/recordings/stop", b"", order_secret=placed["secret"])).status_code == 200
    wrong = await give(world, placed, video(), moment_ms=world.clock.ms + 1, **said)
    assert wrong.json()["details"]["why"] == "moment"
    given = await give(world, placed, video(), moment_ms=started_ms + 30_000, **said)
    assert given.status_code == 200, given.text

    async def stated(at_ms: int) -> dict[str, Any]:
        found = await order_id(world, placed)
        record = await house.questions.order_book.find(world.shop_id, found)
        assert record is not None
        facts = await house.questions.order_book.facts(world.shop_id, found, with_sealed=True)
        return {one.fact: one.value for one in evidencing.statements_of(record, facts, opened_ms, 0, at_ms)}

    assert await stated(world.clock.ms) == {
        "recording_started_at_ms": started_ms, "recording_ended_at_ms": started_ms + 60_000
    }  # fmt: skip
    stands = await stated(world.clock.ms + DOUBT_WITHIN_MS)
    assert (stands["recording_nonce_shown"], stands["error_means"]) == (True, "already_used")
    (one,) = (await listed(world, placed))["evidence"]
    of_shop = f"/api/v1/shop/orders/{placed['reference']}/evidence/{one['evidence_id']}"
    doubted = await world.merchant("POST", of_shop, {"do": "doubt", "text": "录屏中看不到口令"})
    assert doubted.status_code == 200, doubted.text
    assert "recording_nonce_shown" not in await stated(world.clock.ms + DOUBT_WITHIN_MS)


async def test_a_recording_after_the_opening_is_too_late(world: World, placed: dict[str, str]) -> None:
    await world.of_order(placed, "reveal", {})
    path = f"/api/v1/orders/{placed['reference']}/recordings"
    answer = await world.post(path, b"", order_secret=placed["secret"])
    assert (answer.status_code, answer.json()["details"]["why"]) == (409, "nothing_sealed")


async def test_provenance_is_an_invoice_and_a_check_before_the_deposit(world: World, placed: dict[str, str]) -> None:
    house, found = world.opened.house, await order_id(world, placed)
    path = f"/api/v1/shop/orders/{placed['reference']}/evidence"
    record = await house.questions.order_book.find(world.shop_id, found)
    assert record is not None
    codes = [one.code_id for one in record.file.codes.held]
    deposited_ms = (await house.evidence.rows.deposited_at_ms(world.shop_id, codes))[codes[0]]

    async def stated() -> list[tuple[str, object]]:
        record = await house.questions.order_book.find(world.shop_id, found)
        assert record is not None
        facts = await house.questions.order_book.facts(world.shop_id, found, with_sealed=True)
        said = evidencing.statements_of(record, facts, 0, deposited_ms, house.now_ms())
        return [(one.fact, one.rank) for one in said]

    kind = {"content_type": "application/pdf"}
    assert (await world.merchant("POST", f"{path}?piece=invoice", PDF, **kind)).status_code == 200
    late = f"{path}?piece=status_check&moment_ms={deposited_ms + 1}"
    world.clock.ms += 5
    assert (await world.merchant("POST", late, PDF + b"\n", **kind)).status_code == 200
    assert await stated() == []
    good = f"{path}?piece=status_check&moment_ms={deposited_ms}"
    assert (await world.merchant("POST", good, PDF + b"\n\n", **kind)).status_code == 200
    assert await stated() == [("provenance_at_ms", "E4")]


async def test_pages_of_both_sides(
    world: World, placed: dict[str, str], buyer: httpx.AsyncClient, merchant: httpx.AsyncClient
) -> None:
    of_buyer, of_shop = f"/o/{placed['reference']}/evidence", f"/desk/orders/{placed['reference']}/evidence"
    given = await upload(buyer, of_buyer, picture(), "../../截图<1>.png", piece="screen", note="<b>见图</b>")
    assert given.status_code == 303, given.text
    page = (await merchant.get(of_shop)).text
    assert "截图&lt;1&gt;.png" in page
    assert "../" not in page.split("截图")[0][-20:]
    assert "&lt;b&gt;见图" in page
    refused = await upload(buyer, of_buyer, b"<html>", "a.png", piece="screen")
    assert (refused.status_code, "没有收下" in refused.text or "未被接收" in refused.text) == (422, True)
    none = await upload(buyer, of_buyer, b"", "a.png", piece="screen")
    assert none.status_code == 422
    assert (await upload(merchant, of_shop, PDF, "发票.pdf", piece="invoice")).status_code == 303
    assert "发票.pdf" in (await buyer.get(of_buyer)).text


async def test_erasing_the_fact_destroys_the_file_and_tidying_takes_the_rest(
    world: World, placed: dict[str, str], state_dir: Path
) -> None:
    house = world.opened.house
    await give(world, placed, picture())
    await give(world, placed, PDF)
    far_ms = 2**42
    assert await house.evidence.store.tidy(house.evidence.rows.known, far_ms) == 0
    record = await house.questions.order_book.find(world.shop_id, await order_id(world, placed))
    assert record is not None
    evidence_id = record.file.evidence.items[0].evidence_id
    await world.opened.pool.execute("DELETE FROM sealed_fields WHERE stream_id = $1::uuid", record.order_id)
    path = f"/api/v1/orders/{placed['reference']}/evidence/{evidence_id}"
    assert (await world.get(path, order_secret=placed["secret"])).status_code == 404
    with pytest.raises(evidencing.NotFound):
        await evidencing.preview(house, record, evidence_id)


async def test_nothing_is_read_when_nothing_would_be_taken(world: World, placed: dict[str, str]) -> None:
    world.clock.ms += GIVE_RECORDING_WITHIN_MS + WEEK_MS
    await world.of_order(placed, "confirm", {})
    record = await world.opened.house.questions.order_book.find(world.shop_id, await order_id(world, placed))
    assert record is not None
    assert not dispute_of(record.file).takes
    answer = await give(world, placed, picture())
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/evidence-is-not-taken-now")
