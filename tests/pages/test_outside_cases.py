"""Outside cases on the site: sealed where they lie, nobody else's to read, whole after any death, gone when erased."""

import html
import io
import re
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from msgspec import structs

from api_world import World, a_world
from evidence_world import png
from fairkey.adapters.files.case_safe import CaseSafe
from fairkey.adapters.postgres.cases import PostgresCases
from fairkey.business.basics import NotFound
from fairkey.casework.folder import CaseFolder, new_case
from fairkey.casework.model import Case, FactKind, FactRole, ProposedFact, Region
from fairkey.engine.cases_port import CASES_MAX, CaseIsBusy
from fairkey.gates.csrf import FIELD
from pages.test_operator_pages import PASSWORD, browser, sign_in
from repo.test_case_texts import HAN, NAMED

CHAT = "订单编号：2026112300012345678\n实付款：￥199.00\n".encode()


@pytest.fixture
async def world(database_url: str, state_dir: Path) -> AsyncIterator[World]:
    async with a_world(database_url, state_dir) as world:
        yield world


async def person(world: World, client: httpx.AsyncClient, email: str) -> str:
    made = await world.opened.house.people.accounts.register(email=email, password=PASSWORD)
    assert made.account is not None
    await sign_in(client, email)
    return made.account.account_id


@pytest.fixture
async def owner(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(world) as client:
        await person(world, client, "cheated@example.com")
        yield client


async def token(client: httpx.AsyncClient) -> str:
    found = re.search(f'name="{FIELD}" value="([^"]+)"', (await client.get("/cases/new")).text)
    assert found is not None
    return found.group(1)


async def post(client: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    return await client.post(path, data={FIELD: await token(client), **fields})


async def begin(client: httpx.AsyncClient, **fields: str) -> str:
    answer = await post(client, "/cases/new", problem="already_used", purpose="living", **fields)
    assert answer.status_code == 303, answer.text[:300]
    return str(answer.headers["location"])


async def give(client: httpx.AsyncClient, path: str, *files: tuple[str, bytes]) -> httpx.Response:
    parts = [("files", (name, data, "application/octet-stream")) for name, data in files]
    fields = {FIELD: await token(client), "how": "export"}
    return await client.post(f"{path}/files", data=fields, files=parts)


async def worked(world: World) -> None:
    """Wait for what works behind the pages."""
    cases = world.opened.house.cases
    assert isinstance(cases, PostgresCases)
    await cases.ended()


async def test_a_case_from_first_words_to_pack(world: World, owner: httpx.AsyncClient) -> None:
    path = await begin(owner, title="一张卡", account="激活时提示已被使用。")
    assert (await give(owner, path, ("聊天记录.txt", CHAT), ("shot.png", png()))).status_code == 303
    told = await post(
        owner,
        f"{path}/told",
        title="一张卡",
        problem="already_used",
        purpose="living",
        platform="某平台",
        shop="小店",
        amount="199",
        paid="2026-11-20T10:00",
        problem_at="2026-11-20T11:00",
        wish_refund="1",
        account="激活时提示已被使用。",
    )
    assert told.status_code == 303, told.text[:300]
    assert (await post(owner, f"{path}/steps", channel="platform", stage="sent")).status_code == 303
    assert (await post(owner, f"{path}/work/read")).status_code == 303
    await worked(world)
    shown = (await owner.get(path)).text
    assert "2026112300012345678" in shown
    assert "<svg" in shown
    assert "199" in shown
    number = re.search(rf'{path}/facts/(\d+)"', shown)
    assert number is not None
    calendar = await owner.get(f"{path}/deadlines.ics")
    assert calendar.content.startswith(b"BEGIN:VCALENDAR")
    assert (await post(owner, f"{path}/work/pack")).status_code == 303
    await worked(world)
    packed = zipfile.ZipFile(io.BytesIO((await owner.get(f"{path}/pack.zip")).content))
    assert {one.rpartition("/")[2] for one in packed.namelist()} >= {
        "manifest.json",
        "letter-1-platform.pdf",
        "verify.html",
    }
    assert CHAT in [packed.read(one) for one in packed.namelist() if "/evidence/" in one]


async def test_a_read_fact_is_confirmed_or_put_right(world: World, owner: httpx.AsyncClient) -> None:
    path = await begin(owner)
    await give(owner, path, ("a.txt", CHAT))
    await post(owner, f"{path}/work/read")
    await worked(world)
    shown = (await owner.get(path)).text
    form = re.search(r'facts/(\d+)">(?:(?!</form>).)*?name="was" value="19900"', shown, re.DOTALL)
    assert form is not None, shown
    stale = await post(owner, f"{path}/facts/{form.group(1)}", was="1", value="199.00", role="paid")
    assert stale.status_code == 422
    done = await post(owner, f"{path}/facts/{form.group(1)}", was="19900", value="188.00", role="paid")
    assert done.status_code == 303
    page = (await owner.get(path)).text
    assert 'value="188.00"' in page
    assert "188" in page


async def test_nobody_else_sees_it_and_nothing_lies_in_clear(world: World, owner: httpx.AsyncClient) -> None:
    path = await begin(owner, title="secret title")
    await give(owner, path, ("private-name.txt", CHAT))
    kept = [one for one in (world.opened.house.settings.state / "cases").rglob("*") if one.is_file()]
    assert kept
    for one in kept:
        data = one.read_bytes()
        assert CHAT[:20] not in data
        assert b"secret title" not in data
        assert "private" not in one.name
    async with browser(world) as other, browser(world) as boss:
        await person(world, other, "other@example.com")
        operator = await person(world, boss, "boss@example.com")
        await world.opened.house.people.accounts.make_operator(operator)
        await sign_in(boss, "boss@example.com")
        for client in (other, boss):
            assert (await client.get(path)).status_code == 404
            assert (await client.get(f"{path}/pack.zip")).status_code == 404
            assert (await post(client, f"{path}/forget")).status_code == 404
            assert (await give(client, path, ("b.txt", b"b"))).status_code == 404
    async with browser(world) as nobody:
        assert (await nobody.get(path)).status_code in {303, 401}
    assert (await owner.get(path)).status_code == 200


async def test_erasing_leaves_nothing(world: World, owner: httpx.AsyncClient) -> None:
    path = await begin(owner)
    await give(owner, path, ("a.txt", CHAT))
    assert (await post(owner, f"{path}/forget")).status_code == 303
    assert (await owner.get(path)).status_code == 404
    assert not any((world.opened.house.settings.state / "cases").iterdir())
    assert await world.opened.pool.fetchval("SELECT count(*) FROM cases") == 0


async def test_hostile_files_are_refused_or_kept_as_bytes(world: World, owner: httpx.AsyncClient) -> None:
    path = await begin(owner)
    assert (await give(owner, path, ("empty.txt", b""))).status_code == 422
    bomb = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + (90_000).to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0" + b"\0" * 40
    assert (await give(owner, path, ("../../../etc/passwd", b"x"), ("bomb.png", bomb))).status_code == 303
    page = (await owner.get(path)).text
    assert "passwd" in page
    broken = f'--x\r\nContent-Disposition: form-data; name="{FIELD}"\r\n\r\n{await token(owner)}\r\n--x\r\n'
    broken += 'Content-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\nhalf'
    cut = await owner.post(
        f"{path}/files", content=broken.encode(), headers={"content-type": "multipart/form-data; boundary=x"}
    )
    assert cut.status_code == 422
    assert "half" not in (await owner.get(path)).text
    odd = await post(owner, f"{path}/told", amount="many")
    assert odd.status_code == 422
    assert (await post(owner, f"{path}/steps", channel="nowhere", stage="sent")).status_code == 422
    assert (await owner.get("/cases/not-an-id")).status_code == 404


async def test_an_account_keeps_so_many_and_one_job_runs_at_a_time(world: World, owner: httpx.AsyncClient) -> None:
    path = ""
    for _ in range(CASES_MAX):
        path = await begin(owner)
    assert (await post(owner, "/cases/new", problem="other", purpose="living")).status_code == 409
    row = await world.opened.pool.fetchrow("SELECT * FROM cases WHERE case_id = $1::text::uuid", path.split("/")[-1])
    cases = world.opened.house.cases
    await cases.start(str(row["account_id"]), str(row["case_id"]), "packing")
    with pytest.raises(CaseIsBusy):
        await cases.start(str(row["account_id"]), str(row["case_id"]), "packing")
    await cases.stop()
    assert not (await cases.row(str(row["account_id"]), str(row["case_id"]))).job


async def test_an_order_goes_outside_with_one_click(world: World, owner: httpx.AsyncClient) -> None:
    placed = await world.paid()
    await owner.get(f"/o/{placed['reference']}?s={placed['secret']}")
    assert "/outside" in (await owner.get(f"/o/{placed['reference']}")).text
    taken = await post(owner, f"/o/{placed['reference']}/outside")
    assert taken.status_code == 303, taken.text[:300]
    page = (await owner.get(taken.headers["location"])).text
    assert f"{placed['reference']}-receipts.zip" in page
    assert "小满卡铺" in page
    async with browser(world) as guest:
        await guest.get(f"/o/{placed['reference']}?s={placed['secret']}")
        page = (await guest.get(f"/o/{placed['reference']}")).text
        found = re.search(f'name="{FIELD}" value="([^"]+)"', page)
        assert found is not None
        asked = await guest.post(f"/o/{placed['reference']}/outside", data={FIELD: found.group(1)})
        assert asked.status_code == 401


async def test_an_order_that_nobody_paid_is_not_taken_outside(world: World, owner: httpx.AsyncClient) -> None:
    placed = await world.place()
    await owner.get(f"/o/{placed['reference']}?s={placed['secret']}")
    assert "/outside" not in (await owner.get(f"/o/{placed['reference']}")).text
    refused = await post(owner, f"/o/{placed['reference']}/outside")
    assert refused.status_code == 409
    assert await world.opened.pool.fetchval("SELECT count(*) FROM cases") == 0


def test_a_safe_that_dies_before_its_index_is_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    safe = CaseSafe(tmp_path / "case", bytes(32))
    case = Case(case_id="0", created_at_ms=1, title="before")
    safe.begin(lambda path: new_case(path, case))

    def rename(folder: CaseFolder) -> None:
        folder.change("case.told", lambda now: structs.replace(now, title="after"), at_ms=2)

    def die(*_: object) -> None:
        raise OSError(5, "the machine died")

    with monkeypatch.context() as dying:
        dying.setattr(CaseSafe, "_put", die)
        with pytest.raises(OSError, match="died"):
            safe.change(rename)
    assert safe.look(CaseFolder.read, files=True).title == "before"
    safe.change(rename)
    assert safe.look(CaseFolder.read, files=True).title == "after"
    assert len([one for one in (tmp_path / "case").iterdir() if one.name not in {"index", "lock"}]) == 1
    safe.forget()
    with pytest.raises(NotFound):
        safe.look(CaseFolder.read, files=False)


async def test_the_spot_of_a_fact_is_cut_out(world: World, owner: httpx.AsyncClient) -> None:
    path = await begin(owner)
    await give(owner, path, ("shot.png", png()))
    row = await world.opened.pool.fetchrow("SELECT * FROM cases")
    account, case_id = str(row["account_id"]), str(row["case_id"])
    cases = world.opened.house.cases

    def propose(folder: CaseFolder) -> None:
        fact = ProposedFact(
            file=folder.read().files[0].seal.sha256,
            kind=FactKind.CODE,
            value="ABCD",
            role=FactRole.NONE,
            region=Region(left=1, top=1, width=4, height=4),
            confidence=0.9,
            text="ABCD",
        )
        folder.change("facts.proposed", lambda now: structs.replace(now, proposed=(fact,)), at_ms=3)

    await cases.change(account, case_id, propose)
    got = await owner.get(f"{path}/facts/1/crop.jpg")
    assert got.content[:3] == b"\xff\xd8\xff"
    assert (await owner.get(f"{path}/facts/2/crop.jpg")).status_code == 404


async def test_letters_are_there_once_something_is_confirmed_and_for_nobody_else(
    world: World, owner: httpx.AsyncClient
) -> None:
    path = await begin(owner)
    empty = await owner.get(f"{path}/letters")
    assert empty.status_code == 200  # the problem was chosen: that much can be told
    told = {"problem": "already_used", "purpose": "living", "platform": "示例商城", "shop": "晨星点卡", "amount": "128"}
    told |= {"order_number": "2026110110350042", "product": "充值码", "wish_refund": "on", "buyer_name": "王小满"}
    assert (await post(owner, f"{path}/told", **told)).status_code == 303
    for lang in ("zh-CN", "en"):
        page = await owner.get(f"{path}/letters/platform", headers={"accept-language": lang})
        assert page.status_code == 200
        assert "致：示例商城平台客服" in page.text
        assert "退还货款 128.00元" in page.text
    text = await owner.get(f"{path}/letters/small_claims/letter.txt")
    assert text.headers["content-disposition"] == 'attachment; filename="small_claims.txt"'
    assert "壹佰贰拾捌元整" in text.text
    printed = await owner.get(f"{path}/letters/small_claims/letter.pdf")
    assert printed.headers["content-type"] == "application/pdf"
    assert printed.content.startswith(b"%PDF-")
    assert (await owner.get(f"{path}/letters/telegraph")).status_code == 404
    assert (await owner.get(f"{path}/letters/telegraph/letter.txt")).status_code == 404
    async with browser(world) as other:
        await person(world, other, "other@example.com")
        for place in ("letters", "letters/platform", "letters/platform/letter.txt", "letters/platform/letter.pdf"):
            assert (await other.get(f"{path}/{place}")).status_code == 404


async def test_a_case_reads_in_the_language_of_the_page(world: World, owner: httpx.AsyncClient) -> None:
    path = await begin(owner, title="Card", account="All codes were used.")
    huge = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + (90_000).to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0" + b"\0" * 40
    assert (await give(owner, path, ("bomb.png", huge))).status_code == 303
    told = {"problem": "already_used", "purpose": "living", "amount": "128", "asserts_fraud": "1", "title": "Card"}
    assert (await post(owner, f"{path}/told", problem_at="2026-11-20T11:00", **told)).status_code == 303
    assert (await post(owner, f"{path}/steps", channel="platform", stage="sent")).status_code == 303
    own = {"中文"}  # the name of the other language
    for place in ("", "/together", "/letters"):
        english = (await owner.get(f"{path}{place}?lang=en")).text
        text = re.sub(r"<article.*?</article>|<script.*?</script>|<[^>]*>", " ", english, flags=re.DOTALL)
        for one in own:
            text = text.replace(one, "")
        assert not HAN.search(NAMED.sub("", html.unescape(text))), place
    chinese = (await owner.get(f"{path}?lang=zh")).text
    assert "先走上一渠道" in chinese
    assert "图片已损坏" in chinese
    assert "The picture is broken" not in chinese
    joined = await post(owner, f"{path}/together/join")
    assert joined.status_code == 422
    assert "尚未填写平台和店铺名称" in joined.text
    calendar = (await owner.get(f"{path}/deadlines.ics?lang=en")).content.decode()
    assert "The platform answers" in calendar


async def test_heated_words_are_pointed_out_and_kept(world: World, owner: httpx.AsyncClient) -> None:
    path = await begin(owner, title="一张卡", account="卖家是骗子。客服骂我“滚蛋”。")
    page = (await owner.get(path)).text
    assert ">骗子</mark>" in page
    assert "滚蛋</mark>" not in page
    assert "卖家是骗子。客服骂我“滚蛋”。" in page
