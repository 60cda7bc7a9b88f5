"""What a ruling says of more than its own order: batches whose codes it casts doubt on leave the shelf.

Asked when a ruling is carried out, not before: a code that left the shelf does not come back, and until then the shop
may still appeal.
"""

from collections.abc import Sequence

import msgspec

from fairkey.business.askers import Asker
from fairkey.business.basics import Stream
from fairkey.business.batches import QuarantineBatch
from fairkey.business.codes import CodeStage
from fairkey.business.dispute_events import ComplaintRuled
from fairkey.business.standard.deciding import evaluate
from fairkey.business.verdicts import read_document, standard_of
from fairkey.read_tables.order_book import Fact

from .house import House


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
