"""Personal data and codes in texts of a pack, hidden by default: enough stays to recognise, too little to misuse.

Pictures are not masked: an original that was changed would prove nothing.
"""

import re
from collections.abc import Iterable
from typing import Final

_RULES: Final = (
    (re.compile(r"(?<!\d)(1[3-9]\d)\d{4}(\d{4})(?!\d)"), r"\1****\2"),  # mobile number
    (re.compile(r"(?<![\d.])(62\d{4})\d{6,9}(\d{4})(?!\d)"), r"\1******\2"),  # UnionPay card
    (re.compile(r"([A-Za-z0-9._%+-])[A-Za-z0-9._%+-]*(@[A-Za-z0-9.-]+\.[A-Za-z]{2,})"), r"\1***\2"),
)
_IDENTITY: Final = re.compile(r"(?<![\dA-Za-z])(\d{6})((?:19|20)\d{2}[01]\d[0-3]\d)(\d{3}[\dXx])(?![\dA-Za-z])")
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CODE_CHARS_MIN: Final = 6


def mask_code(code: str) -> str:
    """A code of which only the ends are shown."""
    if len(code) < _CODE_CHARS_MIN:
        return "*" * len(code)
    shown = 4 if len(code) >= 3 * 4 else 2
    return f"{code[:shown]}{'*' * (len(code) - 2 * shown)}{code[-shown:]}"


def _hide_identity(found: re.Match[str]) -> str:
    """Hide an identity card's number (GB 11643, with its check digit); other numbers of 18 digits are not one."""
    number = found[0]
    total = sum(int(one) * weight for one, weight in zip(number, _WEIGHTS, strict=False))
    return f"{found[1]}********{found[3]}" if "10X98765432"[total % 11] == number[-1].upper() else number


class Masks:
    """Hides codes of this case, and what looks like numbers of cards, phones, identity papers and mail addresses."""

    def __init__(self, codes: Iterable[str] = (), *, is_off: bool = False) -> None:
        """`is_off`: everything is shown, because the person asked for it."""
        self._codes = sorted({one for one in codes if len(one) >= _CODE_CHARS_MIN}, key=len, reverse=True)
        self.is_off = is_off

    def __call__(self, text: str) -> str:
        """The text with what must not be read by everybody hidden."""
        if self.is_off:
            return text
        for code in self._codes:
            text = text.replace(code, mask_code(code))
        text = _IDENTITY.sub(_hide_identity, text)
        for pattern, shown in _RULES:
            text = pattern.sub(shown, text)
        return text
