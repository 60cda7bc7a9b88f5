"""A listing's terms as a form: text to terms, terms to text, and what differs between two revisions."""

from collections.abc import Callable, Mapping
from typing import Final

from fairkey.business.basics import FieldIsInvalid
from fairkey.business.listings import TIERS_MAX, Terms, check_terms
from fairkey.web import formats
from fairkey.web.i18n import marked as _
from fairkey.web.inputs import fen_of, whole

TEXTS: Final = ("product", "category", "face_value", "region", "edition", "redeem_by", "instructions", "after_sale")
NUMBERS: Final[Mapping[str, int]] = {"quantity_min": 1, "quantity_max": 20, "per_buyer_max": 0}
"""Whole numbers and what an empty field means."""

LABELS: Final[Mapping[str, str]] = {
    "product": _("Product"),
    "category": _("Category"),
    "face_value": _("Face value"),
    "region": _("Region"),
    "edition": _("Edition"),
    "redeem_by": _("Redeem by"),
    "instructions": _("Activation instructions"),
    "after_sale": _("After-sale terms"),
    "price_fen": _("Price"),
    "tiers": _("Bulk prices"),
    "quantity_min": _("Smallest quantity"),
    "quantity_max": _("Largest quantity"),
    "per_buyer_max": _("Limit per buyer"),
    "delivery": _("Delivery"),
    "promise_min": _("Promised minutes"),
}
"""Every term, in the order of the form."""

_DELIVERY: Final[Mapping[str, str]] = {"vault": _("at once, from the vault"), "manual": _("typed by hand")}


def blank(new_id: str) -> dict[str, str]:
    """The form of a new listing."""
    return {"listing_id": new_id, "delivery": "vault", "region": "CN", "quantity_min": "1", "quantity_max": "20"}


def form_from(terms: Terms, listing_id: str, revision: int) -> dict[str, str]:
    """The form that says these terms."""
    given = {name: getattr(terms, name) for name in TEXTS}
    given |= {name: str(getattr(terms, name)) for name in NUMBERS}
    given["per_buyer_max"] = str(terms.per_buyer_max or "")
    given |= {"price_fen": formats.yuan_input(terms.price_fen), "delivery": terms.delivery}
    given |= {"promise_min": str(terms.promise_min or ""), "listing_id": listing_id, "base": str(revision)}
    for row, (least, price_fen) in enumerate(terms.tiers):
        given[f"tier_least_{row}"] = str(least)
        given[f"tier_price_{row}"] = formats.yuan_input(price_fen)
    return given


def terms_from(given: Mapping[str, str]) -> tuple[Terms | None, dict[str, str]]:
    """The terms a form says, or why not: field -> reason. The business has the last word about each."""
    wrong: dict[str, str] = {}
    price_fen = fen_of(given.get("price_fen"))
    if price_fen is None:
        wrong["price_fen"] = "not_an_amount"
    numbers: dict[str, int] = {}
    for name, when_empty in NUMBERS.items():
        number = whole(given.get(name)) if given.get(name) else when_empty
        if number is None:
            wrong[name] = "not_a_number"
        else:
            numbers[name] = number
    is_manual = given.get("delivery") == "manual"
    promise_min = whole(given.get("promise_min")) if is_manual else 0
    if promise_min is None:
        wrong["promise_min"] = "not_a_number"
    tiers = _tiers(given, wrong)
    if wrong or price_fen is None or promise_min is None:
        return None, wrong
    text = {name: _clean(given.get(name, "")) for name in TEXTS}
    terms = Terms(
        product=text["product"],
        category=text["category"],
        face_value=text["face_value"],
        region=text["region"],
        edition=text["edition"],
        redeem_by=text["redeem_by"],
        instructions=text["instructions"],
        after_sale=text["after_sale"],
        price_fen=price_fen,
        delivery=given.get("delivery", ""),
        promise_min=promise_min,
        tiers=tiers,
        quantity_min=numbers["quantity_min"],
        quantity_max=numbers["quantity_max"],
        per_buyer_max=numbers["per_buyer_max"],
    )
    try:
        check_terms(terms)
    except FieldIsInvalid as refusal:
        return None, {str(refusal.details["field"]): str(refusal.details["why"])}
    return terms, {}


def _clean(text: str) -> str:
    """Browsers send line ends as CR LF; terms are hashed, so there is one way to write them."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def _tiers(given: Mapping[str, str], wrong: dict[str, str]) -> tuple[tuple[int, int], ...]:
    tiers: list[tuple[int, int]] = []
    for row in range(TIERS_MAX):
        least_text, price_text = given.get(f"tier_least_{row}", ""), given.get(f"tier_price_{row}", "")
        if not least_text and not price_text:
            continue
        least, price_fen = whole(least_text), fen_of(price_text)
        if least is None:
            wrong["tiers"] = "not_a_number"
        elif price_fen is None:
            wrong["tiers"] = "not_an_amount"
        else:
            tiers.append((least, price_fen))
    return tuple(tiers)


def written(terms: Terms, name: str, locale_words: Mapping[str, str]) -> str:
    """One term as text to read."""
    value = getattr(terms, name)
    if name == "price_fen":
        return formats.fen(value)
    if name == "tiers":
        return "\n".join(f"{least}+  {formats.fen(price_fen)}" for least, price_fen in value)
    if name == "delivery":
        return locale_words.get(value, value)
    if name in {"promise_min", "per_buyer_max"} and not value:
        return ""
    return str(value)


def differences(old: Terms | None, new: Terms, locale_words: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """(label as a message id, before, after) of every term that is not the same; without `old` of every term."""
    rows = []
    for name, label in LABELS.items():
        after = written(new, name, locale_words)
        before = written(old, name, locale_words) if old else ""
        if (old is None and after) or (old is not None and before != after):
            rows.append((label, before, after))
    return rows


def delivery_words(translate: Callable[[str], str]) -> Mapping[str, str]:
    """The two ways of delivery in the reader's language; `translate` is `Texts.gettext`."""
    return {value: translate(text) for value, text in _DELIVERY.items()}
