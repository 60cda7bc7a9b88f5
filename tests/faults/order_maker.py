"""A process that makes orders until it is killed: `python order_maker.py DSN SHOP LISTING FIRST LAST`.

Places, pays and opens orders FIRST..LAST, eight at a time, through one batcher, as `serve` does. Ids follow from the
number, so that another process asked for the same numbers repeats the same requests. Each order that was answered to
its end is told in one line: number, and the codes that its buyer opened.
"""

import asyncio
import sys
import time
from uuid import NAMESPACE_OID, uuid5

import asyncpg

from engine_world import PlainSealer
from fairkey.adapters.postgres.store import ENGINE_SETTINGS, PostgresStore
from fairkey.business import codes, escrow, orders
from fairkey.business.askers import Asker
from fairkey.business.basics import Command
from fairkey.engine.answers import Answer, StoreIsAway
from fairkey.engine.batching import Batcher
from fairkey.engine.perform import Asked, Outcome, Performer


def order_id_of(number: int) -> str:
    """The id of order `number`."""
    return str(uuid5(NAMESPACE_OID, f"order {number}"))


async def make(dsn: str, shop_id: str, listing_id: str, numbers: range) -> None:
    """Make the orders."""
    async with asyncpg.create_pool(dsn, min_size=1, max_size=2, server_settings=ENGINE_SETTINGS) as pool:
        performer = Performer(
            PostgresStore(pool, PlainSealer()), lambda: time.time_ns() // 1_000_000, lambda size: b"\x01" * size
        )
        batcher: Batcher[Asked, Outcome] = Batcher(performer.perform)

        async def ask(by: Asker, command: Command, command_id: str) -> Answer:
            while True:
                try:
                    outcome = await batcher.ask(Asked(command_id=command_id, by=by, command=command))
                except StoreIsAway:
                    await asyncio.sleep(0.05)  # the server is being started again
                    continue
                assert isinstance(outcome, Answer), outcome
                assert not outcome.refusal, outcome
                return outcome

        async def one(number: int) -> None:
            order_id = order_id_of(number)
            about = {"shop_id": shop_id, "order_id": order_id}
            place = orders.PlaceOrder(
                **about,
                listing_id=listing_id,
                revision=1,
                quantity=1,
                contact="a@b.c",
                buyer="p",
                buyer_key=f"k{number}",
            )
            await ask(Asker.BUYER, place, f"place {number}")
            pay = escrow.RecordPayment(
                **about, provider="sandbox", provider_txn=f"txn {number}", amount_fen=1_000, paid_at_ms=0
            )
            await ask(Asker.PROVIDER, pay, f"pay {number}")
            answer = await ask(Asker.BUYER, codes.RevealCodes(**about), f"open {number}")
            opened = answer.facts["opened"]
            assert isinstance(opened, list | tuple)
            print(number, *opened, flush=True)

        waiting = iter(numbers)

        async def buyer() -> None:
            for number in waiting:
                await one(number)

        await asyncio.gather(*(buyer() for _ in range(8)))


if __name__ == "__main__":
    asyncio.run(make(sys.argv[1], sys.argv[2], sys.argv[3], range(int(sys.argv[4]), int(sys.argv[5]))))
