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
from .texts import Words, words

LIMITATION_YEARS: Final = 3
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=CHINA) + timedelta(hours=8)
_CONSUMER: Final = {
    "refund": ("liability", "remedies"),
    "resend": ("liability", "remedies"),
    "make_up": ("liability", "remedies"),
    "damages": ("remedies",),
}


class Figure(Struct, frozen=True, kw_only=True):
    """One thing asked for. `amount_fen` None: nothing in money. `is_alternative`: claimed apart from the others, and
    to be proven beyond reasonable doubt.
    """

    name: str
    words: Words
    amount_fen: int | None
    rules: tuple[Rule, ...]
    is_alternative: bool = False


class Demand(Struct, frozen=True, kw_only=True):
    """Everything asked for. `route`: consumer or business. `limitation`: until when a suit is in time, as known."""

    on: date
    route: str
    figures: tuple[Figure, ...]
    unknown: tuple[Words, ...]
    warnings: tuple[Words, ...]
    limitation: PeriodEnd | None


def compute(case: Case, on_day: date) -> Demand:
    """The demand of a case on a day; pure."""
    is_consumer = case.purpose is Purpose.LIVING
    unknown: list[Words] = []
    figures = [_figure(case, wish, on_day, unknown) for wish in (case.wishes or ("refund",)) if wish in _CONSUMER]
    if case.asserts_fraud and is_consumer:
        figures += _fraud(case, on_day, unknown)
    limitation = _limitation(case)
    if limitation is None:
        unknown.append(words("demand.no_problem_time"))
    warnings = [one for one in (review_warning(on_day),) if one]
    if case.asserts_fraud and not is_consumer:
        warnings.append(words("demand.resale"))
    if limitation is not None and limitation.last_day < on_day:
        warnings.append(words("demand.over", day=limitation.last_day))
    return Demand(
        on=on_day,
        route="consumer" if is_consumer else "business",
        figures=tuple(one for one in figures if one.rules),
        unknown=tuple(unknown),
        warnings=tuple(warnings),
        limitation=limitation,
    )


def _figure(case: Case, wish: str, on: date, unknown: list[Words]) -> Figure:
    names = _CONSUMER[wish] if case.purpose is Purpose.LIVING else ("breach",)
    amount: int | None = None
    if wish == "refund":
        amount = _refund_fen(case, unknown)
    elif wish == "damages":
        amount = case.losses_fen or None
        if amount is None:
            unknown.append(words("demand.no_losses"))
    return Figure(name=wish, words=words(f"demand.{wish}"), amount_fen=amount, rules=_rules(names, on, unknown))


def _refund_fen(case: Case, unknown: list[Words]) -> int | None:
    paid = case.purchase.amount_fen
    if not paid:
        unknown.append(words("demand.no_price"))
        return None
    return max(0, paid - sum(one.received_fen for one in case.steps))


def _fraud(case: Case, on: date, unknown: list[Words]) -> list[Figure]:
    price = case.purchase.amount_fen
    if not price:
        unknown.append(words("demand.no_price_fraud"))
        return []
    extra = max(law_data().fraud_times * price, law_data().fraud_least_fen)
    rules = _rules(("fraud_extra", "fraud_list", "fraud_proof"), on, unknown)
    told = words("demand.fraud_extra")
    return [Figure(name="fraud_extra", words=told, amount_fen=extra, rules=rules, is_alternative=True)]


def _rules(names: tuple[str, ...], on: date, unknown: list[Words]) -> tuple[Rule, ...]:
    found: list[Rule] = []
    for name in names:
        try:
            found.append(rule(name, on))
        except LawIsUnknown as error:
            unknown.append(error.args[0])
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
