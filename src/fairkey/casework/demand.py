"""What a buyer may ask for: each figure with the articles it rests on, in the version in force on the day of asking.

What the case or the law data do not tell is listed as unknown, never guessed. Whoever bought for resale is no consumer
(consumer law art. 2): his demands rest on the contract alone.
"""

from datetime import date, datetime, timedelta
from typing import Final

from msgspec import Struct

from .dates import PeriodEnd, after_years
from .law import LawIsUnknown, Rule, law_data, review_warning, rule
from .model import Case, Purpose
from .moments import CHINA

LIMITATION_YEARS: Final = 3
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=CHINA) + timedelta(hours=8)
_CONSUMER: Final = {
    "refund": ("liability", "remedies"),
    "resend": ("liability", "remedies"),
    "make_up": ("liability", "remedies"),
    "damages": ("remedies",),
}
_WORDS: Final = {
    "refund": "退还货款",
    "resend": "重新交付符合约定的商品",
    "make_up": "补足商品数量",
    "damages": "赔偿已发生的损失",
}


class Figure(Struct, frozen=True, kw_only=True):
    """One thing asked for. `amount_fen` None: nothing in money. `is_alternative`: claimed apart from the others, and
    to be proven beyond reasonable doubt.
    """

    name: str
    words: str
    amount_fen: int | None
    rules: tuple[Rule, ...]
    is_alternative: bool = False


class Demand(Struct, frozen=True, kw_only=True):
    """Everything asked for. `route`: consumer or business. `limitation`: until when a suit is in time, as known."""

    on: date
    route: str
    figures: tuple[Figure, ...]
    unknown: tuple[str, ...]
    warnings: tuple[str, ...]
    limitation: PeriodEnd | None


def compute(case: Case, on_day: date) -> Demand:
    """The demand of a case on a day; pure."""
    is_consumer = case.purpose is Purpose.LIVING
    unknown: list[str] = []
    figures = [_figure(case, wish, on_day, unknown) for wish in (case.wishes or ("refund",)) if wish in _WORDS]
    if case.asserts_fraud and is_consumer:
        figures += _fraud(case, on_day, unknown)
    limitation = _limitation(case)
    if limitation is None:
        unknown.append("问题发生的时间未确认，诉讼时效无法计算。")
    warnings = [one for one in (review_warning(on_day),) if one]
    if case.asserts_fraud and not is_consumer:
        warnings.append(
            "为转售而购买的，不适用消费者权益保护法的惩罚性赔偿；12315 不受理，应向商家发函、向平台申诉或起诉。"
        )
    if limitation is not None and limitation.last_day < on_day:
        warnings.append(f"按已确认的事实，诉讼时效已于 {limitation.last_day.isoformat()} 届满；对方可以此抗辩。")
    return Demand(
        on=on_day,
        route="consumer" if is_consumer else "business",
        figures=tuple(one for one in figures if one.rules),
        unknown=tuple(unknown),
        warnings=tuple(warnings),
        limitation=limitation,
    )


def _figure(case: Case, wish: str, on: date, unknown: list[str]) -> Figure:
    names = _CONSUMER[wish] if case.purpose is Purpose.LIVING else ("breach",)
    amount: int | None = None
    if wish == "refund":
        amount = _refund_fen(case, unknown)
    elif wish == "damages":
        amount = case.losses_fen or None
        if amount is None:
            unknown.append("损失金额未确认，须列明每一项损失及其凭证。")
    return Figure(name=wish, words=_WORDS[wish], amount_fen=amount, rules=_rules(names, on, unknown))


def _refund_fen(case: Case, unknown: list[str]) -> int | None:
    paid = case.purchase.amount_fen
    if not paid:
        unknown.append("付款金额未确认，退款数额无法计算。")
        return None
    return max(0, paid - sum(one.received_fen for one in case.steps))


def _fraud(case: Case, on: date, unknown: list[str]) -> list[Figure]:
    price = case.purchase.amount_fen
    if not price:
        unknown.append("付款金额未确认，增加赔偿的数额无法计算。")
        return []
    extra = max(law_data().fraud_times * price, law_data().fraud_least_fen)
    rules = _rules(("fraud_extra", "fraud_list", "fraud_proof"), on, unknown)
    words = "如认定构成欺诈，另行增加赔偿（该项须证明至排除合理怀疑，不影响退款请求）"
    return [Figure(name="fraud_extra", words=words, amount_fen=extra, rules=rules, is_alternative=True)]


def _rules(names: tuple[str, ...], on: date, unknown: list[str]) -> tuple[Rule, ...]:
    found: list[Rule] = []
    for name in names:
        try:
            found.append(rule(name, on))
        except LawIsUnknown as error:
            unknown.append(str(error))
    return tuple(found)


def _limitation(case: Case) -> PeriodEnd | None:
    """Three years from the problem; a demand that was sent in time begins them anew (Civil Code 188, 195)."""
    if not case.purchase.problem_at_ms:
        return None
    end = after_years(_day(case.purchase.problem_at_ms), LIMITATION_YEARS)
    for sent_ms in sorted(one.at_ms for one in case.steps if one.stage == "sent"):
        if case.purchase.problem_at_ms <= sent_ms and _day(sent_ms) <= end.last_day:
            end = after_years(_day(sent_ms), LIMITATION_YEARS)
    return end


def _day(at_ms: int) -> date:
    return (_EPOCH + timedelta(milliseconds=at_ms)).date()
