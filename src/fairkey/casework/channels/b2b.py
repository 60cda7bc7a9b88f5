"""催告函: who bought for resale is no consumer; his demands rest on the contract (民法典 563, 577)."""

from typing import Final

from fairkey.casework.law import Rule
from fairkey.casework.letters.letter import Letter, Section
from fairkey.casework.letters.told import BLANK, TITLES, Told
from fairkey.casework.model import Purpose

from .channel import Channel, facts_and_evidence, letter


def _compose(told: Told) -> Letter:
    breach, rescission, limit = told.rule("breach"), told.rule("rescission"), told.rule("interruption")
    ask = (
        f"请在收到本函后 48 小时内履行上述请求（依据：{_law(breach)}）。",
        f"经催告后在合理期限内仍未履行的，我方将依法解除合同并要求返还货款、赔偿损失（依据：{_law(rescission)}）。",
        f"本函同时作为要求履行的通知，诉讼时效因此中断（依据：{_law(limit)}）。",
        *told.preservation(),
    )
    more = ["请用能证明送达的方式发出（平台内消息、邮件、邮政特快专递），并保存送达记录。"]
    if told.case.purpose is Purpose.LIVING:
        more.append("催告函适用于经营者之间：为生活消费购买的，请走平台投诉和 12315，依据消费者权益保护法。")
    return letter(
        told,
        "b2b",
        f"催告函：{TITLES[told.case.problem]}",
        (*facts_and_evidence(told, demand_title="请求"), Section(title="期限", paragraphs=ask)),
        addressee=f"致：{told.seller_line()}",
        warnings=tuple(more),
    )


def _law(rule: Rule | None) -> str:
    return rule.cite if rule else BLANK


CHANNEL: Final = Channel(
    name="b2b",
    zh="催告函（经营者之间）",
    en="Demand letter between businesses",
    limits=(),
    next_steps=("保存送达记录；48 小时后仍未履行的，可以起诉。",),
    compose=_compose,
)
