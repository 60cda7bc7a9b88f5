"""The unified social credit code (统一社会信用代码) of a registered trader: its shape and its check digit.

GB 32100-2015: 18 characters of 0-9 and A-Z without I, O, S, V, Z. 1: registering authority (9: market regulation),
2: kind (1 enterprise, 2 sole trader 个体工商户, 3 farmers' cooperative), 3-8 place, 9-17 organisation, 18 check digit:
`(31 - sum(value * 3^(place-1) mod 31)) mod 31`. 3 generates all residues of 31, so the first 17 weights all differ:
every wrong single character shows, and every swap of two different ones, except of the first with the last, which
weigh the same (1).
"""

from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
CHARS: Final = 18
_VALUES: Final = {letter: value for value, letter in enumerate(ALPHABET)}
_PRIME: Final = 31
_WEIGHTS: Final = tuple(pow(3, place, _PRIME) for place in range(CHARS - 1))
_TYPED: Final = str.maketrans({" ": None, "-": None, "\u3000": None})


def normalised(typed: str) -> str:
    """The code as it is compared: upper case, without blanks and dashes."""
    return typed.translate(_TYPED).upper()


def check_digit(first_seventeen: str) -> str:
    """The last character that belongs to these 17. Raises `KeyError` for a character that no code has."""
    weighed = sum(_VALUES[letter] * weight for letter, weight in zip(first_seventeen, _WEIGHTS, strict=True))
    return ALPHABET[-weighed % _PRIME]


def problem_of(code: str) -> str:
    """Why this normalised text is no code (`length_18`, `not_in_code`, `check_digit`); empty when it may be one."""
    if len(code) != CHARS:
        return "length_18"
    if not set(code) <= _VALUES.keys():
        return "not_in_code"
    return "" if check_digit(code[:-1]) == code[-1] else "check_digit"
