"""Sums as Chinese documents write them besides figures: 人民币大写 (票据法 and 支付结算办法, annex on forms)."""

from typing import Final

DIGITS: Final = "零壹贰叁肆伍陆柒捌玖"
_UNITS: Final = ("", "拾", "佰", "仟")
_GROUPS: Final = ("", "万", "亿")
FEN_MAX: Final = 10**12 * 100


def rmb_capital(amount_fen: int) -> str:
    """`壹佰贰拾捌元整` for 12,800 fen. Raises `ValueError` for what is below 0 or a billion yuan and more."""
    if not 0 <= amount_fen < FEN_MAX:
        raise ValueError(amount_fen)
    yuan, rest = divmod(amount_fen, 100)
    jiao, fen = divmod(rest, 10)
    words = f"{_whole(yuan)}元" if yuan or not rest else ""
    if not rest:
        return f"{words}整"
    if jiao:
        words += f"{DIGITS[jiao]}角"
    elif yuan:
        words += DIGITS[0]
    return words + (f"{DIGITS[fen]}分" if fen else "整")


def _whole(yuan: int) -> str:
    if yuan == 0:
        return DIGITS[0]
    groups = []
    while yuan:
        yuan, group = divmod(yuan, 10_000)
        groups.append(group)
    words, gap = "", False
    for place in range(len(groups) - 1, -1, -1):
        group = groups[place]
        if group == 0:
            gap = bool(words)
            continue
        if words and (gap or group < 1_000):  # noqa: PLR2004 - no thousands: a zero is spoken
            words += DIGITS[0]
        words += _group(group) + _GROUPS[place]
        gap = False
    return words


def _group(group: int) -> str:
    words, gap = "", False
    for place in range(3, -1, -1):
        digit = group // 10**place % 10
        if digit == 0:
            gap = bool(words)
            continue
        words += (DIGITS[0] if gap else "") + DIGITS[digit] + _UNITS[place]
        gap = False
    return words
