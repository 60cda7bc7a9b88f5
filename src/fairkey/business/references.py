"""Order references: what people read out and providers carry. At most 31 characters, capitals and digits only.

26 characters of Crockford base32 for the order's id, then the shop's number: the reference alone says where to look.
"""

from functools import lru_cache

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ID_LENGTH = 26
SHOP_LENGTH_MAX = 5
_LOOKALIKES = {"O": "0", "I": "1", "L": "1"}
_READABLE = frozenset(ALPHABET) | frozenset(_LOOKALIKES)
_PAIRS = [first + second for first in ALPHABET for second in ALPHABET]
_SHIFTS = range(5 * (ID_LENGTH - 2), -1, -10)
_TO_PYTHONS = str.maketrans(dict(zip(ALPHABET, "0123456789abcdefghijklmnopqrstuv", strict=True)) | _LOOKALIKES)


def reference_of(shop_no: int, order_id: str) -> str:
    """The reference of an order of shop number `shop_no` (1 .. 32^5 - 1)."""
    return _encode_id(int(order_id.replace("-", ""), 16)) + _encode_shop(shop_no)


@lru_cache(maxsize=4096)
def read_reference(text: str) -> tuple[int, str] | None:
    """(shop number, order id) of a reference, read tolerantly: case, dashes, spaces, O for 0, I and L for 1."""
    clean = text.strip().upper().replace("-", "").replace(" ", "")
    if not ID_LENGTH < len(clean) <= ID_LENGTH + SHOP_LENGTH_MAX or not _READABLE.issuperset(clean):
        return None
    number = _decode(clean[:ID_LENGTH])
    if number >> 128:
        return None
    digits = f"{number:032x}"
    order_id = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    return _decode(clean[ID_LENGTH:]), order_id


def _encode_id(number: int) -> str:
    return "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])


def _encode_shop(number: int) -> str:
    digits = ""
    while number or not digits:
        number, value = divmod(number, 32)
        digits = ALPHABET[value] + digits
    return digits


def _decode(text: str) -> int:
    return int(text.translate(_TO_PYTHONS), 32)
