"""What one person brings into a joint case: the statement that goes under his name, and nothing besides."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from msgspec import Struct

from fairkey.casework.letters.told import TITLES, Told
from fairkey.casework.model import Case, Problem, Purpose
from fairkey.casework.texts import Words, blank, listed, words

from .shops import identity_of

MEMBERS_MIN: Final = 2
MEMBERS_MAX: Final = 200
REPRESENTATIVES: Final = 2  # 市场监督管理投诉举报处理办法 (令121) art. 12


class JointIsRefused(Exception):
    """These cases make no joint case. The argument is `Words`."""


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
        raise JointIsRefused(words("joint.resale"))
    if not identity_of(case).is_known:
        raise JointIsRefused(words("joint.no_shop"))
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
        raise JointIsRefused(words("joint.how_many", min=MEMBERS_MIN, max=MEMBERS_MAX, count=len(cases)))
    if len({one.case_id for one in cases}) != len(cases):
        raise JointIsRefused(words("joint.twice"))
    first = identity_of(cases[0])
    for number, one in enumerate(cases[1:], 2):
        if identity_of(one) != first:
            shop = f"{one.purchase.platform} {one.purchase.shop}"
            raise JointIsRefused(words("joint.other_shop", number=number, shop=shop))
    orders = [one.purchase.order_number for one in cases if one.purchase.order_number]
    if len(set(orders)) != len(orders):
        raise JointIsRefused(words("joint.same_order"))


def cautions(claims: Sequence[Claim]) -> tuple[Words, ...]:
    """What an office would ask about (令121 art. 17), for those who send the letter."""
    found = [
        words("warns.joint_missing", number=number, what=listed([blank(name) for name in one.missing]))
        for number, one in enumerate(claims, 1)
        if one.missing
    ]
    for what, values in (("phone", [one.phone for one in claims]), ("address", [one.address for one in claims])):
        known = [value for value in values if value.strip("＿")]
        if len(set(known)) != len(known):
            found.append(words("warns.joint_same", what=words(f"warns.{what}")))
    return tuple(found)


def problems_of(claims: Sequence[Claim]) -> tuple[tuple[str, int], ...]:
    """Kinds of problems with their numbers, the most frequent first."""
    kinds = {one.problem for one in claims}
    counted = [(TITLES[kind], sum(1 for one in claims if one.problem is kind)) for kind in kinds]
    return tuple(sorted(counted, key=lambda one: (-one[1], one[0])))
