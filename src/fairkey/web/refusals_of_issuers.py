"""What is told when an issuer's word, or an act on an issuer, is refused: what happened, why, the next step."""

from collections.abc import Mapping
from typing import Final

from fairkey.web.i18n import marked as _

_SIGN_AGAIN: Final = _("Ask the issuer to sign again and send the new text.")

OF_ISSUERS: Final[Mapping[str, tuple[str, str, str]]] = {
    "IssuerIsInAnotherStanding": (
        _("The issuer is in another state by now."),
        _("This step is only possible in certain states."),
        _("Reload the page and look at the present state."),
    ),
    "IssuerKeyIsTaken": (
        _("This key was the issuer's before."),
        _("A key that was replaced does not come back."),
        _("Ask the issuer for a new key."),
    ),
    "IssuerMayNotAttest": (
        _("Nothing this issuer signs is taken now."),
        _("The issuer is suspended, or the key that signed was replaced."),
        _("Sign with the present key, or write to the platform."),
    ),
    "AttestationDoesNotFit": (
        _("The issuer's attestation does not fit what is deposited; nothing was stored."),
        _("Source, product and number of codes must be as signed, under a key that counts today."),
        _SIGN_AGAIN,
    ),
    "StatementIsUnreadable": (
        _("The issuer's attestation cannot be read."),
        _("Number %(place)s: %(why)s."),
        _SIGN_AGAIN,
    ),
    "IssuerSignatureIsWrong": (
        _("The signature is not that of a registered issuer."),
        _("No key of the issuer fits number %(place)s, or nobody of that number is registered."),
        _("Send the text exactly as it was signed, byte by byte."),
    ),
    "StatementIsOutOfTime": (
        _("The attestation is too old, or from the future."),
        _("Number %(place)s was signed outside the time in which it is taken."),
        _SIGN_AGAIN,
    ),
    "StatementIdWasUsed": (
        _("This attestation was used before, for something else."),
        _("Each attestation carries an id of its own; that of number %(place)s is taken."),
        _SIGN_AGAIN,
    ),
    "OutageWordIsNotTaken": (
        _("Nothing this issuer signs is taken now."),
        _("The issuer is suspended, or the key that signed was replaced."),
        _("Sign with the present key, or write to the platform."),
    ),
    "OutageOverlaps": (
        _("There is an outage at that time already."),
        _("One began at %(began_at_ms)s; two do not overlap."),
        _("Say when that one ended, or nothing: it counts as it is."),
    ),
    "OutageIsNotShown": (
        _("This does not show an outage; nothing was recorded."),
        _("Counted here within 30 minutes: %(failures)s failures in %(shops)s shops, %(ratio)s percent of the usual."),
        _("Wait for more, or capture the issuer's status page and enter its address and SHA-256."),
    ),
    "OutageWasDenied": (
        _("The issuer has signed that there was no outage."),
        _("The issuer's word is about %(denied_at_ms)s; before that moment nobody else finds one."),
        _("If it began later, enter that moment."),
    ),
    "OutageIsNotRunning": (
        _("No outage lasts that could end."),
        _("It ended already, or nobody said that it began."),
        _("Say first when it began."),
    ),
    "OutageIsTheIssuers": (
        _("The issuer says when this outage ends."),
        _("Only an outage that the platform found is ended here."),
        _("Ask the issuer for a signed word; after a week it ends by itself."),
    ),
    "OutageIsNotOver": (
        _("The outage still lasts."),
        _("It ends by itself a week after it began."),
        _("Nothing is to be done."),
    ),
    "IssuerHasNoApi": (
        _("This issuer cannot be asked."),
        _("No licence API of theirs is known here."),
        _("Enter its address on the page of issuers, or write to them."),
    ),
    "IssuerDoesNotAnswer": (
        _("The issuer gave no usable answer."),
        _("Their licence API said: %(why)s."),
        _("Try again later. What was answered before stays on record."),
    ),
}
