"""What a person is told when a rule says no: what happened, why, and the next step.

``REFUSALS`` has one row per business refusal, by the name of its class; a test compares the table with the business. The
sentences are message ids and may use the refusal's own details as ``%(name)s``; amounts (``…_fen``), times (``…_at_ms``) and
durations (``…_s``, ``…_ms``) are already written out by the formats of the page.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fairkey.web import formats
from fairkey.web.i18n import Locale, texts_of
from fairkey.web.i18n import marked as _


@dataclass(frozen=True, slots=True)
class Words:
    """The three sentences of a refusal, as message ids."""

    what: str
    why: str
    next_step: str


@dataclass(frozen=True, slots=True)
class RefusalView:
    """The three sentences in the reader's language, plain text; shown by the macro ``refusal``."""

    name: str
    what: str
    why: str
    next_step: str


UNEXPECTED: Final = Words(
    _("This was not done."),
    _("A rule of the platform does not allow it in the present state."),
    _("Go back, reload the page and look at the present state. If it stays unclear, write to support and name this page."),
)

REFUSALS: Final[Mapping[str, Words]] = {
    "NotFound": Words(
        _("There is no such page, or it is not yours."),
        _("We give the same answer for unknown and for foreign addresses, so that nobody can try out numbers."),
        _("Check the address, or look your order up with its number and secret."),
    ),
    "NotAllowed": Words(
        _("Your account may not do this."),
        _("The action belongs to another role."),
        _("Sign in with the right account, or ask the owner of the shop."),
    ),
    "SignInNeeded": Words(
        _("Please sign in first."),
        _("This page shows data of an account."),
        _("Sign in, then you come back here."),
    ),
    "SessionExpired": Words(
        _("This form has expired; nothing was done."),
        _("It was opened too long ago or in another session."),
        _("Load the page again and repeat the step."),
    ),
    "TooManyRequests": Words(
        _("Too many attempts in a short time."),
        _("The limit protects accounts and orders against guessing."),
        _("Wait a moment, then try again."),
    ),
    "TooLarge": Words(
        _("The file or text is too large; nothing was stored."),
        _("There is a limit for one upload."),
        _("Split it into smaller parts and send them one after the other."),
    ),
    "InvalidInput": Words(
        _("Some fields need another look; nothing was done."),
        _("The marked fields are empty or not in the expected form."),
        _("Correct the marked fields and send the form again."),
    ),
    "IdempotencyConflict": Words(
        _("This request was already answered with other content."),
        _("The same request number was used for two different requests."),
        _("Load the page again and repeat the step; nothing was done twice."),
    ),
    "Unavailable": Words(
        _("This does not work at the moment; nothing was lost."),
        _("A part of the platform or the payment provider does not answer."),
        _("Try again in a minute. Payments that are under way are found and credited by themselves."),
    ),
}


def refusal_view(name: str, details: Mapping[str, object] | None, locale: Locale) -> RefusalView:
    """Sentences for the refusal ``name`` with its ``details`` filled in; a generic text for names not in the table."""
    words = REFUSALS.get(name, UNEXPECTED)
    texts = texts_of(locale)
    values = _Details({key: _written(key, value, locale) for key, value in (details or {}).items()})

    def sentence(msgid: str) -> str:
        return texts.gettext(msgid) % values

    return RefusalView(name, sentence(words.what), sentence(words.why), sentence(words.next_step))


class _Details(dict[str, str]):
    """Details of a refusal; one that a sentence asks for and the refusal lacks is a dash, not a broken page."""

    def __missing__(self, key: str) -> str:
        return formats.NONE


def _written(key: str, value: object, locale: Locale) -> str:
    if not isinstance(value, int) or isinstance(value, bool):
        return formats.NONE if value is None else str(value)
    if key.endswith("_fen"):
        return formats.fen(value)
    if key.endswith("_at_ms"):
        return formats.clock(value)
    if key.endswith("_ms"):
        return formats.span_ms(value, locale)
    if key.endswith("_s"):
        return formats.span_s(value, locale)
    return formats.number(value, locale)
