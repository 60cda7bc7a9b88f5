"""Letters to buyers: which facts are told, and in whose language."""

import email
import email.policy
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from api_world import World, a_world
from fairkey.adapters.mail.folder import FolderMail
from fairkey.engine import trade

pytestmark = pytest.mark.pg


@pytest.fixture
async def world(database_url: str, state_dir: Path, tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(database_url, state_dir, mail=FolderMail(tmp_path / "mails")) as world:
        yield world


async def letters_to(world: World, folder: Path, to: str) -> list[str]:
    """Subjects of all letters to him, oldest first, after everything was sent."""
    while await world.opened.worker.do_effects():
        pass
    read = [email.message_from_bytes(one.read_bytes(), policy=email.policy.default) for one in sorted(folder.iterdir())]
    return sorted(str(one["subject"]) for one in read if one["to"] == to)


@pytest.mark.parametrize(
    ("locale", "subject"),
    [
        ("en-GB", "Paid, and held until you have it: 人工代发"),
        ("zh-CN", "已付款\uff0c由平台担保\uff1a人工代发"),
        ("", "已付款\uff0c由平台担保\uff1a人工代发"),
        ("tlh", "已付款\uff0c由平台担保\uff1a人工代发"),
    ],
)
async def test_a_guest_is_told_in_his_language_that_his_money_is_held(
    world: World, tmp_path: Path, locale: str, subject: str
) -> None:
    contact = "guest.of.letters@mail.example"
    wish = trade.Placing(
        shop_id=world.shop_id,
        listing_id=world.manual_id,
        revision=1,
        quantity=1,
        contact=contact,
        address="203.0.113.7",
        locale=locale,
    )
    placed = await trade.place(world.opened.house, wish)
    assert not placed.answer.refusal, placed.answer
    amount_fen = placed.answer.facts["amount_fen"]
    assert isinstance(amount_fen, int)
    assert (await world.tell(world.notice(placed.reference, amount_fen))).text == "success"
    assert await letters_to(world, tmp_path / "mails", contact) == [subject]


async def test_a_language_tag_is_short(world: World) -> None:
    wish = trade.Placing(
        shop_id=world.shop_id, listing_id=world.vault_id, revision=1, quantity=1, contact="a@b.example", locale="x" * 36
    )
    placed = await trade.place(world.opened.house, wish)
    assert placed.answer.refusal == "FieldIsInvalid"
