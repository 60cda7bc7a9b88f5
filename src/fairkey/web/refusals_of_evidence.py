"""What is told when evidence is not taken: what happened, why, the next step."""

from collections.abc import Mapping
from typing import Final

from fairkey.web.i18n import marked as _

OF_EVIDENCE: Final[Mapping[str, tuple[str, str, str]]] = {
    "EvidenceIsNotTakenNow": (
        _("Evidence is not taken now."),
        _("It is taken from the delivery until the time for complaints is over, and while a complaint is open."),
        _("Look at the order: its page says what can be done now."),
    ),
    "TooMuchEvidence": (
        _("You have given all the evidence that a side may give."),
        _("Twelve files and 1 GB a side are enough for any order; whoever judges has to look at all of it."),
        _("Describe the rest in a message."),
    ),
    "EvidenceIsThere": (
        _("This file was given before."),
        _("It has the same SHA-256 as one that is in the list."),
        _("Nothing is left to do: it counts."),
    ),
    "EvidenceIsWithdrawn": (
        _("This piece of evidence was withdrawn."),
        _("Who gave it relies on it no more, so there is nothing to doubt or confirm."),
        _("Reload the page and look at the present state."),
    ),
    "NothingToDoubt": (
        _("This piece of evidence cannot be doubted or confirmed by you now."),
        _("Only recordings and provenance of the other side can, once and within 48 hours."),
        _("Say what you think of it in a message."),
    ),
    "RecordingIsNotPossible": (
        _("A guided recording cannot begin now."),
        _("It begins before a code is opened, one at a time, and three times at most for one order."),
        _("If one is running, stop it first. If all codes are open, give other evidence."),
    ),
    "RecordingDoesNotFit": (
        _("This file cannot be the recording."),
        _(
            "It must be a video of a recording that was started and stopped here, given within 24 hours, and the code "
            "must have been submitted while it ran."
        ),
        _("Check the file and the time, or give it as another piece of evidence."),
    ),
    "EvidenceFileIsRefused": (
        _("The file was not taken, and nothing of it was kept."),
        _(
            "It is empty, damaged, cut off, too large, found by the virus scanner, or not what its name says. Taken "
            "are PNG, JPEG, GIF and WebP pictures, MP4, MOV, WebM and MKV videos, PDF, plain text and .eml."
        ),
        _("Save it again in one of these forms and give it anew."),
    ),
}
