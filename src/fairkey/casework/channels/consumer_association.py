"""The consumer association: mediation on request (消法 37, 39). While it runs, 12315 does not take the dispute."""

from typing import Final

from fairkey.casework.letters.letter import Letter
from fairkey.casework.letters.told import Told, yuan

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
        warnings=(UNVERIFIED, "由消费者协会处理期间，12315 不再受理同一纠纷；选择其中一条路即可。"),
    )


CHANNEL: Final = Channel(
    name="consumer_association",
    zh="消费者协会",
    en="Consumer association",
    limits=(Limit(field="内容", chars_max=None),),
    next_steps=("七个工作日内处理并告知；调解以六十日为限。", "调解不成的，可以向 12315 投诉或起诉。"),
    compose=_compose,
)
