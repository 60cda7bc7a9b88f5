"""What is told when something about a shop itself is refused: what happened, why, the next step."""

from collections.abc import Mapping
from typing import Final

from fairkey.web.i18n import marked as _

_RELOAD: Final = _("Reload the page and look at the present state.")

OF_SHOPS: Final[Mapping[str, tuple[str, str, str]]] = {
    "PayoutAccountIsNew": (
        _("The payout account was changed a short time ago."),
        _("The first payout to a new account waits 72 hours, until %(payable_at_ms)s, so that nobody can empty it."),
        _("Wait until then. If you did not change the account, change your password and write to the platform now."),
    ),
    "ShopDeadlineIsNotDue": (
        _("It is too early for this."),
        _("The deadline ends at %(due_at_ms)s."),
        _RELOAD,
    ),
    "ShopHasNotVanished": (
        _("This shop is not among the vanished."),
        _("No ruling by row R18 says so, or a person has let it trade again."),
        _RELOAD,
    ),
    "OrderCannotBeClaimed": (
        _("This order cannot be claimed."),
        _("A claim is for what was completed within 90 days before its shop vanished, and for each order once."),
        _RELOAD,
    ),
    "IssuerHasNotSpoken": (
        _("The issuer has not said that a code of this order was bad."),
        _("Nobody is left to answer for the shop, so only the issuer's word counts: revoked, or used before opening."),
        _("Ask the issuer; you can claim again while there is time."),
    ),
    "ClaimsAreOver": (
        _("The time for claims is over."),
        _("What was left of the deposit has been divided."),
        _("The outside complaint at “Cases” is still open to you."),
    ),
    "SharingIsNotDue": (
        _("There is still time for claims."),
        _("It ends at %(due_at_ms)s; then the deposit is divided."),
        _RELOAD,
    ),
    "ReturnWasAsked": (
        _("A person was asked already."),
        _("You are promised an answer until %(review_by_ms)s."),
        _("Wait for the answer; it comes by mail and stands at your desk."),
    ),
    "SanctionWasAppealed": (
        _("There is an appeal against this measure already."),
        _("A measure is appealed once, and a person answers."),
        _("Wait for the answer; it is published beside the measure."),
    ),
    "ApplicationIsInAnotherStage": (
        _("The application is in another state by now."),
        _("While reviewers read it, it cannot be changed; what was decided cannot be decided again."),
        _RELOAD,
    ),
    "ApplicationHasMoved": (
        _("This is not the application you read."),
        _("The applicant has sent a newer one in the meantime."),
        _("Read the newer one, then decide."),
    ),
    "SecondReviewerMustBeAnother": (
        _("You agreed already."),
        _("Two different persons must agree before an applicant is admitted."),
        _("Ask a colleague to read the application."),
    ),
    "TermsHaveChanged": (
        _("These are not the present terms for shops."),
        _("They were changed, or not accepted."),
        _("Read the present terms, accept them and send the application again."),
    ),
}
