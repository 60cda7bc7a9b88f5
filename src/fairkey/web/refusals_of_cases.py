"""What is told when something cannot be done with an outside case: what happened, why, the next step."""

from collections.abc import Mapping
from typing import Final

from fairkey.web.i18n import marked as _

OF_CASES: Final[Mapping[str, tuple[str, str, str]]] = {
    "TooManyCases": (
        _("You keep as many cases as an account may."),
        _("Twenty at a time: what is kept here is kept sealed and has its price."),
        _("Take the pack of an old case with you and erase the case."),
    ),
    "CaseIsFull": (
        _("The case keeps as much as it may, and nothing of this was kept."),
        _("Forty files and 256 MiB are the limits of a case here."),
        _("Keep larger cases on your own machine: fairkey case new has no limits."),
    ),
    "CaseFileIsRefused": (
        _("The files were not taken, and nothing of them was kept."),
        _("One is empty, larger than 64 MiB, changed while it came, or the connection broke off."),
        _("Look at them and give them anew, fewer at a time."),
    ),
    "CaseIsBusy": (
        _("The files of this case are being read or packed already."),
        _("One thing at a time keeps a case whole."),
        _("Look again in a minute."),
    ),
    "JointIsNotReady": (
        _("That cannot be done in this group now, and nothing was changed."),
        _(
            "Two persons who are ready to speak must be chosen alike by all who released a statement; one account "
            "joins a shop once; and whoever left meanwhile is in no pack."
        ),
        _("Look at the group as it stands now, and try again."),
    ),
}
