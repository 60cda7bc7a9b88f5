"""What is told when a message is not taken: what happened, why, the next step."""

from collections.abc import Mapping
from typing import Final

from fairkey.web.i18n import marked as _

OF_MESSAGES: Final[Mapping[str, tuple[str, str, str]]] = {
    "LeadsOffThePlatform": (
        _("This message was not sent: it seems to lead off the platform."),
        _(
            "Whoever pays or talks elsewhere has neither escrow nor evidence; asking a buyer to is a breach of the "
            "rules."
        ),
        _(
            "Change it. If it is harmless, send it as it is: then it is marked in the log and counts if the buyer "
            "complains."
        ),
    ),
    "TooManyMessages": (
        _("So many messages in so short a time are not taken."),
        _("Each is a fact that is kept; twenty in ten minutes are enough for any question."),
        _("Write again from %(again_at_ms)s on."),
    ),
    "NoMessagesAboutThis": (
        _("About this order nothing more can be written."),
        _("Messages are taken from the payment until 90 days after the end, 500 in all."),
        _("If money is owed, its page says what happens next."),
    ),
}
