"""What is told when an arbitrator's act is not taken: what happened, why, the next step."""

from collections.abc import Mapping
from typing import Final

from fairkey.web.i18n import marked as _

OF_PANELS: Final[Mapping[str, tuple[str, str, str]]] = {
    "PanelIsInAnotherStage": (
        _("The panel has moved on."),
        _("Votes are committed in their time, then revealed, then counted; nothing goes back."),
        _("Look at the panel's page to see where it stands."),
    ),
    "SeatIsNotYours": (
        _("This seat is not yours."),
        _("Seats are drawn by lot; who was silent was replaced by the next drawn."),
        _("Your docket shows the cases that wait for you."),
    ),
    "VoteIsFixed": (
        _("This vote is fixed."),
        _("A committed vote is never changed, by nobody."),
        _("The decision is published when all votes are revealed."),
    ),
    "VoteDoesNotFit": (
        _("This is not the vote that was committed."),
        _("The hash of vote, salt and reason differs from the one in the log."),
        _("Reveal exactly what you committed to."),
    ),
    "PanelIsNotDue": (
        _("The time of this step is not over."),
        _("Every step of a panel has its published end."),
        _("Come back at %(due_at_ms)s."),
    ),
    "ArbitratorIsInAnotherStanding": (
        _("This does not fit how the arbitrator stands."),
        _("Somebody applies, judges the test set once, is admitted, and can be suspended or leave."),
        _("Load the page again to see the present standing."),
    ),
    "ExamIsNotPassed": (
        _("The test set was not passed."),
        _("Four of five cases with a known answer must be judged as the standard does."),
        _("Refuse the application with this reason, or wait until the test set was judged."),
    ),
    "FeesAreNotDue": (
        _("So much is not due."),
        _("An arbitrator is paid what his votes have earned, and each fen once."),
        _("At most %(due_fen)s can be noted as paid."),
    ),
}
