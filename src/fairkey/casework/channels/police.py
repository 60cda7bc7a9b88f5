"""报案材料: suggested where thresholds suggest it, never demanded; whether it is a crime is for others to say."""

from typing import Final

from fairkey.casework.law import law_data
from fairkey.casework.letters.letter import Letter, Section
from fairkey.casework.letters.told import Told, yuan

from .channel import Channel, letter


def _compose(told: Told) -> Letter:
    data, bought = law_data(), told.case.purchase
    lost = yuan(bought.amount_fen) if bought.amount_fen else told.or_blank("", "支付金额")
    ask = (
        f"付款金额为{lost}。是否构成违法犯罪，由公安机关依法认定。",
        "请依法受理并出具接报案回执；如可止付，请尽快采取止付措施。",
    )
    fields = {
        "报案人": told.own(told.case.buyer.name, "本人姓名"),
        "身份证号": told.own("", "身份证号（报案时出示）"),
        "联系电话": told.own(told.case.buyer.phone, "本人电话"),
        "对方": told.seller_line(),
        "支付流水号": bought.transaction or told.or_blank("", "支付流水号"),
    }
    known = f"{data.fraud_criminal_from_fen // 100} 元至 {data.fraud_criminal_up_to_fen // 100} 元"
    return letter(
        told,
        "police",
        "报案材料",
        (
            Section(title="经过", paragraphs=(*told.facts(), *told.own_words())),
            Section(title="证据", paragraphs=told.evidence()),
            Section(title="请求", paragraphs=ask),
        ),
        addressee="致：公安机关",
        fields=fields,
        warnings=(
            f"诈骗罪“数额较大”的起点为 {known}，各省不同，本省的起点不在数据中；不足的适用治安管理处罚法。",
            "只有存在被骗的具体依据时才报案：虚构事实报案要承担责任；单纯的质量或售后纠纷不是报案的理由。",
            "报案不影响民事投诉；金额大或对方失联的，越早报案越可能止付。",
        ),
    )


CHANNEL: Final = Channel(
    name="police",
    zh="报案",
    en="Police report",
    limits=(),
    next_steps=("携带身份证和证据到派出所，或先拨打 110、96110；索要接报案回执。",),
    compose=_compose,
)
