"""全国12315: the complaint form, with a short version to be typed; a report is another form (令121 art. 9, 10, 13)."""

from typing import Final

from fairkey.casework.letters.letter import Letter, Section
from fairkey.casework.letters.told import TITLES, Told, day_zh, yuan
from fairkey.casework.model import Purpose
from fairkey.casework.texts import words

from .channel import UNVERIFIED, Channel, Limit, facts_and_evidence, letter

SHORT_CHARS_MAX: Final = 500
NAME_CHARS_MAX: Final = 50


def short_version(told: Told) -> str:
    """Facts and demands in at most 500 characters, for a field that cannot be pasted into. Whole sentences only.

    The demand has its place before the facts have theirs: a complaint without one is refused (令121 art. 10).
    """
    wishes = f"诉求：{_wishes(told)}。"
    free = SHORT_CHARS_MAX - len(wishes)
    kept: list[str] = []
    for line in told.facts():
        if len(line) <= free:
            kept.append(line)
            free -= len(line)
    return "".join(kept) + wishes


def _wishes(told: Told) -> str:
    total = told.total_fen()
    said = "；".join(one.words.zh for one in told.demand.figures if not one.is_alternative)
    return said + (f"，共{yuan(total)}" if total is not None else "")


def _compose(told: Told) -> Letter:
    case, bought = told.case, told.case.purchase
    at_ms = bought.problem_at_ms  # nothing else stands for it: what is not known stays blank
    fields = {
        "投诉人姓名": told.own(case.buyer.name, "本人姓名"),
        "联系电话": told.own(case.buyer.phone, "本人电话"),
        "通讯地址": told.own(case.buyer.address, "本人通讯地址"),
        "被投诉人": told.seller_line(),
        "商品名称": told.or_blank(bought.product, "商品名称")[:NAME_CHARS_MAX],
        "销售方式": "网购",
        "电商平台名称": told.or_blank(bought.platform, "平台"),
        "订单号": told.or_blank(bought.order_number, "订单号"),
        "消费金额": yuan(bought.amount_fen) if bought.amount_fen else told.or_blank("", "支付金额"),
        "争议发生时间": day_zh(at_ms) if at_ms else told.or_blank("", "争议发生时间"),
        "问题": TITLES[case.problem],
        "诉求": _wishes(told),
        f"可录入版（{SHORT_CHARS_MAX}字以内）": short_version(told),
    }
    more = [UNVERIFIED, words("warns.s12315_apart")]
    if case.purpose is not Purpose.LIVING:
        more.insert(0, words("warns.s12315_resale"))
    if not case.respondents:
        more.append(words("warns.s12315_no_seller"))
    return letter(
        told,
        "s12315",
        "消费者投诉书",
        (*facts_and_evidence(told, demand_title="投诉请求"), Section(title="真实性", paragraphs=_TRUE)),
        addressee="致：有管辖权的市场监督管理部门",
        fields=fields,
        warnings=tuple(more),
    )


_TRUE: Final = ("以上内容由本人根据所附证据陈述，本人对其真实性负责。",)
CHANNEL: Final = Channel(
    name="s12315",
    limits=(
        Limit(field=words("limits.product"), chars_max=NAME_CHARS_MAX, source=words("limits.old_code")),
        Limit(field=words("limits.complaint"), chars_max=None),
        Limit(field=words("limits.attachments"), chars_max=None),
    ),
    compose=_compose,
)
