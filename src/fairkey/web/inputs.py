"""Reading what a browser sent: text as text, numbers or nothing. Wrong input is a value here, never an exception."""

import re
from typing import Any, Final

from litestar import Request

TEXT_MAX: Final = 20_000
WHOLE_MAX: Final = 10**12
_YUAN_DIGITS_MAX: Final = 10
_THOUSANDS: Final = re.compile(r"\d{1,3}([,，]\d{3})+")


async def form_of(request: Request[Any, Any, Any]) -> dict[str, str]:
    """The text fields of a posted form, trimmed; of two with one name the first counts; files are left out."""
    read: dict[str, str] = {}
    for name, value in (await request.form()).multi_items():
        if isinstance(value, str):
            read.setdefault(name, value[:TEXT_MAX].strip())
    return read


def plain(text: str | None, length_max: int = 100) -> str:
    """One line for searching and comparing: without control characters, cut to a bearable length."""
    return "".join(letter for letter in (text or "")[: length_max * 4] if letter.isprintable()).strip()[:length_max]


def whole(text: str | None) -> int | None:
    """A whole number that is not negative, or `None`. Full-width digits of Chinese keyboards count."""
    digits = (text or "").strip()
    if not digits or len(digits) > len(str(WHOLE_MAX)) or not digits.isdecimal():
        return None
    return int(digits)


def fen_of(text: str | None) -> int | None:
    """An amount as people type it, in fen: `12`, `12.5`, `¥12.50`, `1,234.00`; `None` if it is none.

    A comma stands between thousands or it makes no amount: who types `1,5` means one and a half.
    """
    yuan, dot, rest = (text or "").strip().lstrip("¥￥").strip().partition(".")
    if _THOUSANDS.fullmatch(yuan):
        yuan = yuan.replace(",", "").replace("，", "")
    if len(yuan) > _YUAN_DIGITS_MAX or len(rest) > 2:  # noqa: PLR2004 - fen have two digits
        return None
    if not (yuan or rest) or (dot and not rest) or not all(part.isdecimal() for part in (yuan, rest) if part):
        return None
    return int(yuan or "0") * 100 + int(rest.ljust(2, "0") or "0")
