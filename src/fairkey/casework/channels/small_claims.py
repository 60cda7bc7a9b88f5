"""民事起诉状 (民事诉讼法 124) with the elements of a sale (法〔2025〕82号, type 06 买卖合同纠纷) as a table before it.

The table is voluntary for parties; what the case does not know stays blank.
"""

from typing import Final

from fairkey.casework.letters.capitals import rmb_capital
from fairkey.casework.letters.letter import Letter, Section
from fairkey.casework.letters.told import BLANK, Told, cited, day_zh, yuan
from fairkey.casework.model import FactKind, Party, Purpose
from fairkey.casework.venue import Venue, respondents, venue_of

from .channel import Channel, letter


def _compose(told: Told) -> Letter:
    case = told.case
    court = venue_of(case, told.on)
    parties = (f"原告：{_plaintiff(told)}", *(f"被告：{_defendant(told, one)}" for one in _defendants(told)))
    reasons = (*told.facts(), *told.own_words(), _why(told))
    ending = (f"此致　{told.own('', '受诉法院名称')}人民法院", "附：本起诉状副本（按被告人数）、证据清单及证据。")
    return letter(
        told,
        "small_claims",
        "民事起诉状",
        (
            Section(title="当事人", paragraphs=parties),
            Section(title="诉讼请求", paragraphs=_claims(told, court)),
            Section(title="事实与理由", paragraphs=reasons),
            Section(title="证据和证据来源", paragraphs=told.evidence()),
            Section(title="", paragraphs=ending),
        ),
        fields=_elements(told),
        warnings=_warnings(court),
    )


def _defendants(told: Told) -> tuple[Party, ...]:
    return tuple(one.party for one in respondents(told.case, told.on))


def _plaintiff(told: Told) -> str:
    buyer = told.case.buyer
    return "，".join((
        told.own(buyer.name, "本人姓名"),
        f"性别{told.own('', '性别')}，出生日期{told.own('', '出生日期')}，民族{told.own('', '民族')}",
        f"住址{told.own(buyer.address, '本人住址')}",
        f"联系电话{told.own(buyer.phone, '本人电话')}",
    ))  # fmt: skip


def _defendant(told: Told, party: Party) -> str:
    name = party.name or (f"“{party.shop}”店铺经营者（{party.platform}）" if party.shop else party.platform)
    return "，".join((
        told.own(name, "被告名称"),
        f"统一社会信用代码{told.own(party.uscc, '被告统一社会信用代码')}",
        f"住所{told.own(party.address, '被告住所')}",
        f"法定代表人{told.own(party.legal_representative, '被告法定代表人')}",
    ))  # fmt: skip


def _claims(told: Told, court: Venue) -> tuple[str, ...]:
    lines = []
    for figure in told.demand.figures:
        amount = ""
        if figure.amount_fen is not None:
            amount = f"人民币{yuan(figure.amount_fen)}（大写：{rmb_capital(figure.amount_fen)}）"
        lines.append(f"判令被告{figure.words}{amount}" if not figure.is_alternative else f"{figure.words}{amount}")
    if interest := told.interest():
        lines.append(f"判令被告{interest}")
    fee = f"（现行标准：标的额不超过一万元的每件{yuan(court.fee_fen)}，适用简易程序减半）" if court.fee_fen else ""
    lines.append(f"本案诉讼费用由被告负担{fee}")
    return tuple(f"{number}. {line}。" for number, line in enumerate(lines, 1))


def _why(told: Told) -> str:
    law = cited(one for figure in told.demand.figures for one in figure.rules)
    return f"综上，被告没有按约定履行。依据{law or BLANK}，提出以上诉讼请求。"


def _elements(told: Told) -> dict[str, str]:
    case, bought = told.case, told.case.purchase
    total = told.total_fen()
    asked = [one for one in case.steps if one.stage == "sent"]
    errors = [told.masks(str(one.value)) for one in case.facts if one.kind is FactKind.ERROR]
    return {
        "案由": "网络购物合同纠纷",
        "标的总额": yuan(total) if total is not None else told.or_blank("", "标的总额"),
        "合同签订": _at(bought.ordered_at_ms) or told.or_blank("", "下单时间"),
        "标的物": f"{told.or_blank(bought.product, '商品名称')}，{bought.quantity}件",
        "价格": yuan(bought.amount_fen) if bought.amount_fen else BLANK,
        "支付时间": _at(bought.paid_at_ms) or BLANK,
        "交付": _at(bought.delivered_at_ms) or "未交付或时间不明",
        "质量或不符": "；".join(errors) or BLANK,
        "催促": "；".join(_at(one.at_ms) for one in asked) or "无记录",
        "合同与法律依据": "消费者合同" if case.purpose is Purpose.LIVING else "买卖合同",
        "调解意愿": BLANK,
    }


def _at(at_ms: int) -> str:
    return day_zh(at_ms) if at_ms else ""


def _warnings(court: Venue) -> tuple[str, ...]:
    known = court.threshold
    if known.up_to_fen is None:
        limit = "本省小额诉讼的标的额上限不在数据中：请向受诉法院查询（上年度就业人员年平均工资的百分之五十）。"
    else:
        limit = f"{known.province}小额诉讼上限{yuan(known.up_to_fen)}，数据日期{known.as_of}：可能已更新，请核实。"
    return (
        court.words,
        limit,
        *court.why_not,
        "要素表为自愿填写，对应“买卖合同纠纷”；性别、民族等由本人填写。",
        "起诉状含辱骂、人身攻击内容的，法院会要求修改（民诉法解释第二百一十条）。",
    )


CHANNEL: Final = Channel(
    name="small_claims",
    zh="起诉（小额诉讼）",
    en="Suit (small claims)",
    limits=(),
    next_steps=(
        "在“人民法院在线服务”小程序或受诉法院立案，按被告人数准备副本。",
        "符合条件的七日内立案；材料不全的补正后重新计算。",
        "小额诉讼一审终审，一般两个月内审结。",
    ),
    compose=_compose,
)
