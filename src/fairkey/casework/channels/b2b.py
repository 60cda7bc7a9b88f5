"""催告函: who bought for resale is no consumer; his demands rest on the contract (民法典 563, 577)."""

from typing import Final

from fairkey.casework.law import Rule
from fairkey.casework.letters.letter import Letter, Section
from fairkey.casework.letters.told import BLANK, TITLES, Told
from fairkey.casework.model import Purpose
from fairkey.casework.texts import words

from .channel import Channel, facts_and_evidence, letter


def _compose(told: Told) -> Letter:
    breach, rescission, limit = told.rule("breach"), told.rule("rescission"), told.rule("interruption")
    ask = (
        f"请在收到本函后 48 小时内履行上述请求（依据：{_law(breach)}）。",
        f"经催告后在合理期限内仍未履行的，我方将依法解除合同并要求返还货款、赔偿损失（依据：{_law(rescission)}）。",
        f"本函同时作为要求履行的通知，诉讼时效因此中断（依据：{_law(limit)}）。",
        *told.preservation(),
    )
    more = [words("warns.b2b_proof")]
    if told.case.purpose is Purpose.LIVING:
        more.append(words("warns.b2b_consumer"))
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
    limits=(),
    compose=_compose,
)
