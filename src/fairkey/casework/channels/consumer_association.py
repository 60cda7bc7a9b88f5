"""The consumer association: mediation on request (消法 37, 39). While it runs, 12315 does not take the dispute."""

from typing import Final

from fairkey.casework.letters.letter import Letter
from fairkey.casework.letters.told import Told, yuan
from fairkey.casework.texts import words

from .channel import UNVERIFIED, Channel, Limit, facts_and_evidence, letter


def _compose(told: Told) -> Letter:
    total = told.total_fen()
    fields = {
        "投诉人": told.own(told.case.buyer.name, "本人姓名"),
        "联系电话": told.own(told.case.buyer.phone, "本人电话"),
        "被投诉人": told.seller_line(),
        "争议金额": yuan(total) if total is not None else told.or_blank("", "争议金额"),
    }
    return letter(
        told,
        "consumer_association",
        "请求调解的投诉信",
        facts_and_evidence(told, demand_title="请求调解的事项"),
        addressee="致：消费者协会（消费者权益保护委员会）",
        fields=fields,
        warnings=(UNVERIFIED, words("warns.association_blocks")),
    )


CHANNEL: Final = Channel(
    name="consumer_association",
    limits=(Limit(field=words("limits.content"), chars_max=None),),
    compose=_compose,
)
