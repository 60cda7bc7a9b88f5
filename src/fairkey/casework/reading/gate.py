"""The one door for proposed facts: a value passes only if it follows from the text of its own region."""

import re
import unicodedata
from typing import Final

from fairkey.casework.model import FactKind, ProposedFact

from .relative import follows_anchor
from .tables import PLATFORMS
from .values import amounts_in, times_in

_TEXTS: Final = frozenset({FactKind.SHOP, FactKind.PRODUCT, FactKind.PROMISE, FactKind.ERROR})
_NUMBERS: Final = frozenset({FactKind.ORDER_NUMBER, FactKind.TRANSACTION, FactKind.CODE})
_DASHES: Final = re.compile("[‐‑‒–—―−－]")


def squeezed(text: str) -> str:
    """Text without spaces, in one width and one kind of dash."""
    return "".join(_DASHES.sub("-", unicodedata.normalize("NFKC", text)).split())


def follows(kind: FactKind, value: int | str, text: str) -> bool:
    """Whether a value of a kind can be read off a text."""
    if kind is FactKind.AMOUNT:
        return any(one.fen == value for one in amounts_in(text))
    if not isinstance(value, str) or not value:
        return False
    if kind is FactKind.TIME:
        return any(one.iso == value for one in times_in(text))
    if kind is FactKind.PLATFORM:
        return any(alias.lower() in squeezed(text).lower() for alias in PLATFORMS.get(value, ()))
    if kind in _NUMBERS:
        return squeezed(value).upper() in squeezed(text).upper()
    return kind in _TEXTS and squeezed(value) in squeezed(text)


def admitted(fact: ProposedFact) -> bool:
    """Whether a proposal may be shown at all."""
    if not 0 < fact.confidence <= 1:
        return False
    if fact.anchor:
        return fact.kind is FactKind.TIME and follows_anchor(str(fact.value), fact.text, fact.anchor)
    return follows(fact.kind, fact.value, fact.text)
