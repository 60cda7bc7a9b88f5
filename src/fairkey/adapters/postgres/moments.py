"""Milliseconds since the epoch (everywhere else) and `timestamptz` (in tables), exactly, both ways."""

from datetime import UTC, datetime, timedelta
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)


def moment(at_ms: int) -> datetime:
    """A `*_at_ms` as the driver wants it."""
    return EPOCH + timedelta(milliseconds=at_ms)


def ms_of(at: datetime) -> int:
    """A `timestamptz` as a `*_at_ms`; parts of a millisecond are dropped."""
    return (at - EPOCH) // _MS
