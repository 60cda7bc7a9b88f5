"""Against whom, and before whom: respondent and court, each with its rule; what is not known is said."""

from datetime import date

from msgspec import Struct

from .law import Rule, Threshold, law_data, rule, small_claims_threshold
from .model import Case, Party, Purpose
from .texts import Words, words


class Respondent(Struct, frozen=True, kw_only=True):
    """One of those the demand goes to, and why."""

    party: Party
    why: Words
    rules: tuple[Rule, ...]
    is_definite: bool


class Venue(Struct, frozen=True, kw_only=True):
    """Where to sue. `small_claims`: True, False, or None where the province's figure is not known."""

    words: Words
    rules: tuple[Rule, ...]
    threshold: Threshold
    small_claims: bool | None
    why_not: tuple[Words, ...]
    fee_fen: int | None


def respondents(case: Case, on: date) -> tuple[Respondent, ...]:
    """Seller first; the platform besides where it does not say who the seller is (消法 44)."""
    found = []
    sellers = [one for one in case.respondents if one.kind != "platform"]
    for party in sellers or [Party(kind="unknown", shop=case.purchase.shop, platform=case.purchase.platform)]:
        rules = (rule("liability", on),) if case.purpose is Purpose.LIVING else (rule("breach", on),)
        found.append(Respondent(party=party, why=words("venue.seller"), rules=rules, is_definite=is_definite(party)))
    platform = next((one for one in case.respondents if one.kind == "platform"), None)
    if platform is None and case.purchase.platform:
        platform = Party(kind="platform", name="", platform=case.purchase.platform)
    if platform is not None and case.purpose is Purpose.LIVING and not any(one.is_definite for one in found):
        why = words("venue.platform")
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
        why_not.append(words("venue.no_small_claims"))
    small: bool | None = None
    if threshold.up_to_fen is not None:
        small = amount_fen <= threshold.up_to_fen and not why_not
    elif why_not:
        small = False
    data = law_data()
    return Venue(
        words=words("venue.court"),
        rules=tuple(rule(name, on) for name in ("venue_contract", "venue", "venue_clause", "small_claims")),
        threshold=threshold,
        small_claims=small,
        why_not=tuple(why_not),
        fee_fen=data.court_fee_small_fen if amount_fen <= data.court_fee_small_up_to_fen else None,
    )
