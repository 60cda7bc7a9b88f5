"""Languages of the pages: which one a visitor gets, and the texts in it.

English sentences are the message ids, written where they are shown: ``{{ _('Pay now') }}`` in templates,
``marked('Pay now')`` in Python tables. Chinese lives in ``locale/zh_CN/<area>.po``, one file per area so that several
people can write at once; the files are read and merged at start. A sentence that is missing in a catalogue falls back
to its English id.

``python -m fairkey.web.i18n check`` compares the catalogues with the sources, ``… missing --area buyer`` prints what is
to be translated (see ``catalogues.py``).
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final, Literal

from babel.messages.catalog import Message
from babel.messages.pofile import read_po

Locale = Literal["zh_CN", "en"]

DEFAULT_LOCALE: Final[Locale] = "zh_CN"
LOCALES: Final[tuple[Locale, ...]] = ("zh_CN", "en")
LOCALE_NAMES: Final[Mapping[Locale, str]] = {"zh_CN": "中文", "en": "English"}
"""Each language by its own name; never translated."""

AREAS: Final[tuple[str, ...]] = (
    "common",
    "store",
    "buyer",
    "cases",
    "merchant",
    "operator",
    "mails",
    "refusals",
    "verify",
)
"""One catalogue file per area; which message belongs where is decided in ``catalogues.area_of``."""

_LOCALE_OF_LANGUAGE: Final[Mapping[str, Locale]] = {"zh": "zh_CN", "en": "en"}

WEB: Final[Path] = Path(str(resources.files("fairkey.web")))

MessageKey = tuple[str | None, str]
"""(context or None, English singular): what identifies a message."""


def marked(msgid: str) -> str:
    """Mark a sentence in Python for the catalogues and return it unchanged; ``{{ text | tr }}`` translates it."""
    return msgid


@dataclass(frozen=True, slots=True)
class Texts:
    """All texts of one language. Unknown sentences come back as they are (English)."""

    locale: Locale
    messages: Mapping[MessageKey, tuple[str, ...]] = field(default_factory=dict)

    def gettext(self, msgid: str) -> str:
        """The sentence in this language."""
        found = self.messages.get((None, msgid))
        return found[0] if found else msgid

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        """The sentence for ``n`` things: Chinese has one form, English two."""
        return self.npgettext(None, singular, plural, n)

    def pgettext(self, context: str, msgid: str) -> str:
        """The sentence where one English word has two meanings; ``context`` tells them apart."""
        found = self.messages.get((context, msgid))
        return found[0] if found else msgid

    def npgettext(self, context: str | None, singular: str, plural: str, n: int) -> str:
        """``ngettext`` with a context."""
        found = self.messages.get((context, singular))
        if found:
            return found[min(len(found) - 1, 0 if n == 1 else 1)]
        return singular if n == 1 else plural


def forms_of(message: Message) -> tuple[str, ...]:
    """The translation of a catalogue's message, one text per plural form; empty texts where it is not translated."""
    string = message.string
    if string is None:
        return ("",)
    return (string,) if isinstance(string, str) else tuple(string)


def read_catalogue(path: Path) -> dict[MessageKey, tuple[str, ...]]:
    """Messages of one ``.po`` file that are translated and not fuzzy."""
    with path.open("rb") as file:
        catalogue = read_po(file)
    messages: dict[MessageKey, tuple[str, ...]] = {}
    for message in catalogue:
        if not message.id or message.fuzzy:
            continue
        singular = message.id if isinstance(message.id, str) else message.id[0]
        texts = forms_of(message)
        if all(texts):
            messages[(message.context, singular)] = texts
    return messages


@cache
def texts_of(locale: Locale) -> Texts:
    """Merged catalogues of a language, read once per process."""
    messages: dict[MessageKey, tuple[str, ...]] = {}
    folder = WEB / "locale" / locale
    for area in AREAS:
        path = folder / f"{area}.po"
        if path.exists():
            messages.update(read_catalogue(path))
    return Texts(locale, messages)


def locale_named(tag: str | None) -> Locale | None:
    """The locale a language tag means (``zh``, ``zh-CN``, ``en-GB`` …), or None if we do not speak it."""
    language = (tag or "").strip().replace("_", "-").split("-", maxsplit=1)[0].lower()
    return _LOCALE_OF_LANGUAGE.get(language)


def choose_locale(*, query: str | None, cookie: str | None, accept_language: str | None) -> Locale:
    """The visitor's language: explicit ``?lang=``, else the cookie, else the browser's wish, else Chinese."""
    return locale_named(query) or locale_named(cookie) or _wished(accept_language) or DEFAULT_LOCALE


def _wished(accept_language: str | None) -> Locale | None:
    """The first language of an ``Accept-Language`` header that we speak, by falling weight."""
    wishes: list[tuple[float, int, Locale]] = []
    # A header longer than this is nobody's browser; the rest is ignored rather than parsed.
    for position, part in enumerate((accept_language or "")[:400].split(",")):
        tag, _, weight = part.partition(";")
        locale = locale_named(tag)
        quality = _quality(weight)
        if locale and quality > 0:
            wishes.append((-quality, position, locale))
    return min(wishes)[2] if wishes else None


def _quality(weight: str) -> float:
    """The ``q=`` value of one wish; 1 if absent, 0 if unreadable."""
    text = weight.strip().removeprefix("q=")
    if not text:
        return 1.0
    try:
        return float(text)
    except ValueError:
        return 0.0


if __name__ == "__main__":
    from fairkey.web.catalogues import main

    sys.exit(main(sys.argv[1:]))
