"""Law as data: rules with the dates they are in force, figures with sources, and when all of it is looked at again.

A rule that is not in the data is unknown: `rule` raises `LawIsUnknown`, and whoever writes says so.
"""

from collections.abc import Iterable
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Final

from msgspec import Struct, json

from fairkey.casework.texts import Words, words

_PACKAGE: Final = "fairkey.casework.law"
_STATE: Final = "中华人民共和国"


class LawIsUnknown(Exception):
    """No rule of this name was in force on the day, as far as the data go. The argument is `Words`."""


class Rule(Struct, frozen=True, kw_only=True):
    """An article, or several, and what they say in words of our own.

    `verified`: text (the article's text was read), page (a page about it was read), memory. `effective_to`: its last
    day; None while in force.
    """

    id: str
    law: str
    law_en: str
    article: str
    article_en: str
    effective_from: date
    zh: str
    en: str
    verified: str
    effective_to: date | None = None

    @property
    def cite(self) -> str:
        """As a letter cites it: `《消费者权益保护法》第五十五条`."""
        return f"{self.title}{self.article}"

    @property
    def cited(self) -> Words:
        """The same in both languages; the official name stays: `Consumer Protection Law (消费者权益保护法) art. 55`."""
        return Words(self.cite, f"{self.law_en} ({self.law.removeprefix(_STATE)}) {self.article_en}")

    @property
    def title(self) -> str:
        """The law's name in its marks; marks within them are single ones (GB/T 15834)."""
        return f"《{self.law.replace('《', '〈').replace('》', '〉')}》"


class Threshold(Struct, frozen=True, kw_only=True):
    """What a claim may amount to at most in small-claims procedure, CPL 165. None: not known to the data."""

    province: str
    province_en: str
    as_of: date | None
    up_to_fen: int | None
    by_agreement_up_to_fen: int | None


class LawData(Struct, frozen=True, kw_only=True):
    """Everything of one version of the data."""

    version: str
    reviewed_on: date
    review_by: date
    rules: tuple[Rule, ...]
    small_claims: tuple[Threshold, ...]
    fraud_criminal_from_fen: int
    fraud_criminal_up_to_fen: int
    court_fee_small_fen: int
    court_fee_small_up_to_fen: int
    fraud_least_fen: int
    fraud_times: int


@cache
def law_data() -> LawData:
    """The data of this release."""
    return json.decode((files(_PACKAGE) / "rules.json").read_bytes(), type=LawData)


def rule(name: str, on: date) -> Rule:
    """The version in force on a day. Raises `LawIsUnknown`."""
    for one in law_data().rules:
        if one.id == name and one.effective_from <= on and (one.effective_to is None or on <= one.effective_to):
            return one
    raise LawIsUnknown(words("law.unknown", day=on, name=name))


def cited(rules: Iterable[Rule]) -> Words:
    """Several, each law once: `《…》第四十八条、第五十二条，《…》第五十九条`, `… (…) arts. 48, 52, … (…) art. 59`."""
    laws: dict[str, list[Rule]] = {}
    for one in rules:
        of_law = laws.setdefault(one.title, [])
        if all(one.article != other.article for other in of_law):
            of_law.append(one)
    chinese = "，".join(f"{title}{'、'.join(one.article for one in these)}" for title, these in laws.items())
    return Words(chinese, ", ".join(_cited_en(these) for these in laws.values()))


def _cited_en(these: list[Rule]) -> str:
    if len(these) == 1:
        return these[0].cited.en
    numbers = (one.article_en.removeprefix("arts. ").removeprefix("art. ") for one in these)
    return f"{these[0].cited.en.removesuffix(these[0].article_en)}arts. {', '.join(numbers)}"


def small_claims_threshold(province: str) -> Threshold:
    """The province's figures; with None where they are not known."""
    known = (one for one in law_data().small_claims if one.province and province.startswith(one.province))
    return next(
        known, Threshold(province=province, province_en="", as_of=None, up_to_fen=None, by_agreement_up_to_fen=None)
    )


def review_warning(on: date) -> Words | None:
    """A sentence when the data are older than their review date; else None."""
    data = law_data()
    if on <= data.review_by:
        return None
    return words("law.review", reviewed=data.reviewed_on, by=data.review_by)
