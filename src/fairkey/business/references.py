"""Order references: what people read out and providers carry. At most 31 characters, capitals and digits only.

26 characters of Crockford base32 for the order's id, then the shop's number: the reference alone says where to look.
"""

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ID_LENGTH = 26
SHOP_LENGTH_MAX = 5
_VALUE = {character: value for value, character in enumerate(ALPHABET)} | {"O": 0, "I": 1, "L": 1}


def reference_of(shop_no: int, order_id: str) -> str:
    """The reference of an order of shop number `shop_no` (1 .. 32^5 - 1)."""
    return _encode(int(order_id.replace("-", ""), 16), ID_LENGTH) + _encode(shop_no, 1)


def read_reference(text: str) -> tuple[int, str] | None:
    """(shop number, order id) of a reference, read tolerantly: case, dashes, spaces, O for 0, I and L for 1."""
    clean = text.strip().upper().replace("-", "").replace(" ", "")
    if not ID_LENGTH < len(clean) <= ID_LENGTH + SHOP_LENGTH_MAX or any(one not in _VALUE for one in clean):
        return None
    number = _decode(clean[:ID_LENGTH])
    if number >> 128:
        return None
    digits = f"{number:032x}"
    order_id = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    return _decode(clean[ID_LENGTH:]), order_id


def _encode(number: int, length: int) -> str:
    characters: list[str] = []
    while number or len(characters) < length:
        number, value = divmod(number, 32)
        characters.append(ALPHABET[value])
    return "".join(reversed(characters))


def _decode(text: str) -> int:
    number = 0
    for character in text:
        number = number * 32 + _VALUE[character]
    return number
