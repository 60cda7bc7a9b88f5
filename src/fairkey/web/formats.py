"""How amounts, times, durations and sizes are written on a page, in either language.

Amounts are integer fen, times are integer milliseconds UTC and shown in Asia/Shanghai. Every function takes ``None`` as
"there is none" and writes a dash. Registered as filters by ``render.py``.
"""

from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from babel.core import Locale as BabelLocale
from babel.dates import format_timedelta
from babel.numbers import format_decimal
from babel.units import format_unit
from markupsafe import Markup

from fairkey.web.i18n import Locale, texts_of
from fairkey.web.i18n import marked as _

NONE: Final = "—"

SHANGHAI: Final = timezone(timedelta(hours=8), "Asia/Shanghai")
"""China keeps one time without daylight saving since 1992; a fixed offset needs no time zone database."""

NOW_MS: Final[ContextVar[int | None]] = ContextVar("NOW_MS", default=None)
"""The moment the page is rendered for, set by ``render``; relative hints are left out when it is not set."""

_UNITS: Final = (("day", 86_400_000), ("hour", 3_600_000), ("minute", 60_000), ("second", 1_000))
_KIB: Final = 1024
_JUST_NOW_MS: Final = 10_000
_BABEL: Final = {"zh_CN": BabelLocale.parse("zh_Hans_CN"), "en": BabelLocale.parse("en")}


def fen(amount_fen: int | None) -> str:
    """``123450`` → ``¥1,234.50``; ``-50`` → ``−¥0.50``."""
    if amount_fen is None:
        return NONE
    yuan, rest = divmod(abs(amount_fen), 100)
    return f"{'−' if amount_fen < 0 else ''}¥{yuan:,}.{rest:02d}"


def fen_parts(amount_fen: int) -> tuple[str, str, str]:
    """Sign, whole yuan and fen of an amount, for a display that sets them in different sizes."""
    yuan, rest = divmod(abs(amount_fen), 100)
    return ("−" if amount_fen < 0 else "", f"{yuan:,}", f"{rest:02d}")


def yuan(amount_fen: int) -> str:
    """An amount rounded to whole yuan, for the axis of a chart: ``123450`` → ``¥1,234``."""
    return f"¥{amount_fen // 100:,}"


def yuan_input(amount_fen: int | None) -> str:
    """An amount as it stands in a form field: ``1250`` → ``12.50``; empty when there is none."""
    return "" if amount_fen is None else f"{amount_fen // 100}.{amount_fen % 100:02d}"


def iso(at_ms: int) -> str:
    """UTC in ISO 8601 with milliseconds, for ``<time datetime>``."""
    return f"{_utc(at_ms):%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"


def clock(at_ms: int | None, *, seconds: bool = False) -> str:
    """``2026-08-22 18:30`` in Asia/Shanghai, as plain text."""
    if at_ms is None:
        return NONE
    return _utc(at_ms).astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")


def day(at_ms: int | None) -> str:
    """``2026-08-22`` in Asia/Shanghai."""
    return NONE if at_ms is None else _utc(at_ms).astimezone(SHANGHAI).strftime("%Y-%m-%d")


def number(value: float | None, locale: Locale) -> str:
    """``12345.6`` → ``12,345.6``."""
    return NONE if value is None else format_decimal(value, locale=_BABEL[locale])


def percent(share: float | None, digits: int = 1) -> str:
    """``0.9875`` → ``98.8%``; whole figures without decimals: ``1`` → ``100%``."""
    if share is None:
        return NONE
    rounded = (Decimal(str(share)) * 100).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
    return f"{rounded.to_integral_value() if rounded == rounded.to_integral_value() else rounded}%"


def size(length_bytes: int | None) -> str:
    """``1536`` → ``1.5 KiB``."""
    if length_bytes is None:
        return NONE
    amount, unit = float(length_bytes), "B"
    for larger in ("KiB", "MiB", "GiB"):
        if amount < _KIB:
            break
        amount, unit = amount / _KIB, larger
    return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"


def span_ms(length_ms: int | None, locale: Locale) -> str:
    """A duration in its two largest units: ``5_400_000`` → ``1小时30分钟`` or ``1 hr 30 min``."""
    if length_ms is None:
        return NONE
    babel, rest = _BABEL[locale], abs(length_ms)
    parts: list[str] = []
    for unit, unit_ms in _UNITS:
        count, left = divmod(rest, unit_ms)
        if count or parts:
            rest = left
            if count:
                parts.append(format_unit(count, f"duration-{unit}", length="short", locale=babel))
            if len(parts) == 2 or not rest:  # noqa: PLR2004 - two units are what a reader can hold
                break
    if not parts:
        parts.append(format_unit(0, "duration-second", length="short", locale=babel))
    return ("" if locale == "zh_CN" else " ").join(parts)


def span_s(length_s: float | None, locale: Locale) -> str:
    """``span_ms`` for seconds."""
    return NONE if length_s is None else span_ms(round(length_s * 1000), locale)


def ago(at_ms: int | None, locale: Locale) -> str:
    """``3分钟前`` / ``3 minutes ago``, or in future tense; empty when the page has no moment of its own."""
    now_ms = NOW_MS.get()
    if at_ms is None or now_ms is None:
        return ""
    if abs(at_ms - now_ms) < _JUST_NOW_MS:
        return texts_of(locale).gettext(_("just now"))
    difference = timedelta(milliseconds=at_ms - now_ms)
    return format_timedelta(difference, add_direction=True, locale=_BABEL[locale], threshold=1.5)


def moment(at_ms: int | None, locale: Locale, *, seconds: bool = False, relative: bool = True) -> str:
    """A time as HTML: absolute in Asia/Shanghai, with a relative hint, in ``<time datetime>``."""
    if at_ms is None:
        return NONE
    hint = ago(at_ms, locale) if relative else ""
    hint_html = Markup(' <span class="rel">{}</span>').format(hint) if hint else ""
    return Markup('<time class="moment" datetime="{}" title="UTC+8">{}{}</time>').format(
        iso(at_ms), clock(at_ms, seconds=seconds), hint_html
    )


def for_locale(locale: Locale) -> dict[str, Callable[..., str]]:
    """Filter name → function, with the language bound."""
    return {
        "fen": fen,
        "yuan": yuan,
        "yuan_input": yuan_input,
        "iso": iso,
        "clock": clock,
        "day": day,
        "bytes": size,
        "percent": percent,
        "number": lambda value: number(value, locale),
        "span_ms": lambda length_ms: span_ms(length_ms, locale),
        "span_s": lambda length_s: span_s(length_s, locale),
        "ago": lambda at_ms: ago(at_ms, locale),
        "moment": lambda at_ms, seconds=False, relative=True: moment(at_ms, locale, seconds=seconds, relative=relative),
    }


def _utc(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms // 1000, UTC)
