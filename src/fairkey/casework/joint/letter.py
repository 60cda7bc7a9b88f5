"""The letter of a joint complaint: who complains, who speaks for them, against whom, each one's facts and demands.

市场监督管理投诉举报处理办法 (令121) art. 10 (what a complaint states) and 12 (two representatives).
"""

from collections.abc import Sequence
from datetime import date

from fairkey.casework.law import LawIsUnknown, rule
from fairkey.casework.letters.letter import Letter, Section
from fairkey.casework.letters.told import BLANK, day_zh, yuan
from fairkey.casework.texts import words

from .claims import REPRESENTATIVES, Claim, JointIsRefused, cautions, problems_of


def joint_letter(
    claims: Sequence[Claim],
    on: date,
    representatives: Sequence[int] = (),
    with_packs: frozenset[int] | None = None,
) -> Letter:
    """The letter on a day; pure. `representatives`: two of the numbers from 1, or none, to be filled in by hand.
    `with_packs`: the numbers of those whose own pack goes along; None: of all.

    Raises `JointIsRefused`.
    """
    chosen = tuple(sorted(set(representatives)))
    if chosen and (len(chosen) != REPRESENTATIVES or not all(0 < one <= len(claims) for one in chosen)):
        raise JointIsRefused(words("joint.two", count=REPRESENTATIVES))
    names = "、".join(f"{claims[one - 1].name}（投诉人{one}）" for one in chosen) or f"{BLANK}、{BLANK}"
    return Letter(
        channel="s12315",
        title="消费者共同投诉书",
        addressee="致：有管辖权的市场监督管理部门",
        sections=(
            Section(title="投诉人", paragraphs=_people(claims)),
            Section(title="代表人", paragraphs=_representatives(names, on)),
            Section(title="被投诉人", paragraphs=_against(claims)),
            Section(title="共同情况", paragraphs=_together(claims), rows=_sums(claims)),
            *(
                _one(number, one, has_pack=with_packs is None or number in with_packs)
                for number, one in enumerate(claims, 1)
            ),
            Section(
                title="真实性", paragraphs=("以上内容由各投诉人就本人部分根据所附证据陈述，并各自对其真实性负责。",)
            ),
            Section(title="签名", rows=_signs(claims), signed=True),
        ),
        warnings=(*cautions(claims), words("warns.joint_sign")),
    )


def _people(claims: Sequence[Claim]) -> tuple[str, ...]:
    return tuple(
        f"投诉人{number}：{one.name}，电话{one.phone}，通讯地址：{one.address}。"
        for number, one in enumerate(claims, 1)
    )


def _representatives(names: str, on: date) -> tuple[str, ...]:
    try:
        cite = f"依据{rule('c_joint', on).cite}，"
    except LawIsUnknown:
        cite = ""
    return (
        f"{cite}投诉人推选{names}为代表人，参加投诉和调解。",
        "代表人变更、放弃投诉请求或者达成调解协议，须经被代表的投诉人同意。",
    )


def _together(claims: Sequence[Claim]) -> tuple[str, ...]:
    times = [one.paid_at_ms for one in claims if one.paid_at_ms]
    between = f"，付款时间自{day_zh(min(times))}至{day_zh(max(times))}" if times else ""
    kinds = "，".join(f"{kind}{count}人" for kind, count in problems_of(claims))
    return (
        f"投诉人共{len(claims)}人，在同一店铺购买，付款合计{yuan(sum(one.amount_fen for one in claims))}{between}。",
        f"所遇问题：{kinds}。",
    )


def _one(number: int, claim: Claim, *, has_pack: bool) -> Section:
    evidence = f"证据：见 members/{number:02}/ 内的证据清单。" if has_pack else "证据：由本人另行提交。"
    return Section(title=f"投诉人{number}的事实和请求", paragraphs=(*claim.facts, "请求：", *claim.demands, evidence))


def _against(claims: Sequence[Claim]) -> tuple[str, ...]:
    """Who is complained about: as named by those who know it; where it is on the platform."""
    shop = f"“{claims[0].shop}”店铺经营者"
    named = dict.fromkeys(one.seller for one in claims if one.seller != f"“{one.shop}”店铺经营者")
    return (*(named or (shop,)), f"网店：{claims[0].platform}的“{claims[0].shop}”店铺")


def _sums(claims: Sequence[Claim]) -> tuple[tuple[str, ...], ...]:
    """Each one's order with what he paid and what he asks for, and all of it."""
    rows = [
        (f"{number} {one.name}", one.order_number, _yuan(one.amount_fen or None), _yuan(one.total_fen))
        for number, one in enumerate(claims, 1)
    ]
    asked = [one.total_fen for one in claims if one.total_fen is not None]
    all_asked = sum(asked) if len(asked) == len(claims) else None
    paid = sum(one.amount_fen for one in claims)
    return (("投诉人", "订单号", "付款", "请求金额"), *rows, ("合计", "", _yuan(paid or None), _yuan(all_asked)))


def _yuan(amount_fen: int | None) -> str:
    return yuan(amount_fen) if amount_fen is not None else BLANK


def _signs(claims: Sequence[Claim]) -> tuple[tuple[str, ...], ...]:
    rows = ((f"{number} {one.name}", "", "　　　　年　　月　　日") for number, one in enumerate(claims, 1))
    return (("投诉人", "签名", "日期"), *rows)
