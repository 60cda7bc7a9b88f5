"""What is told when a batch that a ruling took off sale does not come back: what happened, why, the next step."""

from collections.abc import Mapping
from typing import Final

from fairkey.web.i18n import marked as _

OF_BATCHES: Final[Mapping[str, tuple[str, str, str]]] = {
    "NothingIsHeld": (
        _("No code of this batch can come back."),
        _("Every code was sold, taken out, shown in clear to the shop, or called used by its issuer."),
        _("Deposit other codes."),
    ),
    "ShopLetsNothingBack": (
        _("No code comes back to this shop now."),
        _("Codes come back only to a shop that may take orders."),
        _("Settle what stops the shop first; then ask again."),
    ),
    "BatchReviewIsUnderWay": (
        _("A person was asked already."),
        _("One request about a batch is looked at at a time."),
        _("Wait for the answer, until %(review_by_ms)s at the latest."),
    ),
    "BatchReviewsAreSpent": (
        _("This batch was refused %(most)s times."),
        _("The same ruling is looked at only so often."),
        _("Take the codes out, or have their issuer sign that they are unused: those come back by themselves."),
    ),
    "BatchReviewIsOver": (
        _("This request is not waiting any more."),
        _("It was answered, its time ran out, its codes left, or another ruling came."),
        _("Look at the batch again."),
    ),
}
"""By the name of the refusal: what happened, why, the next step."""
