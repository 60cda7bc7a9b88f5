"""What is told when something about a complaint is refused: what happened, why, the next step."""

from collections.abc import Mapping
from typing import Final

from fairkey.web.i18n import marked as _

OF_DISPUTES: Final[Mapping[str, tuple[str, str, str]]] = {
    "OfferIsNotThere": (
        _("This offer does not wait for your answer."),
        _("It was answered, taken over by a ruling, or it is your own."),
        _("Reload the page and look at the present state."),
    ),
    "OfferHasEnded": (
        _("This offer has ended."),
        _("An offer stands for 48 hours; it ended at %(until_ms)s."),
        _("Make an offer of your own."),
    ),
    "ReopeningIsOver": (
        _("This complaint cannot be re-opened."),
        _("Only what ended because you said nothing can, once, within 48 hours."),
        _("A ruling can be appealed while it is not final."),
    ),
    "NewEvidenceIsMissing": (
        _("New evidence is missing."),
        _("A complaint is re-opened by evidence given after the shop's question."),
        _("Add it on the evidence page, then re-open."),
    ),
    "ReplacementWasSent": (
        _("A replacement was sent already."),
        _("One a complaint: a second that fails is no way to win time."),
        _("Agree to the refund, contest, or offer a part."),
    ),
    "ReplacementIsNotWanted": (
        _("The buyer did not ask for another code."),
        _("A replacement is for who wants a working code, or says that the code is not valid."),
        _("Agree, contest, or offer a part."),
    ),
    "CodeWasNotOpened": (
        _("Only opened codes are replaced."),
        _("A sealed code is as good as it was."),
        _("Choose codes that the buyer opened."),
    ),
    "BuyerWasAsked": (
        _("The buyer was asked already."),
        _("One question a complaint, so that nobody is kept waiting by questions."),
        _("Write a message instead, or answer the complaint."),
    ),
    "StandardIsNotHeld": (
        _("This complaint cannot be judged by this version of the program."),
        _("The published standard that judges it is not part of it."),
        _("Install the release that holds it; the clocks go on."),
    ),
    "ReviewIsNotAsked": (
        _("There is nothing to review here."),
        _("Nobody asked for it, or a person has looked at this ruling already."),
        _("Reload the page and look at the present state."),
    ),
    "ReviewWasAsked": (
        _("This ruling cannot be reviewed again."),
        _("One review a ruling, and only of what was decided automatically."),
        _("Appeal instead: then a panel decides."),
    ),
    "RulingIsNotAgainstYou": (
        _("There is nothing to appeal for you here."),
        _("You got what you asked for."),
        _("Wait until the ruling is final; it is carried out by itself."),
    ),
}
