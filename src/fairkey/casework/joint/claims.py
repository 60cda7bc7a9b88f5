"""What one person brings into a joint case: the statement that goes under his name, and nothing besides."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from msgspec import Struct

from fairkey.casework.letters.told import TITLES, Told
from fairkey.casework.model import Case, Problem, Purpose

from .shops import identity_of

MEMBERS_MIN: Final = 2
MEMBERS_MAX: Final = 200
REPRESENTATIVES: Final = 2  # 市场监督管理投诉举报处理办法 (令121) art. 12


class JointIsRefused(Exception):
    """These cases make no joint case. The argument is a sentence."""


class Claim(Struct, frozen=True, kw_only=True):
    """One complainant's part. `facts`, `demands`: sentences. `total_fen` None, `paid_at_ms` 0: not known."""

    case_id: str
    name: str
    phone: str
    address: str
    platform: str
    shop: str
    seller: str
    order_number: str
    product: str
    problem: Problem
    amount_fen: int
    total_fen: int | None
    paid_at_ms: int
    facts: tuple[str, ...]
    demands: tuple[str, ...]
    missing: tuple[str, ...] = ()


def claim_of(case: Case, on: date) -> Claim:
    """The statement of one case on a day; codes in it are hidden. Pure. Raises `JointIsRefused`."""
    if case.purpose is not Purpose.LIVING:
        raise JointIsRefused("为转售而购买的不属于生活消费，不能加入共同投诉（总局令第121号第十六条）。")
    if not identity_of(case).is_known:
        raise JointIsRefused("尚未填写平台和店铺名称，无法确定是否同一店铺。")
    told = Told(case, on)
    facts, demands = told.facts(), told.demands()
    name, phone = told.own(case.buyer.name, "本人姓名"), told.own(case.buyer.phone, "本人电话")
    bought = case.purchase
    return Claim(
        case_id=case.case_id,
        name=name,
        phone=phone,
        address=told.own(case.buyer.address, "本人通讯地址"),
        platform=bought.platform,
        shop=bought.shop,
        seller=told.seller_line(),
        order_number=told.or_blank(bought.order_number, "订单号"),
        product=told.or_blank(bought.product, "商品名称"),
        problem=case.problem,
        amount_fen=bought.amount_fen,
        total_fen=told.total_fen(),
        paid_at_ms=bought.paid_at_ms or bought.ordered_at_ms,
        facts=facts,
        demands=demands,
        missing=tuple(told.missing),
    )


def require_joint(cases: Sequence[Case]) -> None:
    """All against one shop, each purchase and each person once. Raises `JointIsRefused`."""
    if not MEMBERS_MIN <= len(cases) <= MEMBERS_MAX:
        raise JointIsRefused(f"共同投诉需要{MEMBERS_MIN}至{MEMBERS_MAX}人，这里是{len(cases)}人。")
    if len({one.case_id for one in cases}) != len(cases):
        raise JointIsRefused("同一案件出现了两次。")
    first = identity_of(cases[0])
    for number, one in enumerate(cases[1:], 2):
        if identity_of(one) != first:
            raise JointIsRefused(f"第{number}个案件的店铺（{one.purchase.platform} {one.purchase.shop}）与第1个不同。")
    orders = [one.purchase.order_number for one in cases if one.purchase.order_number]
    if len(set(orders)) != len(orders):
        raise JointIsRefused("同一订单号出现了两次：一笔订单只能由一人主张一次。")


def cautions(claims: Sequence[Claim]) -> tuple[str, ...]:
    """What an office would ask about (令121 art. 17), for those who send the letter."""
    found = [f"第{number}人未填写：{'、'.join(one.missing)}。" for number, one in enumerate(claims, 1) if one.missing]
    for what, values in (("电话", [one.phone for one in claims]), ("地址", [one.address for one in claims])):
        known = [value for value in values if value.strip("＿")]
        if len(set(known)) != len(known):
            found.append(f"多人使用同一{what}：可能被认为不是为生活消费（总局令第121号第十七条），请说明原因。")
    return tuple(found)


def problems_of(claims: Sequence[Claim]) -> tuple[tuple[str, int], ...]:
    """Kinds of problems with their numbers, the most frequent first."""
    kinds = {one.problem for one in claims}
    counted = [(TITLES[kind], sum(1 for one in claims if one.problem is kind)) for kind in kinds]
    return tuple(sorted(counted, key=lambda one: (-one[1], one[0])))
