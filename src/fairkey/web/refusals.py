"""What a person is told when a rule says no: what happened, why, and the next step.

``REFUSALS`` has one row per business refusal, by the name of its class; a test compares the table with the business.
The sentences are message ids and may use the refusal's own details as ``%(name)s``; how details are written out stands
in ``_written``: amounts (``…_fen``), times (``…_at_ms``), durations (``…_s``, ``…_ms``), states and reasons in words.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fairkey.web import formats
from fairkey.web.i18n import Locale, texts_of
from fairkey.web.i18n import marked as _
from fairkey.web.refusals_of_batches import OF_BATCHES
from fairkey.web.refusals_of_cases import OF_CASES
from fairkey.web.refusals_of_deposits import OF_DEPOSITS
from fairkey.web.refusals_of_disputes import OF_DISPUTES
from fairkey.web.refusals_of_evidence import OF_EVIDENCE
from fairkey.web.refusals_of_fields import FIELDS, REASONS
from fairkey.web.refusals_of_issuers import OF_ISSUERS
from fairkey.web.refusals_of_messages import OF_MESSAGES
from fairkey.web.refusals_of_panels import OF_PANELS
from fairkey.web.refusals_of_shops import OF_SHOPS
from fairkey.web.states import look


@dataclass(frozen=True, slots=True)
class Words:
    """The three sentences of a refusal, as message ids."""

    what: str
    why: str
    next_step: str


@dataclass(frozen=True, slots=True)
class RefusalView:
    """The three sentences in the reader's language, plain text; shown by the macro ``refusal``."""

    name: str
    what: str
    why: str
    next_step: str


UNEXPECTED: Final = Words(
    _("This was not done."),
    _("A rule of the platform does not allow it in the present state."),
    _("Reload the page and look at the present state. If it stays unclear, write to support and name this page."),
)

_RELOAD: Final = _("Reload the page and look at the present state.")

REFUSALS: Final[Mapping[str, Words]] = {
    # The edges' own: who asks, how often, how much.
    "NotAllowed": Words(
        _("Your account may not do this."),
        _("The action belongs to another role."),
        _("Sign in with the right account, or ask the owner of the shop."),
    ),
    "SignInNeeded": Words(
        _("Please sign in first."),
        _("This page shows data of an account."),
        _("Sign in, then you come back here."),
    ),
    "SessionExpired": Words(
        _("This form has expired; nothing was done."),
        _("It was opened too long ago or in another session."),
        _("Load the page again and repeat the step."),
    ),
    "ReceiptIsNotReady": Words(
        _("The receipt is not there yet."),
        _("The fact is recorded; the public log shows it in a moment, usually within two seconds."),
        _("Ask again shortly. Until then the promise is yours, which the log has signed."),
    ),
    "SealIsTaken": Words(
        _("The log holds another hash under this number; nothing was done."),
        _("Two hashes of which half is the same are not met by chance."),
        _("Seal the evidence again: its list gets another hash."),
    ),
    "StandardWasPublished": Words(
        _("This version of the standard was published before, with other content."),
        _("A published version never changes; its hash is in the public log."),
        _("Give the changed text a new version number."),
    ),
    "StandardIsRetroactive": Words(
        _("A standard cannot be in force before it was published."),
        _("Orders are judged by the version that was in force when they were placed."),
        _("Choose a later moment."),
    ),
    "TooManyRequests": Words(
        _("Too many attempts in a short time."),
        _("The limit protects accounts and orders against guessing."),
        _("Wait a moment, then try again."),
    ),
    "TooLarge": Words(
        _("The file or text is too large; nothing was stored."),
        _("There is a limit for one upload."),
        _("Split it into smaller parts and send them one after the other."),
    ),
    "InvalidInput": Words(
        _("Some fields need another look; nothing was done."),
        _("The marked fields are empty or not in the expected form."),
        _("Correct the marked fields and send the form again."),
    ),
    "IdempotencyConflict": Words(
        _("This request was already answered with other content."),
        _("The same request number was used for two different requests."),
        _("Load the page again and repeat the step; nothing was done twice."),
    ),
    "Unavailable": Words(
        _("This does not work at the moment; nothing was lost."),
        _("A part of the platform or the payment provider does not answer."),
        _("Try again in a minute. Payments that are under way are found and credited by themselves."),
    ),
    "OrderNotFound": Words(
        _("There is no such order, or this browser may not see it."),
        _("An order opens with its secret only. Unknown numbers and wrong secrets get the same answer."),
        _("Open the link in your mail, or type number and secret on the page “My orders”."),
    ),
    "CodeIsNotKnown": Words(
        _("No code with this text can be traced here."),
        _("Unknown codes and those too short to be traced get the same answer."),
        _("Type it exactly as it was delivered, with all its parts."),
    ),
    "WorkIsMissing": Words(
        _("Your browser has not finished its small piece of work; nothing was ordered."),
        _("It keeps people from locking up the stock with thousands of orders."),
        _("Send the form again in a few seconds; without JavaScript after 20 seconds."),
    ),
    "KeyWasUsedForAnotherRequest": Words(
        _("This request was already answered with other content."),
        _("The same request number was used for two different requests."),
        _("Load the page again and repeat the step; nothing was done twice."),
    ),
    "NotYours": Words(
        _("Your account may not do this."),
        _("The action belongs to another role."),
        _("Sign in with the right account, or ask the owner of the shop."),
    ),
    "Unexpected": Words(
        _("Something broke on our side."),
        _("It was noted and platform staff look at it. What you did before is safe."),
        _("Load the page again. If it stays like this, try again in a few minutes."),
    ),
    # Everywhere in the business.
    "NotFound": Words(
        _("There is no such page, or it is not yours."),
        _("We give the same answer for unknown and for foreign addresses, so that nobody can try out numbers."),
        _("Check the address, or look your order up with its number and secret."),
    ),
    "FieldIsInvalid": Words(
        _("One field needs another look; nothing was done."),
        _("%(field)s: %(why)s."),
        _("Correct the field and send the form again."),
    ),
    # Buying.
    "ShopIsClosed": Words(
        _("The shop takes no orders now."),
        _("It is suspended or closed. Orders that are under way are delivered or refunded all the same."),
        _("Choose the product from another shop."),
    ),
    "ListingIsNotOnSale": Words(
        _("This listing is not on sale."),
        _("The shop has taken it down or never published it."),
        _("Go back to the store and choose another one."),
    ),
    "ListingHasChanged": Words(
        _("The listing was changed while you looked at it; nothing was ordered."),
        _("You are never sold other terms than those you saw."),
        _("Read the new terms, then order again if they suit you."),
    ),
    "StockIsShort": Words(
        _("There are not enough codes left; nothing was ordered."),
        _("You wanted %(wanted)s, %(left)s lie in the vault. We never sell what is not there."),
        _("Order fewer, or come back when the shop has refilled its stock."),
    ),
    "QuantityIsOutOfRange": Words(
        _("This quantity cannot be ordered."),
        _("The shop sells between %(least)s and %(most)s per order; you asked for %(quantity)s."),
        _("Change the quantity and order again."),
    ),
    "PurchaseLimitIsReached": Words(
        _("You have reached the purchase limit of this listing."),
        _("The shop sells at most %(limit)s to one buyer; you have ordered %(bought)s."),
        _("Order fewer, or choose another listing."),
    ),
    "TooManyUnpaidOrders": Words(
        _("There are too many unpaid orders; no codes were reserved."),
        _("At most %(limit)s unpaid orders may be open at once, so that nobody can lock up a shop's stock."),
        _("Pay or give up an open order, or wait until it expires (15 minutes)."),
    ),
    "CouponIsNotValid": Words(
        _("The coupon was not accepted; nothing was ordered."),
        _("Reason: %(why)s."),
        _("Correct the code word or leave the field empty, then order again."),
    ),
    "CouponIsUsedUp": Words(
        _("The coupon is used up; nothing was ordered."),
        _("Another order took its last use a moment ago."),
        _("Leave the field empty and order again."),
    ),
    # An order's life.
    "OrderIsInAnotherStage": Words(
        _("This is not possible any more, or not yet."),
        _("The order stands at: %(stage)s."),
        _RELOAD,
    ),
    "OrderIsUnknown": Words(
        _("There is no order for this money."),
        _("It is recorded as unmatched instead; no payment is ever lost."),
        _("The operator sends it back or finds its order."),
    ),
    "NotDueYet": Words(
        _("It is too early for this."),
        _("The deadline ends at %(due_at_ms)s."),
        _("Wait until the countdown has ended; then it happens by itself."),
    ),
    "CodeWasAlreadyOpened": Words(
        _("The codes cannot be given back any more."),
        _("At least one of them was opened. Only sealed codes can be sold to somebody else."),
        _("If an opened code does not work, complain: the money stays held."),
    ),
    "CodeIsNotDelivered": Words(
        _("There is no such code to open."),
        _("The order has not been delivered, or the code went back to the shop."),
        _RELOAD,
    ),
    "WaitWasAlreadyAgreed": Words(
        _("You have already agreed to wait longer."),
        _("One extension per order is possible, so that no shop can put you off for ever."),
        _("Wait for the new deadline: codes or money, by itself."),
    ),
    "OrderTakesNoCodes": Words(
        _("The order does not wait for codes; nothing was delivered."),
        _("It stands at: %(stage)s."),
        _RELOAD,
    ),
    "TooManyCodes": Words(
        _("There are more codes than the order needs; nothing was delivered."),
        _("It needs %(wanted)s, you typed %(given)s."),
        _("Remove the surplus lines and send the rest."),
    ),
    "NothingHasFailed": Words(
        _("There is nothing to repeat."),
        _("Only an instruction that the payment provider refused can be sent again."),
        _RELOAD,
    ),
    "AlreadyOnItsWayBack": Words(
        _("This money is already on its way back."),
        _("A refund is asked for once."),
        _("Wait for the payment provider's confirmation; it appears here."),
    ),
    # Complaints and reviews.
    "ComplaintExists": Words(
        _("There is already a complaint about this order."),
        _("One complaint per order keeps everything about it in one place."),
        _("Look at the complaint and add what is new there."),
    ),
    "OrderCannotBeComplainedAbout": Words(
        _("This order cannot be complained about now."),
        _("It stands at: %(stage)s. Before delivery the money goes back by itself when the deadline ends."),
        _("Look at the countdown on the order's page."),
    ),
    "ComplaintIsInAnotherStage": Words(
        _("This step of the complaint is over, or not there yet."),
        _("The complaint stands at: %(complaint_stage)s."),
        _RELOAD,
    ),
    "NotSilentYet": Words(
        _("The other side still has time to answer."),
        _("The time ends at %(due_at_ms)s."),
        _("Wait until the countdown has ended; silence then decides by itself."),
    ),
    "OrderIsNotCompleted": Words(
        _("A review can be written only after the order is completed."),
        _("The order stands at: %(stage)s."),
        _("Confirm the order first, or wait until it completes by itself."),
    ),
    "ReviewExists": Words(
        _("You have already reviewed this order."),
        _("One review an order, so that nobody counts twice."),
        _("You can amend it once on the order's page. If something new happened, write to the shop or complain."),
    ),
    "NoPaymentProvider": Words(
        _("No order was placed."),
        _("This platform has no payment provider yet."),
        _("Come back when the platform has opened."),
    ),
    # Accounts.
    "LogInIsWrong": Words(
        _("You are not signed in."),
        _("Address and password do not belong together."),
        _("Try again, or set a new password."),
    ),
    "LogInIsBraked": Words(
        _("You are not signed in."),
        _("There were too many wrong attempts. The pause still lasts %(wait_s)s."),
        _("Wait, or set a new password: that lifts the pause."),
    ),
    "PasswordIsWeak": Words(
        _("This password was not taken."),
        _("It is too short, too long, like the address, or one that others would guess."),
        _("Choose one of 10 characters or more; four random words are good."),
    ),
    "EmailIsInvalid": Words(
        _("This e-mail address was not taken."),
        _("It is no address that a mail could reach."),
        _("Look for a slip, such as a missing @ or a blank."),
    ),
    "DisplayNameIsInvalid": Words(
        _("This name was not taken."),
        _("It is empty, too long, or contains an @: others will see it."),
        _("Choose another name, up to 40 characters."),
    ),
    "LinkIsSpent": Words(
        _("This link is no longer good."),
        _("It was used before, or it is too old."),
        _("Ask for a new one."),
    ),
    "AccountIsClosed": Words(
        _("This account is closed."),
        _("Its owner closed it meanwhile."),
        _("Make a new one if you want to go on."),
    ),
    # A shop's desk.
    "ShopIsInAnotherStanding": Words(
        _("This is not possible in the shop's present standing."),
        _("The shop is: %(standing)s."),
        _RELOAD,
    ),
    "ShopTakesNoListings": Words(
        _("The listing was not published."),
        _("The shop is suspended or closed."),
        _("Read the reason on the desk and write to the platform."),
    ),
    "NothingHasChanged": Words(
        _("No new revision was published."),
        _("It would be the same as the one on sale."),
        _("Change something, or leave it as it is."),
    ),
    "BatchIsRegistered": Words(
        _("This batch is already registered."),
        _("A batch is registered once; its codes are in the vault."),
        _("Look at the list of batches."),
    ),
    "BatchIsEmpty": Words(
        _("No code was deposited."),
        _("Every line was refused: empty, doubled, or known to the vault."),
        _("Read the report of refused lines, correct the file and import it again."),
    ),
    "NothingIsUnsold": Words(
        _("There is nothing to take out of this batch."),
        _("Every code was sold or taken out before."),
        _("Look at the batch's figures."),
    ),
    "CouponExists": Words(
        _("There is already a coupon with this code word."),
        _("A code word names one coupon of a shop."),
        _("Choose another code word."),
    ),
    "BalanceIsTooLow": Words(
        _("The payout was not requested."),
        _("%(available_fen)s are available now; money of orders under way is still held."),
        _("Request at most this amount, or wait for the next release."),
    ),
    "PayoutAccountIsMissing": Words(
        _("The payout was not requested."),
        _("The shop has not said where its money shall go."),
        _("Enter the payout account in the shop's settings first."),
    ),
    "PayoutIsNotContradicted": Words(
        _("This payout has one end."),
        _("Only a payout of which the provider reported two ends is settled, and once."),
        _("Look at its state in the list."),
    ),
    "PayoutWasRequested": Words(
        _("This payout was already requested."),
        _("A payout is requested once, so that money never leaves twice."),
        _("Look at its state in the list of payouts."),
    ),
    "ErasureWasRecorded": Words(
        _("This erasure is on record already."),
        _("An erasure is told once, when it is done."),
        _("There is nothing left to do."),
    ),
    # Imports, and the people and programs of a shop.
    "ImportIsUnderWay": Words(
        _("This file is being read right now."),
        _("Another window or program is sending the same import."),
        _("Look at its progress in the list of imports."),
    ),
    "ImportIsClosed": Words(
        _("This import has already ended well."),
        _("Its codes are in the vault; the same form was sent once more."),
        _("Open the form again for another file."),
    ),
    "TooManyImports": Words(
        _("Too many imports are under way; nothing was taken."),
        _("A shop reads at most %(limit)s files at once."),
        _("Wait until one has ended, then send the file again."),
    ),
    "ImportIsTooLarge": Words(
        _("The file is too large; nothing was taken."),
        _("One import takes up to 100,000 lines and 64 MiB; typed for an order, 1,000 lines."),
        _("Split it into smaller parts and send them one after the other."),
    ),
    "ImportIsNoText": Words(
        _("This file is no text; nothing was taken."),
        _("Codes are read from text, one a line: a picture, a workbook or an archive holds none that can be read."),
        _("Save the list as text or CSV, or copy its lines into the field."),
    ),
    "ImportWasAbandoned": Words(
        _("The import stood still for too long and was cleaned up."),
        _("Nothing of it is in the vault."),
        _("Send the file again."),
    ),
    "ImportBrokeOff": Words(
        _("The file did not arrive whole; nothing was kept."),
        _("The connection broke off, or what arrived was no form with a file."),
        _("Send the file again."),
    ),
    "TypedCodesAreRefused": Words(
        _("None of the codes was taken; nothing was delivered."),
        _("At least one line cannot be a code, or was deposited on the platform before."),
        _("Correct the lines that are named, then deliver again."),
    ),
    "LastOwnerMustStay": Words(
        _("The last owner of a shop must stay."),
        _("Without an owner nobody could see to its money and its people."),
        _("Make somebody else an owner first."),
    ),
    "NotStaffHere": Words(
        _("This person does not work for the shop."),
        _("Perhaps somebody removed the person a moment ago."),
        _RELOAD,
    ),
    "TooManyKeys": Words(
        _("No key was made."),
        _("A shop has at most %(count_max)s live keys."),
        _("Revoke one that is not used any more."),
    ),
    "KeyNameIsInvalid": Words(
        _("No key was made."),
        _("Its name is empty, longer than 80 characters, or holds characters that cannot be shown."),
        _("Give it a short name: which program, which machine."),
    ),
    "ScopeIsUnknown": Words(
        _("No key was made."),
        _("There is no scope %(scope)s."),
        _("Choose scopes from the list."),
    ),
    **{name: Words(*sentences) for name, sentences in {**OF_DISPUTES, **OF_ISSUERS, **OF_MESSAGES, **OF_SHOPS}.items()},
    **{name: Words(*sentences) for name, sentences in {**OF_CASES, **OF_DEPOSITS, **OF_EVIDENCE, **OF_PANELS}.items()},
    **{name: Words(*sentences) for name, sentences in OF_BATCHES.items()},
}


def refusal_view(name: str, details: Mapping[str, object] | None, locale: Locale) -> RefusalView:
    """Sentences for the refusal ``name`` with its ``details`` filled in; a generic text for names not in the table."""
    words = REFUSALS.get(name, UNEXPECTED)
    texts = texts_of(locale)
    given = dict(details or {})
    values = _Details({key: _written(key, value, locale) for key, value in given.items()})
    if "stage" in given:
        # Orders and complaints both call it their stage; each sentence takes the words it needs.
        values["complaint_stage"] = texts.gettext(look("complaint", str(given["stage"])).label)

    def sentence(msgid: str) -> str:
        return texts.gettext(msgid) % values

    return RefusalView(name, sentence(words.what), sentence(words.why), sentence(words.next_step))


def spoken(name: str, details: Mapping[str, object]) -> tuple[str, str]:
    """The same sentences in one piece for programs, in English and in Chinese."""
    english = refusal_view(name, details, "en")
    chinese = refusal_view(name, details, "zh_CN")
    return (
        f"{english.what} {english.why} {english.next_step}",
        f"{chinese.what}{chinese.why}{chinese.next_step}",
    )


def field_problem(why: str, locale: Locale) -> str:
    """The sentence to show below a form field for the ``why`` of a ``FieldIsInvalid``."""
    texts = texts_of(locale)
    text = texts.gettext(REASONS.get(why, UNEXPECTED.what))
    return f"{text[0].upper()}{text[1:]}"


class _Details(dict[str, str]):
    """Details of a refusal; one that a sentence asks for and the refusal lacks is a dash, not a broken page."""

    def __missing__(self, key: str) -> str:
        return formats.NONE


def _written(key: str, value: object, locale: Locale) -> str:
    texts = texts_of(locale)
    if isinstance(value, str):
        return {
            "stage": lambda: texts.gettext(look("order", value).label),
            "standing": lambda: texts.gettext(look("shop", value).label),
            "field": lambda: texts.gettext(FIELDS.get(value, value)),
            "why": lambda: texts.gettext(REASONS.get(value, value)),
        }.get(key, lambda: value)()
    if not isinstance(value, int) or isinstance(value, bool):
        return formats.NONE if value is None else str(value)
    if key.endswith("_fen"):
        return formats.fen(value)
    if key.endswith("_at_ms"):
        return formats.clock(value)
    if key.endswith("_ms"):
        return formats.span_ms(value, locale)
    if key.endswith("_s"):
        return formats.span_s(value, locale)
    return formats.number(value, locale)
