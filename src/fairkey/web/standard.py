"""The standard for everybody: the table in words, what changed between versions, and the exact bytes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from litestar import HttpMethod, Response, get, route
from litestar.di import NamedDependency
from litestar.params import FromPath

from fairkey.business.basics import PLATFORM, NotFound, Stream
from fairkey.business.standard.differing import Difference, differences
from fairkey.business.standard.library import Edition, editions, error_texts
from fairkey.business.standard.table import Case, Standard, Threshold, Words
from fairkey.business.standards import STANDARD_ID, Published
from fairkey.engine.house import House
from fairkey.engine.log_port import Place
from fairkey.web import formats
from fairkey.web.frame import AnyRequest, frame
from fairkey.web.i18n import Locale, texts_of
from fairkey.web.i18n import marked as _
from fairkey.web.render import render

PATH: Final = "/standard"
STREAM: Final = Stream(PLATFORM, "standard", STANDARD_ID)
FOR_EVER: Final = "public, max-age=31536000, immutable"
READING: Final = [HttpMethod.GET, HttpMethod.HEAD]

SECTIONS: Final[Mapping[str, str]] = {
    "title": _("Title"),
    "preamble": _("Preamble"),
    "ranks": _("How evidence ranks"),
    "custody": _("Custody classes"),
    "thresholds": _("Numbers and times"),
    "facts": _("Facts"),
    "tests": _("Tests"),
    "names": _("Facts"),
    "rows": _("Rows"),
    "precedence": _("Precedence"),
    "reasons": _("Reasons"),
}
"""Sections of a version, as a comparison calls them."""

PARTIES: Final[Mapping[str, str]] = {
    "buyer": _("buyer"),
    "merchant": _("shop"),
    "issuer": _("issuer"),
    "platform": _("platform"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionLine:
    """One version: whether it was published here, since when it is in force, and where in the log that stands."""

    edition: Edition
    published: Published | None
    place: Place | None


def saying(locale: Locale) -> Callable[[Words], str]:
    """Chooses the language of what the standard itself says."""
    return lambda words: words.zh if locale == "zh_CN" else words.en


def threshold_in_words(threshold: Threshold, locale: Locale) -> str:
    """A number of the standard as people write it."""
    if threshold.unit == "ms":
        hour_ms = 3_600_000
        if threshold.value % hour_ms == 0 and threshold.value < 30 * 24 * hour_ms:
            return texts_of(locale).gettext(_("%(num)s hours")) % {"num": threshold.value // hour_ms}
        return formats.span_ms(threshold.value, locale)
    if threshold.unit == "fen":
        return formats.fen(threshold.value)
    return str(threshold.value)


def when_in_words(standard: Standard, case: Case, locale: Locale) -> str:
    """When a case decides, and who."""
    texts = texts_of(locale)
    if case.by == "panel":
        return texts.gettext(_("a panel decides"))
    if case.after is None:
        return texts.gettext(_("at once, by itself"))
    wait = threshold_in_words(standard.thresholds[case.after[1]], locale)
    return texts.gettext(_("after %(span)s, by itself")) % {"span": wait}


@get(PATH)
async def show(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """The table of the newest version, or of the one asked for."""
    context = frame(request, house)
    held = editions()
    wished = request.query_params.get("version", "")
    edition = held.get(wished) or list(held.values())[-1]
    standard = edition.standard
    return render(
        context,
        "standard/page.html",
        standard=standard,
        edition=edition,
        lines=list(reversed(await _lines(house))),
        say=saying(context.locale),
        number=lambda threshold: threshold_in_words(threshold, context.locale),
        when=lambda case: when_in_words(standard, case, context.locale),
        parties=PARTIES,
        error_texts=error_texts(),
    )


@get(f"{PATH}/diff/{{older:str}}/{{newer:str}}")
async def diff(
    request: AnyRequest, house: NamedDependency[House], older: FromPath[str], newer: FromPath[str]
) -> Response[str]:
    """What changed from one version to another. Raises `NotFound`."""
    first, second = _held(older), _held(newer)
    by_section: dict[str, list[Difference]] = {}
    for one in differences(first.standard, second.standard):
        by_section.setdefault(one.place[0], []).append(one)
    return render(
        frame(request, house),
        "standard/diff.html",
        older=first,
        newer=second,
        sections=by_section,
        titles=SECTIONS,
    )


@route(f"{PATH}/{{file:str}}", http_method=READING)
async def file(file: FromPath[str]) -> Response[bytes]:
    """The exact bytes of one version; their SHA-256 is what was published. Raises `NotFound`."""
    for edition in editions().values():
        if edition.file_name == file:
            headers = {"cache-control": FOR_EVER, "access-control-allow-origin": "*"}
            headers["etag"] = f'"{edition.standard.sha256}"'
            return Response(edition.data, media_type="application/json", headers=headers)
    raise NotFound(what="standard")


def _held(version: str) -> Edition:
    edition = editions().get(version)
    if edition is None:
        raise NotFound(what="standard")
    return edition


async def _lines(house: House) -> list[VersionLine]:
    told = await house.questions.standards.published()
    published = {one.version: (number, one) for number, one in enumerate(told, 1)}
    places = {place.version: place for place in await house.log.places(STREAM)} if published else {}
    lines = []
    for version, edition in editions().items():
        number, one = published.get(version, (0, None))
        is_this = one is not None and one.sha256 == edition.standard.sha256
        lines.append(
            VersionLine(
                edition=edition, published=one if is_this else None, place=places.get(number) if is_this else None
            )
        )
    return lines


HANDLERS: Final = [show, diff, file]
