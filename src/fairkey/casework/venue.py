"""Against whom, and before whom: respondent and court, each with its rule; what is not known is said."""

from datetime import date

from msgspec import Struct

from .law import Rule, Threshold, law_data, rule, small_claims_threshold
from .model import Case, Party, Purpose


class Respondent(Struct, frozen=True, kw_only=True):
    """One of those the demand goes to, and why."""

    party: Party
    why: str
    rules: tuple[Rule, ...]
    is_definite: bool


class Venue(Struct, frozen=True, kw_only=True):
    """Where to sue. `small_claims`: True, False, or None where the province's figure is not known."""

    words: str
    rules: tuple[Rule, ...]
    threshold: Threshold
    small_claims: bool | None
    why_not: tuple[str, ...]
    fee_fen: int | None


def respondents(case: Case, on: date) -> tuple[Respondent, ...]:
    """Seller first; the platform besides where it does not say who the seller is (消法 44)."""
    found = []
    sellers = [one for one in case.respondents if one.kind != "platform"]
    for party in sellers or [Party(kind="unknown", shop=case.purchase.shop, platform=case.purchase.platform)]:
        rules = (rule("liability", on),) if case.purpose is Purpose.LIVING else (rule("breach", on),)
        found.append(
            Respondent(party=party, why="卖家是买卖合同的相对人。", rules=rules, is_definite=is_definite(party))
        )
    platform = next((one for one in case.respondents if one.kind == "platform"), None)
    if platform is None and case.purchase.platform:
        platform = Party(kind="platform", name="", platform=case.purchase.platform)
    if platform is not None and case.purpose is Purpose.LIVING and not any(one.is_definite for one in found):
        why = "卖家身份不明：平台不能提供其真实名称、地址和有效联系方式的，可以向平台要求赔偿。"
        found.append(
            Respondent(party=platform, why=why, rules=(rule("platform_liable", on),), is_definite=is_definite(platform))
        )
    return tuple(found)


def is_definite(party: Party) -> bool:
    """Could a court find it: a name with an address or a credit code."""
    return bool(party.name and (party.address or party.uscc))


def venue_of(case: Case, on: date, province: str = "") -> Venue:
    """The court of a suit about this case, and whether it may be a small claim."""
    threshold = small_claims_threshold(province)
    amount_fen = case.purchase.amount_fen + case.losses_fen
    why_not = []
    if not any(one.is_definite for one in respondents(case, on)):
        why_not.append("被告身份或下落不明的，不能适用小额诉讼程序；请先取得卖家身份，或依消法第四十四条以平台为被告。")
    small: bool | None = None
    if threshold.up_to_fen is not None:
        small = amount_fen <= threshold.up_to_fen and not why_not
    elif why_not:
        small = False
    data = law_data()
    return Venue(
        words=(
            "通过网络订立、并经网络交付的买卖，买受人住所地为合同履行地，可向您住所地的基层人民法院起诉；"
            "有有效约定管辖的从其约定，不合理的格式管辖条款可主张无效。"
        ),
        rules=tuple(rule(name, on) for name in ("venue_contract", "venue", "venue_clause", "small_claims")),
        threshold=threshold,
        small_claims=small,
        why_not=tuple(why_not),
        fee_fen=data.court_fee_small_fen if amount_fen <= data.court_fee_small_up_to_fen else None,
    )
