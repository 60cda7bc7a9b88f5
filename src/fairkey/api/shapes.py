"""Shapes that several calls share. Amounts are integer fen (`*_fen`), moments RFC 3339 in UTC (`*_at`)."""

from datetime import UTC, datetime
from typing import Annotated, Final

from msgspec import Meta, Struct

from fairkey.business.basics import AMOUNT_MAX_FEN

FEN_MAX: Final = 2**53 - 1  # whole numbers that every JSON reader keeps whole
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Fen = Annotated[int, Meta(ge=0, le=FEN_MAX, description="An amount in fen: 1 yuan is 100 fen.")]
PriceFen = Annotated[int, Meta(ge=1, le=AMOUNT_MAX_FEN, description="A price in fen: 1 yuan is 100 fen.")]
Moment = Annotated[
    str, Meta(description="RFC 3339, UTC, with milliseconds.", extra_json_schema={"format": "date-time"})
]
Id = Annotated[str, Meta(description="A UUID.", extra_json_schema={"format": "uuid"})]
Hash = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="SHA-256 in hexadecimal.")]
Cursor = Annotated[
    str, Meta(max_length=200, pattern="^[A-Za-z0-9_-]*$", description="`next_cursor` of the page before.")
]
Limit = Annotated[int, Meta(ge=1, le=100, description="How many at most.")]


class In(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What comes in: a field we do not know is a slip of the caller's, and refused."""


class Out(Struct, frozen=True, kw_only=True):
    """What goes out."""


class Nothing(In, frozen=True, kw_only=True):
    """An empty object, or no body at all."""


class PageQuery(In, frozen=True, kw_only=True):
    """Which page of a list."""

    cursor: Cursor = ""
    limit: Limit = 30


def moment(at_ms: int) -> str:
    """RFC 3339 of milliseconds since the epoch."""
    seconds, ms = divmod(at_ms, 1_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{ms:03d}Z"


def moment_or_none(at_ms: int | None) -> str | None:
    """The same; `None` for 0 and for nothing."""
    return moment(at_ms) if at_ms else None


def ms_of_moment(text: str) -> int:
    """Milliseconds since the epoch of an RFC 3339 text with its offset. Raises ValueError."""
    read = datetime.fromisoformat(text)
    if read.tzinfo is None:
        raise ValueError(text)
    return int((read - _EPOCH).total_seconds() * 1_000)
