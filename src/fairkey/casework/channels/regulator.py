"""举报信: leads about unlawful acts to the market regulator, apart from the complaint (令121 art. 9, 28, 29, 31)."""

from typing import Final

from fairkey.casework.law import Rule
from fairkey.casework.letters.letter import Letter, Section
from fairkey.casework.letters.told import BLANK, TITLES, Told, cited
from fairkey.casework.model import Problem

from .channel import UNVERIFIED, Channel, Limit, letter


def _compose(told: Told) -> Letter:
    material, bought = told.rule("r_material"), told.case.purchase
    wishes = (
        "请对上述线索依法核查，并在法律规定应当告知的范围内告知处理结果。",
        "本举报与消费者投诉分别提出；民事诉求另行主张。",
        f"举报人对所提供内容的真实性负责（依据：{material.cite if material else BLANK}）。",
    )
    fields = {
        "举报人": told.own(told.case.buyer.name, "本人姓名"),
        "联系电话": told.own(told.case.buyer.phone, "本人电话"),
        "被举报人": told.seller_line(),
        "网店": told.or_blank(bought.shop, "店铺名称"),
        "平台": told.or_blank(bought.platform, "平台"),
        "网址": told.or_blank(told.seller().url, "店铺或商品网址"),
        "线索": TITLES[told.case.problem],
    }
    venue = told.rule("r_venue")
    return letter(
        told,
        "regulator",
        "举报信",
        (
            Section(title="举报的事实", paragraphs=told.facts()),
            Section(title="补充说明", paragraphs=told.own_words()),
            Section(title="可能涉及的规定", paragraphs=_provisions(told)),
            Section(title="线索与证据", paragraphs=told.evidence()),
            Section(title="请求", paragraphs=wishes),
        ),
        addressee="致：违法行为发生地的市场监督管理局",
        fields=fields,
        warnings=(UNVERIFIED, "只写亲历的事实和证据；是否违法由主管部门认定，不要自行下结论。", _where(venue)),
    )


def _provisions(told: Told) -> tuple[str, ...]:
    """Rules that the office may look at; only those that the person's own assertion or the problem itself names."""
    names = ["fraud_list"] if told.case.asserts_fraud else []
    names += ["wilful_delay"] if told.case.problem is Problem.REFUND_REFUSED else []
    found = cited(one for one in map(told.rule, names) if one)
    return (f"{found}；是否违反由主管部门认定。",) if found else ()


def _where(venue: Rule | None) -> str:
    return (
        f"由违法行为发生地的县级市场监督管理部门处理；平台内经营者也可由其实际经营地处理"
        f"（依据：{venue.cite if venue else BLANK}）。收信机关请填写完整名称。"
    )


CHANNEL: Final = Channel(
    name="regulator",
    zh="市场监督管理部门举报",
    en="Report to the market regulator",
    limits=(Limit(field="举报内容", chars_max=None),),
    next_steps=(
        "十五个工作日内核查，特殊情况可再延长十五个工作日。",
        "同一举报人就同一事实再次举报的不重复处理；有新事实的可以补充。",
    ),
    compose=_compose,
)
