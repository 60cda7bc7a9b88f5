"""Four confirmed cases for the letters: a used code, nothing delivered, another region, a seller who is gone."""

from typing import Any, Final

from msgspec.structs import replace

from fairkey.casework.model import (
    Capture,
    Case,
    CaseFile,
    ConfirmedFact,
    FactKind,
    FactRole,
    Party,
    Problem,
    Purchase,
    Purpose,
    Seal,
    StepTaken,
)

ON: Final = "2026-11-23"
HOUR_MS: Final = 3_600_000
PAID_MS: Final = 1_793_500_500_000  # 2026-11-01 10:35 in China
CODE: Final = "AB7D-9KQ2-M4XW-71PZ"
THIRD_PHONE: Final = "13912345678"
BUYER: Final = Party(kind="person", name="王小满", phone="13800001111", address="杭州市西湖区文三路 1 号")
SELLER: Final = Party(
    kind="company",
    name="晨星数字科技有限公司",
    uscc="91350100M000100Y43",
    address="福州市鼓楼区软件大道 9 号",
    shop="晨星点卡",
    platform="示例商城",
    legal_representative="陈星",
)


def file(number: int, name: str, how: str = "screenshot") -> CaseFile:
    sha256 = f"{number:02d}" * 32
    seal = Seal(sha256=sha256, sha512="ab" * 64, size_bytes=1_000, sealed_at_ms=PAID_MS + number)
    return CaseFile(name=name, path=f"{number}.png", media_type="image/png", seal=seal, capture=Capture(how=how))


FILES: Final = (
    file(1, "订单详情.png"),
    file(2, "支付宝账单.pdf", "export"),
    file(3, "激活页面.png"),
    file(4, "聊天记录.txt", "export"),
)


def fact(kind: FactKind, value: int | str, *files: int, role: FactRole = FactRole.NONE) -> ConfirmedFact:
    return ConfirmedFact(
        fact_id=f"{kind.value}-{value}",
        kind=kind,
        value=value,
        role=role,
        files=tuple(f"{number:02d}" * 32 for number in files),
        confirmed_at_ms=PAID_MS + 48 * HOUR_MS,
    )


FACTS: Final = (
    fact(FactKind.ORDER_NUMBER, "2026110110350042", 1),
    fact(FactKind.AMOUNT, 12_800, 1, 2, role=FactRole.PAID),
    fact(FactKind.TRANSACTION, "2026110122001409871234567890", 2),
    fact(FactKind.PROMISE, "国区通用，付款后立即发货", 1),
)
PURCHASE: Final = Purchase(
    platform="示例商城",
    shop="晨星点卡",
    order_number="2026110110350042",
    product="Steam 充值码 100 元",
    quantity=1,
    amount_fen=12_800,
    ordered_at_ms=PAID_MS - 60_000,
    paid_at_ms=PAID_MS,
    delivered_at_ms=PAID_MS + 120_000,
    problem_at_ms=PAID_MS + HOUR_MS,
    transaction="2026110122001409871234567890",
)
USED: Final = Case(
    case_id="01990000-0000-7000-8000-000000000001",
    created_at_ms=PAID_MS,
    title="晨星点卡",
    problem=Problem.ALREADY_USED,
    buyer=BUYER,
    respondents=(SELLER,),
    purchase=PURCHASE,
    account=f"客服让我联系 {THIRD_PHONE}，无人接听。",
    wishes=("refund",),
    files=FILES,
    facts=(
        *FACTS,
        fact(FactKind.CODE, CODE, 1, role=FactRole.DELIVERED),
        fact(FactKind.ERROR, "该代码已被兑换", 3, role=FactRole.PROBLEM),
    ),
    steps=(StepTaken(step_id="1", channel="platform", stage="sent", at_ms=PAID_MS + 3 * HOUR_MS, reference="TS-77"),),
)


def changed(**told: Any) -> Case:  # noqa: ANN401 - fields of a case
    return replace(USED, **told)


CASES: Final = {
    "used_code": USED,
    "not_delivered": changed(
        problem=Problem.NOT_DELIVERED,
        purchase=replace(PURCHASE, delivered_at_ms=0, problem_at_ms=PAID_MS + 24 * HOUR_MS),
        facts=FACTS,
        account="",
        respondents=(),
    ),
    "wrong_region": changed(
        problem=Problem.WRONG_REGION,
        facts=(*FACTS, fact(FactKind.CODE, CODE, 1), fact(FactKind.ERROR, "This code is not valid in your region", 3)),
        wishes=("refund", "resend"),
        asserts_fraud=True,
        account="",
    ),
    "seller_vanished": changed(
        problem=Problem.SELLER_VANISHED,
        purchase=replace(PURCHASE, amount_fen=480_000, delivered_at_ms=0),
        facts=FACTS[:1],
        asserts_fraud=True,
        respondents=(Party(shop="晨星点卡", platform="示例商城"),),
        steps=(),
        account="付款后对方不再回复。",
    ),
}
RESALE: Final = changed(purpose=Purpose.RESALE)
