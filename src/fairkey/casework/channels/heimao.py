"""黑猫投诉 (tousu.sina.com.cn): a private platform that publishes complaints and asks for answers; no legal force.

Its text is public, so other people's data and one's own stay out (民法典 1024, 1034).
"""

from typing import Final

from fairkey.casework.letters.letter import Letter, Section
from fairkey.casework.letters.told import TITLES, Told, yuan
from fairkey.casework.texts import words

from .channel import UNVERIFIED, Channel, Limit, letter


def _compose(told: Told) -> Letter:
    bought = told.case.purchase
    total = told.total_fen()
    wishes = "；".join(one.words.zh for one in told.demand.figures if not one.is_alternative)
    text = (*told.facts(is_public=True), *told.own_words(), *told.demands())
    fields = {
        "标题": f"{told.or_blank(bought.shop, '店铺名称')}：{TITLES[told.case.problem]}",
        "投诉对象": told.or_blank(bought.platform or bought.shop, "投诉对象"),
        "投诉问题": TITLES[told.case.problem],
        "投诉要求": wishes,
        "涉诉金额": yuan(total) if total is not None else told.or_blank("", "涉诉金额"),
        "订单号": told.or_blank(bought.order_number, "订单号"),
    }
    return letter(
        told,
        "heimao",
        "黑猫投诉内容",
        (Section(title="投诉内容", paragraphs=text), Section(title="附件", paragraphs=told.evidence())),
        fields=fields,
        warnings=(
            UNVERIFIED,
            words("warns.heimao_public"),
            words("warns.heimao_force"),
        ),
    )


CHANNEL: Final = Channel(
    name="heimao",
    limits=(Limit(field=words("limits.title"), chars_max=None), Limit(field=words("limits.complaint"), chars_max=None)),
    compose=_compose,
)
