"""What a visitor looks for, read from the query of the address: anything unreadable means "any"."""

from collections.abc import Mapping
from uuid import UUID

from fairkey.read_tables.storefront import SORTS, WORDS_MAX, Sort, Wish
from fairkey.web.inputs import fen_of, plain


def wish_of(query: Mapping[str, str], *, shop_id: str = "") -> Wish:
    """The wish in a query."""
    named = plain(query.get("sort"))
    sort: Sort = next((sort for sort in SORTS if sort == named), "stock")
    delivery = plain(query.get("delivery"))
    return Wish(
        words=tuple(plain(query.get("q")).split()[:WORDS_MAX]),
        category=plain(query.get("category")),
        region=plain(query.get("region")),
        delivery=delivery if delivery in {"vault", "manual"} else "",
        price_least_fen=fen_of(query.get("min")),
        price_most_fen=fen_of(query.get("max")),
        in_stock_only=bool(query.get("stock")),
        shop_id=shop_id,
        sort=sort,
        after=cursor_of(query.get("after")),
    )


def is_narrowed(wish: Wish) -> bool:
    """Whether any filter is set besides the words searched for."""
    return bool(
        wish.category
        or wish.region
        or wish.delivery
        or wish.price_least_fen is not None
        or wish.price_most_fen is not None
        or wish.in_stock_only
        or wish.sort != "stock"
    )


def cursor_text(after: tuple[int, str] | None) -> str:
    """A cursor as it stands in an address."""
    return f"{after[0]}.{after[1]}" if after else ""


def cursor_of(text: str | None) -> tuple[int, str] | None:
    """The cursor in an address, or `None` for anything else."""
    key, _, listing_id = (text or "").partition(".")
    digits = key.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 19):  # noqa: PLR2004 - what fits 64 bits
        return None
    try:
        return int(key), str(UUID(listing_id))
    except ValueError:
        return None
