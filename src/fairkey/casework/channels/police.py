"""报案材料: suggested where thresholds suggest it, never demanded; whether it is a crime is for others to say."""

from typing import Final

from fairkey.casework.law import law_data
from fairkey.casework.letters.letter import Letter, Section
from fairkey.casework.letters.told import Told, yuan
from fairkey.casework.texts import words

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
    from_, up_to = data.fraud_criminal_from_fen // 100, data.fraud_criminal_up_to_fen // 100
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
            words("warns.police_threshold", from_=from_, up_to=up_to),
            words("warns.police_grounds"),
            words("warns.police_soon"),
        ),
    )


CHANNEL: Final = Channel(
    name="police",
    limits=(),
    compose=_compose,
)
