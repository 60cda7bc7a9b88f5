"""举报信: leads about unlawful acts to the market regulator, apart from the complaint (令121 art. 9, 28, 29, 31)."""

from typing import Final

from fairkey.casework.law import Rule
from fairkey.casework.letters.letter import Letter, Section
from fairkey.casework.letters.told import BLANK, TITLES, Told, cited
from fairkey.casework.model import Problem
from fairkey.casework.texts import Words, words

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
        warnings=(UNVERIFIED, words("warns.regulator_facts"), _where(venue)),
    )


def _provisions(told: Told) -> tuple[str, ...]:
    """Rules that the office may look at; only those that the person's own assertion or the problem itself names."""
    names = ["fraud_list"] if told.case.asserts_fraud else []
    names += ["wilful_delay"] if told.case.problem is Problem.REFUND_REFUSED else []
    found = cited(one for one in map(told.rule, names) if one)
    return (f"{found}；是否违反由主管部门认定。",) if found else ()


def _where(venue: Rule | None) -> Words:
    return words("warns.regulator_where", law=venue.cited if venue else BLANK)


CHANNEL: Final = Channel(
    name="regulator",
    limits=(Limit(field=words("limits.report"), chars_max=None),),
    compose=_compose,
)
