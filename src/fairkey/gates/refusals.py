"""What the gates refuse, and the HTTP status of every refusal that has to do with people.

Shown like any other `fairkey.business.basics.Refusal`; pages keep the sentences, the API the problem type.
"""

from collections.abc import Mapping
from typing import Final

from fairkey.business.basics import Refusal


class SignInNeeded(Refusal):
    """The route needs an account. Details: back (path to return to), expired (a session was there and has ended)."""


class NotAllowed(Refusal):
    """Somebody known asked for what is not theirs. Details: need (a permission or scope)."""


class SessionExpired(Refusal):
    """A form without a valid token: too old, from another session, or sent by a foreign page. Details: back."""


class TooManyRequests(Refusal):
    """Details: wait_s."""


class ApiKeyIsInvalid(Refusal):
    """An `Authorization` header was sent that names no live key."""


class OrderNotFound(Refusal):
    """No such order, or not the secret of this order: deliberately the same answer."""


class WorkIsMissing(Refusal):
    """Proof of work is asked for here and was missing, wrong, too old or used before. Details: difficulty_bits."""


STATUS: Final[Mapping[str, int]] = {
    # of the gates
    "SignInNeeded": 401,
    "NotAllowed": 403,
    "SessionExpired": 403,
    "TooManyRequests": 429,
    "ApiKeyIsInvalid": 401,
    "OrderNotFound": 404,
    "WorkIsMissing": 403,
    # of fairkey.engine.people
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
}
