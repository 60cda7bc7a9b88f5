"""民事起诉状 (民事诉讼法 124) with the elements of a sale (法〔2025〕82号, type 06 买卖合同纠纷) as a table before it.

The table is voluntary for parties; what the case does not know stays blank.
"""

import re
from typing import Final

from fairkey.casework.law import law_data
from fairkey.casework.letters.capitals import rmb_capital
from fairkey.casework.letters.letter import Letter, Section
from fairkey.casework.letters.told import BLANK, TITLES, Told, cited, day_zh, money, yuan
from fairkey.casework.model import FactKind, Party, Purpose
from fairkey.casework.texts import Words, words
from fairkey.casework.venue import Venue, respondents, venue_of

from .channel import Channel, letter


def _compose(told: Told) -> Letter:
    case = told.case
    court = venue_of(case, told.on, province_of(case.buyer.address))
    parties = (f"原告：{_plaintiff(told)}", *(f"被告：{_defendant(told, one)}" for one in _defendants(told)))
    reasons = (*told.facts(), *told.own_words(), _why(told))
    ending = (f"此致　{told.own('', '受诉法院名称')}人民法院", "附：本起诉状副本（按被告人数）、证据清单及证据。")
    return letter(
        told,
        "small_claims",
        "民事起诉状",
        (
            Section(title="当事人", paragraphs=parties),
            Section(title="诉讼请求", paragraphs=_claims(told)),
            Section(title="事实与理由", paragraphs=reasons),
            Section(title="证据和证据来源", paragraphs=told.evidence()),
            Section(title="", paragraphs=ending),
        ),
        fields=_elements(told),
        warnings=_warnings(told, court),
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


def _claims(told: Told) -> tuple[str, ...]:
    lines, besides = [], []
    for figure in told.demand.figures:
        amount = ""
        if figure.amount_fen is not None:
            amount = f"人民币{yuan(figure.amount_fen)}（大写：{rmb_capital(figure.amount_fen)}）"
        if figure.is_alternative:
            besides.append(f"{figure.words.zh}{amount}")
        else:
            lines.append(f"判令被告{figure.words.zh}{amount}")
    if interest := told.interest():
        lines.append(f"判令被告{interest}")
    lines += [*besides, f"本案诉讼费用由被告负担{_fee(told)}"]
    return tuple(f"{number}. {line}。" for number, line in enumerate(lines, 1))


def _fee(told: Told) -> str:
    """The fee where the data hold it: up to ten thousand yuan of everything claimed (诉讼费用交纳办法 13, 16)."""
    claimed, found, data = told.claimed_fen(), told.rule("fees"), law_data()
    if found is None or claimed is None or claimed > data.court_fee_small_up_to_fen:
        return ""
    full = data.court_fee_small_fen
    return f"（现行标准：财产案件不超过一万元的每件{yuan(full)}，适用简易程序减半为{yuan(full // 2)}，{found.cite}）"


def province_of(address: str) -> str:
    """The province that an address begins with; empty when it names none."""
    found = _PROVINCE.match(address)
    return found[0] if found else ""


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
        "价格": yuan(bought.amount_fen) if bought.amount_fen else told.or_blank("", "支付金额"),
        "支付时间": _at(bought.paid_at_ms) or told.or_blank("", "支付时间"),
        "交付": _at(bought.delivered_at_ms) or "未交付或时间不明",
        "质量或不符": "；".join(errors) or TITLES[case.problem],
        "催促": "；".join(_at(one.at_ms) for one in asked) or "无记录",
        "合同与法律依据": "消费者合同" if case.purpose is Purpose.LIVING else "买卖合同",
        "调解意愿": told.or_blank("", "调解意愿"),
    }


def _at(at_ms: int) -> str:
    return day_zh(at_ms) if at_ms else ""


def _warnings(told: Told, court: Venue) -> tuple[Words, ...]:
    known = court.threshold
    if known.up_to_fen is None:
        limit = words("warns.court_limit_unknown")
    else:
        where = Words(known.province, known.province_en)
        limit = words("warns.court_limit", province=where, limit=money(known.up_to_fen), day=known.as_of)
    return (
        court.words,
        limit,
        *court.why_not,
        *(() if _fee(told) else (_NO_FEE,)),
        *_over(told, court),
        words("warns.court_table"),
        words("warns.court_insults"),
    )


def _over(told: Told, court: Venue) -> tuple[Words, ...]:
    claimed, limit = told.claimed_fen(), court.threshold.up_to_fen
    if claimed is None or limit is None or claimed <= limit:
        return ()
    return (words("warns.court_over", claimed=money(claimed)),)


_NO_FEE: Final = words("warns.court_no_fee")
_PROVINCE: Final = re.compile(r"[^省市区县\s]{2,8}?(?:省|自治区)|(?:北京|上海|天津|重庆)市?")
CHANNEL: Final = Channel(
    name="small_claims",
    limits=(),
    compose=_compose,
)
