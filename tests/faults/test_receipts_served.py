"""A house as it is served, its own sequencer beside it: how soon a fact has its receipt."""

import asyncio
from pathlib import Path

from api_world import deposit, open_shop, publish, settings_for
from fairkey.app.processes import running
from fairkey.business.basics import Stream
from fairkey.engine import trade
from fairkey.engine.receipts import Party, all_receipts, receipt_of
from fairkey.proofs.receipts import read_receipt
from fairkey.web.buyer.live import Lookout
from receipt_world import policy

SOON_S = 30.0


async def test_a_served_house_turns_facts_into_receipts_and_tells_open_pages(
    database_url: str, tmp_path: Path
) -> None:
    settings = settings_for(
        database_url,
        tmp_path,
        FAIRKEY_LOG_PERIOD_MS="100",
        FAIRKEY_SEQUENCER="inside",
        FAIRKEY_PAYMENT_PROVIDER="sandbox",
        FAIRKEY_SANDBOX_URL="http://127.0.0.1:9",
        FAIRKEY_SANDBOX_SECRET="a secret only for tests",
    )
    async with running(settings, database_url) as opened:
        house = opened.house
        shop_id, _ = await open_shop(opened)
        listing_id = await publish(opened, shop_id)
        await deposit(opened, shop_id, listing_id, 3)
        placed = await trade.place(
            house,
            trade.Placing(
                shop_id=shop_id,
                listing_id=listing_id,
                revision=1,
                quantity=1,
                contact="li@example.com",
                coupon_code="",
                address="192.0.2.1",
            ),
        )
        assert not placed.answer.refusal, placed.answer
        order = await trade.locate(house, placed.reference)
        assert order is not None
        facts = len(await house.log.places(Stream(order[0], "order", order[1])))
        lookout = Lookout(house)
        lookout.enter(order)
        try:
            mark = facts
            async with asyncio.timeout(SOON_S):
                while mark < 2 * facts:  # each fact counts once, and once more with its receipt
                    mark = await lookout.changed(order, mark, SOON_S)
        finally:
            lookout.leave(order)
        stream = Stream(order[0], "order", order[1])
        receipt = read_receipt(await receipt_of(house, stream, "1", Party.BUYER))
        receipt.check_proof(await policy(opened))
        assert len(await all_receipts(house, stream, Party.SHOP, "x")) > len(receipt.entry)
        status = await house.log.status()
        assert status.refusal == ""
        assert status.published_size >= facts
