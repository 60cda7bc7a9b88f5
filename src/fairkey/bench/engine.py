"""The engine alone: callers who place, pay and open, without HTTP. A process of its own."""

import asyncio
import os
import time
from typing import Any

import uvloop

from fairkey.app import open_house
from fairkey.business import codes, escrow, orders
from fairkey.business.askers import Asker
from fairkey.engine.house import House
from fairkey.settings import Settings

from .parts import answer_questions
from .world import PRICE_FEN, Shop

ADDRESS_KEY = "a" * 32  # everybody comes from one network


def main() -> None:
    """Answer `{shops, orders, callers}` with `{wall_s, cpu_s}`; where the house is, the environment says."""
    settings = Settings.from_environment(os.environ)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        house_of = open_house(settings, settings.database_url)
        opened = runner.run(house_of.__aenter__())

        def carry(question: dict[str, Any]) -> dict[str, Any]:
            shops = [Shop(**shop) for shop in question["shops"]]
            cpu_s, started = time.process_time(), time.perf_counter()
            runner.run(_carry(opened.house, shops, question["orders"], question["callers"]))
            return {"wall_s": time.perf_counter() - started, "cpu_s": time.process_time() - cpu_s}

        answer_questions(carry)
        runner.run(house_of.__aexit__(None, None, None))


async def _carry(house: House, shops: list[Shop], count: int, callers: int) -> None:
    numbers = iter(range(count))

    async def caller() -> None:
        for number in numbers:
            shop = shops[number % len(shops)]
            order_id = await place(house, shop)
            await pay(house, shop, order_id)
            await reveal(house, shop, order_id)

    await asyncio.gather(*(caller() for _ in range(callers)))


async def place(house: House, shop: Shop) -> str:
    """A placed order's id."""
    order_id = house.new_id()
    contact = f"{order_id}@example.com"
    placed = await house.ask(
        Asker.BUYER,
        orders.PlaceOrder(
            shop_id=shop.shop_id,
            order_id=order_id,
            listing_id=shop.listing_id,
            revision=1,
            quantity=1,
            contact=contact,
            buyer=house.keys.buyer_pseudonym(shop.shop_id, contact),
            buyer_key=house.keys.buyer_key(contact).hex(),
            address_key=ADDRESS_KEY,
        ),
    )
    assert not placed.refusal, placed
    return order_id


async def pay(house: House, shop: Shop, order_id: str) -> None:
    """The provider's report that it is paid for; its code is delivered with that."""
    paid = await house.ask(
        Asker.PROVIDER,
        escrow.RecordPayment(
            shop_id=shop.shop_id,
            order_id=order_id,
            provider="sandbox",
            provider_txn=order_id,
            amount_fen=PRICE_FEN,
            paid_at_ms=house.now_ms(),
        ),
        command_id=f"pay:sandbox:{order_id}",
    )
    assert not paid.refusal, paid


async def reveal(house: House, shop: Shop, order_id: str) -> str:
    """Its code, opened and in clear."""
    opened = await house.ask(Asker.BUYER, codes.RevealCodes(shop_id=shop.shop_id, order_id=order_id))
    assert not opened.refusal, opened
    listed = opened.facts["opened"]
    assert isinstance(listed, list | tuple)
    (code,) = (await house.vault.open_codes(shop.shop_id, [str(code_id) for code_id in listed])).values()
    return code.text


if __name__ == "__main__":
    main()
