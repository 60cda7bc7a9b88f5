"""Together on the site: who has not joined sees nothing, and whoever leaves is in no pack."""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import date
from pathlib import Path

import httpx
import pypdfium2
import pytest

from api_world import World, a_world
from examples.test_case_joint import bought
from fairkey.business.basics import NotFound
from fairkey.casework.joint.claims import claim_of
from fairkey.casework.joint.shops import shop_identity
from fairkey.engine.joint_port import JointIsNotReady
from pages.test_operator_pages import browser
from pages.test_outside_cases import begin, give, person, post, worked

NAMES = "甲乙丙"


@pytest.fixture
async def world(database_url: str, state_dir: Path) -> AsyncIterator[World]:
    async with a_world(database_url, state_dir) as world:
        yield world


class Victim:
    """A person in a browser, his account and his case."""

    def __init__(self, world: World, client: httpx.AsyncClient, number: int) -> None:
        self.world, self.client, self.number = world, client, number
        self.account = self.path = ""

    async def begin(self, shop: str = "极速卡铺") -> None:
        self.account = await person(self.world, self.client, f"victim{self.number}@example.com")
        self.path = await begin(self.client, title=f"卡{self.number}")
        fields = {"platform": "淘宝", "shop": shop, "order_number": f"20261120{self.number:06}", "product": "激活码"}
        fields |= {"amount": f"{100 + self.number}.00", "paid": f"2026-11-1{self.number}T10:00", "purpose": "living"}
        fields |= {
            "problem": "already_used",
            "buyer_name": f"张{NAMES[self.number]}",
            "buyer_phone": f"1380000000{self.number}",
        }
        told = await post(self.client, f"{self.path}/told", **fields, buyer_address=f"某路{self.number}号")
        assert told.status_code == 303, told.text[:300]

    @property
    def case_id(self) -> str:
        return self.path.rpartition("/")[2]

    async def act(self, name: str, **fields: str) -> httpx.Response:
        return await post(self.client, f"{self.path}/together/{name}", **fields)

    async def page(self) -> str:
        return (await self.client.get(f"{self.path}/together")).text


@pytest.fixture
async def three(world: World) -> AsyncIterator[list[Victim]]:
    async with AsyncExitStack() as stack:
        found = [Victim(world, await stack.enter_async_context(browser(world)), number) for number in range(3)]
        for one in found:
            await one.begin("极速 卡铺" if one.number else "极速卡铺！")
        yield found


async def all_agreed(three: list[Victim]) -> None:
    for one in three:
        assert (await one.act("join")).status_code == 303
        assert (await one.act("release", speaks="1" if one.number else "")).status_code == 303
    for one in three:
        assert (await one.act("choose", first=three[1].case_id, second=three[2].case_id)).status_code == 303


def letter_of(data: bytes) -> str:
    packed = zipfile.ZipFile(io.BytesIO(data))
    pages = pypdfium2.PdfDocument(packed.read("joint/letter.pdf"))
    text = "".join(page.get_textpage().get_text_range() for page in pages)
    return text.replace("\r\n", "").replace(" ", "")


async def test_what_is_seen_before_and_after_joining(three: list[Victim]) -> None:
    first, second, third = three
    await second.act("join")
    assert "加入" in await first.page()
    assert 'class="tile' not in await first.page()
    await first.act("join")
    page = await first.page()
    assert "201" not in page  # with two, a sum would tell what the other paid
    await third.act("join")
    page = await first.page()
    assert "303" in page
    assert "2026-11-10" in page
    assert "10:00" not in page  # days, not minutes
    for secret in ("张乙", "13800000001", "20261120000001"):
        assert secret not in page


async def test_two_agreed_representatives_take_the_pack_and_nobody_else(three: list[Victim]) -> None:
    await all_agreed(three)
    assert (await three[0].act("pack")).status_code == 409
    taken = await three[1].act("pack")
    assert taken.status_code == 200, taken.text[:300]
    text = letter_of(taken.content)
    for wanted in ("张甲", "张乙", "张丙", "13800000002", "张乙（投诉人2）、张丙（投诉人3）", "303.00元"):
        assert wanted in text, wanted


async def test_nobody_takes_a_pack_before_all_agree(three: list[Victim]) -> None:
    await all_agreed(three)
    await three[0].act("release")  # says something else: his choice is open again
    assert (await three[1].act("pack")).status_code == 409
    assert (await three[0].act("choose", first=three[0].case_id, second=three[1].case_id)).status_code == 409
    assert (await three[0].act("choose", first=three[1].case_id, second=three[1].case_id)).status_code == 409


async def test_who_withdraws_during_packing_is_in_no_pack(world: World, three: list[Victim]) -> None:
    await all_agreed(three)
    joint = world.opened.house.joint
    bundle = await joint.bundle(three[1].account, three[1].case_id)
    await three[0].act("withhold")
    with pytest.raises(JointIsNotReady):
        await joint.require_unchanged(three[1].account, three[1].case_id, bundle)
    taken = await three[1].act("pack")
    assert taken.status_code == 200
    assert "张甲" not in letter_of(taken.content)
    await three[2].act("leave")  # a representative goes: nothing is agreed any more
    assert (await three[1].act("pack")).status_code == 409


async def test_one_more_meanwhile_does_no_harm(world: World, three: list[Victim]) -> None:
    await all_agreed(three)
    joint = world.opened.house.joint
    await three[0].act("leave")
    bundle = await joint.bundle(three[1].account, three[1].case_id)
    await three[0].act("join")
    await three[0].act("release")
    await joint.require_unchanged(three[1].account, three[1].case_id, bundle)


async def test_erasing_a_case_leaves_the_group_and_takes_everything_back(world: World, three: list[Victim]) -> None:
    await all_agreed(three)
    await post(three[0].client, f"{three[0].path}/forget")
    assert await world.opened.pool.fetchval("SELECT count(*) FROM joint_members") == 2
    assert "张甲" not in letter_of((await three[1].act("pack")).content)


async def test_nothing_lies_in_clear(world: World, three: list[Victim]) -> None:
    await all_agreed(three)
    rows = await world.opened.pool.fetch("SELECT * FROM joint_members")
    kept = b"".join(
        value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row.values()
    )
    for secret in ("张甲", "13800000000", "极速", "淘宝", "某路"):
        assert secret.encode() not in kept


async def test_two_at_once_and_twice_are_once(world: World, three: list[Victim]) -> None:
    first = three[0]
    answers = await asyncio.gather(*(first.act("join") for _ in range(4)))
    assert {one.status_code for one in answers} == {303}
    assert await world.opened.pool.fetchval("SELECT count(*) FROM joint_members") == 1
    again = await begin(first.client, title="同一店铺")
    await post(first.client, f"{again}/told", problem="other", purpose="living", platform="淘宝", shop="极速卡铺")
    assert (await post(first.client, f"{again}/together/join")).status_code == 409
    assert (await first.act("leave")).status_code == 303
    assert (await first.act("leave")).status_code == 303
    assert (await first.act("release")).status_code == 409


async def test_nobody_acts_for_another(world: World, three: list[Victim]) -> None:
    other, mine = three[0], three[1]
    await mine.act("join")
    for name in ("join", "leave", "release", "withhold", "choose", "pack"):
        assert (await post(other.client, f"{mine.path}/together/{name}")).status_code == 404
    assert (await other.client.get(f"{mine.path}/together")).status_code == 404
    assert "1" in await mine.page()
    claim = claim_of(bought(1), date(2026, 11, 23))
    with pytest.raises(NotFound):
        await world.opened.house.joint.join(other.account, mine.case_id, shop_identity("a", "b"), claim)


async def test_what_cannot_join_is_refused_with_a_sentence(three: list[Victim]) -> None:
    client = three[0].client
    path = await begin(client, title="无店铺")
    refused = await post(client, f"{path}/together/join")
    assert refused.status_code == 422
    assert "尚未填写平台和店铺名称" in refused.text
    await post(client, f"{path}/told", problem="other", purpose="resale", platform="淘宝", shop="x")
    assert "为转售" in (await post(client, f"{path}/together/join")).text
    await post(client, f"{path}/told", problem="other", purpose="living", platform="淘宝", shop="x")
    assert (await post(client, f"{path}/together/join")).status_code == 303
    assert "真实姓名" in (await post(client, f"{path}/together/release")).text


async def test_a_pack_that_was_given_along_is_in_it(world: World, three: list[Victim]) -> None:
    await give(three[0].client, three[0].path, ("a.txt", b"chat"))
    await post(three[0].client, f"{three[0].path}/work/pack")
    await worked(world)
    for one in three:
        await one.act("join")
        await one.act("release", speaks="1" if one.number else "", with_pack="1")
    for one in three:
        await one.act("choose", first=three[1].case_id, second=three[2].case_id)
    packed = zipfile.ZipFile(io.BytesIO((await three[2].act("pack")).content))
    names = packed.namelist()
    assert "joint/members/01/manifest.json" in names
    assert not any(one.startswith("joint/members/02") for one in names)
