"""What the gates refuse. Shown like any other refusal; the status of each stands in `gates/statuses.py`."""

from fairkey.business.basics import Refusal
from fairkey.gates.statuses import STATUS

__all__ = [
    "STATUS",
    "ApiKeyIsInvalid",
    "NotAllowed",
    "OrderNotFound",
    "SessionExpired",
    "SignInNeeded",
    "TooManyRequests",
    "WorkIsMissing",
]


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
