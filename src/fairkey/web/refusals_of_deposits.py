"""What is told when something about a deposit, or what it covers, is refused: what happened, why, the next step."""

from collections.abc import Mapping
from typing import Final

from fairkey.web.i18n import marked as _

OF_DEPOSITS: Final[Mapping[str, tuple[str, str, str]]] = {
    "ShopIsNotCovered": (
        _("This shop cannot take an order of this size now."),
        _("Its deposit, or the small trial of a new shop, does not cover more open orders."),
        _("Order less, come back when earlier orders are settled, or choose another shop."),
    ),
    "FirstOrderIsTooLarge": (
        _("Your first order at this new shop is too large."),
        _("Until one of your orders there is completed, at most %(limit_fen)s may be open; %(open_fen)s is open now."),
        _("Order less, or finish the order that is open first."),
    ),
    "ShopIsFrozen": (
        _("This shop takes no new orders now."),
        _("Rulings found so many of its orders bad that its meter stopped it until a person has looked at it."),
        _("Choose another shop. Orders that are under way are delivered or refunded all the same."),
    ),
    "ShopIsNotFrozen": (
        _("This shop's meter has not stopped it."),
        _("Only a frozen shop can be let trade again."),
        _("Look at its credit page."),
    ),
    "ReviewWasAmended": (
        _("You have amended this review already."),
        _("A review can be amended once; then it stays, for the shop as well as for you."),
        _("If something new happened, write to the shop or complain."),
    ),
    "ReviewWasObjectedTo": (
        _("You have objected to this review already."),
        _("The shop has one word beside a review, and the buyer one amendment."),
        _("Nothing needs to be done; your objection stands beside the review."),
    ),
    "NothingToHide": (
        _("There are no words to hide here."),
        _("The part was left empty, or its words are hidden already."),
        _("Reload the page to see how it stands."),
    ),
    "TermsAreNotCurrent": (
        _("These deposit terms are not the current ones."),
        _("They were changed since the page was opened."),
        _("Reload the page and read the current terms."),
    ),
    "DepositIsNotAgreed": (
        _("The deposit terms are not accepted yet."),
        _("Amount, use and return of a deposit are agreed first."),
        _("Read and accept the terms, then pay in."),
    ),
    "TopUpIsUnknown": (
        _("There is no such top-up."),
        _("Nobody asked for it at this shop."),
        _("Start a new top-up on the deposit page."),
    ),
    "DepositIsTooLow": (
        _("The free deposit is too low for that."),
        _("Part of it is locked, staked or on its way back."),
        _("Choose a smaller amount or top up."),
    ),
    "DepositIsNeeded": (
        _("This part of the deposit is still needed."),
        _("It covers open orders and those completed in the last 90 days."),
        _("Ask for less now and for the rest when they are settled."),
    ),
    "NothingIsStuck": (
        _("Nothing of this deposit is stuck."),
        _("Only what the provider refused can be repeated."),
        _("Reload the page and look at the present state."),
    ),
    "ReleaseIsNotDue": (
        _("The notice is not over yet."),
        _("A release waits 15 days, so that late claims can still be paid."),
        _("Wait; it is paid back by itself."),
    ),
    "NothingToRestore": (
        _("There is nothing to repeat here."),
        _("Only a refused payment back can be repeated."),
        _("Reload the page and look at the present state."),
    ),
}
