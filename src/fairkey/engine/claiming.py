"""Claims about what a vanished shop settled before: what the issuers say is gathered, and shares are paid out."""

import logging
from typing import Final

from fairkey.business.askers import Asker
from fairkey.business.claims import SETTLED_WITHIN_MS, AnnounceClaim, FileClaim
from fairkey.business.codes import CodeStage
from fairkey.business.liquidations import PayShare
from fairkey.business.standard.library import editions
from fairkey.business.standard.truth import Statement
from fairkey.business.standards import version_for
from fairkey.business.verdicts import CodeCase
from fairkey.read_tables.order_book import OrderRecord

from .advising import of_issuers
from .answers import Answer
from .house import House

ORDERS_AT_ONCE: Final = 100

logger = logging.getLogger(__name__)


async def claim(house: House, record: OrderRecord, command_id: str | None = None, body_hash: bytes = b"") -> Answer:
    """Ask for a buyer's claim with what issuers have said of his codes by now. Raises as `House.ask`."""
    published = await house.questions.standards.published()
    by = version_for(record.file.order.placed_at_ms, published)
    edition = editions().get(by.version) if by else None
    sha256 = by.sha256 if by and edition and edition.standard.sha256 == by.sha256 else ""
    known = edition.standard.facts if edition else {}
    facts = await house.questions.order_book.facts(record.shop_id, record.order_id, with_sealed=True)
    stages = (CodeStage.DELIVERED, CodeStage.REVEALED)
    held = [one.code_id for one in record.file.codes.held if one.stage in stages]
    lines = await house.questions.issuers.attestations(record.shop_id, held, with_sealed=True)
    now_ms = house.now_ms()
    asked = [
        Statement(fact="now_ms", value=now_ms, rank="E2"),
        Statement(fact="complained_at_ms", value=now_ms, rank="E2"),
    ]
    codes = tuple(
        CodeCase(
            code_nos=(number,),
            statements=tuple(
                one
                for one in (*asked, *of_issuers(record, facts, code_id, [it for it in lines if it.code_id == code_id]))
                if one.fact in known
            ),
        )
        for number, code_id in enumerate(held, 1)
    )
    command = FileClaim(shop_id=record.shop_id, order_id=record.order_id, sha256=sha256, codes=codes)
    return await house.ask(Asker.BUYER, command, command_id=command_id, body_hash=body_hash)


async def announce(house: House, shop_id: str) -> None:
    """Tell every buyer of a vanished shop who may claim, once, until when. Raises as `House.ask`: who was not reached
    then is reached when the effect comes up again.
    """
    claim_by_ms = (await house.questions.deposits.liquidation(shop_id)).until_ms
    if not claim_by_ms:
        return
    since_ms, after_id = house.now_ms() - SETTLED_WITHIN_MS, ""
    book = house.questions.order_book
    while ids := await book.completed(shop_id, since_ms=since_ms, after_id=after_id, ids_max=ORDERS_AT_ONCE):
        after_id = ids[-1]
        for order_id in ids:
            command = AnnounceClaim(shop_id=shop_id, order_id=order_id, claim_by_ms=claim_by_ms)
            answer = await house.ask(Asker.CLOCK, command)
            if answer.refusal:
                logger.info("the buyer of a vanished shop has nothing to claim: %s", answer.refusal)


async def pay_shares(house: House, shop_id: str) -> None:
    """Pay every claim its share, each in a transaction of its own; twice is once. Raises as `House.ask`."""
    for share in (await house.questions.deposits.liquidation(shop_id)).unpaid:
        answer = await house.ask(Asker.CLOCK, PayShare(shop_id=shop_id, order_id=share.order_id))
        if answer.refusal:
            logger.warning("a share of a vanished shop's deposit was not paid: %s", answer.refusal)
