"""Cursors: where a page of a list ended, opaque to the caller, never trusted when it comes back."""

import base64
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec

from fairkey.business.basics import FieldIsInvalid, require

MOMENT_MAX_MS: Final = 2**45  # in the year 3084

T = TypeVar("T", bound=tuple[Any, ...])


def cursor_of(place: tuple[object, ...] | None) -> str | None:
    """The cursor that leads behind `place`; `None` when there is nothing behind it."""
    return None if place is None else base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def place_of(cursor: str, shape: type[T], *, number_max: int = MOMENT_MAX_MS) -> T | None:
    """What a cursor that we gave says; `None` for the first page. Raises `FieldIsInvalid` for any other text.

    Texts in it are ids, numbers are at most `number_max`: whoever makes up a cursor gets no further than here.
    """
    place: T
    if not cursor:
        return None
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        place = msgspec.json.decode(raw, type=shape)
        for part in place:
            if isinstance(part, str):
                UUID(part)
            else:
                require(abs(part) <= number_max, "cursor", "not one of ours")
    except (ValueError, msgspec.MsgspecError):
        raise FieldIsInvalid(field="cursor", why="not one of ours") from None
    return place
