"""Who dies between vault and engine leaves codes that wait: the same request again finds them and goes on."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from api_world import World, a_world
from fairkey.business import batches, codes
from fairkey.business.askers import Asker
from fairkey.business.basics import Command
from fairkey.engine import trade
from fairkey.engine.answers import Answer, StoreIsAway

pytestmark = pytest.mark.pg


@pytest.fixture
async def world(database_url: str, state_dir: Path) -> AsyncIterator[World]:
    async with a_world(database_url, state_dir) as world:
        yield world


def dying_before(ask: Callable[..., Awaitable[Answer]], kind: type[Command]) -> Callable[..., Awaitable[Answer]]:
    """`ask` that never comes to commands of this kind."""

    async def asked(by: Asker, command: Command, **words: object) -> Answer:
        if isinstance(command, kind):
            raise StoreIsAway
        return await ask(by, command, **words)

    return asked


async def test_an_import_that_was_staged_is_registered_by_the_repeat(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    house, import_id = world.opened.house, world.opened.house.new_id()

    async def deposit() -> Answer | None:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"STAGED-AAA-0001\nSTAGED-AAA-0002\n"

        _, answer = await trade.deposit(
            house,
            shop_id=world.shop_id,
            import_id=import_id,
            listing_id=world.vault_id,
            chunks=chunks(),
            file_name="codes.txt",
            note="",
            source="typed",
            invoice_sha256="",
            by_account="",
        )
        return answer

    with monkeypatch.context() as dying:
        dying.setattr(house, "ask", dying_before(house.ask, batches.RegisterBatch))
        with pytest.raises(StoreIsAway):
            await deposit()
    record = await house.imports.find(world.shop_id, import_id)
    assert record is not None
    assert record.state == "staged"
    answer = await deposit()
    assert answer is not None
    assert not answer.refusal, answer
    record = await house.imports.find(world.shop_id, import_id)
    assert record is not None
    assert (record.state, record.progress.accepted) == ("registered", 2)
    again = await deposit_again(deposit)
    assert again == "ImportIsClosed", "once it is registered a repeat changes nothing"


async def deposit_again(deposit: Callable[[], Awaitable[Answer | None]]) -> str:
    try:
        await deposit()
    except Exception as error:  # noqa: BLE001 - its name is what is asked for
        return type(error).__name__
    return ""


async def test_typed_codes_that_wait_are_delivered_by_the_repeat(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    house = world.opened.house
    placed = await world.paid(listing_id=world.manual_id, quantity=2)
    where = await trade.locate(house, placed["reference"])
    assert where is not None

    async def deliver(*texts: str) -> Answer:
        return await trade.deliver_typed(house, shop_id=where[0], order_id=where[1], texts=texts, by_account="")

    with monkeypatch.context() as dying:
        dying.setattr(house, "ask", dying_before(house.ask, codes.DeliverTyped))
        with pytest.raises(StoreIsAway):
            await deliver("TYPED-BBB-0001")
    answer = await deliver("TYPED-BBB-0001")
    assert (answer.refusal, answer.facts["stage"]) == ("", "paid"), "one of two"
    with pytest.raises(trade.TypedCodesAreRefused):
        await deliver("TYPED-BBB-0001")
    answer = await deliver("TYPED-BBB-0002")
    assert (answer.refusal, answer.facts["stage"]) == ("", "delivered")
