"""Personal data and codes in texts of a pack, hidden by default: enough stays to recognise, too little to misuse.

Pictures are not masked: an original that was changed would prove nothing.
"""

import re
from collections.abc import Iterable
from typing import Final

_RULES: Final = (
    (re.compile(r"(?<![\dA-Za-z])(\d{6})\d{8}(\d{3}[\dXx])(?![\dA-Za-z])"), r"\1********\2"),  # identity card, GB 11643
    (re.compile(r"(?<!\d)(1[3-9]\d)\d{4}(\d{4})(?!\d)"), r"\1****\2"),  # mobile number
    (re.compile(r"(?<![\d.])(62\d{4})\d{6,9}(\d{4})(?!\d)"), r"\1******\2"),  # UnionPay card
    (re.compile(r"([A-Za-z0-9._%+-])[A-Za-z0-9._%+-]*(@[A-Za-z0-9.-]+\.[A-Za-z]{2,})"), r"\1***\2"),
)
_CODE_CHARS_MIN: Final = 6


def mask_code(code: str) -> str:
    """A code of which only the ends are shown."""
    if len(code) < _CODE_CHARS_MIN:
        return "*" * len(code)
    shown = 4 if len(code) >= 3 * 4 else 2
    return f"{code[:shown]}{'*' * (len(code) - 2 * shown)}{code[-shown:]}"


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
        for pattern, shown in _RULES:
            text = pattern.sub(shown, text)
        return text
