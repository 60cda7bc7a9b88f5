"""The house judges by itself: gather what is known of a complaint, and let the standard say what follows.

Asked after every fact of a dispute (the effect `judge`) and when the dispute's own clock comes, before its silence is
ended. Judging twice is judging once: the second finds another stage, or nothing new.
"""

import logging

from fairkey.business.askers import Asker
from fairkey.business.basics import Stream
from fairkey.business.complaints import JudgeComplaint
from fairkey.business.dispute_state import JUDGED_STAGES
from fairkey.business.evidence import doubts_until_ms

from . import outaging
from .advising import known_of
from .answers import Answer
from .house import House

logger = logging.getLogger(__name__)


async def judge(house: House, stream: Stream) -> None:
    """What the effect `judge` asks for: the complaint of an order, or of the order that holds a code.

    Raises what `House.ask` raises.
    """
    if stream.kind == "code":
        order_id = await house.questions.standards.order_of(stream.shop_id, stream.id)
        if order_id is None:
            return
        stream = Stream(stream.shop_id, "order", order_id)
    await judge_order(house, stream)


async def judge_order(house: House, stream: Stream) -> Answer | None:
    """Judge the complaint of an order as things stand; None where there is nothing to judge, or no version in force
    when it was placed. Raises what `House.ask` raises.
    """
    record = await house.questions.order_book.find(stream.shop_id, stream.id)
    if record is None or record.file.complaint.stage not in JUDGED_STAGES:
        return None
    if house.now_ms() >= record.file.complaint.due_at_ms and await outaging.stop_if_out(house, stream):
        record = await house.questions.order_book.find(stream.shop_id, stream.id)
        assert record is not None
    facts = await house.questions.order_book.facts(stream.shop_id, stream.id, with_sealed=True)
    known = await known_of(house, record, facts)
    if known is None or not known.in_force:
        return None
    command = JudgeComplaint(
        shop_id=stream.shop_id,
        order_id=stream.id,
        sha256=known.standard.sha256,
        codes=known.codes,
        recording_until_ms=doubts_until_ms(record.file.evidence, record.file.complaint.answered_at_ms, house.now_ms()),
    )
    answer = await house.ask(Asker.CLOCK, command)
    if answer.refusal:
        logger.info("a complaint was not judged now: %s", answer.refusal)
    return answer
