"""Reminders by mail: whose time in a dispute is nearly over. They say what the page counts down to."""

from collections.abc import Mapping
from typing import Final

from fairkey.business.dispute_events import Side
from fairkey.business.dispute_state import Turn
from fairkey.business.reminders import When, when
from fairkey.effects.outbox import NotYet, Waiting
from fairkey.read_tables.order_book import OrderRecord
from fairkey.web.i18n import marked as _

WORDS_OF_TURN: Final[Mapping[str, tuple[str, tuple[str, ...], str]]] = {
    "answer": (
        _("Until %(until_ms)s: answer the complaint about %(product)s"),
        (
            _("You have not answered yet: agree, say why not, ask the buyer, or offer something."),
            _("Silence loses: after that the buyer has the money back and the ruling counts against the shop."),
        ),
        _("Answer now"),
    ),
    "reply": (
        _("Until %(until_ms)s: reply to the shop about %(product)s"),
        (_("The shop waits for your reply. Without one the complaint ends and the shop is paid."),),
        _("Reply now"),
    ),
    "confirm": (
        _("Until %(until_ms)s: does the replacement work? %(product)s"),
        (_("Say that it works, or complain again. Silence says that it works, and the shop is paid."),),
        _("Open the codes"),
    ),
    "reopen": (
        _("Until %(until_ms)s: re-open the complaint about %(product)s"),
        (_("It ended because you did not reply. With new evidence it goes on, once; after that the shop is paid."),),
        _("Re-open the complaint"),
    ),
    "offer": (
        _("Until %(until_ms)s: an offer about %(product)s"),
        (_("The other side's offer still stands; after that it has ended, and the dispute goes on without it."),),
        _("Answer the offer"),
    ),
    "appeal": (
        _("Until %(until_ms)s: the ruling about %(product)s can be appealed"),
        (_("If you think it is wrong, appeal or ask for a person now; after that it is carried out."),),
        _("Read the ruling"),
    ),
    "last_appeal": (
        _("Until %(until_ms)s: the ruling about %(product)s can be appealed"),
        (_("A person has looked at it and let it stand. If you think it is wrong, appeal now."),),
        _("Read the ruling"),
    ),
}
"""By turn: subject, sentences, button."""


def due_reminder(waiting: Waiting, record: OrderRecord, now_ms: int) -> int:
    """The deadline that this reminder speaks of, 0 where nobody has to be reminded. Raises `NotYet`."""
    whom = Side.BUYER if waiting.kind == "tell_buyer" else Side.SHOP
    number, before_ms = waiting.payload["number"], waiting.payload["before_ms"]
    assert isinstance(number, int)
    assert isinstance(before_ms, int)
    what, at_ms = when(
        record.file.complaint, whom, Turn(str(waiting.payload["turn"])), number, before_ms=before_ms, now_ms=now_ms
    )
    if what is When.LATER:
        raise NotYet(at_ms)
    return at_ms if what is When.NOW else 0
