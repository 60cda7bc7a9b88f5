"""Moments as people read them. Cases are of China: its one time zone, told with its offset."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Final

CHINA: Final = timezone(timedelta(hours=8))
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FAR_MS: Final = 253_402_000_000_000


def moment(at_ms: int) -> str:
    """`2026-11-23 10:19:40 UTC+8`; what no calendar holds, in milliseconds."""
    if not 0 <= at_ms < _FAR_MS:
        return f"{at_ms} ms"
    return f"{(_EPOCH + timedelta(milliseconds=at_ms)).astimezone(CHINA):%Y-%m-%d %H:%M:%S} UTC+8"


def moment_zh(at_ms: int) -> str:
    """`2026年11月23日 10:19:40`, Beijing time."""
    if not 0 <= at_ms < _FAR_MS:
        return f"{at_ms} ms"
    at = (_EPOCH + timedelta(milliseconds=at_ms)).astimezone(CHINA)
    return f"{at.year}年{at.month}月{at.day}日 {at:%H:%M:%S}"


def moment_in(at_ms: int, lang: str) -> str:
    """Beijing time as `moment_zh`, or in English `2026-11-23 10:19:40`."""
    return moment_zh(at_ms) if lang == "zh" else moment(at_ms).removesuffix(" UTC+8")


def ms_of_iso(text: str) -> int | None:
    """The moment of an ISO 8601 text with an offset; None for anything else."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (at - _EPOCH) // timedelta(milliseconds=1) if at.tzinfo is not None else None
