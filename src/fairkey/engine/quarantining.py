"""What a ruling says of more than its own order: batches whose codes it casts doubt on leave the shelf.

Asked when a ruling is carried out, not before: until then the shop may still appeal. What issuers say of held codes
afterwards is looked at here; who decides is `business/quarantines.py`, so looking twice or at once is looking once.
"""

import logging
from collections.abc import Sequence
from typing import Final

import msgspec

from fairkey.business.askers import Asker
from fairkey.business.basics import NotFound, Stream
from fairkey.business.batches import LookAtWords, NoteExport, QuarantineBatch
from fairkey.business.codes import CodeStage
from fairkey.business.dispute_events import ComplaintRuled
from fairkey.business.quarantines import places_in
from fairkey.business.standard.deciding import evaluate
from fairkey.business.verdicts import read_document, standard_of
from fairkey.read_tables.order_book import Fact

from .house import House

CODES_AT_ONCE: Final = 1_000  # looked at in one transaction

logger = logging.getLogger(__name__)


async def quarantine(house: House, stream: Stream) -> None:
    """Ask for the quarantine of each batch that the last ruling of an order points to. Raises as `House.ask`."""
    record = await house.questions.order_book.find(stream.shop_id, stream.id)
    if record is None:
        return
    facts = await house.questions.order_book.facts(stream.shop_id, stream.id, with_sealed=True)
    ruled = next((one for one in reversed(facts) if one.kind == ComplaintRuled.kind), None)
    if ruled is None or ruled.public.get("quarantines_batch") is not True:
        return
    stages = (CodeStage.DELIVERED, CodeStage.REVEALED)
    held = [one.code_id for one in record.file.codes.held if one.stage in stages]
    row = str(ruled.public.get("row", ""))
    for batch_id in await house.questions.standards.batches_of(stream.shop_id, _doubted(ruled, held)):
        command = QuarantineBatch(shop_id=stream.shop_id, batch_id=batch_id, order_id=stream.id, row=row)
        await house.ask(Asker.CLOCK, command)


async def look_at_words(house: House, stream: Stream) -> None:
    """Let issuers' words count for the held codes of a batch: after a word about one of them (`stream` is a code's),
    or after their shop sells again (any other stream of the shop). Raises as `House.ask`.

    The first of a thousand words brings back all that were said so far; the others find nothing left to do.
    """
    code_id = stream.id if stream.kind == "code" else None
    looks = await house.questions.quarantines.to_look_at(stream.shop_id, code_id, codes_max=CODES_AT_ONCE)
    while looks:
        for look in looks:
            command = LookAtWords(shop_id=stream.shop_id, batch_id=look.batch_id, code_ids=look.code_ids)
            answer = await house.ask(Asker.CLOCK, command)
            if answer.refusal:
                logger.info("held codes were not looked at now: %s", answer.refusal)
        if code_id is not None:
            return
        last = looks[-1]
        looks = await house.questions.quarantines.to_look_at(
            stream.shop_id, None, codes_max=CODES_AT_ONCE, after=(last.batch_id, last.code_ids[-1])
        )


async def note_export(house: House, shop_id: str, batch_id: str) -> frozenset[int]:
    """The places of codes that the shop may be shown in clear now, once the log knows it. Raises `NotFound`, and as
    `House.ask`: then nothing may be shown.
    """
    await house.ask(Asker.MERCHANT, NoteExport(shop_id=shop_id, batch_id=batch_id))
    line = await house.questions.shop_desk.batch(shop_id, batch_id)
    if line is None:
        raise NotFound(what="batch")
    return frozenset(places_in(line.batch.quarantine.exported))


def _doubted(ruled: Fact, held: Sequence[str]) -> list[str]:
    """The codes whose own case asks for it; all where the ruling does not tell them apart (a panel's)."""
    try:
        document = read_document(ruled.sealed.get("verdict", ""))
    except msgspec.MsgspecError:
        return list(held)
    standard = standard_of(document.verdict.sha256)
    if standard is None:
        return list(held)
    numbers = {
        number
        for case in document.codes
        if evaluate(standard, case.statements).quarantines_batch
        for number in case.code_nos
    }
    return [code_id for number, code_id in enumerate(held, 1) if number in numbers]
