"""The one table refusal -> HTTP status, for pages and programs alike. A test holds it against every refusal there is.

How the numbers were chosen: 400 the request cannot be read, 401 nobody known asks, 403 somebody known asks for what is
not theirs, 404 there is no such thing (or the caller may not learn that there is), 405/413/415 the request is not of a
kind we take, 409 the present state does not allow it, 410 it was there and is over, 422 a value that cannot be meant,
429 too often, 500 our own bug, 503 not now: ask again.
"""

from collections.abc import Mapping
from typing import Final

STATUS: Final[Mapping[str, int]] = {
    # Every capability.
    "FieldIsInvalid": 422,
    "NotFound": 404,
    # Orders and their codes.
    "NoPaymentProvider": 503,
    "ShopIsClosed": 409,
    "ShopIsFrozen": 409,
    "ShopIsNotFrozen": 409,
    "ListingIsNotOnSale": 409,
    "ListingHasChanged": 409,
    "QuantityIsOutOfRange": 422,
    "PurchaseLimitIsReached": 409,
    "TooManyUnpaidOrders": 409,
    "CouponIsNotValid": 409,
    "CouponIsUsedUp": 409,
    "StockIsShort": 409,
    "OrderIsInAnotherStage": 409,
    "NotDueYet": 409,
    "CodeWasAlreadyOpened": 409,
    "WaitWasAlreadyAgreed": 409,
    "CodeIsNotDelivered": 409,
    "OrderTakesNoCodes": 409,
    "TooManyCodes": 422,
    "TypedCodesAreRefused": 422,
    # Money.
    "OrderIsUnknown": 404,
    "NothingHasFailed": 409,
    "AlreadyOnItsWayBack": 409,
    "BalanceIsTooLow": 409,
    "PayoutAccountIsMissing": 409,
    "PayoutAccountIsNew": 409,
    "PayoutWasRequested": 409,
    "ErasureWasRecorded": 409,
    # Deposits and what they cover.
    "ShopIsNotCovered": 409,
    "TermsAreNotCurrent": 409,
    "DepositIsNotAgreed": 409,
    "TopUpIsUnknown": 404,
    "DepositIsTooLow": 409,
    "DepositIsNeeded": 409,
    "NothingIsStuck": 409,
    "ReleaseIsNotDue": 409,
    "NothingToRestore": 409,
    # Shops and who stands behind them.
    "ShopDeadlineIsNotDue": 409,
    "SanctionWasAppealed": 409,
    "ApplicationIsInAnotherStage": 409,
    "ApplicationHasMoved": 409,
    "SecondReviewerMustBeAnother": 409,
    "TermsHaveChanged": 409,
    # Messages.
    "LeadsOffThePlatform": 409,
    "TooManyMessages": 429,
    "NoMessagesAboutThis": 409,
    # Complaints and reviews.
    "ComplaintExists": 409,
    "OrderCannotBeComplainedAbout": 409,
    "ComplaintIsInAnotherStage": 409,
    "NotSilentYet": 409,
    "OfferHasEnded": 409,
    "OfferIsNotThere": 409,
    "BuyerWasAsked": 409,
    "StandardIsNotHeld": 409,
    "ReviewIsNotAsked": 409,
    "ReviewWasAsked": 409,
    "RulingIsNotAgainstYou": 409,
    "EvidenceIsNotTakenNow": 409,
    "TooMuchEvidence": 409,
    "EvidenceIsThere": 409,
    "EvidenceIsWithdrawn": 409,
    "NothingToDoubt": 409,
    "RecordingIsNotPossible": 409,
    "RecordingDoesNotFit": 409,
    "EvidenceFileIsRefused": 422,
    "TooManyCases": 409,
    "CaseIsFull": 409,
    "CaseFileIsRefused": 422,
    "CaseIsBusy": 409,
    "OrderIsNotCompleted": 409,
    "ReviewExists": 409,
    # Shops, listings, coupons, batches.
    "ShopIsInAnotherStanding": 409,
    "ShopTakesNoListings": 409,
    "NothingHasChanged": 409,
    "CouponExists": 409,
    "BatchIsRegistered": 409,
    "BatchIsEmpty": 422,
    "NothingIsUnsold": 409,
    "ImportIsUnderWay": 409,
    "ImportIsClosed": 409,
    "TooManyImports": 409,
    "ImportIsTooLarge": 413,
    "ImportWasAbandoned": 409,
    "ImportBrokeOff": 400,
    # The public log.
    "ReceiptIsNotReady": 409,
    # The standard.
    "StandardWasPublished": 409,
    "StandardIsRetroactive": 409,
    # Issuers.
    "IssuerIsInAnotherStanding": 409,
    "IssuerKeyIsTaken": 409,
    "IssuerMayNotAttest": 403,
    "AttestationDoesNotFit": 422,
    "StatementIsUnreadable": 422,
    "IssuerSignatureIsWrong": 401,
    "StatementIsOutOfTime": 422,
    "StatementIdWasUsed": 409,
    "IssuerHasNoApi": 409,
    "IssuerDoesNotAnswer": 503,
    # Panels and arbitrators.
    "PanelIsInAnotherStage": 409,
    "PanelIsNotDue": 409,
    "SeatIsNotYours": 403,
    "VoteIsFixed": 409,
    "VoteDoesNotFit": 422,
    "ArbitratorIsInAnotherStanding": 409,
    "ExamIsNotPassed": 409,
    # The engine.
    "NotYours": 403,
    "KeyWasUsedForAnotherRequest": 409,
    # The gates.
    "SignInNeeded": 401,
    "ApiKeyIsInvalid": 401,
    "NotAllowed": 403,
    "SessionExpired": 403,
    "WorkIsMissing": 403,
    "OrderNotFound": 404,
    "CodeIsNotKnown": 404,
    "TooManyRequests": 429,
    # People.
    "LogInIsWrong": 401,
    "LogInIsBraked": 429,
    "PasswordIsWeak": 422,
    "EmailIsInvalid": 422,
    "DisplayNameIsInvalid": 422,
    "LinkIsSpent": 410,
    "AccountIsClosed": 409,
    "LastOwnerMustStay": 409,
    "ScopeIsUnknown": 422,
    "KeyNameIsInvalid": 422,
    "TooManyKeys": 409,
    "NotStaffHere": 404,
    # What the edges find out by themselves; no class of the business stands behind these names.
    "BodyIsUnreadable": 400,
    "InvalidInput": 422,
    "IdempotencyKeyIsMissing": 400,
    "IdempotencyKeyIsInvalid": 400,
    "IdempotencyConflict": 409,
    "NotificationIsForged": 400,
    "NotificationIsUnreadable": 400,
    "ProviderIsUnknown": 404,
    "MethodIsNotAllowed": 405,
    "TooLarge": 413,
    "MediaTypeIsNotSupported": 415,
    "ProviderHasRefused": 409,
    "Unexpected": 500,
    "Unavailable": 503,
}

CONFLICT: Final = 409


def status_of(refusal_name: str) -> int:
    """The status of a refusal. An unknown name can only be one that the test has not seen yet: a rule said no."""
    return STATUS.get(refusal_name, CONFLICT)
